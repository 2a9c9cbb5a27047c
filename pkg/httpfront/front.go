// Package httpfront answers HTTP requests that reach a Lambda function through API
// Gateway (REST API and HTTP API), a Function URL, an Application Load Balancer or VPC
// Lattice.
//
// An event of any of these doors becomes one net/http request, is routed by
// net/http.ServeMux, verified over its raw bytes, and handed to the bridge; the
// result goes back in the door's own format. The order is always the same:
//
//	route and method → size → raw bytes → verify → handshake → freshness → dedupe → filter → input → start
//
// The package does not know where executions run. An HTTP request never makes the Lambda
// function fail, because a function error would reach the sender as a bare 502. An event
// that is not an HTTP request always makes it fail, so that its sender keeps the data.
package httpfront

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/expressway-dev/expressway/internal/sources"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/secrets"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// MaxBody is the largest body in bytes that is verified: Lambda's own limit for a request
// and its envelope. It also bounds the size of a decompressed body.
const MaxBody = 6 << 20

// A Front answers the requests of all HTTP routes. It is safe for concurrent use.
type Front struct {
	mux    *http.ServeMux
	routes map[*config.Route]*endpoint
	bridge *bridge.Bridge
	log    *slog.Logger
	asked  map[string][]string // method of a handshake → methods of patterns
	// basePaths are cut from paths before they are routed.
	basePaths []string
}

// Options are what a [Front] can do without. The zero value has the defaults.
type Options struct {
	// Log takes what happens to requests outside the bridge; nil discards it.
	Log *slog.Logger
	// BasePaths are the paths of a custom domain's mappings, such as /hooks. The longest
	// one that is a whole-segment prefix of a request's path is removed before routing;
	// the default is none.
	BasePaths []string
	// Fetch gets certificates and key sets, and confirms SNS subscriptions; nil is
	// [verify.NewFetch].
	Fetch verify.Fetch
}

// New prepares the HTTP routes of a configuration. It fails if a route cannot verify what
// it receives: a secret is missing, or its scheme is not known.
func New(routes []*config.Route, b *bridge.Bridge, source secrets.Source, o Options) (*Front, error) {
	if o.Fetch == nil {
		o.Fetch = verify.NewFetch(nil)
	}
	f := &Front{mux: config.Mux(routes), routes: make(map[*config.Route]*endpoint, len(routes)), bridge: b, log: o.Log, basePaths: o.BasePaths}
	if f.log == nil {
		f.log = slog.New(slog.DiscardHandler)
	}
	if source == nil {
		return nil, errors.New("httpfront: the source of secrets is nil")
	}
	if b == nil {
		return nil, errors.New("httpfront: the bridge is nil")
	}
	checked := f.mux != nil
	if !checked {
		f.mux = http.NewServeMux()
	}
	var problems []error
	for i, route := range routes {
		if route == nil {
			problems = append(problems, fmt.Errorf("httpfront: route %d is nil", i))
			continue
		}
		if route.HTTP == nil {
			continue
		}
		e, err := f.newEndpoint(route, source, o.Fetch)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		f.routes[route] = e
		if !checked {
			if err := f.handle(e); err != nil {
				problems = append(problems, err)
				continue
			}
		}
		f.askedBy(e)
	}
	return f, errors.Join(problems...)
}

// handle adds an endpoint under its pattern. ServeMux panics if it does not understand a
// pattern, or if a second pattern matches the same requests.
func (f *Front) handle(e *endpoint) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("route %s: http: %v", e.route.Name, p)
		}
	}()
	f.mux.Handle(e.route.HTTP.Pattern, e)
	return nil
}

// Invoke answers one event. It implements lambda.Handler of aws-lambda-go. The error is
// always nil for an HTTP request. An event that no door delivers fails the function, with
// a messages.InvokeResponse_Error whose Type is Expressway.BadRequest: the service that
// sent it would treat any answer as success.
func (f *Front) Invoke(ctx context.Context, payload []byte) (response []byte, failed error) {
	ctx, end := f.bridge.Begin(ctx)
	defer end()
	var r *request
	defer func() {
		if p := recover(); p != nil {
			f.log.ErrorContext(ctx, "panic", "reason", fmt.Sprint(p), "stack", string(debug.Stack()))
			failure := bridge.NewFailure(bridge.Internal, "panic", nil)
			if r == nil { // the sender might mistake any answer for success
				failed = messages.InvokeResponse_Error{Type: failure.Name, Message: failure.Error()}
				return
			}
			response = encode(r, answerTo(failure, r.requestID))
		}
	}()
	r, err := decodeEvent(payload)
	if foreign := (*foreignError)(nil); errors.As(err, &foreign) {
		return nil, f.notOurs(ctx, foreign)
	}
	return f.serve(ctx, r, err), nil
}

// notOurs returns the function error for an event of another kind.
func (f *Front) notOurs(ctx context.Context, err *foreignError) error {
	failure := bridge.NewFailure(bridge.BadRequest, err.reason, nil)
	f.log.LogAttrs(ctx, slog.LevelError, "event refused",
		slog.String("error", failure.Name), slog.String("reason", failure.Cause))
	f.bridge.Reject(ctx, "", sources.HTTP, failure.Name)
	return messages.InvokeResponse_Error{Type: failure.Name, Message: failure.Error()}
}

// serve answers a request; malformed, if not nil, describes what is wrong with it.
func (f *Front) serve(ctx context.Context, r *request, malformed error) []byte {
	x, failure := f.newExchange(ctx, r)
	if failure != nil {
		return f.refuse(ctx, r, failure)
	}
	e, a := f.unsigned(ctx, x)
	if a == nil {
		var none *noMatch
		if e, none = f.match(x); none != nil {
			return f.noRoute(ctx, x, none)
		}
		if malformed != nil {
			a = e.refuse(ctx, x, bridge.NewFailure(bridge.BadRequest, malformed.Error(), nil))
		} else {
			a = e.serve(ctx, x)
		}
	}
	return e.send(x, a)
}

// refuse answers a request that reached no route.
func (f *Front) refuse(ctx context.Context, r *request, failure *bridge.Failure) []byte {
	f.rejected(ctx, nil, r, failure)
	return encode(r, answerTo(failure, r.requestID))
}

func (f *Front) noRoute(ctx context.Context, x *exchange, none *noMatch) []byte {
	if x.http.Method == http.MethodOptions && none.allow != "" && x.header.Get("WebHook-Request-Origin") == "" {
		// RFC 9110, section 9.3.7: OPTIONS lists the methods that the path takes. A
		// sender of CloudEvents is answered 405 if no route grants it anything.
		a := emptyAnswer(http.StatusNoContent)
		a.header.Set("Allow", none.allow+", OPTIONS")
		return encode(x.request, a)
	}
	f.rejected(ctx, nil, x.request, none.failure)
	a := answerTo(none.failure, x.requestID)
	if none.allow != "" {
		a.header.Set("Allow", none.allow)
	}
	if x.http.Method == http.MethodHead {
		a.body = nil
	}
	return encode(x.request, a)
}
