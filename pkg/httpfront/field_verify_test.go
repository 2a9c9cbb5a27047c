package httpfront_test

import (
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/internal/shared"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/httpfront"
	"github.com/expressway-dev/expressway/pkg/secrets"
)

// What is not signed as usual, or signed in a newer way, is answered as the provider
// expects.
func TestProvidersFromTheField(t *testing.T) {
	t.Parallel()
	for name, started := range map[string]int{"intercom-head.json": 0, "slack-ssl-check.json": 0, "twilio-sharedkey-sha256.json": 1} {
		var starts int
		got := invoke(t, fieldFront(t, &starts), shared.Read(t, "field", "http", name))
		if got.StatusCode != 200 || starts != started {
			t.Errorf("%s: %d %s, and %d executions, want 200 and %d", name, got.StatusCode, got.Body, starts, started)
		}
		if started == 0 && got.Body != "" {
			t.Errorf("%s: the answer has %q, want nothing", name, got.Body)
		}
	}
}

// A provider's own retry carries the bytes of the first attempt; the events are made by
// the script next to the configuration, because their times must be fresh.
func TestRetriesFromTheField(t *testing.T) {
	t.Parallel()
	script := shared.Path(t, "field", "http", "gen.py")
	python, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("no python3, which generates the events")
	}
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), python, script, dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	events, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(events) < 8 {
		t.Fatalf("%d events (%v), want 8", len(events), err)
	}
	for _, path := range events {
		event, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var started int
		if got := invoke(t, fieldFront(t, &started), event); got.StatusCode != 200 || started != 1 {
			t.Errorf("%s: %d %s, and %d executions, want 200 and one", filepath.Base(path), got.StatusCode, got.Body, started)
		}
	}
}

// A secret as its sender shows it loads, and one that is missing is named with its place
// and with what to do.
func TestSecretsFromTheField(t *testing.T) {
	t.Parallel()
	load := func(secret string) error {
		env := func(name string) string { return map[string]string{"POLAR": secret}[name] }
		cfg, err := config.Options{Getenv: env}.Load(shared.Path(t, "field", "http", "polar.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		log := slog.New(slog.DiscardHandler)
		_, err = httpfront.New(cfg.Routes, bridge.New(succeedWith("{}"), bridge.Options{Log: log, Now: time.Now}), secrets.NewEnv(env), httpfront.Options{Log: log})
		return err
	}
	for _, secret := range []string{"polar_whs_ovyN6cPrTv56AApvzCaJno08SSmGJmgbWilb33N2JuK", "v1,whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"} {
		if err := load(secret); err != nil {
			t.Errorf("%.10s…: %v", secret, err)
		}
	}
	for secret, want := range map[string][]string{
		"":            {"polar.yaml:3:", "route polar: verify.secrets.0: env:POLAR: secret is missing or empty; set the environment variable POLAR"},
		"whsec_no!no": {"polar.yaml:3:", "route polar: verify.secrets.0: env:POLAR is not a key in a form that this scheme accepts: whsec_ and base64", "whpk_", "text"},
	} {
		err := load(secret)
		for _, part := range want {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%q: %v, want %q in it", secret, err, part)
			}
		}
		if secret != "" && err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("the error shows the secret: %v", err)
		}
	}
}

// A root that is not a certificate is reported by its own key and place.
func TestRootsThatAreNoCertificates(t *testing.T) {
	t.Parallel()
	env := func(string) string { return "nonsense" }
	cfg, err := config.Options{Getenv: env}.Parse("expressway.yaml", []byte("version: 1\nroutes:\n  - name: p\n    http: POST /p\n    verify:\n      signature:\n        {algorithm: rsa-sha256, header: X-Jws, keys: {roots: [\"env:BANK_ROOT\"], name: any}}\n    start: m\n"))
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	_, err = httpfront.New(cfg.Routes, bridge.New(succeedWith("{}"), bridge.Options{Log: log, Now: time.Now}), secrets.NewEnv(env), httpfront.Options{Log: log})
	const want = "expressway.yaml:7:63: route p: verify.signature.keys.roots.0: env:BANK_ROOT is not a key"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
}

// A secret that cannot be read is not an outage of the workflow service.
func TestTitleOfUnreadableSecrets(t *testing.T) {
	t.Parallel()
	env := map[string]string{"SECRET": "s3cret"}
	f := frontOf(t, "  - {name: a, http: POST /a, verify: {provider: github, secrets: ['env:SECRET']}, start: m}\n", succeedWith("{}"), func(name string) string { return env[name] }, nil, httpfront.Options{})
	delete(env, "SECRET")
	got := invoke(t, f, event("POST", "/a", "application/json", "{}", "x-hub-signature-256", "sha256="+strings.Repeat("ab", 32)))
	if got.StatusCode != 503 || !strings.Contains(got.Body, `"title":"The request cannot be verified at the moment"`) || got.Headers["Retry-After"] == "" {
		t.Errorf("got %d %s %v", got.StatusCode, got.Body, got.Headers)
	}
}

// Xero takes a refusal with a body for a failure, and tries signatures that are wrong.
func TestEmptyRefusal(t *testing.T) {
	t.Parallel()
	f := frontOf(t, "  - {name: a, http: POST /a, verify: {provider: xero, secrets: ['env:SECRET']}, start: m}\n", succeedWith("{}"), func(string) string { return "s3cret" }, nil, httpfront.Options{})
	got := invoke(t, f, event("POST", "/a", "application/json", `{"events":[]}`, "x-xero-signature", "bm8="))
	if got.StatusCode != 401 || got.Body != "" || got.Headers["Content-Type"] != "" {
		t.Errorf("got %d %q %v, want 401 and no body", got.StatusCode, got.Body, got.Headers)
	}
}
