package config_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/expressway-dev/expressway/pkg/config"
)

// expandable are routes with the keys whose values may have variables.
const expandable = `
- {name: a, http: POST /a, start: m, verify: {provider: github, secrets: ["env:S"], contentTypes: [application/json]}, dedupe: {key: "{% $request.body.id %}", for: 1h, claim: 10s, onError: start}, timeout: 5s, mode: sync, includedData: all}
- {name: a, http: POST /a, start: m, verify: none, respond: {status: 200, headers: {a: b}, cookies: [a=b], body: x, base64: false}, onDeadline: {status: 200}, catch: [{errors: [X], status: 404}]}
- {name: a, http: POST /a, start: m, verify: none, onDeadline: acknowledge, cors: {origins: ["https://a.example"], methods: [GET], headers: [x-a], exposeHeaders: [x-b], credentials: true, maxAge: 1h}}
- {name: a, http: POST /a, start: m, verify: none, offload: {to: "s3://bucket/p", kmsKey: "alias/k"}}
- {name: a, http: POST /a, start: m, verify: none, offload: "s3://bucket/p", mode: async, accepted: {status: 202}}
- {name: a, http: POST /a, answer: {status: 200, body: ok}, verify: none, cors: {origins: "https://a.example"}}
- {name: a, http: POST /a, start: m, verify: none, queue: "https://sqs.us-east-1.amazonaws.com/123456789012/q"}
- {name: a, http: POST /a, verify: none, resume: {token: "{% $request.body.token %}", output: x, fail: "{% $request.body.no %}", error: E, cause: x}}
- {name: a, http: POST /a, start: m, verify: {hmac: {header: x-a, signed: "{timestamp}{body}", hash: hmac, algorithm: sha256, encoding: hex, prefix: p, keyEncoding: text, timestamp: {header: x-t, format: unix, tolerance: 5m}}, secrets: ["env:S"]}}
- {name: a, http: POST /a, start: m, verify: {jwt: {jwks: "https://a.example/k", issuer: "https://a.example", audience: x, algorithms: [RS256], claims: {a: b}, maxAge: 1m, header: h}}}
- {name: a, http: POST /a, start: m, verify: {basic: {username: u}, secrets: ["env:S"]}}
- {name: a, http: POST /a, start: m, verify: {token: {header: x-a}, secrets: ["env:S"]}}
- {name: a, http: POST /a, start: m, verify: {mtls: {subject: "CN=a", issuer: "CN=b"}}}
- {name: a, http: POST /a, start: m, verify: {provider: sns, topics: ["arn:aws:sns:us-east-1:123456789012:t"]}}
- {name: a, http: POST /a, start: m, verify: {provider: twilio, url: "https://a.example", secrets: ["env:S"]}}
- {name: a, http: POST /a, start: m, verify: {provider: slack, secrets: ["env:S"], tolerance: 5m}}
- {name: a, http: POST /a, start: m, verify: {provider: meta, token: "env:T", secrets: ["env:S"]}}
- {name: a, http: POST /a, start: m, verify: {signature: {header: x-a, algorithm: ed25519, encoding: hex}, secrets: ["env:S"]}}
- {name: a, sqs: q, start: m, concurrency: 5, retry: {delay: 1s, rate: 2, max: 1m, jitter: full}, deadLetterQueue: "https://sqs.us-east-1.amazonaws.com/123456789012/d", catch: [{errors: X, then: dead-letter}], unwrap: sns, trace: record}
- {name: a, sqs: q, start: m, batch: true, input: "{% $messages %}"}
- {name: a, sqs: q.fifo, start: m, concurrency: 5, catch: [{errors: X, then: retry}]}
- {name: a, http: "POST /a/{id}", start: m, mode: async, accepted: {status: 202, body: "{% $request.params.id %}"}, input: "{% $request.params.id %}", verify: none, dedupe: {key: "{% $request.params.id %}", for: 1h}}
- {name: a, http: POST /a, start: m, verify: none, mode: sync, includedData: metadata, catch: [{errors: X, status: 404}]}
- {name: a, http: POST /a, start: m, verify: {provider: github, secrets: ["env:S"]}, queue: "https://sqs.us-east-1.amazonaws.com/123456789012/q", mode: sync, concurrency: 5, retry: {delay: 1s}, deadLetterQueue: "https://sqs.us-east-1.amazonaws.com/123456789012/d", catch: [{errors: X, then: dead-letter}]}
- {name: a, eventbridge: {source: [s]}, start: m, mode: async, dedupe: {key: "{% $event.id %}", for: 1h}}
- {name: a, http: POST /a, start: m, verify: {provider: stripe, secrets: ["env:S"], tolerance: 5m}, dedupe: {for: 1h}}
- {name: a, eventbridge: {source: [s], detail-type: d}, start: m, catch: [{errors: X, then: discard}], input: {a: [x]}}
`

