package httpfront_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/httpfront"
	"github.com/expressway-dev/expressway/pkg/secrets"
)

// A recorder is an observer that keeps what it hears.
type recorder struct{ heard []string }

func (r *recorder) Begin(ctx context.Context) (context.Context, func()) { return ctx, func() {} }

func (r *recorder) Settled(_ context.Context, d *bridge.Delivery, result bridge.Result, s bridge.Settlement) {
	status := ""
	for _, a := range s.Attrs {
		status += " " + a.Value.String()
	}
	r.heard = append(r.heard, "settled "+d.Route.Name+" "+result.ErrorName()+status)
}

func (r *recorder) Rejected(_ context.Context, route, source, errorName string) {
	r.heard = append(r.heard, "rejected "+route+" "+source+" "+errorName)
}

// Every request is heard of once, by the name of what became of it; and of what was sent
// nothing is logged, whatever became of it.
func TestObserverAndLog(t *testing.T) {
	t.Parallel()
	cfg, err := config.Parse("t.yaml", []byte(`version: 1
routes:
  - name: gh
    http: POST /gh
    verify: {provider: github, secrets: ["env:SECRET"]}
    start: m
    catch: [{errors: [Expressway.Unverified], body: '{% $request.nothing %}'}]
  - {name: slack, http: POST /slack, verify: {provider: slack, secrets: ["env:SECRET"]}, start: m, filter: '{% $request.body.go = true %}'}
`), getenv)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, nil))
	heard := &recorder{}
	starter := end(bridge.Failed, "Broken", "a cause with hunter2")
	f, err := httpfront.New(cfg.Routes, bridge.New(starter, log, nil, bridge.WithObserver(heard)), secrets.NewEnv(getenv), log)
	if err != nil {
		t.Fatal(err)
	}
	const body = `{"password":"hunter2"}`
	secret := []string{"authorization", "Bearer hunter2", "cookie", "a=hunter2", "x-other", "hunter2"}
	requests := [][]byte{
		event("POST", "/gh", "application/json", body, append([]string{"x-hub-signature-256", signed(body)}, secret...)...),
		event("POST", "/gh", "application/json", body, append([]string{"x-hub-signature-256", signed("hunter2"), "x-github-delivery", "hunter2"}, secret...)...),
		event("POST", "/gh", "application/json", "{hunter2", "x-hub-signature-256", signed("{hunter2")),
		signedEvent(t, "slack", "/slack", `{"hunter2":1}`),
		signedEvent(t, "slack", "/slack", `{"type":"url_verification","challenge":"hunter2"}`),
		event("POST", "/hunter2", "", body, secret...),
		event("GET", "/gh", "", "", secret...),
		[]byte(`{"hunter2":`),
	}
	for _, r := range requests {
		invoke(t, f, r)
	}
	want := []string{
		"settled gh Broken 500",
		"rejected gh http Expressway.Unverified",
		"settled gh Expressway.BadRequest 400",
		"settled slack  200",
		"rejected  http Expressway.NoRoute",
		"rejected  http Expressway.NoRoute",
		"rejected  http Expressway.BadRequest",
	}
	if diff := cmp.Diff(want, heard.heard); diff != "" {
		t.Errorf("heard (-want +got):\n%s", diff)
	}
	if strings.Contains(out.String(), "hunter2") || strings.Contains(out.String(), "s3cret") || strings.Contains(out.String(), "sha256=") {
		t.Errorf("the log says what was sent:\n%s", out.String())
	}
	// One line a request, and one for the catch that failed.
	if got := strings.Count(out.String(), "\n"); got != len(requests)+1 {
		t.Errorf("%d lines, want %d:\n%s", got, len(requests)+1, out.String())
	}
}
