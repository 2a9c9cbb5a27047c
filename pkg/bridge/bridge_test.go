package bridge_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/bridge/bridgetest"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

type starterFunc = bridgetest.StarterFunc

func echo(_ context.Context, s bridge.Start) (bridge.Outcome, error) {
	return bridge.Outcome{ExecutionARN: "arn", Name: s.Name, Status: bridge.Succeeded, Output: s.Input}, nil
}

func expression(t testing.TB, source string) *bridge.Template {
	t.Helper()
	e, err := jsonata.Options{StepFunctions: true}.Compile(source)
	if err != nil {
		t.Fatal(err)
	}
	return bridge.Expression(e, "route r: here")
}

func delivery(route *bridge.Route, document string) *bridge.Delivery {
	return &bridge.Delivery{
		Route: route, ID: "d-1", RequestID: "q-1", Kind: "request", ReceivedAt: time.Now(),
		Document: func() (any, error) { return jsonata.Decode([]byte(document)) },
	}
}

func newBridge(f starterFunc) *bridge.Bridge {
	return bridge.New(f, bridge.Options{Log: slog.New(slog.DiscardHandler)})
}

func TestRun(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		filter, input string
		document      string
		output        string // of an execution that echoes its input
		filtered      bool
		failure       string
	}{
		"default input":         {"", "", `{"b":1.0,"a":9007199254740993}`, `{"b":1.0,"a":9007199254740993}`, false, ""},
		"expression":            {"", "$request.b", `{"b":{"x":1.0}}`, `{"x":1.0}`, false, ""},
		"passes the filter":     {"$request.b = 1", "$request.b", `{"b":1}`, `1`, false, ""},
		"filtered":              {"$request.b = 2", "", `{"b":1}`, "", true, ""},
		"filter yields nothing": {"$request.c", "", `{"b":1}`, "", true, ""},
		"filter yields text":    {"$request.b", "", `{"b":"true"}`, "", false, bridge.ExpressionFailed},
		"filter yields null":    {"$request.b", "", `{"b":null}`, "", false, bridge.ExpressionFailed},
		"filter yields one":     {"$request.b", "", `{"b":1}`, "", false, bridge.ExpressionFailed},
		"filter yields a list":  {"[$request.b]", "", `{"b":true}`, "", false, bridge.ExpressionFailed},
		"filter yields a map":   {"$request", "", `{"b":true}`, "", false, bridge.ExpressionFailed},
		"filter fails":          {`$request.b + 1`, "", `{"b":"secret"}`, "", false, bridge.ExpressionFailed},
		"input yields nothing":  {"", "$request.c", `{"b":1}`, "", false, bridge.ExpressionFailed},
		"input is a function":   {"", "function($x){$x}", `{}`, "", false, bridge.ExpressionFailed},
		"input too large":       {"", `$pad("", 300000, "x")`, `{}`, "", false, bridge.InputTooLarge},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			route := &bridge.Route{Name: "r", StateMachine: "m"}
			if test.filter != "" {
				route.Filter = expression(t, test.filter)
			}
			if test.input != "" {
				route.Input = expression(t, test.input)
			}
			r := newBridge(echo).Run(t.Context(), delivery(route, test.document))
			if r.Filtered != test.filtered || r.ErrorName() != test.failure {
				t.Fatalf("filtered = %v, failure = %v, want %v and %q", r.Filtered, r.Failure, test.filtered, test.failure)
			}
			if test.output != "" && string(r.Outcome.Output) != test.output {
				t.Errorf("output = %s, want %s", r.Outcome.Output, test.output)
			}
			if r.Failure != nil && strings.Contains(r.Failure.Error(), "secret") {
				t.Errorf("the failure shows a value: %v", r.Failure)
			}
		})
	}
}

// The wait is the least of the route's timeout, what the platform leaves less a
// margin, and five minutes.
func TestDeadline(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ route, platform, want time.Duration }{
		{0, 0, 5 * time.Minute},
		{9 * time.Second, 0, 9 * time.Second},
		{9 * time.Second, 29 * time.Second, 9 * time.Second},
		{0, 29 * time.Second, 28500 * time.Millisecond},
		{time.Minute, 29 * time.Second, 28500 * time.Millisecond},
		{0, 15 * time.Minute, 5 * time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx := t.Context()
			if test.platform > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, test.platform)
				defer cancel()
			}
			start := time.Now()
			r := newBridge(func(ctx context.Context, _ bridge.Start) (bridge.Outcome, error) {
				<-ctx.Done()
				return bridge.Outcome{}, bridge.NewFailure(bridge.Deadline, "", ctx.Err())
			}).Run(ctx, delivery(&bridge.Route{Name: "r", Timeout: test.route}, `{}`))
			if r.ErrorName() != bridge.Deadline || time.Since(start) != test.want {
				t.Errorf("%+v: %v after %v", test, r.Failure, time.Since(start))
			}
		})
	}
}

