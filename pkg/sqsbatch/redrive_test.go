package sqsbatch_test

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/dedupe"
	"github.com/expressway-dev/expressway/pkg/sqsbatch"
)

// A dead letter frees its key, whatever the failure and the store are: corrected and put
// back under a new message id, it runs. After a failure that leaves an execution running,
// it runs once the claim has expired, and is refused with the reason until then.
func TestDeadLetterRunsWhenItIsPutBack(t *testing.T) {
	t.Parallel()
	stores := map[string]func() bridge.DedupeStore{
		"memory": func() bridge.DedupeStore { return dedupe.NewMemory(dedupe.MemoryOptions{}) },
		"a map":  func() bridge.DedupeStore { return &store{records: map[string]bridge.Record{}} },
	}
	tests := map[string]struct {
		body  string
		start func() (bridge.Outcome, error)
		claim bool // lasts
	}{
		"a workflow's failure": {`{"id":1}`, func() (bridge.Outcome, error) { return fail("Invalid") }, false},
		"a workflow's failure with a name of the bridge": {`{"id":1}`, func() (bridge.Outcome, error) {
			return fail(bridge.Unknown)
		}, false},
		"expression failed": {`{"id":1,"broken":true}`, nil, false},
		"throttled":         {`{"id":1}`, refuse(bridge.Throttled), false},
		"misconfigured":     {`{"id":1}`, refuse(bridge.Misconfigured), false},
		"unknown":           {`{"id":1}`, refuse(bridge.Unknown), true},
		"deadline":          {`{"id":1}`, refuse(bridge.Deadline), true},
		"a panic":           {`{"id":1}`, func() (bridge.Outcome, error) { panic("boom") }, true},
	}
	const route = "  - name: o\n    sqs: 'orders*'\n    start: m\n    timeout: 20s\n    input: '{% $message.body.broken ? $message.body.nothing : $message.body %}'\n" +
		"    deadLetterQueue: " + deadURL + "\n    dedupe: {key: '{% $message.body.id %}', claim: 1m}\n    catch: [{errors: States.ALL, then: dead-letter}]\n"
	for kind, newStore := range stores {
		for name, test := range tests {
			t.Run(name+", "+kind, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					cfg, err := config.Options{Getenv: func(string) string { return "" }}.Parse("test.yaml", []byte("version: 1\nroutes:\n"+route))
					if err != nil {
						t.Fatal(err)
					}
					mended, starts := false, 0
					starter := starterFunc(func(context.Context, bridge.Start) (bridge.Outcome, error) {
						starts++
						if mended {
							return output("{}")
						}
						return test.start()
					})
					q := &fakeQueues{}
					b := sqsbatch.New(cfg.Routes, bridge.New(starter, bridge.Options{Dedupe: newStore()}), sqsbatch.Options{Queues: q})
					if got := invoke(t.Context(), t, b, records(map[string]any{"body": test.body})); len(got) != 0 || len(q.sent) != 1 {
						t.Fatalf("reported %v, %d letters, want it dead-lettered", got, len(q.sent))
					}
					before := starts
					mended = true
					body := strings.ReplaceAll(test.body, "true", "false")
					again := records(map[string]any{"messageId": "new", "body": body})
					if test.claim {
						if got := invoke(t.Context(), t, b, again); len(got) != 0 || starts != before || q.sent[1].Attributes["ErrorName"].Text != bridge.InProgress {
							t.Errorf("reported %v after %d further executions, want InProgress", got, starts-before)
						}
						time.Sleep(20*time.Second + time.Minute + time.Millisecond)
					}
					if got := invoke(t.Context(), t, b, again); len(got) != 0 || starts != before+1 {
						t.Errorf("put back: reported %v after %d further executions, want it settled by one", got, starts-before)
					}
				})
			})
		}
	}
}

func refuse(name string) func() (bridge.Outcome, error) {
	return func() (bridge.Outcome, error) { return bridge.Outcome{}, bridge.NewFailure(name, "", nil) }
}

