package verify_test

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/internal/shared"
	"github.com/expressway-dev/expressway/pkg/secrets"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// A vector is one case of vectors/webhook-signatures.json; the file documents the
// fields.
type vector struct {
	ID       string
	Provider string
	Scheme   string
	Kind     string
	Request  struct {
		Method       string
		URL          string
		Headers      map[string]string
		Body         string
		BodyEncoding string `json:"body_encoding"`
	}
	Secrets     []string
	PublicKeys  []string `json:"public_keys"`
	Certificate string   `json:"certificate_pem"`
	KeyEncoding string   `json:"key_encoding"`
	Signing     struct {
		Type, Algorithm, Encoding, Header, Username, Version string
		SignatureHeader                                      string `json:"signature_header"`
		SignedContent                                        string `json:"signed_content"`
		SignaturePrefix                                      string `json:"signature_prefix"`
		PrefixOptional                                       bool   `json:"prefix_optional"`
		ListSeparator                                        string `json:"list_separator"`
		HeaderFormat                                         string `json:"header_format"`
		KVSeparator                                          string `json:"kv_separator"`
		TimestampKey                                         string `json:"timestamp_key"`
		SignatureKey                                         string `json:"signature_key"`
		TimestampHeader                                      string `json:"timestamp_header"`
		TimestampFormat                                      string `json:"timestamp_format"`
	}
	Now            *int64
	Expect         string
	ExpectResponse struct {
		Status      int
		ContentType string         `json:"content_type"`
		Body        map[string]any `json:"body_json"`
	} `json:"expect_response"`
}

func loadVectors(t testing.TB) []vector {
	t.Helper()
	var file struct{ Vectors []vector }
	if err := json.Unmarshal(shared.Read(t, "vectors/webhook-signatures.json"), &file); err != nil {
		t.Fatal(err)
	}
	return file.Vectors
}

// environment holds secrets under the references env:S0, env:S1, …
type environment []string

func (e environment) source() secrets.Source {
	return secrets.NewEnv(func(name string) string {
		for i, s := range e {
			if name == fmt.Sprintf("S%d", i) {
				return s
			}
		}
		return ""
	})
}

func (e environment) references() []string {
	refs := make([]string, len(e))
	for i := range e {
		refs[i] = fmt.Sprintf("env:S%d", i)
	}
	return refs
}

func (v *vector) request(t testing.TB) *verify.Request {
	t.Helper()
	u, err := url.Parse(v.Request.URL)
	if err != nil {
		t.Fatal(err)
	}
	r := &verify.Request{
		Method: v.Request.Method, Path: u.EscapedPath(), RawQuery: u.RawQuery, Header: http.Header{}, Body: []byte(v.Request.Body),
	}
	if v.Request.BodyEncoding == "base64" {
		if r.Body, err = base64.StdEncoding.DecodeString(v.Request.Body); err != nil {
			t.Fatal(err)
		}
	}
	for name, value := range v.Request.Headers {
		r.Header.Set(name, value)
	}
	return r
}

// clock is the vector's, or, where it does not check freshness, the time that the
// request itself claims.
func (v *vector) clock(r *verify.Request) func() time.Time {
	at := time.Unix(1_700_000_000, 0)
	claimed := ""
	if v.Signing.TimestampHeader != "" {
		claimed = r.Header.Get(v.Signing.TimestampHeader)
	}
	if claimed == "" {
		claimed = r.Header.Get("Box-Delivery-Timestamp")
	}
	if strings.HasPrefix(r.Header.Get("Paddle-Signature"), "ts=") {
		claimed, _, _ = strings.Cut(r.Header.Get("Paddle-Signature")[3:], ";")
	}
	var sns struct{ Timestamp string }
	if v.Provider == "aws-sns" && json.Unmarshal(r.Body, &sns) == nil {
		claimed = sns.Timestamp
	}
	var n int64
	if t, err := time.Parse(time.RFC3339, claimed); err == nil {
		at = t
	} else if _, err := fmt.Sscanf(claimed, "%d", &n); err == nil {
		at = time.Unix(n, 0)
		if v.Signing.TimestampFormat == "unix_ms" {
			at = time.UnixMilli(n)
		}
	}
	if v.Now != nil {
		at = time.Unix(*v.Now, 0)
	}
	return func() time.Time { return at }
}

