package sqsbatch_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/sqsbatch"
)

func retryRoute(retry string) string {
	return "  - {name: o, sqs: 'orders*', start: m, input: '{% $message.body %}', retry: " + retry + "}\n"
}

// byBody fails, throttles and hangs as the body says, and succeeds otherwise.
func byBody(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
	name := strings.Trim(string(s.Input), `"`)
	switch {
	case name == "throttled":
		return bridge.Outcome{}, &bridge.Failure{Name: bridge.Throttled, RetryAfter: 7 * time.Second}
	case strings.HasPrefix(name, "Expressway."):
		return bridge.Outcome{}, bridge.NewFailure(name, "", nil)
	case name == "fail":
		return fail("Broken")
	}
	return succeed(ctx, s)
}

func TestRetryByVisibility(t *testing.T) {
	t.Parallel()
	body := func(body, count string) map[string]any {
		return map[string]any{"body": body, "attributes": attributes("ApproximateReceiveCount", count)}
	}
	tests := map[string]struct {
		retry  string
		random float64
		record map[string]any
		want   time.Duration // -1 leaves it to the queue
	}{
		"first":                {"{delay: 5s, jitter: none}", 0.5, body("fail", "1"), 5 * time.Second},
		"third":                {"{delay: 5s, rate: 3, jitter: none}", 0.5, body("fail", "3"), 45 * time.Second},
		"at most":              {"{delay: 5s, max: 1m, jitter: none}", 0.5, body("fail", "30"), time.Minute},
		"very often":           {"{delay: 5s, rate: 10, max: 12h, jitter: none}", 0.5, body("fail", "100000"), 11*time.Hour + 40*time.Minute},
		"no count":             {"{delay: 5s, jitter: none}", 0.5, body("fail", "many"), 5 * time.Second},
		"jitter, whole second": {"{delay: 5s, jitter: full}", 0.5, body("fail", "1"), 3 * time.Second},
		"jitter, none left":    {"{delay: 5s}", 0, body("fail", "1"), 0},
		"throttled":            {"{delay: 2s, jitter: none}", 0.5, body("throttled", "1"), 7 * time.Second},
		"unavailable":          {"{delay: 2s, jitter: none}", 0.5, body(bridge.Unavailable, "1"), 2 * time.Second},
		"may still be running": {"{delay: 2s}", 0.5, body(bridge.Unknown, "1"), -1},
		"settled":              {"{delay: 2s}", 0.5, body("ok", "1"), -1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := &fakeQueues{}
			b := batchWith(t, retryRoute(test.retry), byBody, sqsbatch.Options{Queues: q, Random: func() float64 { return test.random }})
			invoke(t.Context(), t, b, records(test.record))
			want := map[string]time.Duration{"handle-1": test.want}
			if test.want < 0 {
				want = nil
			}
			if diff := cmp.Diff(want, q.changed); diff != "" {
				t.Errorf("visibilities (-want +got):\n%s", diff)
			}
		})
	}
}

// The records behind a failure of their group are delivered again together with it.
func TestGroupComesBackTogether(t *testing.T) {
	t.Parallel()
	next := 0.0
	random := func() float64 { next += 0.1; return next }
	rec := func(body, group, count string) map[string]any {
		return map[string]any{"body": body, "eventSourceARN": fifoARN, "attributes": attributes("MessageGroupId", group, "ApproximateReceiveCount", count)}
	}
	q := &fakeQueues{}
	b := batchWith(t, retryRoute("{delay: 100s}"), byBody, sqsbatch.Options{Queues: q, Random: random})
	got := invoke(t.Context(), t, b, records(rec("ok", "a", "1"), rec("fail", "a", "2"), rec("ok", "a", "1"), rec("ok", "a", "4"),
		rec(bridge.Unknown, "b", "1"), rec("ok", "b", "1")))
	if diff := cmp.Diff([]string{"m-2", "m-3", "m-4", "m-5", "m-6"}, got); diff != "" {
		t.Errorf("batchItemFailures (-want +got):\n%s", diff)
	}
	// 200s × 0.1, of the head's receives; group b waits for what may be running.
	want := map[string]time.Duration{"handle-2": 20 * time.Second, "handle-3": 20 * time.Second, "handle-4": 20 * time.Second}
	if diff := cmp.Diff(want, q.changed); diff != "" {
		t.Errorf("visibilities (-want +got):\n%s", diff)
	}
}

func TestVisibilityIsBatchedAndHarmless(t *testing.T) {
	t.Parallel()
	var list []map[string]any
	for range 25 {
		list = append(list, map[string]any{"body": "fail"})
	}
	q := &fakeQueues{ChangeFn: func(string, []sqsbatch.Visibility) error { return errors.New("no") }}
	got := invoke(t.Context(), t, batchWith(t, retryRoute("{delay: 1s}"), byBody, sqsbatch.Options{Queues: q}), records(list...))
	if len(got) != 25 || q.calls != 3 {
		t.Errorf("%d reported, %d calls, want 25 and 3", len(got), q.calls)
	}
}

