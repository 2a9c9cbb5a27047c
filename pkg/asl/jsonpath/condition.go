package jsonpath

import (
	"encoding/json"
	"strings"
	"unicode/utf16"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A condition is the content of [?(…)].
type condition interface {
	test(ev *evaluator, item any) bool
	print(b *strings.Builder)
}

type (
	orCondition     []condition
	andCondition    []condition
	notCondition    struct{ of condition }
	existsCondition struct{ path *Path }
	relation        struct {
		left  operand
		op    operator
		right operand
	}
)

func (c orCondition) test(ev *evaluator, item any) bool {
	for _, e := range c {
		if ev.budget <= 0 {
			break
		}
		if e.test(ev, item) {
			return true
		}
	}
	return false
}

func (c andCondition) test(ev *evaluator, item any) bool {
	for _, e := range c {
		if ev.budget <= 0 || !e.test(ev, item) {
			return false
		}
	}
	return true
}

func (c notCondition) test(ev *evaluator, item any) bool { return !c.of.test(ev, item) }

func (c existsCondition) test(ev *evaluator, item any) bool {
	v, ok := ev.operandPath(c.path, item)
	if !ok {
		return false
	}
	if list, isList := v.([]any); isList && !c.path.Definite() {
		return len(list) > 0
	}
	return true
}

// missing is the value of a path without a match; it is equal to nothing, not even null.
type missing struct{}

func (ev *evaluator) operandPath(p *Path, item any) (any, bool) {
	if !ev.spend() {
		return nil, false
	}
	if !p.relative {
		return ev.absolute(p)
	}
	return ev.path(p, item)
}

func (ev *evaluator) value(o *operand, item any) any {
	if o.path == nil {
		return o.literal
	}
	v, ok := ev.operandPath(o.path, item)
	if !ok {
		return missing{}
	}
	return jsonata.Force(v)
}

type operator uint8

const (
	opEqual operator = iota
	opNotEqual
	opSame
	opNotSame
	opLess
	opLessEqual
	opGreater
	opGreaterEqual
	opMatch
	opIn
	opNotIn
	opContains
	opSize
	opEmpty
	opSubsetOf
	opAnyOf
	opNoneOf
	opAll
	opType
)

type symbol struct {
	text string
	op   operator
}

// symbols are tried in this order: an operator comes before its prefixes.
var symbols = []symbol{
	{"===", opSame},
	{"!==", opNotSame},
	{"==", opEqual},
	{"!=", opNotEqual},
	{"<=", opLessEqual},
	{">=", opGreaterEqual},
	{"=~", opMatch},
	{"<", opLess},
	{">", opGreater},
}

var words = map[string]operator{
	"in":       opIn,
	"nin":      opNotIn,
	"contains": opContains,
	"size":     opSize,
	"empty":    opEmpty,
	"subsetof": opSubsetOf,
	"anyof":    opAnyOf,
	"noneof":   opNoneOf,
	"all":      opAll,
	"type":     opType,
}

func (c relation) test(ev *evaluator, item any) bool {
	left := ev.value(&c.left, item)
	if c.op == opMatch {
		text, ok := left.(string)
		return ok && c.right.pattern.match(ev, text)
	}
	right := ev.value(&c.right, item)
	switch c.op {
	case opEqual:
		return ev.equal(left, right, true)
	case opNotEqual:
		return !ev.equal(left, right, true)
	case opSame:
		return ev.equal(left, right, false)
	case opNotSame:
		return !ev.equal(left, right, false)
	case opLess, opLessEqual, opGreater, opGreaterEqual:
		return ordered(left, c.op, right)
	case opIn, opNotIn:
		list, ok := right.([]any)
		return ok && ev.has(list, left) == (c.op == opIn)
	case opContains:
		if text, ok := left.(string); ok {
			part, ok := right.(string)
			return ok && strings.Contains(text, part)
		}
		list, ok := left.([]any)
		return ok && ev.has(list, right)
	case opSize:
		n, ok := size(left)
		order, comparable := compareNumbers(float64(n), right)
		return ok && comparable && order == 0
	case opEmpty:
		n, ok := size(left)
		want, isBool := right.(bool)
		return ok && isBool && (n == 0) == want
	case opType:
		return typeName(left) == right
	}
	return ev.sets(left, c.op, right)
}

// sets compares two arrays as sets.
func (ev *evaluator) sets(left any, op operator, right any) bool {
	a, ok := left.([]any)
	b, isList := right.([]any)
	if !ok || !isList {
		return false
	}
	if op == opAll { // left contains all of right
		a, b = b, a
	}
	common := 0
	for _, v := range a {
		if ev.has(b, v) {
			common++
		}
	}
	switch op {
	case opAnyOf:
		return common > 0
	case opNoneOf:
		return common == 0
	}
	return common == len(a)
}

// size returns the length of an array, or of a text in UTF-16 units, as in Java.
func size(v any) (int, bool) {
	switch v := v.(type) {
	case []any:
		return len(v), true
	case string:
		n := 0
		for _, r := range v {
			n += utf16.RuneLen(r)
		}
		return n, true
	}
	return 0, false
}

func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case json.Number, float64:
		return "number"
	case string:
		return "string"
	case []any:
		return "array"
	case *jsonata.Object:
		return "object"
	}
	return "" // missing
}

// ordered compares two numbers or two texts; anything else has no order.
func ordered(left any, op operator, right any) bool {
	order, ok := compareNumbers(left, right)
	if !ok {
		a, isText := left.(string)
		b, isTextToo := right.(string)
		if !isText || !isTextToo {
			return false
		}
		order = strings.Compare(a, b)
	}
	switch op {
	case opLess:
		return order < 0
	case opLessEqual:
		return order <= 0
	case opGreater:
		return order > 0
	}
	return order >= 0
}
