package jsonata

import (
	"cmp"
	"math"
)

// sortStep orders the items of a path.
func (ev *evaluator) sortStep(n *node, in *seq, env *frame) (any, error) {
	items, err := ev.sortItems(n, in, env)
	if err != nil {
		return nil, err
	}
	var out any = &seq{items: items, sequence: len(items) <= 1}
	for i := range n.stages {
		if out, err = ev.filter(n.stages[i].filter, out, env); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// sortItems returns the items (or tuples) in the order of the terms.
func (ev *evaluator) sortItems(n *node, in *seq, env *frame) ([]any, error) {
	if len(in.items) <= 1 {
		return in.items, nil
	}
	rows := make([]sortRow, len(in.items))
	keys := make([]sortKey, len(rows)*len(n.terms))
	ev.use(slotSize * (4 + 3*len(n.terms)) * len(rows))
	for i, item := range in.items {
		rows[i] = sortRow{item, keys[:len(n.terms):len(n.terms)]}
		keys = keys[len(n.terms):]
	}
	if ev.conf.worth(len(rows), indexItemsFrom) {
		before := ev.position()
		s, err := ev.sortable(len(rows), func(i int) (any, error) {
			k, err := ev.sortKey(n, rows[i], 0, env)
			if err != nil {
				return nil, err
			}
			return k.value, nil
		})
		if err == nil && s != nil && !s.nan {
			return ev.sortByWords(n, s, rows, env)
		}
		if err != nil { // the reference may evaluate another key first
			ev.resume(before)
		}
	}
	err := mergeSort(rows, make([]sortRow, len(rows)), func(a, b sortRow) (bool, error) {
		c, err := ev.compareRows(n, 0, a, b, env)
		if err == nil {
			err = ev.step()
		}
		return c > 0, err
	})
	if err != nil {
		return nil, locate(err, n)
	}
	out := make([]any, len(rows))
	for i := range rows {
		out[i] = rows[i].item
	}
	return out, nil
}

// sortByWords sorts by the first term, and by the others where that is equal.
func (ev *evaluator) sortByWords(n *node, s *wordSort, rows []sortRow, env *frame) ([]any, error) {
	after := opGreater
	if n.terms[0].descending {
		after = opLess
	}
	err := mergeSort(s.rows, make([]sortWord, len(s.rows)), func(a, b sortWord) (bool, error) {
		if err := ev.step(); err != nil {
			return false, err
		}
		if !s.equal(a, b) {
			return s.after(after, a, b), nil
		}
		if len(n.terms) == 1 {
			return false, nil
		}
		c, err := ev.compareRows(n, 1, rows[a.place], rows[b.place], env)
		return c > 0, err
	})
	if err != nil {
		return nil, locate(err, n)
	}
	out := make([]any, len(rows))
	for i, r := range s.rows {
		out[i] = rows[r.place].item
	}
	return out, nil
}

// A sortRow is an item with the values of the terms for it. Each term is evaluated once,
// when it is first needed, which decides which of several errors is reported.
type sortRow struct {
	item any
	keys []sortKey
}

// A sortKey is the value of a term, and the part of it that comparisons read.
type sortKey struct {
	value  any
	letter byte   // of its type; 0 if the term has not been evaluated yet
	word   uint64 // a number, or the first bytes of a text
	text   string
}

// set reads the part of a value that comparisons read.
func (k *sortKey) set(v any) {
	k.value, k.letter = v, letter(v)
	switch k.letter {
	case 's':
		k.text = v.(string)
		k.word = firstWord(k.text)
	case 'n':
		k.word = math.Float64bits(toFloat(v))
	}
}

// compareSameType compares two numbers or two strings.
func (ev *evaluator) compareSameType(x, y *sortKey) int {
	if x.letter == 's' {
		if x.word != y.word && (x.word|y.word)&notASCII == 0 {
			return cmp.Compare(x.word, y.word) // without looking at the texts, which are elsewhere
		}
		return ev.compareText(x.text, y.text)
	}
	switch f, g := math.Float64frombits(x.word), math.Float64frombits(y.word); {
	case f < g:
		return -1
	case f != g:
		return 1 // also for NaN
	}
	return 0
}

// notASCII are the bits that bytes beyond ASCII have.
const notASCII = 0x8080808080808080

func (ev *evaluator) sortKey(n *node, r sortRow, k int, env *frame) (*sortKey, error) {
	key := &r.keys[k]
	if key.letter != 0 {
		return key, nil
	}
	context, scope := r.item, env
	if t, ok := r.item.(*tuple); ok {
		context, scope = t.item, &frame{parent: env, tuple: t.binds}
	}
	v, err := ev.value(n.terms[k].expr, context, scope)
	if err != nil {
		return nil, err
	}
	key.set(v)
	return key, nil
}

// compareRows compares by the terms from one on.
func (ev *evaluator) compareRows(n *node, from int, a, b sortRow, env *frame) (int, error) {
	for k := from; k < len(n.terms); k++ {
		x, err := ev.sortKey(n, a, k, env)
		if err != nil {
			return 0, err
		}
		y, err := ev.sortKey(n, b, k, env)
		if err != nil {
			return 0, err
		}
		switch {
		case IsUndefined(x.value) && IsUndefined(y.value):
			continue
		case IsUndefined(x.value):
			return 1, nil
		case IsUndefined(y.value):
			return -1, nil
		}
		c, err := ev.compareKeys(x, y)
		if err != nil {
			return 0, err
		}
		if n.terms[k].descending {
			c = -c
		}
		if c != 0 {
			return c, nil
		}
	}
	return 0, nil
}

// compareKeys compares two numbers or two strings.
func (ev *evaluator) compareKeys(x, y *sortKey) (int, error) {
	switch {
	case x.letter != 's' && x.letter != 'n':
		return 0, errorf("T2008", x.value)
	case y.letter != 's' && y.letter != 'n':
		return 0, errorf("T2008", y.value)
	case x.letter != y.letter:
		e := &Error{Code: "T2007", Position: -1, Value: x.value, other: y.value}
		e.describe()
		return 0, e
	}
	return ev.compareSameType(x, y), nil
}
