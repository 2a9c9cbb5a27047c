package verify_test

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/internal/providertest"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// TestRoots uses senders whose certificates come with the signature, up to a root that the
// route names.
func TestRoots(t *testing.T) {
	t.Parallel()
	keys, err := verify.MakeKeys(providertest.Now)
	if err != nil {
		t.Fatal(err)
	}
	others, err := verify.MakeKeys(providertest.Now)
	if err != nil {
		t.Fatal(err)
	}
	const name = "expressway test sender"
	rooted := func(algorithm, header, body string) verify.Spec {
		return verify.Spec{Signature: &verify.KeySignature{
			Algorithm: algorithm, Header: header, Body: body, Keys: &verify.PublishedKeys{Roots: []string{"env:S0"}, Name: name},
		}}
	}
	const payload = `{"id":"1","amount":"10.00"}`
	for algorithm, place := range map[string][2]string{"ecdsa-sha256": {"", "/data/signedPayload"}, "rsa-sha256": {"X-Jws-Signature", ""}, "rsa-pss-sha256": {"", "token"}} {
		spec := rooted(algorithm, place[0], place[1])
		if problems := spec.Validate(); len(problems) > 0 {
			t.Fatal(problems)
		}
		root, err := verify.PublicHalf(spec, keys)
		if err != nil {
			t.Fatalf("%s: %v", algorithm, err)
		}
		signed := func(spec verify.Spec, keys string) *verify.Request {
			r := post(payload, "Content-Type", "application/json")
			s, err := verify.SignRequest(spec, keys, r, providertest.Now)
			if err != nil {
				t.Fatal(err)
			}
			for h, v := range s.Header {
				r.Header[h] = v
			}
			r.Body = s.Body
			return r
		}
		verifier := func(spec verify.Spec) verify.Verifier {
			v, err := verify.New(spec, environment{root}.source(), verify.Options{Now: clockAt(providertest.Now)})
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		v, good := verifier(spec), signed(spec, keys)
		checkReason(t, v, good, "")
		checkReason(t, v, signed(spec, others), verify.Mismatch)

		another := rooted(algorithm, place[0], place[1])
		another.Signature.Keys.Name = "hooks.bank.example"
		checkReason(t, verifier(another), good, verify.Mismatch)
		another.Signature.Keys.Name = "any"
		checkReason(t, verifier(another), good, "")
		for _, other := range []string{"ecdsa-sha256", "rsa-sha256", "rsa-pss-sha256", "ed25519"} {
			if other != algorithm { // the token's header does not choose
				checkReason(t, verifier(rooted(other, place[0], place[1])), good, verify.Malformed)
			}
		}
		late, err := verify.New(spec, environment{root}.source(), verify.Options{Now: clockAt(providertest.Now.AddDate(2, 0, 0))})
		if err != nil {
			t.Fatal(err)
		}
		checkReason(t, late, good, verify.Stale)

		token := good.Header.Get("X-Jws-Signature")
		if place[0] == "" {
			token = memberOf(t, good.Body, place[1])
		}
		parts := strings.Split(token, ".")
		with := func(token string) *verify.Request {
			r := *good
			r.Header = good.Header.Clone()
			if place[0] != "" {
				r.Header.Set(place[0], token)
			} else {
				r.Body = []byte(strings.Replace(string(good.Body), strings.Join(parts, "."), token, 1))
			}
			return &r
		}
		header := map[string]any{}
		text, _ := base64.RawURLEncoding.DecodeString(parts[0])
		if err := json.Unmarshal(text, &header); err != nil {
			t.Fatal(err)
		}
		changed := func(name string, value any) string {
			h := map[string]any{}
			for k, v := range header {
				h[k] = v
			}
			h[name] = value
			text, _ := json.Marshal(h)
			return base64.RawURLEncoding.EncodeToString(text) + "." + parts[1] + "." + parts[2]
		}
		forged := base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(payload, "10.00", "99.99", 1)))
		for what, test := range map[string]struct {
			token string
			want  verify.Reason
		}{
			"alg none":         {changed("alg", "none"), verify.Malformed},
			"alg HS256":        {changed("alg", "HS256"), verify.Malformed},
			"no certificates":  {changed("x5c", []string{}), verify.Malformed},
			"six certificates": {changed("x5c", make([]string, 6)), verify.Malformed},
			"crit":             {changed("crit", []string{"b64"}), verify.Malformed},
			"another payload":  {parts[0] + "." + forged + "." + parts[2], verify.Mismatch},
			"no signature":     {parts[0] + "." + parts[1] + ".", verify.Mismatch},
			"two parts":        {parts[0] + "." + parts[1], verify.Malformed},
			"not base64":       {parts[0] + "." + parts[1] + ".!", verify.Malformed},
		} {
			if err := v.Verify(t.Context(), with(test.token)); verify.ReasonOf(err) != test.want {
				t.Errorf("%s, %s: Verify = %v, want %q", algorithm, what, err, test.want)
			}
		}
		if place[0] != "" {
			// Detached, as RFC 7515, appendix F: the body is the payload.
			checkReason(t, v, with(parts[0]+".."+parts[2]), "")
			r := with(parts[0] + ".." + parts[2])
			r.Body = []byte(strings.Replace(payload, "10.00", "99.99", 1))
			checkReason(t, v, r, verify.Mismatch)
			r = with(token)
			r.Body = []byte(strings.Replace(payload, "10.00", "99.99", 1))
			checkReason(t, v, r, verify.Mismatch)
			r = with(token)
			r.Header.Add(place[0], token)
			checkReason(t, v, r, verify.Malformed)
		}
	}
}

