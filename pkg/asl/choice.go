package asl

import (
	"cmp"
	"context"
	"encoding/json"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A rule is a [Choice Rule], compiled.
//
// [Choice Rule]: https://states-language.net/spec.html#choice-state
type rule struct {
	next         string
	and, or, not []*rule
	variable     *source
	test         func(v any, operand any) bool
	operand      any
	operandPath  *source
	presence     bool // IsPresent
	want         bool
	condition    *template // for JSONata, instead of all these
	assign       *template
	output       *template
}

// operators are those of a data test expression; each also has a Path form.
var operators = map[string]func(v, operand any) bool{
	"StringEquals":               func(v, o any) bool { return strings2(v, o, func(c int) bool { return c == 0 }) },
	"StringLessThan":             func(v, o any) bool { return strings2(v, o, func(c int) bool { return c < 0 }) },
	"StringGreaterThan":          func(v, o any) bool { return strings2(v, o, func(c int) bool { return c > 0 }) },
	"StringLessThanEquals":       func(v, o any) bool { return strings2(v, o, func(c int) bool { return c <= 0 }) },
	"StringGreaterThanEquals":    func(v, o any) bool { return strings2(v, o, func(c int) bool { return c >= 0 }) },
	"NumericEquals":              func(v, o any) bool { return numbers(v, o, func(c int) bool { return c == 0 }) },
	"NumericLessThan":            func(v, o any) bool { return numbers(v, o, func(c int) bool { return c < 0 }) },
	"NumericGreaterThan":         func(v, o any) bool { return numbers(v, o, func(c int) bool { return c > 0 }) },
	"NumericLessThanEquals":      func(v, o any) bool { return numbers(v, o, func(c int) bool { return c <= 0 }) },
	"NumericGreaterThanEquals":   func(v, o any) bool { return numbers(v, o, func(c int) bool { return c >= 0 }) },
	"TimestampEquals":            func(v, o any) bool { return times(v, o, func(c int) bool { return c == 0 }) },
	"TimestampLessThan":          func(v, o any) bool { return times(v, o, func(c int) bool { return c < 0 }) },
	"TimestampGreaterThan":       func(v, o any) bool { return times(v, o, func(c int) bool { return c > 0 }) },
	"TimestampLessThanEquals":    func(v, o any) bool { return times(v, o, func(c int) bool { return c <= 0 }) },
	"TimestampGreaterThanEquals": func(v, o any) bool { return times(v, o, func(c int) bool { return c >= 0 }) },
	"BooleanEquals": func(v, o any) bool {
		a, ok1 := v.(bool)
		b, ok2 := o.(bool)
		return ok1 && ok2 && a == b
	},
	"StringMatches": func(v, o any) bool {
		a, ok1 := v.(string)
		b, ok2 := o.(string)
		return ok1 && ok2 && matches(b, a)
	},
}

// kinds are the type tests, whose operand is true or false.
var kinds = map[string]func(v any) bool{
	"IsNull":      func(v any) bool { return v == nil },
	"IsString":    func(v any) bool { _, ok := v.(string); return ok },
	"IsBoolean":   func(v any) bool { _, ok := v.(bool); return ok },
	"IsNumeric":   isNumber,
	"IsTimestamp": func(v any) bool { _, ok := timestamp(v); return ok },
}

func isNumber(v any) bool {
	switch v.(type) {
	case json.Number, float64:
		return true
	}
	return false
}

func strings2(v, o any, ok func(int) bool) bool {
	a, isText1 := v.(string)
	b, isText2 := o.(string)
	return isText1 && isText2 && ok(compareText(a, b))
}

// compareText orders text as Java does, by UTF-16 units: characters that need two units
// come before U+E000 and later ones.
func compareText(a, b string) int {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	for i > 0 && i < len(a) && !utf8.RuneStart(a[i]) {
		i--
	}
	x, _ := utf8.DecodeRuneInString(a[i:])
	y, _ := utf8.DecodeRuneInString(b[i:])
	const first, private = 0x10000, 0xE000
	switch {
	case x >= first && y >= private && y < first:
		return -1
	case y >= first && x >= private && x < first:
		return 1
	}
	return strings.Compare(a, b)
}

func numbers(v, o any, ok func(int) bool) bool {
	if a, isShort1 := short(v); isShort1 {
		if b, isShort2 := short(o); isShort2 {
			return ok(cmp.Compare(a, b))
		}
	}
	a, isNumber1 := rational(v)
	b, isNumber2 := rational(o)
	return isNumber1 && isNumber2 && ok(a.Cmp(b))
}

// short reports whether a number has so few digits that its double is distinct from that
// of every other such number.
func short(v any) (float64, bool) {
	const digits = 15
	n, ok := v.(json.Number)
	if !ok || len(n) > digits || strings.ContainsAny(string(n), "eE") {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(n), 64)
	return f, err == nil
}

// rational converts exactly, so that neither large integers nor 0.1 compare wrongly. The
// exponent is bounded: 1e999999999 would take gigabytes.
func rational(v any) (*big.Float, bool) {
	switch v := v.(type) {
	case json.Number:
		f, _, err := big.ParseFloat(string(v), 10, 256, big.ToNearestEven)
		return f, err == nil
	case float64:
		return big.NewFloat(v), true
	}
	return nil, false
}

func times(v, o any, ok func(int) bool) bool {
	a, isTime1 := timestamp(v)
	b, isTime2 := timestamp(o)
	return isTime1 && isTime2 && ok(a.Compare(b))
}

// timestamp reads an ISO-8601 time with a date, a time of the day and an offset. Go also
// accepts a comma, more digits than nanoseconds have, and offsets beyond Java's 18 hours;
// the service does not.
func timestamp(v any) (time.Time, bool) {
	const digits, farthest = 9, 18 * 60 * 60
	s, ok := v.(string)
	if !ok || len(s) > len("2006-01-02T15:04:05.999999999+00:00") || strings.Contains(s, ",") {
		return time.Time{}, false
	}
	_, fraction, _ := strings.Cut(s, ".")
	if len(fraction)-len(strings.TrimLeft(fraction, "0123456789")) > digits {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	_, offset := t.Zone()
	return t, err == nil && offset >= -farthest && offset <= farthest
}

// matches compares with a pattern in which * matches any text, and \* matches *.
func matches(pattern, s string) bool {
	var parts []string
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch {
		case pattern[i] == '\\' && i+1 < len(pattern) && (pattern[i+1] == '*' || pattern[i+1] == '\\'):
			i++
			b.WriteByte(pattern[i])
		case pattern[i] == '*':
			parts = append(parts, b.String())
			b.Reset()
		default:
			b.WriteByte(pattern[i])
		}
	}
	last := b.String()
	if len(parts) == 0 {
		return s == last
	}
	s, ok := strings.CutPrefix(s, parts[0])
	if !ok {
		return false
	}
	for _, p := range parts[1:] {
		i := strings.Index(s, p)
		if i < 0 {
			return false
		}
		s = s[i+len(p):]
	}
	return strings.HasSuffix(s, last)
}

func (r *rule) holds(ctx context.Context, v *view) (bool, *Error) {
	switch {
	case r.condition != nil:
		return r.conditionHolds(ctx, v)
	case r.and != nil:
		for _, child := range r.and {
			if ok, err := child.holds(ctx, v); err != nil || !ok {
				return false, err
			}
		}
		return true, nil
	case r.or != nil:
		for _, child := range r.or {
			if ok, err := child.holds(ctx, v); err != nil || ok {
				return ok, err
			}
		}
		return false, nil
	case r.not != nil:
		ok, err := r.not[0].holds(ctx, v)
		return !ok, err
	}
	return r.compare(v)
}

func (r *rule) conditionHolds(ctx context.Context, v *view) (bool, *Error) {
	out, err := r.condition.eval(ctx, v)
	if err != nil {
		return false, err
	}
	ok, isBool := out.(bool)
	if !isBool {
		return false, r.condition.query.unexpected(v, "boolean", out)
	}
	return ok, nil
}

// compare evaluates a data test expression.
func (r *rule) compare(v *view) (bool, *Error) {
	value, found := r.variable.eval(v)
	if r.presence {
		if !r.variable.path.Definite() {
			list, _ := value.([]any)
			found = len(list) > 0
		}
		return found == r.want, nil
	}
	if !found {
		return false, invalidPath(v, r.variable)
	}
	operand := r.operand
	if r.operandPath != nil {
		if operand, found = r.operandPath.eval(v); !found {
			return false, invalidPath(v, r.operandPath)
		}
	}
	return r.test(jsonata.Force(value), jsonata.Force(operand)), nil
}
