package verify

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"math/big"
	"slices"
	"strings"
	"time"
)

// Some senders send a JWS (RFC 7515) whose header has the chain of certificates that
// signed it (x5c), up to a known root: Apple does, and the senders that a [KeySignature]
// with roots describes.

// Bounds of what is decoded before any of it has been verified.
const (
	maxX5C     = 5
	maxCertDER = 8 << 10
)

// A chainedJWS is a token that was decoded and not yet verified.
type chainedJWS struct {
	where     string // where the token is, for errors
	algorithm string
	input     string // what is signed
	payload   []byte // nil if the token is detached
	signature []byte
	chain     []*x509.Certificate // the leaf first
}

// parseJWS reads a compact token. If it is detached, its second part is empty.
func parseJWS(text, where string, detached bool) (*chainedJWS, error) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return nil, refuse(Malformed, where)
	}
	var decoded [3][]byte
	for i, part := range parts {
		var err error
		if decoded[i], err = decodeBase64URL(part); err != nil {
			return nil, refuse(Malformed, where)
		}
	}
	t := &chainedJWS{where: where, input: text[:len(text)-len(parts[2])-1], payload: decoded[1], signature: decoded[2]}
	if detached && parts[1] == "" {
		t.payload = nil
	}
	return t, t.readHeader(decoded[0])
}

func (t *chainedJWS) readHeader(header []byte) error {
	var encoded []string
	certificate := &want{}
	certificate.done = func() error {
		text, ok := certificate.text()
		if !ok || len(encoded) == maxX5C || len(text) > 2*maxCertDER {
			return refuse(Malformed, "x5c")
		}
		encoded = append(encoded, text)
		return nil
	}
	algorithm, critical := wanted("alg"), wanted("crit")
	if err := scanObject(header, algorithm, critical, &want{name: "x5c", each: certificate}); err != nil {
		return refuse(Malformed, t.where)
	}
	// RFC 7515, section 4.1.11: critical extensions must be understood, and none is
	// supported.
	if critical.found || len(encoded) == 0 {
		return refuse(Malformed, t.where)
	}
	t.algorithm = algorithm.string()
	for _, text := range encoded {
		der, err := decodeBase64(text)
		if err != nil || len(der) > maxCertDER {
			return refuse(Malformed, "x5c")
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return refuse(Malformed, "x5c")
		}
		t.chain = append(t.chain, cert)
	}
	return nil
}

// follow verifies the chain to a root. What is served above the leaf only helps to get
// there.
func (t *chainedJWS) follow(root *x509.Certificate, now time.Time) error {
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(root)
	for _, c := range t.chain[1:] {
		between.AddCert(c)
	}
	_, err := t.chain[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return refuse(Stale, "x5c")
	case err != nil:
		return refuse(Mismatch, "x5c")
	}
	return nil
}

// jwsAlgorithms are the names that a JWS has for the algorithms of a [KeySignature].
var jwsAlgorithms = map[string]string{"ecdsa-sha256": "ES256", "rsa-sha256": "RS256", "rsa-pss-sha256": "PS256", "ed25519": "EdDSA"}

// signedBy reports whether the leaf's key made the signature with the algorithm of the
// configuration.
func (t *chainedJWS) signedBy(algorithm string) bool {
	if t.algorithm != jwsAlgorithms[algorithm] {
		return false // the sender does not choose
	}
	key := t.chain[0].PublicKey
	if algorithm != "ecdsa-sha256" {
		return keyAlgorithms[algorithm](key, []byte(t.input), t.signature)
	}
	// RFC 7518, section 3.4: two numbers of 32 bytes.
	public, ok := key.(*ecdsa.PublicKey)
	if !ok || public.Curve != elliptic.P256() || len(t.signature) != 64 {
		return false
	}
	return ecdsa.Verify(public, digest256(t.input), new(big.Int).SetBytes(t.signature[:32]), new(big.Int).SetBytes(t.signature[32:]))
}

// A rootedVerifier checks tokens of a [KeySignature] with roots.
type rootedVerifier struct {
	rule  KeySignature
	place TokenPlace
	roots *keyring[*x509.Certificate]
	now   func() time.Time
}

func (b *builder) newRooted(k KeySignature) (Verifier, error) {
	roots, err := newKeyring(b, decodeRoot, rootForms)
	if err != nil {
		return nil, err
	}
	return &rootedVerifier{k, tokenPlace(Token{Body: k.Body}), roots, b.now}, nil
}

func (v *rootedVerifier) Headers() []string {
	if v.rule.Header == "" {
		return nil
	}
	return []string{strings.ToLower(v.rule.Header)}
}

func (v *rootedVerifier) Verify(ctx context.Context, r *Request) error {
	where := orDefault(v.rule.Header, v.rule.Body)
	text, err := v.token(r)
	if err != nil {
		return err
	}
	token, err := parseJWS(text, where, v.rule.Header != "")
	if err != nil {
		return err
	}
	if token.algorithm != jwsAlgorithms[v.rule.Algorithm] {
		return refuse(Malformed, where)
	}
	switch {
	case v.rule.Header == "":
	case token.payload == nil: // detached (RFC 7515, appendix F)
		token.input += base64.RawURLEncoding.EncodeToString(r.Body)
	case !bytes.Equal(token.payload, r.Body):
		return refuse(Mismatch, where)
	}
	expired := false
	err = v.roots.match(ctx, "x5c", func(root *x509.Certificate) bool {
		err := token.follow(root, v.now())
		expired = expired || ReasonOf(err) == Stale
		return err == nil
	})
	switch {
	case err != nil && expired:
		return refuse(Stale, "x5c")
	case err != nil:
		return err
	case !namedAs(token.chain[0], v.rule.Keys.Name):
		return refuse(Mismatch, "x5c")
	case !token.signedBy(v.rule.Algorithm):
		return refuse(Mismatch, where)
	}
	return nil
}

// token returns the text of the token.
func (v *rootedVerifier) token(r *Request) (string, error) {
	if v.rule.Header != "" {
		values := r.Header.Values(v.rule.Header)
		switch {
		case len(values) == 0 || values[0] == "":
			return "", refuse(Missing, v.rule.Header)
		case len(values) > 1 || len(values[0]) > 8*maxHeader: // it has certificates
			return "", refuse(Malformed, v.rule.Header)
		}
		return values[0], nil
	}
	text, err := memberText(r.Body, v.place.Body)
	if err != nil {
		return "", err
	}
	if text == "" {
		return "", refuse(Missing, v.rule.Body)
	}
	return text, nil
}

// namedAs reports whether a certificate is for a DNS name, or has it as its common name;
// the word any stands for every name.
func namedAs(c *x509.Certificate, name string) bool {
	return name == anyone || slices.Contains(c.DNSNames, name) || c.Subject.CommonName == name
}
