package sqsbatch

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// runUnit runs one execution, records what happened to each record, and reports whether
// all are settled.
func (b *Batch) runUnit(ctx, waitCtx context.Context, route *config.Route, u unit, t *tally) (settled bool) {
	noted := false
	defer func() {
		for _, rec := range u {
			rec.release()
		}
	}()
	defer func() {
		if p := recover(); p != nil {
			b.log.ErrorContext(ctx, "panic", "reason", fmt.Sprint(p), "stack", string(debug.Stack()),
				"route", route.Name, "queue", u[0].queue, "delivery", u[0].id)
			if !noted {
				settled = t.end(u, unknownFates(len(u)))
			}
		}
	}()
	d := b.delivery(route, u)
	begun := b.bridge.Now()
	result := b.run(ctx, route, u, d)
	b.feedBack(ctx, route, begun, result)
	if f := result.Failure; f != nil && len(u) > 1 && divisible(f) {
		noted = true
		return b.runHalves(ctx, waitCtx, route, u, t)
	}
	partial := -1
	var fates []fate
	if route.SQS.Batch && result.Failure == nil && result.Outcome != nil {
		fates, partial = b.partial(u, &result)
	}
	if partial < 0 {
		fates = make([]fate, len(u))
	}
	then := b.settleRecords(waitCtx, d, route, u, result, fates, partial)
	// A record that is known to have ended stays so, even if time runs out below.
	settled, noted = t.end(u, fates), true
	attrs := []slog.Attr{slog.Int("receiveCount", u[0].receiveCount())}
	if route.SQS.Batch {
		attrs = append(attrs, slog.Int("records", len(u)))
		if partial > 0 {
			attrs = append(attrs, slog.Int("failedRecords", partial))
		}
	}
	b.bridge.Settle(ctx, d, result, bridge.Settlement{Final: settled && then != config.ThenDeadLetter, Then: string(then), Attrs: attrs})
	return settled
}

// unknownFates returns the fates of records for which an execution may or may not be
// running.
func unknownFates(n int) []fate {
	fates := make([]fate, n)
	for i := range fates {
		fates[i].held = true
		fates[i].name = bridge.Internal
	}
	return fates
}

// run hands the unit to the bridge, unless it failed before.
func (b *Batch) run(ctx context.Context, route *config.Route, u unit, d *bridge.Delivery) bridge.Result {
	if len(u) == 1 {
		if u[0].testEvent(route) {
			return bridge.Result{Filtered: true}
		}
		if f := u[0].precheck(route); f != nil {
			return bridge.Result{Failure: f}
		}
	}
	return b.bridge.Run(ctx, d)
}

func (b *Batch) delivery(route *config.Route, u unit) *bridge.Delivery {
	first := u[0]
	if first.enveloped {
		return b.acceptedDelivery(route, first)
	}
	d := &bridge.Delivery{
		Route:      &route.Route,
		ID:         first.id,
		RequestID:  first.id,
		Kind:       "message",
		Attrs:      []slog.Attr{slog.String("queue", first.queue)},
		Document:   func() (any, error) { return first.document(route) },
		ReceivedAt: b.bridge.Now(),
	}
	for _, rec := range u {
		if header := rec.attribute("AWSTraceHeader"); header != "" {
			d.TraceLinks = append(d.TraceLinks, header)
		}
	}
	if route.SQS.Batch {
		d.Kind = "messages"
		d.Document = func() (any, error) { return u.document(route) }
		return d
	}
	if first.readable {
		d.Fingerprint = func() []byte { return first.fingerprint(route) }
	}
	if route.SQS.Trace != config.TraceInvocation {
		d.TraceHeader = first.attribute("AWSTraceHeader")
	}
	return d
}

// document makes $messages.
func (u unit) document(route *config.Route) (any, error) {
	list := make([]any, len(u))
	for i, rec := range u {
		message, err := rec.document(route)
		if err != nil {
			return nil, err
		}
		list[i] = message
	}
	return list, nil
}

