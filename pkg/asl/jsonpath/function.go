package jsonpath

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A call is a function at the end of a path, such as `.length()`.
type call struct {
	name string
	args []operand
}

// arities lists Jayway's functions, with the minimum and the maximum number of arguments.
var arities = map[string][2]int{
	"length": {0, 0}, "size": {0, 0}, "keys": {0, 0},
	"first": {0, 0}, "last": {0, 0}, "index": {1, 1},
	"min": {0, maxArgs}, "max": {0, maxArgs}, "avg": {0, maxArgs},
	"sum": {0, maxArgs}, "stddev": {0, maxArgs},
	"concat": {0, maxArgs}, "append": {1, maxArgs},
}

const maxArgs = 64

// function reads (…) after a name.
func (p *parser) function(path *Path, name string, start int) error {
	arity, ok := arities[name]
	if !ok {
		p.pos = start
		return p.fail("unknown function " + strconv.Quote(name))
	}
	if len(path.steps) > 0 && path.steps[len(path.steps)-1].kind == descend {
		return p.fail("a function cannot follow '..'")
	}
	if err := p.enter(); err != nil {
		return err
	}
	p.pos++
	p.filters++
	defer func() { p.filters--; p.depth-- }()
	fn := &call{name: name}
	for p.blanks(); !p.take(")"); p.blanks() {
		if len(fn.args) > 0 {
			if !p.take(",") {
				return p.fail("expected ',' or ')', found " + p.found())
			}
			p.blanks()
		}
		arg, err := p.operand()
		if err != nil {
			return err
		}
		if arg.pattern != nil {
			return p.fail("a regular expression is not an argument")
		}
		fn.args = append(fn.args, arg)
	}
	if n := len(fn.args); n < arity[0] || n > arity[1] {
		p.pos = start
		return p.fail("wrong number of arguments of " + name + "()")
	}
	path.fn = fn
	return nil
}

// apply applies the function to v. The result is not found if Jayway raises an error: for
// an aggregate of no numbers, or an index that does not exist.
func (c *call) apply(ev *evaluator, v any) (any, bool) {
	v = jsonata.Force(v)
	list, isList := v.([]any)
	switch c.name {
	case "length", "size":
		switch v := v.(type) {
		case []any:
			return float64(len(v)), true
		case *jsonata.Object:
			return float64(v.Len()), true
		case string:
			n, _ := size(v)
			return float64(n), true
		}
		return nil, true // as Jayway: null, not an error
	case "keys":
		o, ok := v.(*jsonata.Object)
		if !ok {
			return nil, false
		}
		keys := make([]any, o.Len())
		for i := range keys {
			keys[i], _ = o.At(i)
		}
		return keys, true
	case "first":
		return at(list, 0)
	case "last":
		return at(list, -1)
	case "index":
		i, ok := integerOf(ev.value(&c.args[0], ev.root))
		if !ok || i < math.MinInt32 || i > math.MaxInt32 {
			return nil, false
		}
		return at(list, int(i))
	case "append":
		if !isList {
			return nil, false
		}
		list = slices.Clone(list)
		for i := range c.args {
			if arg := ev.value(&c.args[i], ev.root); arg != (missing{}) {
				list = append(list, arg)
			}
		}
		return list, true
	case "concat":
		return c.concat(ev, list), true
	}
	return c.aggregate(ev, list)
}

func (c *call) concat(ev *evaluator, list []any) string {
	var b strings.Builder
	add := func(v any) {
		switch v := v.(type) {
		case string:
			b.WriteString(v)
		case json.Number:
			b.WriteString(string(v))
		case float64:
			b.Write(jsonata.AppendNumber(nil, v))
		}
	}
	for _, v := range list {
		add(v)
	}
	for i := range c.args {
		add(ev.value(&c.args[i], ev.root))
	}
	return b.String()
}

// aggregate computes with the numbers among the elements and arguments; other values are
// ignored.
func (c *call) aggregate(ev *evaluator, list []any) (any, bool) {
	var numbers []float64
	add := func(v any) {
		if f, ok := floatOf(v); ok {
			numbers = append(numbers, f)
		}
	}
	for _, v := range list {
		add(v)
	}
	for i := range c.args {
		v := ev.value(&c.args[i], ev.root)
		if more, ok := v.([]any); ok {
			for _, e := range more {
				add(e)
			}
		}
		add(v)
	}
	if len(numbers) == 0 {
		return nil, false
	}
	n := float64(len(numbers))
	sum, squares := 0.0, 0.0
	for _, f := range numbers {
		sum += f
		squares += f * f
	}
	var result float64
	switch c.name {
	case "min":
		result = slices.Min(numbers)
	case "max":
		result = slices.Max(numbers)
	case "sum":
		result = sum
	case "avg":
		result = sum / n
	case "stddev":
		// Rounding can make the variance of equal numbers slightly negative.
		result = math.Sqrt(max(0, squares/n-sum*sum/n/n))
	}
	return result, !math.IsInf(result, 0) && !math.IsNaN(result)
}
