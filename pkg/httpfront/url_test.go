package httpfront_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/httpfront"
)

// What a signature over the URL covers is the URL that the sender called: through every
// door, with the stage or base path that is cut before routing.
func TestSignedURLs(t *testing.T) {
	t.Parallel()
	const host = "https://hooks.example.com"
	v2 := func(stage, path string) string {
		return `{"version":"2.0","rawPath":"` + path + `","rawQueryString":"a=b%20c&d=","headers":HEADERS,"requestContext":{"domainName":"api.example.com","stage":"` + stage + `","http":{"method":"POST"}},"body":"{}"}`
	}
	v1 := func(version, stage, path, called string) string {
		return `{` + version + `"path":"` + path + `","httpMethod":"POST","multiValueHeaders":null,"headers":HEADERS,"multiValueQueryStringParameters":{"a":["b c"],"d":[""]},"requestContext":{"stage":"` + stage + `","path":"` + called + `","requestId":"r"},"body":"{}"}`
	}
	tests := map[string]struct {
		event, url, signed string // signed: without the query
		query              string
	}{
		"HTTP API":                       {v2("$default", "/s/1"), host, host + "/s/1", "a=b%20c&d="},
		"HTTP API, a stage":              {v2("prod", "/prod/s/1"), host, host + "/prod/s/1", "a=b%20c&d="},
		"HTTP API, a decoded path":       {v2("prod", "/prod/s/a b"), host, host + "/prod/s/a%20b", "a=b%20c&d="},
		"HTTP API, a mapping":            {v2("$default", "/hooks/v1/s/1"), host, host + "/hooks/v1/s/1", "a=b%20c&d="},
		"HTTP API, a trailing slash":     {v2("prod", "/prod/s/1/"), host, host + "/prod/s/1/", "a=b%20c&d="},
		"HTTP API, the URL has a path":   {v2("prod", "/prod/s/1"), host + "/outside", host + "/outside/s/1", "a=b%20c&d="},
		"HTTP API, mapping and path":     {v2("$default", "/hooks/v1/s/1"), host + "/", host + "/hooks/v1/s/1", "a=b%20c&d="},
		"payload 1.0":                    {v1(`"version":"1.0",`, "dev", "/dev/s/1", "/dev/s/1"), host, host + "/dev/s/1", "a=b+c&d="},
		"REST, a stage":                  {v1("", "prod", "/s/1", "/prod/s/1"), host, host + "/prod/s/1", "a=b+c&d="},
		"REST, an encoded path":          {v1("", "prod", "/s/a%20b", "/prod/s/a%20b"), host, host + "/prod/s/a%20b", "a=b+c&d="},
		"REST, a path that says decoded": {v1("", "prod", "/s/a%20b", "/prod/s/a b"), host, host + "/prod/s/a%20b", "a=b+c&d="},
		"REST, a base path":              {v1("", "prod", "/hooks/s/1", "/hooks/s/1"), host, host + "/hooks/s/1", "a=b+c&d="},
		"REST, the URL has a path":       {v1("", "prod", "/s/1", "/prod/s/1"), host + "/x/y/", host + "/x/y/s/1", "a=b+c&d="},
		"REST, another tool":             {v1("", "", "/s/1", ""), host, host + "/s/1", "a=b+c&d="},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			routes := route(`    http: POST /s/{id}
    verify: {hmac: {header: S, signed: '{method} {url}|{path}|{query}|{body}'}, url: '` + test.url + `', secrets: ["env:SECRET"]}
`)
			f := newFront(t, routes, starterFunc(echo), getenv, bridge.Options{}, httpfront.Options{BasePaths: []string{"/hooks", "/hooks/v1/", "/none"}})
			mac := hmac.New(sha256.New, []byte("s3cret"))
			path := strings.TrimPrefix(test.signed, host)
			fmt.Fprintf(mac, "POST %s?%s|%s|%s|{}", test.signed, test.query, path, test.query)
			headers, _ := json.Marshal(map[string]string{"S": hex.EncodeToString(mac.Sum(nil))})
			got := invoke(t, f, []byte(strings.Replace(test.event, "HEADERS", string(headers), 1)))
			if got.StatusCode != 200 || !strings.Contains(got.Body, `"path":"/s/`) {
				t.Errorf("got %d %s, want 200: what was signed is %s", got.StatusCode, got.Body, test.signed)
			}
		})
	}
}

// The presets that sign the URL do so behind a stage, too, and a signature for another
// URL is refused there.
func TestPresetsBehindAStage(t *testing.T) {
	t.Parallel()
	const routes = `  - {name: sq, http: POST /sq, verify: {provider: square, secrets: ["env:SECRET"], url: "https://hooks.example.com"}, start: m}
`
	f := front(t, routes, starterFunc(echo))
	for url, want := range map[string]int{"https://hooks.example.com/prod/sq": 200, "https://hooks.example.com/sq": 401} {
		mac := hmac.New(sha256.New, []byte("s3cret"))
		mac.Write([]byte(url + `{}`))
		payload := `{"path":"/sq","httpMethod":"POST","headers":{"X-Square-HmacSha256-Signature":"` + base64.StdEncoding.EncodeToString(mac.Sum(nil)) +
			`"},"requestContext":{"stage":"prod","path":"/prod/sq"},"body":"{}"}`
		if got := invoke(t, f, []byte(payload)); got.StatusCode != want {
			t.Errorf("signed for %s: got %d, want %d", url, got.StatusCode, want)
		}
	}
}

