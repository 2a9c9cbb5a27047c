package statesapi

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"time"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// An ExecutionRecord describes one execution.
type ExecutionRecord struct {
	ExecutionARN string
	Name         string
	// StateMachineARN is the ARN in the request, without the test case.
	StateMachineARN string
	TestCase        string
	// Sync executions have a caller that waits.
	Sync        bool
	Input       []byte
	TraceHeader string
	Status      bridge.Status
	// Output is JSON text; nil unless Status is SUCCEEDED.
	Output []byte
	// Error and Cause are set when Status is FAILED or TIMED_OUT, and may be empty then.
	Error, Cause string
	StartDate    time.Time
	// StopDate is zero while Status is RUNNING.
	StopDate time.Time
	// Err is for logs, and must not be shown to the caller: a panic with its stack.
	Err error
}

// BilledDuration returns what AWS would charge for: the duration, rounded up to tenths of
// a second.
func (r ExecutionRecord) BilledDuration() time.Duration {
	const step = 100 * time.Millisecond
	return max((r.StopDate.Sub(r.StartDate)+step-1)/step*step, step)
}

// billedMemoryMB is the minimum that AWS charges for, which applies to executions of this
// size.
const billedMemoryMB = 64

// A Stopped error says that a synchronous execution was ended before its own end.
type Stopped struct {
	Record ExecutionRecord
	// Err is the cause of the context that ended it.
	Err error
}

func (e *Stopped) Error() string { return "execution stopped: " + e.Err.Error() }

func (e *Stopped) Unwrap() error { return e.Err }

// StartSync runs an EXPRESS state machine and returns its result ([StartSyncExecution]).
// FAILED and TIMED_OUT are in the record, not errors. An [Error] means that nothing was
// started; a [Stopped] means that ctx or [Service.Close] ended the execution.
//
// [StartSyncExecution]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartSyncExecution.html
func (s *Service) StartSync(ctx context.Context, in StartInput) (ExecutionRecord, error) {
	return s.startSync(ctx, in, false)
}

func (s *Service) startSync(ctx context.Context, in StartInput, nested bool) (ExecutionRecord, error) {
	x, refused := s.prepare(in, true)
	if refused != nil {
		return ExecutionRecord{}, refused
	}
	if err := s.acquire(true, nested); err != nil {
		return ExecutionRecord{}, err
	}
	defer s.release()

	if ctx.Done() == nil && s.opts.Observe == nil { // as on the wire, where only the end of the service ends it
		ctx = valued{s.base, ctx}
	} else {
		var stop context.CancelCauseFunc
		ctx, stop = s.stoppable(ctx)
		defer s.endable(x, stop)()
	}
	s.run(ctx, x)
	if x.stopped != nil {
		return ExecutionRecord{}, &Stopped{x.record, x.stopped}
	}
	return x.record, nil
}

// Start begins an execution and returns at once, with status RUNNING ([StartExecution]).
// A name makes the executions of STANDARD state machines unique, as in AWS, and has no
// such effect for EXPRESS ones. [Service.Close] waits for it.
//
// [StartExecution]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
func (s *Service) Start(in StartInput) (ExecutionRecord, error) {
	return s.start(context.Background(), in, false)
}

// start begins an execution that has the values of ctx but not its end.
func (s *Service) start(ctx context.Context, in StartInput, nested bool) (ExecutionRecord, error) {
	x, refused := s.prepare(in, false)
	if refused != nil {
		return ExecutionRecord{}, refused
	}
	if err := s.acquire(false, nested); err != nil {
		return ExecutionRecord{}, err
	}
	ctx, stop := s.stoppable(context.WithoutCancel(ctx))
	if x.target.kind == Standard {
		earlier, err := s.begin(x, stop)
		if err != nil || earlier != nil {
			stop(nil)
			s.release()
			if err != nil {
				return ExecutionRecord{}, err
			}
			return *earlier, nil
		}
	}
	record := x.record
	end := s.endable(x, stop)
	go s.runApart(ctx, x, end)
	return record, nil
}

// endable lets [Service.EndExecution] end an execution, until the returned function is
// called.
func (s *Service) endable(x *execution, stop context.CancelCauseFunc) (done func()) {
	if s.opts.Observe == nil {
		return func() { stop(nil) }
	}
	arn := x.record.ExecutionARN
	s.runMu.Lock()
	s.active[arn] = stop
	s.runMu.Unlock()
	return func() {
		stop(nil)
		s.runMu.Lock()
		delete(s.active, arn)
		s.runMu.Unlock()
	}
}

