package httpfront

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"

	"golang.org/x/net/http/httpguts"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// render makes the answer of a respond, accepted, onDeadline or catch block; what the
// block leaves out is taken from base.
func (e *endpoint) render(ctx context.Context, r *request, block *config.Respond, base *answer, result bridge.Result) (*answer, *bridge.Failure) {
	if block == nil {
		return base, nil
	}
	p := renderer{answer: base, ctx: ctx, scope: result.Scope}
	p.status(block.Status)
	p.body(block.Body, block.Base64)
	p.headers(block.Headers)
	p.cookies(block.Cookies)
	switch {
	case p.failure != nil:
		p.failure.Outcome = result.Outcome
		return answerTo(p.failure, r.requestID), p.failure
	case p.bad != "":
		return e.badResponse(r, result, p.bad)
	}
	return base, nil
}

// A renderer fills in an answer until something is wrong: an expression fails, or a value
// cannot be part of an answer.
type renderer struct {
	*answer
	ctx     context.Context
	scope   *bridge.Scope
	failure *bridge.Failure
	bad     string
}

// eval returns the template's value, and false if there is none or something is wrong.
func (p *renderer) eval(t *bridge.Template) (any, bool) {
	if t == nil || p.failure != nil || p.bad != "" {
		return nil, false
	}
	v, err := t.Eval(p.ctx, p.scope)
	if err != nil {
		p.failure = bridge.AsFailure(err)
		return nil, false
	}
	return v, true
}

func (p *renderer) status(t *bridge.Template) {
	v, ok := p.eval(t)
	if !ok {
		return
	}
	status, ok := statusCode(v)
	if !ok {
		p.bad = "status is not an HTTP status from 200 to 599"
		return
	}
	p.setStatus(status)
}

// body sets the body: text as text, without a content type if there is no text, and
// anything else as JSON.
func (p *renderer) body(t, encoded *bridge.Template) {
	v, ok := p.eval(t)
	if !ok {
		return
	}
	text, isText, err := bodyText(v)
	p.answer.body, p.problem = text, nil
	switch {
	case err != nil:
		p.bad = "the body is a value that JSON cannot represent"
	case encoded != nil:
		p.decode(encoded, isText)
	default:
		p.contentType(isText)
	}
}

func (p *renderer) contentType(isText bool) {
	switch {
	case !isText:
		p.header.Set("Content-Type", "application/json")
	case len(p.answer.body) > 0:
		p.header.Set("Content-Type", "text/plain; charset=utf-8")
	default:
		p.header.Del("Content-Type")
	}
}

// bodyText returns a text as it is, and any other value as JSON, unchanged if it is
// already JSON text.
func bodyText(v any) (text []byte, isText bool, err error) {
	if raw, ok := v.(*jsonata.Raw); ok {
		if text := bytes.TrimLeft(raw.Text(), " \t\r\n"); len(text) > 0 && text[0] != '"' {
			return raw.Text(), false, nil
		}
		v = raw.Value()
	}
	if s, ok := v.(string); ok {
		return []byte(s), true, nil
	}
	text, err = jsonata.AppendJSON(nil, v)
	return text, false, err
}

// decode decodes the body's text as base64 if encoded is true.
func (p *renderer) decode(encoded *bridge.Template, isText bool) {
	v, ok := p.eval(encoded)
	if !ok {
		return
	}
	on, ok := jsonata.Force(v).(bool)
	switch {
	case !ok:
		p.bad = "base64 is not true or false"
	case on && !isText:
		p.bad = "the body is marked as base64 but is not text"
	case on:
		decoded, err := base64.StdEncoding.DecodeString(string(p.answer.body))
		if err != nil {
			p.bad = "the body is marked as base64 and is not"
		}
		p.answer.body = decoded
		p.header.Set("Content-Type", "application/octet-stream")
	default:
		p.contentType(isText)
	}
}

func (p *renderer) headers(t *bridge.Template) {
	v, ok := p.eval(t)
	if !ok {
		return
	}
	if o, ok := jsonata.Force(v).(*jsonata.Object); !ok || !setHeaders(p.header, o) {
		p.bad = "the headers are not a mapping of valid header names to valid values"
	}
}

