// Package secrets turns references to secrets into their values.
//
// A configuration never holds a secret, only a [Reference]: `env:NAME`, `ssm:/path`,
// `secretsmanager:id#key` or `secretsmanager:id#key@AWSPREVIOUS`. [Parse] reads one, a
// [Source] looks it up, and the resulting [Secret] appears as "[redacted]" wherever it is
// printed, logged or marshalled; only [Secret.Reveal] returns the text.
//
//	Parse ── Reference ──► Source ──┬─ env:  the environment, at each call
//	                                └─ else  the cache ── Fetcher (pkg/secrets/awsstore)
//
// The package knows neither what a secret is for nor how it is encoded; that is decided
// where it is used. It uses no SDK either, so that programs that only parse references do
// not link one.
package secrets

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
)

// maxReference bounds the text of a reference; Secrets Manager's ARNs, the longest known
// references, are much shorter.
const maxReference = 2048

// Errors of this package; test for them with [errors.Is].
var (
	// ErrReference means that a text is not a reference.
	ErrReference = errors.New("not a secret reference")
	// ErrUnsupported means that a reference is of a kind the source cannot look up.
	ErrUnsupported = errors.New("secret reference is not supported")
	// ErrMissing means that the secret does not exist or is empty.
	ErrMissing = errors.New("secret is missing or empty")
	// ErrNoVersion means that the secret has no version of the reference's stage, as a
	// secret that was never rotated has no AWSPREVIOUS. It is not a failure if other
	// references have a value.
	ErrNoVersion = errors.New("secret has no version of this stage")
	// ErrExists means that the secret already exists, which is never overwritten.
	ErrExists = errors.New("secret already exists")
	// ErrDenied means that the secret may not be read, or cannot be used; retrying does
	// not help.
	ErrDenied = errors.New("secret cannot be read")
)

// A Scheme is the kind of place that holds a secret.
type Scheme string

// The schemes that [Parse] knows.
const (
	Env            Scheme = "env"            // an environment variable
	SSM            Scheme = "ssm"            // an SSM parameter
	SecretsManager Scheme = "secretsmanager" // a secret in Secrets Manager, or one key of its JSON
)

// A Reference names a secret and is not secret itself: it may be printed and logged. The
// zero value names nothing, and every [Source] refuses it.
type Reference struct {
	// Scheme is the kind of place that holds the secret.
	Scheme Scheme
	// Name is the variable's, parameter's or secret's name; an ARN is a name too.
	Name string
	// Key is the member of the secret's JSON object to take, after `#`; empty means the
	// whole secret. It is empty unless Scheme is SecretsManager, as is Stage.
	Key string
	// Stage is the version to take, after `@`: AWSCURRENT, which is also the
	// default, AWSPREVIOUS or AWSPENDING.
	Stage string
}

// Remote reports whether looking up the reference calls a service, which happens on first
// use.
func (r Reference) Remote() bool { return r.Scheme == SSM || r.Scheme == SecretsManager }

// Parse reads a reference. The error wraps [ErrReference] and never quotes the
// text, which may be a secret that someone pasted in place of a reference.
func Parse(text string) (Reference, error) {
	if len(text) > maxReference {
		return Reference{}, fmt.Errorf("%w: longer than %d bytes", ErrReference, maxReference)
	}
	scheme, name, ok := strings.Cut(text, ":")
	if !ok {
		return Reference{}, fmt.Errorf("%w: write env:NAME, ssm:/path or secretsmanager:id#key, never the secret itself", ErrReference)
	}
	ref := Reference{Scheme: Scheme(scheme), Name: name}
	switch ref.Scheme {
	case Env:
		if !isVariable(name) {
			return Reference{}, fmt.Errorf("%w: env: must be followed by the name of an environment variable", ErrReference)
		}
	case SSM:
		if !isName(name) {
			return Reference{}, fmt.Errorf("%w: ssm: must be followed by the name of a parameter", ErrReference)
		}
	case SecretsManager:
		ok := ref.cutVersion()
		if !ok || !isName(ref.Name) {
			return Reference{}, fmt.Errorf("%w: secretsmanager: must be followed by the id of a secret, optionally with #key, #key@AWSPREVIOUS or #@AWSPREVIOUS", ErrReference)
		}
	default:
		return Reference{}, fmt.Errorf("%w: unknown scheme; use env:NAME, ssm:NAME or secretsmanager:ID", ErrReference)
	}
	return ref, nil
}

// cutVersion removes #key@stage from the name. The id of a secret may hold an @, so a
// stage is only allowed after #; a key may hold one too, so what follows the last @ is
// always a stage, and must be one that AWS knows.
func (r *Reference) cutVersion() bool {
	name, rest, keyed := strings.Cut(r.Name, "#")
	if !keyed {
		return true
	}
	r.Name, r.Key = name, rest
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		r.Key, r.Stage = rest[:i], rest[i+1:]
		return r.Stage == "AWSCURRENT" || r.Stage == "AWSPREVIOUS" || r.Stage == "AWSPENDING"
	}
	return r.Key != ""
}

// String is the text that [Parse] reads.
func (r Reference) String() string {
	s := string(r.Scheme) + ":" + r.Name
	if r.Key != "" || r.Stage != "" {
		s += "#" + r.Key
	}
	if r.Stage != "" {
		s += "@" + r.Stage
	}
	return s
}

func isVariable(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// isName accepts what AWS allows in parameter names, secret names and ARNs.
func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if ('a' > c || c > 'z') && ('A' > c || c > 'Z') && ('0' > c || c > '9') && !strings.ContainsRune("/_+=.@-:!", rune(c)) {
			return false
		}
	}
	return s != ""
}

// A Source looks secrets up. Get is called for every request, so that a rotated secret is
// noticed; it answers from a cache if a lookup is expensive. A secret that is absent or
// empty is an error that wraps [ErrMissing]. Errors name the reference. Implementations
// are safe for concurrent use.
type Source interface {
	Get(ctx context.Context, ref Reference) (Secret, error)
}

// redacted is what a secret prints as.
const redacted = "[redacted]"

// A Secret is a text that must not be shown. It is comparable, but use crypto/hmac or
// crypto/subtle if timing matters.
type Secret struct{ text string }

// New makes a secret from a text.
func New(text string) Secret { return Secret{text} }

// Reveal returns the secret's text.
func (s Secret) Reveal() string { return s.text }

// IsZero reports whether the secret is empty; an empty secret protects nothing.
func (s Secret) IsZero() bool { return s.text == "" }

// String returns "[redacted]".
func (Secret) String() string { return redacted }

// GoString returns "[redacted]", so that %#v shows no more than %v.
func (Secret) GoString() string { return redacted }

// LogValue returns "[redacted]".
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns "[redacted]".
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Format writes "[redacted]" for every verb: %x and %d would otherwise bypass String and
// print the struct's field.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

type env struct{ getenv func(string) string }

// NewEnv is a source of environment variables, read through getenv at each call; nil is
// [os.Getenv].
// References of other schemes are refused with [ErrUnsupported].
func NewEnv(getenv func(string) string) Source {
	if getenv == nil {
		getenv = os.Getenv
	}
	return env{getenv}
}

func (e env) Get(_ context.Context, ref Reference) (Secret, error) {
	if ref.Scheme != Env {
		return Secret{}, fmt.Errorf("%s: %w here", ref, ErrUnsupported)
	}
	text := e.getenv(ref.Name)
	if text == "" {
		return Secret{}, fmt.Errorf("%s: %w", ref, ErrMissing)
	}
	return Secret{text}, nil
}
