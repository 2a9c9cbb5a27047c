package statesapi

import (
	"context"
	"errors"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/bridge"
)

// An Engine makes programs from definitions in the States Language. It is safe for
// concurrent use. It provides what programs need to run (tasks, clocks, limits). The
// default in [New] uses pkg/asl.
type Engine interface {
	// Parse checks a definition for a state machine of the type, [Express] or [Standard].
	// It returns either a program or an error; the error is a *[DefinitionError] if it
	// has diagnostics.
	Parse(definition []byte, kind string) (Program, error)
	// Validate returns all findings about a definition: those for which Parse would
	// refuse it, with severity ERROR, and those that are merely questionable, with
	// severity WARNING.
	Validate(definition []byte, kind string) []Diagnostic
}

// A Program is a definition that can be run, from many goroutines at once.
type Program interface {
	// Run runs an execution to its end. It returns soon after ctx ends; because that is
	// not the workflow's own end, the result then has Stopped set. The caller recovers a
	// panic, which fails the execution.
	Run(ctx context.Context, x Execution) Result
}

// An Execution holds what a [Program] needs for its run.
type Execution struct {
	// ExecutionRecord has the status RUNNING. Its Input is valid JSON.
	ExecutionRecord
	// StateMachine and RoleARN are the name and the role, for the context object.
	StateMachine, RoleARN string
	// Observe is called for each step of an execution whose history is kept: one at a
	// time, in order, with ids from 1. It is nil for others.
	Observe func(asl.Event)
	// Journal stores the progress of the execution, and Events is the number of events that
	// it already has if it continues from there. They are nil and 0 for executions that are
	// not kept.
	Journal asl.Journal
	Events  int64

	mayPause bool // Run may return early, with a pause
}

// A Result describes how a run ended.
type Result struct {
	// Status is SUCCEEDED, FAILED or TIMED_OUT.
	Status bridge.Status
	// Output is JSON text, if the run succeeded.
	Output []byte
	// Error and Cause are set if it did not succeed; either may be empty.
	Error, Cause string
	// Stopped is the context's cause if the end of the context ended the run, and nil
	// otherwise.
	Stopped error

	pause *pause // set if the run waits; continues it
}

// A pause continues a run that waits without a goroutine: whenOver calls wake once, from a
// separate goroutine, when resume can be called.
type pause struct {
	whenOver func(wake func())
	resume   func() Result
}

// A DefinitionError explains why an [Engine] refuses a definition.
type DefinitionError struct {
	// Diagnostics has at least one member.
	Diagnostics []Diagnostic
}

// Error returns all diagnostics, in the form of CreateStateMachine's answer.
func (e *DefinitionError) Error() string { return definitionMessage(e.Diagnostics) }

// diagnose converts any error of an engine to diagnostics.
func diagnose(err error) []Diagnostic {
	var e *DefinitionError
	if errors.As(err, &e) && len(e.Diagnostics) > 0 {
		return e.Diagnostics
	}
	return []Diagnostic{{Severity: severityError, Code: schemaFailed, Message: err.Error()}}
}

// aborted is AWS's status of executions that were stopped.
const aborted bridge.Status = "ABORTED"

// execution is an execution, with what happened to it once it has ended.
type execution struct {
	target  target
	record  ExecutionRecord
	stopped error
	started *started // for a STANDARD execution
	journal *journal // nil for one that is not kept
	// startedBy is the key of the task that waits for its end; empty if there is none.
	startedBy string

	// For an execution that an earlier process began: its events, and the context that
	// ends it.
	events []asl.Event
	ctx    context.Context
	stop   context.CancelCauseFunc
}
