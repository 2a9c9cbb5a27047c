package verify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/expressway-dev/expressway/pkg/secrets"
)

func hmac256(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	_, _ = io.WriteString(mac, text)
	return mac.Sum(nil)
}

// slackHandshake is https://docs.slack.dev/reference/events/url_verification.
func slackHandshake(_ context.Context, r *Request) (*Reply, error) {
	body, ok := document(r, "url_verification")
	if !ok || body["type"] != "url_verification" {
		return nil, nil //nolint:nilnil // no handshake
	}
	return echoMember(body, "challenge")
}

func echoMember(body object, name string) (*Reply, error) {
	text, _ := body[name].(string)
	if !isPlain(text) {
		return nil, refuse(Malformed, name)
	}
	return echo(text), nil
}

// zoomHandshake is https://developers.zoom.us/docs/api/webhooks/#validate-your-webhook-endpoint.
// It is signed with the secret that Zoom used: with two secrets, Zoom knows one.
func (b *builder) zoomHandshake() (exchange, error) {
	v, err := b.newHMAC(b.presetHMAC())
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
		key, err := v.(*hmacVerifier).accept(ctx, r)
		if err != nil {
			return nil, err
		}
		return replyJSON(struct {
			PlainToken     string `json:"plainToken"`
			EncryptedToken string `json:"encryptedToken"`
		}{token, hex.EncodeToString(hmac256(key, token))}), nil
	}, nil
}

