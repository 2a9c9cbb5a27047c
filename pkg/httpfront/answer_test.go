package httpfront_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// A route with answer answers without an execution: verified, filtered and logged, and nothing starts.
func TestAnswerRoutes(t *testing.T) {
	t.Parallel()
	const routes = `  - {name: health, http: GET /health, verify: none, answer: {body: ok}}
  - {name: empty, http: GET /empty, verify: none, answer: {}}
  - {name: json, http: GET /json, verify: none, answer: {status: 202, headers: {X-Id: '{% $request.requestId %}'}, body: {route: '{% $context.route %}'}}}
  - {name: html, http: GET /html, verify: none, answer: {headers: {Content-Type: text/html}, body: '<p>fine'}}
  - {name: ours, http: GET /ours, verify: none, answer: {headers: {Content-Type: text/html}, body: '{% "<p>" & $context.route %}'}}
  - {name: echo, http: GET /echo, verify: none, answer: {headers: {Content-Type: '{% $request.query.t %}', X-Content-Type-Options: none}, body: '{% $request.query.q %}'}}
  - {name: challenge, http: GET /challenge, verify: {token: {header: X-Token}, secrets: ["env:TOKEN"]}, filter: '{% $request.query.mode = "subscribe" %}', answer: {body: '{% $request.query.challenge %}'}}
  - {name: failed, http: GET /failed, verify: none, answer: {body: '{% $request.query.none %}'}}
`
	tests := map[string]struct {
		path, query string
		token       string
		status      int
		body        string
		headers     map[string]string
	}{
		"text":             {path: "/health", status: 200, body: "ok", headers: map[string]string{"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}},
		"nothing":          {path: "/empty", status: 200, headers: map[string]string{}},
		"JSON":             {path: "/json", status: 202, body: `{"route":"json"}`, headers: map[string]string{"Content-Type": "application/json", "X-Content-Type-Options": "nosniff", "X-Id": "req-1"}},
		"HTML":             {path: "/html", status: 200, body: "<p>fine"},
		"HTML of our own":  {path: "/ours", status: 200, body: "<p>ours"},
		"a value":          {path: "/echo", query: "t=text/plain&q=<script>", status: 200, body: "<script>", headers: map[string]string{"Content-Type": "text/plain", "X-Content-Type-Options": "none"}},
		"a value in HTML":  {path: "/echo", query: "t=TEXT/HTML%3Bcharset=utf-8&q=<script>", status: 502, body: bridge.BadResponse},
		"a value in XHTML": {path: "/echo", query: "t=application/xhtml%2Bxml&q=<script>", status: 502, body: bridge.BadResponse},
		"a value in SVG":   {path: "/echo", query: "t=image/svg%2Bxml&q=<script>", status: 502, body: bridge.BadResponse},
		"a value in XML":   {path: "/echo", query: "t=text/xml&q=<script>", status: 502, body: bridge.BadResponse},
		"verified":         {path: "/challenge", query: "mode=subscribe&challenge=abc", token: "t0ken", status: 200, body: "abc"},
		"not verified":     {path: "/challenge", query: "mode=subscribe&challenge=abc", status: 401, body: bridge.Unverified},
		"filtered":         {path: "/challenge", query: "mode=other&challenge=abc", token: "t0ken", status: 200},
		"failed":           {path: "/failed", status: 500, body: bridge.ExpressionFailed},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			f := logged(t, routes, starterFunc(func(context.Context, bridge.Start) (bridge.Outcome, error) {
				t.Error("something was started")
				return bridge.Outcome{}, nil
			}), &log, bridge.Options{})
			payload := strings.Replace(string(event("GET", test.path, "", "", "x-token", test.token)), `"rawQueryString":""`, `"rawQueryString":"`+test.query+`"`, 1)
			got := invoke(t, f, []byte(payload))
			if got.StatusCode != test.status || !strings.Contains(got.Body, test.body) || test.status < 300 && got.Body != test.body {
				t.Errorf("got %d %q, want %d %q", got.StatusCode, got.Body, test.status, test.body)
			}
			if test.headers != nil {
				if diff := cmp.Diff(test.headers, got.Headers); diff != "" {
					t.Errorf("headers (-want +got):\n%s", diff)
				}
			}
			if strings.Contains(log.String(), "script") || strings.Contains(log.String(), "abc") || strings.Count(log.String(), "\n") != 1 {
				t.Errorf("log = %s, want one line without payload", log.String())
			}
		})
	}
	var log bytes.Buffer
	invoke(t, logged(t, routes, starterFunc(echo), &log, bridge.Options{}), event("HEAD", "/health", "", ""))
	if !strings.Contains(log.String(), `"answered":true`) {
		t.Errorf("log = %s, want answered", log.String())
	}
}
