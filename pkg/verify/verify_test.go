package verify_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/secrets"
	"github.com/expressway-dev/expressway/pkg/verify"
)

var epoch = time.Unix(1_700_000_000, 0)

func clockAt(at time.Time) func() time.Time { return func() time.Time { return at } }

func newVerifier(t testing.TB, s verify.Spec, at time.Time, texts ...string) verify.Verifier {
	t.Helper()
	e := environment(texts)
	s.Secrets = e.references()
	v, err := verify.New(s, e.source(), verify.Options{Now: clockAt(at)})
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return v
}

func mac(key, content string) []byte {
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(content))
	return m.Sum(nil)
}

func hexMAC(key, content string) string { return hex.EncodeToString(mac(key, content)) }

// headers makes a header of name, value pairs; a name may come twice.
func headers(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

func TestGitHub(t *testing.T) {
	t.Parallel()
	const name, body = "X-Hub-Signature-256", `{"a":1}`
	good := hexMAC("one", body)
	sha1MAC := hmac.New(sha1.New, []byte("one"))
	sha1MAC.Write([]byte(body))
	tests := map[string]struct {
		header http.Header
		want   verify.Reason
	}{
		"first secret":         {headers(name, "sha256="+good), ""},
		"second secret":        {headers(name, "sha256="+hexMAC("two", body)), ""},
		"upper-case hex":       {headers(name, "sha256="+strings.ToUpper(good)), ""},
		"missing":              {headers(), verify.Missing},
		"empty":                {headers(name, ""), verify.Missing},
		"only the sha1 header": {headers("X-Hub-Signature", "sha1="+hex.EncodeToString(sha1MAC.Sum(nil))), verify.Missing},
		"sha1 in its place":    {headers(name, "sha1="+hex.EncodeToString(sha1MAC.Sum(nil))), verify.Malformed},
		"no prefix":            {headers(name, good), verify.Malformed},
		"upper-case prefix":    {headers(name, "SHA256="+good), verify.Malformed},
		"twice":                {headers(name, "sha256="+good, name, "sha256="+good), verify.Malformed},
		"a list":               {headers(name, "sha256="+good+",sha256="+good), verify.Malformed},
		"cut":                  {headers(name, "sha256="+good[:62]), verify.Malformed},
		"odd":                  {headers(name, "sha256="+good[:63]), verify.Malformed},
		"long":                 {headers(name, "sha256="+good+"00"), verify.Malformed},
		"trailing space":       {headers(name, "sha256="+good+" "), verify.Malformed},
		"not hex":              {headers(name, "sha256="+strings.Repeat("z", 64)), verify.Malformed},
		"only the prefix":      {headers(name, "sha256="), verify.Malformed},
		"huge":                 {headers(name, "sha256="+strings.Repeat("a", 1<<20)), verify.Malformed},
		"other secret":         {headers(name, "sha256="+hexMAC("three", body)), verify.Mismatch},
		"empty secret":         {headers(name, "sha256="+hexMAC("", body)), verify.Mismatch},
		"other body":           {headers(name, "sha256="+hexMAC("one", body+" ")), verify.Mismatch},
	}
	v := newVerifier(t, verify.Spec{Provider: "github"}, epoch, "one", "two")
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkReason(t, v, &verify.Request{Header: test.header, Body: []byte(body)}, test.want)
		})
	}
}

func checkReason(t *testing.T, v verify.Verifier, r *verify.Request, want verify.Reason) {
	t.Helper()
	err := v.Verify(t.Context(), r)
	if got := verify.ReasonOf(err); got != want || (err == nil) != (want == "") {
		t.Fatalf("Verify = %v (reason %q), want reason %q", err, got, want)
	}
	if err != nil && !errors.Is(err, verify.ErrUnverified) {
		t.Errorf("errors.Is(%v, ErrUnverified) = false", err)
	}
}

