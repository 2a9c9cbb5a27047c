package verify

import (
	"slices"
	"strings"
)

// A Signature describes to people how a provider signs. It does not affect verification.
type Signature struct {
	// Headers are those with signatures, times, and anything else that is signed or
	// describes the signature; if there are none, everything is in the body.
	Headers []string
	// Algorithm is a name such as hmac-sha256 or ed25519; it is "equality" if the secret
	// itself is sent.
	Algorithm string
	// Encoding of the signature; empty if there is none.
	Encoding string
	// Signed is a template of what is signed, as in [HMAC], or a description if the
	// scheme has no such parameters.
	Signed string
	// Keys describes the Spec's secrets.
	Keys string
}

// Signature returns how the provider signs.
func (p Preset) Signature() Signature {
	how := p.scheme.tools()
	if how.describe != nil {
		return how.describe(p)
	}
	s := *how.signature
	s.Headers = slices.Clone(s.Headers)
	return s
}

func describeJWT(j *JWT, public bool) Signature {
	algorithms := strings.Join(j.Algorithms, ", ")
	switch {
	case algorithms != "":
	case public || j.JWKS != "":
		algorithms = "RS256"
	default:
		algorithms = "HS256"
	}
	s := Signature{Headers: []string{j.place()}, Algorithm: "jwt " + algorithms, Signed: "the token's claims", Keys: "shared secrets"}
	if j.Body != nil {
		s.Signed += "; " + j.Body.Claim + " has the digest of the body"
	} else {
		s.Signed += ", but not the body"
	}
	if public || j.JWKS != "" {
		s.Keys = "none: the keys are published; or public keys"
	}
	return s
}

func describeHMAC(p Preset, h *HMAC, algorithm, keys string) Signature {
	s := Signature{
		Algorithm: algorithm,
		Encoding:  orDefault(h.Encoding, "hex"),
		Signed:    orDefault(h.Signed, "{body}"),
		Keys:      keys,
	}
	for _, name := range []string{h.Header, p.OtherHeader} {
		if name != "" {
			s.Headers = append(s.Headers, name)
		}
	}
	if h.Timestamp != nil && h.Timestamp.Header != "" {
		s.Headers = append(s.Headers, h.Timestamp.Header)
	}
	parts, _ := parseTemplate(s.Signed)
	for _, part := range parts {
		if part.field == "header:" && !slices.Contains(s.Headers, part.text) {
			s.Headers = append(s.Headers, part.text)
		}
	}
	return s
}
