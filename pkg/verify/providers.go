package verify

import (
	"maps"
	"slices"
	"time"
)

// A Scheme is the code that a provider's deliveries need; most need [SchemeHMAC],
// which is all parameters.
type Scheme string

// The schemes of presets.
const (
	SchemeHMAC        Scheme = "hmac"
	SchemeStandard    Scheme = "standard-webhooks"
	SchemeGitLab      Scheme = "gitlab"
	SchemeTwilio      Scheme = "twilio"
	SchemeDiscord     Scheme = "discord"
	SchemeSendGrid    Scheme = "sendgrid"
	SchemeBox         Scheme = "box"
	SchemeHubSpot     Scheme = "hubspot"
	SchemeAdyen       Scheme = "adyen"
	SchemeSNS         Scheme = "sns"
	SchemeClientState Scheme = "client-state"
	SchemeMailgun     Scheme = "mailgun"
)

// An Ack is the answer that acknowledges a delivery whose workflow goes on. The
// zero value means that the provider asks for none in particular.
type Ack struct {
	Status      int
	ContentType string
	Body        string
}

// A Preset is what is known of a provider (design, section 5.3). It is data, and a
// copy: changing it changes nothing.
type Preset struct {
	// Name is the provider's.
	Name string
	// Scheme is how deliveries are signed.
	Scheme Scheme
	// HMAC are the parameters when Scheme is [SchemeHMAC], else nil.
	HMAC *HMAC
	// OtherHeader carries the signature where HMAC.Header is not there.
	OtherHeader string
	// Tolerance is how far a signed time may be off, either way; zero when the
	// provider signs no time.
	Tolerance time.Duration
	// DeliveryID is the same for every attempt at one delivery.
	DeliveryID Place
	// EventName says what happened.
	EventName Place
	// SignedAt is a time in milliseconds in the body, and so signed, for schemes whose
	// HMAC has none. Where it is there, it must be within Tolerance.
	SignedAt Place
	// Deadline is how long the provider waits, less a margin for the way back.
	Deadline time.Duration
	// Ack is the provider's own acknowledgement.
	Ack Ack
	// Handshake is how the provider asks for consent; empty when it does not.
	Handshake Handshake
}

func (p Preset) signsURL() bool {
	switch p.Scheme {
	case SchemeTwilio, SchemeHubSpot:
		return true
	case SchemeHMAC:
		parts, err := parseTemplate(orDefault(p.HMAC.Signed, "{body}"))
		return err == nil && uses(parts, "url")
	}
	return false
}

// The deadlines: what the provider allows, less half a second to a second.
const (
	within3s  = 2500 * time.Millisecond
	within5s  = 4500 * time.Millisecond
	within10s = 9 * time.Second
	within15s = 14 * time.Second
	usual     = 10 * time.Second // nothing is published
)

var empty200 = Ack{Status: 200}

// body256 is HMAC-SHA256 of the body.
func body256(header, encoding, prefix string) *HMAC {
	return &HMAC{Header: header, Encoding: encoding, Prefix: prefix}
}

// unsigned is a header that a signature over the body leaves out.
func unsigned(header string) Place { return Place{Header: header, Unsigned: true} }

// PayPal has no preset. It signs the CRC-32 of a body, and whoever has one signed
// delivery can make another body with the same one. Its own verification API, which
// compares the whole body, needs an account's credentials and is a call on the way:
// https://developer.paypal.com/api/rest/webhooks/rest/#link-messagesignature.

