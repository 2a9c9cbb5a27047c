package verify

import (
	"time"
)

// The deadlines: what the provider allows, minus half a second to a second.
const (
	within3s  = 2500 * time.Millisecond
	within5s  = 4500 * time.Millisecond
	within10s = 9 * time.Second
	within15s = 14 * time.Second
	usual     = 10 * time.Second // if nothing is published
)

// The media types that providers send.
var (
	jsonOnly   = []string{"application/json"}
	jsonOrForm = []string{"application/json", "application/x-www-form-urlencoded"}
	jsonOrText = []string{"application/json", "text/plain"}
	formOnly   = []string{"application/x-www-form-urlencoded"}
)

var (
	empty200 = Ack{Status: 200}
	never    = Retries{Schedule: "none"}
)

// body256 describes an HMAC-SHA256 of the body.
func body256(header, encoding, prefix string) *HMAC {
	return &HMAC{Header: header, Encoding: encoding, Prefix: prefix}
}

// unsigned is the place of a header that a signature over the body does not cover.
func unsigned(header string) Place { return Place{Header: header, Unsigned: true} }

// unsignedBody is the place of a body member that is not signed.
func unsignedBody(path string) Place { return Place{Body: path, Unsigned: true} }

// PayPal has no preset. It signs the CRC-32 of a body, and whoever has one signed
// delivery can make another body with the same CRC-32. PayPal's verification API, which
// compares the whole body, needs an account's credentials and an extra call:
// https://developer.paypal.com/api/rest/webhooks/rest/#link-messagesignature.

