package verify

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// ErrCannotSign says that a scheme needs more than a shared secret to sign: a
// private key, or a place in the body.
var ErrCannotSign = errors.New("this scheme cannot be signed with its secret")

// Sign returns the headers that make r pass the verifier of s at the time now, for
// samples and tests. secret is the text behind one of the Spec's references. With
// `verify: none` there are none. Headers that a scheme signs and does not make,
// such as Twitch's message id, must be in r already.
func Sign(s Spec, secret string, r *Request, now time.Time) (http.Header, error) {
	if problems := s.Validate(); len(problems) > 0 {
		return nil, problems[0]
	}
	if s.None {
		return http.Header{}, nil
	}
	if secret == "" {
		return nil, errors.New("the secret is empty")
	}
	switch {
	case s.HMAC != nil:
		return signHMAC(*s.HMAC, s.URL, secret, r, now)
	case s.Basic != nil:
		value := base64.StdEncoding.EncodeToString([]byte(s.Basic.Username + ":" + secret))
		return http.Header{authorization: {"Basic " + value}}, nil
	case s.Provider == "" && s.Token != nil:
		return signToken(s.Token.Header, secret), nil
	}
	preset, _ := Lookup(s.Provider)
	switch preset.Scheme {
	case SchemeHMAC:
		return signHMAC(*preset.HMAC, s.URL, secret, r, now)
	case SchemeStandard:
		return signStandard(secret, r, now)
	case SchemeGitLab:
		if strings.HasPrefix(secret, "whsec_") {
			return signStandard(secret, r, now)
		}
		return signToken(gitlabToken, secret), nil
	}
	return nil, fmt.Errorf("provider %s: %w", s.Provider, ErrCannotSign)
}

func signHMAC(h HMAC, base, secret string, r *Request, now time.Time) (http.Header, error) {
	s := compileHMAC(h, base)
	key, err := keyDecoder(s.keyEncoding)(secret)
	if err != nil {
		return nil, errors.New("the secret is not a key of the form this scheme takes")
	}
	return s.sign(key, r, now)
}

func signToken(header, secret string) http.Header {
	out := http.Header{}
	if header = orDefault(header, authorization); http.CanonicalHeaderKey(header) == authorization {
		secret = "Bearer " + secret
	}
	out.Set(header, secret)
	return out
}
