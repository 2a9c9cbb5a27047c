package verify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"net/http"
	"strings"
)

// tokenScheme is a static secret in a header.
var tokenScheme = scheme{
	name:     "token",
	verifier: func(b *builder) (Verifier, error) { return b.newToken(b.spec.Token.Header) },
	sign: func(s *signer, _ *Request) error {
		s.token(s.spec.Token.Header)
		return nil
	},
	check: func(c *checker, s *Spec) {
		if s.Token.Header != "" {
			c.header("token.header", s.Token.Header)
		}
	},
	challenge: func(s *Spec) string {
		if http.CanonicalHeaderKey(orDefault(s.Token.Header, authorization)) == authorization {
			return "Bearer"
		}
		return ""
	},
	defaults: func(s *Spec) []Default {
		if s.Token.Header != "" {
			return nil
		}
		return []Default{{"token.header", authorization, "the default: with or without Bearer"}}
	},
}

// token is a static secret in a header.
type token struct {
	header string
	keys   *keyring[[sha256.Size]byte]
}

func (b *builder) newToken(header string) (Verifier, error) {
	keys, err := newKeyring(b, digestOf, "")
	if err != nil {
		return nil, err
	}
	return &token{orDefault(header, authorization), keys}, nil
}

func (v *token) Headers() []string { return []string{strings.ToLower(v.header)} }

func (v *token) Verify(ctx context.Context, r *Request) error {
	value, err := headerValue(r.Header, v.header)
	if err != nil {
		return err
	}
	if http.CanonicalHeaderKey(v.header) == authorization {
		if bare, ok := credentials(value, "Bearer"); ok {
			value = bare
		}
	}
	got, _ := digestOf(value)
	return v.keys.match(ctx, v.header, func(want [sha256.Size]byte) bool { return hmac.Equal(got[:], want[:]) })
}

func (s *signer) token(header string) {
	text := s.secret
	if header = orDefault(header, authorization); http.CanonicalHeaderKey(header) == authorization {
		text = "Bearer " + text
	}
	s.out.Header.Set(header, text)
}
