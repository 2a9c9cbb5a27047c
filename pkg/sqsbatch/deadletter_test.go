package sqsbatch_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/sqsbatch"
)

const deadURL = "https://sqs.us-east-1.amazonaws.com/123456789012/dead"

func deadRoute(url string) string {
	return "  - name: o\n    sqs: 'orders*'\n    start: m\n    input: '{% $message.body %}'\n    deadLetterQueue: " + url + "\n" +
		"    catch: [{errors: [Invalid], then: dead-letter}]\n"
}

func invalid(cause string) starterFunc {
	return func(context.Context, bridge.Start) (bridge.Outcome, error) {
		return bridge.Outcome{ExecutionARN: "arn:execution", Status: bridge.Failed, Error: "Invalid", Cause: cause}, nil
	}
}

func stringAttribute(kind, value string) map[string]any {
	return map[string]any{"stringValue": value, "stringListValues": []any{}, "binaryListValues": []any{}, "dataType": kind}
}

func TestDeadLetter(t *testing.T) {
	t.Parallel()
	q := &fakeQueues{}
	b := batchWith(t, deadRoute(deadURL), invalid("no such\x00product"), sqsbatch.Options{Queues: q})
	const trace = "Root=1-67890abc-0123456789abcdef01234567;Sampled=1"
	got := invoke(t.Context(), t, b, records(map[string]any{
		"body":       `{"sku": "x",  "n": 1.0}`,
		"attributes": attributes("AWSTraceHeader", trace, "MessageGroupId", "tenant-1"),
		"messageAttributes": map[string]any{
			"kind": stringAttribute("String.custom", "a"), "n": stringAttribute("Number.int", "3"),
			"bin": map[string]any{"binaryValue": "AAEC", "dataType": "Binary.png"},
		},
	}))
	if len(got) != 0 {
		t.Errorf("batchItemFailures = %v, want none: the queue has taken it", got)
	}
	text := func(s string) sqsbatch.Attribute { return sqsbatch.Attribute{DataType: "String", Text: s} }
	want := []*sqsbatch.Message{{
		QueueURL: deadURL, Body: `{"sku": "x",  "n": 1.0}`, TraceHeader: trace, GroupID: "tenant-1",
		Attributes: map[string]sqsbatch.Attribute{
			"ErrorName": text("Invalid"), "ErrorCause": text("no such\uFFFDproduct"), "ExecutionArn": text("arn:execution"), "Route": text("o"),
			"SourceQueue": text("arn:aws:sqs:us-east-1:123456789012:orders"),
			"kind":        {DataType: "String.custom", Text: "a"}, "n": {DataType: "Number.int", Text: "3"},
			"bin": {DataType: "Binary.png", Binary: []byte{0, 1, 2}},
		},
	}}
	if diff := cmp.Diff(want, q.sent); diff != "" {
		t.Errorf("dead letter (-want +got):\n%s", diff)
	}
}

func TestDeadLetterIsNotAcknowledgedBeforeItIsAccepted(t *testing.T) {
	t.Parallel()
	refuse := &fakeQueues{SendFn: func(context.Context, *sqsbatch.Message) error { return errors.New("no") }}
	tests := map[string]struct {
		url     string
		options sqsbatch.Options
	}{
		"refused":   {deadURL, sqsbatch.Options{Queues: refuse}},
		"no client": {deadURL, sqsbatch.Options{}},
		"no queue":  {"''", sqsbatch.Options{Queues: &fakeQueues{}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := invoke(t.Context(), t, batchWith(t, deadRoute(test.url), invalid(""), test.options), records(map[string]any{}))
			if diff := cmp.Diff([]string{"m-1"}, got); diff != "" {
				t.Errorf("batchItemFailures (-want +got):\n%s", diff)
			}
		})
	}
}

