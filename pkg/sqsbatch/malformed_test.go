package sqsbatch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/sqsbatch"
)

// A malformed record fails alone, with a name.
func TestMalformedRecords(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		record map[string]any
		cause  string // empty for a record that is fine
	}{
		"no body":                       {map[string]any{"body": nil}, "no body"},
		"body of another type":          {map[string]any{"body": 1}, "no body"},
		"another source":                {map[string]any{"eventSource": "aws:kinesis"}, "does not come from aws:sqs"},
		"no source":                     {map[string]any{"eventSource": nil}, "does not come from aws:sqs"},
		"attributes are not an object":  {map[string]any{"attributes": []any{}}, "attributes are not an object"},
		"message attributes are a list": {map[string]any{"messageAttributes": []any{1}}, "messageAttributes are not an object"},
		"not UTF-8":                     {map[string]any{"body": "BAD"}, "not UTF-8"},
		"not UTF-8, elsewhere":          {map[string]any{"attributes": attributes("SenderId", "BAD")}, "not UTF-8"},
		"unknown attributes":            {map[string]any{"attributes": attributes("New", "1"), "newField": 1}, ""},
		"no attributes":                 {map[string]any{"attributes": map[string]any{}, "messageAttributes": nil}, ""},
		"half a surrogate":              {map[string]any{"body": `"HALF"`}, ""},
		"body that is cut off":          {map[string]any{"body": `{"a":`}, ""},
		"body nested very deeply":       {map[string]any{"body": strings.Repeat("[", 100000)}, ""},
		"body over the limit":           {map[string]any{"body": strings.Repeat("x", bridge.MaxInput)}, "Step Functions takes at most 262144"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := &observer{}
			payload := records(map[string]any{}, test.record, map[string]any{})
			payload = bytes.ReplaceAll(payload, []byte("BAD"), []byte("\xff\xfe"))
			payload = bytes.ReplaceAll(payload, []byte("HALF"), []byte(`\ud800`))
			got := invoke(t.Context(), t, observed(t, o), payload)
			if test.cause == "" {
				if len(got)+len(o.failures) != 0 {
					t.Errorf("reported %v: %v", got, o.failures)
				}
				return
			}
			if diff := cmp.Diff([]string{"m-2"}, got); diff != "" {
				t.Errorf("batchItemFailures (-want +got):\n%s", diff)
			}
			if len(o.failures) != 1 || !strings.Contains(o.failures[0].Cause, test.cause) || bridge.ClassOf(o.failures[0].Name) != bridge.Permanent {
				t.Errorf("failures = %v, want one for %q", o.failures, test.cause)
			}
		})
	}
}

// A record that is not from SQS is never sent on, whatever the route says: its original
// message is not known.
func TestMalformedRecordsAreNotDeadLettered(t *testing.T) {
	t.Parallel()
	q := &fakeQueues{}
	b := batchWith(t, "  - {name: o, sqs: '*', start: m, deadLetterQueue: '"+deadURL+"'}\n", succeed, sqsbatch.Options{Queues: q})
	got := invoke(t.Context(), t, b, records(map[string]any{"body": nil}, map[string]any{"eventSource": "aws:kinesis"}))
	if len(got) != 2 || len(q.sent) != 0 {
		t.Errorf("reported %v, sent %d, want both reported", got, len(q.sent))
	}
}

// A record that no route takes is counted and delivered again.
func TestNoRouteIsCounted(t *testing.T) {
	t.Parallel()
	o := &observer{}
	got := invoke(t.Context(), t, observed(t, o), records(map[string]any{"eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:other"}))
	if len(got) != 1 {
		t.Errorf("batchItemFailures = %v, want the record", got)
	}
	if diff := cmp.Diff([]string{" sqs Expressway.NoRoute"}, o.rejected); diff != "" {
		t.Errorf("rejected (-want +got):\n%s", diff)
	}
}

// An event with a record that cannot be identified fails as a whole: records that are not
// reported by their id are deleted.
func TestRecordsThatCannotBeToldApart(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]string{
		"not an object": `1`, "null": `null`, "no id": `{"body":"x"}`, "empty id": `{"messageId":""}`, "id of another type": `{"messageId":7}`, "id not UTF-8": "{\"messageId\":\"\xff\"}",
	} {
		var event struct{ Records []json.RawMessage }
		if err := json.Unmarshal(records(map[string]any{}), &event); err != nil {
			t.Fatal(err)
		}
		payload := []byte(`{"Records":[` + string(event.Records[0]) + `,` + bad + `]}`)
		started := false
		b := batch(t, "  - {name: o, sqs: '*', start: m}\n", func(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
			started = true
			return succeed(ctx, s)
		})
		if out, err := b.Invoke(t.Context(), payload); err == nil || started {
			t.Errorf("%s: response %s, started %t, want an error and nothing started", name, out, started)
		}
	}
}

// An observer keeps what it is notified of.
type observer struct {
	mu       sync.Mutex
	failures []*bridge.Failure
	rejected []string
}

var _ bridge.Observer = (*observer)(nil)

func (o *observer) Begin(ctx context.Context) (context.Context, func()) { return ctx, func() {} }

func (o *observer) Settled(_ context.Context, _ *bridge.Delivery, r bridge.Result, _ bridge.Settlement) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if r.Failure != nil {
		o.failures = append(o.failures, r.Failure)
	}
}

func (o *observer) Rejected(_ context.Context, route, source, name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.rejected = append(o.rejected, route+" "+source+" "+name)
}

func observed(t *testing.T, o *observer) *sqsbatch.Batch {
	t.Helper()
	cfg, err := config.Options{Getenv: func(string) string { return "" }}.Parse("test.yaml", []byte("version: 1\nroutes:\n  - {name: o, sqs: 'orders*', start: m}\n"))
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	return sqsbatch.New(cfg.Routes, bridge.New(starterFunc(succeed), bridge.Options{Log: log, Observer: o}), sqsbatch.Options{Log: log})
}
