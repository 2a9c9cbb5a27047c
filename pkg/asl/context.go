package asl

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// contextObject returns $$, or $states.context in JSONata; it is created when it is first
// used.
func (f *frame) contextObject() any {
	o := f.testContext()
	if o == nil {
		o = f.ownContext()
	}
	if f.inMap {
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

// ownContext returns the context object of an execution, apart from the item of a Map.
func (f *frame) ownContext() *jsonata.Object {
	ex := &f.run.ex
	const layout = "2006-01-02T15:04:05.000Z"
	execution := jsonata.NewObject(6)
	execution.Set("Id", ex.ARN)
	execution.Set("Input", f.run.input)
	execution.Set("Name", ex.Name)
	execution.Set("RoleArn", ex.RoleARN)
	if ex.RoleARN == "" && f.run.test != nil {
		execution.Set("RoleArn", nil) // a state may be tested without one
	}
	execution.Set("StartTime", f.run.started.UTC().Format(layout))
	if !ex.Sync {
		execution.Set("RedriveCount", json.Number("0"))
	}
	machine := jsonata.NewObject(2)
	machine.Set("Id", ex.StateMachineARN)
	machine.Set("Name", ex.StateMachineName)
	st := jsonata.NewObject(3)
	st.Set("Name", f.state.name)
	st.Set("EnteredTime", f.since.UTC().Format(layout))
	if f.state.hasOwnResult() { // the types that may have a Retry
		st.Set("RetryCount", json.Number(strconv.Itoa(f.retries)))
	}
	o := jsonata.NewObject(4)
	o.Set("Execution", execution)
	o.Set("StateMachine", machine)
	o.Set("State", st)
	if strings.HasSuffix(f.state.resource, ".waitForTaskToken") {
		task := jsonata.NewObject(1)
		task.Set("Token", f.taskToken())
		o.Set("Task", task)
	}
	return o
}
