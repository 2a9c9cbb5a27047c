package bridge

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A Template is a JSON value in which every string that is a single expression in {% %}
// is replaced by the result of the expression, as in Step Functions. It is immutable and
// safe for concurrent use.
type Template struct {
	expr  *expression
	value any // *parts, or a literal
}

// The parts of an object, with keys, or of an array.
type parts struct {
	object bool
	keys   []string
	items  []*Template
}

// A Place names what an expression is for, in messages: "route github: input.org".
type Place struct {
	Route string // its name
	// Key is the route's key; Member is empty, or its member.
	Key, Member string
}

func (p Place) String() string {
	text := p.Key
	if p.Route != "" {
		text = "route " + p.Route + ": " + text
	}
	if p.Member != "" {
		text += "." + p.Member
	}
	return text
}

// Literal returns a template of a value without expressions.
func Literal(v any) *Template { return &Template{value: v} }

// An expression is compiled when it is first used, unless it was compiled in advance.
type expression struct {
	expr         atomic.Pointer[jsonata.Expr]
	source       string
	origin       *Origin
	place        Place
	line, column int32 // 0 if the file is not known
}

// compiled compiles the expression unless that has been done. Two deliveries that need it
// at the same time may both compile it, and use the same one.
func (e *expression) compiled() *jsonata.Expr {
	if made := e.expr.Load(); made != nil {
		return made
	}
	e.expr.CompareAndSwap(nil, e.origin.compile()(e.source))
	return e.expr.Load()
}

// Expression returns a template of one expression. Place names it in messages.
func Expression(e *jsonata.Expr, place string) *Template {
	made := &expression{place: Place{Key: place}}
	made.expr.Store(e)
	return &Template{expr: made}
}

// An Origin makes templates of the expressions of one file, each of which is compiled when it
// is first used. It is not safe for concurrent use; its templates are.
type Origin struct {
	File string // for messages; may be empty
	// Compile is the MustCompile of [jsonata.Options] whose Check has accepted the
	// expressions; nil is [jsonata.MustCompile].
	Compile func(string) *jsonata.Expr

	spare []deferred
	next  int // how many are made at once when spare is empty
}

// A configuration has thousands of expressions: each is in one allocation with its template
// and with others.
type deferred struct {
	template Template
	expr     expression
}

// maxAtOnce bounds how many are allocated together: that many fill an allocation of 4 KB.
const maxAtOnce = 36

// Expression returns the template of an expression at a position of the file; line and column
// count from 1, or are 0 if they are not known.
func (o *Origin) Expression(source string, place Place, line, column int) *Template {
	if len(o.spare) == 0 {
		o.next = max(1, min(2*o.next, maxAtOnce))
		o.spare = make([]deferred, o.next)
	}
	made := &o.spare[0]
	o.spare = o.spare[1:]
	made.expr.source, made.expr.origin, made.expr.place = source, o, place
	made.expr.line, made.expr.column = int32(line), int32(column)
	made.template.expr = &made.expr
	return &made.template
}

func (o *Origin) compile() func(string) *jsonata.Expr {
	if o.Compile == nil {
		return jsonata.MustCompile
	}
	return o.Compile
}

// List returns a template of an array.
func List(items []*Template) *Template { return ofParts(parts{items: items}) }

// Members returns a template of an object; keys and values belong together by index.
func Members(keys []string, values []*Template) *Template {
	return ofParts(parts{object: true, keys: keys, items: values})
}

func ofParts(p parts) *Template {
	made := &struct {
		template Template
		parts    parts
	}{parts: p}
	made.template.value = &made.parts
	return &made.template
}

// items are the parts of an object or an array.
func (t *Template) items() []*Template {
	if p, ok := t.value.(*parts); ok {
		return p.items
	}
	return nil
}

// place returns what the expression is for, or an empty Place if there is no expression.
func (t *Template) place() string {
	if t.expr == nil {
		return ""
	}
	return t.expr.place.String()
}

// Dynamic reports whether the template contains an expression.
func (t *Template) Dynamic() bool {
	return t.expr != nil || slices.ContainsFunc(t.items(), (*Template).Dynamic)
}

