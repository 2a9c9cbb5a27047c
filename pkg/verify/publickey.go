package verify

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // what some senders sign with
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
	"time"
)

const publicForms = "PEM, base64 of the SPKI, a JWK, or for ed25519 its 32 bytes in hex or base64"

// keySignatureBlock is `verify: {signature: …}`.
var keySignatureBlock = scheme{
	name: "signature",
	verifier: func(b *builder) (Verifier, error) {
		return b.newKeySignature(*b.spec.Signature)
	},
	fields: func(s *Spec) []Field {
		s.Signature = &KeySignature{}
		return s.Signature.fields()
	},
	check: func(c *checker, s *Spec) { s.Signature.check(c, len(s.Secrets) > 0) },
	signedTime: func(s *Spec) (Duration, bool) {
		if s.Signature.Timestamp == nil {
			return "", true
		}
		return s.Signature.Timestamp.tolerance(), true
	},
	signsURL: func(s *Spec, _ *Preset) bool {
		parts, err := parseTemplate(orDefault(s.Signature.Signed, "{body}"))
		return err == nil && uses(parts, "url")
	},
	keyless: func(s *Spec, _ *Preset) bool { return s.Signature.Keys != nil },
}

var keySignatureBlockTools = tools{
	sign: func(s *signer, r *Request) error { return s.keySignature(*s.spec.Signature, r) },
	defaults: func(s *Spec) []Default {
		var found []Default
		if s.Signature.rooted() {
			return nil
		}
		if s.Signature.Encoding == "" {
			found = append(found, Default{Field: "signature.encoding", Value: "base64"})
		}
		if s.Signature.Signed == "" {
			found = append(found, Default{Field: "signature.signed", Value: "{body}"})
		}
		return found
	},
}

// keyPresetScheme is for a provider that signs with a private key, described by
// parameters.
var keyPresetScheme = scheme{
	name: "signature",
	verifier: func(b *builder) (Verifier, error) {
		k := *b.preset.Public
		if k.Timestamp != nil {
			ts := *k.Timestamp
			ts.Tolerance = Duration(b.tolerance().String())
			k.Timestamp = &ts
		}
		return b.newKeySignature(k)
	},
	keyless: func(s *Spec, p *Preset) bool { return p.Public.Keys != nil && len(s.Secrets) == 0 },
}

var keyPresetTools = tools{
	sign: func(s *signer, r *Request) error { return s.keySignature(*s.provider.Public, r) },
	describe: func(p Preset) Signature {
		h := p.Public.hmac()
		return describeHMAC(p, &h, p.Public.Algorithm, publicForms)
	},
}

// A keyAlgorithm checks a signature over a message; the key may be of the wrong kind.
type keyAlgorithm func(key crypto.PublicKey, message, signature []byte) bool

var keyAlgorithms = map[string]keyAlgorithm{
	"ed25519": func(key crypto.PublicKey, message, signature []byte) bool {
		public, ok := key.(ed25519.PublicKey)
		return ok && len(signature) == ed25519.SignatureSize && ed25519.Verify(public, message, signature)
	},
	"rsa-sha256": func(key crypto.PublicKey, message, signature []byte) bool {
		sum := sha256.Sum256(message)
		public, ok := key.(*rsa.PublicKey)
		return ok && rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], signature) == nil
	},
	"rsa-sha1": func(key crypto.PublicKey, message, signature []byte) bool {
		sum := sha1.Sum(message) //nolint:gosec // as above
		public, ok := key.(*rsa.PublicKey)
		return ok && rsa.VerifyPKCS1v15(public, crypto.SHA1, sum[:], signature) == nil
	},
	"rsa-pss-sha256": func(key crypto.PublicKey, message, signature []byte) bool {
		sum := sha256.Sum256(message)
		public, ok := key.(*rsa.PublicKey)
		return ok && rsa.VerifyPSS(public, crypto.SHA256, sum[:], signature, nil) == nil
	},
	"ecdsa-sha256": func(key crypto.PublicKey, message, signature []byte) bool {
		sum := sha256.Sum256(message)
		public, ok := key.(*ecdsa.PublicKey)
		return ok && ecdsa.VerifyASN1(public, sum[:], signature)
	},
	"ecdsa-sha1": func(key crypto.PublicKey, message, signature []byte) bool { // only for eBay
		sum := sha1.Sum(message) //nolint:gosec // as above
		public, ok := key.(*ecdsa.PublicKey)
		return ok && ecdsa.VerifyASN1(public, sum[:], signature)
	},
}

// A keyVerifier checks signatures that were made with private keys; exactly one of
// secrets and published is set.
type keyVerifier struct {
	rule      *compiledHMAC
	algorithm keyAlgorithm
	secrets   *keyring[crypto.PublicKey]
	published *keySet
	now       func() time.Time
}

