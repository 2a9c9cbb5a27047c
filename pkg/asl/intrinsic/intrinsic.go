// Package intrinsic parses and evaluates the [intrinsic functions] of the States
// Language, such as `States.Format('Hello {}', $.name)`.
//
// A call is parsed once, with the names of its functions, the number of their arguments
// and the syntax of its paths checked, and is then evaluated any number of times. The
// package knows neither states nor the roots of paths: [Env] resolves paths, and provides
// randomness.
//
// Results are exactly those of the service where its answers are known: States.Format
// writes objects as Java does ({a=1}), MathAdd rounds each argument half up before it
// adds.
//
// [intrinsic functions]: https://states-language.net/spec.html#appendix-b
package intrinsic

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// Limits, of the service and of this package.
const (
	// maxNesting is how deep calls may nest.
	maxNesting = 10
	// maxLength is the length of a call in bytes that Parse accepts.
	maxLength = 64 << 10
	// maxCharacters is the length of a text that Base64Encode, Base64Decode and Hash take.
	maxCharacters = 10_000
	// maxRange is the number of elements that ArrayRange makes.
	maxRange = 1_000
	// maxWork is the number of bytes that one Eval may write or compare, and the size of
	// its result. It is far above the 256 KiB that a state may pass on; it stops calls that
	// repeat a large input many times.
	maxWork = 4 << 20
)

// Failure is the States Language name of the error that a failing function raises.
const Failure = "States.IntrinsicFailure"

// A SyntaxError says where a call is wrong.
type SyntaxError struct {
	Offset int // in bytes, from 0
	Reason string
}

// Error names the reason and the offset.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("invalid intrinsic function at offset %d: %s", e.Offset, e.Reason)
}

// An Error is a States Language error raised by a function.
type Error struct {
	Name  string // [Failure]
	Cause string // the service's sentence, with the text of the call
	Err   error  // what Env.Resolve returned, if that was the reason
}

// Error returns the name and the cause.
func (e *Error) Error() string { return e.Name + ": " + e.Cause }

// Unwrap returns the error of Env.Resolve, or nil.
func (e *Error) Unwrap() error { return e.Err }

// An Env holds what an evaluation needs from outside. Functions that a call does not use
// may be nil.
type Env struct {
	// Resolve returns the value of a path, as it is written in the call ("$.a", "$$.b",
	// "$name.c"). If its error is an *[Error], Eval returns that as it is; any other
	// is wrapped in one.
	Resolve func(path string) (any, error)
	// Rand returns a number in [0, 1), for MathRandom without a seed.
	Rand func() float64
	// UUID returns a version 4 UUID in its usual text form.
	UUID func() string
}

// A Call is a parsed call. It is immutable, and safe to use from many goroutines.
type Call struct {
	text  string
	fn    *function
	args  []argument
	paths []string // only of the outermost call
	grows bool     // it contains Array or JsonMerge: see Eval

	template []string // of States.Format, if it is a literal
}

// An argument is a nested call, a path or a literal.
type argument struct {
	call    *Call
	path    string
	literal any
	quoted  string // the text between the quotes, escapes included
}

// String returns the source text of the call.
func (c *Call) String() string { return c.text }

// Name returns the name of the function, such as "States.Format".
func (c *Call) Name() string { return "States." + c.fn.name }

// Paths returns the paths that the call and the calls within it read, each once, in the
// order of first use, so that they can be compiled in advance. The slice must not be
// changed.
func (c *Call) Paths() []string { return c.paths }

// Eval evaluates the call. Values are those of pkg/jsonata; numbers that functions return
// are json.Numbers. The result may share structure with what Resolve returned. The error
// is always an *[Error].
func (c *Call) Eval(env Env) (any, error) {
	ev := &evaluation{env: env, work: maxWork}
	v, err := ev.call(c)
	if err != nil {
		return nil, err
	}
	// A list that repeats one value many times is small until it is written out.
	if c.grows && !ev.charge(v) {
		return nil, c.fail(errTooLarge)
	}
	return v, nil
}

// fail makes a call's error from the reason.
func (c *Call) fail(err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{
		Name:  Failure,
		Cause: fmt.Sprintf("The function '%s' had the following error: %s", c.text, err),
		Err:   errors.Unwrap(err),
	}
}

// A reason is the last part of a cause: a sentence in the style of the service, and so
// not in the style of Go's errors.
type reason string

func (r reason) Error() string { return string(r) }

func because(format string, args ...any) error { return reason(fmt.Sprintf(format, args...)) }

// An evaluation is one run of Eval.
type evaluation struct {
	env  Env
	work int // bytes left of maxWork
}

var errTooLarge = because("The values are too large")

func (ev *evaluation) call(c *Call) (any, error) {
	args := make([]any, len(c.args))
	for i := range c.args {
		v, err := ev.argument(&c.args[i])
		if err != nil {
			return nil, c.fail(err)
		}
		args[i] = v
	}
	v, err := c.fn.eval(ev, c, args)
	if err != nil {
		return nil, c.fail(err)
	}
	return v, nil
}

// resolveError keeps the cause of a path's failure reachable by errors.As.
type resolveError struct{ err error }

func (e resolveError) Error() string { return e.err.Error() }
func (e resolveError) Unwrap() error { return e.err }

func (ev *evaluation) argument(a *argument) (any, error) {
	switch {
	case a.call != nil:
		return ev.call(a.call)
	case a.path == "":
		return a.literal, nil
	}
	v, err := ev.env.Resolve(a.path)
	if err != nil {
		return nil, resolveError{err}
	}
	return v, nil
}

// number makes a json.Number of an integer.
func number(n int64) json.Number { return json.Number(strconv.FormatInt(n, 10)) }
