package httpfront

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// secretHeaders are left out of the default input of every route, because execution
// inputs end up in logs and in consoles.
var secretHeaders = []string{"authorization", "proxy-authorization", "cookie", "x-api-key"}

func hiddenHeaders(verified []string) map[string]bool {
	hidden := map[string]bool{}
	for _, name := range append(slices.Clone(secretHeaders), verified...) {
		hidden[strings.ToLower(name)] = true
	}
	return hidden
}

func (e *endpoint) delivery(x *exchange, received time.Time) *bridge.Delivery {
	return &bridge.Delivery{
		Route:     &e.route.Route,
		ID:        e.deliveryID(x.request),
		RequestID: x.requestID,
		Kind:      "request",
		Attrs:     settledAttrs(e, x.request),
		Document:  func() (any, error) { return e.document(x, nil) },
		Redact:    func(secret string) { x.redacted = secret },
		DefaultInput: func() (any, error) {
			e.hides.Do(func() { e.hidden = hiddenHeaders(e.verifier.Headers()) })
			return e.document(x, e.hidden)
		},
		Fingerprint: func() []byte { return x.body },
		ReceivedAt:  received,
		// The request's own X-Ray header is the last one that the starter considers.
		FallbackTrace: x.header.Get("X-Amzn-Trace-Id"),
		TraceParent:   x.header.Get("Traceparent"),
	}
}

// deliveryID returns the sender's id of the delivery if the provider has one and it was
// verified, and else the front door's id of the request.
func (e *endpoint) deliveryID(r *request) string {
	if r.verified {
		if id := e.route.HTTP.DeliveryID.Of(r.header, r.body); id != "" {
			return id
		}
	}
	return r.requestID
}

// document makes $request, without the headers in hidden, and without cookies if the
// cookie header is among them. A request that was not verified has no body in it: nothing
// is parsed for a sender that has not proved who it is.
func (e *endpoint) document(x *exchange, hidden map[string]bool) (any, error) {
	o := jsonata.NewObject(13)
	o.Set("method", x.http.Method)
	o.Set("path", x.shownPath)
	params := jsonata.NewObject(len(e.route.HTTP.Params))
	for _, name := range e.route.HTTP.Params {
		params.Set(name, x.http.PathValue(name))
	}
	o.Set("params", params)
	setQuery(o, x.rawQuery, func(name, value string) bool {
		return hidden != nil && (e.route.HTTP.Link && (name == "token" || name == "secret") || x.isRedacted(value))
	})
	headers := jsonata.NewObject(len(x.header))
	for _, name := range slices.Sorted(maps.Keys(x.header)) {
		lower := strings.ToLower(name)
		value := strings.Join(x.header[name], ", ")
		if !hidden[lower] && !(hidden != nil && x.isRedacted(value)) {
			headers.Set(lower, value)
		}
	}
	o.Set("headers", headers)
	if !hidden["cookie"] {
		cookies := jsonata.NewObject(0)
		for _, c := range x.http.Cookies() {
			cookies.Set(c.Name, c.Value)
		}
		o.Set("cookies", cookies)
	}
	if x.verified {
		body, bodyType, err := e.readBody(x.request)
		if err != nil {
			return nil, err
		}
		o.Set("body", body)
		o.Set("bodyType", bodyType)
	}
	o.Set("sourceIp", x.sourceIP)
	o.Set("requestId", x.requestID)
	o.Set("stage", x.stage)
	o.Set("authorizer", x.authorizer)
	return o, nil
}

// setQuery sets query, the first value of each name, and multiQuery, all of them, in the
// order of the query. A pair that cannot be decoded stays as it was sent: a delivery is
// not refused because of what its sender puts into the URL.
func setQuery(o *jsonata.Object, raw string, hides func(name, value string) bool) {
	first, all := jsonata.NewObject(0), jsonata.NewObject(0)
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, value = unescape(name), unescape(value)
		if hides(name, value) {
			continue
		}
		list, seen := all.Get(name)
		if !seen {
			first.Set(name, value)
			list = []any{}
		}
		all.Set(name, append(list.([]any), value))
	}
	o.Set("query", first)
	o.Set("multiQuery", all)
}

func unescape(s string) string {
	if out, err := url.QueryUnescape(s); err == nil && utf8.ValidString(out) {
		return out
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
