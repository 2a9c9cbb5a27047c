package asl_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/asl/tasks"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// outcomeOf returns a short form of a result: status, next state, output or error, and
// stages.
type outcomeOf struct {
	Status, Next, Output, Error, Cause string
	Stages                             map[string]string
	Variables                          string
	Figures                            string
}

func testOne(t *testing.T, definition string, in asl.TestInput) outcomeOf {
	t.Helper()
	s, err := asl.ParseStateTest([]byte(definition), "")
	if err != nil {
		t.Fatal(err)
	}
	env := asl.Environment{
		Now: func() time.Time { return time.Date(2026, 11, 22, 10, 30, 0, 0, time.UTC) }, UUID: func() string { return "id" },
		Rand: func() float64 { return 0.5 }, Sleep: func(context.Context, time.Duration) error { return nil },
		Tasks: tasks.Funcs{"echo": func(_ context.Context, v any) (any, error) { return v, nil }},
	}
	return short(t, s.Run(t.Context(), env, in))
}

func short(t *testing.T, r asl.TestResult) outcomeOf {
	t.Helper()
	o := outcomeOf{Status: r.Status, Next: r.NextState, Output: string(r.Output), Error: r.Error, Cause: r.Cause, Stages: map[string]string{}}
	for stage, v := range r.Inspection.Stages {
		o.Stages[string(stage)] = text(t, v)
	}
	if r.Inspection.Variables.Len() > 0 {
		o.Variables = text(t, r.Inspection.Variables)
	}
	i := r.Inspection
	for _, f := range []struct {
		name  string
		value any
		has   bool
	}{
		{"concurrency", i.MaxConcurrency, i.MaxConcurrency != nil},
		{"tolerated", i.ToleratedFailureCount, i.ToleratedFailureCount != nil},
		{"percent", i.ToleratedFailurePercentage, i.ToleratedFailurePercentage != nil},
		{"catch", i.CatchIndex, i.CatchIndex != nil},
		{"retry", i.RetryIndex, i.RetryIndex != nil},
		{"backoff", i.RetryBackoffSeconds, i.RetryBackoffSeconds != nil},
	} {
		if f.has {
			n, err := json.Marshal(f.value)
			if err != nil {
				t.Fatal(err)
			}
			o.Figures = strings.TrimSpace(o.Figures + " " + f.name + "=" + string(n))
		}
	}
	return o
}