// A variable that is not set is one mistake, whatever the key would make of an empty text.
func TestUnsetVariableIsOneProblem(t *testing.T) {
	t.Parallel()
	var routes []any
	if err := yaml.Unmarshal([]byte(expandable), &routes); err != nil {
		t.Fatal(err)
	}
	tried := 0
	for i, route := range routes {
		parse := func() error {
			text, err := json.Marshal(map[string]any{"version": 1, "routes": []any{route}})
			if err != nil {
				t.Fatal(err)
			}
			_, err = (config.Options{Getenv: func(string) string { return "" }}).Parse("t.yaml", text)
			return err
		}
		if err := parse(); err != nil {
			t.Errorf("route %d: %v", i, err)
			continue
		}
		eachText("", route, func(path string, set func(any), old any) {
			set("${GONE}")
			var wrong *config.Error
			err := parse()
			if !errors.As(err, &wrong) || len(wrong.Problems) != 1 || wrong.Problems[0].Message != "environment variable GONE is not set: set it, or write ${GONE:-default}" {
				t.Errorf("route %d, %s: got %v, want one problem, about the variable", i, path, err)
			}
			set(old)
			tried++
		})
	}
	if tried < 90 {
		t.Errorf("only %d texts were tried", tried)
	}
}

// eachText visits the texts, numbers and flags in v that are not expressions.
func eachText(path string, v any, visit func(path string, set func(any), old any)) {
	child := func(path string, x any, set func(any)) {
		switch x := x.(type) {
		case map[string]any, []any:
			eachText(path, x, visit)
		case string:
			if !strings.HasPrefix(x, "{%") && x != "none" {
				visit(path, set, x)
			}
		default:
			visit(path, set, x)
		}
	}
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			child(path+"."+k, x, func(to any) { v[k] = to })
		}
	case []any:
		for i, x := range v {
			child(path+"[]", x, func(to any) { v[i] = to })
		}
	}
}

// A variable that only another function needs is not a mistake, and what it decides is unknown.
func TestVariablesOfOtherFunctionsDecideNothing(t *testing.T) {
	t.Parallel()
	const routes = "version: 1\nroutes:\n  - {name: a, http: POST /a, verify: none, start: m, mode: '${GONE}', accepted: {status: 202}}\n" +
		"  - {name: b, http: POST /b, verify: {provider: '${GONE}', secrets: ['env:S']}, start: m, dedupe: {for: 1h}, queue: 'https://sqs.us-east-1.amazonaws.com/123456789012/q'}\n" +
		"  - {name: c, sqs: other, start: m, batch: '${GONE}', input: '{% $messages %}'}\n"
	for only, want := range map[config.Source]int{config.SourceHTTP: 2, config.SourceSQS: 1, config.SourceEventBridge: 0, "": 3} {
		_, err := config.Options{Only: only, Getenv: func(string) string { return "" }}.Parse("t.yaml", []byte(routes))
		var wrong *config.Error
		if errors.As(err, &wrong); wrong == nil && want > 0 || wrong != nil && len(wrong.Problems) != want {
			t.Errorf("function of %q: got %v, want %d problems, about the variable", only, err, want)
		}
	}
}

// A key that a route lacks is reported together with a variable that is not set.
func TestUnsetVariablesHideNothingElse(t *testing.T) {
	t.Parallel()
	const routes = "version: 1\nroutes:\n  - http: POST /a\n    verify: none\n    start: ${GONE}\n  - name: b\n    http: POST /b\n    start: ${GONE}\n  - name: c\n    verify: none\n    start: ${GONE}\n" +
		"  - name: d\n    http: POST /d\n    verify: none\n    start: m\n    catch: [{status: 404, body: {x: '${GONE}'}}]\n"
	_, err := config.Options{Getenv: func(string) string { return "" }}.Parse("x.yaml", []byte(routes))
	if err == nil {
		t.Fatal("the routes are accepted")
	}
	for _, want := range []string{"x.yaml:3:5: the route has no name", "x.yaml:5:12: environment variable GONE", "x.yaml:6:5: ", "x.yaml:8:12: environment variable GONE", "x.yaml:9:5: the route must have exactly one of", "the catch names no errors"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %q too", err, want)
		}
	}
}
