package tasks

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/asl/awsmodel"
	"github.com/expressway-dev/expressway/pkg/asl/tasks/awswire"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A Services runs the tasks that call an AWS service, at endpoints that replace AWS:
//
//	arn:aws:states:::aws-sdk:SERVICE:ACTION    any action of a service of pkg/asl/awsmodel
//	arn:aws:states:::dynamodb:putItem          the optimised integrations that optimised lists
//
// Arguments, results and error names are those of Step Functions' integrations. It sends
// nothing to AWS: tasks of a service without an endpoint are passed to Next.
type Services struct {
	// Endpoint returns the URL of a service, empty for none.
	Endpoint func(s *awsmodel.Service) string
	// Region is used in signatures; empty means us-east-1.
	Region string
	// Credentials sign requests. The zero value means made-up credentials, because
	// emulators do not check them.
	Credentials aws.Credentials
	// Client sends the requests; nil is a client that does not follow redirects and has a
	// timeout of one minute.
	Client *http.Client
	// NewToken returns a token that makes a call idempotent, for a state that gives none;
	// nil is a random UUID.
	NewToken func() string
	// Next runs all other tasks; nil fails them.
	Next asl.TaskRunner
}

// maxServiceAnswer bounds an answer in bytes. The result of a state is far smaller.
const maxServiceAnswer = 16 << 20

// RunTask implements [asl.TaskRunner].
func (r *Services) RunTask(ctx context.Context, t asl.Task) (any, error) {
	call, ok := newServiceCall(t)
	if !ok {
		return next(ctx, r.Next, t)
	}
	endpoint := r.Endpoint(call.service)
	if endpoint == "" {
		return next(ctx, r.Next, t)
	}
	if call.pattern == "sync" || call.pattern == "sync:2" {
		return nil, &asl.Error{Name: "States.TaskFailed", Cause: fmt.Sprintf(
			"The local engine does not wait for the end of %s: mock the state '%s' in a file named by SFN_MOCK_CONFIG.", t.Resource, t.State)}
	}
	if _, err := baseOf(endpoint); err != nil || !strings.Contains(endpoint, "://") {
		return nil, &asl.Error{Name: "States.TaskFailed", Cause: fmt.Sprintf(
			"The endpoint %q of %s is not an http or https URL, such as http://127.0.0.1:5000. Set AWS_ENDPOINT_URL_%s or AWS_ENDPOINT_URL.", endpoint, call.service.Name, call.service.Variable)}
	}
	return r.call(ctx, call, endpoint, t)
}

func next(ctx context.Context, r asl.TaskRunner, t asl.Task) (any, error) {
	if r == nil {
		r = None{}
	}
	return r.RunTask(ctx, t)
}

// A serviceCall holds the parts of a resource's ARN.
type serviceCall struct {
	service   *awsmodel.Service
	operation *awsmodel.Operation
	// optimised is nil for aws-sdk integrations.
	optimised *optimised
	// pattern is sync, sync:2 or empty.
	pattern string
}

// newServiceCall reads arn:PARTITION:states:REGION:ACCOUNT:[aws-sdk:]SERVICE:ACTION[.PATTERN].
func newServiceCall(t asl.Task) (c serviceCall, ok bool) {
	rest, sdk := strings.CutPrefix(integration(t.Resource), "aws-sdk:")
	name, action, ok := strings.Cut(rest, ":")
	if !ok {
		return c, false
	}
	action, c.pattern, _ = strings.Cut(action, ".")
	if !sdk {
		o, ok := optimisedServices[name+":"+action]
		if !ok {
			o, ok = optimisedServices[name]
		}
		if !ok {
			return c, false
		}
		c.optimised, name = &o, o.service
	}
	if c.service, ok = awsmodel.Lookup(name); !ok {
		return c, false
	}
	c.operation, ok = c.service.Operation(action)
	return c, ok
}

func (r *Services) call(ctx context.Context, c serviceCall, endpoint string, t asl.Task) (any, error) {
	arguments, ok := jsonata.Force(t.Parameters).(*jsonata.Object)
	if !ok {
		arguments = jsonata.NewObject(0)
	}
	arguments = r.withToken(c.operation.Input(), arguments)
	message, err := awswire.Encode(c.operation, arguments)
	var field *awswire.FieldError
	if errors.As(err, &field) {
		return nil, &asl.Error{Name: "States.Runtime", Cause: fmt.Sprintf("The argument %s of %s %s", field.Path, t.Resource, field.Reason)}
	}
	if err != nil {
		return nil, err
	}
	resp, body, err := r.send(ctx, c, message, endpoint)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, c.unreachable(err)
	}
	result, err := awswire.Decode(c.operation, resp, body)
	var refused *awswire.Error
	switch {
	case errors.As(err, &refused):
		return nil, c.refused(refused)
	case err != nil:
		return nil, c.unreachable(err)
	case c.optimised == nil:
		return result, nil
	}
	return c.optimised.result(result, resp)
}

// withToken adds the token that makes a call idempotent, as the SDK does. One that the
// operation requires is left to the state, as in the service.
func (r *Services) withToken(in *awsmodel.Structure, arguments *jsonata.Object) *jsonata.Object {
	if in == nil {
		return arguments
	}
	for i := range in.Members {
		m := &in.Members[i]
		if !m.Idempotency || m.Required || arguments.Value(m.Name) != nil {
			continue
		}
		newToken := r.NewToken
		if newToken == nil {
			newToken = uuid
		}
		with := jsonata.NewObject(arguments.Len() + 1)
		for i := range arguments.Len() {
			with.Set(arguments.At(i))
		}
		with.Set(m.Name, newToken())
		arguments = with
	}
	return arguments
}

// uuid returns a random UUID, of version 4.
func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// send makes one request. Retries are left to the state machine.
func (r *Services) send(ctx context.Context, c serviceCall, m *awswire.Message, endpoint string) (*http.Response, []byte, error) {
	target, err := url.Parse(strings.TrimSuffix(endpoint, "/") + m.Path)
	if err != nil {
		return nil, nil, fmt.Errorf("the endpoint %s is not a URL", endpoint)
	}
	target.RawQuery = m.Query.Encode()
	req, err := http.NewRequestWithContext(ctx, m.Method, target.String(), bytes.NewReader(m.Body))
	if err != nil {
		return nil, nil, err
	}
	req.Header = m.Header
	if err := r.sign(ctx, req, c.service, m.Body); err != nil {
		return nil, nil, err
	}
	client := r.Client
	if client == nil {
		client = defaultServiceClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := awswire.ReadBody(resp.Body, maxServiceAnswer)
	return resp, body, err
}

// defaultServiceClient keeps connections, and does not follow redirects, which would send
// requests to an endpoint that was not configured.
var defaultServiceClient = &http.Client{
	Timeout:       time.Minute,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Transport: newOrderedTransport(&http.Transport{
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		MaxIdleConnsPerHost: 16,
		IdleConnTimeout:     90 * time.Second,
	}),
}

func (r *Services) sign(ctx context.Context, req *http.Request, s *awsmodel.Service, body []byte) error {
	if s.Signing == "s3" {
		req.Header.Set("X-Amz-Content-Sha256", sha256Hex(body))
		if req.Header.Get("Content-Type") == "application/xml" {
			sum := md5.Sum(body) // S3 and MinIO delete no objects without it
			req.Header.Set("Content-Md5", base64.StdEncoding.EncodeToString(sum[:]))
		}
	}
	return signRequest(ctx, req, r.Credentials, s.Signing, r.Region, body)
}
