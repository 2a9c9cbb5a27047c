package httpfront_test

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/httpfront"
)

func mac(text string) []byte {
	m := hmac.New(sha256.New, []byte("s3cret"))
	m.Write([]byte(text))
	return m.Sum(nil)
}

// withQuery puts a query into an event of HTTP API.
func withQuery(payload []byte, query string) []byte {
	encoded, _ := json.Marshal(query)
	return []byte(strings.Replace(string(payload), `"rawQueryString":""`, `"rawQueryString":`+string(encoded), 1))
}

// Every provider's exchange, as an event: answered on the route's path, and nothing starts.
func TestHandshakes(t *testing.T) {
	t.Parallel()
	key := ed25519.NewKeyFromSeed([]byte(strings.Repeat("d", ed25519.SeedSize)))
	vars := maps.Clone(environment)
	vars["DISCORD"] = hex.EncodeToString(key.Public().(ed25519.PublicKey))
	at := fmt.Sprint(time.Now().Unix())
	discord := func(body string) []byte {
		return event("POST", "/h", "application/json", body, "x-signature-timestamp", at,
			"x-signature-ed25519", hex.EncodeToString(ed25519.Sign(key, []byte(at+body))))
	}
	twitch := func(secretText string) []byte {
		const body = `{"challenge":"pogchamp-kappa-360noscope-vohiyo","subscription":{"id":"f1c2a387"}}`
		stamp := time.Now().UTC().Format(time.RFC3339Nano)
		return event("POST", "/h", "application/json", body, "twitch-eventsub-message-id", "m1", "twitch-eventsub-message-timestamp", stamp,
			"twitch-eventsub-message-type", "webhook_callback_verification",
			"twitch-eventsub-message-signature", "sha256="+hex.EncodeToString(mac(secretText+stamp+body)))
	}
	get := func(query string) []byte { return withQuery(event("GET", "/h", "", ""), query) }
	const slackBody = `{"token":"t","challenge":"3eZbrw1aBm2rZgRNFdxV","type":"url_verification"}`
	provider := func(name string) string { return "{provider: " + name + ", secrets: ['env:SECRET']}" }
	tests := map[string]struct {
		verify  string
		payload []byte
		status  int
		body    string
		keys    string // more of the route
		header  [2]string
	}{
		"slack":           {verify: provider("slack"), payload: signedEvent(t, "slack", "/h", slackBody), status: 200, body: "3eZbrw1aBm2rZgRNFdxV"},
		"slack, unsigned": {verify: provider("slack"), payload: event("POST", "/h", "application/json", slackBody), status: 401},
		"zoom": {
			verify: provider("zoom"), payload: signedEvent(t, "zoom", "/h", `{"event":"endpoint.url_validation","payload":{"plainToken":"qgg8"}}`),
			status: 200, body: `{"plainToken":"qgg8","encryptedToken":"` + hex.EncodeToString(mac("qgg8")) + `"}`,
		},
		"discord":                 {verify: "{provider: discord, secrets: ['env:DISCORD']}", payload: discord(`{"type":1}`), status: 200, body: `{"type":1}`},
		"discord, unsigned":       {verify: "{provider: discord, secrets: ['env:DISCORD']}", payload: event("POST", "/h", "application/json", `{"type":1}`), status: 401},
		"twitch":                  {verify: provider("twitch"), payload: twitch("m1"), status: 200, body: "pogchamp-kappa-360noscope-vohiyo"},
		"twitch, another's id":    {verify: provider("twitch"), payload: twitch("m2"), status: 401},
		"meta":                    {verify: "{provider: meta, secrets: ['env:SECRET'], token: env:TOKEN}", payload: get("hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=t0ken"), status: 200, body: "1158201444"},
		"meta, wrong token":       {verify: "{provider: meta, secrets: ['env:SECRET'], token: env:TOKEN}", payload: get("hub.mode=subscribe&hub.challenge=1&hub.verify_token=guess"), status: 401},
		"meta, no handshake":      {verify: "{provider: meta, secrets: ['env:SECRET'], token: env:TOKEN}", payload: get("a=b"), status: 405},
		"x":                       {verify: provider("x"), payload: get("crc_token=MTIz"), status: 200, body: `{"response_token":"sha256=` + base64.StdEncoding.EncodeToString(mac("MTIz")) + `"}`},
		"x, no oracle":            {verify: provider("x"), payload: get("crc_token=" + url.QueryEscape(`{"a":"b"}`)), status: 401},
		"dropbox":                 {verify: provider("dropbox"), payload: get("challenge=abc123"), status: 200, body: "abc123", header: [2]string{"X-Content-Type-Options", "nosniff"}},
		"dropbox, markup":         {verify: provider("dropbox"), payload: get("challenge=%3Cscript%3E"), status: 401},
		"microsoft-graph":         {verify: provider("microsoft-graph"), payload: withQuery(event("POST", "/h", "text/plain; charset=utf-8", ""), "validationToken=Validation%3A%20Testing"), status: 200, body: "Validation: Testing"},
		"cloudevents":             {verify: provider("github"), payload: event("OPTIONS", "/h", "", "", "webhook-request-origin", "eventgrid.azure.net"), status: 200, keys: "    cloudevents: {origins: [eventgrid.azure.net]}\n", header: [2]string{"Webhook-Allowed-Origin", "eventgrid.azure.net"}},
		"cloudevents, no consent": {verify: provider("github"), payload: event("OPTIONS", "/h", "", "", "webhook-request-origin", "evil.example"), status: 405, keys: "    cloudevents: {origins: [eventgrid.azure.net]}\n"},
		"cloudevents, plain":      {verify: provider("github"), payload: event("OPTIONS", "/h", "", ""), status: 204, keys: "    cloudevents: {origins: [eventgrid.azure.net]}\n", header: [2]string{"Allow", "POST, OPTIONS"}},
		"no handshake at all":     {verify: provider("github"), payload: get("challenge=abc"), status: 405},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, pattern := range []string{"POST /h", "/h", "POST /{path}"} {
				if pattern == "/h" && (test.status == 405 || test.status == 204) {
					continue // it takes every method
				}
				routes := "  - name: h\n    http: " + pattern + "\n    start: m\n    verify: " + test.verify + "\n" + test.keys
				f := frontOf(t, routes, never(t), func(name string) string { return vars[name] }, nil, httpfront.Options{})
				got := invoke(t, f, test.payload)
				if got.StatusCode != test.status || test.body != "" && got.Body != test.body {
					t.Errorf("%s: got %d %s, want %d %s", pattern, got.StatusCode, got.Body, test.status, test.body)
				}
				if test.header[0] != "" && got.Headers[test.header[0]] != test.header[1] {
					t.Errorf("%s: headers = %v, want %v", pattern, got.Headers, test.header)
				}
			}
		})
	}
}

