package asl

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// queryFailed is the name of the errors of JSONata fields. Retry and Catch can match it.
const queryFailed = "States.QueryEvaluationError"

// An expression is a JSONata expression that a field contains between {% and %}.
type expression struct {
	text    string
	field   string // its place in the state, such as Output/result
	program *jsonata.Expr
	// context are the parts of $states.context that it may use.
	context contextPart
	// effects means that it may use the clock or randomness.
	effects bool
	// part and names are the names of a path of plain members, such as
	// $states.input.order.id. Most expressions are such paths, and only need lookups.
	part  string
	names []string
}

// isExpression reports whether a string in a field is an expression. Anything that does
// not begin with {% is text, even if the marks follow after a space.
func isExpression(text string) bool { return strings.HasPrefix(text, "{%") }

// expressionText returns the text between the marks of an expression.
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
			e.context |= contextOf(r.Members)
		}
	}
	if path := program.Path(); len(path) > 1 && path[0] == "states" && slices.Contains(plainParts, path[1]) {
		e.part, e.names = path[1], path[2:]
	}
	return e
}

// contextOf returns the parts of the context object that a path into $states may use.
func contextOf(path []jsonata.Member) contextPart {
	switch {
	case len(path) == 0: // anything but a plain path
		return wholeContext
	case slices.Contains(plainParts, path[0].Name):
		return 0
	case path[0].Name == "context" && len(path) > 1:
		return contextPartOf(path[1].Name)
	}
	return wholeContext
}

var (
	// effects are the functions that use the clock or randomness.
	effects = []string{"now", "millis", "toMillis", "random", "uuid", "shuffle"}
	// plainParts are the members of $states that are cheap to create.
	plainParts = []string{"input", "result", "errorOutput"}
)

// A view holds the values that the paths and expressions of a field can refer to.
type view struct {
	f *frame
	// input is $ for a path, and $states.input for an expression.
	input any
	// result is $states.result, once the state has a result.
	result    any
	hasResult bool
	// failure is $states.errorOutput, in a Catch.
	failure *jsonata.Object
}

// variables are what an expression sees: $states, and the workflow's own variables.
type variables struct {
	view
	context contextPart
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
	if v.context != 0 {
		o.Set("context", v.f.contextObject(v.context))
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
		return evaluated(out, &v.f.sizes), nil
	}
	program := e.program
	if e.effects && v.f.run.effects != nil {
		program = program.With(*v.f.run.effects)
	}
	out, err := program.EvalEnv(ctx, jsonata.Undefined, jsonata.Env{Vars: &variables{view: *v, context: e.context}, Known: &v.f.sizes})
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, &Error{Name: "States.Timeout", fatal: true}
	case err != nil:
		return nil, e.failed(v, "threw an error during evaluation"+reason(err))
	case jsonata.IsUndefined(out):
		return nil, e.failed(v, "returned nothing (undefined).")
	}
	out = evaluated(out, &v.f.sizes) // before it is measured, because that changes its size
	if _, valid := fits(out, maxData, &v.f.sizes); !valid {
		return nil, e.failed(v, "returned an unsupported result type.")
	}
	return out, nil
}

// compileExpression compiles an expression with the limits of the service.
func compileExpression(text string) (*jsonata.Expr, error) {
	return jsonata.Options{StepFunctions: true, MaxEvalDepth: maxExpressionDepth, MaxAllocation: maxExpressionMemory}.Compile(text)
}

// maxExpressionDepth bounds the nesting of evaluations: as measured, the service refuses
// the 101st level of operators, parentheses, brackets or applications.
const maxExpressionDepth = 100

// maxExpressionMemory bounds the live values of an evaluation, in bytes. As measured, the
// service accepts texts of 4 MiB that are doubled step by step (8 MiB are refused), and
// 360,145 numbers of $range (one more, the next size at which a Java list grows, is
// refused). Both agree with a limit of 16 MiB of live values, as pkg/jsonata counts them;
// how the service measures is not known.
const maxExpressionMemory = 16 << 20

// reason returns the service's text for an error of an evaluation.
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

// lookUp finds the value of a path of plain members. It leaves the path to the evaluator
// if it meets a value that is not an object, such as an array, or a member that does not
// exist.
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

// unexpected returns the error of a field that must have another type.
func (e *expression) unexpected(v *view, want string, got any) *Error {
	return e.failed(v, fmt.Sprintf("returned an unexpected result type. Expected '%s', but was '%s' for value: %s", want, typeName(got), quote(got)))
}

// queryError returns the error of a JSONata field; field may be empty.
func (f *frame) queryError(field, cause string) *Error {
	return &Error{Name: queryFailed, Cause: f.where() + cause, evaluation: &evaluation{field}}
}

// An evaluation is what the history records about an error of a JSONata field; the state
// in which it happened records it once.
type evaluation struct{ field string }

// typeName returns JSONata's name of a value's type.
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

// effectsOf returns the options for expressions that use the clock or randomness; nil if
// the environment has the real ones.
func effectsOf(env Environment) *jsonata.Options {
	if env.Now == nil && env.Rand == nil {
		return nil
	}
	o := &jsonata.Options{Clock: env.Now}
	if random := env.Rand; random != nil {
		const half = 1 << 32
		o.Random = func() uint64 {
			return uint64(random()*half)<<32 | uint64(random()*half)
		}
	}
	return o
}
