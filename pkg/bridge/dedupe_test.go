package bridge_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/dedupe"
)

// A deduper runs deliveries of one route with dedupe on $request.id.
type deduper struct {
	bridge *bridge.Bridge
	route  *bridge.Route
	starts int
	log    strings.Builder
}

// newDeduper counts what f starts. A nil store is a memory.
func newDeduper(t *testing.T, store bridge.DedupeStore, f starterFunc) *deduper {
	t.Helper()
	if store == nil {
		store = dedupe.NewMemory(dedupe.MemoryOptions{})
	}
	d := &deduper{}
	var mu sync.Mutex
	counting := starterFunc(func(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
		mu.Lock()
		d.starts++
		mu.Unlock()
		return f(ctx, s)
	})
	d.bridge = bridge.New(counting, bridge.Options{Log: slog.New(slog.NewTextHandler(&d.log, nil)), Dedupe: store})
	d.route = &bridge.Route{
		Name: "r", StateMachine: "m", Timeout: 9 * time.Second,
		Dedupe: &bridge.Dedupe{Key: expression(t, "$request.id"), For: time.Hour},
	}
	return d
}

func (d *deduper) delivery(document string) *bridge.Delivery {
	del := delivery(d.route, document)
	del.Fingerprint = func() []byte { return []byte(document) }
	return del
}

// run delivers and settles with an answer. A failure is final where final says so.
func (d *deduper) run(t *testing.T, document string, final bool) bridge.Result {
	t.Helper()
	del := d.delivery(document)
	r := d.bridge.Run(t.Context(), del)
	d.bridge.Settle(t.Context(), del, r, bridge.Settlement{
		Final:  r.Failure == nil || final,
		Answer: func() []byte { return []byte(`"answer to ` + string(rune('0'+d.starts)) + `"`) },
	})
	return r
}

// state says in a word what happened to a delivery.
func state(r bridge.Result) string {
	switch {
	case r.Replayed:
		return "replayed " + string(r.Replay)
	case r.Failure != nil:
		return r.Failure.Name
	case r.Filtered:
		return "filtered"
	}
	return string(r.Outcome.Status)
}

const first = `{"id":"a"}`

// A duplicate of a finished delivery is answered as the first was, for the time that
// the route says, counted from its end.
func TestDuplicateIsReplayed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDeduper(t, nil, func(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
			time.Sleep(5 * time.Second)
			return echo(ctx, s)
		})
		for i, want := range []string{"SUCCEEDED", `replayed "answer to 1"`, `replayed "answer to 1"`} {
			if got := state(d.run(t, first, true)); got != want {
				t.Errorf("delivery %d: %s, want %s", i+1, got, want)
			}
		}
		if got := state(d.run(t, `{"id":"b"}`, true)); got != "SUCCEEDED" {
			t.Errorf("another key: %s, want SUCCEEDED", got)
		}
		time.Sleep(time.Hour - 6*time.Second)
		if got := state(d.run(t, first, true)); got != `replayed "answer to 1"` {
			t.Errorf("within the hour: %s, want the answer", got)
		}
		time.Sleep(3 * time.Second)
		if got := state(d.run(t, first, true)); got != "SUCCEEDED" {
			t.Errorf("after the hour: %s, want SUCCEEDED", got)
		}
		if d.starts != 3 {
			t.Errorf("%d executions, want 3", d.starts)
		}
	})
}

// A duplicate of a running delivery starts nothing, and is told when to retry.
func TestDuplicateInProgress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDeduper(t, nil, func(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
			time.Sleep(5 * time.Second)
			return echo(ctx, s)
		})
		var wg sync.WaitGroup
		wg.Go(func() { d.run(t, first, true) })
		time.Sleep(time.Second)
		r := d.run(t, first, true)
		if state(r) != bridge.InProgress || r.Failure.RetryAfter < 8*time.Second || r.Failure.RetryAfter > 11*time.Second {
			t.Errorf("duplicate: %s, Retry-After %v, want InProgress and about the timeout", state(r), r.Failure.RetryAfter)
		}
		wg.Wait()
		if got := state(d.run(t, first, true)); got != `replayed "answer to 1"` {
			t.Errorf("after the end: %s, want the answer: the duplicate must not end the claim", got)
		}
		if d.starts != 1 {
			t.Errorf("%d executions, want 1", d.starts)
		}
	})
}