func TestStripe(t *testing.T) {
	t.Parallel()
	const body = `{"id":"evt_1"}`
	at := strconv.FormatInt(epoch.Unix(), 10)
	good, old := hexMAC("k", at+"."+body), hexMAC("old", at+"."+body)
	signed := func(text string) string { return "t=" + text + ",v1=" + hexMAC("k", text+"."+body) }
	tests := map[string]struct {
		value string
		want  verify.Reason
	}{
		"plain":                {"t=" + at + ",v1=" + good, ""},
		"second v1":            {"t=" + at + ",v1=" + old + ",v1=" + good, ""},
		"unknown keys":         {"a=1,t=" + at + ",v9=zz,v1=" + good + ",v0=" + old, ""},
		"signature first":      {"v1=" + good + ",t=" + at, ""},
		"spaces":               {"t=" + at + ", v1=" + good, ""},
		"garbage and good":     {"t=" + at + ",v1=zz,v1=" + good, ""},
		"just in time":         {signed(strconv.FormatInt(epoch.Unix()-300, 10)), ""},
		"just in time, ahead":  {signed(strconv.FormatInt(epoch.Unix()+300, 10)), ""},
		"stale":                {signed(strconv.FormatInt(epoch.Unix()-301, 10)), verify.Stale},
		"ahead":                {signed(strconv.FormatInt(epoch.Unix()+301, 10)), verify.Stale},
		"stale and forged":     {"t=1,v1=" + good, verify.Mismatch},
		"plus sign":            {signed("+" + at), verify.Malformed},
		"leading zero":         {"t=0" + at + ",v1=" + good, verify.Mismatch},
		"space in the time":    {signed(at + " "), verify.Mismatch}, // the trimmed text is another one
		"fraction":             {signed(at + ".0"), verify.Malformed},
		"exponent":             {signed("1e9"), verify.Malformed},
		"far future":           {signed("9223372036854775807"), verify.Malformed},
		"largest":              {signed("999999999999999"), verify.Stale},
		"two times":            {"t=" + at + ",t=" + at + ",v1=" + good, verify.Malformed},
		"no time":              {"v1=" + good, verify.Malformed},
		"empty time":           {"t=,v1=" + good, verify.Malformed},
		"no signature":         {"t=" + at, verify.Malformed},
		"only v0":              {"t=" + at + ",v0=" + good, verify.Malformed},
		"pair without =":       {"t=" + at + ",x,v1=" + good, verify.Malformed},
		"empty pair":           {"t=" + at + ",v1=" + good + ",", verify.Malformed},
		"too many signatures":  {"t=" + at + strings.Repeat(",v1="+good, 33), verify.Malformed},
		"too many pairs":       {"t=" + at + ",v1=" + good + strings.Repeat(",a=", 2000), verify.Malformed},
		"semicolons":           {"t=" + at + ";v1=" + good, verify.Malformed},
		"upper-case key":       {"T=" + at + ",V1=" + good, verify.Malformed},
		"cut at the comma":     {"t=" + at, verify.Malformed},
		"joined header values": {"t=" + at + ",v1=" + old + ",t=" + at + ",v1=" + good, verify.Malformed},
	}
	v := newVerifier(t, verify.Spec{Provider: "stripe"}, epoch, "k")
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkReason(t, v, &verify.Request{Header: headers("Stripe-Signature", test.value), Body: []byte(body)}, test.want)
		})
	}
}

