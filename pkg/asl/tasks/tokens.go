package tasks

import (
	"context"
	"strings"
	"time"

	"github.com/expressway-dev/expressway/pkg/asl"
)

// A TokenStore keeps the task tokens of waiting executions.
type TokenStore interface {
	// Open registers the token of a task, before its request is sent. It returns a function
	// that removes the token again, and returns the answer that had been accepted by then,
	// or nil.
	Open(t asl.Task) (forget func() *asl.Answer)
	// Offer gives an activity's task to the next worker that asks for one; taken is
	// called with the worker's name. The error, an *[asl.Error], says that there is no
	// such activity.
	Offer(activityARN, token string, input any, taken func(worker string)) error
	// Wait begins to wait, and returns at once. The result is an *[asl.Answer]. The wait ends
	// with ctx, and with the error [asl.ErrHeartbeat] if no heartbeat arrives for that long;
	// zero means that none is expected.
	Wait(ctx context.Context, token string, heartbeat time.Duration) *asl.Later
}

// A Tokens runs the tasks that end by their token: integrations with .waitForTaskToken,
// whose call Next makes, and activities.
type Tokens struct {
	Store TokenStore
	// Next makes the calls, and runs all other tasks.
	Next asl.TaskRunner
}

// RunTask implements [asl.TaskRunner].
func (r *Tokens) RunTask(ctx context.Context, t asl.Task) (any, error) {
	if t.Token == "" {
		return next(ctx, r.Next, t)
	}
	return r.await(ctx, t, func() (any, error) { return next(ctx, r.Next, t) })
}

// await makes the call of a task, and waits for its token.
func (r *Tokens) await(ctx context.Context, t asl.Task, call func() (any, error)) (any, error) {
	forget := r.Store.Open(t)
	paused := false
	defer func() {
		if !paused {
			forget()
		}
	}()
	wait, err := r.begin(ctx, t, call)
	if err != nil {
		if answer := forget(); answer != nil { // it came before the call failed
			return nil, answer
		}
		return nil, err
	}
	if paused = t.MayPause; paused {
		return nil, &asl.Later{WhenOver: wait.WhenOver, Result: func() (any, error) {
			defer forget()
			return wait.Result()
		}}
	}
	over := make(chan struct{})
	wait.WhenOver(func() { close(over) })
	<-over
	return wait.Result()
}

// begin makes the call, and begins to wait.
func (r *Tokens) begin(ctx context.Context, t asl.Task, call func() (any, error)) (*asl.Later, error) {
	switch {
	case t.Resumed:
	case strings.Contains(t.Resource, ":activity:"):
		if err := r.Store.Offer(t.Resource, t.Token, t.Parameters, t.Started); err != nil {
			return nil, err
		}
	default:
		result, err := call()
		if err != nil {
			return nil, err
		}
		t.Submitted(result)
	}
	return r.Store.Wait(ctx, t.Token, t.Heartbeat), nil
}
