package verify

import (
	"cmp"
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// A jwtRule is a JWT with the settings that only presets have.
type jwtRule struct {
	JWT
	urlClaim  string // the claim with the hex SHA-256 of the URL
	keyBytes  int    // the minimum length of a shared key; 0 means minSharedKey
	publicKey bool   // the Spec's secrets are public keys
}

// A BodyClaim describes a claim that holds the digest of the body.
type BodyClaim struct {
	// Claim is the claim's name. Required.
	Claim string `yaml:"claim"`
	// Algorithm is sha256 (default), sha384 or sha512.
	Algorithm string `yaml:"algorithm,omitempty"`
	// Encoding of the digest is hex (default), base64 or base64url.
	Encoding string `yaml:"encoding,omitempty"`
}

const (
	// jwtSkew is how far the clocks of issuer and verifier may differ.
	jwtSkew = time.Minute
	// minSharedKey is the minimum length of an HMAC key. RFC 7518, section 3.2, requires
	// the length of the hash, which not all senders observe. A token shows a text
	// together with its MAC, from which a short key can be guessed offline.
	minSharedKey = 16
)

var (
	keySetAlgorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
	sharedAlgorithms = []string{"HS256", "HS384", "HS512"}
)

// A jwtVerifier checks bearer tokens; exactly one of keys and shared is set.
type jwtVerifier struct {
	jwtRule
	keys   *keySet
	shared *keyring[[]byte]
	public *keyring[crypto.PublicKey]
	parser *jwt.Parser
	claims map[string]string
	now    func() time.Time
	url    func(*Request) string
}

// place returns the header that carries the token, or what errors name instead.
func (j *JWT) place() string {
	return orDefault(j.Cookie, orDefault(j.Query, orDefault(j.Header, authorization)))
}

// jwtScheme is a bearer token: https://www.rfc-editor.org/rfc/rfc6750.
var jwtScheme = scheme{
	name:     "jwt",
	verifier: func(b *builder) (Verifier, error) { return b.newJWT(jwtRule{JWT: *b.spec.JWT}) },
	fields: func(s *Spec) []Field {
		s.JWT = &JWT{}
		return s.JWT.fields()
	},
	check:   func(c *checker, s *Spec) { s.JWT.check(c, len(s.Secrets) > 0) },
	keyless: func(s *Spec, _ *Preset) bool { return len(s.Secrets) == 0 },
	warn: func(c *checker, s *Spec, _ *Preset) {
		if s.JWT.Query != "" {
			c.add("jwt.query", "a token in the URL is written to the access logs of every server on the way")
		}
	},
	challenge: func(s *Spec) string {
		if http.CanonicalHeaderKey(s.JWT.place()) != authorization {
			return ""
		}
		return "Bearer"
	},
}

var jwtTools = tools{
	sign: (*signer).jwtBlock,
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

func (b *builder) newJWT(j jwtRule) (Verifier, error) {
	v := &jwtVerifier{jwtRule: j, claims: j.Claims, now: b.now, url: func(r *Request) string { return publicURL(b.spec.URL, r) }}
	algorithms := j.Algorithms
	if len(algorithms) == 0 {
		algorithms = []string{defaultAlgorithm(len(b.refs) > 0 && !j.publicKey)}
	}
	switch {
	case j.publicKey:
		public, err := newKeyring(b, decodePublicKey, publicForms)
		if err != nil {
			return nil, err
		}
		v.public = public
	case len(b.refs) > 0:
		shared, err := newKeyring(b, j.decodeSharedKey, "a text of at least 16 bytes")
		if err != nil {
			return nil, err
		}
		v.shared = shared
	default:
		if b.fetch == nil {
			return nil, errors.New("verify.jwt: needs the issuer's keys, but there is no client to fetch them")
		}
		v.keys = newKeySet(j.JWKS, b.fetch, b.now)
	}
	options := []jwt.ParserOption{
		jwt.WithValidMethods(algorithms), jwt.WithIssuedAt(), jwt.WithLeeway(jwtSkew), jwt.WithTimeFunc(b.now), jwt.WithJSONNumber(), jwt.WithStrictDecoding(),
	}
	if j.Issuer != anyone {
		options = append(options, jwt.WithIssuer(j.Issuer))
	}
	if j.Audience != anyone {
		options = append(options, jwt.WithAudience(j.Audience))
	}
	if j.Expiry != "optional" && j.MaxAge == "" {
		options = append(options, jwt.WithExpirationRequired())
	}
	v.parser = jwt.NewParser(options...)
	return v, nil
}

// anyone is the issuer or audience that means that the claim is not checked.
const anyone = "any"

func (j *jwtRule) decodeSharedKey(text string) ([]byte, error) {
	if len(text) < cmp.Or(j.keyBytes, minSharedKey) {
		return nil, errKey
	}
	return []byte(text), nil
}

func (v *jwtVerifier) Headers() []string {
	switch {
	case v.Cookie != "":
		return []string{"cookie"}
	case v.Query != "":
		return nil
	}
	return []string{strings.ToLower(v.place())}
}

// Redact implements redactor.
func (v *jwtVerifier) Redact(r *Request) (rawQuery string, body []byte) {
	if v.Query != "" {
		return withoutPair(r.RawQuery, v.Query), r.Body
	}
	return r.RawQuery, r.Body
}

// token returns the compact token of a request.
func (v *jwtVerifier) token(r *Request) (token string, err error) {
	switch {
	case v.Cookie != "":
		cookies := (&http.Request{Header: r.Header}).CookiesNamed(v.Cookie)
		if len(cookies) > 1 {
			return "", refuse(Malformed, v.Cookie)
		}
		if len(cookies) == 1 {
			token = cookies[0].Value
		}
	case v.Query != "":
		if token, _, err = queried(r, v.Query); err != nil {
			return "", err
		}
	default:
		if token, err = headerValue(r.Header, v.place()); err != nil {
			return "", err
		}
		scheme := v.Scheme
		if scheme == "" && http.CanonicalHeaderKey(v.place()) == authorization {
			scheme = "Bearer"
		}
		if scheme != "" && scheme != "none" {
			var ok bool
			if token, ok = credentials(token, scheme); !ok {
				return "", refuse(Malformed, v.place())
			}
		}
	}
	switch {
	case token == "" && v.Cookie+v.Query != "":
		return "", refuse(Missing, v.place())
	case !isCompact(token):
		return "", refuse(Malformed, v.place())
	}
	return token, nil
}

func (v *jwtVerifier) Verify(ctx context.Context, r *Request) error {
	token, err := v.token(r)
	if err != nil {
		return err
	}
	if v.keys != nil {
		return v.check(r, token, func(t *jwt.Token) (any, error) { return v.keys.forToken(ctx, t) })
	}
	// If a secret's signature fits, its result is final, whatever the claims say.
	var decided error
	try := func(key any) bool {
		decided = v.check(r, token, func(*jwt.Token) (any, error) { return key, nil })
		return decided == nil || !errors.Is(decided, errSignature)
	}
	if v.public != nil {
		err = v.public.match(ctx, v.place(), func(key crypto.PublicKey) bool { return try(key) })
	} else {
		err = v.shared.match(ctx, v.place(), func(key []byte) bool { return try(key) })
	}
	if err == nil {
		err = decided
	}
	return err
}

// isCompact reports whether a text only has the characters of a token; the decoder of the
// standard library would skip line breaks.
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

// errSignature means that the key that was tried did not sign the token.
var errSignature = refuse(Mismatch, authorization)

func (v *jwtVerifier) check(r *Request, token string, key jwt.Keyfunc) error {
	claims := jwt.MapClaims{}
	_, err := v.parser.ParseWithClaims(token, claims, func(t *jwt.Token) (any, error) {
		// The token requires an extension, and none is supported: RFC 7515, section
		// 4.1.11.
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
	if err := v.young(claims); err != nil {
		return err
	}
	return v.bound(r, claims)
}

// young checks the age of a token by its iat.
func (v *jwtVerifier) young(claims jwt.MapClaims) error {
	if v.MaxAge == "" {
		return nil
	}
	at, err := claims.GetIssuedAt()
	if err != nil || at == nil {
		return refuse(Missing, "claim iat")
	}
	limit, _ := v.MaxAge.Parse() // Validate has checked it
	if v.now().Sub(at.Time) > limit {
		return refuse(Stale, "claim iat")
	}
	return nil
}

// bound checks the digests of body and URL. A request without a body, such as a GET, has
// nothing to bind.
func (v *jwtVerifier) bound(r *Request, claims jwt.MapClaims) error {
	if b := v.Body; b != nil && (len(r.Body) > 0 || claims[b.Claim] != nil) {
		h := algorithms[orDefault(b.Algorithm, "sha256")]()
		h.Write(r.Body)
		if err := digestClaim(claims, b.Claim, encodings[orDefault(b.Encoding, "hex")], h.Sum(nil)); err != nil {
			return err
		}
	}
	if v.urlClaim == "" {
		return nil
	}
	sum := sha256.Sum256([]byte(v.url(r)))
	return digestClaim(claims, v.urlClaim, encodings["hex"], sum[:])
}

func digestClaim(claims jwt.MapClaims, name string, e encoding, want []byte) error {
	text, _ := claims[name].(string)
	if text == "" {
		return refuse(Missing, "claim "+name)
	}
	if got, err := e.decode(text); err != nil || !hmac.Equal(got, want) {
		return refuse(Mismatch, "claim "+name)
	}
	return nil
}

// isOneObject reports whether header and claims are one JSON object each, without
// duplicate names. The library only reads the first value and ignores what follows it.
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

// tokenError names what is wrong without the library's own texts, which quote the token.
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

// claimOf returns the missing claim, which the library only names in its text.
func claimOf(err error) string {
	for _, name := range []string{"exp", "aud", "iss"} {
		if strings.Contains(err.Error(), name+" claim is required") {
			return name
		}
	}
	return "of the token"
}
