package verify_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/secrets"
	"github.com/expressway-dev/expressway/pkg/verify"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		yaml string
		want []string // fields
	}{
		"github":                {"{provider: github, secrets: ['env:A']}", nil},
		"none":                  {"none", nil},
		"hmac, all":             {"{hmac: {header: X-S, algorithm: sha512, encoding: base64url, prefix: v1=, prefixOptional: true, separator: ',', signed: '{timestamp}.{body}', timestamp: {header: X-T, format: unix_ms, tolerance: 1m}, keyEncoding: hex}, secrets: ['env:A']}", nil},
		"kv":                    {"{hmac: {header: S, format: kv, timestampKey: t, signatureKey: v1, signed: '{timestamp}.{body}', timestamp: {tolerance: 1m}}, secrets: ['env:A']}", nil},
		"kv without time":       {"{hmac: {header: S, format: kv, signatureKey: v1}, secrets: ['env:A']}", nil},
		"basic":                 {"{basic: {username: u}, secrets: ['env:A', 'secretsmanager:a#b']}", nil},
		"token":                 {"{token: {}, secrets: ['env:A']}", nil},
		"sns":                   {"{provider: sns, topics: any}", nil},
		"sns, list":             {"{provider: sns, topics: ['arn:aws:sns:eu-west-1:123456789012:t']}", nil},
		"tolerance":             {"{provider: slack, secrets: ['env:A'], tolerance: 1m}", nil},
		"url":                   {"{provider: square, secrets: ['env:A'], url: 'https://h.example:8443'}", nil},
		"header as time":        {"{hmac: {header: S, signed: '{header:x-t}{body}', timestamp: {header: X-T}}, secrets: ['env:A']}", nil},
		"empty":                 {"{}", []string{""}},
		"two kinds":             {"{provider: github, hmac: {header: S}, secrets: ['env:A']}", []string{""}},
		"unknown provider":      {"{provider: gihub, secrets: ['env:A'], tolerance: 1m}", []string{"provider"}},
		"jwt":                   {"{jwt: {jwks: 'https://h.example/k', issuer: i, audience: a}}", nil},
		"jwt, all":              {"{jwt: {jwks: 'http://127.0.0.1:99/k', issuer: i, audience: a, algorithms: [ES256, EdDSA], claims: {email: e}}}", nil},
		"jwt, shared":           {"{jwt: {issuer: i, audience: a}, secrets: ['env:A']}", nil},
		"jwt, empty":            {"{jwt: {}}", []string{"jwt.jwks", "jwt.issuer", "jwt.audience"}},
		"jwt, http":             {"{jwt: {jwks: 'http://h.example/k', issuer: i, audience: a}}", []string{"jwt.jwks"}},
		"jwt, http to name":     {"{jwt: {jwks: 'http://localhost.h.example/k', issuer: i, audience: a}}", []string{"jwt.jwks"}},
		"jwt, user":             {"{jwt: {jwks: 'https://u@h.example/k', issuer: i, audience: a}}", []string{"jwt.jwks"}},
		"jwt, none":             {"{jwt: {jwks: 'https://h.example/k', issuer: i, audience: a, algorithms: [none, HS256, '']}}", []string{"jwt.algorithms.0", "jwt.algorithms.1", "jwt.algorithms.2"}},
		"jwt, both keys":        {"{jwt: {jwks: 'https://h.example/k', issuer: i, audience: a, algorithms: [RS256]}, secrets: ['env:A']}", []string{"jwt.jwks", "jwt.algorithms.0"}},
		"jwt, claims":           {"{jwt: {jwks: 'https://h.example/k', issuer: i, audience: a, claims: {exp: '1'}}}", []string{"jwt.claims"}},
		"mtls":                  {"{mtls: {subject: ['CN=*.example.com,O=Example', '*'], issuer: [CA]}}", nil},
		"mtls, empty":           {"{mtls: {}}", []string{"mtls.subject"}},
		"mtls, patterns":        {"{mtls: {subject: ['', 'a*', 'CN=a,b'], issuer: ['=x']}}", []string{"mtls.subject.0", "mtls.subject.1", "mtls.subject.2", "mtls.issuer.0"}},
		"mtls, secrets":         {"{mtls: {subject: ['*']}, secrets: ['env:A']}", []string{"secrets"}},
		"meta token":            {"{provider: meta, secrets: ['env:A'], token: env:B}", nil},
		"meta, bare token":      {"{provider: meta, secrets: ['env:A'], token: hunter2}", []string{"token"}},
		"token elsewhere":       {"{provider: github, secrets: ['env:A'], token: env:B}", []string{"token"}},
		"no secrets":            {"{provider: github}", []string{"secrets"}},
		"bare secret":           {"{provider: github, secrets: ['env:A', hunter2]}", []string{"secrets.1"}},
		"secrets for sns":       {"{provider: sns, topics: any, secrets: ['env:A']}", nil},
		"sns, no topics":        {"{provider: sns}", []string{"topics"}},
		"sns, bad topic":        {"{provider: sns, topics: [any, x]}", []string{"topics.0", "topics.1"}},
		"topics elsewhere":      {"{provider: github, secrets: ['env:A'], topics: any}", []string{"topics"}},
		"no url":                {"{provider: twilio, secrets: ['env:A']}", []string{"url"}},
		"url with path":         {"{provider: twilio, secrets: ['env:A'], url: 'https://h.example/p'}", nil},
		"url with query":        {"{provider: twilio, secrets: ['env:A'], url: 'https://h.example/p?a=1'}", []string{"url"}},
		"url without host":      {"{provider: twilio, secrets: ['env:A'], url: 'h.example'}", []string{"url"}},
		"url by template":       {"{hmac: {header: S, signed: '{url}{body}'}, secrets: ['env:A']}", []string{"url"}},
		"no tolerance":          {"{provider: github, secrets: ['env:A'], tolerance: 1m}", []string{"tolerance"}},
		"tolerance of hmac":     {"{hmac: {header: S}, secrets: ['env:A'], tolerance: 1m}", []string{"tolerance"}},
		"tolerance zero":        {"{provider: slack, secrets: ['env:A'], tolerance: 0s}", []string{"tolerance"}},
		"tolerance words":       {"{provider: slack, secrets: ['env:A'], tolerance: five}", []string{"tolerance"}},
		"hmac enums":            {"{hmac: {header: 'a b', algorithm: md4, encoding: hx, keyEncoding: x, format: y}, secrets: ['env:A']}", []string{"hmac.header", "hmac.algorithm", "hmac.encoding", "hmac.keyEncoding", "hmac.format"}},
		"unsigned time":         {"{hmac: {header: S, timestamp: {header: T}}, secrets: ['env:A']}", []string{"hmac.signed"}},
		"time without a source": {"{hmac: {header: S, signed: '{timestamp}{body}'}, secrets: ['env:A']}", []string{"hmac.timestamp"}},
		"time, bad":             {"{hmac: {header: S, signed: '{timestamp}{body}', timestamp: {format: iso, tolerance: -1s}}, secrets: ['env:A']}", []string{"hmac.timestamp.format", "hmac.timestamp.tolerance", "hmac.timestamp.header"}},
		"time twice":            {"{hmac: {header: S, format: kv, signatureKey: a, timestampKey: t, signed: '{timestamp}', timestamp: {header: T}}, secrets: ['env:A']}", []string{"hmac.timestamp.header"}},
		"kv keys":               {"{hmac: {header: S, format: kv, timestampKey: 'a,b', signed: '{timestamp}'}, secrets: ['env:A']}", []string{"hmac.signatureKey", "hmac.timestampKey"}},
		"kv keys, equal":        {"{hmac: {header: S, format: kv, signatureKey: a, timestampKey: a, signed: '{timestamp}'}, secrets: ['env:A']}", []string{"hmac.timestampKey"}},
		"keys without kv":       {"{hmac: {header: S, signatureKey: a, timestampKey: b}, secrets: ['env:A']}", []string{"hmac.signatureKey", "hmac.timestampKey"}},
		"template, unknown":     {"{hmac: {header: S, signed: '{bdy}'}, secrets: ['env:A']}", []string{"hmac.signed"}},
		"template, brace":       {"{hmac: {header: S, signed: '{body'}, secrets: ['env:A']}", []string{"hmac.signed"}},
		"template, close":       {"{hmac: {header: S, signed: 'body}'}, secrets: ['env:A']}", []string{"hmac.signed"}},
		"template, fixed":       {"{hmac: {header: S, signed: 'v0'}, secrets: ['env:A']}", []string{"hmac.signed"}},
		"template, header":      {"{hmac: {header: S, signed: '{header:}'}, secrets: ['env:A']}", []string{"hmac.signed"}},
		"prefix":                {"{hmac: {header: S, prefixOptional: true}, secrets: ['env:A']}", []string{"hmac.prefixOptional"}},
		"basic, colon":          {"{basic: {username: 'a:b'}, secrets: ['env:A']}", []string{"basic.username"}},
		"token header":          {"{token: {header: 'a b'}, secrets: ['env:A']}", []string{"token.header"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s verify.Spec
			if err := yaml.UnmarshalWithOptions([]byte(test.yaml), &s, yaml.Strict()); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range s.Validate() {
				got = append(got, p.Field)
				if p.Message == "" || strings.Contains(p.Error(), "hunter2") {
					t.Errorf("the message is empty or shows a secret: %q", p.Error())
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
		})
	}
}

func TestUnmarshalYAMLRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"off", "{providr: github}", "{hmac: {heder: x}}", "{token: {heder: x}}", "{topics: {a: b}}"} {
		var s verify.Spec
		if err := yaml.UnmarshalWithOptions([]byte(text), &s, yaml.Strict()); err == nil {
			t.Errorf("%s = %+v, want an error", text, s)
		}
	}
}

