package verify

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/expressway-dev/expressway/pkg/secrets"
)

// DefaultTolerance is how far a signed time may be off, either way, where neither
// the Spec nor the provider says otherwise.
const DefaultTolerance = 5 * time.Minute

// A Duration is a Go duration as text, such as "5m"; empty means the default.
type Duration string

// Parse is the duration. It must be above zero: there is no way to turn freshness
// off where a scheme signs the time.
func (d Duration) Parse() (time.Duration, error) {
	v, err := time.ParseDuration(string(d))
	switch {
	case err != nil:
		return 0, errors.New("is no duration; write 30s or 5m")
	case v <= 0:
		return 0, errors.New("must be above zero")
	}
	return v, nil
}

// A Spec is one route's `verify` block (design, sections 4 and 4.1). Exactly one of
// None, Provider, HMAC, Basic, JWT, MTLS and Token is set; Token may stand beside
// Provider "meta" as a reference.
type Spec struct {
	// None is `verify: none`: every request is accepted.
	None bool `yaml:"-"`
	// Provider is a name of [Providers].
	Provider string `yaml:"provider,omitempty"`
	// HMAC describes a sender that has no preset.
	HMAC *HMAC `yaml:"hmac,omitempty"`
	// Basic is HTTP Basic; the secrets are its passwords.
	Basic *Basic `yaml:"basic,omitempty"`
	// Token is a static token in a header; the secrets are the tokens.
	Token *Token `yaml:"token,omitempty"`
	// JWT is a bearer token; see its type.
	JWT *JWT `yaml:"jwt,omitempty"`
	// MTLS is a client certificate that the front door has verified.
	MTLS *MTLS `yaml:"mtls,omitempty"`
	// URL is the public scheme, host and port, as https://hooks.example.com. Schemes
	// that sign the URL need it.
	URL string `yaml:"url,omitempty"`
	// Secrets are references, of which any may match. For schemes with public keys
	// they are the keys; for jwt they take the place of a key set.
	Secrets []string `yaml:"secrets,omitempty"`
	// Tolerance overrides the provider's.
	Tolerance Duration `yaml:"tolerance,omitempty"`
	// Topics are the ARNs that provider sns accepts, or the one word "any".
	Topics Topics `yaml:"topics,omitempty"`
}

// An HMAC describes how a sender signs. Zero values are the defaults.
type HMAC struct {
	// Header carries the signature. Required.
	Header string `yaml:"header"`
	// Algorithm is sha1, sha256 (default), sha384 or sha512.
	Algorithm string `yaml:"algorithm,omitempty"`
	// Encoding of the signature is hex (default), base64 or base64url.
	Encoding string `yaml:"encoding,omitempty"`
	// Prefix stands before each signature, as "sha256=".
	Prefix string `yaml:"prefix,omitempty"`
	// PrefixOptional takes signatures without the prefix too.
	PrefixOptional bool `yaml:"prefixOptional,omitempty"`
	// Separator makes the header a list of signatures, any of which may match; with
	// Format "kv" it separates the pairs (default a comma).
	Separator string `yaml:"separator,omitempty"`
	// Signed is a template over {body} (default), {timestamp}, {url}, {method},
	// {path}, {query} and {header:NAME}.
	Signed string `yaml:"signed,omitempty"`
	// Timestamp is where the signed time stands; it must be part of Signed.
	Timestamp *Timestamp `yaml:"timestamp,omitempty"`
	// KeyEncoding turns a secret into the key: text (default), hex, base64 or whsec.
	KeyEncoding string `yaml:"keyEncoding,omitempty"`
	// Format "kv" reads the header as key=value pairs; empty takes it as it is.
	Format string `yaml:"format,omitempty"`
	// TimestampKey and SignatureKey are the keys of Format "kv".
	TimestampKey string `yaml:"timestampKey,omitempty"`
	SignatureKey string `yaml:"signatureKey,omitempty"`
}

// A Timestamp is a time that the sender signs.
type Timestamp struct {
	// Header carries it; empty with Format "kv", where TimestampKey says where.
	Header string `yaml:"header,omitempty"`
	// Format is unix (seconds, default), unix_ms or rfc3339.
	Format string `yaml:"format,omitempty"`
	// Tolerance is how far it may be off, either way; default 5m.
	Tolerance Duration `yaml:"tolerance,omitempty"`
}

