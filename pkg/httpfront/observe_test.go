package httpfront_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/httpfront"
	"github.com/expressway-dev/expressway/pkg/secrets"
)

// A recorder is an observer that keeps its notifications.
type recorder struct{ heard []string }

func (r *recorder) Begin(ctx context.Context) (context.Context, func()) { return ctx, func() {} }

func (r *recorder) Settled(_ context.Context, d *bridge.Delivery, result bridge.Result, s bridge.Settlement) {
	status := ""
	for _, a := range s.Attrs {
		if a.Key == "httpStatus" {
			status = " " + a.Value.String()
		}
	}
	r.heard = append(r.heard, "settled "+d.Route.Name+" "+result.ErrorName()+status)
}

func (r *recorder) Rejected(_ context.Context, route, source, errorName string) {
	r.heard = append(r.heard, "rejected "+route+" "+source+" "+errorName)
}

// Every request is reported once, by the name of what happened to it; and of what was sent
// nothing is logged, whatever became of it.
func TestObserverAndLog(t *testing.T) {
	t.Parallel()
	cfg, err := config.Options{Getenv: getenv}.Parse("t.yaml", []byte(`version: 1
routes:
  - name: gh
    http: POST /gh
    verify: {provider: github, secrets: ["env:SECRET"]}
    start: m
    catch: [{errors: [Expressway.Unverified], body: '{% $request.params.nothing %}'}]
  - {name: slack, http: POST /slack, verify: {provider: slack, secrets: ["env:SECRET"]}, start: m, filter: '{% $request.body.go = true %}'}
`))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, nil))
	heard := &recorder{}
	starter := end(bridge.Failed, "Broken", "a cause with hunter2")
	f, err := httpfront.New(cfg.Routes, bridge.New(starter, bridge.Options{Log: log, Observer: heard}), secrets.NewEnv(getenv), httpfront.Options{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	const body = `{"password":"hunter2"}`
	secret := []string{"authorization", "Bearer hunter2", "cookie", "a=hunter2", "x-other", "hunter2"}
	requests := [][]byte{
		event("POST", "/gh", "application/json", body, append([]string{"x-hub-signature-256", signed(body)}, secret...)...),
		event("POST", "/gh", "application/json", body, append([]string{"x-hub-signature-256", signed("hunter2"), "x-github-delivery", "d-401"}, secret...)...),
		event("POST", "/gh", "application/json", "{hunter2", "x-hub-signature-256", signed("{hunter2")),
		signedEvent(t, "slack", "/slack", `{"hunter2":1}`),
		signedEvent(t, "slack", "/slack", `{"type":"url_verification","challenge":"hunter2"}`),
		event("POST", "/nowhere?token=hunter2", "", body, secret...),
		event("GET", "/gh", "", "", secret...),
		[]byte(`{"hunter2":`),
	}
	for _, r := range requests {
		_, _ = f.Invoke(context.Background(), r)
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
		t.Errorf("the log shows what was sent:\n%s", out.String())
	}
	// One line a request, and one for the catch that failed.
	if got := strings.Count(out.String(), "\n"); got != len(requests)+1 {
		t.Errorf("%d lines, want %d:\n%s", got, len(requests)+1, out.String())
	}
}

// Each line about a request has the ids and the place of the request: the pattern of its
// route, or the path where no route took it, and never the query.
func TestLogLines(t *testing.T) {
	t.Parallel()
	const routes = `  - {name: gh, http: "POST /gh/{org}", verify: {provider: github, secrets: ["env:SECRET"]}, start: m}
  - {name: stripe, http: POST /stripe, verify: {provider: stripe, secrets: ["env:SECRET"]}, start: m}
  - {name: intercom, http: POST /intercom, verify: {provider: intercom, secrets: ["env:SECRET"]}, start: m}
`
	id := map[string]any{"gatewayRequestId": "req-1"}
	tests := map[string]struct {
		event []byte
		want  map[string]any
	}{
		"settled": {
			event("POST", "/gh/acme", "application/json", `{}`, "x-hub-signature-256", signed(`{}`), "x-github-delivery", "d-1"),
			map[string]any{"msg": "delivery settled", "method": "POST", "pattern": "/gh/{org}", "route": "gh", "delivery": "d-1"},
		},
		"a wrong signature": {
			event("POST", "/gh/acme", "application/json", `{}`, "x-hub-signature-256", signed(`[]`), "x-github-delivery", "d-1"),
			map[string]any{"msg": "request refused", "method": "POST", "pattern": "/gh/{org}", "route": "gh", "delivery": "d-1", "error": bridge.Unverified},
		},
		"a wrong signature, the id in the body": {
			event("POST", "/stripe", "application/json", `{"id":"evt_1"}`),
			map[string]any{"msg": "request refused", "route": "stripe", "delivery": "evt_1"},
		},
		"a wrong signature, a long id": {
			event("POST", "/gh/acme", "application/json", `{}`, "x-github-delivery", strings.Repeat("d", 200)),
			map[string]any{"delivery": strings.Repeat("d", 128) + "…"},
		},
		"a wrong signature, a large body": {
			event("POST", "/stripe", "application/json", `{"id":"evt_1","x":"`+strings.Repeat("x", 64<<10)+`"}`),
			map[string]any{"msg": "request refused", "delivery": nil},
		},
		"no route": {
			event("POST", "/nowhere/"+strings.Repeat("x", 500), "", ""),
			map[string]any{"msg": "request refused", "method": "POST", "path": "/nowhere/" + strings.Repeat("x", 191) + "…", "route": nil, "error": bridge.NoRoute},
		},
		"a query in the path": {
			event("POST", "/nowhere?token=t", "", ""),
			map[string]any{"msg": "request refused", "path": "/nowhere"},
		},
		"no such method": {
			event("PUT", "/gh/acme", "", ""),
			map[string]any{"msg": "request refused", "method": "PUT", "path": "/gh/acme"},
		},
		"a handshake": {
			event("HEAD", "/intercom", "", ""),
			map[string]any{"msg": "handshake answered", "method": "HEAD", "pattern": "/intercom", "route": "intercom", "httpStatus": 200.0},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			invoke(t, logged(t, routes, starterFunc(echo), &log, bridge.Options{}), test.event)
			var line map[string]any
			if err := json.Unmarshal(log.Bytes(), &line); err != nil {
				t.Fatalf("%v: %s", err, log.String())
			}
			maps.Copy(test.want, id)
			for key, want := range test.want {
				if diff := cmp.Diff(want, line[key]); diff != "" {
					t.Errorf("%s (-want +got):\n%s\n%s", key, diff, log.String())
				}
			}
		})
	}
}
