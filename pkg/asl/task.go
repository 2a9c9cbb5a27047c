package asl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// NoTasks fails every task, and says what could run it.
type NoTasks struct{}

// RunTask implements [TaskRunner].
func (NoTasks) RunTask(_ context.Context, t Task) (any, error) {
	return nil, &Error{
		Name: "States.TaskFailed",
		Cause: fmt.Sprintf("Nothing runs the resource '%s' of the state '%s' here. Mock it in a file named by SFN_MOCK_CONFIG, "+
			"or set LAMBDA_ENDPOINT to run Lambda functions.", t.Resource, t.State),
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
	name, payload, service, err := lambdaCall(task)
	if err != nil {
		return nil, err
	}
	f, ok := t[name]
	if !ok {
		return NoTasks{}.RunTask(ctx, task)
	}
	out, err := f(ctx, payload)
	if err != nil || !service {
		return out, err
	}
	return invokeResult(out), nil
}

// lambdaCall reads which function a task invokes, and with what. Service tells the
// optimised integration, whose result is an envelope, from a function's own ARN.
func lambdaCall(t Task) (name string, payload any, service bool, _ error) {
	if rest, ok := strings.CutPrefix(t.Resource, "arn:"); ok {
		parts := strings.Split(rest, ":")
		if len(parts) >= 6 && parts[1] == "lambda" && parts[4] == "function" {
			return parts[5], t.Parameters, false, nil
		}
		if strings.HasSuffix(t.Resource, ":states:::lambda:invoke") {
			o, _ := jsonata.Force(t.Parameters).(*jsonata.Object)
			v, _ := o.Get("FunctionName")
			name, _ := v.(string)
			if i := strings.Index(name, ":function:"); i >= 0 {
				name = name[i+len(":function:"):]
			}
			name, _, _ = strings.Cut(name, ":")
			if name == "" {
				return "", nil, false, &Error{Name: "States.Runtime", Cause: "The field 'FunctionName' is required but was missing"}
			}
			payload, _ := o.Get("Payload")
			return name, payload, true, nil
		}
	}
	_, err := NoTasks{}.RunTask(context.Background(), t)
	return "", nil, false, err
}

// invokeResult is what the optimised integration makes of a function's payload.
func invokeResult(payload any) any {
	o := jsonata.NewObject(4)
	o.Set("ExecutedVersion", "$LATEST")
	o.Set("Payload", payload)
	meta := jsonata.NewObject(1)
	meta.Set("HttpStatusCode", json.Number("200"))
	o.Set("SdkHttpMetadata", meta)
	request := jsonata.NewObject(1)
	request.Set("RequestId", "local")
	o.Set("SdkResponseMetadata", request)
	o.Set("StatusCode", json.Number("200"))
	return o
}

// taskName is how the service names a task in causes.
func taskName(resource string) string {
	if i := strings.Index(resource, ":states:::"); i >= 0 {
		name, _, _ := strings.Cut(resource[i+len(":states:::"):], ":")
		return name
	}
	return resource
}

// task runs a Task state once.
func (f *frame) task(ctx context.Context, v *view, arguments any) (any, *Error) {
	s := f.state
	limits, err := f.taskLimits(ctx, v)
	if err != nil {
		return nil, err
	}
	if !same(v.input, arguments) {
		if err := f.check(arguments); err != nil {
			return nil, err
		}
	}
	taskCtx := ctx
	if limit := limits.shorter(); limit > 0 {
		var cancel context.CancelFunc
		taskCtx, cancel = context.WithTimeout(ctx, seconds(int64(limit)))
		defer cancel()
	}
	e := &s.events
	f.record(Event{
		Type: e.scheduled, Name: s.name, Resource: e.resource, ResourceType: e.resourceType, Input: arguments,
		TimeoutSeconds: limits.timeout, HeartbeatSeconds: limits.heartbeat, RoleARN: limits.role,
	})
	f.record(Event{Type: e.started, Name: s.name, Resource: e.resource, ResourceType: e.resourceType})
	out, failed := f.run.env.Tasks.RunTask(taskCtx, Task{Resource: s.resource, State: s.name, Attempt: f.retries, Parameters: arguments})
	out, err = f.taskResult(ctx, taskCtx, out, failed)
	if ctx.Err() == nil {
		f.recordTaskEnd(out, err)
	}
	return out, err
}

// taskLimits are the fields of a Task state that say how it is run.
type taskLimits struct {
	timeout, heartbeat int // in seconds; 0 for none
	role               string
}

// shorter is the one that ends a task: what runs here sends no heartbeats.
func (l taskLimits) shorter() int {
	if l.heartbeat > 0 && (l.timeout == 0 || l.heartbeat < l.timeout) {
		return l.heartbeat
	}
	return l.timeout
}

func (f *frame) taskLimits(ctx context.Context, v *view) (l taskLimits, err *Error) {
	s := f.state
	if l.timeout, err = s.timeout.whole(ctx, v); err != nil {
		return l, err
	}
	if l.heartbeat, err = s.heartbeat.whole(ctx, v); err != nil {
		return l, err
	}
	if s.credentials == nil {
		return l, nil
	}
	out, err := s.credentials.eval(ctx, v)
	if err != nil {
		return l, err
	}
	o, _ := jsonata.Force(out).(*jsonata.Object)
	role, _ := o.Get("RoleArn")
	l.role, _ = jsonata.Force(role).(string)
	return l, nil
}

// recordTaskEnd tells the history of a task's answer.
func (f *frame) recordTaskEnd(out any, err *Error) {
	e := &f.state.events
	event := Event{Type: e.succeeded, Name: f.state.name, Resource: e.resource, ResourceType: e.resourceType, Output: out}
	switch {
	case err != nil && err.Name == "States.Timeout":
		event.Type = e.timedOut
	case err != nil:
		event.Type = e.failed
	}
	if e.submitted && event.Type != e.failed {
		f.record(Event{Type: "TaskSubmitted", Name: f.state.name, Resource: e.resource, ResourceType: e.resourceType})
	}
	if err != nil {
		event.Error, event.Cause = err.Name, err.Cause
	}
	f.record(event)
}

// taskResult is what a state makes of the answer of a task.
func (f *frame) taskResult(ctx, taskCtx context.Context, out any, failed error) (any, *Error) {
	switch {
	case ctx.Err() != nil:
		return nil, &Error{Name: "States.Timeout", fatal: true}
	case taskCtx.Err() != nil:
		return nil, &Error{Name: "States.Timeout"}
	case failed != nil:
		if e, ok := errors.AsType[*Error](failed); ok {
			return nil, e
		}
		return nil, &Error{Name: "States.TaskFailed", Cause: failed.Error()}
	}
	out = jsonata.FromGo(out)
	return out, f.check(out)
}
