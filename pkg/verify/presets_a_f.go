package verify

import "time"

// presetsAtoF are the providers from a to f; see [presets].
var presetsAtoF = []Preset{
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
	{
		Name: "apple", scheme: &appleScheme, Tolerance: 158 * time.Hour, ContentTypes: jsonOnly, needs: []string{"audience"},
		Retries:  Retries{Schedule: "five over a week", Span: 157 * time.Hour},
		Deadline: usual, Ack: empty200,
	},
	// https://developers.asana.com/docs/webhooks-guide. Every eight hours or so there is a
	// signed delivery without events, which must be answered.
	{
		Name: "asana", scheme: &hmacScheme, Experimental: true, HMAC: body256("X-Hook-Signature", "hex", ""), ContentTypes: jsonOnly,
		Retries: Retries{Schedule: "for 24 h"}, Deadline: within10s, Ack: empty200, Handshake: &asanaHandshake, takes: []string{"handshake.store"},
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
	{
		Name: "feishu", scheme: &feishuScheme, Tolerance: 7*time.Hour + 30*time.Minute, ContentTypes: jsonOnly,
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
}
