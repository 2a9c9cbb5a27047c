package jsonata

import (
	"math"
	"unsafe"
)

// A memo keeps the value of an expression that is evaluated repeatedly: of an invariant, as
// long as its variables have the same values, or of a path of names, as long as it leads
// through the same list. Values do not change, so the same variables make the same value.
// Like an index, a memo is made at the second evaluation.
type memo struct {
	node  *node
	keys  []any // the values of the variables
	list  listID
	known bool
	value any
	bytes int64 // that the value may hold
	turn  int   // counts the keys
}

// maxMemos is the maximum number of expressions with a memo.
const maxMemos = 32

func (ev *evaluator) memoOf(n *node) *memo {
	for _, m := range ev.memos {
		if m.node == n {
			return m
		}
	}
	if len(ev.memos) == maxMemos || ev.conf.indexes == indexNone {
		return nil
	}
	m := &memo{node: n}
	ev.memos = append(ev.memos, m)
	return m
}

// invariantValue returns the value of an invariant.
func (ev *evaluator) invariantValue(n *node, env *frame, eval func() (any, error)) (any, error) {
	m := ev.memoOf(n)
	if m == nil || !ev.sameVariables(m, env) {
		return eval()
	}
	return ev.keep(m, eval)
}

// sameVariables reports whether the variables of an invariant have the values that they
// had before, and otherwise takes note of the new ones.
func (ev *evaluator) sameVariables(m *memo, env *frame) bool {
	vars := m.node.invariant.vars
	same := m.keys != nil
	if !same {
		m.keys = make([]any, len(vars))
	}
	for i, n := range vars {
		v := ev.peek(n, env)
		if n.builtin != nil && v != any(n.builtin) {
			m.keys = nil // a function of the expression's own
			return false
		}
		if !same || !identical(v, m.keys[i]) {
			same = false
			m.keys[i] = v
		}
	}
	if !same {
		ev.drop(m)
	}
	return same
}

// peek returns the value of a variable, which may turn out not to be needed.
func (ev *evaluator) peek(n *node, env *frame) any {
	if v, ok := env.find(n.text); ok {
		return v
	}
	if n.text == "$" {
		return ev.input
	}
	if v, ok := ev.vars.Lookup(n.text); ok {
		return v
	}
	if n.builtin != nil {
		return n.builtin
	}
	return Undefined
}

// identical reports whether two values are the same value in memory. It may return false
// for values that are equal.
func identical(a, b any) bool {
	switch a := a.(type) {
	case []any:
		b, ok := b.([]any)
		return ok && len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
	case string:
		b, ok := b.(string)
		return ok && len(a) == len(b) && unsafe.StringData(a) == unsafe.StringData(b) // #nosec G103 -- compared only
	case float64:
		b, ok := b.(float64)
		return ok && math.Float64bits(a) == math.Float64bits(b)
	}
	return isValue(a) && isValue(b) && a == b || isSameSeq(a, b) || isFunction(a) && a == b
}

func isSameSeq(a, b any) bool {
	s, ok := a.(*seq)
	return ok && any(s) == b
}

// listValue returns the value of a path through a list, and keeps it.
func (ev *evaluator) listValue(n *node, items []any, eval func() (any, error)) (any, error) {
	m := ev.memoOf(n)
	if m == nil {
		return eval()
	}
	if id := idOf(items); m.list != id {
		ev.drop(m)
		m.list = id
		return eval()
	}
	return ev.keep(m, eval)
}

// keep returns the value of a memo, and evaluates it if it is not known yet.
func (ev *evaluator) keep(m *memo, eval func() (any, error)) (any, error) {
	if m.known {
		if s, ok := m.value.(*seq); ok {
			shared := *s // a path may set how it is kept
			return &shared, nil
		}
		return m.value, nil
	}
	made, turn := ev.made, m.turn
	v, err := eval()
	if bytes := ev.made - made; err == nil && m.turn == turn && 4*bytes < ev.maxUsed {
		m.known, m.value, m.bytes = true, v, bytes
		ev.maxUsed -= bytes
		if s, ok := v.(*seq); ok {
			shared := *s
			m.value = &shared
		}
	}
	return v, err
}

// drop forgets a value that belongs to other variables or another list.
func (ev *evaluator) drop(m *memo) {
	ev.maxUsed += m.bytes
	m.known, m.value, m.bytes = false, nil, 0
	m.turn++
}

// dropAll forgets all values.
func (ev *evaluator) dropAll() {
	for _, m := range ev.memos {
		ev.drop(m)
		m.keys, m.list = nil, listID{}
	}
}
