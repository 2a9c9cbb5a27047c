package verify

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// A JWT is a bearer token that an issuer signs: https://www.rfc-editor.org/rfc/rfc7519.
// Its key is one of the issuer's key set, or, where the Spec lists Secrets instead
// of JWKS, one of those. The two never meet: a public key is no HMAC key.
//
// `exp` is required, and `nbf` and `iat` count if they are there, as with API Gateway's
// authorizers; clocks may differ by one minute. Issuer and audience are required, in the token as in the Spec.
type JWT struct {
	// JWKS is the address of the issuer's key set; http only for this machine.
	JWKS string `yaml:"jwks,omitempty"`
	// Issuer is the `iss` of the tokens.
	Issuer string `yaml:"issuer"`
	// Audience is the `aud` of the tokens, or one of them.
	Audience string `yaml:"audience"`
	// Algorithms are those that are accepted; default RS256, with Secrets HS256.
	Algorithms []string `yaml:"algorithms,omitempty"`
	// Claims are further claims that a token must have, with their texts. Where an
	// issuer signs for all its customers, as Google does, they say which one is
	// meant: {email: …, email_verified: "true"}.
	Claims map[string]string `yaml:"claims,omitempty"`
}

const (
	// jwtSkew is how far the clocks of issuer and verifier may differ.
	jwtSkew = time.Minute
	// minSharedKey is the least length of an HMAC key (RFC 7518, section 3.2): a
	// token shows everyone a text and its MAC, to guess a short key at leisure.
	minSharedKey = 32
)

var (
	keySetAlgorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
	sharedAlgorithms = []string{"HS256", "HS384", "HS512"}
)

func (j *JWT) check(c *checker, shared bool) {
	allowed := keySetAlgorithms
	switch {
	case shared:
		allowed = sharedAlgorithms
		if j.JWKS != "" {
			c.add("jwt.jwks", "and secrets exclude each other: a token is signed with a published key or a shared one")
		}
	case j.JWKS == "":
		c.add("jwt.jwks", "is missing: where are the issuer's keys?")
	default:
		if err := keySetURL(j.JWKS); err != nil {
			c.add("jwt.jwks", "%v", err)
		}
	}
	if j.Issuer == "" {
		c.add("jwt.issuer", "is missing")
	}
	if j.Audience == "" {
		c.add("jwt.audience", "is missing: without it, a token for anybody else would do")
	}
	for i, name := range j.Algorithms {
		c.oneOf("jwt.algorithms."+strconv.Itoa(i), orDefault(name, "(empty)"), allowed...)
	}
	for name := range j.Claims {
		if slices.Contains([]string{"", "iss", "aud", "exp", "nbf", "iat"}, name) {
			c.add("jwt.claims", "cannot have %q", name)
		}
	}
}

// keySetURL takes https, and http for addresses of this machine only: whoever
// answers for the address decides which tokens are good.
func keySetURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || len(text) > 2048 || u.Host == "" || u.User != nil || u.Fragment != "":
		return errors.New("is no URL of a key set")
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	}
	return errors.New("must be https; http is for loopback addresses only")
}

// A jwtVerifier checks bearer tokens with one of keys and shared.
type jwtVerifier struct {
	keys   *keySet
	shared *keyring[[]byte]
	parser *jwt.Parser
	claims map[string]string
}

// jwtScheme is a bearer token: https://www.rfc-editor.org/rfc/rfc6750.
var jwtScheme = scheme{
	name:      "jwt",
	verifier:  newJWT,
	sign:      (*signer).jwt,
	check:     func(c *checker, s *Spec) { s.JWT.check(c, len(s.Secrets) > 0) },
	keyless:   func(s *Spec) bool { return len(s.Secrets) == 0 },
	challenge: func(*Spec) string { return "Bearer" },
	defaults: func(s *Spec) []Default {
		if len(s.JWT.Algorithms) > 0 {
			return nil
		}
		return []Default{{Field: "jwt.algorithms", Value: []string{defaultAlgorithm(len(s.Secrets) > 0)}}}
	},
}

func defaultAlgorithm(shared bool) string {
	if shared {
		return sharedAlgorithms[0]
	}
	return keySetAlgorithms[0]
}

func newJWT(b *builder) (Verifier, error) {
	j := *b.spec.JWT
	v := &jwtVerifier{claims: j.Claims}
	algorithms := j.Algorithms
	if len(algorithms) == 0 {
		algorithms = []string{defaultAlgorithm(len(b.refs) > 0)}
	}
	if len(b.refs) > 0 {
		shared, err := newKeyring(b, decodeSharedKey, "a text of at least 32 bytes")
		if err != nil {
			return nil, err
		}
		v.shared = shared
	} else {
		if b.fetch == nil {
			return nil, errors.New("verify.jwt: needs the issuer's keys, and nothing here fetches them")
		}
		v.keys = newKeySet(j.JWKS, b.fetch, b.now)
	}
	v.parser = jwt.NewParser(
		jwt.WithValidMethods(algorithms), jwt.WithIssuer(j.Issuer), jwt.WithAudience(j.Audience),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(jwtSkew), jwt.WithTimeFunc(b.now), jwt.WithJSONNumber(),
		jwt.WithStrictDecoding(),
	)
	return v, nil
}

