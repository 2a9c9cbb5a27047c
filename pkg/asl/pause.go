package asl

import (
	"context"
	"time"
)

// A Pause is an execution that waits without occupying a goroutine: in a Wait state,
// before a retry, or for the token of a task.
type Pause struct {
	machine *Machine
	frame   *frame
	ctx     context.Context
	cancel  context.CancelFunc
}

// RunApart is [Machine.Run] for a caller that does not wait for the end. If the execution
// waits and nothing else in it runs, RunApart returns a Pause instead of the Result.
func (m *Machine) RunApart(ctx context.Context, env Environment, ex Execution) (Result, *Pause) {
	ownSleep := env.Sleep == nil
	f, failure := m.begin(env, ex)
	if failure != nil {
		return *failure, nil
	}
	f.parks, f.run.ownSleep = true, ownSleep
	p := &Pause{machine: m, frame: f}
	p.ctx, p.cancel = context.WithTimeout(ctx, f.run.left())
	return p.Resume()
}

// WhenOver calls wake once, in a separate goroutine, when the wait is over or the
// execution must end. It returns at once.
func (p *Pause) WhenOver(wake func()) { p.frame.parked.whenOver(wake) }

// Resume continues after the wait, as [Machine.RunApart] does. It is called once, after
// [Pause.WhenOver] has called wake.
func (p *Pause) Resume() (r Result, next *Pause) {
	defer func() {
		if next == nil {
			p.cancel()
		}
	}()
	if r, paused := p.machine.leg(p.ctx, p.frame); !paused {
		return r, nil
	}
	return Result{}, p
}

// errParked unwinds the goroutine of an execution that pauses. It never leaves this
// package.
var errParked = &Error{Name: "parked", fatal: true}

// A parked holds what a frame needs to continue after a wait: its state is entered again at
// the place where it waited.
type parked struct {
	whenOver func(wake func())
	// For a Wait state or a retry: late means that the execution's time is up first, and
	// err is the error of the wait.
	late bool
	err  error
	// For a task.
	result  func() (any, error)
	history *taskHistory
	ctx     context.Context
	cancel  context.CancelFunc // nil if the task has no timeout of its own
}

// afterwards calls wake from another goroutine when d has passed or ctx has ended, with the
// context's error.
func afterwards(ctx context.Context, d time.Duration, wake func(error)) {
	over, cancel := context.WithTimeout(ctx, d)
	context.AfterFunc(over, func() {
		err := ctx.Err()
		cancel()
		wake(err)
	})
}

// unpark returns what the frame waited for, once, or nil if it did not wait.
func (f *frame) unpark() *parked {
	p := f.parked
	f.parked = nil
	return p
}
