package asl

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// The statuses of a TestResult, in addition to Succeeded and Failed.
const (
	Retriable   = "RETRIABLE"    // a Retry matches the error, and has attempts left
	CaughtError = "CAUGHT_ERROR" // a Catch matches the error
)

// ErrStateNotFound means that a definition is valid but has no state of that name.
var ErrStateNotFound = errors.New("the definition has no state of that name")

// testedName is the service's name for every state under test.
const testedName = "StateName"

// A StateTest is one state that is run on its own, as [TestState] does. It is
// immutable: any number of tests may run at once.
//
// [TestState]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_TestState.html
type StateTest struct{ state *state }

// ParseStateTest reads the definition of a state; its transitions may lead anywhere. With
// a name, it reads the definition of a whole state machine and uses its state of that
// name, however deeply it is nested in Map or Parallel states. The error is a
// *[DefinitionError], or [ErrStateNotFound].
func ParseStateTest(definition []byte, name string) (*StateTest, error) {
	if name == "" {
		return parseSingle(definition)
	}
	m, err := Parse(definition)
	if err != nil {
		return nil, err
	}
	found := m.flow.find(name)
	if found == nil {
		return nil, ErrStateNotFound
	}
	s := *found
	s.name = testedName
	return &StateTest{&s}, nil
}

// parseSingle reads the definition of a single state.
func parseSingle(definition []byte) (*StateTest, error) {
	v := newValidator(false)
	o := v.decode(definition)
	if o != nil {
		v.state(testedName, o, "/States/"+testedName, &graph{target: map[string][]transition{}, ends: map[string]bool{}})
	}
	if err := refusal(v.problems); err != nil {
		return nil, err
	}
	c := v.compiler()
	s := c.state(testedName, o)
	if c.err != nil {
		return nil, c.err
	}
	return &StateTest{s}, nil
}

// find returns the state of that name in the flow, or within its states, or nil.
func (f *flow) find(name string) *state {
	if s := f.states[name]; s != nil {
		return s
	}
	for _, outer := range sortedNames(f.states) {
		if s := f.states[outer].find(name); s != nil {
			return s
		}
	}
	return nil
}

func (s *state) find(name string) *state {
	for _, branch := range s.branches {
		if found := branch.find(name); found != nil {
			return found
		}
	}
	return nil
}

// Type returns the type of the state, such as Task.
func (t *StateTest) Type() string { return t.state.kind }

// Resource returns the ARN of a Task state, and "" for any other state.
func (t *StateTest) Resource() string { return t.state.resource }

// WritesResults reports whether a Map state writes its results elsewhere. It then returns an
// object that names the place.
func (t *StateTest) WritesResults() bool { return t.state.writer.uploads() }

// Holds reports whether a Map or Parallel state contains a state of that name.
func (t *StateTest) Holds(name string) bool { return t.state.find(name) != nil }

// Branches returns how many branches a Parallel state has.
func (t *StateTest) Branches() int { return len(t.state.branches) }

// WaitsForOthers reports whether something else ends a Task state: an activity worker, or
// the job or the token of a .sync or .waitForTaskToken integration.
func (t *StateTest) WaitsForOthers() bool {
	r := t.state.resource
	return strings.Contains(r, ":activity:") || strings.HasSuffix(r, ".waitForTaskToken") ||
		strings.HasSuffix(r, ".sync") || strings.HasSuffix(r, ".sync:2")
}

// A StateMock replaces the work of a Task, Map or Parallel state.
type StateMock struct {
	// Result is a value of pkg/jsonata; it is used if Error is nil.
	Result any
	Error  *Error
}

// A TestInput holds the input of a test of a state.
type TestInput struct {
	// Execution has the state's input, and the contents of the context object.
	Execution
	// Variables are set before the state is entered.
	Variables *jsonata.Object
	// Context is the whole context object; nil makes one from Execution.
	Context *jsonata.Object
	// Mock is required for Map and Parallel states, and optional for Task states.
	Mock *StateMock
	// RetryCount is how often the Retry that matches an error has already been used.
	RetryCount int
	// FailedIterations is how many iterations of a Map state have failed.
	FailedIterations int
	// ItemReaderData is what the ItemReader of a Map state has read; nil if it has read
	// nothing.
	ItemReaderData *string
}

