// Package verify decides whether a webhook request comes from who it claims to.
//
// A route's `verify` block is a [Spec]: a provider's preset, a generic HMAC,
// HTTP Basic, a static token, or, written out, none. [New] turns it into a
// [Verifier] and fails closed: a provider that is not known, an empty secret or a
// key that cannot be decoded is an error before the first request. What a
// provider is, is data: [Providers] names them, [Lookup] shows one.
//
//	Spec ── Validate ──► New ──► Verifier ── Verify(Request) ──► nil, ErrUnverified or ErrSecrets
//
// Signatures are over the body's raw bytes. The package knows no HTTP server, no
// Lambda and no configuration file; the clock, the secrets and the fetching of
// certificates and key sets are handed in. Each scheme has a file of its own.
//
// # Handshakes
//
// A route has a [Handshaker] beside its Verifier, of the same Spec. For a request on
// the route's path, whose method is one of the pattern or of Methods:
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
// A reply is the whole answer: status, header and body as they are, and nothing is
// filtered, deduplicated or started. An error that wraps ErrUnverified is answered
// 401, any other 503. Only without either does the delivery go on. The size of the
// body is bounded before; Before looks at the query and the headers alone.
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
	// ErrUnverified says that the sender did not prove who it is. Its text ends in
	// a [Reason] and is for logs: the sender gets one constant answer.
	ErrUnverified = errors.New("unverified")
	// ErrSecrets says that the route's secrets, keys or certificates could not be
	// had, so that nothing is known about the sender: it may try again.
	ErrSecrets = errors.New("secrets unavailable")
)

// A Reason is why a request is unverified. It says nothing about the expected
// signature.
type Reason string

// The reasons.
const (
	Missing   Reason = "missing"   // a header or field that the scheme needs is not there
	Malformed Reason = "malformed" // it is there, and cannot be what the scheme sends
	Mismatch  Reason = "mismatch"  // no secret makes this signature
	Stale     Reason = "stale"     // signed, but too long ago or too far ahead
)

// An unverified error holds no more than its reason and the place, so that
// nothing of the request or of the secrets can leak through it.
type unverified struct {
	reason Reason
	where  string // a header's or field's name from the scheme, never from the request
}

func (e *unverified) Error() string {
	if e.where == "" {
		return "unverified: " + string(e.reason)
	}
	return "unverified: " + string(e.reason) + ": " + e.where
}

func (*unverified) Is(target error) bool { return target == ErrUnverified }

func refuse(reason Reason, where string) error { return &unverified{reason, where} }

// ReasonOf is why err, an error of a [Verifier], wraps [ErrUnverified]; it is
// empty for every other error.
func ReasonOf(err error) Reason {
	var u *unverified
	if errors.As(err, &u) {
		return u.reason
	}
	return ""
}

// A Request is what a sender sent. It is not changed, nor kept after Verify.
type Request struct {
	// Method is the HTTP method in upper case.
	Method string
	// Path is the escaped path as the sender wrote it, with its leading slash, the stage
	// of an API and the base path of a custom domain.
	Path string
	// RoutedPath is Path without the stage and a base path; empty for Path. It follows
	// the path of the Spec's URL, where that has one.
	RoutedPath string
	// RawQuery is the query as the sender wrote it, without the question mark.
	RawQuery string
	// URL is the whole public URL that the sender called. When empty, it is made of
	// the Spec's URL, Path and RawQuery. It must never be built from a Host header,
	// which the sender chooses.
	URL string
	// Header has canonical keys, and one value for each header line.
	Header http.Header
	// Body is the raw bytes, before any decoding or parsing.
	Body []byte
	// ClientCert is the certificate that the client proved to own to the front door;
	// nil when it has none.
	ClientCert *ClientCert
}

// A Verifier checks requests of one route. It is safe for concurrent use.
type Verifier interface {
	// Verify returns nil, an error that wraps [ErrUnverified], or one that wraps
	// [ErrSecrets].
	Verify(ctx context.Context, r *Request) error
	// Headers are the names, in lower case, of the headers that Verify reads. They
	// carry credentials and are left out of a route's default input.
	Headers() []string
}

type options struct {
	fetch       Fetch
	roots       *x509.CertPool
	cloudEvents *CloudEvents
}

// An Option changes how [New] works.
type Option func(*options)

// WithFetch sets how certificates and key sets are fetched. Without it, provider
// sns and jwt with a key set cannot be used.
func WithFetch(f Fetch) Option { return func(o *options) { o.fetch = f } }

// WithRoots has the certificates of SNS verified up to one of these. SNS serves
// them without the chain above, which is fetched by http from Amazon's own
// addresses, so that a function without a way to the internet cannot do this.
// Without roots, the certificate is trusted as what SNS serves by https.
func WithRoots(pool *x509.CertPool) Option { return func(o *options) { o.roots = pool } }

// New makes the verifier that s describes. It looks every secret up once, to fail
// now and not at the first delivery; but where source can check a reference without
// asking a service, asking is left to the first request. Later each request asks source
// again, so that rotated secrets count. now is the clock for freshness.
func New(s Spec, source secrets.Source, now func() time.Time, opts ...Option) (Verifier, error) {
	b, err := newBuilder(s, source, now, opts)
	if err != nil {
		return nil, err
	}
	v, err := b.build()
	if err != nil {
		return nil, err
	}
	return v, nil
}

// A builder holds what the constructors of the schemes share.
type builder struct {
	spec   Spec
	source secrets.Source
	now    func() time.Time
	options
	refs   []secrets.Reference
	preset Preset // the zero value without a provider
}

func newBuilder(s Spec, source secrets.Source, now func() time.Time, opts []Option) (*builder, error) {
	if problems := s.Validate(); len(problems) > 0 {
		errs := make([]error, len(problems))
		for i, p := range problems {
			errs[i] = p
		}
		return nil, errors.Join(errs...)
	}
	b := &builder{spec: s, source: source, now: now}
	for _, opt := range opts {
		opt(&b.options)
	}
	for _, text := range s.Secrets {
		ref, err := secrets.Parse(text)
		if err != nil {
			return nil, err
		}
		b.refs = append(b.refs, ref)
	}
	b.preset, _ = s.Preset() // Validate has seen it
	return b, nil
}

// build makes the verifier of the Spec's scheme, behind the check of what is not signed.
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

// tolerance is the preset's, unless the Spec sets its own.
func (b *builder) tolerance() time.Duration {
	if b.spec.Tolerance != "" {
		d, _ := b.spec.Tolerance.Parse() // Validate has seen it
		return d
	}
	return b.preset.Tolerance
}

// versions are the kinds of signatures that the route takes.
func (b *builder) versions() []string {
	if len(b.spec.Versions) > 0 {
		return b.spec.Versions
	}
	return b.preset.defaultVersions
}

// fresh checks a time that the signature covers, both ways: a clock that is ahead
// must not make a signature that lasts.
func fresh(now, signed time.Time, tolerance time.Duration, where string) error {
	if skew := now.Sub(signed); skew > tolerance || skew < -tolerance {
		return refuse(Stale, where)
	}
	return nil
}

// none accepts everything, which the configuration must ask for by name.
type none struct{}

func (none) Verify(context.Context, *Request) error { return nil }
func (none) Headers() []string                      { return nil }
