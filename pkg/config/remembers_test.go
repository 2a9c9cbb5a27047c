package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// A signature that protects too little of the body needs a memory of the ids that it
// covers, for as long as their times are accepted.
func TestWeakSignaturesNeedDedupe(t *testing.T) {
	t.Parallel()
	for dedupe, want := range map[string]string{
		"":                         "add dedupe: {for: 72h}",
		"    dedupe: false\n":      "add dedupe: {for: 72h}",
		"    dedupe: true\n":       "dedupe.for must be at least the tolerance of 72h",
		"    dedupe: {for: 71h}\n": "dedupe.for must be at least the tolerance of 72h",
		"    dedupe: {for: 72h}\n": "",
		"    dedupe: {for: 96h, onError: start}\n":                                                                 "dedupe.onError must not be start",
		"    dedupe: {for: 96h, key: '{% $request.body.id %}'}\n":                                                  "dedupe.key: remove it",
		"    dedupe: {for: 96h, onError: refuse}\n    queue: https://sqs.us-east-1.amazonaws.com/123456789012/q\n": "",
	} {
		text := "version: 1\nroutes:\n  - name: p\n    http: POST /p\n    verify: {provider: paypal, audience: W}\n" + dedupe + "    start: m\n"
		_, err := config.Options{Getenv: func(string) string { return "" }}.Parse("expressway.yaml", []byte(text))
		switch {
		case want == "" && err != nil, want != "" && err == nil:
			t.Errorf("%q: %v", dedupe, err)
		case err != nil && !strings.Contains(err.Error(), want):
			t.Errorf("%q: %v, want %q", dedupe, err, want)
		}
	}
	// Five minutes of tolerance, and the day that dedupe has by default.
	text := "version: 1\nroutes:\n  - name: p\n    http: POST /p\n    verify: {provider: paypal, audience: W, tolerance: 5m}\n    dedupe: true\n    start: m\n"
	if _, err := (config.Options{Getenv: func(string) string { return "" }}).Parse("expressway.yaml", []byte(text)); err != nil {
		t.Error(err)
	}
	route := &config.Route{
		Route: bridge.Route{Name: "p", StateMachine: "m"}, HTTP: &config.HTTP{Pattern: "POST /p", Verify: verify.Spec{Provider: "paypal", Audience: "W"}},
	}
	if err := config.Complete([]*config.Route{route}); err == nil || !strings.Contains(err.Error(), "add dedupe") {
		t.Errorf("made in Go: %v", err)
	}
	route.Dedupe = &bridge.Dedupe{For: 72 * time.Hour}
	if err := config.Complete([]*config.Route{route}); err != nil {
		t.Errorf("made in Go, with dedupe: %v", err)
	}
}

// A root that is not set is reported with its place, as a secret is.
func TestRootsAreRequired(t *testing.T) {
	t.Parallel()
	text := "version: 1\nroutes:\n  - name: p\n    http: POST /p\n    verify:\n      signature: {algorithm: rsa-sha256, header: X-Jws, keys: {roots: [\"env:BANK_ROOT\"], name: any}}\n    start: m\n"
	parse := func(getenv func(string) string) error {
		_, err := config.Options{Getenv: getenv, RequireSecrets: true}.Parse("expressway.yaml", []byte(text))
		return err
	}
	if err := parse(func(string) string { return "" }); err == nil || !strings.Contains(err.Error(), "expressway.yaml:6:72: route p: the secret env:BANK_ROOT is missing") {
		t.Errorf("without it: %v", err)
	}
	if err := parse(func(string) string { return "x" }); err != nil {
		t.Errorf("with it: %v", err)
	}
}
