package httpfront

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// askedBy records which methods handshakes use, and which methods' patterns must then be
// searched: a handshake by GET belongs to the route of the POST requests.
func (f *Front) askedBy(e *endpoint) {
	pattern := e.route.HTTP.Method()
	if pattern == "" {
		pattern = http.MethodPost
	}
	for _, method := range e.methods() {
		if f.asked == nil {
			f.asked = map[string][]string{}
		}
		if !slices.Contains(f.asked[method], pattern) {
			f.asked[method] = append(f.asked[method], pattern)
		}
	}
}

// methods returns the methods that the route's path answers in addition to its pattern's
// own.
func (e *endpoint) methods() []string {
	methods := e.handshake.Methods()
	if e.page != nil {
		methods = append(slices.Clone(methods), http.MethodGet, http.MethodHead)
	}
	return methods
}

// unsigned answers requests whose method the route's pattern need not have: a browser's
// preflight, and the handshakes that a provider makes by GET or OPTIONS. A nil answer
// means that the request is neither.
func (f *Front) unsigned(ctx context.Context, x *exchange) (*endpoint, *answer) {
	hr := x.http
	if isPreflight(hr) {
		if e := f.matchAs(x, hr.Header.Get("Access-Control-Request-Method")); e != nil && e.cors != nil {
			return e, e.cors.preflight(hr)
		}
	}
	if hr.Method == http.MethodOptions && hr.Header.Get("WebHook-Request-Origin") == "" {
		return nil, nil
	}
	for _, pattern := range f.asked[hr.Method] {
		e := f.matchAs(x, pattern)
		if e == nil || !slices.Contains(e.methods(), hr.Method) {
			continue
		}
		if e.page != nil && hr.Method != http.MethodOptions {
			f.log.LogAttrs(ctx, slog.LevelInfo, "page shown", append(requestAttrs(e, x.request), slog.Int("httpStatus", http.StatusOK))...)
			return e, e.page.ask()
		}
		if a := e.reply(ctx, x, x.toVerify(), e.handshake.Before); a != nil {
			return e, a
		}
	}
	return nil, nil
}

// reply answers a handshake, or returns nil if the request is not one.
func (e *endpoint) reply(ctx context.Context, x *exchange, q *verify.Request, handshake func(context.Context, *verify.Request) (*verify.Reply, error)) *answer {
	reply, err := handshake(ctx, q)
	switch {
	case err != nil:
		return e.refuse(ctx, x, verifyFailure(err))
	case reply == nil:
		return nil
	}
	e.front.log.LogAttrs(ctx, slog.LevelInfo, "handshake answered",
		append(requestAttrs(e, x.request), slog.Int("httpStatus", reply.Status))...)
	a := emptyAnswer(reply.Status)
	a.body = reply.Body
	if reply.Header != nil {
		a.header = reply.Header
	}
	return a
}

// The causes of failures that have nothing to do with the workflow service.
const (
	secretsUnreadable   = "the route's secrets cannot be read"
	handshakeIncomplete = "the handshake could not be completed"
)

// verifyFailure names the failure that keeps a request from being verified.
func verifyFailure(err error) *bridge.Failure {
	switch {
	case errors.Is(err, verify.ErrUnverified):
		return bridge.NewFailure(bridge.Unverified, unverifiedCause, err)
	case errors.Is(err, verify.ErrHandshake):
		return &bridge.Failure{Name: bridge.Unavailable, Cause: handshakeIncomplete, Err: err, RetryAfter: 5 * time.Second}
	}
	return &bridge.Failure{Name: bridge.Unavailable, Cause: secretsUnreadable, Err: err, RetryAfter: 5 * time.Second}
}
