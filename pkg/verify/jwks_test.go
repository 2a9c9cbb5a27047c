package verify_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/expressway-dev/expressway/pkg/verify"
)

// A clock that the test advances.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.at.Store(epoch.UnixNano())
	return c
}

func (c *clock) now() time.Time           { return time.Unix(0, c.at.Load()) }
func (c *clock) forward(by time.Duration) { c.at.Add(int64(by)) }

func TestKeySetCache(t *testing.T) {
	t.Parallel()
	k := testKeys()
	first, second := jwk(t, "1", &k.rsa.PublicKey, nil), jwk(t, "2", &k.other.PublicKey, nil)
	published := newIssuer(t, first)
	c := newClock()
	v := newJWT(t, verify.JWT{JWKS: published.URL}, c.now, verify.NewFetch(nil))
	long := map[string]any{"exp": epoch.Add(1000 * time.Hour).Unix()}
	by1 := bearer(sign(t, jwt.SigningMethodRS256, k.rsa, "1", nil, claims(long)))
	by2 := bearer(sign(t, jwt.SigningMethodRS256, k.other, "2", nil, claims(long)))
	step := func(what string, asked int32, r *verify.Request, want verify.Reason) {
		t.Helper()
		err := v.Verify(t.Context(), r)
		if got := verify.ReasonOf(err); got != want || (err == nil) != (want == "") {
			t.Errorf("%s: Verify = %v, want reason %q", what, err, want)
		}
		if got := published.asked.Load(); got != asked {
			t.Errorf("%s: the issuer was asked %d times, want %d", what, got, asked)
		}
	}
	unavailable := func(what string, asked int32, r *verify.Request) {
		t.Helper()
		if err := v.Verify(t.Context(), r); !errors.Is(err, verify.ErrSecrets) || errors.Is(err, verify.ErrUnverified) {
			t.Errorf("%s: Verify = %v, want ErrSecrets", what, err)
		}
		if got := published.asked.Load(); got != asked {
			t.Errorf("%s: the issuer was asked %d times, want %d", what, got, asked)
		}
	}
	step("the first token fetches", 1, by1, "")
	step("the second does not", 1, by1, "")
	published.set(nil, first, second)
	step("an unknown key within a minute", 1, by2, verify.Mismatch)
	c.forward(time.Minute)
	step("an unknown key fetches", 2, by2, "")
	published.set(nil, second)
	step("a key withdrawn is good until the set is old", 2, by1, "")
	c.forward(time.Hour)
	step("an old set is fetched", 3, by2, "")
	step("and has the key no more", 3, by1, verify.Mismatch)
	published.set(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	c.forward(2 * time.Hour)
	step("an outage is bridged", 4, by2, "")
	step("and not asked about at once", 4, by2, "")
	unavailable("what an outage may hide is not known", 4, by1)
	c.forward(6 * time.Second)
	step("but soon again", 5, by2, "")
	c.forward(24 * time.Hour)
	unavailable("no longer than a day", 6, by2)
	published.set(nil, second)
	unavailable("within the pause", 6, by2)
	c.forward(6 * time.Second)
	step("and good again", 7, by2, "")
}

// TestKeySetAnswers are answers that a key set must not have.
func TestKeySetAnswers(t *testing.T) {
	t.Parallel()
	k := testKeys()
	token := bearer(sign(t, jwt.SigningMethodRS256, k.rsa, "1", nil, claims(nil)))
	good, err := json.Marshal(map[string]any{"keys": []any{jwk(t, "1", &k.rsa.PublicKey, nil)}})
	if err != nil {
		t.Fatal(err)
	}
	redirected := newIssuer(t, jwk(t, "1", &k.rsa.PublicKey, nil))
	for name, handler := range map[string]http.HandlerFunc{
		"redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, redirected.URL, http.StatusFound) },
		"error":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound); _, _ = w.Write(good) },
		"not JSON": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"no keys":  func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"keys":[]}`)) },
		"private": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"keys":[{"kty":"oct","kid":"1","k":"AAAA"},{"kty":"EC","crv":"P-256","x":"AA","y":"AA"},{"kty":"RSA","n":"AQ","e":"AQAB"},7]}`))
		},
		"too large": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(good)
			for range 300 {
				_, _ = w.Write([]byte(strings.Repeat(" ", 1024)))
			}
		},
		"too many": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprintf(w, `{"keys":[%s1]}`, strings.Repeat("1,", 100))
		},
		"cut": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100000")
			_, _ = w.Write(good)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bad := newIssuer(t)
			bad.set(handler)
			v := newJWT(t, verify.JWT{JWKS: bad.URL}, clockAt(epoch), verify.NewFetch(nil))
			for range 3 {
				if err := v.Verify(t.Context(), token); !errors.Is(err, verify.ErrSecrets) || errors.Is(err, verify.ErrUnverified) {
					t.Fatalf("Verify = %v, want ErrSecrets", err)
				}
			}
			if got := bad.asked.Load(); got != 1 {
				t.Errorf("the issuer was asked %d times for three tokens, want once", got)
			}
		})
	}
	if redirected.asked.Load() != 0 {
		t.Error("a redirect was followed")
	}
}