func text(t *testing.T, v any) string {
	t.Helper()
	b, err := jsonata.AppendJSON(nil, v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func value(t *testing.T, text string) any {
	t.Helper()
	v, err := jsonata.Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func object(t *testing.T, text string) *jsonata.Object {
	t.Helper()
	return value(t, text).(*jsonata.Object)
}

func input(text string) asl.Execution { return asl.Execution{Input: []byte(text), Sync: true} }

func mockResult(t *testing.T, text string) *asl.StateMock {
	t.Helper()
	return &asl.StateMock{Result: value(t, text)}
}

func mockError(name, cause string) *asl.StateMock {
	return &asl.StateMock{Error: &asl.Error{Name: name, Cause: cause}}
}

const (
	lambdaTask = `"Type":"Task","Resource":"arn:aws:lambda:us-east-1:123456789012:function:echo"`
	processor  = `"ItemProcessor":{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}`
	branch     = `"Branches":[{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}]`
)

// Each type of state shows the stages that it has, in both query languages.
func TestStateStages(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, definition string
		in               asl.TestInput
		want             outcomeOf
	}{
		{
			"Task with all stages",
			`{` + lambdaTask + `,"InputPath":"$.a","Parameters":{"p.$":"$.b"},"ResultSelector":{"s.$":"$.p"},"ResultPath":"$.r","OutputPath":"$.r.s","Next":"X"}`,
			asl.TestInput{Execution: input(`{"a":{"b":1}}`)},
			outcomeOf{Status: "SUCCEEDED", Next: "X", Output: `1`, Stages: map[string]string{
				"input": `{"a":{"b":1}}`, "afterInputPath": `{"b":1}`, "afterParameters": `{"p":1}`, "result": `{"p":1}`,
				"afterResultSelector": `{"s":1}`, "afterResultPath": `{"a":{"b":1},"r":{"s":1}}`,
			}},
		},
		{
			"Task of JSONata",
			`{` + lambdaTask + `,"QueryLanguage":"JSONata","Arguments":{"p":"{% $states.input.a %}"},"Output":"{% $states.result.p %}","Assign":{"v":"{% $w + 1 %}"},"End":true}`,
			asl.TestInput{Execution: input(`{"a":1}`), Variables: object(t, `{"w":2,"u":0}`)},
			outcomeOf{Status: "SUCCEEDED", Output: `1`, Variables: `{"w":2,"u":0,"v":3}`, Stages: map[string]string{
				"input": `{"a":1}`, "afterArguments": `{"p":1}`, "result": `{"p":1}`,
			}},
		},
		{
			"Task that fails before it runs",
			`{` + lambdaTask + `,"Parameters":{"p.$":"$.missing"},"End":true,"Catch":[{"ErrorEquals":["States.ALL"],"Next":"X"}]}`,
			asl.TestInput{Execution: input(`{}`), Mock: mockResult(t, `{}`)},
			outcomeOf{
				Status: "FAILED", Error: "States.Runtime",
				Cause:  "The JSONPath '$.missing' specified for the field 'p.$' could not be found in the input '{}'",
				Stages: map[string]string{"input": `{}`, "afterInputPath": `{}`},
			},
		},
		{
			"Pass", `{"Type":"Pass","Parameters":{"p":1},"End":true}`,
			asl.TestInput{Execution: input(`{}`)},
			outcomeOf{Status: "SUCCEEDED", Output: `{"p":1}`, Stages: map[string]string{
				"input": `{}`, "afterInputPath": `{}`, "afterParameters": `{"p":1}`, "afterResultSelector": `{"p":1}`, "afterResultPath": `{"p":1}`,
			}},
		},
		{
			"Pass of JSONata", `{"Type":"Pass","QueryLanguage":"JSONata","Output":"{% $states.input.a %}","End":true}`,
			asl.TestInput{Execution: input(`{"a":"x"}`)},
			outcomeOf{Status: "SUCCEEDED", Output: `"x"`, Stages: map[string]string{"input": `{"a":"x"}`}},
		},
		{
			"Wait", `{"Type":"Wait","SecondsPath":"$.n","OutputPath":"$.n","Next":"X"}`,
			asl.TestInput{Execution: input(`{"n":3}`)},
			outcomeOf{Status: "SUCCEEDED", Next: "X", Output: `3`, Stages: map[string]string{"input": `{"n":3}`, "afterInputPath": `{"n":3}`}},
		},
		{
			"Choice of JSONata", `{"Type":"Choice","QueryLanguage":"JSONata","Choices":[{"Condition":"{% $states.input.a = 1 %}","Output":"one","Next":"One"}],"Default":"D"}`,
			asl.TestInput{Execution: input(`{"a":1}`)},
			outcomeOf{Status: "SUCCEEDED", Next: "One", Output: `"one"`, Stages: map[string]string{"input": `{"a":1}`}},
		},
		{
			"Choice without a match", `{"Type":"Choice","Choices":[{"Variable":"$.a","IsPresent":true,"Next":"One"}]}`,
			asl.TestInput{Execution: input(`{}`)},
			outcomeOf{
				Status: "FAILED", Error: "States.NoChoiceMatched",
				Cause:  "Failed to transition out of the state. The state's choices did not match the input and it has no Default.",
				Stages: map[string]string{"input": `{}`, "afterInputPath": `{}`},
			},
		},
		{
			"Parallel", `{"Type":"Parallel",` + branch + `,"ResultSelector":{"n.$":"$[0]"},"ResultPath":"$.r","End":true}`,
			asl.TestInput{Execution: input(`{}`), Mock: mockResult(t, `[1]`)},
			outcomeOf{Status: "SUCCEEDED", Output: `{"r":{"n":1}}`, Stages: map[string]string{
				"input": `{}`, "afterResultSelector": `{"n":1}`, "afterResultPath": `{"r":{"n":1}}`,
			}},
		},
		{
			"Map of JSONata with all fields",
			`{"Type":"Map","QueryLanguage":"JSONata",` + processor + `,"Items":"{% $states.input %}","ItemSelector":{"i":"{% $states.context.Map.Item.Index %}","v":"{% $states.context.Map.Item.Value %}"},
			 "ItemBatcher":{"MaxItemsPerBatch":2,"BatchInput":{"n":"{% $count($states.input) %}"}},"MaxConcurrency":"{% 1 + 1 %}","ToleratedFailurePercentage":34,"End":true}`,
			asl.TestInput{Execution: input(`["a","b","c"]`), Mock: mockResult(t, `["x"]`), FailedIterations: 1},
			outcomeOf{Status: "SUCCEEDED", Output: `["x"]`, Figures: "concurrency=2 percent=34", Stages: map[string]string{
				"input": `["a","b","c"]`, "afterItemSelector": `[{"i":0,"v":"a"},{"i":1,"v":"b"},{"i":2,"v":"c"}]`,
				"afterItemBatcher": `[{"BatchInput":{"n":3},"Items":[{"i":0,"v":"a"},{"i":1,"v":"b"}]},{"BatchInput":{"n":3},"Items":[{"i":2,"v":"c"}]}]`,
			}},
		},
		{
			"Map beyond its tolerance", `{"Type":"Map",` + processor + `,"ItemsPath":"$.i","MaxConcurrencyPath":"$.n","ToleratedFailurePercentagePath":"$.p","ToleratedFailureCount":9,"End":true}`,
			asl.TestInput{Execution: input(`{"i":[1,2],"n":7,"p":50}`), Mock: mockResult(t, `[]`), FailedIterations: 2},
			outcomeOf{
				Status: "FAILED", Error: "States.ExceedToleratedFailureThreshold", Cause: "The specified tolerated failure threshold was exceeded",
				Figures: "concurrency=7 tolerated=9 percent=50",
				Stages:  map[string]string{"input": `{"i":[1,2],"n":7,"p":50}`, "afterInputPath": `{"i":[1,2],"n":7,"p":50}`, "afterItemsPath": `[1,2]`},
			},
		},
		{
			"Map without a mock", `{"Type":"Map",` + processor + `,"End":true}`,
			asl.TestInput{Execution: input(`[]`)},
			outcomeOf{
				Status: "FAILED", Error: "States.Runtime", Cause: "A state of type Map needs a mock to be tested.", Figures: "concurrency=0",
				Stages: map[string]string{"input": `[]`, "afterInputPath": `[]`, "afterItemsPath": `[]`},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, testOne(t, tt.definition, tt.in)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What happens to a mocked error.
func TestStateErrors(t *testing.T) {
	t.Parallel()
	const retry = `"Retry":[{"ErrorEquals":["Other"]},{"ErrorEquals":["E"],"IntervalSeconds":3,"BackoffRate":2,"MaxAttempts":2,"MaxDelaySeconds":5},{"ErrorEquals":["States.TaskFailed"],"JitterStrategy":"FULL","IntervalSeconds":10}]`
	tests := []struct {
		name, fields string
		mock         *asl.StateMock
		retries      int
		want         outcomeOf
	}{
		{"nothing takes it", "", mockError("E", "why"), 0, outcomeOf{Status: "FAILED", Error: "E", Cause: "why"}},
		{"first retry", retry + ",", mockError("E", ""), 0, outcomeOf{Status: "RETRIABLE", Error: "E", Figures: "retry=1 backoff=3"}},
		{"retry with the longest delay", retry + ",", mockError("E", ""), 1, outcomeOf{Status: "RETRIABLE", Error: "E", Figures: "retry=1 backoff=5"}},
		{"retry with jitter", retry + ",", mockError("F", ""), 0, outcomeOf{Status: "RETRIABLE", Error: "F", Figures: "retry=2 backoff=5"}},
		{"no retry is left", retry + ",", mockError("E", ""), 2, outcomeOf{Status: "FAILED", Error: "E", Figures: "retry=1"}},
		{
			"no retry is left, and a catch", retry + `,"Catch":[{"ErrorEquals":["States.Timeout"],"Next":"T"},{"ErrorEquals":["States.ALL"],"ResultPath":"$.e","Next":"C"}],`,
			mockError("E", "why"), 2,
			outcomeOf{Status: "CAUGHT_ERROR", Next: "C", Output: `{"a":1,"e":{"Error":"E","Cause":"why"}}`, Error: "E", Cause: "why", Figures: "catch=1 retry=1"},
		},
		{
			"a catch that sets variables", `"Catch":[{"ErrorEquals":["E"],"Assign":{"name.$":"$.Error"},"Next":"C"}],`, mockError("E", ""), 0,
			outcomeOf{Status: "CAUGHT_ERROR", Next: "C", Output: `{"Error":"E","Cause":null}`, Error: "E", Variables: `{"name":"E"}`, Figures: "catch=0"},
		},
		{
			"a catch that fails", `"Catch":[{"ErrorEquals":["E"],"ResultPath":"$.a.b","Next":"C"}],`, mockError("E", ""), 0,
			outcomeOf{Status: "FAILED", Error: "States.ResultPathMatchFailure", Figures: "catch=0"},
		},
		{"a runtime error is nobody's", `"OutputPath":"$.none","Catch":[{"ErrorEquals":["States.ALL"],"Next":"C"}],`, mockResult(t, `{}`), 0, outcomeOf{Status: "FAILED", Error: "States.Runtime"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := testOne(t, `{`+lambdaTask+`,`+tt.fields+`"End":true}`, asl.TestInput{Execution: input(`{"a":1}`), Mock: tt.mock, RetryCount: tt.retries})
			got.Stages = nil
			if tt.want.Cause == "" {
				got.Cause = ""
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The data of an ItemReader is read in the format of its source.
func TestStateItemReader(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, config, data, want, wantCause string }{
		{"JSON", `{}`, `[1,2,3]`, `[1,2,3]`, ""},
		{"JSON that is not a list", `{"InputType":"JSON"}`, `{"a":1}`, `[{"Key":"a","Value":1}]`, ""},
		{"JSON with a pointer", `{"InputType":"JSON","ItemsPointer":"/a~1b/0"}`, `{"a/b":[[7]]}`, `[7]`, ""},
		{"at most", `{"MaxItems":2}`, `[1,2,3]`, `[1,2]`, ""},
		{"JSON lines", `{"InputType":"JSONL"}`, "{\"a\":1}\n\n[2]\n", `[{"a":1},[2]]`, ""},
		{"CSV", `{"InputType":"CSV","CSVHeaderLocation":"FIRST_ROW"}`, "a,b\n1,\"x, y\"\n2\n3,4,5\n", `[{"a":"1","b":"x, y"},{"a":"2","b":""},{"a":"3","b":"4"}]`, ""},
		{"CSV with given headers", `{"InputType":"CSV","CSVHeaderLocation":"GIVEN","CSVHeaders":["a"],"CSVDelimiter":"PIPE"}`, "1|2\n", `[{"a":"1"}]`, ""},
		{"not JSON", `{}`, `[`, "", "The ItemReader has no items: invalid JSON at offset 1: unexpected end"},
		{"a number", `{}`, `1`, "", "The ItemReader has no items: the data is neither an array nor an object"},
		{"nothing at the pointer", `{"ItemsPointer":"/x"}`, `[]`, "", `The ItemReader has no items: there is nothing at the ItemsPointer "/x"`},
		{"PARQUET", `{"InputType":"PARQUET"}`, `x`, "", "The ItemReader has no items: the local engine does not read data of the type PARQUET"},
		{
			"CSV with a header that makes much of little", `{"InputType":"CSV","CSVHeaderLocation":"FIRST_ROW"}`, wideHeader(1<<16) + strings.Repeat("1\n", 1<<16),
			"", "The ItemReader has no items: the data has more than 513179 fields",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			definition := `{"Type":"Map",` + processor + `,"ItemReader":{"Resource":"arn:aws:states:::s3:getObject","ReaderConfig":` + tt.config + `},"End":true}`
			got := testOne(t, definition, asl.TestInput{Execution: input(`{}`), Mock: mockResult(t, `[]`), ItemReaderData: &tt.data})
			if got.Stages["afterItemsPath"] != tt.want || got.Cause != tt.wantCause {
				t.Errorf("items %s, cause %q; want %s, %q", got.Stages["afterItemsPath"], got.Cause, tt.want, tt.wantCause)
			}
		})
	}
}

// wideHeader is a CSV header with n names.
func wideHeader(n int) string {
	b := &strings.Builder{}
	for i := range n {
		fmt.Fprintf(b, "%d,", i)
	}
	return b.String() + "\n"
}

// A context in the request is the whole context object.
func TestStateContext(t *testing.T) {
	t.Parallel()
	const definition = `{` + lambdaTask + `,"Parameters":{"all.$":"$$"},"OutputPath":"$.all","End":true}`
	got := testOne(t, definition, asl.TestInput{Execution: input(`{}`), RetryCount: 2})
	want := `{"Execution":{"Id":"","Input":{},"Name":"","RoleArn":null,"StartTime":"2026-11-22T10:30:00.000Z"},` +
		`"StateMachine":{"Id":"","Name":""},"State":{"Name":"StateName","EnteredTime":"2026-11-22T10:30:00.000Z","RetryCount":2}}`
	if got.Output != want {
		t.Errorf("context object = %s, want %s", got.Output, want)
	}
	got = testOne(t, definition, asl.TestInput{Execution: input(`{}`), Context: object(t, `{"Execution":1,"State":2,"Task":{"Token":"t"}}`)})
	if want := `{"Execution":1,"State":2,"Task":{"Token":"t"}}`; got.Output != want {
		t.Errorf("context object = %s, want %s", got.Output, want)
	}
	got = testOne(t, definition, asl.TestInput{Execution: input(`{}`), Context: object(t, `{}`)})
	if got.Output != `{}` {
		t.Errorf("context object = %s, want {}", got.Output)
	}
	const items = `{"Type":"Map","ItemSelector":{"all.$":"$$"},"ItemProcessor":{"StartAt":"S","States":{"S":{"Type":"Succeed"}}},"End":true}`
	got = testOne(t, items, asl.TestInput{Execution: input(`[1]`), Context: object(t, `{}`), Mock: mockResult(t, `[1]`)})
	if want := `[{"all":{"Map":{"Item":{"Index":0,"Value":1,"Source":"STATE_DATA"}}}}]`; got.Stages["afterItemSelector"] != want {
		t.Errorf("items = %s, want %s", got.Stages["afterItemSelector"], want)
	}
}

func TestParseStateTest(t *testing.T) {
	t.Parallel()
	const machine = `{"QueryLanguage":"JSONata","StartAt":"P","States":{
	  "P":{"Type":"Parallel","Branches":[{"StartAt":"M","States":{"M":{"Type":"Map","End":true,"ItemProcessor":{"StartAt":"Deep","States":{
	    "Deep":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken","Arguments":{"QueueUrl":"q","MessageBody":"m"},"Output":"{% 1 %}","End":true}}}}}}],"Next":"F"},
	  "F":{"Type":"Fail"}}}`
	s, err := asl.ParseStateTest([]byte(machine), "Deep")
	if err != nil {
		t.Fatal(err)
	}
	if s.Type() != "Task" || !s.WaitsForOthers() || s.WritesResults() || s.Holds("Deep") || !strings.HasSuffix(s.Resource(), "waitForTaskToken") {
		t.Errorf("got a state %s %s that does not match its definition", s.Type(), s.Resource())
	}
	if got := short(t, s.Run(t.Context(), asl.Environment{}, asl.TestInput{Mock: mockResult(t, `{}`)})); got.Output != "1" {
		t.Errorf("result = %+v, want the output of JSONata", got)
	}
	if s, err = asl.ParseStateTest([]byte(machine), "P"); err != nil || !s.Holds("Deep") || s.Holds("P") || s.Holds("F") {
		t.Errorf("P must hold Deep, and neither P nor F: %v %v", s, err)
	}
	if _, err = asl.ParseStateTest([]byte(machine), "Deeper"); !errors.Is(err, asl.ErrStateNotFound) {
		t.Errorf("error = %v, want ErrStateNotFound", err)
	}
	for _, definition := range []string{machine, `{"Type":"Pass"}`, `{"Type":"Pass","End":true,"Misspelt":1}`, `[]`, `{`, ``} {
		_, err := asl.ParseStateTest([]byte(definition), "")
		var invalid *asl.DefinitionError
		if !errors.As(err, &invalid) || len(invalid.Diagnostics) == 0 {
			t.Errorf("%s: error = %v, want a DefinitionError", definition, err)
		}
	}
	for writer, want := range map[string]bool{`{"Resource":"arn:aws:states:::s3:putObject"}`: true, `{"WriterConfig":{"Transformation":"NONE"}}`: false} {
		s, err := asl.ParseStateTest([]byte(`{"Type":"Map",`+processor+`,"ResultWriter":`+writer+`,"End":true}`), "")
		if err != nil || s.WritesResults() != want {
			t.Errorf("ResultWriter %s: writes = %v %v, want %v", writer, s.WritesResults(), err, want)
		}
	}
}

// A test ends like an execution: within five minutes, or with its context.
func TestStateTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, err := asl.ParseStateTest([]byte(`{`+lambdaTask+`,"Catch":[{"ErrorEquals":["States.ALL"],"Next":"C"}],"End":true}`), "")
		if err != nil {
			t.Fatal(err)
		}
		hang := tasks.Funcs{"echo": func(ctx context.Context, _ any) (any, error) { <-ctx.Done(); return nil, ctx.Err() }}
		started := time.Now()
		got := short(t, s.Run(t.Context(), asl.Environment{Tasks: hang}, asl.TestInput{}))
		if got.Status != "FAILED" || got.Error != "States.Timeout" || time.Since(started) != 5*time.Minute {
			t.Errorf("result = %+v after %v, want States.Timeout after 5m", got, time.Since(started))
		}
	})
}

// A few references to a large input would make data that exceeds the memory: it is not
// shown, and the state fails if it may not have it.
func TestStateTooLarge(t *testing.T) {
	t.Parallel()
	large := `{"v":"` + strings.Repeat("v", 100_000) + `"}`
	var fields []string
	for i := range 1000 {
		fields = append(fields, fmt.Sprintf(`"f%d.$":"$"`, i))
	}
	parameters := `{` + strings.Join(fields, ",") + `}`
	got := testOne(t, `{"Type":"Pass","Parameters":`+parameters+`,"OutputPath":"$.f0","End":true}`, asl.TestInput{Execution: input(large)})
	if got.Status != "SUCCEEDED" || got.Output != large || len(got.Stages) != 2 {
		t.Errorf("status %s, stages %d, want the input and what is after InputPath alone", got.Status, len(got.Stages))
	}
	got = testOne(t, `{`+lambdaTask+`,"Parameters":`+parameters+`,"End":true}`, asl.TestInput{Execution: input(large), Mock: mockResult(t, `1`)})
	if got.Status != "FAILED" || got.Error != "States.DataLimitExceeded" {
		t.Errorf("status %s %s, want States.DataLimitExceeded", got.Status, got.Error)
	}
	got = testOne(t, `{`+lambdaTask+`,"QueryLanguage":"JSONata","Catch":[{"ErrorEquals":["E"],"Output":"{% [1..100].($states.input) %}","Next":"C"}],"End":true}`,
		asl.TestInput{Execution: input(large), Mock: mockError("E", "")})
	if got.Status != "FAILED" || got.Error != "States.DataLimitExceeded" {
		t.Errorf("status %s %s, want States.DataLimitExceeded", got.Status, got.Error)
	}
}
