// Package bridge is the domain of Expressway: deliveries, executions, outcomes, and the
// names of failures.
//
// Every source does the same four steps:
//
//	decode   source event       → [Delivery]           pkg/httpfront, pkg/sqsbatch, pkg/eventbridge
//	admit    filter, input      → [Start] or [Failure]  [Bridge.Run]
//	start    StartSyncExecution → [Outcome]             a [Starter]: pkg/stepfn (AWS) or pkg/statesapi (local)
//	settle   Outcome or Failure → HTTP response, batch item failure, return value (the adapters again)
//
// The package knows no AWS and no HTTP: it imports neither an SDK nor a transport.
package bridge

import (
	"context"
	"encoding/json"
	"time"
)

// Status is the status of an execution, as Step Functions spells it.
type Status string

// The statuses of StartSyncExecution, and Running for an asynchronous start.
const (
	Succeeded Status = "SUCCEEDED"
	Failed    Status = "FAILED"
	TimedOut  Status = "TIMED_OUT"
	Running   Status = "RUNNING"
)

// MaxInput is the largest input of an execution in bytes of UTF-8; Step Functions
// refuses more.
const MaxInput = 262144

// MaxWait is how long an Express Workflow can run.
const MaxWait = 5 * time.Minute

// A Start is one request to run a state machine.
type Start struct {
	// Route is the name of the route that starts it; traces show it.
	Route string
	// StateMachineARN may be qualified by a version or an alias.
	StateMachineARN string
	// Name appears in logs; it need not be unique. At most 80 of [0-9A-Za-z-_].
	Name string
	// Input is JSON text of at most MaxInput bytes.
	Input json.RawMessage
	// MetadataOnly asks for an outcome without output, error and cause. Only StartSync
	// honours it.
	MetadataOnly bool
	// TraceHeader is an X-Ray trace header that takes precedence over the context's; may
	// be empty.
	TraceHeader string
	// FallbackTrace is a trace header that is used only if neither the context nor the
	// environment has one; may be empty.
	FallbackTrace string
	// TraceParent is a W3C traceparent that is used last; may be empty.
	TraceParent string
}

// An Outcome describes an execution that was started.
type Outcome struct {
	ExecutionARN string
	// StateMachineARN identifies what ran: the version that an alias chose. It is empty
	// if the service did not report it.
	StateMachineARN string
	Name            string
	Status          Status
	// Output is JSON text; nil unless Status is Succeeded.
	Output json.RawMessage
	// OutputWithheld means that there may be an output that the service did not return:
	// the caller may not use its key, or [Start].MetadataOnly was set.
	OutputWithheld bool
	// Error and Cause are set when Status is Failed or TimedOut.
	Error, Cause string
	// State is the name of the state that failed, if it is known.
	State     string
	StartDate time.Time
	StopDate  time.Time
	// BilledDuration and BilledMemoryMB are zero when the service did not report them.
	BilledDuration time.Duration
	BilledMemoryMB int64
}

// A Starter runs state machines. A FAILED or TIMED_OUT execution is an [Outcome],
// not an error. An error is always a *[Failure] with one of the bridge's own names, whose
// [Class] says whether anything may have been started.
// Implementations are safe for concurrent use and honour the context's deadline.
type Starter interface {
	// StartSync runs an Express Workflow and waits for its end.
	StartSync(ctx context.Context, s Start) (Outcome, error)
	// Start begins an execution and returns at once, with Status Running.
	Start(ctx context.Context, s Start) (Outcome, error)
}
