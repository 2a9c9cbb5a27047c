package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// margin is subtracted from the platform's deadline, to leave time for settling: an
// answer that is not ready before Lambda stops the function never reaches the sender.
const margin = 500 * time.Millisecond

// A Route says what a delivery starts.
type Route struct {
	// Name is unique; it is in logs, metrics and execution names.
	Name string
	// StateMachine is an ARN (perhaps of a version or an alias), or the name of a
	// state machine in the function's own account and region.
	StateMachine string
	// Answer means that no execution is started: the adapter answers the deliveries that
	// pass the filter.
	Answer bool
	// Async starts an execution without waiting for its end.
	Async bool
	// Timeout bounds the wait; zero leaves the bound to the platform.
	Timeout time.Duration
	// Filter, if it is set, must yield true for an execution to start.
	Filter *Template
	// MetadataOnly asks the service to withhold the execution's output and cause, for
	// state machines that are encrypted with a customer's key.
	MetadataOnly bool
	// Input makes the execution's input; nil means [Delivery.DefaultInput].
	Input *Template
	// Resume completes a waiting task, and starts nothing; nil for a route that starts.
	Resume *Resume
	// Dedupe, if it is set, lets equal deliveries start only one execution.
	Dedupe *Dedupe
	// Queue, if not nil, takes the deliveries that pass; the executions are started later,
	// by the function that reads the queue.
	Queue *Queue
	// Offload, if not nil, takes the inputs that are too large for an execution.
	Offload *Offload
}

// A Delivery is a request, a message or an event that is to start one execution.
type Delivery struct {
	Route *Route
	// ID is the sender's own id of the delivery; RequestID the platform's.
	ID, RequestID string
	// Kind names the variable that expressions use for the delivery: request, message,
	// messages or event.
	Kind string
	// Attrs are added to each log line about the delivery and say where it came from,
	// such as the queue or the source. They hold no payload.
	Attrs []slog.Attr
	// Document makes the value of that variable. It is called at most once, and only when
	// the value is needed.
	Document func() (any, error)
	// DefaultInput makes the input of a route that names none; nil means Document.
	DefaultInput func() (any, error)
	// Redact is called with a secret that DefaultInput must leave out; may be nil.
	Redact func(secret string)
	// Fingerprint returns what must be equal in deliveries with one dedupe key: the
	// body's bytes. Nil compares nothing.
	Fingerprint func() []byte
	// Accepted means that a queue took the delivery before it came here. Its key was made
	// at that time: Key is the dedupe record, or nil for a delivery without one.
	Accepted bool
	Key      *EnvelopeKey
	// TraceHeader is the delivery's own X-Ray trace header, if it has one that takes
	// precedence over the context's.
	TraceHeader string
	// FallbackTrace is an X-Ray trace header that the delivery only passes on; it is used
	// after the context's.
	FallbackTrace string
	// TraceParent is the W3C traceparent that came with the delivery, as received; it
	// is used last, and only if it is valid.
	TraceParent string
	// TraceLinks are the X-Ray trace headers of the messages that the delivery was made
	// of, for observers that link traces.
	TraceLinks []string
	ReceivedAt time.Time
}

// A Result describes the end of a delivery: exactly one of Filtered, Answered, Accepted,
// Resumed, Replayed, Failure,
// or an Outcome with a status of Succeeded or Running.
type Result struct {
	// Filtered says that the route's filter was not true. FilterUndefined says in
	// addition that it yielded nothing, as an expression does whose path does not exist.
	Filtered, FilterUndefined bool
	// Answered means that the route starts no execution, and the adapter has the answer.
	Answered bool
	// Accepted is the id of the message in which the route's queue has the delivery.
	Accepted string
	// Resumed is what was done to a waiting task; empty if the route starts an execution.
	Resumed Action
	// Replayed says that an equal delivery was answered before, with Replay.
	Replayed bool
	Replay   []byte
	Outcome  *Outcome
	Failure  *Failure
	// Scope evaluates the expressions of an answer, which can use $execution and
	// $failure.
	Scope *Scope

	claim *Claim
}

// ErrorName returns the failure's name, or "".
func (r Result) ErrorName() string {
	if r.Failure == nil {
		return ""
	}
	return r.Failure.Name
}

// A Bridge admits deliveries and starts executions. It is safe for concurrent use.
type Bridge struct {
	starter   Starter
	now       func() time.Time
	log       *slog.Logger
	dedupe    DedupeStore
	resumer   Resumer
	acceptor  Acceptor
	offloader Offloader
	waits     WaitTable
	observer  Observer
	steps     StepObserver // the observer, if it implements StepObserver
	causes    bool
}