// Equal keys and other bodies are a mismatch, unless the body is a part of the key.
func TestDedupeBody(t *testing.T) {
	t.Parallel()
	for withBody, want := range map[bool]string{false: bridge.DedupeMismatch, true: "SUCCEEDED"} {
		d := newDeduper(t, nil, echo)
		d.route.Dedupe.WithBody = withBody
		d.run(t, `{"id":"a","n":1}`, true)
		if got := state(d.run(t, `{"id":"a","n":2}`, true)); got != want {
			t.Errorf("with body %v: %s, want %s", withBody, got, want)
		}
		if got := state(d.run(t, `{"id":"a","n":1}`, true)); !strings.HasPrefix(got, "replayed") {
			t.Errorf("with body %v, the first again: %s, want the answer", withBody, got)
		}
	}
}

// Two that differ at once are a mismatch already while the first runs.
func TestMismatchInProgress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDeduper(t, nil, func(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
			time.Sleep(time.Second)
			return echo(ctx, s)
		})
		var wg sync.WaitGroup
		wg.Go(func() { d.run(t, `{"id":"a","n":1}`, true) })
		time.Sleep(time.Millisecond)
		if got := state(d.run(t, `{"id":"a","n":2}`, true)); got != bridge.DedupeMismatch {
			t.Errorf("got %s, want DedupeMismatch", got)
		}
		wg.Wait()
	})
}

// No key, no dedupe; a key counts within its route.
func TestDedupeKeys(t *testing.T) {
	t.Parallel()
	for document, want := range map[string]int{
		`{}`: 2, `{"id":null}`: 2, `{"id":""}`: 2, `{"id":0}`: 1, `{"id":{"a":1}}`: 1, `{"id":[]}`: 1, `{"id":false}`: 1,
	} {
		d := newDeduper(t, nil, echo)
		d.run(t, document, true)
		d.run(t, document, true)
		if d.starts != want {
			t.Errorf("%s twice: %d executions, want %d", document, d.starts, want)
		}
	}
	store := dedupe.NewMemory(dedupe.MemoryOptions{})
	a, b := newDeduper(t, store, echo), newDeduper(t, store, echo)
	b.route.Name = "another"
	a.run(t, first, true)
	if got := state(b.run(t, first, true)); got != "SUCCEEDED" {
		t.Errorf("the same key on another route: %s, want SUCCEEDED", got)
	}
	c := newDeduper(t, nil, echo)
	c.route.Dedupe.Key = expression(t, `$request.id + 1`)
	if r := c.run(t, first, true); r.ErrorName() != bridge.ExpressionFailed || c.starts != 0 {
		t.Errorf("a key that fails: %s and %d executions, want ExpressionFailed and none", state(r), c.starts)
	}
}

// How a failure leaves the key: free, kept with its answer, or held while the outcome is unknown
// whether an execution runs.
func TestFailuresAndTheKey(t *testing.T) {
	t.Parallel()
	fails := func(f *bridge.Failure) starterFunc {
		return func(context.Context, bridge.Start) (bridge.Outcome, error) { return bridge.Outcome{}, f }
	}
	workflow := func(context.Context, bridge.Start) (bridge.Outcome, error) {
		return bridge.Outcome{ExecutionARN: "arn", Status: bridge.Failed, Error: "OrderNotFound"}, nil
	}
	for name, test := range map[string]struct {
		start starterFunc
		final bool
		next  string
	}{
		"throttled":                {fails(bridge.NewFailure(bridge.Throttled, "", nil)), false, bridge.Throttled},
		"unavailable":              {fails(bridge.NewFailure(bridge.Unavailable, "", nil)), false, bridge.Unavailable},
		"misconfigured":            {fails(bridge.NewFailure(bridge.Misconfigured, "", nil)), false, bridge.Misconfigured},
		"a workflow, retried":      {workflow, false, "OrderNotFound"},
		"a workflow, answered":     {workflow, true, `replayed "answer to 1"`},
		"misconfigured, discarded": {fails(bridge.NewFailure(bridge.Misconfigured, "", nil)), true, `replayed "answer to 1"`},
		"unknown":                  {fails(bridge.NewFailure(bridge.Unknown, "", nil)), false, bridge.InProgress},
		"unknown, answered":        {fails(bridge.NewFailure(bridge.Unknown, "", nil)), true, bridge.InProgress},
		"deadline":                 {fails(bridge.NewFailure(bridge.Deadline, "", nil)), true, bridge.InProgress},
		"a panic":                  {func(context.Context, bridge.Start) (bridge.Outcome, error) { panic("x") }, true, bridge.InProgress},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newDeduper(t, nil, test.start)
				d.run(t, first, test.final)
				if got := state(d.run(t, first, test.final)); got != test.next {
					t.Errorf("the next delivery: %s, want %s", got, test.next)
				}
			})
		})
	}
}

