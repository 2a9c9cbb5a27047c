package jsonata

import (
	"math"
	"strings"
)

// maxExcerpt is how much of a value a message shows, in bytes.
const maxExcerpt = 100

// excerpt returns the beginning of a value as JSON. Its time does not grow with values
// that are large, refer to one part many times, or contain themselves.
func excerpt(v any) string {
	switch {
	case IsUndefined(v):
		return "undefined"
	case isFunction(v):
		return "a function"
	}
	text := appendExcerpt(nil, v)
	if len(text) > maxExcerpt {
		return strings.ToValidUTF8(string(text[:maxExcerpt]), "") + "…"
	}
	return string(text)
}

// appendExcerpt stops once there is more than an excerpt shows: each level of a value
// adds at least a byte.
func appendExcerpt(dst []byte, v any) []byte {
	if len(dst) > maxExcerpt {
		return dst
	}
	if items, ok := elements(v); ok {
		dst = append(dst, '[')
		for i := 0; i < len(items) && len(dst) <= maxExcerpt; i++ {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendExcerpt(dst, items[i])
		}
		return append(dst, ']')
	}
	switch v := Force(v).(type) {
	case string:
		return appendString(dst, v[:min(len(v), maxExcerpt+1)])
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return AppendNumber(dst, v)
		}
	case *Object:
		dst = append(dst, '{')
		for i := 0; i < v.Len() && len(dst) <= maxExcerpt; i++ {
			if i > 0 {
				dst = append(dst, ',')
			}
			k, member := v.At(i)
			dst = append(appendString(dst, k[:min(len(k), maxExcerpt+1)]), ':')
			dst = appendExcerpt(dst, member)
		}
		return append(dst, '}')
	}
	if text, err := AppendJSON(dst, v); err == nil {
		return text
	}
	return append(dst, `""`...) // a function; $string writes it in the same way
}
