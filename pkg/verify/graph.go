package verify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
)

// clientStateScheme checks Microsoft Graph's shared secret in each notification:
// https://learn.microsoft.com/en-us/graph/change-notifications-delivery-webhooks.
var clientStateScheme = scheme{
	name:     "microsoft-graph",
	verifier: newClientState,
}

var clientStateTools = tools{
	sign:      (*signer).clientState,
	signature: &Signature{Algorithm: "equality", Signed: "nothing: clientState is in each item", Keys: "the values of clientState"},
}

type clientState struct{ keys *keyring[[sha256.Size]byte] }

func newClientState(b *builder) (Verifier, error) {
	keys, err := newKeyring(b, digestOf, "")
	if err != nil {
		return nil, err
	}
	return &clientState{keys}, nil
}

func (*clientState) Headers() []string { return nil }

func (v *clientState) Verify(ctx context.Context, r *Request) error {
	state := wanted("clientState")
	list := &want{name: "value", each: &want{below: []*want{state}, done: func() error { return v.verifyItem(ctx, state.string()) }}}
	if err := scanObject(r.Body, list); err != nil {
		return err
	}
	if list.items == 0 {
		return refuse(Malformed, list.name)
	}
	return nil
}

func (v *clientState) verifyItem(ctx context.Context, state string) error {
	if state == "" {
		return refuse(Missing, "clientState")
	}
	got, _ := digestOf(state)
	return v.keys.match(ctx, "clientState", func(want [sha256.Size]byte) bool { return hmac.Equal(got[:], want[:]) })
}

// graphHandshake is
// https://learn.microsoft.com/en-us/graph/change-notifications-delivery-webhooks#notificationurl-validation.
// The token is a sentence with spaces and colons.
var graphHandshake = Handshake{before: echoValidationToken}

func echoValidationToken(_ context.Context, r *Request) (*Reply, error) {
	return echoSentence(r, "validationToken")
}

func (s *signer) clientState(*Request) error {
	return s.write(func(body object) error {
		list, err := items(body, "value", "")
		for _, item := range list {
			item["clientState"] = s.secret
		}
		return err
	})
}
