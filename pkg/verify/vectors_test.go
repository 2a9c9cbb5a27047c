package verify_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

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
	Now    *int64
	Expect string
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
		s.URL = u.Scheme + "://" + u.Host
		out[name] = s
	}
	return out
}

// The vectors that no verify block describes: JWTs, and a handshake.
var unsupported = map[string]bool{
	"jwt-rs256": true, "jwt-rs256-invalid": true, "jwt-es256": true, "jwt-hs256-rfc7515-a1": true, "twitter-crc": true,
}

func TestVectors(t *testing.T) {
	t.Parallel()
	const floor = 94 // of 99; the rest is listed above
	vectors := loadVectors(t)
	passed, checks := 0, 0
	for _, v := range vectors {
		specs := v.specs()
		if len(specs) == 0 {
			if !unsupported[v.ID] {
				t.Errorf("%s: no way to configure it", v.ID)
			}
			continue
		}
		if unsupported[v.ID] {
			t.Errorf("%s is supported now: take it off the list", v.ID)
		}
		ok := true
		for name, spec := range specs {
			checks++
			err := v.run(t, spec)
			if got := map[bool]string{true: "valid", false: "invalid"}[err == nil]; got != v.Expect {
				t.Errorf("%s (%s) = %s (%v), want %s", v.ID, name, got, err, v.Expect)
				ok = false
			}
		}
		if ok {
			passed++
		}
	}
	t.Logf("%d of %d vectors pass, in %d configurations; unsupported: %d", passed, len(vectors), checks, len(unsupported))
	if passed < floor {
		t.Errorf("%d vectors pass, want at least %d", passed, floor)
	}
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
	verifier, err := verify.New(spec, keys.source(), v.clock(r), verify.WithFetch(func(context.Context, string) ([]byte, error) {
		return []byte(v.Certificate), nil
	}))
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
