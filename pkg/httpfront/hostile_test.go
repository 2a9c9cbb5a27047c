package httpfront_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/internal/providertest"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/httpfront"
	"github.com/expressway-dev/expressway/pkg/verify"
)

func fetchOf(v *vector) httpfront.Options { return httpfront.Options{Fetch: v.fetch} }

// Whatever is sent ends in a named failure, or in an execution that it has a right to,
// in bounded time.
func TestHostileRequests(t *testing.T) {
	t.Parallel()
	huge := strings.Repeat("x", 10<<20)
	manyHeaders := []string{}
	for i := range 5000 {
		manyHeaders = append(manyHeaders, fmt.Sprintf("x-h-%d", i), strings.Repeat("v", 50))
	}
	form := func(n int) string { return strings.TrimSuffix(strings.Repeat("a=1&", n), "&") }
	names := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "f%d=1&", i)
		}
		return b.String()
	}
	const formType = "application/x-www-form-urlencoded"
	tests := map[string]struct {
		payload []byte
		status  int
		error   string // empty where the execution may start
	}{
		"ten megabytes":                   {event("POST", "/a", "text/plain", huge), 413, bridge.InputTooLarge},
		"ten megabytes in base64":         {binaryEvent("text/plain", []byte(huge)), 413, bridge.InputTooLarge},
		"a short length":                  {event("POST", "/a", "application/json", `{"a":1}`, "content-length", "1"), 200, ""},
		"a long length":                   {event("POST", "/a", "application/json", `{"a":1}`, "content-length", "99999999999999999999"), 200, ""},
		"no length":                       {event("POST", "/a", "application/json", `{"a":1}`, "content-length", "-1", "transfer-encoding", "chunked"), 200, ""},
		"invalid base64":                  {[]byte(strings.Replace(string(event("POST", "/a", "text/plain", "a*b=")), `"isBase64Encoded":false`, `"isBase64Encoded":true`, 1)), 400, bridge.BadRequest},
		"base64 that says it is not":      {event("POST", "/a", "application/json", base64.StdEncoding.EncodeToString([]byte(`{}`))), 400, bridge.BadRequest},
		"not UTF-8":                       {binaryEvent("application/json", []byte("{\"a\":\"\xff\"}")), 400, bridge.BadRequest},
		"an overlong NUL":                 {binaryEvent("application/json", []byte("{\"a\":\"\xc0\x80\"}")), 400, bridge.BadRequest},
		"half a surrogate pair":           {event("POST", "/a", "application/json", `{"a":"\ud800"}`), 200, ""},
		"thousands of headers":            {event("POST", "/a", "application/json", `{}`, manyHeaders...), 200, ""},
		"a nested bomb":                   {event("POST", "/a", "application/json", strings.Repeat(`{"a":`, 100_000)+"1"+strings.Repeat("}", 100_000)), 400, bridge.BadRequest},
		"a nested bomb, cut off":          {event("POST", "/a", "application/json", strings.Repeat("[", 3<<20)), 400, bridge.BadRequest},
		"a wide bomb":                     {event("POST", "/a", "application/json", "["+strings.Repeat("0,", 500_000)+"0]"), 413, bridge.InputTooLarge},
		"a long number":                   {event("POST", "/a", "application/json", strings.Repeat("9", 100_000)), 200, ""},
		"one field, many times":           {event("POST", "/a", formType, form(500_000)), 400, bridge.BadRequest},
		"many fields":                     {event("POST", "/a", formType, names(500_000)), 400, bridge.BadRequest},
		"as many as allowed":              {event("POST", "/a", formType, names(10_000)), 200, ""},
		"a percent and no more":           {event("POST", "/a", formType, "a=%"), 400, bridge.BadRequest},
		"path traversal":                  {event("POST", "/x/../a", "application/json", `{}`), 404, bridge.NoRoute},
		"path traversal, encoded":         {functionURL("/x/%2e%2e/a"), 404, bridge.NoRoute},
		"an encoded slash":                {functionURL("/%61%2f"), 404, bridge.NoRoute},
		"a doubled slash":                 {event("POST", "//a", "application/json", `{}`), 404, bridge.NoRoute},
		"a path that is a URL":            {functionURL("http://evil.example/a"), 400, bridge.BadRequest},
		"a NUL in the path":               {functionURL("/a%00"), 404, bridge.NoRoute},
		"a broken escape":                 {functionURL("/a%zz"), 400, bridge.BadRequest},
		"a line break in the method":      {event("POST\r\nX: y", "/a", "application/json", `{}`), 400, bridge.BadRequest},
		"a long method":                   {event(strings.Repeat("A", 1000), "/a", "application/json", `{}`), 400, bridge.BadRequest},
		"a long path":                     {event("POST", "/"+strings.Repeat("a/", 500_000), "application/json", `{}`), 404, bridge.NoRoute},
		"a line break in a header":        {event("POST", "/a", "application/json", `{}`, "x-a", "b\r\nSet-Cookie: c=d"), 200, ""},
		"a long content type":             {event("POST", "/a", "application/json;"+strings.Repeat("a=b;", 50_000), `{}`), 200, ""},
		"a multipart body of empty parts": {event("POST", "/a", "multipart/form-data; boundary=x", strings.Repeat("--x\r\n\r\n", 100_000)), 400, bridge.BadRequest},
		"an overlong boundary":            {event("POST", "/a", `multipart/form-data; boundary="`+strings.Repeat("b", 100)+`"`, "x"), 400, bridge.BadRequest},
		"a query of many pairs":           {withQuery(event("POST", "/a", "application/json", `{}`), names(100_000)), 200, ""},
		"an invalid query":                {withQuery(event("POST", "/a", "application/json", `{}`), "%zz=%ff&;&&=&=="), 200, ""},
	}
	f := front(t, route(open+"    input: {n: 1, b: '{% $exists($request.body) %}', t: '{% $request.bodyType %}', whole: '{% $request.bodyType = \"json\" ? $request.body : 0 %}'}\n"), succeedWith(`"ran"`))
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			got := invoke(t, f, test.payload)
			if took := time.Since(start); took > time.Minute { // what grows with the square of these sizes takes far longer
				t.Errorf("took %v", took)
			}
			if got.StatusCode != test.status || test.error != "" && !strings.Contains(got.Body, `"error":"`+test.error+`"`) {
				t.Errorf("got %d %.300s, want %d %s", got.StatusCode, got.Body, test.status, test.error)
			}
		})
	}
}

