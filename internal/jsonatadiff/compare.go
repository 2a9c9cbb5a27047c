package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/expressway-dev/expressway/internal/jsonataref"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A testCase is an expression and its input, for one of the two languages.
type testCase struct {
	expr    string
	input   json.RawMessage
	dialect bool // of Step Functions: the input is $d, and there is no context
}

func (c testCase) request() jsonataref.Request {
	if c.dialect {
		return jsonataref.Request{
			Version: jsonataref.StepFunctions, Expr: c.expr, Vars: map[string]json.RawMessage{"d": c.input},
		}
	}
	return jsonataref.Request{Version: jsonataref.Newest, Expr: c.expr, Input: c.input, Timeout: 2000}
}

func (c testCase) String() string {
	language := jsonataref.Newest
	if c.dialect {
		language = "Step Functions, $d ="
	}
	input := compact(string(c.input))
	if len(input) > 400 {
		input = append(input[:400:400], "…"...)
	}
	return fmt.Sprintf("%s\n  in %s %s", c.expr, language, input)
}

// An outcome is one side's result for a case: a value as JSON text, or an error.
type outcome struct {
	value       string
	code, token string
	position    int    // of an error; see samePlace
	note        string // what the reference says when it fails with an error of its own
}

func (o outcome) String() string {
	switch {
	case o.note != "":
		return o.note
	case o.code != "":
		return fmt.Sprintf("%s about %q at %d", o.code, o.token, o.position)
	}
	return o.value
}

const undefined = "undefined"

func theirs(a jsonataref.Answer) outcome {
	switch {
	case a.Hangs:
		return outcome{note: "hangs"}
	case a.Crash != "":
		return outcome{note: "crashes: " + a.Crash}
	case a.Code != "":
		return outcome{code: a.Code, token: a.Token, position: a.Position}
	case a.Value == nil:
		return outcome{value: undefined}
	}
	return outcome{value: *a.Value}
}

// ours evaluates with the package. A panic is a difference like any other.
func (c testCase) ours(ctx context.Context) (out outcome) {
	defer func() {
		if p := recover(); p != nil {
			out = outcome{note: fmt.Sprint("panics: ", p)}
		}
	}()
	input, err := jsonata.Decode(c.input)
	if err != nil {
		return outcome{note: err.Error()}
	}
	options := jsonata.Options{MaxTime: 5 * time.Second, StepFunctions: c.dialect}
	vars := map[string]any{}
	if c.dialect {
		vars["d"], input = input, jsonata.Undefined
	}
	expr, err := options.Compile(c.expr)
	var v any
	if err == nil {
		v, err = expr.Eval(ctx, input, vars)
	}
	var e *jsonata.Error
	switch {
	case errors.As(err, &e):
		return outcome{code: e.Code, token: e.Token, position: e.Position}
	case err != nil:
		return outcome{note: err.Error()}
	case jsonata.IsUndefined(v):
		return outcome{value: undefined}
	}
	text, err := appendResult(nil, v)
	if err != nil {
		return outcome{note: err.Error()}
	}
	return outcome{value: string(text)}
}

// appendResult is AppendJSON for results with functions in them.
func appendResult(dst []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case *jsonata.Function:
		return append(dst, `"\u0001function"`...), nil
	case []any:
		dst = append(dst, '[')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			var err error
			if dst, err = appendResult(dst, e); err != nil {
				return dst, err
			}
		}
		return append(dst, ']'), nil
	case *jsonata.Object:
		dst = append(dst, '{')
		for i := range v.Len() {
			if i > 0 {
				dst = append(dst, ',')
			}
			k, e := v.At(i)
			var err error
			if dst, err = jsonata.AppendJSON(dst, k); err != nil {
				return dst, err
			}
			if dst, err = appendResult(append(dst, ':'), e); err != nil {
				return dst, err
			}
		}
		return append(dst, '}'), nil
	}
	return jsonata.AppendJSON(dst, v)
}

// same reports whether the outcomes are equal: values to the last character of their
// text, errors by code and place, and by token where the reference names one.
func same(c testCase, ours, theirs outcome) bool {
	if ours.note != "" || theirs.note != "" {
		return false
	}
	if ours.code != theirs.code {
		return false
	}
	if ours.code != "" {
		return (theirs.token == "" || ours.token == theirs.token) && samePlace(c.expr, ours, theirs)
	}
	return ours.value == theirs.value || bytes.Equal(compact(ours.value), compact(theirs.value))
}

// samePlace compares the places of syntax errors: here, that is where the token begins, in
// bytes; in the reference where it ends, in UTF-16 units. (The places of other errors
// depend, there, on what was called before; S0214 and S0217 name what is not at their place.)
func samePlace(expr string, ours, theirs outcome) bool {
	if strings.ContainsFunc(expr, func(r rune) bool { return r >= utf8.RuneSelf || r == '\\' }) {
		return true // bytes are not units, and tokens are not as they are written
	}
	if ours.code[0] != 'S' || ours.code == "S0214" || ours.code == "S0217" || theirs.token == "" || theirs.position < 0 {
		return true
	}
	return ours.position <= theirs.position && theirs.position <= ours.position+max(1, len(ours.token)+len(`""`))
}

func compact(text string) []byte {
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(text)); err != nil {
		return []byte(text)
	}
	return b.Bytes()
}
