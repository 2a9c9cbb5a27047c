package statesapi

import (
	"context"
)

// A Trial is the request of [Service.Try]. All members except State are JSON text and
// optional.
type Trial struct {
	State string
	// Input is {} if it is empty. Result replaces the result of the state's call.
	Input, Variables, Result []byte
}

// Try runs one state of a state machine on its own, as TestState does with DEBUG for its
// inspection level, and returns the answer of that operation. A failure of the state is
// in the answer, not an error.
func (s *Service) Try(ctx context.Context, stateMachineARN string, t Trial) (any, error) {
	machine, err := s.Describe(DescribeInput{StateMachineARN: &stateMachineARN})
	if err != nil {
		return nil, err
	}
	optional := func(b []byte) *string {
		if len(b) == 0 {
			return nil
		}
		text := string(b)
		return &text
	}
	level := levelDebug
	in := testStateInput{
		Definition: &machine.Definition, StateName: &t.State, Input: optional(t.Input), Variables: optional(t.Variables), InspectionLevel: &level,
	}
	if len(t.Result) > 0 {
		// The result is typed by hand, so it need not have all members that the service's
		// result has.
		mode := modeNone
		in.Mock = &testStateMock{Result: optional(t.Result), FieldValidationMode: &mode}
	}
	out, err := s.testState(ctx, in)
	if err != nil {
		return nil, err
	}
	return out, nil
}
