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
	"time"

	"github.com/expressway-dev/expressway/pkg/secrets"
)

// A Handshake is how a provider asks whether an address wants its deliveries.
type Handshake struct {
	// Methods are those that it may come by, beside the methods of the route's pattern.
	Methods []string

	before, after       exchange                           // unsigned, and signed
	newBefore, newAfter func(b *builder) (exchange, error) // where they need more than the request
}

// headHandshake is the HEAD request by which a provider tries an address.
var headHandshake = Handshake{Methods: []string{http.MethodHead}, before: answerHead}

func answerHead(_ context.Context, r *Request) (*Reply, error) {
	if r.Method != http.MethodHead {
		return nil, nil //nolint:nilnil // no handshake
	}
	return &Reply{Status: http.StatusOK, Header: http.Header{}}, nil
}

// ErrHandshake says that an exchange could not be completed, as the confirmation
// of a subscription to SNS that did not get through: the sender may try again.
var ErrHandshake = errors.New("handshake not completed")

// A Reply is the whole answer to a handshake. Nothing starts, and nothing is kept.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
}

// A CloudEvents grants senders of CloudEvents permission to deliver:
// https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md#4-abuse-protection.
type CloudEvents struct {
	// Origins are the names that senders give for themselves, as
	// eventgrid.azure.net; the one name * is any.
	Origins []string `yaml:"origins"`
}

// Validate reports what is wrong; the fields are below cloudevents.
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

// An exchange answers r, or returns nil where r is no handshake.
type exchange func(ctx context.Context, r *Request) (*Reply, error)

// WithCloudEvents answers the OPTIONS request of CloudEvents. It concerns
// [NewHandshaker] alone, and goes with every Spec.
func WithCloudEvents(c *CloudEvents) Option { return func(o *options) { o.cloudEvents = c } }

// NewHandshaker makes what answers the handshakes of s, which may be none. Like
// [New] it looks every secret up that it will need.
func NewHandshaker(s Spec, source secrets.Source, now func() time.Time, opts ...Option) (*Handshaker, error) {
	b, err := newBuilder(s, source, now, opts)
	if err != nil {
		return nil, err
	}
	h := &Handshaker{cloudEvents: b.cloudEvents}
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

// Methods are the HTTP methods of handshakes, which the route's path takes beside
// those of its pattern: GET, HEAD, OPTIONS or none. A request that came in by one
// of them alone is for Before and nothing else.
func (h *Handshaker) Methods() []string { return h.methods }

// Before answers a handshake that nobody signs. It comes before Verify, which such
// a request would not pass. The reply is nil where r is none: then r goes the usual
// way, or, by a method of Methods alone, is not allowed. The error wraps
// [ErrUnverified] or [ErrSecrets].
func (h *Handshaker) Before(ctx context.Context, r *Request) (*Reply, error) {
	if h.cloudEvents != nil && r.Method == http.MethodOptions {
		return h.cloudEvents.answer(r), nil
	}
	if h.before == nil {
		return nil, nil //nolint:nilnil // no handshake, and nothing wrong
	}
	return h.before(ctx, r)
}

// After answers a handshake that the sender signed, of a request that Verify has
// accepted. The reply is nil where r is none. The error wraps [ErrUnverified],
// [ErrSecrets] or [ErrHandshake].
func (h *Handshaker) After(ctx context.Context, r *Request) (*Reply, error) {
	if h.after == nil {
		return nil, nil //nolint:nilnil // as above
	}
	return h.after(ctx, r)
}

// Bounds of what is echoed. The longest that providers are known to send has 88
// bytes, Graph's sentence 110.
const (
	maxEcho      = 512
	maxHandshake = 64 << 10 // bytes of a body that is looked into
)

// isPlain says whether a text is letters, digits and the marks of base64 and URLs.
// It is what is echoed or, for X, signed: no markup and no JSON but a number.
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

// echo answers with a text that the sender chose: as text, whatever it may be.
func echo(text string) *Reply {
	return &Reply{
		Status: http.StatusOK,
		Header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}, "X-Content-Type-Options": {"nosniff"}},
		Body:   []byte(text),
	}
}

func replyJSON(v any) *Reply {
	body, _ := json.Marshal(v) // of texts and numbers
	return &Reply{
		Status: http.StatusOK,
		Header: http.Header{"Content-Type": {"application/json"}, "X-Content-Type-Options": {"nosniff"}},
		Body:   body,
	}
}

// queried is the one value of a query parameter; ok is false where it is not there.
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

// document is the body of a signed request that could be a handshake: JSON with a
// text in it. That text may be anywhere; who asks looks closer.
func document(r *Request, containing string) (object, bool) {
	if len(r.Body) > maxHandshake || !bytes.Contains(r.Body, []byte(containing)) {
		return nil, false
	}
	body, err := bodyObject(r.Body)
	return body, err == nil
}

// answer grants or refuses, for the origin as configured: nothing of the request
// comes back. WebHook-Request-Callback, an address to call later, is not called.
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
