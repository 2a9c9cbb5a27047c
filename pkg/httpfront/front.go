// Package httpfront answers HTTP requests that reach a Lambda function through API
// Gateway (REST API and HTTP API), a Function URL or an Application Load Balancer.
//
// An event of any of the four doors becomes one net/http request, is routed by
// net/http.ServeMux, verified over its raw bytes, and handed to the bridge; the
// result goes back in the door's own format. The order is always the same:
//
//	route and method → size → raw bytes → verify → handshake → freshness → dedupe → filter → input → start
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
	"runtime/debug"
	"strings"

	"github.com/awslabs/aws-lambda-go-api-proxy/core"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/secrets"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// MaxBody is the largest body in bytes that is verified: Lambda's own limit for a
// request and its envelope. It also bounds what a compressed body may grow to.
const MaxBody = 6 << 20

// A Front answers the requests of all HTTP routes. It is safe for concurrent use.
type Front struct {
	mux    *http.ServeMux
	bridge *bridge.Bridge
	log    *slog.Logger
	asked  map[string][]string // method of a handshake → methods of patterns
}

// An Option changes how [New] works.
type Option func(*options)

type options struct{ fetch verify.Fetch }

// WithFetch sets how certificates and key sets are fetched, and subscriptions of SNS
// confirmed; the default is [verify.NewFetch].
func WithFetch(fetch verify.Fetch) Option { return func(o *options) { o.fetch = fetch } }

// New prepares the HTTP routes of a configuration. It fails when a route cannot
// verify what it receives: for want of a secret, or of a scheme.
func New(routes []*config.Route, b *bridge.Bridge, source secrets.Source, log *slog.Logger, opts ...Option) (*Front, error) {
	var o options
	for _, option := range opts {
		option(&o)
	}
	if o.fetch == nil {
		o.fetch = verify.NewFetch(nil)
	}
	f := &Front{mux: http.NewServeMux(), bridge: b, log: log}
	if f.log == nil {
		f.log = slog.New(slog.DiscardHandler)
	}
	if source == nil {
		return nil, errors.New("httpfront: the source of secrets is nil")
	}
	var problems []error
	for _, route := range routes {
		if route.HTTP == nil {
			continue
		}
		e, err := f.newEndpoint(route, source, o.fetch)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		if err := f.handle(e); err != nil {
			problems = append(problems, err)
			continue
		}
		f.askedBy(e)
	}
	return f, errors.Join(problems...)
}

// handle adds an endpoint under its pattern. ServeMux panics at a pattern that it does not
// understand, and at a second one that matches the same requests.
func (f *Front) handle(e *endpoint) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("route %s: http: %v", e.route.Name, p)
		}
	}()
	f.mux.Handle(e.route.HTTP.Pattern, e)
	return nil
}

// Invoke answers one event. It implements lambda.Handler of aws-lambda-go; the
// error is always nil.
func (f *Front) Invoke(ctx context.Context, payload []byte) (response []byte, _ error) {
	r := &request{} // answered as HTTP API is, until its door is known
	ctx, end := f.bridge.Begin(ctx)
	defer end()
	defer func() {
		if p := recover(); p != nil {
			f.log.ErrorContext(ctx, "panic", "reason", fmt.Sprint(p), "stack", string(debug.Stack()))
			response = encode(r, answerTo(bridge.NewFailure(bridge.Internal, "panic", nil), r.requestID))
		}
	}()
	decoded, err := decodeEvent(payload)
	if decoded != nil {
		r = decoded
	}
	var malformed *eventError
	if errors.As(err, &malformed) {
		refused := f.refuse(ctx, r, bridge.NewFailure(bridge.BadRequest, malformed.reason, nil))
		return giveBack(refused, malformed.returns), nil
	}
	hr, failed := httpRequest(ctx, r)
	if failed != nil {
		return f.refuse(ctx, r, failed), nil
	}
	e, a := f.unsigned(ctx, hr, r)
	if a == nil {
		var none *noMatch
		if e, none = f.match(hr); none != nil {
			return f.noRoute(ctx, hr, r, none), nil
		}
		if err != nil {
			a = e.refuse(ctx, hr, r, bridge.NewFailure(bridge.BadRequest, err.Error(), nil))
		} else {
			a = e.serve(ctx, hr, r)
		}
	}
	e.finish(hr, a)
	w := core.NewProxyResponseWriterV2()
	write(w, a)
	return respond(r, w), nil
}

// refuse answers what reached no route.
func (f *Front) refuse(ctx context.Context, r *request, failure *bridge.Failure) []byte {
	f.rejected(ctx, "", r, failure)
	return encode(r, answerTo(failure, r.requestID))
}

func (f *Front) noRoute(ctx context.Context, hr *http.Request, r *request, none *noMatch) []byte {
	if hr.Method == http.MethodOptions && none.allow != "" && hr.Header.Get("WebHook-Request-Origin") == "" {
		// RFC 9110, section 9.3.7: what the path takes. A sender of CloudEvents hears 405
		// where nothing grants it anything.
		a := emptyAnswer(http.StatusNoContent)
		a.header.Set("Allow", none.allow+", OPTIONS")
		return encode(r, a)
	}
	f.rejected(ctx, "", r, none.failure)
	a := answerTo(none.failure, r.requestID)
	if none.allow != "" {
		a.header.Set("Allow", none.allow)
	}
	if hr.Method == http.MethodHead {
		a.body = nil
	}
	return encode(r, a)
}

// rejected tells the log and the observer of a request that became no delivery. What
// the sender calls itself or its delivery is not said: nothing vouches for it.
func (f *Front) rejected(ctx context.Context, route string, r *request, failure *bridge.Failure) {
	level := slog.LevelWarn
	if failure.Class() == bridge.Retryable || r.door == "" {
		level = slog.LevelError // the sender did nothing wrong
	}
	attrs := []slog.Attr{slog.String("error", failure.Name), slog.String("reason", failure.Cause), slog.String("delivery", r.requestID)}
	if failure.Err != nil {
		attrs[1] = slog.String("reason", failure.Cause+": "+failure.Err.Error())
	}
	if route != "" {
		attrs = append(attrs, slog.String("route", route))
	}
	f.log.LogAttrs(ctx, level, "request refused", attrs...)
	f.bridge.Reject(ctx, route, "http", failure.Name)
}

// write sends an answer through net/http.
func write(w http.ResponseWriter, a *answer) {
	for k, v := range a.header {
		w.Header()[k] = v
	}
	if len(a.body) > 0 && a.header.Get("Content-Type") == "" {
		// The library would go by the first bytes, and make a page of a text that begins
		// as one: what a sender put into it would run in a browser.
		if sniffed := http.DetectContentType(a.body); strings.HasPrefix(sniffed, "text/html") {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		}
	}
	w.WriteHeader(a.status)
	if len(a.body) > 0 {
		_, _ = w.Write(a.body) // into memory
	}
}