func TestToleranceOverride(t *testing.T) {
	t.Parallel()
	r := &verify.Request{Body: []byte("{}")}
	h, err := verify.Sign(verify.Spec{Provider: "stripe", Secrets: []string{"env:S0"}}, "k", r, epoch.Add(-8*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = h
	checkReason(t, newVerifier(t, verify.Spec{Provider: "stripe"}, epoch, "k"), r, verify.Stale)
	checkReason(t, newVerifier(t, verify.Spec{Provider: "stripe", Tolerance: "10m"}, epoch, "k"), r, "")
	checkReason(t, newVerifier(t, verify.Spec{Provider: "stripe", Tolerance: "1m"}, epoch, "k"), r, verify.Stale)
}

func TestStandardWebhooks(t *testing.T) {
	t.Parallel()
	const body = `{"test": 1}`
	key := []byte("0123456789abcdef01234567")
	secret := "whsec_" + base64.StdEncoding.EncodeToString(key)
	at := strconv.FormatInt(epoch.Unix(), 10)
	sum := func(id, ts string) string {
		return base64.StdEncoding.EncodeToString(mac(string(key), id+"."+ts+"."+body))
	}
	good := "v1," + sum("m", at)
	build := func(family, id, ts, signature string) http.Header {
		return headers(family+"id", id, family+"timestamp", ts, family+"signature", signature)
	}
	tests := map[string]struct {
		header http.Header
		want   verify.Reason
	}{
		"webhook-":           {build("webhook-", "m", at, good), ""},
		"svix-":              {build("svix-", "m", at, good), ""},
		"list":               {build("webhook-", "m", at, "v1,"+strings.Repeat("A", 43)+"= v2,x v1a,zz "+good), ""},
		"both families":      {headers("webhook-id", "m", "webhook-timestamp", at, "webhook-signature", good, "svix-id", "m", "svix-timestamp", at, "svix-signature", good), ""},
		"another's id":       {headers("webhook-id", "m", "webhook-timestamp", at, "webhook-signature", good, "svix-id", "n"), verify.Malformed},
		"another's id, svix": {headers("webhook-id", "n", "svix-id", "m", "svix-timestamp", at, "svix-signature", good), verify.Malformed},
		"mixed families":     {headers("webhook-id", "m", "svix-timestamp", at, "webhook-signature", good), verify.Missing},
		"no id":              {headers("webhook-timestamp", at, "webhook-signature", good), verify.Missing},
		"other id":           {build("webhook-", "n", at, good), verify.Mismatch},
		"id with a stop":     {build("webhook-", "m.1", at, "v1,"+sum("m.1", at)), verify.Malformed},
		"stale":              {build("webhook-", "m", "1", "v1,"+sum("m", "1")), verify.Stale},
		"plus sign":          {build("webhook-", "m", "+"+at, "v1,"+sum("m", "+"+at)), verify.Malformed},
		"no version":         {build("webhook-", "m", at, sum("m", at)), verify.Malformed},
		"v2":                 {build("webhook-", "m", at, "v2,"+sum("m", at)), verify.Malformed},
		"unpadded":           {build("webhook-", "m", at, strings.TrimRight(good, "=")), verify.Malformed},
		"line break":         {build("webhook-", "m", at, good[:10]+"\n"+good[10:]), verify.Malformed},
		"comma list":         {build("webhook-", "m", at, good+","+good), verify.Malformed},
		"too many":           {build("webhook-", "m", at, strings.Repeat("v1,a ", 200)+good), verify.Malformed},
		"v1a without a key":  {build("webhook-", "m", at, "v1a,"+strings.Repeat("A", 86)+"=="), verify.Mismatch},
		"bytes as text":      {build("webhook-", "m", at, "v1,"+hexMAC(string(key), "m."+at+"."+body)), verify.Malformed},
		"secret as the text": {build("webhook-", "m", at, "v1,"+base64.StdEncoding.EncodeToString(mac(secret, "m."+at+"."+body))), verify.Mismatch},
	}
	v := newVerifier(t, verify.Spec{Provider: "standard-webhooks"}, epoch, secret)
	alias := newVerifier(t, verify.Spec{Provider: "svix"}, epoch, strings.TrimPrefix(secret, "whsec_"))
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkReason(t, v, &verify.Request{Header: test.header, Body: []byte(body)}, test.want)
			checkReason(t, alias, &verify.Request{Header: test.header, Body: []byte(body)}, test.want)
		})
	}
}

