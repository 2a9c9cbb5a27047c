package sqsbatch_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/expressway-dev/expressway/internal/shared"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/bridge/bridgetest"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/sqsbatch"
)

type starterFunc = bridgetest.StarterFunc

func succeed(context.Context, bridge.Start) (bridge.Outcome, error) {
	return bridge.Outcome{ExecutionARN: "arn", Status: bridge.Succeeded, Output: []byte(`{}`)}, nil
}

func fail(name string) (bridge.Outcome, error) {
	return bridge.Outcome{ExecutionARN: "arn", Status: bridge.Failed, Error: name}, nil
}

func batch(t testing.TB, routes string, starter starterFunc) *sqsbatch.Batch {
	t.Helper()
	return batchWith(t, routes, starter, sqsbatch.Options{})
}

func batchWith(t testing.TB, routes string, starter starterFunc, options sqsbatch.Options) *sqsbatch.Batch {
	t.Helper()
	cfg, err := config.Options{Getenv: func(string) string { return "" }}.Parse("test.yaml", []byte("version: 1\nroutes:\n"+routes))
	if err != nil {
		t.Fatal(err)
	}
	return sqsbatch.New(cfg.Routes, bridge.New(starter, bridge.Options{}), options)
}

type message struct{ id, body, group, queue, trace string }

func event(messages ...message) []byte {
	records := make([]any, len(messages))
	for i, m := range messages {
		attributes := map[string]any{"ApproximateReceiveCount": "2"}
		if m.group != "" {
			attributes["MessageGroupId"] = m.group
		}
		if m.trace != "" {
			attributes["AWSTraceHeader"] = m.trace
		}
		if m.queue == "" {
			m.queue = "orders"
		}
		records[i] = map[string]any{
			"messageId": m.id, "body": m.body, "attributes": attributes, "messageAttributes": map[string]any{},
			"eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:" + m.queue,
		}
	}
	payload, _ := json.Marshal(map[string]any{"Records": records})
	return payload
}

func invoke(ctx context.Context, t testing.TB, b *sqsbatch.Batch, payload []byte) []string {
	t.Helper()
	out, err := b.Invoke(ctx, payload)
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		BatchItemFailures *[]struct{ ItemIdentifier string }
	}
	if err := json.Unmarshal(out, &r); err != nil || r.BatchItemFailures == nil {
		t.Fatalf("response %s: %v", out, err)
	}
	ids := []string{}
	for _, f := range *r.BatchItemFailures {
		ids = append(ids, f.ItemIdentifier)
	}
	return ids
}

const orders = `  - {name: o, sqs: "orders*", start: m, input: "{% $message.body %}", catch: [{errors: [Invalid], then: discard}]}
`

func TestPartialFailures(t *testing.T) {
	t.Parallel()
	b := batch(t, orders, func(_ context.Context, s bridge.Start) (bridge.Outcome, error) {
		switch string(s.Input) {
		case `"fail"`:
			return fail("Broken")
		case `"discard"`:
			return fail("Invalid")
		case `"throttle"`:
			return bridge.Outcome{}, bridge.NewFailure(bridge.Throttled, "", nil)
		case `"panic"`:
			panic("boom")
		case `"timeout"`:
			return bridge.Outcome{Status: bridge.TimedOut}, nil
		}
		return succeed(context.Background(), s)
	})
	got := invoke(t.Context(), t, b, event(
		message{id: "1", body: `{"a":1}`}, message{id: "2", body: "fail"}, message{id: "3", body: "discard"},
		message{id: "4", body: "throttle"}, message{id: "5", body: "panic"}, message{id: "6", body: "timeout"},
		message{id: "7", body: "ok"}, message{id: "8", body: "x", queue: "unknown"}))
	if diff := cmp.Diff([]string{"2", "4", "5", "6", "8"}, got); diff != "" {
		t.Errorf("batchItemFailures (-want +got):\n%s", diff)
	}
}

func TestDocumentAndTrace(t *testing.T) {
	t.Parallel()
	const producer = "Root=1-67890abc-0123456789abcdef01234567;Sampled=1"
	for mode, want := range map[string]string{"record": producer, "invocation": ""} {
		var got bridge.Start
		b := batch(t, "  - {name: o, sqs: orders, start: m, trace: "+mode+"}\n", func(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
			got = s
			return succeed(ctx, s)
		})
		invoke(t.Context(), t, b, event(message{id: "m-1", body: `{"n":1.0}`, trace: producer}))
		if got.TraceHeader != want {
			t.Errorf("trace: %s: header = %q, want %q", mode, got.TraceHeader, want)
		}
		if got.Name != "o-m-1" {
			t.Errorf("name = %q", got.Name)
		}
		var m struct {
			MessageID, BodyType, Queue string
			Body                       json.RawMessage
			ReceiveCount               int
		}
		if err := json.Unmarshal(got.Input, &m); err != nil {
			t.Fatal(err)
		}
		if m.MessageID != "m-1" || m.BodyType != "json" || m.Queue != "orders" || string(m.Body) != `{"n":1.0}` || m.ReceiveCount != 2 {
			t.Errorf("$message = %s", got.Input)
		}
	}
}

