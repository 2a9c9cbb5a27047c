package httpfront

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// An answer is a response before a door's format.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// statuses maps the bridge's error names to HTTP statuses; a workflow's own
// failures are 500, and 504 when the execution timed out.
var statuses = map[string]struct {
	status int
	title  string
}{
	bridge.NoRoute:          {http.StatusNotFound, "Nothing is routed here"},
	bridge.Unverified:       {http.StatusUnauthorized, "The request could not be verified"},
	bridge.BadRequest:       {http.StatusBadRequest, "The request is malformed"},
	bridge.InputTooLarge:    {http.StatusRequestEntityTooLarge, "The request is too large"},
	bridge.InProgress:       {http.StatusConflict, "The same delivery is being worked on"},
	bridge.DedupeMismatch:   {http.StatusUnprocessableEntity, "The same key came with another body"},
	bridge.Throttled:        {http.StatusServiceUnavailable, "Too many executions at the moment"},
	bridge.Unavailable:      {http.StatusServiceUnavailable, "The workflow service cannot be reached"},
	bridge.Unknown:          {http.StatusBadGateway, "The workflow service gave no answer; the workflow may have run"},
	bridge.Deadline:         {http.StatusGatewayTimeout, "The workflow did not end in time; it may still be running"},
	bridge.Misconfigured:    {http.StatusInternalServerError, "The route is misconfigured"},
	bridge.ExpressionFailed: {http.StatusInternalServerError, "An expression of the route failed"},
	bridge.BadResponse:      {http.StatusBadGateway, "The workflow's output is no valid response"},
	bridge.Internal:         {http.StatusInternalServerError, "Internal error"},
}

// answerTo makes the default answer to a failure: a problem document (RFC 9457)
// that never shows the cause.
func answerTo(f *bridge.Failure, requestID string) *answer {
	status, title := http.StatusInternalServerError, "The workflow failed"
	row, own := statuses[f.Name]
	switch {
	case own:
		status, title = row.status, row.title
	case f.Outcome != nil && f.Outcome.Status == bridge.TimedOut:
		status, title = http.StatusGatewayTimeout, "The workflow timed out"
	}
	if f.Name == bridge.NoRoute && f.Cause == methodNotAllowed {
		status, title = http.StatusMethodNotAllowed, "The method is not allowed here"
	}
	problem := jsonata.NewObject(5)
	problem.Set("title", title)
	problem.Set("status", json.Number(strconv.Itoa(status)))
	problem.Set("error", f.Name)
	if requestID != "" {
		problem.Set("requestId", requestID)
	}
	if f.Outcome != nil {
		problem.Set("executionArn", f.Outcome.ExecutionARN)
	}
	body, _ := jsonata.AppendJSON(nil, problem) // text and a number: cannot fail
	a := &answer{status: status, header: http.Header{}, body: body}
	a.header.Set("Content-Type", "application/problem+json")
	if status == http.StatusServiceUnavailable || status == http.StatusConflict {
		a.header.Set("Retry-After", seconds(f.RetryAfter))
	}
	return a
}

// seconds writes a wait in whole seconds, at least one.
func seconds(d time.Duration) string {
	return strconv.Itoa(max(1, int((d+time.Second-1)/time.Second)))
}

// answer turns a result into the route's answer. The failure is set when making
// the answer failed.
func (e *endpoint) answer(ctx context.Context, r *request, result bridge.Result) (*answer, *bridge.Failure) {
	switch {
	case result.Filtered:
		return &answer{status: http.StatusOK, header: http.Header{}}, nil
	case result.Failure != nil:
		for i := range e.route.Catch {
			c := &e.route.Catch[i]
			if bridge.Matches(c.Errors, result.Failure.Name) {
				return e.render(ctx, r, &c.Respond, answerTo(result.Failure, r.requestID), result)
			}
		}
		return answerTo(result.Failure, r.requestID), nil
	case e.route.Async:
		started := jsonata.NewObject(1)
		started.Set("executionArn", result.Outcome.ExecutionARN)
		body, _ := jsonata.AppendJSON(nil, started)
		return e.render(ctx, r, e.route.Respond, jsonAnswer(http.StatusAccepted, body), result)
	case e.route.Respond != nil:
		return e.render(ctx, r, e.route.Respond, jsonAnswer(http.StatusOK, result.Outcome.Output), result)
	}
	if bytesHaveStatusCode(result.Outcome.Output) {
		if v, err := jsonata.Decode(result.Outcome.Output); err == nil {
			if o, ok := v.(*jsonata.Object); ok && has(o, "statusCode") {
				a, reason := proxyAnswer(o)
				if reason != "" {
					return e.badResponse(r, result, reason)
				}
				return a, nil
			}
		}
	}
	return jsonAnswer(http.StatusOK, result.Outcome.Output), nil
}

