package devserver_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/expressway-dev/expressway/pkg/devserver"
)

// The credentials on a laptop are not enough to write a secret that a sender hands over, or
// a large body, to AWS: the environment has to name an endpoint.
func TestNothingIsWrittenWithoutAnEndpoint(t *testing.T) {
	t.Parallel()
	var puts atomic.Int32
	bucket := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.Method == http.MethodPut {
			puts.Add(1)
		}
	}))
	defer bucket.Close()
	dir := t.TempDir()
	routes := `version: 1
routes:
  - {name: asana, http: POST /asana, verify: {provider: asana, handshake: {store: "ssm:/webhooks/asana"}}, start: m, input: {}}
  - {name: large, http: POST /large, verify: none, start: m, offload: {to: "s3://bodies/large"}}
`
	for name, text := range map[string]string{"expressway.yaml": routes, "m.asl.json": `{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := map[string]string{}
	local, err := devserver.NewLocal(devserver.Options{
		Config: filepath.Join(dir, "expressway.yaml"), StateMachines: dir, Getenv: func(name string) string { return env[name] }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	send := func(path, body string, headers map[string]string) string {
		t.Helper()
		handler, err := local.Handler("webhook")
		if err != nil {
			t.Fatal(err)
		}
		headers["content-type"] = "application/json"
		payload, err := json.Marshal(map[string]any{
			"version": "2.0", "rawPath": path, "headers": headers, "body": body,
			"requestContext": map[string]any{"requestId": "r", "http": map[string]string{"method": "POST", "path": path}},
		})
		if err != nil {
			t.Fatal(err)
		}
		out, err := handler.Invoke(t.Context(), payload)
		if err != nil {
			t.Fatal(err)
		}
		var answer struct{ StatusCode int }
		if err := json.Unmarshal(out, &answer); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(answer.StatusCode)
	}
	const secret, other = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(`{"events":[]}`))
	large := `"` + strings.Repeat("x", 300_000) + `"`
	got := []string{
		send("/asana", "", map[string]string{"x-hook-secret": secret}),
		send("/asana", "", map[string]string{"x-hook-secret": secret}), // its answer was lost
		send("/asana", "", map[string]string{"x-hook-secret": other}),
		send("/asana", `{"events":[]}`, map[string]string{"x-hook-signature": hex.EncodeToString(mac.Sum(nil))}),
		send("/large", large, map[string]string{}),
	}
	env["AWS_ENDPOINT_URL_S3"] = bucket.URL
	if err := local.Reload(devserver.Options{
		Config: filepath.Join(dir, "expressway.yaml"), StateMachines: dir, Getenv: func(name string) string { return env[name] }, Log: slog.New(slog.DiscardHandler),
	}); err != nil {
		t.Fatal(err)
	}
	got = append(got, send("/large", large, map[string]string{}))
	if got, want := strings.Join(got, " "), "200 200 401 200 503 200"; got != want || puts.Load() != 1 {
		t.Errorf("answer %s, want %s; %d objects were written, want 1", got, want, puts.Load())
	}
}