func decodePublicKey(text string) (crypto.PublicKey, error) {
	text = strings.TrimSpace(text)
	var der []byte
	if strings.HasPrefix(text, "{") {
		key, ok := parseJWK([]byte(text))
		if !ok {
			return nil, errKey
		}
		return key.public, nil
	}
	if raw, err := decodeHex(text); err == nil && len(raw) == ed25519.PublicKeySize {
		return ed25519.PublicKey(raw), nil
	}
	if block, _ := pem.Decode([]byte(text)); block != nil {
		if block.Type != "PUBLIC KEY" {
			return nil, errKey
		}
		der = block.Bytes
	} else {
		var err error
		if der, err = decodeBase64(text); err != nil {
			return nil, errKey
		}
		if len(der) == ed25519.PublicKeySize {
			return ed25519.PublicKey(der), nil
		}
	}
	return parsePublicKey(der)
}

// parsePublicKey reads the SPKI of a key that is strong enough, and not so large that
// verifying with it is expensive.
func parsePublicKey(der []byte) (crypto.PublicKey, error) {
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, errKey
	}
	switch key := key.(type) {
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < minRSA || bits > maxRSA {
			return nil, errKey
		}
		return key, nil
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P256() {
			return nil, errKey
		}
		return key, nil
	case ed25519.PublicKey:
		return key, nil
	}
	return nil, errKey
}

func (b *builder) newKeySignature(k KeySignature) (Verifier, error) {
	if k.rooted() {
		return b.newRooted(k)
	}
	v := &keyVerifier{rule: compileHMAC(k.hmac(), b.spec.URL), algorithm: keyAlgorithms[k.Algorithm], now: b.now}
	if k.Keys == nil || len(b.refs) > 0 {
		var err error
		v.secrets, err = newKeyring(b, decodePublicKey, publicForms)
		return v, err
	}
	if b.fetch == nil {
		return nil, errors.New("verify.signature: needs published keys, but there is no client to fetch them")
	}
	v.published = newKeySet(k.Keys.URL, b.fetch, b.now)
	v.published.parse = k.Keys.parse
	return v, nil
}

// parse reads the keys of a document.
func (p *PublishedKeys) parse(document []byte) ([]publishedKey, error) {
	text := document
	switch p.Format {
	case "jwks":
		return parseKeySet(document)
	case "json":
		var err error
		path := tokenPlace(Token{Body: p.Member}).Body
		member, err := memberText(document, path)
		if err != nil {
			return nil, errors.New("has no text in the configured member")
		}
		text = []byte(member)
	}
	key, err := decodePublicKey(unbrokenPEM(string(text)))
	if err != nil {
		return nil, errors.New("has no public key")
	}
	return []publishedKey{{public: key}}, nil
}

// unbrokenPEM restores the line breaks of PEM, which some senders leave out.
func unbrokenPEM(text string) string {
	const begin, end = "-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----"
	inner, found := strings.CutPrefix(strings.TrimSpace(text), begin)
	inner, ended := strings.CutSuffix(inner, end)
	if !found || !ended {
		return text
	}
	return strings.Join(strings.Fields(inner), "")
}

func (v *keyVerifier) Headers() []string {
	return (&hmacVerifier{compiledHMAC: v.rule}).Headers()
}

func (v *keyVerifier) Verify(ctx context.Context, r *Request) error {
	name := v.rule.headers[0]
	value, err := headerValue(r.Header, name)
	if err != nil {
		return err
	}
	bare, prefixed := strings.CutPrefix(value, v.rule.prefix)
	signature, err := v.rule.encoding.decode(bare)
	if !prefixed || err != nil || len(signature) == 0 || len(signature) > 1024 {
		return refuse(Malformed, name)
	}
	timestamp, at := "", time.Time{}
	if v.rule.timestamp != "" {
		if timestamp, err = headerValue(r.Header, v.rule.timestamp); err != nil {
			return err
		}
		var ok bool
		if at, ok = parseTime(timestamp, v.rule.format); !ok {
			return refuse(Malformed, v.rule.timestamp)
		}
	}
	values, err := v.rule.expand(r, timestamp)
	if err != nil {
		return err
	}
	var message messageBuffer
	write(&message, v.rule.signed, values, r.Body, nil)
	if err := v.match(ctx, name, func(key crypto.PublicKey) bool { return v.algorithm(key, message, signature) }); err != nil {
		return err
	}
	if v.rule.tolerance > 0 {
		return fresh(v.now(), at, v.rule.tolerance, v.rule.timestamp)
	}
	return nil
}

// match tries the keys. A published set without a matching key is fetched again, as often
// as the pauses of a key set allow.
func (v *keyVerifier) match(ctx context.Context, where string, try func(crypto.PublicKey) bool) error {
	if v.published == nil {
		return v.secrets.match(ctx, where, try)
	}
	fits := func(f *fetchedKeys) bool {
		return slices.ContainsFunc(f.keys, func(k publishedKey) bool { return try(k.public) })
	}
	set, err := v.published.get(ctx, fits)
	switch {
	case err != nil:
		return err
	case !fits(set):
		return refuse(Mismatch, where)
	}
	return nil
}

// A messageBuffer holds a signed message for algorithms that need all of it at once.
type messageBuffer []byte

func (b *messageBuffer) Write(p []byte) (int, error) {
	*b = append(*b, p...)
	return len(p), nil
}
