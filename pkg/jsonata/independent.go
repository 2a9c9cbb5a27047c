package jsonata

// A joinKeys holds the two sides of a predicate of the form item = other, optionally
// followed by and: the side that depends on the item, and the side that does not.
type joinKeys struct{ item, other *node }

// joinOf returns the sides of an equality, or nil if a predicate of a step does not have
// that form. The item is what the focus of the step is bound to, or the context if it has
// none.
func joinOf(pred, step *node) *joinKeys {
	for pred.kind == kindBinary && pred.op == opAnd && pred.bare() {
		pred = pred.lhs
	}
	if pred.kind != kindBinary || pred.op != opEqual || !pred.bare() {
		return nil
	}
	switch {
	case aboutItem(pred.lhs, step.focus) && !dependsOnItem(pred.rhs, step):
		return &joinKeys{pred.lhs, pred.rhs}
	case aboutItem(pred.rhs, step.focus) && !dependsOnItem(pred.lhs, step):
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
