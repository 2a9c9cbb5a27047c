package httpfront_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/internal/shared"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/bridge/bridgetest"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/httpfront"
	"github.com/expressway-dev/expressway/pkg/secrets"
	"github.com/expressway-dev/expressway/pkg/verify"
)

type starterFunc = bridgetest.StarterFunc

const executionARN = "arn:aws:states:us-east-1:123456789012:express:m:n:u"

// echo succeeds with its input as output.
func echo(_ context.Context, s bridge.Start) (bridge.Outcome, error) {
	return bridge.Outcome{ExecutionARN: executionARN, Name: s.Name, Status: bridge.Succeeded, Output: s.Input}, nil
}

func succeedWith(output string) starterFunc {
	return func(context.Context, bridge.Start) (bridge.Outcome, error) {
		return bridge.Outcome{ExecutionARN: executionARN, Status: bridge.Succeeded, Output: json.RawMessage(output)}, nil
	}
}

func end(status bridge.Status, name, cause string) starterFunc {
	return func(context.Context, bridge.Start) (bridge.Outcome, error) {
		return bridge.Outcome{ExecutionARN: executionARN, Status: status, Error: name, Cause: cause}, nil
	}
}

func refuseWith(name string) starterFunc {
	return func(context.Context, bridge.Start) (bridge.Outcome, error) {
		return bridge.Outcome{}, bridge.NewFailure(name, "because", nil)
	}
}

var environment = map[string]string{"SECRET": "s3cret", "TOKEN": "t0ken"}

func getenv(name string) string { return environment[name] }

func front(t testing.TB, routes string, starter bridge.Starter) *httpfront.Front {
	t.Helper()
	return frontWith(t, routes, starter, bridge.Options{})
}

func frontWith(t testing.TB, routes string, starter bridge.Starter, parts bridge.Options) *httpfront.Front {
	t.Helper()
	return newFront(t, routes, starter, getenv, parts, httpfront.Options{})
}

func newFront(t testing.TB, routes string, starter bridge.Starter, getenv func(string) string, parts bridge.Options, options httpfront.Options) *httpfront.Front {
	t.Helper()
	cfg, err := config.Options{Getenv: getenv}.Parse("test.yaml", []byte("version: 1\nroutes:\n"+routes))
	if err != nil {
		t.Fatal(err)
	}
	f, err := httpfront.New(cfg.Routes, bridge.New(starter, parts), secrets.NewEnv(getenv), options)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// A response is what any door's response holds.
type response struct {
	StatusCode        int
	StatusDescription string
	Headers           map[string]string
	MultiValueHeaders map[string][]string
	Cookies           []string
	Body              string
	IsBase64Encoded   bool
}

func invoke(t testing.TB, f *httpfront.Front, payload []byte) response {
	t.Helper()
	out, err := f.Invoke(context.Background(), payload)
	if err != nil {
		t.Fatalf("Invoke returned the function error %v; for a request it never may", err)
	}
	var r response
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("response %s: %v", out, err)
	}
	return r
}

// event makes an event of HTTP API.
func event(method, path, contentType, body string, headers ...string) []byte {
	h := map[string]string{"host": "api.example.com", "content-type": contentType}
	if contentType == "" {
		delete(h, "content-type")
	}
	for i := 0; i < len(headers); i += 2 {
		h[headers[i]] = headers[i+1]
	}
	payload, _ := json.Marshal(map[string]any{
		"version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "", "headers": h,
		"requestContext": map[string]any{
			"domainName": "api.example.com", "requestId": "req-1", "stage": "$default",
			"http": map[string]any{"method": method, "path": path, "sourceIp": "192.0.2.1"},
		},
		"body": body, "isBase64Encoded": false,
	})
	return payload
}

const anyBody = `  - name: a
    http: POST /a
    verify: none
    start: m
    input: '{% $request.body %}'
`

