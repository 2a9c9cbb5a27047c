package statesapi

import (
	"context"
	"errors"
	"time"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/asl/tasks"
	"github.com/expressway-dev/expressway/pkg/bridge"
)

// interpreter is the Engine that uses pkg/asl.
type interpreter struct {
	own   asl.TaskRunner // the service's own API, followed by the tasks of the options
	mocks func(stateMachine, testCase string, next asl.TaskRunner) (asl.TaskRunner, error)
	start func(context.Context, tasks.StartRequest) (tasks.StartResult, error)
	now   func() time.Time
	uuid  func() string
	sleep func(context.Context, time.Duration) error

	tokens *tokens

	waitScale float64
}

// Parse implements [Engine].
func (i interpreter) Parse(definition []byte, kind string) (Program, error) {
	parse := asl.Parse
	if kind == Express {
		parse = asl.ParseExpress
	}
	machine, err := parse(definition)
	if invalid, ok := errors.AsType[*asl.DefinitionError](err); ok {
		return nil, &DefinitionError{diagnostics(invalid.Diagnostics)}
	}
	if err != nil {
		return nil, err
	}
	program := aslProgram{machine: machine, interpreter: i}
	if kind == Standard {
		program.limit = asl.StandardDuration
	}
	return program, nil
}

// Validate implements [Engine].
func (interpreter) Validate(definition []byte, kind string) []Diagnostic {
	return diagnostics(asl.Validate(definition, kind == Express))
}

func diagnostics(found []asl.Diagnostic) []Diagnostic {
	list := make([]Diagnostic, len(found))
	for n, d := range found {
		list[n] = Diagnostic(d)
	}
	return list
}

// checkTestCase refuses an unknown test case before anything runs.
func (i interpreter) checkTestCase(stateMachine, testCase string) error {
	_, err := i.runner(Execution{ExecutionRecord: ExecutionRecord{TestCase: testCase}, StateMachine: stateMachine})
	return err
}

// runner returns the TaskRunner of an execution: mocks, if there is a test case, then
// executions of other state machines, then the rest.
func (i interpreter) runner(x Execution) (asl.TaskRunner, error) {
	arn, begin := x.ExecutionARN, i.start // the closure must not capture x and i, which would move them to the heap
	start := func(ctx context.Context, r tasks.StartRequest) (tasks.StartResult, error) {
		if r.Key != "" {
			r.Key = arn + r.Key // unique among all executions
		}
		return begin(ctx, r)
	}
	// One allocation, because most short executions have no task at all.
	made := &struct {
		tokens     tasks.Tokens
		executions tasks.Executions
	}{executions: tasks.Executions{Start: start, Next: i.own}}
	executions := &made.tokens
	*executions = tasks.Tokens{Store: tokensOf{i.tokens, arn, i.now, journalOf(x)}, Next: &made.executions}
	switch {
	case i.mocks == nil && x.TestCase == "":
		return executions, nil
	case i.mocks == nil:
		return nil, errors.New("there is no mock configuration")
	}
	return i.mocks(x.StateMachine, x.TestCase, executions)
}

type aslProgram struct {
	machine *asl.Machine
	limit   time.Duration // zero means the limit of an Express Workflow
	interpreter
}

func (p aslProgram) Run(ctx context.Context, x Execution) Result {
	tasks, err := p.runner(x)
	if err != nil {
		return Result{Status: bridge.Failed, Error: "States.Runtime", Cause: err.Error()}
	}
	env := asl.Environment{
		Now: p.now, UUID: p.uuid, Sleep: p.sleep, Token: newTaskToken, Tasks: tasks, Observe: x.Observe, Journal: x.Journal, WaitScale: p.waitScale,
	}
	ex := asl.Execution{
		ARN: x.ExecutionARN, Name: x.Name, RoleARN: x.RoleARN,
		StateMachineARN: x.StateMachineARN, StateMachineName: x.StateMachine,
		Input: x.Input, StartTime: x.StartDate, Sync: x.Sync, MaxDuration: p.limit, Events: x.Events,
	}
	if x.mayPause {
		r, waits := p.machine.RunApart(ctx, env, ex)
		return resultOf(ctx, r, waits)
	}
	return resultOf(ctx, p.machine.Run(ctx, env, ex), nil)
}

// resultOf converts the result of a run of pkg/asl, or of a part of it that ends with a
// wait.
func resultOf(ctx context.Context, r asl.Result, waits *asl.Pause) Result {
	if waits != nil {
		return Result{pause: &pause{waits.WhenOver, func() Result {
			r, waits := waits.Resume()
			return resultOf(ctx, r, waits)
		}}}
	}
	if r.Status == asl.TimedOut && ctx.Err() != nil {
		// Our context ended, not the workflow's own time.
		return Result{Stopped: context.Cause(ctx)}
	}
	return Result{Status: bridge.Status(r.Status), Output: r.Output, Error: r.Error, Cause: r.Cause}
}
