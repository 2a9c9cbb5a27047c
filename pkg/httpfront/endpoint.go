package httpfront

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// An endpoint is one route's handler.
type endpoint struct {
	front    *Front
	route    *config.Route
	verifier verify.Verifier
	hidden   map[string]bool // header names that the default input leaves out
	jsonText bool            // the provider says text/plain and sends JSON
	cors     *cors
}

func newEndpoint(f *Front, route *config.Route, verifier verify.Verifier) *endpoint {
	e := &endpoint{front: f, route: route, verifier: verifier}
	e.hidden = hiddenHeaders(verifier.Headers())
	e.jsonText = route.HTTP.Verify.Provider == "sns"
	if route.HTTP.CORS != nil {
		e.cors = newCORS(route.HTTP, verifier.Headers())
	}
	return e
}

// serve takes a request from its size to its answer.
func (e *endpoint) serve(ctx context.Context, hr *http.Request, r *request) *answer {
	b, received := e.front.bridge, e.front.bridge.Now()
	if failure := e.admit(ctx, hr, r); failure != nil {
		return e.refuse(ctx, hr, r, failure)
	}
	d := e.delivery(hr, r, received)
	result := b.Run(ctx, d)
	a, failure := e.answer(ctx, r, result)
	if failure != nil {
		result.Replayed, result.Failure = false, failure
	}
	b.Settle(ctx, d, result, bridge.Settlement{
		Final:  final(a.status),
		Answer: a.store,
		Attrs:  []slog.Attr{slog.Int("httpStatus", a.status)},
	})
	return a
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
		r.verified = true
		return nil
	case errors.Is(err, verify.ErrUnverified):
		return bridge.Failf(bridge.Unverified, unverifiedCause, err)
	}
	return &bridge.Failure{Name: bridge.Unavailable, Cause: "the route's secrets cannot be read", Err: err, RetryAfter: 5 * time.Second}
}

// unverifiedCause is all that a catch can show: which part of a signature was wrong is
// for the log.
const unverifiedCause = "the request could not be verified"

// refuse answers a request that became no delivery, by a catch where there is one.
func (e *endpoint) refuse(ctx context.Context, hr *http.Request, r *request, failure *bridge.Failure) *answer {
	e.front.rejected(ctx, e.route.Name, r, failure)
	base := answerTo(failure, r.requestID)
	c := e.catchOf(failure.Name)
	if c == nil {
		return base
	}
	result := e.front.bridge.Refuse(ctx, e.delivery(hr, r, e.front.bridge.Now()), failure)
	a, failed := e.render(ctx, r, &c.Respond, answerTo(failure, r.requestID), result)
	if failed != nil {
		e.front.log.LogAttrs(ctx, slog.LevelError, "catch failed",
			slog.String("route", e.route.Name), slog.String("error", failed.Name), slog.String("reason", failed.Cause))
		return base
	}
	return a
}

// catchOf is the first catch of the route that takes a failure; nil for none. States.ALL
// does not take [bridge.Unverified], whose answer is constant until someone asks for
// another by that name.
func (e *endpoint) catchOf(name string) *config.Catch {
	for i := range e.route.Catch {
		errors := e.route.Catch[i].Errors
		if name == bridge.Unverified && slices.Contains(errors, name) || name != bridge.Unverified && bridge.Matches(errors, name) {
			return &e.route.Catch[i]
		}
	}
	return nil
}

// finish makes the answer what HTTP lets it be.
func (e *endpoint) finish(hr *http.Request, a *answer) {
	if e.cors != nil {
		e.cors.allow(hr, a.header)
	}
	switch a.status {
	case http.StatusNoContent, http.StatusResetContent, http.StatusNotModified:
		a.body = nil
		a.header.Del("Content-Type")
	}
	if hr.Method == http.MethodHead {
		a.body = nil
	}
}
