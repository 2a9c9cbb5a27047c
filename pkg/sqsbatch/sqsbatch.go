// Package sqsbatch runs an execution for each record of an SQS batch, and reports
// exactly the records that the queue must deliver again.
//
//	records ─► lanes ─► units ─► gate ─► bridge ─► settle ─► tally ─► report
//
// A lane holds the records that must run in order: those of a message group in a FIFO
// queue. Lanes run side by side, and stop at the first record that is not settled: the rest
// of the group is reported and not started. A unit holds the records of one execution: one
// record, or many with batch: true. The gate enforces the route's concurrency, and a lower
// one after the service has throttled a start. A record is settled if its execution
// succeeded, if the route discards its failure, or if the dead-letter queue has accepted
// it; whatever is not settled is reported, and so delivered again.
//
// Shortly before Lambda's deadline the batch stops waiting, and reports what has not
// finished: whatever is not reported is deleted from the queue, so only records that are
// known to be settled are left out.
//
// The event source mapping must have ReportBatchItemFailures among its
// FunctionResponseTypes; without it Lambda deletes the whole batch.
//
// The package uses queues through the two operations of [Queues]; pkg/sqsbatch/sqsclient
// implements them on AWS.
package sqsbatch

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/expressway-dev/expressway/internal/sources"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
)

// guard is how long before Lambda's deadline the batch stops waiting. It is less than the
// bridge's own margin, so that an execution that the bridge gives up on can still be
// distinguished from one that hangs.
const guard = 250 * time.Millisecond

// A Batch runs the batches of all SQS routes. It is safe for concurrent use.
type Batch struct {
	routes []*config.Route
	// accepting are the http routes whose deliveries are accepted into a queue.
	accepting []*config.Route
	bridge    *bridge.Bridge
	log       *slog.Logger
	queues    Queues
	random    func() float64
	paces     map[*config.Route]*pace
}

// Options are the optional settings of a [Batch]. The zero value means the defaults.
type Options struct {
	// Log receives what happens to records outside the bridge; nil discards it.
	Log *slog.Logger
	// Queues sends dead letters and changes visibility. Without it, a record that should
	// be dead-lettered is retried, and the queue alone decides when.
	Queues Queues
	// Random is the source of jitter, a number in [0,1); nil is math/rand.
	Random func() float64
}

// New prepares the SQS routes of a configuration. With a nil bridge, every start
// fails as Expressway.Misconfigured.
func New(routes []*config.Route, b *bridge.Bridge, o Options) *Batch {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	if b == nil {
		b = bridge.New(nil, bridge.Options{Log: o.Log})
	}
	batch := &Batch{bridge: b, log: o.Log, queues: o.Queues, random: o.Random, paces: map[*config.Route]*pace{}}
	for _, r := range routes {
		if r != nil && r.SQS != nil {
			batch.routes = append(batch.routes, r)
			batch.paces[r] = newPace(concurrency(r.SQS), b.Now)
		}
		if work := r.Work(); work != nil {
			batch.accepting = append(batch.accepting, work)
			batch.paces[work] = newPace(concurrency(work.SQS), b.Now)
		}
	}
	return batch
}

func concurrency(s *config.SQS) int {
	if s.Concurrency > 0 {
		return s.Concurrency
	}
	return config.DefaultConcurrency
}

// NeedsQueues reports whether a route needs [Options.Queues] because it sends dead letters
// or determines when a record is delivered again.
func NeedsQueues(routes []*config.Route) bool {
	for _, r := range routes {
		if work := r.Work(); work != nil {
			r = work
		}
		if r != nil && r.SQS != nil && (r.SQS.DeadLetterQueue != "" || r.SQS.Retry != nil || r.Dedupe != nil) {
			return true
		}
	}
	return false
}

// Invoke runs one batch and returns the partial batch response,
// {"batchItemFailures":[{"itemIdentifier":"…"}]}. It implements lambda.Handler of
// aws-lambda-go. An error, which makes Lambda retry the whole batch, is a
// messages.InvokeResponse_Error. It is returned for an event that is not a batch of SQS
// records, or whose records cannot be distinguished, with the type Expressway.BadRequest;
// and for a bare array of records from EventBridge Pipes if none was settled, with the
// names of the failures joined by ", ".
func (b *Batch) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	ctx, end := b.bridge.Begin(ctx)
	defer end()
	event, err := decode(payload)
	if err != nil {
		b.bridge.Reject(ctx, "", sources.SQS, bridge.BadRequest)
		b.log.LogAttrs(ctx, slog.LevelError, "event refused",
			slog.String("error", bridge.BadRequest), slog.String("reason", err.Error()))
		return nil, messages.InvokeResponse_Error{Type: bridge.BadRequest, Message: err.Error()}
	}
	records := event.records
	fates := b.runAll(ctx, records)
	b.changeVisibility(ctx, records, fates)
	if names := failedWhole(fates); event.piped && len(names) > 0 {
		name := strings.Join(names, ", ")
		return nil, messages.InvokeResponse_Error{Type: printable(name), Message: printable("every record of the batch failed: " + name)}
	}
	return response(records, fates)
}

