package verify

import "time"

// presetsQtoZ are the providers from q to z; see [presets].
var presetsQtoZ = []Preset{
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
		Retries: Retries{Schedule: "up to six, for 5xx and timeouts"}, EventName: Place{Body: "event"}, Deadline: within3s,
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
