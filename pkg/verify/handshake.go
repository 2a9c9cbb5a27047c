package verify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/expressway-dev/expressway/pkg/secrets"
)

// A Handshake is the way in which a provider asks whether an address wants its
// deliveries.
type Handshake struct {
	// Methods are the HTTP methods that it may use in addition to those of the route's
	// pattern.
	Methods []string

	before, after       exchange                           // for unsigned and for signed requests
	newBefore, newAfter func(b *builder) (exchange, error) // if they need more than the request
}

// headHandshake is the HEAD request that a provider sends to test an address.
var headHandshake = Handshake{Methods: []string{http.MethodHead}, before: answerHead}

func answerHead(_ context.Context, r *Request) (*Reply, error) {
	if r.Method != http.MethodHead {
		return nil, nil //nolint:nilnil // no handshake
	}
	return &Reply{Status: http.StatusOK, Header: http.Header{}}, nil
}

// ErrHandshake means that an exchange could not be completed, such as the confirmation of
// an SNS subscription; the sender may try again.
var ErrHandshake = errors.New("handshake not completed")

// A Reply is the whole answer to a handshake. No execution is started, and nothing is
// stored.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
}

// A CloudEvents grants senders of CloudEvents permission to deliver:
// https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md#4-abuse-protection.
type CloudEvents struct {
	// Origins are the names that senders give for themselves, such as
	// eventgrid.azure.net; the single name * allows any.
	Origins []string `yaml:"origins"`
}

// Validate reports what is wrong; its fields are paths below cloudevents.
func (c *CloudEvents) Validate() []Problem {
	check := &checker{}
	if len(c.Origins) == 0 {
		check.add("origins", "must list at least one name, or *")
	}
	for i, o := range c.Origins {
		if o != "*" && !isHostname(o) {
			check.add(fmt.Sprintf("origins.%d", i), "is not a host name, such as eventgrid.azure.net")
		}
	}
	return check.problems
}

// A Handshaker answers the handshakes of one route. It is safe for concurrent use.
type Handshaker struct {
	methods       []string
	before, after exchange
	cloudEvents   *CloudEvents
}

// An exchange answers r, or returns nil if r is not a handshake.
type exchange func(ctx context.Context, r *Request) (*Reply, error)

// NewHandshaker returns a Handshaker that answers the handshakes of s, if there are any.
// Like [New], it looks up every secret that it will need.
func NewHandshaker(s Spec, source secrets.Source, o Options) (*Handshaker, error) {
	b, err := newBuilder(s, source, o)
	if err != nil {
		return nil, err
	}
	return b.handshaker()
}

func (b *builder) handshaker() (h *Handshaker, err error) {
	h = &Handshaker{cloudEvents: b.cloudEvents}
	if h.cloudEvents != nil {
		if problems := h.cloudEvents.Validate(); len(problems) > 0 {
			return nil, fmt.Errorf("cloudevents.%s: %s", problems[0].Field, problems[0].Message)
		}
		h.methods = append(h.methods, http.MethodOptions)
	}
	if asked := b.preset.Handshake; asked != nil {
		h.before, h.after = asked.before, asked.after
		if asked.newBefore != nil {
			h.before, err = asked.newBefore(b)
		}
		if asked.newAfter != nil && err == nil {
			h.after, err = asked.newAfter(b)
		}
		if err != nil {
			return nil, err
		}
		if h.before != nil {
			h.methods = append(h.methods, asked.Methods...)
		}
	}
	return h, nil
}

// Methods returns the HTTP methods of handshakes, which the route's path accepts in
// addition to those of its pattern: GET, HEAD, OPTIONS or none. A request whose method is
// only one of these is passed to Before and not processed further.
func (h *Handshaker) Methods() []string { return h.methods }

// Before answers a handshake that is not signed. It must be called before Verify, which
// would refuse such a request. The reply is nil if r is not a handshake: then r is
// processed as usual or, if only Methods has its method, refused as not allowed. The
// error wraps [ErrUnverified] or [ErrSecrets].
func (h *Handshaker) Before(ctx context.Context, r *Request) (*Reply, error) {
	if h.cloudEvents != nil && r.Method == http.MethodOptions {
		return h.cloudEvents.answer(r), nil
	}
	if h.before == nil {
		return nil, nil //nolint:nilnil // no handshake, and nothing wrong
	}
	return h.before(ctx, r)
}