// A record that can never run goes to the dead-letter queue at once, if there is one.
func TestPoison(t *testing.T) {
	t.Parallel()
	huge := `"` + strings.Repeat("x", bridge.MaxInput) + `"`
	const failing = "    deadLetterQueue: " + deadURL + "\n    input: '{% $message.body.missing %}'\n"
	head := "  - name: o\n    sqs: 'orders*'\n    start: m\n"
	tests := map[string]struct {
		route, body string
		want        string // the name that the dead letter has; empty for none
	}{
		"too large":            {deadRoute(deadURL), huge, bridge.InputTooLarge},
		"expression":           {head + failing, "{}", bridge.ExpressionFailed},
		"no envelope":          {head + "    deadLetterQueue: " + deadURL + "\n    unwrap: sns\n", "{}", bridge.BadRequest},
		"caught":               {head + failing + "    catch: [{errors: States.ALL, then: retry}]\n", "{}", ""},
		"no dead-letter queue": {head + "    input: '{% $message.body.missing %}'\n", "{}", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := &fakeQueues{}
			b := batchWith(t, test.route, func(context.Context, bridge.Start) (bridge.Outcome, error) {
				t.Error("something was started")
				return succeed(t.Context(), bridge.Start{})
			}, sqsbatch.Options{Queues: q})
			got := invoke(t.Context(), t, b, records(map[string]any{"body": test.body}))
			if test.want == "" {
				if len(q.sent) != 0 || len(got) != 1 {
					t.Errorf("sent %d and reported %v, want it reported only", len(q.sent), got)
				}
				return
			}
			if len(got) != 0 || len(q.sent) != 1 {
				t.Fatalf("sent %d and reported %v, want it sent only", len(q.sent), got)
			}
			if a := q.sent[0].Attributes; a["ErrorName"].Text != test.want || a["ErrorCause"].Text == "" {
				t.Errorf("attributes = %v, want ErrorName %s and a cause", a, test.want)
			}
			if _, ok := q.sent[0].Attributes["ExecutionArn"]; ok {
				t.Error("empty ExecutionArn: SQS refuses empty values")
			}
		})
	}
}

// In a FIFO queue, each letter has a deduplication id of its own, and carries the sender's
// id.
func TestDeadLetterToFIFO(t *testing.T) {
	t.Parallel()
	q := &fakeQueues{}
	b := batchWith(t, deadRoute(deadURL+".fifo"), invalid(""), sqsbatch.Options{Queues: q})
	again := map[string]any{
		"ErrorName": stringAttribute("String", "Invalid"), "Route": stringAttribute("String", "o"), "DeduplicationId": stringAttribute("String", "d-4"),
	}
	got := invoke(t.Context(), t, b, records(
		map[string]any{"eventSourceARN": fifoARN, "attributes": attributes("MessageGroupId", "g", "MessageDeduplicationId", "d-1")},
		map[string]any{"eventSourceARN": fifoARN, "attributes": attributes("MessageGroupId", "g", "MessageDeduplicationId", "d-1")},
		map[string]any{},
		map[string]any{"eventSourceARN": fifoARN, "attributes": attributes("MessageGroupId", "g", "MessageDeduplicationId", "m-old"), "messageAttributes": again},
	))
	if len(got) != 0 {
		t.Errorf("batchItemFailures = %v, want none: a dead-lettered record is settled, and its group continues", got)
	}
	ids := map[string]string{}
	for _, m := range q.sent {
		ids[m.GroupID+" "+m.DeduplicationID] = m.Attributes["DeduplicationId"].Text
	}
	if diff := cmp.Diff(map[string]string{"g m-1": "d-1", "g m-2": "d-1", "m-3 m-3": "", "g m-4": "d-4"}, ids); diff != "" {
		t.Errorf("group and deduplication id, and the sender's (-want +got):\n%s", diff)
	}
}

