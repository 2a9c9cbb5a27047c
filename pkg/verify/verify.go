// Package verify decides whether a webhook request comes from the sender that it claims
// to come from.
//
// A route's `verify` block is a [Spec]: a provider's preset, a description of how an unknown
// sender proves its identity (HMAC, public-key signature, JWT, HTTP Basic, static token or
// client certificate), or the explicit word none. [New] turns it into a [Verifier] and fails
// closed: an unknown provider, an empty secret or a key that cannot be decoded is an
// error before the first request. Providers are data: [Providers] lists their names, and
// [Lookup] returns one.
//
//	Spec ── Validate ──► New ──► Verifier ── Verify(Request) ──► nil, ErrUnverified or ErrSecrets
//
// Signatures cover the body's raw bytes. The package does not depend on an HTTP server,
// on Lambda or on a configuration file; the clock, the secrets and the fetching of
// certificates and key sets are passed in. Each scheme has a file of its own.
//
// # Handshakes
//
// A route has a [Handshaker] in addition to its Verifier, from the same Spec. For a
// request on the route's path, whose method is one of the pattern or of Methods:
//
//	reply, err := handshaker.Before(ctx, r)      // GET, OPTIONS, Graph's POST: not signed
//	if reply == nil && err == nil {
//		// a method that only Methods has, and no handshake: 405, as without it
//		err = verifier.Verify(ctx, r)
//	}
//	if reply == nil && err == nil {
//		reply, err = handshaker.After(ctx, r)    // Slack, Zoom, Discord, Twitch, SNS: signed
//	}
//
// A reply is the whole answer: status, headers and body are sent unchanged, and nothing
// is filtered, deduplicated or started. An error that wraps ErrUnverified is answered
// 401, any other 503. The delivery continues only if there is neither a reply nor an
// error. The size of the body must be bounded before that; Before only looks at the query
// and the headers.
package verify

import (
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"time"

	"github.com/expressway-dev/expressway/pkg/secrets"
)

// Errors of a [Verifier]; test for them with [errors.Is].
var (
	// ErrUnverified means that the sender did not prove its identity. Its text ends in a
	// [Reason] and is for logs; the sender always gets the same answer.
	ErrUnverified = errors.New("unverified")
	// ErrSecrets means that the route's secrets, keys or certificates are unavailable, so
	// nothing is known about the sender, which may try again.
	ErrSecrets = errors.New("secrets unavailable")
)

// A Reason is why a request is unverified. It reveals nothing about the expected
// signature.
type Reason string

// The reasons.
const (
	Missing   Reason = "missing"   // a header or field that the scheme needs is missing
	Malformed Reason = "malformed" // it is present, but cannot be what the scheme sends
	Mismatch  Reason = "mismatch"  // no secret makes this signature
	Stale     Reason = "stale"     // signed, but too long ago or too far ahead
)

// An unverified error only holds its reason and the place, so that nothing of the request
// or of the secrets can leak through it.
type unverified struct {
	reason Reason
	where  string // the scheme's name of a header or field, never a text from the request
}

func (e *unverified) Error() string {
	if e.where == "" {
		return "unverified: " + string(e.reason)
	}
	return "unverified: " + string(e.reason) + ": " + e.where
}

func (*unverified) Is(target error) bool { return target == ErrUnverified }

func refuse(reason Reason, where string) error { return &unverified{reason, where} }

// ReasonOf returns the reason in an error of a [Verifier] that wraps [ErrUnverified]; it
// is empty for every other error.
func ReasonOf(err error) Reason {
	var u *unverified
	if errors.As(err, &u) {
		return u.reason
	}
	return ""
}

// A Request is what a sender sent. Verify neither changes it nor keeps it.
type Request struct {
	// Method is the HTTP method in upper case.
	Method string
	// Path is the escaped path as the sender wrote it, with its leading slash, the stage
	// of an API and the base path of a custom domain.
	Path string
	// RoutedPath is Path without the stage and a base path; empty means Path. It is
	// appended to the path of the Spec's URL, if that has one.
	RoutedPath string
	// RawQuery is the query as the sender wrote it, without the question mark.
	RawQuery string
	// URL is the whole public URL that the sender called. If it is empty, it is built
	// from the Spec's URL, Path and RawQuery. It must never be built from a Host header,
	// which the sender chooses.
	URL string
	// Header has canonical keys, and one value for each header line.
	Header http.Header
	// Body holds the raw bytes, before any decoding or parsing.
	Body []byte
	// ClientCert is the certificate that the client proved to own to the front door; nil
	// if it has none.
	ClientCert *ClientCert
}

// A Verifier checks requests of one route. It is safe for concurrent use.
type Verifier interface {
	// Verify returns nil, an error that wraps [ErrUnverified], or one that wraps
	// [ErrSecrets].
	Verify(ctx context.Context, r *Request) error
	// Headers returns the names, in lower case, of the headers that Verify reads. They
	// carry credentials and are left out of a route's default input.
	Headers() []string
}