func TestScopeOfAnswers(t *testing.T) {
	t.Parallel()
	fails := func(context.Context, bridge.Start) (bridge.Outcome, error) {
		return bridge.Outcome{ExecutionARN: "arn", Name: "n", Status: bridge.Failed, Error: "Broken", Cause: "why"}, nil
	}
	r := newBridge(fails).Run(t.Context(), delivery(&bridge.Route{Name: "r"}, `{}`))
	v, err := expression(t, `$failure.error & " " & $failure.cause & " " & $failure.execution.arn & " " & $context.requestId`).Eval(t.Context(), r.Scope)
	if err != nil || v != "Broken why arn q-1" {
		t.Errorf("got = %v, %v", v, err)
	}
	r = newBridge(echo).Run(t.Context(), delivery(&bridge.Route{Name: "r"}, `{"a":[1,2]}`))
	v, err = expression(t, `$execution.status & $string($sum($execution.output.a))`).Eval(t.Context(), r.Scope)
	if err != nil || v != "SUCCEEDED3" {
		t.Errorf("got = %v, %v", v, err)
	}
}

func TestTraceID(t *testing.T) {
	t.Parallel()
	d := delivery(&bridge.Route{Name: "r", Input: expression(t, "$context.traceId")}, `{}`)
	for _, test := range []struct{ record, request, want string }{
		{"Root=1-a;Sampled=1", "Root=1-b", `"1-a"`},
		{"", "Self=1-x; Root=1-b", `"1-b"`},
		{"Sampled=1", "", `""`},
	} {
		d.TraceHeader, d.FallbackTrace = test.record, test.request
		r := newBridge(echo).Run(t.Context(), d)
		if got := string(r.Outcome.Output); got != test.want {
			t.Errorf("%+v: traceId = %s", test, got)
		}
	}
}

// A valid traceparent is in $context, and its trace is the execution's where X-Ray has none.
func TestTraceParent(t *testing.T) {
	t.Parallel()
	const valid = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	d := delivery(&bridge.Route{Name: "r", Input: expression(t, `$context.traceId & " " & $context.traceparent`)}, `{}`)
	for _, test := range []struct{ parent, xray, want string }{
		{valid, "", `"1-4bf92f35-77b34da6a3ce929d0e0e4736 ` + valid + `"`},
		{valid, "Root=1-b", `"1-b ` + valid + `"`},
		{"cc" + valid[2:] + "-later", "", `"1-4bf92f35-77b34da6a3ce929d0e0e4736 cc` + valid[2:] + `-later"`},
		{valid + "-later", "", `" "`},
		{"ff" + valid[2:], "", `" "`},
		{valid[:54], "", `" "`},
		{"00-" + strings.Repeat("0", 32) + valid[35:], "", `" "`},
		{valid[:36] + strings.Repeat("0", 16) + valid[52:], "", `" "`},
		{strings.ToUpper(valid), "", `" "`},
		{"rubbish", "Root=1-b", `"1-b "`},
	} {
		d.TraceParent, d.FallbackTrace = test.parent, test.xray
		var start bridge.Start
		r := newBridge(func(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
			start = s
			return echo(ctx, s)
		}).Run(t.Context(), d)
		if got := string(r.Outcome.Output); got != test.want || start.TraceParent != test.parent {
			t.Errorf("%+v: got %s and %q handed on", test, got, start.TraceParent)
		}
	}
}

func TestClasses(t *testing.T) {
	t.Parallel()
	want := map[string]bridge.Class{
		bridge.Throttled: bridge.Retryable, bridge.Unavailable: bridge.Retryable, bridge.InProgress: bridge.Retryable,
		bridge.Unknown: bridge.Ambiguous, bridge.Deadline: bridge.Ambiguous,
		bridge.BadRequest: bridge.Permanent, bridge.InputTooLarge: bridge.Permanent, bridge.Misconfigured: bridge.Permanent,
		"OrderNotFound": bridge.Settled, bridge.StatesTimeout: bridge.Settled,
	}
	for name, class := range want {
		if got := bridge.ClassOf(name); got != class {
			t.Errorf("ClassOf(%s) = %v, want %v", name, got, class)
		}
	}
	for _, name := range bridge.Names() {
		if !strings.HasPrefix(name, "Expressway.") {
			t.Errorf("the bridge's own name %q is not in its name space", name)
		}
	}
}