// None of the message's own attributes is left out, and none of ours while there is room:
// six of their own, one for all, and where even that does not fit the record is retried.
func TestDeadLetterAttributes(t *testing.T) {
	t.Parallel()
	own := func(n int, names ...string) map[string]any {
		all := map[string]any{}
		for i := range n {
			all[fmt.Sprintf("a%02d", i)] = stringAttribute("String", "v")
		}
		for _, name := range names {
			all[name] = stringAttribute("String", "the sender's")
		}
		return all
	}
	const six = "DeduplicationId ErrorCause ErrorName ExecutionArn Route SourceQueue"
	tests := map[string]struct {
		own  map[string]any
		want string // the names of our attributes; empty if the record is retried
	}{
		"none":                              {own(0), six},
		"four":                              {own(4), six},
		"five":                              {own(5), "Expressway"},
		"nine":                              {own(9), "Expressway"},
		"ten":                               {own(10), ""},
		"an attribute that Expressway sets": {own(1, "Route"), "Expressway"},
		"the name of all":                   {own(1, "Expressway"), six},
		"the name of all, and ten":          {own(9, "Expressway"), ""},
		"not to be read":                    {map[string]any{"a": map[string]any{"dataType": "String"}}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := &fakeQueues{}
			b := batchWith(t, deadRoute(deadURL), invalid("why"), sqsbatch.Options{Queues: q})
			rec := map[string]any{"messageAttributes": test.own, "attributes": attributes("MessageDeduplicationId", "d-1")}
			got := invoke(t.Context(), t, b, records(rec))
			if test.want == "" {
				if len(q.sent) != 0 || len(got) != 1 {
					t.Errorf("sent %d and reported %v, want it reported only", len(q.sent), got)
				}
				return
			}
			if len(q.sent) != 1 || len(got) != 0 {
				t.Fatalf("sent %d and reported %v, want it sent only", len(q.sent), got)
			}
			sent := q.sent[0].Attributes
			var ours []string
			for name, a := range sent {
				if test.own[name] == nil {
					ours = append(ours, name)
				} else if a.Text != "v" && a.Text != "the sender's" {
					t.Errorf("the message's own %s = %q", name, a.Text)
				}
			}
			slices.Sort(ours)
			if got := strings.Join(ours, " "); got != test.want || len(sent) != len(test.own)+len(ours) || len(sent) > 10 {
				t.Errorf("ours are %q of %d attributes, want %q and all of the message's", got, len(sent), test.want)
			}
			want := &sqsbatch.Reason{
				ErrorName: "Invalid", ErrorCause: "why", ExecutionARN: "arn:execution", Route: "o",
				SourceQueue: "arn:aws:sqs:us-east-1:123456789012:orders", DeduplicationID: "d-1",
			}
			if diff := cmp.Diff(want, sqsbatch.TakeReason(sent)); diff != "" {
				t.Errorf("reason (-want +got):\n%s", diff)
			}
			if len(sent) != len(test.own) {
				t.Errorf("%d attributes are left, want the message's own %d", len(sent), len(test.own))
			}
		})
	}
}

// A sender may use our names; only what has both the name of an error and a route is a
// dead letter.
func TestTakeReasonOfNothing(t *testing.T) {
	t.Parallel()
	for _, names := range [][]string{{}, {"Route"}, {"ErrorName", "DeduplicationId"}, {"Expressway"}} {
		attributes := map[string]sqsbatch.Attribute{}
		for _, name := range names {
			attributes[name] = sqsbatch.Attribute{DataType: "String", Text: "x"}
		}
		if r := sqsbatch.TakeReason(attributes); r != nil || len(attributes) != len(names) {
			t.Errorf("%v: reason %+v, and %d attributes left", names, r, len(attributes))
		}
	}
}

// SQS accepts every name and every cause of a workflow's failure.
func TestDeadLetterText(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ name, cause, wantName, wantCause string }{
		"no cause":           {"Bad", "", "Bad", ""},
		"no name":            {"", "why", "States.Failed", "why"},
		"control characters": {"Bad\x00\x1b", "a\tb\nc\rd\x00\x0b\x7f\u0085", "Bad\uFFFD\uFFFD", "a\tb\nc\rd\uFFFD\uFFFD\x7f\u0085"},
		"noncharacters":      {"Bad\uFFFE", "\uFFFF\U0010FFFF😀", "Bad\uFFFD", "\uFFFD\U0010FFFF😀"},
		"not UTF-8":          {"Bad\xff", "\xed\xa0\x80.", "Bad\uFFFD", "\uFFFD."},
		"long":               {strings.Repeat("é", 200), strings.Repeat("é", 5000), strings.Repeat("é", 128), strings.Repeat("é", 2048)},
		"cut in a character": {"x" + strings.Repeat("😀", 100), "x" + strings.Repeat("😀", 2000), "x" + strings.Repeat("😀", 63), "x" + strings.Repeat("😀", 1023)},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			q := &fakeQueues{}
			route := strings.Replace(deadRoute(deadURL), "[Invalid]", "States.ALL", 1)
			b := batchWith(t, route, func(context.Context, bridge.Start) (bridge.Outcome, error) {
				return bridge.Outcome{ExecutionARN: "arn", Status: bridge.Failed, Error: test.name, Cause: test.cause}, nil
			}, sqsbatch.Options{Queues: q})
			if got := invoke(t.Context(), t, b, records(map[string]any{})); len(got) != 0 || len(q.sent) != 1 {
				t.Fatalf("reported %v, sent %d", got, len(q.sent))
			}
			a := q.sent[0].Attributes
			got := []string{a["ErrorName"].Text, a["ErrorCause"].Text}
			if diff := cmp.Diff([]string{test.wantName, test.wantCause}, got); diff != "" {
				t.Errorf("ErrorName, ErrorCause (-want +got):\n%s", diff)
			}
			if _, has := a["ErrorCause"]; has != (test.wantCause != "") {
				t.Error("empty ErrorCause: SQS refuses empty values")
			}
		})
	}
}