func TestKeySetBound(t *testing.T) {
	t.Parallel()
	k := testKeys()
	token := bearer(sign(t, jwt.SigningMethodRS256, k.rsa, "1", nil, claims(nil)))
	good, err := json.Marshal(map[string]any{"keys": []any{jwk(t, "1", &k.rsa.PublicKey, nil)}})
	if err != nil {
		t.Fatal(err)
	}
	for size, want := range map[int]error{256 << 10: nil, 256<<10 + 1: verify.ErrSecrets} {
		document := append(good, strings.Repeat(" ", size-len(good))...)
		v := newJWT(t, verify.JWT{JWKS: "https://issuer.example/keys"}, clockAt(epoch),
			func(context.Context, string) ([]byte, error) { return document, nil })
		if err := v.Verify(t.Context(), token); !errors.Is(err, want) {
			t.Errorf("with a key set of %d bytes: Verify = %v, want %v", size, err, want)
		}
	}
}

// TestKeySetOneFetch has many tokens wait for one fetch, and one of them give up.
func TestKeySetOneFetch(t *testing.T) {
	t.Parallel()
	k := testKeys()
	token := bearer(sign(t, jwt.SigningMethodRS256, k.rsa, "1", nil, claims(nil)))
	document, err := json.Marshal(map[string]any{"keys": []any{jwk(t, "1", &k.rsa.PublicKey, nil)}})
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int32
	release, started := make(chan struct{}), make(chan struct{}, 1)
	v := newJWT(t, verify.JWT{JWKS: "https://issuer.example/keys"}, clockAt(epoch), func(context.Context, string) ([]byte, error) {
		asked.Add(1)
		started <- struct{}{}
		<-release
		return document, nil
	})
	var waiting sync.WaitGroup
	for range 20 {
		waiting.Go(func() {
			if err := v.Verify(t.Context(), token); err != nil {
				t.Errorf("Verify = %v", err)
			}
		})
	}
	<-started
	hasty, cancel := context.WithCancel(t.Context())
	cancel()
	if err := v.Verify(hasty, token); !errors.Is(err, verify.ErrSecrets) || !errors.Is(err, context.Canceled) {
		t.Errorf("Verify for a caller that gave up = %v, want ErrSecrets", err)
	}
	close(release)
	waiting.Wait()
	if asked.Load() != 1 {
		t.Errorf("fetched %d times, want once", asked.Load())
	}
}

// A set may have one name for several keys, as for one of each kind, and keys without
// a name; a token without one may be of any.
func TestKeySetNames(t *testing.T) {
	t.Parallel()
	k := testKeys()
	v := newJWT(t, verify.JWT{JWKS: newIssuer(t,
		jwk(t, "1", &k.other.PublicKey, nil), jwk(t, "1", &k.ec.PublicKey, nil), jwk(t, "1", &k.rsa.PublicKey, nil),
		jwk(t, "", k.ed.Public(), nil),
	).URL, Algorithms: []string{"RS256", "ES256", "EdDSA"}}, clockAt(epoch), verify.NewFetch(nil))
	for _, id := range []string{"1", ""} {
		for _, key := range []any{k.other, k.rsa} {
			checkReason(t, v, bearer(sign(t, jwt.SigningMethodRS256, key, id, nil, claims(nil))), "")
		}
		checkReason(t, v, bearer(sign(t, jwt.SigningMethodES256, k.ec, id, nil, claims(nil))), "")
	}
	checkReason(t, v, bearer(sign(t, jwt.SigningMethodEdDSA, k.ed, "", nil, claims(nil))), "")
	// A key without a name is none of those that a name may mean.
	checkReason(t, v, bearer(sign(t, jwt.SigningMethodEdDSA, k.ed, "1", nil, claims(nil))), verify.Mismatch)
}

// TestKeySetSlow uses an issuer that never ends its answer.
func TestKeySetSlow(t *testing.T) {
	t.Parallel()
	k := testKeys()
	token := bearer(sign(t, jwt.SigningMethodRS256, k.rsa, "1", nil, claims(nil)))
	slow := newIssuer(t)
	ended := make(chan struct{})
	slow.set(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		for r.Context().Err() == nil {
			_, _ = w.Write([]byte(" "))
			_ = http.NewResponseController(w).Flush()
			time.Sleep(10 * time.Millisecond)
		}
	})
	v := newJWT(t, verify.JWT{JWKS: slow.URL}, clockAt(epoch), verify.NewFetch(nil))
	for range 3 { // the second and third do not ask
		if err := v.Verify(t.Context(), token); !errors.Is(err, verify.ErrSecrets) {
			t.Errorf("Verify = %v, want ErrSecrets", err)
		}
	}
	<-ended
	if got := slow.asked.Load(); got != 1 {
		t.Errorf("the issuer was asked %d times, want once", got)
	}
}

func FuzzKeySet(f *testing.F) {
	k := testKeys()
	for _, key := range []map[string]any{
		jwk(f, "1", &k.rsa.PublicKey, nil), jwk(f, "1", &k.ec.PublicKey, nil), jwk(f, "1", k.ed.Public(), nil),
	} {
		document, err := json.Marshal(map[string]any{"keys": []any{key}})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(document)
	}
	f.Add([]byte(`{"keys":[{"kty":"RSA","n":"","e":""},{"kty":"EC"},{"kty":"OKP"}]}`))
	payload := b64([]byte(`{"alg":"RS256","kid":"1"}`)) + "." + b64([]byte("{}"))
	sum := hmac.New(sha256.New, []byte("k"))
	token := bearer(payload + "." + b64(sum.Sum(nil)))
	f.Fuzz(func(t *testing.T, document []byte) {
		v := newJWT(t, verify.JWT{JWKS: "https://issuer.example/keys"}, clockAt(epoch),
			func(context.Context, string) ([]byte, error) { return document, nil })
		if err := v.Verify(t.Context(), token); err == nil {
			t.Error("an unsigned token is accepted")
		}
	})
}