func memberOf(t *testing.T, body []byte, pointer string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatal(err)
	}
	for name := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		v = v.(map[string]any)[name]
	}
	return v.(string)
}

// A root must be a root, and the description of a sender with roots whole.
func TestRootsAreChecked(t *testing.T) {
	t.Parallel()
	keys, err := verify.MakeKeys(providertest.Now)
	if err != nil {
		t.Fatal(err)
	}
	var leaf string
	for block, rest := pem.Decode([]byte(keys)); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			leaf = string(pem.EncodeToMemory(block))
			break
		}
	}
	spec := verify.Spec{Signature: &verify.KeySignature{Algorithm: "ecdsa-sha256", Body: "t", Keys: &verify.PublishedKeys{Roots: []string{"env:S0"}, Name: "a"}}}
	if _, err := verify.New(spec, environment{leaf}.source(), verify.Options{Now: clockAt(providertest.Now)}); err == nil || !strings.Contains(err.Error(), "certificate of a root") {
		t.Errorf("with a leaf certificate as the root: %v", err)
	}
	for field, change := range map[string]func(*verify.KeySignature){
		"signature.keys.name":    func(k *verify.KeySignature) { k.Keys.Name = "" },
		"signature.keys.roots":   func(k *verify.KeySignature) { k.Keys.URL = "https://a.example/k" },
		"signature.keys.roots.0": func(k *verify.KeySignature) { k.Keys.Roots = []string{"-----BEGIN"} },
		"signature.algorithm":    func(k *verify.KeySignature) { k.Algorithm = "rsa-sha1" },
		"signature.header":       func(k *verify.KeySignature) { k.Body = "" },
		"signature.body":         func(k *verify.KeySignature) { k.Header = "X" },
		"signature.signed":       func(k *verify.KeySignature) { k.Signed = "{body}" },
		"signature.encoding":     func(k *verify.KeySignature) { k.Encoding = "hex" },
		"signature.prefix":       func(k *verify.KeySignature) { k.Prefix = "v1=" },
		"signature.timestamp":    func(k *verify.KeySignature) { k.Timestamp = &verify.Timestamp{Header: "T"} },
	} {
		k := &verify.KeySignature{Algorithm: "ecdsa-sha256", Body: "t", Keys: &verify.PublishedKeys{Roots: []string{"env:S0"}, Name: "a"}}
		change(k)
		s := verify.Spec{Signature: k}
		problems := s.Validate()
		if len(problems) != 1 || problems[0].Field != field {
			t.Errorf("%s: problems %v", field, problems)
		}
	}
	for field, k := range map[string]*verify.KeySignature{
		"signature.keys.name": {Algorithm: "ed25519", Header: "X", Keys: &verify.PublishedKeys{URL: "https://a.example/k", Name: "a"}},
		"signature.body":      {Algorithm: "ed25519", Header: "X", Body: "t", Keys: &verify.PublishedKeys{URL: "https://a.example/k"}},
	} {
		s := verify.Spec{Signature: k}
		if problems := s.Validate(); len(problems) != 1 || problems[0].Field != field {
			t.Errorf("%s: problems %v", field, problems)
		}
	}
}
