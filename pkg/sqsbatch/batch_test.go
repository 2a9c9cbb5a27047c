package sqsbatch_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/sqsbatch"
)

// An engine remembers the inputs that it was given, and answers by Respond.
type engine struct {
	Respond func(input string) (bridge.Outcome, error)

	mu     sync.Mutex
	inputs []string
}

func (e *engine) start(_ context.Context, s bridge.Start) (bridge.Outcome, error) {
	e.mu.Lock()
	e.inputs = append(e.inputs, string(s.Input))
	e.mu.Unlock()
	if e.Respond != nil {
		return e.Respond(string(s.Input))
	}
	return output(`{}`)
}

// sorted is for starts that may come in any order.
func (e *engine) sorted() []string {
	slices.Sort(e.inputs)
	return e.inputs
}

func output(text string) (bridge.Outcome, error) {
	return bridge.Outcome{ExecutionARN: "arn", Status: bridge.Succeeded, Output: []byte(text)}, nil
}

const batched = "  - {name: o, sqs: 'orders*', start: m, batch: true, input: '{% $messages.body %}'}\n"

func numbered(n int, arn string, group func(int) string) []byte {
	var list []map[string]any
	for i := range n {
		rec := map[string]any{"body": fmt.Sprintf(`"b%d"`, i+1)}
		if group != nil {
			rec["eventSourceARN"] = arn
			rec["attributes"] = attributes("MessageGroupId", group(i))
		}
		list = append(list, rec)
	}
	return records(list...)
}

func TestBatchIsOneExecution(t *testing.T) {
	t.Parallel()
	e := &engine{}
	if got := invoke(t.Context(), t, batch(t, batched, e.start), numbered(4, "", nil)); len(got) != 0 {
		t.Errorf("batchItemFailures = %v, want none", got)
	}
	if diff := cmp.Diff([]string{`["b1","b2","b3","b4"]`}, e.inputs); diff != "" {
		t.Errorf("inputs (-want +got):\n%s", diff)
	}
	e = &engine{}
	odd := func(i int) string { return fmt.Sprint(i % 2) }
	invoke(t.Context(), t, batch(t, batched, e.start), numbered(4, fifoARN, odd))
	if diff := cmp.Diff([]string{`["b1","b3"]`, `["b2","b4"]`}, e.sorted()); diff != "" {
		t.Errorf("inputs of groups (-want +got):\n%s", diff)
	}
}

// Without an input the execution gets $messages, a list even of one.
func TestBatchDefaultInput(t *testing.T) {
	t.Parallel()
	e := &engine{}
	invoke(t.Context(), t, batch(t, "  - {name: o, sqs: orders, start: m, batch: true}\n", e.start), numbered(1, "", nil))
	var got []struct{ MessageID, Body string }
	if err := json.Unmarshal([]byte(e.inputs[0]), &got); err != nil || len(got) != 1 || got[0].MessageID != "m-1" || got[0].Body != "b1" {
		t.Errorf("input = %s (%v), want a list of one message", e.inputs[0], err)
	}
}

func TestBatchIsSplitBySize(t *testing.T) {
	t.Parallel()
	for name, route := range map[string]string{
		"by what $messages has":    "  - {name: o, sqs: 'orders*', start: m, batch: true}\n",
		"by the size of the input": "  - {name: o, sqs: 'orders*', start: m, batch: true, input: '{% {\"b\": $messages.body, \"m\": $messages} %}'}\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := &engine{}
			var list []map[string]any
			for range 30 {
				list = append(list, map[string]any{"body": `"` + strings.Repeat("x", 40000) + `"`})
			}
			list = append(list, map[string]any{"body": strings.Repeat("y", bridge.MaxInput)})
			q := &fakeQueues{}
			got := invoke(t.Context(), t, batchWith(t, route, e.start, sqsbatch.Options{Queues: q}), records(list...))
			if diff := cmp.Diff([]string{"m-31"}, got); diff != "" {
				t.Errorf("batchItemFailures: only the one that is too large by itself (-want +got):\n%s", diff)
			}
			if len(e.inputs) < 5 || len(e.inputs) > 16 {
				t.Errorf("%d executions, want few", len(e.inputs))
			}
			for _, input := range e.inputs {
				if len(input) > bridge.MaxInput {
					t.Errorf("an input of %d bytes", len(input))
				}
			}
		})
	}
}

func TestBatchPartialResults(t *testing.T) {
	t.Parallel()
	failures := func(ids ...string) string {
		list := []any{}
		for _, id := range ids {
			list = append(list, map[string]any{"itemIdentifier": id})
		}
		text, _ := json.Marshal(map[string]any{"batchItemFailures": list})
		return string(text)
	}
	all := []string{"m-1", "m-2", "m-3"}
	tests := map[string]struct {
		output string
		want   []string
	}{
		"none listed":         {failures(), []string{}},
		"null":                {`{"batchItemFailures": null}`, []string{}},
		"another output":      {`{"ok": true}`, []string{}},
		"not an object":       {`[1]`, []string{}},
		"one":                 {failures("m-2"), []string{"m-2"}},
		"twice":               {failures("m-2", "m-2"), []string{"m-2"}},
		"all":                 {failures(all...), all},
		"unknown":             {failures("m-2", "m-9"), all},
		"empty":               {failures(""), all},
		"mis-keyed":           {`{"batchItemFailures": [{"id": "m-1"}]}`, all},
		"not a list":          {`{"batchItemFailures": "m-1"}`, all},
		"a list of something": {`{"batchItemFailures": ["m-1", null]}`, all},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := &engine{Respond: func(string) (bridge.Outcome, error) { return output(test.output) }}
			got := invoke(t.Context(), t, batch(t, batched, e.start), numbered(3, "", nil))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("batchItemFailures (-want +got):\n%s", diff)
			}
		})
	}
}

