package asl

import "github.com/expressway-dev/expressway/pkg/jsonata"

// A Stage names a state's data at one point of its processing, as TestState does.
type Stage string

// The stages. A state passes through those of its type and query language.
const (
	StateInput          Stage = "input"
	AfterInputPath      Stage = "afterInputPath"
	AfterParameters     Stage = "afterParameters"
	AfterArguments      Stage = "afterArguments"
	AfterItemsPath      Stage = "afterItemsPath"
	AfterItemSelector   Stage = "afterItemSelector"
	AfterItemBatcher    Stage = "afterItemBatcher"
	AfterItemsPointer   Stage = "afterItemsPointer"
	RawResult           Stage = "result"
	AfterResultSelector Stage = "afterResultSelector"
	AfterResultPath     Stage = "afterResultPath"
)

// An Inspection holds what a test recorded of the state. Fields that the state did not
// reach are nil.
type Inspection struct {
	// Stages are values of pkg/jsonata. Values beyond the limit of a state are left out.
	Stages map[Stage]any
	// Variables are the variables after the state.
	Variables *jsonata.Object
	// The values of a Map state's fields. ToleratedFailureCount is nil if the state has
	// no field for it.
	MaxConcurrency, ToleratedFailureCount *int
	ToleratedFailurePercentage            *float64
	// Which entry of Retry and of Catch matched the error, and how long the Retry waits.
	CatchIndex, RetryIndex, RetryBackoffSeconds *int
}

// A testRun is the part of a run that only exists when one state is tested.
type testRun struct {
	in      *TestInput
	seen    Inspection
	invalid error // see TestResult
}

// stage records a stage of the state in a test; in other runs, it does nothing.
func (f *frame) stage(at Stage, v any) {
	if f.run.test == nil || !f.state.shows(at) {
		return
	}
	// A few references can make a value that would take terabytes when written out.
	if ok, valid := fits(v, maxData, nil); ok && valid {
		f.run.test.seen.Stages[at] = v
	}
}

// shows reports whether the service shows a stage. As recorded, it only shows the results
// of a Pass state with a Result, and not what Map and Parallel states pass to their
// mocked parts or receive from them.
func (s *state) shows(at Stage) bool {
	constant := s.kind == "Pass" && s.hasResult
	switch at {
	case AfterInputPath:
		return !constant && s.kind != "Parallel"
	case AfterParameters:
		return s.kind == "Task" || s.kind == "Pass" && !constant
	case AfterArguments:
		return s.kind == "Task"
	case RawResult:
		return s.kind == "Task" || constant
	case AfterResultSelector, AfterResultPath:
		return s.hasOwnResult() || s.kind == "Pass"
	}
	return true
}
