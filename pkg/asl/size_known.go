package asl

import (
	"unsafe"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// The sizes of a flow are those of the large values that its state and the one before have
// measured. A state usually passes on most of what it was given, and what it makes is
// measured as a result, as a variable and as an output: each part counts once. Values are
// not changed once they are measured, so a value that is in the same place is the same one.
type sizes struct{ now, before map[place]sized }

// A place identifies a value and, as a map key, prevents its memory from being reused.
type place struct {
	object *jsonata.Object
	list   *any // the first element
	text   *byte
}

type sized struct {
	n    int // elements of a list, or bytes of a text
	size int
}

const (
	// knownFrom is the size of values that are remembered: smaller ones are measured quickly.
	knownFrom = 512
	// knownDepth is how deep in a value others are looked for: on each level there is a
	// chance that all of its members are large, but not on all levels at once.
	knownDepth = 4
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

// find returns the known size of a value. A list may have grown at its end since.
func (s *sizes) find(p place) (known sized, ok bool) {
	if known, ok = s.now[p]; ok {
		return known, true
	}
	if known, ok = s.before[p]; ok {
		s.add(p, known)
	}
	return known, ok
}

func (s *sizes) add(p place, known sized) {
	if s.now == nil {
		s.now = map[place]sized{}
	}
	s.now[p] = known
}

// known counts the known part of a value, and returns how many elements of a list that is.
func (m *measure) known(v any) (elements int, all bool) {
	if m.sizes == nil || m.depth > knownDepth || len(m.sizes.now)+len(m.sizes.before) == 0 {
		return 0, false
	}
	p, n := placeOf(v)
	known, ok := m.sizes.find(p)
	if _, isList := v.([]any); !ok || known.n != n && (!isList || known.n > n) {
		return 0, false
	}
	m.left -= known.size
	return known.n, known.n == n
}

// remember stores the size of a value that has just been measured.
func (m *measure) remember(v any, before int) {
	if size := before - m.left; m.sizes != nil && size >= knownFrom && m.depth <= knownDepth && m.left >= 0 && m.valid {
		p, n := placeOf(v)
		m.sizes.add(p, sized{n, size})
	}
}
