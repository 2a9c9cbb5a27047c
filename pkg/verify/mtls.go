package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// An MTLS names the client certificates that a route accepts. The front door has verified
// the certificate and its chain against its trust store; an MTLS says which of the
// certificates that the store admits may call this route.
//
// A pattern is a distinguished name, or a part of one: `CN=orders.example.com`, or
// `CN=*.example.com,O=Example`. Each of its attributes must be in the certificate's name
// with an equal value, where * matches any text. If a type occurs more than once, all its
// attributes must be named in their order; the order of types is free. A pattern without
// = is compared with the whole name, and the pattern * matches any name.
type MTLS struct {
	// Subject lists patterns, one of which must match. Required.
	Subject []string `yaml:"subject"`
	// Issuer lists patterns, one of which must match; if it is empty, the trust store
	// decides.
	Issuer []string `yaml:"issuer,omitempty"`
}

// A ClientCert is what a front door reports about the certificate that the client proved
// to own, with the names of its events: requestContext.identity.clientCert in REST APIs,
// requestContext.authentication.clientCert in HTTP APIs. It must only be taken from
// there: the sender could write headers with such contents.
type ClientCert struct {
	SubjectDN    string   `json:"subjectDN"`
	IssuerDN     string   `json:"issuerDN"`
	SerialNumber string   `json:"serialNumber"`
	Validity     Validity `json:"validity"`
}

// Validity is a certificate's first and last moment, such as "May 28 12:30:02 2019 GMT".
type Validity struct {
	NotBefore string `json:"notBefore"`
	NotAfter  string `json:"notAfter"`
}

// validityLayout is the format in which OpenSSL, and so API Gateway, prints a time.
const validityLayout = "Jan _2 15:04:05 2006 MST"

const (
	maxName       = 4 << 10 // bytes of a distinguished name
	maxAttributes = 64
)

func (m *MTLS) check(c *checker) {
	if len(m.Subject) == 0 {
		c.add("mtls.subject", "is missing: write the names of the certificates, or * for all that the trust store admits")
	}
	c.patterns("mtls.subject", m.Subject)
	c.patterns("mtls.issuer", m.Issuer)
}

func (c *checker) patterns(field string, patterns []string) {
	for i, p := range patterns {
		if _, err := parsePattern(p); err != nil {
			c.add(fmt.Sprintf("%s.%d", field, i), "%v", err)
		}
	}
}

type mtls struct {
	subject, issuer []namePattern
	now             func() time.Time
}

// mtlsScheme is for a certificate that the front door has verified.
var mtlsScheme = scheme{
	name:     "mtls",
	verifier: newMTLS,
	fields: func(s *Spec) []Field {
		s.MTLS = &MTLS{}
		return []Field{{Key: "subject", To: &s.MTLS.Subject}, {Key: "issuer", To: &s.MTLS.Issuer}}
	},
	check:   func(c *checker, s *Spec) { s.MTLS.check(c) },
	keyless: func(*Spec, *Preset) bool { return true },
}

var mtlsTools = tools{
	unsignable: "a client certificate is shown in the TLS handshake",
}

func newMTLS(b *builder) (Verifier, error) {
	m := b.spec.MTLS
	v := &mtls{now: b.now}
	for _, text := range m.Subject {
		p, _ := parsePattern(text) // Validate has checked it
		v.subject = append(v.subject, p)
	}
	for _, text := range m.Issuer {
		p, _ := parsePattern(text)
		v.issuer = append(v.issuer, p)
	}
	return v, nil
}

func (*mtls) Headers() []string { return nil }

func (v *mtls) Verify(_ context.Context, r *Request) error {
	cert := r.ClientCert
	switch {
	case cert == nil || cert.SubjectDN == "":
		return refuse(Missing, "client certificate")
	case !matchesAny(v.subject, cert.SubjectDN):
		return refuse(Mismatch, "subjectDN")
	case len(v.issuer) > 0 && !matchesAny(v.issuer, cert.IssuerDN):
		return refuse(Mismatch, "issuerDN")
	}
	from, errFrom := time.Parse(validityLayout, cert.Validity.NotBefore)
	to, errTo := time.Parse(validityLayout, cert.Validity.NotAfter)
	if errFrom != nil || errTo != nil {
		return refuse(Malformed, "validity")
	}
	if now := v.now(); now.Before(from) || now.After(to) {
		return refuse(Stale, "validity")
	}
	return nil
}

