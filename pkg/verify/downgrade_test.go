package verify_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/verify"
)

func base64MAC(key, content string) string {
	return base64.StdEncoding.EncodeToString(mac(key, content))
}

// lengthened returns what an attacker can make from a delivery and its plain hash without
// the secret: the body with the hash's padding and an addition, and the hash of that.
func lengthened(t *testing.T, secretLength int, body, digest, more string) (string, string) {
	t.Helper()
	length := secretLength + len(body)
	padding := append([]byte{0x80}, make([]byte, (119-length%64)%64)...)
	padding = binary.BigEndian.AppendUint64(padding, uint64(length)*8)
	known, err := hex.DecodeString(digest)
	if err != nil {
		t.Fatal(err)
	}
	// The state of a SHA-256 after its first blocks is its digest.
	state := append([]byte("sha\x03"), known...)
	state = append(state, make([]byte, 64)...)
	state = binary.BigEndian.AppendUint64(state, uint64(length+len(padding)))
	h := sha256.New()
	if err := h.(interface{ UnmarshalBinary([]byte) error }).UnmarshalBinary(state); err != nil {
		t.Fatal(err)
	}
	h.Write([]byte(more))
	return body + string(padding) + more, hex.EncodeToString(h.Sum(nil))
}

// TestHubSpotCannotBeLengthened forges from a delivery of version 1 and of version 2.
func TestHubSpotCannotBeLengthened(t *testing.T) {
	t.Parallel()
	const secret, body, more = "7c3ce02c-0f0c-4c9f-9700-92440c9bdf2d", `[{"eventId":1}]`, "&event=deal.won&amount=1000000"
	const url = "https://h.example"
	plain := func(content string) string { s := sha256.Sum256([]byte(content)); return hex.EncodeToString(s[:]) }
	delivery := func(version, signature, body string, pairs ...string) *verify.Request {
		r := post(body, append(pairs, "X-HubSpot-Signature", signature, "X-HubSpot-Signature-Version", version)...)
		r.Path = "/p"
		return r
	}
	genuine := map[string]string{"v1": plain(secret + body), "v2": plain(secret + "POST" + url + "/p" + body)}
	before := map[string]int{"v1": len(secret), "v2": len(secret + "POST" + url + "/p")}
	for _, test := range []struct {
		versions []string
		takes    map[string]bool
	}{
		{nil, map[string]bool{}},
		{[]string{"v3"}, map[string]bool{}},
		{[]string{"v3", "v2"}, map[string]bool{"v2": true}},
		{[]string{"v3", "v2", "v1"}, map[string]bool{"v2": true, "v1": true}},
	} {
		v := newVerifier(t, verify.Spec{Provider: "hubspot", URL: url, Versions: test.versions}, epoch, secret)
		for version, signature := range genuine {
			err := v.Verify(t.Context(), delivery(version, signature, body, "Content-Type", "application/json"))
			if (err == nil) != test.takes[version] {
				t.Errorf("versions %v: a delivery of %s: %v", test.versions, version, err)
			}
			forged, signature := lengthened(t, before[version], body, signature, more)
			for _, contentType := range []string{"application/x-www-form-urlencoded", "application/json", "text/plain", ""} {
				if err := v.Verify(t.Context(), delivery(version, signature, forged, "Content-Type", contentType)); verify.ReasonOf(err) == "" {
					t.Errorf("versions %v: a forged delivery of %s as %q is accepted", test.versions, version, contentType)
				}
			}
		}
	}
	// The forgery itself is right: version 1's hash of the longer body.
	forged, signature := lengthened(t, len(secret), body, genuine["v1"], more)
	if plain(secret+forged) != signature {
		t.Error("the forgery is genuine, so its refusal proves nothing")
	}
	for _, versions := range [][]string{{"v2"}, {"v4"}, {""}} {
		s := verify.Spec{Provider: "hubspot", URL: url, Versions: versions, Secrets: []string{"env:S0"}}
		if len(s.Validate()) == 0 {
			t.Errorf("versions %q: no problem", versions)
		}
	}
}

// TestNoSenderChoosesTheWeakerCheck takes from each signed delivery, one after another,
// the headers that its verifier reads, and adds the ones that other versions have: the
// rest must never be enough.
func TestNoSenderChoosesTheWeakerCheck(t *testing.T) {
	t.Parallel()
	for name, d := range deliveries(t) {
		if d.spec.Provider == "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := d.verifier(t, epoch, d.secret)
			for _, header := range d.made {
				if err := v.Verify(t.Context(), d.with(header)); verify.ReasonOf(err) == "" {
					t.Errorf("accepted without %s: %v", header, err)
				}
			}
			for header, values := range map[string][]string{
				"X-Twilio-Webhooks-Signature-Settings": {"key=a,algorithm=HMAC_SHA1", "key=a,algorithm=HMAC_SHA256", "key=a,algorithm=none", "algorithm=HMAC_SHA1", ""},
				"X-Hubspot-Signature-Version":          {"v1"}, "Box-Signature-Algorithm": {"HmacSHA1", "none"}, "Box-Signature-Version": {"0"},
			} {
				if _, read := d.request.Header[header]; !read && name != "twilio" {
					continue // it does not concern this provider
				}
				for _, value := range values {
					if err := v.Verify(t.Context(), d.with(header, value)); verify.ReasonOf(err) == "" && (name != "twilio" || strings.HasPrefix(header, "X-Twilio")) {
						t.Errorf("accepted with %s: %s: %v", header, value, err)
					}
				}
			}
		})
	}
}

