package jsonata

import "slices"

// A scope is a chain of the names that are bound where an expression stands.
type scope struct {
	parent *scope
	names  []string
}

func (s *scope) has(name string) bool {
	for ; s != nil; s = s.parent {
		if slices.Contains(s.names, name) {
			return true
		}
	}
	return false
}

// freeVariables returns the names, sorted, that root reads but nothing in it binds.
func freeVariables(root *node) []string {
	f := &freeFinder{seen: map[string]bool{}}
	f.visit(root, &scope{})
	names := make([]string, 0, len(f.seen))
	for name := range f.seen {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

type freeFinder struct{ seen map[string]bool }

// visit notes the free variables of n; s is the scope that a := in n adds to.
func (f *freeFinder) visit(n *node, s *scope) {
	if n == nil {
		return
	}
	switch n.kind {
	case kindVariable:
		if n.text != "" && n.text != "$" && n.builtin == nil && !s.has(n.text) {
			f.seen[n.text] = true
		}
	case kindBind:
		// Bound first: a function may call itself.
		s.names = append(s.names, n.lhs.text)
	case kindBlock:
		s = &scope{parent: s}
	case kindLambda:
		s = &scope{parent: s, names: slices.Clone(n.params)}
	case kindPath:
		// A focus or index is visible in all that follows it, the grouping included.
		s = &scope{parent: s, names: tupleNames(n)}
	}
	if n.kind != kindBind && n.kind != kindThunk {
		f.visit(n.lhs, s)
	}
	f.visit(n.rhs, s)
	f.visit(n.body, s)
	for _, list := range [][]*node{n.exprs, n.steps} {
		for _, e := range list {
			f.visit(e, s)
		}
	}
	for _, list := range [][]pair{n.pairs, n.group} {
		for _, p := range list {
			f.visit(p.key, s)
			f.visit(p.value, s)
		}
	}
	for _, t := range n.terms {
		f.visit(t.expr, s)
	}
	for _, list := range [][]stage{n.predicate, n.stages} {
		for _, st := range list {
			f.visit(st.filter, s)
		}
	}
}

func tupleNames(path *node) []string {
	var names []string
	for _, s := range path.steps {
		if s.focus != "" {
			names = append(names, s.focus)
		}
		if s.index != "" {
			names = append(names, s.index)
		}
		for _, st := range s.stages {
			if st.filter == nil {
				names = append(names, st.index)
			}
		}
	}
	return names
}
