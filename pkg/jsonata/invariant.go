package jsonata

import "strings"

// An expression in a loop (in a step, a predicate or a lambda) that does not depend on
// what the loop goes through has the same value each time, such as $sum($$.orders.price)
// for each order. Compilation marks the largest of these expressions; their values are
// kept in memo.go.

// An invariant holds the variables that such an expression depends on. They include the
// functions that it calls.
type invariant struct{ vars []*node }

// maxInvariantVars is the maximum number of variables of an invariant.
const maxInvariantVars = 4

// needs says what the value of an expression depends on.
type needs struct {
	impure  bool // on more than its parts and the following, or it binds a variable
	context bool
	n       int
	vars    [maxInvariantVars]boundVar
}

// A boundVar is a variable, and how many loops are around the place where it is bound.
type boundVar struct {
	node  *node
	depth int
}

func (n *needs) add(v boundVar) {
	for i := range n.vars[:n.n] {
		if n.vars[i].node.text == v.node.text {
			n.vars[i].depth = max(n.vars[i].depth, v.depth)
			return
		}
	}
	if n.n == len(n.vars) {
		n.impure = true
		return
	}
	n.vars[n.n] = v
	n.n++
}

func (n *needs) addAll(m needs) {
	n.impure = n.impure || m.impure
	n.context = n.context || m.context
	for _, v := range m.vars[:m.n] {
		n.add(v)
	}
}

// outside returns the needs of a loop without the variables that are bound in it.
func (n needs) outside(depth int) needs {
	out := needs{impure: n.impure, context: n.context}
	for _, v := range n.vars[:n.n] {
		if v.depth < depth {
			out.add(v)
		}
	}
	return out
}

// An invariantFinder marks the invariants of a tree.
type invariantFinder struct {
	bound   []boundName
	parts   []visitedPart // of the expressions that are being visited, the innermost last
	silent  bool          // does not mark
	visited int           // nodes
}

// maxSilent is how many nodes a silent finder visits. Each predicate has a finder of its
// own.
const maxSilent = 200

type boundName struct {
	name  string
	depth int
}

func markInvariants(root *node) { (&invariantFinder{}).visit(root, 0, 0) }

// dependsOnItem reports whether n, in a predicate, may have a different value for each item.
func (j joined) dependsOnItem(n *node) bool {
	f := invariantFinder{silent: true, bound: []boundName{{j.focus, 1}, {j.index, 1}}}
	got := f.visit(n, 0, 0)
	return got.impure || got.context && j.focus == "" || got.n != got.outside(1).n
}

// onlyOnItem reports whether n, in a predicate, depends only on the item and on the built-in
// functions that it calls, and returns these calls.
func (j joined) onlyOnItem(n *node) (calls []*node, only bool) {
	f := invariantFinder{silent: true}
	got := f.visit(n, 0, 0)
	item := got.context && j.focus == ""
	for _, v := range got.vars[:got.n] {
		switch {
		case v.node.text == j.focus:
			item = true
		case v.node.text == j.index, v.node.builtin == nil:
			return nil, false
		default:
			calls = append(calls, v.node)
		}
	}
	return calls, item && !got.impure && (j.focus == "" || !got.context)
}

// A visitedPart is a part of an expression that has been visited.
type visitedPart struct {
	node  *node
	depth int
	needs needs
	bare  bool // without its predicates
}

// A visit collects the needs of one expression and of its parts.
type visit struct {
	finder *invariantFinder
	depth  int
	needs  needs
}

// part adds a part that is evaluated in the same context.
func (v *visit) part(n *node) {
	if n != nil {
		v.needs.addAll(v.visited(n, v.depth))
	}
}

func (v *visit) visited(n *node, depth int) needs {
	got := v.finder.visit(n, depth, 0)
	if !v.finder.silent {
		v.finder.parts = append(v.finder.parts, visitedPart{node: n, depth: depth, needs: got})
	}
	return got
}

// loop adds a part that is evaluated once for each item, with the item as its context, and
// returns what it needs.
func (v *visit) loop(n *node) needs {
	if n == nil {
		return needs{}
	}
	bound := len(v.finder.bound)
	got := v.visited(n, v.depth+1)
	v.finder.bound = v.finder.bound[:bound]
	outside := got.outside(v.depth + 1)
	outside.context = false
	v.needs.addAll(outside)
	return got
}

// predicate adds a predicate, and notes whether it always selects the same items of a list.
func (v *visit) predicate(n *node) {
	if got := v.loop(n); !v.finder.silent && got.context && !got.impure && got.n == 0 {
		n.ofItem = true
	}
}

// visit returns the needs of n, around which there are loops. A call gets arguments from
// the operator ~>.
func (f *invariantFinder) visit(n *node, depth, piped int) needs {
	if f.visited++; f.silent && f.visited > maxSilent {
		return needs{impure: true}
	}
	first := len(f.parts)
	v := visit{finder: f, depth: depth}
	v.kind(n, piped)
	if !f.silent && piped == 0 && (n.predicate != nil || n.stages != nil) {
		f.parts = append(f.parts, visitedPart{n, depth, v.needs, true})
	}
	for _, list := range [][]stage{n.predicate, n.stages} {
		for _, s := range list {
			v.predicate(s.filter)
		}
	}
	for _, p := range n.group {
		v.loop(p.key)
		v.loop(p.value)
	}
	if n.tuple || n.focus != "" || n.index != "" || n.ancestor != nil || n.seeking != nil {
		v.needs.impure = true
	}
	parts := f.parts[first:]
	f.parts = f.parts[:first]
	if f.silent || v.needs.worthKeeping(n, depth) && piped == 0 {
		return v.needs // perhaps it is part of a larger one
	}
	for i := range parts {
		p := &parts[i]
		if p.bare && p.node.kind != kindVariable && p.needs.worthKeeping(p.node, p.depth) {
			p.node.invariant, p.node.bareInvariant = p.needs.invariant(), true
		} else if !p.bare && p.needs.worthKeeping(p.node, p.depth) {
			p.node.invariant, p.node.bareInvariant = p.needs.invariant(), false
		}
	}
	return v.needs
}