// printable replaces the one character that is allowed unescaped in JSON but not in a
// header: aws-lambda-go reports an error to X-Ray in a header, and the name of a workflow's
// failure is untrusted.
func printable(s string) string { return strings.ReplaceAll(clean(s, maxCause), "\x7f", "\uFFFD") }

// runAll runs the records until all have ended or the time is up, and returns their
// fates.
func (b *Batch) runAll(ctx context.Context, records []*record) []fate {
	waitCtx, cancel := guarded(ctx)
	defer cancel()
	t := newTally(len(records))
	var running sync.WaitGroup
	lines := map[*config.Route]*line{}
	for _, l := range b.lanes(records) {
		if l.route == nil {
			b.refuse(ctx, l, t)
			continue
		}
		if lines[l.route] == nil {
			n := &line{gate: &gate{pace: b.paces[l.route]}}
			n.gate.deadline, _ = waitCtx.Deadline()
			lines[l.route] = n
			defer n.gate.close()
		}
		lines[l.route].join(l)
	}
	for route, n := range lines {
		for range min(concurrency(route.SQS), len(n.lanes)) {
			running.Go(func() { b.runLine(ctx, waitCtx, n, t) })
		}
	}
	finished := make(chan struct{})
	go func() {
		running.Wait()
		close(finished)
	}()
	select {
	case <-finished:
	case <-waitCtx.Done():
		b.logUnfinished(ctx, records, t.report())
	}
	return t.report()
}

// logUnfinished names the records for which time has run out, because the function may be
// frozen before they get log lines of their own.
func (b *Batch) logUnfinished(ctx context.Context, records []*record, fates []fate) {
	var running, waiting []string
	for i, f := range fates {
		switch {
		case f.settled || f.name != "":
		case f.held:
			running = append(running, records[i].id)
		default:
			waiting = append(waiting, records[i].id)
		}
	}
	b.log.LogAttrs(ctx, slog.LevelWarn, "deadline near: unfinished records are reported failed",
		slog.Any("running", running), slog.Any("waiting", waiting))
}

func guarded(ctx context.Context) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(ctx, deadline.Add(-guard))
	}
	return context.WithCancel(ctx)
}

// A line holds the lanes of a route that wait for their turn. As many goroutines serve it
// as executions may run at once: a batch may have ten thousand lanes.
type line struct {
	gate *gate

	mu    sync.Mutex
	lanes []lane
}

func (n *line) join(l lane) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lanes = append(n.lanes, l)
}

// next takes the first lane.
func (n *line) next() (lane, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.lanes) == 0 {
		return lane{}, false
	}
	l := n.lanes[0]
	n.lanes[0] = lane{}
	n.lanes = n.lanes[1:]
	return l, true
}

// runLine runs a unit of the first lane, puts the lane behind the others if the unit was
// settled and others follow it, and continues until no lane waits.
func (b *Batch) runLine(ctx, waitCtx context.Context, n *line, t *tally) {
	for {
		l, ok := n.next()
		if !ok {
			return
		}
		u, rest := l.units[0], l.units[1:]
		settled := false
		if n.gate.enter(waitCtx) {
			if waitCtx.Err() == nil {
				t.begin(u, rest)
				settled = b.runUnit(ctx, waitCtx, l.route, u, t)
			}
			n.gate.leave()
		} else {
			_, pause := n.gate.pace.allowed()
			t.handBack(u, pause)
		}
		switch {
		case !settled:
			t.follow(u, rest)
		case len(rest) > 0:
			n.join(lane{l.route, rest})
		}
	}
}

// refuse reports records of a queue that no route takes.
func (b *Batch) refuse(ctx context.Context, l lane, t *tally) {
	for _, u := range l.units {
		for _, rec := range u {
			name := bridge.NoRoute
			if rec.broken != nil {
				name = rec.broken.Name
			}
			b.bridge.Reject(ctx, "", sources.SQS, name)
			attrs := []slog.Attr{
				slog.String("error", name), slog.String("queue", rec.queue),
				slog.String("delivery", rec.id), slog.String("gatewayRequestId", rec.id),
			}
			if rec.foreign != nil {
				attrs = append(attrs, slog.String("reason", rec.foreign.Error()))
			}
			b.log.LogAttrs(ctx, slog.LevelError, "record without a route", attrs...)
			t.end(unit{rec}, []fate{{name: name}})
		}
	}
}

// route returns the route that takes a record; nil if none does.
func (b *Batch) route(rec *record) *config.Route {
	b.resolve(rec)
	return rec.route
}
