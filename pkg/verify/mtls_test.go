package verify_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/internal/shared"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// certOf reads a certificate as API Gateway writes it:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html.
func certOf(t testing.TB, subject, issuer, from, to string) *verify.ClientCert {
	t.Helper()
	text, err := json.Marshal(map[string]any{
		"clientCertPem": "CERT_CONTENT", "subjectDN": subject, "issuerDN": issuer, "serialNumber": "a1:a1:a1:a1:a1:a1",
		"validity": map[string]any{"notBefore": from, "notAfter": to},
	})
	if err != nil {
		t.Fatal(err)
	}
	var c verify.ClientCert
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	return &c
}

func TestMTLS(t *testing.T) {
	t.Parallel()
	at := time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)
	const from, to = "May 28 12:30:02 2019 GMT", "Aug  5 09:36:04 2021 GMT"
	tests := map[string]struct {
		pattern string
		subject string
		want    verify.Reason
	}{
		"whole name":               {"www.example.com", "www.example.com", ""},
		"whole name, longer":       {"www.example.com", "www.example.com.evil.example", verify.Mismatch},
		"any":                      {"*", "CN=x", ""},
		"any needs one":            {"*", "", verify.Missing},
		"common name":              {"CN=orders.example.com", "CN=orders.example.com,O=Example,C=US", ""},
		"other order":              {"O=Example,CN=orders.example.com", "C=US,ST=Washington,O=Example,OU=Shop,CN=orders.example.com", ""},
		"spaces and case of types": {"cn = a, o=Example", "CN=a, O = Example", ""},
		"case of values":           {"CN=A", "CN=a", verify.Mismatch},
		"wildcard":                 {"CN=*.example.com", "CN=orders.example.com", ""},
		"wildcard in the middle":   {"CN=a*c*e", "CN=abcde", ""},
		"wildcard leaves none":     {"CN=a*a", "CN=a", verify.Mismatch},
		"wildcard across types":    {"CN=*.example.com", "CN=evil,O=x.example.com", verify.Mismatch},
		"escaped comma":            {"CN=*.example.com", `CN=evil\,O\=x.example.com`, ""}, // one value, which the trust store's owner signed
		"escape read as type":      {"O=Example", `CN=evil\,O=Example`, verify.Mismatch},
		"hex escape":               {`CN=a,O=B\2C C`, `CN=a,O=B\, C`, ""},
		"quoted":                   {`O=B\, C`, `CN=a,O="B, C"`, ""},
		"quoted type":              {"O=Example", `CN="evil,O=Example"`, verify.Mismatch},
		"two common names":         {"CN=good", "CN=good,CN=evil", verify.Mismatch},
		"units in order":           {"OU=a,OU=b", "OU=a,CN=x,OU=b", ""},
		"multi-valued":             {"CN=a,OU=b", "CN=a+OU=b,O=c", ""},
		"not a name":               {"CN=a", "a", verify.Mismatch},
		"trailing space, escaped":  {`CN=a\ ,O=b`, `CN=a\20, O=b `, ""},
		"trailing space":           {`CN=a\ `, `CN=a `, verify.Mismatch},
		"cut escape":               {"CN=a", `CN=a\`, verify.Mismatch},
		"missing type":             {"CN=a,O=b", "CN=a", verify.Mismatch},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, err := verify.New(verify.Spec{MTLS: &verify.MTLS{Subject: []string{"CN=no-one", test.pattern}}}, environment{}.source(), verify.Options{Now: clockAt(at)})
			if err != nil {
				t.Fatal(err)
			}
			checkReason(t, v, &verify.Request{ClientCert: certOf(t, test.subject, "CN=CA", from, to)}, test.want)
		})
	}
	v, err := verify.New(verify.Spec{MTLS: &verify.MTLS{Subject: []string{"CN=a"}, Issuer: []string{"CN=CA"}}}, environment{}.source(), verify.Options{Now: clockAt(at)})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		cert *verify.ClientCert
		want verify.Reason
	}{
		"good":         {certOf(t, "CN=a", "CN=CA", from, to), ""},
		"none":         {nil, verify.Missing},
		"other issuer": {certOf(t, "CN=a", "CN=CA2", from, to), verify.Mismatch},
		"no issuer":    {certOf(t, "CN=a", "", from, to), verify.Mismatch},
		"expired":      {certOf(t, "CN=a", "CN=CA", from, "Dec 31 23:59:59 2020 GMT"), verify.Stale},
		"not yet":      {certOf(t, "CN=a", "CN=CA", "Jan  1 00:00:01 2021 GMT", to), verify.Stale},
		"no start":     {certOf(t, "CN=a", "CN=CA", "", to), verify.Malformed},
		"no end":       {certOf(t, "CN=a", "CN=CA", from, "2021-08-05"), verify.Malformed},
		"no validity":  {&verify.ClientCert{SubjectDN: "CN=a", IssuerDN: "CN=CA"}, verify.Malformed},
	} {
		t.Run("issuer/"+name, func(t *testing.T) {
			t.Parallel()
			checkReason(t, v, &verify.Request{ClientCert: test.cert}, test.want)
		})
	}
}

func FuzzClientName(f *testing.F) {
	for _, s := range []string{"CN=a,O=b", `CN=\2c\`, `CN="a`, "=", "CN=a++", "a", "CN=*"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		s := verify.Spec{MTLS: &verify.MTLS{Subject: []string{name}}}
		if len(s.Validate()) > 0 {
			return
		}
		v, err := verify.New(s, environment{}.source(), verify.Options{Now: clockAt(epoch)})
		if err != nil {
			t.Fatalf("New refuses what Validate accepts: %v", err)
		}
		cert := &verify.ClientCert{SubjectDN: name, Validity: verify.Validity{NotBefore: "Jan  1 00:00:00 2000 GMT", NotAfter: "Jan  1 00:00:00 2040 GMT"}}
		// Every pattern matches itself as a name.
		if err := v.Verify(t.Context(), &verify.Request{ClientCert: cert}); err != nil {
			t.Errorf("%q: %v", name, err)
		}
		cert.SubjectDN += ",CN=another"
		if err := v.Verify(t.Context(), &verify.Request{ClientCert: cert}); err == nil && strings.HasPrefix(name, "CN=") {
			t.Errorf("%q matches %q", name, cert.SubjectDN)
		}
	})
}

