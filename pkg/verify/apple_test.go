package verify_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/pkg/secrets"
	"github.com/expressway-dev/expressway/pkg/verify"
)

var appleNow = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// An appleCA is a root that issues chains.
type appleCA struct {
	t    *testing.T
	root *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAppleCA(t *testing.T) *appleCA {
	t.Helper()
	ca := &appleCA{t: t}
	ca.root, ca.key = ca.issue("root", nil, nil, true, nil, appleNow.AddDate(10, 0, 0))
	return ca
}

// issue makes a certificate with an extension that marks it.
func (ca *appleCA) issue(name string, parent *x509.Certificate, by *ecdsa.PrivateKey, isCA bool, mark asn1.ObjectIdentifier, until time.Time) (*x509.Certificate, *ecdsa.PrivateKey) {
	ca.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		ca.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: appleNow.AddDate(-1, 0, 0), NotAfter: until,
		BasicConstraintsValid: true, IsCA: isCA, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	if mark != nil {
		template.ExtraExtensions = []pkix.Extension{{Id: mark, Value: []byte{5, 0}}}
	}
	if parent == nil {
		parent, by = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, by)
	if err != nil {
		ca.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		ca.t.Fatal(err)
	}
	return cert, key
}

var (
	markLeaf         = asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 6, 11, 1}
	markIntermediate = asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 6, 2, 1}
)

// chain makes an intermediate and a leaf.
func (ca *appleCA) chain(leafMark, betweenMark asn1.ObjectIdentifier, until time.Time) ([]*x509.Certificate, *ecdsa.PrivateKey) {
	between, betweenKey := ca.issue("between", ca.root, ca.key, true, betweenMark, appleNow.AddDate(5, 0, 0))
	leaf, leafKey := ca.issue("leaf", between, betweenKey, false, leafMark, until)
	return []*x509.Certificate{leaf, between, ca.root}, leafKey
}

func url64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// jws signs a payload as Apple does.
func (ca *appleCA) jws(chain []*x509.Certificate, key *ecdsa.PrivateKey, alg, payload string) string {
	ca.t.Helper()
	var x5c []string
	for _, c := range chain {
		x5c = append(x5c, `"`+base64.StdEncoding.EncodeToString(c.Raw)+`"`)
	}
	signed := url64([]byte(`{"alg":"`+alg+`","x5c":[`+strings.Join(x5c, ",")+`]}`)) + "." + url64([]byte(payload))
	sum := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		ca.t.Fatal(err)
	}
	return signed + "." + url64(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
}

func appleBody(jws string) *verify.Request {
	return &verify.Request{Method: "POST", Path: "/", Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(`{"signedPayload":"` + jws + `"}`)}
}

