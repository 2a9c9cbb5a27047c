package console

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A Visit is one time that an execution was in a state.
type Visit struct {
	// ID is the id of the event that entered the state.
	ID int64 `json:"id"`
	// Parent is the visit of the Map or Parallel state around it; 0 if there is none.
	Parent int64 `json:"parent,omitempty"`
	// From is the visit that led to this one; 0 for the first of its graph.
	From int64 `json:"from,omitempty"`
	// Iteration is the index of the Map's item; -1 if there is none.
	Iteration int    `json:"iteration"`
	State     string `json:"state"`
	Type      string `json:"type"`
	// Status is running, succeeded, failed, caught or aborted.
	Status  string     `json:"status"`
	Entered time.Time  `json:"entered"`
	Left    *time.Time `json:"left,omitempty"`
	// Attempts are the attempts of a task, each with its arguments and its end.
	Attempts []Attempt `json:"attempts,omitempty"`
	// Items is the number of a Map's items, and Iterations says how each one that began has
	// ended.
	Items      int             `json:"items,omitempty"`
	Iterations []Iteration     `json:"iterations,omitempty"`
	Input      json.RawMessage `json:"input,omitempty"`
	Output     json.RawMessage `json:"output,omitempty"`
	// Assigned are the variables that the state set; Before and After are all variables at
	// its entry and at its exit.
	Assigned json.RawMessage `json:"assigned,omitempty"`
	Before   json.RawMessage `json:"variablesBefore,omitempty"`
	After    json.RawMessage `json:"variablesAfter,omitempty"`
	Error    string          `json:"error,omitempty"`
	Cause    string          `json:"cause,omitempty"`

	variables scope
}

// An Attempt is one call of a task.
type Attempt struct {
	Resource  string          `json:"resource"`
	Scheduled time.Time       `json:"scheduled"`
	Ended     *time.Time      `json:"ended,omitempty"`
	Arguments json.RawMessage `json:"arguments,omitempty"`
	Result    json.RawMessage `json:"result,omitempty"`
	Error     string          `json:"error,omitempty"`
	Cause     string          `json:"cause,omitempty"`
}

// Visits returns the states that the execution has been in, in order. Payloads that are
// too large to be shown are left out.
func (e Execution) Visits() []Visit {
	b := visitBuilder{at: make(map[int64]*Visit, len(e.events)), iteration: map[int64]int{}}
	for i := range e.events {
		b.add(&e.events[i])
	}
	list := make([]Visit, len(b.visits))
	for i, v := range b.visits {
		if v.Status == "running" && e.Stopped != nil {
			v.Status = "aborted"
			if e.Status == "TIMED_OUT" {
				v.Status = "failed"
			}
		}
		v.closeIterations()
		list[i] = *v
	}
	showVariables(list)
	return list
}

type visitBuilder struct {
	visits    []*Visit
	at        map[int64]*Visit // the visit that an event belongs to
	iteration map[int64]int    // of the iteration that an event is in, by event
}

func (b *visitBuilder) add(e *asl.Event) {
	before := b.at[e.PreviousID]
	if kind, ok := strings.CutSuffix(e.Type, "StateEntered"); ok {
		v := &Visit{ID: e.ID, State: e.Name, Type: kind, Status: "running", Entered: e.Time, Iteration: -1, Input: shown(e.Input)}
		if before != nil {
			if inside, ok := b.iteration[e.PreviousID]; ok {
				v.Parent, v.Iteration = before.ID, inside
			} else {
				v.Parent, v.Iteration, v.From = before.Parent, before.Iteration, before.ID
			}
			v.variables = v.inherit(before)
		}
		b.visits = append(b.visits, v)
		b.at[e.ID] = v
		return
	}
	if before == nil {
		return
	}
	if strings.HasPrefix(e.Type, "MapIteration") || strings.HasPrefix(e.Type, "MapState") || strings.HasPrefix(e.Type, "ParallelState") {
		around := b.container(before, e)
		if strings.HasSuffix(e.Type, "Failed") && before != around {
			b.failed(before, around, e)
		}
		before = around
		if status, ok := strings.CutPrefix(e.Type, "MapIteration"); ok && status != "Started" {
			around.iterationEnded(e.Index, strings.ToLower(status))
		}
	}
	b.at[e.ID] = before
	b.describe(before, e)
}