// Uses reports whether an expression of the template refers to a variable, named without
// its $.
func (t *Template) Uses(variable string) bool {
	if t.expr != nil && slices.Contains(t.expr.compiled().Variables(), variable) {
		return true
	}
	return slices.ContainsFunc(t.items(), func(item *Template) bool { return item.Uses(variable) })
}

// Reads reports whether an expression of the template reads a member of a variable, or
// the whole variable.
func (t *Template) Reads(variable, member string) bool {
	if t.expr != nil {
		for _, ref := range t.expr.compiled().References() {
			if ref.Kind == jsonata.VariableReference && ref.Name == variable && (len(ref.Members) == 0 || ref.Members[0].Name == member) {
				return true
			}
		}
	}
	return slices.ContainsFunc(t.items(), func(item *Template) bool { return item.Reads(variable, member) })
}

// Eval returns the template's value. If an expression fails or yields nothing, the error
// is a *[Failure] named [ExpressionFailed], which names the place and never the value.
func (t *Template) Eval(ctx context.Context, vars jsonata.Vars) (any, error) {
	if t.expr != nil {
		return t.evalExpr(ctx, vars)
	}
	p, ok := t.value.(*parts)
	switch {
	case !ok:
		return t.value, nil
	case p.object:
		o := jsonata.NewObject(len(p.keys))
		for i, item := range p.items {
			v, err := item.Eval(ctx, vars)
			if err != nil {
				return nil, err
			}
			o.Set(p.keys[i], v)
		}
		return o, nil
	default:
		list := make([]any, len(p.items))
		for i, item := range p.items {
			v, err := item.Eval(ctx, vars)
			if err != nil {
				return nil, err
			}
			list[i] = v
		}
		return list, nil
	}
}

func (t *Template) evalExpr(ctx context.Context, vars jsonata.Vars) (any, error) {
	v, err := t.evalOptional(ctx, vars)
	if err == nil && v == jsonata.Undefined {
		return nil, NewFailure(ExpressionFailed, t.place()+": yields nothing", nil)
	}
	return v, err
}

// evalOptional is Eval for a template that is one expression and may yield nothing:
// [jsonata.Undefined].
func (t *Template) evalOptional(ctx context.Context, vars jsonata.Vars) (any, error) {
	if t.expr == nil {
		return t.Eval(ctx, vars)
	}
	v, err := t.expr.compiled().EvalVars(ctx, jsonata.Undefined, vars)
	if err != nil {
		if f := scopeFailure(vars); f != nil {
			return nil, f
		}
		f := NewFailure(ExpressionFailed, t.place()+": "+t.describe(err), nil)
		if errors.Is(err, jsonata.ErrTime) {
			f.Err = jsonata.ErrTime // see unstarted
		}
		return nil, f
	}
	if f := scopeFailure(vars); f != nil {
		return nil, f
	}
	return v, nil
}

// describe returns JSONata's code, message and position, without the values that the
// message quotes, because values are payload.
func (t *Template) describe(err error) string {
	var e *jsonata.Error
	switch {
	case !errors.As(err, &e):
		return "cannot be evaluated"
	case t.expr.line == 0:
		return fmt.Sprintf("%s (at position %d of the expression)", e.Redacted(), e.Position)
	}
	return fmt.Sprintf("%s (%s:%d:%d, at position %d of the expression)", e.Redacted(), t.expr.origin.File, t.expr.line, t.expr.column, e.Position)
}

func scopeFailure(vars jsonata.Vars) *Failure {
	if s, ok := vars.(*Scope); ok {
		return s.failed
	}
	return nil
}

// A Scope holds the variables that the expressions of one delivery see: the delivery
// itself, $context, and, once they exist, $execution and $failure. It makes each value
// when it is first used. It is not safe for concurrent use.
type Scope struct {
	bridge   *Bridge
	delivery *Delivery
	deadline time.Time
	traceID  string
	result   *Result

	doc    any
	docErr error
	read   bool
	failed *Failure
}

func newScope(ctx context.Context, b *Bridge, d *Delivery) *Scope {
	deadline, _ := ctx.Deadline()
	// The key is a plain string because aws-lambda-go defines it so.
	invocation, _ := ctx.Value("x-amzn-trace-id").(string)
	id := traceID(d.TraceHeader, invocation, d.FallbackTrace)
	if id == "" {
		id = w3cRoot(d.TraceParent)
	}
	return &Scope{bridge: b, delivery: d, deadline: deadline, traceID: id}
}

