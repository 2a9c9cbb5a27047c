package jsonata

import "slices"

// A joinKeys holds the parts of a predicate that has an equality among the operands of and:
// the side of the equality that depends on the item, and the side that does not.
type joinKeys struct {
	focus       string // as in joined
	item, other *node
	gates       []*node // the operands before the equality, if they depend only on the item
	rest        []*node // all other operands
	calls       []*node // the functions that the gates and the item's side call
}

// A joined says what a predicate is about: the variable focus is bound to the item, which is
// the context if focus is empty, and the variable index to its place. The first search of a
// list proves that nothing that depends only on the item fails.
type joined struct {
	focus, index string
	proves       bool
}

// joinOf returns the parts of a predicate with an equality that holds for all items that it
// selects, or nil if the predicate has no such equality.
//
// A predicate with and may have several equalities. One whose other side is not a literal,
// such as customer = $c.id in [status = "open" and customer = $c.id], selects fewer items; it
// is used unless an operand before it can fail for reasons beyond the item.
func joinOf(pred *node, about joined) *joinKeys {
	if pred.kind != kindBinary || pred.op != opAnd {
		return about.equality(pred)
	}
	operands := pred.operands(nil)
	var found *joinKeys
	at, gates := 0, 0
	var calls []*node
	safe := true // no operand so far can fail
	for i, n := range operands {
		if keys := about.equality(n); keys != nil {
			// The equality is evaluated for no item if the operands before it are true of none.
			usable := i == 0 || safe && keys.item.cannotFail() && keys.other.cannotFail()
			if usable || about.proves && gates == i {
				keys.gates = operands[:gates:gates]
				keys.calls = append(keys.calls, calls...)
				found, at = keys, i
			}
		}
		if found != nil && !found.other.isLiteral() {
			break
		}
		safe = safe && n.staysTrueOrFalse()
		if used, only := about.onlyOnItem(n); gates == i && only && (safe || about.proves) {
			gates++
			calls = append(calls, used...)
		}
		if !safe && gates <= i {
			break
		}
	}
	if found != nil {
		found.rest = slices.Concat(operands[len(found.gates):at], operands[at+1:])
	}
	return found
}

// operands appends the operands of and in the order of their evaluation.
func (n *node) operands(list []*node) []*node {
	if n.kind == kindBinary && n.op == opAnd && n.bare() {
		return append(n.lhs.operands(list), n.rhs)
	}
	return append(list, n)
}

// equality returns the two sides of an equality.
func (j joined) equality(n *node) *joinKeys {
	if n.kind != kindBinary || n.op != opEqual || !n.bare() {
		return nil
	}
	for _, sides := range [][2]*node{{n.lhs, n.rhs}, {n.rhs, n.lhs}} {
		if aboutItem(sides[0], j.focus) && !j.dependsOnItem(sides[1]) {
			return &joinKeys{focus: j.focus, item: sides[0], other: sides[1]}
		}
	}
	if !j.proves {
		return nil
	}
	for _, sides := range [][2]*node{{n.lhs, n.rhs}, {n.rhs, n.lhs}} {
		if calls, only := j.onlyOnItem(sides[0]); only && !j.dependsOnItem(sides[1]) {
			return &joinKeys{focus: j.focus, item: sides[0], other: sides[1], calls: calls}
		}
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
	return joinOf(l.body, joined{l.params[0], index, true})
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
