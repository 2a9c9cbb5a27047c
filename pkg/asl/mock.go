package asl

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A MockConfig is a [mock configuration] of Step Functions Local: for each test case
// of a state machine, what its Task states answer, by the attempt.
//
// [mock configuration]: https://docs.aws.amazon.com/step-functions/latest/dg/sfn-local-mock-cfg-file.html
type MockConfig struct {
	StateMachines map[string]struct {
		TestCases map[string]map[string]string
	}
	MockedResponses map[string]map[string]mockedResponse
}

type mockedResponse struct {
	Return json.RawMessage
	Throw  *struct{ Error, Cause string }
}

// LoadMocks reads a mock configuration and checks that all it refers to is there.
func LoadMocks(text []byte) (*MockConfig, error) {
	var c MockConfig
	if err := json.Unmarshal(text, &c); err != nil {
		return nil, fmt.Errorf("mock configuration: %w", err)
	}
	for machine, m := range c.StateMachines {
		for testCase, states := range m.TestCases {
			for state, response := range states {
				if _, ok := c.MockedResponses[response]; !ok {
					return nil, fmt.Errorf("mock configuration: %s, test case %s: state %s refers to the response %q, which is not in MockedResponses", machine, testCase, state, response)
				}
			}
		}
	}
	for name, attempts := range c.MockedResponses {
		for index, r := range attempts {
			if _, _, ok := attemptRange(index); !ok {
				return nil, fmt.Errorf("mock configuration: response %s: %q is no attempt such as \"0\" or \"1-2\"", name, index)
			}
			if (r.Throw == nil) == (r.Return == nil) {
				return nil, fmt.Errorf("mock configuration: response %s, attempt %s: it needs exactly one of Return and Throw", name, index)
			}
		}
	}
	return &c, nil
}

func attemptRange(index string) (first, last int, ok bool) {
	low, high, isRange := strings.Cut(index, "-")
	first, err := strconv.Atoi(low)
	if err != nil || first < 0 {
		return 0, 0, false
	}
	if !isRange {
		return first, first, true
	}
	last, err = strconv.Atoi(high)
	return first, last, err == nil && last >= first
}

// Runner returns what runs the tasks of one test case. States without a mock go to
// next; nil fails them.
func (c *MockConfig) Runner(machine, testCase string, next TaskRunner) (TaskRunner, error) {
	m, ok := c.StateMachines[machine]
	if !ok {
		return nil, fmt.Errorf("the mock configuration has no state machine %q", machine)
	}
	states, ok := m.TestCases[testCase]
	if !ok {
		return nil, fmt.Errorf("the mock configuration of %s has no test case %q", machine, testCase)
	}
	if next == nil {
		next = NoTasks{}
	}
	return mockRunner{c, states, next}, nil
}

type mockRunner struct {
	config *MockConfig
	states map[string]string
	next   TaskRunner
}

func (m mockRunner) RunTask(ctx context.Context, t Task) (any, error) {
	name, ok := m.states[t.State]
	if !ok {
		return m.next.RunTask(ctx, t)
	}
	for index, r := range m.config.MockedResponses[name] {
		first, last, _ := attemptRange(index)
		if t.Attempt < first || t.Attempt > last {
			continue
		}
		if r.Throw != nil {
			return nil, &Error{Name: r.Throw.Error, Cause: r.Throw.Cause}
		}
		return jsonata.Decode(r.Return)
	}
	return nil, &Error{Name: "States.Runtime", Cause: fmt.Sprintf("The mocked response %s has no attempt %d", name, t.Attempt)}
}
