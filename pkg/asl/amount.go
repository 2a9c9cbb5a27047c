package asl

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// An amount is a field that holds a number, or says how to find one: by a path in the
// field's Path form, or by an expression.
type amount struct {
	field    string // empty if the state does not have it
	low      int    // the minimum for the value of a path or an expression: 0, 1 or anyWhole
	constant float64
	path     *source
	expr     *expression
}

func (a *amount) given() bool { return a.field != "" }

// whole returns the amount as a whole number of at least low.
func (a *amount) whole(ctx context.Context, v *view) (int, *Error) {
	switch {
	case a.path != nil:
		text, err := a.followed(v)
		if err != nil {
			return 0, err
		}
		// Text that reads as a number is accepted as one.
		i, e := strconv.Atoi(text)
		if e != nil || i < a.low {
			return 0, v.f.runtime(fmt.Sprintf("The %s field refers to value \"%s\" which is not a valid integer: %s", a.field, text, a.path.text))
		}
		return i, nil
	case a.expr != nil:
		n, err := a.computed(ctx, v)
		if err != nil {
			return 0, err
		}
		if n < float64(a.low) || n > maxWhole || n != float64(int(n)) {
			sign := "non-negative"
			if a.low == 1 {
				sign = "positive"
			}
			return 0, v.f.queryError(a.field, fmt.Sprintf("The %s field must be a %s integer but was: %s", a.field, sign, quote(n)))
		}
		return int(n), nil
	}
	return int(a.constant), nil
}

// percentage returns the amount as a percentage.
func (a *amount) percentage(ctx context.Context, v *view) (float64, *Error) {
	switch {
	case a.path != nil:
		text, err := a.followed(v)
		if err != nil {
			return 0, err
		}
		n, e := strconv.ParseFloat(text, 64)
		if e != nil {
			return 0, v.f.runtime(fmt.Sprintf("The %s field refers to value \"%s\" which is not a valid float: %s", a.field, text, a.path.text))
		}
		if !(n >= 0 && n <= 100) {
			return 0, v.f.runtime(percentRange)
		}
		return n, nil
	case a.expr != nil:
		n, err := a.computed(ctx, v)
		if err == nil && !(n >= 0 && n <= 100) {
			err = v.f.queryError(a.field, percentRange)
		}
		return n, err
	}
	return a.constant, nil
}

const (
	percentRange = "ToleratedFailurePercentage must be between 0 and 100."
	maxWhole     = 99999999  // for every field that holds a whole number
	anyWhole     = -maxWhole // the minimum for a field that is checked later
)

func (a *amount) followed(v *view) (string, *Error) {
	found, ok := a.path.eval(v)
	if !ok {
		return "", invalidPath(v, a.path)
	}
	return plain(found), nil
}

func (a *amount) computed(ctx context.Context, v *view) (float64, *Error) {
	out, err := a.expr.eval(ctx, v)
	if err != nil {
		return 0, err
	}
	switch n := out.(type) {
	case float64:
		return n, nil
	case json.Number:
		f, e := n.Float64()
		if e == nil {
			return f, nil
		}
	}
	return 0, a.expr.unexpected(v, "number", out)
}

// plain returns a value as text: a string as it is, anything else as JSON.
func plain(v any) string {
	v = jsonata.Force(v)
	if s, ok := v.(string); ok {
		return s
	}
	text, _ := jsonata.AppendJSON(nil, v)
	return string(text)
}
