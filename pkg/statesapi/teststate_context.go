package statesapi

import (
	"fmt"
	"strings"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// contextFields are the members of a context object that a test may be given, and the type
// of each.
var contextFields = map[string]map[string]string{
	"Execution": {
		"Id": "string", "Input": "", "Name": "string", "RoleArn": "string", "StartTime": "string",
		"RedriveCount": "number", "RedriveTime": "string",
	},
	"State":        {"EnteredTime": "string", "Name": "string", "RetryCount": "number"},
	"StateMachine": {"Id": "string", "Name": "string"},
	"Task":         {"Token": "string"},
}

// checkContext refuses a context object that a state of that kind cannot have.
func checkContext(o *jsonata.Object, state *asl.StateTest) *Error {
	for i := range o.Len() {
		name, v := o.At(i)
		if problem := contextProblem(name, v, state); problem != "" {
			return errorf(ValidationException, "Invalid Context object provided: %s", problem)
		}
	}
	return nil
}

func contextProblem(name string, v any, state *asl.StateTest) string {
	fields, known := contextFields[name]
	part, isObject := jsonata.Force(v).(*jsonata.Object)
	switch {
	case name == "Map":
		return "'Map' field is not supported when mocking a Context object"
	case !known:
		return notAllowed(name)
	case name == "Task" && !takesToken(state):
		return "Context object contains 'Task' when state is not a Task state with a '.sync' or '.waitForTaskToken' service integration pattern"
	case !isObject:
		return name + " must be an object"
	}
	for i := range part.Len() {
		field, v := part.At(i)
		kind, known := fields[field]
		_, isText := jsonata.Force(v).(string)
		switch {
		case !known:
			return notAllowed(field)
		case kind == "string" && !isText, kind == "number" && !isNumber(jsonata.Force(v)):
			return fmt.Sprintf("%s.%s must be a %s", name, field, kind)
		}
	}
	return ""
}

func notAllowed(field string) string { return fmt.Sprintf("Field '%s' is not allowed", field) }

// takesToken reports whether the state's context object has a task token.
func takesToken(state *asl.StateTest) bool {
	return state.WaitsForOthers() && !strings.Contains(state.Resource(), ":activity:")
}