// traceID returns the Root of the first X-Ray trace header that has one: the trace
// that the execution joins.
func traceID(headers ...string) string {
	for _, h := range headers {
		for field := range strings.SplitSeq(h, ";") {
			if root, ok := strings.CutPrefix(strings.TrimSpace(field), "Root="); ok {
				return root
			}
		}
	}
	return ""
}

// w3cRoot returns the trace id of a traceparent as X-Ray writes it, or "" if the
// traceparent is not valid: 00-32 digits-16 digits-2 digits.
//
// [traceparent]: https://www.w3.org/TR/trace-context/#traceparent-header
func w3cRoot(s string) string {
	if len(s) < 55 || s[2] != '-' || s[35] != '-' || s[52] != '-' || len(s) > 55 && (s[:2] == "00" || s[55] != '-') || s[:2] == "ff" {
		return ""
	}
	for _, part := range []string{s[:2], s[3:35], s[36:52], s[53:55]} {
		for i := range len(part) {
			if c := part[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
				return ""
			}
		}
	}
	if strings.Trim(s[3:35], "0") == "" || strings.Trim(s[36:52], "0") == "" {
		return ""
	}
	return "1-" + s[3:11] + "-" + s[11:35]
}

func (s *Scope) settle(r Result) { s.result = &r }

// document returns the delivery's value, made once.
func (s *Scope) document() (any, error) {
	if !s.read {
		s.doc, s.docErr = s.delivery.Document()
		s.read = true
	}
	return s.doc, s.docErr
}

// Lookup implements [jsonata.Vars].
func (s *Scope) Lookup(name string) (any, bool) {
	switch name {
	case s.delivery.Kind:
		v, err := s.document()
		if err != nil {
			// The expression sees nothing there, and the failure overrides its result.
			s.failed = AsFailure(err)
			return nil, false
		}
		return v, true
	case "context":
		return s.context(), true
	case "execution":
		if s.result != nil && s.result.Outcome != nil {
			return execution(s.result.Outcome), true
		}
	case "failure":
		if s.result != nil && s.result.Failure != nil {
			return failure(s.result.Failure), true
		}
	}
	return nil, false
}

func (s *Scope) context() any {
	o := jsonata.NewObject(6)
	o.Set("route", s.delivery.Route.Name)
	o.Set("requestId", s.delivery.RequestID)
	o.Set("traceId", s.traceID)
	if w3cRoot(s.delivery.TraceParent) != "" {
		o.Set("traceparent", s.delivery.TraceParent)
	}
	o.Set("receivedAt", s.delivery.ReceivedAt.UTC().Format("2006-01-02T15:04:05.000Z"))
	o.Set("remainingTime", float64(s.deadline.Sub(s.bridge.now()).Milliseconds()))
	return o
}

func execution(out *Outcome) any {
	o := jsonata.NewObject(8)
	o.Set("name", out.Name)
	o.Set("arn", out.ExecutionARN)
	if out.StateMachineARN != "" {
		o.Set("stateMachineArn", out.StateMachineARN)
	}
	o.Set("status", string(out.Status))
	if len(out.Output) > 0 {
		o.Set("output", jsonata.NewRaw(out.Output))
	}
	const layout = "2006-01-02T15:04:05.000Z"
	o.Set("startDate", out.StartDate.UTC().Format(layout))
	if !out.StopDate.IsZero() {
		o.Set("stopDate", out.StopDate.UTC().Format(layout))
		billing := jsonata.NewObject(2)
		billing.Set("billedDurationInMilliseconds", float64(out.BilledDuration.Milliseconds()))
		billing.Set("billedMemoryUsedInMB", float64(out.BilledMemoryMB))
		o.Set("billing", billing)
	}
	return o
}

func failure(f *Failure) any {
	o := jsonata.NewObject(3)
	o.Set("error", f.Name)
	o.Set("cause", f.Cause)
	if f.Outcome != nil {
		o.Set("execution", execution(f.Outcome))
	}
	return o
}
