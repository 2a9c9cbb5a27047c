package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/verify"
)

func parseRoute(t *testing.T, keys string) *config.Route {
	t.Helper()
	cfg, err := config.Options{Getenv: env(nil)}.Parse("t.yaml", []byte("version: 1\nroutes:\n  - name: a\n    start: m\n"+keys))
	if err != nil {
		t.Fatal(err)
	}
	return cfg.Routes[0]
}

func TestCORSOrigins(t *testing.T) {
	t.Parallel()
	r := parseRoute(t, "    http: GET /a\n    verify: none\n    cors: {origins: [https://app.example.com, 'https://*.example.org'], methods: get, maxAge: 1h}\n")
	want := &config.CORS{Origins: []string{"https://app.example.com", "https://*.example.org"}, Methods: []string{"GET"}, MaxAge: time.Hour}
	if diff := cmp.Diff(want, r.HTTP.CORS); diff != "" {
		t.Errorf("cors (-want +got):\n%s", diff)
	}
	for origin, want := range map[string]bool{
		"https://app.example.com": true, "https://a.example.org": true, "https://a.b.example.org": true,
		"http://app.example.com": false, "https://app.example.com.evil.example": false, "https://example.org": false, "null": false, "": false,
	} {
		if got := r.HTTP.CORS.Allows(origin); got != want {
			t.Errorf("Allows(%q) = %v, want %v", origin, got, want)
		}
	}
}

func TestPattern(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string][2]string{
		"POST /a": {"POST", "/a"}, "/a/{b}": {"", "/a/{b}"}, "GET example.com/a": {"GET", "example.com/a"},
	} {
		h := config.HTTP{Pattern: pattern}
		if got := [2]string{h.Method(), h.Path()}; got != want {
			t.Errorf("%s: method and path = %q, want %q", pattern, got, want)
		}
	}
}

// A provider with a delivery id needs no key; if the id is in an unsigned header, the
// body is a part of the key.
func TestDedupeKeys(t *testing.T) {
	t.Parallel()
	provider := func(name, dedupe string) string {
		return "    http: POST /a\n    verify: {provider: " + name + ", secrets: ['env:S']}\n    dedupe: " + dedupe + "\n"
	}
	tests := map[string]struct {
		keys     string
		none     bool
		withBody bool
		keep     time.Duration
	}{
		"true":                   {provider("github", "true"), false, true, 24 * time.Hour},
		"false":                  {provider("github", "false"), true, false, 0},
		"only for how long":      {provider("github", "{for: 72h}"), false, true, 72 * time.Hour},
		"signed id in the body":  {provider("stripe", "true"), false, false, 24 * time.Hour},
		"own key of that header": {provider("github", `{key: '{% $request.headers."X-GitHub-Delivery" %}'}`), false, true, 24 * time.Hour},
		"in a list, a block":     {provider("github", "\n      key:\n        - |-\n          {% $request.headers.\"x-github-delivery\" %}\n"), false, true, 24 * time.Hour},
		"signed id in a header":  {provider("standard-webhooks", "true"), false, false, 24 * time.Hour},
		"unsigned id in a body":  {provider("mailgun", `{key: '{% $request.body."event-data".id %}'}`), false, true, 24 * time.Hour},
		"JSON or form":           {provider("slack", "true"), false, false, 24 * time.Hour},
		"own key":                {provider("github", `{key: '{% $request.body.after %}'}`), false, false, 24 * time.Hour},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := parseRoute(t, test.keys)
			if r.Dedupe == nil {
				if !test.none {
					t.Fatal("no dedupe")
				}
				return
			}
			if test.none || r.Dedupe.Key == nil || r.Dedupe.WithBody != test.withBody || r.Dedupe.For != test.keep {
				t.Errorf("dedupe = %+v, want one: %v, WithBody: %v, For: %v", r.Dedupe, !test.none, test.withBody, test.keep)
			}
		})
	}
}

