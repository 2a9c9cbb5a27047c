package verify

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"time"
)

// ErrCannotSign says that a scheme needs more than a shared secret to sign. Errors
// that wrap it are of type [*CannotSignError].
var ErrCannotSign = errors.New("this scheme cannot be signed with its secret")

// A CannotSignError says why a scheme cannot be signed.
type CannotSignError struct {
	// Scheme is the provider's name, or the kind of block.
	Scheme string
	// Why is a sentence without its full stop.
	Why string
}

// Error is the scheme and the reason.
func (e *CannotSignError) Error() string { return e.Scheme + " cannot be signed here: " + e.Why }

// Is makes every one of these an [ErrCannotSign].
func (*CannotSignError) Is(target error) bool { return target == ErrCannotSign }

// A Signed request is what to send so that it is accepted.
type Signed struct {
	// Header is to be set on the request, over what it has.
	Header http.Header
	// RawQuery is the request's, to which Twilio adds the digest of a JSON body.
	RawQuery string
	// Body is the request's, into which Adyen, Mailgun and Microsoft Graph write.
	Body []byte
}

// Sign returns the headers that make r pass the verifier of s at the time now. It
// is [SignRequest] for the schemes that leave query and body as they are, and fails
// with an [ErrCannotSign] where they would change.
func Sign(s Spec, secret string, r *Request, now time.Time) (http.Header, error) {
	signed, err := SignRequest(s, secret, r, now)
	if err != nil {
		return nil, err
	}
	if signed.RawQuery != r.RawQuery || string(signed.Body) != string(r.Body) {
		return nil, &CannotSignError{s.Provider, "the signature is not in the headers alone"}
	}
	return signed.Header, nil
}

// SignRequest returns what makes r pass the verifier of s at the time now, for
// samples and tests. secret is the text behind one of the Spec's references.
// Everything is made of what is signed, so that equal deliveries are equal. Headers
// that a generic hmac signs and does not make must be in r.
func SignRequest(s Spec, secret string, r *Request, now time.Time) (*Signed, error) {
	if problems := s.Validate(); len(problems) > 0 {
		return nil, problems[0]
	}
	signer := &signer{spec: s, secret: secret, now: now, out: &Signed{Header: http.Header{}, RawQuery: r.RawQuery, Body: r.Body}}
	signer.preset, _ = Lookup(s.Provider)
	if why := signer.cannot(); why != "" {
		return nil, &CannotSignError{orDefault(s.Provider, "this block"), why}
	}
	if s.None {
		return signer.out, nil
	}
	if secret == "" {
		return nil, errors.New("the secret is empty")
	}
	if err := signer.sign(*r); err != nil {
		return nil, err
	}
	return signer.out, nil
}

type signer struct {
	spec   Spec
	preset Preset
	secret string
	now    time.Time
	out    *Signed
}

// cannot is why the scheme cannot be signed, or nothing.
func (s *signer) cannot() string {
	switch {
	case s.spec.MTLS != nil:
		return "a client certificate is shown in the TLS handshake"
	case s.spec.JWT != nil && s.spec.JWT.JWKS != "":
		return "tokens are signed with the issuer's private key"
	case strings.HasPrefix(s.secret, "whpk_"):
		return "whpk_ is the public half of the sender's key; a whsec_ secret can sign"
	}
	switch s.preset.Scheme {
	case SchemeDiscord, SchemeSendGrid:
		return "the sender signs with a private key, and the secret here is its public half"
	case SchemeSNS:
		return "messages are signed with a private key of AWS"
	}
	return ""
}

