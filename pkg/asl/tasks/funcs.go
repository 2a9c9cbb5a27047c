package tasks

import (
	"context"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// Funcs runs tasks by Go functions, for tests. The keys are ARNs of resources, or names
// of the Lambda functions that they invoke.
type Funcs map[string]func(ctx context.Context, parameters any) (any, error)

// RunTask implements [asl.TaskRunner].
func (t Funcs) RunTask(ctx context.Context, task asl.Task) (any, error) {
	if f, ok := t[task.Resource]; ok {
		return f(ctx, task.Parameters)
	}
	call, err := newLambdaCall(task)
	if err != nil {
		return nil, err
	}
	f, ok := t[call.function]
	if !ok {
		return None{}.RunTask(ctx, task)
	}
	payload, err := call.value()
	if err != nil {
		return nil, err
	}
	out, err := f(ctx, payload)
	if err != nil {
		return nil, err
	}
	return call.result(lambdaAnswer{status: 200, value: jsonata.FromGo(out)})
}
