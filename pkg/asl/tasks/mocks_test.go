package tasks_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/internal/asltest"
	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/asl/tasks"
)

const mocks = `{
	"StateMachines": {"m": {"TestCases": {
		"retry": {"T": "ThirdTime", "U": "ThirdTime"},
		"never": {"T": "Never"},
		"other": {"U": "Never"}
	}}},
	"MockedResponses": {
		"ThirdTime": {"2": {"Return": {"ok": 1.0}}, "0-1": {"Throw": {"Error": "E", "Cause": "c"}}},
		"Never": {"0-9": {"Throw": {"Error": "E"}}}
	}
}`

func mocked(t *testing.T, testCase string) asl.TaskRunner {
	t.Helper()
	config, err := tasks.LoadMocks([]byte(mocks))
	if err != nil {
		t.Fatal(err)
	}
	tasks, err := config.Runner("m", testCase, nil)
	if err != nil {
		t.Fatal(err)
	}
	return tasks
}

func TestMocks(t *testing.T) {
	t.Parallel()
	retrying := `"Resource":"arn:aws:states:::sqs:sendMessage","Parameters":{"QueueUrl":"q","MessageBody":"m"},"Retry":[{"ErrorEquals":["E"]}],"End":true`
	state := `{"StartAt":"T","States":{"T":{"Type":"Task",` + retrying + `}}}`
	tests := map[string]struct{ testCase, definition, input, want string }{
		"by the attempt": {"retry", state, `{}`, `{"ok":1.0}`},
		"a failure":      {"never", state, `{}`, `E`},
		"no mock":        {"other", state, `{}`, `States.TaskFailed`},
		"each iteration counts its attempts": {
			"retry", `{"StartAt":"M","States":{"M":{"Type":"Map","ItemProcessor":` + state + `,"End":true}}}`,
			`[1,2]`, `[{"ok":1.0},{"ok":1.0}]`,
		},
		"each branch counts its attempts": {
			"retry", `{"StartAt":"P","States":{"P":{"Type":"Parallel","Branches":[` + state + `,` + strings.Replace(strings.Replace(state, `"StartAt":"T"`, `"StartAt":"U"`, 1), `{"T":`, `{"U":`, 1) + `],"End":true}}}`,
			`{}`, `[{"ok":1.0},{"ok":1.0}]`,
		},
		"each visit counts its attempts": {
			"retry", `{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage","Parameters":{"QueueUrl":"q","MessageBody":"m"},"Retry":[{"ErrorEquals":["E"]}],"ResultPath":"$.r","Next":"C"},
				"C":{"Type":"Choice","Choices":[{"Variable":"$.again","IsPresent":true,"Next":"E"}],"Default":"P"},
				"P":{"Type":"Pass","Result":1,"ResultPath":"$.again","Next":"T"},"E":{"Type":"Succeed"}}}`,
			`{}`, `{"r":{"ok":1.0},"again":1}`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := asltest.Run(t, test.definition, test.input, asl.Environment{Tasks: mocked(t, test.testCase), Sleep: asltest.NoWait})
			if got := string(r.Output) + r.Error; got != test.want {
				t.Errorf("got = %s (%s), want %s", got, r.Cause, test.want)
			}
		})
	}
}

func TestUnmockedTaskSaysHow(t *testing.T) {
	t.Parallel()
	_, err := mocked(t, "other").RunTask(t.Context(), asl.Task{Resource: "arn:aws:states:::sqs:sendMessage", State: "T"})
	e, ok := err.(*asl.Error)
	if !ok || e.Name != "States.TaskFailed" || !strings.Contains(e.Cause, `{"T":"NAME"}`) || !strings.Contains(e.Cause, "SFN_MOCK_CONFIG") || !strings.Contains(e.Cause, "LAMBDA_ENDPOINT") {
		t.Errorf("error = %v, want States.TaskFailed with advice on mocks and LAMBDA_ENDPOINT", err)
	}
}

