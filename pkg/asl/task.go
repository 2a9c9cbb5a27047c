package asl

import (
	"context"
	"errors"
	"strings"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// Integration returns what the ARN of a service integration names, such as
// sqs:sendMessage.waitForTaskToken or aws-sdk:s3:getObject, and whether the ARN is one: that
// of a function or an activity is not. The region and the account may be given or empty.
func Integration(resource string) (string, bool) {
	if _, rest, ok := strings.Cut(resource, ":states:::"); ok {
		return rest, true
	}
	parts := strings.SplitN(resource, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" || parts[2] != "states" || strings.HasPrefix(parts[5], "activity:") {
		return "", false
	}
	return parts[5], true
}

// taskName is how the service names a task in causes.
func taskName(resource string) string {
	if rest, ok := Integration(resource); ok {
		name, _, _ := strings.Cut(rest, ":")
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
