package jsonata

import (
	"encoding/json"
	"math"
	"strings"
	"unicode/utf8"
)

// truth is the function $boolean; an undefined value is not true.
func (ev *evaluator) truth(v any) (bool, error) {
	switch v := Force(v).(type) {
	case bool:
		return v, nil
	case string:
		return v != "", nil
	case *Object:
		return v.Len() > 0, nil
	case []any:
		return ev.anyTrue(v)
	case *seq:
		return ev.anyTrue(v.items)
	case float64, json.Number:
		f, ok, err := number(v)
		return ok && f != 0, err
	}
	return false, nil
}

func (ev *evaluator) anyTrue(items []any) (bool, error) {
	if ev.calls++; ev.calls > ev.conf.maxDepth {
		return false, spent(ErrDepth)
	}
	defer func() { ev.calls-- }()
	for _, item := range items {
		if err := ev.step(); err != nil {
			return false, err
		}
		if ok, err := ev.truth(item); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

func (ev *evaluator) binary(n *node, input any, env *frame) (any, error) {
	left, err := ev.value(n.lhs, input, env)
	if err != nil {
		return nil, err
	}
	if n.op == opAnd || n.op == opOr {
		ok, err := ev.truth(left)
		if err != nil {
			return nil, locate(err, n)
		}
		if ok == (n.op == opOr) {
			return ok, nil
		}
		right, err := ev.value(n.rhs, input, env)
		if err != nil {
			return nil, err
		}
		if ok, err = ev.truth(right); err != nil {
			return nil, locate(err, n)
		}
		return ok, nil
	}
	right, err := ev.value(n.rhs, input, env)
	if err != nil {
		return nil, err
	}
	v, err := ev.operate(n.op, left, right)
	if err != nil {
		return nil, locate(err, n)
	}
	return v, nil
}

func (ev *evaluator) operate(op operator, left, right any) (any, error) {
	switch op {
	case opEqual, opNotEqual:
		if IsUndefined(left) || IsUndefined(right) {
			return false, nil
		}
		equal, err := ev.equal(left, right, 0)
		return equal == (op == opEqual), err
	case opLess, opLessEqual, opGreater, opGreaterEqual:
		return ev.compare(op, left, right)
	case opConcat:
		return ev.concat(left, right)
	case opRange:
		return ev.rangeOf(left, right)
	case opIn:
		return ev.in(left, right)
	}
	return compute(op, left, right)
}

func compute(op operator, left, right any) (any, error) {
	a, ok, err := number(left)
	if err != nil {
		return nil, err
	}
	if !ok && !IsUndefined(left) {
		return nil, errorf("T2001", left)
	}
	b, ok, err := number(right)
	if err != nil {
		return nil, err
	}
	if !ok && !IsUndefined(right) {
		return nil, errorf("T2002", right)
	}
	if IsUndefined(left) || IsUndefined(right) {
		return Undefined, nil
	}
	switch op {
	case opAdd:
		return a + b, nil
	case opSubtract:
		return a - b, nil
	case opMultiply:
		return a * b, nil
	case opDivide:
		return a / b, nil
	}
	return math.Mod(a, b), nil
}

func (ev *evaluator) compare(op operator, left, right any) (any, error) {
	l, r := letter(left), letter(right)
	switch {
	case l != 's' && l != 'n' && !IsUndefined(left):
		return nil, errorf("T2010", left)
	case r != 's' && r != 'n' && !IsUndefined(right):
		return nil, errorf("T2010", right)
	case IsUndefined(left) || IsUndefined(right):
		return Undefined, nil
	case l != r:
		e := &Error{Code: "T2009", Position: -1, Value: left, other: right}
		e.describe()
		return nil, e
	}
	if l == 's' {
		c := ev.compareText(left.(string), right.(string))
		switch op {
		case opLess:
			return c < 0, nil
		case opLessEqual:
			return c <= 0, nil
		case opGreater:
			return c > 0, nil
		}
		return c >= 0, nil
	}
	a, b := toFloat(left), toFloat(right)
	switch op {
	case opLess:
		return a < b, nil
	case opLessEqual:
		return a <= b, nil
	case opGreater:
		return a > b, nil
	}
	return a >= b, nil
}

// compareText is compareStrings, and counts the work.
func (ev *evaluator) compareText(a, b string) int {
	ev.work(min(len(a), len(b)))
	return compareStrings(a, b)
}

// compareStrings orders text by its UTF-16 units, as JavaScript does. That differs from
// the order of the bytes when a pair of surrogates (U+10000 and up) is compared with a
// character from U+E000 to U+FFFF.
func compareStrings(a, b string) int {
	n := min(len(a), len(b))
	i := 0
	for i < n && a[i] == b[i] {
		i++
	}
	if i < n && a[i] >= 0xEE && b[i] >= 0xEE && (a[i] >= 0xF0) != (b[i] >= 0xF0) {
		if a[i] >= 0xF0 {
			return -1
		}
		return 1
	}
	return strings.Compare(a[i:], b[i:])
}

// equal compares values deeply; the order of an object's members does not matter.
func (ev *evaluator) equal(a, b any, depth int) (bool, error) {
	if err := ev.step(); err != nil {
		return false, err
	}
	if depth > maxDepth {
		return false, spent(ErrDepth)
	}
	a, b = Force(a), Force(b)
	if isNumber(a) {
		return isNumber(b) && (sameDigits(a, b) || toFloat(a) == toFloat(b)), nil
	}
	if x, ok := elements(a); ok {
		y, ok := elements(b)
		if !ok || len(x) != len(y) {
			return false, nil
		}
		for i := range x {
			if same, err := ev.equal(x[i], y[i], depth+1); err != nil || !same {
				return false, err
			}
		}
		return true, nil
	}
	x, ok := a.(*Object)
	if !ok {
		if _, ok := elements(b); ok {
			return false, nil
		}
		if s, ok := a.(string); ok {
			if t, ok := b.(string); ok && len(s) == len(t) {
				ev.work(len(s))
			}
		}
		return a == b, nil
	}
	y, ok := b.(*Object)
	if !ok || x.Len() != y.Len() {
		return false, nil
	}
	if x == y {
		return true, nil
	}
	for i := range x.Len() {
		k, v := x.At(i)
		w, ok := y.Get(k)
		if !ok {
			return false, nil
		}
		if same, err := ev.equal(v, w, depth+1); err != nil || !same {
			return false, err
		}
	}
	return true, nil
}

func sameDigits(a, b any) bool {
	x, ok1 := a.(json.Number)
	y, ok2 := b.(json.Number)
	return ok1 && ok2 && x == y
}

// in reports whether left is an item of right; only scalars can be items.
func (ev *evaluator) in(left, right any) (any, error) {
	if IsUndefined(left) || IsUndefined(right) {
		return false, nil
	}
	if _, ok := elements(left); ok {
		return false, nil
	}
	items := toItems(right)
	set, err := ev.setOf(items)
	if err != nil {
		return nil, err
	}
	if set != nil {
		return set.has(left), nil
	}
	for _, item := range items {
		if err := ev.step(); err != nil {
			return nil, err
		}
		item = Force(item)
		if isNumber(left) {
			if isNumber(item) && toFloat(left) == toFloat(item) {
				return true, nil
			}
			continue
		}
		if _, ok := elements(item); !ok && item == left {
			return true, nil
		}
	}
	return false, nil
}

func (ev *evaluator) concat(left, right any) (any, error) {
	a, err := ev.text(left)
	if err != nil {
		return nil, err
	}
	b, err := ev.text(right)
	if err != nil {
		return nil, err
	}
	s, err := ev.join(a, b)
	return s, err
}

// halvesMeet reports whether a ends in the first half of a surrogate pair, and b begins
// with the second.
func halvesMeet(a, b string) bool {
	n := len(a)
	return n >= 3 && len(b) >= 3 && a[n-3] == 0xED && a[n-2] >= 0xA0 && a[n-2] < 0xB0 && b[0] == 0xED && b[1] >= 0xB0
}

// joinText joins two strings; if the halves of a surrogate pair meet, they become one
// character, as in JavaScript.
func joinText(a, b string) string {
	if n := len(a); halvesMeet(a, b) {
		high := rune(a[n-2]&0x3F)<<6 | rune(a[n-1]&0x3F)
		low := rune(b[1]&0x3F)<<6 | rune(b[2]&0x3F)
		r := 0x10000 + (high&0x3FF)<<10 | low&0x3FF
		return string(utf8.AppendRune([]byte(a[:n-3]), r)) + b[3:]
	}
	return a + b
}

// maxRange is the maximum number of items of a range.
const maxRange = 1e7

func (ev *evaluator) rangeOf(left, right any) (any, error) {
	from, err := rangeEnd(left, "T2003")
	if err != nil {
		return nil, err
	}
	to, err := rangeEnd(right, "T2004")
	if err != nil {
		return nil, err
	}
	if IsUndefined(left) || IsUndefined(right) || from > to {
		return Undefined, nil
	}
	size := to - from + 1
	if size > maxRange {
		return nil, errorf("D2014", size)
	}
	if err := ev.reserve(size * (slotSize + 8)); err != nil {
		return nil, err
	}
	out := &seq{sequence: true, items: make([]any, int(size))}
	for i := range out.items {
		out.items[i] = from + float64(i)
	}
	return out, nil
}

func rangeEnd(v any, code string) (float64, error) {
	if IsUndefined(v) {
		return 0, nil
	}
	if !isNumber(v) || !isInteger(toFloat(v)) {
		return 0, errorf(code, v)
	}
	return toFloat(v), nil
}
