package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/expressway-dev/expressway/pkg/config"
)

func env(m map[string]string) func(string) string { return func(k string) string { return m[k] } }

func TestSampleConfiguration(t *testing.T) {
	t.Parallel()
	cfg, err := config.Options{Getenv: env(nil)}.Load("../../expressway.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range cfg.Routes {
		names = append(names, r.Name)
	}
	want := []string{"github", "stripe", "slack", "orders-http", "refunds", "approvals", "payouts", "orders-queue", "payments"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("routes (-want +got):\n%s", diff)
	}
	github := cfg.Routes[0]
	if got, want := github.Timeout, 9*time.Second; got != want {
		t.Errorf("github's timeout = %v, want the provider's %v", got, want)
	}
	if got, want := github.HTTP.DeliveryID.Header, "X-GitHub-Delivery"; got != want {
		t.Errorf("delivery header = %q, want %q", got, want)
	}
	if diff := cmp.Diff([]string{"org"}, github.HTTP.Params); diff != "" {
		t.Errorf("params (-want +got):\n%s", diff)
	}
}

const head = "version: 1\nroutes:\n  - name: a\n    http: POST /a\n    verify: none\n    start: m\n"

// Each problem is reported with its place, and all of them at once.
func TestProblems(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		yaml string
		want []string
	}{
		"empty":                {"", []string{"1:1: the file is empty"}},
		"not a mapping":        {"- a\n", []string{"1:1: the file must be a mapping"}},
		"no routes":            {"version: 1\n", []string{"1:1: the file has no routes"}},
		"wrong version":        {"version: 2\nroutes: [{name: a, sqs: q, start: m}]\n", []string{"1:10: version must be 1"}},
		"unknown key":          {head + "    inputs: 1\n", []string{`7:5: a route has no key "inputs"; did you mean "input"?`}},
		"duplicate key":        {head + "    start: n\n", []string{"7:5: "}},
		"YAML syntax error":    {"version: 1\nroutes: [\n", []string{":"}},
		"no verify":            {"version: 1\nroutes:\n  - name: a\n    http: POST /a\n    start: m\n", []string{"3:5: an http route needs verify"}},
		"two triggers":         {head + "    sqs: q\n", []string{"must have exactly one of http, sqs and eventbridge, but has 2"}},
		"sns":                  {strings.Replace(head, "verify: none", "verify: {provider: sns}", 1), []string{"5:14: verify.topics: is missing"}},
		"jwt":                  {strings.Replace(head, "verify: none", "verify: {jwt: {jwks: 'http://h.example/k', issuer: i, audience: a, algorithms: [RS256, none]}}", 1), []string{"5:26: verify.jwt.jwks: must be https", "5:92: verify.jwt.algorithms.1: "}},
		"mtls":                 {strings.Replace(head, "verify: none", "verify: {mtls: {issuer: CN=a}}", 1), []string{"verify.mtls.subject: is missing"}},
		"token for github":     {strings.Replace(head, "verify: none", "verify: {provider: github, secrets: [env:A], token: env:B}", 1), []string{"verify.token: as a reference is allowed only with provider ebay, instagram, meta"}},
		"unset variable":       {strings.Replace(head, "start: m", "start: ${NOPE}", 1), []string{"6:12: environment variable NOPE is not set"}},
		"wrong name":           {strings.Replace(head, "name: a", "name: A b", 1), []string{"3:11: name must be"}},
		"bad pattern":          {strings.Replace(head, "POST /a", "POST /{a", 1), []string{"http: "}},
		"mistyped method":      {strings.Replace(head, "POST /a", "POSTT /a", 1), []string{"4:11: http: there is no method POSTT; did you mean POST?"}},
		"method in lower case": {strings.Replace(head, "POST /a", "post /a", 1), []string{"4:11: http: methods must be in upper case: write POST"}},
		"query in a pattern":   {strings.Replace(head, "POST /a", "POST /a?b=c", 1), []string{"4:11: http: a pattern cannot have a query string"}},
		"same pattern":         {head + "  - name: b\n    http: POST /a\n    verify: none\n    start: m\n", []string{"8:11: http: the pattern of route b conflicts with that of route a: POST /a matches the same requests as POST /a"}},
		"same name":            {head + "  - name: a\n    sqs: q\n    start: m\n", []string{`a second route is named "a"`}},
		"fixed dedupe key":     {head + "    dedupe: {key: x}\n", []string{"7:19: dedupe.key: write an expression"}},
		"dedupe values":        {head + "    dedupe: {for: 1000h, onError: run}\n", []string{"7:14: dedupe has no key, and the provider sends no delivery id: write dedupe.key", "7:19: dedupe.for must be at most 720h", "7:35: dedupe.onError must be refuse or start"}},
		"dedupe claim":         {head + "    dedupe: {key: '{% $request.body.id %}', claim: 500ms}\n", []string{"dedupe.claim must be from 1s to 11h"}},
		"dedupe without id":    {head + "    dedupe: true\n", []string{"7:13: dedupe has no key, and the provider sends no delivery id: write dedupe.key"}},
		"accepted in sync":     {head + "    accepted: {status: 200}\n", []string{"7:16: accepted is only valid with mode: async"}},
		"respond in async":     {head + "    mode: async\n    respond: {status: 200}\n", []string{"8:15: respond answers when an execution ends", "write accepted"}},
		"deadline in async":    {head + "    mode: async\n    onDeadline: acknowledge\n", []string{"8:17: onDeadline is only valid on routes that wait"}},
		"deadline twice":       {head + "    onDeadline: acknowledge\n    catch: [{errors: [Expressway.Deadline], status: 200}]\n", []string{"7:17: onDeadline and a catch of Expressway.Deadline"}},
		"unknown deadline":     {head + "    onDeadline: ack\n", []string{"7:17: onDeadline must be acknowledge, or an answer"}},
		"catch of NoRoute":     {head + "    catch: [{errors: [Expressway.NoRoute], status: 200}]\n", []string{"7:22: Expressway.NoRoute cannot be caught"}},
		"cors":                 {head + "    cors: {origins: [\"*\", \"https://a/b\"], methods: [\"GET POST\"], headers: [\"*:\"], maxAge: 48h, credentials: 1}\n", []string{"* must be the only entry", `not "https://a/b"`, `cors.methods: "GET POST" is not a name`, `cors.headers: "*:" is not a name`, "cors.maxAge must be at most 24h", "cors.credentials must be true or false"}},
		"cors, credentials":    {head + "    cors: {origins: '*', credentials: true}\n", []string{"7:12: cors.credentials: list the origins"}},
		"cors, nothing":        {head + "    cors: {}\n", []string{"7:11: cors has no origins: list them, such as https://app.example.com"}},
		"cloudevents":          {head + "    cloudevents: {}\n", []string{"cloudevents.origins: must list at least one name"}},
		"cors on a queue":      {"version: 1\nroutes:\n  - {name: a, sqs: q, start: m, cors: {origins: '*'}}\n", []string{"cors is only valid on http routes"}},
		"no final status":      {head + "    respond: {status: 101}\n", []string{"7:23: respond.status must be a whole number from 200 to 599"}},
		"status is a word":     {head + "    catch: [{errors: X, status: ok}]\n", []string{"catch.status must be a whole number"}},
		"status is a list":     {head + "    catch: [{errors: X, status: [200]}]\n", []string{"catch.status must be a whole number"}},
		"framing header":       {head + "    respond: {headers: {content-length: 3}}\n", []string{"respond.headers: Content-Length is set by the gateway: remove it"}},
		"header name":          {head + "    respond: {headers: {\"a b\": 3}}\n", []string{`respond.headers: "a b" is not the name of a header`}},
		"header value":         {head + "    respond: {headers: {a: \"x\\ny\"}}\n", []string{"the value of a cannot be sent"}},
		"base64, no body":      {head + "    respond: {base64: true}\n", []string{"respond: base64 has no effect without a body"}},
		"unknown provider":     {strings.Replace(head, "verify: none", "verify: {provider: githup, secrets: ['env:X']}", 1), []string{"5:24: verify.provider: "}},
		"expression syntax error": {
			head + "    input: '{% $request.body. %}'\n",
			[]string{"7:"},
		},
		"expression in a block scalar": {
			head + "    input:\n      a: |-\n        {% (\n          $request.body ~ 1\n        ) %}\n",
			[]string{"10:"},
		},
		"unknown variable":          {head + "    input: '{% $message.body %}'\n", []string{"7:16: input: there is no variable $message here: the variables are $context, $request"}},
		"half an expression":        {head + "    input: 'order {% $request.body.id %}'\n", []string{"7:12: input: an expression must be the whole text"}},
		"operator of 2.1":           {head + "    input: '{% $request.body.a ?: 1 %}'\n", []string{"S0211"}},
		"unknown error name":        {head + "    catch: [{errors: [Expressway.Nope], status: 400}]\n", []string{`there is no error "Expressway.Nope"`}},
		"sam's placeholder":         {strings.Replace(head, "start: m", "start: arn:aws:lambda:us-east-1:123456789012:function:OrderMachine", 1), []string{"6:12: start: ", "env.json"}},
		"timeout too long":          {head + "    timeout: 6m\n", []string{"timeout must be at most 5m"}},
		"timeout is not a duration": {head + "    timeout: soon\n", []string{"7:14: timeout must be a duration"}},
		"key of another trigger":    {head + "    concurrency: 3\n", []string{"7:18: concurrency is only valid on sqs routes"}},
		"anchor":                    {head + "    input: &x 1\n", []string{"7:"}},
		"deep nesting":              {strings.Repeat("[", 5000), []string{"nested too deeply"}},
		"invalid UTF-8":             {head + "    input: \"\xff\"\n", []string{""}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, err := config.Options{Getenv: env(nil)}.Parse("expressway.yaml", []byte(test.yaml))
			var problems *config.Error
			if err == nil && name != "invalid UTF-8" {
				t.Fatalf("Parse accepted it: %+v", cfg)
			}
			if name == "invalid UTF-8" {
				return // the YAML library may change it in any way, but must return
			}
			if !errors.As(err, &problems) {
				t.Fatalf("error = %T %v, want *config.Error", err, err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error = %q, want it to contain %q", err, want)
				}
			}
			for _, p := range problems.Problems {
				if p.File != "expressway.yaml" || p.Line < 1 || p.Column < 1 {
					t.Errorf("problem without a place: %+v", p)
				}
			}
		})
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	t.Parallel()
	_, err := config.Options{Getenv: env(nil)}.Parse("x.yaml", []byte("version: 3\nroutes:\n  - name: A\n    sqs: ''\n    start: '?'\n    nope: 1\n"))
	var problems *config.Error
	if !errors.As(err, &problems) {
		t.Fatalf("error = %v", err)
	}
	if got, want := len(problems.Problems), 5; got != want {
		t.Errorf("%d problems, want %d:\n%v", got, want, err)
	}
}

