package asl

import "github.com/expressway-dev/expressway/pkg/jsonata"

// A Stage names what a state's data is at one point of its way, as TestState does.
type Stage string

// The stages, of which a state passes those of its type and query language.
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

// An Inspection is what a test saw of the state. Nil stands for what it did not come to.
type Inspection struct {
	// Stages are values of pkg/jsonata. Those of more than a state may have are left out.
	Stages map[Stage]any
	// Variables are those after the state.
	Variables *jsonata.Object
	// What the fields of a Map state come to. There is no tolerance without a field for it.
	MaxConcurrency, ToleratedFailureCount *int
	ToleratedFailurePercentage            *float64
	// Which entry of Retry and of Catch took the error, and how long the Retry waits.
	CatchIndex, RetryIndex, RetryBackoffSeconds *int
}

// A testRun is what a run that tests one state adds to a run.
type testRun struct {
	in      *TestInput
	seen    Inspection
	invalid error // see TestResult
}

// stage tells a test what a stage of the state made; other runs have nobody to tell.
func (f *frame) stage(at Stage, v any) {
	if f.run.test == nil || !f.state.shows(at) {
		return
	}
	// A few references can name a value that would be terabytes when written out.
	if ok, valid := fits(v, maxData); ok && valid {
		f.run.test.seen.Stages[at] = v
	}
}

// shows reports whether the service tells of a stage, as recorded: of a Pass state with
// a Result it tells what comes of that alone, and nothing of what Map and Parallel states
// hand to what is mocked, or get from it.
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
