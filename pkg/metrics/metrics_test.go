package metrics_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"github.com/expressway-dev/expressway/internal/version"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/metrics"
)

var at = time.UnixMilli(1_800_000_000_500)

func newWriter(out io.Writer) *metrics.Writer {
	return metrics.New(metrics.Options{Out: out, Now: func() time.Time { return at }})
}

func schema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile("testdata/emf.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A failer is a test of either kind.
type failer interface {
	Helper()
	Fatalf(string, ...any)
}

// lines checks every line against the format, and returns them as documents.
func lines(t failer, s *jsonschema.Schema, text string) []map[string]any {
	t.Helper()
	var docs []map[string]any
	for line := range strings.Lines(text) {
		if len(line) > 256<<10 || !strings.HasSuffix(line, "\n") {
			t.Fatalf("a line has %d bytes, and ends %q", len(line), line[max(0, len(line)-5):])
		}
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if err := s.Validate(v); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		var doc map[string]any
		if err := json.Unmarshal([]byte(line), &doc); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		checkTargets(t, doc)
		docs = append(docs, doc)
	}
	return docs
}

// checkTargets holds what a schema cannot say: dimensions and metrics are members of the
// root, texts and numbers, and no other number is there.
func checkTargets(t failer, doc map[string]any) {
	t.Helper()
	targets := map[string]bool{"_aws": true}
	for _, property := range []string{"level", "timestamp", "version", "functionVersion", "stateMachineVersion"} {
		targets[property] = true
		if v, there := doc[property]; there && v.(string) == "" {
			t.Fatalf("%s is empty", property)
		}
	}
	if _, err := time.Parse(time.RFC3339, doc["timestamp"].(string)); err != nil || doc["level"] == "" {
		t.Fatalf("level %v, timestamp: %v", doc["level"], err)
	}
	for _, d := range doc["_aws"].(map[string]any)["CloudWatchMetrics"].([]any) {
		d := d.(map[string]any)
		for _, set := range d["Dimensions"].([]any) {
			for _, name := range set.([]any) {
				targets[name.(string)] = true
				if _, ok := doc[name.(string)].(string); !ok {
					t.Fatalf("dimension %v is not text", name)
				}
			}
		}
		for _, m := range d["Metrics"].([]any) {
			name := m.(map[string]any)["Name"].(string)
			if targets[name] {
				t.Fatalf("%v occurs twice", name)
			}
			targets[name] = true
			switch doc[name].(type) {
			case float64, []any:
			default:
				t.Fatalf("metric %v is not a number", name)
			}
		}
	}
	for name := range doc {
		if !targets[name] {
			t.Fatalf("%v is neither a dimension nor a metric", name)
		}
	}
}

func delivery(route, kind string) *bridge.Delivery {
	return &bridge.Delivery{Route: &bridge.Route{Name: route}, ID: "payload", Kind: kind, ReceivedAt: at.Add(-40 * time.Millisecond)}
}

func ended(status bridge.Status) *bridge.Outcome {
	return &bridge.Outcome{
		Status: status, StartDate: at.Add(-35 * time.Millisecond), StopDate: at.Add(-5 * time.Millisecond), BilledDuration: 100 * time.Millisecond,
		Output: []byte("payload"), ExecutionARN: "payload",
	}
}

func failure(name string, o *bridge.Outcome) bridge.Result {
	return bridge.Result{Outcome: o, Failure: &bridge.Failure{Name: name, Cause: "payload", Outcome: o}}
}

// Each way that a delivery can end is counted as it is documented.
func TestEnds(t *testing.T) {
	t.Parallel()
	s := schema(t)
	ran := ",ExecutionDuration=[30],BilledDuration=[100],BridgeOverhead=[10]"
	running := &bridge.Outcome{Status: bridge.Running, StartDate: at}
	for name, test := range map[string]struct {
		result bridge.Result
		then   string
		want   string
	}{
		"succeeded":                        {bridge.Result{Outcome: ended(bridge.Succeeded)}, "", "Started=1,Succeeded=1" + ran},
		"asynchronous":                     {bridge.Result{Outcome: running}, "", "Started=1"},
		"filtered":                         {bridge.Result{Filtered: true}, "", "Filtered=1"},
		"filtered by nothing":              {bridge.Result{Filtered: true, FilterUndefined: true}, "", "Filtered=1,FilterUndefined=1"},
		"replayed":                         {bridge.Result{Replayed: true, Replay: []byte("payload")}, "", "Duplicates=1"},
		"in progress":                      {failure(bridge.InProgress, nil), "retry", "Retried=1,Duplicates=1"},
		"mismatch":                         {failure(bridge.DedupeMismatch, nil), "", "Duplicates=1"},
		"failed":                           {failure("OrderNotFound", ended(bridge.Failed)), "discard", "Started=1,Failed=1,Discarded=1" + ran},
		"failed with a name of the bridge": {failure(bridge.Throttled, ended(bridge.Failed)), "retry", "Started=1,Failed=1,Retried=1" + ran},
		"timed out":                        {failure(bridge.StatesTimeout, ended(bridge.TimedOut)), "dead-letter", "Started=1,TimedOut=1,DeadLettered=1" + ran},
		"throttled":                        {failure(bridge.Throttled, nil), "retry", "Throttled=1,Retried=1"},
		"unknown":                          {failure(bridge.Unknown, nil), "", "Unknown=1"},
		"deadline":                         {failure(bridge.Deadline, nil), "", "Unknown=1"},
		"internal":                         {failure(bridge.Internal, nil), "", "Unknown=1"},
		"unavailable":                      {failure(bridge.Unavailable, nil), "", "Failed=1"},
		"misconfigured":                    {failure(bridge.Misconfigured, nil), "", "Failed=1"},
		"expression failed":                {failure(bridge.ExpressionFailed, nil), "", "Failed=1"},
		"answer is not a response":         {failure(bridge.BadResponse, ended(bridge.Succeeded)), "", "Started=1,Failed=1" + ran},
		"unverified":                       {failure(bridge.Unverified, nil), "", "Rejected=1"},
		"malformed":                        {failure(bridge.BadRequest, nil), "", "Rejected=1"},
		"too large":                        {failure(bridge.InputTooLarge, nil), "", "Rejected=1"},
		"accepted into a queue":            {bridge.Result{Accepted: "m"}, "", "Accepted=1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			w := newWriter(&out)
			ctx, end := w.Begin(t.Context())
			w.Settled(ctx, delivery("orders", "message"), test.result, bridge.Settlement{Then: test.then})
			end()
			if strings.Contains(out.String(), "payload") {
				t.Errorf("the line shows payload: %s", out.String())
			}
			docs := lines(t, s, out.String())
			if len(docs) != 1 {
				t.Fatalf("%d lines, want one", len(docs))
			}
			want := map[string]any{"Route": "orders", "Source": "sqs", "Received": 1.0, "ColdStart": 1.0}
			for pair := range strings.SplitSeq(test.want, ",") {
				name, text, _ := strings.Cut(pair, "=")
				var v any
				if err := json.Unmarshal([]byte(text), &v); err != nil {
					t.Fatal(err)
				}
				want[name] = v
			}
			for _, property := range []string{"_aws", "level", "timestamp", "version"} {
				delete(docs[0], property)
			}
			if diff := cmp.Diff(want, docs[0]); diff != "" {
				t.Errorf("line (-want +got):\n%s", diff)
			}
		})
	}
}

