package verify

import (
	"slices"
)

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

// Signature is how the provider signs.
func (p Preset) Signature() Signature {
	if p.scheme.signature != nil {
		s := *p.scheme.signature
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