// Notifications of the App Store are accepted only if they are current, for this app, and
// signed by a chain of Apple's form up to a known root.
func TestApple(t *testing.T) {
	t.Parallel()
	ca := newAppleCA(t)
	root := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.root.Raw}))
	other := newAppleCA(t)
	verifier := func(root string) verify.Verifier {
		spec := verify.Spec{Provider: "apple", Audience: "com.example.app"}
		if root != "" {
			spec.Secrets = []string{"env:ROOT"}
		}
		v, err := verify.New(spec, secrets.NewEnv(func(string) string { return root }), verify.Options{Now: func() time.Time { return appleNow }})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	payload := func(bundle string, at time.Time) string {
		return fmt.Sprintf(`{"notificationType":"TEST","notificationUUID":"n-1","data":{"bundleId":%q,"environment":"Sandbox"},"version":"2.0","signedDate":%d}`, bundle, at.UnixMilli())
	}
	const bundle = "com.example.app"
	later := appleNow.AddDate(1, 0, 0)
	chain, key := ca.chain(markLeaf, markIntermediate, later)
	foreign, foreignKey := other.chain(markLeaf, markIntermediate, later)
	unmarked, unmarkedKey := ca.chain(nil, markIntermediate, later)
	between, betweenKey := ca.chain(markLeaf, nil, later)
	expired, expiredKey := ca.chain(markLeaf, markIntermediate, appleNow.AddDate(0, 0, -1))
	good := ca.jws(chain, key, "ES256", payload(bundle, appleNow))
	parts := strings.Split(good, ".")
	changed := url64([]byte(payload(bundle, appleNow.Add(time.Second))))
	for name, test := range map[string]struct {
		request *verify.Request
		root    string
		reason  verify.Reason
	}{
		"as Apple signs":             {appleBody(good), root, ""},
		"a root as DER in base64":    {appleBody(good), base64.StdEncoding.EncodeToString(ca.root.Raw), ""},
		"a root that is not Apple's": {appleBody(good), "", verify.Mismatch},
		"another root":               {appleBody(ca.jws(foreign, foreignKey, "ES256", payload(bundle, appleNow))), root, verify.Mismatch},
		"a chain that is another's":  {appleBody(ca.jws([]*x509.Certificate{foreign[0], foreign[1], ca.root}, foreignKey, "ES256", payload(bundle, appleNow))), root, verify.Mismatch},
		"a leaf without its mark":    {appleBody(ca.jws(unmarked, unmarkedKey, "ES256", payload(bundle, appleNow))), root, verify.Mismatch},
		"an unmarked intermediate":   {appleBody(ca.jws(between, betweenKey, "ES256", payload(bundle, appleNow))), root, verify.Mismatch},
		"an expired leaf":            {appleBody(ca.jws(expired, expiredKey, "ES256", payload(bundle, appleNow))), root, verify.Stale},
		"two certificates":           {appleBody(ca.jws(chain[:2], key, "ES256", payload(bundle, appleNow))), root, verify.Malformed},
		"four certificates":          {appleBody(ca.jws(append(chain[:3:3], chain[0]), key, "ES256", payload(bundle, appleNow))), root, verify.Malformed},
		"another algorithm":          {appleBody(ca.jws(chain, key, "none", payload(bundle, appleNow))), root, verify.Malformed},
		"another payload":            {appleBody(parts[0] + "." + changed + "." + parts[2]), root, verify.Mismatch},
		"another key":                {appleBody(ca.jws(chain, expiredKey, "ES256", payload(bundle, appleNow))), root, verify.Mismatch},
		"no signature":               {appleBody(parts[0] + "." + parts[1] + "."), root, verify.Mismatch},
		"two parts":                  {appleBody(parts[0] + "." + parts[1]), root, verify.Malformed},
		"another app":                {appleBody(ca.jws(chain, key, "ES256", payload("com.example.other", appleNow))), root, verify.Mismatch},
		"no app":                     {appleBody(ca.jws(chain, key, "ES256", fmt.Sprintf(`{"signedDate":%d}`, appleNow.UnixMilli()))), root, verify.Mismatch},
		"no date":                    {appleBody(ca.jws(chain, key, "ES256", `{"data":{"bundleId":"com.example.app"}}`)), root, verify.Malformed},
		"long ago":                   {appleBody(ca.jws(chain, key, "ES256", payload(bundle, appleNow.Add(-159*time.Hour)))), root, verify.Stale},
		"ahead":                      {appleBody(ca.jws(chain, key, "ES256", payload(bundle, appleNow.Add(159*time.Hour)))), root, verify.Stale},
		"a retry of a week":          {appleBody(ca.jws(chain, key, "ES256", payload(bundle, appleNow.Add(-157*time.Hour)))), root, ""},
		"nothing signed":             {appleBody(""), root, verify.Missing},
	} {
		err := verifier(test.root).Verify(t.Context(), test.request)
		if got := verify.ReasonOf(err); got != test.reason || (err == nil) != (test.reason == "") || err != nil && !errors.Is(err, verify.ErrUnverified) {
			t.Errorf("%s: %v, want %q", name, err, test.reason)
		}
	}
	// A sample of the bytes is changed, one at a time.
	for i := len(`{"signedPayload":"`); i < len(good); i += 97 {
		r := appleBody(good)
		r.Body[i] ^= 1
		if err := verifier(root).Verify(t.Context(), r); !errors.Is(err, verify.ErrUnverified) {
			t.Errorf("byte %d changed: %v, want unverified", i, err)
		}
	}
	for _, bad := range []string{"no certificate", base64.StdEncoding.EncodeToString(chain[0].Raw)} {
		spec := verify.Spec{Provider: "apple", Audience: bundle, Secrets: []string{"env:ROOT"}}
		if _, err := verify.New(spec, secrets.NewEnv(func(string) string { return bad }), verify.Options{Now: time.Now}); err == nil {
			t.Error("a text that is not a root certificate is accepted as one")
		}
	}
}

func FuzzApple(f *testing.F) {
	f.Add([]byte(`{"signedPayload":"a.b.c"}`))
	f.Add([]byte(`{"signedPayload":"` + url64([]byte(`{"alg":"ES256","x5c":["AA==","AA==","AA=="]}`)) + `.e30.AA"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		v, err := verify.New(verify.Spec{Provider: "apple", Audience: "a"}, secrets.NewEnv(func(string) string { return "" }), verify.Options{Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		if err := v.Verify(t.Context(), &verify.Request{Method: "POST", Header: http.Header{"Content-Type": {"application/json"}}, Body: body}); !errors.Is(err, verify.ErrUnverified) {
			t.Fatalf("%v, want unverified", err)
		}
	})
}