// Every name that the bridge can give has an end.
func TestEveryFailureIsCounted(t *testing.T) {
	t.Parallel()
	for _, name := range append(bridge.Names(), bridge.StatesTimeout, "OrderNotFound") {
		var out bytes.Buffer
		w := newWriter(&out)
		w.Settled(t.Context(), delivery("r", "event"), failure(name, nil), bridge.Settlement{})
		doc := lines(t, schema(t), out.String())[0]
		ends := 0.0
		for _, end := range []string{"Succeeded", "Failed", "TimedOut", "Throttled", "Unknown", "Rejected", "Filtered", "Duplicates"} {
			n, _ := doc[end].(float64)
			ends += n
		}
		if ends != 1 {
			t.Errorf("%s is counted as %v ends: %v", name, ends, doc)
		}
	}
}

// Every kind of delivery has a source: a line with an empty dimension silently makes no
// metrics. The kinds are those that the adapters pass to the bridge.
func TestEveryKindHasASource(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]string{"request": "http", "message": "sqs", "messages": "sqs", "event": "eventbridge"} {
		var out bytes.Buffer
		newWriter(&out).Settled(t.Context(), delivery("r", kind), bridge.Result{Filtered: true}, bridge.Settlement{})
		if got := lines(t, schema(t), out.String())[0]["Source"]; got != want {
			t.Errorf("source of a delivery of kind %s = %v, want %s", kind, got, want)
		}
	}
}

// The line is the documented one, to the byte.
func TestLine(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := metrics.New(metrics.Options{
		Out: &out, Now: func() time.Time { return at }, Function: "shop-Webhook-1", FunctionVersion: "7", Level: "WARN",
	})
	ctx, end := w.Begin(t.Context())
	o := ended(bridge.Succeeded)
	o.StateMachineARN = "arn:aws:states:us-east-1:123456789012:stateMachine:github:12"
	w.Settled(ctx, delivery("github", "request"), bridge.Result{Outcome: o}, bridge.Settlement{})
	end()
	const want = `{"level":"WARN","timestamp":"2027-01-15T08:00:00.500Z","_aws":{"Timestamp":1800000000500,"CloudWatchMetrics":[{"Namespace":"Expressway","Dimensions":[["Route","Source"],["FunctionName"]],"Metrics":[` +
		`{"Name":"Received","Unit":"Count"},{"Name":"Started","Unit":"Count"},{"Name":"Succeeded","Unit":"Count"},{"Name":"ColdStart","Unit":"Count"},` +
		`{"Name":"ExecutionDuration","Unit":"Milliseconds"},{"Name":"BilledDuration","Unit":"Milliseconds"},{"Name":"BridgeOverhead","Unit":"Milliseconds"}]}]},` +
		`"Route":"github","Source":"http","FunctionName":"shop-Webhook-1","version":"VERSION","functionVersion":"7","stateMachineVersion":"12","Received":1,"Started":1,"Succeeded":1,"ColdStart":1,"ExecutionDuration":[30],"BilledDuration":[100],"BridgeOverhead":[10]}` + "\n"
	if diff := cmp.Diff(strings.Replace(want, "VERSION", version.String(), 1), out.String()); diff != "" {
		t.Errorf("line (-want +got):\n%s", diff)
	}
}

