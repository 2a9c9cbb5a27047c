package bridge

import (
	"context"
	"log/slog"
	"strings"
)

// A Settlement is what an adapter made of a [Result].
type Settlement struct {
	// Final says that the delivery has come to its end: a duplicate starts nothing and is
	// given Answer. It is false when the sender is asked to deliver again, and for a dead
	// letter, which a person mends and puts back: that must run.
	Final bool
	// Answer returns what duplicates of the delivery are answered. It is called only
	// where something keeps it; nil keeps null.
	Answer func() []byte
	// Then is what became of a record or event that failed: retry, discard or
	// dead-letter. It is empty elsewhere.
	Then string
	// Attrs are the adapter's part of the log line: ids and counts, no payload.
	Attrs []slog.Attr
}

// An Observer hears of every delivery once, when it is settled; pkg/metrics is one.
// Implementations are safe for concurrent use.
type Observer interface {
	// Begin is called at the start of an invocation, and the function that it returns
	// at its end. The context is the invocation's from then on.
	Begin(ctx context.Context) (context.Context, func())
	// Settled is called for a delivery of the invocation of ctx.
	Settled(ctx context.Context, d *Delivery, r Result, s Settlement)
	// Rejected is called for what never became a delivery: no route, no valid
	// signature, a malformed request. The route may be empty.
	Rejected(ctx context.Context, route, source, errorName string)
}

// A StepObserver is an [Observer] that is also notified of what admission decides.
type StepObserver interface {
	Observer
	// Step is called when a delivery has taken a step: "dedupe" with the key, "filter"
	// with what the expression yields, "input" with the execution's input. The value is
	// payload, and must not be changed.
	Step(ctx context.Context, d *Delivery, step string, value any)
}

func (b *Bridge) step(ctx context.Context, d *Delivery, step string, value any) {
	if b.steps != nil {
		b.steps.Step(ctx, d, step, value)
	}
}

// Begin tells the observer of an invocation. Adapters call it once for each event that
// Lambda hands them, and the returned function when they are done.
func (b *Bridge) Begin(ctx context.Context) (context.Context, func()) {
	if b.observer == nil {
		return ctx, func() {}
	}
	return b.observer.Begin(ctx)
}

// Reject tells the observer of something that never became a delivery.
func (b *Bridge) Reject(ctx context.Context, route, source, errorName string) {
	if b.observer != nil {
		b.observer.Rejected(ctx, route, source, errorName)
	}
}

// Settle ends a delivery: it concludes the dedupe record, tells the observer, and
// writes the one line that a settled delivery gets in the log.
func (b *Bridge) Settle(ctx context.Context, d *Delivery, r Result, s Settlement) {
	b.conclude(ctx, d, r, s)
	if b.observer != nil {
		b.observer.Settled(ctx, d, r, s)
	}
	b.logSettled(ctx, d, r, s)
}

// logSettled writes ids, names and times, and nothing of what was delivered.
func (b *Bridge) logSettled(ctx context.Context, d *Delivery, r Result, s Settlement) {
	attrs := append(s.Attrs[:len(s.Attrs):len(s.Attrs)],
		slog.String("route", d.Route.Name),
		slog.String("delivery", d.ID),
		slog.Float64("durationMs", float64(b.now().Sub(d.ReceivedAt).Microseconds())/1000),
	)
	if s.Then != "" {
		attrs = append(attrs, slog.String("then", s.Then))
	}
	level := slog.LevelInfo
	switch {
	case r.Filtered:
		attrs = append(attrs, slog.Bool("filtered", true))
	case r.Answered:
		attrs = append(attrs, slog.Bool("answered", true))
	case r.Replayed:
		attrs = append(attrs, slog.Bool("replayed", true))
	case r.Failure != nil:
		level = slog.LevelWarn
		attrs = append(attrs, slog.String("error", r.Failure.Name))
		if c := r.Failure.Class(); c != Settled || r.Failure.Name == BadResponse {
			attrs = append(attrs, slog.String("class", c.String()), slog.String("reason", reason(r.Failure)))
		}
		switch r.Failure.Name {
		case Internal, Misconfigured:
			level = slog.LevelError
		}
	}
	if o := r.Outcome; o != nil {
		attrs = append(attrs, slog.String("executionArn", o.ExecutionARN), slog.String("status", string(o.Status)))
	}
	b.log.LogAttrs(ctx, level, "delivery settled", attrs...)
}

// reason is the failure's text without its name, which stands beside it.
func reason(f *Failure) string {
	return strings.TrimPrefix(strings.TrimPrefix(f.Error(), f.Name), ": ")
}
