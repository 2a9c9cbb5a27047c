package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/internal/providertest"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// oneRoute writes a configuration of one route, a.
func oneRoute(t *testing.T, keys string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "expressway.yaml")
	if err := os.WriteFile(path, []byte("version: 1\nroutes:\n  - name: a\n"+start(keys)+keys), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func explainRoute(t *testing.T, path, route string) string {
	t.Helper()
	var out, errs strings.Builder
	if code := run(t.Context(), []string{"explain", route, "--config", path}, nil, &out, &errs, func(name string) string {
		return map[string]string{"S": "never-to-be-shown", "T": "never-to-be-shown", "X": "never-to-be-shown"}[name]
	}); code != 0 {
		t.Fatalf("explain exits with %d, want 0: %s", code, errs.String())
	}
	if strings.Contains(out.String()+errs.String(), "never-to-be-shown") {
		t.Errorf("a secret is shown:\n%s", out.String())
	}
	return out.String()
}

// start is what a route without an end of its own starts.
func start(keys string) string {
	if strings.Contains(keys, "    answer:") || strings.Contains(keys, "    resume:") {
		return ""
	}
	return "    start: m\n"
}

// verifyBlock configures a provider with what it needs; its secret is the one of signEnv
// that has its form.
func verifyBlock(t *testing.T, provider string) string {
	t.Helper()
	c, err := providertest.Complete(provider)
	if err != nil {
		t.Fatal(err)
	}
	name := "S"
	for _, other := range []string{"X", "B", "E"} {
		if c.Secret == signEnv(other) {
			name = other
		}
	}
	block := strings.ReplaceAll(c.YAML(), providertest.Reference, "env:"+name)
	spec := c.Spec
	spec.Token = &verify.Token{Reference: "env:T"}
	if len(spec.Validate()) == 0 {
		block = strings.TrimSuffix(block, "}") + ", token: 'env:T'}"
	}
	return block
}

func dedupeOf(t *testing.T, provider string) string {
	t.Helper()
	c, err := providertest.Complete(provider)
	if err != nil {
		t.Fatal(err)
	}
	return c.Dedupe()
}

// What explain prints is a route again, and nothing is left to say about that one.
func TestExplainedRoutesAreRoutes(t *testing.T) {
	t.Parallel()
	routes := map[string]string{
		"hmac":       "    http: /a/{b}\n    verify: {hmac: {header: S, format: kv, signatureKey: v, timestampKey: t, signed: '{timestamp}.{body}'}, secrets: env:S}\n",
		"token":      "    http: POST /a\n    verify: {token: {}, secrets: env:S}\n    cors: {origins: '*'}\n    onDeadline: acknowledge\n    catch: [{errors: States.ALL, status: 500}]\n",
		"none":       "    http: GET /a\n    verify: none\n    mode: async\n    filter: '{% true %}'\n",
		"jwt":        "    http: GET /a\n    verify: {jwt: {jwks: 'https://i.example/k', issuer: i, audience: a}}\n    onDeadline: {status: 200}\n    cloudevents: {origins: a.example}\n",
		"answer":     "    http: GET /a\n    verify: none\n    answer: {body: ok}\n    cors: {origins: '*'}\n",
		"resume":     "    http: POST /a\n    verify: link\n    resume: {page: {title: Sure?}}\n",
		"resumes":    "    sqs: q\n    resume: {token: '{% $message.body.t %}'}\n",
		"queue":      "    sqs: q\n    catch: [{errors: [X], then: discard}]\n",
		"records":    "    sqs: q\n    batch: true\n    deadLetterQueue: https://sqs.us-east-1.amazonaws.com/123456789012/dlq\n",
		"event":      "    eventbridge: {source: x}\n",
		"deduped":    "    http: POST /a\n    verify: {provider: github, secrets: env:S}\n    dedupe: true\n",
		"no dedupe":  "    http: POST /a\n    verify: {provider: github, secrets: env:S}\n    dedupe: false\n",
		"own dedupe": "    http: POST /a\n    verify: none\n    dedupe: {key: '{% $request.body.id %}'}\n    respond: {status: 201}\n",
	}
	for _, p := range verify.Providers() {
		routes[p] = "    http: POST /a\n    verify: " + verifyBlock(t, p) + "\n    " + dedupeOf(t, p) + "\n"
		if !testing.Short() {
			routes[p+", async"] = routes[p] + "    mode: async\n"
		}
	}
	for name, keys := range routes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first := explainRoute(t, oneRoute(t, keys), "a")
			again := filepath.Join(t.TempDir(), "again.yaml")
			if err := os.WriteFile(again, []byte("version: 1\nroutes:\n"+first), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := (config.Options{Getenv: func(string) string { return "" }}).Load(again); err != nil {
				t.Fatalf("%v\n%s", err, first)
			}
			var one, two any
			if err := yaml.Unmarshal([]byte(first), &one); err != nil {
				t.Fatal(err)
			}
			if err := yaml.Unmarshal([]byte(explainRoute(t, again, "a")), &two); err != nil {
				t.Fatal(err)
			}
			if name == "queue" || name == "event" || name == "records" {
				return // a catch of all names comes last
			}
			if diff := cmp.Diff(one, two); diff != "" {
				t.Errorf("explained again (-first +second):\n%s", diff)
			}
		})
	}
}

func TestExplain(t *testing.T) {
	got := explainRoute(t, oneRoute(t, "    http: POST /a/{org}\n    verify: {provider: slack, secrets: [env:SLACK_SIGNING_SECRET]}\n    dedupe: {for: 72h}\n    mode: async\n    catch: [{errors: [Expressway.Throttled], status: 429}]\n"), "a")
	want, err := os.ReadFile("testdata/explain-slack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var out, errs strings.Builder
	if code := run(t.Context(), []string{"explain", "nope"}, nil, &out, &errs, func(name string) string {
		return map[string]string{"EXPRESSWAY_CONFIG": oneRoute(t, "    sqs: q\n")}[name]
	}); code != 1 || !strings.Contains(errs.String(), `no route "nope"; it has a`) {
		t.Errorf("exit %d, want 1 and the routes that exist: %s", code, errs.String())
	}
}
