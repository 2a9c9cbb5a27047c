// Package providertest completes the verify block of any provider, for tests that go
// through all of them: if a provider is added, no test needs to be changed.
package providertest

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/expressway-dev/expressway/pkg/secrets"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// Reference is the secret reference in a [Case].
const Reference = "env:S"

// A Case is a complete verify block.
type Case struct {
	Spec verify.Spec
	// Secret has the form of the provider's secrets.
	Secret string
}

// values holds the values of the keys that some providers need.
func set(s *verify.Spec, field string) bool {
	switch field {
	case "url":
		s.URL = "https://hooks.example.com"
	case "secrets":
		s.Secrets = []string{Reference}
	case "topics":
		s.Topics = verify.Topics{"any"}
	case "audience":
		s.Audience = "https://hooks.example.com/a"
	case "email":
		s.Email = "pusher@example.iam.gserviceaccount.com"
	case "username":
		s.Username = "partner"
	case "publicKey":
		s.PublicKey = "public-key"
	default:
		return false
	}
	return true
}

// candidates are secrets in all existing forms.
var candidates = []string{
	"whsec_" + base64.StdEncoding.EncodeToString([]byte("a secret that no input holds")),
	strings.Repeat("a7", 32),
	base64.StdEncoding.EncodeToString([]byte("a secret that no input holds!")),
	"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==",
}

// Complete returns the case of a provider, with a public URL and everything that it
// needs.
func Complete(provider string) (Case, error) {
	s := verify.Spec{Provider: provider, URL: "https://hooks.example.com"}
	for range 8 {
		for _, p := range s.Validate() {
			if !set(&s, p.Field) {
				return Case{}, errors.New(provider + ": nothing is known to fill in: " + p.Error())
			}
		}
	}
	for _, secret := range candidates {
		source := secrets.NewEnv(func(string) string { return secret })
		_, err := verify.New(s, source, verify.Options{Now: time.Now, Fetch: func(context.Context, string) ([]byte, error) { return nil, context.Canceled }})
		if err == nil {
			return Case{s, secret}, nil
		}
	}
	return Case{}, errors.New(provider + ": none of the secrets here has its form")
}

// A Sender is a route together with what its sender signs with, which is the route's own
// secret, or keys of a test whose public half is the route's.
type Sender struct {
	Case
	// With is what [verify.SignRequest] takes.
	With string
}

// Now is the time of senders' certificates: that of the test, because a development server
// has no other clock.
var Now = time.Now().UTC().Truncate(time.Second)

// They are made once: RSA keys take a while.
var (
	keys      = sync.OnceValues(func() (string, error) { return verify.MakeKeys(Now) })
	otherKeys = sync.OnceValues(func() (string, error) { return verify.MakeKeys(Now) })
)

// Signing returns a sender of the provider, whether its keys are the provider's or ours.
func Signing(provider string) (Sender, error) {
	c, err := Complete(provider)
	if err != nil {
		return Sender{}, err
	}
	text, err := keys()
	if err != nil {
		return Sender{}, err
	}
	public, err := verify.PublicHalf(c.Spec, text)
	switch {
	case errors.Is(err, verify.ErrCannotSign): // its secret is shared
		return Sender{c, c.Secret}, nil
	case err != nil:
		return Sender{}, err
	case strings.HasPrefix(public, "whpk_"): // its secret may be of either kind
		return Sender{c, c.Secret}, nil
	}
	c.Spec.Secrets = []string{Reference}
	c.Secret = public
	return Sender{c, text}, nil
}

// Dedupe returns the route's dedupe, if a route of the provider must have one.
func (c Case) Dedupe() string {
	if p, _ := verify.Lookup(c.Spec.Provider); p.RemembersIDs {
		return "dedupe: {for: 720h}"
	}
	return "dedupe: false"
}

// YAML returns the verify block without its secret.
func (c Case) YAML() string {
	var keys []string
	add := func(key, value string) {
		if value != "" {
			keys = append(keys, key+": '"+value+"'")
		}
	}
	add("provider", c.Spec.Provider)
	add("url", c.Spec.URL)
	if len(c.Spec.Secrets) > 0 {
		keys = append(keys, "secrets: ['"+Reference+"']")
	}
	if len(c.Spec.Topics) > 0 {
		add("topics", c.Spec.Topics[0])
	}
	add("audience", c.Spec.Audience)
	add("email", c.Spec.Email)
	add("username", c.Spec.Username)
	add("publicKey", c.Spec.PublicKey)
	return "{" + strings.Join(keys, ", ") + "}"
}
