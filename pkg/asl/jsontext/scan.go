package jsontext

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

const values = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"

// A scanner reads a text once.
type scanner struct {
	text  string
	pos   int
	depth int
	err   *Error
	// unique refuses duplicate members.
	unique bool

	// want is the location to find, at is the scanner's location, and found is the offset
	// of the longest part of want that was met, whose length is matched.
	want, at       string
	found, matched int
}

// fail records the first mistake, at the current position.
func (s *scanner) fail(format string, args ...any) bool {
	if s.err == nil {
		line, column := position(s.text, s.pos)
		s.err = &Error{fmt.Sprintf(format, args...), line, column, quoteSource(s.text)}
	}
	return false
}

func (s *scanner) invalidUTF8() *Error {
	for s.pos = 0; s.pos < len(s.text); {
		r, n := utf8.DecodeRuneInString(s.text[s.pos:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		s.pos += n
	}
	line, column := position(s.text, s.pos)
	return &Error{
		fmt.Sprintf("Invalid UTF-8 start byte 0x%x", s.text[s.pos]), line, column,
		quoteSource(strings.ToValidUTF8(s.text, "\uFFFD")),
	}
}

// document reads the value, and fails if anything follows it.
func (s *scanner) document() bool {
	s.space()
	if s.pos == len(s.text) {
		// This is the only mistake that has the place of a token although there is no
		// token.
		s.err = &Error{"No content to map due to end-of-input", 1, 0, quoteSource(s.text)}
		return false
	}
	if !s.value() {
		return false
	}
	s.space()
	if s.pos < len(s.text) {
		return s.odd()
	}
	return true
}

func (s *scanner) space() {
	for s.pos < len(s.text) && strings.IndexByte(" \t\r\n", s.text[s.pos]) >= 0 {
		s.pos++
	}
}

// peek returns 0 at the end.
func (s *scanner) peek() byte {
	if s.pos < len(s.text) {
		return s.text[s.pos]
	}
	return 0
}

// unexpected fails at a character that is not what was expected.
func (s *scanner) unexpected(expected string) bool {
	if s.pos == len(s.text) {
		return s.fail("Unexpected end-of-input: %s", expected)
	}
	r, n := utf8.DecodeRuneInString(s.text[s.pos:])
	s.pos += n // the service's parser has read it
	if r < ' ' {
		return s.fail("Illegal character ((CTRL-CHAR, code %d)): %s", r, expected)
	}
	return s.fail("Unexpected character ('%c' (code %d)): %s", r, r, expected)
}

// oddNumber fails at a character that does not continue a number.
func (s *scanner) oddNumber(expected string) bool {
	r, n := utf8.DecodeRuneInString(s.text[s.pos:])
	s.pos += n
	if r < ' ' {
		return s.fail("Unexpected character ((CTRL-CHAR, code %d)) in numeric value: %s", r, expected)
	}
	return s.fail("Unexpected character ('%c' (code %d)) in numeric value: %s", r, r, expected)
}

func (s *scanner) value() bool {
	switch c := s.peek(); {
	case c == '{':
		return s.object()
	case c == '[':
		return s.array()
	case c == '"':
		_, ok := s.str("was expecting closing quote for a string value")
		return ok
	case c == '-' || '0' <= c && c <= '9':
		return s.number()
	}
	for _, word := range []string{"true", "false", "null"} {
		if rest, ok := strings.CutPrefix(s.text[s.pos:], word); ok {
			if r, _ := utf8.DecodeRuneInString(rest); rest == "" || !wordRune(r) {
				s.pos += len(word)
				return true
			}
		}
	}
	return s.odd()
}

// odd fails at something that does not begin a value: a word, another character, or the
// end.
func (s *scanner) odd() bool {
	rest := s.text[s.pos:]
	if r, _ := utf8.DecodeRuneInString(rest); rest == "" || !unicode.IsLetter(r) && r != '_' && r != '$' {
		return s.unexpected("expected a valid value " + values)
	}
	end := strings.IndexFunc(rest, func(r rune) bool { return !wordRune(r) })
	if end < 0 {
		end = len(rest)
	}
	s.pos += end
	return s.fail("Unrecognized token '%s': was expecting %s", rest[:end], values)
}

func wordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || r == '$' }

// more skips white space, and fails at the end of an unfinished object or array.
func (s *scanner) more(kind string, start int) bool {
	s.space()
	if s.pos < len(s.text) {
		return true
	}
	line, column := position(s.text, start)
	return s.fail("Unexpected end-of-input: expected close marker for %s (start marker at %s)",
		kind, location(quoteSource(s.text), line, column))
}

func (s *scanner) enter() bool {
	if s.depth++; s.depth > maxDepth {
		return s.fail("Document nesting depth (%d) exceeds the maximum allowed (%d)", s.depth, maxDepth)
	}
	s.pos++
	return true
}

func (s *scanner) object() bool {
	start, outer := s.pos, s.at
	if !s.enter() || !s.more("Object", start) {
		return false
	}
	names := map[string]bool{}
	for first := true; s.peek() != '}' || !first; first = false {
		if s.peek() != '"' {
			return s.unexpected("was expecting double-quote to start field name")
		}
		place := s.pos
		name, ok := s.str("was expecting closing quote for a field name")
		if !ok {
			return false
		}
		if s.unique && names[name] {
			return s.fail("Duplicate field '%s'", name)
		}
		names[name] = true
		s.meet(outer, "/"+name, place)
		if !s.more("Object", start) {
			return false
		}
		if s.peek() != ':' {
			return s.unexpected("was expecting a colon to separate field name and value")
		}
		s.pos++
		if !s.more("Object", start) || !s.value() || !s.more("Object", start) {
			return false
		}
		if s.peek() == '}' {
			break
		}
		if s.peek() == ']' {
			return s.mismatch('}', "Object", start)
		}
		if s.peek() != ',' {
			return s.unexpected("was expecting comma to separate Object entries")
		}
		s.pos++
		if !s.more("Object", start) {
			return false
		}
	}
	s.pos++
	s.depth--
	s.at = outer
	return true
}

func (s *scanner) array() bool {
	start, outer := s.pos, s.at
	if !s.enter() || !s.more("Array", start) {
		return false
	}
	for i := 0; s.peek() != ']' || i > 0; i++ {
		s.meet(outer, "["+strconv.Itoa(i)+"]", s.pos)
		if !s.value() || !s.more("Array", start) {
			return false
		}
		if s.peek() == ']' {
			break
		}
		if s.peek() == '}' {
			return s.mismatch(']', "Array", start)
		}
		if s.peek() != ',' {
			return s.unexpected("was expecting comma to separate Array entries")
		}
		s.pos++
		if !s.more("Array", start) {
			return false
		}
	}
	s.pos++
	s.depth--
	s.at = outer
	return true
}

func (s *scanner) mismatch(want byte, kind string, start int) bool {
	line, column := position(s.text, start)
	got := s.text[s.pos]
	s.pos++
	return s.fail("Unexpected close marker '%c': expected '%c' (for %s starting at [Source: (String)%s; line: %d, column: %d])",
		got, want, kind, quoteSource(s.text), line, column)
}

// meet records that the scanner has reached a location, one step below outer. Values that
// are not on the way to the wanted location, and their parts, get no location of their
// own.
func (s *scanner) meet(outer, step string, offset int) {
	s.at = elsewhere
	if s.want == "" || outer == elsewhere || !strings.HasPrefix(s.want[len(outer):], step) {
		return
	}
	if end := len(outer) + len(step); end == len(s.want) || s.want[end] == '/' || s.want[end] == '[' {
		s.at = s.want[:end]
		if end > s.matched {
			s.found, s.matched = offset, end
		}
	}
}

// elsewhere is the location of everything that is not on the way.
const elsewhere = "\x00"

// str reads a string and returns its text.
func (s *scanner) str(atEnd string) (string, bool) {
	s.pos++
	start := s.pos
	var b strings.Builder
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; {
		case c == '"':
			b.WriteString(s.text[start:s.pos])
			s.pos++
			return b.String(), true
		case c == '\\':
			b.WriteString(s.text[start:s.pos])
			before := s.pos
			r, ok := s.escape()
			if !ok {
				return "", false
			}
			start = s.pos
			if utf16.IsSurrogate(r) {
				start = before // as it is written: half a surrogate pair is not a character
			} else {
				b.WriteRune(r)
			}
		case c < ' ':
			s.pos++
			return "", s.fail("Illegal unquoted character ((CTRL-CHAR, code %d)): has to be escaped using backslash to be included in string value", c)
		default:
			s.pos++
		}
	}
	return "", s.fail("Unexpected end-of-input: %s", atEnd)
}