// Options are the optional settings of [New] and [NewHandshaker]. The zero value means the
// defaults.
type Options struct {
	// Now is the clock for checking signed times and certificates; nil is [time.Now].
	Now func() time.Time
	// Fetch gets certificates and key sets. Without it, provider sns, and keys that are
	// published at a URL, cannot be used.
	Fetch Fetch
	// Roots are the roots to which the certificates of SNS and PayPal must lead. SNS serves
	// its certificates without the chain above, which is fetched by http from Amazon's own
	// addresses, so this does not work in a function without access to the internet.
	// Without roots, a certificate of SNS is trusted because SNS serves it by https, and
	// one of PayPal up to the roots of the system.
	Roots *x509.CertPool
	// CloudEvents answers the OPTIONS request of CloudEvents, with every Spec. It only
	// affects handshakers; nil answers none.
	CloudEvents *CloudEvents
}

// New makes the verifier that s describes. It looks up every secret once, to fail now and
// not at the first delivery; but if source can check a reference without calling a
// service, the call is left to the first request. Each later request asks source again,
// so that rotated secrets take effect.
func New(s Spec, source secrets.Source, o Options) (Verifier, error) {
	b, err := newBuilder(s, source, o)
	if err != nil {
		return nil, err
	}
	v, err := b.build()
	if err != nil {
		return nil, err
	}
	return v, nil
}

// NewBoth makes the verifier of [New] and the handshaker of [NewHandshaker] together, at a
// lower cost than separately: a function may have hundreds of routes.
func NewBoth(s Spec, source secrets.Source, o Options) (Verifier, *Handshaker, error) {
	b, err := newBuilder(s, source, o)
	if err != nil {
		return nil, nil, err
	}
	v, err := b.build()
	if err != nil {
		return nil, nil, err
	}
	h, err := b.handshaker()
	if err != nil {
		return nil, nil, err
	}
	return v, h, nil
}

// A builder holds what the schemes' constructors share.
type builder struct {
	spec        Spec
	source      secrets.Source
	now         func() time.Time
	fetch       Fetch
	roots       *x509.CertPool
	cloudEvents *CloudEvents
	refs        []secrets.Reference
	preset      *Preset // an empty one if the Spec names no provider
}

func newBuilder(s Spec, source secrets.Source, o Options) (*builder, error) {
	b := &builder{spec: s, source: source, now: o.Now, fetch: o.Fetch, roots: o.Roots, cloudEvents: o.CloudEvents}
	if problems := b.spec.Validate(); len(problems) > 0 {
		errs := make([]error, len(problems))
		for i, p := range problems {
			errs[i] = p
		}
		return nil, errors.Join(errs...)
	}
	if source == nil {
		return nil, errors.New("verify: the source of secrets is nil")
	}
	if b.now == nil {
		b.now = time.Now
	}
	for _, text := range b.spec.References() {
		ref, err := secrets.Parse(text)
		if err != nil {
			return nil, err
		}
		b.refs = append(b.refs, ref)
	}
	var known bool
	if b.preset, known = b.spec.Known(); !known {
		b.preset = &noPreset
	}
	return b, nil
}

// build makes the verifier of the Spec's scheme, wrapped in the checks of what is not
// signed.
func (b *builder) build() (Verifier, error) {
	v, err := schemeOf(&b.spec).verifier(b)
	if err != nil {
		return nil, err
	}
	types := b.preset.ContentTypes
	if len(b.spec.ContentTypes) > 0 {
		types = b.spec.ContentTypes
	}
	if h := b.spec.HMAC; h != nil && h.Hash == "plain" && len(types) == 0 {
		types = []string{typeJSON} // see HMAC.Hash
	}
	if len(types) == 0 {
		return v, nil
	}
	return newTyped(v, types), nil
}

// tolerance returns the preset's tolerance, unless the Spec sets its own.
func (b *builder) tolerance() time.Duration {
	if b.spec.Tolerance != "" {
		d, _ := b.spec.Tolerance.Parse() // Validate has checked it
		return d
	}
	return b.preset.Tolerance
}

// versions returns the kinds of signatures that the route accepts.
func (b *builder) versions() []string {
	if len(b.spec.Versions) > 0 {
		return b.spec.Versions
	}
	return b.preset.defaultVersions
}

// fresh checks a time that the signature covers, in both directions: a clock that is
// ahead must not yield a long-lived signature.
func fresh(now, signed time.Time, tolerance time.Duration, where string) error {
	if skew := now.Sub(signed); skew > tolerance || skew < -tolerance {
		return refuse(Stale, where)
	}
	return nil
}

// none accepts everything, which the configuration must request explicitly.
type none struct{}

func (none) Verify(context.Context, *Request) error { return nil }
func (none) Headers() []string                      { return nil }
