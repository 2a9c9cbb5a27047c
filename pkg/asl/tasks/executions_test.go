package tasks_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/internal/asltest"
	"github.com/expressway-dev/expressway/internal/jsontest"
	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/asl/tasks"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

const machineARN = "arn:aws:states:us-east-1:123456789012:stateMachine:inner"

// starter runs the executions that tasks start on a machine, as an API would.
func starter(machine *asl.Machine, env *asl.Environment) func(context.Context, tasks.StartRequest) (tasks.StartResult, error) {
	return func(ctx context.Context, q tasks.StartRequest) (tasks.StartResult, error) {
		r := tasks.StartResult{
			StateMachineARN: q.StateMachineARN, ExecutionARN: "arn:aws:states:us-east-1:123456789012:express:inner:" + q.Name + ":1", Name: q.Name,
			StartDate: time.Unix(0, 0), StopDate: time.Unix(1, 0), BilledDuration: 100 * time.Millisecond, BilledMemory: 64,
		}
		if q.StateMachineARN != machineARN {
			return r, &tasks.StartError{Code: "StateMachineDoesNotExist", Message: "State Machine Does Not Exist: '" + q.StateMachineARN + "'"}
		}
		if !q.Sync {
			return r, nil
		}
		end := machine.Run(ctx, *env, asl.Execution{Input: q.Input})
		r.Status, r.Output, r.Error, r.Cause = end.Status, end.Output, end.Error, end.Cause
		return r, nil
	}
}

func TestNestedExecutions(t *testing.T) {
	t.Parallel()
	inner := asltest.Parse(t, `{"StartAt":"C","States":{"C":{"Type":"Choice","Choices":[{"Variable":"$.fail","IsPresent":true,"Next":"F"}],"Default":"S"},
		"F":{"Type":"Fail","Error":"E","Cause":"c"},"S":{"Type":"Succeed"}}}`)
	const (
		success = `"ExecutionArn":"arn:aws:states:us-east-1:123456789012:express:inner:n:1","Input":"{\"a\":1.0}","InputDetails":{"Included":true},"Name":"n",` +
			`"Output":"{\"a\":1.0}","OutputDetails":{"Included":true},"StartDate":"1970-01-01T00:00:00.000Z","StateMachineArn":"` + machineARN + `","Status":"SUCCEEDED","StopDate":"1970-01-01T00:00:01.000Z"`
		failure = `"Cause":"c","Error":"E","ExecutionArn":"arn:aws:states:us-east-1:123456789012:express:inner:n:1","Input":"{\"fail\":1}","InputDetails":{"Included":true},"Name":"n",` +
			`"StartDate":"1970-01-01T00:00:00.000Z","StateMachineArn":"` + machineARN + `","Status":"FAILED","StopDate":"1970-01-01T00:00:01.000Z"`
		billing = `{"BillingDetails":{"BilledDurationInMilliseconds":100,"BilledMemoryUsedInMB":64},`
	)
	tests := map[string]struct{ action, parameters, want, wantError string }{
		"optimised":            {"states:startSyncExecution", `{"StateMachineArn":"` + machineARN + `","Name":"n","Input":{"a":1.0}}`, `{` + success + `}`, ""},
		"of the SDK":           {"aws-sdk:sfn:startSyncExecution", `{"StateMachineArn":"` + machineARN + `","Name":"n","Input":"{\"a\":1.0}"}`, billing + success + `}`, ""},
		"failure":              {"states:startSyncExecution", `{"StateMachineArn":"` + machineARN + `","Name":"n","Input":{"fail":1}}`, "", "States.TaskFailed: {" + failure + "}"},
		"failure of the SDK":   {"aws-sdk:sfn:startSyncExecution", `{"StateMachineArn":"` + machineARN + `","Name":"n","Input":{"fail":1}}`, billing + failure + `}`, ""},
		"not awaited":          {"states:startExecution", `{"StateMachineArn":"` + machineARN + `","Name":"n"}`, `{"ExecutionArn":"arn:aws:states:us-east-1:123456789012:express:inner:n:1","SdkHttpMetadata":{"AllHttpHeaders":{},"HttpHeaders":{},"HttpStatusCode":200},"SdkResponseMetadata":{"RequestId":"local"},"StartDate":"1970-01-01T00:00:00.000Z"}`, ""},
		"not awaited, SDK":     {"aws-sdk:sfn:startExecution", `{"StateMachineArn":"` + machineARN + `","Name":"n"}`, `{"ExecutionArn":"arn:aws:states:us-east-1:123456789012:express:inner:n:1","StartDate":"1970-01-01T00:00:00.000Z"}`, ""},
		"no such machine":      {"states:startSyncExecution", `{"StateMachineArn":"x"}`, "", "StepFunctions.StateMachineDoesNotExistException: State Machine Does Not Exist: 'x' (Service: AWSStepFunctions; Status Code: 400; Error Code: StateMachineDoesNotExist; Request ID: local; Proxy: null)"},
		"no such machine, SDK": {"aws-sdk:sfn:startSyncExecution", `{"StateMachineArn":"x"}`, "", "Sfn.StateMachineDoesNotExistException: State Machine Does Not Exist: 'x' (Service: Sfn, Status Code: 400, Request ID: local) (SDK Attempt Count: 1)"},
		"no ARN":               {"states:startSyncExecution", `{}`, "", "States.Runtime: The field 'StateMachineArn' is required but was missing"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tasks := &tasks.Executions{Start: starter(inner, &asl.Environment{})}
			v, err := tasks.RunTask(t.Context(), asl.Task{Resource: "arn:aws:states:::" + test.action, Parameters: jsontest.Decode(t, test.parameters)})
			got, gotError := "", ""
			if e, ok := errors.AsType[*asl.Error](err); ok {
				gotError = e.Error()
			} else if text, err := jsonata.AppendJSON(nil, v); err == nil {
				got = string(text)
			}
			if diff := cmp.Diff([]string{test.want, test.wantError}, []string{got, gotError}); diff != "" {
				t.Errorf("result and error %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestOtherTasksGoOn(t *testing.T) {
	t.Parallel()
	next := tasks.Funcs{"f": func(context.Context, any) (any, error) { return "next", nil }}
	if v, err := (&tasks.Executions{Next: next}).RunTask(t.Context(), asl.Task{Resource: "f"}); v != "next" || err != nil {
		t.Errorf("result = %v, %v, want that of the next runner", v, err)
	}
	_, err := (&tasks.Executions{}).RunTask(t.Context(), asl.Task{Resource: "arn:aws:states:::sqs:sendMessage"})
	if e, ok := errors.AsType[*asl.Error](err); !ok || e.Name != "States.TaskFailed" {
		t.Errorf("error = %v, want States.TaskFailed", err)
	}
}

// A machine that starts itself ends soon.
func TestMachineStartsItself(t *testing.T) {
	t.Parallel()
	m := asltest.Parse(t, `{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:states:::states:startSyncExecution","Parameters":{"StateMachineArn":"`+machineARN+`"},"ResultPath":null,"End":true}}}`)
	env := &asl.Environment{}
	env.Tasks = &tasks.Executions{Start: starter(m, env)}
	if r := m.Run(t.Context(), *env, asl.Execution{}); r.Error != "States.TaskFailed" {
		t.Errorf("got = %s %s %s, want States.TaskFailed", r.Status, r.Error, r.Cause)
	}
}