// TestPresets checks that every preset has what users need.
func TestPresets(t *testing.T) {
	t.Parallel()
	wanted := strings.Fields(`github stripe slack shopify twilio standard-webhooks svix discord sendgrid gitlab bitbucket gitea
		linear zoom hubspot square paddle pagerduty twitch box adyen sns meta x zendesk mailgun intercom circleci line dropbox microsoft-graph`)
	for _, name := range wanted {
		if _, ok := verify.Lookup(name); !ok {
			t.Errorf("provider %s has no preset", name)
		}
	}
	for _, name := range verify.Providers() {
		p, _ := verify.Lookup(name)
		if p.Name != name || p.Deadline <= 0 || p.Deadline > 30*time.Second {
			t.Errorf("%s: %+v is not complete", name, p)
		}
		if p.HMAC != nil && (p.Tolerance > 0) != (p.HMAC.Timestamp != nil || p.HMAC.TimestampKey != "" || p.SignedAt != verify.Place{}) {
			t.Errorf("%s: tolerance %v does not fit its parameters", name, p.Tolerance)
		}
		if p.HMAC != nil { // a preset can be written out as a generic block
			s := verify.Spec{HMAC: p.HMAC, URL: "https://h.example", Secrets: []string{"env:A"}}
			if problems := s.Validate(); len(problems) > 0 {
				t.Errorf("%s: %v", name, problems)
			}
		}
	}
	p, _ := verify.Lookup("slack")
	p.HMAC.Header, p.HMAC.Timestamp.Header = "changed", "changed"
	if again, _ := verify.Lookup("slack"); again.HMAC.Header == "changed" || again.HMAC.Timestamp.Header == "changed" {
		t.Error("Lookup hands out the table itself")
	}
}

