package asl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A run is one execution.
type run struct {
	env     Environment
	ex      Execution
	input   any
	started time.Time
	history history
	steps   atomic.Int64
}

// A frame is where an execution is: in a machine, a branch or an iteration.
type frame struct {
	run     *run
	vars    *scope
	state   *state
	entered int64 // the event id of the current state's entry
	last    int64 // the id of the flow's last event
	since   time.Time
	retries int
	item    *mapItem
	// token is $$.Task.Token of the current state, once something has asked for it.
	token string
	// assigned are the variables that the current state set.
	assigned *jsonata.Object
}

type mapItem struct {
	index int
	value any
}

// A scope holds the variables of a flow; inner flows see outer ones.
type scope struct {
	outer  *scope
	values map[string]any
}

func (s *scope) get(name string) (any, bool) {
	for ; s != nil; s = s.outer {
		if v, ok := s.values[name]; ok {
			return v, true
		}
	}
	return nil, false
}

func (s *scope) set(name string, v any) {
	if s.values == nil {
		s.values = map[string]any{}
	}
	s.values[name] = v
}

// Run executes the machine. It ends by the machine's own end, at the limit of five
// minutes, or soon after ctx ends; then the Result is TIMED_OUT.
func (m *Machine) Run(ctx context.Context, env Environment, ex Execution) Result {
	r := &run{env: env.withDefaults(), ex: ex}
	r.started = ex.StartTime
	if r.started.IsZero() {
		r.started = r.env.Now()
	}
	text := ex.Input
	if len(text) == 0 {
		text = []byte("{}")
	}
	input, err := jsonata.Decode(text)
	if err != nil {
		return Result{Status: Failed, Error: "States.Runtime", Cause: "The input is not JSON: " + err.Error(), HasError: true, HasCause: true}
	}
	r.input = input
	limit := maxDuration
	if m.timeout > 0 {
		limit = min(limit, time.Duration(m.timeout)*time.Second)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	started := Event{Type: "ExecutionStarted"}
	if r.env.Observe != nil {
		started.Input = jsonata.NewRaw(text) // as it was sent
	}
	r.record(0, started)
	f := &frame{run: r, vars: &scope{}}
	output, failure := f.flow(ctx, m.flow, input)
	if ctx.Err() != nil && (failure != nil || errors.Is(ctx.Err(), context.DeadlineExceeded)) {
		f.record(Event{Type: "ExecutionTimedOut", Error: "States.Timeout"})
		return Result{Status: TimedOut, Error: "States.Timeout", HasError: true}
	}
	if failure != nil {
		f.record(Event{Type: "ExecutionFailed", Error: failure.Name, Cause: failure.Cause})
		return Result{
			Status: Failed, Error: failure.Name, Cause: failure.Cause,
			HasError: failure.Name != "", HasCause: failure.Cause != "",
		}
	}
	out, err := jsonata.AppendJSON(nil, output)
	if err != nil {
		return Result{Status: Failed, Error: "States.Runtime", Cause: err.Error(), HasError: true, HasCause: true}
	}
	f.record(Event{Type: "ExecutionSucceeded", Output: output})
	return Result{Status: Succeeded, Output: out}
}

func (f *frame) where() string {
	return fmt.Sprintf("An error occurred while executing the state '%s' (entered at the event id #%d). ", f.state.name, f.entered)
}

// runtime is a States.Runtime error of the interpreter: it ends the execution,
// whatever Retry and Catch say, even one that names it.
func (f *frame) runtime(cause string) *Error {
	return &Error{Name: "States.Runtime", Cause: f.where() + cause, fatal: true}
}

func (f *frame) flow(ctx context.Context, fl *flow, input any) (any, *Error) {
	name := fl.start
	for {
		if err := ctx.Err(); err != nil {
			return nil, &Error{Name: "States.Timeout", fatal: true}
		}
		if f.run.steps.Add(1) > maxTransitions {
			return nil, &Error{Name: "States.Runtime", Cause: fmt.Sprintf("The local engine ends an execution after %d transitions; this one seems to loop.", maxTransitions), fatal: true}
		}
		f.state, f.retries, f.assigned, f.token = fl.states[name], 0, nil, ""
		f.entered = f.record(Event{Type: f.state.entered, Name: name, Input: input})
		f.since = f.run.env.Now()
		output, next, err := f.attempt(ctx, input)
		if err != nil {
			if context.Cause(ctx) == errSibling && f.state.aborted != "" {
				f.record(Event{Type: f.state.aborted})
			}
			return nil, err
		}
		f.record(Event{Type: f.state.exited, Name: name, Output: output, Assigned: f.assigned})
		if next == "" {
			return output, nil
		}
		name, input = next, output
	}
}

// attempt runs the current state with its retries and catches.
func (f *frame) attempt(ctx context.Context, input any) (output any, next string, _ *Error) {
	s := f.state
	counts := make([]int, len(s.retry))
	for {
		output, next, err := f.step(ctx, input)
		if err == nil {
			return output, next, nil
		}
		if err.fatal || ctx.Err() != nil {
			return nil, "", err
		}
		if wait, again := f.retryAfter(s, counts, err); again {
			f.retries++
			if f.run.env.Sleep(ctx, wait) != nil {
				return nil, "", err
			}
			continue
		}
		if s.failed != "" {
			f.record(Event{Type: s.failed})
		}
		for _, c := range s.catch {
			if catches(c.errors, err.Name) {
				return f.caught(c, input, err)
			}
		}
		return nil, "", err
	}
}

// catches matches names as [Retry and Catch] do: States.ALL every name (recorded
// also for States.DataLimitExceeded, whatever the guide says), States.TaskFailed all
// but time-outs.
//
// [Retry and Catch]: https://states-language.net/spec.html#errors
func catches(list []string, name string) bool {
	for _, e := range list {
		switch e {
		case name:
			return true
		case "States.ALL":
			if name != "States.Runtime" {
				return true
			}
		case "States.TaskFailed":
			if name != "States.Timeout" && name != "States.Runtime" {
				return true
			}
		}
	}
	return false
}

func (f *frame) retryAfter(s *state, counts []int, err *Error) (time.Duration, bool) {
	for i, r := range s.retry {
		if !catches(r.errors, err.Name) {
			continue
		}
		if counts[i] >= r.attempts {
			return 0, false
		}
		seconds := float64(r.interval) * math.Pow(r.backoff, float64(counts[i]))
		if r.maxDelay > 0 {
			seconds = min(seconds, float64(r.maxDelay))
		}
		seconds = min(seconds, maxDuration.Seconds()) // no execution is longer
		if r.jitter {
			seconds *= f.run.env.Rand()
		}
		counts[i]++
		return time.Duration(seconds * float64(time.Second)), true
	}
	return 0, false
}

// object is what catchers put into the state's input.
func (e *Error) object() *jsonata.Object {
	o := jsonata.NewObject(2)
	for _, field := range [...]struct{ name, text string }{{"Error", e.Name}, {"Cause", e.Cause}} {
		if field.text == "" {
			o.Set(field.name, nil) // as recorded of a callback that gave neither
		} else {
			o.Set(field.name, field.text)
		}
	}
	return o
}

func (f *frame) caught(c *catcher, input any, err *Error) (any, string, *Error) {
	failure := err.object()
	assigned, e := f.compute(c.assign, failure)
	if e != nil {
		return nil, "", e
	}
	output, e := f.place(c.resultPath, c.noResult, input, failure)
	f.set(assigned)
	return output, c.next, e
}

// step runs the current state once, through the stages that the specification
// gives: InputPath, Parameters, the state itself, ResultSelector, ResultPath, OutputPath.
func (f *frame) step(ctx context.Context, raw any) (output any, next string, err *Error) {
	s := f.state
	input, err := f.project(s.inputPath, s.noInput, raw)
	if err != nil {
		return nil, "", err
	}
	if s.kind == "Choice" {
		return f.choose(raw, input)
	}
	effective := input
	if s.parameters != nil {
		if effective, err = s.parameters.eval(f, input); err != nil {
			return nil, "", err
		}
	}
	result := effective
	switch s.kind {
	case "Pass":
		if s.hasResult {
			result = s.result
		}
	case "Succeed":
	case "Fail":
		return nil, "", f.fail(input)
	case "Wait":
		err = f.wait(ctx, input)
	case "Task":
		result, err = f.task(ctx, input, effective)
	case "Parallel":
		result, err = f.parallel(ctx, effective)
	case "Map":
		result, err = f.mapItems(ctx, input)
	}
	if err != nil {
		return nil, "", err
	}
	switch s.kind {
	case "Task", "Parallel", "Map":
		if s.selector != nil {
			if result, err = s.selector.eval(f, result); err != nil {
				return nil, "", err
			}
		}
	}
	// Assign is computed from the result, and takes effect after the state's output
	// was made: the output still sees the old values.
	assigned, err := f.compute(s.assign, result)
	if err != nil {
		return nil, "", err
	}
	switch s.kind {
	case "Task", "Parallel", "Map", "Pass":
		if result, err = f.place(s.resultPath, s.noResult, raw, result); err != nil {
			return nil, "", err
		}
	}
	output, err = f.project(s.outputPath, s.noOutput, result)
	if err != nil {
		return nil, "", err
	}
	if !same(output, raw) {
		if err := f.check(output); err != nil {
			return nil, "", err
		}
	}
	f.set(assigned)
	return output, s.next, nil
}

// check refuses a value that is larger than states may pass on.
func (f *frame) check(v any) *Error {
	ok, valid := fits(v, maxData)
	switch {
	case !valid:
		return f.runtime("The value is not JSON.")
	case !ok:
		return f.dataLimit()
	}
	return nil
}

func (f *frame) dataLimit() *Error {
	what := f.state.name
	if f.state.kind == "Task" {
		what = taskName(f.state.resource)
	}
	return &Error{Name: "States.DataLimitExceeded", Cause: "The state/task '" + what + "' returned a result with a size exceeding the maximum number of bytes service limit."}
}

func (f *frame) project(path *source, null bool, v any) (any, *Error) {
	switch {
	case null:
		return jsonata.NewObject(0), nil
	case path == nil:
		return v, nil
	}
	out, ok := path.eval(f, v)
	if !ok {
		return nil, invalidPath(f, path, v)
	}
	return out, nil
}

func (f *frame) place(path *source, null bool, input, result any) (any, *Error) {
	switch {
	case null:
		return input, nil
	case path == nil:
		return result, nil
	}
	out, err := path.path.Set(input, result)
	if err != nil {
		return nil, &Error{Name: "States.ResultPathMatchFailure", Cause: f.where() + err.Error()}
	}
	return out, nil
}

// compute evaluates an Assign field; all values are computed before any is set.
func (f *frame) compute(t *template, v any) (*jsonata.Object, *Error) {
	if t == nil {
		return nil, nil
	}
	out, err := t.eval(f, v)
	if err != nil {
		return nil, err
	}
	o, ok := out.(*jsonata.Object)
	if !ok {
		return nil, f.runtime("Assign must be an object")
	}
	return o, f.check(o)
}

func (f *frame) set(o *jsonata.Object) {
	f.assigned = o
	for i := range o.Len() {
		f.vars.set(o.At(i))
	}
}

func (f *frame) choose(raw, input any) (any, string, *Error) {
	s := f.state
	next, chosen := s.defaultNext, s.assign
	for _, r := range s.rules {
		ok, err := r.holds(f, input)
		if err != nil {
			return nil, "", err
		}
		if ok {
			next = r.next
			if r.assign != nil {
				chosen = r.assign
			}
			break
		}
	}
	if next == "" {
		return nil, "", &Error{Name: "States.NoChoiceMatched", Cause: f.where() + "Failed to transition out of the state. The state's choices did not match the input and it has no Default."}
	}
	assigned, err := f.compute(chosen, input)
	if err != nil {
		return nil, "", err
	}
	output, err := f.project(s.outputPath, s.noOutput, input)
	f.set(assigned)
	return output, next, err
}

func (f *frame) fail(input any) *Error {
	e := &Error{}
	for _, field := range []struct {
		from *template
		to   *string
		name string
	}{{f.state.errorText, &e.Name, "ErrorPath"}, {f.state.causeText, &e.Cause, "CausePath"}} {
		if field.from == nil {
			continue
		}
		v, err := field.from.eval(f, input)
		if err != nil {
			return err
		}
		text, ok := jsonata.Force(v).(string)
		if !ok {
			return f.runtime(fmt.Sprintf("The %s field must refer to text", field.name))
		}
		*field.to = text
	}
	return e
}

func (f *frame) wait(ctx context.Context, input any) *Error {
	s := f.state
	var d time.Duration
	seconds := s.seconds
	switch {
	case s.secondsPath != nil:
		v, ok := s.secondsPath.eval(f, input)
		if !ok {
			return f.runtime("The SecondsPath parameter does not reference an input value: " + s.secondsPath.text)
		}
		v = jsonata.Force(v)
		text, _ := jsonata.AppendJSON(nil, v)
		n, isNumber := v.(json.Number)
		i, err := strconv.ParseInt(string(n), 10, 64)
		if !isNumber || err != nil {
			return f.runtime(fmt.Sprintf("The SecondsPath parameter cannot be parsed as a long value: %s == %s", s.secondsPath.text, text))
		}
		if i < 0 {
			return f.runtime(fmt.Sprintf("The SecondsPath parameter references a negative value: %s == %s", s.secondsPath.text, text))
		}
		seconds = n
	case s.timestampPath != nil, s.timestamp != "":
		var v any = s.timestamp
		if s.timestampPath != nil {
			var ok bool
			if v, ok = s.timestampPath.eval(f, input); !ok {
				return f.runtime("The TimestampPath parameter does not reference an input value: " + s.timestampPath.text)
			}
		}
		t, ok := timestamp(jsonata.Force(v))
		if !ok {
			text, isText := v.(string)
			if !isText {
				b, _ := jsonata.AppendJSON(nil, v)
				text = string(b)
			}
			return f.runtime(fmt.Sprintf("The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string: %s == %s", s.timestampPath.text, text))
		}
		d = t.Sub(f.run.env.Now())
	}
	if seconds != "" {
		i, _ := strconv.ParseInt(string(seconds), 10, 64)
		d = time.Duration(min(i, int64(2*maxDuration/time.Second))) * time.Second
	}
	if d > 0 && f.run.env.Sleep(ctx, d) != nil {
		return &Error{Name: "States.Timeout", fatal: true}
	}
	return nil
}

// contextObject is $$, made when something looks at it.
func (f *frame) contextObject() any {
	ex := &f.run.ex
	const layout = "2006-01-02T15:04:05.000Z"
	execution := jsonata.NewObject(6)
	execution.Set("Id", ex.ARN)
	execution.Set("Input", f.run.input)
	execution.Set("Name", ex.Name)
	execution.Set("RoleArn", ex.RoleARN)
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
	if f.state.kind == "Task" {
		st.Set("RetryCount", json.Number(strconv.Itoa(f.retries)))
	}
	o := jsonata.NewObject(4)
	o.Set("Execution", execution)
	o.Set("StateMachine", machine)
	o.Set("State", st)
	if strings.HasSuffix(f.state.resource, ".waitForTaskToken") {
		if f.token == "" {
			f.token = f.run.env.UUID()
		}
		task := jsonata.NewObject(1)
		task.Set("Token", f.token)
		o.Set("Task", task)
	}
	if f.item != nil {
		item := jsonata.NewObject(2)
		item.Set("Index", json.Number(strconv.Itoa(f.item.index)))
		item.Set("Value", f.item.value)
		m := jsonata.NewObject(1)
		m.Set("Item", item)
		o.Set("Map", m)
	}
	return o
}
