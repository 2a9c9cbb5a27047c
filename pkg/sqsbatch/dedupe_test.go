package sqsbatch_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/sqsbatch"
)

// A store keeps dedupe records in a map. Nothing expires in it but what is in progress.
type store struct {
	mu      sync.Mutex
	records map[string]bridge.Record
}

var _ bridge.DedupeStore = (*store)(nil)

func (s *store) Claim(_ context.Context, c bridge.Claim) (bridge.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rec, ok := s.records[c.Key]
	if ok && (rec.State == bridge.Completed || time.Now().Before(rec.Until)) {
		return rec, nil
	}
	s.records[c.Key] = bridge.Record{State: bridge.Held, Fingerprint: c.Fingerprint, Until: c.Until}
	return bridge.Record{State: bridge.Claimed}, nil
}

func (s *store) Complete(_ context.Context, c bridge.Claim, answer []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records[c.Key] = bridge.Record{State: bridge.Completed, Fingerprint: c.Fingerprint, Answer: answer}
	return nil
}

func (s *store) Release(_ context.Context, c bridge.Claim) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.records, c.Key)
	return nil
}

func dedupeBatch(t *testing.T, route string, e *engine, q *fakeQueues) *sqsbatch.Batch {
	t.Helper()
	cfg, err := config.Options{Getenv: func(string) string { return "" }}.Parse("test.yaml", []byte("version: 1\nroutes:\n"+route))
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	b := bridge.New(starterFunc(e.start), bridge.Options{Log: log, Dedupe: &store{records: map[string]bridge.Record{}}})
	return sqsbatch.New(cfg.Routes, b, sqsbatch.Options{Log: log, Queues: q})
}

func dedupeRoute(key string) string {
	return "  - name: o\n    sqs: 'orders*'\n    start: m\n    input: '{% $message.body %}'\n    retry: {delay: 1s, jitter: none}\n" +
		"    dedupe: {key: '{% " + key + " %}'}\n    catch: [{errors: [Gone], then: discard}]\n"
}

// A record that is delivered again after it was settled is settled without a second execution.
func TestDedupeAcrossBatches(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		key    string
		record map[string]any
	}{
		"message id":       {"$message.messageId", map[string]any{}},
		"deduplication id": {"$message.attributes.MessageDeduplicationId", map[string]any{"eventSourceARN": fifoARN, "attributes": attributes("MessageGroupId", "g", "MessageDeduplicationId", "d")}},
		"a body's id":      {"$message.body.id", map[string]any{"body": `{"id": 7}`}},
		"discarded":        {"$message.messageId", map[string]any{"body": `"gone"`}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := &engine{Respond: func(input string) (bridge.Outcome, error) {
				if input == `"gone"` {
					return fail("Gone")
				}
				return output("{}")
			}}
			b := dedupeBatch(t, dedupeRoute(test.key), e, &fakeQueues{})
			for range 3 {
				if got := invoke(t.Context(), t, b, records(test.record)); len(got) != 0 {
					t.Errorf("batchItemFailures = %v, want none", got)
				}
			}
			if len(e.inputs) != 1 {
				t.Errorf("%d executions, want 1", len(e.inputs))
			}
		})
	}
}

// Of two records in one batch with the same key, one starts; the other is delivered again.
func TestDedupeWithinABatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := &engine{Respond: func(string) (bridge.Outcome, error) {
			time.Sleep(time.Second)
			return output("{}")
		}}
		q := &fakeQueues{}
		b := dedupeBatch(t, dedupeRoute("$message.body.id"), e, q)
		twins := records(map[string]any{"body": `{"id": 7}`}, map[string]any{"body": `{"id": 7}`}, map[string]any{"body": `{"id": 8}`})
		got := invoke(t.Context(), t, b, twins)
		if len(got) != 1 || got[0] == "m-3" || len(e.inputs) != 2 {
			t.Errorf("reported %v after %d executions, want one of the twins and 2", got, len(e.inputs))
		}
		if len(q.changed) != 1 {
			t.Errorf("visibilities = %v, want that of the record in progress", q.changed)
		}
		if got = invoke(t.Context(), t, b, twins); len(got) != 0 || len(e.inputs) != 2 {
			t.Errorf("reported %v after %d executions, want none and still 2", got, len(e.inputs))
		}
	})
}

// A failure that will be retried frees the key; one with an unknown outcome holds it.
func TestDedupeAfterFailures(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := 0
		answers := []func() (bridge.Outcome, error){
			func() (bridge.Outcome, error) { return fail("Broken") },
			func() (bridge.Outcome, error) { return bridge.Outcome{}, bridge.NewFailure(bridge.Unknown, "", nil) },
			func() (bridge.Outcome, error) { return output("{}") },
		}
		e := &engine{Respond: func(string) (bridge.Outcome, error) { n++; return answers[n-1]() }}
		b := dedupeBatch(t, dedupeRoute("$message.messageId"), e, &fakeQueues{})
		var reported []int
		for _, wait := range []time.Duration{0, 0, time.Minute, 2 * bridge.MaxWait} {
			time.Sleep(wait)
			reported = append(reported, len(invoke(t.Context(), t, b, records(map[string]any{}))))
		}
		if diff := cmp.Diff([]int{1, 1, 1, 0}, reported); diff != "" || n != 3 {
			t.Errorf("%d executions, want 3: none while one may be running; reported (-want +got):\n%s", n, diff)
		}
	})
}

// A deafStore takes its time to keep an answer.
type deafStore struct{ *store }

func (d deafStore) Complete(ctx context.Context, c bridge.Claim, answer []byte) error {
	time.Sleep(10 * time.Second)
	return d.store.Complete(ctx, c, answer)
}

// A record whose execution is known to have succeeded is settled, however long it takes
// to remember that: to deliver it again could only run it again.
func TestSettledBeforeItIsRemembered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg, err := config.Options{Getenv: func(string) string { return "" }}.Parse("test.yaml", []byte("version: 1\nroutes:\n"+dedupeRoute("$message.messageId")))
		if err != nil {
			t.Fatal(err)
		}
		starter := starterFunc(func(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
			time.Sleep(4 * time.Second)
			return succeed(ctx, s)
		})
		log := slog.New(slog.DiscardHandler)
		b := sqsbatch.New(cfg.Routes, bridge.New(starter, bridge.Options{Log: log, Dedupe: deafStore{&store{records: map[string]bridge.Record{}}}}), sqsbatch.Options{Log: log})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if got := invoke(ctx, t, b, records(map[string]any{})); len(got) != 0 {
			t.Errorf("batchItemFailures = %v, want none", got)
		}
		time.Sleep(time.Minute) // the store gets done
	})
}