// hmacSpec describes the vector as a generic hmac block.
func (v *vector) hmacSpec() verify.Spec {
	s := v.Signing
	h := &verify.HMAC{
		Header: s.SignatureHeader, Algorithm: s.Algorithm, Encoding: s.Encoding, Prefix: s.SignaturePrefix,
		PrefixOptional: s.PrefixOptional, Separator: s.ListSeparator, Signed: s.SignedContent, Format: s.HeaderFormat,
		TimestampKey: s.TimestampKey, SignatureKey: s.SignatureKey,
	}
	if s.HeaderFormat == "kv" {
		h.Separator = s.KVSeparator
	}
	if s.TimestampHeader != "" && s.TimestampFormat != "scalr" {
		h.Timestamp = &verify.Timestamp{Header: s.TimestampHeader, Format: s.TimestampFormat}
	}
	if v.KeyEncoding != "utf8" {
		h.KeyEncoding = v.KeyEncoding
	}
	return verify.Spec{HMAC: h}
}

// specs are the ways the vector can be configured: by preset, as a generic block,
// or both.
func (v *vector) specs() map[string]verify.Spec {
	out := map[string]verify.Spec{}
	preset := map[string]string{
		"bitbucket-server": "bitbucket", "aws-sns": "sns", "openai": "standard-webhooks", "twitter": "x",
	}[v.Provider]
	if preset == "" {
		preset = v.Provider
	}
	if p, ok := verify.Lookup(preset); ok && v.Kind == "" && (v.Provider != "github" || v.Signing.Algorithm == p.HMAC.Algorithm || v.Signing.Algorithm == "sha256") {
		out["preset"] = verify.Spec{Provider: preset}
	}
	switch v.Scheme {
	case "hmac":
		out["generic"] = v.hmacSpec()
	case "basic":
		out["generic"] = verify.Spec{Basic: &verify.Basic{Username: v.Signing.Username}}
	case "static_token":
		out["generic"] = verify.Spec{Token: &verify.Token{Header: v.Signing.Header}}
	}
	u, _ := url.Parse(v.Request.URL)
	for name, s := range out {
		if preset == "sns" {
			s.Topics = verify.Topics{"arn:aws:sns:us-west-2:131990247566:dongie-standard-topic"}
		}
		if s.Provider == "hubspot" {
			s.Versions = []string{"v3", "v2", "v1"}
		}
		s.URL = u.Scheme + "://" + u.Host
		out[name] = s
	}
	return out
}

// TestVectors runs every published vector in each way that it can be configured.
// Four of the 99 are bare JSON Web Tokens, which lack some of the claims that a
// verify block requires: they count by their signature (see signature).
func TestVectors(t *testing.T) {
	t.Parallel()
	vectors := loadVectors(t)
	passed, checks := 0, 0
	for _, v := range vectors {
		var outcomes map[string]string
		switch {
		case v.Scheme == "jwt":
			outcomes = map[string]string{"signature": v.signature(t)}
		case v.Scheme == "twitter_crc":
			outcomes = map[string]string{"handshake": v.handshake(t)}
		default:
			outcomes = v.outcomes(t)
		}
		ok := len(outcomes) > 0
		for name, got := range outcomes {
			checks++
			if got != v.Expect {
				t.Errorf("%s (%s) is %s, want %s", v.ID, name, got, v.Expect)
				ok = false
			}
		}
		if ok {
			passed++
		} else if len(outcomes) == 0 {
			t.Errorf("%s: no way to configure it", v.ID)
		}
	}
	t.Logf("%d of %d vectors pass, in %d configurations", passed, len(vectors), checks)
	if len(vectors) < 99 {
		t.Errorf("%d vectors, want 99", len(vectors))
	}
}

