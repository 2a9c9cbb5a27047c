package httpfront

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/awslabs/aws-lambda-go-api-proxy/core"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// httpRequest makes the net/http request with aws-lambda-go-api-proxy, and corrects in
// this one place what the library gets wrong:
//
//   - it splits header values at commas (Stripe-Signature), loses the Host header
//     of ALB, and leaves REST and ALB without a remote address: headers, host and
//     address are set here, as the event has them;
//   - it encodes ALB queries twice: the raw query is set here, too;
//   - it fails, as a function error, on a path that is not a URL and on bad base64:
//     both have been checked before.
func httpRequest(ctx context.Context, r *request) (*http.Request, *bridge.Failure) {
	if !strings.HasPrefix(r.path, "/") {
		return nil, bridge.NewFailure(bridge.BadRequest, "the path does not begin with /", nil)
	}
	if u, err := url.ParseRequestURI(r.path); err != nil || u.Host != "" {
		return nil, bridge.NewFailure(bridge.BadRequest, "the path is not a valid URL path", nil)
	}
	if !validMethod(r.method) {
		return nil, bridge.NewFailure(bridge.BadRequest, "the method is not an HTTP method", nil)
	}
	var accessor core.RequestAccessorV2
	hr, err := accessor.EventToRequest(events.APIGatewayV2HTTPRequest{
		RawPath: escapeDelimiters(r.path),
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			DomainName: "localhost", // r.host comes from the sender; it is set below, unparsed
			HTTP:       events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: r.method, SourceIP: r.sourceIP},
		},
	})
	if err != nil {
		return nil, bridge.NewFailure(bridge.BadRequest, "the request is not a valid HTTP request", nil)
	}
	hr.Header = r.header
	hr.Host, hr.URL.Host, hr.URL.Scheme = r.host, "", ""
	hr.URL.RawQuery = r.rawQuery
	hr.RequestURI = hr.URL.RequestURI()
	return hr.WithContext(ctx), nil
}

// escapeDelimiters keeps a ? or # in the path as part of the path.
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
