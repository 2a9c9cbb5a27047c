package asl

import (
	"context"
	"errors"
	"strings"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// Integration returns what the ARN of a service integration names, such as
// sqs:sendMessage.waitForTaskToken or aws-sdk:s3:getObject, and whether the ARN is one;
// that of a function or an activity is not. The region and the account may be set or
// empty.
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

// taskName returns the service's name for a task in causes.
func taskName(resource string) string {
	if rest, ok := Integration(resource); ok {
		name, _, _ := strings.Cut(rest, ":")
		return name
	}
	return resource
}

// task runs a Task state once.
func (f *frame) task(ctx context.Context, v *view, arguments any) (any, *Error) {
	if p := f.unpark(); p != nil {
		out, failed := p.result()
		return f.taskEnded(ctx, p, out, failed)
	}
	s := f.state
	limits, err := f.taskLimits(ctx, v)
	if err != nil {
		return nil, err
	}
	phase := f.wasCalled()
	if phase == "" {
		f.called = f.run.env.Now()
	}
	p := parked{ctx: ctx}
	if limit := limits.of(s.events.token); limit > 0 {
		left := seconds(int64(limit))
		if phase != "" {
			left -= f.run.env.Now().Sub(f.called)
		}
		p.ctx, p.cancel = context.WithTimeout(ctx, left)
	}
	t := Task{Resource: s.resource, State: s.name, Attempt: f.retries, Parameters: arguments}
	h := &taskHistory{frame: f}
	p.history = h
	if s.events.token {
		t.Token, t.Heartbeat = f.taskToken(), seconds(int64(limits.heartbeat))
		f.heartbeat = t.Heartbeat
		t.Submitted, t.Started = h.submit, h.start
	}
	var out any
	var failed error
	if f.run.env.Journal != nil {
		t.Key = f.child(0)
	}
	if h.schedule(phase, arguments, limits); phase != "" && !s.events.token && !awaitsExecution(s.resource) {
		failed = Interrupted()
	} else {
		t.Resumed = phase == phaseStarted || phase != "" && s.events.prefix != "Activity"
		t.MayPause = f.parks
		out, failed = f.run.env.Tasks.RunTask(p.ctx, t)
	}
	if later, ok := errors.AsType[*Later](failed); ok {
		p.whenOver, p.result = later.WhenOver, later.Result
		f.parked = &p
		return nil, errParked
	}
	return f.taskEnded(ctx, &p, out, failed)
}

// taskEnded returns the state's result from what the task returned, and records its end.
func (f *frame) taskEnded(ctx context.Context, p *parked, out any, failed error) (any, *Error) {
	if p.cancel != nil {
		defer p.cancel()
	}
	var err *Error
	answer, answered := errors.AsType[*Answer](failed)
	if answered {
		out, err = f.answered(answer)
	} else {
		out, err = f.taskResult(ctx, p.ctx, out, failed)
	}
	f.token = "" // a retry is another task
	if answered || ctx.Err() == nil {
		p.history.end(out, err)
	}
	if ctx.Err() != nil {
		return nil, &Error{Name: "States.Timeout", fatal: true}
	}
	return out, err
}

// answered returns the state's result from the answer to its token.
func (f *frame) answered(a *Answer) (any, *Error) {
	if a.Err != nil {
		return nil, a.Err
	}
	return a.Output, f.check(a.Output)
}

// awaitsExecution reports whether a task is the start of an execution whose end it waits
// for: that execution continues like this one.
func awaitsExecution(resource string) bool {
	name, _ := Integration(resource)
	return name == "states:startExecution.sync" || name == "states:startExecution.sync:2"
}

// Interrupted returns the error of a task that a previous run began and did not end.
// Whether it did its work is not known, so only the machine's Retry repeats it.
func Interrupted() *Error {
	return &Error{Name: "States.TaskFailed", Cause: "The process that ran the execution ended while the task ran, and it is not known whether the task did its work."}
}

// schedule records that a task begins, or continues from the record of an earlier run.
func (h *taskHistory) schedule(phase string, arguments any, limits taskLimits) {
	f, e := h.frame, &h.frame.state.events
	h.started = phase != "" && (e.prefix != "Activity" || phase == phaseStarted)
	h.submitted = phase == phaseSubmitted
	if phase != "" {
		return
	}
	h.record(Event{
		Type: e.scheduled, Input: arguments, TimeoutSeconds: limits.timeout, HeartbeatSeconds: limits.heartbeat, RoleARN: limits.role,
	})
	if e.prefix != "Activity" {
		h.start("")
	}
	f.keep(phaseCalled)
}

// taskToken returns the token of the task that is running or about to run.
func (f *frame) taskToken() string {
	if f.token == "" {
		f.token = f.run.env.Token()
	}
	return f.token
}

// A taskHistory records the events of one task.
type taskHistory struct {
	frame              *frame
	started, submitted bool
}

func (h *taskHistory) record(e Event) {
	e.Name, e.Resource, e.ResourceType = h.frame.state.name, h.frame.state.events.resource, h.frame.state.events.resourceType
	h.frame.record(e)
}

func (h *taskHistory) start(worker string) {
	if !h.started {
		h.started = true
		h.record(Event{Type: h.frame.state.events.started, Worker: worker})
		if h.frame.state.events.prefix == "Activity" && h.frame.token != "" {
			h.frame.keep(phaseStarted)
		}
	}
}

func (h *taskHistory) submit(result any) {
	if !h.submitted {
		h.submitted = true
		h.record(Event{Type: "TaskSubmitted", Output: result})
		if h.frame.token != "" {
			h.frame.keep(phaseSubmitted)
		}
	}
}

// end records how the task ended, after what its runner has not yet recorded.
func (h *taskHistory) end(out any, err *Error) {
	e := &h.frame.state.events
	event := Event{Type: e.succeeded, Output: out}
	switch {
	case err != nil && err.Name == "States.Timeout":
		event.Type = e.timedOut
	case err != nil:
		event.Type = e.failed
	}
	if event.Type == e.succeeded {
		h.start("")
	}
	if e.submitted && event.Type != e.failed {
		h.submit(nil)
	}
	if err != nil {
		event.Error, event.Cause = err.Name, err.Cause
	}
	h.record(event)
}

// taskLimits are the fields of a Task state that limit how it runs.
type taskLimits struct {
	timeout, heartbeat int // in seconds; 0 if there is none
	role               string
}

// of returns how long a task may run. A task with a token has a runner that waits for its
// heartbeats. No other task sends heartbeats here, so the shorter of the two times ends
// it.
func (l taskLimits) of(token bool) int {
	if !token && l.heartbeat > 0 && (l.timeout == 0 || l.heartbeat < l.timeout) {
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
	l.role = o.Text("RoleArn")
	return l, nil
}

// taskResult turns the answer of a task into the state's result.
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
