// Asks the providers' own libraries about requests: one JSON request per line of standard
// input, one verdict per line of standard output. The libraries' clocks cannot be set, so
// requests carry the current time.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(import.meta.url);

// Each takes {secret, url, method, path, query, headers, body, audience, publicKey} and
// returns false, or throws, if the library refuses the request.
const libraries = {
  stripe: ["stripe", async (r) => !!new (require("stripe"))("sk_test").webhooks.constructEvent(r.body, r.headers["stripe-signature"], r.secret)],
  svix: ["svix", (r) => (new (require("svix").Webhook)(r.secret).verify(r.body, alias(r.headers, "webhook-", "svix-")), true)],
  "standard-webhooks": ["standardwebhooks", (r) => (new (require("standardwebhooks").Webhook)(r.secret).verify(r.body, r.headers), true)],
  github: ["@octokit/webhooks-methods", async (r) => (await import("@octokit/webhooks-methods")).verify(r.secret, r.body, r.headers["x-hub-signature-256"])],
  slack: ["@slack/bolt", (r) => (require("@slack/bolt").verifySlackRequest({ signingSecret: r.secret, body: r.body, headers: { "x-slack-signature": r.headers["x-slack-signature"], "x-slack-request-timestamp": Number(r.headers["x-slack-request-timestamp"]) } }), true)],
  discord: ["discord-interactions", (r) => require("discord-interactions").verifyKey(r.body, r.headers["x-signature-ed25519"], r.headers["x-signature-timestamp"], r.secret)],
  sendgrid: ["@sendgrid/eventwebhook", (r) => {
    const e = new (require("@sendgrid/eventwebhook").EventWebhook)();
    return e.verifySignature(e.convertPublicKeyToECDSA(der(r.secret)), r.body, r.headers["x-twilio-email-event-webhook-signature"], r.headers["x-twilio-email-event-webhook-timestamp"]);
  }],
  square: ["square", (r) => require("square").WebhooksHelper.verifySignature({ requestBody: r.body, signatureHeader: r.headers["x-square-hmacsha256-signature"], signatureKey: r.secret, notificationUrl: r.url })],
  line: ["@line/bot-sdk", (r) => require("@line/bot-sdk").validateSignature(r.body, r.secret, r.headers["x-line-signature"])],
  linear: ["@linear/sdk", (r) => new (require("@linear/sdk/webhooks").LinearWebhookClient)(r.secret).verify(Buffer.from(r.body), r.headers["linear-signature"])],
  twilio: ["twilio", (r) => require("twilio").validateRequestWithBody(r.secret, r.headers["x-twilio-signature"], r.url, r.body)],
  adyen: ["@adyen/api-library", (r) => JSON.parse(r.body).notificationItems.every((i) => new (require("@adyen/api-library").hmacValidator)().validateHMAC(i.NotificationRequestItem, r.secret))],
  razorpay: ["razorpay", (r) => require("razorpay").validateWebhookSignature(r.body, r.headers["x-razorpay-signature"], r.secret)],
  gocardless: ["gocardless-nodejs", (r) => (require("gocardless-nodejs").verifySignature(r.body, r.secret, r.headers["webhook-signature"]), true)],
  coinbase: ["coinbase-commerce-node", (r) => (require("coinbase-commerce-node").Webhook.verifySigHeader(r.body, r.headers["x-cc-webhook-signature"], r.secret), true)],
  easypost: ["@easypost/api", (r) => (new (load("@easypost/api"))("k").Utils.validateWebhook(Buffer.from(r.body), { "X-Hmac-Signature": r.headers["x-hmac-signature"] }, r.secret), true)],
  mux: ["@mux/mux-node", async (r) => (await new (load("@mux/mux-node"))({ tokenId: "a", tokenSecret: "b", webhookSecret: r.secret }).webhooks.verifySignature(r.body, r.headers, r.secret), true)],
  workos: ["@workos-inc/node", async (r) => !!(await new (require("@workos-inc/node").WorkOS)("sk").webhooks.verifyHeader({ payload: JSON.parse(r.body), sigHeader: r.headers["workos-signature"], secret: r.secret }))],
  sanity: ["@sanity/webhook", async (r) => (await require("@sanity/webhook").assertValidSignature(r.body, r.headers["sanity-webhook-signature"], r.secret), true)],
  webflow: ["webflow-api", (r) => new (require("webflow-api").WebflowClient)({ accessToken: "a" }).webhooks.verifySignature({ headers: r.headers, body: r.body, secret: r.secret })],
  elevenlabs: ["@elevenlabs/elevenlabs-js", async (r) => !!(await new (require("@elevenlabs/elevenlabs-js").ElevenLabsClient)({ apiKey: "a" }).webhooks.constructEvent(r.body, r.headers["elevenlabs-signature"], r.secret))],
  contentful: ["@contentful/node-apps-toolkit", (r) => require("@contentful/node-apps-toolkit").verifyRequest(r.secret, { method: r.method, path: r.path + (r.query ? "?" + r.query : ""), headers: r.headers, body: r.body }, 0)],
  mercadopago: ["mercadopago", (r) => (require("mercadopago").WebhookSignatureValidator.validate({ xSignature: r.headers["x-signature"], xRequestId: r.headers["x-request-id"], dataId: new URLSearchParams(r.query).get("data.id"), secret: r.secret }), true)],
  vonage: ["@vonage/jwt", (r) => require("@vonage/jwt").verifySignature(r.headers.authorization.replace("Bearer ", ""), r.secret) && bodyClaim(r, r.headers.authorization, "payload_hash", "hex")],
  messagebird: ["messagebird", async (r) => (await require("messagebird/lib/webhook-signature-jwt").verify(r.url, Buffer.from(r.body), r.headers["messagebird-signature-jwt"], require("node:crypto").createSecretKey(Buffer.from(r.secret))), true)],
  paddle: ["@paddle/paddle-node-sdk", async (r) => new (require("@paddle/paddle-node-sdk").Paddle)("k").webhooks.isSignatureValid(r.body, r.secret, r.headers["paddle-signature"])],
  hubspot: ["@hubspot/api-client", (r) => require("@hubspot/api-client").Signature.isValid({ signatureVersion: "v3", signature: r.headers["x-hubspot-signature-v3"], method: r.method, clientSecret: r.secret, requestBody: r.body, url: r.url, timestamp: Number(r.headers["x-hubspot-request-timestamp"]) })],
  box: ["box-node-sdk", (r) => require("box-node-sdk/lib/managers/webhooks").WebhooksManager.validateMessage(r.body, r.headers, r.secret)],
  shopify: ["@shopify/shopify-api", async (r) => { require("@shopify/shopify-api/adapters/node"); const { shopifyApi } = require("@shopify/shopify-api"); const s = shopifyApi({ apiKey: "a", apiSecretKey: r.secret, hostName: "h.example", apiVersion: "2025-01", isEmbeddedApp: false, logger: { log: () => {} } }); const v = await s.webhooks.validate({ rawBody: r.body, rawRequest: { method: r.method, url: r.path, headers: { "x-shopify-topic": "orders/create", "x-shopify-api-version": "2025-01", "x-shopify-shop-domain": "a.myshopify.com", "x-shopify-webhook-id": "1", ...r.headers } }, rawResponse: {} }); return v.valid; }],
  braintree: ["braintree", async (r) => { const b = require("braintree"); const g = new b.BraintreeGateway({ environment: b.Environment.Sandbox, merchantId: "m", publicKey: r.publicKey, privateKey: r.secret }); const f = new URLSearchParams(r.body); try { await g.webhookNotification.parse(f.get("bt_signature"), f.get("bt_payload")); } catch (e) { if (e.type === b.errorTypes.invalidSignatureError) throw e; } return true; }], // then it reads XML
  feishu: ["@larksuiteoapi/node-sdk", (r) => { const lark = require("@larksuiteoapi/node-sdk"); const d = new lark.EventDispatcher({ encryptKey: r.secret }); const data = Object.assign(Object.create({ headers: r.headers }), JSON.parse(r.body)); if (!d.requestHandle.checkIsEventValidated(data)) return false; new lark.AESCipher(r.secret).decrypt(data.encrypt); return true; }],
  "google-pubsub": ["google-auth-library", async (r) => { const { OAuth2Client } = require("google-auth-library"); const t = await new OAuth2Client().verifySignedJwtWithCertsAsync(r.headers.authorization.replace("Bearer ", ""), { "": r.secret, undefined: r.secret }, r.audience, ["https://accounts.google.com"]); return t.getPayload().email_verified !== false; }],
  openai: ["openai", async (r) => { const OpenAI = load("openai"); await new OpenAI({ apiKey: "k" }).webhooks.verifySignature(r.body, r.headers, r.secret); return true; }],
  resend: ["resend", async (r) => !!(await new (require("resend").Resend)("re_1").webhooks.verify({ payload: r.body, headers: { id: r.headers["webhook-id"], timestamp: r.headers["webhook-timestamp"], signature: r.headers["webhook-signature"] }, webhookSecret: r.secret }))],
  telnyx: ["telnyx", async (r) => { const Telnyx = load("telnyx"); await new Telnyx({ apiKey: "k", publicKey: raw(r.secret) }).webhooks.unwrap(r.body, { headers: r.headers, key: raw(r.secret) }); return true; }],
  notion: ["@notionhq/client", (r) => require("@notionhq/client").verifyWebhookSignature({ body: r.body, signature: r.headers["x-notion-signature"], verificationToken: r.secret })],
  apple: ["@apple/app-store-server-library", async (r) => { const a = require("@apple/app-store-server-library"); await new a.SignedDataVerifier([Buffer.from(der(r.secret), "base64")], false, a.Environment.SANDBOX, r.audience).verifyAndDecodeNotification(JSON.parse(r.body).signedPayload); return true; }],
  polar: ["@polar-sh/sdk", async (r) => { const { validateEvent, WebhookVerificationError } = await import("@polar-sh/sdk/webhooks"); try { validateEvent(r.body, r.headers, r.secret); } catch (e) { if (e instanceof WebhookVerificationError) return false; } return true; }],
  clerk: ["@clerk/backend", async (r) => { const { verifyWebhook } = require("@clerk/backend/webhooks"); await verifyWebhook(new Request(r.url, { method: "POST", headers: alias(r.headers, "webhook-", "svix-"), body: r.body }), { signingSecret: r.secret }); return true; }],
};

function load(name) {
  const m = require(name);
  return m.default ?? m;
}

function alias(headers, from, to) {
  return Object.fromEntries(Object.entries(headers).map(([k, v]) => [k.startsWith(from) ? to + k.slice(from.length) : k, v]));
}

// der returns the base64 of PEM.
function der(pem) {
  return pem.replace(/-----[^-]+-----/g, "").replace(/\s/g, "");
}

// raw returns the base64 of an Ed25519 key in hex.
function raw(hex) {
  return Buffer.from(hex, "hex").toString("base64");
}

// bodyClaim does what these libraries leave to their caller.
function bodyClaim(r, token, claim, encoding) {
  const payload = JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
  return payload[claim] === require("node:crypto").createHash("sha256").update(r.body).digest(encoding);
}

for await (const line of createInterface({ input: process.stdin })) {
  const r = JSON.parse(line);
  const [name, verify] = libraries[r.provider] ?? [];
  let answer = { library: name ?? "", accepts: false, error: "" };
  if (verify) {
    try {
      answer.accepts = (await verify(r)) === true;
    } catch (e) {
      answer.error = String(e?.message ?? e).slice(0, 200);
    }
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
