package statesapi

import (
	"math"
	"strings"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// There are no Map Runs here: a Distributed Map runs as an inline one. Requests are
// checked as in AWS, and find no Map Run.

// A listMapRunsInput is the request of [Service.listMapRuns]; a nil member was not sent.
type listMapRunsInput struct {
	ExecutionARN *string
	MaxResults   *int64
	NextToken    *string
}

// A listMapRunsOutput is the answer of [Service.listMapRuns].
type listMapRunsOutput struct {
	MapRuns []empty `json:"mapRuns"`
}

// listMapRuns returns an empty list for an existing execution.
func (s *Service) listMapRuns(in listMapRunsInput) (*listMapRunsOutput, error) {
	var c constraints
	c.arn("executionArn", in.ExecutionARN)
	c.page(in.MaxResults, in.NextToken, maxToken)
	if err := c.err(); err != nil {
		return nil, err
	}
	if _, err := s.recall(*in.ExecutionARN); err != nil {
		return nil, err
	}
	if in.NextToken != nil {
		return nil, errInvalidToken()
	}
	return &listMapRunsOutput{[]empty{}}, nil
}

// A mapRunInput is the request of [Service.mapRun]; a nil member was not sent.
type mapRunInput struct {
	MapRunARN                             *string
	MaxConcurrency, ToleratedFailureCount *int64
}

// mapRun checks the request of DescribeMapRun or UpdateMapRun; no Map Run exists.
func (s *Service) mapRun(in mapRunInput) error {
	var c constraints
	if c.required("mapRunArn", in.MapRunARN != nil) {
		c.text("mapRunArn", in.MapRunARN, 1, maxLongARN)
	}
	c.number("maxConcurrency", in.MaxConcurrency, math.MaxInt32)
	c.number("toleratedFailureCount", in.ToleratedFailureCount, math.MaxInt64)
	if err := c.err(); err != nil {
		return err
	}
	return noMapRun(*in.MapRunARN)
}

func noMapRun(text string) *Error {
	if err := checkARN(text, "mapRun", 8); err != nil {
		return err
	}
	return noResource(text)
}

// A redriveInput is the request of [Service.redrive]; a nil member was not sent.
type redriveInput struct{ ExecutionARN, ClientToken *string }

// redrive checks the request of RedriveExecution, and refuses it as AWS does if an
// execution cannot be redriven. DescribeExecution says the same of each execution.
func (s *Service) redrive(in redriveInput) error {
	var c constraints
	c.arn("executionArn", in.ExecutionARN)
	c.text("clientToken", in.ClientToken, 1, 64)
	if in.ClientToken != nil && strings.ContainsFunc(*in.ClientToken, func(r rune) bool { return r < '!' || r > '~' }) {
		c.add(quoted(*in.ClientToken), "clientToken", "Member must satisfy regular expression pattern: [!-~]+")
	}
	if err := c.err(); err != nil {
		return err
	}
	x, err := s.recall(*in.ExecutionARN)
	if err != nil {
		return err
	}
	return errorf(ExecutionNotRedrivable, "%s", notRedriven(x.record.Status))
}

// notRedriven returns why an execution cannot be redriven: AWS's reason, if it could not
// be redriven there either.
func notRedriven(status bridge.Status) string {
	if status == bridge.Running || status == bridge.Succeeded {
		return "Execution is " + string(status) + " and cannot be redriven"
	}
	return "Executions are not redriven here"
}
