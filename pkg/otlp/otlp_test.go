package otlp_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/otlp"
	"github.com/expressway-dev/expressway/pkg/trace"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	root   = "5759e988bd862e3fe1be46a994272793"
	header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
)

var at = time.UnixMilli(1_800_000_000_000)

// A span is one as a collector reads it, with the attributes as text.
type span struct {
	Trace, ID, Parent, Name string
	Kind                    int
	Attributes              map[string]string
	Links                   []string
	Error                   string
}

// read decodes a document, strictly.
func read(t *testing.T, document []byte) (resource map[string]string, spans []span) {
	t.Helper()
	type attributes []struct {
		Key   string
		Value map[string]any
	}
	texts := func(list attributes) map[string]string {
		out := map[string]string{}
		for _, a := range list {
			for kind, v := range a.Value {
				out[a.Key] = strings.TrimSuffix(kind, "Value") + ":" + fmt.Sprint(v)
			}
			if len(a.Value) != 1 {
				t.Errorf("attribute %s has %d values", a.Key, len(a.Value))
			}
		}
		return out
	}
	var doc struct {
		ResourceSpans []struct {
			Resource   struct{ Attributes attributes }
			ScopeSpans []struct {
				Scope struct{ Name, Version string }
				Spans []struct {
					TraceID, SpanID, ParentSpanID, Name, StartTimeUnixNano, EndTimeUnixNano string
					Kind                                                                    int
					Attributes                                                              attributes
					Links                                                                   []struct{ TraceID, SpanID string }
					Status                                                                  struct {
						Code    int
						Message string
					}
				}
			}
		}
	}
	decoder := json.NewDecoder(strings.NewReader(string(document)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&doc); err != nil {
		t.Fatalf("%v in %s", err, document)
	}
	for _, s := range doc.ResourceSpans[0].ScopeSpans[0].Spans {
		if len(s.TraceID) != 32 || len(s.SpanID) != 16 || s.StartTimeUnixNano == "" || s.EndTimeUnixNano < s.StartTimeUnixNano {
			t.Errorf("span %+v", s)
		}
		var links []string
		for _, l := range s.Links {
			links = append(links, l.TraceID+"-"+l.SpanID)
		}
		message := ""
		if s.Status.Code == 2 {
			message = s.Status.Message
		}
		spans = append(spans, span{s.TraceID, s.SpanID, s.ParentSpanID, s.Name, s.Kind, texts(s.Attributes), links, message})
	}
	return texts(doc.ResourceSpans[0].Resource.Attributes), spans
}

// exporter counts ids up, and collects what it sends.
func exporter(sent *[][]byte, options ...func(*otlp.Options)) *otlp.Exporter {
	id := uint64(0)
	o := otlp.Options{
		Now: func() time.Time { return at }, Rand: func() uint64 { id++; return id },
		After: func(time.Duration) <-chan time.Time { return nil }, // as long as it takes
		Send:  func(_ context.Context, document []byte) error { *sent = append(*sent, document); return nil },
	}
	for _, f := range options {
		f(&o)
	}
	return otlp.New(o)
}

func invocation(text string) context.Context {
	ctx := lambdacontext.NewContext(context.Background(), &lambdacontext.LambdaContext{AwsRequestID: "r-1", InvokedFunctionArn: "arn:fn:live"})
	//lint:ignore SA1029 the key is aws-lambda-go's own
	return context.WithValue(ctx, any(trace.ContextKey), text)
}

func outcome(status bridge.Status) *bridge.Outcome {
	return &bridge.Outcome{
		ExecutionARN: "arn:execution", StateMachineARN: "arn:machine:7", Status: status, StartDate: at.Add(-time.Second), StopDate: at, Output: []byte(`"payload"`),
	}
}

func TestRequest(t *testing.T) {
	t.Parallel()
	var sent [][]byte
	e := exporter(&sent)
	ctx, end := e.Begin(invocation(header))
	d := &bridge.Delivery{
		Route: &bridge.Route{Name: "github"}, ID: "d-1", Kind: "request", ReceivedAt: at.Add(-2 * time.Second),
		Attrs: []slog.Attr{slog.String("gatewayRequestId", "g-1"), slog.String("method", "POST"), slog.String("pattern", "/github/{org}")},
	}
	o := outcome(bridge.Failed)
	o.Error, o.Cause, o.State = "Broken", "payload", "Ship"
	r := bridge.Result{Outcome: o, Failure: &bridge.Failure{Name: "Broken", Cause: "payload", Outcome: o}}
	e.Settled(ctx, d, r, bridge.Settlement{Attrs: []slog.Attr{slog.Int("httpStatus", 500)}})
	end()
	if len(sent) != 1 || strings.Contains(string(sent[0]), "payload") {
		t.Fatalf("%d documents: %s", len(sent), sent)
	}
	_, got := read(t, sent[0])
	want := []span{
		{
			root, "0000000000000002", "0000000000000001", "POST /github/{org}", 1, map[string]string{
				"http.request.method": "string:POST", "http.route": "string:/github/{org}", "http.response.status_code": "int:500",
				"expressway.gateway_request_id": "string:g-1", "expressway.route": "string:github", "expressway.delivery": "string:d-1",
				"error.type": "string:Broken", "aws.step_functions.state_machine.arn": "string:arn:machine:7", "expressway.execution_arn": "string:arn:execution",
			}, nil, "Broken",
		},
		{
			root, "0000000000000003", "0000000000000002", "SFN/StartSyncExecution", 3, map[string]string{
				"rpc.system": "string:aws-api", "rpc.service": "string:SFN", "rpc.method": "string:StartSyncExecution", "error.type": "string:Broken",
				"aws.step_functions.state_machine.arn": "string:arn:machine:7", "expressway.execution_arn": "string:arn:execution",
				"expressway.status": "string:FAILED", "expressway.state": "string:Ship",
			}, nil, "Broken",
		},
		{
			root, "0000000000000001", "53995c3f42cd8ad8", "POST /github/{org}", 2, map[string]string{
				"faas.invocation_id": "string:r-1", "cloud.resource_id": "string:arn:fn:live", "faas.coldstart": "bool:true", "faas.trigger": "string:http",
				"http.request.method": "string:POST", "http.route": "string:/github/{org}", "http.response.status_code": "int:500", "error.type": "string:Broken",
			}, nil, "Broken",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func message(id string, links ...string) *bridge.Delivery {
	return &bridge.Delivery{
		Route: &bridge.Route{Name: "orders"}, ID: id, Kind: "message", ReceivedAt: at, TraceLinks: links, Attrs: []slog.Attr{slog.String("queue", "orders")},
	}
}

// The producers of a batch are links of their message's span and of the batch's; the parent
// is the invocation's trace.
func TestBatchLinks(t *testing.T) {
	t.Parallel()
	var sent [][]byte
	e := exporter(&sent)
	ctx, end := e.Begin(invocation(header))
	for i := range 3 {
		producer := fmt.Sprintf("Root=1-00000000-00000000000000000000000%d;Parent=000000000000000%d;Sampled=1", i+1, i+1)
		e.Settled(ctx, message(fmt.Sprint("m-", i), producer), bridge.Result{Filtered: true}, bridge.Settlement{})
	}
	e.Settled(ctx, message("m-3", "no trace"), bridge.Result{Failure: &bridge.Failure{Name: bridge.Throttled}}, bridge.Settlement{Then: "retry"})
	end()
	_, got := read(t, sent[0])
	batch := got[len(got)-1]
	if batch.Kind != 5 || batch.Name != "process orders" || len(batch.Links) != 3 || batch.Error != "" || batch.Parent != "53995c3f42cd8ad8" ||
		batch.Attributes["messaging.batch.message_count"] != "int:4" || batch.Attributes["messaging.system"] != "string:aws_sqs" || batch.Attributes["faas.trigger"] != "string:pubsub" {
		t.Errorf("batch %+v", batch)
	}
	for i, s := range got[:3] {
		link := fmt.Sprintf("0000000000000000000000000000000%d-000000000000000%d", i+1, i+1)
		if s.Kind != 5 || s.Trace != root || s.Parent != batch.ID || !cmp.Equal(s.Links, []string{link}) || s.Attributes["messaging.message.id"] != "string:m-"+fmt.Sprint(i) {
			t.Errorf("message %+v", s)
		}
	}
	if last := got[3]; last.Error != bridge.Throttled || last.Links != nil || last.Attributes["expressway.then"] != "string:retry" {
		t.Errorf("throttled %+v", last)
	}
}

// Where Lambda has no trace, the request's own is the parent; and one that is not sampled
// is not recorded, unless everything is.
func TestParents(t *testing.T) {
	t.Parallel()
	notSampled := strings.Replace(header, "Sampled=1", "Sampled=0", 1)
	tests := map[string]struct {
		lambda, fallback, w3c string
		always                bool
		want                  string // trace and parent; empty: nothing is sent
	}{
		"Lambda's":            {header, notSampled, "", false, root + " 53995c3f42cd8ad8"},
		"the request's":       {"", header, "", false, root + " 53995c3f42cd8ad8"},
		"W3C's":               {"", "", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false, "4bf92f3577b34da6a3ce929d0e0e4736 00f067aa0ba902b7"},
		"none":                {"", "", "", false, "00000000000000010000000000000002 "},
		"not sampled":         {notSampled, "", "", false, ""},
		"W3C's, not sampled":  {"", "", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", false, ""},
		"not sampled, always": {notSampled, "", "", true, root + " 53995c3f42cd8ad8"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var sent [][]byte
			e := exporter(&sent, func(o *otlp.Options) { o.Always = test.always })
			ctx, end := e.Begin(invocation(test.lambda))
			d := &bridge.Delivery{Route: &bridge.Route{Name: "r"}, Kind: "request", FallbackTrace: test.fallback, TraceParent: test.w3c, ReceivedAt: at}
			e.Settled(ctx, d, bridge.Result{Filtered: true}, bridge.Settlement{})
			end()
			got := ""
			if len(sent) > 0 {
				_, spans := read(t, sent[0])
				last := spans[len(spans)-1]
				got = last.Trace + " " + last.Parent
			}
			if name == "none" { // ids are random
				got, test.want = fmt.Sprint(len(got)), fmt.Sprint(len(test.want))
			}
			if got != test.want {
				t.Errorf("trace and parent %q, want %q", got, test.want)
			}
		})
	}
}

// What reached no route, and what settles after the end, are not lost.
func TestRejectedAndLate(t *testing.T) {
	t.Parallel()
	var sent [][]byte
	e := exporter(&sent)
	ctx, end := e.Begin(invocation(header))
	e.Rejected(ctx, "", "sqs", bridge.NoRoute)
	end()
	e.Settled(ctx, message("late"), bridge.Result{Outcome: outcome(bridge.Succeeded)}, bridge.Settlement{})
	if len(sent) != 1 {
		t.Fatalf("%d documents", len(sent))
	}
	_, refused := read(t, sent[0])
	if len(refused) != 1 || refused[0].Name != "refused sqs" || refused[0].Error != bridge.NoRoute {
		t.Errorf("refused %+v", refused)
	}
	ctx, end = e.Begin(invocation(header))
	e.Settled(ctx, message("next"), bridge.Result{Filtered: true}, bridge.Settlement{})
	end()
	_, spans := read(t, sent[1])
	var names []string
	for _, s := range spans {
		names = append(names, s.Attributes["messaging.message.id"]+" below "+s.Parent[:1])
	}
	want := []string{"string:late below 0", " below 0", "string:next below 0", " below 5"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("spans (-want +got):\n%s", diff)
	}
}

// A collector that takes nothing, or takes the connection and never answers, holds no
// invocation for longer than a millisecond and a half, and few of them for that.
func TestDeadCollector(t *testing.T) {
	t.Parallel()
	fired := make(chan time.Time)
	close(fired)
	for name, hangs := range map[string]bool{"refuses": false, "hangs": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var (
				tries, given atomic.Int32
				waits        int
				longest      time.Duration
				now          = at
				sent         [][]byte
				over         = make(chan struct{})
			)
			defer close(over)
			e := exporter(&sent, func(o *otlp.Options) {
				o.Now = func() time.Time { return now }
				o.After = func(d time.Duration) <-chan time.Time {
					waits++
					longest = max(longest, d)
					if hangs {
						return fired
					}
					return nil
				}
				o.Send = func(ctx context.Context, _ []byte) error {
					tries.Add(1)
					if !hangs {
						return errors.New("connection refused")
					}
					select {
					case <-ctx.Done():
					case <-over:
					}
					given.Add(1)
					return ctx.Err()
				}
			})
			const invocations = 10_000
			for range invocations {
				ctx, end := e.Begin(invocation(header))
				e.Settled(ctx, message("m"), bridge.Result{Filtered: true}, bridge.Settlement{})
				end()
				now = now.Add(100 * time.Millisecond)
			}
			if tries.Load() == 0 || waits > invocations/100 || longest > 2*time.Millisecond {
				t.Errorf("%d tries, %d of %d invocations waited, up to %v each", tries.Load(), waits, invocations, longest)
			}
			if hangs && tries.Load()-given.Load() > 1 {
				t.Errorf("%d documents are still on their way", tries.Load()-given.Load())
			}
		})
	}
}

// A collector that is slow, and answers during the next invocation, is none that hangs: it
// gets every document that finds the way free.
func TestSlowCollector(t *testing.T) {
	t.Parallel()
	var enough chan time.Time
	answer := make(chan struct{})
	now, taken := at, 0
	e := otlp.New(otlp.Options{
		Now:   func() time.Time { return now },
		After: func(time.Duration) <-chan time.Time { enough = make(chan time.Time); return enough },
		Send: func(context.Context, []byte) error {
			taken++
			close(enough) // the invocation waits no longer
			<-answer
			return nil
		},
	})
	const invocations = 300
	for range invocations {
		ctx, end := e.Begin(invocation(header))
		e.Settled(ctx, message("m"), bridge.Result{Filtered: true}, bridge.Settlement{})
		end()                    // returns before the answer
		now = now.Add(time.Hour) // frozen in the meantime
		answer <- struct{}{}
	}
	if taken != invocations {
		t.Errorf("the collector got %d documents of %d", taken, invocations)
	}
}

// One that is back gets every invocation again.
func TestCollectorComesBack(t *testing.T) {
	t.Parallel()
	tries, down := 0, true
	var sent [][]byte
	e := exporter(&sent, func(o *otlp.Options) {
		o.Send = func(context.Context, []byte) error {
			tries++
			if down {
				return errors.New("down")
			}
			return nil
		}
	})
	invoke := func(n int) {
		for range n {
			ctx, end := e.Begin(invocation(header))
			e.Settled(ctx, message("m"), bridge.Result{Filtered: true}, bridge.Settlement{})
			end()
		}
	}
	invoke(1)
	down = false
	invoke(127) // skipped
	if tries != 1 {
		t.Errorf("%d tries, want one", tries)
	}
	invoke(5)
	if tries != 6 {
		t.Errorf("%d tries, want six", tries)
	}
}

// Over the wire: the path, the type, and answers that are not success.
func TestOverHTTP(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusOK)
	got := make(chan string, 8)
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- r.Method + " " + r.URL.Path + " " + r.Header.Get("Content-Type") + " " + fmt.Sprint(json.Valid(body))
		w.WriteHeader(int(status.Load()))
	}))
	defer collector.Close()
	invoke := func(e *otlp.Exporter) {
		ctx, end := e.Begin(invocation(header))
		e.Settled(ctx, message("m"), bridge.Result{Filtered: true}, bridge.Settlement{})
		end()
	}
	const line = "POST /v1/traces application/json true"
	configured, err := otlp.FromEnv(func(name string) string {
		return map[string]string{otlp.EndpointName: collector.URL + "/", "AWS_LAMBDA_FUNCTION_NAME": "shop"}[name]
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	invoke(configured)
	if request := <-got; request != line {
		t.Errorf("request %s, want %s", request, line)
	}
	patient := otlp.New(otlp.Options{Endpoint: collector.URL + "/v1/traces", After: func(time.Duration) <-chan time.Time { return nil }})
	for range 3 {
		invoke(patient)
		status.Store(http.StatusServiceUnavailable)
	}
	if len(got) != 2 { // after the 503 it is left alone
		t.Errorf("%d requests, want 2", len(got))
	}
}

// One that takes the connection and never answers holds no invocation, and the second one
// ends what is on its way: no goroutine is left.
func TestBlackHole(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0") // nobody accepts, but the kernel
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	fired := make(chan time.Time)
	close(fired)
	now := at
	e := otlp.New(otlp.Options{
		Endpoint: "http://" + listener.Addr().String() + "/v1/traces", Now: func() time.Time { return now },
		After: func(time.Duration) <-chan time.Time { return fired },
	})
	for range 2 {
		ctx, end := e.Begin(invocation(header))
		e.Settled(ctx, message("m"), bridge.Result{Filtered: true}, bridge.Settlement{})
		end() // the test hangs here if the invocation does
		now = now.Add(time.Second)
	}
}

func TestFromEnv(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		env  map[string]string
		want string // on, off, or a part of the error
	}{
		"nothing set":                        {nil, "off"},
		"endpoint":                           {map[string]string{otlp.EndpointName: "http://localhost:4318"}, "on"},
		"IPv6":                               {map[string]string{otlp.EndpointName: "http://[::1]:4318"}, "on"},
		"traces":                             {map[string]string{otlp.TracesName: "http://127.0.0.1:1/x"}, "on"},
		"disabled":                           {map[string]string{otlp.EndpointName: "http://localhost:4318", otlp.DisabledName: "TRUE"}, "off"},
		"always_off":                         {map[string]string{otlp.EndpointName: "http://localhost:4318", otlp.SamplerName: "always_off"}, "off"},
		"another sampler":                    {map[string]string{otlp.EndpointName: "http://localhost:4318", otlp.SamplerName: "traceidratio"}, otlp.SamplerName},
		"elsewhere":                          {map[string]string{otlp.EndpointName: "http://collector.example.com:4318"}, otlp.EndpointName + " must be"},
		"https":                              {map[string]string{otlp.TracesName: "https://localhost:4318"}, otlp.TracesName + " must be"},
		"not a URL":                          {map[string]string{otlp.EndpointName: "::"}, otlp.EndpointName + " must be"},
		"an address with control characters": {map[string]string{otlp.EndpointName: "http://127.0.0.1.example.com"}, otlp.EndpointName + " must be"},
	} {
		e, err := otlp.FromEnv(func(name string) string { return test.env[name] }, nil)
		switch {
		case test.want == "on":
			if err != nil || e == nil {
				t.Errorf("%s: %v", name, err)
			}
		case test.want == "off":
			if err != nil || e != nil {
				t.Errorf("%s: %v, %v, want none", name, e, err)
			}
		case err == nil || !strings.Contains(err.Error(), test.want):
			t.Errorf("%s: error %v, want %s", name, err, test.want)
		}
	}
}