// Every row of the table of answers.
func TestAnswers(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		starter    starterFunc
		status     int
		error      string
		body       string // for answers that are not problem documents
		retryAfter bool
	}{
		"succeeded":                  {succeedWith(`{"n":9007199254740993}`), 200, "", `{"n":9007199254740993}`, false},
		"proxy-shaped":               {succeedWith(`{"statusCode":418,"body":"short"}`), 418, "", "short", false},
		"failed":                     {end(bridge.Failed, "OrderNotFound", "secret cause"), 500, "OrderNotFound", "", false},
		"failed by a timeout inside": {end(bridge.Failed, "States.Timeout", ""), 500, "States.Timeout", "", false},
		"timed out":                  {end(bridge.TimedOut, "States.Timeout", ""), 504, "States.Timeout", "", false},
		"throttled":                  {refuseWith(bridge.Throttled), 503, bridge.Throttled, "", true},
		"unavailable":                {refuseWith(bridge.Unavailable), 503, bridge.Unavailable, "", true},
		"unknown":                    {refuseWith(bridge.Unknown), 502, bridge.Unknown, "", false},
		"deadline":                   {refuseWith(bridge.Deadline), 504, bridge.Deadline, "", false},
		"misconfigured":              {refuseWith(bridge.Misconfigured), 500, bridge.Misconfigured, "", false},
		"too large":                  {refuseWith(bridge.InputTooLarge), 413, bridge.InputTooLarge, "", false},
		"bad status":                 {succeedWith(`{"statusCode":99}`), 502, bridge.BadResponse, "", false},
		"split header":               {succeedWith(`{"statusCode":200,"headers":{"X":"a\r\nb: c"}}`), 502, bridge.BadResponse, "", false},
		"body is not text":           {succeedWith(`{"statusCode":200,"body":{}}`), 502, bridge.BadResponse, "", false},
		"no output":                  {succeedWith(`{"a":`), 502, bridge.Unknown, "", false},
		"no status":                  {end("ODD", "", ""), 502, bridge.Unknown, "", false},
		"panic":                      {func(context.Context, bridge.Start) (bridge.Outcome, error) { panic("boom") }, 500, bridge.Internal, "", false},
		"other error": {func(context.Context, bridge.Start) (bridge.Outcome, error) {
			return bridge.Outcome{}, fmt.Errorf("odd")
		}, 500, bridge.Internal, "", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := invoke(t, front(t, anyBody, test.starter), event("POST", "/a", "application/json", `{}`))
			if r.StatusCode != test.status {
				t.Errorf("status = %d, want %d (%s)", r.StatusCode, test.status, r.Body)
			}
			if got := r.Headers["Retry-After"] != ""; got != test.retryAfter {
				t.Errorf("Retry-After = %q, want one: %v", r.Headers["Retry-After"], test.retryAfter)
			}
			if test.error == "" {
				if r.Body != test.body {
					t.Errorf("body = %s, want %s", r.Body, test.body)
				}
				return
			}
			if got, want := r.Headers["Content-Type"], "application/problem+json"; got != want {
				t.Errorf("content type = %q, want %q", got, want)
			}
			var problem struct {
				Title, Error, RequestID, Cause, ExecutionARN string
				Status                                       int
			}
			if err := json.Unmarshal([]byte(r.Body), &problem); err != nil {
				t.Fatal(err)
			}
			if problem.Error != test.error || problem.Status != test.status || problem.RequestID != "req-1" || problem.Title == "" {
				t.Errorf("problem = %s", r.Body)
			}
			if strings.Contains(r.Body, "cause") {
				t.Errorf("the problem shows a cause: %s", r.Body)
			}
		})
	}
}

