package jsonata

import "slices"

// A seq is an array that was made during evaluation. The language distinguishes how an
// array was made. What a path selects is a sequence, which equals its item if it has only
// one, and nothing if it has none; an array that was written with brackets stays an
// array. Arrays that enter and leave an evaluation are plain []any (see
// [evaluator.export]).
type seq struct {
	items []any
	// sequence: selected, not constructed.
	sequence bool
	// keepSingleton: stays an array even with one item.
	keepSingleton bool
	// cons: a constructed array in a path, which is not flattened into its sequence.
	cons bool
	// outerWrapper: wraps an input that is an array.
	outerWrapper bool
	// tupleStream: the items are *tuple.
	tupleStream bool
	// grown: holds the items, from offset on.
	grown  *growth
	offset int
}

// A tuple is an item on its way through a path that binds variables: the item, and
// the bindings so far, newest first.
type tuple struct {
	item  any
	binds *tupleBinding
}

type tupleBinding struct {
	name  string
	value any
	next  *tupleBinding
}

func (t *tuple) bind(name string, value any) {
	t.binds = &tupleBinding{name, value, t.binds}
}

// merge adds the bindings of inner.
func (t *tuple) merge(inner *tuple) {
	var list []*tupleBinding
	for b := inner.binds; b != nil; b = b.next {
		list = append(list, b)
	}
	for i := len(list) - 1; i >= 0; i-- {
		t.bind(list[i].name, list[i].value)
	}
	t.item = inner.item
}

func newSeq(items ...any) *seq { return &seq{items: items, sequence: true} }

// elements returns the items of an array.
func elements(v any) ([]any, bool) {
	switch v := v.(type) {
	case []any:
		return v, true
	case *seq:
		return v.items, true
	case *Raw:
		return elements(v.Value())
	}
	return nil, false
}

// toItems returns the items of an array, or v as the only one.
func toItems(v any) []any {
	if items, ok := elements(v); ok {
		return items
	}
	return []any{v}
}

// forceItems returns an array as it is, or a copy if an item is a *Raw.
func forceItems(v any) any {
	items, _ := elements(v)
	for i, item := range items {
		if _, ok := item.(*Raw); !ok {
			continue
		}
		out := slices.Clone(items)
		for j := range out[i:] {
			out[i+j] = Force(out[i+j])
		}
		return &seq{items: out, sequence: isSequence(v)}
	}
	return v
}

func isSequence(v any) bool {
	s, ok := v.(*seq)
	return ok && s.sequence
}

// add appends a step's result: arrays are flattened, except constructed ones.
func (s *seq) add(v any) {
	switch v := v.(type) {
	case []any:
		s.items = append(s.items, v...)
		return
	case *seq:
		if !v.cons {
			s.items = append(s.items, v.items...)
			return
		}
	case *Raw:
		s.add(v.Value())
		return
	}
	s.items = append(s.items, v)
}

// unwrap applies the rule that a sequence of one item equals that item.
func unwrap(v any) any {
	s, ok := v.(*seq)
	if !ok || !s.sequence || s.tupleStream {
		return v
	}
	switch len(s.items) {
	case 0:
		return Undefined
	case 1:
		if !s.keepSingleton {
			return s.items[0]
		}
	}
	return v
}
