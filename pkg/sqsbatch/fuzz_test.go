package sqsbatch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/internal/shared"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/sqsbatch"
)

// Every event yields an error of ours, or a response that only names records of the event.
// The failing workflow makes every readable record a dead letter.
func FuzzInvoke(f *testing.F) {
	f.Add(event(message{id: "1", body: "{}"}))
	f.Add([]byte(`{"Records":[{"messageId":"1","eventSource":"aws:sqs","attributes":1,"body":2}]}`))
	f.Add(bytes.ReplaceAll(records(map[string]any{"body": "BAD"}), []byte("BAD"), []byte("\xff")))
	f.Add(records(map[string]any{"eventSourceARN": fifoARN, "attributes": attributes("MessageGroupId", "g"), "messageAttributes": map[string]any{"a": stringAttribute("Binary", "x"), "b": 1}}))
	f.Add(shared.Read(f, "lambda-events", "sqs-event.json"))
	var wrong atomic.Value // a panic would only be a failure of the record
	q := &fakeQueues{SendFn: func(_ context.Context, m *sqsbatch.Message) error {
		if problem := check(m); problem != "" {
			wrong.Store(problem)
		}
		return nil
	}}
	b := batchWith(f, "  - {name: o, sqs: '*', start: m, retry: {delay: 1s}, deadLetterQueue: 'https://q/1/dead.fifo', catch: [{errors: [Invalid], then: dead-letter}]}\n",
		invalid("\x00\xff"), sqsbatch.Options{Queues: q})
	f.Fuzz(func(t *testing.T, payload []byte) {
		q.sent, q.changed = nil, nil
		out, err := b.Invoke(context.Background(), payload)
		if problem := wrong.Load(); problem != nil {
			t.Fatalf("dead letter that SQS would refuse: %v", problem)
		}
		if (out == nil) == (err == nil) {
			t.Fatalf("response %s and error %v", out, err)
		}
		if err != nil {
			var reported messages.InvokeResponse_Error
			if !errors.As(err, &reported) || reported.Type != bridge.BadRequest {
				t.Fatalf("error = %v, want %s", err, bridge.BadRequest)
			}
			return
		}
		var r struct {
			BatchItemFailures []struct{ ItemIdentifier string }
		}
		if err := json.Unmarshal(out, &r); err != nil || r.BatchItemFailures == nil {
			t.Fatalf("response %s: %v", out, err)
		}
		for _, item := range r.BatchItemFailures {
			if item.ItemIdentifier == "" {
				t.Fatalf("response %s names nothing", out)
			}
		}
	})
}

// check reports why SQS would refuse a dead letter.
func check(m *sqsbatch.Message) string {
	if len(m.Attributes) > 10 || m.GroupID == "" || m.DeduplicationID == "" {
		return "more than ten attributes, or no group"
	}
	for name, a := range m.Attributes {
		if a.DataType == "" || (a.Text == "") == (len(a.Binary) == 0) {
			return "attribute " + name + " has no value, or two"
		}
	}
	if cause := m.Attributes["ErrorCause"].Text; !utf8.ValidString(cause) || strings.ContainsRune(cause, 0) {
		return "a cause that SQS does not take"
	}
	return ""
}

// For every body, either an envelope is removed, or the record fails alone.
func FuzzUnwrap(f *testing.F) {
	f.Add("sns", strings.Replace(snsEnvelope, "MESSAGE", `"{}"`, 1))
	f.Add("eventbridge", `{"source":"a","detail-type":"b","detail":{}}`)
	f.Add("s3", `{"Records":[]}`)
	var wrong atomic.Bool
	starter := func(_ context.Context, s bridge.Start) (bridge.Outcome, error) {
		if !json.Valid(s.Input) {
			wrong.Store(true)
		}
		return output("{}")
	}
	batches := map[string]*sqsbatch.Batch{}
	for _, kind := range []string{"sns", "eventbridge", "s3"} {
		batches[kind] = batch(f, "  - {name: o, sqs: '*', start: m, unwrap: "+kind+"}\n", starter)
	}
	f.Fuzz(func(t *testing.T, kind, body string) {
		b, ok := batches[kind]
		if !ok {
			return
		}
		got := invoke(context.Background(), t, b, records(map[string]any{"body": body}))
		if len(got) > 1 || wrong.Load() {
			t.Fatalf("batchItemFailures = %v; input was not JSON: %t", got, wrong.Load())
		}
	})
}

// For every answer of a batch's workflow, the records that it names are delivered again,
// and an answer that is not a list of names applies to all of them.
func FuzzPartial(f *testing.F) {
	for _, seed := range []string{
		`{}`, `[]`, `null`, ``, `{"batchItemFailures":[]}`, `{"batchItemFailures":null}`, `{"batchItemFailures":[{"itemIdentifier":"m-2"},{"itemIdentifier":"m-2"}]}`,
		`{"batchItemFailures":[{"itemIdentifier":"m-9"}]}`, `{"batchItemFailures":[{"itemIdentifier":2}]}`, `{"batchItemFailures":{"itemIdentifier":"m-1"}}`, `{"batchItemFailures":["m-1"]}`,
	} {
		f.Add(seed)
	}
	var answer atomic.Value
	b := batch(f, batched, func(context.Context, bridge.Start) (bridge.Outcome, error) { return output(answer.Load().(string)) })
	f.Fuzz(func(t *testing.T, text string) {
		answer.Store(text)
		got := invoke(context.Background(), t, b, numbered(3, "", nil))
		named, ok := namedRecords(text)
		if !ok {
			if n := len(got); n != 0 && n != 3 {
				t.Fatalf("%q names no records, and %v came back", text, got)
			}
			return
		}
		if diff := cmp.Diff(named, got); diff != "" {
			t.Fatalf("%q: batchItemFailures (-want +got):\n%s", text, diff)
		}
	})
}

// namedRecords reads an answer that names nothing but records of numbered(3).
func namedRecords(text string) ([]string, bool) {
	var doc map[string]any
	if json.Unmarshal([]byte(text), &doc) != nil {
		return nil, false
	}
	list, ok := doc["batchItemFailures"].([]any)
	if !ok {
		return nil, false
	}
	named := map[any]bool{}
	for _, item := range list {
		item, _ := item.(map[string]any)
		named[item["itemIdentifier"]] = true
	}
	ids := []string{}
	for _, id := range []string{"m-1", "m-2", "m-3"} {
		if named[id] {
			ids = append(ids, id)
			delete(named, id)
		}
	}
	return ids, len(named) == 0
}