// Every error name of the bridge has a status of its own.
func TestEveryNameHasAnAnswer(t *testing.T) {
	t.Parallel()
	for _, name := range bridge.Names() {
		r := invoke(t, front(t, anyBody, refuseWith(name)), event("POST", "/a", "application/json", `{}`))
		if r.StatusCode < 400 || strings.Contains(r.Body, "The workflow failed") {
			t.Errorf("%s is answered %d %s, as a workflow's own failure", name, r.StatusCode, r.Body)
		}
	}
}

func TestRouting(t *testing.T) {
	t.Parallel()
	f := front(t, `  - {name: get, http: "GET /r/{id}", verify: none, start: m, input: "{% $request.params %}"}
  - {name: rest, http: "/files/{rest...}", verify: none, start: m, input: "{% $request.params %}"}
`, starterFunc(echo))
	tests := []struct {
		method, path string
		status       int
		want         string // in the body, or Allow for 405
	}{
		{"GET", "/r/7", 200, `{"id":"7"}`},
		{"GET", "/r/a b", 200, `{"id":"a b"}`},
		{"GET", "/r/100%", 200, `{"id":"100%"}`},
		{"GET", "/r/a?b#c", 200, `{"id":"a?b#c"}`},
		{"POST", "/r/7", 405, "GET, HEAD"},
		{"PUT", "/files/a/b", 200, `{"rest":"a/b"}`},
		{"GET", "/nope", 404, ""},
		{"GET", "//r/7", 404, ""},
		{"GET", "/x/../r/7", 404, ""},
		{"GET", "r/7", 400, ""},
		{"GE T", "/r/7", 400, ""},
	}
	for _, test := range tests {
		r := invoke(t, f, event(test.method, test.path, "", ""))
		if r.StatusCode != test.status {
			t.Errorf("%s %s = %d, want %d (%s)", test.method, test.path, r.StatusCode, test.status, r.Body)
			continue
		}
		switch test.status {
		case 200:
			if r.Body != test.want {
				t.Errorf("%s %s = %s, want %s", test.method, test.path, r.Body, test.want)
			}
		case 405:
			if got := r.Headers["Allow"]; got != test.want {
				t.Errorf("Allow = %q, want %q", got, test.want)
			}
		}
	}
}

