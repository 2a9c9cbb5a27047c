package httpfront

import (
	"encoding/base64"
	"maps"
	"mime"
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
	id := r.requestID
	if name := e.route.HTTP.DeliveryHeader; name != "" {
		if v := r.header.Get(name); v != "" {
			id = v
		}
	}
	return &bridge.Delivery{
		Route:        &e.route.Route,
		ID:           id,
		RequestID:    r.requestID,
		Kind:         "request",
		Document:     func() (any, error) { return e.document(hr, r, nil) },
		DefaultInput: func() (any, error) { return e.document(hr, r, e.hidden) },
		ReceivedAt:   received,
		// The request's own X-Ray header: the last resort of the starter's precedence.
		FallbackTrace: r.header.Get("X-Amzn-Trace-Id"),
	}
}

// document makes $request, without the headers in hidden, and without cookies
// where the cookie header is.
func (e *endpoint) document(hr *http.Request, r *request, hidden map[string]bool) (any, error) {
	body, bodyType, err := readBody(r)
	if err != nil {
		return nil, err
	}
	o := jsonata.NewObject(12)
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
	o.Set("body", body)
	o.Set("bodyType", bodyType)
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

// readBody makes $request.body and its bodyType. A body that is not what its
// content type says is a BadRequest; without a content type it is tried as JSON,
// then text, then binary.
func readBody(r *request) (body any, bodyType string, err error) {
	if len(r.body) == 0 {
		return nil, "empty", nil
	}
	switch kind(r.header.Get("Content-Type")) {
	case "json":
		if err := jsonata.Valid(r.body); err != nil {
			return nil, "", bridge.Failf(bridge.BadRequest, "the body is no JSON: "+err.Error(), nil)
		}
		return jsonata.NewRaw(r.body), "json", nil
	case "form":
		form, err := readForm(string(r.body))
		return form, "form", err
	case "text":
		if utf8.Valid(r.body) {
			return string(r.body), "text", nil
		}
	case "":
		switch {
		case jsonata.Valid(r.body) == nil:
			return jsonata.NewRaw(r.body), "json", nil
		case utf8.Valid(r.body):
			return string(r.body), "text", nil
		}
	}
	return base64.StdEncoding.EncodeToString(r.body), "binary", nil
}

// kind sorts content types: json, form, text, other, or "" for none.
func kind(contentType string) string {
	if contentType == "" {
		return ""
	}
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		// Parameters are often wrong; the type before them still counts.
		media, _, _ = strings.Cut(contentType, ";")
		media = strings.ToLower(strings.TrimSpace(media))
	}
	switch {
	case media == "application/json", strings.HasSuffix(media, "+json"):
		return "json"
	case media == "application/x-www-form-urlencoded":
		return "form"
	case strings.HasPrefix(media, "text/"), media == "application/xml", strings.HasSuffix(media, "+xml"):
		return "text"
	}
	return "other"
}

// readForm reads a form in its own order; a name that repeats has a list.
func readForm(body string) (any, error) {
	form := jsonata.NewObject(8)
	for pair := range strings.SplitSeq(body, "&") {
		if pair == "" {
			continue
		}
		k, v, _ := strings.Cut(pair, "=")
		name, err1 := url.QueryUnescape(k)
		value, err2 := url.QueryUnescape(v)
		if err1 != nil || err2 != nil || !utf8.ValidString(name) || !utf8.ValidString(value) {
			return nil, bridge.Failf(bridge.BadRequest, "the form has a field that cannot be decoded", nil)
		}
		switch have, seen := form.Get(name); have := have.(type) {
		case []any:
			form.Set(name, append(have, value))
		default:
			if seen {
				form.Set(name, []any{have, value})
			} else {
				form.Set(name, value)
			}
		}
	}
	return form, nil
}