func TestGenericHMAC(t *testing.T) {
	t.Parallel()
	const body = "body"
	r := verify.Request{Method: "POST", Path: "/a%20b", RawQuery: "x=1&y", Body: []byte(body)}
	with := func(pairs ...string) *verify.Request {
		c := r
		c.Header = headers(pairs...)
		return &c
	}
	url64 := base64.RawURLEncoding.EncodeToString(mac("k", body))
	tests := map[string]struct {
		spec    verify.Spec
		request *verify.Request
		want    verify.Reason
	}{
		"every field": {
			verify.Spec{URL: "https://h.example", HMAC: &verify.HMAC{Header: "S", Signed: "{method}|{url}|{path}|{query}|{header:x-id}|{body}"}},
			with("X-Id", "7", "S", hexMAC("k", "POST|https://h.example/a%20b?x=1&y|/a%20b|x=1&y|7|body")), "",
		},
		"signed header missing": {verify.Spec{HMAC: &verify.HMAC{Header: "S", Signed: "{header:X-Id}{body}"}}, with("S", hexMAC("k", body)), verify.Missing},
		"signed header twice": {
			verify.Spec{HMAC: &verify.HMAC{Header: "S", Signed: "{header:X-Id}{body}"}},
			with("X-Id", "7", "X-Id", "8", "S", hexMAC("k", "7body")), verify.Malformed,
		},
		"base64url unpadded":   {verify.Spec{HMAC: &verify.HMAC{Header: "S", Encoding: "base64url"}}, with("S", url64), ""},
		"base64url padded":     {verify.Spec{HMAC: &verify.HMAC{Header: "S", Encoding: "base64url"}}, with("S", url64+"="), ""},
		"base64 unpadded":      {verify.Spec{HMAC: &verify.HMAC{Header: "S", Encoding: "base64"}}, with("S", base64.RawStdEncoding.EncodeToString(mac("k", body))), verify.Malformed},
		"base64 with a break":  {verify.Spec{HMAC: &verify.HMAC{Header: "S", Encoding: "base64"}}, with("S", base64.StdEncoding.EncodeToString(mac("k", body))+"\n"), verify.Malformed},
		"list, prefix once":    {verify.Spec{HMAC: &verify.HMAC{Header: "S", Prefix: "v0=", PrefixOptional: true, Separator: ","}}, with("S", "v0="+hexMAC("x", body)+","+hexMAC("k", body)), ""},
		"list, prefix needed":  {verify.Spec{HMAC: &verify.HMAC{Header: "S", Prefix: "v1=", Separator: ","}}, with("S", "v2="+hexMAC("k", body)+", v1="+hexMAC("k", body)), ""},
		"list, other prefixes": {verify.Spec{HMAC: &verify.HMAC{Header: "S", Prefix: "v1=", Separator: ","}}, with("S", "v2="+hexMAC("k", body)), verify.Malformed},
		"rfc3339": {
			verify.Spec{HMAC: &verify.HMAC{Header: "S", Signed: "{timestamp}{body}", Timestamp: &verify.Timestamp{Header: "T", Format: "rfc3339"}}},
			with("T", "2023-11-14T22:13:20.5Z", "S", hexMAC("k", "2023-11-14T22:13:20.5Zbody")), "",
		},
		"unix_ms": {
			verify.Spec{HMAC: &verify.HMAC{Header: "S", Signed: "{timestamp}{body}", Timestamp: &verify.Timestamp{Header: "T", Format: "unix_ms"}}},
			with("T", "1700000000000", "S", hexMAC("k", "1700000000000body")), "",
		},
		"seconds as unix_ms": {
			verify.Spec{HMAC: &verify.HMAC{Header: "S", Signed: "{timestamp}{body}", Timestamp: &verify.Timestamp{Header: "T", Format: "unix_ms"}}},
			with("T", "1700000000", "S", hexMAC("k", "1700000000body")), verify.Stale,
		},
		"tolerance": {
			verify.Spec{HMAC: &verify.HMAC{Header: "S", Signed: "{timestamp}{body}", Timestamp: &verify.Timestamp{Header: "T", Tolerance: "2s"}}},
			with("T", "1699999997", "S", hexMAC("k", "1699999997body")), verify.Stale,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkReason(t, newVerifier(t, test.spec, epoch, "k"), test.request, test.want)
		})
	}
}