func signed(body string) string {
	mac := hmac.New(sha256.New, []byte("s3cret"))
	mac.Write([]byte(body))
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// signedEvent makes a delivery of a provider that signs with the secret s3cret.
func signedEvent(t testing.TB, provider, path, body string, headers ...string) []byte {
	t.Helper()
	r := &verify.Request{Method: "POST", Path: path, Header: http.Header{}, Body: []byte(body)}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	out, err := verify.Sign(verify.Spec{Provider: provider, Secrets: []string{"env:SECRET"}}, "s3cret", r, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for name := range out {
		headers = append(headers, strings.ToLower(name), out.Get(name))
	}
	return event("POST", path, "application/json", body, headers...)
}

func TestVerification(t *testing.T) {
	t.Parallel()
	starts := 0
	f := front(t, `  - {name: gh, http: POST /gh, verify: {provider: github, secrets: ["env:SECRET"]}, start: m}
`, starterFunc(func(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
		starts++
		for _, secret := range []string{"x-hub-signature-256", "s3cret", "Bearer", "chocolate"} {
			if strings.Contains(string(s.Input), secret) {
				t.Errorf("the default input holds %q: %s", secret, s.Input)
			}
		}
		if got, want := s.Name, "gh-d-1---"; got != want {
			t.Errorf("execution name = %q, want %q", got, want)
		}
		return echo(ctx, s)
	}))
	const body = `{"a": 1}`
	good := event("POST", "/gh", "application/json", body, "x-hub-signature-256", signed(body),
		"authorization", "Bearer x", "cookie", "a=chocolate", "x-github-delivery", "d-1 é")
	if r := invoke(t, f, good); r.StatusCode != 200 || starts != 1 {
		t.Fatalf("good signature: %d %s, %d starts", r.StatusCode, r.Body, starts)
	}
	var first string
	for name, payload := range map[string][]byte{
		"missing":        event("POST", "/gh", "application/json", body),
		"wrong":          event("POST", "/gh", "application/json", body, "x-hub-signature-256", signed(body+" ")),
		"malformed":      event("POST", "/gh", "application/json", body, "x-hub-signature-256", "sha256=zz"),
		"unsigned trash": event("POST", "/gh", "application/json", "{{{"),
	} {
		r := invoke(t, f, payload)
		if r.StatusCode != 401 {
			t.Errorf("%s: status = %d, want 401", name, r.StatusCode)
		}
		if first == "" {
			first = r.Body
		}
		if r.Body != first {
			t.Errorf("%s: the body distinguishes refusals: %s and %s", name, r.Body, first)
		}
	}
	if starts != 1 {
		t.Errorf("%d starts, want 1", starts)
	}
}

func TestFailsClosedAtStart(t *testing.T) {
	t.Parallel()
	cfg, err := config.Options{Getenv: getenv}.Parse("t.yaml", []byte("version: 1\nroutes:\n  - {name: a, http: /a, verify: {provider: github, secrets: ['env:EMPTY']}, start: m}\n"))
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	if _, err := httpfront.New(cfg.Routes, bridge.New(starterFunc(echo), bridge.Options{Log: log}), secrets.NewEnv(getenv), httpfront.Options{Log: log}); err == nil {
		t.Error("a route without its secret starts")
	}
}

func TestBodies(t *testing.T) {
	t.Parallel()
	f := front(t, `  - name: a
    http: POST /a
    verify: none
    start: m
    input: {type: "{% $request.bodyType %}", body: "{% $request.body %}"}
`, starterFunc(echo))
	tests := map[string]struct{ contentType, body, want string }{
		"json":            {"application/json; charset=utf-8", `{"b":1.0, "a":[]}`, `{"type":"json","body":{"b":1.0, "a":[]}}`},
		"json suffix":     {"application/cloudevents+json", `1`, `{"type":"json","body":1}`},
		"json big number": {"application/json", `9007199254740993`, `{"type":"json","body":9007199254740993}`},
		"form":            {"application/x-www-form-urlencoded", "b=2&a=1&a=%26+x", `{"type":"form","body":{"b":"2","a":["1","& x"]}}`},
		"text":            {"text/plain", "hé", `{"type":"text","body":"hé"}`},
		"xml":             {"application/xml", "<a/>", `{"type":"text","body":"<a/>"}`},
		"other":           {"image/png", "x", `{"type":"binary","body":"eA=="}`},
		"none, json":      {"", `[1]`, `{"type":"json","body":[1]}`},
		"none, text":      {"", `[1`, `{"type":"text","body":"[1"}`},
		"bad parameters":  {"application/json; charset", `1`, `{"type":"json","body":1}`},
		"empty":           {"application/json", "", `{"type":"empty","body":null}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := invoke(t, f, event("POST", "/a", test.contentType, test.body))
			if r.StatusCode != 200 || r.Body != test.want {
				t.Errorf("got = %d %s, want 200 %s", r.StatusCode, r.Body, test.want)
			}
		})
	}
	for name, test := range map[string]struct{ contentType, body string }{
		"json cut off":    {"application/json", `{"a":`},
		"json and more":   {"application/json", `{} {}`},
		"json too deep":   {"application/json", strings.Repeat("[", 100000)},
		"form bad escape": {"application/x-www-form-urlencoded", "a=%zz"},
		"form bad UTF-8":  {"application/x-www-form-urlencoded", "a=%ff"},
	} {
		if r := invoke(t, f, event("POST", "/a", test.contentType, test.body)); r.StatusCode != 400 {
			t.Errorf("%s: status = %d, want 400", name, r.StatusCode)
		}
	}
}

func TestRespondAndCatch(t *testing.T) {
	t.Parallel()
	routes := `  - name: a
    http: POST /a
    verify: none
    start: m
    input: '{% $request.body %}'
    respond:
      status: 201
      headers: {X-Id: '{% $execution.output.id %}', Set-Cookie: [a=1, b=2]}
      body: {made: '{% $execution.output.id %}', by: '{% $context.route %}'}
    catch:
      - errors: [NotFound, Gone]
        status: 404
        body: {message: '{% $failure.cause %}', name: '{% $failure.error %}'}
      - errors: [Broken]
        body: '{% $failure.error.nothing %}'
      - errors: [States.ALL]
        status: 599
`
	r := invoke(t, front(t, routes, succeedWith(`{"id":"x-1"}`)), event("POST", "/a", "application/json", `{}`))
	want := response{
		StatusCode: 201, Body: `{"made":"x-1","by":"a"}`, Cookies: []string{"a=1", "b=2"},
		Headers: map[string]string{"X-Id": "x-1", "Content-Type": "application/json"},
	}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Errorf("respond (-want +got):\n%s", diff)
	}
	for name, test := range map[string]struct {
		starter starterFunc
		status  int
		body    string
	}{
		"caught":           {end(bridge.Failed, "Gone", "it went"), 404, `{"message":"it went","name":"Gone"}`},
		"by States.ALL":    {refuseWith(bridge.Throttled), 599, ""},
		"yields nothing":   {end(bridge.Failed, "Broken", ""), 500, ""},
		"invalid header":   {succeedWith(`{"id":"a\nb"}`), 502, ""},
		"expression fails": {succeedWith(`{}`), 500, ""},
	} {
		r := invoke(t, front(t, routes, test.starter), event("POST", "/a", "application/json", `{}`))
		if r.StatusCode != test.status || test.body != "" && r.Body != test.body {
			t.Errorf("%s: %d %s, want %d %s", name, r.StatusCode, r.Body, test.status, test.body)
		}
	}
}

func TestAsyncAndFilter(t *testing.T) {
	t.Parallel()
	f := front(t, `  - {name: a, http: POST /a, verify: none, start: m, mode: async, filter: '{% $request.body.go %}'}
`, starterFunc(echo))
	r := invoke(t, f, event("POST", "/a", "application/json", `{"go":true}`))
	if r.StatusCode != 202 || r.Body != `{"executionArn":"`+executionARN+`"}` {
		t.Errorf("async = %d %s", r.StatusCode, r.Body)
	}
	if r := invoke(t, f, event("POST", "/a", "application/json", `{"go":false}`)); r.StatusCode != 200 || r.Body != "" {
		t.Errorf("filtered = %d %q", r.StatusCode, r.Body)
	}
	if r := invoke(t, f, event("POST", "/a", "application/json", `{}`)); r.StatusCode != 200 || r.Body != "" {
		t.Errorf("a filter without a result = %d %q, want 200", r.StatusCode, r.Body)
	}
	if r := invoke(t, f, event("POST", "/a", "application/json", `{"go":"true"}`)); r.StatusCode != 500 {
		t.Errorf("a filter that yields text = %d, want 500: it would never be true", r.StatusCode)
	}
}

func TestInputTooLarge(t *testing.T) {
	t.Parallel()
	f := front(t, anyBody, starterFunc(echo))
	fits := `"` + strings.Repeat("x", bridge.MaxInput-2) + `"`
	if r := invoke(t, f, event("POST", "/a", "application/json", fits)); r.StatusCode != 200 {
		t.Errorf("262,144 bytes = %d, want 200", r.StatusCode)
	}
	if r := invoke(t, f, event("POST", "/a", "application/json", fits[:1]+"x"+fits[1:])); r.StatusCode != 413 {
		t.Errorf("262,145 bytes = %d, want 413", r.StatusCode)
	}
}

func TestDeadline(t *testing.T) {
	t.Parallel()
	f := front(t, strings.Replace(anyBody, "start: m", "start: m\n    timeout: 20ms", 1), starterFunc(func(ctx context.Context, _ bridge.Start) (bridge.Outcome, error) {
		<-ctx.Done()
		return bridge.Outcome{}, bridge.NewFailure(bridge.Deadline, "", ctx.Err())
	}))
	start := time.Now()
	if r := invoke(t, f, event("POST", "/a", "application/json", `{}`)); r.StatusCode != 504 {
		t.Errorf("status = %d, want 504", r.StatusCode)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
}

const everything = `  - {name: all, http: "/{path...}", verify: none, start: m}
`

// Real events of every door come out as the request that was sent.
func TestDoors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		file []string
		want map[string]string // JSONata-like paths into the default input
	}{
		{[]string{"lambda-events", "apigw-v2-request-no-authorizer.json"}, map[string]string{"method": `"GET"`, "path": `"/"`, "query": `{}`, "sourceIp": `"1.2.3.4"`}},
		{[]string{"lambda-events", "lambda-urls-request.json"}, map[string]string{"method": `"POST"`, "path": `"/my/path"`, "body": `"Hello from client!"`, "bodyType": `"text"`, "sourceIp": `"123.123.123.123"`}},
		{[]string{"lambda-events", "alb-lambda-target-request-headers-only.json"}, map[string]string{"method": `"GET"`, "query": `{"key":"hello"}`, "sourceIp": `"25.12.198.67"`, "bodyType": `"empty"`}},
		{[]string{"lambda-events", "alb-lambda-target-request-multivalue-headers.json"}, map[string]string{"method": `"GET"`, "multiQuery": `{"key":["hello"]}`, "sourceIp": `"72.21.198.67"`}},
		{[]string{"sam-events", "captured", "start-api-http-post.json"}, map[string]string{"method": `"POST"`, "path": `"/v2orders"`, "body": `{"orderId":"o-1","amount":50}`, "query": `{"a":"1"}`, "multiQuery": `{"a":["1","2"]}`}},
		{[]string{"sam-events", "captured", "start-api-rest-post.json"}, map[string]string{"method": `"POST"`, "body": `{"orderId":"o-1","amount":50}`, "multiQuery": `{"a":["1","2"]}`, "query": `{"a":"1"}`}},
		{[]string{"sam-events", "captured", "start-api-rest-nobody.json"}, map[string]string{"bodyType": `"empty"`, "body": "null"}},
		{[]string{"sam-events", "rendered", "apigateway-aws-proxy-orders.json"}, map[string]string{"method": `"POST"`, "body": `{"orderId":"o-1","amount":50}`, "bodyType": `"json"`}},
		{[]string{"sam-events", "rendered", "apigateway-http-api-proxy.json"}, map[string]string{"body": `{"test":"body"}`, "bodyType": `"json"`}},
		{[]string{"sam-events", "rendered", "alb-request.json"}, map[string]string{"body": `{"test":"body"}`, "bodyType": `"json"`}},
	}
	for _, test := range tests {
		t.Run(test.file[len(test.file)-1], func(t *testing.T) {
			t.Parallel()
			r := invoke(t, front(t, everything, starterFunc(echo)), shared.Read(t, test.file...))
			if r.StatusCode != 200 {
				t.Fatalf("%d %s", r.StatusCode, r.Body)
			}
			var got map[string]json.RawMessage
			if err := json.Unmarshal([]byte(r.Body), &got); err != nil {
				t.Fatal(err)
			}
			for k, want := range test.want {
				if string(got[k]) != want {
					t.Errorf("%s = %s, want %s", k, got[k], want)
				}
			}
		})
	}
}

// The library's own faults stay repaired.
func TestTraps(t *testing.T) {
	t.Parallel()
	f := front(t, everything, starterFunc(echo))
	input := func(payload []byte) map[string]any {
		t.Helper()
		r := invoke(t, f, payload)
		if r.StatusCode != 200 {
			t.Fatalf("%d %s", r.StatusCode, r.Body)
		}
		var v map[string]any
		if err := json.Unmarshal([]byte(r.Body), &v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	get := func(v map[string]any, path ...string) any {
		var at any = v
		for _, p := range path {
			m, _ := at.(map[string]any)
			at = m[p]
		}
		return at
	}
	v := input(event("POST", "/x", "", "", "stripe-signature", "t=1,v1=abc,v0=def"))
	if got, want := get(v, "headers", "stripe-signature"), "t=1,v1=abc,v0=def"; got != want {
		t.Errorf("header = %v, want %v", got, want)
	}
	stage := []byte(strings.NewReplacer(`"stage":"$default"`, `"stage":"prod"`).Replace(string(event("GET", "/prod/hook", "", ""))))
	if got, want := get(input(stage), "path"), "/hook"; got != want {
		t.Errorf("path without its stage = %v, want %v", got, want)
	}
	stage = []byte(strings.NewReplacer(`"stage":"$default"`, `"stage":"prod"`).Replace(string(event("GET", "/production/hook", "", ""))))
	if got, want := get(input(stage), "path"), "/production/hook"; got != want {
		t.Errorf("path = %v, want %v", got, want)
	}
	alb := []byte(`{"requestContext":{"elb":{"targetGroupArn":"a"}},"httpMethod":"GET","path":"/x","multiValueQueryStringParameters":{"a%20b":["1%2B1"]},"multiValueHeaders":{"host":["h.example"],"x-forwarded-for":["6.6.6.6, 10.0.0.1"]},"body":"","isBase64Encoded":false}`)
	v = input(alb)
	if got, want := get(v, "query", "a b"), "1+1"; got != want {
		t.Errorf("ALB query = %v, want %v", got, want)
	}
	if got, want := get(v, "headers", "host"), "h.example"; got != want {
		t.Errorf("ALB host = %v, want %v", got, want)
	}
	if got, want := get(v, "sourceIp"), "10.0.0.1"; got != want {
		t.Errorf("ALB source = %v, want the address that the balancer saw, %v", got, want)
	}
	rest := []byte(`{"resource":"/x","path":"/x","httpMethod":"POST","headers":{"A":"2"},"multiValueHeaders":{"A":["1","2"],"Cookie":["k=v; l=w"]},"queryStringParameters":{"q":"b&c"},"multiValueQueryStringParameters":{"q":["a=","b&c"]},"requestContext":{"stage":"prod","path":"/prod/x","requestId":"r","identity":{"sourceIp":"1.2.3.4"}},"body":null,"isBase64Encoded":false}`)
	v = input(rest)
	if diff := cmp.Diff([]any{"a=", "b&c"}, get(v, "multiQuery", "q")); diff != "" {
		t.Errorf("REST query (-want +got):\n%s", diff)
	}
	if got, want := get(v, "headers", "a"), "1, 2"; got != want {
		t.Errorf("REST header = %v, want %v", got, want)
	}
	bad := []byte(strings.Replace(string(event("POST", "/x", "", "*")), `"isBase64Encoded":false`, `"isBase64Encoded":true`, 1))
	if r := invoke(t, f, bad); r.StatusCode != 400 {
		t.Errorf("bad base64 = %d, want 400", r.StatusCode)
	}
}

// Each door gets the response in its own format.
func TestResponseFormats(t *testing.T) {
	t.Parallel()
	output := `{"statusCode":201,"headers":{"X-A":"1","Content-Type":"application/octet-stream"},"cookies":["a=1","b=2"],"body":"` +
		base64.StdEncoding.EncodeToString([]byte{0xff, 0}) + `","isBase64Encoded":true}`
	f := front(t, everything, succeedWith(output))
	v2 := invoke(t, f, event("GET", "/", "", ""))
	want := response{StatusCode: 201, Headers: map[string]string{"X-A": "1", "Content-Type": "application/octet-stream"}, Cookies: []string{"a=1", "b=2"}, Body: "/wA=", IsBase64Encoded: true}
	if diff := cmp.Diff(want, v2); diff != "" {
		t.Errorf("payload 2.0 (-want +got):\n%s", diff)
	}
	rest := invoke(t, f, []byte(`{"resource":"/","path":"/","httpMethod":"GET","headers":null,"requestContext":{"stage":"p","requestId":"r"},"body":null}`))
	want = response{StatusCode: 201, Headers: map[string]string{"X-A": "1", "Content-Type": "application/octet-stream"}, MultiValueHeaders: map[string][]string{"Set-Cookie": {"a=1", "b=2"}}, Body: "/wA=", IsBase64Encoded: true}
	if diff := cmp.Diff(want, rest); diff != "" {
		t.Errorf("REST (-want +got):\n%s", diff)
	}
	alb := invoke(t, f, []byte(`{"requestContext":{"elb":{"targetGroupArn":"a"}},"httpMethod":"GET","path":"/","headers":{"host":"h"},"body":""}`))
	want = response{StatusCode: 201, StatusDescription: "201 Created", Headers: map[string]string{"X-A": "1", "Content-Type": "application/octet-stream", "Set-Cookie": "b=2"}, Body: "/wA=", IsBase64Encoded: true}
	if diff := cmp.Diff(want, alb); diff != "" {
		t.Errorf("ALB (-want +got):\n%s", diff)
	}
	multi := invoke(t, f, []byte(`{"requestContext":{"elb":{"targetGroupArn":"a"}},"httpMethod":"GET","path":"/","multiValueHeaders":{"host":["h"]},"body":""}`))
	want = response{StatusCode: 201, StatusDescription: "201 Created", MultiValueHeaders: map[string][]string{"X-A": {"1"}, "Content-Type": {"application/octet-stream"}, "Set-Cookie": {"a=1", "b=2"}}, Body: "/wA=", IsBase64Encoded: true}
	if diff := cmp.Diff(want, multi); diff != "" {
		t.Errorf("ALB, multi-value (-want +got):\n%s", diff)
	}
}

func FuzzInvoke(f *testing.F) {
	f.Add(event("POST", "/a", "application/json", `{}`))
	f.Add([]byte(`{"resource":"/x","path":"/x","httpMethod":"POST","headers":{"A":"2"},"requestContext":{"stage":"prod"},"body":null}`))
	f.Add([]byte(`{"requestContext":{"elb":{"targetGroupArn":"a"}},"httpMethod":"GET","path":"/%zz","multiValueHeaders":{"host":["h"]},"body":"*","isBase64Encoded":true}`))
	f.Add([]byte(`{"version":"2.0","rawPath":"/a b?c#d","headers":{"cookie":1},"cookies":[2],"requestContext":{"domainName":"x.lambda-url.y","http":{"method":"get"}}}`))
	front := front(f, everything, starterFunc(echo))
	f.Add([]byte(`{"raw_path":"/a?b=c","method":"POST","headers":{"host":"h","x":["1"]},"query_string_parameters":{"a":["1"]},"body":"*","is_base64_encoded":true}`))
	f.Add([]byte(`{"version":"2.0","path":"/a","method":"GET","headers":null,"requestContext":{"serviceNetworkArn":1,"identity":{"principal":"p"}}}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		out, err := front.Invoke(context.Background(), payload)
		var foreign messages.InvokeResponse_Error
		if errors.As(err, &foreign) && foreign.Type == bridge.BadRequest && out == nil {
			return
		}
		var r response
		if err != nil || json.Unmarshal(out, &r) != nil || r.StatusCode < 200 || r.StatusCode > 599 {
			t.Fatalf("got %s, %v, want a response or the error %s", out, err, bridge.BadRequest)
		}
	})
}
