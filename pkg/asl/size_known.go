package asl

import (
	"unsafe"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// The sizes of a flow hold what is known of the large values that its state and the one
// before have measured, and of its variables. A state usually passes on most of what it was
// given, and what it makes is measured as a result, as a variable and as an output: each
// part counts once. Values are not changed once they are measured, so a value that is in
// the same place is the same one.
type sizes struct {
	now, before map[place]*sized
	// held are the parts of the variables of the flow's own scope, and variables are the
	// parts of each of them.
	held      map[place]*sized
	variables map[string][]sizedPart
}

// A place identifies a value and, as a map key, prevents its memory from being reused.
type place struct {
	object *jsonata.Object
	list   *any // the first element
	text   *byte
}

// A sized holds what is known about a value.
type sized struct {
	// whole is the longest value that was measured, and older one that it has outgrown:
	// both may be passed on together.
	whole, older length
	// plain is the number of elements or members that evaluated leaves unchanged.
	plain   int
	extent  *jsonata.Extent // nil if no evaluation has returned the value
	holders int             // how many parts of variables it is
}

// A length is a size that was measured.
type length struct {
	n    int // elements of a list, members of an object, or bytes of a text; 0 if there is none
	size int
}

// A sizedPart is a variable, or a part of one.
type sizedPart struct {
	place place
	known *sized
}

const (
	// knownFrom is the size of values that are remembered: smaller ones are measured quickly.
	knownFrom = 512
	// knownDepth is how deep in a value others are looked for: on each level there is a
	// chance that all of its members are large, but not on all levels at once.
	knownDepth = 4
	// plainFrom is the number of elements or members from which it is remembered that they
	// are plain.
	plainFrom = 64
	// carriedMembers is the number of members up to which those of an object are looked at
	// to find the large ones.
	carriedMembers = 16
)

func placeOf(v any) (p place, n int) {
	switch v := v.(type) {
	case *jsonata.Object:
		return place{object: v}, v.Len()
	case []any:
		return place{list: unsafe.SliceData(v)}, len(v)
	case string:
		return place{text: unsafe.StringData(v)}, len(v)
	}
	return place{}, 0
}

// next begins another state. One that measured nothing has passed on what it was given.
func (s *sizes) next() {
	if s.now != nil {
		s.now, s.before = nil, s.now
	}
}

// empty reports whether nothing is known, as for all small values.
func (s *sizes) empty() bool { return len(s.now)+len(s.before)+len(s.held) == 0 }

// find returns what is known about a value. A list may have grown at its end since.
func (s *sizes) find(p place) *sized {
	if known, ok := s.now[p]; ok {
		return known
	}
	if known, ok := s.held[p]; ok {
		return known
	}
	if known, ok := s.before[p]; ok {
		return s.add(p, known)
	}
	return nil
}

func (s *sizes) add(p place, known *sized) *sized {
	if s.now == nil {
		s.now = map[place]*sized{}
	}
	s.now[p] = known
	return known
}

// of returns what is known about a value, for callers to add to it.
func (s *sizes) of(p place) *sized {
	if known := s.find(p); known != nil {
		return known
	}
	return s.add(p, &sized{})
}

// Find implements [jsonata.Known].
func (s *sizes) Find(v any) *jsonata.Extent {
	p, _ := placeOf(v)
	if known := s.find(p); known != nil {
		return known.extent
	}
	return nil
}

// Keep implements [jsonata.Known].
func (s *sizes) Keep(v any, e *jsonata.Extent) {
	p, _ := placeOf(v)
	s.of(p).extent = e
}

// carry keeps what is known about a value that a state has passed on without measuring it.
func (s *sizes) carry(v any) {
	if len(s.before) > 0 {
		s.parts(v, 1, func(sizedPart) {})
	}
}

// assigned keeps what is known about a variable for as long as it has this value.
func (s *sizes) assigned(name string, v any) {
	var parts []sizedPart
	s.parts(v, 1, func(p sizedPart) {
		parts = append(parts, p)
		p.known.holders++
	})
	if parts != nil && s.held == nil {
		s.held, s.variables = map[place]*sized{}, map[string][]sizedPart{}
	}
	for _, p := range parts {
		s.held[p.place] = p.known
	}
	for _, p := range s.variables[name] {
		if p.known.holders--; p.known.holders == 0 {
			delete(s.held, p.place)
		}
	}
	if parts != nil {
		s.variables[name] = parts
	} else if s.variables != nil {
		delete(s.variables, name)
	}
}

// parts finds the known parts of a value, which is one of them.
func (s *sizes) parts(v any, depth int, found func(sizedPart)) {
	p, n := placeOf(v)
	if n == 0 || depth > knownDepth {
		return
	}
	if known := s.find(p); known != nil {
		found(sizedPart{p, known})
	}
	if p.object == nil || n > carriedMembers {
		return
	}
	for i := range n {
		_, member := p.object.At(i)
		s.parts(member, depth+1, found)
	}
}

// known counts the known part of a value, and returns how many elements of a list that is.
func (m *measure) known(v any) (elements int, all bool) {
	if m.depth > knownDepth {
		return 0, false
	}
	p, n := placeOf(v)
	known := m.sizes.find(p)
	l := known.length(n, p.list != nil)
	switch {
	case l.n > 0:
		m.left -= l.size
		return l.n, l.n == n
	case known != nil && known.extent != nil && known.extent.Front() > 0:
		return m.behind(v.([]any), known.extent.Front()), false
	}
	return 0, false
}

// length returns the known length of a value with n elements, members or bytes, or that of
// the beginning of a list.
func (k *sized) length(n int, isList bool) length {
	if k == nil {
		return length{}
	}
	l := k.whole
	if l.n > n {
		l = k.older
	}
	if l.n != n && (!isList || l.n > n) {
		return length{}
	}
	return l
}

// behind counts a list that has grown at its front, and whose other elements are known, up
// to those that it has more behind. It returns how many elements it has counted.
func (m *measure) behind(v []any, front int) int {
	p, n := placeOf(v[front:])
	l := m.sizes.find(p).length(n, true)
	if l.n == 0 {
		return 0
	}
	m.left -= l.size + front // with the commas
	for _, e := range v[:front] {
		m.value(e)
	}
	return front + l.n
}

// remember stores the size of a value that has just been measured.
func (m *measure) remember(v any, size int) {
	if m.sizes == nil || m.depth > knownDepth || m.left < 0 || !m.valid {
		return
	}
	m.some = true
	p, n := placeOf(v)
	known := m.sizes.of(p)
	if n < known.whole.n {
		known.older = length{n, size}
		return
	}
	known.whole, known.older = length{n, size}, known.whole
}