func TestVariables(t *testing.T) {
	t.Parallel()
	source := strings.Replace(head, "start: m", "start: ${M:-fallback}", 1)
	for value, want := range map[string]string{"": "fallback", "other": "other"} {
		cfg, err := config.Options{Getenv: env(map[string]string{"M": value})}.Parse("x.yaml", []byte(source))
		if err != nil {
			t.Fatal(err)
		}
		if got := cfg.Routes[0].StateMachine; got != want {
			t.Errorf("with M=%q, start = %q, want %q", value, got, want)
		}
	}
}

func TestSecretsInFlowMappings(t *testing.T) {
	t.Parallel()
	source := strings.Replace(head, "verify: none", "verify: {provider: github, secrets: [env:A, env:B]}", 1)
	cfg, err := config.Options{Getenv: env(nil)}.Parse("x.yaml", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"env:A", "env:B"}, cfg.Routes[0].HTTP.Verify.Secrets); diff != "" {
		t.Errorf("secrets (-want +got):\n%s", diff)
	}
}

// A file with CRLF line breaks reads the same as one with LF.
func TestLineBreaks(t *testing.T) {
	t.Parallel()
	source := "version: 1\nroutes:\n  - name: a\n    sqs: q\n    start: m\n    catch:\n      - then: retry\n        errors:\n          - 'Two\n            words'\n          - \"Two\n            words\"\n          - Two\n            words\n          - |\n            Two\n            words\n"
	for _, source := range []string{source, strings.ReplaceAll(source, "\n", "\r\n")} {
		cfg, err := config.Options{Getenv: env(nil)}.Parse("x.yaml", []byte(source))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"Two words", "Two words", "Two words", "Two\nwords\n"}, cfg.Routes[0].Catch[0].Errors); diff != "" {
			t.Errorf("errors of %q (-want +got):\n%s", source, diff)
		}
	}
}