// discordHandshake is two: the PING of interactions has type 1, and wants its like;
// that of webhook events has type 0, and wants 204. An event of the latter has
// type 1 as well, and the member event:
// https://docs.discord.com/developers/interactions/overview#setting-up-an-endpoint-acknowledging-ping-requests,
// https://docs.discord.com/developers/events/webhook-events#acknowledging-ping-events.
func discordHandshake(_ context.Context, r *Request) (*Reply, error) {
	// Most interactions are of another type, and not looked into further.
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

// twitchHandshake is https://dev.twitch.tv/docs/eventsub/handling-webhook-events/#responding-to-a-challenge-request.
// The message's type is in a header that is not signed; the challenge in the body is.
func twitchHandshake(_ context.Context, r *Request) (*Reply, error) {
	kind, err := headerValue(r.Header, "Twitch-Eventsub-Message-Type")
	if err != nil || kind != "webhook_callback_verification" {
		return nil, nil //nolint:nilnil // no handshake
	}
	body, ok := document(r, `"challenge"`)
	if !ok {
		return nil, refuse(Malformed, "challenge")
	}
	return echoMember(body, "challenge")
}

// snsHandshake is https://docs.aws.amazon.com/sns/latest/dg/http-subscription-confirmation-json.html.
// A subscription that is confirmed is one to a topic that Verify allows. The
// message after an unsubscribing has an address, too, that subscribes again: it is
// left alone.
func (b *builder) snsHandshake() (exchange, error) {
	if b.fetch == nil {
		return nil, errNoFetch
	}
	return func(ctx context.Context, r *Request) (*Reply, error) {
		// Both confirmations have this member, and sign it; notifications go by unparsed.
		if !bytes.Contains(r.Body, []byte(`"SubscribeURL"`)) {
			return nil, nil //nolint:nilnil // a notification
		}
		body, err := bodyObject(r.Body)
		if err != nil {
			return nil, err
		}
		done := &Reply{Status: http.StatusOK, Header: http.Header{}}
		switch body["Type"] {
		case "UnsubscribeConfirmation":
			return done, nil
		case "SubscriptionConfirmation":
		default:
			return nil, nil //nolint:nilnil // a notification
		}
		address, ok := confirmation(body)
		if !ok {
			return nil, refuse(Malformed, "SubscribeURL")
		}
		if _, err := b.fetch(ctx, address); err != nil {
			return nil, fmt.Errorf("%w: confirm subscription: %w", ErrHandshake, err)
		}
		return done, nil
	}, nil
}

// confirmation is the address that confirms a subscription, if it is one of SNS in
// the topic's region, and confirms this topic with this token.
func confirmation(body object) (string, bool) {
	text, _ := body["SubscribeURL"].(string)
	topic, _ := body["TopicArn"].(string)
	token, _ := body["Token"].(string)
	region, ok := topicRegion(topic)
	u, err := url.Parse(text)
	if !ok || err != nil || len(text) > 2048 || token == "" {
		return "", false
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil || len(query) != 3 || !slices.Equal(query["Action"], []string{"ConfirmSubscription"}) ||
		!slices.Equal(query["TopicArn"], []string{topic}) || !slices.Equal(query["Token"], []string{token}) {
		return "", false
	}
	address := "https://" + snsHost(region) + "/?" + u.RawQuery
	return address, text == address
}

// metaHandshake is https://developers.facebook.com/docs/graph-api/webhooks/getting-started#verification-requests.
func (b *builder) metaHandshake(reference string) (exchange, error) {
	ref, err := secrets.Parse(reference)
	if err != nil {
		return nil, err
	}
	own := *b
	own.refs = []secrets.Reference{ref}
	tokens, err := newKeyring(&own, digestOf)
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

func orRefuse(err error, reason Reason, where string) error {
	if err != nil {
		return err
	}
	return refuse(reason, where)
}

// xHandshake is the challenge-response check of
// https://docs.x.com/x-api/webhooks/introduction#challenge-response-check-crc.
// It signs what anyone asks for as a delivery would be signed. So the token is
// plain, and a body that is plain is no delivery (see [plainless]). It is signed
// with the first secret.
func (b *builder) xHandshake() (exchange, error) {
	keys, err := newKeyring(b, keyDecoder("text"))
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, r *Request) (*Reply, error) {
		if r.Method != http.MethodGet {
			return nil, nil //nolint:nilnil // no handshake
		}
		token, ok, err := queried(r, "crc_token")
		if err != nil || !ok {
			return nil, err
		}
		if !isPlain(token) {
			return nil, refuse(Malformed, "crc_token")
		}
		key, err := keys.key(ctx, 0)
		if err != nil {
			return nil, err
		}
		return replyJSON(map[string]string{"response_token": "sha256=" + base64.StdEncoding.EncodeToString(hmac256(key, token))}), nil
	}, nil
}

// plainless refuses the bodies that xHandshake signs for anyone.
type plainless struct{ Verifier }

func (v plainless) Verify(ctx context.Context, r *Request) error {
	if isPlain(r.Body) {
		return refuse(Malformed, "body")
	}
	return v.Verifier.Verify(ctx, r)
}

// dropboxHandshake is https://www.dropbox.com/developers/reference/webhooks#documentation.
func dropboxHandshake(_ context.Context, r *Request) (*Reply, error) {
	if r.Method != http.MethodGet {
		return nil, nil //nolint:nilnil // no handshake
	}
	challenge, ok, err := queried(r, "challenge")
	if err != nil || !ok {
		return nil, err
	}
	if !isPlain(challenge) {
		return nil, refuse(Malformed, "challenge")
	}
	return echo(challenge), nil
}

// graphHandshake is https://learn.microsoft.com/en-us/graph/change-notifications-delivery-webhooks#notificationurl-validation.
// The token is a sentence, with blanks and colons.
func graphHandshake(_ context.Context, r *Request) (*Reply, error) {
	if r.Method != http.MethodPost {
		return nil, nil //nolint:nilnil // no handshake
	}
	token, ok, err := queried(r, "validationToken")
	if err != nil || !ok {
		return nil, err
	}
	if !isPlain(strings.NewReplacer(" ", "-", ":", "-", ",", "-").Replace(token)) {
		return nil, refuse(Malformed, "validationToken")
	}
	return echo(token), nil
}

// headHandshake answers the request by which Intercom, Trello and Mandrill ask whether
// there is anybody at an address.
func headHandshake(_ context.Context, r *Request) (*Reply, error) {
	if r.Method != http.MethodHead {
		return nil, nil //nolint:nilnil // no handshake, and nothing wrong
	}
	return &Reply{Status: http.StatusOK}, nil
}
