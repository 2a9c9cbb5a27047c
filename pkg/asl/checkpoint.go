package asl

import (
	"strconv"
	"time"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A Journal remembers where the flows of an execution are, so that another run can continue
// from there. A flow is a machine, a branch or an iteration, and has a path. It is safe for
// concurrent use.
type Journal interface {
	// At returns the last checkpoint of a flow.
	At(path string) (Checkpoint, bool)
	// Keep stores a checkpoint of a flow. It returns once another process would find it.
	Keep(path string, c Checkpoint)
	// Drop deletes the checkpoints of the flows below a path, whose state has ended.
	Drop(path string)
}

// The phases of a state in a [Checkpoint].
const (
	phaseCalled    = "called"    // a task may have begun
	phaseSubmitted = "submitted" // the request of a task with a token was accepted
	phaseStarted   = "started"   // a worker has an activity's task
	phaseRunning   = "running"   // the branches or iterations have begun
)

// A Checkpoint is the position of a flow: in a state, or at the flow's end.
type Checkpoint struct {
	// State is the current state, with its input.
	State     string
	Input     any
	Variables *jsonata.Object
	// Assigned holds the variables that were set since the flow's previous Checkpoint.
	Assigned *jsonata.Object
	// Before, Entered and Last are event ids: of the event before the state's entry, of the
	// entry, and of the flow's last event.
	Before, Entered, Last int64
	// Since is when the state was entered, and Called when its task began.
	Since, Called time.Time
	// RetryAt is when the wait before a retry ends; zero outside of such a wait.
	RetryAt time.Time
	// Visits counts the states that the flow has entered.
	Visits int
	// Retries counts the retries of the state, and Counts those of each of its retriers.
	Retries int
	Counts  []int
	// Phase is how far the state has come; empty means its beginning.
	Phase string
	// Token is the token of a task that waits for it, and Heartbeat the heartbeat of that
	// task.
	Token     string
	Heartbeat time.Duration
	// Ended is set at the end of a branch or an iteration, with its result and the event
	// that the end of the whole state follows. Failed marks a tolerated failure.
	Ended, Failed bool
	Output        any
	Final         int64
}

// Waits reports whether the flow's task waits for its token.
func (c Checkpoint) Waits() bool { return c.Token != "" && !c.Ended && c.Phase != "" }

// child returns the path of a branch or an iteration of the current state.
func (f *frame) child(i int) string {
	if f.run.env.Journal == nil {
		return ""
	}
	return f.path + "/" + strconv.Itoa(f.visits) + "." + strconv.Itoa(f.retries) + "." + strconv.Itoa(i)
}

// kept returns the journal's checkpoint of a flow, in a run that continues from it.
func (r *run) kept(path string) (Checkpoint, bool) {
	if r.env.Journal == nil || r.ex.Events == 0 {
		return Checkpoint{}, false
	}
	return r.env.Journal.At(path)
}

// keep stores how far the current state has come.
func (f *frame) keep(phase string) {
	if f.run.env.Journal == nil {
		return
	}
	c := Checkpoint{
		State: f.state.name, Input: f.raw, Variables: f.vars.object(), Assigned: f.unkept,
		Before: f.before, Entered: f.entered, Last: f.last, Since: f.since, Called: f.called, RetryAt: f.retryAt,
		Visits: f.visits, Retries: f.retries, Counts: append([]int(nil), f.counts...), Phase: phase,
	}
	if phase != "" && phase != phaseRunning {
		c.Token, c.Heartbeat = f.token, f.heartbeat
	}
	f.run.env.Journal.Keep(f.path, c)
	f.unkept = nil
}

// keepEnd stores the result of a flow.
func (f *frame) keepEnd(out any, failed bool, end ended) {
	if f.run.env.Journal == nil {
		return
	}
	f.run.env.Journal.Keep(f.path, Checkpoint{Ended: true, Failed: failed, Output: out, Last: end.next, Final: end.final})
}

// forget drops the checkpoints of the branches or iterations of a state that has ended,
// once its end has been stored.
func (f *frame) forget(s *state) {
	if f.run.env.Journal != nil && s != nil && len(s.branches) > 0 {
		f.run.env.Journal.Drop(f.path + "/")
	}
}

// goOn continues a flow at its checkpoint.
func (f *frame) goOn(fl *flow, c Checkpoint) (input any, _ *Error) {
	s := fl.states[c.State]
	if s == nil {
		return nil, &Error{Name: "States.Runtime", Cause: "The execution cannot continue: its definition has no state '" + c.State + "'.", fatal: true}
	}
	f.state, f.raw, f.before, f.entered, f.last, f.since = s, c.Input, c.Before, c.Entered, c.Last, c.Since
	f.visits, f.retries, f.counts, f.called = c.Visits, c.Retries, c.Counts, c.Called
	f.token, f.heartbeat, f.phase, f.assigned = c.Token, c.Heartbeat, c.Phase, nil
	f.retryAt, f.again = c.RetryAt, true
	return c.Input, f.commitVariables(c.Variables)
}

func (f *frame) commitVariables(o *jsonata.Object) *Error {
	err := f.commit(o)
	f.assigned, f.unkept = nil, nil
	return err
}

// object returns the variables of a scope.
func (s *scope) object() *jsonata.Object {
	if len(s.values) == 0 {
		return nil
	}
	o := jsonata.NewObject(len(s.values))
	for name, v := range s.values {
		o.Set(name, v.value)
	}
	return o
}

// wasCalled returns how far the task of the current state got in the run that this one
// continues from, or "" if it had not begun. Later calls return "".
func (f *frame) wasCalled() (phase string) {
	phase = f.phase
	f.phase = ""
	return phase
}
