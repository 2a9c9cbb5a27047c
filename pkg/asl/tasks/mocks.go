package tasks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A MockConfig is a [mock configuration] of Step Functions Local: the answers of the Task
// states in each test case of a state machine, by attempt. It applies to states at any
// depth; each branch and iteration counts its own attempts.
//
// [mock configuration]: https://docs.aws.amazon.com/step-functions/latest/dg/sfn-local-mock-cfg-file.html
type MockConfig struct {
	machines  map[string]map[string]testCase
	responses map[string]mockedResponse
}

// A testCase maps the names of states to those of responses.
type testCase map[string]string

// A mockedResponse holds the answers of a state, in the order of the attempts.
type mockedResponse []mockedAttempts

type mockedAttempts struct {
	first, last int
	value       any
	throw       *asl.Error
	// wait means that value is the answer of the call, and that the task then waits for
	// its token.
	wait bool
}

// LoadMocks reads a mock configuration and checks that everything it refers to exists.
func LoadMocks(text []byte) (*MockConfig, error) {
	c := &MockConfig{machines: map[string]map[string]testCase{}, responses: map[string]mockedResponse{}}
	v, err := jsonata.Decode(text)
	if err != nil {
		return nil, fmt.Errorf("mock configuration: %w", err)
	}
	if err = c.read(v); err == nil {
		err = c.check()
	}
	if err != nil {
		const most = 1000 // names in the file may have any length
		if text := err.Error(); len(text) > most {
			err = errors.New(cut(text, most) + "…")
		}
		return nil, fmt.Errorf("mock configuration: %w", err)
	}
	return c, nil
}

func (c *MockConfig) read(v any) error {
	return eachMember(v, "it", func(key string, v any) error {
		switch key {
		case "StateMachines":
			return eachMember(v, key, c.readMachine)
		case "MockedResponses":
			return eachMember(v, key, c.readResponse)
		}
		return unknownField(key, "the file", "StateMachines", "MockedResponses")
	})
}

func (c *MockConfig) readMachine(machine string, v any) error {
	cases := map[string]testCase{}
	c.machines[machine] = cases
	return eachMember(v, machine, func(key string, v any) error {
		if key != "TestCases" {
			return unknownField(key, "state machine "+machine, "TestCases")
		}
		return eachMember(v, machine+", TestCases", func(name string, v any) error {
			states := testCase{}
			cases[name] = states
			return eachMember(v, machine+", test case "+name, func(state string, v any) error {
				response, ok := v.(string)
				if !ok {
					return fmt.Errorf("%s, test case %s: state %s must name a response", machine, name, state)
				}
				states[state] = response
				return nil
			})
		})
	})
}