// A record whose key another attempt holds is delivered again exactly when the claim has
// expired, with or without a retry.
func TestInProgressComesBackWithTheClaim(t *testing.T) {
	t.Parallel()
	for name, retry := range map[string]string{"the queue's own": "", "a short retry": "    retry: {delay: 1s, max: 2s}\n", "a long one": "    retry: {delay: 3h, max: 3h}\n"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				route := "  - name: o\n    sqs: 'orders*'\n    start: m\n    timeout: 20s\n    dedupe: {key: '{% $message.body.id %}', claim: 2m}\n" + retry
				cfg, err := config.Options{Getenv: func(string) string { return "" }}.Parse("test.yaml", []byte("version: 1\nroutes:\n"+route))
				if err != nil {
					t.Fatal(err)
				}
				store := dedupe.NewMemory(dedupe.MemoryOptions{})
				q := &fakeQueues{}
				var starts atomic.Int32
				newBatch := func(starter starterFunc) *sqsbatch.Batch {
					log := slog.New(slog.DiscardHandler)
					return sqsbatch.New(cfg.Routes, bridge.New(starter, bridge.Options{Log: log, Dedupe: store}), sqsbatch.Options{Log: log, Queues: q})
				}
				killed := newBatch(func(context.Context, bridge.Start) (bridge.Outcome, error) {
					starts.Add(1)
					time.Sleep(time.Hour) // the function does not see its end
					return output("{}")
				})
				event := records(map[string]any{"body": `{"id":1}`})
				go func() { _, _ = killed.Invoke(context.Background(), event) }()
				time.Sleep(5 * time.Second)
				next := newBatch(func(context.Context, bridge.Start) (bridge.Outcome, error) { starts.Add(1); return output("{}") })
				if got := invoke(t.Context(), t, next, event); len(got) != 1 {
					t.Errorf("reported %v, want the record", got)
				}
				// Of 20s + 2m there are 15s + 2m left, and the millisecond in which they end.
				if diff := cmp.Diff(map[string]time.Duration{"handle-1": 136 * time.Second}, q.changed); diff != "" {
					t.Errorf("visibilities (-want +got):\n%s", diff)
				}
				time.Sleep(136 * time.Second)
				if got := invoke(t.Context(), t, next, event); len(got) != 0 || starts.Load() != 2 {
					t.Errorf("reported %v after %d executions, want it to run when it comes back", got, starts.Load())
				}
				time.Sleep(time.Hour)
			})
		})
	}
}

// Two deliveries with the same content are duplicates, whatever the delivering service
// added.
func TestFingerprint(t *testing.T) {
	t.Parallel()
	const (
		event  = `{"detail": {"id": "7"}, "source": "shop", "detail-type": "Paid", "id": "e-1"}`
		replay = `{"detail":{"id":"7"},"source":"shop","detail-type":"Paid","id":"e-1","replay-name":"after-fix"}`
		other  = `{"detail":{"id":"7"},"source":"shop","detail-type":"Paid","id":"e-2"}`
	)
	published := func(message, id string) string {
		return `{"Type":"Notification","TopicArn":"arn:aws:sns:us-east-1:123456789012:t","MessageId":"` + id + `","Message":` + message + `}`
	}
	tests := map[string]struct {
		unwrap, key, first, second string
		same                       bool
	}{
		"a replay, unwrapped":           {"eventbridge", "$message.body.id", event, replay, true},
		"a replay, as it is":            {"", "$message.body.detail.id", event, replay, true},
		"another event":                 {"", "$message.body.detail.id", event, other, false},
		"published twice":               {"sns", "$message.body.id", published(`"{\"id\":7}"`, "a"), published(`"{\"id\":7}"`, "b"), true},
		"published otherwise":           {"sns", "$message.body.id", published(`"{\"id\":7}"`, "a"), published(`"{\"id\":7,\"n\":1}"`, "b"), false},
		"a name like that in a body":    {"", "$message.body.id", `{"id":7}`, `{"id":7,"replay-name":"x"}`, false},
		"not quite an event":            {"", "$message.body.id", `{"id":7,"detail-type":1}`, `{"id":7,"detail-type":1,"replay-name":"x"}`, false},
		"the same, written differently": {"", "$message.body.id", `{"id":7}`, `{"id": 7}`, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := &engine{Respond: func(string) (bridge.Outcome, error) { return output("{}") }}
			route := dedupeRoute(test.key)
			if test.unwrap != "" {
				route += "    unwrap: " + test.unwrap + "\n"
			}
			b := dedupeBatch(t, route, e, &fakeQueues{})
			invoke(t.Context(), t, b, records(map[string]any{"body": test.first}))
			got := invoke(t.Context(), t, b, records(map[string]any{"body": test.second}))
			if (len(got) == 0) != test.same || len(e.inputs) != 1 {
				t.Errorf("reported %v after %d executions; the same: %v", got, len(e.inputs), test.same)
			}
		})
	}
}