// The error for a resource that a template should have replaced says so.
func TestSubstitutionThatNobodyMade(t *testing.T) {
	t.Parallel()
	_, err := tasks.None{}.RunTask(t.Context(), asl.Task{Resource: "${FunctionArn}", State: "T"})
	if e, ok := err.(*asl.Error); !ok || e.Name != "States.TaskFailed" || !strings.Contains(e.Cause, "'${FunctionArn}' of the state 'T' is a substitution") {
		t.Errorf("error = %v, want States.TaskFailed that names the substitution", err)
	}
}

func TestMocksThatAreRefused(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ text, want string }{
		"not JSON":                 {`{`, "invalid JSON"},
		"not an object":            {`[]`, "must be an object"},
		"unknown field":            {`{"stateMachines":{}}`, `has no field "stateMachines"; the fields are StateMachines and MockedResponses`},
		"unknown response":         {`{"StateMachines":{"m":{"TestCases":{"c":{"T":"nope"}}}}}`, `state T refers to the response "nope"`},
		"no name":                  {`{"StateMachines":{"m":{"TestCases":{"c":{"T":1}}}}}`, "state T must name a response"},
		"no test cases":            {`{"StateMachines":{"m":{"c":{"T":"r"}}}}`, `has no field "c"`},
		"no attempt":               {`{"MockedResponses":{"R":{"x":{"Return":1}}}}`, `"x" is not an attempt`},
		"backward range":           {`{"MockedResponses":{"R":{"2-1":{"Return":1}}}}`, `"2-1" is not an attempt`},
		"overlap":                  {`{"MockedResponses":{"R":{"0-2":{"Return":1},"2":{"Return":1}}}}`, "two answers for attempt 2"},
		"neither":                  {`{"MockedResponses":{"R":{"0":{}}}}`, "exactly one of Return and Throw"},
		"both":                     {`{"MockedResponses":{"R":{"0":{"Return":1,"Throw":{"Error":"E"}}}}}`, "exactly one of Return and Throw"},
		"an empty throw":           {`{"MockedResponses":{"R":{"0":{"Throw":{}}}}}`, "the field Error of Throw is missing"},
		"a throw that is a number": {`{"MockedResponses":{"R":{"0":{"Throw":{"Error":1}}}}}`, "must be text"},
		"misspelt throw":           {`{"MockedResponses":{"R":{"0":{"Throw":{"error":"E"}}}}}`, `Throw has no field "error"`},
		"a throw that waits":       {`{"MockedResponses":{"R":{"0":{"Throw":{"Error":"E"},"WaitForTaskToken":true}}}}`, "WaitForTaskToken is only valid with Return"},
		"an invalid wait":          {`{"MockedResponses":{"R":{"0":{"Return":1,"WaitForTaskToken":1}}}}`, "must be true or false"},
		"only a wait":              {`{"MockedResponses":{"R":{"0":{"WaitForTaskToken":true}}}}`, "exactly one of Return and Throw"},
		"misspelt return":          {`{"MockedResponses":{"R":{"0":{"return":1}}}}`, `has no field "return"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := tasks.LoadMocks([]byte(test.text)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error = %v, want one with %q", err, test.want)
			}
		})
	}
	config, err := tasks.LoadMocks([]byte(mocks))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range [][2]string{{"m", "nope"}, {"nope", "retry"}} {
		if _, err := config.Runner(name[0], name[1], nil); err == nil {
			t.Errorf("the test case %s of %s is accepted", name[1], name[0])
		}
	}
}

// answering is a store that answers each token at once.
type answering struct{ opened *int }

func (s answering) Open(asl.Task) func() *asl.Answer {
	*s.opened++
	return func() *asl.Answer { return nil }
}

func (s answering) Offer(string, string, any, func(worker string)) error { return nil }
func (s answering) Wait(_ context.Context, token string, _ time.Duration) *asl.Later {
	return &asl.Later{
		WhenOver: func(wake func()) { go wake() },
		Result:   func() (any, error) { return nil, &asl.Answer{Output: "answered " + token} },
	}
}

// A mock of a call whose task waits is the answer of the call, or, in the format of Step
// Functions Local, that of the task.
func TestMocksOfWaitingTasks(t *testing.T) {
	t.Parallel()
	config, err := tasks.LoadMocks([]byte(`{"StateMachines":{"m":{"TestCases":{"c":{"Call":"Call","Task":"Task","Down":"Down"}}}},"MockedResponses":{
		"Call":{"0":{"Return":{"MessageId":"1"},"WaitForTaskToken":true}},"Task":{"0":{"Return":"done"}},"Down":{"0":{"Throw":{"Error":"E"}}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	opened, submitted := 0, 0
	runner, err := config.Runner("m", "c", &tasks.Tokens{Store: answering{opened: &opened}})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		state, token, want string
		opened, submitted  int
	}{
		{"Call", "t-1", "answered t-1", 1, 1},
		{"Task", "t-2", "done", 1, 1},
		{"Down", "t-3", "E", 1, 1},
		{"Call", "", "States.Runtime", 1, 1}, // no .waitForTaskToken
	} {
		v, err := runner.RunTask(t.Context(), asl.Task{State: test.state, Token: test.token, Submitted: func(any) { submitted++ }})
		got, _ := v.(string)
		switch err := err.(type) {
		case *asl.Error:
			got = err.Name
		case *asl.Answer:
			got, _ = err.Output.(string)
		}
		if got != test.want || opened != test.opened || submitted != test.submitted {
			t.Errorf("%s %q: %s, %d tokens, %d requests; want %s, %d, %d", test.state, test.token, got, opened, submitted, test.want, test.opened, test.submitted)
		}
	}
}

// "*" and ARNs in place of names; the more specific one takes precedence.
func TestMocksForAnything(t *testing.T) {
	t.Parallel()
	config, err := tasks.LoadMocks([]byte(`{"StateMachines":{
		"m":{"TestCases":{"own":{"T":"name","arn:aws:states:::sqs:sendMessage":"arn","*":"any"},"*":{"T":"default"}}},
		"*":{"TestCases":{"all":{"*":"any"},"*":{"U":"default"}}}},
		"MockedResponses":{"name":{"0":{"Return":"name"}},"arn":{"0":{"Return":"arn"}},"any":{"0":{"Return":"any"}},"default":{"0":{"Return":"default"}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	const sqs, dated = "arn:aws:states:::sqs:sendMessage", "arn:aws:states:eu-west-1:210987654321:sqs:sendMessage"
	for _, tt := range []struct{ machine, testCase, state, resource, want string }{
		{"m", "own", "T", sqs, "name"},
		{"m", "own", "U", sqs, "arn"},
		{"m", "own", "U", dated, "arn"},
		{"m", "own", "U", "arn:aws:states:::sns:publish", "any"},
		{"m", "own", "U", sqs + ".waitForTaskToken", "any"},
		{"m", "all", "U", sqs, "any"},
		{"other", "all", "U", sqs, "any"},
		{"m", "", "T", sqs, "default"},
		{"m", "", "U", sqs, "next"}, // a machine's own cases come before those of "*"
		{"other", "", "U", sqs, "default"},
		{"other", "", "T", sqs, "next"},
		{"other", "own", "T", sqs, "none"},
	} {
		runner, err := config.Runner(tt.machine, tt.testCase, asl.TaskRunner(answers("next")))
		if err != nil {
			if tt.want != "none" {
				t.Errorf("%v: Runner returned the error %v", tt, err)
			}
			continue
		}
		if got, err := runner.RunTask(t.Context(), asl.Task{State: tt.state, Resource: tt.resource}); err != nil || got != tt.want {
			t.Errorf("%v: got %v, %v", tt, got, err)
		}
	}
}

// answers runs a task by returning itself.
type answers string

func (a answers) RunTask(context.Context, asl.Task) (any, error) { return string(a), nil }