func matchesAny(patterns []namePattern, name string) bool {
	attributes, _ := parseName(name) // a name that cannot be parsed can still be equal to a pattern
	return slices.ContainsFunc(patterns, func(p namePattern) bool { return p.matches(name, attributes) })
}

// A namePattern is a parsed pattern: either the whole text or attributes.
type namePattern struct {
	whole      string
	attributes []attribute
}

// An attribute is a type in upper case, and its value without escapes.
type attribute struct{ kind, value string }

func parsePattern(text string) (namePattern, error) {
	switch {
	case text == "":
		return namePattern{}, errors.New("is empty")
	case !strings.Contains(text, "="):
		if text != "*" && strings.Contains(text, "*") {
			return namePattern{}, errors.New("may have * within an attribute's value, such as CN=*.example.com, or alone")
		}
		return namePattern{whole: text}, nil
	}
	attributes, ok := parseName(text)
	if !ok {
		return namePattern{}, errors.New("is not a distinguished name, such as CN=orders.example.com,O=Example")
	}
	return namePattern{attributes: attributes}, nil
}

func (p *namePattern) matches(name string, attributes []attribute) bool {
	switch {
	case p.whole == "*":
		return name != ""
	case p.whole != "":
		return p.whole == name
	case len(attributes) == 0:
		return false
	}
	for _, kind := range p.attributes {
		want, got := valuesOf(p.attributes, kind.kind), valuesOf(attributes, kind.kind)
		if !slices.EqualFunc(want, got, glob) {
			return false
		}
	}
	return true
}

func valuesOf(attributes []attribute, kind string) []string {
	var values []string
	for _, a := range attributes {
		if a.kind == kind {
			values = append(values, a.value)
		}
	}
	return values
}

// glob matches a value with a pattern in which * matches any text.
func glob(pattern, value string) bool {
	first, rest, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == value
	}
	value, ok := strings.CutPrefix(value, first)
	if !ok {
		return false
	}
	parts := strings.Split(rest, "*")
	last := parts[len(parts)-1]
	for _, part := range parts[:len(parts)-1] {
		_, after, found := strings.Cut(value, part)
		if !found {
			return false
		}
		value = after
	}
	return strings.HasSuffix(value, last)
}

// parseName reads a distinguished name as RFC 4514 writes it, with the spaces that
// OpenSSL adds after commas. An escape is a backslash followed by one character or two
// hex digits; the older form of a value in quotes is accepted too.
func parseName(text string) ([]attribute, bool) {
	if len(text) > maxName {
		return nil, false
	}
	var attributes []attribute
	for rest := text; ; {
		kind, after, found := strings.Cut(rest, "=")
		kind = strings.ToUpper(strings.TrimSpace(kind))
		if !found || !isKind(kind) || len(attributes) == maxAttributes {
			return nil, false
		}
		value, next, more, ok := nameValue(after)
		if !ok {
			return nil, false
		}
		attributes = append(attributes, attribute{kind, value})
		if !more {
			return attributes, true
		}
		rest = next
	}
}

// isKind accepts names such as CN as well as 2.5.4.3.
func isKind(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '.' && c != '-' {
			return false
		}
	}
	return s != ""
}

// nameValue reads up to a separator that is not escaped.
func nameValue(text string) (value, rest string, more, ok bool) {
	text = strings.TrimLeft(text, " ")
	var b strings.Builder
	quoted, hard := false, 0 // hard is the length up to the last byte that is not a trailing space
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			if i+1 == len(text) {
				return "", "", false, false
			}
			if raw, err := decodeHex(text[i+1 : min(i+3, len(text))]); err == nil && len(raw) == 1 {
				b.WriteByte(raw[0])
				i += 2
			} else {
				b.WriteByte(text[i+1])
				i++
			}
			hard = b.Len()
		case c == '"':
			quoted = !quoted
			hard = b.Len()
		case !quoted && (c == ',' || c == '+' || c == ';'):
			return b.String()[:hard], text[i+1:], true, true
		default:
			b.WriteByte(c)
			if c != ' ' || quoted {
				hard = b.Len()
			}
		}
	}
	return b.String()[:hard], "", false, !quoted
}
