package httpfront

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/jsonata"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// askedBy remembers which methods handshakes ask by, and which methods' patterns then
// have to be looked through: a handshake by GET is for the route that takes the POSTs.
func (f *Front) askedBy(e *endpoint) {
	pattern := e.route.HTTP.Method()
	if pattern == "" {
		pattern = http.MethodPost
	}
	for _, method := range e.handshake.Methods() {
		if f.asked == nil {
			f.asked = map[string][]string{}
		}
		if !slices.Contains(f.asked[method], pattern) {
			f.asked[method] = append(f.asked[method], pattern)
		}
	}
}

// unsigned answers what is asked by a method that the route's pattern need not have:
// a browser's preflight, and the handshakes that a provider makes by GET or OPTIONS. A
// nil answer means that nothing of the kind was asked.
func (f *Front) unsigned(ctx context.Context, hr *http.Request, r *request) (*endpoint, *answer) {
	if isPreflight(hr) {
		if e := f.matchAs(hr, hr.Header.Get("Access-Control-Request-Method")); e != nil && e.cors != nil {
			return e, e.cors.preflight(hr)
		}
	}
	if hr.Method == http.MethodOptions && hr.Header.Get("WebHook-Request-Origin") == "" {
		return nil, nil
	}
	for _, pattern := range f.asked[hr.Method] {
		e := f.matchAs(hr, pattern)
		if e == nil || !slices.Contains(e.handshake.Methods(), hr.Method) {
			continue
		}
		if a := e.reply(ctx, hr, r, toVerify(hr, r), e.handshake.Before); a != nil {
			return e, a
		}
	}
	return nil, nil
}

// reply answers a handshake, or says by nil that the request is none.
func (e *endpoint) reply(ctx context.Context, hr *http.Request, r *request, q *verify.Request, exchange func(context.Context, *verify.Request) (*verify.Reply, error)) *answer {
	reply, err := exchange(ctx, q)
	switch {
	case err != nil:
		return e.refuse(ctx, hr, r, verifyFailure(err))
	case reply == nil:
		return nil
	}
	e.front.log.LogAttrs(ctx, slog.LevelInfo, "handshake answered",
		slog.String("route", e.route.Name), slog.String("delivery", r.requestID), slog.Int("httpStatus", reply.Status))
	a := emptyAnswer(reply.Status)
	a.body = reply.Body
	if reply.Header != nil {
		a.header = reply.Header
	}
	return a
}

func toVerify(hr *http.Request, r *request) *verify.Request {
	return &verify.Request{
		Method:     hr.Method,
		Path:       hr.URL.EscapedPath(),
		RawQuery:   r.rawQuery,
		Header:     r.header,
		Body:       r.body,
		ClientCert: r.clientCert,
	}
}

// verifyFailure names what keeps a request from being verified.
func verifyFailure(err error) *bridge.Failure {
	switch {
	case errors.Is(err, verify.ErrUnverified):
		return bridge.NewFailure(bridge.Unverified, unverifiedCause, err)
	case errors.Is(err, verify.ErrHandshake):
		return &bridge.Failure{Name: bridge.Unavailable, Cause: "the handshake could not be completed", Err: err, RetryAfter: 5 * time.Second}
	}
	return &bridge.Failure{Name: bridge.Unavailable, Cause: "the route's secrets cannot be read", Err: err, RetryAfter: 5 * time.Second}
}

// clientCert reads the certificate that the front door says it has verified.
func clientCert(v any) *verify.ClientCert {
	o, ok := v.(*jsonata.Object)
	if !ok || text(o, "subjectDN") == "" {
		return nil
	}
	validity := object(o, "validity")
	return &verify.ClientCert{
		SubjectDN:    text(o, "subjectDN"),
		IssuerDN:     text(o, "issuerDN"),
		SerialNumber: text(o, "serialNumber"),
		Validity:     verify.Validity{NotBefore: text(validity, "notBefore"), NotAfter: text(validity, "notAfter")},
	}
}
