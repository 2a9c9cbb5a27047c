package tasks

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// An httpCall is the request that a Task state describes, for both http:invoke and
// apigateway:invoke.
type httpCall struct {
	method string
	url    *url.URL
	header http.Header
	query  url.Values // added to that of the URL
	body   []byte
}

// httpMethods are the methods that both integrations accept.
var httpMethods = []string{"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"}

// runtimeError refuses a request before it is sent.
func runtimeError(format string, args ...any) *asl.Error {
	return &asl.Error{Name: "States.Runtime", Cause: fmt.Sprintf(format, args...)}
}

// newHTTPCall reads Method, Headers and QueryParameters of a state. forbidden reports
// which headers it may not set.
func newHTTPCall(p *jsonata.Object, forbidden func(name string) bool) (*httpCall, error) {
	c := &httpCall{method: p.Text("Method"), header: http.Header{}, query: url.Values{}}
	if !slices.Contains(httpMethods, c.method) {
		return nil, runtimeError("The field 'Method' must be one of %s, and not '%s'", strings.Join(httpMethods, ", "), c.method)
	}
	var wrong []string
	err := eachText(p, "Headers", func(name, value string) {
		if forbidden(strings.ToLower(name)) {
			wrong = append(wrong, name)
		}
		c.header.Add(name, value)
	})
	if err == nil {
		err = eachText(p, "QueryParameters", c.query.Add)
	}
	switch {
	case err != nil:
		return nil, err
	case len(wrong) > 0:
		return nil, runtimeError("The 'Headers' field contains unsupported values: %s", strings.Join(wrong, ", "))
	}
	return c, nil
}

// eachText calls f for each text of an object's member: one, or several in a list.
func eachText(p *jsonata.Object, field string, f func(name, value string)) error {
	v := p.Value(field)
	o, ok := v.(*jsonata.Object)
	if !ok && v != nil {
		return runtimeError("The field '%s' must be an object", field)
	}
	for i := range o.Len() {
		name, v := o.At(i)
		list, ok := jsonata.Force(v).([]any)
		if !ok {
			list = []any{v}
		}
		for _, item := range list {
			switch item := jsonata.Force(item).(type) {
			case nil:
			case *jsonata.Object, []any:
				return runtimeError("The member '%s' of the field '%s' must be text, or a list of texts", name, field)
			default:
				f(name, plain(item))
			}
		}
	}
	return nil
}

// request returns the call as an HTTP request.
func (c *httpCall) request(ctx context.Context) (*http.Request, error) {
	target := *c.url
	query := target.Query()
	for name, values := range c.query {
		query[name] = append(query[name], values...)
	}
	target.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, c.method, target.String(), bytes.NewReader(c.body))
	if err != nil {
		return nil, runtimeError("The request cannot be made: %v", withoutURL(err))
	}
	req.Header = c.header
	return req, nil
}

// maxHTTPAnswer bounds an answer in bytes; a larger one cannot be the result of a state.
const maxHTTPAnswer = 1 << 20

// An httpAnswer is the answer to a call.
type httpAnswer struct {
	resp  *http.Response
	names []string // of the headers, in order; nil if it is not known
	body  []byte
}

func sendHTTP(client *http.Client, req *http.Request) (*httpAnswer, error) {
	resp, err := client.Do(req)
	if err != nil {
		return nil, withoutURL(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxHTTPAnswer+1))
	if err != nil {
		return nil, withoutURL(err)
	}
	return &httpAnswer{resp, headerNames(resp), body}, nil
}

// text returns the body as text: in UTF-8, or in the charset of its type.
func (a *httpAnswer) text() string {
	_, parameters, _ := mime.ParseMediaType(a.resp.Header.Get("Content-Type"))
	if strings.EqualFold(parameters["charset"], "iso-8859-1") {
		runes := make([]rune, len(a.body))
		for i, b := range a.body {
			runes[i] = rune(b)
		}
		return string(runes)
	}
	return strings.ToValidUTF8(string(a.body), "\uFFFD")
}

// result returns the result of both integrations. spell writes the name of a header.
func (a *httpAnswer) result(t asl.Task, spell func(string) string) (any, error) {
	if len(a.body) > maxHTTPAnswer {
		name, _ := asl.Integration(t.Resource)
		service, _, _ := strings.Cut(name, ":")
		return nil, &asl.Error{
			Name:  "States.DataLimitExceeded",
			Cause: "The state/task '" + service + "' returned a result with a size exceeding the maximum number of bytes service limit.",
		}
	}
	names := a.names
	if names == nil {
		names = slices.Sorted(maps.Keys(a.resp.Header))
	}
	headers := jsonata.NewObject(len(names))
	for _, name := range names {
		key := textproto.CanonicalMIMEHeaderKey(name)
		if len(a.resp.Header[key]) == 0 {
			continue // removed by net/http, such as Transfer-Encoding
		}
		values := make([]any, len(a.resp.Header[key]))
		for i, v := range a.resp.Header[key] {
			values[i] = strings.ToValidUTF8(v, "\uFFFD")
		}
		headers.Set(spell(key), values)
	}
	text := a.text()
	var body any = text
	if kind, _, _ := mime.ParseMediaType(a.resp.Header.Get("Content-Type")); kind == "application/json" || strings.HasSuffix(kind, "+json") || kind == "" {
		if v, err := jsonata.Decode([]byte(text)); err == nil {
			body = v
		}
	}
	o := jsonata.NewObject(4)
	o.Set("Headers", headers)
	o.Set("ResponseBody", body)
	o.Set("StatusCode", json.Number(strconv.Itoa(a.resp.StatusCode)))
	o.Set("StatusText", http.StatusText(a.resp.StatusCode))
	return o, nil
}

// cause returns the cause of an answer that fails the task: the body, or else the status.
func (a *httpAnswer) cause() string {
	if text := strings.TrimSpace(a.text()); text != "" {
		return cut(text, maxCause)
	}
	return http.StatusText(a.resp.StatusCode)
}