func (v *vector) outcomes(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for name, spec := range v.specs() {
		if err := v.run(t, spec); err != nil {
			out[name] = "invalid"
		} else {
			out[name] = "valid"
		}
	}
	return out
}

// signature is what a token's signature is worth. The signature is checked first: a
// good one is refused for a claim that is not there, a bad one for a mismatch.
func (v *vector) signature(t *testing.T) string {
	t.Helper()
	spec := verify.Spec{JWT: &verify.JWT{Issuer: "joe", Audience: "a", Algorithms: []string{v.Signing.Algorithm}}}
	var keys environment
	for _, s := range v.Secrets {
		key, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, string(key))
	}
	spec.Secrets = keys.references()
	if len(keys) == 0 {
		spec.JWT.JWKS = "https://issuer.example/keys"
	}
	r := v.request(t)
	verifier, err := verify.New(spec, keys.source(), verify.Options{Now: v.clock(r), Fetch: func(context.Context, string) ([]byte, error) {
		var set []any
		for _, text := range v.PublicKeys {
			block, _ := pem.Decode([]byte(text))
			key, err := x509.ParsePKIXPublicKey(block.Bytes)
			if err != nil {
				return nil, err
			}
			set = append(set, jwk(t, "", key, nil))
		}
		return json.Marshal(map[string]any{"keys": set})
	}})
	if err != nil {
		t.Fatalf("%s: New: %v", v.ID, err)
	}
	err = verifier.Verify(t.Context(), r)
	switch verify.ReasonOf(err) {
	case verify.Missing:
		return "valid"
	case verify.Mismatch:
		return "invalid"
	}
	t.Errorf("%s: Verify = %v, want a claim missing or a mismatch", v.ID, err)
	return ""
}

func (v *vector) handshake(t *testing.T) string {
	t.Helper()
	keys := environment(v.Secrets)
	h, err := verify.NewHandshaker(verify.Spec{Provider: "x", Secrets: keys.references()}, keys.source(), verify.Options{Now: clockAt(epoch)})
	if err != nil {
		t.Fatal(err)
	}
	reply, err := h.Before(t.Context(), v.request(t))
	if err != nil || reply == nil {
		t.Errorf("%s: Before = %v, %v, want a reply", v.ID, reply, err)
		return "invalid"
	}
	var body map[string]any
	if err := json.Unmarshal(reply.Body, &body); err != nil {
		t.Fatal(err)
	}
	want := v.ExpectResponse
	if reply.Status != want.Status || reply.Header.Get("Content-Type") != want.ContentType || !cmp.Equal(body, want.Body) {
		t.Errorf("%s: %d %s %v, want %+v", v.ID, reply.Status, reply.Header, body, want)
		return "invalid"
	}
	return "valid"
}

func (v *vector) run(t testing.TB, spec verify.Spec) error {
	t.Helper()
	keys := environment(v.PublicKeys)
	for _, s := range v.Secrets {
		if s != "" || len(v.Secrets) == 1 { // an unset second secret is one that is not configured
			keys = append(keys, s)
		}
	}
	spec.Secrets = keys.references()
	r := v.request(t)
	verifier, err := verify.New(spec, keys.source(), verify.Options{Now: v.clock(r), Fetch: func(context.Context, string) ([]byte, error) {
		return []byte(v.Certificate), nil
	}})
	if err != nil {
		if v.ID != "adnanh-sha1-empty-secret" { // the only vector that cannot be configured
			t.Fatalf("%s: New: %v", v.ID, err)
		}
		return err
	}
	err = verifier.Verify(t.Context(), r)
	if (err == nil) == (verify.ReasonOf(err) != "") {
		t.Errorf("%s: Verify = %v, want nil or an error with a reason", v.ID, err)
	}
	return err
}
