package verify

// basicPresetScheme is for a provider that sends HTTP Basic.
var basicPresetScheme = scheme{
	name:      "basic",
	verifier:  func(b *builder) (Verifier, error) { return b.newBasic(b.spec.Username) },
	challenge: basicChallenge,
}

var basicPresetTools = tools{
	sign:      func(s *signer, _ *Request) error { return s.basic(s.spec.Username) },
	signature: &Signature{Headers: []string{authorization}, Algorithm: "equality", Signed: "nothing: name and password are in the header", Keys: "the passwords"},
}
