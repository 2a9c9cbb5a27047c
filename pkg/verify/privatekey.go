package verify

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // what some senders sign with
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http"
	"strings"
	"time"

	"github.com/expressway-dev/expressway/pkg/secrets"
)

// needsPrivateKey explains why a scheme with public keys cannot be signed with its
// secrets.
const needsPrivateKey = "the sender signs with a private key, and the route has only its public key; sign with keys of your own"

// A keyBundle holds what a sender with private keys has: one key of each kind, a chain of
// certificates for the P-256 key, and a certificate for the RSA key.
type keyBundle struct {
	ed25519 ed25519.PrivateKey
	rsa     *rsa.PrivateKey
	ecdsa   *ecdsa.PrivateKey
	chain   []*x509.Certificate // the leaf first, the root last
	single  *x509.Certificate
}

func isPrivateKey(secret string) bool { return strings.Contains(secret, "-----BEGIN PRIVATE KEY-----") }

// privateKeys reads the keys in the secret.
func (s *signer) privateKeys() (*keyBundle, error) {
	if !isPrivateKey(s.secret) {
		return nil, s.cannot(needsPrivateKey)
	}
	return parseKeyBundle(s.secret)
}

var errBundle = errors.New("the keys for signing are not those that MakeKeys writes: PKCS #8 of Ed25519, RSA and P-256, and certificates, as PEM")

func parseKeyBundle(text string) (*keyBundle, error) {
	k := &keyBundle{}
	for block, rest := pem.Decode([]byte(text)); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			c, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, errBundle
			}
			if _, isRSA := c.PublicKey.(*rsa.PublicKey); isRSA {
				k.single = c
			} else {
				k.chain = append(k.chain, c)
			}
			continue
		}
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, errBundle
		}
		switch key := key.(type) {
		case ed25519.PrivateKey:
			k.ed25519 = key
		case *rsa.PrivateKey:
			k.rsa = key
		case *ecdsa.PrivateKey:
			k.ecdsa = key
		}
	}
	if k.ed25519 == nil || k.rsa == nil || k.ecdsa == nil || k.single == nil || len(k.chain) != appleChain {
		return nil, errBundle
	}
	return k, nil
}

// sign signs a message with an algorithm of a [KeySignature].
func (k *keyBundle) sign(algorithm string, message []byte) ([]byte, error) {
	sum := sha256.Sum256(message)
	switch algorithm {
	case "ed25519":
		return ed25519.Sign(k.ed25519, message), nil
	case "rsa-sha256":
		return rsa.SignPKCS1v15(rand.Reader, k.rsa, crypto.SHA256, sum[:])
	case "rsa-sha1":
		short := sha1.Sum(message) //nolint:gosec // as above
		return rsa.SignPKCS1v15(rand.Reader, k.rsa, crypto.SHA1, short[:])
	case "rsa-pss-sha256":
		return rsa.SignPSS(rand.Reader, k.rsa, crypto.SHA256, sum[:], nil)
	case "ecdsa-sha256":
		return ecdsa.SignASN1(rand.Reader, k.ecdsa, sum[:])
	case "ecdsa-sha1":
		short := sha1.Sum(message) //nolint:gosec // as above
		return ecdsa.SignASN1(rand.Reader, k.ecdsa, short[:])
	}
	return nil, errors.New("there is no key that signs with " + algorithm)
}

