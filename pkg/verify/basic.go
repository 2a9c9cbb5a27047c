package verify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

const authorization = "Authorization"

// credentials returns what follows the scheme in an Authorization header.
func credentials(value, scheme string) (string, bool) {
	if len(value) <= len(scheme) || !strings.EqualFold(value[:len(scheme)], scheme) || value[len(scheme)] != ' ' {
		return "", false
	}
	return strings.TrimLeft(value[len(scheme):], " "), true
}

// digestOf makes texts of any length equally long, so that comparing them does not reveal
// the length of the secret.
func digestOf(s string) ([sha256.Size]byte, error) { return sha256.Sum256([]byte(s)), nil }

// basicScheme is HTTP Basic authentication: https://www.rfc-editor.org/rfc/rfc7617.
var basicScheme = scheme{
	name:     "basic",
	verifier: func(b *builder) (Verifier, error) { return b.newBasic(b.spec.Basic.Username) },
	fields: func(s *Spec) []Field {
		s.Basic = &Basic{}
		return []Field{{Key: "username", To: &s.Basic.Username}}
	},
	check: func(c *checker, s *Spec) {
		if s.Basic.Username == "" || strings.Contains(s.Basic.Username, ":") {
			c.add("basic.username", "is missing, or has a colon")
		}
	},
	challenge: basicChallenge,
}

var basicTools = tools{
	sign: func(s *signer, _ *Request) error { return s.basic(s.spec.Basic.Username) },
}

type basic struct {
	username [sha256.Size]byte
	keys     *keyring[[sha256.Size]byte]
}

func (b *builder) newBasic(username string) (Verifier, error) {
	keys, err := newKeyring(b, digestOf, "")
	if err != nil {
		return nil, err
	}
	name, _ := digestOf(username)
	return &basic{name, keys}, nil
}

func (*basic) Headers() []string { return []string{"authorization"} }

func (v *basic) Verify(ctx context.Context, r *Request) error {
	value, err := headerValue(r.Header, authorization)
	if err != nil {
		return err
	}
	text, ok := credentials(value, "Basic")
	if !ok {
		return refuse(Malformed, authorization)
	}
	raw, err := decodeBase64(text)
	if err != nil {
		return refuse(Malformed, authorization)
	}
	// The first colon ends the name; a password may contain more colons.
	name, password, ok := strings.Cut(string(raw), ":")
	if !ok {
		return refuse(Malformed, authorization)
	}
	gotName, _ := digestOf(name)
	got, _ := digestOf(password)
	known := hmac.Equal(gotName[:], v.username[:])
	return v.keys.match(ctx, authorization, func(want [sha256.Size]byte) bool {
		return hmac.Equal(got[:], want[:]) && known
	})
}

func basicChallenge(*Spec) string { return `Basic;, charset="UTF-8"` }

func (s *signer) basic(username string) error {
	s.out.Header.Set(authorization, "Basic "+base64.StdEncoding.EncodeToString([]byte(username+":"+s.secret)))
	return nil
}
