package verify

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // what some senders sign with
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// braintreeScheme is https://developer.paypal.com/braintree/docs/guides/webhooks/parse:
// a form with the payload and its signatures, each with the public key before it. The key
// is the digest of the private key.
var braintreeScheme = scheme{
	name: "braintree",
	verifier: func(b *builder) (Verifier, error) {
		keys, err := newKeyring(b, keyDecoder("sha1"), "")
		return &braintree{keys, b.spec.PublicKey}, err
	},
}

var braintreeTools = tools{
	sign: func(s *signer, r *Request) error {
		form, ok := parseForm(string(r.Body))
		payload := form.Get(braintreePayload)
		if !ok || !isForm(r.Header) || payload == "" {
			payload = base64.StdEncoding.EncodeToString(r.Body) + "\n" // a sample of its contents
			form = url.Values{braintreePayload: {payload}}
			s.out.Header.Set("Content-Type", typeForm)
		}
		key, _ := keyDecoder("sha1")(s.secret)
		form.Set(braintreeSignature, s.spec.PublicKey+"|"+hex.EncodeToString(hmac1(key, payload)))
		s.out.Body = []byte(form.Encode())
		return nil
	},
	signature: &Signature{
		Algorithm: "hmac-sha1", Encoding: "hex", Signed: "{form:bt_payload}", Keys: "the private key of the API, whose digest is the key",
	},
}

// braintreeHandshake is the challenge by GET. Its answer signs any 20 to 32 hex digits
// that anyone sends, and no payload looks like that.
var braintreeHandshake = Handshake{Methods: []string{http.MethodGet}, newBefore: newBraintreeHandshake}

const (
	braintreePayload   = "bt_payload"
	braintreeSignature = "bt_signature"
)

type braintree struct {
	keys      *keyring[[]byte]
	publicKey string
}

func hmac1(key []byte, text string) []byte {
	mac := hmac.New(sha1.New, key)
	_, _ = io.WriteString(mac, text)
	return mac.Sum(nil)
}

func isChallenge(text string) bool {
	return len(text) >= 20 && len(text) <= 32 && isHex([]byte(text)) && strings.ToLower(text) == text
}

func (*braintree) Headers() []string { return nil }

func (v *braintree) Verify(ctx context.Context, r *Request) error {
	signatures, err := formField(r, braintreeSignature)
	if err != nil {
		return err
	}
	payload, err := formField(r, braintreePayload)
	if err != nil {
		return err
	}
	if isChallenge(payload) {
		return refuse(Malformed, braintreePayload)
	}
	items, ok := splitList(signatures, "&")
	if !ok {
		return refuse(Malformed, braintreeSignature)
	}
	var got [][]byte
	for _, item := range items {
		if encoded, mine := strings.CutPrefix(item, v.publicKey+"|"); mine {
			if sum, err := decodeHex(encoded); err == nil && len(sum) == sha1.Size {
				got = append(got, sum)
			}
		}
	}
	if len(got) == 0 {
		return refuse(Malformed, braintreeSignature)
	}
	return v.keys.match(ctx, braintreeSignature, func(key []byte) bool {
		sum := hmac1(key, payload)
		return slices.ContainsFunc(got, func(s []byte) bool { return hmac.Equal(s, sum) })
	})
}

func newBraintreeHandshake(b *builder) (exchange, error) {
	keys, err := newKeyring(b, keyDecoder("sha1"), "")
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, r *Request) (*Reply, error) {
		challenge, ok, err := asked(r, "bt_challenge", isChallenge)
		if err != nil || !ok {
			return nil, err
		}
		key, err := keys.key(ctx, 0)
		if err != nil {
			return nil, err
		}
		return echo(b.spec.PublicKey + "|" + hex.EncodeToString(hmac1(key, challenge))), nil
	}, nil
}