func functionURL(rawPath string) []byte {
	payload, _ := json.Marshal(map[string]any{
		"version": "2.0", "rawPath": rawPath, "headers": map[string]string{}, "body": "{}",
		"requestContext": map[string]any{"domainName": "x.lambda-url.us-east-1.on.aws", "http": map[string]string{"method": "POST"}},
	})
	return payload
}

// Replayed, dated and doubled signatures, and secrets that are no longer good.
func TestForgeries(t *testing.T) {
	t.Parallel()
	const body = `{"id":"evt_1"}`
	now := time.Unix(1_800_000_000, 0)
	vars := map[string]string{"NEW": "new-secret", "OLD": "old-secret", "RETIRED": "retired"}
	lookup := func(name string) string { return vars[name] }
	starts := 0
	f := frontOf(t, "  - {name: a, http: POST /a, verify: {provider: stripe, secrets: ['env:NEW', 'env:OLD']}, start: m}\n",
		func(context.Context, bridge.Start) (bridge.Outcome, error) {
			starts++
			return bridge.Outcome{Status: bridge.Succeeded, Output: json.RawMessage(`{}`)}, nil
		}, lookup, func() time.Time { return now }, httpfront.Options{})
	sign := func(secret string, at time.Time) string {
		r := &verify.Request{Method: "POST", Path: "/a", Header: http.Header{}, Body: []byte(body)}
		h, err := verify.Sign(verify.Spec{Provider: "stripe", Secrets: []string{"env:NEW"}}, secret, r, at)
		if err != nil {
			t.Fatal(err)
		}
		return h.Get("Stripe-Signature")
	}
	_, right, _ := strings.Cut(sign("new-secret", now), ",")
	stamp := "t=" + strconv.FormatInt(now.Unix(), 10)
	wrong := "v1=" + hex.EncodeToString(make([]byte, 32))
	for name, test := range map[string]struct {
		signature string
		good      bool
	}{
		"right":                        {sign("new-secret", now), true},
		"right, by the older secret":   {sign("old-secret", now), true},
		"by a retired secret":          {sign("retired", now), false},
		"within the tolerance":         {sign("new-secret", now.Add(-299*time.Second)), true},
		"replayed":                     {sign("new-secret", now.Add(-301*time.Second)), false},
		"ahead, within the tolerance":  {sign("new-secret", now.Add(299*time.Second)), true},
		"from the future":              {sign("new-secret", now.Add(301*time.Second)), false},
		"from the year 2262 and later": {"t=99999999999999999999," + right, false},
		"before any time":              {"t=-1," + right, false},
		"several, one right":           {stamp + "," + wrong + "," + right + ",v0=" + strings.Repeat("0", 64), true},
		"several, none right":          {stamp + "," + wrong + "," + wrong, false},
		"right under an older scheme":  {stamp + "," + strings.Replace(right, "v1=", "v0=", 1), false},
		"another time beside it":       {"t=1," + right, false},
		"no time":                      {right, false},
		"a thousand":                   {stamp + strings.Repeat(","+wrong, 1000), false},
		"nothing":                      {"", false},
	} {
		before := starts
		got := invoke(t, f, event("POST", "/a", "application/json", body, "stripe-signature", test.signature))
		if want := map[bool]int{true: 200, false: 401}[test.good]; got.StatusCode != want || starts-before != map[bool]int{true: 1}[test.good] {
			t.Errorf("%s: %d, %d starts, want %d", name, got.StatusCode, starts-before, want)
		}
	}
}

