package verify

// jwtPresetScheme is a provider that sends a token with claims, by parameters.
var jwtPresetScheme = scheme{
	name:     "jwt",
	verifier: func(b *builder) (Verifier, error) { return b.newJWT(b.preset.jwt(&b.spec)) },
	sign:     func(s *signer, r *Request) error { return s.jwt(s.provider.jwt(&s.spec), r) },
	signsURL: func(_ *Spec, p *Preset) bool { return p.urlClaim != "" },
	keyless:  func(s *Spec, p *Preset) bool { return p.JWT.JWKS != "" && len(s.Secrets) == 0 },
}

// jwt is the preset's token with what the Spec says of it. Secrets of a provider with a
// key set are its public keys.
func (p *Preset) jwt(s *Spec) jwtRule {
	j := jwtRule{*p.JWT, p.urlClaim, 1, p.publicKeys} // how long keys are is the provider's choice
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
