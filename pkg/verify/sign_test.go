package verify_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/expressway-dev/expressway/internal/providertest"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// A signable is a Spec whose secret can sign, and the part of a request that the signature
// covers.
type signable struct {
	spec   verify.Spec
	secret func(*rapid.T) string
	body   func(*rapid.T) []byte
	header http.Header
	// covered are the parts of a body that the signature covers, as the offsets of
	// their bytes; nil is all, and an empty list none.
	covered func(body []byte) []int
}

func words(min, max int) *rapid.Generator[string] { //nolint:predeclared // as in the standard library
	return rapid.StringMatching(fmt.Sprintf("[a-zA-Z0-9]{%d,%d}", min, max))
}

func textSecret(t *rapid.T) string { return words(32, 40).Draw(t, "secret") }

func anyBody(t *rapid.T) []byte { return rapid.SliceOfN(rapid.Byte(), 1, 200).Draw(t, "body") }

func nothing([]byte) []int { return []int{} }

// within are the offsets of the given texts.
func within(body []byte, texts ...string) []int {
	var at []int
	for _, text := range texts {
		if i := strings.Index(string(body), text); i >= 0 && text != "" {
			for j := range len(text) {
				at = append(at, i+j)
			}
		}
	}
	return at
}

// valuesOf are the offsets of the texts at some names, wherever they are.
func valuesOf(names ...string) func([]byte) []int {
	return func(body []byte) []int {
		var at []int
		for _, name := range names {
			start := strings.Index(string(body), `"`+name+`":"`)
			if start < 0 {
				continue
			}
			start += len(name) + 4
			for i := start; body[i] != '"'; i++ {
				at = append(at, i)
			}
		}
		return at
	}
}

