package gateway_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/gateway"
)

// accepting is a Starter and an Acceptor that note what they get.
type accepting struct {
	accepted []bridge.Acceptance
	fail     error
	starts   []bridge.Start
}

func (a *accepting) Accept(_ context.Context, in bridge.Acceptance) (string, error) {
	if a.fail != nil {
		return "", a.fail
	}
	in.Envelope.Trace = in.FallbackTrace
	a.accepted = append(a.accepted, in)
	return fmt.Sprint("m-", len(a.accepted)), nil
}

func (a *accepting) StartSync(_ context.Context, s bridge.Start) (bridge.Outcome, error) {
	a.starts = append(a.starts, s)
	return bridge.Outcome{ExecutionARN: "arn", Status: bridge.Succeeded, Output: []byte("{}")}, nil
}

func (a *accepting) Start(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
	return a.StartSync(ctx, s)
}

const (
	acceptURL  = "https://sqs.us-east-1.amazonaws.com/123456789012/github"
	acceptARN  = "arn:aws:sqs:us-east-1:123456789012:github"
	acceptYAML = `version: 1
routes:
  - name: github
    http: POST /github
    verify: {provider: github, secrets: ["env:SECRET"]}
    filter: '{% $request.body.kind != "noise" %}'
    dedupe: true
    start: m
    input: {push: '{% $request.body %}', by: '{% $request.headers."x-github-event" %}'}
    queue: ` + acceptURL + `
  - name: plain
    http: POST /plain
    verify: none
    start: m
    queue: arn:aws:sqs:us-east-1:123456789012:plain
`
)

func newAccepting(t *testing.T) (*accepting, *gateway.Gateway) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "expressway.yaml")
	if err := os.WriteFile(file, []byte(acceptYAML), 0o600); err != nil {
		t.Fatal(err)
	}
	a := &accepting{}
	g, err := gateway.New(gateway.Options{Config: file, Starter: a, Acceptor: a, Getenv: func(name string) string {
		return map[string]string{"SECRET": "secret", "AWS_REGION": "us-east-1"}[name]
	}})
	if err != nil {
		t.Fatal(err)
	}
	return a, g
}