// A TestResult describes how a test of a state ended.
type TestResult struct {
	Status string
	// Output is JSON text; nil unless Status is SUCCEEDED or CAUGHT_ERROR.
	Output []byte
	// Error and Cause describe the failure, even if it was caught.
	Error, Cause string
	// NextState is empty if the execution would end.
	NextState  string
	Inspection Inspection
	// Invalid is set if the input of the test does not fit the state: FailedIterations
	// exceeds the number of the Map's items. There is no result then.
	Invalid error
}

// ErrTooManyFailures means that a test names more failed iterations than the Map state has.
var ErrTooManyFailures = errors.New("more iterations have failed than the Map state has")

// Run takes the state through its stages once, within five minutes. It does not retry:
// the status shows that there would be a retry.
func (t *StateTest) Run(ctx context.Context, env Environment, in TestInput) TestResult {
	ctx, cancel := context.WithTimeout(ctx, maxDuration)
	defer cancel()
	if in.Mock != nil {
		env.Tasks = mockedTask{in.Mock}
	}
	r, err := newRun(env, in.Execution)
	if err != nil {
		return failedTest(err)
	}
	r.test = &testRun{in: &in, seen: Inspection{Stages: map[Stage]any{}}}
	f := &frame{run: r, state: t.state, since: r.env.Now(), retries: in.RetryCount}
	r.deadline = f.since.Add(maxDuration)
	f.vars.set(in.Variables, nil)
	f.stage(StateInput, r.input)
	output, next, failed := f.step(ctx, r.input)
	if r.test.invalid != nil {
		return TestResult{Invalid: r.test.invalid}
	}
	result := TestResult{Status: Succeeded, NextState: next}
	if failed != nil {
		result, output = f.settle(ctx, failed)
	}
	return f.testResult(result, output)
}

type mockedTask struct{ mock *StateMock }

// RunTask implements [TaskRunner].
func (m mockedTask) RunTask(context.Context, Task) (any, error) {
	if m.mock.Error != nil {
		return nil, m.mock.Error
	}
	return m.mock.Result, nil
}

func failedTest(err *Error) TestResult {
	return TestResult{Status: Failed, Error: err.Name, Cause: err.Cause}
}

// settle determines what happens after a state fails. output is that of a Catch.
func (f *frame) settle(ctx context.Context, err *Error) (r TestResult, output any) {
	r = failedTest(err)
	switch {
	case ctx.Err() != nil:
		return failedTest(&Error{Name: "States.Timeout"}), nil
	case err.fatal:
		return r, nil
	case f.wouldRetry(err):
		r.Status = Retriable
		return r, nil
	}
	i := slices.IndexFunc(f.state.catch, func(c *catcher) bool { return catches(c.errors, err) })
	if i < 0 {
		return r, nil
	}
	f.run.test.seen.CatchIndex = &i
	c := f.state.catch[i]
	output, err = f.caught(ctx, c, f.run.input, err)
	if err == nil {
		err = f.check(output)
	}
	if err != nil {
		return failedTest(err), nil
	}
	r.Status, r.NextState = CaughtError, c.next
	return r, output
}

// wouldRetry reports whether a Retry matches the error and has attempts left.
func (f *frame) wouldRetry(err *Error) bool {
	t := f.run.test
	i := slices.IndexFunc(f.state.retry, func(r *retrier) bool { return catches(r.errors, err) })
	if i < 0 {
		return false
	}
	t.seen.RetryIndex = &i
	if t.in.RetryCount >= f.state.retry[i].attempts {
		return false
	}
	seconds := int(f.state.retry[i].delay(t.in.RetryCount, f.run.env.Rand))
	t.seen.RetryBackoffSeconds = &seconds
	return true
}

// testResult completes a result with what was recorded during the run.
func (f *frame) testResult(r TestResult, output any) TestResult {
	if r.Status == Succeeded || r.Status == CaughtError {
		text, err := jsonata.AppendJSON(nil, output)
		if err != nil {
			r = TestResult{Status: Failed, Error: "States.Runtime", Cause: err.Error()}
		}
		r.Output = text
	}
	t := f.run.test
	r.Inspection = t.seen
	variables := jsonata.NewObject(t.in.Variables.Len() + f.assigned.Len())
	for _, o := range []*jsonata.Object{t.in.Variables, f.assigned} {
		for i := range o.Len() {
			variables.Set(o.At(i))
		}
	}
	r.Inspection.Variables = variables
	return r
}