// A failure is the failure of every record of the execution.
func TestBatchFailures(t *testing.T) {
	t.Parallel()
	route := strings.Replace(batched, "batch: true", "batch: true, deadLetterQueue: '"+deadURL+"', catch: [{errors: [Gone], then: discard}, {errors: [Bad], then: dead-letter}]", 1)
	for name, want := range map[string]struct{ sent, reported int }{"Gone": {0, 0}, "Bad": {3, 0}, "Other": {0, 3}} {
		e := &engine{Respond: func(string) (bridge.Outcome, error) { return fail(name) }}
		q := &fakeQueues{}
		got := invoke(t.Context(), t, batchWith(t, route, e.start, sqsbatch.Options{Queues: q}), numbered(3, "", nil))
		if len(q.sent) != want.sent || len(got) != want.reported || len(e.inputs) != 1 {
			t.Errorf("%s: %d sent, %d reported, %d executions, want %v and 1", name, len(q.sent), len(got), len(e.inputs), want)
		}
	}
}

// A unit that has run is never run again in halves, whatever the name of the workflow's
// failure.
func TestBatchThatRanIsNotDivided(t *testing.T) {
	t.Parallel()
	for _, name := range bridge.Names() {
		e, q := &engine{Respond: func(string) (bridge.Outcome, error) { return fail(name) }}, &fakeQueues{}
		route := strings.Replace(batched, "batch: true", "batch: true, retry: {delay: 9s, jitter: none}", 1)
		got := invoke(t.Context(), t, batchWith(t, route, e.start, sqsbatch.Options{Queues: q}), numbered(4, "", nil))
		if len(e.inputs) != 1 || len(got) != 4 {
			t.Errorf("%s: %d executions, %d reported, want 1 and 4", name, len(e.inputs), len(got))
		}
		// The execution is over: nothing keeps its records from coming back.
		if len(q.changed) != 4 {
			t.Errorf("%s: %d visibilities changed, want 4", name, len(q.changed))
		}
	}
}

// A record that cannot be part of an execution does not affect the others.
func TestBatchWithPoison(t *testing.T) {
	t.Parallel()
	t.Run("no envelope", func(t *testing.T) {
		t.Parallel()
		e, q := &engine{}, &fakeQueues{}
		route := strings.Replace(batched, "batch: true", "batch: true, unwrap: sns, deadLetterQueue: '"+deadURL+"'", 1)
		sns := map[string]any{"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:123456789012:t", "Message": "1"}
		envelope, _ := json.Marshal(sns)
		got := invoke(t.Context(), t, batchWith(t, route, e.start, sqsbatch.Options{Queues: q}),
			records(map[string]any{"body": string(envelope)}, map[string]any{"body": "raw"}, map[string]any{"body": string(envelope)}))
		if len(got) != 0 || len(q.sent) != 1 || q.sent[0].Body != "raw" {
			t.Errorf("reported %v, sent %d, want the raw one sent", got, len(q.sent))
		}
		if diff := cmp.Diff([]string{"[1,1]"}, e.inputs); diff != "" {
			t.Errorf("inputs: the two others in one (-want +got):\n%s", diff)
		}
	})
	t.Run("expression", func(t *testing.T) {
		t.Parallel()
		e := &engine{}
		route := "  - {name: o, sqs: 'orders*', start: m, batch: true, input: '{% $messages.($number(body)) %}'}\n"
		var list []map[string]any
		for i := range 16 {
			list = append(list, map[string]any{"body": fmt.Sprint(i)})
		}
		list[5]["body"] = `"five"`
		got := invoke(t.Context(), t, batch(t, route, e.start), records(list...))
		if diff := cmp.Diff([]string{"m-6"}, got); diff != "" {
			t.Errorf("batchItemFailures (-want +got):\n%s", diff)
		}
	})
}

// After a failure in a group, the executions of its later records do not start.
func TestBatchGroupStops(t *testing.T) {
	t.Parallel()
	body := `"` + strings.Repeat("x", 200000) + `"`
	list := make([]map[string]any, 3)
	for i := range list {
		list[i] = map[string]any{"body": body, "eventSourceARN": fifoARN, "attributes": attributes("MessageGroupId", "g")}
	}
	for _, route := range []string{batched, "  - {name: o, sqs: 'orders*', start: m, batch: true}\n"} {
		n := 0
		e := &engine{Respond: func(string) (bridge.Outcome, error) {
			if n++; n == 2 {
				return fail("Broken")
			}
			return output("{}")
		}}
		got := invoke(t.Context(), t, batch(t, route, e.start), records(list...))
		if diff := cmp.Diff([]string{"m-2", "m-3"}, got); diff != "" || n != 2 {
			t.Errorf("%d executions; batchItemFailures (-want +got):\n%s", n, diff)
		}
	}
}

// An empty filter answer settles the whole of it.
func TestBatchFilter(t *testing.T) {
	t.Parallel()
	e := &engine{}
	route := strings.Replace(batched, "batch: true", "batch: true, filter: '{% $count($messages) > 3 %}'", 1)
	if got := invoke(t.Context(), t, batch(t, route, e.start), numbered(3, "", nil)); len(got)+len(e.inputs) != 0 {
		t.Errorf("reported %v, started %v, want neither", got, e.inputs)
	}
}