// FuzzForgery sends anything, through every door, to routes of every provider: without
// the secret, nothing ever starts.
func FuzzForgery(f *testing.F) {
	var started atomic.Int64
	starter := starterFunc(func(context.Context, bridge.Start) (bridge.Outcome, error) {
		started.Add(1)
		return bridge.Outcome{Status: bridge.Succeeded}, nil
	})
	var routes strings.Builder
	providers := verify.Providers()
	vars := func(name string) string {
		c, err := providertest.Complete(strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(name, "OF_")), "_", "-"))
		if err != nil {
			f.Fatal(err)
		}
		return c.Secret
	}
	for i, p := range providers {
		c, err := providertest.Complete(p)
		if err != nil {
			f.Fatal(err)
		}
		block := strings.ReplaceAll(c.YAML(), providertest.Reference, "env:OF_"+strings.ReplaceAll(strings.ToUpper(p), "-", "_"))
		fmt.Fprintf(&routes, "  - {name: r%d, http: '/%d/{p...}', verify: %s, %s, start: m, cors: {origins: '*'}, cloudevents: {origins: [a.example]}}\n", i, i, block, c.Dedupe())
	}
	nothing := httpfront.Options{Fetch: func(context.Context, string) ([]byte, error) { return nil, context.Canceled }}
	front := frontOf(f, routes.String(), starter, vars, nil, nothing)
	doors := []func(method, path, query, contentType, body, name, value string, isBase64 bool) map[string]any{
		func(method, path, query, contentType, body, name, value string, isBase64 bool) map[string]any {
			return map[string]any{
				"version": "2.0", "rawPath": path, "rawQueryString": query, "body": body, "isBase64Encoded": isBase64,
				"headers":        map[string]string{"content-type": contentType, name: value},
				"requestContext": map[string]any{"domainName": "a", "http": map[string]string{"method": method}},
			}
		},
		func(method, path, query, contentType, body, name, value string, isBase64 bool) map[string]any {
			q, _ := url.ParseQuery(query)
			return map[string]any{
				"httpMethod": method, "path": path, "multiValueQueryStringParameters": q, "body": body, "isBase64Encoded": isBase64,
				"multiValueHeaders": map[string][]string{"Content-Type": {contentType}, name: {value, value}},
				"requestContext":    map[string]any{"stage": "p"},
			}
		},
		func(method, path, query, contentType, body, name, value string, isBase64 bool) map[string]any {
			return map[string]any{
				"httpMethod": method, "path": path, "queryStringParameters": map[string]string{query: query}, "body": body, "isBase64Encoded": isBase64,
				"headers": map[string]string{"content-type": contentType, name: value}, "requestContext": map[string]any{"elb": map[string]any{}},
			}
		},
	}
	for i := range providers {
		f.Add(uint8(i), uint8(i), "POST", "", "application/json", `{"type":"url_verification","challenge":"a","event":"endpoint.url_validation","payload":{"plainToken":"a"},"value":[{"clientState":"x"}],"notificationItems":[]}`, "x-hub-signature-256", "sha256="+strings.Repeat("0", 64), false)
	}
	f.Add(uint8(0), uint8(0), "GET", "crc_token=a&challenge=b&hub.mode=subscribe&hub.challenge=1&hub.verify_token=t&validationToken=c", "text/plain", "", "webhook-request-origin", "a.example", false)
	f.Add(uint8(1), uint8(1), "OPTIONS", "", "multipart/form-data; boundary=x", "--x\r\n", "origin", "https://a.example", true)
	f.Fuzz(func(t *testing.T, door, provider uint8, method, query, contentType, body, name, value string, isBase64 bool) {
		path := fmt.Sprintf("/%d/x", int(provider)%len(providers))
		payload, err := json.Marshal(doors[int(door)%len(doors)](method, path, query, contentType, body, name, value, isBase64))
		if err != nil {
			return
		}
		before := started.Load()
		if got := invoke(t, front, payload); got.StatusCode < 200 || got.StatusCode > 599 {
			t.Errorf("status %d", got.StatusCode)
		}
		if started.Load() != before {
			t.Fatalf("a forged request started a workflow: %s", payload)
		}
	})
}
