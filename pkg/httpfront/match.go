package httpfront

import (
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
)

// methodNotAllowed is the cause of a NoRoute failure that is answered 405.
const methodNotAllowed = "no route takes this method"

type noMatch struct {
	failure *bridge.Failure
	allow   string
}

// match finds the route, and gives the request the values of its pattern's wildcards. A
// path that has one trailing slash more than a pattern matches it if no other pattern
// does.
func (f *Front) match(x *exchange) (*endpoint, *noMatch) {
	e, none := f.look(x.http)
	if none == nil {
		return e, nil
	}
	if shorter := x.withoutSlash(); shorter != nil {
		switch e, other := f.look(shorter); {
		case other == nil:
			e.copyParams(x.http, shorter)
			return e, nil
		case none.allow == "":
			none = other
		}
	}
	return nil, none
}

// look finds a route by ServeMux. A path that is not clean (//hook, /a/../b) has no
// route, because ServeMux would answer it with a redirect, which makes senders of
// webhooks drop the body.
func (f *Front) look(hr *http.Request) (*endpoint, *noMatch) {
	if isClean(hr.URL) {
		found := finder{front: f}
		f.mux.ServeHTTP(&found, hr)
		if found.endpoint != nil {
			return found.endpoint, nil
		}
		if found.status == http.StatusMethodNotAllowed {
			return nil, &noMatch{bridge.NewFailure(bridge.NoRoute, methodNotAllowed, nil), found.header.Get("Allow")}
		}
	}
	return nil, &noMatch{failure: bridge.NewFailure(bridge.NoRoute, "no route has this path", nil)}
}

// isClean reports whether ServeMux takes a path as it is. An encoded slash is part of its
// segment, even next to another slash; encoded dots are dots in any context.
func isClean(u *url.URL) bool {
	sent := u.EscapedPath()
	if clean := path.Clean(sent); clean != sent && clean+"/" != sent {
		return false
	}
	for segment := range strings.SplitSeq(u.Path, "/") {
		if segment == "." || segment == ".." {
			return false
		}
	}
	return true
}

// matchAs finds the route that a request of another method would have, and gives the
// request the values of that route's wildcards.
func (f *Front) matchAs(x *exchange, method string) *endpoint {
	as := new(http.Request)
	*as = *x.http
	as.Method = method
	e, _ := f.match(&exchange{x.request, as})
	if e != nil {
		e.copyParams(x.http, as)
	}
	return e
}

// copyParams gives one request the values of the route's wildcards that another has.
func (e *endpoint) copyParams(to, from *http.Request) {
	for _, name := range e.route.HTTP.Params {
		to.SetPathValue(name, from.PathValue(name))
	}
}

// A finder is the response writer through which ServeMux reports what it found: an
// endpoint stores itself in it, and anything else is ServeMux's own answer.
type finder struct {
	front    *Front
	endpoint *endpoint
	header   http.Header
	status   int
}

func (f *finder) Header() http.Header {
	if f.header == nil {
		f.header = http.Header{}
	}
	return f.header
}
func (f *finder) Write(b []byte) (int, error) { return len(b), nil }
func (f *finder) WriteHeader(status int)      { f.status = status }

// Found is called by the mux of [config.Mux].
func (f *finder) Found(r *config.Route) { f.endpoint = f.front.routes[r] }

// ServeHTTP makes endpoint an http.Handler for ServeMux, which only looks it up.
func (e *endpoint) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	if f, ok := w.(*finder); ok {
		f.endpoint = e
	}
}