// post sends a webhook, signed with the secret, and returns status and body.
func post(t *testing.T, g *gateway.Gateway, path, id, secret, body string) (int, string) {
	t.Helper()
	front, err := g.Webhook()
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	event, err := json.Marshal(map[string]any{
		"version": "2.0", "rawPath": path, "body": body,
		"headers": map[string]string{
			"content-type": "application/json", "x-github-event": "push", "x-github-delivery": id,
			"x-hub-signature-256": "sha256=" + hex.EncodeToString(mac.Sum(nil)), "x-amzn-trace-id": "Root=1-5759e988-bd862e3fe1be46a994272793",
		},
		"requestContext": map[string]any{"requestId": "req-" + id, "http": map[string]any{"method": "POST", "path": path}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	out, err := front.Invoke(ctx, event)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		StatusCode int
		Body       string
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Body
}

// work hands messages to the queue function, and returns how many it reports.
func work(t *testing.T, g *gateway.Gateway, queueARN string, bodies ...string) int {
	t.Helper()
	var records []any
	for i, body := range bodies {
		records = append(records, map[string]any{
			"messageId": fmt.Sprint("m-", i), "receiptHandle": "r", "body": body, "attributes": map[string]any{}, "messageAttributes": map[string]any{},
			"eventSource": "aws:sqs", "eventSourceARN": queueARN, "awsRegion": "us-east-1",
		})
	}
	event, err := json.Marshal(map[string]any{"Records": records})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	out, err := g.Queue().Invoke(ctx, event)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(out), "itemIdentifier")
}

// What is accepted is verified, filtered and built before, and started once, by the queue
// function alone, with the sender's id and one trace.
func TestAcceptFirstWorkLater(t *testing.T) {
	t.Parallel()
	a, g := newAccepting(t)
	const body = `{"kind":"push","n":9007199254740993,"x":1.0}`
	if status, _ := post(t, g, "/github", "d-1", "wrong", body); status != 401 || len(a.accepted) != 0 {
		t.Fatalf("a wrong signature: %d, %d accepted", status, len(a.accepted))
	}
	if status, _ := post(t, g, "/github", "d-1", "secret", `{"kind":"noise"}`); status != 200 || len(a.accepted) != 0 {
		t.Fatalf("filtered: %d, %d accepted", status, len(a.accepted))
	}
	if status, _ := post(t, g, "/plain", "d-1", "", `"`+strings.Repeat("x", bridge.MaxInput)+`"`); status != 413 || len(a.accepted) != 0 {
		t.Fatalf("too large: %d, %d accepted", status, len(a.accepted))
	}
	for range 2 {
		if status, text := post(t, g, "/github", "d-1", "secret", body); status != 202 && status != 200 || text != "" || len(a.starts) != 0 {
			t.Fatalf("accepted: %d %q, %d starts", status, text, len(a.starts))
		}
	}
	var bodies []string
	for _, in := range a.accepted {
		if in.Queue != acceptURL {
			t.Errorf("accepted into %s", in.Queue)
		}
		bodies = append(bodies, in.Envelope.Encode())
	}
	if n := work(t, g, acceptARN, bodies[0]); n != 0 || len(a.starts) != 1 {
		t.Fatalf("%d reported, %d starts", n, len(a.starts))
	}
	s := a.starts[0]
	if string(s.Input) != `{"push":`+body+`,"by":"push"}` || s.Name != "github-d-1" || s.TraceHeader != "Root=1-5759e988-bd862e3fe1be46a994272793" || s.StateMachineARN != "m" {
		t.Errorf("started %+v with %s", s, s.Input)
	}
	if n := work(t, g, acceptARN, bodies[1], bodies[0]); n != 0 || len(a.starts) != 1 {
		t.Errorf("duplicates: %d reported, %d starts", n, len(a.starts))
	}
}

// Only the queue that a route names may start it, and only by an envelope.
func TestEnvelopesOfOthers(t *testing.T) {
	t.Parallel()
	a, g := newAccepting(t)
	if status, _ := post(t, g, "/github", "d-1", "secret", `{"kind":"x"}`); status >= 300 {
		t.Fatal(status)
	}
	envelope := a.accepted[0].Envelope.Encode()
	for name, test := range map[string]struct{ queue, body string }{
		"another route's queue": {"arn:aws:sqs:us-east-1:123456789012:plain", envelope},
		"another account":       {"arn:aws:sqs:us-east-1:999999999999:github", envelope},
		"another region":        {"arn:aws:sqs:eu-west-1:123456789012:github", envelope},
		"an unknown route":      {acceptARN, strings.Replace(envelope, `"github"`, `"other"`, 1)},
		"another version":       {acceptARN, strings.Replace(envelope, `"v":1`, `"v":2`, 1)},
		"not an envelope":       {acceptARN, `{"push":1}`},
	} {
		if n := work(t, g, test.queue, test.body); n != 1 || len(a.starts) != 0 {
			t.Errorf("%s: %d reported, %d starts", name, n, len(a.starts))
		}
	}
}

// Without the queue nothing is acknowledged.
func TestNotAccepted(t *testing.T) {
	t.Parallel()
	a, g := newAccepting(t)
	for name, want := range map[string]int{
		bridge.Unavailable: 503, bridge.Throttled: 503, bridge.Unknown: 502, bridge.Misconfigured: 500, bridge.InputTooLarge: 413,
	} {
		a.fail = bridge.NewFailure(name, "test", nil)
		if status, _ := post(t, g, "/github", "d-"+name, "secret", `{"kind":"x"}`); status != want {
			t.Errorf("%s: %d, want %d", name, status, want)
		}
	}
}