func (p *renderer) cookies(t *bridge.Template) {
	v, ok := p.eval(t)
	if ok && !addCookies(p.header, v) {
		p.bad = "the cookies are not a list of Set-Cookie values"
	}
}

func addCookies(h http.Header, v any) bool {
	v = jsonata.Force(v)
	list, isList := v.([]any)
	if !isList {
		list = []any{v} // JSONata does not distinguish a value from a list of one
	}
	for _, c := range list {
		s, isText := jsonata.Force(c).(string)
		if !isText || s == "" || !httpguts.ValidHeaderFieldValue(s) {
			return false
		}
		h.Add("Set-Cookie", s)
	}
	return true
}

// proxyAnswer reads an output of the form that Lambda's payload format 2.0 accepts as a
// response; the reason says what is wrong with it. multiValueHeaders, which format 1.0
// has, are accepted too.
func proxyAnswer(o *jsonata.Object) (a *answer, reason string) {
	code, _ := o.Get("statusCode")
	status, ok := statusCode(code)
	if !ok {
		return nil, "statusCode is not an HTTP status from 200 to 599"
	}
	a = emptyAnswer(status)
	for _, name := range []string{"headers", "multiValueHeaders", "body", "isBase64Encoded"} {
		v, _ := o.Get(name)
		ok := true
		switch name {
		case "headers", "multiValueHeaders": // if a name is in both, the later one is used
			h, isObject := v.(*jsonata.Object)
			ok = v == nil || isObject && setHeaders(a.header, h)
		case "body":
			s, isText := v.(string)
			ok = v == nil || isText
			a.body = []byte(s)
		case "isBase64Encoded":
			_, isBool := v.(bool)
			ok = v == nil || isBool
		}
		if !ok {
			return nil, name + " does not conform to payload format 2.0"
		}
	}
	if cookies, _ := o.Get("cookies"); cookies != nil {
		if list, ok := cookies.([]any); !ok || !addCookies(a.header, list) {
			return nil, "cookies does not conform to payload format 2.0"
		}
	}
	if flag, _ := o.Get("isBase64Encoded"); flag == true {
		body, err := base64.StdEncoding.DecodeString(string(a.body))
		if err != nil {
			return nil, "body is marked as base64 and is not"
		}
		a.body = body
	}
	return a, ""
}

func statusCode(v any) (int, bool) {
	var status int
	switch v := jsonata.Force(v).(type) {
	case json.Number:
		n, err := strconv.ParseFloat(string(v), 64)
		if err != nil || n != float64(int(n)) {
			return 0, false
		}
		status = int(n)
	case float64:
		if v != float64(int(v)) {
			return 0, false
		}
		status = int(v)
	case string: // a template's text, such as ${STATUS}
		n, err := strconv.Atoi(v)
		if err != nil {
			return 0, false
		}
		status = n
	}
	// Gateways cannot pass on 1xx, which is not a final answer.
	return status, status >= 200 && status <= 599
}

// setHeaders refuses headers that would split a response, and leaves out those that would
// break its framing: a workflow that was written for a server may set the body's length.
// A header with the value null, such as one that a workflow did not find, is not sent.
func setHeaders(h http.Header, from *jsonata.Object) bool {
	for i := range from.Len() {
		name, v := from.At(i)
		values, isList := jsonata.Force(v).([]any)
		if !isList {
			values = []any{jsonata.Force(v)}
		}
		h.Del(name)
		for _, value := range values {
			if value = jsonata.Force(value); value == nil {
				continue
			}
			s, ok := headerValue(value)
			if !ok || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(s) {
				return false
			}
			if !config.FramingHeader(http.CanonicalHeaderKey(name)) {
				h.Add(name, s)
			}
		}
	}
	return true
}

func headerValue(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number, bool, float64:
		text, err := jsonata.AppendJSON(nil, v)
		return string(text), err == nil
	}
	return "", false
}
