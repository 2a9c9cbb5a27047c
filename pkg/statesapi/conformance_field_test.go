package statesapi

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/internal/shared"
	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/asl/tasks"
)

// A fieldCase is an answer of the service that somebody measured and published; the
// folder's README has the fields.
type fieldCase struct {
	recorded
	InputRaw   *string `json:"input_raw"`
	Compare    []string
	Confidence string
	Unordered  bool `json:"diagnostics_unordered"`
	Mocks      map[string]struct {
		Kind, ErrorType, ErrorMessage string
		Payload                       any
	}
	Expect map[string]any
}

// fieldExceptions are the cases that are not met, and why.
var fieldExceptions = map[string]string{}

// fieldFloor is the share of the cases that must be met, in percent.
const fieldFloor = 98

// Measurements of the service by others are reproduced here: executions, tests of one
// state, definitions that are refused, refused calls. Cases that were not measured
// (confidence "low") are run and counted apart.
func TestConformanceField(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(shared.Path(t, "conformance-field", "cases"), "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no cases to read: %v", err)
	}
	var all, low score
	for _, file := range files {
		var list []fieldCase
		if err := json.Unmarshal(shared.Read(t, "conformance-field", "cases", filepath.Base(file)), &list); err != nil {
			t.Fatalf("read the cases of %s: %v", file, err)
		}
		var area score
		for _, c := range list {
			problem := c.run(t)
			if c.Confidence == "low" {
				low.add(problem)
				continue
			}
			all.add(problem)
			area.add(problem)
			switch _, excepted := fieldExceptions[c.ID]; {
			case problem != "" && !excepted:
				t.Errorf("%s: %s", c.ID, problem)
			case problem == "" && excepted:
				t.Errorf("%s is met now: remove it from the exceptions", c.ID)
			}
		}
		t.Logf("%-25s %d/%d", strings.TrimSuffix(filepath.Base(file), ".json"), area.passed, area.total)
	}
	t.Logf("not measured: %d/%d", low.passed, low.total)
	all.atLeast(t, "field", (all.total*fieldFloor+99)/100)
}

// run returns how the answer differs, or "" if it does not.
func (c *fieldCase) run(t *testing.T) string {
	t.Helper()
	h := NewHandler(newService(t, Options{Account: "123456789012", UUID: randomUUIDs(), Tasks: c.tasks()}, passDefinition), HandlerOptions{})
	switch c.Kind {
	case "create_validation":
		return c.validation(t, h)
	case "test_state":
		request := map[string]any{"definition": c.definition(), "roleArn": roleARN, "input": c.input()}
		for name, v := range c.Request {
			request[name] = v
		}
		_, _, got := post(t, h, "TestState", must(t, request))
		return c.ended(t, got)
	case "execution", "intrinsic", "sync":
		_, _, created := post(t, h, "CreateStateMachine", must(t, map[string]any{
			"name": "m", "definition": c.definition(), "roleArn": roleARN, "type": Express,
		}))
		if created["stateMachineArn"] == nil {
			return "refused: " + must(t, created)
		}
		_, _, got := post(t, h, "StartSyncExecution", must(t, map[string]any{
			"stateMachineArn": created["stateMachineArn"], "input": c.input(),
		}))
		return c.ended(t, got)
	case "api_error":
		c.Request["roleArn"], c.Request["name"] = roleARN, "m"
		_, _, got := post(t, h, c.Operation, must(t, c.Request))
		want := c.Expect["api_error"].(map[string]any)
		kind, _ := got["__type"].(string)
		if !strings.HasSuffix(kind, "#"+want["code"].(string)) || !matches(c.Tokens, want["message"], got["message"]) {
			return fmt.Sprintf("answer = %s, want %s", must(t, got), must(t, want))
		}
		return ""
	}
	return "unknown kind " + c.Kind
}

func (c *fieldCase) input() string {
	switch {
	case c.InputRaw != nil:
		return *c.InputRaw
	case c.Input != nil:
		return string(c.Input)
	}
	return "{}"
}

func (c *fieldCase) tasks() asl.TaskRunner {
	funcs := tasks.Funcs{}
	for name, m := range c.Mocks {
		funcs[name] = func(_ context.Context, payload any) (any, error) {
			switch m.Kind {
			case "echo":
				return payload, nil
			case "raise":
				return nil, &asl.Error{Name: m.ErrorType, Cause: m.ErrorMessage}
			}
			return m.Payload, nil
		}
	}
	return funcs
}

// validation compares what is said of a definition, by the operation that was asked.
func (c *fieldCase) validation(t *testing.T, h *Handler) string {
	t.Helper()
	if c.Expect["error"] != nil {
		_, _, got := post(t, h, "CreateStateMachine", must(t, map[string]any{"name": "m", "definition": c.definition(), "roleArn": roleARN, "type": c.MachineType}))
		kind, _ := got["__type"].(string)
		if !strings.HasSuffix(kind, "#"+c.Expect["error"].(string)) || !matches(c.Tokens, c.Expect["message"], got["message"]) {
			return fmt.Sprintf("answer = %s, want %s", must(t, got), c.Expect["message"])
		}
		return ""
	}
	_, _, got := post(t, h, "ValidateStateMachineDefinition", must(t, map[string]any{"definition": c.definition(), "type": c.MachineType}))
	want, found := c.Expect["diagnostics"].([]any), normal(t, got["diagnostics"]).([]any)
	if c.Unordered {
		byText := func(a, b any) int { return strings.Compare(messageOf(a), messageOf(b)) }
		slices.SortFunc(want, byText)
		slices.SortFunc(found, byText)
	}
	if got["result"] != c.Expect["result"] || !matches(c.Tokens, want, found) {
		return fmt.Sprintf("%s\n got  %s\n want %s", c.definition(), must(t, found), must(t, want))
	}
	return ""
}

func messageOf(d any) string {
	s, _ := d.(map[string]any)["message"].(string)
	return s
}

// ended compares how an execution ended, in the members that were seen.
func (c *fieldCase) ended(t *testing.T, got map[string]any) string {
	t.Helper()
	for _, name := range c.Compare {
		want, found := c.Expect[name], got[name]
		if name == "output" && found != nil {
			var v any
			if err := json.Unmarshal([]byte(found.(string)), &v); err != nil {
				return fmt.Sprintf("output %s: %v", found, err)
			}
			found = v
		}
		if !matches(c.Tokens, want, normal(t, found)) {
			return fmt.Sprintf("%s = %s, want %s; answer = %s", name, must(t, found), must(t, want), must(t, got))
		}
	}
	return ""
}
