// Package sqsbatch runs an execution for each record of an SQS batch, and reports
// exactly the records that the queue must deliver again.
//
// Records run side by side, up to the route's concurrency. On a FIFO queue the
// message groups run side by side and each group in its order; after a failure the
// rest of the group is reported failed and not started. Shortly before Lambda's
// deadline it stops waiting, and reports what has not finished: what is not
// reported is deleted from the queue, so nothing is left out that is not known to
// be settled.
//
// The event source mapping must have ReportBatchItemFailures among its
// FunctionResponseTypes; without it Lambda deletes the whole batch.
package sqsbatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// guard is how long before Lambda's deadline the batch stops waiting. It is less
// than the bridge's own margin, so that an execution that the bridge gives up on
// in time is still told apart from one that hangs.
const guard = 250 * time.Millisecond

// A Batch runs the batches of all SQS routes. It is safe for concurrent use.
type Batch struct {
	routes []*config.Route
	bridge *bridge.Bridge
	log    *slog.Logger
}

// New prepares the SQS routes of a configuration.
func New(routes []*config.Route, b *bridge.Bridge, log *slog.Logger) *Batch {
	batch := &Batch{bridge: b, log: log}
	for _, r := range routes {
		if r.SQS != nil {
			batch.routes = append(batch.routes, r)
		}
	}
	return batch
}

// Invoke runs one batch and returns the partial batch response,
// {"batchItemFailures":[{"itemIdentifier":"…"}]}. It implements lambda.Handler of
// aws-lambda-go. An error, which makes Lambda retry the whole batch, is returned
// only for an event whose records cannot be told apart.
func (b *Batch) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	records, err := decode(payload)
	if err != nil {
		return nil, err
	}
	ctx, end := b.bridge.Begin(ctx)
	defer end()
	t := newTally(len(records))
	waitCtx, cancel := b.guarded(ctx)
	defer cancel()
	var running sync.WaitGroup
	limits := map[*config.Route]chan struct{}{}
	for _, group := range groups(records) {
		route := b.route(group[0])
		if limits[route] == nil {
			limits[route] = make(chan struct{}, concurrency(route))
		}
		limit := limits[route]
		running.Go(func() { b.runGroup(ctx, waitCtx, route, group, limit, t) })
	}
	finished := make(chan struct{})
	go func() {
		running.Wait()
		close(finished)
	}()
	select {
	case <-finished:
	case <-waitCtx.Done():
		b.log.LogAttrs(ctx, slog.LevelWarn, "deadline near: unfinished records are reported failed")
	}
	return t.response(records)
}

func (b *Batch) guarded(ctx context.Context) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(ctx, deadline.Add(-guard))
	}
	return context.WithCancel(ctx)
}

func concurrency(route *config.Route) int {
	if route == nil {
		return 1
	}
	return route.SQS.Concurrency
}

// runGroup runs records one after the other until one fails.
func (b *Batch) runGroup(ctx, waitCtx context.Context, route *config.Route, group []*record, limit chan struct{}, t *tally) {
	select {
	case limit <- struct{}{}:
		defer func() { <-limit }()
	case <-waitCtx.Done():
		return
	}
	for _, rec := range group {
		if waitCtx.Err() != nil || !b.runRecord(ctx, route, rec) {
			return
		}
		t.settle(rec.index)
	}
}

// runRecord reports whether the record is settled, and need not come again.
func (b *Batch) runRecord(ctx context.Context, route *config.Route, rec *record) (settled bool) {
	defer func() {
		if p := recover(); p != nil {
			b.log.ErrorContext(ctx, "panic", "reason", fmt.Sprint(p), "stack", string(debug.Stack()))
			settled = false
		}
	}()
	if route == nil {
		b.log.LogAttrs(ctx, slog.LevelError, "record without a route",
			slog.String("error", bridge.NoRoute), slog.String("queue", rec.queue), slog.String("delivery", rec.id))
		return false
	}
	d := &bridge.Delivery{
		Route:      &route.Route,
		ID:         rec.id,
		RequestID:  rec.id,
		Kind:       "message",
		Document:   rec.document,
		ReceivedAt: b.bridge.Now(),
		Fingerprint: func() []byte {
			body, _ := member(rec.object, "body").(string)
			return []byte(body)
		},
	}
	if route.SQS.Trace == config.TraceRecord {
		d.TraceHeader = rec.attribute("AWSTraceHeader")
	}
	result := b.bridge.Run(ctx, d)
	then := config.ThenNothing
	if result.Failure != nil {
		then = route.Then(result.Failure.Name)
	}
	settled = result.Failure == nil || then == config.ThenDiscard
	b.bridge.Settle(ctx, d, result, bridge.Settlement{
		Final: settled,
		Then:  string(then),
		Attrs: []slog.Attr{slog.String("queue", rec.queue), slog.Int("receiveCount", rec.receiveCount())},
	})
	return settled
}

// route finds the first route whose queue pattern matches the record's queue.
func (b *Batch) route(rec *record) *config.Route {
	for _, r := range b.routes {
		subject := rec.queue
		if strings.HasPrefix(r.SQS.Queue, "arn:") {
			subject = rec.queueARN
		}
		if config.Wildcard(r.SQS.Queue, subject) {
			return r
		}
	}
	return nil
}

// A tally counts what is settled. Records that are still running when the batch is
// reported may settle later; the response no longer changes.
type tally struct {
	mu      sync.Mutex
	settled []bool
}

func newTally(n int) *tally { return &tally{settled: make([]bool, n)} }

func (t *tally) settle(i int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settled[i] = true
}

func (t *tally) response(records []*record) ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	failures := []any{}
	for i, rec := range records {
		if !t.settled[i] {
			item := jsonata.NewObject(1)
			item.Set("itemIdentifier", rec.id)
			failures = append(failures, item)
		}
	}
	o := jsonata.NewObject(1)
	o.Set("batchItemFailures", failures)
	return jsonata.AppendJSON(nil, o)
}

// ErrNoBatch is an event that is no SQS batch.
var ErrNoBatch = errors.New("the event is no SQS batch")
