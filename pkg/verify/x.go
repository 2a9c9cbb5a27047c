package verify

import (
	"context"
	"encoding/base64"
	"net/http"
)

// xScheme is an HMAC that the challenge-response check makes for anyone who asks: see
// newXHandshake.
var xScheme = scheme{
	name: "x",
	verifier: func(b *builder) (Verifier, error) {
		v, err := b.newPreset()
		if err != nil {
			return nil, err
		}
		return plainless{v}, nil
	},
}

var xTools = tools{
	describe: describePreset,
	sign: func(s *signer, r *Request) error {
		if isPlain(r.Body) {
			return s.cannot("its challenge-response check signs a body of plain text for anyone")
		}
		return s.preset(r)
	},
}

var xHandshake = Handshake{Methods: []string{http.MethodGet}, newBefore: newXHandshake}

// newXHandshake is the challenge-response check of
// https://docs.x.com/x-api/webhooks/introduction#challenge-response-check-crc. It signs
// what anyone sends, as a delivery is signed. So the token must be plain text, and a plain
// body is never accepted as a delivery (see [plainless]). It is signed with the first
// secret.
func newXHandshake(b *builder) (exchange, error) {
	return b.signedChallenge("crc_token", isPlain, func(_ string, mac []byte) any {
		return map[string]string{"response_token": "sha256=" + base64.StdEncoding.EncodeToString(mac)}
	})
}

// plainless refuses the bodies that the handshake signs for anyone.
type plainless struct{ Verifier }

func (v plainless) Verify(ctx context.Context, r *Request) error {
	if isPlain(r.Body) {
		return refuse(Malformed, "body")
	}
	return v.Verifier.Verify(ctx, r)
}