// After an answer that was lost, or a function that was killed before it could settle,
// the key is held until no execution can be running: the deadline, before which the start
// was sent, and the longest that an execution runs. Then it is free.
func TestAmbiguousHoldsTheKey(t *testing.T) {
	t.Parallel()
	const timeout = 9 * time.Second
	for name, test := range map[string]struct {
		killed bool
		claim  time.Duration
		held   time.Duration
	}{
		"answer lost":               {false, 0, timeout + bridge.MaxWait},
		"answer lost, short claim":  {false, 30 * time.Second, timeout + 30*time.Second},
		"killed":                    {true, 0, timeout + bridge.MaxWait},
		"killed, short claim":       {true, 30 * time.Second, timeout + 30*time.Second},
		"killed, the least of them": {true, time.Millisecond, timeout + 2*time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newDeduper(t, nil, func(context.Context, bridge.Start) (bridge.Outcome, error) {
					time.Sleep(3 * time.Second)
					return bridge.Outcome{}, bridge.NewFailure(bridge.Unknown, "", nil)
				})
				d.route.Dedupe.Claim = test.claim
				end := time.Now().Add(test.held)
				del := d.delivery(first)
				r := d.bridge.Run(t.Context(), del)
				if !test.killed {
					d.bridge.Settle(t.Context(), del, r, bridge.Settlement{Final: true})
				}
				time.Sleep(time.Until(end))
				if r := d.run(t, first, true); state(r) != bridge.InProgress || !r.Failure.ClaimedUntil.Equal(end) {
					t.Errorf("%v after the delivery: %s until %v, want InProgress until then", test.held, state(r), r.Failure.ClaimedUntil)
				}
				time.Sleep(2 * time.Millisecond)
				if got := state(d.run(t, first, true)); got != bridge.Unknown {
					t.Errorf("after that: %s, want another attempt", got)
				}
			})
		})
	}
}

// A duplicate that arrives while the other attempt has time gets its deadline, and after that what
// remains of the claim.
func TestInProgressSaysWhenToComeAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDeduper(t, nil, echo)
		d.bridge.Run(t.Context(), d.delivery(first)) // and killed
		for _, test := range []struct{ after, want time.Duration }{
			{0, 9 * time.Second},
			{8 * time.Second, time.Second},
			{2 * time.Second, bridge.MaxWait - time.Second},
			{bridge.MaxWait - 2*time.Second, time.Second},
		} {
			time.Sleep(test.after)
			if r := d.run(t, first, true); state(r) != bridge.InProgress || r.Failure.RetryAfter != test.want {
				t.Errorf("%v later: %s, retry after %v, want %v", test.after, state(r), r.Failure.RetryAfter, test.want)
			}
		}
	})
}

// The key is not free at the very deadline, before the delivery could be settled.
func TestKeyIsHeldBeyondTheDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDeduper(t, nil, func(ctx context.Context, _ bridge.Start) (bridge.Outcome, error) {
			<-ctx.Done()
			return bridge.Outcome{}, bridge.NewFailure(bridge.Deadline, "", nil)
		})
		del := d.delivery(first)
		r := d.bridge.Run(t.Context(), del)
		time.Sleep(time.Second) // an adapter that takes its time
		if got := state(d.run(t, first, true)); got != bridge.InProgress {
			t.Errorf("a duplicate before the settlement: %s, want InProgress", got)
		}
		d.bridge.Settle(t.Context(), del, r, bridge.Settlement{Final: true})
		if d.starts != 1 {
			t.Errorf("%d executions, want 1", d.starts)
		}
	})
}

// A record outlives the attempt, however short the time to remember is.
func TestShortMemory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDeduper(t, nil, func(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
			time.Sleep(8 * time.Second)
			return echo(ctx, s)
		})
		d.route.Dedupe.For = time.Second
		var wg sync.WaitGroup
		wg.Go(func() { d.run(t, first, true) })
		time.Sleep(7 * time.Second)
		if got := state(d.run(t, first, true)); got != bridge.InProgress {
			t.Errorf("while it runs: %s, want InProgress", got)
		}
		wg.Wait()
	})
}

