package verify_test

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/internal/providertest"
	"github.com/expressway-dev/expressway/pkg/secrets"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// TestAttacks makes a genuine delivery of every provider, and all variants of it that must
// be refused.
func TestAttacks(t *testing.T) {
	t.Parallel()
	total := 0
	for _, name := range verify.Providers() {
		s, err := providertest.Signing(name)
		if err != nil {
			t.Fatal(err)
		}
		source := secrets.NewEnv(func(string) string { return s.Secret })
		at := func(now time.Time) verify.Verifier {
			v, err := verify.New(s.Spec, source, verify.Options{Now: clockAt(now)})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			return v
		}
		v := at(providertest.Now)
		genuine, err := s.Request("/hooks/a", providertest.Now)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := v.Verify(t.Context(), genuine); err != nil {
			t.Errorf("%s: the genuine delivery: %v", name, err)
			continue
		}
		attacks, err := s.Attacks(genuine, providertest.Now)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		total += len(attacks)
		for _, attack := range attacks {
			if err := v.Verify(t.Context(), attack.Request); verify.ReasonOf(err) == "" || !isTold(err) {
				t.Errorf("%s: %s: Verify = %v, want a refusal\n%v\n%s", name, attack.Name, err, attack.Request.Header, attack.Request.Body)
			}
		}
		// A time that is signed is checked both ways.
		if p, _ := verify.Lookup(name); p.Tolerance > 0 && name != "gitlab" && (p.SignedAt == verify.Place{}) {
			for _, skew := range []time.Duration{p.Tolerance + time.Second, -p.Tolerance - time.Second} {
				if err := at(providertest.Now.Add(skew)).Verify(t.Context(), genuine); verify.ReasonOf(err) != verify.Stale {
					t.Errorf("%s: %v later: Verify = %v, want stale", name, skew, err)
				}
			}
		}
		// An empty secret does not make a verifier.
		if len(s.Spec.Secrets) > 0 {
			if _, err := verify.New(s.Spec, secrets.NewEnv(func(string) string { return "" }), verify.Options{Now: clockAt(epoch)}); err == nil {
				t.Errorf("%s: an empty secret makes a verifier", name)
			}
		}
	}
	t.Logf("%d attacks on %d providers are refused", total, len(verify.Providers()))
	if total < 3000 {
		t.Errorf("%d attacks: some were not made", total)
	}
}

// TestPlainHashesCannotBeLengthened forges from a delivery of each provider that signs a
// plain hash, of which HubSpot's have a test of their own.
func TestPlainHashesCannotBeLengthened(t *testing.T) {
	t.Parallel()
	tested := 0
	for _, name := range verify.Providers() {
		p, _ := verify.Lookup(name)
		if p.HMAC == nil || p.HMAC.Hash != "plain" {
			continue
		}
		tested++
		s, err := providertest.Signing(name)
		if err != nil {
			t.Fatal(err)
		}
		v, err := verify.New(s.Spec, secrets.NewEnv(func(string) string { return s.Secret }), verify.Options{Now: clockAt(providertest.Now)})
		if err != nil {
			t.Fatal(err)
		}
		genuine, err := s.Request("/a", providertest.Now)
		if err != nil {
			t.Fatal(err)
		}
		before := len(genuine.Header.Get(p.HMAC.Timestamp.Header)) + len(genuine.Header.Get("X-Lark-Request-Nonce")) + len(s.Secret)
		for _, more := range []string{"}", `{"amount":9}`, "", " "} {
			forged := *genuine
			body, digest := lengthened(t, before, string(genuine.Body), genuine.Header.Get(p.HMAC.Header), more)
			forged.Body, forged.Header = []byte(body), genuine.Header.Clone()
			forged.Header.Set(p.HMAC.Header, digest)
			for _, media := range []string{"application/json", "text/plain", ""} {
				forged.Header.Set("Content-Type", media)
				checkReason(t, v, &forged, verify.Malformed)
			}
			// The forgery is valid: over the same text, the secret makes that hash.
			sum := sha256.Sum256([]byte(genuine.Header.Get(p.HMAC.Timestamp.Header) + genuine.Header.Get("X-Lark-Request-Nonce") + s.Secret + body))
			if hex.EncodeToString(sum[:]) != digest {
				t.Errorf("%s: the forgery is genuine, so its refusal proves nothing", name)
			}
		}
	}
	if tested == 0 {
		t.Error("no preset signs a plain hash")
	}
}

// What Mercado Pago signs is joined from parts, two of which may be missing: one signature
// must not fit two ways of splitting it.
func TestMercadoPagoParts(t *testing.T) {
	t.Parallel()
	spec := verify.Spec{Provider: "mercadopago", Secrets: []string{"env:S0"}}
	r := &verify.Request{Method: "POST", Path: "/a", RawQuery: "data.id=7", Header: headers("X-Request-Id", "r-1"), Body: []byte("{}")}
	signed, err := verify.SignRequest(spec, "key", r, epoch)
	if err != nil {
		t.Fatal(err)
	}
	v := newVerifier(t, spec, epoch, "key")
	r.Header.Set("X-Signature", signed.Header.Get("X-Signature"))
	checkReason(t, v, r, "")
	r.Header.Del("X-Request-Id")
	checkReason(t, v, r, verify.Mismatch)
	r.RawQuery = "data.id=7%3Brequest-id%3Ar-1"
	checkReason(t, v, r, verify.Malformed)
}