// Options are the parts of a [Bridge] that it can do without. The zero value has the
// defaults.
type Options struct {
	// Log takes a line for each delivery; nil discards it.
	Log *slog.Logger
	// Now is the clock; nil is [time.Now].
	Now func() time.Time
	// Dedupe is the store of the routes that have a [Dedupe]. Without it, a delivery to
	// one of them fails with [Misconfigured].
	Dedupe DedupeStore
	// Resumer completes the waiting tasks of the routes that have a [Resume]. Without it,
	// their deliveries fail with [Misconfigured].
	Resumer Resumer
	// WaitTable is where a [Lookup] looks. Without it, deliveries to routes that have one
	// fail with [Misconfigured].
	WaitTable WaitTable
	// Acceptor takes the deliveries of the routes that have a [Queue]. Without it, they
	// fail with [Misconfigured].
	Acceptor Acceptor
	// Offloader stores the large inputs of routes with an [Offload]. Without it,
	// their deliveries fail with [Misconfigured].
	Offloader Offloader
	// Observer is notified of every delivery; nil means none.
	Observer Observer
	// LogCauses writes the first 1,024 bytes of a failed workflow's cause, and the state
	// that failed, into the line of a settled delivery. A cause may hold payload, so the
	// default is not to.
	LogCauses bool
}

// New returns a Bridge. Without a starter, every start fails with [Misconfigured].
func New(starter Starter, o Options) *Bridge {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if starter == nil {
		starter = noStarter{}
	}
	b := &Bridge{
		starter: starter, now: o.Now, log: o.Log, dedupe: o.Dedupe, resumer: o.Resumer, acceptor: o.Acceptor,
		offloader: o.Offloader, waits: o.WaitTable, observer: o.Observer, causes: o.LogCauses,
	}
	b.steps, _ = o.Observer.(StepObserver)
	return b
}

// noStarter replaces a nil Starter.
type noStarter struct{}

func (noStarter) StartSync(context.Context, Start) (Outcome, error) {
	return Outcome{}, NewFailure(Misconfigured, "the bridge has no Starter", nil)
}

func (s noStarter) Start(ctx context.Context, start Start) (Outcome, error) {
	return s.StartSync(ctx, start)
}

// Now returns the time of the clock in [Options].
func (b *Bridge) Now() time.Time { return b.now() }

// Run takes a delivery from its dedupe key to the end of its execution. Whatever goes
// wrong is the result's Failure; a panic is [Internal]. The adapter passes the result,
// and its own answer to it, to [Bridge.Settle].
func (b *Bridge) Run(ctx context.Context, d *Delivery) (r Result) {
	ctx, cancel := b.withDeadline(ctx, d.Route)
	defer cancel()
	scope := newScope(ctx, b, d)
	var claim *Claim
	defer func() {
		if p := recover(); p != nil {
			f := NewFailure(Internal, "panic", fmt.Errorf("%v\n%s", p, debug.Stack()))
			r = Result{Failure: f}
		}
		r.Scope, r.claim = scope, claim
		scope.settle(r)
	}()
	claim, end := b.claim(ctx, d, scope)
	if end != nil {
		return *end
	}
	return b.attempt(ctx, d, scope)
}

// attempt filters, builds the input, starts, and names the outcome.
func (b *Bridge) attempt(ctx context.Context, d *Delivery, scope *Scope) Result {
	if d.Route.Filter != nil {
		if pass, r := b.filter(ctx, d, scope); !pass {
			return r
		}
	}
	switch {
	case d.Route.Answer:
		return Result{Answered: true}
	case d.Route.Resume != nil:
		return b.resume(ctx, d, scope)
	}
	input, err := b.input(ctx, d, scope)
	if err == nil && len(input) > MaxInput {
		input, err = b.offload(ctx, d, input)
	}
	if err != nil {
		return Result{Failure: unstarted(ctx, err)}
	}
	b.step(ctx, d, "input", input)
	if d.Route.Queue != nil {
		return b.accept(ctx, d, scope, input)
	}
	start := Start{
		Route:           d.Route.Name,
		StateMachineARN: d.Route.StateMachine,
		Name:            executionName(d.Route.Name, d.ID),
		Input:           input,
		MetadataOnly:    d.Route.MetadataOnly,
		TraceHeader:     d.TraceHeader,
		FallbackTrace:   d.FallbackTrace,
		TraceParent:     d.TraceParent,
	}
	run := b.starter.StartSync
	if d.Route.Async {
		run = b.starter.Start
	}
	outcome, err := run(ctx, start)
	if err != nil {
		return Result{Failure: AsFailure(err)}
	}
	switch outcome.Status {
	case Succeeded:
		if len(outcome.Output) > 0 && jsonata.Valid(outcome.Output) != nil {
			return Result{Failure: NewFailure(Unknown, "the execution's output is not JSON", nil)}
		}
		return Result{Outcome: &outcome}
	case Running:
		return Result{Outcome: &outcome}
	case TimedOut:
		// The service names it too, but the name is fixed by the status.
		return Result{Outcome: &outcome, Failure: &Failure{Name: StatesTimeout, Cause: outcome.Cause, Outcome: &outcome}}
	case Failed:
		name := outcome.Error
		if name == "" {
			// A Fail state needs no Error; the States Language then has no name for it.
			name = "States.Failed"
		}
		return Result{Outcome: &outcome, Failure: &Failure{Name: name, Cause: outcome.Cause, Outcome: &outcome}}
	}
	return Result{Failure: NewFailure(Unknown, "the service answered without a documented status", nil)}
}