// A handshake is for the route that takes the deliveries, even where another takes
// every GET; all else is that other's.
func TestHandshakeBesideOtherRoutes(t *testing.T) {
	t.Parallel()
	f := front(t, `  - {name: rest, http: "/{path...}", verify: none, start: m}
  - {name: meta, http: POST /h, verify: {provider: meta, secrets: ["env:SECRET"], token: env:TOKEN}, start: m}
  - {name: box, http: POST /b, verify: {provider: dropbox, secrets: ["env:SECRET"]}, start: m}
`, succeedWith(`"started"`))
	if got := invoke(t, f, withQuery(event("GET", "/h", "", ""), "hub.mode=subscribe&hub.challenge=1&hub.verify_token=t0ken")); got.Body != "1" {
		t.Errorf("handshake = %d %s, want the challenge", got.StatusCode, got.Body)
	}
	if got := invoke(t, f, event("GET", "/h", "", "")); got.Body != `"started"` {
		t.Errorf("GET without a handshake = %d %s, want the other route", got.StatusCode, got.Body)
	}
}

// A catch sees the path of a handshake that was refused.
func TestCatchOfRefusedHandshake(t *testing.T) {
	t.Parallel()
	f := front(t, `  - name: meta
    http: POST /h/{tenant}
    verify: {provider: meta, secrets: ["env:SECRET"], token: env:TOKEN}
    start: m
    catch: [{errors: [Expressway.Unverified], status: 403, body: '{% $request.params.tenant %}'}]
`, never(t))
	got := invoke(t, f, withQuery(event("GET", "/h/acme", "", ""), "hub.mode=subscribe&hub.challenge=1&hub.verify_token=guess"))
	if got.StatusCode != 403 || got.Body != "acme" {
		t.Errorf("got %d %s, want 403 acme", got.StatusCode, got.Body)
	}
}

