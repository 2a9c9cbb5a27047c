package bridge

import (
	"context"
	"log/slog"
	"slices"
	"strings"
)

// A Settlement says how an adapter settled a [Result].
type Settlement struct {
	// Final means that the delivery has ended: a duplicate starts no execution and is
	// given Answer. It is false if the sender is asked to deliver again, and for a dead
	// letter, which must run after somebody has corrected it and put it back.
	Final bool
	// Answer returns what duplicates of the delivery are answered. It is called only if a
	// store keeps the answer; nil means null.
	Answer func() []byte
	// Beside, if not nil, is called once, after Answer, at the same time as the store's
	// write: it does the remaining work for the answer. Settle returns when both have
	// ended.
	Beside func()
	// Then is what happens to a record or event that failed: retry, discard or
	// dead-letter. It is empty for HTTP requests.
	Then string
	// Attrs are the adapter's attributes of the log line, in addition to the delivery's
	// own: ids and counts, no payload.
	Attrs []slog.Attr
}

// An Observer is notified of every delivery once, when it is settled; pkg/metrics is one.
// Implementations are safe for concurrent use.
type Observer interface {
	// Begin is called at the start of an invocation, and the function that it returns at
	// its end. The returned context becomes the invocation's.
	Begin(ctx context.Context) (context.Context, func())
	// Settled is called for a delivery of the invocation of ctx.
	Settled(ctx context.Context, d *Delivery, r Result, s Settlement)
	// Rejected is called for an event that never became a delivery: no route, no valid
	// signature, a malformed request. The route may be empty.
	Rejected(ctx context.Context, route, source, errorName string)
}

// A StepObserver is an [Observer] that is also notified of the steps of admission.
type StepObserver interface {
	Observer
	// Step is called when a delivery has taken a step: "dedupe" with the key, "filter"
	// with what the expression yields, "input" with the execution's input, "token" with the
	// task token that it resumes, which is a secret. The value is payload, and must not be
	// changed.
	Step(ctx context.Context, d *Delivery, step string, value any)
}

func (b *Bridge) step(ctx context.Context, d *Delivery, step string, value any) {
	if b.steps != nil {
		b.steps.Step(ctx, d, step, value)
	}
}

// Begin notifies the observer of an invocation. Adapters call it once for each event that
// Lambda passes to them, and call the returned function when they are done.
func (b *Bridge) Begin(ctx context.Context) (context.Context, func()) {
	if b.observer == nil {
		return ctx, func() {}
	}
	return b.observer.Begin(ctx)
}

// Reject notifies the observer of an event that never became a delivery.
func (b *Bridge) Reject(ctx context.Context, route, source, errorName string) {
	if b.observer != nil {
		b.observer.Rejected(ctx, route, source, errorName)
	}
}

// Settle ends a delivery: it completes or frees the dedupe record, notifies the observer,
// and writes the delivery's one log line.
func (b *Bridge) Settle(ctx context.Context, d *Delivery, r Result, s Settlement) {
	b.conclude(ctx, d, r, s)
	if b.observer != nil {
		b.observer.Settled(ctx, d, r, s)
	}
	b.logSettled(ctx, d, r, s)
}

// FilterUndefined is the logged reason, and the metric's name, of a delivery whose filter
// yielded nothing.
const FilterUndefined = "FilterUndefined"

// LogAttrs returns the ids of a delivery for each log line about it: its route and
// origin, the sender's own id, the id that the sender was given for it
// (gatewayRequestId), and the trace. lambdacontext.NewLogger adds Lambda's requestId to
// every line.
func (d *Delivery) LogAttrs() []slog.Attr {
	attrs := append(make([]slog.Attr, 0, len(d.Attrs)+12), d.Attrs...)
	attrs = append(attrs, slog.String("route", d.Route.Name), slog.String("delivery", d.ID))
	if !slices.ContainsFunc(d.Attrs, func(a slog.Attr) bool { return a.Key == "gatewayRequestId" }) {
		attrs = append(attrs, slog.String("gatewayRequestId", d.RequestID))
	}
	return attrs
}

// logSettled writes ids, names and times, and no payload.
func (b *Bridge) logSettled(ctx context.Context, d *Delivery, r Result, s Settlement) {
	attrs := append(d.LogAttrs(), s.Attrs...)
	if r.Scope != nil && r.Scope.traceID != "" {
		attrs = append(attrs, slog.String("traceId", r.Scope.traceID))
	}
	attrs = append(attrs, slog.Float64("durationMs", float64(b.now().Sub(d.ReceivedAt).Microseconds())/1000))
	if s.Then != "" {
		attrs = append(attrs, slog.String("then", s.Then))
	}
	level := slog.LevelInfo
	switch {
	case r.Filtered:
		attrs = append(attrs, slog.Bool("filtered", true))
		if r.FilterUndefined {
			attrs = append(attrs, slog.String("reason", FilterUndefined))
		}
	case r.Answered:
		attrs = append(attrs, slog.Bool("answered", true))
	case r.Accepted != "":
		attrs = append(attrs, slog.String("accepted", r.Accepted))
	case r.Resumed != "":
		attrs = append(attrs, slog.String("resumed", string(r.Resumed)))
	case r.Replayed:
		attrs = append(attrs, slog.Bool("replayed", true))
	case r.Failure != nil:
		level = levelOf(r.Failure)
		attrs = b.appendFailure(attrs, r.Failure)
	}
	if o := r.Outcome; o != nil {
		attrs = append(attrs, slog.String("executionArn", o.ExecutionARN), slog.String("status", string(o.Status)))
		if o.StateMachineARN != "" {
			attrs = append(attrs, slog.String("stateMachineArn", o.StateMachineARN))
		}
		if o.OutputWithheld {
			attrs = append(attrs, slog.Bool("outputWithheld", true))
		}
	}
	// As b.log.LogAttrs does, without looking up the line of the source, which is always this
	// one: that takes as long as the rest.
	if h := b.log.Handler(); h.Enabled(ctx, level) {
		line := slog.NewRecord(b.now(), level, "delivery settled", 0)
		line.AddAttrs(attrs...)
		_ = h.Handle(ctx, line)
	}
}

func levelOf(f *Failure) slog.Level {
	switch f.Name {
	case Internal, Misconfigured:
		return slog.LevelError
	}
	return slog.LevelWarn
}

func (b *Bridge) appendFailure(attrs []slog.Attr, f *Failure) []slog.Attr {
	attrs = append(attrs, slog.String("error", f.Name))
	if c := f.Class(); c != Settled || f.Name == BadResponse {
		attrs = append(attrs, slog.String("class", c.String()), slog.String("reason", reason(f)))
	}
	for _, a := range []slog.Attr{
		// Only these are known of an execution that may still be running.
		slog.String("stateMachineArn", f.StateMachineARN), slog.String("executionName", f.ExecutionName),
	} {
		if a.Value.String() != "" {
			attrs = append(attrs, a)
		}
	}
	if !b.causes {
		return attrs
	}
	if cause := f.shownCause(); cause != "" {
		attrs = append(attrs, slog.String("cause", cause))
	}
	if state := f.State(); state != "" {
		attrs = append(attrs, slog.String("state", state))
	}
	return attrs
}

// reason returns the failure's text without its name, which has its own attribute.
func reason(f *Failure) string {
	return strings.TrimPrefix(strings.TrimPrefix(f.Error(), f.Name), ": ")
}
