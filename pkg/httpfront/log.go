package httpfront

import (
	"context"
	"log/slog"
	"strings"

	"github.com/expressway-dev/expressway/internal/sources"
	"github.com/expressway-dev/expressway/pkg/bridge"
)

// Bounds of what a log line repeats of a request that has not been verified.
const (
	maxLoggedPath = 200
	maxLoggedID   = 128
	// maxIDBody is the size of the largest body that is searched for the delivery id of a
	// refused request.
	maxIDBody = 64 << 10
)

// requestAttrs returns the ids and the place of a request, for each log line about it.
// The path is logged only if no route matched, because a routed path may carry secrets.
// The query is never logged.
func requestAttrs(e *endpoint, r *request) []slog.Attr {
	if e == nil {
		return []slog.Attr{
			slog.String("gatewayRequestId", r.requestID),
			slog.String("method", cut(r.method, maxLoggedID)),
			slog.String("path", loggedPath(r.shownPath)),
		}
	}
	return append(settledAttrs(e, r), slog.String("route", e.route.Name))
}

// loggedPath returns the part of an unrouted path that is logged. An HTTP API decodes its
// paths, so what looks like a query in one may be a query.
func loggedPath(path string) string {
	path, _, _ = strings.Cut(path, "?")
	return cut(path, maxLoggedPath)
}

// settledAttrs returns the attributes of a delivery, whose log lines already name its
// route.
func settledAttrs(e *endpoint, r *request) []slog.Attr {
	return []slog.Attr{
		slog.String("gatewayRequestId", r.requestID),
		slog.String("method", r.method),
		slog.String("pattern", e.route.HTTP.Path()),
	}
}

// claimedID returns the delivery id that a sender gives, verified or not: nothing else
// identifies a delivery that was refused.
func (e *endpoint) claimedID(r *request) string {
	body := r.body
	if len(body) > maxIDBody {
		body = nil
	}
	return cut(e.route.HTTP.DeliveryID.Of(r.header, body), maxLoggedID)
}

// rejected logs a request that did not become a delivery, and notifies the observer.
func (f *Front) rejected(ctx context.Context, e *endpoint, r *request, failure *bridge.Failure) {
	level := slog.LevelWarn
	if failure.Class() == bridge.Retryable {
		level = slog.LevelError // the sender did nothing wrong
	}
	reason := failure.Cause
	if failure.Err != nil {
		reason += ": " + failure.Err.Error()
	}
	attrs := append(requestAttrs(e, r), slog.String("error", failure.Name), slog.String("reason", reason))
	route := ""
	if e != nil {
		route = e.route.Name
		if id := e.claimedID(r); id != "" {
			attrs = append(attrs, slog.String("delivery", id))
		}
	}
	f.log.LogAttrs(ctx, level, "request refused", attrs...)
	f.bridge.Reject(ctx, route, sources.HTTP, failure.Name)
}

// cut truncates a text to whole characters.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}