// After answers a handshake that the sender signed, in a request that Verify has
// accepted. The reply is nil if r is not a handshake. The error wraps [ErrUnverified],
// [ErrSecrets] or [ErrHandshake].
func (h *Handshaker) After(ctx context.Context, r *Request) (*Reply, error) {
	if h.after == nil {
		return nil, nil //nolint:nilnil // as above
	}
	return h.after(ctx, r)
}

// Bounds of what is echoed. The longest that providers are known to send has 88 bytes;
// Graph's sentence has 110.
const (
	maxEcho      = 512
	maxHandshake = 64 << 10 // bytes of a body that is examined
)

// isPlain reports whether a text consists of letters, digits and the marks of base64 and
// URLs. Only such text is echoed or, for X, signed: it cannot be markup, nor JSON other
// than a number.
func isPlain[T string | []byte](s T) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte("-._~+/=", c) >= 0:
		default:
			return false
		}
	}
	return len(s) > 0 && len(s) <= maxEcho
}

func isHostname(s string) bool {
	return isPlain(s) && len(s) <= 253 && !strings.ContainsAny(s, "_~+/=")
}

// echo answers with a text that the sender chose, always as plain text.
func echo(text string) *Reply {
	return &Reply{
		Status: http.StatusOK,
		Header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}, "X-Content-Type-Options": {"nosniff"}},
		Body:   []byte(text),
	}
}

func replyJSON(v any) *Reply {
	body, _ := json.Marshal(v) // texts and numbers cannot fail
	return &Reply{
		Status: http.StatusOK,
		Header: http.Header{"Content-Type": {"application/json"}, "X-Content-Type-Options": {"nosniff"}},
		Body:   body,
	}
}

// queried returns the single value of a query parameter; ok is false if it is missing.
func queried(r *Request, name string) (value string, ok bool, _ error) {
	if r.RawQuery == "" || len(r.RawQuery) > 2*maxHeader {
		return "", false, nil
	}
	values, err := url.ParseQuery(r.RawQuery)
	switch {
	case err != nil || len(values[name]) == 0:
		return "", false, nil
	case len(values[name]) > 1 || len(values[name][0]) > maxHeader:
		return "", false, refuse(Malformed, name)
	}
	return values[name][0], true, nil
}

// asked returns the query parameter of a GET that asks for it to be answered, if the text is
// allowed. ok is false if r is another request.
func asked(r *Request, name string, allowed func(string) bool) (text string, ok bool, err error) {
	if r.Method != http.MethodGet {
		return "", false, nil
	}
	if text, ok, err = queried(r, name); ok && !allowed(text) {
		return "", false, refuse(Malformed, name)
	}
	return text, ok, err
}

// document returns the body of a signed request that could be a handshake: JSON that
// contains a text. The text may be anywhere, so callers must look more closely.
func document(r *Request, containing string) (object, bool) {
	if len(r.Body) > maxHandshake || !bytes.Contains(r.Body, []byte(containing)) {
		return nil, false
	}
	body, err := bodyObject(r.Body)
	return body, err == nil
}

// answer grants or refuses permission, naming the origin as it is configured: nothing
// from the request is returned. WebHook-Request-Callback, an address to call later, is
// not called.
func (c *CloudEvents) answer(r *Request) *Reply {
	origin, err := headerValue(r.Header, "WebHook-Request-Origin")
	if err == nil {
		for _, allowed := range c.Origins {
			if allowed == "*" || strings.EqualFold(allowed, origin) {
				h := http.Header{"Allow": {"POST"}}
				h.Set("WebHook-Allowed-Origin", allowed)
				h.Set("WebHook-Allowed-Rate", "*")
				return &Reply{Status: http.StatusOK, Header: h}
			}
		}
	}
	return &Reply{Status: http.StatusMethodNotAllowed, Header: http.Header{"Allow": {"POST"}}}
}

func echoMember(body object, name string) (*Reply, error) {
	text, _ := body[name].(string)
	if !isPlain(text) {
		return nil, refuse(Malformed, name)
	}
	return echo(text), nil
}

func orRefuse(err error, reason Reason, where string) error {
	if err != nil {
		return err
	}
	return refuse(reason, where)
}