// Basic is HTTP Basic.
type Basic struct {
	// Username is compared as it is. Required.
	Username string `yaml:"username"`
}

// A Token is a static token.
type Token struct {
	// Header carries the token; default Authorization, with or without `Bearer `.
	Header string `yaml:"header,omitempty"`
	// Reference is the hub.verify_token of provider meta, written `token: REF`.
	Reference string `yaml:"-"`
}

// UnmarshalYAML reads a mapping, or a text as the Reference.
func (t *Token) UnmarshalYAML(unmarshal func(any) error) error {
	if err := unmarshal(&t.Reference); err == nil {
		return nil
	}
	type mapping Token
	return unmarshal((*mapping)(t))
}

// Topics are topic ARNs, or the one word "any".
type Topics []string

// UnmarshalYAML reads a list, or one text.
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
			return errors.New(`verify is a mapping, or the word none`)
		}
		*s = Spec{None: true}
		return nil
	}
	type mapping Spec
	return unmarshal((*mapping)(s))
}

// A Problem is one thing that is wrong in a Spec.
type Problem struct {
	// Field is the dotted path below verify, as hmac.algorithm or secrets.0; empty
	// for the block itself.
	Field string
	// Message says what is wrong, without quoting secrets.
	Message string
}

// Error is the field and the message.
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

// Validate reports everything that is wrong, in the order of the fields. Whether
// the secrets exist, only [New] can tell.
func (s *Spec) Validate() []Problem {
	c := &checker{}
	var kinds []string
	for _, k := range []struct {
		name string
		set  bool
	}{
		{"none", s.None},
		{"provider", s.Provider != ""},
		{"hmac", s.HMAC != nil},
		{"basic", s.Basic != nil},
		{"jwt", s.JWT != nil},
		{"mtls", s.MTLS != nil},
		{"token", s.Token != nil && s.Token.Reference == ""},
	} {
		if k.set {
			kinds = append(kinds, k.name)
		}
	}
	switch len(kinds) {
	case 0:
		c.add("", "names no way to verify; write provider, hmac, jwt, basic, token or mtls, or verify: none")
		return c.problems
	case 1:
	default:
		c.add("", "has %s; only one of them can be", strings.Join(kinds, " and "))
		return c.problems
	}
	needsURL, needsSecrets := false, !s.None
	switch {
	case s.HMAC != nil:
		needsURL = s.HMAC.check(c)
	case s.Basic != nil:
		if s.Basic.Username == "" || strings.Contains(s.Basic.Username, ":") {
			c.add("basic.username", "must be there, and cannot have a colon")
		}
	case s.JWT != nil:
		needsSecrets = len(s.Secrets) > 0
		s.JWT.check(c, needsSecrets)
	case s.MTLS != nil:
		needsSecrets = false
		s.MTLS.check(c)
	case s.Provider != "":
		needsURL, needsSecrets = s.checkProvider(c)
	case s.Token != nil && s.Token.Header != "":
		c.header("token.header", s.Token.Header)
	}
	s.checkRest(c, needsURL, needsSecrets)
	return c.problems
}

