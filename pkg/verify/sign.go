package verify

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"time"
)

// ErrCannotSign means that a scheme needs more than a shared secret to sign. Errors that
// wrap it are of type [*CannotSignError].
var ErrCannotSign = errors.New("this scheme cannot be signed with its secret")

// A CannotSignError explains why a scheme cannot be signed.
type CannotSignError struct {
	// Scheme is the provider's name, or the kind of block.
	Scheme string
	// Why is a sentence without a full stop.
	Why string
	// Keys means that a text of [MakeKeys] can sign instead of the secret.
	Keys bool
}

// Error returns the scheme and the reason.
func (e *CannotSignError) Error() string { return e.Scheme + " cannot be signed here: " + e.Why }

// Is reports whether target is [ErrCannotSign].
func (*CannotSignError) Is(target error) bool { return target == ErrCannotSign }

// A Signed request holds the parts of a request that will be accepted.
type Signed struct {
	// Header holds the headers to set on the request, replacing those that it has.
	Header http.Header
	// RawQuery is the request's query; Twilio adds the digest of a JSON body to it.
	RawQuery string
	// Body is the request's body, into which Adyen, Mailgun and Microsoft Graph write.
	Body []byte
}

// Sign returns the headers that make r pass the verifier of s at the time now. It is
// [SignRequest] for schemes that leave the query and the body unchanged, and fails with
// an [ErrCannotSign] for others.
func Sign(s Spec, secret string, r *Request, now time.Time) (http.Header, error) {
	signed, err := SignRequest(s, secret, r, now)
	if err != nil {
		return nil, err
	}
	if signed.RawQuery != r.RawQuery || string(signed.Body) != string(r.Body) {
		return nil, &CannotSignError{Scheme: s.Provider, Why: "the signature is not in the headers alone"}
	}
	return signed.Header, nil
}

// SignRequest returns what makes r pass the verifier of s at the time now, for samples and
// tests. secret is the text behind one of the Spec's references or, if the sender has a
// private key, a text of [MakeKeys]. Everything is derived from the signed content, so that
// equal deliveries get equal results. Headers that a generic hmac signs but does not set
// must be in r.
func SignRequest(s Spec, secret string, r *Request, now time.Time) (*Signed, error) {
	if problems := s.Validate(); len(problems) > 0 {
		return nil, problems[0]
	}
	signer := &signer{spec: s, secret: secret, now: now, out: &Signed{Header: http.Header{}, RawQuery: r.RawQuery, Body: r.Body}}
	signer.provider, _ = s.Preset()
	way := schemeOf(&s)
	with := way.tools()
	if with.sign == nil {
		return nil, signer.cannot(with.unsignable)
	}
	if secret == "" && (way.keyless == nil || !way.keyless(&s, &signer.provider)) {
		return nil, errors.New("the secret is empty")
	}
	own := *r
	if err := with.sign(signer, &own); err != nil {
		return nil, err
	}
	return signer.out, nil
}

type signer struct {
	spec     Spec
	provider Preset
	secret   string
	now      time.Time
	out      *Signed
}

func (s *signer) cannot(why string) error {
	return &CannotSignError{orDefault(s.spec.Provider, "this block"), why, why == needsPrivateKey}
}

func withHeaders(h, more http.Header) http.Header {
	out := h.Clone()
	if out == nil {
		out = http.Header{}
	}
	for name, values := range more {
		out[name] = values
	}
	return out
}

// digest derives an id from the time and the body.
func (s *signer) digest(body []byte) string {
	sum := sha256.Sum256(append([]byte(formatTime(s.now, "unix")+"."), body...))
	return hex.EncodeToString(sum[:12])
}