// A base path is whole segments, and the longest counts; the path that expressions see
// has none.
func TestBasePaths(t *testing.T) {
	t.Parallel()
	const routes = `  - {name: root, http: "GET /{$}", verify: none, start: m, input: "{% $request.path %}"}
  - {name: a, http: GET /a, verify: none, start: m, input: "{% $request.path %}"}
  - {name: hooks, http: GET /hooksy/a, verify: none, start: m, input: "{% $request.path %}"}
`
	f := newFront(t, routes, starterFunc(echo), getenv, bridge.Options{}, httpfront.Options{BasePaths: []string{"/hooks", "/hooks/v1"}})
	for path, want := range map[string]string{
		"/a": `"/a"`, "/hooks/a": `"/a"`, "/hooks/v1/a": `"/a"`, "/hooks": `"/"`, "/hooks/": `"/"`, "/hooksy/a": `"/hooksy/a"`, "/hooks/hooks/a": "",
	} {
		got := invoke(t, f, event("GET", path, "", ""))
		if want == "" && got.StatusCode != 404 || want != "" && got.Body != want {
			t.Errorf("%s: got %d %s, want %s", path, got.StatusCode, got.Body, want)
		}
	}
}

// A path with one slash more than a pattern matches it, unless another pattern does.
func TestTrailingSlash(t *testing.T) {
	t.Parallel()
	const routes = `  - {name: plain, http: POST /plain, verify: none, start: m, input: plain}
  - {name: param, http: "POST /p/{id}", verify: none, start: m, input: "{% $request.params.id %}"}
  - {name: both, http: POST /both, verify: none, start: m, input: both}
  - {name: slash, http: "POST /both/{$}", verify: none, start: m, input: slash}
  - {name: mixed, http: "GET /both/{$}", verify: none, start: m, input: get}
  - {name: meta, http: POST /meta, verify: {provider: meta, secrets: ["env:SECRET"], token: "env:TOKEN"}, start: m}
`
	f := front(t, routes, starterFunc(echo))
	for path, want := range map[string]string{
		"/plain": `200 "plain"`, "/plain/": `200 "plain"`, "/plain//": "404", "/p/1/": `200 "1"`, "/both/": `200 "slash"`, "/both": `200 "both"`, "/plain/x": "404",
	} {
		got := invoke(t, f, event("POST", path, "", ""))
		if text := fmt.Sprintf("%d %s", got.StatusCode, got.Body); !strings.HasPrefix(text, want) {
			t.Errorf("%s: got %s, want %s", path, text, want)
		}
	}
	if got := invoke(t, f, event("GET", "/plain/", "", "")); got.StatusCode != 405 || got.Headers["Allow"] != "POST" {
		t.Errorf("another method: got %d, Allow %q; want 405 and POST", got.StatusCode, got.Headers["Allow"])
	}
	handshake := strings.Replace(string(event("GET", "/meta/", "", "")), `"rawQueryString":""`, `"rawQueryString":"hub.mode=subscribe&hub.challenge=1&hub.verify_token=t0ken"`, 1)
	if got := invoke(t, f, []byte(handshake)); got.StatusCode != 200 || got.Body != "1" {
		t.Errorf("a handshake: got %d %s, want 200 1", got.StatusCode, got.Body)
	}
}

// Fields into which HTTP/2 has split a Cookie header are one header again.
func TestCookieFrames(t *testing.T) {
	t.Parallel()
	const routes = `  - {name: c, http: GET /c, verify: none, start: m, input: {cookies: "{% $request.cookies %}", header: "{% $request.headers.cookie %}"}}
`
	const want = `{"cookies":{"a":"1","b":"2"},"header":"a=1; b=2"}`
	f := front(t, routes, starterFunc(echo))
	for name, payload := range map[string]string{
		"REST":    `{"path":"/c","httpMethod":"GET","multiValueHeaders":{"Cookie":["a=1","b=2"]},"requestContext":{"stage":"p"},"body":null}`,
		"ALB":     `{"path":"/c","httpMethod":"GET","multiValueHeaders":{"cookie":["a=1","b=2"]},"requestContext":{"elb":{}},"body":""}`,
		"Lattice": `{"path":"/c","method":"GET","headers":{"cookie":["a=1","b=2"]},"requestContext":{"serviceNetworkArn":"a"},"body":""}`,
	} {
		if got := invoke(t, f, []byte(payload)); got.Body != want {
			t.Errorf("%s: got %s, want %s", name, got.Body, want)
		}
	}
}
