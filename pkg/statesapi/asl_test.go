package statesapi

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/asl/tasks"
	"github.com/expressway-dev/expressway/pkg/bridge"
)

const (
	taskDefinition = `{"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f", "End": true}}}`
	waitDefinition = `{"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 200, "End": true}}}`
	slowDefinition = `{"StartAt": "A", "TimeoutSeconds": 1, "States": {"A": {"Type": "Wait", "Seconds": 200, "End": true}}}`
)

// The text after # in an ARN selects the task runner, and is not part of the answer.
func TestTestCases(t *testing.T) {
	t.Parallel()
	says := func(text string) asl.TaskRunner {
		return tasks.Funcs{"f": func(context.Context, any) (any, error) { return text, nil }}
	}
	s := newService(t, Options{Tasks: says("real"), Mocks: func(machine, testCase string, next asl.TaskRunner) (asl.TaskRunner, error) {
		switch testCase {
		case "Unknown":
			return nil, errors.New("not in the file")
		case "Other", "": // an execution without a test case is asked for too
			return next, nil
		}
		return says(machine + "/" + testCase), nil
	}}, taskDefinition)
	for suffix, want := range map[string]string{"": `"real"`, "#Happy": `"orders/Happy"`, "#Other": `"real"`} {
		got, err := s.StartSync(t.Context(), StartInput{StateMachineARN: ptr(machineARN + suffix)})
		if err != nil || string(got.Output) != want || got.StateMachineARN != machineARN {
			t.Errorf("StartSync(%q) = %s %s, %v, want %s", suffix, got.Output, got.StateMachineARN, err, want)
		}
	}
	_, err := s.StartSync(t.Context(), StartInput{StateMachineARN: ptr(machineARN + "#Unknown")})
	wantCode(t, err, ValidationException)
	if err == nil || !strings.Contains(err.Error(), "not in the file") {
		t.Errorf("error = %v, want the reason", err)
	}
}

// A caller's deadline stops the run; the workflow's own is its TIMED_OUT.
func TestInterpreterTimes(t *testing.T) {
	t.Parallel()
	s := newService(t, Options{Now: time.Now}, waitDefinition)
	if err := s.Put("slow", []byte(slowDefinition)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := s.StartSync(ctx, StartInput{StateMachineARN: ptr(machineARN)})
	var stopped *Stopped
	if !errors.As(err, &stopped) || !errors.Is(err, context.DeadlineExceeded) || stopped.Record.Status != aborted {
		t.Errorf("StartSync past its deadline = %v, want Stopped", err)
	}
	got, err := s.StartSync(t.Context(), StartInput{StateMachineARN: ptr(s.ARN("slow"))})
	if err != nil || got.Status != bridge.TimedOut || got.Error != "States.Timeout" {
		t.Errorf("StartSync of a slow workflow = %+v, %v, want TIMED_OUT", got, err)
	}
}