func FuzzSignatureHeader(f *testing.F) {
	for _, s := range []string{
		"t=1,v1=aa,v1=bb", "sha256=00", "v1,AAAA v1a,BB", ",,", "t,v1=", "=", "ts=1;h1=x", "Basic dTpw", "Bearer x",
		"t=1700000000,v1=" + hexMAC("k", "1700000000.b"), strings.Repeat("v1=a,", 100), "\x00\xff",
	} {
		f.Add(s, "1700000000", "b")
	}
	const whsec = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"
	type target struct {
		verifier verify.Verifier
		names    []string
	}
	var targets []target
	for _, s := range []verify.Spec{
		{Provider: "stripe"},
		{Provider: "github"},
		{Provider: "pagerduty"},
		{Provider: "paddle"},
		{Provider: "standard-webhooks"},
		{Provider: "slack"},
		{Provider: "twitch"},
		{Provider: "box"},
		{Provider: "gitlab"},
		{Provider: "mailgun"},
		{Provider: "hubspot", URL: "https://h.example"},
		{Provider: "twilio", URL: "https://h.example"},
		{Basic: &verify.Basic{Username: "u"}},
		{Token: &verify.Token{}},
	} {
		v := newVerifier(f, s, epoch, whsec)
		targets = append(targets, target{v, v.Headers()})
	}
	f.Fuzz(func(t *testing.T, signature, timestamp, body string) {
		for _, target := range targets {
			r := &verify.Request{Method: "POST", Path: "/", Header: headers("Content-Type", "application/x-www-form-urlencoded"), Body: []byte(body)}
			for _, name := range target.names {
				if strings.HasSuffix(name, "timestamp") {
					r.Header.Set(name, timestamp)
				} else {
					r.Header.Set(name, signature)
				}
			}
			// A MAC cannot be guessed: every request is refused, with a reason.
			if err := target.verifier.Verify(t.Context(), r); verify.ReasonOf(err) == "" {
				t.Errorf("%v: Verify(%q) = %v, want a refusal", target.names, signature, err)
			}
		}
	})
}

