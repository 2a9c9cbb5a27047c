package tasks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A StartRequest is what a Task state that starts another state machine asks for.
type StartRequest struct {
	// StateMachineARN names the machine; it may have a version or an alias.
	StateMachineARN string
	// Name is that of the execution; empty leaves it to the service.
	Name string
	// Input is JSON text.
	Input []byte
	// TraceHeader is the X-Ray header, if the state gave one.
	TraceHeader string
	// Sync runs an EXPRESS state machine by StartSyncExecution.
	Sync bool
	// Wait waits for the end of an execution that StartExecution began.
	Wait bool
}

// A StartResult is what became of the execution. Without Sync, only its ARN and its start
// are known.
type StartResult struct {
	ExecutionARN, StateMachineARN, Name string
	StartDate, StopDate                 time.Time
	// Status is that of an [asl.Result].
	Status string
	// Output is JSON text, of an execution that succeeded.
	Output []byte
	// Error and Cause are those of one that did not.
	Error, Cause string
	// BilledDuration and BilledMemory (in megabytes) are those of a synchronous one.
	BilledDuration time.Duration
	BilledMemory   int
}

// A StartError is why an execution was not started: the code of the API's error, such as
// StateMachineDoesNotExist, and its message.
type StartError struct{ Code, Message string }

func (e *StartError) Error() string { return e.Code + ": " + e.Message }

// An Executions runs the tasks that start other state machines:
//
//	arn:aws:states:::states:startExecution              starts, and goes on
//	arn:aws:states:::states:startSyncExecution          waits; a failure is States.TaskFailed
//	arn:aws:states:::aws-sdk:sfn:startExecution         starts, and goes on
//	arn:aws:states:::aws-sdk:sfn:startSyncExecution     waits; a failure is a result
//
// The difference of the last two lines is the service's: its optimised integrations fail with
// the execution, while a call of the SDK has succeeded when the API answers.
type Executions struct {
	// Start starts an execution. An error that is a *[StartError] gets the spelling of the
	// integration. The context that Start hands to its execution must come from ctx: it bounds
	// how deep executions nest.
	Start func(ctx context.Context, r StartRequest) (StartResult, error)
	// Next runs all other tasks; nil fails them.
	Next asl.TaskRunner
}

// maxNesting is how deep executions may start one another. A machine that starts itself
// would not end otherwise.
const maxNesting = 50

type nestingKey struct{}

// RunTask implements [asl.TaskRunner].
func (r *Executions) RunTask(ctx context.Context, t asl.Task) (any, error) {
	c, ok := newStartCall(t)
	if !ok {
		if r.Next == nil {
			return None{}.RunTask(ctx, t)
		}
		return r.Next.RunTask(ctx, t)
	}
	depth, _ := ctx.Value(nestingKey{}).(int)
	if depth >= maxNesting {
		return nil, &asl.Error{Name: "States.TaskFailed", Cause: fmt.Sprintf("The local engine nests executions %d deep at most.", maxNesting)}
	}
	request, err := c.request()
	if err != nil {
		return nil, err
	}
	result, err := r.Start(context.WithValue(ctx, nestingKey{}, depth+1), request)
	if failed, ok := errors.AsType[*StartError](err); ok {
		return nil, c.refused(failed)
	}
	if err != nil {
		return nil, err
	}
	if !request.Sync && !request.Wait {
		return c.started(result), nil
	}
	return c.ended(request, result)
}

// A startCall is a task that starts an execution.
type startCall struct {
	sdk, sync  bool
	waits      bool // .sync and .sync:2 of startExecution
	json       bool // .sync:2 has input and output as JSON
	parameters any
}

func newStartCall(t asl.Task) (c startCall, ok bool) {
	ok = true
	c.parameters = t.Parameters
	switch integration(t.Resource) {
	case "states:startExecution":
	case "states:startExecution.sync":
		c.waits = true
	case "states:startExecution.sync:2":
		c.waits, c.json = true, true
	case "states:startSyncExecution":
		c.sync = true
	case "aws-sdk:sfn:startExecution":
		c.sdk = true
	case "aws-sdk:sfn:startSyncExecution":
		c.sdk, c.sync = true, true
	default:
		ok = false
	}
	return c, ok
}

