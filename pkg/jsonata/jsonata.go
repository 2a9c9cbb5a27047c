// Package jsonata compiles and evaluates [JSONata] expressions.
//
//	expr, err := jsonata.Compile(`$request.headers."x-github-event" = "push"`)
//	v, err := expr.Eval(ctx, jsonata.Undefined, map[string]any{"request": request})
//
// An expression is compiled once, to an immutable tree, and evaluated as often as needed,
// from as many goroutines as needed. The language is that of the [reference
// implementation], 2.x; Options.StepFunctions narrows it to what AWS Step Functions runs.
//
// # Values
//
// The values that expressions read and make are these Go types, and no others:
//
//	nil            JSON null
//	bool           true, false
//	float64        a number that was computed
//	json.Number    the text of a number; it keeps its digits until something computes with it
//	string         text
//	[]any          an array
//	*Object        an object, in the order of its members
//	*Raw           JSON text that has not been decoded yet
//	*Function      a function, which JSON cannot represent
//
// [Decode] makes them from JSON text, [AppendJSON] writes them, and [FromGo] converts the
// maps and numbers of encoding/json. An expression that selects nothing yields
// [Undefined].
//
// Numbers are IEEE doubles as soon as something computes with them. A number that comes in
// as a [json.Number] and is only passed on keeps its digits.
//
// # Limits
//
// Expressions and inputs from untrusted sources are safe: an evaluation ends when it has
// exhausted its steps, its time, its depth or its memory (see [Options]), the size of an
// expression is bounded, and regular expressions run in time proportional to the text.
// Every failure of an expression is an [*Error] with a code.
//
// [JSONata]: https://docs.jsonata.org
// [reference implementation]: https://github.com/jsonata-js/jsonata
package jsonata

// How an expression becomes a value: source text → tokens (token.go) → syntax tree
// (parse.go) → resolved paths, tuple streams and tail calls (process.go) → evaluation
// (eval.go, path.go, call.go; the functions are in fn_*.go).

import (
	"context"
	"time"
)

// An Expr is a compiled expression. It is immutable: it may be evaluated by many
// goroutines at once.
type Expr struct {
	source string
	root   *node
	conf   *config
	// pictures holds the date pictures that are string literals of the expression.
	pictures datePictures
	direct   []string // for a path like $a.b.c, which needs no evaluator: "a", "b", "c"
}

// Vars looks up the variables of an expression, each when it is used. A value must be one
// of this package's (see [FromGo]); a nil value is null.
type Vars interface {
	// Lookup returns the value of $name, and whether there is such a variable.
	Lookup(name string) (any, bool)
}

type mapVars map[string]any

func (m mapVars) Lookup(name string) (any, bool) {
	v, ok := m[name]
	return v, ok
}

// Compile parses an expression. The error is an [*Error]; its Position says where.
func Compile(expr string) (*Expr, error) { return Options{}.Compile(expr) }

// MustCompile is [Compile] for expressions that are part of a program; it panics if they
// are wrong.
func MustCompile(expr string) *Expr { return Options{}.MustCompile(expr) }

// Compile is [Compile] with options.
func (o Options) Compile(expr string) (*Expr, error) {
	conf := o.config()
	root, pictures, err := parse(expr, conf)
	if err != nil {
		return nil, err
	}
	return &Expr{
		source: expr, root: root, conf: conf, pictures: pictures, direct: directPath(root),
	}, nil
}

// MustCompile is [MustCompile] with options.
func (o Options) MustCompile(expr string) *Expr {
	e, err := o.Compile(expr)
	if err != nil {
		panic("jsonata: " + err.Error() + " in " + expr)
	}
	return e
}

// String returns the source text of the expression.
func (e *Expr) String() string { return e.source }

// Eval evaluates the expression. The input is what $, $$ and bare names refer to;
// [Undefined] if there is none. The result is a value of this package, or Undefined when
// the expression selects nothing, or a [Function]; input and variables are not changed, and
// the result may share parts with them. The error is an *[Error], the cause of ctx's
// cancellation, or an error that a function of [Options] returned; or it names an input or
// a variable that is not a value of this package, such as a map.
func (e *Expr) Eval(ctx context.Context, input any, vars map[string]any) (any, error) {
	return e.EvalVars(ctx, input, mapVars(vars))
}

// EvalVars is [Expr.Eval] with variables that are looked up on demand. vars may be nil.
func (e *Expr) EvalVars(ctx context.Context, input any, vars Vars) (any, error) {
	return e.EvalEnv(ctx, input, Env{Vars: vars})
}

// An Env holds the settings of a single evaluation. Fields that are nil keep the settings
// of the compilation's [Options].
type Env struct {
	Vars   Vars             // a value may be a *[Function], which is then called as $name()
	Clock  func() time.Time // of $now and $millis
	Random func() uint64    // of $random, $shuffle and $uuid
	Known  Known            // what earlier evaluations found out; nil if nothing is remembered
}

// EvalEnv is [Expr.Eval] with everything that can differ from one evaluation to the next.
func (e *Expr) EvalEnv(ctx context.Context, input any, env Env) (any, error) {
	if env.Vars == nil {
		env.Vars = mapVars(nil)
	}
	if e.direct != nil {
		if v, ok := evalDirect(e.direct, env.Vars); ok {
			return v, nil
		}
	}
	ev := newEvaluator(ctx, e, env.Vars)
	if env.Clock != nil {
		ev.clock = env.Clock
	}
	if env.Random != nil {
		ev.random = env.Random
	}
	ev.known = env.Known
	return ev.run(e.root, input)
}

// directPath returns the names of a path of a variable and members, such as
// $request.body. Such paths are evaluated often, and only need lookups.
func directPath(n *node) []string {
	switch {
	case n.kind == kindVariable && n.plain() && n.text != "" && n.text != "$" && n.builtin == nil:
		return []string{n.text}
	case n.kind != kindPath || !n.simple || n.steps[0].kind != kindVariable || directPath(n.steps[0]) == nil:
		return nil
	}
	names := make([]string, len(n.steps))
	for i, s := range n.steps {
		names[i] = s.text
	}
	return names
}

// evalDirect reports false if there is an array on the way, which must be mapped over.
func evalDirect(names []string, vars Vars) (any, bool) {
	v, ok := vars.Lookup(names[0])
	if !ok {
		return Undefined, true
	}
	for _, name := range names[1:] {
		m, isObject := memberOf(v, name)
		if !isObject {
			v = Force(v)
			return Undefined, isValue(v) && !isArray(v)
		}
		if v = m; IsUndefined(v) {
			return v, true
		}
	}
	return v, isValue(v)
}
