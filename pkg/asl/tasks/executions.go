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

// A StartRequest is the request of a Task state that starts another state machine.
type StartRequest struct {
	// StateMachineARN names the machine; it may have a version or an alias.
	StateMachineARN string
	// Name is the name of the execution; if it is empty, the service chooses one.
	Name string
	// Input is JSON text.
	Input []byte
	// TraceHeader is the X-Ray header, if the state gave one.
	TraceHeader string
	// Sync runs an EXPRESS state machine by StartSyncExecution.
	Sync bool
	// Wait waits for the end of an execution that StartExecution began.
	Wait bool
	// Key is the key of the task. Resumed means that an earlier run of its execution has
	// already started this one, which must then only be waited for; see [asl.Interrupted].
	Key     string
	Resumed bool
}

// A StartResult describes the execution. Without Sync or Wait, only its ARN and start
// date are set.
type StartResult struct {
	ExecutionARN, StateMachineARN, Name string
	StartDate, StopDate                 time.Time
	// Status is the status of an [asl.Result].
	Status string
	// Output is JSON text, if the execution succeeded.
	Output []byte
	// Error and Cause are set if it did not succeed.
	Error, Cause string
	// BilledDuration and BilledMemory (in megabytes) are set for a synchronous execution.
	BilledDuration time.Duration
	BilledMemory   int
}

// A StartError explains why an execution was not started: the code of the API's error,
// such as StateMachineDoesNotExist, and its message.
type StartError struct{ Code, Message string }

func (e *StartError) Error() string { return e.Code + ": " + e.Message }

// An Executions runs the tasks that start other state machines:
//
//	arn:aws:states:::states:startExecution              starts, and continues
//	arn:aws:states:::states:startSyncExecution          waits; a failure is States.TaskFailed
//	arn:aws:states:::aws-sdk:sfn:startExecution         starts, and continues
//	arn:aws:states:::aws-sdk:sfn:startSyncExecution     waits; a failure is a result
//
// The difference between optimised and SDK integrations is that of the service: an
// optimised integration fails with the execution, while an SDK call succeeds once the API
// has answered.
type Executions struct {
	// Start starts an execution. An error that is a *[StartError] is spelled as the
	// integration spells it. The context that Start passes to its execution must derive
	// from ctx, which bounds how deeply executions nest.
	Start func(ctx context.Context, r StartRequest) (StartResult, error)
	// Next runs all other tasks; nil fails them.
	Next asl.TaskRunner
}

// maxNesting bounds how deeply executions may start one another. Otherwise, a machine
// that starts itself would never end.
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
		return nil, &asl.Error{Name: "States.TaskFailed", Cause: fmt.Sprintf("The local engine nests executions at most %d deep.", maxNesting)}
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
	json       bool // for .sync:2, input and output are JSON values
	parameters any
	key        string
	resumed    bool
}

func newStartCall(t asl.Task) (c startCall, ok bool) {
	ok = true
	c.parameters, c.key, c.resumed = t.Parameters, t.Key, t.Resumed
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
	r := StartRequest{Sync: c.sync, Wait: c.waits, Key: c.key, Resumed: c.resumed}
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
		r.Input = []byte("{}") // as recorded for a null Input
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

// refused returns an API error, spelled as the integration spells it.
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

// started returns the result of a start that is not waited for.
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

// ended returns the result of an execution that was waited for, with its fields sorted by
// name, as in the service.
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
	if c.waits { // as DescribeExecution answers for a STANDARD execution
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

// text returns JSON text as a string or, for .sync:2, as a value.
func (c *startCall) text(text []byte) any {
	if c.json {
		return jsonata.NewRaw(text)
	}
	return string(text)
}

// maxCause is the longest cause of the API. It also limits the growth of nested causes,
// which are escaped once more at each level.
const maxCause = 32768

func included() *jsonata.Object {
	o := jsonata.NewObject(1)
	o.Set("Included", true)
	return o
}
