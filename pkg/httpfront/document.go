package httpfront

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// secretHeaders stay out of the default input whatever the route: execution
// inputs end up in logs and in consoles.
var secretHeaders = []string{"authorization", "proxy-authorization", "cookie", "x-api-key"}

func hiddenHeaders(verified []string) map[string]bool {
	hidden := map[string]bool{}
	for _, name := range append(slices.Clone(secretHeaders), verified...) {
		hidden[strings.ToLower(name)] = true
	}
	return hidden
}

func (e *endpoint) delivery(hr *http.Request, r *request, received time.Time) *bridge.Delivery {
	return &bridge.Delivery{
		Route:        &e.route.Route,
		ID:           e.deliveryID(r),
		RequestID:    r.requestID,
		Kind:         "request",
		Document:     func() (any, error) { return e.document(hr, r, nil) },
		DefaultInput: func() (any, error) { return e.document(hr, r, e.hidden) },
		Fingerprint:  func() []byte { return r.body },
		ReceivedAt:   received,
		// The request's own X-Ray header: the last resort of the starter's precedence.
		FallbackTrace: r.header.Get("X-Amzn-Trace-Id"),
		TraceParent:   r.header.Get("Traceparent"),
	}
}

// deliveryID is the sender's id of the delivery, where its provider has one and it was
// verified; else the front door's of the request.
func (e *endpoint) deliveryID(r *request) string {
	if r.verified {
		if id := e.route.HTTP.DeliveryID.Of(r.header, r.body); id != "" {
			return id
		}
	}
	return r.requestID
}

// document makes $request, without the headers in hidden, and without cookies where the
// cookie header is. Of a request that was not verified it has no body: whoever cannot
// prove who it is gets nothing parsed.
func (e *endpoint) document(hr *http.Request, r *request, hidden map[string]bool) (any, error) {
	o := jsonata.NewObject(13)
	o.Set("method", hr.Method)
	o.Set("path", r.shownPath)
	params := jsonata.NewObject(len(e.route.HTTP.Params))
	for _, name := range e.route.HTTP.Params {
		params.Set(name, hr.PathValue(name))
	}
	o.Set("params", params)
	setQuery(o, r.rawQuery)
	headers := jsonata.NewObject(len(r.header))
	for _, name := range slices.Sorted(maps.Keys(r.header)) {
		lower := strings.ToLower(name)
		if !hidden[lower] {
			headers.Set(lower, strings.Join(r.header[name], ", "))
		}
	}
	o.Set("headers", headers)
	if !hidden["cookie"] {
		cookies := jsonata.NewObject(0)
		for _, c := range hr.Cookies() {
			cookies.Set(c.Name, c.Value)
		}
		o.Set("cookies", cookies)
	}
	if r.verified {
		body, bodyType, err := e.readBody(r)
		if err != nil {
			return nil, err
		}
		o.Set("body", body)
		o.Set("bodyType", bodyType)
	}
	o.Set("sourceIp", r.sourceIP)
	o.Set("requestId", r.requestID)
	o.Set("stage", r.stage)
	o.Set("authorizer", r.authorizer)
	return o, nil
}

// setQuery sets query, the first value of each name, and multiQuery, all of them,
// in the order of the query. A pair that cannot be decoded stays as it was sent:
// what a sender of webhooks puts into its URL is no reason to refuse the delivery.
func setQuery(o *jsonata.Object, raw string) {
	first, all := jsonata.NewObject(0), jsonata.NewObject(0)
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, value = unescape(name), unescape(value)
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
