package statesapi

import (
	"context"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/bridge"
)

// An engine makes programs of definitions and finds what runs their tasks. There is
// one, on pkg/asl; tests have others.
type engine interface {
	// parse's error is one that diagnose understands.
	parse(definition []byte) (program, error)
	// tasks returns the task runner of one execution; nil is the environment's own.
	tasks(stateMachine, testCase string) (asl.TaskRunner, *Error)
}

// A program is a definition that can be run, from many goroutines at once.
type program interface {
	// run honours ctx, and ends in one of the statuses of StartSyncExecution.
	run(ctx context.Context, x *execution) result
}

// An execution is one run of a revision.
type execution struct {
	revision *revision
	tasks    asl.TaskRunner
	record   ExecutionRecord
	// stopped is why it was ended from outside, or nil.
	stopped error
}

// A result is how a run ended.
type result struct {
	status       bridge.Status
	output       []byte
	error, cause string
	stopped      error
	err          error
}

// aborted is AWS's status of executions that were stopped.
const aborted bridge.Status = "ABORTED"

// noMocks refuses a test case where there is nothing that knows test cases.
func noMocks(stateMachine, testCase string) *Error {
	return errorf(ValidationException, "There is no mock configuration for the test case '%s' of the state machine '%s'", testCase, stateMachine)
}