// checkRest checks what stands beside the scheme.
func (s *Spec) checkRest(c *checker, needsURL, needsSecrets bool) {
	if s.Token != nil && s.Token.Reference != "" {
		if s.Provider != "meta" {
			c.add("token", "as a reference stands only beside provider meta")
		} else if _, err := secrets.Parse(s.Token.Reference); err != nil {
			c.add("token", "%v", err)
		}
	}
	if s.URL != "" {
		if err := originOf(s.URL); err != nil {
			c.add("url", "%v", err)
		}
	} else if needsURL {
		c.add("url", "is missing: this scheme signs the URL, and the Host header is the sender's to choose")
	}
	if needsSecrets && len(s.Secrets) == 0 {
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
	if s.Tolerance != "" {
		c.duration("tolerance", s.Tolerance)
		if p, ok := Lookup(s.Provider); p.Tolerance == 0 && (ok || s.Provider == "") {
			c.add("tolerance", "overrides a provider that signs a time; for hmac write hmac.timestamp.tolerance")
		}
	}
	if len(s.Topics) > 0 && s.Provider != "sns" {
		c.add("topics", "belong to provider sns")
	}
}

func (s *Spec) checkProvider(c *checker) (needsURL, needsSecrets bool) {
	p, ok := Lookup(s.Provider)
	if !ok {
		c.add("provider", "%.40q is not known; known are %s", s.Provider, strings.Join(Providers(), ", "))
		return false, len(s.Secrets) > 0 // what it needs is not known
	}
	if p.Scheme == SchemeSNS {
		s.checkTopics(c)
		return false, false
	}
	return p.signsURL(), true
}

func (s *Spec) checkTopics(c *checker) {
	if len(s.Topics) == 0 {
		c.add("topics", "is missing: anyone's topic is signed by AWS; list the ARNs, or write any")
	}
	for i, topic := range s.Topics {
		if topic == "any" && len(s.Topics) == 1 {
			continue
		}
		if parts := strings.Split(topic, ":"); len(parts) != 6 || parts[0] != "arn" || parts[2] != "sns" || parts[5] == "" {
			c.add(fmt.Sprintf("topics.%d", i), "is not the ARN of a topic")
		}
	}
}

// check reports the HMAC's problems, and whether it signs the URL.
func (h *HMAC) check(c *checker) (signsURL bool) {
	c.header("hmac.header", h.Header)
	c.oneOf("hmac.algorithm", h.Algorithm, "sha1", "sha256", "sha384", "sha512")
	c.oneOf("hmac.encoding", h.Encoding, "hex", "base64", "base64url")
	c.oneOf("hmac.keyEncoding", h.KeyEncoding, "text", "hex", "base64", "whsec")
	c.oneOf("hmac.format", h.Format, "kv")
	if h.PrefixOptional && h.Prefix == "" {
		c.add("hmac.prefixOptional", "needs a prefix")
	}
	if len(h.Prefix) > 64 {
		c.add("hmac.prefix", "is longer than 64 bytes")
	}
	if len(h.Separator) > 8 || strings.Contains(h.Separator, "=") {
		c.add("hmac.separator", "is at most 8 bytes, without =")
	}
	parts, err := parseTemplate(orDefault(h.Signed, "{body}"))
	if err != nil {
		c.add("hmac.signed", "%v", err)
		parts = nil
	}
	h.checkKV(c)
	h.checkTimestamp(c, parts)
	return uses(parts, "url")
}

func (h *HMAC) checkKV(c *checker) {
	keys := [][2]string{{"hmac.signatureKey", h.SignatureKey}, {"hmac.timestampKey", h.TimestampKey}}
	if h.Format != "kv" {
		for _, key := range keys {
			if key[1] != "" {
				c.add(key[0], "needs format: kv")
			}
		}
		return
	}
	if h.SignatureKey == "" {
		c.add("hmac.signatureKey", "is missing: which pair carries the signature?")
	}
	if h.SignatureKey != "" && h.SignatureKey == h.TimestampKey {
		c.add("hmac.timestampKey", "is the same as signatureKey")
	}
	separator := orDefault(h.Separator, ",")
	for _, key := range keys {
		if strings.ContainsAny(key[1], "= \t") || strings.Contains(key[1], separator) {
			c.add(key[0], "cannot have =, a blank or the separator")
		}
	}
}

func (h *HMAC) checkTimestamp(c *checker, parts []part) {
	inKV := h.Format == "kv" && h.TimestampKey != ""
	t := h.Timestamp
	if t == nil {
		if uses(parts, "timestamp") && !inKV {
			c.add("hmac.timestamp", "is missing, but signed has {timestamp}")
		}
	} else {
		c.oneOf("hmac.timestamp.format", t.Format, "unix", "unix_ms", "rfc3339")
		c.duration("hmac.timestamp.tolerance", t.Tolerance)
		switch {
		case inKV && t.Header != "":
			c.add("hmac.timestamp.header", "and timestampKey exclude each other")
		case !inKV:
			c.header("hmac.timestamp.header", t.Header)
		}
	}
	if (t != nil || inKV) && parts != nil {
		covered := uses(parts, "timestamp") || t != nil && slices.ContainsFunc(parts, func(p part) bool {
			return p.field == "header" && strings.EqualFold(p.text, t.Header)
		})
		if !covered {
			c.add("hmac.signed", "leaves {timestamp} out, so that anyone can make an old delivery fresh")
		}
	}
}
