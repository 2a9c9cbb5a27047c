package asl

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// evaluated returns a result of JSONata with its numbers as in the service's evaluator:
// integers of 64 bits, and doubles, whatever digits the input had. 1.0 becomes 1, and
// 2^63 is written 9223372036854776000. A value without such numbers is returned as it is;
// others are copied and not changed, because they may be in use elsewhere.
func evaluated(v any, known *sizes) any { return evaluatedAt(v, known, 1) }

func evaluatedAt(v any, known *sizes, depth int) any {
	switch v := v.(type) {
	case json.Number:
		if f, is := asDouble(string(v)); is {
			return f
		}
	case *jsonata.Raw:
		if hasDouble(v.Text()) {
			return evaluatedAt(v.Value(), known, depth)
		}
	case []any:
		return evaluatedItems(v, known, depth)
	case *jsonata.Object:
		return evaluatedMembers(v, known, depth)
	}
	return v
}

func evaluatedItems(v []any, known *sizes, depth int) any {
	k := known.plainOf(v, len(v), depth)
	front, until := known.plainItems(k, v)
	var out []any
	for i := 0; i < len(v); i++ {
		if i == front && until > i { // those to until are plain
			if out != nil {
				out = append(out, v[i:until]...)
			}
			if i = until; i == len(v) {
				break
			}
		}
		now := evaluatedAt(v[i], known, depth+1)
		if out == nil && !unchanged(v[i], now) {
			if k != nil && k.extent != nil && k.extent.Made(i) { // nothing else refers to the place
				v[i] = now
				continue
			}
			out = append(make([]any, 0, len(v)), v[:i]...)
		}
		if out != nil {
			out = append(out, now)
		}
	}
	if out != nil {
		return out
	}
	k.isPlain(len(v))
	return v
}

func evaluatedMembers(v *jsonata.Object, known *sizes, depth int) any {
	k := known.plainOf(v, v.Len(), depth)
	var out *jsonata.Object
	for i := k.plainUntil(v.Len()); i < v.Len(); i++ {
		key, item := v.At(i)
		now := evaluatedAt(item, known, depth+1)
		if out == nil && !unchanged(item, now) {
			out = jsonata.NewObject(v.Len())
			for j := range i {
				out.Set(v.At(j))
			}
		}
		if out != nil {
			out.Set(key, now)
		}
	}
	if out != nil {
		return out
	}
	k.isPlain(v.Len())
	return v
}

// plainOf returns what is known about a list or an object with n elements or members; nil if
// it is not worth remembering.
func (s *sizes) plainOf(v any, n, depth int) *sized {
	if s == nil || depth > knownDepth {
		return nil
	}
	p, _ := placeOf(v)
	if n >= plainFrom {
		return s.of(p)
	}
	return s.find(p)
}

// plainItems returns which items of a list are known to be plain: those from front to
// until. The list may have grown at its front since.
func (s *sizes) plainItems(k *sized, v []any) (front, until int) {
	if k == nil {
		return 0, 0
	}
	if until = k.plainUntil(len(v)); until == 0 && k.extent != nil && k.extent.Front() > 0 {
		front = k.extent.Front()
		p, _ := placeOf(v[front:])
		until = front + s.find(p).plainUntil(len(v)-front)
	}
	return front, until
}

// plainUntil returns how many of n elements or members are known to be plain.
func (k *sized) plainUntil(n int) int {
	if k == nil {
		return 0
	}
	return min(k.plain, n)
}

func (k *sized) isPlain(n int) {
	if k != nil {
		k.plain = max(k.plain, n)
	}
}

// unchanged reports whether evaluated returned the value that it was given.
func unchanged(before, after any) bool {
	switch before.(type) {
	case json.Number:
		_, is := after.(json.Number)
		return is
	case *jsonata.Raw, []any, *jsonata.Object:
		return same(before, after)
	}
	return true
}

// maxInt64Digits is the maximum length of integers that certainly fit into 64 bits.
const maxInt64Digits = 18

// asDouble returns the value of a number that is not an integer of 64 bits. A number that
// a double cannot hold is left unchanged.
func asDouble(n string) (float64, bool) {
	if len(n) <= maxInt64Digits && !strings.ContainsAny(n, ".eE") && n != "-0" {
		return 0, false
	}
	if _, err := strconv.ParseInt(n, 10, 64); err == nil && n != "-0" {
		return 0, false
	}
	f, err := strconv.ParseFloat(n, 64)
	if err != nil || math.IsInf(f, 0) {
		return 0, false
	}
	if f == 0 {
		return 0, true // without a sign
	}
	return f, true
}

// hasDouble reports whether JSON text may hold a number that asDouble changes.
func hasDouble(text []byte) bool {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			for i++; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		case c == '-' || c >= '0' && c <= '9':
			start := i
			for i < len(text) && (text[i] >= '0' && text[i] <= '9' || strings.IndexByte("+-.eE", text[i]) >= 0) {
				i++
			}
			if _, is := asDouble(string(text[start:i])); is {
				return true
			}
			i--
		}
	}
	return false
}