// There is one line for each route and invocation; the first line of the process reports
// the cold start.
func TestBatch(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := newWriter(&out)
	ctx, end := w.Begin(t.Context())
	for range 3 {
		w.Settled(ctx, delivery("a", "message"), bridge.Result{Outcome: ended(bridge.Succeeded)}, bridge.Settlement{})
		w.Settled(ctx, delivery("b", "message"), failure(bridge.Throttled, nil), bridge.Settlement{Then: "retry"})
	}
	w.Rejected(ctx, "", "sqs", bridge.NoRoute)
	w.Rejected(ctx, "a", "sqs", bridge.BadRequest)
	if out.Len() > 0 {
		t.Error("a line was written before the invocation ended")
	}
	end()
	// What settles after the end is not lost.
	w.Settled(ctx, delivery("b", "message"), bridge.Result{Filtered: true}, bridge.Settlement{})
	var got []string
	for _, doc := range lines(t, schema(t), out.String()) {
		durations, _ := doc["ExecutionDuration"].([]any)
		got = append(got, fmt.Sprint(doc["Route"], " ", doc["Received"], " ", doc["Rejected"], " ", doc["Throttled"], " ", len(durations), " ", doc["ColdStart"]))
	}
	want := []string{"a 4 1 <nil> 3 1", "b 3 <nil> 3 0 <nil>", "<nil> 1 1 <nil> 0 <nil>", "b 1 <nil> <nil> 0 <nil>"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("route, received, rejected, throttled, durations, cold start (-want +got):\n%s", diff)
	}
}

// An invocation without deliveries writes nothing.
func TestNothing(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	_, end := newWriter(&out).Begin(t.Context())
	end()
	if out.Len() > 0 {
		t.Errorf("wrote %s", out.String())
	}
}

// However many deliveries a batch has, every line keeps to the format, and no count and
// no value is lost.
func TestManyRecords(t *testing.T) {
	t.Parallel()
	s := schema(t)
	rapid.Check(t, func(t *rapid.T) {
		var out bytes.Buffer
		w := newWriter(&out)
		ctx, end := w.Begin(context.Background())
		n := rapid.IntRange(1, 450).Draw(t, "records")
		var wg sync.WaitGroup
		for range n {
			wg.Go(func() {
				w.Settled(ctx, delivery("r", "message"), bridge.Result{Outcome: ended(bridge.Succeeded)}, bridge.Settlement{})
			})
		}
		wg.Wait()
		end()
		count, values := 0.0, 0
		for _, doc := range lines(t, s, out.String()) {
			received, _ := doc["Received"].(float64)
			count += received
			values += len(doc["BridgeOverhead"].([]any))
		}
		if int(count) != n || values != n {
			t.Fatalf("%d records: %v counted, %d values", n, count, values)
		}
	})
}

func TestFromEnv(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		on, namespace string
		want          string // the namespace, "off" or "error"
	}{
		{"", "", "Expressway"},
		{"on", "Shop/Orders", "Shop/Orders"},
		{"off", "", "off"},
		{"no", "", "error"},
		{"", "AWS/Lambda", "error"},
		{"", ":orders", "error"},
		{"", `a"b`, "error"},
		{"", "a b", "error"},
		{"", strings.Repeat("x", 256), "error"},
	} {
		var out bytes.Buffer
		w, err := metrics.FromEnv(func(name string) string {
			return map[string]string{"EXPRESSWAY_METRICS": test.on, "EXPRESSWAY_METRICS_NAMESPACE": test.namespace}[name]
		}, &out)
		got := "off"
		switch {
		case err != nil:
			got = "error"
		case w != nil:
			w.Rejected(t.Context(), "r", "http", "")
			doc := lines(t, schema(t), out.String())[0]
			got = doc["_aws"].(map[string]any)["CloudWatchMetrics"].([]any)[0].(map[string]any)["Namespace"].(string)
		}
		if got != test.want {
			t.Errorf("%q and %.20q: %s, want %s", test.on, test.namespace, got, test.want)
		}
	}
}

// One invocation with one settled delivery: what metrics add to a warm webhook.
func BenchmarkSettled(b *testing.B) {
	w := newWriter(io.Discard)
	d := delivery("github", "request")
	r := bridge.Result{Outcome: ended(bridge.Succeeded)}
	b.ReportAllocs()
	for b.Loop() {
		ctx, end := w.Begin(b.Context())
		w.Settled(ctx, d, r, bridge.Settlement{})
		end()
	}
}