func TestBasicTokenNone(t *testing.T) {
	t.Parallel()
	basic := newVerifier(t, verify.Spec{Basic: &verify.Basic{Username: "u"}}, epoch, "p:1", "q")
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for value, want := range map[string]verify.Reason{
		"Basic " + encode("u:p:1"):   "",
		"basic  " + encode("u:q"):    "",
		"Basic " + encode("v:q"):     verify.Mismatch,
		"Basic " + encode("u:"):      verify.Mismatch,
		"Basic " + encode("u"):       verify.Malformed,
		"Bearer " + encode("u:q"):    verify.Malformed,
		"Basic" + encode("u:q"):      verify.Malformed,
		"Basic " + encode("u:q")[1:]: verify.Malformed,
		"Basic u:q":                  verify.Malformed,
	} {
		checkReason(t, basic, &verify.Request{Header: headers("Authorization", value)}, want)
	}
	bearer := newVerifier(t, verify.Spec{Token: &verify.Token{}}, epoch, "abc")
	for value, want := range map[string]verify.Reason{
		"abc": "", "Bearer abc": "", "bearer abc": "", "Basic abc": verify.Mismatch, "ab": verify.Mismatch, "Bearer ": verify.Mismatch, "": verify.Missing,
	} {
		checkReason(t, bearer, &verify.Request{Header: headers("Authorization", value)}, want)
	}
	custom := newVerifier(t, verify.Spec{Token: &verify.Token{Header: "x-token"}}, epoch, "abc")
	checkReason(t, custom, &verify.Request{Header: headers("X-Token", "abc")}, "")
	checkReason(t, custom, &verify.Request{Header: headers("X-Token", "Bearer abc")}, verify.Mismatch)
	checkReason(t, newVerifier(t, verify.Spec{None: true}, epoch), &verify.Request{}, "")
}

func TestGitLab(t *testing.T) {
	t.Parallel()
	signing := "whsec_" + base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef"))
	r := &verify.Request{Body: []byte("{}")}
	signed, err := verify.Sign(verify.Spec{Provider: "gitlab", Secrets: []string{"env:S0"}}, signing, r, epoch)
	if err != nil {
		t.Fatal(err)
	}
	both := newVerifier(t, verify.Spec{Provider: "gitlab"}, epoch, "plain", signing)
	checkReason(t, both, &verify.Request{Header: signed, Body: r.Body}, "")
	checkReason(t, both, &verify.Request{Header: headers("X-Gitlab-Token", "plain"), Body: r.Body}, "")
	checkReason(t, both, &verify.Request{Header: headers("X-Gitlab-Token", signing), Body: r.Body}, verify.Mismatch)
	only := newVerifier(t, verify.Spec{Provider: "gitlab"}, epoch, signing)
	checkReason(t, only, &verify.Request{Header: headers("X-Gitlab-Token", signing), Body: r.Body}, verify.Missing)
	plain := newVerifier(t, verify.Spec{Provider: "gitlab"}, epoch, "plain")
	checkReason(t, plain, &verify.Request{Header: signed, Body: r.Body}, verify.Missing)
}

// rotating is a source whose secret changes.
type rotating struct {
	get func(secrets.Reference) (secrets.Secret, error)
}

func (r *rotating) Get(_ context.Context, ref secrets.Reference) (secrets.Secret, error) {
	return r.get(ref)
}

var _ secrets.Source = (*rotating)(nil)

func TestRotationAndOutage(t *testing.T) {
	t.Parallel()
	values := map[string]string{"A": "one", "B": "two"}
	down := map[string]bool{}
	source := &rotating{func(ref secrets.Reference) (secrets.Secret, error) {
		if down[ref.Name] {
			return secrets.Secret{}, errors.New("no answer")
		}
		return secrets.New(values[ref.Name]), nil
	}}
	v, err := verify.New(verify.Spec{Provider: "github", Secrets: []string{"env:A", "env:B"}}, source, verify.Options{Now: clockAt(epoch)})
	if err != nil {
		t.Fatal(err)
	}
	request := func(key string) *verify.Request {
		return &verify.Request{Header: headers("X-Hub-Signature-256", "sha256="+hexMAC(key, "b")), Body: []byte("b")}
	}
	checkReason(t, v, request("one"), "")
	values["A"] = "three"
	checkReason(t, v, request("one"), verify.Mismatch)
	checkReason(t, v, request("three"), "")
	down["A"] = true
	checkReason(t, v, request("two"), "") // the other secret is enough
	for _, breakIt := range []func(){func() {}, func() { down["A"] = false; values["A"] = "" }} {
		breakIt()
		err = v.Verify(t.Context(), request("three"))
		if !errors.Is(err, verify.ErrSecrets) || errors.Is(err, verify.ErrUnverified) {
			t.Errorf("Verify without its secret = %v, want ErrSecrets and not ErrUnverified", err)
		}
		// What is emptied must not become the key of a MAC that anyone can make.
		if err := v.Verify(t.Context(), request("")); !errors.Is(err, verify.ErrSecrets) {
			t.Errorf("Verify with the empty key = %v, want ErrSecrets", err)
		}
	}
}