// feedBack reports to the route's pace how the service handled the start.
func (b *Batch) feedBack(ctx context.Context, route *config.Route, begun time.Time, r bridge.Result) {
	p := b.paces[route]
	switch {
	case r.Failure != nil && r.Outcome == nil && r.Failure.Name == bridge.Throttled:
		if limit, cut := p.throttled(begun, r.Failure.RetryAfter); cut {
			b.log.LogAttrs(ctx, slog.LevelWarn, "throttled: slowing down",
				slog.String("route", route.Name), slog.Int("concurrency", limit))
		}
	case r.Failure != nil && r.Outcome == nil && r.Failure.Name == bridge.Deadline:
		p.gaveUp(b.bridge.Now().Sub(begun))
	case r.Outcome != nil:
		p.ran(b.bridge.Now().Sub(begun))
	}
}

// divisible reports whether nothing has run and fewer records might succeed: the input is
// smaller then, and an expression that fails on one record only fails for that record.
func divisible(f *bridge.Failure) bool {
	return f.Outcome == nil && (f.Name == bridge.InputTooLarge || f.Name == bridge.ExpressionFailed)
}

// runHalves runs a unit for which nothing was started as two units. In a group, the
// second waits for the first.
func (b *Batch) runHalves(ctx, waitCtx context.Context, route *config.Route, u unit, t *tally) (settled bool) {
	first, second := u[:len(u)/2], u[len(u)/2:]
	t.begin(first, nil)
	t.end(second, make([]fate, len(second))) // not begun yet
	settled = b.runUnit(ctx, waitCtx, route, first, t)
	switch {
	case !settled && u[0].fifo():
		t.follow(first, []unit{second})
		return false
	case waitCtx.Err() != nil:
		return false
	}
	t.begin(second, nil)
	return b.runUnit(ctx, waitCtx, route, second, t) && settled
}

// partial reads which records the workflow says have failed, as a Lambda function would:
// {"batchItemFailures": [{"itemIdentifier": "…"}]}. It returns no fates and -1 if the
// output does not list any, so that the outcome applies to all records. If the list is
// not one of the execution's records, all of them are retried.
func (b *Batch) partial(u unit, r *bridge.Result) ([]fate, int) {
	output, err := jsonata.Decode(r.Outcome.Output)
	o, ok := output.(*jsonata.Object)
	if err != nil || !ok {
		return nil, -1
	}
	listed, ok := o.Get("batchItemFailures")
	if !ok || listed == nil {
		return nil, -1
	}
	at := make(map[string][]int, len(u))
	for i, rec := range u {
		at[rec.id] = append(at[rec.id], i)
	}
	fates := make([]fate, len(u))
	for i := range fates {
		fates[i].settled = true
	}
	items, ok := listed.([]any)
	failed := 0
	for _, item := range items {
		failure, _ := item.(*jsonata.Object)
		indexes := at[failure.Text("itemIdentifier")]
		ok = ok && len(indexes) > 0
		for _, i := range indexes {
			if fates[i].settled {
				failed++
			}
			fates[i].settled = false
		}
	}
	if !ok {
		r.Failure = &bridge.Failure{
			Name:    bridge.BadResponse,
			Cause:   "batchItemFailures of the output is not a list of itemIdentifiers that the execution was given",
			Outcome: r.Outcome,
		}
		return nil, -1
	}
	return fates, failed
}

// partialFailure names the failure that the workflow reported for records in its output.
const partialFailure = "BatchItemFailures"

// settleRecords handles the unit's records as the result requires, fills in their fates,
// and returns what it did. If the fates are already known, partial is not negative.
func (b *Batch) settleRecords(waitCtx context.Context, d *bridge.Delivery, route *config.Route, u unit, r bridge.Result, fates []fate, partial int) config.Then {
	if partial > 0 {
		for i := range fates {
			fates[i].name = partialFailure
		}
		return config.ThenRetry
	}
	if partial == 0 || r.Failure == nil {
		for i := range fates {
			fates[i].settled = true
		}
		return config.ThenNothing
	}
	then := route.Then(r.Failure)
	if then == config.ThenDeadLetter && !b.deadLetter(waitCtx, d, route, u, r.Failure, fates) {
		then = config.ThenRetry
	}
	for i := range fates {
		if then == config.ThenDiscard {
			fates[i].settled = true
		}
		fates[i].held = r.Failure.Class() == bridge.Ambiguous
		fates[i].least = r.Failure.RetryAfter
		fates[i].claimed = r.Failure.ClaimedUntil
		fates[i].name = r.Failure.Name
	}
	return then
}