// TestMTLSOfRealEvents reads the certificates of AWS's sample events.
func TestMTLSOfRealEvents(t *testing.T) {
	t.Parallel()
	type withCert struct {
		ClientCert *verify.ClientCert `json:"clientCert"`
	}
	for file, subject := range map[string]string{
		"apigw-request.json":                   "www.example.com",
		"apigw-v2-request-jwt-authorizer.json": "CN=My Client,O=Amazon Web Services",
	} {
		var event struct {
			RequestContext struct {
				Identity       withCert `json:"identity"`
				Authentication withCert `json:"authentication"`
			} `json:"requestContext"`
		}
		if err := json.Unmarshal(shared.Read(t, "lambda-events/"+file), &event); err != nil {
			t.Fatal(err)
		}
		cert := event.RequestContext.Authentication.ClientCert
		if cert == nil {
			cert = event.RequestContext.Identity.ClientCert
		}
		for pattern, want := range map[string]verify.Reason{subject: "", "CN=Another": verify.Mismatch} {
			s := verify.Spec{MTLS: &verify.MTLS{Subject: []string{pattern}}}
			v, err := verify.New(s, environment{}.source(), verify.Options{Now: clockAt(time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC))})
			if err != nil {
				t.Fatal(err)
			}
			checkReason(t, v, &verify.Request{ClientCert: cert}, want)
		}
	}
}
