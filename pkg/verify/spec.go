package verify

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/expressway-dev/expressway/pkg/secrets"
)

// defaultTolerance is how far a signed time may be off, either way, if neither the Spec
// nor the provider says otherwise.
const defaultTolerance = 5 * time.Minute

// A Duration is a Go duration as text, such as "5m"; empty means the default.
type Duration string

// Parse returns the duration. It must be above zero: the check of a signed time cannot be
// turned off.
func (d Duration) Parse() (time.Duration, error) {
	v, err := time.ParseDuration(string(d))
	switch {
	case err != nil:
		return 0, errors.New("is not a duration; write 30s or 5m")
	case v <= 0:
		return 0, errors.New("must be above zero")
	}
	return v, nil
}

// A Spec is one route's `verify` block. Exactly one of None, Provider and the [Blocks] is
// set; Token may also be set, as a reference, with Provider "meta".
type Spec struct {
	// None is `verify: none`: every request is accepted.
	None bool `yaml:"-"`
	// Provider is one of [Providers], or the name of Custom.
	Provider string `yaml:"provider,omitempty"`
	// Custom is a Go program's own scheme that Provider names; nil for a preset.
	Custom *Custom `yaml:"-"`
	// HMAC describes a sender that has no preset.
	HMAC *HMAC `yaml:"hmac,omitempty"`
	// Signature describes a sender that signs with a private key.
	Signature *KeySignature `yaml:"signature,omitempty"`
	// Basic is HTTP Basic; the secrets are its passwords.
	Basic *Basic `yaml:"basic,omitempty"`
	// Token is a static token in a header; the secrets are the tokens.
	Token *Token `yaml:"token,omitempty"`
	// JWT is a bearer token; see its type.
	JWT *JWT `yaml:"jwt,omitempty"`
	// MTLS is a client certificate that the front door has verified.
	MTLS *MTLS `yaml:"mtls,omitempty"`
	// URL is the public scheme, host and port, such as https://hooks.example.com. Schemes
	// that sign the URL need it. A path in it replaces the part that routing removes from
	// the request's path.
	URL string `yaml:"url,omitempty"`
	// Secrets are references, any of which may match. For schemes with public keys, they
	// are the keys; for jwt, they replace a key set.
	Secrets []string `yaml:"secrets,omitempty"`
	// Tolerance overrides the provider's tolerance.
	Tolerance Duration `yaml:"tolerance,omitempty"`
	// Versions are the kinds of signatures that are accepted, for a provider that has
	// several; the default is the preset's.
	Versions []string `yaml:"versions,omitempty"`
	// ContentTypes are the media types that are accepted, where application/json stands
	// for every type of JSON; the default is the preset's, or all types without a preset.
	ContentTypes []string `yaml:"contentTypes,omitempty"`
	// Audience is the intended recipient of a provider's deliveries, such as the `aud` of
	// its tokens or the ID of a webhook. Email is the service account that requests tokens.
	Audience string `yaml:"audience,omitempty"`
	Email    string `yaml:"email,omitempty"`
	// Username is the HTTP Basic user name, for a provider that sends one.
	Username string `yaml:"username,omitempty"`
	// PublicKey is what the provider calls its public key, which precedes its signatures.
	PublicKey string `yaml:"publicKey,omitempty"`
	// Handshake is "echo" if a provider's unsigned setup request should be answered,
	// which starts nothing and discloses nothing. Otherwise it is not answered.
	Handshake string `yaml:"handshake,omitempty"`
	// HandshakeStore is the place for a secret that a provider hands over in its setup
	// request, written `handshake: {store: REF}`. It is one of the secrets, and may be
	// missing: until then only the setup request is answered.
	HandshakeStore string `yaml:"-"`
	// Topics are the ARNs that provider sns accepts, or the single word "any".
	Topics Topics `yaml:"topics,omitempty"`
}

// Basic is HTTP Basic authentication; the passwords are the Spec's secrets.
type Basic struct {
	// Username is compared as it is. Required.
	Username string `yaml:"username"`
}

// A Token is a static token.
type Token struct {
	// Header carries the token; default Authorization, with or without `Bearer `.
	Header string `yaml:"header,omitempty"`
	// Query is the query parameter that carries it instead.
	Query string `yaml:"query,omitempty"`
	// Body is the member of a JSON body, or the field of a form, that carries it instead:
	// a name, or a JSON pointer such as /data/verification_token.
	Body string `yaml:"body,omitempty"`
	// Reference is the hub.verify_token of provider meta, written `token: REF`.
	Reference string `yaml:"-"`
}

// UnmarshalYAML reads a mapping, or text as the Reference.
func (t *Token) UnmarshalYAML(unmarshal func(any) error) error {
	if err := unmarshal(&t.Reference); err == nil {
		return nil
	}
	type mapping Token
	return unmarshal((*mapping)(t))
}

// Topics are topic ARNs, or the single word "any".
type Topics []string

// UnmarshalYAML reads a list, or a single text.
func (t *Topics) UnmarshalYAML(unmarshal func(any) error) error {
	var one string
	if err := unmarshal(&one); err == nil {
		*t = Topics{one}
		return nil
	}
	return unmarshal((*[]string)(t))
}

// UnmarshalYAML reads a mapping, or the word none.
func (s *Spec) UnmarshalYAML(unmarshal func(any) error) error {
	var word string
	if err := unmarshal(&word); err == nil {
		if word != "none" {
			return errors.New(`verify must be a mapping, or the word none`)
		}
		*s = Spec{None: true}
		return nil
	}
	type mapping Spec
	return unmarshal((*mapping)(s))
}

