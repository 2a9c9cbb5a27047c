package verify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"net/http"

	"github.com/expressway-dev/expressway/pkg/secrets"
)

// metaHandshake is https://developers.facebook.com/docs/graph-api/webhooks/getting-started#verification-requests.
var metaHandshake = Handshake{Methods: []string{http.MethodGet}, newBefore: newMetaHandshake}

func newMetaHandshake(b *builder) (exchange, error) {
	if b.spec.Token == nil {
		return nil, nil
	}
	ref, err := secrets.Parse(b.spec.Token.Reference)
	if err != nil {
		return nil, err
	}
	own := *b
	own.refs = []secrets.Reference{ref}
	tokens, err := newKeyring(&own, digestOf, "")
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, r *Request) (*Reply, error) {
		if r.Method != http.MethodGet {
			return nil, nil //nolint:nilnil // no handshake
		}
		mode, _, err := queried(r, "hub.mode")
		if err != nil || mode != "subscribe" {
			return nil, err
		}
		token, ok, err := queried(r, "hub.verify_token")
		if err != nil || !ok {
			return nil, orRefuse(err, Missing, "hub.verify_token")
		}
		challenge, _, err := queried(r, "hub.challenge")
		if err != nil || !isPlain(challenge) {
			return nil, orRefuse(err, Malformed, "hub.challenge")
		}
		got, _ := digestOf(token)
		err = tokens.match(ctx, "hub.verify_token", func(want [sha256.Size]byte) bool { return hmac.Equal(got[:], want[:]) })
		if err != nil {
			return nil, err
		}
		return echo(challenge), nil
	}, nil
}
