package verify

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// Some senders sign inside the body. What their schemes need is found in one pass over
// the bytes, without building a value from it: a sender who cannot sign must not cost
// more than one who sends a false signature in a header.
//
// Two JSON decoders may treat duplicate names, invalid UTF-8 and data after the document
// differently, and what was verified must be what the workflow gets. So a body that is
// not UTF-8 or not one object is refused, and a name that is read must not be duplicated.

// Bounds of a body that is verified by its contents.
const (
	maxItems = 1000      // items that are verified one by one
	maxDepth = 128       // nested lists and objects
	maxValue = 512 << 10 // bytes of one value that is read; SNS has messages of 256 KiB
)

// A want describes a search in a JSON value, and holds its result.
type want struct {
	name  string  // of the member; "" for the document and for items
	below []*want // the wanted members of an object
	each  *want   // what is wanted of each item of a list
	done  func() error
	// raw is the scalar that was found; nil if there was none or not a scalar.
	raw []byte
	// found says that the member exists, whatever its value; items is the number of items
	// of a list.
	found bool
	items int
}

// wanted returns a want for a member; without any below, it is a scalar.
func wanted(name string, below ...*want) *want { return &want{name: name, below: below} }

// text returns the scalar as text: a string's characters, or a number's digits. It is
// empty for null and for a missing value; ok is false for any other value.
func (w *want) text() (text string, ok bool) {
	switch {
	case !w.found || string(w.raw) == "null":
		return "", true
	case w.raw == nil:
		return "", false
	case w.raw[0] == '"':
		return unquote(w.raw)
	}
	return string(w.raw), true
}

// string returns the text of a string, and "" for anything else.
func (w *want) string() string {
	if len(w.raw) == 0 || w.raw[0] != '"' {
		return ""
	}
	text, _ := unquote(w.raw)
	return text
}

func unquote(raw []byte) (string, bool) {
	inner := raw[1 : len(raw)-1]
	for _, c := range inner {
		if c == '\\' {
			var text string
			err := json.Unmarshal(raw, &text)
			return text, err == nil
		}
	}
	return string(inner), true
}

// clear resets what was found, for the next item.
func (w *want) clear() {
	w.raw, w.found, w.items = nil, false, 0
	for _, b := range w.below {
		b.clear()
	}
	if w.each != nil {
		w.each.clear()
	}
}

// scanObject scans a body that must be one JSON object. An error of a done function is
// returned unchanged.
func scanObject(body []byte, members ...*want) error {
	return scan(body, '{', &want{below: members})
}

// scanList is scanObject for a body that must be one list.
func scanList(body []byte, list *want) error { return scan(body, '[', list) }

func scan(body []byte, first byte, root *want) error {
	s := scanner{text: body}
	s.space()
	if !utf8.Valid(body) || s.peek() != first {
		return refuse(Malformed, "body")
	}
	if err := s.value(root, 0); err != nil {
		return err
	}
	s.space()
	if s.at != len(body) {
		return refuse(Malformed, "body")
	}
	return nil
}

// isLengthened reports whether a body may have been made by appending to another one
// whose plain hash is known. SHA-1, SHA-256 and MD5 pad with 0x80, zeros and the length
// in eight bytes, and what is appended follows that padding, so the result is not UTF-8
// without zero bytes.
func isLengthened(body []byte) bool {
	return bytes.IndexByte(body, 0) >= 0 || !utf8.Valid(body)
}

type scanner struct {
	text []byte
	at   int
}

var errScan = refuse(Malformed, "body")

func (s *scanner) space() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return
		}
	}
}

// peek returns the next byte, or 0 at the end.
func (s *scanner) peek() byte {
	if s.at < len(s.text) {
		return s.text[s.at]
	}
	return 0
}

// value scans one value, of which w is wanted; a nil w wants nothing.
func (s *scanner) value(w *want, depth int) error {
	if w == nil {
		if !s.skip(depth) {
			return errScan
		}
		return nil
	}
	s.space()
	start := s.at
	switch c := s.peek(); {
	case depth > maxDepth:
		return errScan
	case c == '{':
		return s.object(w, depth)
	case c == '[':
		return s.list(w, depth)
	case !s.scalar(c):
		return errScan
	}
	if s.at-start > maxValue {
		return errScan
	}
	w.raw = s.text[start:s.at]
	return nil
}

