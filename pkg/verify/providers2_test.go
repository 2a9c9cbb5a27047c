package verify_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/internal/shared"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// A sample is one case of vectors/providers-2.json, which documents its fields.
type sample struct {
	vector
	Config map[string]string
	Key    struct {
		URL, Body string
	} `json:"key_document"`
	Answer struct {
		Status  int
		Body    *string
		JSON    map[string]any
		Content string `json:"content_type"`
	} `json:"expect_response"`
	VerifiedBy string `json:"verified_by"`
	Source     struct{ Confidence string }
	More       []struct {
		Body    *string
		Headers map[string]string
		URL     string
	} `json:"invalid_variants"`
}

func loadSamples(t testing.TB) []sample {
	t.Helper()
	var file struct{ Vectors []sample }
	if err := json.Unmarshal(shared.Read(t, "vectors/providers-2.json"), &file); err != nil {
		t.Fatal(err)
	}
	return file.Vectors
}

// spec is the verify block of the sample's provider, and its secrets: shared ones, or
// public keys where these are not fetched.
func (v *sample) spec(t testing.TB) (verify.Spec, environment) {
	t.Helper()
	u, err := url.Parse(v.Request.URL)
	if err != nil {
		t.Fatal(err)
	}
	s := verify.Spec{Provider: v.Provider, URL: u.Scheme + "://" + u.Host}
	keys := environment(v.Secrets)
	if len(keys) == 0 && v.Key.Body == "" {
		keys = v.PublicKeys
	}
	s.Secrets = keys.references()
	for name, value := range v.Config {
		switch name {
		case "audience":
			s.Audience = value
		case "email":
			s.Email = value
		case "username":
			s.Username = value
		case "public_key":
			s.PublicKey = value
		case "token", "verification_token":
			keys = append(keys, value)
			s.Token = &verify.Token{Reference: keys.references()[len(keys)-1]}
		case "token_header":
			s.Token = &verify.Token{Header: value}
		}
	}
	if v.Kind == "handshake" {
		s.Handshake = "echo"
		for _, p := range s.Validate() {
			if p.Field == "handshake" {
				s.Handshake = ""
			}
		}
		if len(s.Secrets) == 0 {
			keys = append(keys, "0123456789abcdef0123456789abcdef")
			s.Secrets = keys.references()[len(keys)-1:]
		}
	}
	return s, keys
}

func (v *sample) fetch(_ context.Context, address string) ([]byte, error) {
	if address != v.Key.URL {
		return nil, errors.New("another address")
	}
	return []byte(v.Key.Body), nil
}

// leftOut are the vectors' providers without a preset.
var leftOut = map[string]string{"strava": "nothing is signed"}

// TestProviders2 runs the vectors of further providers, good ones, bad ones and
// handshakes, through their presets, and each good one with a byte of it changed.
func TestProviders2(t *testing.T) {
	t.Parallel()
	proofs := map[string]string{}
	for _, v := range loadSamples(t) {
		if leftOut[v.Provider] != "" {
			continue
		}
		if _, ok := verify.Lookup(v.Provider); !ok {
			t.Errorf("%s: missing preset", v.ID)
			continue
		}
		if v.VerifiedBy != "" {
			proofs[v.Provider] = "library"
		} else if proofs[v.Provider] == "" {
			proofs[v.Provider] = v.Source.Confidence
		}
		t.Run(v.ID, func(t *testing.T) {
			t.Parallel()
			v.run(t)
		})
	}
	if len(proofs) < 50 {
		t.Errorf("%d providers have vectors, want at least 50", len(proofs))
	}
	t.Logf("%d providers with vectors: %v", len(proofs), proofs)
}

func (v *sample) run(t *testing.T) {
	s, keys := v.spec(t)
	r := v.request(t)
	now := time.Unix(1_795_168_800, 0)
	if v.Now != nil {
		now = time.Unix(*v.Now, 0)
	}
	route := newRoute(t, s, clockAt(now), keys, verify.Options{Fetch: v.fetch})
	reply, err := route.receive(t, r)
	if v.Kind == "handshake" {
		v.answered(t, reply, err)
		return
	}
	if got := map[bool]string{true: "valid", false: "invalid"}[err == nil]; got != v.Expect || reply != nil {
		t.Fatalf("%s: %v (%v), want %s", got, err, reply, v.Expect)
	}
	if v.Expect == "valid" {
		v.mutate(t, route, r)
	}
}

func (v *sample) answered(t *testing.T, reply *verify.Reply, err error) {
	t.Helper()
	if v.ID == "xero-intent" && verify.ReasonOf(err) != "" {
		return // some of them are signed wrongly on purpose
	}
	if err != nil || reply == nil || reply.Status != v.Answer.Status {
		t.Fatalf("got %+v, %v, want status %d", reply, err, v.Answer.Status)
	}
	if v.Answer.Body != nil && string(reply.Body) != *v.Answer.Body {
		t.Errorf("got body %q, want %q", reply.Body, *v.Answer.Body)
	}
	if v.Answer.JSON != nil {
		var got map[string]any
		if err := json.Unmarshal(reply.Body, &got); err != nil || !reflect.DeepEqual(got, v.Answer.JSON) {
			t.Errorf("got %s, want %v", reply.Body, v.Answer.JSON)
		}
	}
	if v.Answer.Content != "" && !strings.HasPrefix(reply.Header.Get("Content-Type"), v.Answer.Content) {
		t.Errorf("got content type %q", reply.Header.Get("Content-Type"))
	}
}

// mutate changes the body, where it is signed, and each header that the verifier reads.
func (v *sample) mutate(t *testing.T, route *route, r *verify.Request) {
	t.Helper()
	bound := v.Signing.Type != "static_token" && v.Signing.Type != "basic" && v.Provider != "monday" && v.Provider != "google-pubsub"
	for _, more := range []string{" ", "\x00", "&a=1", "{}"} {
		changed := *r
		changed.Body = append(append([]byte{}, r.Body...), more...)
		if err := route.verifier.Verify(t.Context(), &changed); bound && verify.ReasonOf(err) == "" && len(r.Body) > 0 && v.Provider != "braintree" {
			t.Errorf("with %q after the body: %v", more, err)
		}
	}
	for _, name := range route.verifier.Headers() {
		value := r.Header.Get(name)
		if value == "" {
			continue
		}
		for what, other := range map[string][]string{"without": nil, "twice": {value, value}, "another": {value[:len(value)/2] + "!" + value[len(value)/2:]}} {
			changed := *r
			changed.Header = r.Header.Clone()
			changed.Header.Del(name)
			if other != nil {
				changed.Header[http.CanonicalHeaderKey(name)] = other
			}
			if err := route.verifier.Verify(t.Context(), &changed); verify.ReasonOf(err) == "" {
				t.Errorf("%s %s: %v", name, what, err)
			}
		}
	}
}
