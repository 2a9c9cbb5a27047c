package jsonata

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// A scanner validates JSON text without making values. It accepts exactly what the
// decoder accepts; the decoder reports why text is refused.
type scanner struct {
	text []byte
	pos  int
}

// space skips white space.
func (s *scanner) space() {
	for s.pos < len(s.text) {
		switch s.text[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// value skips a value at the given depth of nesting.
func (s *scanner) value(depth int) bool {
	if s.pos >= len(s.text) {
		return false
	}
	switch c := s.text[s.pos]; {
	case c == '"':
		return s.str()
	case c == '{':
		return s.object(depth+1, nil)
	case c == '[':
		return s.array(depth + 1)
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	case c == 't':
		return s.word("true")
	case c == 'f':
		return s.word("false")
	case c == 'n':
		return s.word("null")
	}
	return false
}

func (s *scanner) word(word string) bool {
	if len(s.text)-s.pos < len(word) || string(s.text[s.pos:s.pos+len(word)]) != word {
		return false
	}
	s.pos += len(word)
	return true
}

// object skips an object; unless member is nil, it calls member with the positions of
// each name and value.
func (s *scanner) object(depth int, member func(name, from, to int)) bool {
	if depth > maxDepth {
		return false
	}
	s.pos++
	s.space()
	if s.pos < len(s.text) && s.text[s.pos] == '}' {
		s.pos++
		return true
	}
	for {
		name := s.pos
		if s.pos >= len(s.text) || s.text[s.pos] != '"' || !s.str() {
			return false
		}
		s.space()
		if s.pos >= len(s.text) || s.text[s.pos] != ':' {
			return false
		}
		s.pos++
		s.space()
		from := s.pos
		if !s.value(depth) {
			return false
		}
		if member != nil {
			member(name, from, s.pos)
		}
		if more, ok := s.next('}'); !ok || !more {
			return ok
		}
	}
}

func (s *scanner) array(depth int) bool {
	if depth > maxDepth {
		return false
	}
	s.pos++
	s.space()
	if s.pos < len(s.text) && s.text[s.pos] == ']' {
		s.pos++
		return true
	}
	for {
		if !s.value(depth) {
			return false
		}
		if more, ok := s.next(']'); !ok || !more {
			return ok
		}
	}
}

// next skips a comma, in which case there is more, or the closing bracket.
func (s *scanner) next(closing byte) (more, ok bool) {
	s.space()
	if s.pos >= len(s.text) {
		return false, false
	}
	c := s.text[s.pos]
	s.pos++
	if c == ',' {
		s.space()
		return true, true
	}
	return false, c == closing
}

func (s *scanner) digits() bool {
	start := s.pos
	for s.pos < len(s.text) && s.text[s.pos] >= '0' && s.text[s.pos] <= '9' {
		s.pos++
	}
	return s.pos > start
}

func (s *scanner) at(c byte) bool { return s.pos < len(s.text) && s.text[s.pos] == c }

func (s *scanner) number() bool {
	if s.at('-') {
		s.pos++
	}
	if s.at('0') {
		s.pos++
	} else if !s.digits() {
		return false
	}
	if s.at('.') {
		s.pos++
		if !s.digits() {
			return false
		}
	}
	if s.at('e') || s.at('E') {
		s.pos++
		if s.at('+') || s.at('-') {
			s.pos++
		}
		return s.digits()
	}
	return true
}

// str skips a string.
func (s *scanner) str() bool {
	s.pos++
	for {
		s.pos = endOfRun(s.text, s.pos)
		if s.pos >= len(s.text) {
			return false
		}
		switch s.text[s.pos] {
		case '"':
			s.pos++
			return true
		case '\\':
			if !s.escape() {
				return false
			}
		default:
			return false // a control character
		}
	}
}

func (s *scanner) escape() bool {
	if s.pos+1 >= len(s.text) {
		return false
	}
	switch s.text[s.pos+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.pos += 2
		return true
	case 'u':
		if len(s.text)-s.pos < 6 {
			return false
		}
		for _, c := range s.text[s.pos+2 : s.pos+6] {
			if hexValue(c) < 0 {
				return false
			}
		}
		s.pos += 6
		return true
	}
	return false
}

// plainBytes returns how many of eight bytes, from the lowest on, precede the first
// quote, backslash or control character.
func plainBytes(x uint64) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	quote, slash := x^(ones*'"'), x^(ones*'\\')
	// The lowest high bit that is set marks a byte that is zero, or below ' '; higher
	// ones may be set by its borrow.
	return bits.TrailingZeros64(((quote-ones)&^quote|(slash-ones)&^slash|(x-ones*' ')&^x)&highs) >> 3
}

// endOfRun returns the place of the first quote, backslash or control character from pos on.
// It looks at eight bytes at a time.
func endOfRun(text []byte, pos int) int {
	for ; pos+8 <= len(text); pos += 8 {
		if n := plainBytes(binary.LittleEndian.Uint64(text[pos:])); n < 8 {
			return pos + n
		}
	}
	for ; pos < len(text); pos++ {
		if c := text[pos]; c == '"' || c == '\\' || c < ' ' {
			break
		}
	}
	return pos
}

// valid reports whether text is one JSON value that the decoder accepts.
func valid(text []byte) bool {
	s := scanner{text: text}
	s.space()
	if !utf8.Valid(text) || !s.value(0) {
		return false
	}
	s.space()
	return s.pos == len(text)
}
