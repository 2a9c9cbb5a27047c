package httpfront_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// pushBody is a delivery of GitHub in size and shape.
func pushBody() string {
	commit := `{"id":"4d6f2a0cbe1d3f0f4a3f8b7d9a7f1c2e5b6d7f80","message":"Fix the thing","added":[],"modified":["a.go","b.go"]}`
	return `{"ref":"refs/heads/main","repository":{"id":1,"full_name":"example-org/storefront"},"commits":[` +
		strings.TrimSuffix(strings.Repeat(commit+",", 20), ",") + `]}`
}

// One verified delivery with an input of two expressions; the execution costs nothing.
func BenchmarkInvoke(b *testing.B) {
	f := front(b, `  - name: gh
    http: POST /gh/{org}
    verify: {provider: github, secrets: ["env:SECRET"]}
    start: m
    input: {org: '{% $request.params.org %}', push: '{% $request.body %}'}
`, starterFunc(func(context.Context, bridge.Start) (bridge.Outcome, error) {
		return bridge.Outcome{ExecutionARN: executionARN, Status: bridge.Succeeded, Output: json.RawMessage(`{"ok":true}`)}, nil
	}))
	body := pushBody()
	payload := event("POST", "/gh/acme", "application/json", body, "x-hub-signature-256", signed(body), "x-github-delivery", "d-1")
	out, _ := f.Invoke(b.Context(), payload)
	if !bytes.Contains(out, []byte(`{\"ok\":true}`)) {
		b.Fatalf("%s", out)
	}
	b.ReportAllocs()
	for b.Loop() {
		_, _ = f.Invoke(b.Context(), payload)
	}
}
