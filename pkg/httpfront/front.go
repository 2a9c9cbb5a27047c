// Package httpfront answers HTTP requests that reach a Lambda function through API
// Gateway (REST API and HTTP API), a Function URL or an Application Load Balancer.
//
// An event of any of the four doors becomes one net/http request, is routed by
// net/http.ServeMux, verified over its raw bytes, and handed to the bridge; the
// result goes back in the door's own format. The order is always the same:
//
//	route and method → size → raw bytes → verify → filter → input → start
//
// The package does not know where executions run, and never fails as a Lambda
// function: a function error would reach the sender as a bare 502.
package httpfront

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"runtime/debug"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/awslabs/aws-lambda-go-api-proxy/core"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/secrets"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// MaxBody is the largest body in bytes that is verified: Lambda's own limit for a
// request and its envelope.
const MaxBody = 6 << 20

// A Front answers the requests of all HTTP routes. It is safe for concurrent use.
type Front struct {
	mux    *http.ServeMux
	bridge *bridge.Bridge
	log    *slog.Logger
}

// New prepares the HTTP routes of a configuration. It fails when a route cannot
// verify what it receives: for want of a secret, or of a scheme.
func New(routes []*config.Route, b *bridge.Bridge, source secrets.Source, log *slog.Logger) (*Front, error) {
	f := &Front{mux: http.NewServeMux(), bridge: b, log: log}
	var problems []error
	for _, route := range routes {
		if route.HTTP == nil {
			continue
		}
		verifier, err := verify.New(route.HTTP.Verify, source, b.Now)
		if err != nil {
			problems = append(problems, fmt.Errorf("route %s: verify: %w", route.Name, err))
			continue
		}
		e := &endpoint{front: f, route: route, verifier: verifier}
		e.hidden = hiddenHeaders(verifier.Headers())
		f.mux.Handle(route.HTTP.Pattern, e)
	}
	return f, errors.Join(problems...)
}

// Invoke answers one event. It implements lambda.Handler of aws-lambda-go; the
// error is always nil.
func (f *Front) Invoke(ctx context.Context, payload []byte) (response []byte, _ error) {
	r := &request{door: HTTPAPI}
	ctx, end := f.bridge.Begin(ctx)
	defer end()
	defer func() {
		if p := recover(); p != nil {
			f.log.ErrorContext(ctx, "panic", "reason", fmt.Sprint(p), "stack", string(debug.Stack()))
			response = encode(r, answerTo(bridge.Failf(bridge.Internal, "panic", nil), r.requestID))
		}
	}()
	decoded, err := decodeEvent(payload)
	if decoded != nil {
		r = decoded
	}
	var malformed *eventError
	if errors.As(err, &malformed) {
		return f.refuse(ctx, r, bridge.Failf(bridge.BadRequest, malformed.reason, nil)), nil
	}
	hr, failed := httpRequest(ctx, r)
	if failed != nil {
		return f.refuse(ctx, r, failed), nil
	}
	e, none := f.match(hr)
	if none != nil {
		answer := answerTo(none.failure, r.requestID)
		if none.allow != "" {
			answer.header.Set("Allow", none.allow)
		}
		f.logRefusal(ctx, r, none.failure)
		return encode(r, answer), nil
	}
	if err != nil {
		return f.refuse(ctx, r, bridge.Failf(bridge.BadRequest, err.Error(), nil)), nil
	}
	w := core.NewProxyResponseWriterV2()
	e.serve(w, hr, r)
	return respond(r, w), nil
}

func (f *Front) refuse(ctx context.Context, r *request, failure *bridge.Failure) []byte {
	f.logRefusal(ctx, r, failure)
	return encode(r, answerTo(failure, r.requestID))
}

func (f *Front) logRefusal(ctx context.Context, r *request, failure *bridge.Failure) {
	f.log.LogAttrs(ctx, slog.LevelWarn, "request refused",
		slog.String("error", failure.Name), slog.String("reason", failure.Cause), slog.String("delivery", r.requestID))
}

// httpRequest makes the net/http request with aws-lambda-go-api-proxy, and mends in
// this one place what the library gets wrong:
//
//   - it splits header values at commas (Stripe-Signature), loses the Host header
//     of ALB, and leaves REST and ALB without a remote address: headers, host and
//     address are set here, as the event has them;
//   - it encodes ALB queries twice: the raw query is ours, too;
//   - it fails, as a function error, on a path that is no URL and on bad base64:
//     both were checked before.
func httpRequest(ctx context.Context, r *request) (*http.Request, *bridge.Failure) {
	if !strings.HasPrefix(r.path, "/") {
		return nil, bridge.Failf(bridge.BadRequest, "the path does not begin with /", nil)
	}
	if u, err := url.ParseRequestURI(r.path); err != nil || u.Host != "" {
		return nil, bridge.Failf(bridge.BadRequest, "the path is no valid URL path", nil)
	}
	if !validMethod(r.method) {
		return nil, bridge.Failf(bridge.BadRequest, "the method is no HTTP method", nil)
	}
	var accessor core.RequestAccessorV2
	hr, err := accessor.EventToRequest(events.APIGatewayV2HTTPRequest{
		RawPath: escapeDelimiters(r.path),
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			DomainName: "localhost", // r.host is the sender's word; it is set below, unparsed
			HTTP:       events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: r.method, SourceIP: r.sourceIP},
		},
	})
	if err != nil {
		return nil, bridge.Failf(bridge.BadRequest, "the request is no valid HTTP request", nil)
	}
	hr.Header = r.header
	hr.Host, hr.URL.Host, hr.URL.Scheme = r.host, "", ""
	hr.URL.RawQuery = r.rawQuery
	hr.RequestURI = hr.URL.RequestURI()
	return hr.WithContext(ctx), nil
}

