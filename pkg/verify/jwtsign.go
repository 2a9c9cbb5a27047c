package verify

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// jwtBlock signs for the Spec's own block.
func (s *signer) jwtBlock(r *Request) error { return s.jwt(jwtRule{JWT: *s.spec.JWT}, r) }

// jwtKey returns the key and the first algorithm that it fits.
func (s *signer) jwtKey(j jwtRule) (any, jwt.SigningMethod, error) {
	public := j.JWKS != "" || j.publicKey
	names := j.Algorithms
	if len(names) == 0 {
		names = []string{defaultAlgorithm(!public)}
	}
	if !public {
		key, err := j.decodeSharedKey(s.secret)
		if err != nil {
			return nil, nil, errors.New("the secret is shorter than 16 bytes")
		}
		return key, jwt.GetSigningMethod(names[0]), nil
	}
	keys, err := s.privateKeys()
	if err != nil {
		return nil, nil, err
	}
	for _, name := range names {
		switch {
		case name == "EdDSA":
			return keys.ed25519, jwt.SigningMethodEdDSA, nil
		case name == "ES256":
			return keys.ecdsa, jwt.SigningMethodES256, nil
		case strings.HasPrefix(name, "RS"), strings.HasPrefix(name, "PS"):
			return keys.rsa, jwt.GetSigningMethod(name), nil
		}
	}
	return nil, nil, s.cannot("the keys for signing are of Ed25519, P-256 and RSA")
}

// jwt makes a token that is valid for five minutes.
func (s *signer) jwt(j jwtRule, r *Request) error {
	key, method, err := s.jwtKey(j)
	if err != nil {
		return err
	}
	claims := jwt.MapClaims{"iat": s.now.Unix(), "exp": s.now.Add(5 * time.Minute).Unix(), "jti": s.digest(r.Body)}
	if j.Issuer != anyone {
		claims["iss"] = j.Issuer
	}
	if j.Audience != anyone {
		claims["aud"] = j.Audience
	}
	for name, value := range j.Claims {
		claims[name] = value
	}
	if b := j.Body; b != nil {
		h := algorithms[orDefault(b.Algorithm, "sha256")]()
		h.Write(r.Body)
		claims[b.Claim] = encodings[orDefault(b.Encoding, "hex")].encode(h.Sum(nil))
	}
	if j.urlClaim != "" {
		sum := sha256.Sum256([]byte(publicURL(s.spec.URL, r)))
		claims[j.urlClaim] = hex.EncodeToString(sum[:])
	}
	token, err := jwt.NewWithClaims(method, claims).SignedString(key)
	if err != nil {
		return err
	}
	switch {
	case j.Cookie != "":
		s.out.Header.Set("Cookie", j.Cookie+"="+token)
	case j.Query != "":
		s.out.RawQuery = strings.TrimPrefix(withoutPair(r.RawQuery, j.Query)+"&"+j.Query+"="+token, "&")
	default:
		scheme := j.Scheme
		if scheme == "" && http.CanonicalHeaderKey(j.place()) == authorization {
			scheme = "Bearer"
		}
		if scheme != "" && scheme != "none" {
			token = scheme + " " + token
		}
		s.out.Header.Set(j.place(), token)
	}
	return nil
}
