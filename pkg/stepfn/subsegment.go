package stepfn

import (
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/trace"
)

// serviceName is the name that X-Ray shows: the SDKs' name for Step Functions.
const serviceName = "SFN"

// describe returns the contents of a start's subsegment: ids, names and times, and no
// payload.
func (c *Client) describe(operation string, s bridge.Start, outcome bridge.Outcome, last *attempt, f *bridge.Failure) trace.Call {
	call := trace.Call{
		Service: serviceName, Operation: operation, Region: c.opts.Region,
		RequestID: last.requestID, Status: last.status, Retries: last.calls - 1,
		Annotations: map[string]string{"route": s.Route},
		Metadata:    map[string]string{"stateMachineArn": s.StateMachineARN},
	}
	add := func(m map[string]string, name, value string) {
		if value != "" {
			m[name] = value
		}
	}
	add(call.Metadata, "executionArn", outcome.ExecutionARN)
	add(call.Metadata, "stateMachineArn", outcome.StateMachineARN) // the version, if an alias was started
	add(call.Annotations, "status", string(outcome.Status))
	switch {
	case f != nil:
		add(call.Annotations, "error", f.Name)
		switch f.Name {
		case bridge.Throttled:
			call.Error, call.Throttle = true, true
		case bridge.Unavailable, bridge.Unknown, bridge.Deadline, bridge.Internal:
			call.Fault = true
		default:
			call.Error = true
		}
	case outcome.Status == bridge.Failed, outcome.Status == bridge.TimedOut:
		// The call succeeded but the workflow did not, and the trace says so.
		add(call.Annotations, "error", outcome.Error)
		call.Fault = true
	}
	return call
}
