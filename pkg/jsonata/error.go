package jsonata

import (
	"errors"
	"strconv"
	"strings"
)

// undefined is the type of [Undefined].
type undefined struct{}

func (undefined) String() string { return "undefined" }

// Undefined is the result of an expression that selects nothing. It differs from JSON
// null, which is a result.
var Undefined any = undefined{}

// IsUndefined reports whether v is [Undefined].
func IsUndefined(v any) bool {
	_, ok := v.(undefined)
	return ok
}

// An Error says why an expression does not compile or could not be evaluated. Code is
// that of the [reference implementation]: S for syntax, T for types, D for evaluation
// ("dynamic"), U for a limit that was reached.
//
// [reference implementation]: https://github.com/jsonata-js/jsonata
type Error struct {
	Code     string // such as "T2001"
	Position int    // the offset of Token in the expression, in bytes from 0; -1 when it is not known
	Token    string // the part of the expression, or the function, that the error is about
	Value    any    // the value that was refused, if one was; nil if it is too large or too deep to be a result
	Index    int    // the number of the refused argument, from 1; 0 if the error is not about an argument
	Message  string // the text for Code, with Token and Value filled in

	other    any    // the second of two values that the message shows
	expected string // the type that the items of an array should have had
	limit    error  // the budget that is spent
}

// The budgets of an evaluation: [errors.Is] reports which of them an [*Error] with the
// code U1001 or U1002 is about. The first three measure work: an evaluation that exhausts
// one of them would do so again. Time depends on the machine and its load, so an
// evaluation that ran out of time may succeed later.
var (
	ErrSteps      = errors.New("too many steps")    // see [Options].MaxSteps
	ErrDepth      = errors.New("nested too deeply") // see [Options].MaxEvalDepth
	ErrAllocation = errors.New("too much data")     // see [Options].MaxAllocation
	ErrTime       = errors.New("out of time")       // see [Options].MaxTime
)

// Unwrap returns the exhausted budget, if the error is about one.
func (e *Error) Unwrap() error { return e.limit }

// limits are the codes and the messages of the budgets. The reference has one code for
// steps, depth and time.
var limits = map[error]struct{ code, message string }{
	ErrSteps:      {"U1001", "Evaluation was stopped: it took too many steps. Check for an infinite loop"},
	ErrDepth:      {"U1001", "Evaluation was stopped: it nested too deeply. Check for infinite recursion"},
	ErrAllocation: {"U1002", "Evaluation was stopped: it made too much data"},
	ErrTime:       {"U1001", "Evaluation was stopped: it ran out of time"},
}

// spent returns the error for an exhausted budget.
func spent(limit error) *Error {
	l := limits[limit]
	return &Error{Code: l.code, Position: -1, Message: l.message, limit: limit}
}

// Error returns the code and the message, as Step Functions writes them: "T2001: The left side …".
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Redacted is [Error.Error] without the values that the message quotes: for logs that
// must not contain payload. For $error and $assert, whose message may be made from
// values, it only says which of them failed.
func (e *Error) Redacted() string {
	text, ok := messages[e.Code]
	switch {
	case e.limit != nil || strings.HasPrefix(e.Code, "S"):
		return e.Error() // a syntax error quotes the expression, and nothing else
	case ok:
		text = strings.TrimSuffix(text, ": {{value}}")
		hidden := &Error{Token: e.Token, Index: e.Index, expected: e.expected}
		text = hidden.fill(text, "…", "…")
	case e.Code == "D3137" && e.Token != "" && e.Token != "error":
		return e.Code // from a function of Step Functions, whose message quotes a value
	case e.Code == "D3137":
		text = defaultOfError
	case e.Code == "D3141":
		text = defaultOfAssert
	case e.Code == "D3150":
		text = e.Message // about a picture, which it does not quote
	default:
		return e.Code // from a function of the program, whose message may quote anything
	}
	return e.Code + ": " + text
}

// errorf returns the error with a code, about a value. The position and the token are
// added by the part of the expression that was being evaluated.
func errorf(code string, value any) *Error {
	e := &Error{Code: code, Position: -1, Value: value}
	e.describe()
	return e
}

// errorToken returns an error about a token of the expression.
func errorToken(code string, pos int, token string, value any) *Error {
	e := &Error{Code: code, Position: pos, Token: token, Value: value}
	e.describe()
	return e
}

// at adds where in the expression the error happened, unless that is already known.
func (e *Error) at(pos int, token string) *Error {
	if e.Position >= 0 {
		return e
	}
	e.Position = pos
	if e.Token == "" {
		e.Token = token
	}
	e.describe()
	return e
}

// describe writes the message.
func (e *Error) describe() {
	e.Token = strings.ToValidUTF8(e.Token, "\uFFFD") // half a surrogate pair cannot be exported
	text, ok := messages[e.Code]
	if !ok || e.limit != nil {
		return // $error and $assert: the expression chose the message
	}
	if strings.Contains(text, "{{") {
		text = e.fill(text, excerpt(e.Value), excerpt(e.other))
	}
	e.Message = text
}

// fill puts the parts of an error into the text for its code.
func (e *Error) fill(text, value, other string) string {
	return strings.NewReplacer(
		"{{value}}", value,
		"{{other}}", other,
		"{{expected}}", excerpt(e.expected),
		"{{{token}}}", e.Token,
		"{{token}}", excerpt(e.Token),
		"{{index}}", strconv.Itoa(e.Index),
	).Replace(text)
}
