package config

import (
	"slices"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// Then determines what happens to a failed record or event.
type Then string

// The choices: unset (which means retry), deliver again, drop, and send to the route's
// dead-letter queue (records only).
const (
	ThenNothing    Then = ""
	ThenRetry      Then = "retry"
	ThenDiscard    Then = "discard"
	ThenDeadLetter Then = "dead-letter"
)

// poison lists the failures that are caused by the record itself: it can never run,
// however often it is delivered.
var poison = []string{bridge.BadRequest, bridge.ExpressionFailed, bridge.InputTooLarge, bridge.BadToken}

// kept lists the failures that no discard covers. They are not caused by the delivery
// itself: if discard covered them, a missing permission, a throttle or a killed function
// would empty the queue.
var kept = []string{
	bridge.Throttled, bridge.Unavailable, bridge.Misconfigured, bridge.InProgress, bridge.Internal, bridge.NoRoute,
}

// keptFromAll are those that a discard covers only by their own names.
var keptFromAll = []string{bridge.Unknown, bridge.Deadline}

// discardable reports whether `then: discard` may name the error.
func discardable(name string) bool { return !slices.Contains(kept, name) }

// Then returns what a queue or event route does with a failure: the choice of the first
// catch that covers it, or else the dead-letter queue, if the route has one, for a record
// that can never run, or else retry. If the task to be resumed no longer exists, it is
// discard.
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
		return ThenDiscard // the task no longer exists, so another delivery cannot succeed
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
	return discardable(f.Name) && (slices.Contains(c.Errors, f.Name) || !slices.Contains(keptFromAll, f.Name))
}
