package verify

import (
	"context"
	"strings"
	"time"
)

// A Custom is a verification scheme that a Go program adds, under its own provider name,
// through pkg/gateway. A route names it like a preset:
//
//	verify: {provider: acme, secrets: ["env:ACME_SECRET"]}
type Custom struct {
	// Name is the provider's name in routes. It must not be that of a preset.
	Name string
	// Verify reports whether r was signed with the secret and, if the sender signs a
	// time, whether that time is neither too old nor too far ahead. It is called for each
	// secret of the route until it reports true, must be safe for concurrent use, and
	// compares in constant time.
	Verify func(r *Request, secret string, now time.Time) bool
	// Headers are the names of the headers that Verify reads. They carry credentials, and
	// are left out of a route's default input.
	Headers []string
	// ContentTypes, DeliveryID, EventName, Deadline and Ack are as in a [Preset].
	ContentTypes []string
	DeliveryID   Place
	EventName    Place
	Deadline     time.Duration
	Ack          Ack
}

// Preset returns the preset of the provider that s names; ok is false if s names no
// provider or an unknown one.
func (s *Spec) Preset() (p Preset, ok bool) {
	known, ok := s.Known()
	if !ok {
		return Preset{}, false
	}
	return known.clone(), true
}

// Known is like [Spec.Preset], but returns the preset itself, which must not be changed: a
// start looks up a preset for each route several times.
func (s *Spec) Known() (*Preset, bool) {
	if c := s.Custom; c != nil {
		return &Preset{
			Name: c.Name, ContentTypes: c.ContentTypes, DeliveryID: c.DeliveryID, EventName: c.EventName,
			Deadline: c.Deadline, Ack: c.Ack, scheme: &customScheme,
		}, true
	}
	return presetOf(s.Provider)
}

// customScheme is the scheme of every [Custom].
var customScheme = scheme{
	name: "custom",
	verifier: func(b *builder) (Verifier, error) {
		keys, err := newKeyring(b, func(secret string) (string, error) { return secret, nil }, "")
		if err != nil {
			return nil, err
		}
		return &custom{b.spec.Custom, keys, b.now}, nil
	},
	check: func(c *checker, s *Spec) {
		if s.Custom.Verify == nil {
			c.add("provider", "%q has no Verify", s.Custom.Name)
		}
		if _, taken := Lookup(s.Custom.Name); taken || s.Custom.Name == "" {
			c.add("provider", "%q cannot be the name of a scheme of the program's own: it is empty, or a preset's", s.Custom.Name)
		}
	},
}

var customTools = tools{
	unsignable: "only the program that adds the scheme knows how it signs",
	signature:  &Signature{Algorithm: "custom"},
}

type custom struct {
	scheme *Custom
	keys   *keyring[string]
	now    func() time.Time
}

func (v *custom) Headers() []string {
	names := make([]string, len(v.scheme.Headers))
	for i, name := range v.scheme.Headers {
		names[i] = strings.ToLower(name)
	}
	return names
}

func (v *custom) Verify(ctx context.Context, r *Request) error {
	now := v.now()
	return v.keys.match(ctx, v.scheme.Name, func(secret string) bool { return v.scheme.Verify(r, secret, now) })
}
