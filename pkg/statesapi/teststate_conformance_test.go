package statesapi

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/internal/shared"
	"github.com/expressway-dev/expressway/pkg/asl/tasks"
)

// A recordedTest is a recorded call of testState.
type recordedTest struct {
	recorded
	QueryLanguage string `json:"query_language"`
	InputOmitted  bool   `json:"input_omitted"`
	Mocks         map[string]struct {
		Kind    string
		Payload any
	}
	Expect struct {
		Status, Error, Cause string
		Output               any
		NextState            string         `json:"next_state"`
		InspectionData       map[string]any `json:"inspection_data"`
		APIError             *struct {
			Code, Message string
			HTTPStatus    int `json:"http_status"`
		} `json:"api_error"`
	}
}

// testState answers as AWS did, with every member. The score goes up only.
func TestConformanceTestState(t *testing.T) {
	t.Parallel()
	var list []recordedTest
	if err := json.Unmarshal(shared.Read(t, "conformance/cases/teststate.json"), &list); err != nil {
		t.Fatal(err)
	}
	floors := map[string]int{"JSONPath": 61, "JSONata": 63}
	scores := map[string]*score{"JSONPath": {}, "JSONata": {}}
	for _, c := range list {
		scores[c.QueryLanguage].count(t, c.recorded, c.run(t))
	}
	for language, s := range scores {
		t.Logf("%s: %d of %d", language, s.passed, s.total)
		if s.passed < floors[language] {
			t.Errorf("%s: score = %d of %d, want at least %d", language, s.passed, s.total, floors[language])
		}
	}
}

// request is the call as it was sent: the recording has its texts parsed.
func (c *recordedTest) request(t *testing.T) map[string]any {
	t.Helper()
	request := map[string]any{}
	for name, v := range c.Request {
		switch name {
		case "role_arn_given":
			request["roleArn"] = "arn:aws:iam::" + recordedAccount + ":role/test"
		case "context", "variables":
			request[name] = must(t, v)
		default:
			request[name] = v
		}
	}
	request["definition"] = c.definition()
	if !c.InputOmitted {
		request["input"] = string(c.Input)
	}
	return request
}

func (c *recordedTest) run(t *testing.T) string {
	t.Helper()
	tasks := tasks.Funcs{}
	for name, m := range c.Mocks {
		tasks[name] = func(context.Context, any) (any, error) { return m.Payload, nil }
	}
	h := NewHandler(newService(t, Options{
		Account: recordedAccount, UUID: randomUUIDs(),
		Tasks: tasks,
	}, passDefinition), HandlerOptions{})
	status, _, got := post(t, h, "TestState", must(t, c.request(t)))
	if want := c.Expect.APIError; want != nil {
		kind, _ := got["__type"].(string)
		if status != want.HTTPStatus || !strings.HasSuffix(kind, "#"+want.Code) || got["message"] != want.Message {
			return fmt.Sprintf("answer = %d %s, want %s: %s", status, must(t, got), want.Code, want.Message)
		}
		return ""
	}
	want := map[string]any{"status": c.Expect.Status}
	for name, v := range map[string]string{"error": c.Expect.Error, "cause": c.Expect.Cause, "nextState": c.Expect.NextState} {
		if v != "" {
			want[name] = v
		}
	}
	if c.Expect.Output != nil {
		want["output"] = c.Expect.Output
	}
	if c.Expect.InspectionData != nil {
		want["inspectionData"] = c.Expect.InspectionData
	}
	// The recorder parsed the texts.
	parseText(t, got, "output")
	if data, ok := got["inspectionData"].(map[string]any); ok {
		for name := range data {
			parseText(t, data, name)
		}
	}
	if !matches(c.Tokens, want, normal(t, got)) {
		return fmt.Sprintf("answer = %d %s\n want %s", status, must(t, got), must(t, want))
	}
	return ""
}

func parseText(t *testing.T, o map[string]any, name string) {
	t.Helper()
	text, ok := o[name].(string)
	if !ok {
		return
	}
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Errorf("the member %s = %q is not JSON: %v", name, text, err)
	}
	o[name] = v
}
