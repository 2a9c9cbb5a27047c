package verify

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"

	"github.com/expressway-dev/expressway/pkg/secrets"
)

// The handshakes of providers that hand over the secret when somebody subscribes. They
// are answered only if the Spec names where to put it.
var (
	// asanaHandshake is https://developers.asana.com/docs/webhooks-guide#the-webhook-handshake.
	asanaHandshake = Handshake{newBefore: func(b *builder) (exchange, error) { return b.handedOver("X-Hook-Secret", asanaSecret, asanaAnswer) }}
	// notionHandshake is https://developers.notion.com/reference/webhooks#step-2-verifying-the-subscription.
	notionHandshake = Handshake{newBefore: func(b *builder) (exchange, error) {
		return b.handedOver("verification_token", notionSecret, func(string) *Reply { return &Reply{Status: http.StatusOK, Header: http.Header{}} })
	}}
)

// Bounds of a secret that is handed over.
const (
	minHandedOver = 16
	maxHandedOver = 256
)

// handedOver puts a secret into the Spec's store, if that has none yet, and answers.
// Whoever knows the stored secret gets the answer again, because a sender that did not
// receive it repeats the handshake. Anyone else is refused, and nothing is ever
// overwritten.
func (b *builder) handedOver(where string, read func(*Request) (secret string, asked bool), answer func(secret string) *Reply) (exchange, error) {
	if b.spec.HandshakeStore == "" {
		return nil, nil //nolint:nilnil // the handshake is not wanted
	}
	ref, err := secrets.Parse(b.spec.HandshakeStore)
	if err != nil {
		return nil, err
	}
	store, ok := b.source.(secrets.Creator)
	if !ok {
		return nil, fmt.Errorf("handshake.store: %s: %w: secrets cannot be stored there", ref, secrets.ErrUnsupported)
	}
	return func(ctx context.Context, r *Request) (*Reply, error) {
		secret, asked := read(r)
		if r.Method != http.MethodPost || !asked {
			return nil, nil //nolint:nilnil // a delivery
		}
		if len(secret) < minHandedOver || len(secret) > maxHandedOver || !isPlain(secret) {
			return nil, refuse(Malformed, where)
		}
		known, err := b.source.Get(ctx, ref)
		if errors.Is(err, secrets.ErrMissing) {
			if err = store.Create(ctx, ref, secrets.New(secret)); err == nil {
				return answer(secret), nil
			}
			if errors.Is(err, secrets.ErrExists) {
				return nil, refuse(Mismatch, where) // another request was faster
			}
		}
		switch {
		case err != nil:
			return nil, fmt.Errorf("%w: %w", ErrSecrets, err)
		case subtle.ConstantTimeCompare([]byte(known.Reveal()), []byte(secret)) != 1:
			return nil, refuse(Mismatch, where)
		}
		return answer(secret), nil
	}, nil
}

// asanaSecret is the secret of a request without a signature.
func asanaSecret(r *Request) (string, bool) {
	const header = "X-Hook-Secret"
	if len(r.Header.Values(header)) == 0 || len(r.Header.Values("X-Hook-Signature")) > 0 {
		return "", false
	}
	secret, err := headerValue(r.Header, header)
	if err != nil {
		return "", true // then refused as malformed
	}
	return secret, true
}

// asanaAnswer returns the secret, as Asana requires.
func asanaAnswer(secret string) *Reply {
	return &Reply{Status: http.StatusOK, Header: http.Header{"X-Hook-Secret": {secret}}}
}

// notionSecret returns the verification token of a request without a signature and with
// no other members.
func notionSecret(r *Request) (string, bool) {
	if len(r.Header.Values("X-Notion-Signature")) > 0 {
		return "", false
	}
	body, ok := document(r, `"verification_token"`)
	if !ok || len(body) != 1 {
		return "", false
	}
	secret, isText := body["verification_token"].(string)
	return secret, isText
}

// checkStore reports what is wrong with the place for a handed-over secret.
func (s *Spec) checkStore(c *checker, p *Preset) {
	const field = "handshake.store"
	if s.HandshakeStore == "" {
		return
	}
	ref, err := secrets.Parse(s.HandshakeStore)
	switch {
	case err != nil:
		c.add(field, "%v", err)
	case !ref.Remote() || ref.Key != "" || ref.Stage != "":
		c.add(field, "is ssm:/name or secretsmanager:NAME, without a key or a version: the secret is put there")
	}
	c.taken(field, p)
}

// References returns the references of the Spec's secrets: those that it lists, the one
// that is handed over, and its roots.
func (s *Spec) References() []string {
	switch {
	case s.Signature != nil && s.Signature.rooted():
		return s.Signature.Keys.Roots
	case s.HandshakeStore == "":
		return s.Secrets
	}
	return append(s.Secrets[:len(s.Secrets):len(s.Secrets)], s.HandshakeStore)
}
