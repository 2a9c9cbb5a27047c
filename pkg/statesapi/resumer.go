package statesapi

import (
	"context"
	"errors"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// Resumer returns the service as a [bridge.Resumer]: in this process, with the same checks
// as on the wire.
func (s *Service) Resumer() bridge.Resumer { return resumer{s} }

type resumer struct{ service *Service }

var _ bridge.Resumer = resumer{}

func (r resumer) Resume(_ context.Context, in bridge.Resumption) error {
	answer := TaskAnswer{Token: &in.Token}
	send := r.service.SendTaskHeartbeat
	switch in.Action {
	case bridge.TaskSucceeds:
		output := string(in.Output)
		send, answer.Output = r.service.SendTaskSuccess, &output
	case bridge.TaskFails:
		send, answer.Error, answer.Cause = r.service.SendTaskFailure, &in.Error, &in.Cause
	case bridge.TaskHeartbeat:
	}
	return resumeFailure(send(answer))
}

// resumeFailure names the service's refusals as pkg/stepfn does.
func resumeFailure(err error) error {
	if err == nil {
		return nil
	}
	var e *Error
	if !errors.As(err, &e) {
		return bridge.NewFailure(bridge.Internal, "the local Step Functions failed", err)
	}
	switch e.Code {
	case InvalidToken, ValidationException:
		return bridge.NewFailure(bridge.BadToken, "Step Functions did not issue this task token", nil)
	case TaskTimedOut:
		f := bridge.NewFailure(bridge.TaskGone, "the task was completed or has timed out, or its execution has ended", nil)
		f.Settles = true
		return f
	}
	return bridge.NewFailure(bridge.BadRequest, "Step Functions refused: "+string(e.Code), nil)
}
