package jsonata

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
)

// A sortWord is the part of a sort key that comparisons read, without pointers: a sort reads
// each of them many times, and in no order that memory is fast in.
type sortWord struct {
	word  uint64 // a number, or the first bytes of a text
	place int32  // of the item
}

// A wordSort holds the keys of items that are all numbers or all texts.
type wordSort struct {
	ev    *evaluator
	rows  []sortWord
	texts []string // nil for numbers
	nan   bool     // there is one
}

// sortable returns the keys of n items, or nil if they are not all numbers or all texts.
func (ev *evaluator) sortable(n int, key func(i int) (any, error)) (*wordSort, error) {
	s := &wordSort{ev: ev, rows: make([]sortWord, n)}
	common := 0 // how many bytes all texts begin with
	for i := range s.rows {
		v, err := key(i)
		if err != nil {
			return nil, err
		}
		s.rows[i].place = int32(i) // #nosec G115 -- a list of 2^31 items needs more memory than there is
		text, isText := v.(string)
		switch {
		case isText && i == 0:
			s.texts, common = make([]string, n), len(text)
		case isText != (s.texts != nil) || !isText && !isNumber(v):
			return nil, nil
		}
		if !isText {
			f := toFloat(v)
			s.rows[i].word = math.Float64bits(f)
			s.nan = s.nan || math.IsNaN(f)
			continue
		}
		s.texts[i] = text
		common = commonPrefix(s.texts[0][:common], text)
	}
	for i, text := range s.texts {
		s.rows[i].word = firstWord(text[common:])
	}
	return s, nil
}

// commonPrefix returns how many bytes two texts have in common at their beginning.
func commonPrefix(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// firstWord returns the first eight bytes of a text as a number that has their order.
func firstWord(s string) uint64 {
	if len(s) >= 8 {
		return binary.BigEndian.Uint64([]byte(s[:8]))
	}
	var first [8]byte
	copy(first[:], s)
	return binary.BigEndian.Uint64(first[:])
}

// items returns the items in the order that an operator defines: a comes after b if a op b.
func (s *wordSort) items(op operator, items []any) (any, error) {
	err := mergeSort(s.rows, make([]sortWord, len(s.rows)), func(a, b sortWord) (bool, error) {
		return s.after(op, a, b), s.ev.step()
	})
	out := make([]any, len(s.rows))
	for i, r := range s.rows {
		out[i] = Force(items[r.place])
	}
	return &seq{items: out}, err
}

// after reports whether a op b.
func (s *wordSort) after(op operator, a, b sortWord) bool {
	switch {
	case s.texts == nil:
		return ordered(op, math.Float64frombits(a.word), math.Float64frombits(b.word))
	case a.word != b.word && (a.word|b.word)&notASCII == 0:
		return ordered(op, a.word, b.word)
	}
	return ordered(op, s.ev.compareText(s.texts[a.place], s.texts[b.place]), 0)
}

// equal reports whether two keys are equal.
func (s *wordSort) equal(a, b sortWord) bool {
	switch {
	case s.texts == nil:
		return math.Float64frombits(a.word) == math.Float64frombits(b.word)
	case a.word != b.word: // then the texts differ
		return false
	}
	x, y := s.texts[a.place], s.texts[b.place]
	s.ev.work(min(len(x), len(y)))
	return x == y
}

func ordered[T cmp.Ordered](op operator, a, b T) bool {
	switch op {
	case opLess:
		return a < b
	case opLessEqual:
		return a <= b
	case opGreater:
		return a > b
	}
	return a >= b
}

// An ordering is a function for $sort that compares the same member, or path of members, of
// its two arguments. The member is found once for each item, not for each comparison.
type ordering struct {
	f     *lambda
	param string
	key   *node
	op    operator // what is true of two arguments when the first one comes after the second
}

// orderingOf returns false for a function of another form.
func orderingOf(f any) (ordering, bool) {
	l, ok := f.(*lambda)
	if !ok || l.sig != nil || len(l.params) != 2 || l.params[0] == l.params[1] || l.params[0] == "" || l.params[1] == "" {
		return ordering{}, false
	}
	body := l.body
	if body.kind != kindBinary || !body.bare() || !sameNames(body.lhs, body.rhs) {
		return ordering{}, false
	}
	a, b := l.params[0], l.params[1]
	forwards, known := body.op, true
	backwards := forwards
	switch body.op {
	case opLess:
		backwards = opGreater
	case opLessEqual:
		backwards = opGreaterEqual
	case opGreater:
		backwards = opLess
	case opGreaterEqual:
		backwards = opLessEqual
	default:
		known = false
	}
	switch {
	case known && aboutItem(body.lhs, a) && aboutItem(body.rhs, b):
		return ordering{l, a, body.lhs, forwards}, true
	case known && aboutItem(body.lhs, b) && aboutItem(body.rhs, a):
		return ordering{l, b, body.lhs, backwards}, true
	}
	return ordering{}, false
}

// sameNames reports whether two paths of names differ only in where they begin.
func sameNames(a, b *node) bool {
	return a.kind == b.kind && (a.kind != kindPath || slices.EqualFunc(a.steps[1:], b.steps[1:], func(x, y *node) bool { return x.text == y.text }))
}

// sortBy sorts items by an ordering; false means that their keys are not all numbers or all
// texts, so that the function decides what happens.
func (ev *evaluator) sortBy(o ordering, items []any) (any, bool, error) {
	ev.use(5 * slotSize * len(items))
	scope := &frame{parent: o.f.env, names: []string{o.param}, values: make([]any, 1)}
	s, err := ev.sortable(len(items), func(i int) (any, error) {
		scope.values[0] = items[i]
		return ev.value(o.key, o.f.input, scope)
	})
	if err != nil || s == nil {
		return nil, false, err
	}
	v, err := s.items(o.op, items)
	return v, true, err
}