// presets by name. The documentation of each provider's signatures is linked at its
// scheme, or here if the scheme only consists of parameters.
var presets = []Preset{
	{
		Name: "adyen", scheme: &adyenScheme, ContentTypes: jsonOnly, Retries: Retries{Schedule: "for days"},
		Deadline: within10s, Ack: Ack{200, "text/plain", "[accepted]"},
	},
	// https://airtable.com/developers/web/api/webhooks-overview
	{
		Name: "airtable", scheme: &hmacScheme, Experimental: true, ContentTypes: jsonOnly,
		HMAC:     &HMAC{Header: "X-Airtable-Content-Mac", Prefix: "hmac-sha256=", KeyEncoding: "base64"},
		Deadline: usual, Ack: empty200,
	},
	// https://www.airwallex.com/docs/developer-tools/webhooks/listen-for-webhook-events
	{
		Name: "airwallex", scheme: &hmacScheme, Experimental: true, Tolerance: 73 * time.Hour, ContentTypes: jsonOnly,
		HMAC:       &HMAC{Header: "X-Signature", Signed: "{timestamp}{body}", Timestamp: &Timestamp{Header: "X-Timestamp", Format: "unix_ms"}},
		Retries:    Retries{Schedule: "several over three days", Span: 72 * time.Hour},
		DeliveryID: Place{Body: "id"}, EventName: Place{Body: "name"}, Deadline: usual, Ack: empty200,
	},
	// https://auth0.com/docs/customize/log-streams/custom-log-streams
	{
		Name: "auth0", scheme: &tokenPresetScheme, Experimental: true, Token: &TokenPlace{Header: authorization, Whole: true}, ContentTypes: jsonOnly,
		Retries: Retries{Schedule: "three"}, Deadline: usual,
	},
	// https://learn.microsoft.com/en-us/azure/devops/service-hooks/services/webhooks
	{
		Name: "azure-devops", scheme: &basicPresetScheme, Experimental: true, ContentTypes: jsonOnly, needs: []string{"username"},
		DeliveryID: unsignedBody("id"), EventName: unsignedBody("eventType"), Deadline: usual,
	},
	// https://learn.microsoft.com/en-us/azure/event-grid/secure-webhook-delivery. The header is
	// a delivery property of the subscription.
	{
		Name: "azure-event-grid", scheme: &tokenPresetScheme, Experimental: true, Token: &TokenPlace{Header: "X-Webhook-Key", Whole: true}, ContentTypes: jsonOnly,
		Retries: Retries{Schedule: "for 24 h"}, Deadline: usual,
		Handshake: &gridHandshake, takes: []string{"handshake", "token.header"},
	},
	// https://developer.bigcommerce.com/docs/integrations/webhooks
	{
		Name: "bigcommerce", scheme: &standardScheme, Experimental: true, Tolerance: defaultTolerance, ContentTypes: jsonOnly,
		Retries:    Retries{Schedule: "for 48 h", Signed: ResendAnew},
		DeliveryID: Place{Header: "Webhook-Id"}, EventName: Place{Body: "scope"}, Deadline: within10s, Ack: empty200,
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
	{
		Name: "braintree", scheme: &braintreeScheme, ContentTypes: formOnly, Retries: Retries{Schedule: "hourly for 24 h; 3 h in the sandbox"},
		Deadline: usual, Ack: empty200, Handshake: &braintreeHandshake, needs: []string{"publicKey"},
	},
	// https://cal.com/docs/developing/guides/automation/webhooks
	{
		Name: "cal-com", scheme: &hmacScheme, Experimental: true, HMAC: body256("X-Cal-Signature-256", "hex", ""), ContentTypes: jsonOnly,
		EventName: Place{Body: "triggerEvent"}, Deadline: usual,
	},
	// https://developer.calendly.com/api-docs/overview/webhooks
	{
		Name: "calendly", scheme: &hmacScheme, Tolerance: 25 * time.Hour, ContentTypes: jsonOnly,
		HMAC:      &HMAC{Header: "Calendly-Webhook-Signature", Format: "kv", TimestampKey: "t", SignatureKey: "v1", Signed: "{timestamp}.{body}"},
		Retries:   Retries{Schedule: "for about 24 h", Span: 24 * time.Hour},
		EventName: Place{Body: "event"}, Deadline: within10s,
	},
	// https://www.chargebee.com/docs/2.0/webhook_settings.html
	{
		Name: "chargebee", scheme: &basicPresetScheme, ContentTypes: jsonOnly, needs: []string{"username"}, Retries: Retries{Schedule: "seven over two days"},
		DeliveryID: unsignedBody("id"), EventName: unsignedBody("event_type"), Deadline: usual,
	},
	// https://www.checkout.com/docs/developer-resources/webhooks
	{
		Name: "checkout-com", scheme: &hmacScheme, HMAC: body256("Cko-Signature", "hex", ""), ContentTypes: jsonOnly, Retries: Retries{Schedule: "eight, from 5 min to 24 h"},
		DeliveryID: Place{Body: "id"}, EventName: Place{Body: "type"}, Deadline: within10s,
	},
	// https://circleci.com/docs/guides/integration/outbound-webhooks/#validate-webhooks
	{
		Name: "circleci", scheme: &hmacScheme, HMAC: &HMAC{Header: "Circleci-Signature", Prefix: "v1=", Separator: ","}, ContentTypes: jsonOnly,
		DeliveryID: Place{Body: "id"}, EventName: Place{Body: "type"}, Deadline: within5s,
	},
	{
		Name: "clerk", scheme: &standardScheme, Tolerance: defaultTolerance, ContentTypes: jsonOnly,
		Retries:    Retries{"seven: after 5 s, 5 and 30 min, 2, 5, 10 and 10 h", 27*time.Hour + 36*time.Minute, ResendAnew},
		DeliveryID: Place{Header: "Svix-Id", OtherHeader: "Webhook-Id"}, EventName: Place{Body: "type"}, Deadline: within15s,
	},
	// https://developer.clickup.com/docs/webhooksignature
	{
		Name: "clickup", scheme: &hmacScheme, HMAC: body256("X-Signature", "hex", ""), ContentTypes: jsonOnly, Retries: Retries{Schedule: "five"},
		EventName: Place{Body: "event"}, Deadline: within5s,
	},
	// https://docs.cdp.coinbase.com/commerce/docs/webhooks-security: Commerce, and not the
	// webhooks of the Developer Platform.
	{
		Name: "coinbase", scheme: &hmacScheme, HMAC: body256("X-Cc-Webhook-Signature", "hex", ""), ContentTypes: jsonOnly, Retries: Retries{Schedule: "for three days"},
		DeliveryID: Place{Body: "event.id"}, EventName: Place{Body: "event.type"}, Deadline: usual, Ack: empty200,
	},
	// https://confluence.atlassian.com/doc/managing-webhooks-1021225606.html
	{
		Name: "confluence", scheme: &hmacScheme, Experimental: true, HMAC: body256("X-Hub-Signature", "hex", "sha256="), ContentTypes: jsonOnly,
		EventName: Place{Body: "event"}, Deadline: usual,
	},
	{
		Name: "contentful", scheme: &contentfulScheme, Tolerance: defaultTolerance, ContentTypes: jsonOnly,
		Retries:   Retries{Schedule: "two, 30 s apart", Span: time.Minute},
		EventName: unsigned("X-Contentful-Topic"), Deadline: usual,
	},
	// https://docs.customer.io/journeys/webhooks/#securely-verify-requests
	{
		Name: "customer-io", scheme: &hmacScheme, Tolerance: defaultTolerance, ContentTypes: jsonOnly,
		HMAC:       &HMAC{Header: "X-Cio-Signature", Signed: "v0:{timestamp}:{body}", Timestamp: &Timestamp{Header: "X-Cio-Timestamp"}},
		Retries:    Retries{Schedule: "for days"},
		DeliveryID: Place{Body: "event_id"}, EventName: Place{Body: "metric"}, Deadline: 3500 * time.Millisecond,
	},
	{
		Name: "discord", scheme: &discordScheme, Tolerance: 11 * time.Minute, ContentTypes: jsonOnly,
		Retries:    Retries{Schedule: "interactions: none; events: for ten minutes", Span: 10 * time.Minute},
		DeliveryID: Place{Body: "id"}, EventName: Place{Body: "type"}, Deadline: within3s,
		Ack:       Ack{200, "application/json", `{"type":5}`}, // deferred: the answer follows within 15 minutes
		Handshake: &discordHandshake,
	},
	// https://developers.docusign.com/platform/webhooks/connect/validate/
	{
		Name: "docusign", scheme: &hmacScheme, HMAC: body256("X-Docusign-Signature-1", "base64", ""), Numbered: 100, ContentTypes: []string{"application/json", "application/xml", "text/xml"},
		Retries: Retries{Schedule: "for 24 h and more"}, EventName: Place{Body: "event"}, Deadline: 29 * time.Second,
	},
	// https://www.dropbox.com/developers/reference/webhooks
	{
		Name: "dropbox", scheme: &hmacScheme, HMAC: body256("X-Dropbox-Signature", "hex", ""), ContentTypes: jsonOnly, Deadline: within10s,
		Handshake: &dropboxHandshake,
	},
	// https://developers.dwolla.com/docs/working-with-webhooks
	{
		Name: "dwolla", scheme: &hmacScheme, Experimental: true, HMAC: body256("X-Request-Signature-Sha-256", "hex", ""), ContentTypes: jsonOnly, Retries: Retries{Schedule: "eight over 72 h"},
		DeliveryID: Place{Body: "id"}, EventName: Place{Body: "topic"}, Deadline: within10s,
	},
	// https://docs.easypost.com/docs/webhooks
	{
		Name: "easypost", scheme: &hmacScheme, HMAC: body256("X-Hmac-Signature", "hex", "hmac-sha256-hex="), ContentTypes: jsonOnly, Retries: Retries{Schedule: "six"},
		DeliveryID: Place{Body: "id"}, EventName: Place{Body: "description"}, Deadline: within5s,
	},
	{
		Name: "ebay", scheme: &ebayScheme, ContentTypes: jsonOnly, Retries: Retries{Schedule: "for 24 h"},
		DeliveryID: Place{Body: "notification.notificationId"}, EventName: Place{Body: "metadata.topic"}, Deadline: within3s, Ack: empty200,
		Handshake: &ebayHandshake, takes: []string{"token"},
	},
	// https://elevenlabs.io/docs/product-guides/administration/webhooks
	{
		Name: "elevenlabs", scheme: &hmacScheme, Tolerance: 30 * time.Minute, ContentTypes: jsonOnly,
		HMAC:      &HMAC{Header: "Elevenlabs-Signature", Format: "kv", TimestampKey: "t", SignatureKey: "v0", Signed: "{timestamp}.{body}"},
		EventName: Place{Body: "type"}, Deadline: usual, Ack: empty200,
	},
	// https://open.feishu.cn/document/server-docs/event-subscription-guide/event-subscription-configure-/request-url-configuration-case.
	// A plain hash, with the Encrypt Key in the middle.
	{
		Name: "feishu", scheme: &hmacScheme, Tolerance: 7*time.Hour + 30*time.Minute, ContentTypes: jsonOnly,
		HMAC: &HMAC{
			Header: "X-Lark-Signature", Hash: "plain", Signed: "{timestamp}{header:X-Lark-Request-Nonce}{secret}{body}",
			Timestamp: &Timestamp{Header: "X-Lark-Request-Timestamp"},
		},
		Retries:    Retries{Schedule: "four: after 15 s, 5 min, 1 h and 6 h", Span: 7*time.Hour + 6*time.Minute},
		DeliveryID: Place{Body: "header.event_id"}, EventName: Place{Body: "header.event_type"}, Deadline: within3s, Ack: empty200,
		Handshake: &feishuHandshake, takes: []string{"handshake"},
	},
	// https://developers.figma.com/docs/rest-api/webhooks-security/
	{
		Name: "figma", scheme: &tokenPresetScheme, Token: &TokenPlace{Body: []string{"passcode"}}, ContentTypes: jsonOnly, Retries: Retries{Schedule: "three: after 5 and 30 min and 3 h"},
		EventName: unsignedBody("event_type"), Deadline: usual, Ack: empty200,
	},
	// https://developer.flutterwave.com/docs/webhooks, of version 4 of the API
	{
		Name: "flutterwave", scheme: &hmacScheme, Experimental: true, HMAC: body256("Flutterwave-Signature", "base64", ""), ContentTypes: jsonOnly, Retries: Retries{Schedule: "three, 30 min apart"},
		DeliveryID: Place{Body: "webhook_id"}, EventName: Place{Body: "type"}, Deadline: usual, Ack: empty200,
	},
	// The same for version 3, whose header contains the secret itself.
	{
		Name: "flutterwave-v3", scheme: &tokenPresetScheme, Experimental: true, Token: &TokenPlace{Header: "Verif-Hash"}, ContentTypes: jsonOnly, Retries: Retries{Schedule: "three, 30 min apart"},
		DeliveryID: unsignedBody("data.id"), EventName: unsignedBody("event"), Deadline: usual, Ack: empty200,
	},
	// https://docs.gitea.com/usage/webhooks
	{
		Name: "gitea", scheme: &hmacScheme, HMAC: body256("X-Gitea-Signature", "hex", ""), ContentTypes: jsonOrForm,
		DeliveryID: unsigned("X-Gitea-Delivery"), EventName: unsigned("X-Gitea-Event"), Deadline: usual,
	},
	// https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries.
	// X-Hub-Signature (SHA-1) is not read: an attacker could omit the stronger header and
	// forge the weaker one. The published example is text.
	{
		Name: "github", scheme: &hmacScheme, HMAC: body256("X-Hub-Signature-256", "hex", "sha256="),
		ContentTypes: []string{"application/json", "application/x-www-form-urlencoded", "text/plain"}, Retries: never,
		DeliveryID: unsigned("X-GitHub-Delivery"), EventName: unsigned("X-GitHub-Event"), Deadline: within10s,
	},
	{
		Name: "gitlab", scheme: &gitlabScheme, Tolerance: defaultTolerance, ContentTypes: jsonOnly,
		DeliveryID: unsigned("Idempotency-Key"), EventName: unsigned("X-Gitlab-Event"), Deadline: within10s,
	},
	// https://developer.gocardless.com/getting-started/staying-up-to-date-with-webhooks
	{
		Name: "gocardless", scheme: &hmacScheme, HMAC: body256("Webhook-Signature", "hex", ""), ContentTypes: jsonOnly, Retries: Retries{Schedule: "several"},
		DeliveryID: Place{Body: "meta.webhook_id"}, Deadline: within10s,
	},
	// https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions
	{
		Name: "google-pubsub", scheme: &jwtPresetScheme, ContentTypes: jsonOnly, needs: []string{"audience", "email"},
		JWT:        &JWT{JWKS: "https://www.googleapis.com/oauth2/v3/certs", Issuer: "https://accounts.google.com"},
		Retries:    Retries{Schedule: "until the message expires"},
		DeliveryID: unsignedBody("message.messageId"), Deadline: within10s,
	},
	// https://developers.google.com/workspace/drive/api/guides/push
	{
		Name: "google-workspace", scheme: &tokenPresetScheme, Experimental: true, Token: &TokenPlace{Header: "X-Goog-Channel-Token"}, ContentTypes: jsonOnly,
		EventName: unsigned("X-Goog-Resource-State"), Deadline: usual,
	},
	{
		Name: "hubspot", scheme: &hubspotScheme, Tolerance: 25 * time.Hour, ContentTypes: jsonOnly,
		Retries:  Retries{Schedule: "up to ten over 24 h", Span: 24 * time.Hour},
		Versions: []string{"v3", "v2", "v1"}, defaultVersions: []string{"v3"}, Deadline: within5s,
	},
	{
		Name: "instagram", scheme: &hmacScheme, HMAC: body256("X-Hub-Signature-256", "hex", "sha256="), ContentTypes: jsonOnly,
		Retries: Retries{Schedule: "for 36 h"}, EventName: Place{Body: "object"}, Deadline: within5s, Ack: empty200,
		Handshake: &metaHandshake, takes: []string{"token"},
	},
	// https://developers.intercom.com/docs/references/webhooks/webhook-models#signed-notifications
	{
		Name: "intercom", scheme: &hmacScheme, HMAC: &HMAC{Header: "X-Hub-Signature", Algorithm: "sha1", Prefix: "sha1="}, ContentTypes: jsonOnly,
		DeliveryID: Place{Body: "id"}, EventName: Place{Body: "topic"}, Deadline: within5s,
		Handshake: &headHandshake,
	},
	// https://developer.atlassian.com/cloud/jira/platform/webhooks/#secure-webhooks
	{
		Name: "jira", scheme: &hmacScheme, HMAC: body256("X-Hub-Signature", "hex", "sha256="), ContentTypes: jsonOrText, Retries: Retries{Schedule: "five, minutes apart"},
		DeliveryID: unsigned("X-Atlassian-Webhook-Identifier"), EventName: Place{Body: "webhookEvent"}, Deadline: within15s,
	},
	// https://github.com/KickEngineering/KickDevDocs/blob/main/events/webhook-security.md
	{
		Name: "kick", scheme: &keyPresetScheme, Tolerance: defaultTolerance, ContentTypes: jsonOnly,
		Public: &KeySignature{
			Algorithm: "rsa-sha256", Header: "Kick-Event-Signature", Signed: "{header:Kick-Event-Message-Id}.{timestamp}.{body}",
			Timestamp: &Timestamp{Header: "Kick-Event-Message-Timestamp", Format: "rfc3339"},
			Keys:      &PublishedKeys{URL: "https://api.kick.com/public/v1/public-key", Format: "json", Member: "/data/public_key"},
		},
		DeliveryID: Place{Header: "Kick-Event-Message-Id"}, EventName: unsigned("Kick-Event-Type"), Deadline: usual,
	},
	// https://developers.klaviyo.com/en/docs/working_with_system_webhooks
	{
		Name: "klaviyo", scheme: &hmacScheme, Experimental: true, Tolerance: defaultTolerance, ContentTypes: jsonOnly,
		HMAC:     &HMAC{Header: "Klaviyo-Signature", Signed: "{body}{timestamp}", Timestamp: &Timestamp{Header: "Klaviyo-Timestamp", Format: "http-date"}},
		Deadline: usual,
	},
	// https://help.ko-fi.com/hc/en-us/articles/360004162298-Does-Ko-fi-have-an-API-or-webhook
	{
		Name: "ko-fi", scheme: &tokenPresetScheme, Experimental: true, Token: &TokenPlace{Form: "data", Body: []string{"verification_token"}}, ContentTypes: formOnly,
		Retries: Retries{Schedule: "until it is answered 200"}, Deadline: usual, Ack: empty200,
	},
	// https://docs.lemonsqueezy.com/help/webhooks/signing-requests
	{
		Name: "lemonsqueezy", scheme: &hmacScheme, Experimental: true, HMAC: body256("X-Signature", "hex", ""), ContentTypes: jsonOnly, Retries: Retries{Schedule: "three: after 5, 25 and 125 s"},
		EventName: Place{Body: "meta.event_name"}, Deadline: usual, Ack: empty200,
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
	// https://learn.microsoft.com/en-us/linkedin/shared/api-guide/webhook-validation
	{
		Name: "linkedin", scheme: &hmacScheme, HMAC: &HMAC{Header: "X-Li-Signature", Signed: "hmacsha256={body}"}, ContentTypes: jsonOnly, Retries: Retries{Schedule: "every 5 min for 8 h"},
		EventName: Place{Body: "type"}, Deadline: within3s, Handshake: &linkedinHandshake,
	},
	// https://docs.livekit.io/home/server/webhooks/
	{
		Name: "livekit", scheme: &jwtPresetScheme, ContentTypes: jsonOnly,
		JWT:        &JWT{Issuer: anyone, Audience: anyone, Scheme: "none", Body: &BodyClaim{Claim: "sha256", Encoding: "base64"}},
		DeliveryID: Place{Body: "id"}, EventName: Place{Body: "event"}, Deadline: usual,
	},
	{
		Name: "mailgun", scheme: &mailgunScheme, Tolerance: 9 * time.Hour, ContentTypes: jsonOnly,
		Retries: Retries{"seven: after 10, 10, 15 and 30 min, 1, 2 and 4 h", 8*time.Hour + 5*time.Minute, ResendSame},
		// The signature covers a time and a token, and no part of the event.
		DeliveryID: Place{Body: "event-data.id", Unsigned: true}, EventName: Place{Body: "event-data.event", Unsigned: true}, Deadline: usual,
	},
	// https://mailchimp.com/developer/transactional/guides/track-respond-activity-webhooks/
	{
		Name: "mandrill", scheme: &hmacScheme, Experimental: true, ContentTypes: formOnly,
		HMAC:    &HMAC{Header: "X-Mandrill-Signature", Algorithm: "sha1", Encoding: "base64", Signed: "{url}{form}"},
		Retries: Retries{Schedule: "twenty over days"}, Deadline: usual, Handshake: &headHandshake,
	},
	{
		Name: "mercadopago", scheme: &mercadopagoScheme, Tolerance: 25 * time.Hour, ContentTypes: jsonOnly, Retries: Retries{Schedule: "after 15 and 30 min, 6 h, and for days"},
		DeliveryID: unsignedBody("id"), EventName: unsignedBody("type"), Deadline: within15s, Ack: empty200,
	},
	// https://developers.messagebird.com/api/#verifying-http-requests
	{
		Name: "messagebird", scheme: &jwtPresetScheme, ContentTypes: jsonOrForm,
		JWT: &JWT{
			Header: "Messagebird-Signature-Jwt", Issuer: "MessageBird", Audience: anyone, Algorithms: []string{"HS256", "HS384", "HS512"},
			Body: &BodyClaim{Claim: "payload_hash"},
		},
		urlClaim:   "url_hash",
		DeliveryID: Place{Body: "id"}, EventName: Place{Body: "status"}, Deadline: usual,
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
	// https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/add-outgoing-webhook
	{
		Name: "microsoft-teams", scheme: &hmacScheme, HMAC: &HMAC{Header: authorization, Encoding: "base64", Prefix: "HMAC ", KeyEncoding: "base64"}, ContentTypes: jsonOnly, Retries: never,
		DeliveryID: Place{Body: "id"}, EventName: Place{Body: "type"}, Deadline: within5s,
	},
	// https://developer.monday.com/apps/docs/authorization-header
	{
		Name: "monday", scheme: &jwtPresetScheme, JWT: &JWT{Issuer: anyone, Scheme: "none"}, ContentTypes: jsonOnly, needs: []string{"audience"},
		Retries:    Retries{Schedule: "each minute for half an hour"},
		DeliveryID: unsignedBody("event.triggerUuid"), EventName: unsignedBody("event.type"), Deadline: usual,
		Handshake: &mondayHandshake, takes: []string{"handshake"},
	},
	// https://docs.mux.com/core/verify-webhook-signatures
	{
		Name: "mux", scheme: &hmacScheme, Tolerance: 25 * time.Hour, ContentTypes: jsonOnly,
		HMAC:       &HMAC{Header: "Mux-Signature", Format: "kv", TimestampKey: "t", SignatureKey: "v1", Signed: "{timestamp}.{body}"},
		Retries:    Retries{Schedule: "for 24 h", Span: 24 * time.Hour},
		DeliveryID: Place{Body: "id"}, EventName: Place{Body: "type"}, Deadline: within5s,
	},
	// https://docs.netlify.com/build/configure-builds/deploy-notifications/#payload-signature
	{
		Name: "netlify", scheme: &jwtPresetScheme, Experimental: true, ContentTypes: jsonOnly,
		JWT:       &JWT{Header: "X-Webhook-Signature", Issuer: "netlify", Audience: anyone, Expiry: "optional", Body: &BodyClaim{Claim: "sha256"}},
		EventName: unsigned("X-Netlify-Event"), Deadline: usual,
	},
	// https://developer.nylas.com/docs/v3/notifications/#respond-to-webhook-verification-requests
	{
		Name: "nylas", scheme: &hmacScheme, HMAC: body256("X-Nylas-Signature", "hex", ""), ContentTypes: jsonOnly, Retries: Retries{Schedule: "two more, then for 72 h"},
		DeliveryID: Place{Body: "id"}, EventName: Place{Body: "type"}, Deadline: within10s, Ack: empty200, Handshake: &nylasHandshake,
	},
	// https://developer.okta.com/docs/concepts/event-hooks/
	{
		Name: "okta", scheme: &tokenPresetScheme, Token: &TokenPlace{Header: authorization, Whole: true}, ContentTypes: jsonOnly, Retries: Retries{Schedule: "one more"},
		DeliveryID: unsignedBody("eventId"), Deadline: within3s, Ack: empty200, Handshake: &oktaHandshake,
	},
	{
		Name: "openai", scheme: &standardScheme, Tolerance: defaultTolerance, ContentTypes: jsonOnly, Retries: Retries{"for 72 h", 72 * time.Hour, ResendAnew},
		DeliveryID: Place{Header: "Webhook-Id", OtherHeader: "Svix-Id"}, EventName: Place{Body: "type"}, Deadline: within5s,
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
	// https://docs.patreon.com/#webhooks. Patreon offers nothing better than MD5.
	{
		Name: "patreon", scheme: &hmacScheme, Experimental: true, HMAC: &HMAC{Header: "X-Patreon-Signature", Algorithm: "md5"}, ContentTypes: jsonOnly,
		EventName: unsigned("X-Patreon-Event"), Deadline: usual,
	},
	// https://paystack.com/docs/payments/webhooks/
	{
		Name: "paystack", scheme: &hmacScheme, Experimental: true, HMAC: &HMAC{Header: "X-Paystack-Signature", Algorithm: "sha512"}, ContentTypes: jsonOnly,
		Retries: Retries{Schedule: "four, 3 min apart, then hourly for 72 h"}, EventName: Place{Body: "event"}, Deadline: usual, Ack: empty200,
	},
	// https://docs.withpersona.com/webhooks-best-practices
	{
		Name: "persona", scheme: &hmacScheme, Experimental: true, Tolerance: 90 * time.Minute, ContentTypes: jsonOnly,
		HMAC:       &HMAC{Header: "Persona-Signature", Format: "kv", TimestampKey: "t", SignatureKey: "v1", Signed: "{timestamp}.{body}"},
		Retries:    Retries{Schedule: "seven over about an hour", Span: time.Hour},
		DeliveryID: Place{Body: "data.id"}, EventName: Place{Body: "data.attributes.name"}, Deadline: within5s,
	},
	// https://plaid.com/docs/api/webhooks/webhook-verification/. The keys come from an
	// API that needs the account's credentials, so they are configured as the Spec's
	// secrets.
	{
		Name: "plaid", scheme: &jwtPresetScheme, ContentTypes: jsonOnly,
		JWT: &JWT{
			Header: "Plaid-Verification", Issuer: anyone, Audience: anyone, Algorithms: []string{"ES256"}, Expiry: "optional", MaxAge: "5m",
			Body: &BodyClaim{Claim: "request_body_sha256"},
		},
		publicKeys: true,
		Retries:    Retries{Schedule: "six over 24 h"}, EventName: Place{Body: "webhook_code"}, Deadline: within10s,
	},
	{
		Name: "polar", scheme: &polarScheme, Tolerance: defaultTolerance, ContentTypes: jsonOnly, Retries: Retries{Schedule: "ten", Signed: ResendAnew},
		DeliveryID: Place{Header: "Webhook-Id", OtherHeader: "Svix-Id"}, EventName: Place{Body: "type"}, Deadline: within10s,
	},
	// https://razorpay.com/docs/webhooks/validate-test/
	{
		Name: "razorpay", scheme: &hmacScheme, HMAC: body256("X-Razorpay-Signature", "hex", ""), ContentTypes: jsonOnly, Retries: Retries{Schedule: "for 24 h"},
		DeliveryID: unsigned("X-Razorpay-Event-Id"), EventName: Place{Body: "event"}, Deadline: within5s,
	},
	// https://docs.recurly.com/recurly-subscriptions/docs/signature-verification
	{
		Name: "recurly", scheme: &hmacScheme, Tolerance: 13 * time.Hour, ContentTypes: jsonOnly,
		HMAC:      &HMAC{Header: "Recurly-Signature", Format: "list", Signed: "{timestamp}.{body}", Timestamp: &Timestamp{Format: "unix_ms"}},
		Retries:   Retries{Schedule: "ten: x·2^(x+5) s and 10 s after the x-th", Span: 12 * time.Hour},
		EventName: Place{Body: "event_type"}, Deadline: within5s,
	},
	{
		Name: "resend", scheme: &standardScheme, Tolerance: defaultTolerance, ContentTypes: jsonOnly,
		Retries:    Retries{"seven: after 5 s, 5 and 30 min, 2, 5, 10 and 10 h", 27*time.Hour + 36*time.Minute, ResendAnew},
		DeliveryID: Place{Header: "Svix-Id", OtherHeader: "Webhook-Id"}, EventName: Place{Body: "type"}, Deadline: within15s,
	},
	// https://www.sanity.io/docs/content-lake/webhooks
	{
		Name: "sanity", scheme: &hmacScheme, Tolerance: defaultTolerance, ContentTypes: jsonOnly,
		HMAC: &HMAC{
			Header: "Sanity-Webhook-Signature", Encoding: "base64url", Format: "kv", TimestampKey: "t", SignatureKey: "v1", Signed: "{timestamp}.{body}",
			Timestamp: &Timestamp{Format: "unix_ms"},
		},
		DeliveryID: unsigned("Idempotency-Key"), EventName: unsigned("Sanity-Operation"), Deadline: usual,
	},
	// https://www.twilio.com/docs/segment/connections/destinations/catalog/actions-webhook
	{
		Name: "segment", scheme: &hmacScheme, HMAC: &HMAC{Header: "X-Signature", Algorithm: "sha1"}, ContentTypes: jsonOnly, Retries: Retries{Schedule: "nine over hours"},
		DeliveryID: Place{Body: "messageId"}, EventName: Place{Body: "type"}, Deadline: within5s,
	},
	{
		Name: "sendgrid", scheme: &sendgridScheme, Tolerance: 25 * time.Hour, ContentTypes: jsonOnly,
		Retries: Retries{Schedule: "for 24 h", Span: 24 * time.Hour}, Deadline: within10s,
	},
	// https://docs.sentry.io/organization/integrations/integration-platform/webhooks/
	{
		Name: "sentry", scheme: &hmacScheme, HMAC: body256("Sentry-Hook-Signature", "hex", ""), ContentTypes: jsonOnly,
		DeliveryID: unsigned("Request-Id"), EventName: unsigned("Sentry-Hook-Resource"), Deadline: 800 * time.Millisecond,
	},
	// https://learn.microsoft.com/en-us/sharepoint/dev/apis/webhooks/overview-sharepoint-webhooks
	{
		Name: "sharepoint", scheme: &clientStateScheme, ContentTypes: jsonOnly, Retries: Retries{Schedule: "five, 5 min apart"},
		Deadline: within5s, Ack: empty200, Handshake: &sharepointHandshake,
	},
	// https://docs.goshippo.com/docs/tracking/webhooksecurity/
	{
		Name: "shippo", scheme: &hmacScheme, Experimental: true, Tolerance: defaultTolerance, ContentTypes: jsonOnly,
		HMAC:    &HMAC{Header: "Shippo-Auth-Signature", Format: "kv", TimestampKey: "t", SignatureKey: "v1", Signed: "{timestamp}.{body}"},
		Retries: Retries{Schedule: "up to six, for 5xx and time-outs"}, EventName: Place{Body: "event"}, Deadline: within3s,
	},
	// https://shopify.dev/docs/apps/build/webhooks/subscribe/https. Events, which have
	// subscriptions of their own, use the same headers without the X.
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
		Name: "standard-webhooks", scheme: &standardScheme, Tolerance: defaultTolerance, ContentTypes: jsonOnly,
		Retries:    Retries{Schedule: "the sender's, for days", Signed: ResendAnew},
		DeliveryID: Place{Header: "Webhook-Id", OtherHeader: "Svix-Id"}, EventName: Place{Body: "type"}, Deadline: usual,
	},
	// https://docs.stripe.com/webhooks#verify-manually
	{
		Name: "stripe", scheme: &hmacScheme, Tolerance: defaultTolerance, ContentTypes: jsonOnly,
		HMAC: &HMAC{
			Header: "Stripe-Signature", Format: "kv", TimestampKey: "t", SignatureKey: "v1", Signed: "{timestamp}.{body}",
		},
		Retries:    Retries{"for three days", 72 * time.Hour, ResendAnew},
		DeliveryID: Place{Body: "id"}, EventName: Place{Body: "type"}, Deadline: usual,
	},
	{
		Name: "supabase", scheme: &standardScheme, Tolerance: defaultTolerance, ContentTypes: jsonOnly, Retries: Retries{Schedule: "three, for 429 and 503", Signed: ResendAnew},
		DeliveryID: Place{Header: "Webhook-Id", OtherHeader: "Svix-Id"}, Deadline: within5s,
	},
	{
		Name: "svix", scheme: &standardScheme, Tolerance: defaultTolerance, ContentTypes: jsonOnly,
		Retries:    Retries{"seven: after 5 s, 5 and 30 min, 2, 5, 10 and 10 h", 27*time.Hour + 36*time.Minute, ResendAnew},
		DeliveryID: Place{Header: "Svix-Id", OtherHeader: "Webhook-Id"}, EventName: Place{Body: "type"}, Deadline: usual,
	},
	// https://core.telegram.org/bots/api#setwebhook
	{
		Name: "telegram", scheme: &tokenPresetScheme, Experimental: true, Token: &TokenPlace{Header: "X-Telegram-Bot-Api-Secret-Token"}, ContentTypes: jsonOnly,
		DeliveryID: unsignedBody("update_id"), Deadline: usual, Ack: empty200,
	},
	// https://developers.telnyx.com/docs/messaging/messages/receiving-webhooks
	{
		Name: "telnyx", scheme: &keyPresetScheme, Tolerance: defaultTolerance, ContentTypes: jsonOnly,
		Public:     &KeySignature{Algorithm: "ed25519", Header: "Telnyx-Signature-Ed25519", Signed: "{timestamp}|{body}", Timestamp: &Timestamp{Header: "Telnyx-Timestamp"}},
		Retries:    Retries{Schedule: "three, then the failover URL"},
		DeliveryID: Place{Body: "data.id"}, EventName: Place{Body: "data.event_type"}, Deadline: 1500 * time.Millisecond,
	},
	// https://developers.tiktok.com/doc/webhooks-verification
	{
		Name: "tiktok", scheme: &hmacScheme, Tolerance: 73 * time.Hour, ContentTypes: jsonOnly,
		HMAC:    &HMAC{Header: "Tiktok-Signature", Format: "kv", TimestampKey: "t", SignatureKey: "s", Signed: "{timestamp}.{body}"},
		Retries: Retries{Schedule: "for 72 h", Span: 72 * time.Hour}, EventName: Place{Body: "event"}, Deadline: within5s, Ack: empty200,
	},
	// https://developer.atlassian.com/cloud/trello/guides/rest-api/webhooks/
	{
		Name: "trello", scheme: &hmacScheme, HMAC: &HMAC{Header: "X-Trello-Webhook", Algorithm: "sha1", Encoding: "base64", Signed: "{body}{url}"}, ContentTypes: jsonOnly,
		Retries:    Retries{Schedule: "three: after 30, 60 and 120 s"},
		DeliveryID: Place{Body: "action.id"}, EventName: Place{Body: "action.type"}, Deadline: usual, Handshake: &headHandshake,
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
	// https://www.typeform.com/developers/webhooks/secure-your-webhooks/
	{
		Name: "typeform", scheme: &hmacScheme, Experimental: true, HMAC: body256("Typeform-Signature", "base64", "sha256="), ContentTypes: jsonOnly,
		Retries: Retries{Schedule: "for hours"}, DeliveryID: Place{Body: "event_id"}, EventName: Place{Body: "event_type"}, Deadline: 29 * time.Second,
	},
	// https://vercel.com/docs/webhooks/webhooks-api
	{
		Name: "vercel", scheme: &hmacScheme, Experimental: true, HMAC: &HMAC{Header: "X-Vercel-Signature", Algorithm: "sha1"}, ContentTypes: jsonOnly, Retries: Retries{Schedule: "for 24 h"},
		DeliveryID: Place{Body: "id"}, EventName: Place{Body: "type"}, Deadline: usual,
	},
	// https://developer.vonage.com/en/getting-started/concepts/webhooks#decoding-signed-webhooks
	{
		Name: "vonage", scheme: &jwtPresetScheme, ContentTypes: jsonOnly,
		JWT:        &JWT{Issuer: "Vonage", Audience: anyone, Expiry: "optional", MaxAge: "5m", Body: &BodyClaim{Claim: "payload_hash"}},
		DeliveryID: Place{Body: "message_uuid"}, Deadline: usual, Ack: empty200,
	},
	// https://developers.webflow.com/data/docs/working-with-webhooks#validating-request-signatures
	{
		Name: "webflow", scheme: &hmacScheme, Tolerance: 40 * time.Minute, ContentTypes: jsonOnly,
		HMAC:      &HMAC{Header: "X-Webflow-Signature", Signed: "{timestamp}:{body}", Timestamp: &Timestamp{Header: "X-Webflow-Timestamp", Format: "unix_ms"}},
		Retries:   Retries{Schedule: "three, 10 min apart", Span: 30 * time.Minute},
		EventName: Place{Body: "triggerType"}, Deadline: usual,
	},
	{
		Name: "whatsapp", scheme: &hmacScheme, HMAC: body256("X-Hub-Signature-256", "hex", "sha256="), ContentTypes: jsonOnly,
		Retries: Retries{Schedule: "for 36 h"}, EventName: Place{Body: "object"}, Deadline: within5s, Ack: empty200,
		Handshake: &metaHandshake, takes: []string{"token"},
	},
	// https://docs.wise.com/features/webhooks-notifications/event-handling. The public keys are
	// on that page, one for production and one for the sandbox: they are the Spec's secrets.
	{
		Name: "wise", scheme: &keyPresetScheme, ContentTypes: jsonOnly, Public: &KeySignature{Algorithm: "rsa-sha256", Header: "X-Signature-Sha256"},
		Retries: Retries{Schedule: "25 over two weeks"}, DeliveryID: unsigned("X-Delivery-Id"), EventName: Place{Body: "event_type"}, Deadline: within5s,
	},
	// https://developer.woocommerce.com/docs/best-practices/data-management/webhooks/
	{
		Name: "woocommerce", scheme: &hmacScheme, Experimental: true, HMAC: body256("X-Wc-Webhook-Signature", "base64", ""), ContentTypes: jsonOnly, Retries: never,
		DeliveryID: unsigned("X-Wc-Webhook-Delivery-Id"), EventName: unsigned("X-Wc-Webhook-Topic"), Deadline: usual, Handshake: &wooHandshake,
	},
	// https://workos.com/docs/events/data-syncing/webhooks
	{
		Name: "workos", scheme: &hmacScheme, Tolerance: 73 * time.Hour, ContentTypes: jsonOnly,
		HMAC: &HMAC{
			Header: "Workos-Signature", Format: "kv", TimestampKey: "t", SignatureKey: "v1", Signed: "{timestamp}.{body}", Timestamp: &Timestamp{Format: "unix_ms"},
		},
		Retries:    Retries{Schedule: "up to six over three days", Span: 72 * time.Hour},
		DeliveryID: Place{Body: "id"}, EventName: Place{Body: "event"}, Deadline: usual,
	},
	// https://developer.x.com/en/docs/x-api/enterprise/account-activity-api/guides/securing-webhooks
	{
		Name: "x", scheme: &xScheme, HMAC: body256("X-Twitter-Webhooks-Signature", "base64", "sha256="), ContentTypes: jsonOnly, Deadline: usual,
		Handshake: &xHandshake,
	},
	// https://developer.xero.com/documentation/guides/webhooks/configuring-your-server/
	{
		Name: "xero", scheme: &hmacScheme, Experimental: true, HMAC: body256("X-Xero-Signature", "base64", ""), ContentTypes: jsonOnly, Retries: Retries{Schedule: "for 24 h"},
		Deadline: within5s, Ack: empty200, EmptyRefusal: true, Handshake: &xeroHandshake,
	},
	// https://developer.zendesk.com/documentation/webhooks/verifying/
	{
		Name: "zendesk", scheme: &hmacScheme, Tolerance: defaultTolerance,
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
