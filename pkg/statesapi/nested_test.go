package statesapi

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/pkg/asl/tasks"
	"github.com/expressway-dev/expressway/pkg/bridge"
)

// starting is a state machine whose only task starts another one.
func starting(resource, machine, input string) string {
	return fmt.Sprintf(`{"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "arn:aws:states:::%s",
		"Parameters": {"StateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:%s", "Input": %s}, "End": true}}}`,
		resource, machine, input)
}

// A state machine runs another one of the same service, and gets its result.
func TestNestedExecutions(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		resource, machine, input string
		status                   bridge.Status
		err                      string
		want                     map[string]string
	}{
		"sync":                 {"states:startSyncExecution", "orders", `{"a": 1}`, bridge.Succeeded, "", map[string]string{"Status": "SUCCEEDED", "Output": `{"a":1}`}},
		"sync fails":           {"states:startSyncExecution", "failing", `{}`, bridge.Failed, "States.TaskFailed", nil},
		"sdk fails":            {"aws-sdk:sfn:startSyncExecution", "failing", `{}`, bridge.Succeeded, "", map[string]string{"Status": "FAILED", "Error": "Order.Rejected", "Cause": "no stock"}},
		"missing machine":      {"states:startSyncExecution", "nobody", `{}`, bridge.Failed, "StepFunctions.StateMachineDoesNotExistException", nil},
		"missing machine, SDK": {"aws-sdk:sfn:startExecution", "nobody", `{}`, bridge.Failed, "Sfn.StateMachineDoesNotExistException", nil},
		"not JSON":             {"states:startSyncExecution", "orders", `"{"`, bridge.Failed, "StepFunctions.InvalidExecutionInputException", nil},
		"standard":             {"states:startSyncExecution", "standard", `{}`, bridge.Failed, "StepFunctions.StateMachineTypeNotSupportedException", nil},
		"async":                {"states:startExecution", "orders", `{}`, bridge.Succeeded, "", map[string]string{"StartDate": "2026-11-22T10:30:00.250Z"}},
		"version":              {"states:startSyncExecution", "orders:1", `{}`, bridge.Succeeded, "", map[string]string{"StateMachineArn": machineARN + ":1"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newService(t, Options{}, passDefinition)
			put(t, s, "failing", failDefinition)
			put(t, s, "outer", starting(tt.resource, tt.machine, tt.input))
			if _, err := s.publishVersion(publishInput{StateMachineARN: ptr(machineARN)}); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Create(CreateInput{Name: ptr("standard"), Definition: ptr(passDefinition), RoleARN: ptr(roleARN)}); err != nil {
				t.Fatal(err)
			}
			got, err := s.StartSync(t.Context(), StartInput{StateMachineARN: ptr(s.ARN("outer"))})
			if err != nil || got.Status != tt.status || got.Error != tt.err {
				t.Fatalf("StartSync = %s %s %s, %v, want %s %s", got.Status, got.Error, got.Cause, err, tt.status, tt.err)
			}
			var output map[string]any
			if tt.want != nil && json.Unmarshal(got.Output, &output) != nil {
				t.Fatalf("output = %s, want JSON", got.Output)
			}
			for field, want := range tt.want {
				if output[field] != want {
					t.Errorf("%s = %v, want %s", field, output[field], want)
				}
			}
		})
	}
}

func put(t *testing.T, s *Service, name, definition string) {
	t.Helper()
	if err := s.Put(name, []byte(definition)); err != nil {
		t.Fatal(err)
	}
}

// A state machine that starts itself ends, whether it waits for itself or not.
func TestEndlessNesting(t *testing.T) {
	t.Parallel()
	for _, resource := range []string{"states:startSyncExecution", "states:startExecution"} {
		t.Run(resource, func(t *testing.T) {
			t.Parallel()
			var begun atomic.Int64
			s := newService(t, Options{OnExecution: func(r ExecutionRecord) {
				if r.Status == bridge.Running {
					begun.Add(1)
				}
			}}, starting(resource, "orders", `{}`))
			if _, err := s.StartSync(t.Context(), StartInput{StateMachineARN: ptr(machineARN)}); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			if err := s.Close(ctx); err != nil {
				t.Errorf("Close: %v", err)
			}
			if n := begun.Load(); n < 2 || n > 100 {
				t.Errorf("%d executions, want some, and an end", n)
			}
		})
	}
}

// A service that is closing lets a running execution start the executions that it still
// needs.
func TestNestedWhileClosing(t *testing.T) {
	t.Parallel()
	began, closing := make(chan struct{}), make(chan struct{})
	tasks := tasks.Funcs{"f": func(context.Context, any) (any, error) {
		close(began)
		<-closing
		return map[string]any{}, nil
	}}
	definition := strings.Replace(starting("states:startSyncExecution", "inner", `{}`), `"StartAt": "A", "States": {`,
		`"StartAt": "F", "States": {"F": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f", "Next": "A"}, `, 1)
	s := newService(t, Options{Tasks: tasks}, definition)
	put(t, s, "inner", passDefinition)
	ended := make(chan ExecutionRecord)
	go func() {
		record, err := s.StartSync(context.Background(), StartInput{StateMachineARN: ptr(machineARN)})
		if err != nil {
			t.Error(err)
		}
		ended <- record
	}()
	<-began
	closed := make(chan error)
	go func() { closed <- s.Close(context.Background()) }()
	for {
		_, err := s.StartSync(t.Context(), StartInput{StateMachineARN: ptr(s.ARN("inner"))})
		if err != nil {
			wantCode(t, err, ServiceUnavailable)
			break
		}
	}
	close(closing)
	if record := <-ended; record.Status != bridge.Succeeded {
		t.Errorf("status = %s %s %s, want SUCCEEDED", record.Status, record.Error, record.Cause)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}
