package tasks

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// An httpTasks runs arn:aws:states:::http:invoke with the authorization of [Connections].
type httpTasks struct {
	// Connections authorize; nil leaves the tasks to Next.
	Connections *Connections
	// Hosts maps the hosts of endpoints to local addresses.
	Hosts map[string]string
	// Region is a part of the User-Agent.
	Region string
	// Client sends the requests, and must not follow redirects; the default also has the
	// service's timeout of a minute.
	Client *http.Client
	// Now is the clock for the expiry of tokens; nil is time.Now.
	Now func() time.Time
	// Next runs all other tasks; nil fails them.
	Next asl.TaskRunner
}

// RunTask implements [asl.TaskRunner].
func (r *httpTasks) RunTask(ctx context.Context, t asl.Task) (any, error) {
	if r.Connections == nil || !isIntegration(t.Resource, "http:invoke") {
		return next(ctx, r.Next, t)
	}
	p, _ := jsonata.Force(t.Parameters).(*jsonata.Object)
	arn := connectionARN(p)
	conn, ok := r.Connections.find(arn)
	if !ok {
		return nil, &asl.Error{Name: "States.TaskFailed", Cause: fmt.Sprintf("The --connections file has no connection %q for the state '%s'.", arn, t.State)}
	}
	c, err := r.call(p, conn)
	if err != nil {
		return nil, err
	}
	client := r.Client
	if client == nil {
		client = defaultHTTPClient
	}
	header := ""
	if conn.tokens != nil {
		now := r.Now
		if now == nil {
			now = time.Now
		}
		if header, err = conn.tokens.authorization(ctx, client, now); err != nil {
			return nil, &asl.Error{Name: "States.TaskFailed", Cause: fmt.Sprintf("The connection %s got no token: %v", arn, err)}
		}
		c.header.Set("Authorization", header)
	}
	return r.send(ctx, client, t, conn, c, header)
}

// connectionARN returns the ARN of the connection that authorizes a task.
func connectionARN(p *jsonata.Object) string {
	for _, part := range []string{"Authentication", "InvocationConfig"} {
		if arn := p.Object(part).Text("ConnectionArn"); arn != "" {
			return arn
		}
	}
	return ""
}

// unsettable are the headers that a state may not set, in addition to x-amz-* and similar
// ones.
var unsettable = []string{
	"a-im", "accept-charset", "accept-datetime", "accept-encoding", "access-control-request-headers", "access-control-request-method",
	"connection", "content-encoding", "content-length", "content-md5", "date", "expect", "forwarded", "from", "host", "http2-settings",
	"if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "max-forwards", "origin", "pragma",
	"proxy-authorization", "range", "referer", "server", "te", "trailer", "transfer-encoding", "upgrade", "via", "warning",
}

func unsettableHeader(name string) bool {
	return slices.Contains(unsettable, name) || strings.HasPrefix(name, "x-forwarded-") ||
		strings.HasPrefix(name, "x-amz-") || strings.HasPrefix(name, "x-amzn-")
}

// call makes the request of a state and adds the parameters of its connection, which take
// precedence.
func (r *httpTasks) call(p *jsonata.Object, conn *connection) (*httpCall, error) {
	c, err := newHTTPCall(p, unsettableHeader)
	if err != nil {
		return nil, err
	}
	if c.url, err = r.target(p.Text("ApiEndpoint")); err != nil {
		return nil, err
	}
	body, err := withParameters(p, conn.Invocation.BodyParameters)
	if err == nil {
		err = c.encode(p, body)
	}
	if err != nil {
		return nil, err
	}
	for _, q := range conn.Invocation.QueryStringParameters {
		c.query.Set(q.Key, q.Value)
	}
	for _, h := range conn.Invocation.HeaderParameters {
		c.header.Set(h.Key, h.Value)
	}
	if conn.APIKey != nil {
		c.header.Set(conn.APIKey.APIKeyName, conn.APIKey.APIKeyValue)
	}
	region := r.Region
	if region == "" {
		region = "us-east-1"
	}
	if c.header.Get("User-Agent") == "" {
		c.header.Set("User-Agent", "Amazon|StepFunctions|HttpInvoke|"+region)
	}
	c.header.Set("Range", "bytes=0-262144") // as the service does
	if conn.Basic != nil {
		basic := http.Request{Header: c.header}
		basic.SetBasicAuth(conn.Basic.Username, conn.Basic.Password)
	}
	return c, nil
}