// escapeDelimiters keeps a ? or # of the path part of the path.
func escapeDelimiters(path string) string {
	if !strings.ContainsAny(path, "?#") {
		return path
	}
	return strings.NewReplacer("?", "%3F", "#", "%23").Replace(path)
}

func validMethod(m string) bool {
	if m == "" || len(m) > 32 {
		return false
	}
	for _, c := range []byte(m) {
		if (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// methodNotAllowed is the cause of a NoRoute that is answered 405.
const methodNotAllowed = "no route takes this method"

type noMatch struct {
	failure *bridge.Failure
	allow   string
}

// match finds the route. ServeMux would answer a path that is not clean (//hook,
// /a/../b) with a redirect, which makes senders of webhooks drop the body: such a
// path has no route.
func (f *Front) match(hr *http.Request) (*endpoint, *noMatch) {
	if clean := path.Clean(hr.URL.Path); clean == hr.URL.Path || clean+"/" == hr.URL.Path {
		h, pattern := f.mux.Handler(hr)
		if e, ok := h.(*endpoint); ok {
			setPathValues(hr, pattern)
			return e, nil
		}
		probe := probeWriter{header: http.Header{}}
		h.ServeHTTP(&probe, hr)
		if probe.status == http.StatusMethodNotAllowed {
			return nil, &noMatch{bridge.Failf(bridge.NoRoute, methodNotAllowed, nil), probe.header.Get("Allow")}
		}
	}
	return nil, &noMatch{failure: bridge.Failf(bridge.NoRoute, "no route has this path", nil)}
}

// A probeWriter hears what ServeMux itself would answer.
type probeWriter struct {
	header http.Header
	status int
}

func (p *probeWriter) Header() http.Header         { return p.header }
func (p *probeWriter) Write(b []byte) (int, error) { return len(b), nil }
func (p *probeWriter) WriteHeader(status int)      { p.status = status }

// setPathValues gives the request the pattern's wildcards: ServeMux does that only
// when it serves, and Handler only finds.
func setPathValues(hr *http.Request, pattern string) {
	if !strings.Contains(pattern, "{") {
		return
	}
	m := http.NewServeMux()
	m.HandleFunc(pattern, func(_ http.ResponseWriter, found *http.Request) { *hr = *found })
	m.ServeHTTP(&probeWriter{header: http.Header{}}, hr)
}

// An endpoint is one route's handler.
type endpoint struct {
	front    *Front
	route    *config.Route
	verifier verify.Verifier
	hidden   map[string]bool // header names that the default input leaves out
}

// ServeHTTP makes endpoint an http.Handler for ServeMux, which only looks it up.
func (e *endpoint) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "httpfront: an endpoint serves events", http.StatusInternalServerError)
}

func (e *endpoint) serve(w http.ResponseWriter, hr *http.Request, r *request) {
	ctx, received := hr.Context(), e.front.bridge.Now()
	d := e.delivery(hr, r, received)
	var result bridge.Result
	if failure := e.admit(ctx, hr, r); failure != nil {
		result.Failure = failure
		write(w, answerTo(failure, r.requestID))
	} else {
		result = e.front.bridge.Run(ctx, d)
		answer, failure := e.answer(ctx, r, result)
		if failure != nil {
			result.Failure = failure
		}
		write(w, answer)
	}
	e.front.bridge.Settle(ctx, d, result, bridge.Settlement{Final: true})
}

// admit holds what comes before the bridge: size, then the signature over the raw bytes.
func (e *endpoint) admit(ctx context.Context, hr *http.Request, r *request) *bridge.Failure {
	if len(r.body) > MaxBody {
		return bridge.Failf(bridge.InputTooLarge, fmt.Sprintf("the body has %d bytes; at most %d are read", len(r.body), MaxBody), nil)
	}
	err := e.verifier.Verify(ctx, &verify.Request{
		Method:   hr.Method,
		Path:     hr.URL.EscapedPath(),
		RawQuery: r.rawQuery,
		Header:   r.header,
		Body:     r.body,
	})
	switch {
	case err == nil:
		return nil
	case errors.Is(err, verify.ErrUnverified):
		return bridge.Failf(bridge.Unverified, err.Error(), nil)
	}
	return &bridge.Failure{Name: bridge.Unavailable, Cause: "the route's secrets cannot be read", Err: err, RetryAfter: 5 * time.Second}
}

// write sends an answer through net/http.
func write(w http.ResponseWriter, a *answer) {
	for k, v := range a.header {
		w.Header()[k] = v
	}
	w.WriteHeader(a.status)
	if len(a.body) > 0 {
		_, _ = w.Write(a.body) // into memory
	}
}