func (c *startCall) request() (StartRequest, error) {
	o, _ := jsonata.Force(c.parameters).(*jsonata.Object)
	r := StartRequest{Sync: c.sync, Wait: c.waits}
	for _, field := range [...]struct {
		name string
		to   *string
	}{{"StateMachineArn", &r.StateMachineARN}, {"Name", &r.Name}, {"TraceHeader", &r.TraceHeader}} {
		v, _ := o.Get(field.name)
		*field.to, _ = jsonata.Force(v).(string)
	}
	if r.StateMachineARN == "" {
		return r, &asl.Error{Name: "States.Runtime", Cause: "The field 'StateMachineArn' is required but was missing"}
	}
	input, _ := o.Get("Input")
	switch v := jsonata.Force(input).(type) {
	case nil:
		r.Input = []byte("{}") // as recorded of Input null
	case string:
		r.Input = []byte(v)
	default:
		text, err := jsonata.AppendJSON(nil, v)
		if err != nil {
			return r, err
		}
		r.Input = text
	}
	return r, nil
}

// refused is an API error, in the spelling of the integration.
func (c *startCall) refused(e *StartError) *asl.Error {
	const status = 400
	if c.sdk {
		return &asl.Error{
			Name:  "Sfn." + strings.TrimSuffix(e.Code, "Exception") + "Exception",
			Cause: sdkCause(e.Message, "Sfn", status, "local"),
		}
	}
	return &asl.Error{
		Name: "StepFunctions." + strings.TrimSuffix(e.Code, "Exception") + "Exception",
		Cause: fmt.Sprintf("%s (Service: AWSStepFunctions; Status Code: %d; Error Code: %s; Request ID: local; Proxy: null)",
			e.Message, status, e.Code),
	}
}

const resultTime = "2006-01-02T15:04:05.000Z"

// started is the result of a start that is not waited for.
func (c *startCall) started(r StartResult) any {
	o := jsonata.NewObject(4)
	o.Set("ExecutionArn", r.ExecutionARN)
	if !c.sdk {
		o.Set("SdkHttpMetadata", sdkMetadata(200, nil, nil))
		request := jsonata.NewObject(1)
		request.Set("RequestId", "local")
		o.Set("SdkResponseMetadata", request)
	}
	o.Set("StartDate", r.StartDate.UTC().Format(resultTime))
	return o
}

// ended is what an execution that was waited for comes to, with its fields in the order
// of their names, as the service has them.
func (c *startCall) ended(request StartRequest, r StartResult) (any, error) {
	o := jsonata.NewObject(14)
	if c.sdk {
		billing := jsonata.NewObject(2)
		billing.Set("BilledDurationInMilliseconds", json.Number(strconv.FormatInt(r.BilledDuration.Milliseconds(), 10)))
		billing.Set("BilledMemoryUsedInMB", json.Number(strconv.Itoa(r.BilledMemory)))
		o.Set("BillingDetails", billing)
	}
	setPresent(o, "Cause", cut(r.Cause, maxCause))
	setPresent(o, "Error", r.Error)
	o.Set("ExecutionArn", r.ExecutionARN)
	o.Set("Input", c.text(request.Input))
	o.Set("InputDetails", included())
	o.Set("Name", r.Name)
	if r.Status == asl.Succeeded {
		o.Set("Output", c.text(r.Output))
		o.Set("OutputDetails", included())
	}
	if c.waits { // as DescribeExecution, which a STANDARD execution has, answers
		o.Set("RedriveCount", json.Number("0"))
		o.Set("RedriveStatus", "NOT_REDRIVABLE")
		o.Set("RedriveStatusReason", "Execution is "+r.Status+" and cannot be redriven")
	}
	o.Set("StartDate", r.StartDate.UTC().Format(resultTime))
	o.Set("StateMachineArn", r.StateMachineARN)
	o.Set("Status", r.Status)
	o.Set("StopDate", r.StopDate.UTC().Format(resultTime))
	setPresent(o, "TraceHeader", request.TraceHeader)
	if c.sdk || r.Status == asl.Succeeded {
		return o, nil
	}
	cause, err := jsonata.AppendJSON(nil, o)
	if err != nil {
		return nil, err
	}
	return nil, &asl.Error{Name: "States.TaskFailed", Cause: string(cause)}
}

// text is JSON text as a string, or for .sync:2 as the value that it is.
func (c *startCall) text(text []byte) any {
	if c.json {
		return jsonata.NewRaw(text)
	}
	return string(text)
}

// maxCause is the longest cause of the API. It also stops the growth of causes within
// causes: each level escapes those below it once more.
const maxCause = 32768

func included() *jsonata.Object {
	o := jsonata.NewObject(1)
	o.Set("Included", true)
	return o
}
