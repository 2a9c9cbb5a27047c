package verify_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/internal/providertest"
	"github.com/expressway-dev/expressway/pkg/secrets"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// publicKeys are the public halves of a text of MakeKeys.
func publicKeys(t *testing.T, text string) (ed ed25519.PublicKey, rsaKey *rsa.PublicKey, ec *ecdsa.PublicKey) {
	t.Helper()
	for block, rest := pem.Decode([]byte(text)); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "PRIVATE KEY" {
			continue
		}
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		switch key := key.(type) {
		case ed25519.PrivateKey:
			ed = key.Public().(ed25519.PublicKey)
		case *rsa.PrivateKey:
			rsaKey = &key.PublicKey
		case *ecdsa.PrivateKey:
			ec = &key.PublicKey
		}
	}
	return ed, rsaKey, ec
}

// forms are the texts in which a key is configured or published.
func forms(t *testing.T, key crypto.PublicKey) map[string]string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	jwk := map[string]any{}
	b64 := base64.RawURLEncoding.EncodeToString
	out := map[string]string{"PEM": string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), "SPKI": base64.StdEncoding.EncodeToString(der)}
	switch key := key.(type) {
	case ed25519.PublicKey:
		out["hex"], out["base64"] = hex.EncodeToString(key), base64.StdEncoding.EncodeToString(key)
		jwk = map[string]any{"kty": "OKP", "crv": "Ed25519", "x": b64(key)}
	case *rsa.PublicKey:
		jwk = map[string]any{"kty": "RSA", "n": b64(key.N.Bytes()), "e": b64(big.NewInt(int64(key.E)).Bytes())}
	case *ecdsa.PublicKey:
		point, err := key.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		jwk = map[string]any{"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])}
	}
	text, err := json.Marshal(jwk)
	if err != nil {
		t.Fatal(err)
	}
	out["JWK"] = string(text)
	return out
}

// TestSignatureBlock has every algorithm of a sender without a preset, with its key in
// every form, listed or published.
func TestSignatureBlock(t *testing.T) {
	t.Parallel()
	keys, err := verify.MakeKeys(providertest.Now)
	if err != nil {
		t.Fatal(err)
	}
	others, err := verify.MakeKeys(providertest.Now)
	if err != nil {
		t.Fatal(err)
	}
	ed, rsaKey, ec := publicKeys(t, keys)
	algorithms := map[string]crypto.PublicKey{"ed25519": ed, "rsa-sha256": rsaKey, "rsa-sha1": rsaKey, "rsa-pss-sha256": rsaKey, "ecdsa-sha256": ec}
	for algorithm, key := range algorithms {
		block := func() *verify.KeySignature {
			return &verify.KeySignature{Algorithm: algorithm, Header: "X-Sig", Prefix: "v1=", Encoding: "hex", Signed: "{timestamp}.{body}", Timestamp: &verify.Timestamp{Header: "X-Time", Format: "http-date"}}
		}
		listed := verify.Spec{Signature: block(), Secrets: []string{"env:S0"}}
		signed := func(keys, algorithm string) *verify.Request {
			s := listed
			s.Signature = block()
			s.Signature.Algorithm = algorithm
			r := post(`{"a":1}`)
			out, err := verify.SignRequest(s, keys, r, providertest.Now)
			if err != nil {
				t.Fatal(err)
			}
			r.Header = out.Header
			return r
		}
		good := signed(keys, algorithm)
		check := func(name string, v verify.Verifier) {
			checkNamed(t, algorithm+", "+name, v, good, "")
			checkNamed(t, algorithm+", "+name+": another key", v, signed(others, algorithm), verify.Mismatch)
			for other := range algorithms { // the sender does not choose
				if other != algorithm {
					if err := v.Verify(t.Context(), signed(keys, other)); verify.ReasonOf(err) != verify.Mismatch {
						t.Errorf("%s, %s: signed with %s: %v", algorithm, name, other, err)
					}
				}
			}
			changed := *good
			changed.Body = []byte(`{"a":2}`)
			checkNamed(t, algorithm+", "+name+": another body", v, &changed, verify.Mismatch)
			changed = *good
			changed.Header = good.Header.Clone()
			changed.Header.Set("X-Time", providertest.Now.Add(time.Second).Format(http.TimeFormat))
			checkNamed(t, algorithm+", "+name+": another time", v, &changed, verify.Mismatch)
		}
		for form, text := range forms(t, key) {
			v, err := verify.New(listed, environment{text}.source(), verify.Options{Now: clockAt(providertest.Now)})
			if err != nil {
				t.Fatalf("%s, %s: %v", algorithm, form, err)
			}
			check(form, v)
			documents := map[string]*verify.PublishedKeys{}
			switch form {
			case "PEM":
				documents[text] = &verify.PublishedKeys{URL: "https://h.example/k"}
				member, _ := json.Marshal(map[string]any{"data": map[string]string{"key": text}})
				documents[string(member)] = &verify.PublishedKeys{URL: "https://h.example/k", Format: "json", Member: "/data/key"}
			case "JWK":
				documents[`{"keys":[`+text+`]}`] = &verify.PublishedKeys{URL: "https://h.example/k", Format: "jwks"}
			}
			for document, where := range documents {
				published := verify.Spec{Signature: block()}
				published.Signature.Keys = where
				v, err := verify.New(published, secrets.NewEnv(nil), verify.Options{Now: clockAt(providertest.Now), Fetch: func(_ context.Context, address string) ([]byte, error) {
					if address != where.URL {
						return nil, errors.New("another address")
					}
					return []byte(document), nil
				}})
				if err != nil {
					t.Fatal(err)
				}
				check("published "+where.Format, v)
			}
		}
	}
}