// Every queue of a batch gets the changes of its own records, with the wait of their route.
func TestVisibilityOfManyQueues(t *testing.T) {
	t.Parallel()
	const shop, stock = "arn:aws:sqs:us-east-1:123456789012:shop", "arn:aws:sqs:eu-west-1:210987654321:stock.fifo"
	got := map[string]string{}
	q := &fakeQueues{ChangeFn: func(arn string, changes []sqsbatch.Visibility) error {
		for _, c := range changes {
			got[c.ReceiptHandle] = fmt.Sprint(arn, " ", c.Timeout)
		}
		return nil
	}}
	b := batchWith(t, "  - {name: shop, sqs: shop, start: m, retry: {delay: 3s, jitter: none}}\n"+
		"  - {name: stock, sqs: '"+stock+"', start: m, retry: {delay: 7s, jitter: none}}\n"+
		"  - {name: none, sqs: none, start: m}\n", func(context.Context, bridge.Start) (bridge.Outcome, error) { return fail("Broken") }, sqsbatch.Options{Queues: q})
	reported := invoke(t.Context(), t, b, records(
		map[string]any{"eventSourceARN": shop}, map[string]any{"eventSourceARN": stock, "attributes": attributes("MessageGroupId", "g")},
		map[string]any{"eventSourceARN": shop, "receiptHandle": ""}, map[string]any{"eventSourceARN": shop, "receiptHandle": nil},
		map[string]any{"eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:none"}, map[string]any{"eventSourceARN": nil}, map[string]any{"eventSourceARN": shop},
	))
	want := map[string]string{"handle-1": shop + " 3s", "handle-2": stock + " 7s", "handle-7": shop + " 3s"}
	if diff := cmp.Diff(want, got); diff != "" || len(reported) != 7 {
		t.Errorf("%d reported, want 7; visibilities (-want +got):\n%s", len(reported), diff)
	}
}

// Records that still run at the deadline keep the queue's own timeout; those that were not
// begun get the route's wait.
func TestVisibilityAtTheDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		q := &fakeQueues{}
		route := "  - {name: o, sqs: 'orders*', start: m, concurrency: 1, input: '{% $message.body %}', retry: {delay: 9s, jitter: none}}\n"
		begun := make(chan string, 2)
		b := batchWith(t, route, func(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
			begun <- s.Name
			<-release
			return succeed(ctx, s)
		}, sqsbatch.Options{Queues: q})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		got := invoke(ctx, t, b, records(map[string]any{}, map[string]any{}))
		if diff := cmp.Diff([]string{"m-1", "m-2"}, got); diff != "" {
			t.Errorf("batchItemFailures (-want +got):\n%s", diff)
		}
		other := map[string]string{"o-m-1": "handle-2", "o-m-2": "handle-1"}[<-begun]
		if diff := cmp.Diff(map[string]time.Duration{other: 9 * time.Second}, q.changed); diff != "" {
			t.Errorf("visibilities (-want +got):\n%s", diff)
		}
		close(release)
	})
}

// Records that are handed back during a pause are not delivered again before it is over.
func TestVisibilityAfterAThrottle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := &fakeQueues{}
		route := "  - {name: o, sqs: 'orders*', start: m, concurrency: 1, retry: {delay: 2s, jitter: none}}\n"
		m := &meter{refuse: func(int) bool { return true }, retryAfter: time.Minute}
		b := batchWith(t, route, m.start, sqsbatch.Options{Queues: q})
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		invoke(ctx, t, b, many(2))
		want := map[string]time.Duration{"handle-1": time.Minute, "handle-2": time.Minute}
		if diff := cmp.Diff(want, q.changed); diff != "" || m.starts != 1 {
			t.Errorf("%d starts; visibilities (-want +got):\n%s", m.starts, diff)
		}
	})
}

func TestVisibilityOfManyGroups(t *testing.T) {
	t.Parallel()
	var list []map[string]any
	want := map[string]time.Duration{}
	for i := range 100 {
		list = append(list, map[string]any{"body": "fail"})
		want[fmt.Sprint("handle-", i+1)] = 3 * time.Second
	}
	q := &fakeQueues{}
	invoke(t.Context(), t, batchWith(t, retryRoute("{delay: 3s, jitter: none}"), byBody, sqsbatch.Options{Queues: q}), records(list...))
	if diff := cmp.Diff(want, q.changed); diff != "" {
		t.Errorf("visibilities (-want +got):\n%s", diff)
	}
	if q.calls != 10 {
		t.Errorf("%d calls, want 10", q.calls)
	}
}
