package asl

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A LambdaRunner runs Lambda functions at an endpoint that speaks Lambda's Invoke
// API, such as that of `sam local start-lambda`.
type LambdaRunner struct {
	// Endpoint is the base URL, such as http://127.0.0.1:3001.
	Endpoint string
	// Client sends the requests; nil stands for [http.DefaultClient].
	Client *http.Client
}

// maxPayload is Lambda's limit for a response.
const maxPayload = 6 << 20

// RunTask implements [TaskRunner].
func (l *LambdaRunner) RunTask(ctx context.Context, t Task) (any, error) {
	name, payload, service, err := lambdaCall(t)
	if err != nil {
		return nil, err
	}
	body, err := jsonata.AppendJSON(nil, payload)
	if err != nil {
		return nil, err
	}
	target := strings.TrimSuffix(l.Endpoint, "/") + "/2015-03-31/functions/" + url.PathEscape(name) + "/invocations"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	client := l.Client
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, &Error{Name: "Lambda.SdkClientException", Cause: fmt.Sprintf("function %s cannot be reached at LAMBDA_ENDPOINT: %v", name, err)}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxPayload+1))
	if err != nil || len(text) > maxPayload {
		return nil, &Error{Name: "Lambda.Unknown", Cause: fmt.Sprintf("the answer of function %s cannot be read", name)}
	}
	if resp.StatusCode == http.StatusNotFound {
		return nil, &Error{Name: "Lambda.ResourceNotFoundException", Cause: fmt.Sprintf("Function not found: %s", name)}
	}
	if resp.StatusCode >= 500 {
		return nil, &Error{Name: "Lambda.ServiceException", Cause: fmt.Sprintf("the endpoint answered %s for function %s", resp.Status, name)}
	}
	out, err := jsonata.Decode(text)
	if err != nil {
		return nil, &Error{Name: "Lambda.Unknown", Cause: "The cause could not be determined because Lambda did not return an error type. Returned payload: " + string(text)}
	}
	// The runtime emulator reports errors in the body alone.
	if o, ok := out.(*jsonata.Object); ok {
		errorType, _ := o.Get("errorType")
		_, hasMessage := o.Get("errorMessage")
		if name, ok := errorType.(string); ok && hasMessage {
			return nil, &Error{Name: name, Cause: string(text)}
		}
	}
	if resp.Header.Get("X-Amz-Function-Error") != "" {
		return nil, &Error{Name: "Lambda.Unknown", Cause: "The cause could not be determined because Lambda did not return an error type. Returned payload: " + string(text)}
	}
	if service {
		return invokeResult(out), nil
	}
	return out, nil
}