func signables() map[string]signable {
	out := map[string]signable{
		"hmac": {spec: verify.Spec{URL: "https://h.example", HMAC: &verify.HMAC{
			Header: "S", Prefix: "v1=", Signed: "{header:T}.{timestamp}.{method}{url}{body}", Timestamp: &verify.Timestamp{Header: "T", Format: "rfc3339"},
		}}},
		"kv": {spec: verify.Spec{HMAC: &verify.HMAC{
			Header: "S", Format: "kv", SignatureKey: "h", TimestampKey: "t", Separator: ";", Signed: "{timestamp}{body}", Algorithm: "sha512", Encoding: "base64",
		}}},
		"base64url": {spec: verify.Spec{HMAC: &verify.HMAC{Header: "S", Encoding: "base64url", Algorithm: "sha384"}}},
		"basic":     {spec: verify.Spec{Basic: &verify.Basic{Username: "u"}}, covered: nothing},
		"token":     {spec: verify.Spec{Token: &verify.Token{Header: "X-Token"}}, covered: nothing},
		"bearer":    {spec: verify.Spec{Token: &verify.Token{}}, covered: nothing},
		"jwt": {spec: verify.Spec{JWT: &verify.JWT{
			Issuer: "i", Audience: "a", Algorithms: []string{"HS512", "HS256"}, Claims: map[string]string{"sub": "s"},
		}}, covered: nothing},
		"gitlab, signing": {spec: verify.Spec{Provider: "gitlab"}, secret: whsec},
		"twilio, form": {
			spec: verify.Spec{Provider: "twilio"}, header: headers("Content-Type", "application/x-www-form-urlencoded"),
			body: func(t *rapid.T) []byte {
				return []byte("Body=" + words(1, 9).Draw(t, "b") + "&From=%2B1" + words(1, 9).Draw(t, "f") + "&A=&Body=" + words(1, 9).Draw(t, "c"))
			},
			// A byte that moves between a name and its value is not detected, because they
			// are joined.
			covered: func(body []byte) []int { return within(body, strings.Split(string(body), "%2B1")[1][:1]) },
		},
		"linear, with its time": {spec: verify.Spec{Provider: "linear"}, body: func(t *rapid.T) []byte {
			return []byte(`{"webhookTimestamp":1,"n":9007199254740993,"type":"` + words(1, 9).Draw(t, "type") + `"}`)
		}},
	}
	for _, name := range verify.Providers() {
		c, err := providertest.Complete(name)
		if err != nil {
			panic(err)
		}
		sample := &verify.Request{Method: "POST", Path: "/p", Body: []byte(itemsBody)}
		if _, err := verify.SignRequest(c.Spec, c.Secret, sample, epoch); errors.Is(err, verify.ErrCannotSign) {
			continue
		}
		p, _ := verify.Lookup(name)
		s := signable{spec: c.Spec, secret: secretLike(c.Secret)}
		signed := p.Signature().Signed
		switch {
		case strings.HasPrefix(signed, "nothing"), strings.Contains(signed, "not the body"):
			s.body, s.covered = jsonBody, nothing
		case p.ContentTypes[0] == "application/x-www-form-urlencoded":
			s.header = headers("Content-Type", p.ContentTypes[0])
			s.body = func(t *rapid.T) []byte {
				return []byte("a=" + words(1, 9).Draw(t, "a") + "&b=" + words(1, 9).Draw(t, "b"))
			}
			s.covered = nothing // what is joined or wrapped has no places of its own
		case p.HMAC != nil && p.HMAC.Hash == "plain":
			s.body = jsonBody
		}
		switch name {
		case "gitlab":
			s.secret, s.covered = textSecret, nothing
		case "linear", "x":
			s.body = func(t *rapid.T) []byte { return []byte(`{"a":"` + words(0, 20).Draw(t, "a") + `"}`) }
		case "adyen":
			s.body = func(t *rapid.T) []byte {
				return []byte(`{"live":"false","notificationItems":[{"NotificationRequestItem":{"amount":{"currency":"EUR","value":1130},"eventCode":"AUTHORISATION","merchantAccountCode":"` +
					words(1, 9).Draw(t, "account") + `","merchantReference":"` + words(0, 9).Draw(t, "ref") + `","pspReference":"7914073381342284","success":"true"}},` +
					`{"NotificationRequestItem":{"additionalData":{"x":"y"},"amount":{"currency":"EUR","value":9007199254740993},"eventCode":"CAPTURE","merchantAccountCode":"A","pspReference":"2","success":"false"}}]}`)
			}
			s.covered = valuesOf("eventCode", "merchantAccountCode", "merchantReference", "pspReference", "success", "currency", "hmacSignature")
		case "mailgun":
			s.body = func(t *rapid.T) []byte {
				return []byte(`{"event-data":{"id":"` + words(1, 9).Draw(t, "id") + `","timestamp":1521472262.908181}}`)
			}
			s.covered = func(body []byte) []int {
				var b struct {
					Signature struct{ Token, Signature string }
				}
				_ = json.Unmarshal(body, &b)
				return within(body, b.Signature.Token, b.Signature.Signature)
			}
		case "microsoft-graph", "sharepoint":
			s.body = func(t *rapid.T) []byte {
				return []byte(`{"value":[{"id":"` + words(1, 9).Draw(t, "id") + `"},{"clientState":"old"}]}`)
			}
			s.covered = valuesOf("clientState")
		}
		out[name] = s
	}
	return out
}

func jsonBody(t *rapid.T) []byte { return []byte(`{"a":"` + words(0, 20).Draw(t, "a") + `"}`) }

// secretLike draws secrets of the form of one.
func secretLike(secret string) func(*rapid.T) string {
	switch {
	case strings.HasPrefix(secret, "whsec_"):
		return whsec
	case strings.Trim(secret, "0123456789abcdef") == "":
		return func(t *rapid.T) string { return rapid.StringMatching("([0-9a-f]{2}){16}").Draw(t, "secret") }
	}
	return func(t *rapid.T) string { return rapid.StringMatching("[A-Za-z0-9+/]{32}").Draw(t, "secret") }
}

func whsec(t *rapid.T) string {
	return "whsec_" + rapid.StringMatching("[A-Za-z0-9+/]{32}").Draw(t, "secret")
}

// TestSignThenVerify checks every signer with its verifier: what it signs is accepted, also
// with a second secret, and no byte can be changed afterwards.
func TestSignThenVerify(t *testing.T) {
	t.Parallel()
	for name, s := range signables() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) { s.check(t) })
		})
	}
}