func (v *visit) kind(n *node, piped int) {
	switch n.kind {
	case kindString, kindNumber, kindValue, kindRegex:
	case kindName, kindWildcard, kindDescendant:
		v.needs.context = true
	case kindVariable:
		v.variable(n)
	case kindPath:
		// Other steps than a variable are evaluated for each item of the context.
		v.needs.context = n.steps[0].kind != kindVariable
		v.part(n.steps[0])
		for _, s := range n.steps[1:] {
			v.loop(s)
		}
	case kindBinary, kindNegate, kindCondition, kindDefault, kindCoalesce, kindArray, kindThunk:
		v.children(n)
	case kindObject:
		v.needs.context = true // it groups the context
		v.children(n)
	case kindBlock:
		bound := len(v.finder.bound)
		v.children(n)
		v.finder.bound = v.finder.bound[:bound]
	case kindSort:
		for _, t := range n.terms {
			v.loop(t.expr)
		}
	case kindFunction:
		v.call(n, piped)
	case kindApply:
		v.part(n.lhs)
		if n.rhs.kind == kindFunction {
			v.needs.addAll(v.finder.visit(n.rhs, v.depth, 1))
			break
		}
		v.part(n.rhs)
		v.needs.impure = true
	case kindLambda:
		v.lambda(n)
	case kindTransform:
		v.loop(n.lhs)
		v.loop(n.body)
		v.loop(n.rhs)
		v.needs.impure = true
	case kindBind:
		v.part(n.rhs)
		v.finder.bound = append(v.finder.bound, boundName{n.lhs.text, v.depth})
		v.needs.impure = true
	default:
		v.children(n)
		v.needs.impure = true
	}
}

// children adds all parts of an expression that are evaluated in its context.
func (v *visit) children(n *node) {
	v.part(n.lhs)
	v.part(n.rhs)
	v.part(n.body)
	for _, e := range n.exprs {
		v.part(e)
	}
	for _, p := range n.pairs {
		v.part(p.key)
		v.part(p.value)
	}
}

func (v *visit) variable(n *node) {
	if n.text == "" {
		v.needs.context = true
		return
	}
	v.needs.add(boundVar{n, v.finder.depthOf(n.text)})
}

// depthOf returns how many loops are around the place where a name is bound.
func (f *invariantFinder) depthOf(name string) int {
	for i := len(f.bound) - 1; i >= 0; i-- {
		if f.bound[i].name == name {
			return f.bound[i].depth
		}
	}
	return 0
}

// call adds a call. Only built-in functions are known to depend on nothing but their
// arguments, and on the context if there are fewer of them than parameters: an argument of
// another type counts as that of the next parameter.
func (v *visit) call(n *node, piped int) {
	f := n.lhs.builtin
	if n.lhs.kind != kindVariable || !n.lhs.plain() || f == nil || !f.pure {
		v.needs.impure = true
		v.part(n.lhs)
	} else {
		v.variable(n.lhs)
		if given := len(n.exprs) + piped; given < f.sig.len() {
			for i, p := range f.sig.params {
				v.needs.context = v.needs.context || p.context && (i >= given || p.typ != 'x')
			}
		}
	}
	for i, a := range n.exprs {
		v.part(a)
		if f != nil && f.pure && !f.sig.mayCall(i+piped) {
			continue
		}
		// The argument may be a function that is called, about which nothing is known.
		switch {
		case a.kind == kindLambda, a.kind == kindString, a.kind == kindRegex:
		case a.kind == kindVariable && a.plain() && a.builtin != nil && a.builtin.pure:
		default:
			v.needs.impure = true
		}
	}
}

// mayCall reports whether a function may call its i-th argument.
func (s *signatureSpec) mayCall(i int) bool {
	if i >= s.len() {
		return false
	}
	p := s.params[i]
	return p.typ == 'f' || p.typ == '(' && strings.Contains(p.types, "f")
}

// lambda adds the body of a function, which is probably called more than once. Its
// context is that of its definition.
func (v *visit) lambda(n *node) {
	bound := len(v.finder.bound)
	for _, name := range n.params {
		v.finder.bound = append(v.finder.bound, boundName{name, v.depth + 1})
	}
	v.needs.addAll(v.visited(n.body, v.depth+1).outside(v.depth + 1))
	v.finder.bound = v.finder.bound[:bound]
	v.needs.impure = v.needs.impure || n.sig != nil
}

// worthKeeping reports whether n is an invariant of a kind that takes some work.
func (n *needs) worthKeeping(of *node, depth int) bool {
	if depth == 0 || n.impure || n.context {
		return false
	}
	for _, v := range n.vars[:n.n] {
		if v.depth >= depth {
			return false
		}
	}
	switch of.kind {
	case kindPath:
		return !of.simple // others are kept by their list
	case kindVariable:
		return of.predicate != nil || of.group != nil
	case kindArray, kindFunction, kindApply:
		return true
	}
	return false
}

func (n *needs) invariant() *invariant {
	vars := make([]*node, n.n)
	for i := range vars {
		vars[i] = n.vars[i].node
	}
	return &invariant{vars}
}
