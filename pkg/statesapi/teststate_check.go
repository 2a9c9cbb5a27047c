package statesapi

import (
	"errors"
	"math"
	"unicode/utf8"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// The API's limits for an error's name and cause.
const (
	maxErrorName  = 256
	maxErrorCause = 32768
)

// constraints checks each member against the API's model.
func (in *testStateInput) constraints() *Error {
	var c constraints
	if c.required("definition", in.Definition != nil) {
		c.sensitive("definition", characters(*in.Definition), 1, maxDefinition)
	}
	c.text("roleArn", in.RoleARN, 1, maxARN)
	c.data("input", in.Input)
	c.oneOf("inspectionLevel", in.InspectionLevel, levelInfo, levelDebug, levelTrace)
	c.data("variables", in.Variables)
	c.secret("stateName", in.StateName, 1, maxName)
	c.data("context", in.Context)
	if m := in.Mock; m != nil {
		c.data("mock.result", m.Result)
		if e := m.ErrorOutput; e != nil {
			c.secret("mock.errorOutput.error", e.Error, 0, maxErrorName)
			c.secret("mock.errorOutput.cause", e.Cause, 0, maxErrorCause)
		}
		c.oneOf("mock.fieldValidationMode", m.FieldValidationMode, modeStrict, modePresent, modeNone)
	}
	if o := in.Configuration; o != nil {
		c.number("stateConfiguration.retrierRetryCount", o.RetrierRetryCount, math.MaxInt32)
		c.number("stateConfiguration.mapIterationFailureCount", o.MapIterationFailureCount, math.MaxInt32)
		c.secret("stateConfiguration.errorCausedByState", o.ErrorCausedByState, 1, maxName)
		c.data("stateConfiguration.mapItemReaderData", o.MapItemReaderData)
	}
	return c.err()
}

// data checks a member that the model calls SensitiveData.
func (c *constraints) data(member string, s *string) {
	if s != nil {
		c.sensitive(member, len(*s), 0, maxInput)
	}
}

// secret checks a string's length in characters, and keeps it out of the message.
func (c *constraints) secret(member string, s *string, least, most int) {
	if s != nil {
		c.sensitive(member, utf8.RuneCountInString(*s), least, most)
	}
}

func notWithoutMock(member string) *Error {
	return errorf(ValidationException, "TestState does not support %s when a mock is not specified.", member)
}

// checkMembers refuses members that do not fit together, or do not fit the state.
func (in *testStateInput) checkMembers(state *asl.StateTest) *Error {
	kind := state.Type()
	if in.Mock == nil {
		if err := in.checkUnmocked(); err != nil {
			return err
		}
	}
	switch {
	case in.Mock == nil && (kind == "Map" || kind == "Parallel"):
		return errorf(InvalidDefinition, "TestState API does not support Map or Parallel states. Supported state types include: [Task, Wait, Pass, Succeed, Fail, Choice]")
	case in.Mock == nil && state.WaitsForOthers():
		return errorf(InvalidDefinition, "TestState API does not support the resource '%s' when a mock is not specified.", state.Resource())
	case in.Mock == nil && kind == "Task" && in.RoleARN == nil:
		return errorf(ValidationException, "RoleArn must be specified when testing a Task state")
	case in.Mock != nil && kind != "Task" && kind != "Map" && kind != "Parallel":
		return errorf(ValidationException, "State type '%s' is not supported when a mock is specified", kind)
	case in.Mock != nil && in.RevealSecrets:
		return errorf(ValidationException, "TestState does not support RevealSecrets when a mock is specified.")
	}
	return nil
}

// checkUnmocked refuses members that only have a meaning with a mock.
func (in *testStateInput) checkUnmocked() *Error {
	o := in.Configuration
	if o == nil {
		o = &testStateConfiguration{}
	}
	switch {
	case o.RetrierRetryCount != nil:
		return notWithoutMock("RetrierRetryCount")
	case o.ErrorCausedByState != nil:
		return notWithoutMock("ErrorCausedByState")
	case o.MapIterationFailureCount != nil:
		return notWithoutMock("MapIterationFailureCount")
	case o.MapItemReaderData != nil:
		return notWithoutMock("MapItemReaderData")
	case in.Context != nil:
		return notWithoutMock("Context")
	}
	return nil
}

// read decodes the members that are JSON text.
func (in *testStateInput) read(state *asl.StateTest, t *asl.TestInput) (err *Error) {
	if in.Mock != nil {
		if t.Mock, err = in.Mock.read(state); err != nil {
			return err
		}
	}
	if o := in.Configuration; o != nil {
		t.RetryCount, t.FailedIterations = count(o.RetrierRetryCount), count(o.MapIterationFailureCount)
		t.ItemReaderData = o.MapItemReaderData
		if cause := o.ErrorCausedByState; cause != nil && !state.Holds(*cause) {
			return errorf(ValidationException, "State not found in definition")
		}
	}
	if in.Input != nil {
		t.Input = []byte(*in.Input)
		if err := jsonata.Valid(t.Input); err != nil {
			return invalidInput(t.Input, err)
		}
	}
	if t.Variables, err = readObject("variables", in.Variables); err != nil {
		return err
	}
	if t.Context, err = readObject("context", in.Context); err != nil {
		return err
	}
	return checkContext(t.Context, state)
}

// read decodes a mock, and checks that the state could have it.
func (m *testStateMock) read(state *asl.StateTest) (*asl.StateMock, *Error) {
	switch {
	case m.Result != nil && m.ErrorOutput != nil:
		return nil, errorf(ValidationException, "A test mock should have only one of the following fields: [result, errorOutput].")
	case m.Result == nil && m.ErrorOutput == nil:
		return nil, errorf(ValidationException, "A test mock should have one of the following fields: [result, errorOutput].")
	case m.Result == nil && m.ErrorOutput.Error == nil:
		return nil, errorf(ValidationException, "A mocked errorOutput must have the field error.")
	case m.Result == nil:
		return &asl.StateMock{Error: &asl.Error{Name: *m.ErrorOutput.Error, Cause: deref(m.ErrorOutput.Cause)}}, nil
	}
	result, err := jsonata.Decode([]byte(*m.Result))
	if err != nil {
		return nil, errorf(ValidationException, "Mocked result must be valid JSON")
	}
	list, isList := result.([]any)
	_, isObject := result.(*jsonata.Object)
	switch kind := state.Type(); {
	case state.WritesResults() && !isObject:
		return nil, errorf(ValidationException, "Mocked result must be a JSON object.")
	case (kind == "Map" && !state.WritesResults() || kind == "Parallel") && !isList:
		return nil, errorf(ValidationException, "Mocked result must be an array.")
	case kind == "Parallel" && len(list) != state.Branches():
		return nil, errorf(ValidationException, "Mocked result must contain the same number of items as number of Parallel branches.")
	case kind == "Task":
		if err := checkMocked(state.Resource(), deref(m.FieldValidationMode), result); err != nil {
			return nil, err
		}
	}
	return &asl.StateMock{Result: result}, nil
}

func readObject(member string, text *string) (*jsonata.Object, *Error) {
	if text == nil {
		return nil, nil
	}
	v, err := jsonata.Decode([]byte(*text))
	o, ok := v.(*jsonata.Object)
	if err == nil && !ok {
		err = errors.New("it is not a JSON object")
	}
	if err != nil {
		return nil, errorf(ValidationException, "The member '%s' is not valid: %v", member, err)
	}
	return o, nil
}

// count returns a number that was checked, or 0 if none was sent.
func count(n *int64) int {
	if n == nil {
		return 0
	}
	return int(*n)
}
