package statesapi

import (
	"context"
	"errors"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/bridge"
)

// An Engine makes programs of definitions in the States Language. It is safe for
// concurrent use. What programs run in (tasks, clocks, limits) is its own matter. The
// one that [New] takes by default is pkg/asl.
type Engine interface {
	// Parse checks a definition for a state machine of the type, [Express] or
	// [Standard]. Exactly one of program and error is there; the error is a
	// *[DefinitionError] wherever more is known than a sentence.
	Parse(definition []byte, kind string) (Program, error)
	// Validate returns all that is to be said of a definition: what Parse would refuse,
	// with severity ERROR, and what is merely odd, with severity WARNING.
	Validate(definition []byte, kind string) []Diagnostic
}

// A Program is a definition that can be run, from many goroutines at once.
type Program interface {
	// Run takes an execution to its end. It ends soon after ctx does, whose end is not
	// the workflow's own: the result then has Stopped set. A panic is recovered by the
	// caller, and fails the execution.
	Run(ctx context.Context, x Execution) Result
}

// An Execution is what a [Program] is told of its run.
type Execution struct {
	// ExecutionRecord has the status RUNNING. Its Input is valid JSON.
	ExecutionRecord
	// StateMachine and RoleARN are the name and the role, for the context object.
	StateMachine, RoleARN string
	// Observe is told of the steps of an execution whose history is kept: one at a time, in
	// their order, with ids from 1. It is nil for others.
	Observe func(asl.Event)
}

// A Result is how a run ended.
type Result struct {
	// Status is SUCCEEDED, FAILED or TIMED_OUT.
	Status bridge.Status
	// Output is JSON text, of a run that succeeded.
	Output []byte
	// Error and Cause are those of a run that did not; either may be empty.
	Error, Cause string
	// Stopped is the context's cause when its end ended the run, and nil otherwise.
	Stopped error
}

// A DefinitionError is why an [Engine] refuses a definition.
type DefinitionError struct {
	// Diagnostics has at least one member.
	Diagnostics []Diagnostic
}

// Error returns all diagnostics, in the form that CreateStateMachine answers them in.
func (e *DefinitionError) Error() string { return definitionMessage(e.Diagnostics) }

// diagnose makes diagnostics of whatever error an engine has.
func diagnose(err error) []Diagnostic {
	var e *DefinitionError
	if errors.As(err, &e) && len(e.Diagnostics) > 0 {
		return e.Diagnostics
	}
	return []Diagnostic{{Severity: severityError, Code: SchemaValidationFailed, Message: err.Error()}}
}

// aborted is AWS's status of executions that were stopped.
const aborted bridge.Status = "ABORTED"

// execution is one on its way, with what became of it once it has ended.
type execution struct {
	target  target
	record  ExecutionRecord
	stopped error
	started *started // of a STANDARD one
}
