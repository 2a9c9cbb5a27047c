package jsonata

import (
	"sync"
	"unicode/utf8"
)

// A Raw is valid JSON text that is decoded when it is first examined, and written
// unchanged if it never is: a large body that passes through an expression untouched
// costs no more than its bytes. A path into a large object only decodes the members that
// it names. It is safe for concurrent use.
type Raw struct {
	text []byte

	mu      sync.Mutex
	decoded bool
	value   any
	members []rawMember // of a large object, once it has been scanned
	scanned bool
}

// A rawMember holds the position of a member of a large object, and its value once it has
// been used.
type rawMember struct {
	name     string
	from, to int
	made     bool
	value    any
}

// rawMembersFrom is the size from which text is decoded member by member.
const rawMembersFrom = 4 << 10

// NewRaw returns text as a value. The text must be valid JSON (see [Valid]) and
// must not be changed afterwards.
func NewRaw(text []byte) *Raw { return &Raw{text: text} }

// ParseRaw returns text as a value if it is valid JSON, and otherwise the error of
// [Decode]. The text must not be changed afterwards. For a large object, it records where
// the members are, so that a path finds them at once.
func ParseRaw(text []byte) (*Raw, error) {
	r := &Raw{text: text}
	if len(text) < rawMembersFrom {
		return r, Valid(text)
	}
	if !utf8.Valid(text) || !r.scan() {
		return nil, Valid(text)
	}
	return r, nil
}

// Text returns the JSON text.
func (r *Raw) Text() []byte { return r.text }

// Value returns the decoded value, which is never a *Raw itself.
func (r *Raw) Value() any {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.decoded {
		v, err := Decode(r.text)
		if err != nil {
			panic("jsonata: NewRaw was given invalid JSON: " + err.Error())
		}
		r.decoded, r.value, r.members = true, v, nil
	}
	return r.value
}

// scan scans the text, and records the members of an object. It reports whether the text
// is valid.
func (r *Raw) scan() bool {
	s := scanner{text: r.text}
	s.space()
	ok := false
	if s.at('{') {
		ok = s.object(1, func(name, from, to int) { r.members = append(r.members, newRawMember(r.text, name, from, to)) })
	} else {
		ok = s.value(0)
	}
	s.space()
	r.scanned = true
	return ok && s.pos == len(r.text)
}

func newRawMember(text []byte, name, from, to int) rawMember {
	d := decoder{text: text, pos: name}
	s, _ := d.str() // has been scanned
	return rawMember{name: s, from: from, to: to}
}

// member returns the value of a member, and whether there is one; known is false if r must
// be decoded as a whole.
func (r *Raw) member(name string) (v any, ok, known bool) {
	if len(r.text) < rawMembersFrom {
		return nil, false, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.decoded {
		return nil, false, false
	}
	if !r.scanned && !r.scan() {
		return nil, false, false // Value reports the error
	}
	if s := (scanner{text: r.text}); !s.isObject() {
		return nil, false, false
	}
	for i := len(r.members) - 1; i >= 0; i-- { // of two members with the same name, the last is used
		m := &r.members[i]
		if m.name != name {
			continue
		}
		if !m.made {
			m.value, m.made = rawValue(r.text[m.from:m.to]), true
		}
		return m.value, true, true
	}
	return nil, false, true
}

func (s *scanner) isObject() bool {
	s.space()
	return s.at('{')
}

// rawValue returns valid text as a value: arrays and objects are decoded later.
func rawValue(text []byte) any {
	if c := text[0]; c == '{' || c == '[' {
		return NewRaw(text)
	}
	v, _ := Decode(text)
	return v
}

// memberOf returns a member of a value, and whether the value is an object, which needs
// no mapping over arrays; v is Undefined if the object has no such member.
func memberOf(o any, name string) (v any, isObject bool) {
	if r, ok := o.(*Raw); ok {
		if v, found, known := r.member(name); known {
			if !found {
				v = Undefined
			}
			return v, true
		}
		o = r.Value()
	}
	object, ok := o.(*Object)
	if !ok {
		return nil, false
	}
	v, found := object.Get(name)
	if !found {
		v = Undefined
	}
	return v, true
}

// Force returns a Raw's value, or v itself if it is not a Raw.
func Force(v any) any {
	if r, ok := v.(*Raw); ok {
		return r.Value()
	}
	return v
}
