package asl

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// queryFailed is the name of the errors of JSONata fields. Retry and Catch may take it.
const queryFailed = "States.QueryEvaluationError"

// An expression is a JSONata expression, as a field has it between {% and %}.
type expression struct {
	text    string
	field   string // its place in the state, such as Output/result
	program *jsonata.Expr
	// context tells that it may look at $states.context, which takes work to make.
	context bool
	// effects tells that it may look at the clock or at chance.
	effects bool
	// part and names are those of a path of plain members, such as $states.input.order.id:
	// most expressions are one, and need nothing but lookups.
	part  string
	names []string
}

// isExpression reports whether a text of a field is one. Anything that does not begin
// with {% is text, also if the marks follow after a space.
func isExpression(text string) bool { return strings.HasPrefix(text, "{%") }

// expressionText returns what stands between the marks of an expression.
func expressionText(text string) (string, bool) {
	text, ok := strings.CutSuffix(strings.TrimPrefix(text, "{%"), "%}")
	return strings.TrimSpace(text), ok
}

func newExpression(text, field string, program *jsonata.Expr) *expression {
	e := &expression{text: text, field: field, program: program}
	for _, r := range program.References() {
		switch {
		case r.Kind == jsonata.FunctionReference:
			e.effects = e.effects || slices.Contains(effects, r.Name)
		case r.Kind == jsonata.VariableReference && r.Name == "states":
			// Whatever is not a plain path into another part may look at the context.
			e.context = e.context || len(r.Members) == 0 || !slices.Contains(plainParts, r.Members[0].Name)
		}
	}
	if path := program.Path(); len(path) > 1 && path[0] == "states" && slices.Contains(plainParts, path[1]) {
		e.part, e.names = path[1], path[2:]
	}
	return e
}

var (
	// effects are the functions that look at the clock or at chance.
	effects = []string{"now", "millis", "toMillis", "random", "uuid", "shuffle"}
	// plainParts are the members of $states that take no work to make.
	plainParts = []string{"input", "result", "errorOutput"}
)

// A view is what the paths and the expressions of a field see.
type view struct {
	f *frame
	// input is $ for a path, and $states.input for an expression.
	input any
	// result is $states.result; there is none before the state has one.
	result    any
	hasResult bool
	// failure is $states.errorOutput, in a Catch.
	failure *jsonata.Object
}

// variables are those that an expression sees: $states, and the workflow's own.
type variables struct {
	view
	context bool
	states  *jsonata.Object
}

// Lookup implements [jsonata.Vars].
func (v *variables) Lookup(name string) (any, bool) {
	if name != "states" {
		return v.f.vars.get(name)
	}
	if v.states == nil {
		v.states = v.statesObject()
	}
	return v.states, true
}

func (v *variables) statesObject() *jsonata.Object {
	o := jsonata.NewObject(3)
	o.Set("input", v.input)
	if v.context {
		o.Set("context", v.f.contextObject())
	}
	if v.hasResult {
		o.Set("result", v.result)
	}
	if v.failure != nil {
		o.Set("errorOutput", v.failure)
	}
	return o
}

func (e *expression) eval(ctx context.Context, v *view) (any, *Error) {
	if out, ok := e.lookUp(v); ok {
		return evaluated(out), nil
	}
	program := e.program
	if e.effects && v.f.run.effects != nil {
		program = program.With(v.f.run.effects...)
	}
	out, err := program.EvalVars(ctx, jsonata.Undefined, &variables{view: *v, context: e.context})
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, &Error{Name: "States.Timeout", fatal: true}
	case err != nil:
		return nil, e.failed(v, "threw an error during evaluation"+reason(err))
	case jsonata.IsUndefined(out):
		return nil, e.failed(v, "returned nothing (undefined).")
	}
	if _, valid := fits(out, maxData); !valid {
		return nil, e.failed(v, "returned an unsupported result type.")
	}
	return evaluated(out), nil
}

// compileExpression compiles an expression within the limits that the service has.
func compileExpression(text string) (*jsonata.Expr, error) {
	return jsonata.Compile(text, jsonata.StepFunctions(), jsonata.WithMaxEvalDepth(maxExpressionDepth), jsonata.WithMaxAllocation(maxExpressionMemory))
}

// maxExpressionDepth is how deep evaluations nest: as measured, the 101st level of
// operators, parentheses, brackets or applications is refused.
const maxExpressionDepth = 100

// maxExpressionMemory is what the values of an evaluation may take at a time, in bytes.
// Measured are texts of 4 MiB that are doubled step by step (8 MiB are refused), and 360,145
// numbers of $range (one more is refused: the next size at which a list in Java grows). Both
// agree with a limit of 16 MiB on what may be live, as pkg/jsonata counts it; the service's own
// measure is not known.
const maxExpressionMemory = 16 << 20

// reason is what the service's cause says of an error of an evaluation.
func reason(err error) string {
	switch {
	case errors.Is(err, jsonata.ErrDepth):
		return ": Stack overflow error: Check for non-terminating recursive function. Consider rewriting as tail-recursive"
	case errors.Is(err, jsonata.ErrAllocation):
		return ": Expression evaluation memory limit exceeded: Check for excessive memory usage"
	case errors.Is(err, jsonata.ErrSteps), errors.Is(err, jsonata.ErrTime):
		return ": Expression evaluation timeout: Check for infinite loop"
	}
	return ". " + err.Error()
}

// lookUp finds the value of a path of plain members. Whatever is not an object on the way, an
// array for instance, is left to the evaluator, and so is what is not there.
func (e *expression) lookUp(v *view) (out any, ok bool) {
	switch e.part {
	case "input":
		out, ok = v.input, true
	case "result":
		out, ok = v.result, v.hasResult
	case "errorOutput":
		out, ok = v.failure, v.failure != nil
	}
	for _, name := range e.names {
		o, isObject := jsonata.Force(out).(*jsonata.Object)
		if !ok || !isObject {
			return nil, false
		}
		out, ok = o.Get(name)
	}
	return out, ok
}

func (e *expression) failed(v *view, how string) *Error {
	return v.f.queryError(e.field, fmt.Sprintf("The JSONata expression '%s' specified for the field '%s' %s", e.text, e.field, how))
}

// unexpected is the error of a field that must have another type.
func (e *expression) unexpected(v *view, want string, got any) *Error {
	return e.failed(v, fmt.Sprintf("returned an unexpected result type. Expected '%s', but was '%s' for value: %s", want, typeName(got), quote(got)))
}

// queryError is the error of a JSONata field; field may be empty.
func (f *frame) queryError(field, cause string) *Error {
	return &Error{Name: queryFailed, Cause: f.where() + cause, evaluation: &evaluation{field}}
}

// An evaluation is what the history tells of an error of a JSONata field: the state
// that had it records it once.
type evaluation struct{ field string }

// typeName is JSONata's name of a value's type.
func typeName(v any) string {
	switch jsonata.Force(v).(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case *jsonata.Object:
		return "object"
	}
	return "number"
}

// effectsOf are the options of expressions that look at the clock or at chance; nil for
// an environment that has the real ones.
func effectsOf(env Environment) []jsonata.Option {
	var opts []jsonata.Option
	if env.Now != nil {
		opts = append(opts, jsonata.WithClock(env.Now))
	}
	if random := env.Rand; random != nil {
		const half = 1 << 32
		opts = append(opts, jsonata.WithRandom(func() uint64 {
			return uint64(random()*half)<<32 | uint64(random()*half)
		}))
	}
	return opts
}
