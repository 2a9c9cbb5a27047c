package httpfront

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/secrets"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// An endpoint is one route's handler.
type endpoint struct {
	front     *Front
	route     *config.Route
	verifier  verify.Verifier
	handshake *verify.Handshaker
	hides     sync.Once
	hidden    map[string]bool // header names that the default input leaves out; set by the first default input
	jsonText  bool            // the provider sends JSON as text/plain
	// emptyRefusal says that refusals must have no body, because the provider treats one
	// with a body as a failure.
	emptyRefusal bool
	cors         *cors
	page         *page // of an approval link; nil if the route has none
	asks         sync.Once
	challenge    string // the encoded refusal, once there was one
	// refresh reports whether secrets have changed since they were fetched; nil if they
	// cannot change, or if the source cannot tell.
	refresh func(context.Context) bool
}

// A refresher is a source of secrets that can fetch them again after a failed
// verification, such as [secrets.Cache]. It limits how often it does so.
type refresher interface {
	Refresh(ctx context.Context, refs ...secrets.Reference) bool
}

func (e *endpoint) refreshBy(source secrets.Source) {
	again, ok := source.(refresher)
	if !ok {
		return
	}
	var refs []secrets.Reference
	for _, text := range e.route.HTTP.Verify.References() {
		if ref, err := secrets.Parse(text); err == nil && ref.Remote() {
			refs = append(refs, ref)
		}
	}
	if len(refs) > 0 {
		e.refresh = func(ctx context.Context) bool { return again.Refresh(ctx, refs...) }
	}
}

func (f *Front) newEndpoint(route *config.Route, source secrets.Source, fetch verify.Fetch) (*endpoint, error) {
	verifier, handshake, err := verify.NewBoth(route.HTTP.Verify, source, verify.Options{
		Now: f.bridge.Now, Fetch: fetch, CloudEvents: route.HTTP.CloudEvents,
	})
	if err != nil {
		return nil, placed(route, err)
	}
	e := &endpoint{front: f, route: route, verifier: verifier, handshake: handshake}
	e.refreshBy(source)
	if preset, ok := route.HTTP.Verify.Known(); ok {
		e.jsonText, e.emptyRefusal = preset.JSONText, preset.EmptyRefusal
	}
	if route.HTTP.Page != nil {
		e.page = newPage(route.HTTP.Page)
	}
	if route.HTTP.CORS != nil {
		e.cors = newCORS(route.HTTP, verifier.Headers())
	}
	return e, nil
}

// placed adds the place in the file of each secret that cannot be used.
func placed(route *config.Route, err error) error {
	keys := verify.KeyErrors(err)
	if len(keys) == 0 {
		return fmt.Errorf("route %s: %w", route.Name, err)
	}
	problems := make([]error, len(keys))
	for i, key := range keys {
		problems[i] = fmt.Errorf("route %s: %w", route.Name, key)
		if at := route.Place("verify." + key.Field); at != "" {
			problems[i] = fmt.Errorf("%s: route %s: %w", at, route.Name, key)
		}
	}
	return errors.Join(problems...)
}

// serve handles a request, from the check of its size to its answer.
func (e *endpoint) serve(ctx context.Context, x *exchange) *answer {
	b, received := e.front.bridge, e.front.bridge.Now()
	if a := e.admit(ctx, x); a != nil {
		return a
	}
	d := e.delivery(x, received)
	result := b.Run(ctx, d)
	a, failure := e.answer(ctx, x.request, result)
	if reason := oversize(x.request, a); reason != "" {
		a, failure = e.badResponse(x.request, result, reason)
	}
	// If an execution succeeded and only its answer cannot be made, a duplicate gets the
	// same answer and starts nothing.
	done := failure != nil && result.Failure == nil && result.Outcome != nil
	if failure != nil {
		result.Replayed, result.Failure = false, failure
	}
	b.Settle(ctx, d, result, bridge.Settlement{
		Final:  done || final(a.status) && !open(result.Failure),
		Answer: a.store,
		Beside: func() { e.send(x, a) },
		Attrs:  []slog.Attr{slog.Int("httpStatus", a.status)},
	})
	return a
}

