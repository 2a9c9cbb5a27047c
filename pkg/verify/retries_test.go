package verify_test

import (
	"maps"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/pkg/verify"
)

// TestRetriesAreAccepted sends each provider's own retries: the bytes of the first attempt
// at the time of the last one, unless they are known to be new.
func TestRetriesAreAccepted(t *testing.T) {
	t.Parallel()
	seen := 0
	for name, d := range deliveries(t) {
		p, ok := verify.Lookup(d.spec.Provider)
		if !ok || p.Retries.Span == 0 || p.Retries.Signed == verify.ResendAnew {
			continue
		}
		seen++
		at := epoch.Add(p.Retries.Span + 2*time.Minute) // what the attempts themselves take
		checkReason(t, d.verifier(t, at, d.secret), d.request, "")
		if t.Failed() {
			t.Fatalf("%s: the last retry comes %v after the first attempt", name, p.Retries.Span)
		}
	}
	if seen < 6 {
		t.Errorf("%d providers that send the same again were tried, want at least 6", seen)
	}
}

// TestContentTypeCannotBeChosen sends a signed delivery with another content type. A preset
// accepts the types that its provider sends, and never reads the bytes as another type.
func TestContentTypeCannotBeChosen(t *testing.T) {
	t.Parallel()
	for name, d := range deliveries(t) {
		p, ok := verify.Lookup(d.spec.Provider)
		if !ok {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := d.verifier(t, epoch, d.secret)
			forms := map[string]bool{}
			for _, allowed := range p.ContentTypes {
				forms[allowed] = true
			}
			for _, sent := range []string{
				"application/x-www-form-urlencoded", "multipart/form-data; boundary=a", "application/octet-stream", "image/png", "text/html",
				"application/json; charset=utf-16", "application/json; charset=iso-8859-1", "application/json; charset", "application/x-www-form-urlencoded; charset=utf-7",
			} {
				if sent == p.ContentTypes[0] {
					continue
				}
				// Deliveries are JSON: as forms they are refused even if the provider sends
				// forms, too.
				checkReason(t, v, d.with("Content-Type", sent), verify.Malformed)
			}
			checkReason(t, v, d.with("Content-Type", "application/json", "application/json"), verify.Malformed)
			for _, sent := range []string{"application/json", "Application/JSON; charset=UTF-8", "application/cloudevents+json"} {
				if forms["application/json"] && d.request.Header.Get("Content-Type") == "" {
					checkReason(t, v, d.with("Content-Type", sent), "")
				}
			}
		})
	}
}

func TestContentTypesOfASpec(t *testing.T) {
	t.Parallel()
	spec := verify.Spec{HMAC: &verify.HMAC{Header: "S"}, ContentTypes: []string{"application/xml"}}
	v := newVerifier(t, spec, epoch, "k")
	signed := func(contentType string) *verify.Request {
		return post("<a/>", "S", hexMAC("k", "<a/>"), "Content-Type", contentType)
	}
	checkReason(t, v, signed("application/xml; charset=utf-8"), "")
	checkReason(t, v, signed("application/json"), verify.Malformed)
	checkReason(t, v, signed("text/xml"), verify.Malformed)
	spec.ContentTypes = []string{"application/*", "JSON", "application/json; charset=utf-8", ""}
	spec.Secrets = []string{"env:S0"}
	if problems := spec.Validate(); len(problems) != 4 {
		t.Errorf("Validate = %v, want a problem for each", problems)
	}
	own := verify.Spec{Provider: "github", ContentTypes: []string{"application/json"}}
	form := post("payload=1", "X-Hub-Signature-256", "sha256="+hexMAC("k", "payload=1"), "Content-Type", "application/x-www-form-urlencoded")
	checkReason(t, newVerifier(t, own, epoch, "k"), form, verify.Malformed)
	checkReason(t, newVerifier(t, verify.Spec{Provider: "github"}, epoch, "k"), form, "")
}

// TestStandardSecrets uses secrets in each form in which senders show them.
func TestStandardSecrets(t *testing.T) {
	t.Parallel()
	const body, bare = `{"a":1}`, "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"
	for secret, keys := range map[string][]string{
		"whsec_" + bare:                 {"0123456789abcdef01234567"},
		"v1,whsec_" + bare:              {"0123456789abcdef01234567"},
		bare:                            {"0123456789abcdef01234567", bare},
		"polar_whs_ovyN6cPrTv56AApvzCa": {"polar_whs_ovyN6cPrTv56AApvzCa"},
		"a secret of ours":              {"a secret of ours"},
	} {
		v := newVerifier(t, verify.Spec{Provider: "standard-webhooks"}, epoch, secret)
		for _, key := range keys {
			h := headers("webhook-id", "m", "webhook-timestamp", "1700000000", "webhook-signature", "v1,"+base64MAC(key, "m.1700000000."+body))
			checkReason(t, v, &verify.Request{Header: h, Body: []byte(body)}, "")
		}
		h := headers("webhook-id", "m", "webhook-timestamp", "1700000000", "webhook-signature", "v1,"+base64MAC("another", "m.1700000000."+body))
		checkReason(t, v, &verify.Request{Header: h, Body: []byte(body)}, verify.Mismatch)
		r := post(body)
		signed, err := verify.Sign(verify.Spec{Provider: "standard-webhooks", Secrets: []string{"env:S0"}}, secret, r, epoch)
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(r.Header, signed)
		checkReason(t, v, r, "")
	}
}