// EndExecution ends a running execution as StopExecution does, including one of an
// EXPRESS state machine, and reports whether it was running. It only knows the executions
// of a service with [Options].Observe.
func (s *Service) EndExecution(executionARN, name, cause string) bool {
	s.runMu.Lock()
	stop := s.active[executionARN]
	s.runMu.Unlock()
	if stop == nil {
		return false
	}
	stop(&stopRequest{aborted, name, cause})
	return true
}

// Running returns the ARNs of the running executions, sorted. It only knows those of a
// service with [Options].Observe.
func (s *Service) Running() []string {
	s.runMu.Lock()
	defer s.runMu.Unlock()
	return slices.Sorted(maps.Keys(s.active))
}

// stoppable returns a context that also ends with the service.
func (s *Service) stoppable(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	unlink := context.AfterFunc(s.base, func() { cancel(context.Cause(s.base)) })
	return ctx, func(cause error) {
		unlink()
		cancel(cause)
	}
}

// A valued context ends with one context, and also has the values of another.
type valued struct {
	context.Context
	values context.Context
}

func (v valued) Value(key any) any {
	if value := v.values.Value(key); value != nil {
		return value
	}
	return v.Context.Value(key)
}

// run runs an execution to its end; the result is in x.
func (s *Service) run(ctx context.Context, x *execution) {
	s.observe(x.record)
	s.settle(x, s.guarded(x, s.program(ctx, x, false)))
}

// runApart runs an execution that no caller waits for, and calls end at its end. It returns
// when the execution waits, which then continues in another goroutine.
func (s *Service) runApart(ctx context.Context, x *execution, end func()) {
	s.observe(x.record)
	s.leg(x, s.program(ctx, x, true), end)
}

// leg runs an execution to its end, or to the next wait.
func (s *Service) leg(x *execution, run func() Result, end func()) {
	r := s.guarded(x, run)
	if r.pause != nil {
		r.pause.whenOver(func() { s.leg(x, r.pause.resume, end) })
		return
	}
	s.settle(x, r)
	if x.started != nil {
		s.ended(x)
	}
	end()
	s.release()
}

// settle records the end of an execution.
func (s *Service) settle(x *execution, r Result) {
	x.record.Status, x.record.Output, x.record.Error, x.record.Cause = r.Status, r.Output, r.Error, r.Cause
	if r.Stopped != nil {
		x.stopped, x.record.Status, x.record.Output = r.Stopped, aborted, nil
		if asked, ok := errors.AsType[*stopRequest](r.Stopped); ok {
			x.record.Status, x.record.Error, x.record.Cause = asked.status, asked.name, asked.cause
		}
	}
	// A clock that was set back must not yield a negative duration.
	x.record.StopDate = s.opts.Now()
	if x.record.StopDate.Before(x.record.StartDate) {
		x.record.StopDate = x.record.StartDate
	}
	if x.started != nil && (x.stopped != nil || x.record.Err != nil) {
		s.keepEnd(x.started, x.record)
	}
	s.observe(x.record)
}

func (s *Service) observe(r ExecutionRecord) {
	if s.opts.OnExecution != nil {
		s.opts.OnExecution(r)
	}
}

// guarded is the only place where a panic in an execution is recovered: in an
// asynchronous execution, it would end the process.
func (s *Service) guarded(x *execution, run func() Result) (r Result) {
	defer func() {
		if p := recover(); p != nil {
			r = Result{Status: bridge.Failed, Error: "States.Runtime", Cause: "Internal error"}
			x.record.Err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return run()
}

// program returns the function that runs the state machine of an execution.
func (s *Service) program(ctx context.Context, x *execution, mayPause bool) func() Result {
	return func() Result {
		e := Execution{
			ExecutionRecord: x.record, StateMachine: x.target.name, RoleARN: x.target.roleARN, Observe: s.observer(x), mayPause: mayPause,
		}
		if x.journal != nil {
			e.Journal, e.Events = x.journal, int64(len(x.events))
		}
		return x.target.machine.Run(ctx, e)
	}
}
