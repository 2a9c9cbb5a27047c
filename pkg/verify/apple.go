package verify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"slices"
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
		v.roots, err = newKeyring(b, decodeRoot, rootForms)
		return v, err
	},
	keyless: func(s *Spec, _ *Preset) bool { return len(s.Secrets) == 0 },
}

var appleTools = tools{
	sign: signApple,
	signature: &Signature{
		Algorithm: "ecdsa-sha256", Encoding: "JWS in the member signedPayload", Signed: "the token's payload",
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

const (
	appleChain   = 3 // certificates: leaf, intermediate, root
	applePayload = "signedPayload"
)

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
	token, err := parseJWS(text, applePayload, false)
	if err != nil {
		return err
	}
	if len(token.chain) != appleChain || token.algorithm != "ES256" {
		return refuse(Malformed, applePayload)
	}
	if err := v.trust(ctx, token); err != nil {
		return err
	}
	if !token.signedBy("ecdsa-sha256") {
		return refuse(Mismatch, applePayload)
	}
	return v.judge(token.payload)
}

// trust follows the chain to a known root.
func (v *apple) trust(ctx context.Context, token *chainedJWS) error {
	leaf, intermediate, root := token.chain[0], token.chain[1], token.chain[2]
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
	return token.follow(root, v.now())
}

func hasExtension(c *x509.Certificate, id asn1.ObjectIdentifier) bool {
	for _, e := range c.Extensions {
		if e.Id.Equal(id) {
			return true
		}
	}
	return false
}

// appleAbout are the members of a payload that name the app.
var appleAbout = []string{"data", "summary", "externalPurchaseToken", "appData"}

// judge checks that the payload is for this app and of the current time. Apple signs the
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

// signApple wraps the body, a notification, into a signed payload of the time.
func signApple(s *signer, r *Request) error {
	keys, err := s.privateKeys()
	if err != nil {
		return err
	}
	payload, err := bodyObject(r.Body)
	if err != nil {
		return errors.New("the body is not one JSON object, and the scheme signs a notification")
	}
	if about, isObject := payload["data"].(object); isObject {
		about["bundleId"] = s.spec.Audience
	} else {
		payload["data"] = object{"bundleId": s.spec.Audience, "environment": "Sandbox"}
	}
	payload["signedDate"] = s.now.UnixMilli()
	text, err := encodeBody(payload)
	if err != nil {
		return err
	}
	token, err := keys.jws("ecdsa-sha256", text)
	if err != nil {
		return err
	}
	s.out.Body, err = encodeBody(object{applePayload: token})
	return err
}