// A workflow may call its failure what it likes: the execution is over, and the cause is
// payload.
func TestWorkflowFailureOfOurName(t *testing.T) {
	t.Parallel()
	for _, name := range bridge.Names() {
		o := &bridge.Outcome{Status: bridge.Failed, Error: name, Cause: "customer 4711"}
		f := &bridge.Failure{Name: name, Cause: o.Cause, Outcome: o}
		if f.Class() != bridge.Settled || f.Error() != name {
			t.Errorf("%s of a workflow: class %v, text %q, want settled and the name alone", name, f.Class(), f)
		}
	}
}

func TestFailure(t *testing.T) {
	t.Parallel()
	inner := errors.New("dial refused")
	f := bridge.NewFailure(bridge.Unavailable, "never sent", inner)
	if got, want := f.Error(), "Expressway.Unavailable: never sent: dial refused"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	if !errors.Is(f, inner) {
		t.Error("the chain is lost")
	}
	workflow := &bridge.Failure{Name: "OrderNotFound", Cause: "customer 4711"}
	if got := workflow.Error(); got != "OrderNotFound" {
		t.Errorf("a workflow's cause is payload, and is in %q", got)
	}
	if got := bridge.AsFailure(inner).Name; got != bridge.Internal {
		t.Errorf("AsFailure = %s", got)
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	if !bridge.Matches([]string{"A", "States.ALL"}, bridge.Throttled) || !bridge.Matches([]string{"A"}, "A") || bridge.Matches([]string{"A"}, "a") || bridge.Matches(nil, "A") {
		t.Error("Matches is wrong")
	}
}

func TestExecutionName(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		route, id := rapid.StringMatching(`[a-z0-9-]{1,40}`).Draw(t, "route"), rapid.String().Draw(t, "id")
		name := bridge.ExecutionName(route, id)
		if len(name) > 80 || !strings.HasPrefix(name, route) {
			t.Fatalf("name %q", name)
		}
		for _, c := range []byte(name) {
			if !strings.ContainsRune("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_", rune(c)) {
				t.Fatalf("name %q has %q", name, c)
			}
		}
	})
}

// A filter that yields nothing is told apart from one that is false.
func TestFilterUndefined(t *testing.T) {
	t.Parallel()
	for filter, undefined := range map[string]bool{"$request.nope": true, "false": false} {
		var out strings.Builder
		b := bridge.New(starterFunc(echo), bridge.Options{Log: slog.New(slog.NewJSONHandler(&out, nil))})
		d := delivery(&bridge.Route{Name: "r", Filter: expression(t, filter)}, `{}`)
		r := b.Run(t.Context(), d)
		b.Settle(t.Context(), d, r, bridge.Settlement{})
		if !r.Filtered || r.FilterUndefined != undefined || strings.Contains(out.String(), bridge.FilterUndefined) != undefined {
			t.Errorf("%s: %+v, log %s, want undefined %v", filter, r, &out, undefined)
		}
	}
}

// The cause is written where it is asked for, cut, with the state if the service told it.
func TestLoggedCauses(t *testing.T) {
	t.Parallel()
	const service = "An error occurred while executing the state 'Check it' (entered at the event id #2). The choice has no match."
	long := strings.Repeat("é", 1000)
	tests := map[string]struct {
		outcome      bridge.Outcome
		cause, state string
		detail       string
	}{
		"the workflow's own": {bridge.Outcome{Status: bridge.Failed, Error: "E", Cause: "why"}, "why", "", "E: why"},
		"the service's":      {bridge.Outcome{Status: bridge.Failed, Error: "States.Runtime", Cause: service}, service, "Check it", "States.Runtime: " + service},
		"the engine knows":   {bridge.Outcome{Status: bridge.Failed, Error: "E", Cause: "why", State: "S"}, "why", "S", "E: why (state S)"},
		"only the state":     {bridge.Outcome{Status: bridge.Failed, Error: "E", State: "S"}, "", "S", "E: (state S)"},
		"long":               {bridge.Outcome{Status: bridge.Failed, Error: "E", Cause: long}, long[:1024] + "…", "", "E: " + long[:1024] + "…"},
		"nothing":            {bridge.Outcome{Status: bridge.Failed, Error: "E"}, "", "", "E"},
		"timed out":          {bridge.Outcome{Status: bridge.TimedOut, Error: "x", Cause: "late"}, "late", "", "States.Timeout: late"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, on := range []bool{true, false} {
				var out strings.Builder
				starter := starterFunc(func(context.Context, bridge.Start) (bridge.Outcome, error) { return test.outcome, nil })
				b := bridge.New(starter, bridge.Options{Log: slog.New(slog.NewJSONHandler(&out, nil)), LogCauses: on})
				d := delivery(&bridge.Route{Name: "r"}, `{}`)
				r := b.Run(t.Context(), d)
				b.Settle(t.Context(), d, r, bridge.Settlement{})
				var line struct{ Cause, State string }
				if err := json.Unmarshal([]byte(out.String()), &line); err != nil {
					t.Fatal(err)
				}
				want := struct{ Cause, State string }{}
				if on {
					want.Cause, want.State = test.cause, test.state
				}
				if line != want || r.Failure.Detail() != test.detail {
					t.Errorf("on %v: line %+v, want %+v; detail %q, want %q", on, line, want, r.Failure.Detail(), test.detail)
				}
			}
		})
	}
}

