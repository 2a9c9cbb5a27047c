package config

import (
	"slices"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// Then says what happens to a failed record or event.
type Then string

// The choices: unset (which means retry), deliver again, drop, and send to the route's
// dead-letter queue (records only).
const (
	ThenNothing    Then = ""
	ThenRetry      Then = "retry"
	ThenDiscard    Then = "discard"
	ThenDeadLetter Then = "dead-letter"
)

// poison are the failures of the record itself: it can never run, however often it comes.
var poison = []string{bridge.BadRequest, bridge.ExpressionFailed, bridge.InputTooLarge, bridge.BadToken}

// kept are the failures that no discard covers. They do not concern
// the delivery itself: a missing permission, a throttle or a killed function would empty the queue.
var kept = []string{
	bridge.Throttled, bridge.Unavailable, bridge.Misconfigured, bridge.InProgress, bridge.Internal, bridge.NoRoute,
}

// keptFromAll are those that a discard covers only by their own names.
var keptFromAll = []string{bridge.Unknown, bridge.Deadline}

// Discardable reports whether `then: discard` may name the error.
func Discardable(name string) bool { return !slices.Contains(kept, name) }

// Then returns what a queue or event route does with a failure: what the first catch that
// covers it says, else the dead-letter queue for a record that can never run, where there
// is such a queue, else retry; and discard where the task to be resumed is gone.
func (r *Route) Then(f *bridge.Failure) Then {
	for i := range r.Catch {
		if c := &r.Catch[i]; c.covers(f) {
			return c.Then
		}
	}
	if r.SQS != nil && r.SQS.DeadLetterQueue != "" && !f.OfWorkflow() && slices.Contains(poison, f.Name) {
		return ThenDeadLetter
	}
	if f.Settles {
		return ThenDiscard // a task that is gone: nothing comes of another delivery
	}
	return ThenRetry
}

// covers reports whether the catch decides on the failure. A workflow's own failure
// is always covered, whatever its name.
func (c *Catch) covers(f *bridge.Failure) bool {
	if !bridge.Matches(c.Errors, f.Name) {
		return false
	}
	if c.Then != ThenDiscard || f.OfWorkflow() {
		return true
	}
	return Discardable(f.Name) && (slices.Contains(c.Errors, f.Name) || !slices.Contains(keptFromAll, f.Name))
}
