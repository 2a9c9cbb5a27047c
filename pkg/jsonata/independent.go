package jsonata

// A joinKeys holds the two sides of a predicate of the form item = other, optionally
// followed by and: the side that depends on the item, and the side that does not.
type joinKeys struct {
	item, other *node
	calls       []*node // the functions that the item's side calls, if it is not just a path
}

// joinOf returns the sides of an equality that holds for all items that a predicate selects,
// or nil if the predicate has no such equality. The variable focus is bound to the item, which
// is the context if focus is empty; the variable index is bound to its place.
//
// A predicate with and may have several equalities. One whose other side is not a literal,
// such as customer = $c.id in [status = "open" and customer = $c.id], selects fewer items; it
// is used unless an operand before it can fail.
func joinOf(pred *node, focus, index string) *joinKeys {
	if pred.kind != kindBinary || !pred.bare() {
		return nil
	}
	if pred.op != opAnd {
		return equalityOf(pred, focus, index)
	}
	left := joinOf(pred.lhs, focus, index)
	if left != nil && !left.other.isLiteral() || !pred.lhs.staysTrueOrFalse() {
		return left
	}
	// It is evaluated for no item if the operands before it are true of none, so neither its key
	// nor the value that is searched for may fail.
	if right := equalityOf(pred.rhs, focus, index); right != nil && right.item.cannotFail() && right.other.cannotFail() {
		return right
	}
	return left
}

func equalityOf(n *node, focus, index string) *joinKeys {
	if n.kind != kindBinary || n.op != opEqual || !n.bare() {
		return nil
	}
	switch {
	case aboutItem(n.lhs, focus) && !dependsOnItem(n.rhs, focus, index):
		return &joinKeys{item: n.lhs, other: n.rhs}
	case aboutItem(n.rhs, focus) && !dependsOnItem(n.lhs, focus, index):
		return &joinKeys{item: n.rhs, other: n.lhs}
	case focus != "":
		return nil // an earlier stage of the step may fail
	}
	if calls, only := onlyOnItem(n.lhs); only && !dependsOnItem(n.rhs, focus, index) {
		return &joinKeys{n.lhs, n.rhs, calls}
	}
	if calls, only := onlyOnItem(n.rhs); only && !dependsOnItem(n.lhs, focus, index) {
		return &joinKeys{n.rhs, n.lhs, calls}
	}
	return nil
}

func (n *node) isLiteral() bool {
	return n.kind == kindString || n.kind == kindNumber || n.kind == kindValue
}

// staysTrueOrFalse reports whether the evaluation of an operand of and cannot fail.
func (n *node) staysTrueOrFalse() bool {
	if n.kind != kindBinary {
		return n.cannotFail()
	}
	switch n.op {
	case opAnd, opOr:
		return n.bare() && n.lhs.staysTrueOrFalse() && n.rhs.staysTrueOrFalse()
	case opEqual, opNotEqual, opIn:
		return n.bare() && n.lhs.cannotFail() && n.rhs.cannotFail()
	}
	return false
}

// lambdaJoin is joinOf for a function that is called for each item of a list.
func lambdaJoin(l *node) *joinKeys {
	const withPlace = 2 // parameters: the item and its place
	if l.sig != nil || len(l.params) == 0 || len(l.params) > withPlace {
		return nil
	}
	index := ""
	if len(l.params) == withPlace {
		if index = l.params[1]; index == l.params[0] {
			return nil // the name is then the place
		}
	}
	return joinOf(l.body, l.params[0], index)
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
