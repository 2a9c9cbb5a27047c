package devserver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/statesapi"
)

// An engine runs the API's state machines on pkg/asl.
type engine struct {
	lambda asl.TaskRunner  // nil without LAMBDA_ENDPOINT
	mocks  *asl.MockConfig // nil without SFN_MOCK_CONFIG
}

var _ statesapi.Engine = (*engine)(nil)

func newEngine(getenv func(string) string) (*engine, error) {
	e := &engine{}
	if endpoint := getenv("LAMBDA_ENDPOINT"); endpoint != "" {
		e.lambda = &asl.LambdaRunner{Endpoint: endpoint, Client: http.DefaultClient}
	}
	path := getenv("SFN_MOCK_CONFIG")
	if path == "" {
		return e, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read SFN_MOCK_CONFIG: %w", err)
	}
	if e.mocks, err = asl.LoadMocks(text); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return e, nil
}

// Parse implements [statesapi.Engine].
func (e *engine) Parse(definition []byte, _ string) (statesapi.Program, error) {
	machine, err := asl.Parse(definition)
	var wrong *asl.DefinitionError
	if errors.As(err, &wrong) {
		out := &statesapi.DefinitionError{}
		for _, d := range wrong.Diagnostics {
			out.Diagnostics = append(out.Diagnostics, statesapi.Diagnostic(d))
		}
		return nil, out
	}
	if err != nil {
		return nil, err
	}
	return &program{e, machine}, nil
}

// testCase tells whether the mocks know a test case.
func (e *engine) testCase(machine, name string) error {
	if e.mocks == nil {
		return errors.New("set SFN_MOCK_CONFIG to a mock file that has it")
	}
	_, err := e.mocks.Runner(machine, name, e.lambda)
	return err
}

type program struct {
	engine  *engine
	machine *asl.Machine
}

// Run implements [statesapi.Program].
func (p *program) Run(ctx context.Context, x statesapi.Execution) statesapi.Result {
	tasks := p.engine.lambda
	if x.TestCase != "" {
		runner, err := p.engine.mocks.Runner(x.StateMachine, x.TestCase, tasks)
		if err != nil { // testCase has admitted it
			return statesapi.Result{Status: bridge.Failed, Error: "States.Runtime", Cause: err.Error()}
		}
		tasks = runner
	}
	r := p.machine.Run(ctx, asl.Environment{Tasks: tasks}, asl.Execution{
		ARN: x.ExecutionARN, Name: x.Name, RoleARN: x.RoleARN,
		StateMachineARN: x.StateMachineARN, StateMachineName: x.StateMachine,
		Input: x.Input, StartTime: x.StartDate,
	})
	out := statesapi.Result{Status: bridge.Status(r.Status), Output: r.Output, Error: r.Error, Cause: r.Cause}
	if r.Status != asl.Succeeded && ctx.Err() != nil {
		out.Stopped = context.Cause(ctx)
	}
	return out
}
