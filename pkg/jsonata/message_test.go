package jsonata_test

import (
	"testing"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// Messages are those of the reference: tokens and values as JSON.
func TestMessages(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]string{
		`1 + "a"`:        `T2002: The right side of the "+" operator must evaluate to a number`,
		`"a" < 1`:        `T2009: The values "a" and 1 either side of operator "<" must be of the same data type`,
		`$length(1)`:     `T0410: Argument 1 of function "length" does not match function signature`,
		`$pad(1, 2, 3)`:  `T0410: Argument 2 of function "pad" does not match function signature`,
		`$sum("a")`:      `T0412: Argument 1 of function "sum" must be an array of "numbers"`,
		`$number("abc")`: `D3030: Unable to cast value to a number: "abc"`,
		`{1: 2}`:         `T1003: Key in object structure must evaluate to a string; got: 1`,
		`$error("boom")`: `D3137: boom`,
		`1 + (`:          `S0203: Expected ")" before end of expression`,
		`"\x"`:           `S0103: Unsupported escape sequence: \"x"`,
		`sum(1)`:         `T1005: Attempted to invoke a non-function. Did you mean $sum?`,
	} {
		e, err := jsonata.Options{StepFunctions: true}.Compile(expr)
		if err == nil {
			_, err = e.Eval(t.Context(), jsonata.Undefined, nil)
		}
		if err == nil || err.Error() != want {
			t.Errorf("%s: error = %v, want %s", expr, err, want)
		}
	}
}
