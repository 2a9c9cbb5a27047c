package console

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/jsonata"
	"github.com/expressway-dev/expressway/pkg/statesapi"
)

// An Execution is one run of a state machine, and its steps.
type Execution struct {
	ID  int    `json:"id"`
	ARN string `json:"executionArn"`
	// Machine is the state machine's name, and MachineARN the ARN in the request.
	Machine    string     `json:"stateMachine"`
	MachineARN string     `json:"stateMachineArn"`
	Name       string     `json:"name"`
	Sync       bool       `json:"sync"`
	TestCase   string     `json:"testCase,omitempty"`
	Status     string     `json:"status"`
	Started    time.Time  `json:"started"`
	Stopped    *time.Time `json:"stopped,omitempty"`
	Error      string     `json:"error,omitempty"`
	Cause      string     `json:"cause,omitempty"`
	// FailedState is the state in which the failure happened.
	FailedState string `json:"failedState,omitempty"`
	// Delivery is the number of the delivery that started it; 0 if there is none.
	Delivery int `json:"delivery,omitempty"`

	input, output []byte
	definition    string
	list          eventList
	bytes         int         // while it runs
	stopped       time.Time   // while it is running or large
	events        []asl.Event // of the list, in what [Recorder.Execution] returns
	left          int         // of the list's events, that are not kept
}

// Observe is the callback for [statesapi.Options].
func (r *Recorder) Observe(record statesapi.ExecutionRecord, definition string) func(asl.Event) {
	machine := machineName(record.ExecutionARN)
	r.mu.Lock()
	e := r.execution()
	e.ARN, e.Machine, e.MachineARN, e.Name, e.Sync, e.TestCase = record.ExecutionARN, machine, record.StateMachineARN, record.Name, record.Sync, record.TestCase
	e.Status, e.Started, e.input = string(bridge.Running), record.StartDate, record.Input
	e.bytes = perExecution + len(record.Input)
	o := &observed{r.nextID(), e}
	k := keptExecution{id: o.id, definition: definition, name: nameOf(e.ARN), running: o}
	k.delivery = r.begun(e.ARN, k.id)
	r.executions.push(k)
	for r.executions.len() > r.opts.Executions {
		r.dropExecution()
	}
	r.grow(e.bytes)
	r.changed(Change{"execution", o.id})
	r.mu.Unlock()
	return func(event asl.Event) { r.event(o, &event) }
}

// begun ties an execution to the delivery that started it and did not wait for it, and
// returns the delivery's number; 0 if there is none. The caller holds mu.
func (r *Recorder) begun(arn string, id int) int {
	if len(r.awaited) == 0 {
		return 0
	}
	from, ok := r.awaited[arn]
	if !ok {
		return 0
	}
	delete(r.awaited, arn)
	r.editKept(from, func(d *Delivery) {
		for i := range d.Records {
			if d.Records[i].ExecutionARN == arn {
				d.Records[i].Execution = id
			}
		}
	})
	r.changed(Change{"delivery", from})
	return from
}

// perExecution is the size of an execution without its events, until it is packed.
const perExecution = 500

func (r *Recorder) event(o *observed, event *asl.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := o.execution
	if e == nil {
		return
	}
	n, fresh := e.list.add(event)
	for _, v := range fresh {
		n += weigh(v)
	}
	e.bytes += n
	r.grow(n)
	if len(r.watchers) > 0 && !strings.HasSuffix(event.Type, "Scheduled") && !strings.HasSuffix(event.Type, "Started") {
		r.changed(Change{"execution", o.id})
	}
}

// weigh estimates the size of a value.
func weigh(v any) int {
	budget := 4096
	return weight(v, &budget)
}

// weight visits the parts of a value until the budget is exhausted, and then estimates
// the rest.
func weight(v any, budget *int) int {
	*budget--
	if *budget < 0 {
		return 64
	}
	n := 16
	switch v := v.(type) {
	case string:
		n += len(v)
	case *jsonata.Raw:
		n += len(v.Text())
	case *jsonata.Object:
		for i := range v.Len() {
			name, member := v.At(i)
			n += len(name) + weight(member, budget)
		}
	case []any:
		for i, item := range v {
			if *budget < 0 {
				return n + 64*(len(v)-i)
			}
			n += weight(item, budget)
		}
	}
	return n
}

// OnExecution is the callback for [statesapi.Options].
func (r *Recorder) OnExecution(record statesapi.ExecutionRecord) {
	if record.Status == bridge.Running {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	k := r.keptNamed(record.ExecutionARN)
	if k == nil || k.running == nil {
		return
	}
	e := k.running.execution
	e.Status, e.Error, e.Cause, e.output = string(record.Status), record.Error, record.Cause, record.Output
	e.stopped = record.StopDate
	e.Stopped = &e.stopped
	if e.Status != string(bridge.Succeeded) {
		events, _ := e.list.events()
		e.FailedState = failedState(events)
		k.failed = e.FailedState != ""
	}
	r.changed(Change{"execution", k.id})
	n := len(e.output) + len(e.Cause)
	e.bytes += n
	r.bytes += n
	r.packExecution(k)
	r.grow(0) // if it was not packed
}

// failedState returns the innermost state from which the execution's end follows.
func failedState(events []asl.Event) string {
	if len(events) == 0 {
		return ""
	}
	byID := make(map[int64]*asl.Event, len(events))
	for i := range events {
		byID[events[i].ID] = &events[i]
	}
	end := &events[len(events)-1]
	// An aborted state was ended by another one; it is not where the failure happened.
	for at := byID[end.PreviousID]; at != nil; at = byID[at.PreviousID] {
		if strings.HasSuffix(at.Type, "StateEntered") {
			return at.Name
		}
	}
	return ""
}

// machineName is the state machine's name in an execution's ARN.
func machineName(executionARN string) string {
	rest := executionARN
	for range 6 {
		_, after, found := strings.Cut(rest, ":")
		if !found {
			return executionARN
		}
		rest = after
	}
	name, _, found := strings.Cut(rest, ":")
	if !found {
		return executionARN
	}
	return name
}

// Executions returns the executions that match, the latest first, at most limit of them,
// without their steps.
func (r *Recorder) Executions(match func(*Execution) bool, limit int) []Execution {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := []Execution{}
	all := r.executions.all()
	for i := len(all) - 1; i >= 0 && len(list) < limit; i-- {
		if e := r.snapshotExecution(&all[i], false); match == nil || match(&e) {
			list = append(list, e)
		}
	}
	return list
}

// Execution returns the execution with a number, with its steps so far.
func (r *Recorder) Execution(id int) (Execution, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if k := r.keptExecution(id); k != nil {
		return r.snapshotExecution(k, true), true
	}
	return Execution{}, false
}

// Input returns the execution's input, as JSON text.
func (e Execution) Input() json.RawMessage { return e.input }

// Output returns the execution's output; nil unless it has succeeded.
func (e Execution) Output() json.RawMessage { return e.output }

// Definition returns the state machine's definition when the execution began.
func (e Execution) Definition() string { return e.definition }

// History returns the recorded events in the service's form, and how many are left out in
// the middle.
func (e Execution) History() (events []json.RawMessage, left int) {
	events = make([]json.RawMessage, len(e.events))
	for i, event := range e.events {
		events[i] = text(event)
	}
	return events, e.left
}