// TestPublishedKeys has a sender that changes its key, and a server of keys that does what
// it should not. What cannot be read is not held against the sender, who may retry.
func TestPublishedKeys(t *testing.T) {
	t.Parallel()
	old, err := verify.MakeKeys(providertest.Now)
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := verify.MakeKeys(providertest.Now)
	if err != nil {
		t.Fatal(err)
	}
	document := func(keys string) []byte {
		ed, _, _ := publicKeys(t, keys)
		return []byte(forms(t, ed)["PEM"])
	}
	spec := verify.Spec{Signature: &verify.KeySignature{Algorithm: "ed25519", Header: "X-Sig", Keys: &verify.PublishedKeys{URL: "https://h.example/k"}}}
	signed := func(keys string) *verify.Request {
		r := post("{}")
		out, err := verify.SignRequest(spec, keys, r, providertest.Now)
		if err != nil {
			t.Fatal(err)
		}
		r.Header = out.Header
		return r
	}
	now, fetches, served := providertest.Now, 0, document(old)
	v, err := verify.New(spec, secrets.NewEnv(nil), verify.Options{Now: func() time.Time { return now }, Fetch: func(context.Context, string) ([]byte, error) {
		fetches++
		if served == nil {
			return nil, errors.New("no answer")
		}
		return served, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	step := func(name string, keys string, want verify.Reason, fetched int) {
		t.Helper()
		checkNamed(t, name, v, signed(keys), want)
		if fetches != fetched {
			t.Errorf("%s: %d fetches, want %d", name, fetches, fetched)
		}
	}
	step("first", old, "", 1)
	step("again", old, "", 1)
	step("another key, too soon to ask again", fresh, verify.Mismatch, 1)
	served = document(fresh)
	now = now.Add(2 * time.Minute)
	step("the key has changed", fresh, "", 2)
	step("the old one", old, verify.Mismatch, 2)
	served = nil
	now = now.Add(2 * time.Hour)
	step("no answer, and the key is known", fresh, "", 3)
	now = now.Add(48 * time.Hour)
	if err := v.Verify(t.Context(), signed(fresh)); !errors.Is(err, verify.ErrSecrets) {
		t.Errorf("no answer for two days: %v", err)
	}

	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(document(old)) }))
	defer elsewhere.Close()
	mux := http.NewServeMux()
	mux.HandleFunc("/good", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(document(old)) })
	mux.HandleFunc("/redirects", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) })
	mux.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(append(document(old), bytes.Repeat([]byte("\n"), 10<<20)...))
	})
	mux.HandleFunc("/fails", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	mux.HandleFunc("/page", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "<html>") })
	mux.HandleFunc("/private", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, old) })
	server := httptest.NewServer(mux)
	defer server.Close()
	for path, accepted := range map[string]bool{"/good": true, "/redirects": false, "/large": false, "/fails": false, "/page": false, "/private": false} {
		s := spec
		k := *spec.Signature
		k.Keys = &verify.PublishedKeys{URL: server.URL + path} // http is for this machine
		s.Signature = &k
		v, err := verify.New(s, secrets.NewEnv(nil), verify.Options{Now: clockAt(providertest.Now), Fetch: verify.NewFetch(nil)})
		if err != nil {
			t.Fatal(err)
		}
		if err := v.Verify(t.Context(), signed(old)); (err == nil) != accepted || !accepted && !errors.Is(err, verify.ErrSecrets) {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, address := range []string{"http://h.example/k", "https://u:p@h.example/k", "ftp://h.example/k", "/k", "https:///k", "https://h.example/k#f"} {
		k := *spec.Signature
		k.Keys = &verify.PublishedKeys{URL: address}
		s := verify.Spec{Signature: &k}
		if problems := s.Validate(); len(problems) != 1 || !strings.HasSuffix(problems[0].Field, "keys.url") {
			t.Errorf("%s: %v", address, problems)
		}
	}
}

// TestTokensInOtherPlaces has a JSON Web Token in a cookie and in the query, bound to the
// body, and without exp.
func TestTokensInOtherPlaces(t *testing.T) {
	t.Parallel()
	key := environment{strings.Repeat("k", 32)}
	for name, j := range map[string]verify.JWT{
		"cookie": {Cookie: "session"}, "query": {Query: "token"}, "header": {Header: "X-Token"}, "bare": {Scheme: "none"}, "another word": {Scheme: "JWT"},
		"body, sha512": {Body: &verify.BodyClaim{Claim: "d", Algorithm: "sha512", Encoding: "base64url"}}, "by age": {Expiry: "optional", MaxAge: "5m"},
	} {
		j.Issuer, j.Audience = "any", "any"
		spec := verify.Spec{JWT: &j, Secrets: []string{"env:S0"}}
		v, err := verify.New(spec, key.source(), verify.Options{Now: clockAt(epoch)})
		if err != nil {
			t.Fatal(err)
		}
		r := post(`{"a":1}`)
		r.RawQuery = "b=2"
		checkNamed(t, name+": no token", v, r, verify.Missing)
		signed, err := verify.SignRequest(spec, key[0], r, epoch)
		if err != nil {
			t.Fatal(err)
		}
		r.Header, r.RawQuery = signed.Header, signed.RawQuery
		checkNamed(t, name, v, r, "")
		if query, _ := verify.Redact(v, r); query != "b=2" {
			t.Errorf("%s: the query after it is %q", name, query)
		}
		changed := *r
		changed.Body = []byte(`{"a":2}`)
		checkNamed(t, name+": another body", v, &changed, map[bool]verify.Reason{true: verify.Mismatch}[j.Body != nil])
		late, err := verify.New(spec, key.source(), verify.Options{Now: clockAt(epoch.Add(7 * time.Minute))})
		if err != nil {
			t.Fatal(err)
		}
		checkNamed(t, name+": seven minutes later", late, r, verify.Stale)
	}
}
