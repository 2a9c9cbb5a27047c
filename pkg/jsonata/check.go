package jsonata

import "sync"

// checkNodes is enough nodes for most expressions.
const checkNodes = 64

// spareNodes holds the nodes of trees that were only checked.
var spareNodes = sync.Pool{New: func() any { return new([checkNodes]node) }}

// Check parses an expression as [Compile] does, with the same errors, and only keeps its
// references. With it, a program that reads hundreds of expressions at its start can find
// every mistake in them, and compile each when it is first used.
func Check(expr string, opts ...Option) ([]Reference, error) {
	spare := spareNodes.Get().(*[checkNodes]node)
	made := nodes{free: spare[:]}
	defer func() {
		clear(spare[:checkNodes-made.unused(spare[:])])
		spareNodes.Put(spare)
	}()
	root, _, err := parseInto(expr, newConfig(opts), &made)
	if err != nil {
		return nil, err
	}
	return (&Expr{root: root}).References(), nil
}

// unused returns how many of the initial nodes have not been used; none if they were too
// few.
func (s *nodes) unused(first []node) int {
	if n := len(s.free); n > 0 && &s.free[n-1] == &first[len(first)-1] {
		return n
	}
	return 0
}
