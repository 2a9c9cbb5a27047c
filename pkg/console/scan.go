package console

import (
	"bytes"
	"encoding/json"
)

// members passes the members of a JSON object to visit, with their values as text, until
// visit returns false. It allocates nothing, and stops silently where the text is not JSON:
// it reads the few members that the list of deliveries needs.
func members(text []byte, visit func(name, value []byte) bool) {
	s := scanner{text: text}
	if !s.take('{') {
		return
	}
	for {
		name := s.value()
		if len(name) < 2 || name[0] != '"' || !s.take(':') {
			return
		}
		value := s.value()
		if len(value) == 0 || !visit(name[1:len(name)-1], value) || !s.take(',') {
			return
		}
	}
}

// elements passes the elements of a JSON array to visit, as members does.
func elements(text []byte, visit func(value []byte)) {
	s := scanner{text: text}
	if !s.take('[') {
		return
	}
	for value := s.value(); len(value) > 0; value = s.value() {
		if visit(value); !s.take(',') {
			return
		}
	}
}

// memberOf returns a member of an object as text; nil if there is none.
func memberOf(text []byte, name string) (found []byte) {
	members(text, func(n, value []byte) bool {
		if string(n) == name {
			found = value
		}
		return found == nil
	})
	return found
}

// memberAt returns a member of a nested object as text, given the names on the path to it;
// nil if there is none. It does not read what follows.
func memberAt(text []byte, names ...string) []byte {
	s := scanner{text: text}
	for i, name := range names {
		if !s.enter(name) {
			return nil
		}
		if i == len(names)-1 {
			return s.value()
		}
	}
	return nil
}

// enter consumes the beginning of an object up to the value of a member, and reports
// whether there is one.
func (s *scanner) enter(name string) bool {
	if !s.take('{') {
		return false
	}
	for {
		n := s.value()
		if len(n) < 2 || n[0] != '"' || !s.take(':') {
			return false
		}
		if string(n[1:len(n)-1]) == name {
			return true
		}
		if len(s.value()) == 0 || !s.take(',') {
			return false
		}
	}
}

// words returns the text of a JSON string; "" for any other value.
func words(value []byte) string {
	if len(value) < 2 || value[0] != '"' {
		return ""
	}
	if inside := value[1 : len(value)-1]; bytes.IndexByte(inside, '\\') < 0 {
		return string(bytes.ToValidUTF8(inside, []byte("\uFFFD")))
	}
	var text string
	_ = json.Unmarshal(value, &text) // "" where the text is not JSON
	return text
}

type scanner struct {
	text []byte
	at   int
}

// take consumes a byte after white space, and reports whether it was there.
func (s *scanner) take(c byte) bool {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
			continue
		case c:
			s.at++
			return true
		}
		return false
	}
	return false
}

// value consumes a value, and returns its text without white space around it; empty if
// there is none.
func (s *scanner) value() []byte {
	s.take(0) // white space
	from, depth := s.at, 0
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case '"':
			if !s.skipString() {
				return nil
			}
			if depth == 0 {
				return s.text[from:s.at]
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return s.text[from:s.at]
			}
			if depth--; depth == 0 {
				s.at++
				return s.text[from:s.at]
			}
		case ',', ':', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return s.text[from:s.at]
			}
		}
		s.at++
	}
	return nil
}

// skipString consumes a string, and reports whether it ends.
func (s *scanner) skipString() bool {
	for s.at++; s.at < len(s.text); {
		next := bytes.IndexByte(s.text[s.at:], '"')
		if next < 0 {
			break
		}
		s.at += next + 1
		escapes := 0
		for s.text[s.at-2-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return true
		}
	}
	return false
}
