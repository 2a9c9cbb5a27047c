package verify

import (
	"context"
	"encoding/hex"
)

// zoomHandshake is
// https://developers.zoom.us/docs/api/webhooks/#validate-your-webhook-endpoint. The
// answer is signed with the secret that Zoom used, because Zoom only knows one of two
// secrets.
var zoomHandshake = Handshake{newAfter: newZoomHandshake}

func newZoomHandshake(b *builder) (exchange, error) {
	v, err := b.newHMAC(compileHMAC(b.presetHMAC(), ""))
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, r *Request) (*Reply, error) {
		body, ok := document(r, "endpoint.url_validation")
		if !ok || body["event"] != "endpoint.url_validation" {
			return nil, nil //nolint:nilnil // no handshake
		}
		token, _ := member(body, "payload", "plainToken").(string)
		if !isPlain(token) {
			return nil, refuse(Malformed, "payload.plainToken")
		}
		key, err := v.accept(ctx, r)
		if err != nil {
			return nil, err
		}
		return replyJSON(struct {
			PlainToken     string `json:"plainToken"`
			EncryptedToken string `json:"encryptedToken"`
		}{token, hex.EncodeToString(hmac256(key, token))}), nil
	}, nil
}