// TestTwilioSharedKey has SHA-256 with its announcement, and each mixture of the two.
func TestTwilioSharedKey(t *testing.T) {
	t.Parallel()
	const target = "https://h.example/p"
	const settings = "X-Twilio-Webhooks-Signature-Settings"
	long, shortSum := base64MAC("k", target), sha1MAC("k", target)
	request := func(signature string, announced ...string) *verify.Request {
		r := &verify.Request{Method: "GET", Path: "/p", Header: headers("X-Twilio-Signature", signature)}
		for _, text := range announced {
			r.Header.Add(settings, text)
		}
		return r
	}
	const announced = "key=webhooks_sharedkey_01,algorithm=HMAC_SHA256"
	for name, test := range map[string]struct {
		request            *verify.Request
		both, sha256, sha1 verify.Reason
	}{
		"sha256":                {request(long, announced), "", "", verify.Malformed},
		"sha256, unannounced":   {request(long), verify.Malformed, verify.Missing, verify.Malformed},
		"sha1":                  {request(shortSum), "", verify.Missing, ""},
		"sha1, announced":       {request(shortSum, announced), verify.Malformed, verify.Malformed, verify.Malformed},
		"sha1, as sha1":         {request(shortSum, "key=a,algorithm=HMAC_SHA1"), verify.Malformed, verify.Malformed, verify.Malformed},
		"sha256, as sha1":       {request(long, "key=a,algorithm=HMAC_SHA1"), verify.Malformed, verify.Malformed, verify.Malformed},
		"sha256, no algorithm":  {request(long, "key=a"), verify.Malformed, verify.Malformed, verify.Malformed},
		"sha256, two announced": {request(long, announced, announced), verify.Malformed, verify.Malformed, verify.Malformed},
		"sha256, two in one":    {request(long, announced+",algorithm=HMAC_SHA1"), verify.Malformed, verify.Malformed, verify.Malformed},
		"sha256, other key":     {request(base64MAC("other", target), announced), verify.Mismatch, verify.Mismatch, verify.Malformed},
		"sha1, empty settings":  {request(shortSum, ""), verify.Missing, verify.Missing, verify.Missing},
	} {
		spec := verify.Spec{Provider: "twilio", URL: "https://h.example"}
		checkNamed(t, name, newVerifier(t, spec, epoch, "k"), test.request, test.both)
		spec.Versions = []string{"sha256"}
		checkNamed(t, name+", sha256 alone", newVerifier(t, spec, epoch, "k"), test.request, test.sha256)
		spec.Versions = []string{"sha1"}
		checkNamed(t, name+", sha1 alone", newVerifier(t, spec, epoch, "k"), test.request, test.sha1)
	}
}

func checkNamed(t *testing.T, name string, v verify.Verifier, r *verify.Request, want verify.Reason) {
	t.Helper()
	if err := v.Verify(t.Context(), r); verify.ReasonOf(err) != want || (err == nil) != (want == "") {
		t.Errorf("%s: Verify = %v, want reason %q", name, err, want)
	}
}

// TestMailgunParentSignature has events of a subaccount, which are signed twice.
func TestMailgunParentSignature(t *testing.T) {
	t.Parallel()
	block := func(key, at string) string {
		return `{"timestamp":"` + at + `","token":"t","signature":"` + hexMAC(key, at+"t") + `"}`
	}
	v := newVerifier(t, verify.Spec{Provider: "mailgun"}, epoch, "parent")
	for body, want := range map[string]verify.Reason{
		`{"signature":` + block("sub", "1700000000") + `,"parent-signature":` + block("parent", "1700000000") + `}`:    "",
		`{"parent-signature":` + block("parent", "1700000000") + `,"signature":` + block("sub", "1700000000") + `}`:    "",
		`{"signature":` + block("parent", "1700000000") + `,"parent-signature":` + block("x", "1700000000") + `}`:      "",
		`{"signature":` + block("sub", "1700000000") + `,"parent-signature":` + block("x", "1700000000") + `}`:         verify.Mismatch,
		`{"signature":` + block("sub", "1700000000") + `}`:                                                             verify.Mismatch,
		`{"signature":` + block("sub", "1700000000") + `,"parent-signature":` + block("parent", "1600000000") + `}`:    verify.Stale,
		`{"signature":` + block("parent", "1600000000") + `,"parent-signature":` + block("parent", "1700000000") + `}`: verify.Stale,
		`{"signature":` + block("sub", "1700000000") + `,"parent-signature":"x"}`:                                      verify.Missing,
	} {
		checkReason(t, v, post(body), want)
	}
}
