package statesapi

import (
	"context"
	"errors"
	"fmt"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// Starter returns the service as a [bridge.Starter]: in this process, with the same
// checks as on the wire. Unlike executions that are started on the wire, its executions
// stop when the context ends.
func (s *Service) Starter() bridge.Starter { return starter{s} }

type starter struct{ service *Service }

var _ bridge.Starter = starter{}

func (s starter) StartSync(ctx context.Context, in bridge.Start) (bridge.Outcome, error) {
	if err := context.Cause(ctx); err != nil {
		return bridge.Outcome{}, notStarted(err)
	}
	if len(in.Input) > bridge.MaxInput {
		return bridge.Outcome{}, tooLarge(len(in.Input))
	}
	record, err := s.service.StartSync(ctx, s.input(in))
	if err != nil {
		return bridge.Outcome{}, failure(err)
	}
	out := outcome(record)
	if in.MetadataOnly {
		out.OutputWithheld = out.Status == bridge.Succeeded
		out.Output, out.Error, out.Cause = nil, "", ""
	}
	return out, nil
}

func (s starter) Start(ctx context.Context, in bridge.Start) (bridge.Outcome, error) {
	if err := context.Cause(ctx); err != nil {
		return bridge.Outcome{}, notStarted(err)
	}
	if len(in.Input) > bridge.MaxInput {
		return bridge.Outcome{}, tooLarge(len(in.Input))
	}
	record, err := s.service.Start(s.input(in))
	if err != nil {
		return bridge.Outcome{}, failure(err)
	}
	return outcome(record), nil
}

// input keeps an empty ARN, which is an error; other empty members are omitted.
func (s starter) input(in bridge.Start) StartInput {
	in.StateMachineARN = s.service.Resolve(in.StateMachineARN)
	out := StartInput{StateMachineARN: &in.StateMachineARN, Input: in.Input}
	if in.Name != "" {
		out.Name = &in.Name
	}
	if in.TraceHeader != "" {
		out.TraceHeader = &in.TraceHeader
	}
	return out
}

func outcome(r ExecutionRecord) bridge.Outcome {
	out := bridge.Outcome{
		ExecutionARN: r.ExecutionARN, StateMachineARN: r.StateMachineARN, Name: r.Name, Status: r.Status, Output: r.Output,
		Error: r.Error, Cause: r.Cause, StartDate: r.StartDate, StopDate: r.StopDate,
	}
	if r.Status != bridge.Running {
		out.BilledDuration, out.BilledMemoryMB = r.BilledDuration(), billedMemoryMB
	}
	return out
}

func tooLarge(n int) *bridge.Failure {
	return bridge.NewFailure(bridge.InputTooLarge, fmt.Sprintf("the input has %d bytes, and Step Functions takes at most %d", n, bridge.MaxInput), nil)
}

func notStarted(err error) *bridge.Failure {
	return bridge.NewFailure(bridge.Deadline, "the deadline passed before the execution could be started", err)
}

// failures maps the API's error codes to the bridge's names. A code that it lacks is
// Misconfigured: the caller named something that does not exist or is not possible.
var failures = map[Code]string{
	InvalidExecutionInput:  bridge.BadRequest,
	ExecutionLimitExceeded: bridge.Throttled,
	ThrottlingException:    bridge.Throttled,
	ServiceUnavailable:     bridge.Unavailable,
	InternalFailure:        bridge.Unknown,
}

// failure names an error of the service for the bridge.
func failure(err error) *bridge.Failure {
	var stopped *Stopped
	if errors.As(err, &stopped) {
		out := outcome(stopped.Record)
		f := bridge.NewFailure(bridge.Deadline, "the deadline passed while the execution was running", err)
		if errors.Is(err, errClosed) {
			f = bridge.NewFailure(bridge.Unknown, "the service was closed while the execution was running", err)
		}
		f.Outcome = &out
		return f
	}
	var refused *Error
	if !errors.As(err, &refused) {
		return bridge.AsFailure(err)
	}
	if refused.Code == InvalidExecutionInput {
		// The API's message quotes the input, for its sender; ours goes into logs.
		refused = errorf(InvalidExecutionInput, "The input is not JSON")
		err = refused
	}
	name, ok := failures[refused.Code]
	if !ok {
		name = bridge.Misconfigured
	}
	return bridge.NewFailure(name, string(refused.Code), unnamed{err, refused})
}

// An unnamed error has no code in its text, because the failure's cause is the code.
type unnamed struct {
	error
	refused *Error
}

func (e unnamed) Error() string { return e.refused.Message }

func (e unnamed) Unwrap() error { return e.error }