// A FIFO group stops at its first failure; other groups, and standard queues, do not.
func TestGroups(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var started []string
	b := batch(t, orders, func(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
		mu.Lock()
		started = append(started, string(s.Input))
		mu.Unlock()
		if strings.Contains(string(s.Input), "fail") {
			return fail("Broken")
		}
		return succeed(ctx, s)
	})
	fifo := func(id, body, group string) message {
		return message{id: id, body: body, group: group, queue: "orders.fifo"}
	}
	got := invoke(t.Context(), t, b, event(fifo("1", "a1", "a"), fifo("2", "b1 fail", "b"), fifo("3", "a2", "a"),
		fifo("4", "b2", "b"), fifo("5", "a3", "a")))
	if diff := cmp.Diff([]string{"2", "4"}, got); diff != "" {
		t.Errorf("batchItemFailures (-want +got):\n%s", diff)
	}
	if slices.Contains(started, `"b2"`) {
		t.Error("a record was started after a failure in its group")
	}
	got = invoke(t.Context(), t, b, event(message{id: "1", body: "fail", group: "a"}, message{id: "2", body: "x", group: "a"}))
	if diff := cmp.Diff([]string{"1"}, got); diff != "" {
		t.Errorf("on a standard queue (-want +got):\n%s", diff)
	}
}

func TestDeadlineGuard(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		b := batch(t, orders, func(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
			if strings.Contains(string(s.Input), "hang") {
				<-release // ignores its context, like a broken dependency
			}
			return succeed(ctx, s)
		})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		start := time.Now()
		got := invoke(ctx, t, b, event(message{id: "1", body: "ok"}, message{id: "2", body: "hang"}, message{id: "3", body: "ok"}))
		if diff := cmp.Diff([]string{"2"}, got); diff != "" {
			t.Errorf("batchItemFailures (-want +got):\n%s", diff)
		}
		if left := 10*time.Second - time.Since(start); left <= 0 || left > time.Second {
			t.Errorf("answered %v before the deadline", left)
		}
		close(release)
	})
}

func TestConcurrencyIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		running, most := 0, 0
		b := batch(t, "  - {name: o, sqs: orders, start: m, concurrency: 3}\n", func(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			running--
			mu.Unlock()
			return succeed(ctx, s)
		})
		var messages []message
		for i := range 9 {
			messages = append(messages, message{id: fmt.Sprint(i), body: "x"})
		}
		start := time.Now()
		invoke(t.Context(), t, b, event(messages...))
		if most != 3 || time.Since(start) != 3*time.Second {
			t.Errorf("%d ran at once for %v, want 3 for 3s", most, time.Since(start))
		}
	})
}

func TestEventsThatAreNoBatch(t *testing.T) {
	t.Parallel()
	b := batch(t, orders, succeed)
	payloads := map[string][]byte{
		"empty": nil, "null": []byte("null"), "cut off": []byte(`{"Records":[{`), "not a list": []byte(`{"Records":{}}`),
		"no id": []byte(`{"Records":[{"eventSource":"aws:sqs"}]}`),
	}
	for _, name := range []string{"s3-event.json", "dynamodb-event.json", "kinesis-event.json", "sns-event.json", "apigw-v2-request-iam.json"} {
		payloads[name] = shared.Read(t, "lambda-events", name)
	}
	for name, payload := range payloads {
		var reported messages.InvokeResponse_Error
		if _, err := b.Invoke(t.Context(), payload); !errors.As(err, &reported) || reported.Type != bridge.BadRequest {
			t.Errorf("%s: error = %v, want %s: unreported records are deleted", name, err, bridge.BadRequest)
		}
	}
}

