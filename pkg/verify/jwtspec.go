package verify

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
)

// A JWT is a bearer token that an issuer signs: https://www.rfc-editor.org/rfc/rfc7519.
// Its key is one of the issuer's key set or, if the Spec lists Secrets instead of JWKS,
// one of those. The two are never mixed: a public key is never used as an HMAC key.
//
// `exp` is required unless Expiry is optional, and `nbf` and `iat` are checked if they
// are present, as by API Gateway's authorizers; clocks may differ by one minute. Issuer
// and audience are required in the Spec and, unless the Spec says "any", in the token.
//
// Without Body a token vouches for the sender, and not for the body: anyone who has a token
// can send any body with it until it expires.
type JWT struct {
	// JWKS is the URL of the issuer's key set: https, or http on loopback.
	JWKS string `yaml:"jwks,omitempty"`
	// Issuer is the `iss` of the tokens; "any" if the sender names none.
	Issuer string `yaml:"issuer"`
	// Audience is the `aud` of the tokens, or one of them; "any" if the sender names
	// none.
	Audience string `yaml:"audience"`
	// Header carries the token; default Authorization.
	Header string `yaml:"header,omitempty"`
	// Scheme precedes the token; the default is Bearer in Authorization, and none
	// elsewhere. The word none means a bare token.
	Scheme string `yaml:"scheme,omitempty"`
	// Cookie or Query carries the token instead of a header.
	Cookie string `yaml:"cookie,omitempty"`
	Query  string `yaml:"query,omitempty"`
	// Body binds the token to the body.
	Body *BodyClaim `yaml:"body,omitempty"`
	// Expiry is required (default) or optional, for tokens without `exp`; then MaxAge or
	// Body must bound them.
	Expiry string `yaml:"expiry,omitempty"`
	// MaxAge is how old a token may be by its `iat`, which it then must have.
	MaxAge Duration `yaml:"maxAge,omitempty"`
	// Algorithms are the accepted algorithms; the default is RS256, or HS256 with
	// Secrets.
	Algorithms []string `yaml:"algorithms,omitempty"`
	// Claims are further claims that a token must have, with their values. If an issuer
	// signs for all its customers, as Google does, they say which customer is meant:
	// {email: …, email_verified: "true"}.
	Claims map[string]string `yaml:"claims,omitempty"`
}

func (j *JWT) check(c *checker, shared bool) {
	allowed := keySetAlgorithms
	switch {
	case shared:
		allowed = sharedAlgorithms
		if j.JWKS != "" {
			c.add("jwt.jwks", "and secrets cannot be combined: a token is signed either with a published key or with a shared one")
		}
	case j.JWKS == "":
		c.add("jwt.jwks", "is missing: write the URL of the issuer's key set, or list secrets")
	default:
		if err := keySetURL(j.JWKS); err != nil {
			c.add("jwt.jwks", "%v", err)
		}
	}
	if j.Issuer == "" {
		c.add("jwt.issuer", "is missing")
	}
	if j.Audience == "" {
		c.add("jwt.audience", "is missing: without it, a token for any other audience would be accepted")
	}
	j.checkPlace(c)
	for i, name := range j.Algorithms {
		c.oneOf("jwt.algorithms."+strconv.Itoa(i), orDefault(name, "(empty)"), allowed...)
	}
	for name := range j.Claims {
		if slices.Contains([]string{"", "iss", "aud", "exp", "nbf", "iat"}, name) {
			c.add("jwt.claims", "cannot have %q", name)
		}
	}
}

func (j *JWT) checkPlace(c *checker) {
	if j.Header != "" {
		c.header("jwt.header", j.Header)
	}
	set := 0
	for _, name := range []string{j.Header, j.Cookie, j.Query} {
		if name != "" {
			set++
		}
	}
	if set > 1 {
		c.add("jwt", "has more than one of header, cookie and query")
	}
	if j.Scheme != "" && !isToken(j.Scheme) || j.Scheme != "" && j.Cookie+j.Query != "" {
		c.add("jwt.scheme", "must be the one word that precedes a token in a header, and only with header")
	}
	if b := j.Body; b != nil {
		if b.Claim == "" {
			c.add("jwt.body.claim", "is missing: name the claim with the digest of the body")
		}
		c.oneOf("jwt.body.algorithm", b.Algorithm, "sha256", "sha384", "sha512")
		c.oneOf("jwt.body.encoding", b.Encoding, "hex", "base64", "base64url")
	}
	c.oneOf("jwt.expiry", j.Expiry, "required", "optional")
	c.duration("jwt.maxAge", j.MaxAge)
	if j.Expiry == "optional" && j.MaxAge == "" && j.Body == nil {
		c.add("jwt.expiry", "is optional, and nothing else bounds a token: add maxAge, or body")
	}
}

// keySetURL accepts https, and http only for addresses of this machine, because whoever
// serves the address decides which tokens are valid.
func keySetURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || len(text) > 2048 || u.Host == "" || u.User != nil || u.Fragment != "":
		return errors.New("is not the URL of a key set")
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	}
	return errors.New("must be https; http is for loopback addresses only")
}

func (j *JWT) fields() []Field {
	return []Field{
		{Key: "jwks", To: &j.JWKS},
		{Key: "issuer", To: &j.Issuer},
		{Key: "audience", To: &j.Audience},
		{Key: "header", To: &j.Header},
		{Key: "scheme", To: &j.Scheme},
		{Key: "cookie", To: &j.Cookie},
		{Key: "query", To: &j.Query},
		{Key: "expiry", To: &j.Expiry},
		{Key: "maxAge", To: &j.MaxAge},
		{Key: "algorithms", To: &j.Algorithms},
		{Key: "claims", To: &j.Claims},
		{Key: "body", To: func() []Field {
			j.Body = &BodyClaim{}
			return []Field{
				{Key: "claim", To: &j.Body.Claim},
				{Key: "algorithm", To: &j.Body.Algorithm},
				{Key: "encoding", To: &j.Body.Encoding},
			}
		}},
	}
}
