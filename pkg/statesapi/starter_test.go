package statesapi

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

func TestStarterOutcome(t *testing.T) {
	t.Parallel()
	s := newFake(t, Options{UUID: func() string { return "u" }}, echo).Starter()
	in := bridge.Start{StateMachineARN: machineARN, Name: "n", Input: json.RawMessage(`{"a":1}`)}
	want := bridge.Outcome{
		ExecutionARN: "arn:aws:states:us-east-1:123456789012:express:orders:n:u", StateMachineARN: machineARN, Name: "n", Status: bridge.Succeeded,
		Output: in.Input, StartDate: at, StopDate: at, BilledDuration: 100 * time.Millisecond, BilledMemoryMB: 64,
	}
	got, err := s.StartSync(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("StartSync (-want +got):\n%s", diff)
	}
	withheld := in
	withheld.MetadataOnly = true
	got, err = s.StartSync(t.Context(), withheld)
	if err != nil || got.Output != nil || !got.OutputWithheld {
		t.Errorf("with metadata only: %+v, %v, want the output withheld", got, err)
	}
	// A bare name is a state machine of the service's own.
	in.StateMachineARN = "orders"
	got, err = s.Start(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	want = bridge.Outcome{ExecutionARN: want.ExecutionARN, StateMachineARN: machineARN, Name: "n", Status: bridge.Running, StartDate: at}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Start (-want +got):\n%s", diff)
	}
}

// Refusals of the service have the bridge's names, and nothing was started.
func TestStarterFailures(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		in   bridge.Start
		want string
	}{
		{"no ARN", bridge.Start{}, bridge.Misconfigured},
		{"wrong ARN", bridge.Start{StateMachineARN: "arn:aws:states:orders"}, bridge.Misconfigured},
		{"unknown bare name", bridge.Start{StateMachineARN: "ordersx"}, bridge.Misconfigured},
		{"unknown machine", bridge.Start{StateMachineARN: machineARN + "x"}, bridge.Misconfigured},
		{"STANDARD", bridge.Start{StateMachineARN: machineARN + "-standard"}, bridge.Misconfigured},
		{"name", bridge.Start{StateMachineARN: machineARN, Name: "a b"}, bridge.Misconfigured},
		{"long name", bridge.Start{StateMachineARN: machineARN, Name: strings.Repeat("n", 81)}, bridge.Misconfigured},
		{"not JSON", bridge.Start{StateMachineARN: machineARN, Input: json.RawMessage(`{"secret`)}, bridge.BadRequest},
		{"too large", bridge.Start{StateMachineARN: machineARN, Input: json.RawMessage(strings.Repeat("1", bridge.MaxInput+1))}, bridge.InputTooLarge},
	}
	s := newFake(t, Options{}, echo)
	if _, err := s.Create(CreateInput{Name: ptr("orders-standard"), Definition: ptr(passDefinition), RoleARN: ptr(roleARN)}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := s.Starter().StartSync(t.Context(), tt.in)
			var f *bridge.Failure
			if !errors.As(err, &f) || f.Name != tt.want {
				t.Fatalf("error = %v, want %s", err, tt.want)
			}
			if f.Class() != bridge.Permanent {
				t.Errorf("class = %v, want permanent", f.Class())
			}
			if strings.Contains(f.Error(), "secret") {
				t.Errorf("the error shows the input: %v", f)
			}
		})
	}
}

func TestStarterThrottledAndClosed(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	s := newFake(t, Options{MaxExecutions: 1}, func(ctx context.Context, x Execution) Result {
		<-release
		return echo(ctx, x)
	})
	in := bridge.Start{StateMachineARN: machineARN}
	if _, err := s.Starter().Start(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	for name, start := range map[string]func(context.Context, bridge.Start) (bridge.Outcome, error){
		"StartSync": s.Starter().StartSync, "Start": s.Starter().Start,
	} {
		if _, err := start(t.Context(), in); bridge.AsFailure(err).Name != bridge.Throttled {
			t.Errorf("%s = %v, want Throttled", name, err)
		}
	}
	close(release)
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Starter().StartSync(t.Context(), in); bridge.AsFailure(err).Name != bridge.Unavailable {
		t.Errorf("StartSync after Close = %v, want Unavailable", err)
	}
}

// The context's end stops the execution, and the failure names it.
func TestStarterDeadline(t *testing.T) {
	t.Parallel()
	s := newFake(t, Options{}, untilStopped).Starter()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := s.StartSync(ctx, bridge.Start{StateMachineARN: machineARN})
	f := bridge.AsFailure(err)
	if f.Name != bridge.Deadline || f.Outcome == nil || f.Outcome.ExecutionARN == "" {
		t.Errorf("error = %v (outcome %v), want Deadline with the execution", err, f.Outcome)
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error = %v, want deadline exceeded in its chain", err)
	}
	_, err = s.StartSync(ctx, bridge.Start{StateMachineARN: machineARN})
	if f := bridge.AsFailure(err); f.Name != bridge.Deadline || f.Outcome != nil {
		t.Errorf("error after the deadline = %v (outcome %v), want Deadline and no execution", err, f.Outcome)
	}
}

// An execution that succeeded while its deadline passed is not a failure.
func TestStarterLateSuccess(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := newFake(t, Options{}, func(ctx context.Context, x Execution) Result {
		cancel()
		return echo(ctx, x)
	}).Starter()
	got, err := s.StartSync(ctx, bridge.Start{StateMachineARN: machineARN})
	if err != nil || got.Status != bridge.Succeeded {
		t.Errorf("StartSync = %+v, %v, want SUCCEEDED", got, err)
	}
}
