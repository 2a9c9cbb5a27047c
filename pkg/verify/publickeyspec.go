package verify

import (
	"strings"

	"github.com/expressway-dev/expressway/pkg/secrets"
)

// A KeySignature describes how a sender signs with a private key. The public keys are the
// Spec's secrets (PEM, base64 of the SPKI, a JWK, or for ed25519 its 32 bytes in hex or
// base64), or those that Keys describes.
type KeySignature struct {
	// Algorithm is ed25519, rsa-sha256, rsa-sha1, rsa-pss-sha256 or ecdsa-sha256. Required.
	Algorithm string `yaml:"algorithm"`
	// Header carries the signature, or, with roots, the token. Required without Body.
	Header string `yaml:"header,omitempty"`
	// Body is the member of a JSON body that is a token, with roots: a name, or a JSON
	// pointer.
	Body string `yaml:"body,omitempty"`
	// Encoding of the signature is base64 (default), base64url or hex.
	Encoding string `yaml:"encoding,omitempty"`
	// Prefix precedes the signature.
	Prefix string `yaml:"prefix,omitempty"`
	// Signed is a template as in [HMAC].
	Signed string `yaml:"signed,omitempty"`
	// Timestamp is the signed time, as in [HMAC].
	Timestamp *Timestamp `yaml:"timestamp,omitempty"`
	// Keys are published keys.
	Keys *PublishedKeys `yaml:"keys,omitempty"`
}

// PublishedKeys describe public keys at an address, which are fetched and cached like a
// key set, or roots, up to which a chain of certificates leads that comes with the
// signature.
type PublishedKeys struct {
	// URL is the address of the keys: https, or http on loopback.
	URL string `yaml:"url,omitempty"`
	// Roots are references to root certificates. The sender then sends a JWS (RFC 7515)
	// with its certificates (x5c): in Header, detached or with the body as its payload, or
	// in Body, where nothing outside the payload is signed.
	Roots []string `yaml:"roots,omitempty"`
	// Name is the DNS name or the common name that the sender's certificate must have, or
	// the word any, for roots that certify this sender alone. Required with Roots.
	Name string `yaml:"name,omitempty"`
	// Format is pem (default), jwks or json.
	Format string `yaml:"format,omitempty"`
	// Member is the JSON pointer to the key's text, with Format json.
	Member string `yaml:"member,omitempty"`
}

func (k *KeySignature) fields() []Field {
	return []Field{
		{Key: "algorithm", To: &k.Algorithm},
		{Key: "header", To: &k.Header},
		{Key: "body", To: &k.Body},
		{Key: "encoding", To: &k.Encoding},
		{Key: "prefix", To: &k.Prefix},
		{Key: "signed", To: &k.Signed},
		{Key: "timestamp", Name: "timestamp", To: func() []Field {
			k.Timestamp = &Timestamp{}
			return k.Timestamp.fields()
		}},
		{Key: "keys", To: func() []Field {
			k.Keys = &PublishedKeys{}
			return []Field{
				{Key: "url", To: &k.Keys.URL},
				{Key: "format", To: &k.Keys.Format},
				{Key: "member", To: &k.Keys.Member},
				{Key: "roots", To: &k.Keys.Roots},
				{Key: "name", To: &k.Keys.Name},
			}
		}},
	}
}

func (k *KeySignature) hmac() HMAC {
	return HMAC{Header: k.Header, Encoding: orDefault(k.Encoding, "base64"), Prefix: k.Prefix, Signed: k.Signed, Timestamp: k.Timestamp}
}

func (k *KeySignature) check(c *checker, listed bool) {
	if keyAlgorithms[k.Algorithm] == nil {
		c.add("signature.algorithm", "%.40q is not one of ed25519, rsa-sha256, rsa-sha1, rsa-pss-sha256, ecdsa-sha256", k.Algorithm)
	}
	if k.rooted() {
		k.checkRooted(c, listed)
		return
	}
	if k.Body != "" {
		c.add("signature.body", "is the place of a token, which needs keys.roots")
	}
	own := &checker{}
	h := k.hmac()
	h.check(own)
	for _, p := range own.problems {
		c.add("signature."+strings.TrimPrefix(p.Field, "hmac."), "%s", p.Message)
	}
	switch {
	case k.Keys == nil:
	case k.Keys.Name != "":
		c.add("signature.keys.name", "needs roots, because it is the name in a certificate")
	case listed:
		c.add("signature.keys", "and secrets cannot be combined: write one of them")
	default:
		if err := keySetURL(k.Keys.URL); err != nil {
			c.add("signature.keys.url", "%v", err)
		}
		c.oneOf("signature.keys.format", k.Keys.Format, "pem", "jwks", "json")
		if (k.Keys.Format == "json") != strings.HasPrefix(k.Keys.Member, "/") {
			c.add("signature.keys.member", "is a JSON pointer, such as /key, with format: json")
		}
	}
}

func (k *KeySignature) rooted() bool { return k.Keys != nil && len(k.Keys.Roots) > 0 }

// checkRooted reports the problems of a description with roots.
func (k *KeySignature) checkRooted(c *checker, listed bool) {
	if keyAlgorithms[k.Algorithm] != nil && jwsAlgorithms[k.Algorithm] == "" {
		c.add("signature.algorithm", "with roots is ed25519, rsa-sha256, rsa-pss-sha256 or ecdsa-sha256")
	}
	switch {
	case k.Header != "" && k.Body != "":
		c.add("signature.body", "and header cannot be combined: the token is in one place")
	case k.Body == "":
		c.header("signature.header", k.Header)
	}
	for _, key := range [][2]string{{"encoding", k.Encoding}, {"prefix", k.Prefix}, {"signed", k.Signed}} {
		if key[1] != "" {
			c.add("signature."+key[0], "is not used with roots, because a token contains what is signed")
		}
	}
	if k.Timestamp != nil {
		c.add("signature.timestamp", "is not used with roots: add dedupe against replays")
	}
	if listed {
		c.add("signature.keys", "and secrets cannot be combined: write one of them")
	}
	if k.Keys.URL+k.Keys.Format+k.Keys.Member != "" {
		c.add("signature.keys.roots", "and url, format and member cannot be combined")
	}
	if k.Keys.Name == "" {
		c.add("signature.keys.name", "is missing: without it, everyone whom a root certifies could sign; write any if the roots certify only this sender")
	}
	for i, text := range k.Keys.Roots {
		if _, err := secrets.Parse(text); err != nil {
			c.add("signature.keys.roots."+formatInt(int64(i)), "%v", err)
		}
	}
}