// presets by name; docs of each provider's signatures are linked at its scheme, or
// here where the scheme is only parameters.
var presets = map[string]Preset{
	// https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries.
	// X-Hub-Signature (SHA-1) is not read: whoever may leave the better header out would choose the worse.
	"github": {
		Scheme: SchemeHMAC, HMAC: body256("X-Hub-Signature-256", "hex", "sha256="),
		DeliveryID: unsigned("X-GitHub-Delivery"), EventName: unsigned("X-GitHub-Event"), Deadline: within10s,
	},
	// https://docs.stripe.com/webhooks#verify-manually
	"stripe": {
		Scheme: SchemeHMAC, Tolerance: DefaultTolerance,
		HMAC: &HMAC{
			Header: "Stripe-Signature", Format: "kv", TimestampKey: "t", SignatureKey: "v1", Signed: "{timestamp}.{body}",
		},
		DeliveryID: Place{Body: "id"}, EventName: Place{Body: "type"}, Deadline: usual,
	},
	// https://docs.slack.dev/authentication/verifying-requests-from-slack
	"slack": {
		Scheme: SchemeHMAC, Tolerance: DefaultTolerance,
		HMAC: &HMAC{
			Header: "X-Slack-Signature", Prefix: "v0=", Signed: "v0:{timestamp}:{body}",
			Timestamp: &Timestamp{Header: "X-Slack-Request-Timestamp"},
		},
		DeliveryID: Place{Body: "event_id", Form: "trigger_id"}, EventName: Place{Body: "event.type", Form: "command"}, Deadline: within3s, Ack: empty200,
		Handshake: HandshakeSlack,
	},
	// https://shopify.dev/docs/apps/build/webhooks/subscribe/https. Events, which are
	// subscribed to on their own, have the same headers without the X.
	"shopify": {
		Scheme: SchemeHMAC, HMAC: body256("X-Shopify-Hmac-Sha256", "base64", ""), OtherHeader: "Shopify-Hmac-Sha256",
		DeliveryID: Place{Header: "X-Shopify-Event-Id", OtherHeader: "Shopify-Event-Id", Unsigned: true},
		EventName:  Place{Header: "X-Shopify-Topic", OtherHeader: "Shopify-Topic", Unsigned: true}, Deadline: within5s,
	},
	"twilio": {
		Scheme:     SchemeTwilio,
		DeliveryID: unsigned("I-Twilio-Idempotency-Token"), EventName: Place{Body: "EventType", Form: "EventType"}, Deadline: within15s,
		Ack: Ack{200, "text/xml", "<Response/>"}, // text/plain would be sent to the phone
	},
	"standard-webhooks": {
		Scheme: SchemeStandard, Tolerance: DefaultTolerance,
		DeliveryID: Place{Header: "Webhook-Id", OtherHeader: "Svix-Id"}, EventName: Place{Body: "type"}, Deadline: usual,
	},
	"svix": {
		Scheme: SchemeStandard, Tolerance: DefaultTolerance,
		DeliveryID: Place{Header: "Svix-Id", OtherHeader: "Webhook-Id"}, EventName: Place{Body: "type"}, Deadline: usual,
	},
	"discord": {
		Scheme: SchemeDiscord, Tolerance: DefaultTolerance,
		DeliveryID: Place{Body: "id"}, EventName: Place{Body: "type"}, Deadline: within3s,
		Ack:       Ack{200, "application/json", `{"type":5}`}, // deferred: the answer follows within 15 minutes
		Handshake: HandshakeDiscord,
	},
	"sendgrid": {Scheme: SchemeSendGrid, Tolerance: DefaultTolerance, Deadline: within10s},
	"gitlab": {
		Scheme: SchemeGitLab, Tolerance: DefaultTolerance,
		DeliveryID: unsigned("Idempotency-Key"), EventName: unsigned("X-Gitlab-Event"), Deadline: within10s,
	},
	// https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks/#Secure-webhooks
	"bitbucket": {
		Scheme: SchemeHMAC, HMAC: body256("X-Hub-Signature", "hex", "sha256="),
		DeliveryID: unsigned("X-Request-UUID"), EventName: unsigned("X-Event-Key"), Deadline: within10s,
	},
	// https://docs.gitea.com/usage/webhooks
	"gitea": {
		Scheme: SchemeHMAC, HMAC: body256("X-Gitea-Signature", "hex", ""),
		DeliveryID: unsigned("X-Gitea-Delivery"), EventName: unsigned("X-Gitea-Event"), Deadline: usual,
	},
	// https://linear.app/developers/webhooks#securing-webhooks
	"linear": {
		Scheme: SchemeHMAC, HMAC: body256("Linear-Signature", "hex", ""),
		SignedAt: Place{Body: "webhookTimestamp"}, Tolerance: time.Minute,
		DeliveryID: unsigned("Linear-Delivery"), EventName: Place{Body: "type"}, Deadline: within5s, Ack: empty200,
	},
	// https://developers.zoom.us/docs/api/webhooks/#verify-webhook-events
	"zoom": {
		Scheme: SchemeHMAC, Tolerance: DefaultTolerance,
		HMAC: &HMAC{
			Header: "X-Zm-Signature", Prefix: "v0=", Signed: "v0:{timestamp}:{body}",
			Timestamp: &Timestamp{Header: "X-Zm-Request-Timestamp"},
		},
		EventName: Place{Body: "event"}, Deadline: within3s, Ack: empty200, // 202 counts as failed
		Handshake: HandshakeZoom,
	},
	"hubspot": {Scheme: SchemeHubSpot, Tolerance: DefaultTolerance, Deadline: within5s},
	// https://developer.squareup.com/docs/webhooks/step3validate
	"square": {
		Scheme: SchemeHMAC, HMAC: &HMAC{Header: "X-Square-HmacSha256-Signature", Encoding: "base64", Signed: "{url}{body}"},
		DeliveryID: Place{Body: "event_id"}, EventName: Place{Body: "type"}, Deadline: within10s,
	},
	// https://developer.paddle.com/webhooks/signature-verification
	"paddle": {
		Scheme: SchemeHMAC, Tolerance: DefaultTolerance,
		HMAC: &HMAC{
			Header: "Paddle-Signature", Format: "kv", Separator: ";", TimestampKey: "ts", SignatureKey: "h1", Signed: "{timestamp}:{body}",
		},
		DeliveryID: Place{Body: "event_id"}, EventName: Place{Body: "event_type"}, Deadline: within5s,
	},
	// https://developer.pagerduty.com/docs/verifying-webhook-signatures
	"pagerduty": {
		Scheme: SchemeHMAC, HMAC: &HMAC{Header: "X-PagerDuty-Signature", Prefix: "v1=", Separator: ","},
		DeliveryID: Place{Body: "event.id"}, EventName: Place{Body: "event.event_type"}, Deadline: within5s,
	},
	// https://dev.twitch.tv/docs/eventsub/handling-webhook-events/#verifying-the-event-message
	"twitch": {
		Scheme: SchemeHMAC, Tolerance: 10 * time.Minute,
		HMAC: &HMAC{
			Header: "Twitch-Eventsub-Message-Signature", Prefix: "sha256=",
			Signed:    "{header:Twitch-Eventsub-Message-Id}{timestamp}{body}",
			Timestamp: &Timestamp{Header: "Twitch-Eventsub-Message-Timestamp", Format: "rfc3339"},
		},
		DeliveryID: Place{Header: "Twitch-Eventsub-Message-Id"}, EventName: Place{Body: "subscription.type"},
		Deadline:  usual,
		Handshake: HandshakeTwitch,
	},
	"box": {
		Scheme: SchemeBox, Tolerance: 10 * time.Minute,
		DeliveryID: unsigned("Box-Delivery-Id"), EventName: Place{Body: "trigger"}, Deadline: usual,
	},
	"adyen": {Scheme: SchemeAdyen, Deadline: within10s, Ack: Ack{200, "text/plain", "[accepted]"}},
	"sns": {
		Scheme: SchemeSNS, Tolerance: time.Hour, // SNS retries for as long
		DeliveryID: Place{Body: "MessageId"}, EventName: Place{Body: "Type"}, Deadline: within15s,
		Handshake: HandshakeSNS,
	},
	// https://developers.facebook.com/docs/graph-api/webhooks/getting-started#event-notifications
	"meta": {
		Scheme: SchemeHMAC, HMAC: body256("X-Hub-Signature-256", "hex", "sha256="),
		EventName: Place{Body: "object"}, Deadline: within5s, Ack: empty200,
		Handshake: HandshakeMeta,
	},
	// https://developer.x.com/en/docs/x-api/enterprise/account-activity-api/guides/securing-webhooks
	"x": {
		Scheme: SchemeHMAC, HMAC: body256("X-Twitter-Webhooks-Signature", "base64", "sha256="), Deadline: usual,
		Handshake: HandshakeX,
	},
	// https://developer.zendesk.com/documentation/webhooks/verifying/
	"zendesk": {
		Scheme: SchemeHMAC, Tolerance: DefaultTolerance,
		HMAC: &HMAC{
			Header: "X-Zendesk-Webhook-Signature", Encoding: "base64", Signed: "{timestamp}{body}",
			Timestamp: &Timestamp{Header: "X-Zendesk-Webhook-Signature-Timestamp", Format: "rfc3339"},
		},
		DeliveryID: unsigned("X-Zendesk-Webhook-Invocation-Id"), EventName: Place{Body: "type"}, Deadline: usual,
	},
	"mailgun": {
		Scheme: SchemeMailgun, Tolerance: DefaultTolerance,
		// The signature covers a time and a token, and nothing of the event.
		DeliveryID: Place{Body: "event-data.id", Unsigned: true}, EventName: Place{Body: "event-data.event", Unsigned: true}, Deadline: usual,
	},
	// https://developers.intercom.com/docs/references/webhooks/webhook-models#signed-notifications
	"intercom": {
		Scheme: SchemeHMAC, HMAC: &HMAC{Header: "X-Hub-Signature", Algorithm: "sha1", Prefix: "sha1="},
		DeliveryID: Place{Body: "id"}, EventName: Place{Body: "topic"}, Deadline: within5s,
		Handshake: HandshakeHead,
	},
	// https://circleci.com/docs/guides/integration/outbound-webhooks/#validate-webhooks
	"circleci": {
		Scheme: SchemeHMAC, HMAC: &HMAC{Header: "Circleci-Signature", Prefix: "v1=", Separator: ","},
		DeliveryID: Place{Body: "id"}, EventName: Place{Body: "type"}, Deadline: within5s,
	},
	// https://developers.line.biz/en/docs/messaging-api/verify-webhook-signature/
	"line": {
		Scheme: SchemeHMAC, HMAC: body256("X-Line-Signature", "base64", ""), Deadline: usual, Ack: empty200,
	},
	// https://www.dropbox.com/developers/reference/webhooks
	"dropbox": {
		Scheme: SchemeHMAC, HMAC: body256("X-Dropbox-Signature", "hex", ""), Deadline: within10s,
		Handshake: HandshakeDropbox,
	},
	"microsoft-graph": {Scheme: SchemeClientState, Deadline: within10s, Ack: Ack{Status: 202}, Handshake: HandshakeGraph},
}

// Providers are the names of all presets, sorted.
func Providers() []string { return slices.Sorted(maps.Keys(presets)) }

// Lookup is the preset of a provider.
func Lookup(name string) (Preset, bool) {
	p, ok := presets[name]
	if !ok {
		return Preset{}, false
	}
	p.Name = name
	if p.HMAC != nil {
		h := *p.HMAC
		if h.Timestamp != nil {
			ts := *h.Timestamp
			h.Timestamp = &ts
		}
		p.HMAC = &h
	}
	return p, true
}
