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

// jwt makes a token that is valid for five minutes.
func (s *signer) jwt(j jwtRule, r *Request) error {
	if j.JWKS != "" || j.publicKey {
		return s.cannot("tokens are signed with the issuer's private key")
	}
	key, err := j.decodeSharedKey(s.secret)
	if err != nil {
		return errors.New("the secret is shorter than 16 bytes")
	}
	claims := jwt.MapClaims{"iat": s.now.Unix(), "exp": s.now.Add(5 * time.Minute).Unix()}
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
	algorithm := sharedAlgorithms[0]
	if len(j.Algorithms) > 0 {
		algorithm = j.Algorithms[0]
	}
	token, err := jwt.NewWithClaims(jwt.GetSigningMethod(algorithm), claims).SignedString(key)
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
