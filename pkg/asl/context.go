package asl

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A contextPart is a member of the context object, or several of them.
type contextPart uint8

const (
	executionPart contextPart = 1 << iota
	machinePart
	statePart
	taskPart
	mapPart
	wholeContext = executionPart | machinePart | statePart | taskPart | mapPart
)

var contextParts = map[string]contextPart{
	"Execution": executionPart, "StateMachine": machinePart, "State": statePart, "Task": taskPart, "Map": mapPart,
}

// contextPartOf returns the part of the context object that has a name. The context of a
// test may have members of its own.
func contextPartOf(name string) contextPart {
	if part, ok := contextParts[name]; ok {
		return part
	}
	return wholeContext
}

// contextObject returns $$, or $states.context in JSONata, with the given parts. It is
// created when it is first used.
func (f *frame) contextObject(parts contextPart) any {
	o := f.testContext()
	if o == nil {
		o = f.ownContext(parts)
	}
	if f.inMap && parts&mapPart != 0 {
		item := jsonata.NewObject(4)
		item.Set("Index", json.Number(strconv.Itoa(f.item.index)))
		if f.item.keyed {
			item.Set("Key", f.item.key)
		}
		item.Set("Value", f.item.value)
		item.Set("Source", f.item.source)
		m := jsonata.NewObject(1)
		m.Set("Item", item)
		o.Set("Map", m)
	}
	return o
}

// testContext returns the context object that a test of a state was given, with only the
// item of a Map added, or nil if there is none.
func (f *frame) testContext() *jsonata.Object {
	if f.run.test == nil || f.run.test.in.Context == nil {
		return nil
	}
	given := f.run.test.in.Context
	o := jsonata.NewObject(given.Len() + 1)
	for i := range given.Len() {
		o.Set(given.At(i))
	}
	return o
}

const contextTime = "2006-01-02T15:04:05.000Z"

// executionContext returns the parts of the context object that stay the same.
func (r *run) executionContext() (execution, machine *jsonata.Object) {
	r.contextOnce.Do(func() {
		ex := &r.ex
		execution := jsonata.NewObject(6)
		execution.Set("Id", ex.ARN)
		execution.Set("Input", r.input)
		execution.Set("Name", ex.Name)
		execution.Set("RoleArn", ex.RoleARN)
		if ex.RoleARN == "" && r.test != nil {
			execution.Set("RoleArn", nil) // a state may be tested without one
		}
		execution.Set("StartTime", r.started.UTC().Format(contextTime))
		if !ex.Sync {
			execution.Set("RedriveCount", json.Number("0"))
		}
		machine := jsonata.NewObject(2)
		machine.Set("Id", ex.StateMachineARN)
		machine.Set("Name", ex.StateMachineName)
		r.execution, r.machine = execution, machine
	})
	return r.execution, r.machine
}

// ownContext returns parts of the context object of an execution, apart from the item of a
// Map.
func (f *frame) ownContext(parts contextPart) *jsonata.Object {
	o := jsonata.NewObject(4)
	if parts&(executionPart|machinePart) != 0 {
		execution, machine := f.run.executionContext()
		if parts&executionPart != 0 {
			o.Set("Execution", execution)
		}
		if parts&machinePart != 0 {
			o.Set("StateMachine", machine)
		}
	}
	if parts&statePart != 0 {
		st := jsonata.NewObject(3)
		st.Set("Name", f.state.name)
		st.Set("EnteredTime", f.since.UTC().Format(contextTime))
		if f.state.hasOwnResult() { // the types that may have a Retry
			st.Set("RetryCount", json.Number(strconv.Itoa(f.retries)))
		}
		o.Set("State", st)
	}
	if parts&taskPart != 0 && strings.HasSuffix(f.state.resource, ".waitForTaskToken") {
		task := jsonata.NewObject(1)
		task.Set("Token", f.taskToken())
		o.Set("Task", task)
	}
	return o
}