// bytesHaveStatusCode keeps most outputs from being decoded for nothing.
func bytesHaveStatusCode(output []byte) bool {
	return strings.Contains(string(output), "statusCode") || strings.Contains(string(output), `\u`)
}

func jsonAnswer(status int, body []byte) *answer {
	a := &answer{status: status, header: http.Header{}, body: body}
	a.header.Set("Content-Type", "application/json")
	return a
}

func (e *endpoint) badResponse(r *request, result bridge.Result, reason string) (*answer, *bridge.Failure) {
	f := &bridge.Failure{Name: bridge.BadResponse, Cause: reason, Outcome: result.Outcome}
	return answerTo(f, r.requestID), f
}

// render makes the answer of a respond or catch block; what the block leaves out
// is as in base.
func (e *endpoint) render(ctx context.Context, r *request, block *config.Respond, base *answer, result bridge.Result) (*answer, *bridge.Failure) {
	if block == nil {
		return base, nil
	}
	failed := func(err error) (*answer, *bridge.Failure) {
		f := bridge.AsFailure(err)
		f.Outcome = result.Outcome
		return answerTo(f, r.requestID), f
	}
	if block.Status != nil {
		v, err := block.Status.Eval(ctx, result.Scope)
		if err != nil {
			return failed(err)
		}
		status, ok := statusCode(v)
		if !ok {
			return e.badResponse(r, result, "status is no HTTP status from 200 to 599")
		}
		base.status = status
	}
	if block.Body != nil {
		v, err := block.Body.Eval(ctx, result.Scope)
		if err != nil {
			return failed(err)
		}
		v = jsonata.Force(v)
		if s, ok := v.(string); ok {
			base.body = []byte(s)
			base.header.Set("Content-Type", "text/plain; charset=utf-8")
		} else {
			body, err := jsonata.AppendJSON(nil, v)
			if err != nil {
				return e.badResponse(r, result, "the body is a value that JSON cannot hold")
			}
			base.body = body
			base.header.Set("Content-Type", "application/json")
		}
	}
	if block.Headers != nil {
		v, err := block.Headers.Eval(ctx, result.Scope)
		if err != nil {
			return failed(err)
		}
		headers, ok := jsonata.Force(v).(*jsonata.Object)
		if !ok || !setHeaders(base.header, headers) {
			return e.badResponse(r, result, "the headers are no mapping of valid header names to valid values")
		}
	}
	return base, nil
}

// proxyAnswer reads an output of the form that Lambda's payload format 2.0 takes
// as a response; the reason says what is wrong with it.
func proxyAnswer(o *jsonata.Object) (a *answer, reason string) {
	code, _ := o.Get("statusCode")
	status, ok := statusCode(code)
	if !ok {
		return nil, "statusCode is no HTTP status from 200 to 599"
	}
	a = &answer{status: status, header: http.Header{}}
	for i := range o.Len() {
		name, v := o.At(i)
		ok := true
		switch name {
		case "headers":
			h, isObject := v.(*jsonata.Object)
			ok = v == nil || isObject && setHeaders(a.header, h)
		case "cookies":
			list, isList := v.([]any)
			ok = v == nil || isList
			for _, c := range list {
				s, isText := c.(string)
				ok = ok && isText && httpguts.ValidHeaderFieldValue(s)
				a.header.Add("Set-Cookie", s)
			}
		case "body":
			s, isText := v.(string)
			ok = v == nil || isText
			a.body = []byte(s)
		case "isBase64Encoded":
			_, isBool := v.(bool)
			ok = v == nil || isBool
		}
		if !ok {
			return nil, name + " is not as payload format 2.0 has it"
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
	// Gateways cannot pass on 1xx: it would be no final answer.
	return status, status >= 200 && status <= 599
}

// setHeaders refuses what would split a response or break its framing.
func setHeaders(h http.Header, from *jsonata.Object) bool {
	for i := range from.Len() {
		name, v := from.At(i)
		values, isList := jsonata.Force(v).([]any)
		if !isList {
			values = []any{jsonata.Force(v)}
		}
		h.Del(name)
		for _, value := range values {
			var s string
			switch value := value.(type) {
			case string:
				s = value
			case json.Number, bool, float64:
				text, _ := jsonata.AppendJSON(nil, value)
				s = string(text)
			default:
				return false
			}
			if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(s) {
				return false
			}
			h.Add(name, s)
		}
	}
	return true
}
