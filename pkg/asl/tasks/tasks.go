// Package tasks runs Task states on the local machine. Each of its runners is an
// [asl.TaskRunner] that runs the tasks that it knows and passes the others to the next:
//
//	MockConfig.Runner ──► Executions ──► Lambda, Funcs ──► None
//	 a mock file's case    state machines  functions        States.TaskFailed
//
// Inputs, results and error names are those of the service's integrations.
package tasks

import (
	"context"
	"fmt"
	"strings"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// None fails every task with a cause that explains what could run it.
type None struct{}

// RunTask implements [asl.TaskRunner].
func (None) RunTask(_ context.Context, t asl.Task) (any, error) {
	if strings.Contains(t.Resource, "${") {
		return nil, &asl.Error{Name: "States.TaskFailed", Cause: fmt.Sprintf("The resource '%s' of the state '%s' is a substitution of a template that nothing has replaced here. "+
			"Create the state machine with the values of its DefinitionSubstitutions, or mock the state.", t.Resource, t.State)}
	}
	other := "set AWS_ENDPOINT_URL, or AWS_ENDPOINT_URL_<SERVICE>, to an endpoint that replaces the service here, and LAMBDA_ENDPOINT for functions"
	switch integration(t.Resource) {
	case "http:invoke":
		other = "pass --connections with a file that holds the authorization of its connection"
	case "apigateway:invoke":
		other = "set APIGATEWAY_ENDPOINT to an endpoint that replaces the API here, or map its host by --host NAME=ADDRESS"
	}
	return nil, &asl.Error{
		Name: "States.TaskFailed",
		Cause: fmt.Sprintf("Nothing runs the resource '%s' of the state '%s' here. Mock it in a file named by SFN_MOCK_CONFIG: "+
			`give the state machine a test case {"%s":"NAME"}, and MockedResponses a response "NAME" `+
			`such as {"0":{"Return":{}}}; then start the state machine's ARN with #TEST-CASE behind it. `+
			"Or %s.", t.Resource, t.State, t.State, other),
	}
}

// integration returns what the resource of a service integration names, without the pattern
// .waitForTaskToken: a task that waits makes the same call. It is empty for other resources.
func integration(resource string) string {
	name, _ := asl.Integration(resource)
	return strings.TrimSuffix(name, ".waitForTaskToken")
}

func isIntegration(resource, name string) bool { return integration(resource) == name }

// sdkCause returns the cause of an API error as version 2 of the AWS SDK for Java writes
// it. Recordings of 2023 lack the number of attempts; here, a task always fails at the
// first attempt.
func sdkCause(message, service string, status int, requestID string) string {
	return fmt.Sprintf("%s (Service: %s, Status Code: %d, Request ID: %s) (SDK Attempt Count: 1)", message, service, status, requestID)
}

// setPresent sets a member unless it is empty.
func setPresent(o *jsonata.Object, field, text string) {
	if text != "" {
		o.Set(field, text)
	}
}

// plain returns a value as text: a string as it is, anything else as JSON.
func plain(v any) string {
	v = jsonata.Force(v)
	if s, ok := v.(string); ok {
		return s
	}
	text, _ := jsonata.AppendJSON(nil, v)
	return string(text)
}

// cut truncates text to at most n bytes and keeps it valid UTF-8.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "")
}