// admit does everything that precedes the bridge: it checks the size, answers handshakes
// that are not signed, verifies the raw bytes, and answers handshakes that are signed. A
// nil answer means that the delivery is admitted.
func (e *endpoint) admit(ctx context.Context, x *exchange) *answer {
	if len(x.body) > MaxBody {
		return e.refuse(ctx, x, bridge.NewFailure(bridge.InputTooLarge, fmt.Sprintf("the body has %d bytes, but may have at most %d", len(x.body), MaxBody), nil))
	}
	q := x.toVerify()
	if a := e.reply(ctx, x, q, e.handshake.Before); a != nil {
		return a
	}
	err := e.verifier.Verify(ctx, q)
	if verify.ReasonOf(err) == verify.Mismatch && e.refresh != nil && e.refresh(ctx) {
		err = e.verifier.Verify(ctx, q)
	}
	if err != nil {
		return e.refuse(ctx, x, verifyFailure(err))
	}
	x.rawQuery, x.body = verify.Redact(e.verifier, q)
	x.verified = true
	if e.route.HTTP.Decides {
		if failure := e.decision(x.request); failure != nil {
			return e.refuse(ctx, x, failure)
		}
	}
	return e.reply(ctx, x, q, e.handshake.After)
}

// unverifiedCause is all that a catch can show. Which part of a signature was wrong is
// only logged.
const unverifiedCause = "the request could not be verified"

// refuse answers a request that did not become a delivery, by a catch if there is one.
func (e *endpoint) refuse(ctx context.Context, x *exchange, failure *bridge.Failure) *answer {
	e.front.rejected(ctx, e, x.request, failure)
	base, again := e.refusal(x.request, failure), e.refusal(x.request, failure)
	c := e.catchOf(failure.Name)
	if c == nil {
		return base
	}
	result := e.front.bridge.Refuse(ctx, e.delivery(x, e.front.bridge.Now()), failure)
	a, failed := e.render(ctx, x.request, &c.Respond, again, result)
	if reason := oversize(x.request, a); reason != "" {
		_, failed = e.badResponse(x.request, result, reason)
	}
	if failed != nil {
		e.front.log.LogAttrs(ctx, slog.LevelError, "catch failed",
			append(requestAttrs(e, x.request), slog.String("error", failed.Name), slog.String("reason", failed.Cause))...)
		return base
	}
	return a
}

// refusal is the default answer, with the challenge that RFC 9110 requires of a 401: some
// senders only send their credentials when they are challenged.
func (e *endpoint) refusal(r *request, failure *bridge.Failure) *answer {
	a := answerTo(failure, r.requestID)
	if failure.Name != bridge.Unverified {
		return a
	}
	if e.emptyRefusal {
		a.body = nil
		a.header.Del("Content-Type")
	}
	e.asks.Do(func() { e.challenge = e.route.HTTP.Verify.Challenge(e.route.Name) })
	if e.challenge != "" {
		a.header.Set("WWW-Authenticate", e.challenge)
	}
	return a
}

// catchOf returns the first catch of the route that matches a failure, or nil. States.ALL
// does not match [bridge.Unverified], whose answer is fixed unless a catch names it.
func (e *endpoint) catchOf(name string) *config.Catch {
	if e.route.Queue != nil {
		return nil // they belong to the queue function
	}
	for i := range e.route.Catch {
		errors := e.route.Catch[i].Errors
		if name == bridge.Unverified && slices.Contains(errors, name) || name != bridge.Unverified && bridge.Matches(errors, name) {
			return &e.route.Catch[i]
		}
	}
	return nil
}

// send encodes the response, once.
func (e *endpoint) send(x *exchange, a *answer) []byte {
	if a.response == nil {
		e.finish(x.http, a)
		a.response = encode(x.request, a)
	}
	return a.response
}

// finish removes from the answer what HTTP does not allow.
func (e *endpoint) finish(hr *http.Request, a *answer) {
	if e.page != nil {
		e.page.finish(a)
	}
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
