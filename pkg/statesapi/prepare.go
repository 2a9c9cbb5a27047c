package statesapi

import (
	"bytes"

	"github.com/expressway-dev/expressway/pkg/asl/jsontext"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// The values of includedData.
const (
	allData      = "ALL_DATA"
	metadataOnly = "METADATA_ONLY"
)

// A StartInput is the request of [Service.StartSync] and [Service.Start]; a nil
// member was not sent.
type StartInput struct {
	// StateMachineARN may be qualified by a version or an alias, and end in #TESTCASE.
	StateMachineARN *string
	Name            *string
	// Input is JSON text of at most 262,144 bytes, and is not changed; nil means {}.
	Input       []byte
	TraceHeader *string

	includedData *string // checked here and applied by the Handler
}

// prepare performs all checks, in AWS's order, and returns an execution that is ready to
// run.
func (s *Service) prepare(in StartInput, sync bool) (*execution, *Error) {
	a, err := in.check()
	if err != nil {
		return nil, err
	}
	to, err := s.lookup(a)
	if err != nil {
		return nil, err
	}
	if sync && to.kind != Express {
		return nil, errTypeNotSupported()
	}
	input := in.Input
	if input == nil {
		input = []byte("{}")
	}
	if err := jsonata.Valid(input); err != nil {
		return nil, invalidInput(input, err)
	}
	if err := s.checkTestCase(a); err != nil {
		return nil, err
	}

	id := s.opts.UUID()
	name := id
	if in.Name != nil {
		name = *in.Name
	} else if to.kind == Express {
		name = s.opts.UUID()
	}
	return &execution{
		target: to,
		record: ExecutionRecord{
			ExecutionARN: s.executionARN(to.revision, name, id), Name: name, StateMachineARN: a.full(), TestCase: a.testCase,
			Sync: sync, Input: input, TraceHeader: deref(in.TraceHeader), Status: bridge.Running, StartDate: s.opts.Now(),
		},
	}, nil
}

// check checks each member by itself.
func (in StartInput) check() (arn, *Error) {
	var c constraints
	c.arn("stateMachineArn", in.StateMachineARN)
	c.text("name", in.Name, 1, maxName)
	c.sensitive("input", len(in.Input), 0, maxInput)
	c.traceHeader(in.TraceHeader)
	c.oneOf("includedData", in.includedData, allData, metadataOnly)
	if err := c.err(); err != nil {
		return arn{}, err
	}
	a, err := parseARN(*in.StateMachineARN)
	if err == nil && in.Name != nil {
		err = checkName(*in.Name)
	}
	return a, err
}

func (s *Service) checkTestCase(a arn) *Error {
	if a.testCase == "" {
		return nil
	}
	check := interpreter{own: s.opts.Tasks, mocks: s.opts.Mocks}.checkTestCase
	if err := check(a.name, a.testCase); err != nil {
		return errorf(ValidationException, "There is no test case '%s' of the state machine '%s': %v", a.testCase, a.name, err)
	}
	return nil
}

// invalidInput returns the error of an invalid input, with the text of AWS's parser but
// without the position.
func invalidInput(input []byte, err error) *Error {
	reason := err.Error()
	if e := jsontext.Check(input); e != nil {
		reason = e.Reason
	}
	if len(bytes.TrimSpace(input)) == 0 {
		reason = "Invalid execution input."
	}
	return errorf(InvalidExecutionInput, "Invalid State Machine Execution Input: '%s'", reason)
}

// executionARN returns a unique ARN for EXPRESS executions, whatever their name.
func (s *Service) executionARN(rev *revision, name, id string) string {
	prefix := "arn:aws:states:" + s.opts.Region + ":" + s.opts.Account
	if rev.kind == Standard {
		return prefix + ":execution:" + rev.name + ":" + name
	}
	return prefix + ":express:" + rev.name + ":" + name + ":" + id
}