// filter reports whether a delivery passes, and the result if it does not. A filter
// yields true or false. If it yields nothing, the delivery does not pass, and the result
// says so. Any other value is a mistake that would lose every delivery.
func (b *Bridge) filter(ctx context.Context, d *Delivery, scope *Scope) (pass bool, r Result) {
	t := d.Route.Filter
	v, err := t.evalOptional(ctx, scope)
	if err != nil {
		return false, Result{Failure: unstarted(ctx, err)}
	}
	b.step(ctx, d, "filter", v)
	v = jsonata.Force(v)
	if pass, ok := v.(bool); ok {
		return pass, Result{Filtered: true}
	}
	if v == jsonata.Undefined {
		return false, Result{Filtered: true, FilterUndefined: true}
	}
	return false, Result{Failure: NewFailure(ExpressionFailed, t.place()+": yields "+kindOf(v)+", and a filter must yield true or false", nil)}
}

// kindOf names the type of a value, for messages that must not show it.
func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "a string"
	case json.Number, float64, int, int64:
		return "a number"
	case []any:
		return "an array"
	case *jsonata.Object:
		return "an object"
	}
	return "a value of another type"
}

// unstarted returns the failure of an expression that a start needs. An expression that
// was only cut off, by the deadline or by its own time limit, may well succeed at the
// next attempt, so the sender is asked to retry, and no record is dead-lettered.
func unstarted(ctx context.Context, err error) *Failure {
	f := AsFailure(err)
	if f.Name == ExpressionFailed && (ctx.Err() != nil || errors.Is(f, jsonata.ErrTime)) {
		return NewFailure(Unavailable, "time ran out before anything was sent", f)
	}
	return f
}

func (b *Bridge) withDeadline(ctx context.Context, route *Route) (context.Context, context.CancelFunc) {
	wait := MaxWait
	limit := route.Timeout
	if route.Queue != nil {
		limit = route.Queue.Within
	}
	if limit > 0 {
		wait = min(wait, limit)
	}
	if deadline, ok := ctx.Deadline(); ok {
		wait = min(wait, deadline.Sub(b.now())-margin)
	}
	return context.WithTimeout(ctx, max(wait, 0))
}

func (b *Bridge) input(ctx context.Context, d *Delivery, scope *Scope) (json.RawMessage, error) {
	return b.value(ctx, d, scope, d.Route.Input, "input")
}

// value evaluates a template to JSON text that Step Functions accepts; a nil template
// means [Delivery.DefaultInput].
func (b *Bridge) value(ctx context.Context, d *Delivery, scope *Scope, t *Template, place string) (json.RawMessage, error) {
	var v any
	var err error
	switch {
	case t != nil:
		v, err = t.Eval(ctx, scope)
	case d.DefaultInput != nil:
		v, err = d.DefaultInput()
	default:
		v, err = scope.document()
	}
	if err != nil {
		return nil, err
	}
	text, err := encode(v, place)
	if err != nil {
		return nil, err
	}
	if len(text) > MaxInput && !(place == "input" && d.Route.Offload != nil) {
		cure := ""
		if place == "input" {
			cure = ": pass on less with input, or set offload on the route"
		}
		return nil, NewFailure(InputTooLarge, fmt.Sprintf("the %s has %d bytes, and Step Functions takes at most %d%s", place, len(text), MaxInput, cure), nil)
	}
	return text, nil
}

// encode writes a value as JSON; a value that JSON cannot hold is a failed expression.
func encode(v any, place string) (json.RawMessage, error) {
	if raw, ok := v.(*jsonata.Raw); ok {
		return raw.Text(), nil
	}
	text, err := jsonata.AppendJSON(nil, v)
	if err != nil {
		return nil, NewFailure(ExpressionFailed, place+": yields a value that JSON cannot hold", nil)
	}
	return text, nil
}

// executionName returns route-id in the characters that Step Functions can log, cut to
// the 80 that it accepts. Executions with equal names are still separate executions.
func executionName(route, id string) string {
	name := []byte(route)
	if id != "" {
		name = append(append(name, '-'), id...)
	}
	for i, c := range name {
		ok := c == '-' || c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !ok {
			name[i] = '-'
		}
	}
	return string(name[:min(len(name), 80)])
}