// skip skips a value that is not wanted, however deeply it is nested.
func (s *scanner) skip(depth int) bool {
	var open [maxDepth + 1]byte // the closing bytes of the open lists and objects
	base := depth
	for {
		s.space()
		switch c := s.peek(); {
		case depth > maxDepth:
			return false
		case c == '{' || c == '[':
			s.at++
			s.space()
			if s.peek() != c+2 { // in ASCII, the closing byte is two after the opening one
				open[depth] = c + 2
				depth++
				if c == '{' && !s.key() {
					return false
				}
				continue
			}
			s.at++
		case !s.scalar(c):
			return false
		}
		// After a value, the open list or object continues or ends.
		for {
			if depth == base {
				return true
			}
			s.space()
			c := s.peek()
			if c == ',' {
				s.at++
				if open[depth-1] == '}' && !s.key() {
					return false
				}
				break
			}
			if c != open[depth-1] {
				return false
			}
			s.at++
			depth--
		}
	}
}

// key scans a name and its colon.
func (s *scanner) key() bool {
	s.space()
	if s.peek() != '"' || !s.quoted() {
		return false
	}
	s.space()
	if s.peek() != ':' {
		return false
	}
	s.at++
	return true
}

func (s *scanner) object(w *want, depth int) error {
	s.at++
	if s.space(); s.peek() == '}' {
		s.at++
		return nil
	}
	for {
		s.space()
		start := s.at
		if s.peek() != '"' || !s.quoted() {
			return errScan
		}
		var member *want
		if w != nil && len(w.below) > 0 {
			member = w.member(s.text[start:s.at])
		}
		if s.space(); s.peek() != ':' {
			return errScan
		}
		s.at++
		if member != nil {
			if member.found {
				return errScan // a duplicate name
			}
			member.found = true
		}
		if err := s.value(member, depth+1); err != nil {
			return err
		}
		s.space()
		switch s.peek() {
		case ',':
			s.at++
		case '}':
			s.at++
			return nil
		default:
			return errScan
		}
	}
}

func (s *scanner) list(w *want, depth int) error {
	s.at++
	if s.space(); s.peek() == ']' {
		s.at++
		return nil
	}
	var each *want
	if w != nil {
		each = w.each
	}
	for {
		if each != nil {
			if w.items++; w.items > maxItems {
				return refuse(Malformed, w.name)
			}
			each.clear()
			each.found = true
		}
		if err := s.value(each, depth+1); err != nil {
			return err
		}
		if each != nil && each.done != nil {
			if err := each.done(); err != nil {
				return err
			}
		}
		s.space()
		switch s.peek() {
		case ',':
			s.at++
		case ']':
			s.at++
			return nil
		default:
			return errScan
		}
	}
}

// member returns the want for a quoted name.
func (w *want) member(quoted []byte) *want {
	name := quoted[1 : len(quoted)-1]
	for _, c := range name {
		if c == '\\' {
			text, ok := unquote(quoted)
			if !ok {
				return nil
			}
			name = []byte(text)
			break
		}
	}
	for _, m := range w.below {
		if m.name == string(name) {
			return m
		}
	}
	return nil
}

// scalar scans a string, a number or a word.
func (s *scanner) scalar(c byte) bool {
	switch c {
	case '"':
		return s.quoted()
	case 't':
		return s.word("true")
	case 'f':
		return s.word("false")
	case 'n':
		return s.word("null")
	}
	return s.number()
}

func (s *scanner) word(word string) bool {
	if len(s.text)-s.at < len(word) || string(s.text[s.at:s.at+len(word)]) != word {
		return false
	}
	s.at += len(word)
	return true
}

// quoted scans a string, and checks its escapes and control characters.
func (s *scanner) quoted() bool {
	text := s.text
	for i := s.at + 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			s.at = i + 1
			return true
		case c < 0x20:
			return false
		case c == '\\':
			i++
			if i >= len(text) {
				return false
			}
			if text[i] == 'u' {
				if len(text)-i < 5 || !isHex(text[i+1:i+5]) {
					return false
				}
				i += 4
			} else if strings.IndexByte(`"\/bfnrt`, text[i]) < 0 {
				return false
			}
		}
	}
	return false
}

func isHex(text []byte) bool {
	for _, c := range text {
		if ('0' > c || c > '9') && ('a' > c || c > 'f') && ('A' > c || c > 'F') {
			return false
		}
	}
	return true
}

// number scans a number as defined by RFC 8259, section 6.
func (s *scanner) number() bool {
	if s.peek() == '-' {
		s.at++
	}
	if s.peek() == '0' {
		s.at++
	} else if !s.digits() {
		return false
	}
	if s.peek() == '.' {
		s.at++
		if !s.digits() {
			return false
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.at++
		if c := s.peek(); c == '+' || c == '-' {
			s.at++
		}
		return s.digits()
	}
	return true
}

func (s *scanner) digits() bool {
	start := s.at
	for s.at < len(s.text) && s.text[s.at] >= '0' && s.text[s.at] <= '9' {
		s.at++
	}
	return s.at > start
}
