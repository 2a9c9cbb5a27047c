package verify

import (
	"time"
)

// The deadlines: what the provider allows, less half a second to a second.
const (
	within3s  = 2500 * time.Millisecond
	within5s  = 4500 * time.Millisecond
	within10s = 9 * time.Second
	within15s = 14 * time.Second
	usual     = 10 * time.Second // nothing is published
)

// The media types that providers send.
var (
	jsonOnly   = []string{"application/json"}
	jsonOrForm = []string{"application/json", "application/x-www-form-urlencoded"}
	jsonOrText = []string{"application/json", "text/plain"}
)

var (
	empty200 = Ack{Status: 200}
	never    = Retries{Schedule: "none"}
)

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

// presets by name. The documentation of each provider's signatures is linked at its
// scheme, or here where the scheme is only parameters.
var presets = []Preset{
	{
		Name: "adyen", scheme: &adyenScheme, ContentTypes: jsonOnly, Retries: Retries{Schedule: "for days"},
		Deadline: within10s, Ack: Ack{200, "text/plain", "[accepted]"},
	},
	// https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks/#Secure-webhooks
	{
		Name: "bitbucket", scheme: &hmacScheme, HMAC: body256("X-Hub-Signature", "hex", "sha256="), ContentTypes: jsonOrText,
		Retries: Retries{Schedule: "two more"}, DeliveryID: unsigned("X-Request-UUID"), EventName: unsigned("X-Event-Key"), Deadline: within10s,
	},
	{
		Name: "box", scheme: &boxScheme, Tolerance: 10 * time.Minute, ContentTypes: jsonOnly,
		DeliveryID: unsigned("Box-Delivery-Id"), EventName: Place{Body: "trigger"}, Deadline: usual,
	},
	// https://circleci.com/docs/guides/integration/outbound-webhooks/#validate-webhooks
	{
		Name: "circleci", scheme: &hmacScheme, HMAC: &HMAC{Header: "Circleci-Signature", Prefix: "v1=", Separator: ","}, ContentTypes: jsonOnly,
		DeliveryID: Place{Body: "id"}, EventName: Place{Body: "type"}, Deadline: within5s,
	},
	{
		Name: "discord", scheme: &discordScheme, Tolerance: 11 * time.Minute, ContentTypes: jsonOnly,
		Retries:    Retries{Schedule: "interactions: none; events: for ten minutes", Span: 10 * time.Minute},
		DeliveryID: Place{Body: "id"}, EventName: Place{Body: "type"}, Deadline: within3s,
		Ack:       Ack{200, "application/json", `{"type":5}`}, // deferred: the answer follows within 15 minutes
		Handshake: &discordHandshake,
	},
	// https://www.dropbox.com/developers/reference/webhooks
	{
		Name: "dropbox", scheme: &hmacScheme, HMAC: body256("X-Dropbox-Signature", "hex", ""), ContentTypes: jsonOnly, Deadline: within10s,
		Handshake: &dropboxHandshake,
	},
	// https://docs.gitea.com/usage/webhooks
	{
		Name: "gitea", scheme: &hmacScheme, HMAC: body256("X-Gitea-Signature", "hex", ""), ContentTypes: jsonOrForm,
		DeliveryID: unsigned("X-Gitea-Delivery"), EventName: unsigned("X-Gitea-Event"), Deadline: usual,
	},
	// https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries.
	// X-Hub-Signature (SHA-1) is not read: whoever may leave the better header out would
	// choose the worse. Text is what the published example has.
	{
		Name: "github", scheme: &hmacScheme, HMAC: body256("X-Hub-Signature-256", "hex", "sha256="),
		ContentTypes: []string{"application/json", "application/x-www-form-urlencoded", "text/plain"}, Retries: never,
		DeliveryID: unsigned("X-GitHub-Delivery"), EventName: unsigned("X-GitHub-Event"), Deadline: within10s,
	},
	{
		Name: "gitlab", scheme: &gitlabScheme, Tolerance: DefaultTolerance, ContentTypes: jsonOnly,
		DeliveryID: unsigned("Idempotency-Key"), EventName: unsigned("X-Gitlab-Event"), Deadline: within10s,
	},
	{
		Name: "hubspot", scheme: &hubspotScheme, Tolerance: 25 * time.Hour, ContentTypes: jsonOnly,
		Retries:  Retries{Schedule: "up to ten over 24 h", Span: 24 * time.Hour},
		Versions: []string{"v3", "v2", "v1"}, defaultVersions: []string{"v3"}, Deadline: within5s,
	},
	// https://developers.intercom.com/docs/references/webhooks/webhook-models#signed-notifications
	{
		Name: "intercom", scheme: &hmacScheme, HMAC: &HMAC{Header: "X-Hub-Signature", Algorithm: "sha1", Prefix: "sha1="}, ContentTypes: jsonOnly,
		DeliveryID: Place{Body: "id"}, EventName: Place{Body: "topic"}, Deadline: within5s,
		Handshake: &headHandshake,
	},
	// https://developers.line.biz/en/docs/messaging-api/verify-webhook-signature/
	{
		Name: "line", scheme: &hmacScheme, HMAC: body256("X-Line-Signature", "base64", ""), ContentTypes: jsonOnly, Deadline: usual, Ack: empty200,
	},
	// https://linear.app/developers/webhooks#securing-webhooks
	{
		Name: "linear", scheme: &hmacScheme, HMAC: body256("Linear-Signature", "hex", ""), ContentTypes: jsonOnly,
		SignedAt: Place{Body: "webhookTimestamp"}, Tolerance: 7*time.Hour + 30*time.Minute,
		Retries:    Retries{"three: after 1 min, 1 h and 6 h", 7*time.Hour + time.Minute, ResendSame},
		DeliveryID: unsigned("Linear-Delivery"), EventName: Place{Body: "type"}, Deadline: within5s, Ack: empty200,
	},
	{
		Name: "mailgun", scheme: &mailgunScheme, Tolerance: 9 * time.Hour, ContentTypes: jsonOnly,
		Retries: Retries{"seven: after 10, 10, 15 and 30 min, 1, 2 and 4 h", 8*time.Hour + 5*time.Minute, ResendSame},
		// The signature covers a time and a token, and nothing of the event.
		DeliveryID: Place{Body: "event-data.id", Unsigned: true}, EventName: Place{Body: "event-data.event", Unsigned: true}, Deadline: usual,
	},
	// https://developers.facebook.com/docs/graph-api/webhooks/getting-started#event-notifications
	{
		Name: "meta", scheme: &hmacScheme, HMAC: body256("X-Hub-Signature-256", "hex", "sha256="), ContentTypes: jsonOnly,
		Retries: Retries{Schedule: "for 36 h"}, EventName: Place{Body: "object"}, Deadline: within5s, Ack: empty200,
		Handshake: &metaHandshake, takes: []string{"token"},
	},
	{
		Name: "microsoft-graph", scheme: &clientStateScheme, ContentTypes: jsonOnly, Retries: Retries{Schedule: "for up to 4 h"},
		Deadline: within10s, Ack: Ack{Status: 202}, Handshake: &graphHandshake,
	},
	// https://developer.paddle.com/webhooks/signature-verification
	{
		Name: "paddle", scheme: &hmacScheme, Tolerance: 73 * time.Hour, ContentTypes: jsonOnly,
		HMAC: &HMAC{
			Header: "Paddle-Signature", Format: "kv", Separator: ";", TimestampKey: "ts", SignatureKey: "h1", Signed: "{timestamp}:{body}",
		},
		Retries:    Retries{Schedule: "for three days", Span: 72 * time.Hour},
		DeliveryID: Place{Body: "event_id"}, EventName: Place{Body: "event_type"}, Deadline: within5s,
	},
	// https://developer.pagerduty.com/docs/verifying-webhook-signatures
	{
		Name: "pagerduty", scheme: &hmacScheme, HMAC: &HMAC{Header: "X-PagerDuty-Signature", Prefix: "v1=", Separator: ","}, ContentTypes: jsonOnly,
		DeliveryID: Place{Body: "event.id"}, EventName: Place{Body: "event.event_type"}, Deadline: within5s,
	},
	{
		Name: "sendgrid", scheme: &sendgridScheme, Tolerance: 25 * time.Hour, ContentTypes: jsonOnly,
		Retries: Retries{Schedule: "for 24 h", Span: 24 * time.Hour}, Deadline: within10s,
	},
	// https://shopify.dev/docs/apps/build/webhooks/subscribe/https. Events, which are
	// subscribed to on their own, have the same headers without the X.
	{
		Name: "shopify", scheme: &hmacScheme, HMAC: body256("X-Shopify-Hmac-Sha256", "base64", ""), OtherHeader: "Shopify-Hmac-Sha256",
		ContentTypes: jsonOnly, Retries: Retries{Schedule: "eight over 4 h"},
		DeliveryID: Place{Header: "X-Shopify-Event-Id", OtherHeader: "Shopify-Event-Id", Unsigned: true},
		EventName:  Place{Header: "X-Shopify-Topic", OtherHeader: "Shopify-Topic", Unsigned: true}, Deadline: within5s,
	},
	// https://docs.slack.dev/authentication/verifying-requests-from-slack
	{
		Name: "slack", scheme: &hmacScheme, Tolerance: 10 * time.Minute, ContentTypes: jsonOrForm,
		HMAC: &HMAC{
			Header: "X-Slack-Signature", Prefix: "v0=", Signed: "v0:{timestamp}:{body}",
			Timestamp: &Timestamp{Header: "X-Slack-Request-Timestamp"},
		},
		Retries:    Retries{Schedule: "events: three, at once, after 1 and 5 min; commands: none", Span: 6 * time.Minute},
		DeliveryID: Place{Body: "event_id", Form: "trigger_id"}, EventName: Place{Body: "event.type", Form: "command"}, Deadline: within3s, Ack: empty200,
		Handshake: &slackHandshake,
	},
	{
		Name: "sns", scheme: &snsScheme, Tolerance: 2 * time.Hour, ContentTypes: jsonOrText, JSONText: true,
		Retries:    Retries{"by the delivery policy, for up to 1 h", time.Hour, ResendSame},
		DeliveryID: Place{Body: "MessageId"}, EventName: Place{Body: "Type"}, Deadline: within15s,
		Handshake: &snsHandshake, takes: []string{"topics"},
	},
	// https://developer.squareup.com/docs/webhooks/step3validate
	{
		Name: "square", scheme: &hmacScheme, HMAC: &HMAC{Header: "X-Square-HmacSha256-Signature", Encoding: "base64", Signed: "{url}{body}"},
		ContentTypes: jsonOnly, Retries: Retries{Schedule: "eleven over 24 h"},
		DeliveryID: Place{Body: "event_id"}, EventName: Place{Body: "type"}, Deadline: within10s,
	},
	{
		Name: "standard-webhooks", scheme: &standardScheme, Tolerance: DefaultTolerance, ContentTypes: jsonOnly,
		Retries:    Retries{Schedule: "the sender's, for days", Signed: ResendAnew},
		DeliveryID: Place{Header: "Webhook-Id", OtherHeader: "Svix-Id"}, EventName: Place{Body: "type"}, Deadline: usual,
	},
	// https://docs.stripe.com/webhooks#verify-manually
	{
		Name: "stripe", scheme: &hmacScheme, Tolerance: DefaultTolerance, ContentTypes: jsonOnly,
		HMAC: &HMAC{
			Header: "Stripe-Signature", Format: "kv", TimestampKey: "t", SignatureKey: "v1", Signed: "{timestamp}.{body}",
		},
		Retries:    Retries{"for three days", 72 * time.Hour, ResendAnew},
		DeliveryID: Place{Body: "id"}, EventName: Place{Body: "type"}, Deadline: usual,
	},
	{
		Name: "svix", scheme: &standardScheme, Tolerance: DefaultTolerance, ContentTypes: jsonOnly,
		Retries:    Retries{"seven: after 5 s, 5 and 30 min, 2, 5, 10 and 10 h", 27*time.Hour + 36*time.Minute, ResendAnew},
		DeliveryID: Place{Header: "Svix-Id", OtherHeader: "Webhook-Id"}, EventName: Place{Body: "type"}, Deadline: usual,
	},
	{
		Name: "twilio", scheme: &twilioScheme, ContentTypes: jsonOrForm, Retries: Retries{Schedule: "none unless the URL asks for them"},
		Versions: []string{"sha256", "sha1"}, defaultVersions: []string{"sha256", "sha1"},
		DeliveryID: unsigned("I-Twilio-Idempotency-Token"), EventName: Place{Body: "EventType", Form: "EventType"}, Deadline: within15s,
		Ack: Ack{200, "text/xml", "<Response/>"}, // text/plain would be sent to the phone
	},
	// https://dev.twitch.tv/docs/eventsub/handling-webhook-events/#verifying-the-event-message
	{
		Name: "twitch", scheme: &hmacScheme, Tolerance: 10 * time.Minute, ContentTypes: jsonOnly,
		HMAC: &HMAC{
			Header: "Twitch-Eventsub-Message-Signature", Prefix: "sha256=",
			Signed:    "{header:Twitch-Eventsub-Message-Id}{timestamp}{body}",
			Timestamp: &Timestamp{Header: "Twitch-Eventsub-Message-Timestamp", Format: "rfc3339"},
		},
		DeliveryID: Place{Header: "Twitch-Eventsub-Message-Id"}, EventName: Place{Body: "subscription.type"}, Deadline: usual,
		Handshake: &twitchHandshake,
	},
	// https://developer.x.com/en/docs/x-api/enterprise/account-activity-api/guides/securing-webhooks
	{
		Name: "x", scheme: &xScheme, HMAC: body256("X-Twitter-Webhooks-Signature", "base64", "sha256="), ContentTypes: jsonOnly, Deadline: usual,
		Handshake: &xHandshake,
	},
	// https://developer.zendesk.com/documentation/webhooks/verifying/
	{
		Name: "zendesk", scheme: &hmacScheme, Tolerance: DefaultTolerance,
		ContentTypes: []string{"application/json", "application/x-www-form-urlencoded", "application/xml"},
		HMAC: &HMAC{
			Header: "X-Zendesk-Webhook-Signature", Encoding: "base64", Signed: "{timestamp}{body}",
			Timestamp: &Timestamp{Header: "X-Zendesk-Webhook-Signature-Timestamp", Format: "rfc3339"},
		},
		DeliveryID: unsigned("X-Zendesk-Webhook-Invocation-Id"), EventName: Place{Body: "type"}, Deadline: usual,
	},
	// https://developers.zoom.us/docs/api/webhooks/#verify-webhook-events
	{
		Name: "zoom", scheme: &hmacScheme, Tolerance: 2*time.Hour + 15*time.Minute, ContentTypes: jsonOnly,
		HMAC: &HMAC{
			Header: "X-Zm-Signature", Prefix: "v0=", Signed: "v0:{timestamp}:{body}",
			Timestamp: &Timestamp{Header: "X-Zm-Request-Timestamp"},
		},
		Retries:   Retries{Schedule: "three: after 5, 30 and 90 min", Span: 2*time.Hour + 5*time.Minute},
		EventName: Place{Body: "event"}, Deadline: within3s, Ack: empty200, // 202 counts as failed
		Handshake: &zoomHandshake,
	},
}