// The error for a wrongly connected function names the right one.
func TestEventsOfOtherFunctions(t *testing.T) {
	t.Parallel()
	for payload, want := range map[string]string{
		`{"requestContext":{"elb":{}},"httpMethod":"GET","path":"/"}`: "the event is an HTTP request: send it to the webhook function",
		`{"detail-type":"x","source":"y"}`:                            "the event is an EventBridge event: let the rule or the bus invoke the event function",
		`{}`:                                                          "the event is of a kind that Expressway does not know: it takes HTTP requests, batches of SQS records, and EventBridge events",
		`[{"detail-type":"x","source":"y"}]`:                          "the event is an array of EventBridge events: let the rule or the bus invoke the event function",
		`{"Records":[{"kinesis":{},"eventSource":"aws:kinesis"}]}`:    "the event is a batch of a Kinesis stream: no function of Expressway reads it; let a pipe put its records on an event bus or into a queue",
		`{"Records":[{"messageId":"m","eventSource":"aws:other"}]}`:   "the event is a batch of other: no function of Expressway takes it; let the service send to EventBridge or to a queue",
		`[{"messageId":"m","eventSource":"aws:mq"}]`:                  "the event is a batch of an ActiveMQ queue: no function of Expressway reads it; let a pipe put its records on an event bus or into a queue",
		`[{"messageId":"m"}]`:                                         "the event is of a kind that Expressway does not know: it takes HTTP requests, batches of SQS records, and EventBridge events",
	} {
		var reported messages.InvokeResponse_Error
		if _, err := batch(t, orders, succeed).Invoke(t.Context(), []byte(payload)); !errors.As(err, &reported) || reported.Message != want {
			t.Errorf("%s: %v, want %q", payload, err, want)
		}
	}
}

// An empty batch is settled.
func TestEmptyBatch(t *testing.T) {
	t.Parallel()
	out, err := batch(t, orders, succeed).Invoke(t.Context(), []byte(`{"Records":[]}`))
	if err != nil || string(out) != `{"batchItemFailures":[]}` {
		t.Errorf("response %s, %v, want an empty list", out, err)
	}
}

func TestRealEvents(t *testing.T) {
	t.Parallel()
	b := batch(t, "  - {name: o, sqs: '*', start: m}\n", succeed)
	for _, file := range [][]string{
		{"lambda-events", "sqs-event.json"}, {"sam-events", "rendered", "sqs-receive-message.json"}, {"sam-events", "rendered", "sqs-receive-message-json.json"},
	} {
		if got := invoke(t.Context(), t, b, shared.Read(t, file...)); len(got) != 0 {
			t.Errorf("%v: failures = %v", file, got)
		}
	}
}

// Whatever happens, the report is exactly the records that did not end well, each
// record starts at most once, and every group keeps its order.
func TestNothingLostNothingDoubled(t *testing.T) {
	t.Parallel()
	outcomes := []string{"ok", "fail", "discard", "throttle", "panic"}
	rapid.Check(t, func(rt *rapid.T) {
		rapid.SyncTest(rt, func(rt *rapid.T) { // throttles make pauses
			n := rapid.IntRange(1, 20).Draw(rt, "n")
			var messages []message
			for i := range n {
				messages = append(messages, message{
					id:    fmt.Sprint(i),
					body:  fmt.Sprintf("%d-%s", i, rapid.SampledFrom(outcomes).Draw(rt, "outcome")),
					group: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "group"), queue: "orders.fifo",
				})
			}
			var mu sync.Mutex
			starts := map[string]int{}
			order := map[string][]int{}
			b := batch(t, orders, func(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
				var body string
				_ = json.Unmarshal(s.Input, &body)
				var i int
				var outcome string
				_, _ = fmt.Sscanf(strings.Replace(body, "-", " ", 1), "%d %s", &i, &outcome)
				mu.Lock()
				starts[messages[i].id]++
				order[messages[i].group] = append(order[messages[i].group], i)
				mu.Unlock()
				switch outcome {
				case "fail":
					return fail("Broken")
				case "discard":
					return fail("Invalid")
				case "throttle":
					return bridge.Outcome{}, bridge.NewFailure(bridge.Throttled, "", nil)
				case "panic":
					panic("boom")
				}
				return succeed(ctx, s)
			})
			got := invoke(context.Background(), t, b, event(messages...))
			want := []string{}
			stopped := map[string]bool{}
			for _, m := range messages {
				if stopped[m.group] || !strings.HasSuffix(m.body, "ok") && !strings.HasSuffix(m.body, "discard") {
					stopped[m.group] = true
					want = append(want, m.id)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				rt.Fatalf("batchItemFailures (-want +got):\n%s", diff)
			}
			for id, n := range starts {
				if n > 1 {
					rt.Fatalf("record %s was started %d times", id, n)
				}
			}
			for group, seen := range order {
				if !slices.IsSorted(seen) {
					rt.Fatalf("group %s ran as %v", group, seen)
				}
			}
		})
	})
}