func TestWildcard(t *testing.T) {
	t.Parallel()
	tests := []struct {
		pattern, s string
		want       bool
	}{
		{"orders", "orders", true},
		{"orders", "orders-2", false},
		{"*", "", true},
		{"shop.*", "shop.checkout", true},
		{"shop.*", "shop", false},
		{"*orders*", "eu-orders.fifo", true},
		{"a*b*c", "axxbyyc", true},
		{"a*b*c", "axxcyyb", false},
		{"a*a", "a", false},
	}
	for _, test := range tests {
		if got := config.Wildcard(test.pattern, test.s); got != test.want {
			t.Errorf("Wildcard(%q, %q) = %v, want %v", test.pattern, test.s, got, test.want)
		}
	}
}

// The schema takes the sample, refuses what the reader refuses, and is published as it is.
func TestSchema(t *testing.T) {
	t.Parallel()
	schema, err := jsonschema.NewCompiler().Compile("expressway.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	read := func(source []byte) any {
		var v any
		if err := yaml.Unmarshal(source, &v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	sample, err := os.ReadFile("../../expressway.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(read(sample)); err != nil {
		t.Errorf("the sample: %v", err)
	}
	if err := schema.Validate(read([]byte(head + "    nope: 1\n"))); err == nil {
		t.Error("an unknown key is accepted")
	}
	here, _ := os.ReadFile("expressway.schema.json")
	published, err := os.ReadFile(filepath.Join("..", "..", "docs", "expressway.schema.json"))
	if err != nil || string(here) != string(published) {
		t.Errorf("docs/expressway.schema.json is not the same file (%v)", err)
	}
}

func FuzzParse(f *testing.F) {
	sample, _ := os.ReadFile("../../expressway.yaml")
	f.Add(string(sample))
	f.Add(head)
	f.Add("version: 1\nroutes: [{name: a, eventbridge: {source: x}, start: m, input: '{% $event %}'}]")
	f.Add("a: &a [*a]")
	f.Add(head + "    mode: async\n    accepted: {headers: {a: b}, cookies: [c]}\n    cors: {origins: '*', methods: [GET]}\n    cloudevents: {origins: a}\n    dedupe: true\n    onDeadline: acknowledge\n")
	f.Add("version: 1\nroutes: [{name: a, http: /a, verify: {provider: meta, secrets: [env:A], token: env:B}, dedupe: {key: ['{% $request.headers.\"x-a\" %}']}, start: m}]")
	f.Add("version: 1\nroutes: [{name: a, http: /a, verify: {jwt: {claims: {a: b}}, mtls: {subject: [a]}, topics: any}, start: m}]")
	f.Fuzz(func(t *testing.T, source string) {
		cfg, err := config.Options{Getenv: env(nil)}.Parse("f.yaml", []byte(source))
		if (cfg == nil) == (err == nil) {
			t.Fatalf("config %v and error %v", cfg, err)
		}
	})
}
