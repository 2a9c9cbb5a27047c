package asl

import (
	"context"
	"fmt"
)

// NoTasks fails every task, and says what could run it.
type NoTasks struct{}

// RunTask implements [TaskRunner].
func (NoTasks) RunTask(_ context.Context, t Task) (any, error) {
	return nil, &Error{
		Name: "States.TaskFailed",
		Cause: fmt.Sprintf("Nothing runs the resource '%s' of the state '%s' here. Mock it in a file named by SFN_MOCK_CONFIG: "+
			`give the state machine a test case {"%s":"NAME"}, and MockedResponses a response "NAME" `+
			`such as {"0":{"Return":{}}}; then start the state machine's ARN with #TEST-CASE behind it. `+
			"Set LAMBDA_ENDPOINT to run Lambda functions.", t.Resource, t.State, t.State),
	}
}

// TaskFuncs runs tasks by Go functions, for tests: by the resource's ARN, or by the
// name of the Lambda function that it invokes.
type TaskFuncs map[string]func(ctx context.Context, parameters any) (any, error)

// RunTask implements [TaskRunner].
func (t TaskFuncs) RunTask(ctx context.Context, task Task) (any, error) {
	if f, ok := t[task.Resource]; ok {
		return f(ctx, task.Parameters)
	}
	call, err := newLambdaCall(task)
	if err != nil {
		return nil, err
	}
	f, ok := t[call.function]
	if !ok {
		return NoTasks{}.RunTask(ctx, task)
	}
	payload, err := call.value()
	if err != nil {
		return nil, err
	}
	out, err := f(ctx, payload)
	if err != nil {
		return nil, err
	}
	return call.result(lambdaAnswer{status: 200, value: out})
}
