package asl

import (
	"strings"
	"sync"
	"time"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// An Event is a step of an execution, as in [GetExecutionHistory]. Which of the fields
// after Time are set depends on the Type, as it does there.
//
// [GetExecutionHistory]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
type Event struct {
	// ID counts from 1; PreviousID is the event that led to this one, and 0 at a start.
	ID, PreviousID int64
	// Type is the service's name for the event, such as PassStateEntered.
	Type string
	Time time.Time
	// Name is the name of the state.
	Name string
	// Index is the index of a Map's iteration, and Length the number of the Map's items.
	Index, Length int
	// Resource and ResourceType identify a task: they are invoke and lambda for
	// arn:aws:states:::lambda:invoke; for a function's own ARN, only Resource is set, to
	// the ARN.
	Resource, ResourceType string
	// Input and Output are values of pkg/jsonata, and must not be changed.
	Input, Output any
	// Assigned are the variables that the state set; nil if it set none.
	Assigned *jsonata.Object
	// TimeoutSeconds, HeartbeatSeconds and RoleARN are those of a task, if it has them.
	// An observer may add the execution's role to its first event, and a region to
	// scheduled tasks, as the service does.
	TimeoutSeconds, HeartbeatSeconds int
	RoleARN, Region                  string
	// Worker is the name of the worker that took an activity, if it gave one.
	Worker string
	// Location is the field whose expression failed, such as Output/total.
	Location string
	// Error and Cause describe a failure. The service's history omits them for a Map, a
	// Parallel and an iteration that failed, and so does MarshalJSON.
	Error, Cause string
}

// MarshalJSON writes the event as the service does, with its time in seconds.
func (e Event) MarshalJSON() ([]byte, error) {
	o := jsonata.NewObject(5)
	o.Set("id", jsonata.FromGo(e.ID))
	o.Set("previousEventId", jsonata.FromGo(e.PreviousID))
	o.Set("timestamp", float64(e.Time.UnixMilli())/1000)
	o.Set("type", e.Type)
	if field, details := e.details(); field != "" {
		o.Set(field, details)
	}
	return jsonata.AppendJSON(nil, o)
}

// details returns the details of the service's event, and the name of the member that
// holds them.
func (e Event) details() (field string, _ *jsonata.Object) {
	if strings.HasSuffix(e.Type, "StateFailed") {
		e.Error, e.Cause = "", ""
	}
	d := jsonata.NewObject(5)
	field = strings.ToLower(e.Type[:1]) + e.Type[1:] + "EventDetails"
	switch {
	case strings.HasSuffix(e.Type, "StateEntered"):
		d.Set("name", e.Name)
		setText(d, "input", e.Input)
		return "stateEnteredEventDetails", d
	case strings.HasSuffix(e.Type, "StateExited"):
		d.Set("name", e.Name)
		setText(d, "output", e.Output)
		e.setAssigned(d)
		return "stateExitedEventDetails", d
	case strings.HasPrefix(e.Type, "MapIteration"):
		d.Set("name", e.Name)
		d.Set("index", jsonata.FromGo(e.Index))
	case e.Type == "MapStateStarted":
		d.Set("length", jsonata.FromGo(e.Length))
	case e.Type == "ExecutionStarted":
		setText(d, "input", e.Input)
		setPresent(d, "roleArn", e.RoleARN)
	case e.Type == "EvaluationFailed":
		e.setFailure(d)
		setPresent(d, "location", e.Location)
		d.Set("state", e.Name)
	case e.isBare():
		return "", nil
	default:
		e.setOutcome(d)
	}
	return field, d
}

// isBare reports whether an event has no details: those of a Map and a Parallel as a
// whole, aborts, and the start of a Lambda function.
func (e Event) isBare() bool {
	ofAll := strings.HasPrefix(e.Type, "Parallel") || strings.HasPrefix(e.Type, "MapState")
	return ofAll || strings.HasSuffix(e.Type, "StateAborted") || e.Type == "LambdaFunctionStarted"
}

// setOutcome sets the details of a task's or of the execution's event.
func (e Event) setOutcome(d *jsonata.Object) {
	if e.Type == "LambdaFunctionScheduled" {
		d.Set("resource", e.Resource)
		setText(d, "input", e.Input)
		e.setLimits(d)
		return
	}
	switch e.Type {
	case "ActivityScheduled":
		d.Set("resource", e.Resource)
		setText(d, "input", e.Input)
		e.setLimits(d)
		return
	case "ActivityStarted":
		setPresent(d, "workerName", e.Worker)
		return
	}
	e.setTask(d)
	switch {
	case e.Type == "TaskScheduled":
		setPresent(d, "region", e.Region)
		d.Set("parameters", quote(e.Input))
		e.setLimits(d)
	case strings.HasSuffix(e.Type, "Failed"), strings.HasSuffix(e.Type, "TimedOut"), e.Type == "ExecutionAborted":
		e.setFailure(d)
	case strings.HasSuffix(e.Type, "Succeeded"), strings.HasSuffix(e.Type, "Submitted"):
		setText(d, "output", e.Output)
	}
}

func (e Event) setFailure(d *jsonata.Object) {
	setPresent(d, "error", e.Error)
	setPresent(d, "cause", e.Cause)
}

func (e Event) setTask(d *jsonata.Object) {
	setPresent(d, "resourceType", e.ResourceType)
	if e.ResourceType != "" {
		d.Set("resource", e.Resource)
	}
}

func (e Event) setLimits(d *jsonata.Object) {
	if e.TimeoutSeconds > 0 {
		d.Set("timeoutInSeconds", jsonata.FromGo(e.TimeoutSeconds))
	}
	if e.HeartbeatSeconds > 0 {
		d.Set("heartbeatInSeconds", jsonata.FromGo(e.HeartbeatSeconds))
	}
	if e.RoleARN != "" {
		credentials := jsonata.NewObject(1)
		credentials.Set("roleArn", e.RoleARN)
		d.Set("taskCredentials", credentials)
	}
}

func (e Event) setAssigned(d *jsonata.Object) {
	if e.Assigned.Len() == 0 {
		return
	}
	texts := jsonata.NewObject(e.Assigned.Len())
	for i := range e.Assigned.Len() {
		name, value := e.Assigned.At(i)
		texts.Set(name, quote(value))
	}
	d.Set("assignedVariables", texts)
	truncated := jsonata.NewObject(1)
	truncated.Set("truncated", false)
	d.Set("assignedVariablesDetails", truncated)
}

func setText(d *jsonata.Object, field string, v any) {
	d.Set(field, quote(v))
	truncated := jsonata.NewObject(1)
	truncated.Set("truncated", false)
	d.Set(field+"Details", truncated)
}

func setPresent(d *jsonata.Object, field, text string) {
	if text != "" {
		d.Set(field, text)
	}
}

// A history numbers the events of a run and passes them to the observer one at a time.
// Events are also numbered without an observer, because the service's causes contain the
// numbers ("entered at the event id #2").
type history struct {
	mu sync.Mutex
	n  int64
	// left is when a state was left, or the execution began, if that is the last event.
	left time.Time
}

// record adds an event that follows previous.
func (r *run) record(previous int64, e Event) int64 {
	r.history.mu.Lock()
	defer r.history.mu.Unlock()
	r.history.n++
	if r.env.Observe != nil {
		e.ID, e.PreviousID, e.Time = r.history.n, previous, r.history.at(e.Type, r.history.n == previous+1, r.env.Now)
		r.env.Observe(e)
	}
	return r.history.n
}

// at returns the time of an event. Entering a state, and the success of the execution, get
// the time at which the previous state was left, because reading the clock takes longer
// than the work in between.
func (h *history) at(kind string, follows bool, now func() time.Time) time.Time {
	begins := kind == "ExecutionStarted" || strings.HasSuffix(kind, "StateExited")
	if !begins && follows && !h.left.IsZero() && (kind == "ExecutionSucceeded" || strings.HasSuffix(kind, "StateEntered")) {
		at := h.left
		h.left = time.Time{}
		return at
	}
	at := now()
	h.left = time.Time{}
	if begins {
		h.left = at
	}
	return at
}

// record adds an event of this flow, which follows its last one.
func (f *frame) record(e Event) int64 {
	f.last = f.run.record(f.last, e)
	return f.last
}

// aside adds an event that the flow's next event does not follow, as in the service at
// the ends of iterations and branches.
func (f *frame) aside(e Event) int64 { return f.run.record(f.last, e) }

// taskEvents holds the types and the resource of a Task state's events. Events for a
// function's own ARN are named after Lambda.
type taskEvents struct {
	prefix                 string
	scheduled, started     string
	succeeded, failed      string
	timedOut               string
	resource, resourceType string
	submitted              bool // .sync and .waitForTaskToken have an additional event
	token                  bool // .waitForTaskToken and activities end by their token
}

func newTaskEvents(arn string) taskEvents {
	t := taskEvents{resource: arn, prefix: "Task"}
	switch {
	case strings.Contains(arn, ":lambda:") && strings.Contains(arn, ":function:"):
		t.prefix = "LambdaFunction"
	case strings.Contains(arn, ":activity:"):
		t.prefix, t.token = "Activity", true
	default:
		if rest, ok := Integration(arn); ok {
			i := strings.LastIndex(rest, ":")
			if strings.HasSuffix(rest, ".sync:2") {
				i = strings.LastIndex(rest[:i], ":")
			}
			t.resourceType, t.resource = rest[:max(i, 0)], rest[i+1:]
		}
		t.submitted = strings.Contains(t.resource, ".")
		t.token = strings.HasSuffix(t.resource, ".waitForTaskToken")
	}
	t.scheduled, t.started = t.prefix+"Scheduled", t.prefix+"Started"
	t.succeeded, t.failed, t.timedOut = t.prefix+"Succeeded", t.prefix+"Failed", t.prefix+"TimedOut"
	return t
}
