package devserver

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/asl/tasks"
)

// A taskRunner runs the tasks of state machines: at the endpoints that the environment
// names, and by mocks if an execution names a test case. Its settings can be replaced
// while it runs.
type taskRunner struct {
	current atomic.Pointer[taskSources]
	waits   *waitTable
}

type taskSources struct {
	runner asl.TaskRunner
	mocks  *tasks.MockConfig // nil if there are none
}

// load reads what the options name. After an error, the previous settings stay in use.
func (t *taskRunner) load(o Options, region string) (err error) {
	var s taskSources
	here := tasks.Here{Getenv: o.Getenv, Region: region, Hosts: o.Hosts}
	if o.Connections != "" {
		if here.Connections, err = loadConnections(o.Connections); err != nil {
			return err
		}
	}
	s.runner = tasks.Local(here)
	if path := o.Getenv("SFN_MOCK_CONFIG"); path != "" {
		if s.mocks, err = loadMocks(path); err != nil {
			return err
		}
	}
	t.current.Store(&s)
	return nil
}

// RunTask implements [asl.TaskRunner].
func (t *taskRunner) RunTask(ctx context.Context, task asl.Task) (any, error) {
	return t.current.Load().runner.RunTask(ctx, task)
}

// mocked is the callback for [statesapi.Options].Mocks.
func (t *taskRunner) mocked(stateMachine, testCase string, next asl.TaskRunner) (asl.TaskRunner, error) {
	if mocks := t.current.Load().mocks; mocks != nil {
		runner, err := mocks.Runner(stateMachine, testCase, next)
		if err != nil {
			return nil, err
		}
		return t.waits.watch(runner), nil
	}
	if testCase == "" {
		return next, nil
	}
	return nil, fmt.Errorf("test case %q: set SFN_MOCK_CONFIG to a mock file that has it", testCase)
}

func loadConnections(path string) (*tasks.Connections, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read --connections: %w", err)
	}
	return tasks.LoadConnections(path, text)
}

func loadMocks(path string) (*tasks.MockConfig, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read SFN_MOCK_CONFIG: %w", err)
	}
	mocks, err := tasks.LoadMocks(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return mocks, nil
}
