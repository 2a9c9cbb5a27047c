package verify

// jwtPresetScheme is for a provider that sends a token with claims, described by
// parameters.
var jwtPresetScheme = scheme{
	name:     "jwt",
	verifier: func(b *builder) (Verifier, error) { return b.newJWT(b.preset.jwt(&b.spec)) },
	signsURL: func(_ *Spec, p *Preset) bool { return p.urlClaim != "" },
	keyless:  func(s *Spec, p *Preset) bool { return p.JWT.JWKS != "" && len(s.Secrets) == 0 },
}

var jwtPresetTools = tools{
	sign:     func(s *signer, r *Request) error { return s.jwt(s.provider.jwt(&s.spec), r) },
	describe: func(p Preset) Signature { return describeJWT(p.JWT, p.publicKeys) },
}

// jwt returns the preset's token rule with the Spec's settings. If the preset has public
// keys, they are the Spec's secrets.
func (p *Preset) jwt(s *Spec) jwtRule {
	j := jwtRule{*p.JWT, p.urlClaim, 1, p.publicKeys} // the provider decides how long its keys are
	if s.Audience != "" {
		j.Audience = s.Audience
	}
	if s.Email != "" {
		j.Claims = map[string]string{"email": s.Email, "email_verified": "true"}
	}
	if len(s.Secrets) > 0 && j.JWKS != "" {
		j.publicKey = true
	}
	return j
}
