package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/bridge/bridgetest"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/gateway"
	"github.com/expressway-dev/expressway/pkg/verify"
)

const plain = `version: 1
routes:
  - {name: web, http: POST /a, verify: none, start: m}
`

const withDedupe = `version: 1
routes:
  - {name: web, http: POST /a, verify: none, start: m, dedupe: {key: '{% $request.body.id %}'}}
  - {name: queue, sqs: q, start: m}
`

type maker func(gateway.Options) (lambda.Handler, error)

// load writes the configuration into a function's folder and makes a handler of it.
func load(t *testing.T, yaml string, env map[string]string, make maker) (log string, err error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "expressway.yaml"), []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	getenv := func(name string) string {
		if v, ok := env[name]; ok {
			return v
		}
		return map[string]string{
			"LAMBDA_TASK_ROOT": dir, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x",
		}[name]
	}
	var lines, out bytes.Buffer
	handler, err := make(gateway.Options{Getenv: getenv, Log: slog.New(slog.NewJSONHandler(&lines, nil)), Metrics: &out})
	if err == nil && handler == nil {
		t.Error("no handler")
	}
	if out.Len() > 0 {
		t.Errorf("metrics before anything was delivered: %s", out.String())
	}
	return lines.String(), err
}

// A handler finds its file, and warns at the start of what it will miss.
func TestLoad(t *testing.T) {
	t.Parallel()
	const warning = "dedupe without EXPRESSWAY_DEDUPE_TABLE"
	tests := map[string]struct {
		yaml   string
		env    map[string]string
		make   maker
		warned bool
	}{
		"no dedupe":                  {plain, nil, gateway.Webhook, false},
		"dedupe without a table":     {withDedupe, nil, gateway.Webhook, true},
		"dedupe of another function": {withDedupe, nil, gateway.Queue, false},
		"no route for the function":  {plain, nil, gateway.Event, false},
		"dedupe with a table":        {withDedupe, map[string]string{gateway.DedupeTable: "t"}, gateway.Webhook, false},
		"metrics that are on":        {plain, map[string]string{"EXPRESSWAY_METRICS": "on"}, gateway.Webhook, false},
		"another endpoint":           {plain, map[string]string{"AWS_ENDPOINT_URL_SFN": "http://127.0.0.1:8083"}, gateway.Webhook, false},
		"an empty EXPRESSWAY_CONFIG": {plain, map[string]string{"EXPRESSWAY_CONFIG": ""}, gateway.Webhook, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log, err := load(t, test.yaml, test.env, test.make)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(log, warning); got != test.warned {
				t.Errorf("log = %q, want the warning: %v", log, test.warned)
			}
		})
	}
}

// What cannot work is an error at the start, which names what to mend.
func TestLoadFails(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		yaml string
		env  map[string]string
		want string
	}{
		"no file":               {plain, map[string]string{"EXPRESSWAY_CONFIG": "/nowhere/ex.yaml"}, "/nowhere/ex.yaml"},
		"a bad file":            {"version: 2\n", nil, "expressway.yaml:1"},
		"outside of Lambda":     {plain, map[string]string{"AWS_ACCESS_KEY_ID": ""}, "AWS_ACCESS_KEY_ID"},
		"no routes":             {"version: 1\nroutes: []\n", nil, "has no routes"},
		"unknown metrics value": {plain, map[string]string{"EXPRESSWAY_METRICS": "perhaps"}, "EXPRESSWAY_METRICS"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := load(t, test.yaml, test.env, gateway.Webhook)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error that names %s", err, test.want)
			}
		})
	}
}

const (
	request = `{"version":"2.0","rawPath":"/a","rawQueryString":"","headers":{"content-type":"application/json"},` +
		`"requestContext":{"requestId":"r","http":{"method":"POST","path":"/a","sourceIp":"192.0.2.1"}},"body":"{\"n\":1}","isBase64Encoded":false}`
	batch = `{"Records":[{"messageId":"m-1","receiptHandle":"h","body":"{}","attributes":{},"messageAttributes":{},` +
		`"eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:us-east-1:123456789012:q","awsRegion":"us-east-1"}]}`
	event = `{"version":"0","id":"e","detail-type":"T","source":"shop","account":"123456789012","time":"2026-01-01T00:00:00Z","region":"us-east-1","resources":[],"detail":{}}`
)

// routesInGo are routes that were not read from YAML: every field but the necessary ones
// is zero.
func routesInGo() []*config.Route {
	return []*config.Route{
		{Route: bridge.Route{Name: "web", StateMachine: "m"}, HTTP: &config.HTTP{Pattern: "POST /a", Verify: verify.Spec{None: true}}},
		{Route: bridge.Route{Name: "queue", StateMachine: "m"}, SQS: &config.SQS{Queue: "q"}},
		{Route: bridge.Route{Name: "event", StateMachine: "m"}, EventBridge: &config.EventBridge{Source: []string{"shop"}}},
	}
}