// Each block of `verify` is signed and verified by TestSignThenVerify. The senders of the
// others have what nobody else can: their tests make it.
func TestEveryBlockIsVerified(t *testing.T) {
	t.Parallel()
	tested := map[string]bool{
		"mtls":      true, // TestMTLS
		"signature": true, // TestSignatureBlock
	}
	for _, s := range signables() {
		spec := reflect.ValueOf(s.spec)
		for _, field := range reflect.VisibleFields(spec.Type()) {
			key, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
			tested[key] = tested[key] || !spec.FieldByIndex(field.Index).IsZero()
		}
	}
	for _, key := range verify.Blocks() {
		if !tested[key] {
			t.Errorf("no case of signables has the block %s: nothing tests its verifier", key)
		}
	}
}

func (s signable) check(t *rapid.T) {
	secret, body := textSecret, anyBody
	if s.secret != nil {
		secret = s.secret
	}
	if s.body != nil {
		body = s.body
	}
	key, other := secret(t), secret(t)
	spec := s.spec
	if spec.URL == "" {
		spec.URL = "https://h.example"
	}
	spec.Secrets = []string{"env:S0", "env:S1"}
	r := &verify.Request{Method: "POST", Path: "/p", RawQuery: "q=1%2F2", Header: headers(), Body: body(t)}
	if s.header != nil {
		r.Header = s.header.Clone()
	}
	signed, err := verify.SignRequest(spec, key, r, epoch)
	if err != nil {
		t.Fatalf("SignRequest: %v", err)
	}
	maps.Copy(r.Header, signed.Header)
	r.RawQuery, r.Body = signed.RawQuery, signed.Body
	secrets := environment{other, key}
	v, err := verify.New(spec, secrets.source(), verify.Options{Now: clockAt(epoch.Add(30 * time.Second))})
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	if err := v.Verify(t.Context(), r); err != nil {
		t.Fatalf("Verify refuses what was signed: %v", err)
	}
	// One bit of a header that the signer made.
	for _, name := range slices.Sorted(maps.Keys(signed.Header)) {
		value := signed.Header.Get(name)
		i := rapid.IntRange(0, len(value)-1).Draw(t, "at")
		r.Header.Set(name, value[:i]+string(value[i]^1)+value[i+1:])
		if err := v.Verify(t.Context(), r); verify.ReasonOf(err) == "" {
			t.Fatalf("Verify = %v after a change in %s at %d of %q", err, name, i, value)
		}
		r.Header.Set(name, value)
	}
	// One bit of the body.
	at := s.offsets(r.Body)
	if len(at) > 0 {
		i := rapid.SampledFrom(at).Draw(t, "in the body at")
		r.Body = slices.Clone(r.Body)
		r.Body[i] ^= 1
		if err := v.Verify(t.Context(), r); verify.ReasonOf(err) == "" {
			t.Fatalf("Verify = %v after a change in the body at %d of %q", err, i, r.Body)
		}
	}
}

func (s signable) offsets(body []byte) []int {
	if s.covered != nil {
		return s.covered(body)
	}
	at := make([]int, len(body))
	for i := range at {
		at[i] = i
	}
	return at
}

