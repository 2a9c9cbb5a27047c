package jsonata

import (
	"cmp"
	"slices"
)

// A Reference is a place in an expression that reads something from outside the
// expression: a variable, the input, or a built-in function.
type Reference struct {
	Kind ReferenceKind
	Name string // "request" for $request, "sum" for $sum, "id" for a bare id; "" for $ and $$
	// Members are the names that follow in a plain path, as in $request.body.id. A step
	// that is not a name ends them, and so does one whose parent % refers to, or the step
	// after a filter: in $request.body[0].id, only body is a member.
	Members  []Member
	Position int // the offset in bytes where the reference begins
	// Top is set for $ and for bare names that no step, filter or order-by gives a
	// context: they refer to the input of the whole expression.
	Top bool
}

// A Member is a name in a path.
type Member struct {
	Name     string
	Position int // its offset in bytes
}

// A ReferenceKind says what a [Reference] refers to.
type ReferenceKind uint8

// The kinds of references.
const (
	VariableReference ReferenceKind = iota // $name, which the expression does not define itself
	FunctionReference                      // $name, a built-in function
	ContextReference                       // $
	RootReference                          // $$
	NameReference                          // a bare name
)

// References lists what the expression reads from outside itself, in the order of its
// text. Bare names are listed if they begin a path; a wildcard is not a reference.
func (e *Expr) References() []Reference { return (&referenceFinder{}).of(e.root) }

// Variables returns the names, in order, of the variables that the expression reads and
// does not itself define, without their dollar sign. It does not include built-in
// functions, but includes names of functions that do not exist.
func (e *Expr) Variables() []string {
	names := []string{}
	for _, r := range e.References() {
		if r.Kind == VariableReference {
			names = append(names, r.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Path returns the names of an expression that is only a path of a variable and members:
// request, body and id for $request.body.id. It returns nil for any other.
func (e *Expr) Path() []string { return slices.Clone(e.direct) }

// A scope is a chain of the names that are bound at a place in the expression.
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

// A referenceFinder finds references in one tree after the other. The references are valid
// until it is reset.
type referenceFinder struct {
	found   []Reference
	members []Member // of those found
	scopes  []scope
}

func (f *referenceFinder) reset() {
	clear(f.scopes)
	f.found, f.members, f.scopes = f.found[:0], f.members[:0], f.scopes[:0]
}

// inner returns a scope in another one. Scopes are made a few at a time.
func (f *referenceFinder) inner(parent *scope, names []string) *scope {
	if len(f.scopes) == cap(f.scopes) {
		f.scopes = make([]scope, 0, 8)
	}
	f.scopes = append(f.scopes, scope{parent, names})
	return &f.scopes[len(f.scopes)-1]
}

// of appends the references of a tree to those found before.
func (f *referenceFinder) of(root *node) []Reference {
	f.visit(root, f.inner(nil, nil), true)
	byPosition := func(a, b Reference) int { return cmp.Compare(a.Position, b.Position) }
	if !slices.IsSortedFunc(f.found, byPosition) {
		slices.SortStableFunc(f.found, byPosition)
	}
	return f.found
}

// visit records the references of n. A := in n adds its name to the scope s. top is true
// if no part of the expression around n gives it a context.
func (f *referenceFinder) visit(n *node, s *scope, top bool) {
	if n == nil {
		return
	}
	switch n.kind {
	case kindVariable:
		f.variable(n, nil, s, top)
	case kindBind:
		// The name is bound first, because a function may call itself.
		s.names = append(s.names, n.lhs.text)
	case kindBlock:
		s = f.inner(s, nil)
	case kindLambda:
		s = f.inner(s, slices.Clip(n.params)) // a := appends to a copy
	case kindPath:
		// A focus or index is visible in everything that follows it, including the
		// grouping.
		s = f.inner(s, tupleNames(n))
		f.path(n, s, top)
	}
	inner := top && n.kind != kindTransform
	if n.kind != kindBind {
		f.visit(n.lhs, s, inner)
	}
	f.visit(n.rhs, s, inner)
	f.visit(n.body, s, inner)
	for _, e := range n.exprs {
		f.visit(e, s, inner)
	}
	for _, p := range n.pairs {
		f.visit(p.key, s, inner)
		f.visit(p.value, s, inner)
	}
	f.visitContext(n, s)
}

// visitContext visits the parts of n for which the values of n are the context.
func (f *referenceFinder) visitContext(n *node, s *scope) {
	for _, p := range n.group {
		f.visit(p.key, s, false)
		f.visit(p.value, s, false)
	}
	for _, t := range n.terms {
		f.visit(t.expr, s, false)
	}
	for _, st := range n.predicate {
		f.visit(st.filter, s, false)
	}
	for _, st := range n.stages {
		f.visit(st.filter, s, false)
	}
}

// path visits the steps of a path.
func (f *referenceFinder) path(n *node, s *scope, top bool) {
	switch first := n.steps[0]; first.kind {
	case kindVariable:
		var rest []*node
		if first.plain() {
			rest = n.steps[1:]
		}
		f.variable(first, rest, s, top)
		f.visitContext(first, s)
	case kindName:
		var rest []*node
		if first.plain() {
			rest = n.steps[1:]
		}
		f.found = append(f.found, Reference{Kind: NameReference, Name: first.text, Members: f.membersOf(rest), Position: first.pos, Top: top})
		f.visitContext(first, s)
	default:
		f.visit(first, s, top)
	}
	for _, step := range n.steps[1:] {
		f.visit(step, s, false)
	}
}

func (f *referenceFinder) variable(n *node, rest []*node, s *scope, top bool) {
	r := Reference{Kind: VariableReference, Name: n.text, Members: f.membersOf(rest), Position: n.pos}
	switch {
	case n.text == "":
		r.Kind, r.Top = ContextReference, top
	case n.text == "$":
		r.Kind, r.Name = RootReference, ""
	case s.has(n.text):
		return
	case n.builtin != nil:
		r.Kind = FunctionReference
	}
	f.found = append(f.found, r)
}

// membersOf returns the first names of steps.
func (f *referenceFinder) membersOf(steps []*node) []Member {
	first := len(f.members)
	for _, step := range steps {
		if step.kind != kindName || step.ancestor != nil {
			break
		}
		f.members = append(f.members, Member{step.text, step.pos})
		if !step.plain() {
			break
		}
	}
	if first == len(f.members) {
		return nil
	}
	return f.members[first:len(f.members):len(f.members)]
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
