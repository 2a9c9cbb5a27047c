package sqsbatch_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/sqsbatch"
)

// However little time is left, the response is sent before Lambda's deadline, and lists the
// records that are not known to be settled: one of the three records ends at once, one
// after 300 ms, and one never.
func TestDeadlineGuardAtEveryRemainingTime(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		left time.Duration
		want []string
	}{
		"none":               {0, []string{"1", "2", "3"}},
		"less than the wait": {100 * time.Millisecond, []string{"1", "2", "3"}},
		"just the wait":      {250 * time.Millisecond, []string{"1", "2", "3"}},
		"less than a start":  {450 * time.Millisecond, []string{"1", "2", "3"}}, // the bridge keeps half a second back
		"enough for one":     {600 * time.Millisecond, []string{"2", "3"}},
		"enough for two":     {time.Second, []string{"3"}},
		"the usual":          {10 * time.Second, []string{"3"}},
		"the most":           {15 * time.Minute, []string{"3"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				b := batch(t, orders, func(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
					if ctx.Err() != nil { // as pkg/stepfn has it
						return bridge.Outcome{}, bridge.NewFailure(bridge.Unavailable, "time ran out before anything was sent", ctx.Err())
					}
					switch {
					case strings.Contains(string(s.Input), "slow"):
						select {
						case <-time.After(300 * time.Millisecond):
						case <-ctx.Done():
							return bridge.Outcome{}, bridge.NewFailure(bridge.Deadline, "", ctx.Err())
						}
					case strings.Contains(string(s.Input), "hang"):
						<-release // ignores its context
					}
					return succeed(ctx, s)
				})
				ctx, cancel := context.WithTimeout(t.Context(), test.left)
				defer cancel()
				began := time.Now()
				got := invoke(ctx, t, b, event(message{id: "1", body: "ok"}, message{id: "2", body: "slow"}, message{id: "3", body: "hang"}))
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("batchItemFailures (-want +got):\n%s", diff)
				}
				if took := time.Since(began); took > test.left || took > 0 && test.left-took < 200*time.Millisecond {
					t.Errorf("answered after %v of %v", took, test.left)
				}
				close(release)
			})
		})
	}
}

// A dead-letter queue that is slow or out of order near the deadline costs no message:
// what it has not taken by then is reported.
func TestDeadLetterAtTheDeadline(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		send func(context.Context) error
		want []string
		took time.Duration
	}{
		"hangs":     {func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, []string{"m-1"}, 4750 * time.Millisecond},
		"throttles": {func(context.Context) error { return errors.New("ThrottlingException: slow down") }, []string{"m-1"}, 0},
		"is slow":   {func(context.Context) error { time.Sleep(2 * time.Second); return nil }, []string{}, 2 * time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				q := &fakeQueues{SendFn: func(ctx context.Context, _ *sqsbatch.Message) error { return test.send(ctx) }}
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				began := time.Now()
				got := invoke(ctx, t, batchWith(t, deadRoute(deadURL), invalid(""), sqsbatch.Options{Queues: q}), records(map[string]any{}))
				if diff := cmp.Diff(test.want, got); diff != "" || time.Since(began) != test.took {
					t.Errorf("after %v, want %v; batchItemFailures (-want +got):\n%s", time.Since(began), test.took, diff)
				}
			})
		})
	}
}

// A message that occurs twice in one batch is reported only if one of its deliveries is not
// settled.
func TestOneMessageTwice(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		bodies []string
		want   []string
	}{
		"first fails":  {[]string{"fail", "ok", "ok"}, []string{"same"}},
		"second fails": {[]string{"ok", "fail", "ok"}, []string{"same"}},
		"both fail":    {[]string{"fail", "fail", "ok"}, []string{"same", "same"}},
		"the other":    {[]string{"ok", "ok", "fail"}, []string{"other"}},
		"none":         {[]string{"ok", "ok", "ok"}, []string{}},
	} {
		b := batch(t, orders, byBody)
		got := invoke(t.Context(), t, b, records(
			map[string]any{"messageId": "same", "body": test.bodies[0]},
			map[string]any{"messageId": "same", "body": test.bodies[1]},
			map[string]any{"messageId": "other", "body": test.bodies[2]},
		))
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: batchItemFailures (-want +got):\n%s", name, diff)
		}
	}
}

// Order is a matter of the queue and not of the group's name: records of a FIFO queue
// that came without one are one group, those of a standard queue with one are none, and
// equal names in two queues are two groups.
func TestWhatKeepsItsOrder(t *testing.T) {
	t.Parallel()
	const other = "arn:aws:sqs:us-east-1:123456789012:orders-too.fifo"
	rec := func(arn, group, body string) map[string]any {
		r := map[string]any{"body": body}
		if arn != "" {
			r["eventSourceARN"] = arn
		}
		if group != "" {
			r["attributes"] = attributes("MessageGroupId", group)
		}
		return r
	}
	var mu sync.Mutex
	started := 0
	b := batch(t, orders, func(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
		mu.Lock()
		started++
		mu.Unlock()
		return byBody(ctx, s)
	})
	got := invoke(t.Context(), t, b, records(
		rec(fifoARN, "", "fail"), rec("", "g", "fail"), rec(fifoARN, "g", "fail"), rec(other, "g", "ok"),
		rec(fifoARN, "", "ok"), rec("", "g", "ok"), rec(fifoARN, "g", "ok"), rec(other, "g", "ok"),
	))
	if diff := cmp.Diff([]string{"m-1", "m-2", "m-3", "m-5", "m-7"}, got); diff != "" || started != 6 {
		t.Errorf("%d started, want 6; batchItemFailures (-want +got):\n%s", started, diff)
	}
}
