package httpfront_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/internal/shared"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/dedupe"
	"github.com/expressway-dev/expressway/pkg/httpfront"
	"github.com/expressway-dev/expressway/pkg/secrets"
)

// fieldFront has the routes of the inputs from the field, with a workflow that returns
// its input; started counts executions.
func fieldFront(t *testing.T, started *int) *httpfront.Front {
	t.Helper()
	env := func(name string) string { return map[string]string{"S": "s"}[name] }
	cfg, err := config.Options{Getenv: env}.Load(shared.Path(t, "field", "http", "expressway.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	starter := starterFunc(func(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
		*started++
		return echo(ctx, s)
	})
	log := slog.New(slog.DiscardHandler)
	b := bridge.New(starter, bridge.Options{Log: log, Dedupe: dedupe.NewMemory(dedupe.MemoryOptions{})})
	f, err := httpfront.New(cfg.Routes, b, secrets.NewEnv(env), httpfront.Options{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// What senders and gateways really send is answered as they need it.
func TestInputsFromTheField(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		started int
		id      string // params.id of the input
		alb     bool   // the answer has the form of a balancer's
	}{
		"square-rest-stage.json":               {started: 1},
		"httpapi-payload-1.0-named-stage.json": {started: 1, id: "1"},
		"rest-trailing-slash.json":             {started: 1},
		"vpc-lattice-1.0.json":                 {started: 1, id: "1", alb: true},
		"vpc-lattice-2.0.json":                 {started: 1, id: "1", alb: true},
		"intercom-head.json":                   {},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var started int
			got := invoke(t, fieldFront(t, &started), shared.Read(t, "field", "http", name))
			if got.StatusCode != 200 || started != test.started {
				t.Fatalf("got %d %s, and %d executions, want 200 and %d", got.StatusCode, got.Body, started, test.started)
			}
			if test.alb && (got.StatusDescription != "200 OK" || got.Headers["Content-Type"] != "application/json" || got.MultiValueHeaders != nil) {
				t.Errorf("got %+v, want the answer of a balancer with single headers", got)
			}
			if test.id == "" {
				return
			}
			var in struct {
				Params map[string]string
			}
			if err := json.Unmarshal([]byte(got.Body), &in); err != nil || in.Params["id"] != test.id {
				t.Errorf("params = %v (%v), want the id %s", in.Params, err, test.id)
			}
		})
	}
}

// The events of VPC Lattice come out as those of any other door.
func TestLatticeRequests(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"vpc-lattice-1.0.json", "vpc-lattice-2.0.json"} {
		var started int
		got := invoke(t, fieldFront(t, &started), shared.Read(t, "field", "http", name))
		var in map[string]any
		if err := json.Unmarshal([]byte(got.Body), &in); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want := map[string]any{
			"method": "POST", "path": "/hook/1", "params": map[string]any{"id": "1"},
			"query": map[string]any{"source": "shop"}, "multiQuery": map[string]any{"source": []any{"shop"}},
			"headers": map[string]any{
				"host": "hooks-0a1b2c3d4e5f67890.7d67968.vpc-lattice-svcs.us-east-2.on.aws", "content-type": "application/json", "accept": "*/*",
				"user-agent": "curl/8.5.0", "x-forwarded-for": "192.0.2.10", "content-length": "26",
			},
			"body": map[string]any{"orderId": "o-1", "n": 1.0}, "bodyType": "json",
			"sourceIp": "192.0.2.10", "requestId": "", "stage": "", "authorizer": nil,
		}
		if diff := cmp.Diff(want, in); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// A delivery that a catch answers 404 says so in its problem document too, and so does
// the answer to its duplicate.
func TestProblemStatusFromTheField(t *testing.T) {
	t.Parallel()
	env := func(name string) string {
		return map[string]string{"GITHUB_WEBHOOK_SECRET": "s"}[name]
	}
	var cases []struct {
		Event  json.RawMessage
		Repeat int
		Env    map[string]string
	}
	if err := json.Unmarshal(shared.Read(t, "field", "queue", "gh.json"), &cases); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Options{Getenv: env}.Load(shared.Path(t, "field", "queue", "gh.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	fail := starterFunc(func(_ context.Context, s bridge.Start) (bridge.Outcome, error) {
		var in struct {
			Fail string `json:"__fail"`
		}
		_ = json.Unmarshal(s.Input, &in)
		return bridge.Outcome{ExecutionARN: executionARN, Status: bridge.Failed, Error: in.Fail}, nil
	})
	for _, c := range cases {
		b := bridge.New(fail, bridge.Options{Log: log, Dedupe: dedupe.NewMemory(dedupe.MemoryOptions{})})
		f, err := httpfront.New(cfg.Routes, b, secrets.NewEnv(env), httpfront.Options{Log: log})
		if err != nil {
			t.Fatal(err)
		}
		for range c.Repeat {
			if got := invoke(t, f, c.Event); got.StatusCode != 404 || !strings.Contains(got.Body, `"status":404`) {
				t.Errorf("got %d %s, want 404, and the document says so", got.StatusCode, got.Body)
			}
		}
	}
}
