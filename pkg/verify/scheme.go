package verify

import (
	"slices"
	"strings"
)

// A scheme is the code of one way to verify: what the row of a preset or a block needs in
// addition to its data. Each has a file of its own; outside that file, only the tables of
// presets and blocks refer to it.
type scheme struct {
	// name is the name in errors.
	name string
	// verifier makes the Verifier.
	verifier func(*builder) (Verifier, error)
	// sign signs a request so that the verifier accepts it; nil if a route's secrets are
	// not enough for that.
	sign func(*signer, *Request) error
	// unsignable says why sign is nil.
	unsignable string
	// check reports what is wrong in the Spec's own block and keys.
	check func(*checker, *Spec)
	// signsURL reports whether the URL is signed, and the Spec therefore needs one.
	signsURL func(*Spec, *Preset) bool
	// keyless reports whether the Spec needs no secrets; nil means that it needs some.
	keyless func(*Spec, *Preset) bool
	// signature describes the scheme for people; nil if it is the preset's HMAC.
	signature *Signature
	// challenge is the scheme of a WWW-Authenticate header; empty if HTTP has none.
	challenge func(*Spec) string
	// defaults are the values of the block's keys that the Spec leaves out.
	defaults func(*Spec) []Default
}

// A block is a key of `verify` that describes a sender without a preset.
type block struct {
	key    string
	scheme *scheme
	set    func(*Spec) bool
}

var blocks = []block{
	{"none", &noneScheme, func(s *Spec) bool { return s.None }},
	{"provider", nil, func(s *Spec) bool { return s.Provider != "" }},
	{"hmac", &hmacBlock, func(s *Spec) bool { return s.HMAC != nil }},
	{"signature", &keySignatureBlock, func(s *Spec) bool { return s.Signature != nil }},
	{"basic", &basicScheme, func(s *Spec) bool { return s.Basic != nil }},
	{"jwt", &jwtScheme, func(s *Spec) bool { return s.JWT != nil }},
	{"mtls", &mtlsScheme, func(s *Spec) bool { return s.MTLS != nil }},
	{"token", &tokenScheme, func(s *Spec) bool { return s.Token != nil && s.Token.Reference == "" && !s.placesToken() }},
}

// blockOf returns the blocks that a Spec has; a valid one has exactly one.
func blockOf(s *Spec) (found []block) {
	for _, b := range blocks {
		if b.set(s) {
			found = append(found, b)
		}
	}
	return found
}

// schemeOf returns the scheme of a Spec that passed Validate.
func schemeOf(s *Spec) *scheme {
	if p, ok := s.known(); ok {
		return p.scheme
	}
	return blockOf(s)[0].scheme
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
	if more := schemeOf(s).defaults; more != nil {
		found = append(found, more(s)...)
	}
	return found
}

// Challenge returns the value of the WWW-Authenticate header that asks for the
// credentials of s; it is empty if HTTP has no name for them.
func (s *Spec) Challenge(realm string) string {
	if len(s.Validate()) > 0 {
		return ""
	}
	challenge := schemeOf(s).challenge
	if challenge == nil || challenge(s) == "" {
		return ""
	}
	name, parameters, _ := strings.Cut(challenge(s), ";")
	return name + ` realm="` + realm + `"` + parameters
}

// noneScheme is `verify: none`.
var noneScheme = scheme{
	name:     "none",
	verifier: func(*builder) (Verifier, error) { return none{}, nil },
	sign:     func(*signer, *Request) error { return nil },
	keyless:  func(*Spec, *Preset) bool { return true },
}
