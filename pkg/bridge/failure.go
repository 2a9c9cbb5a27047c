package bridge

import (
	"errors"
	"slices"
	"time"
)

// The bridge's own error names. A workflow's failures have the names that the
// workflow gives them (OrderNotFound, States.Timeout).
const (
	NoRoute          = "Expressway.NoRoute"
	Unverified       = "Expressway.Unverified"
	BadRequest       = "Expressway.BadRequest"
	InputTooLarge    = "Expressway.InputTooLarge"
	InProgress       = "Expressway.InProgress"
	DedupeMismatch   = "Expressway.DedupeMismatch"
	Throttled        = "Expressway.Throttled"
	Unavailable      = "Expressway.Unavailable"
	Unknown          = "Expressway.Unknown"
	Deadline         = "Expressway.Deadline"
	Misconfigured    = "Expressway.Misconfigured"
	ExpressionFailed = "Expressway.ExpressionFailed"
	BadResponse      = "Expressway.BadResponse"
	Internal         = "Expressway.Internal"

	// Of routes that resume a waiting task.
	BadToken    = "Expressway.BadToken"    // no token, or one that Step Functions did not issue
	TaskGone    = "Expressway.TaskGone"    // completed, timed out, or its execution ended
	TaskUnknown = "Expressway.TaskUnknown" // no item within the grace
)

// StatesTimeout is the error name of a TIMED_OUT execution, and StatesAll matches
// every name in a catch list.
const (
	StatesTimeout = "States.Timeout"
	StatesAll     = "States.ALL"
)

// A Class is what a failure means for another attempt.
type Class int

const (
	// Settled failures are the workflow's own: the execution ran and is over.
	Settled Class = iota
	// Retryable failures started nothing and may not happen again.
	Retryable
	// Permanent failures started nothing and will happen again.
	Permanent
	// Ambiguous failures may have started an execution, which may still be running.
	Ambiguous
)

func (c Class) String() string {
	return [...]string{"settled", "retryable", "permanent", "ambiguous"}[c]
}

// classes is the one table of the bridge's error names.
var classes = map[string]Class{
	NoRoute:          Permanent,
	Unverified:       Permanent,
	BadRequest:       Permanent,
	InputTooLarge:    Permanent,
	InProgress:       Retryable,
	DedupeMismatch:   Permanent,
	Throttled:        Retryable,
	Unavailable:      Retryable,
	Unknown:          Ambiguous,
	Deadline:         Ambiguous,
	Misconfigured:    Permanent,
	ExpressionFailed: Permanent,
	BadResponse:      Settled, // the execution ran; only its output is not a valid answer
	Internal:         Ambiguous,
	BadToken:         Permanent,
	TaskGone:         Permanent,
	TaskUnknown:      Retryable,
}

// Names returns the bridge's own error names, sorted.
func Names() []string {
	names := make([]string, 0, len(classes))
	for n := range classes {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// ClassOf returns the class of an error name; every name that is not the bridge's
// own is a workflow's, and settled.
func ClassOf(name string) Class { return classes[name] }

// A Failure is the reason why a delivery did not end in a SUCCEEDED execution.
type Failure struct {
	// Name is the error name that catch lists match.
	Name string
	// Cause says what happened: the workflow's own cause, or a text of the bridge, which
	// names places and never values. Senders see it only if a catch includes it.
	Cause string
	// Outcome describes the execution, if one was started.
	Outcome *Outcome
	// StateMachineARN and ExecutionName identify what an [Ambiguous] failure may have
	// started; they are empty if they are not known.
	StateMachineARN, ExecutionName string
	// ClaimedUntil is when the claim of the other attempt lapses. It is set only with
	// [InProgress].
	ClaimedUntil time.Time
	// Settles means that a record or an event with this failure is not delivered again
	// unless its route asks for it, because another attempt cannot succeed.
	Settles bool
	// RetryAfter is how long a sender should wait; zero if there is no advice.
	RetryAfter time.Duration
	// Err is the underlying error chain, for the logs.
	Err error
}

// NewFailure returns one of the bridge's own failures. Its cause names places and never
// values.
func NewFailure(name, cause string, err error) *Failure {
	return &Failure{Name: name, Cause: cause, Err: err}
}

// Error returns the name and the cause of the bridge's own failures. The cause of a
// workflow's failure is payload, and stays out of logs.
func (f *Failure) Error() string {
	if f.OfWorkflow() || ClassOf(f.Name) == Settled && f.Name != BadResponse {
		return f.Name
	}
	s := f.Name
	if f.Cause != "" {
		s += ": " + f.Cause
	}
	if f.Err != nil {
		s += ": " + f.Err.Error()
	}
	return s
}

func (f *Failure) Unwrap() error { return f.Err }

// Class returns the class of the failure's name. A workflow's own failure is settled,
// even if the workflow gives it one of the bridge's names.
func (f *Failure) Class() Class {
	if f.OfWorkflow() {
		return Settled
	}
	return ClassOf(f.Name)
}

// OfWorkflow reports whether an execution ended with the failure, whatever its name.
func (f *Failure) OfWorkflow() bool {
	return f.Outcome != nil && f.Outcome.Status == Failed && f.Outcome.Error == f.Name
}

// AsFailure returns the Failure in err's chain, or wraps err as Internal.
func AsFailure(err error) *Failure {
	var f *Failure
	if errors.As(err, &f) {
		return f
	}
	return NewFailure(Internal, "unexpected error", err)
}

// Matches reports whether a catch's list of error names matches name. As in the
// States Language, States.ALL matches every name.
func Matches(list []string, name string) bool {
	for _, e := range list {
		if e == StatesAll || e == name {
			return true
		}
	}
	return false
}