func TestDeliveryKey(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"github":    `$request.headers."x-github-delivery"`,
		"stripe":    `$request.body."id"`,
		"pagerduty": `$request.body."event"."id"`,
		"slack":     `$request.bodyType = "form" ? $request.body."trigger_id" : $request.body."event_id"`,
		"svix":      `$exists($request.headers."svix-id") ? $request.headers."svix-id" : $request.headers."webhook-id"`,
		"meta":      "",
	} {
		preset, _ := verify.Lookup(name)
		if got := config.DeliveryKey(preset.DeliveryID); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// Every part of an answer, wherever one is written.
func TestAnswerBlocks(t *testing.T) {
	t.Parallel()
	const block = `{status: 200, headers: {X-A: b}, cookies: ["a=b; Secure"], body: aGk=, base64: true}`
	for _, keys := range []string{
		"    respond: " + block, "    mode: async\n    accepted: " + block, "    onDeadline: " + block,
		"    catch: [" + strings.Replace(block, "{", "{errors: [X], ", 1) + "]",
	} {
		r := parseRoute(t, "    http: GET /a\n    verify: none\n"+keys+"\n")
		got := r.Respond
		switch {
		case r.HTTP.Accepted != nil:
			got = r.HTTP.Accepted
		case r.HTTP.OnDeadline != nil:
			got = &r.HTTP.OnDeadline.Respond
		case r.Catch != nil:
			got = &r.Catch[0].Respond
		}
		if got.Status == nil || got.Headers == nil || got.Cookies == nil || got.Body == nil || got.Base64 == nil {
			t.Errorf("%s: got %+v, want every part", keys, got)
		}
	}
}

func TestVerifyBlocks(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		yaml string
		want verify.Spec
	}{
		"jwt": {
			"{jwt: {jwks: 'https://issuer.example.com/keys', issuer: https://issuer.example.com, audience: hooks, algorithms: ES256, claims: {email_verified: true}}}",
			verify.Spec{JWT: &verify.JWT{JWKS: "https://issuer.example.com/keys", Issuer: "https://issuer.example.com", Audience: "hooks", Algorithms: []string{"ES256"}, Claims: map[string]string{"email_verified": "true"}}},
		},
		"mtls":         {"{mtls: {subject: [CN=a.example.com, '*'], issuer: CN=ca}}", verify.Spec{MTLS: &verify.MTLS{Subject: []string{"CN=a.example.com", "*"}, Issuer: []string{"CN=ca"}}}},
		"sns":          {"{provider: sns, topics: 'arn:aws:sns:us-east-1:123456789012:t'}", verify.Spec{Provider: "sns", Topics: verify.Topics{"arn:aws:sns:us-east-1:123456789012:t"}}},
		"any topic":    {"{provider: sns, topics: any}", verify.Spec{Provider: "sns", Topics: verify.Topics{"any"}}},
		"meta":         {"{provider: meta, secrets: env:S, token: env:T}", verify.Spec{Provider: "meta", Secrets: []string{"env:S"}, Token: &verify.Token{Reference: "env:T"}}},
		"meta, quoted": {"{provider: meta, secrets: env:S, token: 'secretsmanager:meta#token'}", verify.Spec{Provider: "meta", Secrets: []string{"env:S"}, Token: &verify.Token{Reference: "secretsmanager:meta#token"}}},
		"references":   {"{provider: github, secrets: ['ssm:/github', secretsmanager:gh#current]}", verify.Spec{Provider: "github", Secrets: []string{"ssm:/github", "secretsmanager:gh#current"}}},
		"token":        {"{token: {header: X-Key}, secrets: env:S}", verify.Spec{Token: &verify.Token{Header: "X-Key"}, Secrets: []string{"env:S"}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := parseRoute(t, "    http: POST /a\n    verify: "+test.yaml+"\n    cloudevents: {origins: events.example.com}\n")
			if diff := cmp.Diff(test.want, r.HTTP.Verify); diff != "" {
				t.Errorf("verify (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(&verify.CloudEvents{Origins: []string{"events.example.com"}}, r.HTTP.CloudEvents); diff != "" {
				t.Errorf("cloudevents (-want +got):\n%s", diff)
			}
		})
	}
}
