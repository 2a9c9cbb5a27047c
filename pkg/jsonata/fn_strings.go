package jsonata

import (
	"encoding/base64"
	"math"
	"strings"
	"unicode/utf8"
)

func defineStrings(define definer) {
	define("string", "<x-b?:s>", 1, fnString)
	define("substring", "<s-nn?:s>", 3, fnSubstring).counts = true
	define("substringBefore", "<s-s:s>", 2, func(ev *evaluator, args []any) (any, error) {
		s, ok := args[0].(string)
		if !ok {
			return Undefined, nil
		}
		before, _, _ := ev.cut(s, optionalString(args[1], "undefined"))
		return before, nil
	}).counts = true
	define("substringAfter", "<s-s:s>", 2, func(ev *evaluator, args []any) (any, error) {
		s, ok := args[0].(string)
		if !ok {
			return Undefined, nil
		}
		if _, after, found := ev.cut(s, optionalString(args[1], "undefined")); found {
			return after, nil
		}
		return s, nil
	}).counts = true
	define("lowercase", "<s-:s>", 1, onString(func(s string) (any, error) { return toLower(s), nil }))
	define("uppercase", "<s-:s>", 1, onString(func(s string) (any, error) { return toUpper(s), nil }))
	define("length", "<s-:n>", 1, func(ev *evaluator, args []any) (any, error) {
		s, ok := args[0].(string)
		if !ok {
			return Undefined, nil
		}
		return float64(ev.lengthOf(s)), nil
	}).counts = true
	define("trim", "<s-:s>", 1, onString(func(s string) (any, error) { return trim(s), nil }))
	define("pad", "<s-ns?:s>", 3, fnPad)
	define("match", "<s-f<s:o>n?:a<o>>", 3, fnMatch)
	define("contains", "<s-(sf):b>", 2, fnContains).counts = true
	define("replace", "<s-(sf)(sf)n?:s>", 4, fnReplace)
	define("split", "<s-(sf)n?:a<s>>", 3, fnSplit)
	define("join", "<a<s>s?:s>", 2, fnJoin)
	define("base64encode", "<s-:s>", 1, onString(func(s string) (any, error) {
		return base64.StdEncoding.EncodeToString(latin1(s)), nil
	}))
	define("base64decode", "<s-:s>", 1, onString(func(s string) (any, error) { return decodeBase64(s), nil }))
	define("encodeUrlComponent", "<s-:s>", 1, encodeURL(componentSafe, "encodeUrlComponent"))
	define("encodeUrl", "<s-:s>", 1, encodeURL(componentSafe+urlReserved+"#", "encodeUrl"))
	define("decodeUrlComponent", "<s-:s>", 1, onString(func(s string) (any, error) {
		return decodeURL(s, "", "decodeUrlComponent")
	}))
	define("decodeUrl", "<s-:s>", 1, onString(func(s string) (any, error) {
		return decodeURL(s, urlReserved+"#", "decodeUrl")
	}))
}

// cut is strings.Cut, and counts only the work up to the separator: reading a text part by
// part takes linear time.
func (ev *evaluator) cut(s, sep string) (before, after string, found bool) {
	before, after, found = strings.Cut(s, sep)
	ev.work(len(before) + len(sep))
	return before, after, found
}

func fnString(ev *evaluator, args []any) (any, error) {
	if IsUndefined(args[0]) {
		return Undefined, nil
	}
	pretty, _ := args[1].(bool)
	if _, isArray := elements(args[0]); isArray || letter(args[0]) == 'o' {
		s, err := ev.stringify(args[0], pretty)
		return s, err
	}
	s, err := ev.text(args[0])
	return charge(ev, s, err)
}

// countRunes counts code points; half a surrogate pair (see lexer.escape) counts as one.
func countRunes(s string) int {
	n := utf8.RuneCountInString(s)
	if utf8.ValidString(s) {
		return n
	}
	for i := 0; i+2 < len(s); i++ {
		if isHalf(s[i:]) {
			n -= 2 // its three bytes were counted one by one
		}
	}
	return n
}

func isHalf(s string) bool { return len(s) >= 3 && s[0] == 0xED && s[1] >= 0xA0 }

// codePointOffset returns where the n-th code point starts.
func codePointOffset(s string, n int) int {
	i := 0
	for ; n > 0 && i < len(s); n-- {
		if s[i] < utf8.RuneSelf {
			i++
			continue
		}
		if isHalf(s[i:]) {
			i += 3
			continue
		}
		_, size := utf8.DecodeRuneInString(s[i:])
		i += size
	}
	return i
}

func fnSubstring(ev *evaluator, args []any) (any, error) {
	s, ok := args[0].(string)
	if !ok {
		return Undefined, nil
	}
	ev.use(slotSize)
	length := float64(ev.lengthOf(s))
	// slice truncates its bounds towards zero.
	start := optionalNumber(args[1], 0)
	if length+start < 0 {
		start = 0
	}
	end := length
	if isNumber(args[2]) {
		n := toFloat(args[2])
		if n <= 0 || IsUndefined(args[1]) {
			return "", nil
		}
		end = start + n
		if start < 0 {
			end += length
		}
		end = math.Trunc(end)
	}
	start = math.Trunc(start)
	if start < 0 {
		start += length
	}
	if end < 0 {
		end += length
	}
	end = math.Min(end, length)
	if !(start < end) {
		return "", nil
	}
	return ev.slice(s, int(start), int(end)), nil
}

