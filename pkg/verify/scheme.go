package verify

import "strings"

// A scheme is the code for one way to verify, which the row of a preset or a block needs
// in addition to its data. Each has a file of its own; outside that file, only the tables
// of presets and blocks refer to it.
type scheme struct {
	// name is the name in errors.
	name string
	// verifier makes the Verifier.
	verifier func(*builder) (Verifier, error)
	// fields makes the scheme's block in the Spec, and describes its keys; nil if the
	// scheme is only a provider's.
	fields func(*Spec) []Field
	// check reports what is wrong in the Spec's own block and keys.
	check func(*checker, *Spec)
	// signsURL reports whether the URL is signed, and the Spec therefore needs one.
	signsURL func(*Spec, *Preset) bool
	// keyless reports whether the Spec needs no secrets; nil means that it needs some.
	keyless func(*Spec, *Preset) bool
	// warn reports settings that work but are weak.
	warn func(*checker, *Spec, *Preset)
	// signedTime implements [Spec.SignedTime] for a block; nil if it signs nothing.
	signedTime func(*Spec) (Duration, bool)
	// challenge is the scheme of a WWW-Authenticate header; empty if HTTP has none.
	challenge func(*Spec) string
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
	if p, ok := s.Known(); ok {
		return p.scheme
	}
	return blockOf(s)[0].scheme
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
	keyless:  func(*Spec, *Preset) bool { return true },
}