// A filtered delivery is finished, and so is its duplicate.
func TestFilteredIsKept(t *testing.T) {
	t.Parallel()
	d := newDeduper(t, nil, echo)
	d.route.Filter = expression(t, "false")
	if got := state(d.run(t, first, true)); got != "filtered" {
		t.Errorf("got %s, want filtered", got)
	}
	if got := state(d.run(t, first, true)); got != `replayed "answer to 0"` {
		t.Errorf("the duplicate: %s, want the answer", got)
	}
}

// An adapter that keeps no answer keeps null.
func TestNoAnswerIsNull(t *testing.T) {
	t.Parallel()
	d := newDeduper(t, nil, echo)
	del := d.delivery(first)
	d.bridge.Settle(t.Context(), del, d.bridge.Run(t.Context(), del), bridge.Settlement{Final: true})
	if got := state(d.run(t, first, true)); got != "replayed null" {
		t.Errorf("got %s, want null", got)
	}
}

// A brokenStore fails at the operations that it names.
type brokenStore struct {
	bridge.DedupeStore
	claim, conclude error
	limits          []time.Duration // that concluding had left
}

func (s *brokenStore) Claim(ctx context.Context, c bridge.Claim) (bridge.Record, error) {
	if s.claim != nil {
		return bridge.Record{}, s.claim
	}
	return s.DedupeStore.Claim(ctx, c)
}

func (s *brokenStore) Complete(ctx context.Context, c bridge.Claim, answer []byte) error {
	deadline, _ := ctx.Deadline()
	s.limits = append(s.limits, time.Until(deadline))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if s.conclude != nil {
		return s.conclude
	}
	return s.DedupeStore.Complete(ctx, c, answer)
}

var errStore = errors.New("the table is gone")

// With the store down nothing starts, unless the route says that it may.
func TestStoreDown(t *testing.T) {
	t.Parallel()
	d := newDeduper(t, &brokenStore{claim: errStore}, echo)
	r := d.run(t, first, true)
	if state(r) != bridge.Unavailable || r.Failure.RetryAfter == 0 || !errors.Is(r.Failure, errStore) || d.starts != 0 {
		t.Errorf("got %s and %d executions, want Unavailable with Retry-After, and none", state(r), d.starts)
	}
	d.route.Dedupe.StartUnchecked = true
	if got := state(d.run(t, first, true)); got != "SUCCEEDED" || d.starts != 1 {
		t.Errorf("onError start: %s and %d executions, want SUCCEEDED and one", got, d.starts)
	}
	if text := d.log.String(); !strings.Contains(text, "starting unchecked") || !strings.Contains(text, "the table is gone") {
		t.Errorf("log = %s, want it to say that the delivery started unchecked, and why", text)
	}
	none := newDeduper(t, nil, echo)
	none.bridge = bridge.New(starterFunc(echo), bridge.Options{Log: slog.New(slog.DiscardHandler)})
	if got := state(none.run(t, first, true)); got != bridge.Misconfigured {
		t.Errorf("without a store: %s, want Misconfigured", got)
	}
}

// A record that could not be written is told in the log; the delivery ends as it ended.
func TestConcludeFails(t *testing.T) {
	t.Parallel()
	d := newDeduper(t, &brokenStore{DedupeStore: dedupe.NewMemory(dedupe.MemoryOptions{}), conclude: errStore}, echo)
	if got := state(d.run(t, first, true)); got != "SUCCEEDED" {
		t.Errorf("got %s, want SUCCEEDED", got)
	}
	if text := d.log.String(); !strings.Contains(text, "dedupe record not written") || !strings.Contains(text, "operation=complete") {
		t.Errorf("log = %s, want the operation that failed", text)
	}
}

// The record is written when the platform's time is nearly up, and when it is.
func TestConcludeTime(t *testing.T) {
	t.Parallel()
	var got []time.Duration
	for _, left := range []time.Duration{0, 500 * time.Millisecond, time.Second, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			store := &brokenStore{DedupeStore: dedupe.NewMemory(dedupe.MemoryOptions{})}
			d := newDeduper(t, store, echo)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			del := d.delivery(first)
			r := d.bridge.Run(ctx, del)
			time.Sleep(2*time.Minute - left)
			d.bridge.Settle(ctx, del, r, bridge.Settlement{Final: true})
			got = append(got, store.limits...)
			if text := d.log.String(); strings.Contains(text, "not written") {
				t.Errorf("%v left: %s", left, text)
			}
		})
	}
	want := []time.Duration{300 * time.Millisecond, 300 * time.Millisecond, 700 * time.Millisecond, 2 * time.Second}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("time to conclude (-want +got):\n%s", diff)
	}
}
