package verify

import "slices"

// A Signature describes how a provider signs, for people: what a verifier does
// follows from the scheme.
type Signature struct {
	// Headers carry signatures, times and what else is signed or says how; without
	// any, all of it is in the body.
	Headers []string
	// Algorithm is as hmac-sha256 or ed25519; "equality" where a secret is sent as it is.
	Algorithm string
	// Encoding of the signature; empty where there is none.
	Encoding string
	// Signed is a template of what is signed, as in [HMAC], with words where the
	// scheme has no such parameters.
	Signed string
	// Keys says what the Spec's secrets are.
	Keys string
}

// The schemes that are not parameters.
var signatures = map[Scheme]Signature{
	SchemeStandard: {
		Headers:   []string{"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature", "Svix-Id", "Svix-Timestamp", "Svix-Signature"},
		Algorithm: "hmac-sha256 (v1) or ed25519 (v1a)", Encoding: "base64", Signed: "{header:Webhook-Id}.{timestamp}.{body}",
		Keys: "whsec_ and base64, or whpk_ and the public key's base64",
	},
	SchemeGitLab: {
		Headers:   []string{"X-Gitlab-Token", "Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"},
		Algorithm: "hmac-sha256 (v1), with a secret token equality", Encoding: "base64", Signed: "{header:Webhook-Id}.{timestamp}.{body}",
		Keys: "a signing token (whsec_), or a secret token",
	},
	SchemeTwilio: {
		Headers: []string{twilioSignature}, Algorithm: "hmac-sha1", Encoding: "base64",
		Signed: "{url}, then the form's names and values in order; other bodies by bodySHA256 in the query", Keys: "the auth token",
	},
	SchemeDiscord: {
		Headers: []string{discordSignature, discordTimestamp}, Algorithm: "ed25519", Encoding: "hex", Signed: "{timestamp}{body}",
		Keys: "the application's public key in hex",
	},
	SchemeSendGrid: {
		Headers: []string{sendgridSignature, sendgridTimestamp}, Algorithm: "ecdsa-p256-sha256", Encoding: "base64", Signed: "{timestamp}{body}",
		Keys: "the public key, in base64 or PEM",
	},
	SchemeBox: {
		Headers:   []string{"Box-Signature-Primary", "Box-Signature-Secondary", "Box-Signature-Version", "Box-Signature-Algorithm", "Box-Delivery-Timestamp"},
		Algorithm: "hmac-sha256", Encoding: "base64", Signed: "{body}{timestamp}", Keys: "the primary and the secondary signature key",
	},
	SchemeHubSpot: {
		Headers:   []string{hubspotV3, hubspotTimestamp, hubspotSignature, hubspotVersion},
		Algorithm: "hmac-sha256 (v3), sha256 of secret and request (v1, v2)", Encoding: "base64 (v3), hex (v1, v2)",
		Signed: "{method}{url}{body}{timestamp} (v3), {body} (v1), {method}{url}{body} (v2)", Keys: "the app's client secret",
	},
	SchemeAdyen: {
		Algorithm: "hmac-sha256", Encoding: "base64", Signed: "eight fields of each item of the body, joined by colons", Keys: "the HMAC key in hex",
	},
	SchemeSNS: {
		Algorithm: "rsa-sha1 (SignatureVersion 1) or rsa-sha256 (2)", Encoding: "base64", Signed: "names and values of the message's fields",
		Keys: "none: the certificate comes from SNS",
	},
	SchemeClientState: {Algorithm: "equality", Signed: "nothing: clientState stands in each item", Keys: "the values of clientState"},
	SchemeMailgun:     {Algorithm: "hmac-sha256", Encoding: "hex", Signed: "time and token of the body, and nothing else", Keys: "the HTTP webhook signing key"},
}

// Signature is how the provider signs.
func (p Preset) Signature() Signature {
	if p.HMAC == nil {
		s := signatures[p.Scheme]
		s.Headers = slices.Clone(s.Headers)
		return s
	}
	h := p.HMAC
	s := Signature{
		Headers:   []string{h.Header},
		Algorithm: "hmac-" + orDefault(h.Algorithm, "sha256"),
		Encoding:  orDefault(h.Encoding, "hex"),
		Signed:    orDefault(h.Signed, "{body}"),
		Keys:      "shared secrets as " + orDefault(h.KeyEncoding, "text"),
	}
	if p.OtherHeader != "" {
		s.Headers = append(s.Headers, p.OtherHeader)
	}
	if h.Timestamp != nil {
		s.Headers = append(s.Headers, h.Timestamp.Header)
	}
	parts, _ := parseTemplate(s.Signed)
	for _, part := range parts {
		if part.field == "header" && !slices.Contains(s.Headers, part.text) {
			s.Headers = append(s.Headers, part.text)
		}
	}
	return s
}