// target returns the URL of a request: https, or http on this machine.
func (r *httpTasks) target(endpoint string) (*url.URL, error) {
	u, err := url.Parse(endpoint)
	if err != nil || !trusted(u) {
		return nil, runtimeError("The field 'ApiEndpoint' must be an https URL, or http on this machine's loopback, and not '%s'", endpointOf(endpoint))
	}
	mapped, err := hostOf(r.Hosts, u)
	if err != nil {
		return nil, runtimeError("%v", err)
	}
	if !trusted(mapped) {
		return nil, runtimeError("The host %s is mapped to %s, which is neither https nor on this machine's loopback", u.Host, mapped.Host)
	}
	return mapped, nil
}

// endpointOf removes the query of a URL, for causes.
func endpointOf(endpoint string) string {
	endpoint, _, _ = strings.Cut(endpoint, "?")
	return cut(endpoint, 200)
}

// withParameters adds the parameters of the connection to the body of a state. The result
// is nil if both are missing.
func withParameters(p *jsonata.Object, parameters []httpParameter) (any, error) {
	body := p.Value("RequestBody")
	if len(parameters) == 0 {
		return body, nil
	}
	from, ok := body.(*jsonata.Object)
	if !ok && body != nil {
		return nil, runtimeError("The field 'RequestBody' must be an object, because the connection adds members to it")
	}
	o := jsonata.NewObject(from.Len() + len(parameters))
	for i := range from.Len() {
		o.Set(from.At(i))
	}
	for _, b := range parameters {
		o.Set(b.Key, b.Value)
	}
	return o, nil
}

// encode encodes a body according to Transform: as JSON, or as the fields of a form. Text
// is sent unchanged.
func (c *httpCall) encode(p *jsonata.Object, body any) error {
	encoding, format := "NONE", "INDICES"
	if transform := p.Object("Transform"); transform != nil {
		encoding = cmp.Or(transform.Text("RequestBodyEncoding"), encoding)
		format = cmp.Or(transform.Object("RequestEncodingOptions").Text("ArrayFormat"), format)
	}
	if _, known := arrayFormats[format]; !known {
		return runtimeError("The field 'ArrayFormat' must be INDICES, REPEAT, COMMAS or BRACKETS, and not '%s'", format)
	}
	if encoding != "NONE" && encoding != "URL_ENCODED" {
		return runtimeError("The field 'RequestBodyEncoding' must be NONE or URL_ENCODED, and not '%s'", encoding)
	}
	kind := "application/json"
	switch b := body.(type) {
	case nil:
		return nil
	case string:
		c.body = []byte(b)
	case *jsonata.Object:
		if encoding == "URL_ENCODED" {
			kind, c.body = "application/x-www-form-urlencoded", []byte(formEncode(b, format))
		}
	}
	if c.body == nil {
		text, err := jsonata.AppendJSON(nil, body)
		if err != nil {
			return runtimeError("The field 'RequestBody' is not JSON: %v", err)
		}
		c.body = text
	}
	if c.header.Get("Content-Type") == "" {
		c.header.Set("Content-Type", kind)
	}
	return nil
}

func (r *httpTasks) send(ctx context.Context, client *http.Client, t asl.Task, conn *connection, c *httpCall, token string) (any, error) {
	req, err := c.request(ctx)
	if err != nil {
		return nil, err
	}
	answer, err := sendHTTP(client, req)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, &asl.Error{Name: "States.Http.Socket", Cause: socketCause(err)}
	}
	status := answer.resp.StatusCode
	if conn.tokens != nil && (status == http.StatusUnauthorized || status == http.StatusProxyAuthRequired) {
		conn.tokens.refused(token)
	}
	if status < 200 || status > 299 {
		return nil, &asl.Error{Name: fmt.Sprintf("States.Http.StatusCode.%d", status), Cause: answer.cause()}
	}
	return answer.result(t, strings.ToLower)
}

func socketCause(err error) string {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return "The endpoint did not answer in time"
	}
	return fmt.Sprintf("The endpoint did not answer: %v", err)
}

// defaultHTTPClient does not follow redirects, which would send the secrets of a
// connection to an unknown endpoint.
var defaultHTTPClient = &http.Client{
	Timeout:       time.Minute,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Transport: &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: 16,
		IdleConnTimeout:     90 * time.Second,
	},
}