// A subscription of SNS is confirmed once its message is verified, and only then.
func TestConfirmSubscription(t *testing.T) {
	t.Parallel()
	v := vectorNamed(t, "sns-subscription-confirmation")
	var message struct{ SubscribeURL, SigningCertURL, TopicArn string }
	if err := json.Unmarshal([]byte(v.Request.Body), &message); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		topic  string
		failed bool
		status int
	}{
		"confirmed":          {message.TopicArn, false, 200},
		"another's topic":    {"arn:aws:sns:us-east-1:123456789012:other", false, 401},
		"not to be reached":  {message.TopicArn, true, 503},
		"any topic, written": {"any", false, 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var visited []string
			fetch := func(_ context.Context, url string) ([]byte, error) {
				visited = append(visited, url)
				if url == message.SigningCertURL {
					return []byte(v.Certificate), nil
				}
				if test.failed {
					return nil, errors.New("no way")
				}
				return nil, nil
			}
			f := frontOf(t, "  - {name: h, http: POST /, verify: {provider: sns, topics: '"+test.topic+"'}, start: m}\n", never(t), getenv, v.clock(), httpfront.Options{Fetch: fetch})
			got := invoke(t, f, v.event(t, httpfront.HTTPAPI))
			if got.StatusCode != test.status || (got.Headers["Retry-After"] != "") != (test.status == 503) {
				t.Errorf("got %d %v %s, want %d", got.StatusCode, got.Headers, got.Body, test.status)
			}
			if want := test.status != 401; slices.Contains(visited, message.SubscribeURL) != want {
				t.Errorf("visited %q, want the confirmation: %v", visited, want)
			}
		})
	}
}

// never fails the test when something is started.
func never(t testing.TB) starterFunc {
	return func(context.Context, bridge.Start) (bridge.Outcome, error) {
		t.Error("something was started")
		return bridge.Outcome{}, nil
	}
}

func frontOf(t testing.TB, routes string, starter starterFunc, getenv func(string) string, now func() time.Time, options httpfront.Options) *httpfront.Front {
	t.Helper()
	return newFront(t, routes, starter, getenv, bridge.Options{Now: now}, options)
}

