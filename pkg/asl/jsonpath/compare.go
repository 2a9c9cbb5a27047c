package jsonpath

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// equal compares two values. With coerce, a number equals its text, as in Jayway's
// ==. A missing value equals nothing.
func (ev *evaluator) equal(a, b any, coerce bool) bool {
	if !ev.spend() {
		return false
	}
	a, b = jsonata.Force(a), jsonata.Force(b)
	switch x := a.(type) {
	case nil:
		return b == nil
	case bool:
		return x == b
	case string:
		if y, ok := b.(string); ok {
			return x == y
		}
		return coerce && isNumber(b) && numberIsText(b, x)
	case json.Number, float64:
		if order, ok := compareNumbers(a, b); ok {
			return order == 0
		}
		y, ok := b.(string)
		return ok && coerce && numberIsText(a, y)
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !ev.equal(x[i], y[i], false) {
				return false
			}
		}
		return true
	case *jsonata.Object:
		y, ok := b.(*jsonata.Object)
		if !ok || x.Len() != y.Len() {
			return false
		}
		for i := range x.Len() {
			k, v := x.At(i)
			if w, ok := y.Get(k); !ok || !ev.equal(v, w, false) {
				return false
			}
		}
		return true
	}
	return false
}

func isNumber(v any) bool {
	switch v.(type) {
	case json.Number, float64:
		return true
	}
	return false
}

func numberIsText(number any, text string) bool {
	text = strings.TrimSpace(text)
	if jsonata.Valid([]byte(text)) != nil {
		return false
	}
	order, ok := compareNumbers(number, json.Number(text))
	return ok && order == 0
}

// compareNumbers compares exactly if both are integers of 64 bits, and as floating point
// otherwise: 1 equals 1.0, and 2^53+1 does not equal 2^53.
func compareNumbers(a, b any) (order int, ok bool) {
	if !isNumber(a) || !isNumber(b) {
		return 0, false
	}
	x, isInt := integerOf(a)
	y, isIntToo := integerOf(b)
	if isInt && isIntToo {
		return cmp.Compare(x, y), true
	}
	f, ok := floatOf(a)
	g, okToo := floatOf(b)
	return cmp.Compare(f, g), ok && okToo
}

func integerOf(v any) (int64, bool) {
	switch v := v.(type) {
	case json.Number:
		n, err := strconv.ParseInt(string(v), 10, 64)
		return n, err == nil
	case float64:
		// Up to 2^53 every integer has a float64 of its own.
		if n := int64(v); float64(n) == v && n >= -1<<53 && n <= 1<<53 {
			return n, true
		}
	}
	return 0, false
}

func floatOf(v any) (float64, bool) {
	switch v := v.(type) {
	case json.Number:
		f, err := strconv.ParseFloat(string(v), 64)
		return f, err == nil
	case float64:
		return v, true
	}
	return 0, false
}
