package verify

import (
	"net/url"
	"strings"
)

// A redactor is a Verifier whose credential is in the query or the body, or whose body is
// encrypted. What it removes must not be visible to anything after verification.
type redactor interface {
	Verifier
	// Redact returns the query and the body of a verified request for further processing:
	// without the credential, and decrypted.
	Redact(r *Request) (rawQuery string, body []byte)
}

// Redact removes the credential of a verified request from its query and body, if v reads
// it from there, and decrypts a body that v decrypts.
func Redact(v Verifier, r *Request) (rawQuery string, body []byte) {
	if checked, ok := v.(*typed); ok {
		v = checked.Verifier
	}
	if redactor, ok := v.(redactor); ok {
		return redactor.Redact(r)
	}
	return r.RawQuery, r.Body
}

// withoutPair returns a query or a form without the pairs of a name.
func withoutPair(text, name string) string {
	var kept []string
	for pair := range strings.SplitSeq(text, "&") {
		key, _, _ := strings.Cut(pair, "=")
		if decoded, err := url.QueryUnescape(key); err != nil || decoded != name {
			kept = append(kept, pair)
		}
	}
	return strings.Join(kept, "&")
}

// withoutMember returns a JSON object without the member at a path of names. The other
// bytes stay the same.
func withoutMember(body []byte, path []string) []byte {
	s := scanner{text: body}
	s.space()
	for i, name := range path {
		start, comma, ok := s.seek(name)
		if !ok {
			return body
		}
		if i < len(path)-1 {
			continue
		}
		if s.value(nil, 0) != nil {
			return body
		}
		end := s.at
		if s.space(); s.peek() == ',' {
			end = s.at + 1
		} else if comma >= 0 {
			start = comma // the last member: the comma before it is removed instead
		}
		return append(append([]byte{}, body[:start]...), body[end:]...)
	}
	return body
}

// seek enters an object and stops before the value of a member. It returns where the
// member begins, and where the comma before it is.
func (s *scanner) seek(name string) (start, comma int, ok bool) {
	if s.space(); s.peek() != '{' {
		return 0, 0, false
	}
	s.at++
	comma = -1
	for {
		s.space()
		start = s.at
		if s.peek() != '"' || !s.quoted() {
			return 0, 0, false
		}
		w := want{below: []*want{{name: name}}}
		found := w.member(s.text[start:s.at]) != nil
		if s.space(); s.peek() != ':' {
			return 0, 0, false
		}
		s.at++
		if s.space(); found {
			return start, comma, true
		}
		if s.value(nil, 0) != nil {
			return 0, 0, false
		}
		if s.space(); s.peek() != ',' {
			return 0, 0, false
		}
		comma = s.at
		s.at++
	}
}

// find returns the scalar at a path of names; the body is only read up to it.
func find(body []byte, path []string) (string, bool) {
	s := scanner{text: body}
	for _, name := range path {
		if _, _, ok := s.seek(name); !ok {
			return "", false
		}
	}
	w := &want{found: true}
	if c := s.peek(); c == '{' || c == '[' || s.value(w, 0) != nil || string(w.raw) == "null" {
		return "", false
	}
	return w.text()
}
