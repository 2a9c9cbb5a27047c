package statesapi

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/asl/tasks"
)

// A testStateInput is the request of [Service.testState]; a nil member was not sent.
type testStateInput struct {
	// Definition is that of one state or, with StateName, that of a state machine.
	Definition, StateName *string
	RoleARN               *string
	// Input is JSON text; nil means {}. Variables and Context are JSON objects.
	Input, Variables, Context *string
	// InspectionLevel is INFO (the default), DEBUG or TRACE.
	InspectionLevel *string
	RevealSecrets   bool
	Mock            *testStateMock
	Configuration   *testStateConfiguration
}

// A testStateMock is the result of the state's work, instead of doing it.
type testStateMock struct {
	Result      *string // JSON text
	ErrorOutput *testStateError
	// FieldValidationMode is STRICT (the default), PRESENT or NONE.
	FieldValidationMode *string
}

// A testStateError is a mocked failure.
type testStateError struct{ Error, Cause *string }

// A testStateConfiguration describes the assumed state of the execution.
type testStateConfiguration struct {
	RetrierRetryCount, MapIterationFailureCount *int64
	ErrorCausedByState, MapItemReaderData       *string
}

// A testStateOutput is the answer of [Service.testState].
type testStateOutput struct {
	Output         *string        `json:"output,omitempty"`
	Error          string         `json:"error,omitempty"`
	Cause          string         `json:"cause,omitempty"`
	InspectionData map[string]any `json:"inspectionData,omitempty"`
	NextState      string         `json:"nextState,omitempty"`
	Status         string         `json:"status"`
}

// The values of inspectionLevel.
const (
	levelInfo  = "INFO"
	levelDebug = "DEBUG"
	levelTrace = "TRACE"
)

// testState runs one state on its own ([testState]), with the engine of pkg/asl
// whatever Options.Engine is. A failure of the state is in the answer, not an error.
// A Task state without a mock is run as in executions, without a test case's mocks.
//
// [testState]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_TestState.html
func (s *Service) testState(ctx context.Context, in testStateInput) (*testStateOutput, error) {
	t, refused := s.prepareTest(&in)
	if refused != nil {
		return nil, refused
	}
	if err := s.acquire(true, false); err != nil {
		return nil, err
	}
	defer s.release()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	unlink := context.AfterFunc(s.base, func() { cancel(context.Cause(s.base)) })
	defer unlink()

	result, err := s.runTest(ctx, t)
	switch {
	case err != nil:
		return nil, err
	case result.Invalid != nil:
		return nil, errorf(ValidationException, "Map iteration failure count must be less than or equal to the number of Map iterations")
	case ctx.Err() != nil:
		return nil, fmt.Errorf("test of a state stopped: %w", context.Cause(ctx))
	}
	return testOutput(result, deref(in.InspectionLevel)), nil
}

// runTest is the boundary at which a panic becomes an error.
func (s *Service) runTest(ctx context.Context, t *stateTest) (result asl.TestResult, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	tasks := &tasks.Executions{Start: s.nested, Next: s.opts.Tasks}
	if tasks.Next == nil {
		tasks.Next = unmocked{}
	}
	env := asl.Environment{Now: s.opts.Now, UUID: s.opts.UUID, Tasks: tasks}
	return t.state.Run(ctx, env, t.input), nil
}

// unmocked fails tasks that have no runner: a test must then have a mock in its request.
type unmocked struct{}

// RunTask implements [asl.TaskRunner].
func (unmocked) RunTask(_ context.Context, t asl.Task) (any, error) {
	return nil, &asl.Error{Name: "States.TaskFailed", Cause: fmt.Sprintf(
		"Nothing runs the resource '%s' here. Give the request a mock, or set LAMBDA_ENDPOINT to run Lambda functions.", t.Resource)}
}

// A stateTest is a valid request.
type stateTest struct {
	state *asl.StateTest
	input asl.TestInput
}

// prepareTest performs all checks in AWS's order, as far as recordings show it: the model's
// constraints, the definition, and then how the members fit together.
func (s *Service) prepareTest(in *testStateInput) (*stateTest, *Error) {
	if err := in.constraints(); err != nil {
		return nil, err
	}
	if in.RoleARN != nil {
		if err := checkRole(in.RoleARN); err != nil {
			return nil, err
		}
	}
	state, err := asl.ParseStateTest([]byte(*in.Definition), deref(in.StateName))
	if err != nil {
		return nil, refuseDefinition(err)
	}
	t := &stateTest{state: state}
	if err := in.checkMembers(state); err != nil {
		return nil, err
	}
	if err := in.read(state, &t.input); err != nil {
		return nil, err
	}
	machine, name := s.opts.UUID(), s.opts.UUID()
	prefix := "arn:aws:states:" + s.opts.Region + ":" + s.opts.Account
	t.input.ARN, t.input.Name = prefix+":express:"+machine+":"+name, name
	t.input.StateMachineARN, t.input.StateMachineName = s.ARN(machine), machine
	t.input.RoleARN, t.input.StartTime, t.input.Sync = deref(in.RoleARN), s.opts.Now(), true
	return t, nil
}

// refuseDefinition returns the error that CreateStateMachine returns.
func refuseDefinition(err error) *Error {
	if errors.Is(err, asl.ErrStateNotFound) {
		return errorf(ValidationException, "State not found in definition")
	}
	var invalid *asl.DefinitionError
	if errors.As(err, &invalid) {
		err = &DefinitionError{diagnostics(invalid.Diagnostics)}
	}
	return errorf(InvalidDefinition, "Invalid State Machine Definition: '%s'", definitionMessage(diagnose(err)))
}