func fnPad(ev *evaluator, args []any) (any, error) {
	s, ok := args[0].(string)
	if !ok {
		return Undefined, nil
	}
	width := math.Trunc(optionalNumber(args[1], 0))
	fill := optionalString(args[2], " ")
	if fill == "" {
		fill = " "
	}
	n := math.Abs(width) - float64(countRunes(s))
	if !(n > 0) {
		return s, nil
	}
	if err := ev.reserve(n * float64(len(fill))); err != nil {
		return nil, err
	}
	units := countRunes(fill)
	padding := strings.Repeat(fill, int(n)/units) + fill[:codePointOffset(fill, int(n)%units)]
	if width > 0 {
		return s + padding, nil
	}
	return padding + s, nil
}

// trim replaces each run of white space by one space, and removes it at the ends.
func trim(s string) string {
	var out strings.Builder
	out.Grow(len(s))
	gap := false
	for i := range len(s) {
		switch c := s[i]; c {
		case ' ', '\t', '\n', '\r':
			gap = out.Len() > 0
		default:
			if gap {
				out.WriteByte(' ')
				gap = false
			}
			out.WriteByte(c)
		}
	}
	return out.String()
}

func fnJoin(ev *evaluator, args []any) (any, error) {
	items, ok := elements(args[0])
	if !ok {
		return Undefined, nil
	}
	separator := optionalString(args[1], "")
	size := 0
	for _, item := range items {
		size += len(item.(string)) + len(separator) // guaranteed by the signature
	}
	if err := ev.reserve(float64(size)); err != nil {
		return nil, err
	}
	var out strings.Builder
	out.Grow(size)
	for i, item := range items {
		if i > 0 {
			out.WriteString(separator)
		}
		out.WriteString(item.(string))
	}
	return out.String(), nil
}

// latin1 returns the low byte of each UTF-16 unit, the "binary" of JavaScript's base64.
// The functions are not meant for text beyond Latin-1, but it must not fail; as in Node,
// the low bytes are kept.
func latin1(s string) []byte {
	out := make([]byte, 0, len(s))
	for i, n := 0, 0; i < len(s); i += n {
		var r rune
		switch r, n = utf8.DecodeRuneInString(s[i:]); {
		case isHalf(s[i:]):
			out = append(out, s[i+1]<<6|s[i+2]&0x3F)
			n = 3
		case r >= 0x10000:
			out = append(out, byte(0xD800+(r-0x10000)>>10), byte(r))
		default:
			out = append(out, byte(r))
		}
	}
	return out
}

// decodeBase64 skips characters that are not base64, as Node does, and accepts either
// alphabet.
func decodeBase64(s string) string {
	clean := make([]byte, 0, len(s))
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '+', c == '/':
			clean = append(clean, c)
		case c == '-':
			clean = append(clean, '+')
		case c == '_':
			clean = append(clean, '/')
		case c == '=':
			goto end
		}
	}
end:
	if len(clean)%4 == 1 {
		clean = clean[:len(clean)-1] // six bits do not make a byte
	}
	decoded := make([]byte, base64.RawStdEncoding.DecodedLen(len(clean)))
	n, _ := base64.RawStdEncoding.Decode(decoded, clean) // leftover bits are dropped
	var out strings.Builder
	for _, b := range decoded[:n] {
		out.WriteRune(rune(b))
	}
	return out.String()
}

const (
	componentSafe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()"
	urlReserved   = ";/?:@&=+$,"
)

func malformedURL(s, function string) error {
	return errorToken("D3140", -1, function, s)
}

func encodeURL(safe, function string) func(*evaluator, []any) (any, error) {
	return func(ev *evaluator, args []any) (any, error) {
		s, ok := args[0].(string)
		if !ok {
			return Undefined, nil
		}
		if !utf8.ValidString(s) { // half a surrogate pair
			return nil, malformedURL(s, function)
		}
		escapes := 0
		for i := range len(s) {
			if strings.IndexByte(safe, s[i]) < 0 {
				escapes++
			}
		}
		if escapes == 0 {
			return s, nil
		}
		if err := ev.reserve(float64(len(s) + 2*escapes)); err != nil {
			return nil, err
		}
		var out strings.Builder
		out.Grow(len(s) + 2*escapes)
		for i := range len(s) {
			if c := s[i]; strings.IndexByte(safe, c) >= 0 {
				out.WriteByte(c)
			} else {
				const hex = "0123456789ABCDEF"
				out.WriteByte('%')
				out.WriteByte(hex[c>>4])
				out.WriteByte(hex[c&15])
			}
		}
		return out.String(), nil
	}
}

// decodeURL leaves the escapes of the reserved characters alone.
func decodeURL(s, reserved, function string) (any, error) {
	if strings.IndexByte(s, '%') < 0 && utf8.ValidString(s) {
		return s, nil
	}
	var out strings.Builder
	out.Grow(len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			out.WriteByte(s[i])
			continue
		}
		if i+3 > len(s) {
			return nil, malformedURL(s, function)
		}
		high, low := hexValue(s[i+1]), hexValue(s[i+2])
		if high < 0 || low < 0 {
			return nil, malformedURL(s, function)
		}
		if c := byte(high<<4 | low); strings.IndexByte(reserved, c) >= 0 {
			out.WriteString(s[i : i+3])
		} else {
			out.WriteByte(c)
		}
		i += 2
	}
	if !utf8.ValidString(out.String()) {
		return nil, malformedURL(s, function)
	}
	return out.String(), nil
}

// hexValue returns the value of a hexadecimal digit, or -1.
func hexValue(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}