// Who the client is, two front doors say; a header cannot.
func TestClientCertificate(t *testing.T) {
	t.Parallel()
	const routes = "  - {name: a, http: POST /a, verify: {mtls: {subject: 'CN=*.example.com', issuer: CN=ca}}, start: m}\n"
	f := front(t, routes, succeedWith(`{}`))
	soon := time.Now().Add(time.Hour).UTC().Format("Jan _2 15:04:05 2006 GMT")
	past := time.Now().Add(-time.Hour).UTC().Format("Jan _2 15:04:05 2006 GMT")
	cert := func(subject string) string {
		return `{"clientCertPem":"x","subjectDN":"` + subject + `","issuerDN":"CN=ca","serialNumber":"1","validity":{"notBefore":"` + past + `","notAfter":"` + soon + `"}}`
	}
	v2 := func(authentication string) []byte {
		return []byte(strings.Replace(string(post(`{}`)), `"domainName"`, `"authentication":`+authentication+`,"domainName"`, 1))
	}
	rest := func(identity string) []byte {
		return []byte(`{"resource":"/a","path":"/a","httpMethod":"POST","headers":{},"requestContext":{"stage":"p","requestId":"r","identity":` + identity + `},"body":null,"isBase64Encoded":false}`)
	}
	got := map[string]int{}
	for name, payload := range map[string][]byte{
		"http api":            v2(`{"clientCert":` + cert("CN=orders.example.com") + `}`),
		"http api, another":   v2(`{"clientCert":` + cert("CN=example.com.evil") + `}`),
		"http api, null":      v2(`null`),
		"http api, none":      post(`{}`),
		"http api, by header": post(`{}`, "x-amzn-mtls-clientcert-subject", "CN=orders.example.com"),
		"rest":                rest(`{"clientCert":` + cert("CN=orders.example.com") + `,"sourceIp":"192.0.2.1"}`),
		"rest, none":          rest(`{"sourceIp":"192.0.2.1"}`),
	} {
		got[name] = invoke(t, f, payload).StatusCode
	}
	want := map[string]int{
		"http api": 200, "http api, another": 401, "http api, null": 401, "http api, none": 401, "http api, by header": 401, "rest": 200, "rest, none": 401,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
}

// A bearer token that its issuer signed starts the workflow; no part of it may be off.
func TestBearerTokens(t *testing.T) {
	t.Parallel()
	key := strings.Repeat("k", 32)
	vars := map[string]string{"JWT_KEY": key}
	f := frontOf(t, "  - {name: a, http: POST /a, verify: {jwt: {issuer: joe, audience: hooks}, secrets: ['env:JWT_KEY']}, start: m}\n",
		func(_ context.Context, s bridge.Start) (bridge.Outcome, error) {
			if strings.Contains(string(s.Input), "eyJ") {
				t.Errorf("the default input holds the token: %s", s.Input)
			}
			return bridge.Outcome{Status: bridge.Succeeded, Output: json.RawMessage(`{}`)}, nil
		}, func(name string) string { return vars[name] }, nil, httpfront.Options{})
	token := func(claims string, key string) string {
		b64 := base64.RawURLEncoding.EncodeToString
		signed := b64([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + b64([]byte(claims))
		m := hmac.New(sha256.New, []byte(key))
		m.Write([]byte(signed))
		return "Bearer " + signed + "." + b64(m.Sum(nil))
	}
	soon, past := fmt.Sprint(time.Now().Add(time.Hour).Unix()), fmt.Sprint(time.Now().Add(-time.Hour).Unix())
	for name, test := range map[string]struct {
		authorization string
		status        int
	}{
		"good":         {token(`{"iss":"joe","aud":"hooks","exp":`+soon+`}`, key), 200},
		"expired":      {token(`{"iss":"joe","aud":"hooks","exp":`+past+`}`, key), 401},
		"no expiry":    {token(`{"iss":"joe","aud":"hooks"}`, key), 401},
		"for another":  {token(`{"iss":"joe","aud":"other","exp":`+soon+`}`, key), 401},
		"by another":   {token(`{"iss":"eve","aud":"hooks","exp":`+soon+`}`, key), 401},
		"another's":    {token(`{"iss":"joe","aud":"hooks","exp":`+soon+`}`, strings.Repeat("x", 32)), 401},
		"no token":     {"Bearer x", 401},
		"other scheme": {"Basic x", 401},
	} {
		if got := invoke(t, f, post(`{}`, "authorization", test.authorization)); got.StatusCode != test.status {
			t.Errorf("%s: %d %s, want %d", name, got.StatusCode, got.Body, test.status)
		}
	}
}
