package jsonata

import "github.com/expressway-dev/expressway/pkg/jsonata/internal/regexp"

type kind uint8

const (
	kindEnd kind = iota
	kindName
	kindString
	kindNumber
	kindValue // true, false, null
	kindVariable
	kindRegex
	kindOperator // an operator in place of an operand: and, or and in are then names
	kindWildcard
	kindDescendant
	kindParent
	kindBinary
	kindNegate
	kindArray
	kindObject
	kindFunction
	kindPartial
	kindLambda
	kindThunk // a call in tail position
	kindCondition
	kindDefault  // a ?: b
	kindCoalesce // a ?? b
	kindTransform
	kindBlock
	kindPath
	kindBind
	kindApply
	kindSort
)

var kindNames = [...]string{
	"(end)", "name", "string", "number", "value", "variable", "regex", "operator", "wildcard", "descendant",
	"parent", "binary", "unary", "unary", "unary", "function", "partial", "lambda", "lambda", "condition",
	"condition", "condition", "transform", "block", "path", "bind", "apply", "sort",
}

// A node is a part of an expression. Its fields are used by kind:
//
//	name, variable, string   text
//	string, number, value    lit
//	binary, bind, apply, default, coalesce   text (the operator), lhs, rhs
//	negate                   lhs
//	array, block             exprs
//	object                   pairs
//	function, partial        lhs (what is called), exprs (the arguments)
//	lambda                   params, names, sig, body
//	thunk                    body
//	condition                lhs, body (then), rhs (else, may be nil)
//	transform                lhs (pattern), body (update), rhs (delete, may be nil)
//	path                     steps
//	sort                     terms
type node struct {
	kind kind
	op   operator

	keepArray     bool // followed by []
	keepSingleton bool // a path that has such a step
	consArray     bool // an array constructor that a path must not flatten
	tuple         bool // a step that makes a stream of tuples
	simple        bool // a path that consists only of a variable or name and further names
	independent   bool // a predicate whose value is the same for all items
	ofItem        bool // a predicate whose value depends on nothing but the item
	bareInvariant bool // the expression without its predicates is invariant

	pos  int // offset of the token, in bytes
	end  int // offset after it
	text string
	lit  any
	re   *regexp.Pattern

	lhs, rhs, body *node
	exprs          []*node
	pairs          []pair
	steps          []*node
	params, names  []string // of a lambda; names is their form in a frame
	sig            *signatureSpec
	terms          []sortTerm
	builtin        *builtin // the value of a variable that is not bound

	predicate []stage // filters of an expression that is not a step
	stages    []stage // filters and index bindings of a step
	group     []pair  // {…} after the expression
	groupPos  int

	// join has the sides of an equality, if a predicate has that form.
	join *joinKeys

	// invariant: the same in each iteration of the loop around it.
	invariant *invariant

	focus    string // the variable of @$v
	index    string // the variable of #$i
	ancestor *slot  // the slot by which a later % finds this step's input
	slot     *slot  // of a %
	seeking  []*slot
}

// A nodes allocates nodes a few at a time, which is faster than one by one.
type nodes struct {
	free  []node
	lists []*node // room for short lists of nodes; may be nil
	// inspected means that the tree is only inspected: its texts have no value.
	inspected bool
}

func (s *nodes) new(kind kind, pos, end int, text string) *node {
	if len(s.free) == 0 {
		s.free = make([]node, 8)
	}
	n := &s.free[0]
	s.free = s.free[1:]
	n.kind, n.pos, n.end, n.text = kind, pos, end, text
	return n
}

// listRoom is the capacity of a short list.
const listRoom = 4

// list returns a list of one node.
func (s *nodes) list(n *node) []*node {
	if len(s.lists) < listRoom {
		return []*node{n}
	}
	list := s.lists[:1:listRoom]
	s.lists = s.lists[listRoom:]
	list[0] = n
	return list
}

// push appends a node to a list.
func (s *nodes) push(list []*node, n *node) []*node {
	if list == nil {
		return s.list(n)
	}
	return append(list, n)
}

// A stage is applied to a step's result: a filter, or an index binding.
type stage struct {
	filter *node
	index  string // #$i, when filter is nil
}

type pair struct{ key, value *node }

type sortTerm struct {
	expr       *node
	descending bool
}

// A slot connects a % to the step whose input it refers to: level counts the steps to go
// back, and label is the variable that the step binds.
type slot struct {
	label string
	level int
}

// plain reports that nothing follows the expression that changes its value.
func (n *node) plain() bool {
	return n.predicate == nil && n.stages == nil && n.group == nil && !n.keepArray && !n.tuple &&
		n.focus == "" && n.index == "" && n.ancestor == nil
}

type operator uint8

const (
	opNone operator = iota
	opAdd
	opSubtract
	opMultiply
	opDivide
	opModulo
	opEqual
	opNotEqual
	opLess
	opLessEqual
	opGreater
	opGreaterEqual
	opConcat
	opAnd
	opOr
	opIn
	opRange
)

// operatorCode returns the code of a binary operator; zero for other text.
func operatorCode(text string) operator {
	switch text {
	case "+":
		return opAdd
	case "-":
		return opSubtract
	case "*":
		return opMultiply
	case "/":
		return opDivide
	case "%":
		return opModulo
	case "=":
		return opEqual
	case "!=":
		return opNotEqual
	case "<":
		return opLess
	case "<=":
		return opLessEqual
	case ">":
		return opGreater
	case ">=":
		return opGreaterEqual
	case "&":
		return opConcat
	case "and":
		return opAnd
	case "or":
		return opOr
	case "in":
		return opIn
	case "..":
		return opRange
	}
	return 0
}
