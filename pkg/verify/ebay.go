package verify

import (
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
)

// ebayScheme is
// https://developer.ebay.com/develop/guides-v2/marketplace-account-deletion: the header
// is base64 of JSON with the signature, over the body, by ECDSA with SHA-1. The public
// keys come from an API that requires an application's token, so they are configured as
// the Spec's secrets.
var ebayScheme = scheme{
	name: "ebay",
	verifier: func(b *builder) (Verifier, error) {
		keys, err := newKeyring(b, func(text string) (crypto.PublicKey, error) { return decodePublicKey(unbrokenPEM(text)) }, publicForms)
		return &ebay{keys}, err
	},
}

var ebayTools = tools{
	sign: func(s *signer, r *Request) error {
		keys, err := s.privateKeys()
		if err != nil {
			return err
		}
		signature, err := keys.sign("ecdsa-sha1", r.Body)
		if err != nil {
			return err
		}
		document, err := encodeBody(object{"alg": "ecdsa", "kid": "test", "signature": base64.StdEncoding.EncodeToString(signature), "digest": "SHA1"})
		s.out.Header.Set(ebaySignature, base64.StdEncoding.EncodeToString(document))
		return err
	},
	signature: &Signature{
		Headers: []string{ebaySignature}, Algorithm: "ecdsa-sha1", Encoding: "base64 of JSON", Signed: "{body}", Keys: "the public keys of the Notification API, as PEM",
	},
}

// ebayHandshake is the challenge by GET, which is answered with the digest of challenge,
// verification token and URL.
var ebayHandshake = Handshake{Methods: []string{http.MethodGet}, newBefore: newEBayHandshake}

const ebaySignature = "X-Ebay-Signature"

type ebay struct{ keys *keyring[crypto.PublicKey] }

func (*ebay) Headers() []string { return []string{strings.ToLower(ebaySignature)} }

func (v *ebay) Verify(ctx context.Context, r *Request) error {
	value, err := headerValue(r.Header, ebaySignature)
	if err != nil {
		return err
	}
	document, err := decodeBase64(value)
	if err != nil {
		return refuse(Malformed, ebaySignature)
	}
	algorithm, digest, encoded := wanted("alg"), wanted("digest"), wanted("signature")
	if scanObject(document, algorithm, digest, encoded) != nil {
		return refuse(Malformed, ebaySignature)
	}
	signature, err := decodeBase64(encoded.string())
	if err != nil || len(signature) == 0 || !strings.EqualFold(algorithm.string(), "ecdsa") || digest.string() != "SHA1" {
		return refuse(Malformed, ebaySignature)
	}
	return v.keys.match(ctx, ebaySignature, func(key crypto.PublicKey) bool { return keyAlgorithms["ecdsa-sha1"](key, r.Body, signature) })
}

func newEBayHandshake(b *builder) (exchange, error) {
	if b.spec.Token == nil || b.spec.URL == "" {
		return nil, nil //nolint:nilnil // the handshake is not wanted
	}
	tokens, err := b.keyringOf(b.spec.Token.Reference)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, r *Request) (*Reply, error) {
		challenge, ok, err := asked(r, "challenge_code", isPlain)
		if err != nil || !ok {
			return nil, err
		}
		token, err := tokens.key(ctx, 0)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256([]byte(challenge + string(token) + publicOrigin(b.spec.URL) + publicPath(b.spec.URL, r)))
		return replyJSON(map[string]string{"challengeResponse": hex.EncodeToString(sum[:])}), nil
	}, nil
}
