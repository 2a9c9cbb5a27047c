package tasks

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A Lambda runs tasks that invoke Lambda functions, by their own ARN, by
// lambda:invoke or by aws-sdk:lambda:invoke, on a [Lambda endpoint] such as that of
// `sam local start-lambda`.
//
// [Lambda endpoint]: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
type Lambda struct {
	// Endpoint is the base URL, such as http://127.0.0.1:3001.
	Endpoint string
	// Client sends the requests; nil is one that follows no redirects.
	Client *http.Client
}

// defaultLambdaClient has no timeout: an invocation may take a quarter of an hour. It
// follows no redirect.
var defaultLambdaClient = &http.Client{
	Transport:     newOrderedTransport(http.DefaultTransport.(*http.Transport).Clone()),
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// maxPayload is Lambda's limit for a response.
const maxPayload = 6 << 20

// RunTask implements [asl.TaskRunner].
func (l *Lambda) RunTask(ctx context.Context, t asl.Task) (any, error) {
	call, err := newLambdaCall(t)
	if err != nil {
		return nil, err
	}
	req, err := l.request(ctx, call)
	if err != nil {
		return nil, err
	}
	client := l.Client
	if client == nil {
		client = defaultLambdaClient
	}
	resp, err := client.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &asl.Error{Name: "Lambda.SdkClientException", Cause: fmt.Sprintf("Unable to execute HTTP request: function %s cannot be reached at LAMBDA_ENDPOINT: %v", call.function, err)}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxPayload+1))
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, &asl.Error{Name: "Lambda.SdkClientException", Cause: fmt.Sprintf("Unable to execute HTTP request: the answer of function %s cannot be read: %v", call.function, err)}
	case len(text) > maxPayload && resp.StatusCode < http.StatusMultipleChoices:
		return nil, &asl.Error{Name: "Lambda.Unknown", Cause: fmt.Sprintf("the answer of function %s has more than %d bytes", call.function, maxPayload)}
	}
	return call.answer(resp, text)
}

func (l *Lambda) request(ctx context.Context, c *lambdaCall) (*http.Request, error) {
	body, err := c.body()
	if err != nil {
		return nil, err
	}
	target := strings.TrimSuffix(l.Endpoint, "/") + "/2015-03-31/functions/" + url.PathEscape(c.function) + "/invocations"
	if c.qualifier != "" {
		target += "?Qualifier=" + url.QueryEscape(c.qualifier)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	for _, h := range [...]struct{ name, value string }{
		{"X-Amz-Invocation-Type", c.invocationType},
		{"X-Amz-Log-Type", c.logType},
		{"X-Amz-Client-Context", c.clientContext},
	} {
		if h.value != "" {
			req.Header.Set(h.name, h.value)
		}
	}
	return req, nil
}

// answer reads the endpoint's response.
func (c *lambdaCall) answer(resp *http.Response, text []byte) (any, error) {
	a := lambdaAnswer{status: resp.StatusCode, header: resp.Header, names: headerNames(resp), text: text}
	if resp.StatusCode >= http.StatusMultipleChoices {
		return nil, c.refused(a)
	}
	if len(text) == 0 {
		a.empty = true
		return c.result(a)
	}
	failed := resp.Header.Get("X-Amz-Function-Error") != ""
	value, err := jsonata.Decode(text)
	if err != nil {
		return nil, unknownCause(text)
	}
	a.value = value
	if c.style == lambdaSDK {
		return c.result(a) // for the SDK, a function that fails was invoked successfully
	}
	// The runtime emulator only reports errors in the body.
	if o, ok := value.(*jsonata.Object); ok {
		errorType, _ := o.Get("errorType")
		_, hasMessage := o.Get("errorMessage")
		if name, ok := errorType.(string); ok && hasMessage {
			return nil, &asl.Error{Name: name, Cause: compact(text)}
		}
	}
	if failed {
		return nil, unknownCause(text)
	}
	return c.result(a)
}

// compact returns JSON text without white space, as in the service's causes.
func compact(text []byte) string {
	var b bytes.Buffer
	if json.Compact(&b, text) != nil {
		return string(text)
	}
	return b.String()
}

func unknownCause(text []byte) *asl.Error {
	return &asl.Error{Name: "Lambda.Unknown", Cause: "The cause could not be determined because Lambda did not return an error type. Returned payload: " + compact(text)}
}

// refused returns the error of an invocation that the endpoint did not accept.
func (c *lambdaCall) refused(a lambdaAnswer) *asl.Error {
	code, _, _ := strings.Cut(a.header.Get("X-Amzn-Errortype"), ":")
	if code == "" {
		switch {
		case a.status == http.StatusNotFound:
			code = "ResourceNotFoundException"
		case a.status == http.StatusTooManyRequests:
			code = "TooManyRequestsException"
		case a.status == http.StatusRequestEntityTooLarge:
			code = "RequestTooLargeException"
		case a.status >= http.StatusInternalServerError:
			code = "ServiceException"
		default:
			code = "InvalidRequestContentException"
		}
	}
	message := "The endpoint answered " + http.StatusText(a.status)
	if a.status == http.StatusNotFound {
		message = "Function not found: " + c.function
	}
	if v, err := jsonata.Decode(a.text); err == nil {
		o, _ := v.(*jsonata.Object)
		for _, field := range []string{"Message", "message"} {
			if m, _ := o.Get(field); m != nil {
				message = plain(m)
			}
		}
	}
	e := c.failed(a.status, code, message, a.requestID())
	if a.status < http.StatusBadRequest { // a redirect, for which the SDK has no class
		e.Name = c.unmodeled()
	}
	return e
}