// What we add counts into the queue's limit: it gives way to the message, the cause first
// and the name last.
func TestDeadLetterSize(t *testing.T) {
	t.Parallel()
	cause := strings.Repeat("é", 20000)
	const limit = 1 << 20
	tests := map[string]struct {
		body  int
		sent  bool
		cause int    // at most
		ours  string // those of ours that it has
	}{
		"room":              {1000, true, 4096, "ErrorCause ErrorName ExecutionArn Route SourceQueue"},
		"little":            {limit - 250, true, 150, "ErrorCause ErrorName ExecutionArn Route SourceQueue"},
		"without the cause": {limit - 135, true, 0, "ErrorName ExecutionArn Route SourceQueue"},
		"for three":         {limit - 105, true, 0, "ErrorName Route SourceQueue"},
		"for two":           {limit - 40, true, 0, "ErrorName Route"},
		"none":              {limit, true, 0, ""},
		"too much":          {limit + 1, false, 0, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := &fakeQueues{}
			route := strings.Replace(deadRoute(deadURL), "'{% $message.body %}'", "{}", 1)
			got := invoke(t.Context(), t, batchWith(t, route, invalid(cause), sqsbatch.Options{Queues: q}),
				records(map[string]any{"body": strings.Repeat("x", test.body)}))
			if (len(q.sent) == 1) != test.sent || (len(got) == 0) != test.sent {
				t.Fatalf("sent %d, reported %v", len(q.sent), got)
			}
			if !test.sent {
				return
			}
			if got := strings.Join(slices.Sorted(maps.Keys(q.sent[0].Attributes)), " "); got != test.ours {
				t.Errorf("attributes %q, want %q", got, test.ours)
			}
			text := q.sent[0].Attributes["ErrorCause"].Text
			if len(text) > test.cause || !utf8.ValidString(text) {
				t.Errorf("cause of %d bytes, valid %t, want at most %d", len(text), utf8.ValidString(text), test.cause)
			}
			size := len(q.sent[0].Body)
			for n, a := range q.sent[0].Attributes {
				size += len(n) + len(a.DataType) + len(a.Text)
			}
			if size > limit {
				t.Errorf("the message has %d bytes, and SQS takes %d", size, limit)
			}
		})
	}
}

// A group whose dead letter is not accepted stops there, so that nothing overtakes it.
func TestGroupStopsAtADeadLetterThatIsNotTaken(t *testing.T) {
	t.Parallel()
	q := &fakeQueues{SendFn: func(_ context.Context, m *sqsbatch.Message) error {
		if m.DeduplicationID == "m-2" {
			return errors.New("no")
		}
		return nil
	}}
	var list []map[string]any
	for _, id := range []string{"1", "2", "3"} {
		list = append(list, map[string]any{"eventSourceARN": fifoARN, "attributes": attributes("MessageGroupId", "g", "MessageDeduplicationId", id)})
	}
	got := invoke(t.Context(), t, batchWith(t, deadRoute(deadURL+".fifo"), invalid(""), sqsbatch.Options{Queues: q}), records(list...))
	if diff := cmp.Diff([]string{"m-2", "m-3"}, got); diff != "" {
		t.Errorf("batchItemFailures (-want +got):\n%s", diff)
	}
}
