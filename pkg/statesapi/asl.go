package statesapi

import (
	"context"
	"errors"
	"slices"
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

// Parse refuses what AWS would, before the interpreter sees it.
func (i interpreter) Parse(definition []byte, kind string) (Program, error) {
	list := slices.DeleteFunc(i.Validate(definition, kind), func(d Diagnostic) bool { return d.Severity != severityError })
	if len(list) > 0 {
		return nil, &DefinitionError{list}
	}
	machine, err := asl.Parse(definition)
	if err != nil {
		return nil, err
	}
	return aslProgram{machine, i}, nil
}

func (interpreter) Validate(definition []byte, kind string) []Diagnostic {
	found := asl.Validate(definition, kind == Express)
	list := make([]Diagnostic, len(found))
	for n, d := range found {
		list[n] = Diagnostic(d)
	}
	return list
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