// Each line about a delivery has the ids by which it is found at the sender's, at AWS and
// in the trace; of what may still be running, the machine and the execution's name.
func TestIDsInTheLog(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	starter := starterFunc(func(context.Context, bridge.Start) (bridge.Outcome, error) {
		return bridge.Outcome{}, &bridge.Failure{Name: bridge.Deadline, StateMachineARN: "arn:m", ExecutionName: "r-d-1"}
	})
	b := bridge.New(starter, bridge.Options{Log: slog.New(slog.NewJSONHandler(&out, nil))})
	d := delivery(&bridge.Route{Name: "r"}, `{}`)
	d.Attrs = []slog.Attr{slog.String("queue", "orders")}
	d.TraceHeader = "Root=1-a;Sampled=1"
	b.Settle(t.Context(), d, b.Run(t.Context(), d), bridge.Settlement{Attrs: []slog.Attr{slog.Int("receiveCount", 2)}})
	var line map[string]any
	if err := json.Unmarshal([]byte(out.String()), &line); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{
		"queue": "orders", "route": "r", "delivery": "d-1", "gatewayRequestId": "q-1", "traceId": "1-a", "receiveCount": 2.0,
		"error": bridge.Deadline, "stateMachineArn": "arn:m", "executionName": "r-d-1",
	} {
		if line[name] != want {
			t.Errorf("%s = %v, want %v", name, line[name], want)
		}
	}
	if n := strings.Count(out.String(), "gatewayRequestId"); n != 1 {
		t.Errorf("gatewayRequestId occurs %d times", n)
	}
}

// A route that gets metadata only asks for it, and its outcome has no output: that is not
// one that is null.
func TestMetadataOnly(t *testing.T) {
	t.Parallel()
	var start bridge.Start
	b := newBridge(func(_ context.Context, s bridge.Start) (bridge.Outcome, error) {
		start = s
		return bridge.Outcome{ExecutionARN: "arn", StateMachineARN: "arn:m:7", Status: bridge.Succeeded, OutputWithheld: true}, nil
	})
	r := b.Run(t.Context(), delivery(&bridge.Route{Name: "r", MetadataOnly: true}, `{}`))
	if !start.MetadataOnly || r.Failure != nil || !r.Outcome.OutputWithheld {
		t.Errorf("start %+v, result %+v", start, r)
	}
	v, err := expression(t, `$execution.stateMachineArn & " " & $exists($execution.output)`).Eval(t.Context(), r.Scope)
	if err != nil || v != "arn:m:7 false" {
		t.Errorf("got = %v, %v", v, err)
	}
}

func TestLogKeepsPayloadOut(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	b := bridge.New(starterFunc(func(context.Context, bridge.Start) (bridge.Outcome, error) {
		return bridge.Outcome{ExecutionARN: "arn", Status: bridge.Failed, Error: "Broken", Cause: "customer 4711"}, nil
	}), bridge.Options{Log: slog.New(slog.NewJSONHandler(&out, nil))})
	d := delivery(&bridge.Route{Name: "r"}, `{"card":"4242"}`)
	b.Settle(t.Context(), d, b.Run(t.Context(), d), bridge.Settlement{})
	var line map[string]any
	if err := json.Unmarshal([]byte(out.String()), &line); err != nil {
		t.Fatal(err)
	}
	for k, want := range map[string]any{"route": "r", "delivery": "d-1", "error": "Broken", "executionArn": "arn", "status": "FAILED"} {
		if line[k] != want {
			t.Errorf("%s = %v, want %v", k, line[k], want)
		}
	}
	if strings.Contains(out.String(), "4242") || strings.Contains(out.String(), "4711") {
		t.Errorf("the log shows payload: %s", out.String())
	}
}
