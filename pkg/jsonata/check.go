package jsonata

import "sync"

// checkNodes is how many nodes most expressions need at most.
const checkNodes = 64

// spareNodes holds the nodes of trees that were only looked at.
var spareNodes = sync.Pool{New: func() any { return new([checkNodes]node) }}

// Check parses an expression as [Compile] does, with the same errors, and keeps nothing of
// it but its references. A program that reads hundreds of expressions at its start finds
// every mistake in them so, and compiles each when it is first used.
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

// unused is how many of the nodes that there were at first have not been made; none once
// there were too few of them.
func (s *nodes) unused(first []node) int {
	if n := len(s.free); n > 0 && &s.free[n-1] == &first[len(first)-1] {
		return n
	}
	return 0
}