// container returns the visit of the Map or Parallel that an event is about; the event
// may follow one of a state inside it.
func (b *visitBuilder) container(v *Visit, e *asl.Event) *Visit {
	kind := "Map"
	if strings.HasPrefix(e.Type, "Parallel") {
		kind = "Parallel"
	}
	for at := v; at != nil; at = b.visit(at.Parent) {
		if at.Type == kind && (at.State == e.Name || e.Name == "" && at.Left == nil) {
			return at
		}
	}
	return v
}

func (b *visitBuilder) visit(id int64) *Visit {
	if id == 0 {
		return nil
	}
	return b.at[id]
}

func (b *visitBuilder) describe(v *Visit, e *asl.Event) {
	switch {
	case e.Type == "MapIterationStarted":
		b.iteration[e.ID] = e.Index
		v.Iterations = append(v.Iterations, Iteration{e.Index, "running"})
	case e.Type == "ParallelStateStarted":
		b.iteration[e.ID] = -1
	case e.Type == "MapStateStarted":
		v.Items = e.Length
	case strings.HasSuffix(e.Type, "StateExited"):
		left := e.Time
		v.Left, v.Output = &left, shown(e.Output)
		if e.Assigned.Len() > 0 {
			v.Assigned = shown(e.Assigned)
			v.variables = v.variables.assign(e.Assigned)
		}
		if v.Error != "" {
			v.Status = "caught"
		} else {
			v.Status = "succeeded"
		}
	case strings.HasSuffix(e.Type, "StateAborted"):
		left := e.Time
		v.Left, v.Status = &left, "aborted"
	case strings.HasSuffix(e.Type, "Scheduled"):
		v.Error, v.Cause = "", ""
		v.Attempts = append(v.Attempts, Attempt{Resource: resource(e), Scheduled: e.Time, Arguments: shown(e.Input)})
	case strings.HasPrefix(e.Type, "Execution"):
		b.executionEnded(v, e)
	default:
		v.outcome(e)
	}
}

// outcome records how a task, or a state as a whole, ended.
func (v *Visit) outcome(e *asl.Event) {
	failed := strings.HasSuffix(e.Type, "Failed") || strings.HasSuffix(e.Type, "TimedOut")
	succeeded := strings.HasSuffix(e.Type, "Succeeded")
	if n := len(v.Attempts); n > 0 && (failed || succeeded) && v.Attempts[n-1].Ended == nil {
		a := &v.Attempts[n-1]
		ended := e.Time
		a.Ended, a.Result, a.Error, a.Cause = &ended, shown(e.Output), e.Error, e.Cause
	}
	if failed && !strings.HasPrefix(e.Type, "MapIteration") {
		v.Error, v.Cause = e.Error, e.Cause
		if v.Error == "" {
			v.Error = "failed"
		}
	}
}

// executionEnded marks the states from which the end of the execution followed.
func (b *visitBuilder) executionEnded(v *Visit, e *asl.Event) {
	if e.Type == "ExecutionFailed" || e.Type == "ExecutionTimedOut" {
		b.failed(v, nil, e)
	}
}

// failed marks a state, and those around it up to the one that continues, as the origin
// of the failure.
func (b *visitBuilder) failed(v, upTo *Visit, e *asl.Event) {
	for at := v; at != upTo && at != nil; at = b.visit(at.Parent) {
		if at.Left != nil {
			continue
		}
		left := e.Time
		at.Left, at.Status = &left, "failed"
		if at.Error == "" {
			at.Error, at.Cause = e.Error, e.Cause
		}
	}
}

func resource(e *asl.Event) string {
	if e.ResourceType != "" {
		return e.ResourceType + ":" + e.Resource
	}
	return e.Resource
}

// shown returns a value as JSON, unless it is too large to be shown.
func shown(v any) json.RawMessage {
	if v == nil {
		return nil
	}
	b, err := jsonata.AppendJSON(nil, v)
	if err != nil {
		return nil
	}
	if len(b) > maxShown {
		return text("(" + size(len(b)) + ": too large to show)")
	}
	return b
}