// Omitted fields mean the same in Go as in YAML: nothing hangs, and nothing panics.
func TestRouteMadeInGo(t *testing.T) {
	t.Parallel()
	route := &config.Route{Route: bridge.Route{Name: "o", StateMachine: "m"}, SQS: &config.SQS{Queue: "orders", Retry: &config.Retry{Delay: time.Second}}}
	var trace string
	starter := starterFunc(func(_ context.Context, s bridge.Start) (bridge.Outcome, error) {
		trace = s.TraceHeader
		return fail("Broken")
	})
	q := &fakeQueues{}
	b := sqsbatch.New([]*config.Route{route}, bridge.New(starter, bridge.Options{}), sqsbatch.Options{Queues: q, Random: func() float64 { return 0.5 }})
	rec := map[string]any{"attributes": attributes("ApproximateReceiveCount", "3", "AWSTraceHeader", "Root=1-a")}
	if got := invoke(t.Context(), t, b, records(rec)); len(got) != 1 {
		t.Errorf("reported %v, want the record", got)
	}
	if diff := cmp.Diff(map[string]time.Duration{"handle-1": 2 * time.Second}, q.changed); diff != "" || trace != "Root=1-a" {
		t.Errorf("trace %q; visibilities (-want +got):\n%s", trace, diff)
	}
}

// A letter that is put back has the sender's deduplication id, in whichever form the letter
// carries it.
func TestDeduplicationIDOfALetter(t *testing.T) {
	t.Parallel()
	str := func(s string) map[string]any { return stringAttribute("String", s) }
	tests := map[string]struct {
		own  map[string]any
		want string
	}{
		"a message":                  {nil, "own"},
		"a letter":                   {map[string]any{"ErrorName": str("E"), "Route": str("o"), "DeduplicationId": str("sender's")}, "sender's"},
		"a letter in one attribute":  {map[string]any{"Expressway": str(`{"errorName":"E","route":"o","deduplicationId":"sender's"}`)}, "sender's"},
		"put back":                   {map[string]any{"Expressway": str(`{"redriveId":"redrive-1","deduplicationId":"sender's"}`)}, "sender's"},
		"a letter of a plain queue":  {map[string]any{"ErrorName": str("E"), "Route": str("o")}, "own"},
		"a sender's own attribute":   {map[string]any{"DeduplicationId": str("another")}, "own"},
		"a sender's own JSON":        {map[string]any{"Expressway": str(`{"deduplicationId":"another"}`)}, "own"},
		"a sender's own binary":      {map[string]any{"Expressway": map[string]any{"dataType": "Binary", "binaryValue": "AA=="}}, "own"},
		"a sender's own, not a text": {map[string]any{"Route": nil, "ErrorName": 1}, "own"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got string
			b := batch(t, "  - name: o\n    sqs: 'orders*'\n    start: m\n    input: '{% $message.attributes.MessageDeduplicationId %}'\n",
				func(_ context.Context, s bridge.Start) (bridge.Outcome, error) {
					got = strings.Trim(string(s.Input), `"`)
					return output("{}")
				})
			invoke(t.Context(), t, b, records(map[string]any{
				"eventSourceARN": fifoARN, "attributes": attributes("MessageGroupId", "g", "MessageDeduplicationId", "own"), "messageAttributes": test.own,
			}))
			if got != test.want {
				t.Errorf("MessageDeduplicationId = %q, want %q", got, test.want)
			}
		})
	}
}

// For expressions, a message that was put back is the same as the first time, without the
// attribute that carries the sender's deduplication id. If it is dead-lettered again, it
// still carries the id.
func TestPutBackLooksTheSame(t *testing.T) {
	t.Parallel()
	var input string
	queues := &fakeQueues{}
	b := batchWith(t, "  - name: o\n    sqs: 'orders*'\n    start: m\n    input: '{% $message.messageAttributes %}'\n    deadLetterQueue: "+deadURL+".fifo\n    catch: [{errors: States.ALL, then: dead-letter}]\n",
		func(_ context.Context, s bridge.Start) (bridge.Outcome, error) {
			input = string(s.Input)
			return fail("Invalid")
		}, sqsbatch.Options{Queues: queues})
	invoke(t.Context(), t, b, records(map[string]any{
		"eventSourceARN": fifoARN, "attributes": attributes("MessageGroupId", "g", "MessageDeduplicationId", "redrive-1"),
		"messageAttributes": map[string]any{
			"Expressway": stringAttribute("String", `{"deduplicationId":"sender's","redriveId":"redrive-1"}`), "mine": stringAttribute("String", "1"),
		},
	}))
	if !strings.Contains(input, "mine") || strings.Contains(input, "redrive-1") {
		t.Errorf("the workflow got %s", input)
	}
	if len(queues.sent) != 1 || queues.sent[0].Attributes["DeduplicationId"].Text != "sender's" || len(queues.sent[0].Attributes) != 6 {
		t.Errorf("the dead letter is %+v", queues.sent)
	}
}
