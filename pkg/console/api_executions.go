package console

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

func (c *Console) apiExecutions(r *http.Request) (any, error) {
	return map[string]any{"executions": c.o.Recorder.Executions(executionFilter(r), limit(r))}, nil
}

func executionFilter(r *http.Request) func(*Execution) bool {
	q := r.URL.Query()
	machine, status, search := q.Get("machine"), q.Get("status"), strings.ToLower(q.Get("q"))
	return func(e *Execution) bool {
		return (machine == "" || e.Machine == machine) && (status == "" || e.Status == status) &&
			(search == "" || strings.Contains(strings.ToLower(e.ARN+" "+e.Status+" "+e.Error+" "+e.Cause), search))
	}
}

// An ExecutionView holds everything that is shown about one execution.
type ExecutionView struct {
	Execution
	Input      json.RawMessage   `json:"input"`
	Output     json.RawMessage   `json:"output,omitempty"`
	Definition string            `json:"definition"`
	Visits     []Visit           `json:"visits"`
	History    []json.RawMessage `json:"history"`
	// LeftOut is the number of events in the middle that did not fit.
	LeftOut int `json:"leftOut,omitempty"`
}

func (c *Console) execution(r *http.Request) (Execution, error) {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil {
		return Execution{}, notFound("execution")
	}
	e, ok := c.o.Recorder.Execution(id)
	if !ok {
		return e, notFound("execution: it never existed, or is too old to be kept")
	}
	return e, nil
}

func (c *Console) apiExecution(r *http.Request) (any, error) {
	e, err := c.execution(r)
	if err != nil {
		return nil, err
	}
	v := ExecutionView{Execution: e, Input: asJSON(e.input), Output: asJSON(e.output), Definition: e.definition, Visits: e.Visits()}
	v.History, v.LeftOut = e.History()
	return v, nil
}

func (c *Console) apiEnd(r *http.Request) (any, error) {
	e, err := c.execution(r)
	if err != nil {
		return nil, err
	}
	if !c.o.Engine.End(e.ARN) {
		return nil, refusal{http.StatusConflict, "the execution has already ended"}
	}
	return map[string]any{"ended": true}, nil
}

func (c *Console) machine(r *http.Request) (Machine, error) {
	m, ok := c.o.Engine.Machine(r.PathValue("name"))
	if !ok {
		return m, notFound("state machine")
	}
	return m, nil
}

func (c *Console) apiMachine(r *http.Request) (any, error) { return c.machine(r) }

func (c *Console) apiRun(r *http.Request) (any, error) {
	m, err := c.machine(r)
	if err != nil {
		return nil, err
	}
	var in struct {
		Input json.RawMessage `json:"input"`
	}
	if err := readJSON(r, &in); err != nil {
		return nil, err
	}
	arn, err := c.o.Engine.Start(m.Name, in.Input)
	if err != nil {
		return nil, err
	}
	return map[string]any{"executionArn": arn, "id": c.executionOf(r.Context(), arn)}, nil
}

// executionOf returns the number of an execution that was started just now, once it is
// recorded; 0 if it is not.
func (c *Console) executionOf(ctx context.Context, arn string) int {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	changes, stop := c.o.Recorder.Watch()
	defer stop()
	for {
		for _, e := range c.o.Recorder.Executions(func(e *Execution) bool { return e.ARN == arn }, 1) {
			return e.ID
		}
		select {
		case <-ctx.Done():
			return 0
		case <-changes:
		}
	}
}

// apiTest runs one state of a state machine by itself.
func (c *Console) apiTest(r *http.Request) (any, error) {
	m, err := c.machine(r)
	if err != nil {
		return nil, err
	}
	var in StateTest
	if err := readJSON(r, &in); err != nil {
		return nil, err
	}
	return c.o.Engine.TestState(r.Context(), m.Name, in)
}
