package verify

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"time"
)

// discordScheme is https://discord.com/developers/docs/interactions/overview#setting-up-an-endpoint-validating-security-request-headers.
var discordScheme = scheme{
	name:     "discord",
	verifier: newDiscord,
}

var discordTools = tools{
	sign: func(s *signer, r *Request) error {
		keys, err := s.privateKeys()
		if err != nil {
			return err
		}
		at := formatTime(s.now, "unix")
		s.out.Header.Set(discordTimestamp, at)
		s.out.Header.Set(discordSignature, hex.EncodeToString(ed25519.Sign(keys.ed25519, append([]byte(at), r.Body...))))
		return nil
	},
	signature: &Signature{
		Headers: []string{discordSignature, discordTimestamp}, Algorithm: "ed25519", Encoding: "hex", Signed: "{timestamp}{body}",
		Keys: "the application's public key in hex",
	},
}

type discord struct {
	keys      *keyring[ed25519.PublicKey]
	now       func() time.Time
	tolerance time.Duration
}

const (
	discordSignature = "X-Signature-Ed25519"
	discordTimestamp = "X-Signature-Timestamp"
)

func newDiscord(b *builder) (Verifier, error) {
	keys, err := newKeyring(b, func(text string) (ed25519.PublicKey, error) {
		key, err := decodeHex(text)
		if err != nil || len(key) != ed25519.PublicKeySize {
			return nil, errKey
		}
		return key, nil
	}, "the public key in hex")
	if err != nil {
		return nil, err
	}
	return &discord{keys, b.now, b.tolerance()}, nil
}

func (*discord) Headers() []string { return []string{"x-signature-ed25519", "x-signature-timestamp"} }

func (v *discord) Verify(ctx context.Context, r *Request) error {
	signature, timestamp, at, err := signatureAndTime(r, discordSignature, discordTimestamp, decodeHex)
	if err != nil {
		return err
	}
	if len(signature) != ed25519.SignatureSize {
		return refuse(Malformed, discordSignature)
	}
	message := append([]byte(timestamp), r.Body...)
	err = v.keys.match(ctx, discordSignature, func(key ed25519.PublicKey) bool { return ed25519.Verify(key, message, signature) })
	if err != nil {
		return err
	}
	return fresh(v.now(), at, v.tolerance, discordTimestamp)
}

// discordHandshake answers two kinds of PING: that of interactions has type 1, and
// expects the same back; that of webhook events has type 0, and expects 204. A webhook
// event has type 1 as well, but also the member event:
// https://docs.discord.com/developers/interactions/overview#setting-up-an-endpoint-acknowledging-ping-requests,
// https://docs.discord.com/developers/events/webhook-events#acknowledging-ping-events.
var discordHandshake = Handshake{after: discordPing}

func discordPing(_ context.Context, r *Request) (*Reply, error) {
	// Most interactions have another type, and are not examined further.
	if kind := (Place{Body: "type"}).Of(nil, r.Body); kind != "0" && kind != "1" {
		return nil, nil //nolint:nilnil // no handshake
	}
	body, ok := document(r, `"type"`)
	if !ok {
		return nil, nil //nolint:nilnil // no handshake
	}
	kind, _ := body["type"].(json.Number)
	_, event := body["event"]
	switch {
	case kind == "0":
		return &Reply{Status: http.StatusNoContent, Header: http.Header{}}, nil
	case kind == "1" && !event:
		return replyJSON(map[string]int{"type": 1}), nil
	}
	return nil, nil //nolint:nilnil // an interaction, or an event
}
