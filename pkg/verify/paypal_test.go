package verify_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"hash/crc32"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/pkg/secrets"
	"github.com/expressway-dev/expressway/pkg/verify"
)

const (
	paypalURL     = "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-1d93a270"
	paypalWebhook = "1JE4291016473214C"
	paypalBody    = `{"id":"WH-7Y7254563A4550640-11V2185806837105M","event_type":"PAYMENT.CAPTURE.COMPLETED","resource":{"amount":{"value":"10.00"}}}`
	paypalSubject = "messageverificationcerts.paypal.com"
)

func (a *authority) paypal(t testing.TB, name string, from, until time.Time) *x509.Certificate {
	t.Helper()
	return a.issue(t, &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: name}, NotBefore: from, NotAfter: until, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, a.between, a.key)
}

// paypalDelivery signs as PayPal's page says: id, time, webhook's id and the CRC-32 of the
// body in decimal digits.
func (a *authority) paypalDelivery(t testing.TB, at time.Time, body string, change ...string) *verify.Request {
	t.Helper()
	values := map[string]string{
		"id": "69cd13f0-d67a-11e5-baa3-778b53f4ae55", "time": at.UTC().Format(time.RFC3339), "webhook": paypalWebhook,
		"crc": fmt.Sprint(crc32.ChecksumIEEE([]byte(body))), "url": paypalURL, "algorithm": "SHA256withRSA",
	}
	for i := 0; i < len(change); i += 2 {
		values[change[i]] = change[i+1]
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{values["id"], values["time"], values["webhook"], values["crc"]}, "|")))
	signature, err := rsa.SignPKCS1v15(rand.Reader, a.key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return post(body, "Content-Type", "application/json", "PAYPAL-TRANSMISSION-ID", values["id"], "PAYPAL-TRANSMISSION-TIME", values["time"],
		"PAYPAL-TRANSMISSION-SIG", base64.StdEncoding.EncodeToString(signature), "PAYPAL-CERT-URL", values["url"], "PAYPAL-AUTH-ALGO", values["algorithm"])
}

