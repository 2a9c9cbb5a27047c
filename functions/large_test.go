//go:build linux

package functions_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/internal/lambdatest"
)

// lambdaPayload is the largest event that Lambda hands to a function.
const lambdaPayload = 6 << 20

// A bucket records the sizes and hashes of the objects that are put.
type bucket struct {
	mu      sync.Mutex
	objects map[string]string // hash, by size and hash of what was put
}

func (b *bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := sha256.New()
	_, _ = io.Copy(h, r.Body)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.objects[hex.EncodeToString(h.Sum(nil))] = r.Method + " " + r.URL.Path
}

// A route with offload accepts everything that the front door accepts: the largest event
// that Lambda passes on, as text and as base64, of which the bucket gets every byte, and
// the execution a reference, in the 256 MB that the template gives the function. Without
// offload, the answer is 413, and explains what to do.
func TestLargestBodies(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("fills the memory of a function")
	}
	root := t.TempDir()
	const routes = `version: 1
routes:
  - name: github
    http: POST /github
    verify: {provider: github, secrets: ["env:SECRET"]}
    start: m
    input: '{% $request.body %}'
    offload: s3://bucket/in
  - name: wrapped
    http: POST /wrapped
    verify: {provider: github, secrets: ["env:SECRET"]}
    start: m
    input: {push: '{% $request.body %}', event: '{% $request.headers."x-github-event" %}'}
    offload: s3://bucket/in
  - {name: plain, http: POST /plain, verify: none, start: m}
`
	if err := os.WriteFile(filepath.Join(root, "expressway.yaml"), []byte(routes), 0o600); err != nil {
		t.Fatal(err)
	}
	var calls sync.Mutex
	var inputs []string
	states := lambdatest.NewStepFunctions(lambdatest.StepFunctionsOptions{Respond: func(call lambdatest.StartSyncExecution) (int, any) {
		calls.Lock()
		defer calls.Unlock()
		inputs = append(inputs, call.Input)
		return http.StatusOK, map[string]any{"executionArn": "arn", "status": "SUCCEEDED", "output": "{}", "startDate": 1, "stopDate": 2}
	}})
	t.Cleanup(states.Close)
	objects := &bucket{objects: map[string]string{}}
	s3 := httptest.NewServer(objects)
	t.Cleanup(s3.Close)
	env := environment(t, "webhook", states.URL)
	env["SECRET"], env["AWS_ENDPOINT_URL_S3"] = "secret", s3.URL
	const size = 256
	f, err := lambdatest.Start(t.Context(), lambdatest.Options{
		Bootstrap: inCgroup(t, "webhook", size), TaskRoot: root, Memory: size, Timeout: time.Minute, Env: env,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Stop)

	// event returns an event of a Function URL with a body of a number of bytes, structured
	// like a real one: an array of small objects.
	event := func(path string, length int, encode bool) (payload []byte, body string) {
		const item = `{"id":9007199254740993,"message":"Prepare comments","distinct":true},`
		var b strings.Builder
		b.WriteString(`{"commits":[`)
		for b.Len()+len(item)+len(`{"n":""}]}`) < length {
			b.WriteString(item)
		}
		b.WriteString(`{"n":"` + strings.Repeat("x", length-b.Len()-len(`{"n":""}]}`)) + `"}]}`)
		body = b.String()
		mac := hmac.New(sha256.New, []byte("secret"))
		mac.Write([]byte(body))
		text := body
		if encode {
			text = base64.StdEncoding.EncodeToString([]byte(body))
		}
		payload, err := json.Marshal(map[string]any{
			"version": "2.0", "rawPath": path, "body": text, "isBase64Encoded": encode,
			"headers":        map[string]string{"content-type": "application/json", "x-github-event": "push", "x-github-delivery": "d", "x-hub-signature-256": "sha256=" + hex.EncodeToString(mac.Sum(nil))},
			"requestContext": map[string]any{"requestId": "r", "http": map[string]any{"method": "POST", "path": path}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return payload, body
	}
	// largest finds the longest body whose event Lambda passes on.
	largest := func(path string, encode bool) (payload []byte, body string) {
		low, high := 1<<20, lambdaPayload
		for low < high-16 {
			middle := (low + high) / 2
			if p, _ := event(path, middle, encode); len(p) <= lambdaPayload {
				low = middle
			} else {
				high = middle
			}
		}
		return event(path, low, encode)
	}
	for name, test := range map[string]struct {
		path   string
		encode bool
		least  int
	}{
		"text":            {"/github", false, 4_800_000}, // quotes are escaped in the event
		"base64":          {"/github", true, 4_700_000},
		"wrapped":         {"/wrapped", false, 4_800_000},
		"wrapped, base64": {"/wrapped", true, 4_700_000},
	} {
		payload, body := largest(test.path, test.encode)
		if len(body) < test.least || len(payload) > lambdaPayload {
			t.Errorf("%s: a body of %d bytes in an event of %d", name, len(body), len(payload))
		}
		want := body
		if test.path == "/wrapped" {
			want = `{"push":` + body + `,"event":"push"}`
		}
		sum := sha256.Sum256([]byte(want))
		for range 2 {
			result, err := f.Invoke(t.Context(), payload, lambdatest.InvokeOptions{})
			if err != nil || !strings.Contains(string(result.Payload), `"statusCode":200`) {
				t.Fatalf("%s: %.300s, %v", name, result.Payload, err)
			}
		}
		if objects.objects[hex.EncodeToString(sum[:])] == "" {
			t.Errorf("%s: the bucket does not have the %d bytes of the input", name, len(want))
		}
	}
	if len(inputs) != 8 {
		t.Errorf("%d executions were started, want 8", len(inputs))
	}
	for _, input := range inputs {
		if !strings.Contains(input, `"offloaded"`) || len(input) > 1000 {
			t.Errorf("the execution got %.200s", input)
		}
	}
	payload, _ := event("/plain", 256<<10+1, true)
	result, err := f.Invoke(t.Context(), payload, lambdatest.InvokeOptions{})
	if err != nil || !strings.Contains(string(result.Payload), `"statusCode":413`) || !strings.Contains(string(result.Payload), "offload it (offload)") {
		t.Errorf("without offload: %.300s, %v", result.Payload, err)
	}
	if f.Starts() != 1 {
		t.Errorf("the function was started %d times: it ran out of memory", f.Starts())
	}
}