func (s *signer) sign(r Request) error {
	switch {
	case s.spec.HMAC != nil:
		return s.hmac(compileHMAC(*s.spec.HMAC, s.spec.URL), &r)
	case s.spec.Basic != nil:
		s.out.Header.Set(authorization, "Basic "+base64.StdEncoding.EncodeToString([]byte(s.spec.Basic.Username+":"+s.secret)))
		return nil
	case s.spec.JWT != nil:
		return s.jwt()
	case s.spec.Provider == "" && s.spec.Token != nil:
		s.token(s.spec.Token.Header)
		return nil
	}
	switch s.preset.Scheme {
	case SchemeHMAC:
		return s.presetHMAC(&r)
	case SchemeStandard:
		return s.standard(&r)
	case SchemeGitLab:
		if strings.HasPrefix(s.secret, "whsec_") {
			return s.standard(&r)
		}
		s.token(gitlabToken)
		return nil
	case SchemeTwilio:
		return s.twilio(&r)
	case SchemeBox:
		s.out.Header.Set("Box-Signature-Version", boxVersion)
		s.out.Header.Set("Box-Signature-Algorithm", boxAlgorithm)
		return s.hmac(compileHMAC(boxHMAC(""), ""), &r)
	case SchemeHubSpot:
		return s.hmac(hubspotScheme("", s.spec.URL), &r)
	case SchemeAdyen:
		return s.adyen()
	case SchemeMailgun:
		return s.mailgun()
	case SchemeClientState:
		return s.clientState()
	}
	return &CannotSignError{s.spec.Provider, "the scheme is not known"}
}

func (s *signer) hmac(scheme *hmacScheme, r *Request) error {
	key, err := keyDecoder(scheme.keyEncoding)(s.secret)
	if err != nil {
		return errors.New("the secret is not a key of the form this scheme takes")
	}
	h, err := scheme.sign(key, r, s.now)
	if err != nil {
		return err
	}
	for name, values := range h {
		s.out.Header[name] = values
	}
	return nil
}

// presetHMAC signs for a preset, and makes what else its signature covers: Twitch's
// message id, and the time in Linear's body.
func (s *signer) presetHMAC(r *Request) error {
	if s.preset.Handshake == HandshakeX && isPlain(r.Body) {
		return &CannotSignError{s.spec.Provider, "a body of plain text is what the check of its address signs for anyone"}
	}
	scheme := compileHMAC(*s.preset.HMAC, s.spec.URL)
	id := s.preset.DeliveryID.Header
	for _, p := range scheme.signed {
		if p.field == "header" && strings.EqualFold(p.text, id) && r.Header.Get(id) == "" {
			s.out.Header.Set(id, s.digest(r.Body))
			r.Header = withHeaders(r.Header, s.out.Header)
		}
	}
	if _, err := bodyObject(r.Body); s.preset.SignedAt.Body != "" && err == nil {
		if err := s.write(func(body object) error {
			body[s.preset.SignedAt.Body] = s.now.UnixMilli()
			return nil
		}); err != nil {
			return err
		}
		r.Body = s.out.Body
	}
	return s.hmac(scheme, r)
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

// digest makes an id of the time and the body.
func (s *signer) digest(body []byte) string {
	sum := sha256.Sum256(append([]byte(formatTime(s.now, "unix")+"."), body...))
	return hex.EncodeToString(sum[:12])
}

func (s *signer) token(header string) {
	text := s.secret
	if header = orDefault(header, authorization); http.CanonicalHeaderKey(header) == authorization {
		text = "Bearer " + text
	}
	s.out.Header.Set(header, text)
}

// standard makes v1 headers. An id in r is kept.
func (s *signer) standard(r *Request) error {
	key, err := decodeStandardKey(s.secret)
	if err != nil {
		return errors.New("the secret is not a key of the form this scheme takes")
	}
	timestamp := formatTime(s.now, "unix")
	id := orDefault(r.Header.Get("Webhook-Id"), "msg_"+s.digest(r.Body))
	sum := standardMAC(key.secret, id, timestamp, r.Body)
	s.out.Header.Set("Webhook-Id", id)
	s.out.Header.Set("Webhook-Timestamp", timestamp)
	s.out.Header.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(sum))
	return nil
}