func chainPEM(certs ...*x509.Certificate) []byte {
	var out []byte
	for _, c := range certs {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return out
}

func TestPayPal(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	roots := x509.NewCertPool()
	roots.AddCert(a.root)
	good := a.paypal(t, paypalSubject, epoch.Add(-time.Hour), epoch.Add(time.Hour))
	spec := verify.Spec{Provider: "paypal", Audience: paypalWebhook}
	verifier := func(now time.Time, document []byte, roots *x509.CertPool) (verify.Verifier, *[]string) {
		var asked []string
		fetch := func(_ context.Context, address string) ([]byte, error) {
			asked = append(asked, address)
			if document == nil {
				return nil, errors.New("no answer")
			}
			return document, nil
		}
		v, err := verify.New(spec, secrets.NewEnv(nil), verify.Options{Now: clockAt(now), Fetch: fetch, Roots: roots})
		if err != nil {
			t.Fatal(err)
		}
		return v, &asked
	}
	v, asked := verifier(epoch, chainPEM(good, a.between), roots)
	for name, test := range map[string]struct {
		request *verify.Request
		want    verify.Reason
	}{
		"genuine":               {a.paypalDelivery(t, epoch, paypalBody), ""},
		"empty body":            {a.paypalDelivery(t, epoch, ""), ""},
		"sandbox's address":     {a.paypalDelivery(t, epoch, paypalBody, "url", strings.Replace(paypalURL, "api.", "api.sandbox.", 1)), ""},
		"72 hours old":          {a.paypalDelivery(t, epoch.Add(-72*time.Hour), paypalBody), ""},
		"older":                 {a.paypalDelivery(t, epoch.Add(-72*time.Hour-time.Second), paypalBody), verify.Stale},
		"ahead":                 {a.paypalDelivery(t, epoch.Add(72*time.Hour+time.Second), paypalBody), verify.Stale},
		"another webhook":       {a.paypalDelivery(t, epoch, paypalBody, "webhook", "WEBHOOK_ID"), verify.Mismatch},
		"CRC in hex":            {a.paypalDelivery(t, epoch, paypalBody, "crc", fmt.Sprintf("%x", crc32.ChecksumIEEE([]byte(paypalBody)))), verify.Mismatch},
		"another algorithm":     {a.paypalDelivery(t, epoch, paypalBody, "algorithm", "SHA1withRSA"), verify.Malformed},
		"no algorithm":          {a.paypalDelivery(t, epoch, paypalBody, "algorithm", "none"), verify.Malformed},
		"another host":          {a.paypalDelivery(t, epoch, paypalBody, "url", "https://api.paypal.com.evil.example/v1/notifications/certs/CERT-1"), verify.Malformed},
		"host as user":          {a.paypalDelivery(t, epoch, paypalBody, "url", "https://api.paypal.com@evil.example/v1/notifications/certs/CERT-1"), verify.Malformed},
		"plain http":            {a.paypalDelivery(t, epoch, paypalBody, "url", "http://api.paypal.com/v1/notifications/certs/CERT-1"), verify.Malformed},
		"another path":          {a.paypalDelivery(t, epoch, paypalBody, "url", "https://api.paypal.com/v1/notifications/certs/../../upload"), verify.Malformed},
		"a query":               {a.paypalDelivery(t, epoch, paypalBody, "url", paypalURL+"?x=1"), verify.Malformed},
		"a port":                {a.paypalDelivery(t, epoch, paypalBody, "url", "https://api.paypal.com:8443/v1/notifications/certs/CERT-1"), verify.Malformed},
		"a line feed":           {a.paypalDelivery(t, epoch, paypalBody, "url", paypalURL+"\n"), verify.Malformed},
		"time without a format": {a.paypalDelivery(t, epoch, paypalBody, "time", "1700000000"), verify.Malformed},
	} {
		if err := v.Verify(t.Context(), test.request); verify.ReasonOf(err) != test.want || (err == nil) != (test.want == "") {
			t.Errorf("%s: Verify = %v, want reason %q", name, err, test.want)
		}
	}
	if len(*asked) != 2 {
		t.Errorf("addresses asked: %q, want each of the two once", *asked)
	}
	changed := a.paypalDelivery(t, epoch, paypalBody)
	changed.Body = []byte(strings.Replace(paypalBody, "10.00", "99.99", 1))
	checkReason(t, v, changed, verify.Mismatch)

	// The certificates.
	other := newAuthority(t)
	other.root = other.issue(t, &x509.Certificate{
		SerialNumber: big.NewInt(9), Subject: pkix.Name{CommonName: "Other"}, NotBefore: epoch.Add(-time.Hour), NotAfter: epoch.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, a.root, a.key)
	selfSigned := &x509.Certificate{SerialNumber: big.NewInt(8), Subject: pkix.Name{CommonName: paypalSubject}, NotBefore: epoch.Add(-time.Hour), NotAfter: epoch.Add(time.Hour)}
	for name, test := range map[string]struct {
		document []byte
		want     verify.Reason // "" means ErrSecrets
	}{
		"self-signed":       {chainPEM(a.issue(t, selfSigned, selfSigned, a.key)), ""},
		"another name":      {chainPEM(a.paypal(t, "paypal.com.evil.example", epoch.Add(-time.Hour), epoch.Add(time.Hour)), a.between), ""},
		"without its chain": {chainPEM(good), ""},
		"expired":           {chainPEM(a.paypal(t, paypalSubject, epoch.Add(-2*time.Hour), epoch.Add(-time.Hour)), a.between), verify.Stale},
		"not PEM":           {[]byte("<html>"), ""},
		"no answer":         {nil, ""},
	} {
		v, _ := verifier(epoch, test.document, roots)
		err := v.Verify(t.Context(), a.paypalDelivery(t, epoch, paypalBody))
		if verify.ReasonOf(err) != test.want || test.want == "" && !errors.Is(err, verify.ErrSecrets) {
			t.Errorf("%s: Verify = %v, want reason %q", name, err, test.want)
		}
	}
	// Without roots of the test, the system's count, and they do not have ours.
	v, _ = verifier(epoch, chainPEM(good, a.between), nil)
	if err := v.Verify(t.Context(), a.paypalDelivery(t, epoch, paypalBody)); !errors.Is(err, verify.ErrSecrets) {
		t.Errorf("with the system's roots: %v, want a chain that does not hold", err)
	}
}

// TestPayPalMessage has what PayPal's own library for Python (paypalrestsdk 1.13.3,
// _get_expected_sig) takes for signed.
func TestPayPalMessage(t *testing.T) {
	t.Parallel()
	const (
		body    = `{"id":"WH-7Y7254563A4550640-11V2185806837105M","event_type":"PAYMENT.CAPTURE.COMPLETED","resource":{"amount":{"value":"10.00"},"note":"é"}}`
		message = "69cd13f0-d67a-11e5-baa3-778b53f4ae55|2023-11-14T22:13:20Z|1JE4291016473214C|1645594403"
	)
	a := newAuthority(t)
	sum := sha256.Sum256([]byte(message))
	signature, err := rsa.SignPKCS1v15(rand.Reader, a.key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(message, "|")
	cert := environment{string(chainPEM(a.paypal(t, paypalSubject, epoch.Add(-time.Hour), epoch.Add(time.Hour))))}
	v, err := verify.New(verify.Spec{Provider: "paypal", Audience: parts[2], Secrets: []string{"env:S0"}}, cert.source(), verify.Options{Now: clockAt(epoch)})
	if err != nil {
		t.Fatal(err)
	}
	checkReason(t, v, post(body, "Paypal-Transmission-Id", parts[0], "Paypal-Transmission-Time", parts[1], "Paypal-Cert-Url", paypalURL, "Paypal-Auth-Algo", "SHA256withRSA",
		"Paypal-Transmission-Sig", base64.StdEncoding.EncodeToString(signature)), "")
}

// Whoever has one delivery can make another body with the same CRC-32: that is why a route
// must remember ids.
func TestPayPalBodyIsHardlySigned(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	v, err := verify.New(verify.Spec{Provider: "paypal", Audience: paypalWebhook, Secrets: []string{"env:S0"}}, environment{string(chainPEM(a.paypal(t, paypalSubject, epoch.Add(-time.Hour), epoch.Add(time.Hour))))}.source(), verify.Options{Now: clockAt(epoch)})
	if err != nil {
		t.Fatal(err)
	}
	r := a.paypalDelivery(t, epoch, paypalBody)
	checkReason(t, v, r, "")
	r.Body = forgeCRC([]byte(strings.Replace(paypalBody, "10.00", "99999.00", 1)), crc32.ChecksumIEEE([]byte(paypalBody)))
	checkReason(t, v, r, "")
}

// forgeCRC appends four bytes, so that the CRC-32 is as wanted.
func forgeCRC(body []byte, want uint32) []byte {
	state, table := ^want, crc32.IEEETable
	var index [4]byte
	for i := 3; i >= 0; i-- {
		for j := range table {
			if table[j]>>24 == state>>24 {
				index[i] = byte(j)
				state = (state ^ table[j]) << 8
				break
			}
		}
	}
	crc := ^crc32.ChecksumIEEE(body)
	for _, i := range index {
		body = append(body, byte(crc)^i)
		crc = crc>>8 ^ table[i]
	}
	return body
}