func decodeSharedKey(text string) ([]byte, error) {
	if len(text) < minSharedKey {
		return nil, errKey
	}
	return []byte(text), nil
}

func (*jwtVerifier) Headers() []string { return []string{"authorization"} }

func (v *jwtVerifier) Verify(ctx context.Context, r *Request) error {
	value, err := headerValue(r.Header, authorization)
	if err != nil {
		return err
	}
	token, ok := credentials(value, "Bearer")
	if !ok || !isCompact(token) {
		return refuse(Malformed, authorization)
	}
	if v.keys != nil {
		return v.check(token, func(t *jwt.Token) (any, error) { return v.keys.forToken(ctx, t) })
	}
	// A secret whose signature fits settles the matter, whatever the claims say.
	var decided error
	err = v.shared.match(ctx, authorization, func(key []byte) bool {
		decided = v.check(token, func(*jwt.Token) (any, error) { return key, nil })
		return decided == nil || !errors.Is(decided, errSignature)
	})
	if err == nil {
		err = decided
	}
	return err
}

// isCompact says whether a text has the characters of a token and no others: the
// decoder of the standard library would pass over line breaks.
func isCompact(token string) bool {
	for i := range len(token) {
		switch c := token[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return true
}

// errSignature is a token whose signature the key at hand did not make.
var errSignature = refuse(Mismatch, authorization)

func (v *jwtVerifier) check(token string, key jwt.Keyfunc) error {
	claims := jwt.MapClaims{}
	_, err := v.parser.ParseWithClaims(token, claims, func(t *jwt.Token) (any, error) {
		// An extension that must be understood is not: RFC 7515, section 4.1.11.
		if _, critical := t.Header["crit"]; critical {
			return nil, refuse(Malformed, "crit")
		}
		return key(t)
	})
	if err != nil {
		return tokenError(err)
	}
	if !isOneObject(token) {
		return refuse(Malformed, authorization)
	}
	for name, want := range v.claims {
		got, found := claims[name]
		switch s, ok := text(got); {
		case !found:
			return refuse(Missing, "claim "+name)
		case !ok || s != want:
			return refuse(Mismatch, "claim "+name)
		}
	}
	return nil
}

// isOneObject says whether header and claims are one JSON object each, with no name
// twice. The library reads the first value and leaves what follows it to other readers.
func isOneObject(token string) bool {
	for part := range strings.SplitSeq(token[:strings.LastIndexByte(token, '.')], ".") {
		text, err := decodeBase64URL(part)
		if err != nil {
			return false
		}
		if _, err := bodyObject(text); err != nil {
			return false
		}
	}
	return true
}

// tokenError names what is wrong. The library's own texts quote the token.
func tokenError(err error) error {
	var ours *unverified
	switch {
	case errors.As(err, &ours):
		return ours
	case errors.Is(err, ErrSecrets):
		return err
	case errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return errSignature
	case errors.Is(err, jwt.ErrTokenRequiredClaimMissing):
		return refuse(Missing, "claim "+claimOf(err))
	case errors.Is(err, jwt.ErrTokenExpired):
		return refuse(Stale, "claim exp")
	case errors.Is(err, jwt.ErrTokenNotValidYet):
		return refuse(Stale, "claim nbf")
	case errors.Is(err, jwt.ErrTokenUsedBeforeIssued):
		return refuse(Stale, "claim iat")
	case errors.Is(err, jwt.ErrTokenInvalidIssuer):
		return refuse(Mismatch, "claim iss")
	case errors.Is(err, jwt.ErrTokenInvalidAudience):
		return refuse(Mismatch, "claim aud")
	}
	return refuse(Malformed, authorization)
}

// claimOf is the claim that is not there; the library says so in words alone.
func claimOf(err error) string {
	for _, name := range []string{"exp", "aud", "iss"} {
		if strings.Contains(err.Error(), name+" claim is required") {
			return name
		}
	}
	return "of the token"
}

// jwt makes a token for five minutes.
func (s *signer) jwt(*Request) error {
	if s.spec.JWT.JWKS != "" {
		return s.cannot("tokens are signed with the issuer's private key")
	}
	key, err := decodeSharedKey(s.secret)
	if err != nil {
		return errors.New("the secret is shorter than 32 bytes")
	}
	j := s.spec.JWT
	claims := jwt.MapClaims{"iss": j.Issuer, "aud": j.Audience, "iat": s.now.Unix(), "exp": s.now.Add(5 * time.Minute).Unix()}
	for name, value := range j.Claims {
		claims[name] = value
	}
	algorithm := sharedAlgorithms[0]
	if len(j.Algorithms) > 0 {
		algorithm = j.Algorithms[0]
	}
	token, err := jwt.NewWithClaims(jwt.GetSigningMethod(algorithm), claims).SignedString(key)
	if err != nil {
		return err
	}
	s.out.Header.Set(authorization, "Bearer "+token)
	return nil
}
