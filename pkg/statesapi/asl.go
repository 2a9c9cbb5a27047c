package statesapi

import (
	"context"
	"errors"
	"time"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/bridge"
)

// interpreter is the Engine on pkg/asl.
type interpreter struct {
	tasks func(stateMachine, testCase string) (asl.TaskRunner, error)
	now   func() time.Time
	uuid  func() string
}

// Parse leaves the type out: the interpreter takes what an Express Workflow may hold.
func (i interpreter) Parse(definition []byte, _ string) (Program, error) {
	machine, err := asl.Parse(definition)
	if err != nil {
		return nil, definitionError(err)
	}
	return aslProgram{machine, i}, nil
}

// definitionError makes the API's error of the interpreter's.
func definitionError(err error) error {
	var invalid *asl.DefinitionError
	if !errors.As(err, &invalid) {
		return err
	}
	list := make([]Diagnostic, len(invalid.Diagnostics))
	for n, d := range invalid.Diagnostics {
		list[n] = Diagnostic(d)
	}
	return &DefinitionError{list}
}

// checkTestCase refuses a test case that the mocks do not have before anything runs.
func (i interpreter) checkTestCase(stateMachine, testCase string) error {
	if i.tasks == nil {
		return errors.New("there is no mock configuration")
	}
	_, err := i.tasks(stateMachine, testCase)
	return err
}

type aslProgram struct {
	machine *asl.Machine
	interpreter
}

func (p aslProgram) Run(ctx context.Context, x Execution) Result {
	env := asl.Environment{Now: p.now, UUID: p.uuid}
	if p.tasks != nil {
		tasks, err := p.tasks(x.StateMachine, x.TestCase)
		if err != nil {
			return Result{Status: bridge.Failed, Error: "States.Runtime", Cause: err.Error()}
		}
		env.Tasks = tasks
	}
	r := p.machine.Run(ctx, env, asl.Execution{
		ARN: x.ExecutionARN, Name: x.Name, RoleARN: x.RoleARN,
		StateMachineARN: x.StateMachineARN, StateMachineName: x.StateMachine,
		Input: x.Input, StartTime: x.StartDate, Sync: x.Sync,
	})
	if r.Status == asl.TimedOut && ctx.Err() != nil {
		// Our context ended, not the workflow's own time.
		return Result{Stopped: context.Cause(ctx)}
	}
	return Result{Status: bridge.Status(r.Status), Output: r.Output, Error: r.Error, Cause: r.Cause}
}