func (s *scanner) escape() (rune, bool) {
	rest := s.text[s.pos+1:]
	if rest == "" {
		s.pos = len(s.text)
		return 0, s.fail("Unexpected end-of-input: in character escape sequence")
	}
	if i := strings.IndexByte(`"\/bfnrt`, rest[0]); i >= 0 {
		s.pos += 2
		return rune("\"\\/\b\f\n\r\t"[i]), true
	}
	if rest[0] != 'u' {
		r, n := utf8.DecodeRuneInString(rest)
		s.pos += 1 + n
		return 0, s.fail("Unrecognized character escape '%c' (code %d)", r, r)
	}
	s.pos += 2
	var r rune
	for range 4 {
		i := strings.IndexByte("0123456789abcdefABCDEF", s.peek())
		if i < 0 {
			return 0, s.unexpected("expected a hex-digit for character escape sequence")
		}
		if i > 15 {
			i -= 6
		}
		r = r<<4 | rune(i)
		s.pos++
	}
	return r, true
}

func (s *scanner) number() bool {
	if s.peek() == '-' {
		s.pos++
		if c := s.peek(); c < '0' || c > '9' {
			if s.pos == len(s.text) {
				return s.unexpected("No digit following minus sign")
			}
			return s.oddNumber("expected digit (0-9) to follow minus sign, for valid numeric value")
		}
	}
	if zero, n := s.peek() == '0', s.digits(); zero && n > 1 {
		return s.fail("Invalid numeric value: Leading zeroes not allowed")
	}
	if s.peek() == '.' {
		s.pos++
		if s.digits() == 0 {
			if s.pos == len(s.text) {
				s.pos-- // at the end of the text, the position of the point is reported
			}
			return s.oddNumber("Decimal point not followed by a digit")
		}
	}
	if s.peek()|0x20 == 'e' {
		s.pos++
		if s.peek() == '+' || s.peek() == '-' {
			s.pos++
		}
		if s.digits() == 0 {
			if s.pos == len(s.text) {
				return s.unexpected("expected a digit for number exponent")
			}
			return s.oddNumber("Exponent indicator not followed by a digit")
		}
	}
	if c := s.peek(); c != 0 && strings.IndexByte(" \t\r\n,]}", c) < 0 {
		return s.unexpected("Expected space separating root-level values")
	}
	return true
}

func (s *scanner) digits() (n int) {
	for s.pos < len(s.text) && '0' <= s.text[s.pos] && s.text[s.pos] <= '9' {
		s.pos++
		n++
	}
	return n
}
