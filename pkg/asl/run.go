package asl

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// maxTransitions bounds a local execution. An Express Workflow has no such limit.
const maxTransitions = 1000000

// A run is one execution.
type run struct {
	env     Environment
	ex      Execution
	input   any
	started time.Time
	history history
	// deadline is a time of the environment's clock; the context of a run has the real one.
	deadline  time.Time
	expired   atomic.Bool  // the deadline has passed
	steps     atomic.Int64 // transitions and retries so far
	workers   atomic.Int64 // goroutines in addition to the caller's
	variables atomic.Int64 // bytes
	// execution and machine are parts of the context object.
	contextOnce        sync.Once
	execution, machine *jsonata.Object
	// effects are the options for expressions that use the clock or randomness; nil for the real ones.
	effects *jsonata.Options
	// test is set in a run that tests one state, and nil in all others.
	test *testRun
	// ownSleep means that waits do not need the environment's Sleep.
	ownSleep bool
}

// A frame is the position of an execution in a machine, a branch or an iteration.
type frame struct {
	run     *run
	vars    scope
	state   *state
	entered int64 // the event id of the current state's entry
	before  int64 // the id of the flow's last event before that
	last    int64 // the id of the flow's last event
	since   time.Time
	retries int
	item    mapItem // of the innermost Map, if inMap is set
	inMap   bool
	branch  bool // of a Parallel state
	// token is $$.Task.Token of the current state, once it has been used.
	token string
	// heartbeat is the heartbeat of the current task, and called is when the task began.
	heartbeat time.Duration
	called    time.Time
	sizes     sizes
	// path is the flow's path in the journal, raw the input of its current state, and
	// visits the number of states that it has entered.
	path   string
	raw    any
	visits int
	counts []int // how often each retrier of the current state was used
	// retryAt is when the wait before a retry ends, if the flow is in one.
	retryAt time.Time
	// phase is how far the current state was in the run that this one continues from, and
	// again is set if it was entered at that point.
	phase string
	again bool
	// assigned are the variables that the current state set, and unkept those that were set
	// since the flow's last checkpoint.
	assigned, unkept *jsonata.Object
	// parks means that the flow may pause: it is the machine's own, and no caller waits for
	// it. parked is set from when it pauses until the wait is over.
	parks  bool
	parked *parked
}

// newRun reads the input of an execution.
func newRun(env Environment, ex Execution) (*run, *Error) {
	r := &run{env: env.withDefaults(), ex: ex, effects: effectsOf(env)}
	r.started = ex.StartTime
	if r.started.IsZero() {
		r.started = r.env.Now()
	}
	if len(ex.Input) == 0 {
		r.ex.Input = []byte("{}")
	}
	input, err := jsonata.Decode(r.ex.Input)
	if err != nil {
		return nil, &Error{Name: "States.Runtime", Cause: "The input is not JSON: " + err.Error()}
	}
	r.input = input
	return r, nil
}

// Run executes the machine. It ends with the machine, at the limit of ex.MaxDuration, or
// soon after ctx ends; in the last two cases, the Result is TIMED_OUT.
func (m *Machine) Run(ctx context.Context, env Environment, ex Execution) Result {
	f, failure := m.begin(env, ex)
	if failure != nil {
		return *failure
	}
	ctx, cancel := context.WithTimeout(ctx, f.run.left())
	defer cancel()
	result, _ := m.leg(ctx, f)
	return result
}

// begin returns the frame of the machine's own flow. If the execution cannot begin, it
// returns the Result instead.
func (m *Machine) begin(env Environment, ex Execution) (*frame, *Result) {
	r, failure := newRun(env, ex)
	if failure != nil {
		return nil, &Result{Status: Failed, Error: failure.Name, Cause: failure.Cause, HasError: true, HasCause: true}
	}
	limit := cmp.Or(ex.MaxDuration, maxDuration)
	if m.timeout > 0 {
		limit = min(limit, time.Duration(m.timeout)*time.Second)
	}
	if ex.Events > 0 {
		limit = max(limit-r.env.Now().Sub(r.started), 0)
	}
	r.deadline = r.env.Now().Add(limit)
	if r.history.n = ex.Events; ex.Events == 0 {
		started := Event{Type: "ExecutionStarted"}
		if r.env.Observe != nil {
			started.Input = jsonata.NewRaw(r.ex.Input) // with the input as it was sent
		}
		r.record(0, started)
	}
	return &frame{run: r}, nil
}

// left returns how long the execution may still run.
func (r *run) left() time.Duration { return r.deadline.Sub(r.env.Now()) }