func (c *MockConfig) readResponse(name string, v any) error {
	var r mockedResponse
	err := eachMember(v, "response "+name, func(index string, v any) error {
		first, last, ok := attemptRange(index)
		if !ok {
			return fmt.Errorf("response %s: %q is not an attempt such as \"0\" or \"1-2\"", name, index)
		}
		a := mockedAttempts{first: first, last: last}
		if err := a.read(v); err != nil {
			return fmt.Errorf("response %s, attempt %s: %w", name, index, err)
		}
		r = append(r, a)
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(r, func(a, b mockedAttempts) int { return a.first - b.first })
	for i := 1; i < len(r); i++ {
		if r[i].first <= r[i-1].last {
			return fmt.Errorf("response %s has two answers for attempt %d", name, r[i].first)
		}
	}
	c.responses[name] = r
	return nil
}

func (a *mockedAttempts) read(v any) error {
	fields, returns := 0, false
	err := eachMember(v, "it", func(key string, v any) error {
		switch key {
		case "WaitForTaskToken":
			var ok bool
			if a.wait, ok = v.(bool); !ok {
				return fmt.Errorf("the field %s must be true or false", key)
			}
			return nil
		case "Return", "Throw":
			fields++
		}
		switch key {
		case "Return":
			a.value, returns = v, true
			return nil
		case "Throw":
			a.throw = &asl.Error{}
			return eachMember(v, key, func(key string, v any) error {
				text, ok := v.(string)
				switch {
				case !ok:
					return fmt.Errorf("the field %s of Throw must be text", key)
				case key == "Error":
					a.throw.Name = text
				case key == "Cause":
					a.throw.Cause = text
				default:
					return unknownField(key, "Throw", "Error", "Cause")
				}
				return nil
			})
		}
		return unknownField(key, "an attempt", "Return", "Throw", "WaitForTaskToken")
	})
	switch {
	case err != nil:
		return err
	case a.wait && fields == 1 && !returns:
		return fmt.Errorf("WaitForTaskToken is only valid with Return, because a call that fails does not wait")
	case fields != 1:
		return fmt.Errorf("exactly one of Return and Throw is required")
	case a.throw != nil && a.throw.Name == "":
		return fmt.Errorf("the field Error of Throw is missing")
	}
	return nil
}

// check refuses states that refer to a response that does not exist.
func (c *MockConfig) check() error {
	for machine, cases := range c.machines {
		for name, states := range cases {
			for state, response := range states {
				if _, ok := c.responses[response]; !ok {
					return fmt.Errorf("%s, test case %s: state %s refers to the response %q, which is not in MockedResponses", machine, name, state, response)
				}
			}
		}
	}
	return nil
}

// eachMember reads the members of an object.
func eachMember(v any, what string, read func(key string, v any) error) error {
	o, ok := v.(*jsonata.Object)
	if !ok {
		return fmt.Errorf("%s must be an object", what)
	}
	for i := range o.Len() {
		if err := read(o.At(i)); err != nil {
			return err
		}
	}
	return nil
}

func unknownField(key, where string, known ...string) error {
	return fmt.Errorf("%s has no field %q; the fields are %s", where, key, strings.Join(known, " and "))
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

// anything means every state, every machine, and every execution without a test case.
const anything = "*"

// Runner returns a runner for the tasks of one test case. Tasks without a mock go to
// next; if that is nil, they fail. If a machine does not have the test case, that of the
// machine "*" is used. An empty name means the test case "*" if there is one, or else
// next.
func (c *MockConfig) Runner(machine, name string, next asl.TaskRunner) (asl.TaskRunner, error) {
	if next == nil {
		next = None{}
	}
	wanted := name
	if wanted == "" {
		wanted = anything
	}
	for _, m := range []string{machine, anything} {
		if states, ok := c.machines[m][wanted]; ok {
			return mockRunner{c, states, next}, nil
		}
	}
	switch _, ok := c.machines[machine]; {
	case name == "":
		return next, nil
	case !ok:
		return nil, fmt.Errorf("the mock configuration has no state machine %q", machine)
	}
	return nil, fmt.Errorf("the mock configuration of %s has no test case %q", machine, name)
}

type mockRunner struct {
	config *MockConfig
	states testCase
	next   asl.TaskRunner
}

// find returns the response of a task: by the state's name, by the ARN of its resource,
// with a region and an account or without, or by that of every state.
func (m testCase) find(t asl.Task) (name string, ok bool) {
	plain := t.Resource
	if action, ok := asl.Integration(t.Resource); ok {
		partition, _, _ := strings.Cut(strings.TrimPrefix(t.Resource, "arn:"), ":")
		plain = "arn:" + partition + ":states:::" + action
	}
	for _, key := range []string{t.State, t.Resource, plain, anything} {
		if name, ok := m[key]; ok {
			return name, true
		}
	}
	return "", false
}

// RunTask implements [asl.TaskRunner].
func (m mockRunner) RunTask(ctx context.Context, t asl.Task) (any, error) {
	name, ok := m.states.find(t)
	if !ok {
		return m.next.RunTask(ctx, t)
	}
	for _, a := range m.config.responses[name] {
		switch {
		case t.Attempt < a.first || t.Attempt > a.last:
		case a.throw != nil:
			return nil, &asl.Error{Name: a.throw.Name, Cause: a.throw.Cause}
		case a.wait:
			return await(ctx, m.next, t, a.value)
		default:
			return a.value, nil
		}
	}
	return nil, &asl.Error{Name: "States.Runtime", Cause: fmt.Sprintf("The mocked response %s has no attempt %d", name, t.Attempt)}
}

// await lets a task whose call is mocked wait for its token.
func await(ctx context.Context, next asl.TaskRunner, t asl.Task, result any) (any, error) {
	tokens, ok := next.(*Tokens)
	if !ok || t.Token == "" {
		return nil, &asl.Error{Name: "States.Runtime", Cause: "The mock of the state " + t.State + " waits for a task token, but the state has none, because it is not a .waitForTaskToken integration"}
	}
	return tokens.await(ctx, t, func() (any, error) { return result, nil })
}