func FuzzSpec(f *testing.F) {
	f.Add("X-S", "sha256", "hex", "v1=", ",", "{timestamp}.{body}", "T", "unix", "5m", "text", "", "", "", "https://h.example")
	f.Add("S", "", "", "", "", "{header:a}{url}", "", "", "", "", "kv", "t", "v1", "x")
	f.Add("S", "sha1", "base64", "", ";", "{", "", "rfc3339", "-1s", "whsec", "kv", "t", "t", "")
	f.Fuzz(func(t *testing.T, header, algorithm, encoding, prefix, separator, signed, tsHeader, format, tolerance, keyEncoding, kv, tsKey, sigKey, url string) {
		s := verify.Spec{URL: url, Secrets: []string{"env:S0"}, HMAC: &verify.HMAC{
			Header: header, Algorithm: algorithm, Encoding: encoding, Prefix: prefix, Separator: separator, Signed: signed,
			KeyEncoding: keyEncoding, Format: kv, TimestampKey: tsKey, SignatureKey: sigKey,
		}}
		if tsHeader != "" || tolerance != "" {
			s.HMAC.Timestamp = &verify.Timestamp{Header: tsHeader, Format: format, Tolerance: verify.Duration(tolerance)}
		}
		problems := s.Validate()
		v, err := verify.New(s, environment{"MDEyMzQ1Njc4OWFiY2RlZg=="}.source(), verify.Options{Now: clockAt(epoch)})
		if (err == nil) == (v == nil) {
			t.Fatalf("New = %v, %v, want exactly one of the two", v, err)
		}
		if len(problems) > 0 {
			if err == nil {
				t.Fatalf("New accepts what Validate refuses: %v", problems)
			}
			return
		}
		if err != nil {
			return // the key is not of the encoding
		}
		r := &verify.Request{Method: "POST", Path: "/p", Header: headers(), Body: []byte("b")}
		if err := v.Verify(t.Context(), r); verify.ReasonOf(err) == "" {
			t.Fatalf("an unsigned request passes: %v", err)
		}
	})
}

func ExampleNew() {
	source := secrets.NewEnv(func(string) string { return "It's a Secret to Everybody" })
	v, err := verify.New(verify.Spec{Provider: "github", Secrets: []string{"env:GITHUB_SECRET"}}, source, verify.Options{Now: time.Now})
	if err != nil {
		panic(err)
	}
	r := &verify.Request{
		Method: "POST", Path: "/github", Body: []byte("Hello, World!"),
		Header: headers("X-Hub-Signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"),
	}
	fmt.Println(v.Verify(context.Background(), r))
	r.Body = []byte("Hello, Mars!")
	fmt.Println(v.Verify(context.Background(), r))
	// Output:
	// <nil>
	// unverified: mismatch: X-Hub-Signature-256
}

func ExampleSign() {
	spec := verify.Spec{Provider: "stripe", Secrets: []string{"env:STRIPE_SECRET"}}
	h, err := verify.Sign(spec, "whsec_test", &verify.Request{Body: []byte(`{}`)}, time.Unix(1_700_000_000, 0))
	if err != nil {
		panic(err)
	}
	fmt.Println(h.Get("Stripe-Signature")[:20])
	// Output: t=1700000000,v1=3549
}