// leg runs the machine to its end, or until it pauses.
func (m *Machine) leg(ctx context.Context, f *frame) (_ Result, paused bool) {
	output, failure := f.flow(ctx, m.flow, f.run.input)
	if failure == errParked {
		return Result{}, true
	}
	return f.result(ctx, output, failure), false
}

// result records the end of the execution.
func (f *frame) result(ctx context.Context, output any, failure *Error) Result {
	if f.run.expired.Load() || ctx.Err() != nil && (failure != nil || errors.Is(ctx.Err(), context.DeadlineExceeded)) {
		f.record(Event{Type: "ExecutionTimedOut", Error: "States.Timeout"})
		return Result{Status: TimedOut, Error: "States.Timeout", HasError: true}
	}
	if failure != nil {
		f.record(Event{Type: "ExecutionFailed", Error: failure.Name, Cause: failure.Cause})
		return Result{
			Status: Failed, Error: failure.Name, Cause: failure.Cause,
			HasError: failure.Name != "", HasCause: failure.Cause != "",
		}
	}
	out, err := jsonata.AppendJSON(make([]byte, 0, 512), output)
	if err != nil {
		return Result{Status: Failed, Error: "States.Runtime", Cause: err.Error(), HasError: true, HasCause: true}
	}
	f.record(Event{Type: "ExecutionSucceeded", Output: output})
	return Result{Status: Succeeded, Output: out}
}

// where returns the beginning of the interpreter's causes. Tests of one state have no
// history, and therefore no event numbers.
func (f *frame) where() string {
	if f.run.test != nil {
		return ""
	}
	return fmt.Sprintf("An error occurred while executing the state '%s' (entered at the event id #%d). ", f.state.name, f.entered)
}

// runtime returns a States.Runtime error of the interpreter, which ends the execution
// even if Retry or Catch names it.
func (f *frame) runtime(cause string) *Error {
	return &Error{Name: "States.Runtime", Cause: f.where() + cause, fatal: true}
}

// timedOut returns the error that ends the execution when its time is up.
func (r *run) timedOut() *Error {
	if !r.env.Now().Before(r.deadline) {
		r.expired.Store(true)
	}
	return &Error{Name: "States.Timeout", fatal: true}
}

// count counts a transition or a retry.
func (r *run) count() *Error {
	if r.steps.Add(1) > maxTransitions {
		return &Error{Name: "States.Runtime", Cause: fmt.Sprintf("The local engine ends an execution after %d transitions; this one seems to loop.", maxTransitions), fatal: true}
	}
	return nil
}

// flow runs the States of a flow from its StartAt to the end.
func (f *frame) flow(ctx context.Context, fl *flow, input any) (any, *Error) {
	name := fl.start
	if f.parked != nil {
		name, input = f.state.name, f.raw
	} else if c, ok := f.run.kept(f.path); ok {
		var err *Error
		if input, err = f.goOn(fl, c); err != nil {
			return nil, err
		}
		name = f.state.name
	}
	for {
		if f.parked == nil {
			if err := f.arrive(ctx, fl.states[name], input); err != nil {
				return nil, err
			}
		}
		output, next, err := f.attempt(ctx, input)
		f.again, f.phase = false, ""
		if err != nil {
			if err != errParked {
				f.recordAbort(ctx)
			}
			return nil, err
		}
		f.record(Event{Type: f.state.exited, Name: name, Output: output, Assigned: f.assigned})
		if next == "" {
			return output, nil
		}
		name, input = next, output
	}
}

// arrive enters a state, if the execution may continue and is not there already.
func (f *frame) arrive(ctx context.Context, s *state, input any) *Error {
	now := f.run.env.Now()
	if ctx.Err() != nil || !now.Before(f.run.deadline) {
		return f.run.timedOut()
	}
	if err := f.run.count(); err != nil {
		return err
	}
	if !f.again {
		f.enter(s, input, now)
	}
	return nil
}

// enter makes a state the current one.
func (f *frame) enter(s *state, input any, now time.Time) {
	before := f.state
	f.state, f.retries, f.assigned, f.token = s, 0, nil, ""
	f.since, f.raw, f.counts, f.phase = now, input, nil, ""
	f.visits++
	f.sizes.next()
	f.before = f.last
	f.entered = f.record(Event{Type: s.entered, Name: s.name, Input: input})
	f.keep("")
	f.forget(before)
}

// recordAbort adds to the history the abort of a state: of one whose sibling branch or
// iteration failed, or of the one that made its branch fail.
func (f *frame) recordAbort(ctx context.Context) {
	s := f.state
	if s.aborted == "" {
		return
	}
	if context.Cause(ctx) == errSibling || f.branch && s.failed == "" && ctx.Err() == nil {
		f.aside(Event{Type: s.aborted})
	}
}
