package verify

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"hash/crc32"
	"strconv"
	"strings"
	"time"
)

// paypalScheme is https://developer.paypal.com/api/rest/webhooks/rest/: RSA over the
// delivery's id, its time, the webhook's id and the CRC-32 of the body, with the key of a
// certificate that a header names. Secrets are certificates that replace it.
//
// A CRC-32 does not protect a body: anyone who has one delivery can give another body the
// same one. So a route must remember the ids, which are signed, for as long as their times
// are accepted; see [Preset.RemembersIDs].
var paypalScheme = scheme{
	name:     "paypal",
	verifier: newPayPal,
	keyless:  func(s *Spec, _ *Preset) bool { return len(s.Secrets) == 0 },
}

var paypalTools = tools{
	sign: signPayPal,
	signature: &Signature{
		Headers:   []string{paypalSignature, paypalID, paypalTime, paypalCertURL, paypalAlgorithm},
		Algorithm: "rsa-sha256", Encoding: "base64", Signed: "{header:Paypal-Transmission-Id}|{timestamp}|WEBHOOK ID|CRC-32 of {body}",
		Keys: "none: the certificate comes from PayPal; or certificates as PEM",
	},
}

const (
	paypalSignature = "Paypal-Transmission-Sig"
	paypalID        = "Paypal-Transmission-Id"
	paypalTime      = "Paypal-Transmission-Time"
	paypalCertURL   = "Paypal-Cert-Url"
	paypalAlgorithm = "Paypal-Auth-Algo"

	// paypalRSA is the one algorithm; the sender does not choose.
	paypalRSA = "SHA256withRSA"
)

// paypalDomain ends the common names of PayPal's certificates, by which PayPal's own
// libraries know them.
const paypalDomain = ".paypal.com"

var (
	paypalCert    = lazyPattern(`^https://api\.(sandbox\.)?paypal\.com/v1/notifications/certs/[A-Za-z0-9_-]{1,128}$`)
	paypalIssuers = lazyPattern(`^http://cacerts\.digicert\.com/[A-Za-z0-9_-]{1,128}\.crt$`)
)

type paypal struct {
	webhook   string
	certs     *certStore
	pinned    *keyring[*x509.Certificate] // in place of certs, or nil
	tolerance time.Duration
	now       func() time.Time
}

func newPayPal(b *builder) (Verifier, error) {
	v := &paypal{webhook: b.spec.Audience, tolerance: b.tolerance(), now: b.now}
	if len(b.refs) > 0 {
		var err error
		v.pinned, err = newKeyring(b, decodeCertificate, certificateForms)
		return v, err
	}
	if b.fetch == nil {
		return nil, errors.New("verify.provider: paypal needs certificates, but there is no client to fetch them")
	}
	v.certs = newCertStore(b, paypalCertURL, paypalIssuers)
	return v, nil
}

func (*paypal) Headers() []string {
	return []string{
		strings.ToLower(paypalAlgorithm), strings.ToLower(paypalCertURL), strings.ToLower(paypalID),
		strings.ToLower(paypalSignature), strings.ToLower(paypalTime),
	}
}

func (v *paypal) Verify(ctx context.Context, r *Request) error {
	var values [5]string
	for i, name := range []string{paypalAlgorithm, paypalCertURL, paypalID, paypalTime, paypalSignature} {
		var err error
		if values[i], err = headerValue(r.Header, name); err != nil {
			return err
		}
	}
	algorithm, address, id, timestamp := values[0], values[1], values[2], values[3]
	if algorithm != paypalRSA {
		return refuse(Malformed, paypalAlgorithm)
	}
	if !paypalCert().MatchString(address) {
		return refuse(Malformed, paypalCertURL)
	}
	at, ok := parseTime(timestamp, "rfc3339")
	if !ok {
		return refuse(Malformed, paypalTime)
	}
	signature, err := decodeBase64(values[4])
	if err != nil {
		return refuse(Malformed, paypalSignature)
	}
	digest := digest256(paypalMessage(id, timestamp, v.webhook, r.Body))
	signed := func(c *x509.Certificate) bool {
		key, ok := c.PublicKey.(*rsa.PublicKey)
		return ok && rsa.VerifyPKCS1v15(key, crypto.SHA256, digest, signature) == nil
	}
	if v.pinned != nil {
		err = v.pinned.match(ctx, paypalSignature, func(c *x509.Certificate) bool { return isCurrent(c, v.now()) && signed(c) })
	} else {
		var cert *x509.Certificate
		if cert, err = v.certs.get(ctx, address, namesPayPal); err == nil && !signed(cert) {
			err = refuse(Mismatch, paypalSignature)
		}
	}
	if err != nil {
		return err
	}
	return fresh(v.now(), at, v.tolerance, paypalTime)
}

func paypalMessage(id, timestamp, webhook string, body []byte) string {
	return id + "|" + timestamp + "|" + webhook + "|" + strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10)
}

// namesPayPal checks that a certificate is PayPal's.
func namesPayPal(c *x509.Certificate) error {
	if !strings.HasSuffix(strings.ToLower(c.Subject.CommonName), paypalDomain) {
		return errors.New("the certificate is not for a name of PayPal")
	}
	return nil
}

func signPayPal(s *signer, r *Request) error {
	keys, err := s.privateKeys()
	if err != nil {
		return err
	}
	id, at := orDefault(r.Header.Get(paypalID), s.digest(r.Body)), formatTime(s.now, "rfc3339")
	signature, err := keys.sign("rsa-sha256", []byte(paypalMessage(id, at, s.spec.Audience, r.Body)))
	if err != nil {
		return err
	}
	h := s.out.Header
	h.Set(paypalAlgorithm, paypalRSA)
	h.Set(paypalCertURL, "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-test")
	h.Set(paypalID, id)
	h.Set(paypalTime, at)
	h.Set(paypalSignature, base64.StdEncoding.EncodeToString(signature))
	return nil
}
