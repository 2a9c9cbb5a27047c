package verify

import "slices"

// tools hold what commands and tests need from a scheme in addition to its verifier: how to
// sign, and how to describe it. They are not reachable from a scheme, so that a function,
// which only verifies, is linked without them.
type tools struct {
	// sign signs a request so that the verifier accepts it; nil if neither a route nor its
	// user can have what is needed.
	sign func(*signer, *Request) error
	// unsignable explains why sign is nil.
	unsignable string
	// signature describes a provider's scheme for people, unless describe does so from the
	// preset's parameters.
	signature *Signature
	describe  func(Preset) Signature
	// defaults are the values of the block's keys that the Spec leaves out.
	defaults func(*Spec) []Default
}

var noneTools = tools{sign: func(*signer, *Request) error { return nil }}

// tools returns the tools of a scheme.
func (s *scheme) tools() *tools {
	switch s {
	case &adyenScheme:
		return &adyenTools
	case &appleScheme:
		return &appleTools
	case &basicScheme:
		return &basicTools
	case &basicPresetScheme:
		return &basicPresetTools
	case &boxScheme:
		return &boxTools
	case &braintreeScheme:
		return &braintreeTools
	case &contentfulScheme:
		return &contentfulTools
	case &customScheme:
		return &customTools
	case &discordScheme:
		return &discordTools
	case &ebayScheme:
		return &ebayTools
	case &feishuScheme:
		return &feishuTools
	case &gitlabScheme:
		return &gitlabTools
	case &clientStateScheme:
		return &clientStateTools
	case &hmacScheme:
		return &hmacTools
	case &hmacBlock:
		return &hmacBlockTools
	case &hubspotScheme:
		return &hubspotTools
	case &jwtScheme:
		return &jwtTools
	case &jwtPresetScheme:
		return &jwtPresetTools
	case &mailgunScheme:
		return &mailgunTools
	case &mercadopagoScheme:
		return &mercadopagoTools
	case &mtlsScheme:
		return &mtlsTools
	case &keySignatureBlock:
		return &keySignatureBlockTools
	case &keyPresetScheme:
		return &keyPresetTools
	case &sendgridScheme:
		return &sendgridTools
	case &snsScheme:
		return &snsTools
	case &standardScheme:
		return &standardTools
	case &paypalScheme:
		return &paypalTools
	case &polarScheme:
		return &polarTools
	case &tokenScheme:
		return &tokenTools
	case &tokenPresetScheme:
		return &tokenPresetTools
	case &twilioScheme:
		return &twilioTools
	case &xScheme:
		return &xTools
	}
	return &noneTools
}

// A Default is the value of a key that a Spec leaves out.
type Default struct {
	// Field is the dotted path below verify, such as hmac.algorithm.
	Field string
	// Value is a text or a list of texts.
	Value any
	// About explains the default; it is mostly empty.
	About string
}

// Defaults returns the values of the keys that s leaves out, in the order of the keys.
func (s *Spec) Defaults() []Default {
	if len(s.Validate()) > 0 {
		return nil
	}
	var found []Default
	if p, ok := s.Preset(); ok {
		if p.Tolerance > 0 && s.Tolerance == "" {
			found = append(found, Default{"tolerance", shortDuration(p.Tolerance), "the provider's: how far the signed time may be off, either way"})
		}
		if len(p.ContentTypes) > 0 && len(s.ContentTypes) == 0 {
			found = append(found, Default{"contentTypes", slices.Clone(p.ContentTypes), "the provider's: the media types that are read"})
		}
		if len(p.Versions) > 0 && len(s.Versions) == 0 {
			found = append(found, Default{"versions", slices.Clone(p.defaultVersions), "the default"})
		}
	}
	if more := schemeOf(s).tools().defaults; more != nil {
		found = append(found, more(s)...)
	}
	return found
}
