package eventbridge_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/expressway-dev/expressway/internal/shared"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/bridge/bridgetest"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/eventbridge"
)

type starterFunc = bridgetest.StarterFunc

// byInput fails where the event says so, and echoes otherwise.
func byInput(_ context.Context, s bridge.Start) (bridge.Outcome, error) {
	var e struct{ Detail struct{ Fail string } }
	_ = json.Unmarshal(s.Input, &e)
	switch {
	case e.Detail.Fail == "panic":
		panic("boom")
	case strings.HasPrefix(e.Detail.Fail, "Expressway."):
		return bridge.Outcome{}, bridge.NewFailure(e.Detail.Fail, "", nil)
	case e.Detail.Fail != "":
		return bridge.Outcome{ExecutionARN: "arn", Status: bridge.Failed, Error: e.Detail.Fail}, nil
	}
	return bridge.Outcome{ExecutionARN: "arn", Status: bridge.Succeeded, Output: []byte(`{"done":true}`)}, nil
}

func events(t testing.TB, routes string) *eventbridge.Events {
	t.Helper()
	cfg, err := config.Options{Getenv: func(string) string { return "" }}.Parse("test.yaml", []byte("version: 1\nroutes:\n"+routes))
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	return eventbridge.New(cfg.Routes, bridge.New(starterFunc(byInput), bridge.Options{Log: log}), eventbridge.Options{Log: log})
}

const payments = `  - name: p
    eventbridge: {source: "shop.*", detail-type: "Payment *"}
    start: m
    catch:
      - {errors: [AlreadyPaid], then: discard}
`

func event(detail string) string {
	return `{"version":"0","id":"e-1","source":"shop.checkout","detail-type":"Payment Received","detail":` + detail + `}`
}

func TestInvoke(t *testing.T) {
	t.Parallel()
	const ok = `{"route":"p","executionArn":"arn","status":"SUCCEEDED","output":{"done":true}}`
	tests := map[string]struct{ payload, want, errorType string }{
		"succeeds":         {event(`{}`), ok, ""},
		"fails":            {event(`{"Fail":"CardDeclined"}`), "", "CardDeclined"},
		"throttled":        {event(`{"Fail":"Expressway.Throttled"}`), "", "Expressway.Throttled"},
		"panics":           {event(`{"Fail":"panic"}`), "", "Expressway.Internal"},
		"discarded":        {event(`{"Fail":"AlreadyPaid"}`), `{"route":"p","executionArn":"arn","status":"FAILED","error":"AlreadyPaid","discarded":true}`, ""},
		"array":            {"[" + event(`{}`) + "," + event(`{}`) + "]", "[" + ok + "," + ok + "]", ""},
		"array that fails": {"[" + event(`{"Fail":"A"}`) + "," + event(`{}`) + "," + event(`{"Fail":"B"}`) + "]", "", "A, B"},
		"empty array":      {"[]", "[]", ""},
		"no route":         {strings.Replace(event(`{}`), "shop.checkout", "other", 1), "", "Expressway.NoRoute"},
		"no event":         {`{"Records":[]}`, "", "Expressway.BadRequest"},
		"not JSON":         {`{`, "", "Expressway.BadRequest"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := events(t, payments).Invoke(t.Context(), []byte(test.payload))
			if test.errorType == "" {
				if err != nil || string(out) != test.want {
					t.Errorf("got = %s, %v, want %s", out, err, test.want)
				}
				return
			}
			var reported messages.InvokeResponse_Error
			if !errors.As(err, &reported) || reported.Type != test.errorType {
				t.Errorf("error = %#v, want the type %q", err, test.errorType)
			}
		})
	}
}

func TestRealEvents(t *testing.T) {
	t.Parallel()
	e := events(t, "  - {name: all, eventbridge: {source: '*'}, start: m, input: '{% $event %}'}\n")
	for _, name := range []string{
		"codebuild-state-change.json", "codepipeline-execution-state-change-event.json",
		"autoscaling-event-launch-successful.json", "ecr-image-push-event.json", "ecs-container-instance-state-change.json",
	} {
		if _, err := e.Invoke(t.Context(), shared.Read(t, "lambda-events", name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := e.Invoke(t.Context(), shared.Read(t, "sam-events", "rendered", "cloudwatch-scheduled-event.json")); err != nil {
		t.Errorf("scheduled event: %v", err)
	}
}

func FuzzInvoke(f *testing.F) {
	f.Add([]byte(event(`{}`)))
	f.Add([]byte("[" + event(`{"Fail":"A"}`) + ",1]"))
	e := events(f, payments)
	f.Fuzz(func(t *testing.T, payload []byte) {
		out, err := e.Invoke(context.Background(), payload)
		if (out == nil) == (err == nil) {
			t.Fatalf("result %s and error %v", out, err)
		}
	})
}
