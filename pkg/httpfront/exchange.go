package httpfront

import (
	"context"
	"net/http"
	"strings"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// An exchange is one request on its way to an answer: the door's view of it, and the same
// request for net/http, whose ServeMux routes it.
type exchange struct {
	*request
	http *http.Request
}

// newExchange removes the base path, and makes net/http's request. The event's path may
// not be a valid path: such a request has no route.
func (f *Front) newExchange(ctx context.Context, r *request) (*exchange, *bridge.Failure) {
	if r.requestID == "" {
		if lc, ok := lambdacontext.FromContext(ctx); ok {
			r.requestID = lc.AwsRequestID // VPC Lattice, and a balancer without a trace
		}
	}
	r.cutBase(f.basePaths)
	hr, failure := httpRequest(ctx, r)
	if failure != nil {
		return nil, failure
	}
	return &exchange{r, hr}, nil
}

// toVerify returns the request as its signature covers it, with the path that was called.
func (x *exchange) toVerify() *verify.Request {
	return &verify.Request{
		Method:     x.http.Method,
		Path:       x.called,
		RoutedPath: x.http.URL.EscapedPath(),
		RawQuery:   x.rawQuery,
		Header:     x.header,
		Body:       x.body,
		ClientCert: x.clientCert,
	}
}

// withoutSlash returns the request without one trailing slash of its path, or nil if
// there is none to remove. An encoded slash belongs to its segment.
func (x *exchange) withoutSlash() *http.Request {
	if path := x.http.URL.EscapedPath(); len(path) < 2 || !strings.HasSuffix(path, "/") {
		return nil
	}
	u := *x.http.URL
	u.Path = strings.TrimSuffix(u.Path, "/")
	u.RawPath = strings.TrimSuffix(u.RawPath, "/")
	hr := new(http.Request)
	*hr = *x.http
	hr.URL = &u
	return hr
}