// A Problem is a single mistake in a Spec.
type Problem struct {
	// Field is the dotted path below verify, such as hmac.algorithm or secrets.0; empty
	// for the block itself.
	Field string
	// Message describes the mistake, without quoting secrets.
	Message string
}

// Error returns the field and the message.
func (p Problem) Error() string {
	if p.Field == "" {
		return "verify: " + p.Message
	}
	return "verify." + p.Field + ": " + p.Message
}

type checker struct{ problems []Problem }

func (c *checker) add(field, format string, args ...any) {
	c.problems = append(c.problems, Problem{field, fmt.Sprintf(format, args...)})
}

func (c *checker) oneOf(field, value string, allowed ...string) {
	if value != "" && !slices.Contains(allowed, value) {
		c.add(field, "%.40q is not one of %s", value, strings.Join(allowed, ", "))
	}
}

func (c *checker) duration(field string, d Duration) {
	if d != "" {
		if _, err := d.Parse(); err != nil {
			c.add(field, "%v", err)
		}
	}
}

func (c *checker) header(field, name string) {
	if !isToken(name) {
		c.add(field, "is not the name of a header")
	}
}

// Validate reports everything that is wrong, in the order of the fields. Only [New] can
// tell whether the secrets exist.
func (s *Spec) Validate() []Problem {
	c := &checker{}
	found := blockOf(s)
	switch len(found) {
	case 0:
		c.add("", "has no way to verify: write %s, or verify: none", listed())
		return c.problems
	case 1:
	default:
		keys := make([]string, len(found))
		for i, b := range found {
			keys[i] = b.key
		}
		c.add("", "has %s: keep one of them", strings.Join(keys, " and "))
		return c.problems
	}
	way, p := found[0].scheme, &noPreset
	if way == nil { // a provider's
		var ok bool
		if p, ok = s.Known(); !ok {
			c.add("provider", "%.40q is not known; the providers are %s", s.Provider, strings.Join(Providers(), ", "))
			s.checkRest(c, false, len(s.Secrets) > 0) // the needs of an unknown provider cannot be checked
			return c.problems
		}
		way = p.scheme
	}
	if way.check != nil {
		way.check(c, s)
	}
	s.checkRest(c, way.signsURL != nil && way.signsURL(s, p), way.keyless == nil || !way.keyless(s, p))
	s.checkPreset(c, p)
	return c.problems
}

// checkRest checks the keys that are not the scheme's own.
func (s *Spec) checkRest(c *checker, needsURL, needsSecrets bool) {
	if s.URL != "" {
		if err := checkURL(s.URL); err != nil {
			c.add("url", "%v", err)
		}
	} else if needsURL {
		c.add("url", "is missing: this scheme signs the URL, and the Host header cannot be used because the sender chooses it")
	}
	if needsSecrets && len(s.Secrets) == 0 && s.HandshakeStore == "" {
		c.add("secrets", "must list at least one reference")
	}
	if !needsSecrets && len(s.Secrets) > 0 {
		c.add("secrets", "are not used by this scheme")
	}
	for i, text := range s.Secrets {
		if _, err := secrets.Parse(text); err != nil {
			c.add(fmt.Sprintf("secrets.%d", i), "%v", err)
		}
	}
	c.contentTypes(s.ContentTypes)
	if s.None && len(s.ContentTypes) > 0 {
		c.add("contentTypes", "cannot be combined with verify: none")
	}
}

// checkPreset checks the keys that are only allowed with some providers.
func (s *Spec) checkPreset(c *checker, p *Preset) {
	if s.Token != nil && s.Token.Reference != "" {
		if _, err := secrets.Parse(s.Token.Reference); err != nil {
			c.add("token", "%v", err)
		}
		c.taken("token", p)
	}
	if len(s.Topics) > 0 {
		c.taken("topics", p)
	}
	for _, key := range s.providerKeys() {
		if key.value != "" {
			c.taken(key.name, p)
		} else if slices.Contains(p.needs, key.name) {
			c.add(key.name, "is missing: provider %s needs it", p.Name)
		}
	}
	c.oneOf("handshake", s.Handshake, "echo")
	s.checkStore(c, p)
	if s.Tolerance != "" {
		c.duration("tolerance", s.Tolerance)
		if p.Tolerance == 0 {
			c.add("tolerance", "overrides a provider that signs a time; for hmac write hmac.timestamp.tolerance")
		}
	}
	if len(s.Versions) > 0 && len(p.Versions) == 0 {
		c.add("versions", "are only valid for providers that sign in several ways")
		return
	}
	for i, version := range s.Versions {
		c.oneOf(fmt.Sprintf("versions.%d", i), orDefault(version, "(empty)"), p.Versions...)
	}
}

// placesToken reports whether the Spec's token only names the place of a provider's
// token, and is not a block of its own.
func (s *Spec) placesToken() bool {
	p, ok := Lookup(s.Provider)
	return ok && slices.Contains(p.takes, "token.header")
}

type providerKey struct{ name, value string }

// providerKeys returns the keys that only some providers allow.
func (s *Spec) providerKeys() []providerKey {
	return []providerKey{
		{"audience", s.Audience},
		{"email", s.Email},
		{"username", s.Username},
		{"publicKey", s.PublicKey},
		{"handshake", s.Handshake},
	}
}

// taken reports a key that does not belong to the preset.
func (c *checker) taken(key string, p *Preset) {
	if !slices.Contains(p.takes, key) && !slices.Contains(p.needs, key) {
		what := map[string]string{"token": "as a reference "}[key]
		c.add(key, "%sis allowed only with provider %s", what, strings.Join(takenBy(key), ", "))
	}
}
