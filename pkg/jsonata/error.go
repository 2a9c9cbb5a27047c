package jsonata

import (
	"errors"
	"strconv"
	"strings"
)

// undefined is the type of [Undefined].
type undefined struct{}

func (undefined) String() string { return "undefined" }

// Undefined is what an expression yields when it selects nothing. It is a value of
// its own because JSON null is a result, and Undefined is the lack of one.
var Undefined any = undefined{}

// IsUndefined reports whether v is [Undefined].
func IsUndefined(v any) bool {
	_, ok := v.(undefined)
	return ok
}

// An Error is why an expression does not compile or could not be evaluated. Code is
// that of the [reference implementation]: S for syntax, T for types, D for
// evaluation ("dynamic"), U for a limit that was reached.
//
// [reference implementation]: https://github.com/jsonata-js/jsonata
type Error struct {
	Code     string // such as "T2001"
	Position int    // the offset of Token in the expression, in bytes from 0; -1 when it is not known
	Token    string // the part of the expression, or the function, that the error is about
	Value    any    // the value that was refused, if one was; nil if it is too large or too deep to be a result
	Index    int    // the number of the argument that was refused, from 1; 0 when it is none
	Message  string // the text for Code, with Token and Value filled in

	other    any    // the second of two values that the message shows
	expected string // what the items of an array should have been
}

// The budgets of an evaluation: [errors.Is] tells which one an [*Error] with a code of
// U1001 or U1002 says is spent.
var (
	ErrTime       = errors.New("the time is spent")       // see [WithMaxTime]
	ErrDepth      = errors.New("the depth is spent")      // see [WithMaxEvalDepth]
	ErrAllocation = errors.New("the allocation is spent") // see [WithMaxAllocation]
)

// Unwrap returns the budget that was spent, if that is the error.
func (e *Error) Unwrap() error {
	switch {
	case e.Code == "U1001" && e.Message == tooLong:
		return ErrTime
	case e.Code == "U1001":
		return ErrDepth
	case e.Code == "U1002":
		return ErrAllocation
	}
	return nil
}

// tooLong is the message of U1001 for time; the reference has one code for both.
const tooLong = "Evaluation was stopped: it took too long. Check for an infinite loop"

// Error returns the code and the message, as Step Functions writes them: "T2001: The left side …".
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// errorf returns the error with a code, about a value. The position and the token
// are added by the part of the expression that evaluation was in.
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

// at adds where in the expression the error happened, unless that is known already.
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
	e.Token = strings.ToValidUTF8(e.Token, "\uFFFD") // half a surrogate pair has no place outside
	text, ok := messages[e.Code]
	if !ok || e.Message == tooLong {
		return // $error and $assert: the expression chose the message
	}
	if !strings.Contains(text, "{{") {
		e.Message = text
		return
	}
	e.Message = strings.NewReplacer(
		"{{value}}", excerpt(e.Value),
		"{{other}}", excerpt(e.other),
		"{{expected}}", excerpt(e.expected),
		"{{{token}}}", e.Token,
		"{{token}}", excerpt(e.Token),
		"{{index}}", strconv.Itoa(e.Index),
	).Replace(text)
}
