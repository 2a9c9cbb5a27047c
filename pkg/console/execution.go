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
	moments       moments
	events        []asl.Event // of the moments, in what [Recorder.Execution] returns
	last          any         // the value that was weighed last
}

// Observe is the callback for [statesapi.Options].
func (r *Recorder) Observe(record statesapi.ExecutionRecord, definition string) func(asl.Event) {
	machine := machineName(record.ExecutionARN)
	r.mu.Lock()
	e := r.execution()
	e.Machine, e.MachineARN, e.Name, e.Sync, e.TestCase = machine, record.StateMachineARN, record.Name, record.Sync, record.TestCase
	e.Status, e.Started, e.input = string(bridge.Running), record.StartDate, record.Input
	k := &keptExecution{id: r.nextID(), arn: record.ExecutionARN, definition: definition, running: e, bytes: perExecution + len(record.Input)}
	r.executions.push(k)
	r.byARN[k.arn] = k
	r.begun(k)
	for r.executions.len() > r.opts.Executions {
		r.dropExecution()
	}
	r.grow(k.bytes)
	r.changed(Change{"execution", k.id})
	r.mu.Unlock()
	return func(event asl.Event) { r.event(k, &event) }
}

// begun ties an execution to the delivery that started it and did not wait for it; the
// caller holds mu.
func (r *Recorder) begun(k *keptExecution) {
	from := r.awaited[k.arn]
	if from == nil {
		return
	}
	delete(r.awaited, k.arn)
	k.delivery = from.id
	r.edit(from, func(d *Delivery) {
		for i := range d.Records {
			if d.Records[i].ExecutionARN == k.arn {
				d.Records[i].Execution = k.id
			}
		}
	})
	r.changed(Change{"delivery", from.id})
}

// perExecution is the size of an execution without its values, and perEvent that of an
// event, until they are packed.
const (
	perExecution = 500
	perEvent     = 300
)

func (r *Recorder) event(k *keptExecution, event *asl.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := k.running
	if k.dropped || e == nil {
		return
	}
	e.moments.add(event)
	n := perEvent + e.weigh(event.Input) + e.weigh(event.Output) + len(event.Cause)
	if event.Assigned != nil {
		n += e.weigh(event.Assigned)
	}
	k.bytes += n
	r.grow(n)
	if len(r.watchers) > 0 && !strings.HasSuffix(event.Type, "Scheduled") && !strings.HasSuffix(event.Type, "Started") {
		r.changed(Change{"execution", k.id})
	}
}

// weigh estimates the size of a value. A value that was weighed just before, such as a
// state's input that was its predecessor's output, counts as nothing.
func (e *Execution) weigh(v any) int {
	switch v := v.(type) {
	case nil, bool:
		return 0
	case *jsonata.Raw:
		if e.last == any(v) {
			return 0
		}
		e.last = v
		return len(v.Text())
	case *jsonata.Object:
		if e.last == any(v) {
			return 0
		}
		e.last = v
	}
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
	k := r.byARN[record.ExecutionARN]
	if k == nil || k.running == nil {
		return
	}
	e := k.running
	e.Status, e.Error, e.Cause, e.output = string(record.Status), record.Error, record.Cause, record.Output
	stopped := record.StopDate
	e.Stopped, e.last = &stopped, nil
	if e.Status != string(bridge.Succeeded) {
		k.failedState = failedState(e.moments.events())
		e.FailedState = k.failedState
	}
	k.bytes += len(e.output) + len(e.Cause)
	r.grow(len(e.output) + len(e.Cause))
	r.changed(Change{"execution", k.id})
	if !k.dropped {
		r.packExecution(k)
	}
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
		if e := all[i].snapshot(false); match == nil || match(&e) {
			list = append(list, e)
		}
	}
	return list
}

// Execution returns the execution with a number, with its steps so far.
func (r *Recorder) Execution(id int) (Execution, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, k := range r.executions.all() {
		if k.id == id {
			return k.snapshot(true), true
		}
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
	return events, e.moments.left
}
