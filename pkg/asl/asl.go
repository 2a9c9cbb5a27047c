// Package asl interprets the [Amazon States Language]: what an Express Workflow may
// contain, in both query languages, JSONPath and JSONata.
//
//	definition ── Parse ──► *Machine (immutable) ── Run(Environment, Execution) ──► Result
//
// All mutable state belongs to the run, so one Machine serves any number of executions at
// once. Effects are provided by the [Environment]: tasks, the clock, waits and
// randomness. Errors, causes and number formats are those of the service.
//
// [Amazon States Language]: https://states-language.net/spec.html
package asl

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"time"
)

// An Error is a States Language error: what Retry and Catch match, and what a task
// may return.
type Error struct {
	Name, Cause string
	// fatal means that the error ends the execution regardless of Catch.
	fatal bool
	// evaluation is set until an EvaluationFailed event has been recorded for the error.
	evaluation *evaluation
	// heartbeat means that a heartbeat was missed, which the name does not show.
	heartbeat bool
}

// ErrHeartbeat is the error of a task that missed a heartbeat. As recorded, its name is
// States.Timeout; Retry and Catch also match it as States.HeartbeatTimeout.
var ErrHeartbeat = &Error{Name: "States.Timeout", heartbeat: true}

func (e *Error) Error() string { return e.Name + ": " + e.Cause }

// A Task is a task that a Task state runs.
type Task struct {
	// Resource is the ARN that the state names.
	Resource string
	// State is the state's name; Attempt counts its retries, from 0.
	State   string
	Attempt int
	// Parameters is the effective input: a value of pkg/jsonata.
	Parameters any
	// Token is $$.Task.Token, for a task that waits for its token and for an activity; it
	// is empty for all others.
	Token string
	// Heartbeat is the HeartbeatSeconds of a task with a token; zero if there is none.
	Heartbeat time.Duration
	// Key identifies the task within its execution, and is the same in a run that continues
	// from a Journal. It is empty if there is no Journal.
	Key string
	// Resumed is set for a task that an earlier run of the execution began: its request was
	// sent, or a worker has it. RunTask only waits for its token, or for the end of the
	// execution that it started.
	Resumed bool
	// Submitted records in the history that the request of a task with a token was
	// accepted, and Started that a worker has taken an activity. They are nil without a
	// Token.
	Submitted func(result any)
	Started   func(worker string)
	// MayPause allows RunTask to return a *[Later] as its error.
	MayPause bool
}

// A Later is what RunTask returns in place of an error if the task has begun and ends
// later, so that no goroutine waits for it.
type Later struct {
	// WhenOver calls wake once, in a separate goroutine, when the task or the context of
	// RunTask has ended. It returns at once.
	WhenOver func(wake func())
	// Result returns what RunTask would have returned. It is called once, after wake.
	Result func() (any, error)
}

func (*Later) Error() string { return "the task ends later" }

// An Answer is the answer to a task's token, which RunTask or a [Later] returns in place of
// an error. Its sender has been told that it was accepted, so the history records it even
// if the task has timed out or the execution has been stopped by then.
type Answer struct {
	Output any    // a value of pkg/jsonata
	Err    *Error // of SendTaskFailure; nil for SendTaskSuccess
}

func (*Answer) Error() string { return "the task's token was answered" }

// A TaskRunner runs tasks. The workflow can retry and catch an error that is an *[Error];
// any other error becomes States.TaskFailed. RunTask must return when ctx ends.
type TaskRunner interface {
	RunTask(ctx context.Context, t Task) (any, error)
}

// An Environment holds what a run needs from outside. Nil fields have working defaults;
// without Tasks, every task fails with States.TaskFailed.
type Environment struct {
	Tasks TaskRunner
	// Now is the clock of waits, limits and events, and of $now and $millis.
	Now func() time.Time
	// Sleep waits, and returns an error when ctx ends first.
	Sleep func(ctx context.Context, d time.Duration) error
	// Rand returns a number in [0, 1). It is the source of jitter, States.MathRandom, $random,
	// $shuffle and $uuid. It must be safe for concurrent use, as must Now and UUID.
	Rand func() float64
	// UUID returns the value of States.UUID.
	UUID func() string
	// Token returns a new task token; nil is UUID.
	Token func() string
	// WaitScale multiplies the time that Wait states and retries wait; 0 leaves it
	// unchanged.
	WaitScale float64
	// Journal stores the progress of an execution; nil stores nothing.
	Journal Journal
	// Observe receives every event, one at a time, in the order of their ids. The
	// execution waits for it.
	Observe func(Event)
}

func (e Environment) withDefaults() Environment {
	if e.Tasks == nil {
		e.Tasks = noTasks{}
	}
	if e.Now == nil {
		e.Now = time.Now
	}
	if e.Sleep == nil {
		e.Sleep = sleep
	}
	if e.Rand == nil {
		e.Rand = mathrand.Float64
	}
	if e.UUID == nil {
		e.UUID = newUUID
	}
	if e.Token == nil {
		e.Token = e.UUID
	}
	return e
}

// noTasks fails every task.
type noTasks struct{}

func (noTasks) RunTask(_ context.Context, t Task) (any, error) {
	return nil, &Error{Name: "States.TaskFailed", Cause: fmt.Sprintf("The environment has no runner for the resource '%s' of the state '%s'.", t.Resource, t.State)}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// An Execution holds the input of a run and the names in its context object.
type Execution struct {
	ARN, Name, RoleARN                string
	StateMachineARN, StateMachineName string
	// Sync marks an execution of StartSyncExecution, whose context object has no RedriveCount.
	Sync bool
	// Input is JSON text; empty means {}.
	Input     []byte
	StartTime time.Time
	// Events is the number of events so far of an execution that continues from its
	// Journal; 0 for a new execution.
	Events int64
	// MaxDuration bounds the run; zero means the five minutes of an Express Workflow.
	MaxDuration time.Duration
}

// The statuses of a Result.
const (
	Succeeded = "SUCCEEDED"
	Failed    = "FAILED"
	TimedOut  = "TIMED_OUT"
)

// A Result describes how a run ended.
type Result struct {
	Status string
	// Output is JSON text; nil unless Status is SUCCEEDED.
	Output []byte
	// Error and Cause describe the failure; a Fail state may leave out either.
	Error, Cause       string
	HasError, HasCause bool
}

// maxData is the limit of a state's input or output in bytes.
const maxData = 262144

// How long Express and Standard Workflows can run.
const (
	maxDuration      = 5 * time.Minute
	StandardDuration = 365 * 24 * time.Hour
)