// jws returns a compact token with the chain of its certificates.
func (k *keyBundle) jws(algorithm string, payload []byte) (string, error) {
	chain := k.chain
	if strings.HasPrefix(algorithm, "rsa") {
		chain = []*x509.Certificate{k.single}
	}
	encoded := make([]string, len(chain))
	for i, c := range chain {
		encoded[i] = base64.StdEncoding.EncodeToString(c.Raw)
	}
	header, err := json.Marshal(map[string]any{"alg": jwsAlgorithms[algorithm], "x5c": encoded})
	if err != nil {
		return "", err
	}
	input := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(payload)
	var signature []byte
	if algorithm == "ecdsa-sha256" { // RFC 7518, section 3.4
		r, s, err := ecdsa.Sign(rand.Reader, k.ecdsa, digest256(input))
		if err != nil {
			return "", err
		}
		signature = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	} else if signature, err = k.sign(algorithm, []byte(input)); err != nil {
		return "", err
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

func digest256(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

// keySignature signs for a [KeySignature].
func (s *signer) keySignature(k KeySignature, r *Request) error {
	keys, err := s.privateKeys()
	if err != nil {
		return err
	}
	if k.Keys != nil && len(k.Keys.Roots) > 0 {
		return s.rooted(k, keys, r)
	}
	rule := compileHMAC(k.hmac(), s.spec.URL)
	timestamp := ""
	if rule.timestamp != "" {
		timestamp = formatTime(s.now, rule.format)
		s.out.Header.Set(rule.timestamp, timestamp)
	}
	for _, p := range rule.signed {
		if p.field == "header:" && p.text != rule.timestamp && r.Header.Get(p.text) == "" && s.spec.Provider != "" {
			s.out.Header.Set(p.text, s.digest(r.Body))
		}
	}
	signed := *r
	signed.Header = withHeaders(r.Header, s.out.Header)
	values, err := rule.expand(&signed, timestamp)
	if err != nil {
		return err
	}
	var message messageBuffer
	write(&message, rule.signed, values, r.Body, nil)
	signature, err := keys.sign(k.Algorithm, message)
	if err != nil {
		return err
	}
	s.out.Header.Set(k.Header, rule.prefix+rule.encoding.encode(signature))
	return nil
}

// rooted puts a token into the header, or in place of the body.
func (s *signer) rooted(k KeySignature, keys *keyBundle, r *Request) error {
	token, err := keys.jws(k.Algorithm, r.Body)
	if err != nil {
		return err
	}
	if k.Header != "" {
		s.out.Header.Set(k.Header, token)
		return nil
	}
	var body any = token
	path := tokenPlace(Token{Body: k.Body}).Body
	for i := len(path) - 1; i >= 0; i-- {
		body = object{path[i]: body}
	}
	s.out.Body, err = encodeBody(body.(object))
	return err
}

// The certificates of MakeKeys are valid for a year, and backdated by more than any
// tolerance.
const (
	testKeysFor   = 366 * 24 * time.Hour
	testKeysSince = 31 * 24 * time.Hour
)

// MakeKeys returns new private keys for signing requests to routes whose senders sign with
// private keys, with certificates that are valid for a year from now, as PEM. In tests,
// they take the place of the sender's keys: [PublicHalf] returns the secret that such a
// route must have.
func MakeKeys(now time.Time) (string, error) {
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", err
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, minRSA)
	if err != nil {
		return "", err
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, key := range []any{ed, rsaKey, ec} {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			return "", err
		}
		_ = pem.Encode(&b, &pem.Block{Type: "PRIVATE KEY", Bytes: der}) // a Builder cannot fail
	}
	chain, err := makeChain(now, &ec.PublicKey)
	if err != nil {
		return "", err
	}
	single := testCertificate(now, "expressway test sender", true)
	der, err := x509.CreateCertificate(rand.Reader, single, single, &rsaKey.PublicKey, rsaKey)
	if err != nil {
		return "", err
	}
	for _, der := range append(chain, der) {
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: der}) // as above
	}
	return b.String(), nil
}

func testCertificate(now time.Time, name string, ca bool, marks ...asn1.ObjectIdentifier) *x509.Certificate {
	c := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-testKeysSince), NotAfter: now.Add(testKeysFor),
		IsCA: ca, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	for _, id := range marks {
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: id, Value: []byte{5, 0}}) // NULL
	}
	return c
}

// makeChain certifies a key as Apple does for its notifications.
func makeChain(now time.Time, key *ecdsa.PublicKey) ([][]byte, error) {
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	middleKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	root, middle := testCertificate(now, "expressway test root", true), testCertificate(now, "expressway test intermediate", true, appleIntermediate)
	leaf := testCertificate(now, "expressway test sender", false, appleLeaf)
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, &rootKey.PublicKey, rootKey)
	if err != nil {
		return nil, err
	}
	middleDER, err := x509.CreateCertificate(rand.Reader, middle, root, &middleKey.PublicKey, rootKey)
	if err != nil {
		return nil, err
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, middle, key, middleKey)
	return [][]byte{leafDER, middleDER, rootDER}, err
}

// PublicHalf returns the secret that makes the verifier of s accept what is signed with
// keys, a text of [MakeKeys]: a public key, or a certificate, in a form that the scheme
// accepts. It fails with an [ErrCannotSign] if no secret of the scheme is one of these, as
// with shared secrets and published keys.
func PublicHalf(s Spec, keys string) (string, error) {
	k, err := parseKeyBundle(keys)
	if err != nil {
		return "", err
	}
	at := k.single.NotBefore
	r := &Request{Method: http.MethodPost, Path: "/", Header: http.Header{}, Body: []byte("{}")}
	shared := &CannotSignError{Scheme: orDefault(s.Provider, "this block"), Why: "none of its secrets is a public key"}
	signed, err := SignRequest(s, keys, r, at)
	if err != nil {
		return "", shared // a scheme with private keys can sign this request
	}
	r.Header, r.RawQuery, r.Body = signed.Header, signed.RawQuery, signed.Body
	raw := k.ed25519.Public().(ed25519.PublicKey)
	forms := []string{hex.EncodeToString(raw), "whpk_" + base64.StdEncoding.EncodeToString(raw)}
	for _, public := range []crypto.PublicKey{k.ecdsa.Public(), k.rsa.Public()} {
		der, err := x509.MarshalPKIXPublicKey(public)
		if err != nil {
			return "", err
		}
		forms = append(forms, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
	}
	for _, c := range []*x509.Certificate{k.chain[appleChain-1], k.single} {
		forms = append(forms, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})))
	}
	if s.Signature == nil || s.Signature.Keys == nil || len(s.Signature.Keys.Roots) == 0 {
		s.Secrets = []string{"env:PUBLIC"}
	}
	for _, form := range forms {
		source := secrets.NewSource(secrets.Options{Getenv: func(string) string { return form }})
		if v, err := New(s, source, Options{Now: func() time.Time { return at }}); err == nil && v.Verify(context.Background(), r) == nil {
			return form, nil
		}
	}
	return "", shared
}
