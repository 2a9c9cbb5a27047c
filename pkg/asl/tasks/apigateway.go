package tasks

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// An apiGateway runs arn:aws:states:::apigateway:invoke if there is a local address for
// the API.
type apiGateway struct {
	// Endpoint is the URL that replaces all APIs; empty for none.
	Endpoint string
	// Hosts maps the hosts of APIs to local addresses. They take precedence over
	// Endpoint.
	Hosts map[string]string
	// Region and Credentials sign requests of AuthType IAM_ROLE.
	Region      string
	Credentials aws.Credentials
	// Client sends the requests; nil is one that follows no redirects.
	Client *http.Client
	// Next runs all other tasks; nil fails them.
	Next asl.TaskRunner
}

// RunTask implements [asl.TaskRunner].
func (r *apiGateway) RunTask(ctx context.Context, t asl.Task) (any, error) {
	if !isIntegration(t.Resource, "apigateway:invoke") {
		return next(ctx, r.Next, t)
	}
	p, _ := jsonata.Force(t.Parameters).(*jsonata.Object)
	target, host, err := r.target(p)
	if err != nil {
		return nil, err
	}
	if target == nil {
		return next(ctx, r.Next, t)
	}
	c, err := newHTTPCall(p, unsettableAPIHeader)
	if err != nil {
		return nil, err
	}
	c.url = target
	if err := c.encodeAPIBody(p); err != nil {
		return nil, err
	}
	req, err := c.request(ctx)
	if err != nil {
		return nil, err
	}
	req.Host = host
	switch auth := p.Text("AuthType"); auth {
	case "", "NO_AUTH", "RESOURCE_POLICY":
	case "IAM_ROLE":
		if err := signRequest(ctx, req, r.Credentials, "execute-api", r.Region, c.body); err != nil {
			return nil, err
		}
	default:
		return nil, runtimeError("The field 'AuthType' must be NO_AUTH, IAM_ROLE or RESOURCE_POLICY, and not '%s'", auth)
	}
	return r.send(ctx, req, t)
}

// target returns the local URL of the call, or nil if the API has no local address, and
// the API's own host.
func (r *apiGateway) target(p *jsonata.Object) (*url.URL, string, error) {
	endpoint := strings.TrimPrefix(p.Text("ApiEndpoint"), "https://")
	path := "/"
	for _, part := range []string{"Stage", "Path"} {
		if v := strings.Trim(p.Text(part), "/"); v != "" {
			path = strings.TrimSuffix(path, "/") + "/" + v
		}
	}
	if strings.HasSuffix(p.Text("Path"), "/") && !strings.HasSuffix(path, "/") {
		path += "/"
	}
	u, err := url.Parse("https://" + endpoint + path)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return nil, "", runtimeError("The field 'ApiEndpoint' must be the host of an API, and Stage and Path those of its URL: '%s' with '%s' are not", endpoint, path)
	}
	mapped, err := hostOf(r.Hosts, u)
	if err == nil && mapped == u {
		if r.Endpoint == "" {
			return nil, "", nil
		}
		mapped, err = under(r.Endpoint, u)
	}
	if err != nil {
		return nil, "", runtimeError("%v", err)
	}
	return mapped, u.Host, nil
}

// unsettableAPI are the headers that a state may not set, in addition to those of AWS.
var unsettableAPI = []string{
	"authorization", "connection", "content-md5", "expect", "host", "max-forwards", "proxy-authenticate", "server", "te",
	"transfer-encoding", "trailer", "upgrade", "via", "www-authenticate",
}

func unsettableAPIHeader(name string) bool {
	return slices.Contains(unsettableAPI, name) || strings.HasPrefix(name, "x-forwarded") || strings.HasPrefix(name, "x-amz")
}

// encodeAPIBody encodes RequestBody. It leaves out null members unless AllowNullValues
// keeps them.
func (c *httpCall) encodeAPIBody(p *jsonata.Object) error {
	body := p.Value("RequestBody")
	if body == nil {
		return nil
	}
	if p.Value("AllowNullValues") != true {
		body = withoutNulls(body)
	}
	text, err := jsonata.AppendJSON(nil, body)
	if err != nil {
		return runtimeError("The field 'RequestBody' is not JSON: %v", err)
	}
	c.body = text
	if c.header.Get("Content-Type") == "" {
		c.header.Set("Content-Type", "application/json")
	}
	return nil
}

func withoutNulls(v any) any {
	o, ok := jsonata.Force(v).(*jsonata.Object)
	if !ok {
		return v
	}
	out := jsonata.NewObject(o.Len())
	for i := range o.Len() {
		if name, member := o.At(i); jsonata.Force(member) != nil {
			out.Set(name, withoutNulls(member))
		}
	}
	return out
}

func (r *apiGateway) send(ctx context.Context, req *http.Request, t asl.Task) (any, error) {
	client := r.Client
	if client == nil {
		client = defaultServiceClient
	}
	answer, err := sendHTTP(client, req)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, &asl.Error{Name: "ApiGateway.SdkClientException", Cause: fmt.Sprintf("Unable to execute HTTP request: %v", err)}
	case answer.resp.StatusCode < 200 || answer.resp.StatusCode > 299:
		return nil, &asl.Error{Name: fmt.Sprintf("ApiGateway.%d", answer.resp.StatusCode), Cause: answer.cause()}
	}
	return answer.result(t, func(name string) string { return cmp.Or(spellings[name], name) })
}

// signRequest signs a request for a service. Without credentials it uses made-up ones,
// because emulators do not check them.
func signRequest(ctx context.Context, req *http.Request, credentials aws.Credentials, service, region string, body []byte) error {
	if credentials.AccessKeyID == "" {
		credentials = aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}
	}
	if region == "" {
		region = "us-east-1"
	}
	return v4.NewSigner().SignHTTP(ctx, credentials, req, sha256Hex(body), service, region, time.Now())
}