// A route that is built in Go behaves as the same route read from YAML, and every option
// but the Starter may be nil.
func TestZeroValues(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		make  maker
		event string
		want  string
	}{
		"webhook": {gateway.Webhook, request, `"body":"{\"ok\":true}"`},
		"queue":   {gateway.Queue, batch, `{"batchItemFailures":[]}`},
		"event":   {gateway.Event, event, `"status":"SUCCEEDED","output":{"ok":true}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			starter := &bridgetest.Recorder{Starter: bridgetest.Succeed(`{"ok":true}`)}
			handler, err := test.make(gateway.Options{Routes: routesInGo(), Starter: starter})
			if err != nil {
				t.Fatal(err)
			}
			out, err := handler.Invoke(t.Context(), []byte(test.event))
			if err != nil || !strings.Contains(string(out), test.want) {
				t.Errorf("answer %s, error %v; want %s", out, err, test.want)
			}
			if n := len(starter.Starts()); n != 1 {
				t.Errorf("%d starts, want 1", n)
			}
		})
	}
}

// What panics in a Starter is the delivery's failure, with and without a logger.
func TestPanicWithoutLogger(t *testing.T) {
	t.Parallel()
	starter := bridgetest.StarterFunc(func(context.Context, bridge.Start) (bridge.Outcome, error) { panic("starter") })
	for name, test := range map[string]struct {
		make  maker
		event string
	}{"webhook": {gateway.Webhook, request}, "queue": {gateway.Queue, batch}, "event": {gateway.Event, event}} {
		handler, err := test.make(gateway.Options{Routes: routesInGo(), Starter: starter})
		if err != nil {
			t.Fatal(err)
		}
		out, err := handler.Invoke(t.Context(), []byte(test.event))
		if said := string(out) + errText(err); !strings.Contains(said, bridge.Internal) && !strings.Contains(said, "m-1") {
			t.Errorf("%s: %s, want the failure %s", name, said, bridge.Internal)
		}
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	text, _ := json.Marshal(err)
	return string(text) + err.Error()
}

// A pattern that net/http refuses is an error, not a panic.
func TestBadPattern(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{"POST a", "POST /{", "", "POST /a/{x}/{x}"} {
		routes := routesInGo()
		routes[0].HTTP.Pattern = pattern
		if _, err := gateway.Webhook(gateway.Options{Routes: routes, Starter: bridgetest.Succeed(`null`)}); err == nil {
			t.Errorf("no error for the pattern %q", pattern)
		}
	}
	routes := append(routesInGo(), routesInGo()...)
	if _, err := gateway.Webhook(gateway.Options{Routes: routes, Starter: bridgetest.Succeed(`null`)}); err == nil {
		t.Error("no error for two routes of one pattern")
	}
	if _, err := gateway.Webhook(gateway.Options{Routes: []*config.Route{nil}, Starter: bridgetest.Succeed(`null`)}); err == nil {
		t.Error("no error for a nil route")
	}
}

// A route that is built in Go takes over what is known of its provider: the parameters
// of its pattern, the deadline, and the delivery id as dedupe key.
func TestCompletedRoute(t *testing.T) {
	t.Parallel()
	route := &config.Route{
		Route: bridge.Route{Name: "gh", StateMachine: "m", Dedupe: &bridge.Dedupe{}},
		HTTP: &config.HTTP{
			Pattern: "POST /github/{org}",
			Verify:  verify.Spec{Provider: "github", Secrets: []string{"env:GH"}},
		},
	}
	file, err := config.Options{Getenv: func(string) string { return "" }}.Parse("expressway.yaml", []byte(`version: 1
routes:
  - {name: gh, http: "POST /github/{org}", verify: {provider: github, secrets: ["env:GH"]}, start: m, dedupe: true}
`))
	if err != nil {
		t.Fatal(err)
	}
	if err := config.Complete([]*config.Route{route}); err != nil {
		t.Fatal(err)
	}
	want := file.Routes[0]
	if len(route.HTTP.Params) != 1 || route.HTTP.Params[0] != "org" || route.HTTP.DeliveryID != want.HTTP.DeliveryID ||
		route.HTTP.Ack != want.HTTP.Ack || route.Timeout != want.Timeout {
		t.Errorf("completed %+v of %+v, want what the file gives: %+v of %+v", route.HTTP, route.Route, want.HTTP, want.Route)
	}
	if d := route.Dedupe; d.Key == nil || d.For != want.Dedupe.For || d.Claim != want.Dedupe.Claim || d.WithBody != want.Dedupe.WithBody {
		t.Errorf("dedupe %+v, want %+v", d, want.Dedupe)
	}
}

// Everything that is wrong with routes in Go is said at once, by their names.
func TestIncompleteRoutes(t *testing.T) {
	t.Parallel()
	routes := []*config.Route{
		nil,
		{Route: bridge.Route{Name: "Upper", StateMachine: "m"}, SQS: &config.SQS{Queue: "q"}},
		{Route: bridge.Route{Name: "none", StateMachine: "m"}},
		{Route: bridge.Route{Name: "machine"}, SQS: &config.SQS{Queue: "q"}},
		{Route: bridge.Route{Name: "machine", StateMachine: "m"}, SQS: &config.SQS{Queue: "a b"}},
		{Route: bridge.Route{Name: "verify", StateMachine: "m"}, HTTP: &config.HTTP{Pattern: "/v"}},
		{Route: bridge.Route{Name: "key", StateMachine: "m", Dedupe: &bridge.Dedupe{}}, EventBridge: &config.EventBridge{Source: []string{"s"}}},
	}
	err := config.Complete(routes)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"route 0 is nil", "route Upper: Name", "route none: exactly one of HTTP, SQS and EventBridge", "route machine: StateMachine",
		"route machine: SQS.Queue", `a second route is named "machine"`, "route verify: verify: has no way to verify", "route key: Dedupe.Key",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q:\n%v", want, err)
		}
	}
}

// The handlers of one Gateway share its dedupe store.
func TestGateway(t *testing.T) {
	t.Parallel()
	g, err := gateway.New(gateway.Options{Routes: routesInGo(), Starter: bridgetest.Fail("Boom", "because")})
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Routes()) != 3 {
		t.Errorf("%d routes, want 3", len(g.Routes()))
	}
	_, err = g.Event().Invoke(t.Context(), []byte(event))
	var function interface{ Error() string }
	if !errors.As(err, &function) || !strings.Contains(errText(err), "Boom") {
		t.Errorf("error = %v, want one named Boom", err)
	}
}
