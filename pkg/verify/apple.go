package verify

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"math/big"
	"slices"
	"strings"
	"time"
)

// appleScheme is https://developer.apple.com/documentation/appstoreservernotifications/responsebodyv2:
// the body is a JWS, signed with ES256 by a certificate that comes with it, whose chain
// ends in Apple's root. Secrets are other roots, such as that of Xcode's StoreKit testing.
var appleScheme = scheme{
	name: "apple",
	verifier: func(b *builder) (Verifier, error) {
		v := &apple{bundle: b.spec.Audience, tolerance: b.tolerance(), now: b.now}
		if len(b.refs) == 0 {
			return v, nil
		}
		var err error
		v.roots, err = newKeyring(b, decodeRoot, "a certificate as PEM, or its DER in base64")
		return v, err
	},
	unsignable: privateKey,
	keyless:    func(s *Spec, _ *Preset) bool { return len(s.Secrets) == 0 },
	signature: &Signature{
		Algorithm: "ecdsa-sha256", Encoding: "JWS in the member signedPayload", Signed: "the payload in it",
		Keys: "a chain of three certificates in the JWS, up to Apple Root CA - G3, or to the secrets",
	},
}

// appleRootG3 is the SHA-256 of the certificate Apple Root CA - G3:
// https://www.apple.com/certificateauthority/.
const appleRootG3 = "63343abfb89a6a03ebb57e9b3f5fa7be7c4f5c756f3017b3a8c488c3653e9179"

// The extensions by which Apple marks the certificates of this use. Without them, any
// developer's certificate of the same root would do.
var (
	appleLeaf         = asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 6, 11, 1}
	appleIntermediate = asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 6, 2, 1}
)

// Bounds of what is decoded before anything of it was verified.
const (
	appleChain  = 3
	maxAppleDER = 8 << 10
)

const applePayload = "signedPayload"

type apple struct {
	bundle    string
	tolerance time.Duration
	now       func() time.Time
	roots     *keyring[*x509.Certificate] // nil for Apple's own
}

func (*apple) Headers() []string { return nil }

func (v *apple) Verify(ctx context.Context, r *Request) error {
	member := wanted(applePayload)
	if err := scanObject(r.Body, member); err != nil {
		return err
	}
	text, ok := member.text()
	if !ok || text == "" {
		return refuse(Missing, applePayload)
	}
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return refuse(Malformed, applePayload)
	}
	var decoded [3][]byte
	for i, part := range parts {
		var err error
		if decoded[i], err = decodeBase64URL(part); err != nil {
			return refuse(Malformed, applePayload)
		}
	}
	chain, err := appleCertificates(decoded[0])
	if err != nil {
		return err
	}
	if err := v.trust(ctx, chain); err != nil {
		return err
	}
	if !verifyES256(chain[0], text[:len(text)-len(parts[2])-1], decoded[2]) {
		return refuse(Mismatch, applePayload)
	}
	return v.judge(decoded[1])
}

// appleCertificates returns the chain in a JWS header, the leaf first.
func appleCertificates(header []byte) ([]*x509.Certificate, error) {
	var encoded []string
	certificate := &want{}
	certificate.done = func() error {
		text, ok := certificate.text()
		if !ok || len(encoded) == appleChain || len(text) > 2*maxAppleDER {
			return refuse(Malformed, "x5c")
		}
		encoded = append(encoded, text)
		return nil
	}
	algorithm := wanted("alg")
	if err := scanObject(header, algorithm, &want{name: "x5c", each: certificate}); err != nil {
		return nil, refuse(Malformed, applePayload)
	}
	// The sender does not choose the algorithm.
	if algorithm.string() != "ES256" || len(encoded) != appleChain {
		return nil, refuse(Malformed, applePayload)
	}
	chain := make([]*x509.Certificate, appleChain)
	for i, text := range encoded {
		der, err := decodeBase64(text)
		if err != nil || len(der) > maxAppleDER {
			return nil, refuse(Malformed, "x5c")
		}
		if chain[i], err = x509.ParseCertificate(der); err != nil {
			return nil, refuse(Malformed, "x5c")
		}
	}
	return chain, nil
}

// trust follows the chain to a root that is known.
func (v *apple) trust(ctx context.Context, chain []*x509.Certificate) error {
	leaf, intermediate, root := chain[0], chain[1], chain[2]
	if v.roots == nil {
		if sum := sha256.Sum256(root.Raw); hex.EncodeToString(sum[:]) != appleRootG3 {
			return refuse(Mismatch, "x5c")
		}
	} else if err := v.roots.match(ctx, "x5c", func(known *x509.Certificate) bool { return bytes.Equal(known.Raw, root.Raw) }); err != nil {
		return err
	}
	if !hasExtension(leaf, appleLeaf) || !hasExtension(intermediate, appleIntermediate) || !intermediate.IsCA {
		return refuse(Mismatch, "x5c")
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(root)
	between.AddCert(intermediate)
	_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: v.now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return refuse(Stale, "x5c")
	case err != nil:
		return refuse(Mismatch, "x5c")
	}
	return nil
}

func hasExtension(c *x509.Certificate, id asn1.ObjectIdentifier) bool {
	for _, e := range c.Extensions {
		if e.Id.Equal(id) {
			return true
		}
	}
	return false
}

// verifyES256 checks a signature of RFC 7518, section 3.4: two numbers of 32 bytes.
func verifyES256(c *x509.Certificate, signed string, signature []byte) bool {
	key, ok := c.PublicKey.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() || len(signature) != 64 {
		return false
	}
	sum := sha256.Sum256([]byte(signed))
	return ecdsa.Verify(key, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
}

// appleAbout are the members of a payload that name the app.
var appleAbout = []string{"data", "summary", "externalPurchaseToken", "appData"}

// judge checks the payload: that it is of this app, and of this time. Apple signs the
// notifications of every app with the same certificates.
func (v *apple) judge(payload []byte) error {
	signed := wanted("signedDate")
	members := []*want{signed}
	bundles := make([]*want, len(appleAbout))
	for i, name := range appleAbout {
		bundles[i] = wanted("bundleId")
		members = append(members, wanted(name, bundles[i]))
	}
	if err := scanObject(payload, members...); err != nil {
		return refuse(Malformed, applePayload)
	}
	if !slices.ContainsFunc(bundles, func(w *want) bool { return w.found && w.string() == v.bundle }) {
		return refuse(Mismatch, "bundleId")
	}
	text, _ := signed.text()
	at, ok := parseTime(text, "unix_ms")
	if !ok {
		return refuse(Malformed, "signedDate")
	}
	return fresh(v.now(), at, v.tolerance, "signedDate")
}

// decodeRoot reads a root certificate.
func decodeRoot(text string) (*x509.Certificate, error) {
	der, err := decodeBase64(strings.TrimSpace(text))
	if block, _ := pem.Decode([]byte(text)); block != nil {
		der, err = block.Bytes, nil
	}
	if err != nil {
		return nil, errKey
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil || !cert.IsCA {
		return nil, errKey
	}
	return cert, nil
}