func TestNewFailsClosed(t *testing.T) {
	t.Parallel()
	with := func(s verify.Spec) verify.Spec { s.Secrets = []string{"env:S0"}; return s }
	tests := map[string]struct {
		spec   verify.Spec
		secret string
	}{
		"nothing":           {with(verify.Spec{}), "k"},
		"unknown provider":  {with(verify.Spec{Provider: "gihub"}), "k"},
		"unset secret":      {with(verify.Spec{Provider: "github"}), ""},
		"no secret":         {verify.Spec{Provider: "github"}, "k"},
		"bare secret":       {verify.Spec{Provider: "github", Secrets: []string{"hunter2"}}, "k"},
		"other store":       {verify.Spec{Provider: "github", Secrets: []string{"ssm:/a"}}, "k"},
		"whsec, not base64": {with(verify.Spec{Provider: "standard-webhooks"}), "whsec_!!!"},
		"whsec, empty":      {with(verify.Spec{Provider: "standard-webhooks"}), "whsec_"},
		"whpk, short":       {with(verify.Spec{Provider: "standard-webhooks"}), "whpk_AAAA"},
		"discord, short":    {with(verify.Spec{Provider: "discord"}), "abcd"},
		"sendgrid, no key":  {with(verify.Spec{Provider: "sendgrid"}), "abcd"},
		"adyen, not hex":    {with(verify.Spec{Provider: "adyen"}), "xyz"},
		"hex key, not hex":  {with(verify.Spec{HMAC: &verify.HMAC{Header: "S", KeyEncoding: "hex"}}), "hunter2"},
		"sns without fetch": {verify.Spec{Provider: "sns", Topics: verify.Topics{"any"}}, ""},
		"jwt, empty":        {verify.Spec{JWT: &verify.JWT{}}, ""},
		"jwt without fetch": {verify.Spec{JWT: &verify.JWT{JWKS: "https://h.example/k", Issuer: "i", Audience: "a"}}, ""},
		"mtls, no subject":  {verify.Spec{MTLS: &verify.MTLS{}}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, err := verify.New(test.spec, environment{test.secret}.source(), verify.Options{Now: clockAt(epoch)})
			if err == nil || v != nil {
				t.Fatalf("New = %v, %v, want an error", v, err)
			}
			if strings.Contains(err.Error(), "hunter2") || test.secret != "whsec_" && len(test.secret) > 2 && strings.Contains(err.Error(), test.secret) {
				t.Errorf("the error shows the secret: %v", err)
			}
		})
	}
}

func TestErrorsShowNothing(t *testing.T) {
	t.Parallel()
	const body = "b"
	expected := hexMAC("hunter2", body)
	v := newVerifier(t, verify.Spec{Provider: "github"}, epoch, "hunter2")
	for _, sent := range []string{"sha256=" + strings.Repeat("ab", 32), "sha256=zz-sent-zz", "sent"} {
		err := v.Verify(t.Context(), &verify.Request{Header: headers("X-Hub-Signature-256", sent), Body: []byte(body)})
		text := fmt.Sprintf("%v %+v %#v", err, err, err)
		for _, hidden := range []string{"hunter2", expected, "sent", strings.Repeat("ab", 32)} {
			if strings.Contains(text, hidden) {
				t.Errorf("the error for %q shows %q: %s", sent, hidden, text)
			}
		}
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	for provider, want := range map[string][]string{
		"github": {"x-hub-signature-256"},
		"slack":  {"x-slack-request-timestamp", "x-slack-signature"},
		"twitch": {"twitch-eventsub-message-id", "twitch-eventsub-message-signature", "twitch-eventsub-message-timestamp"},
	} {
		got := newVerifier(t, verify.Spec{Provider: provider}, epoch, "k").Headers()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: Headers (-want +got):\n%s", provider, diff)
		}
	}
}
