package verify

import "time"

// presetsGtoP are the providers from g to p; see [presets].
var presetsGtoP = []Preset{
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
	// https://developers.notion.com/reference/webhooks
	{
		Name: "notion", scheme: &hmacScheme, HMAC: body256("X-Notion-Signature", "hex", "sha256="), ContentTypes: jsonOnly,
		Retries:    Retries{Schedule: "eight over a day", Span: 24 * time.Hour, Signed: ResendAnew},
		DeliveryID: Place{Body: "id"}, EventName: Place{Body: "type"}, Deadline: usual, Handshake: &notionHandshake, takes: []string{"handshake.store"},
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
	{
		Name: "paypal", scheme: &paypalScheme, Tolerance: 72 * time.Hour, ContentTypes: jsonOnly, needs: []string{"audience"}, RemembersIDs: true,
		Retries:    Retries{Schedule: "25 over three days", Span: 72 * time.Hour},
		DeliveryID: Place{Header: "Paypal-Transmission-Id"}, EventName: unsignedBody("event_type"), Deadline: usual,
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
}
