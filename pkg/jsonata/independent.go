package jsonata

// A joinKeys holds the two sides of a predicate of the form item = other, optionally
// followed by and: the side that depends on the item, and the side that does not.
type joinKeys struct{ item, other *node }

// joinOf returns the sides of an equality, or nil if a predicate does not have that form.
// The item is what focus is bound to, or the context if focus is "".
func joinOf(pred *node, focus string) *joinKeys {
	for pred.kind == kindBinary && pred.op == opAnd && pred.bare() {
		pred = pred.lhs
	}
	if pred.kind != kindBinary || pred.op != opEqual || !pred.bare() {
		return nil
	}
	switch {
	case aboutItem(pred.lhs, focus) && aboutOther(pred.rhs, focus):
		return &joinKeys{pred.lhs, pred.rhs}
	case aboutItem(pred.rhs, focus) && aboutOther(pred.lhs, focus):
		return &joinKeys{pred.rhs, pred.lhs}
	}
	return nil
}

// bare reports whether nothing follows an expression.
func (n *node) bare() bool { return n.plain() && !n.keepSingleton }

// aboutItem reports whether n is a path of names from the item.
func aboutItem(n *node, focus string) bool {
	first := n
	if n.kind == kindPath {
		if !n.simple || !n.bare() {
			return false
		}
		first = n.steps[0]
	}
	if !first.bare() {
		return false
	}
	if focus != "" {
		return first.kind == kindVariable && first.text == focus
	}
	return first.kind == kindVariable && first.text == "" || first.kind == kindName
}

// aboutOther reports whether n is a literal, or a path of names that begins with a variable
// other than the item; with a focus, which leaves the context as it is, also a path from
// the context.
func aboutOther(n *node, focus string) bool {
	if n.kind == kindString || n.kind == kindNumber || n.kind == kindValue {
		return n.bare()
	}
	first := n
	if n.kind == kindPath {
		if !n.simple || !n.bare() {
			return false
		}
		first = n.steps[0]
	}
	switch {
	case !first.bare():
		return false
	case first.kind == kindName:
		return focus != ""
	case first.kind != kindVariable || first.builtin != nil:
		return false
	case first.text == "":
		return focus != ""
	}
	return first.text != focus
}

// independent reports whether n has the same value in every context, and is worth
// evaluating once for all items that it is a predicate of. It knows the usual forms of
// places in an array: [[1, 2, 3]], [[0..$n]], [$i], [$i + 1], [$count($items) - 1].
func independent(n *node) bool {
	if !n.bare() {
		return false
	}
	switch n.kind {
	case kindNumber:
		return true
	case kindVariable:
		return n.text != "" && n.builtin == nil
	case kindPath:
		return n.simple && n.steps[0].kind == kindVariable && independent(n.steps[0])
	case kindNegate:
		return independent(n.lhs)
	case kindBinary:
		switch n.op {
		case opAdd, opSubtract, opMultiply, opDivide, opModulo, opRange:
			return independent(n.lhs) && independent(n.rhs)
		}
	case kindArray:
		return allIndependent(n.exprs)
	case kindFunction:
		f := n.lhs.builtin
		return f != nil && f.places && n.lhs.bare() && len(n.exprs) == f.arity && allIndependent(n.exprs)
	}
	return false
}

func allIndependent(list []*node) bool {
	for _, n := range list {
		if !independent(n) {
			return false
		}
	}
	return true
}