func TestCannotSign(t *testing.T) {
	t.Parallel()
	refs := []string{"env:S0"}
	for name, test := range map[string]struct {
		spec   verify.Spec
		secret string
		why    string
	}{
		"discord":  {verify.Spec{Provider: "discord", Secrets: refs}, "ab", "private key"},
		"sendgrid": {verify.Spec{Provider: "sendgrid", Secrets: refs}, "ab", "private key"},
		"sns":      {verify.Spec{Provider: "sns", Topics: verify.Topics{"any"}}, "", "private key"},
		"jwks":     {verify.Spec{JWT: &verify.JWT{JWKS: "https://h.example/k", Issuer: "i", Audience: "a"}}, "", "private key"},
		"v1a":      {verify.Spec{Provider: "standard-webhooks", Secrets: refs}, "whpk_AAAA", "public key"},
		"mtls":     {verify.Spec{MTLS: &verify.MTLS{Subject: []string{"*"}}}, "", "TLS"},
		"x, plain": {verify.Spec{Provider: "x", Secrets: refs}, "k", "anyone"},
	} {
		signed, err := verify.SignRequest(test.spec, test.secret, post("plain"), epoch)
		var cannot *verify.CannotSignError
		if !errors.As(err, &cannot) || !errors.Is(err, verify.ErrCannotSign) || !strings.Contains(err.Error(), test.why) || signed != nil {
			t.Errorf("%s: SignRequest = %v, %v, want a CannotSignError about %q", name, signed, err, test.why)
		}
	}
	// Sign returns headers, and an error if headers are not enough.
	for name, test := range map[string]struct {
		provider, secret, body string
	}{
		"twilio": {"twilio", "k", "{}"}, "adyen": {"adyen", "ab", `{"notificationItems":[{"NotificationRequestItem":{}}]}`}, "mailgun": {"mailgun", "k", "{}"},
	} {
		h, err := verify.Sign(verify.Spec{Provider: test.provider, URL: "https://h.example", Secrets: refs}, test.secret, post(test.body), epoch)
		if !errors.Is(err, verify.ErrCannotSign) || h != nil {
			t.Errorf("%s: Sign = %v, %v, want ErrCannotSign", name, h, err)
		}
	}
	// Neither accepts a body or a secret of another form, or a Spec with problems.
	for name, test := range map[string]struct {
		spec         verify.Spec
		secret, body string
	}{
		"no secret":         {verify.Spec{Provider: "github", Secrets: refs}, "", "{}"},
		"adyen, not hex":    {verify.Spec{Provider: "adyen", Secrets: refs}, "xyz", "{}"},
		"adyen, no items":   {verify.Spec{Provider: "adyen", Secrets: refs}, "ab", "{}"},
		"adyen, not JSON":   {verify.Spec{Provider: "adyen", Secrets: refs}, "ab", "["},
		"adyen, amount":     {verify.Spec{Provider: "adyen", Secrets: refs}, "ab", `{"notificationItems":[{"NotificationRequestItem":{"eventCode":[]}}]}`},
		"graph, no items":   {verify.Spec{Provider: "microsoft-graph", Secrets: refs}, "ab", `{"value":[1]}`},
		"whsec, not base64": {verify.Spec{Provider: "svix", Secrets: refs}, "whsec_!", "{}"},
		"no provider":       {verify.Spec{Provider: "gihub", Secrets: refs}, "k", "{}"},
		"jwt, short":        {verify.Spec{JWT: &verify.JWT{Issuer: "i", Audience: "a"}, Secrets: refs}, "hunter2", "{}"},
		"missing header":    {verify.Spec{HMAC: &verify.HMAC{Header: "S", Signed: "{header:X}{body}"}, Secrets: refs}, "k", "{}"},
	} {
		signed, err := verify.SignRequest(test.spec, test.secret, post(test.body), epoch)
		if err == nil || signed != nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: SignRequest = %v, %v, want an error", name, signed, err)
		}
	}
	if signed, err := verify.SignRequest(verify.Spec{None: true}, "", post("{}"), epoch); err != nil || len(signed.Header) != 0 {
		t.Errorf("none: SignRequest = %v, %v, want no header", signed, err)
	}
}

// TestSignKeepsDigits checks that a body that is rewritten keeps the digits of its numbers.
func TestSignKeepsDigits(t *testing.T) {
	t.Parallel()
	body := `{"event-data":{"n":9007199254740993,"f":1.0,"t":"<&>"}}`
	signed, err := verify.SignRequest(verify.Spec{Provider: "mailgun", Secrets: []string{"env:S0"}}, "k", post(body), epoch)
	if err != nil {
		t.Fatal(err)
	}
	for _, kept := range []string{"9007199254740993", "1.0", `"<&>"`} {
		if !strings.Contains(string(signed.Body), kept) {
			t.Errorf("%s is gone from %s", kept, signed.Body)
		}
	}
}
