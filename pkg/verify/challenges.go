package verify

import (
	"context"
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/expressway-dev/expressway/pkg/secrets"
)

// The handshakes of providers whose signatures are only parameters.
var (
	// nylasHandshake is https://developer.nylas.com/docs/v3/notifications/#the-challenge-query-parameter.
	nylasHandshake = Handshake{Methods: []string{http.MethodGet}, before: dropboxChallenge}
	// sharepointHandshake is https://learn.microsoft.com/en-us/sharepoint/dev/apis/webhooks/overview-sharepoint-webhooks.
	sharepointHandshake = Handshake{before: func(_ context.Context, r *Request) (*Reply, error) { return echoSentence(r, "validationtoken") }}
	// linkedinHandshake is https://learn.microsoft.com/en-us/linkedin/shared/api-guide/webhook-validation.
	linkedinHandshake = Handshake{Methods: []string{http.MethodGet}, newBefore: newLinkedInHandshake}
	// oktaHandshake is https://developer.okta.com/docs/concepts/event-hooks/#one-time-verification-request.
	oktaHandshake = Handshake{Methods: []string{http.MethodGet}, newBefore: newOktaHandshake}
	// xeroHandshake is https://developer.xero.com/documentation/guides/webhooks/configuring-your-server/#intent-to-receive.
	xeroHandshake = Handshake{after: emptyEvents}
	// wooHandshake is the first, unsigned delivery, a form, which is sent when a webhook
	// is saved.
	wooHandshake = Handshake{before: wooPing}
	// mondayHandshake echoes the challenge of a JSON body, if the route says so.
	mondayHandshake = Handshake{newBefore: func(b *builder) (exchange, error) { return b.echoed("challenge", "") }}
	// gridHandshake is https://learn.microsoft.com/en-us/azure/event-grid/end-point-validation-event-grid-events-schema.
	gridHandshake = Handshake{newBefore: newGridHandshake}
)

// keyringOf returns a keyring with the text behind one more reference of the Spec.
func (b *builder) keyringOf(reference string) (*keyring[[]byte], error) {
	ref, err := secrets.Parse(reference)
	if err != nil {
		return nil, err
	}
	own := *b
	own.refs = []secrets.Reference{ref}
	return newKeyring(&own, keyDecoder("text"), "")
}

// echoSentence answers a POST with a query parameter, a sentence with spaces and colons.
func echoSentence(r *Request, name string) (*Reply, error) {
	if r.Method != http.MethodPost {
		return nil, nil //nolint:nilnil // no handshake
	}
	token, ok, err := queried(r, name)
	if err != nil || !ok {
		return nil, err
	}
	if !isPlain(strings.NewReplacer(" ", "-", ":", "-", ",", "-").Replace(token)) {
		return nil, refuse(Malformed, name)
	}
	return echo(token), nil
}

// newLinkedInHandshake signs a challenge of a UUID's characters. That cannot be used to
// sign a body, because what is signed of a body begins with hmacsha256=.
func newLinkedInHandshake(b *builder) (exchange, error) {
	return b.signedChallenge("challengeCode", isEcho, func(code string, mac []byte) any {
		return struct {
			Code     string `json:"challengeCode"`
			Response string `json:"challengeResponse"`
		}{code, hex.EncodeToString(mac)}
	})
}

// signedChallenge answers a GET with a query parameter, which is signed with the first
// secret. Anyone may ask for that, so only texts that are allowed are signed: no delivery
// may be one of them.
func (b *builder) signedChallenge(parameter string, allowed func(string) bool, answer func(text string, mac []byte) any) (exchange, error) {
	keys, err := newKeyring(b, keyDecoder("text"), "")
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, r *Request) (*Reply, error) {
		text, ok, err := asked(r, parameter, allowed)
		if err != nil || !ok {
			return nil, err
		}
		key, err := keys.key(ctx, 0)
		if err != nil {
			return nil, err
		}
		return replyJSON(answer(text, hmac256(key, text))), nil
	}, nil
}

// isEcho reports whether a text may be echoed into JSON: at most 256 harmless characters.
func isEcho(text string) bool {
	return isPlain(text) && len(text) <= 256 && !strings.ContainsAny(text, ".~+/=")
}

// newOktaHandshake answers the challenge in a header, which is sent together with the
// credential.
func newOktaHandshake(b *builder) (exchange, error) {
	verifier, err := b.newToken(*b.preset.Token)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, r *Request) (*Reply, error) {
		const name = "X-Okta-Verification-Challenge"
		if r.Method != http.MethodGet || len(r.Header.Values(name)) == 0 {
			return nil, nil //nolint:nilnil // no handshake
		}
		if err := verifier.Verify(ctx, r); err != nil {
			return nil, err
		}
		challenge, err := headerValue(r.Header, name)
		if err != nil || !isPlain(challenge) {
			return nil, refuse(Malformed, name)
		}
		return replyJSON(map[string]string{"verification": challenge}), nil
	}, nil
}

// emptyEvents answers a signed delivery without events, with which Xero tests whether
// signatures are checked.
func emptyEvents(_ context.Context, r *Request) (*Reply, error) {
	body, ok := document(r, `"events"`)
	if !ok {
		return nil, nil //nolint:nilnil // a delivery
	}
	if events, isList := body["events"].([]any); !isList || len(events) > 0 {
		return nil, nil //nolint:nilnil // a delivery
	}
	return &Reply{Status: http.StatusOK, Header: http.Header{}}, nil
}

func wooPing(_ context.Context, r *Request) (*Reply, error) {
	id, isPing := strings.CutPrefix(string(r.Body[:min(len(r.Body), 32)]), "webhook_id=")
	if r.Method != http.MethodPost || !isForm(r.Header) || !isPing || len(r.Body) > 31 || strings.Trim(id, "0123456789") != "" {
		return nil, nil //nolint:nilnil // a delivery
	}
	return &Reply{Status: http.StatusOK, Header: http.Header{}}, nil
}

// echoed answers an unsigned JSON body that has a challenge, if the Spec says so. kind is
// the type that the body must have, or empty.
func (b *builder) echoed(member, kind string) (exchange, error) {
	if b.spec.Handshake != "echo" {
		return nil, nil //nolint:nilnil // the handshake is not wanted
	}
	return func(_ context.Context, r *Request) (*Reply, error) {
		body, ok := document(r, `"`+member+`"`)
		if r.Method != http.MethodPost || !ok || kind != "" && body["type"] != kind {
			return nil, nil //nolint:nilnil // a delivery
		}
		text, _ := body[member].(string)
		if !isEcho(text) {
			return nil, nil //nolint:nilnil // it is verified as a delivery is
		}
		return replyJSON(map[string]string{member: text}), nil
	}, nil
}

// newGridHandshake answers a list of one validation event with its code. The address in
// the event is not visited.
func newGridHandshake(b *builder) (exchange, error) {
	if b.spec.Handshake != "echo" {
		return nil, nil //nolint:nilnil // the handshake is not wanted
	}
	return func(_ context.Context, r *Request) (*Reply, error) {
		if r.Method != http.MethodPost || r.Header.Get("Aeg-Event-Type") != "SubscriptionValidation" || len(r.Body) > maxHandshake {
			return nil, nil //nolint:nilnil // a delivery
		}
		code := wanted("validationCode")
		item := &want{below: []*want{wanted("data", code)}}
		list := &want{name: "events", each: item}
		if err := scanList(r.Body, list); err != nil || list.items != 1 || !isEcho(code.string()) {
			return nil, refuse(Malformed, "validationCode")
		}
		return replyJSON(map[string]string{"validationResponse": code.string()}), nil
	}, nil
}
