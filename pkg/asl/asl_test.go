package asl_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/expressway-dev/expressway/internal/asltest"
	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/asl/tasks"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// task returns a machine with the Task state T, and the state C if the rest leads to it.
func task(rest string) string {
	caught := ""
	if strings.Contains(rest, `"C"`) {
		caught = `,"C":{"Type":"Pass","End":true}`
	}
	return `{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:123456789012:function:f",` + rest + `}` + caught + `}}`
}

// failing fails n times, then succeeds with the number of calls.
func failing(n int, name string) (tasks.Funcs, *int) {
	calls := 0
	return tasks.Funcs{"f": func(context.Context, any) (any, error) {
		calls++
		if calls <= n {
			return nil, &asl.Error{Name: name, Cause: "because"}
		}
		return fmt.Sprint(calls), nil
	}}, &calls
}

func TestDefinitionsThatAreRefused(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ definition, want string }{
		"not JSON":                {`{`, "INVALID_JSON_DESCRIPTION"},
		"not an object":           {`[]`, "Definition must be a valid JSON object"},
		"no states":               {`{"StartAt":"A"}`, "These fields are required: [States] at /"},
		"no start":                {`{"StartAt":"B","States":{"A":{"Type":"Pass","End":true}}}`, "MISSING_TRANSITION_TARGET: Missing 'Next' target: B at /StartAt"},
		"empty start":             {`{"StartAt":"","States":{"A":{"Type":"Pass","End":true}}}`, "/StartAt"},
		"empty start of a branch": {`{"StartAt":"A","States":{"A":{"Type":"Parallel","Branches":[{"StartAt":"","States":{"X":{"Type":"Pass","End":true}}}],"End":true}}}`, "/States/A/Branches[0]/StartAt"},
		"no target":               {`{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"}}}`, "MISSING_TRANSITION_TARGET: Missing 'Next' target: B at /States/A/Next"},
		"unknown type":            {`{"StartAt":"A","States":{"A":{"Type":"Parse","End":true}}}`, "/States/A/Type"},
		"no end":                  {`{"StartAt":"A","States":{"A":{"Type":"Pass"}}}`, "Exactly one of these fields is required: [Next, End] at /States/A"},
		"bad path":                {`{"StartAt":"A","States":{"A":{"Type":"Pass","InputPath":"a.b","End":true}}}`, "/States/A/InputPath"},
		"bad template":            {`{"StartAt":"A","States":{"A":{"Type":"Pass","Parameters":{"x.$":"States.Nope(1)"},"End":true}}}`, "The value for the field 'x.$' must be a valid JSONPath or a valid intrinsic function call at /States/A/Parameters"},
		"indefinite place":        {`{"StartAt":"A","States":{"A":{"Type":"Pass","ResultPath":"$..a","End":true}}}`, "/States/A/ResultPath"},
		"choice operator":         {`{"StartAt":"A","States":{"A":{"Type":"Choice","Choices":[{"Variable":"$","NumberEquals":1,"Next":"A"}]}}}`, "Field 'NumberEquals' is not supported at /States/A/Choices[0]"},
		"choice operand":          {`{"StartAt":"A","States":{"A":{"Type":"Choice","Choices":[{"Variable":"$","NumericEquals":"1","Next":"A"}]}}}`, "/States/A/Choices[0]/NumericEquals"},
		"backoff":                 {task(`"Retry":[{"ErrorEquals":["A"],"BackoffRate":0.5}],"End":true`), "BackoffRate"},
		"nested":                  {`{"StartAt":"A","States":{"A":{"Type":"Parallel","Branches":[{"StartAt":"X","States":{}}],"End":true}}}`, "/States/A/Branches[0]/States"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := asl.Parse([]byte(test.definition))
			var d *asl.DefinitionError
			if !errors.As(err, &d) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error = %v, want a DefinitionError with %q", err, test.want)
			}
		})
	}
}

// Waits and backoff run on the clock of the bubble: no time passes.
func TestRetries(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fails int
		name  string
		retry string
		want  string // output, or the error's name
		took  time.Duration
	}{
		"backoff":         {2, "E", `{"ErrorEquals":["E"],"IntervalSeconds":2,"BackoffRate":3}`, `"3"`, 8 * time.Second},
		"used up":         {9, "E", `{"ErrorEquals":["E"],"MaxAttempts":2}`, "E", 3 * time.Second},
		"max delay":       {3, "E", `{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":10,"MaxDelaySeconds":5}`, `"4"`, 11 * time.Second},
		"jitter":          {1, "E", `{"ErrorEquals":["E"],"IntervalSeconds":10,"JitterStrategy":"FULL"}`, `"2"`, 5 * time.Second},
		"task failed":     {1, "E", `{"ErrorEquals":["States.TaskFailed"]}`, `"2"`, time.Second},
		"not of the list": {1, "E", `{"ErrorEquals":["F"]}`, "E", 0},
		"first match":     {1, "E", `{"ErrorEquals":["E"],"MaxAttempts":0},{"ErrorEquals":["States.ALL"]}`, "E", 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tasks, _ := failing(test.fails, test.name)
				start := time.Now()
				r := asltest.Run(t, task(`"Retry":[`+test.retry+`],"End":true`), `{}`, asl.Environment{Tasks: tasks, Rand: func() float64 { return 0.5 }})
				if got := r.Error + string(r.Output); got != test.want {
					t.Errorf("got = %q, want %q", got, test.want)
				}
				if took := time.Since(start); took != test.took {
					t.Errorf("took %v, want %v", took, test.took)
				}
			})
		})
	}
}

func TestCatch(t *testing.T) {
	t.Parallel()
	tasks, _ := failing(9, "E")
	r := asltest.Run(t, task(`"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.e","Next":"C"}],"End":true`), `{"a":1}`, asl.Environment{Tasks: tasks})
	if got, want := string(r.Output), `{"a":1,"e":{"Error":"E","Cause":"because"}}`; got != want {
		t.Errorf("output = %s %s, want %s", got, r.Error, want)
	}
}

func TestTimeouts(t *testing.T) {
	t.Parallel()
	hang := tasks.Funcs{"f": func(ctx context.Context, _ any) (any, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	wait := `{"StartAt":"W",%s"States":{"W":{"Type":"Wait","Seconds":%d,"End":true}}}`
	tests := map[string]struct {
		definition, status, error string
		took                      time.Duration
	}{
		"of the task":      {task(`"TimeoutSeconds":7,"End":true`), asl.Failed, "States.Timeout", 7 * time.Second},
		"caught":           {task(`"TimeoutSeconds":7,"Catch":[{"ErrorEquals":["States.Timeout"],"Next":"C"}],"End":true`), asl.Succeeded, "", 7 * time.Second},
		"heartbeat":        {task(`"TimeoutSeconds":7,"HeartbeatSeconds":3,"End":true`), asl.Failed, "States.Timeout", 3 * time.Second},
		"heartbeat alone":  {task(`"HeartbeatSeconds":3,"End":true`), asl.Failed, "States.Timeout", 3 * time.Second},
		"longer heartbeat": {task(`"TimeoutSeconds":2,"HeartbeatSecondsPath":"$$.Execution.Input.h","End":true`), asl.Failed, "States.Timeout", 2 * time.Second},
		"by a path":        {task(`"TimeoutSecondsPath":"$.t","End":true`), asl.Failed, "States.Timeout", 5 * time.Second},
		"by an expression": {task(`"QueryLanguage":"JSONata","TimeoutSeconds":"{% $states.input.t - 1 %}","End":true`), asl.Failed, "States.Timeout", 4 * time.Second},
		"retried":          {task(`"TimeoutSeconds":2,"Retry":[{"ErrorEquals":["States.Timeout"],"MaxAttempts":1}],"End":true`), asl.Failed, "States.Timeout", 5 * time.Second},
		"not a failure":    {task(`"TimeoutSeconds":2,"Retry":[{"ErrorEquals":["States.TaskFailed"]}],"End":true`), asl.Failed, "States.Timeout", 2 * time.Second},
		"of the machine":   {fmt.Sprintf(wait, `"TimeoutSeconds":3,`, 10), asl.TimedOut, "States.Timeout", 3 * time.Second},
		"of the service":   {fmt.Sprintf(wait, "", 999), asl.TimedOut, "States.Timeout", 5 * time.Minute},
		"none":             {fmt.Sprintf(wait, "", 299), asl.Succeeded, "", 299 * time.Second},
		"endless loop":     {`{"StartAt":"A","States":{"A":{"Type":"Choice","Choices":[{"Variable":"$","IsPresent":false,"Next":"Z"}],"Default":"A"},"Z":{"Type":"Succeed"}}}`, asl.Failed, "States.Runtime", 0},
		"in both branches": {`{"StartAt":"P","TimeoutSeconds":1,"States":{"P":{"Type":"Parallel","End":true,"Branches":[{"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":9,"End":true}}},{"StartAt":"B","States":{"B":{"Type":"Wait","Seconds":9,"End":true}}}]}}}`, asl.TimedOut, "States.Timeout", time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				r := asltest.Run(t, test.definition, `{"t":5,"h":60}`, asl.Environment{Tasks: hang})
				if r.Status != test.status || r.Error != test.error {
					t.Errorf("got = %s %s (%s), want %s %s", r.Status, r.Error, r.Cause, test.status, test.error)
				}
				if took := time.Since(start); took != test.took {
					t.Errorf("took %v, want %v", took, test.took)
				}
			})
		})
	}
}

// A failing branch ends its siblings at once.
func TestSiblingsStop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		r := asltest.Run(t, `{"StartAt":"P","States":{"P":{"Type":"Parallel","End":true,"Branches":[
			{"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":1,"Next":"F"},"F":{"Type":"Fail","Error":"X","Cause":"c"}}},
			{"StartAt":"B","States":{"B":{"Type":"Wait","Seconds":200,"End":true}}}]}}}`, `{}`, asl.Environment{})
		if r.Error != "X" || time.Since(start) != time.Second {
			t.Errorf("got = %s after %v, want X after 1s", r.Error, time.Since(start))
		}
	})
}

func TestMapConcurrency(t *testing.T) {
	t.Parallel()
	items := `{"items":[` + strings.TrimSuffix(strings.Repeat("1,", 100), ",") + `]}`
	for field, want := range map[string]time.Duration{"": 3 * time.Second, `"MaxConcurrency":10,`: 10 * time.Second, `"MaxConcurrency":1,`: 100 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			r := asltest.Run(t, `{"StartAt":"M","States":{"M":{"Type":"Map","ItemsPath":"$.items",`+field+`"ItemProcessor":{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":1,"End":true}}},"End":true}}}`, items, asl.Environment{})
			if r.Status != asl.Succeeded || time.Since(start) != want {
				t.Errorf("%s: %s %s after %v, want %v", field, r.Status, r.Cause, time.Since(start), want)
			}
		})
	}
}

func TestNumbersKeepTheirDigits(t *testing.T) {
	t.Parallel()
	r := asltest.Run(t, `{"StartAt":"A","States":{"A":{"Type":"Pass","Parameters":{"b.$":"$.z","a.$":"$.y"},"End":true}}}`, `{"z":9007199254740993,"y":1.0}`, asl.Environment{})
	if got, want := string(r.Output), `{"b":9007199254740993,"a":1.0}`; got != want {
		t.Errorf("output = %s, want %s", got, want)
	}
}

func TestDataLimit(t *testing.T) {
	t.Parallel()
	r := asltest.Run(t, `{"StartAt":"A","States":{"A":{"Type":"Pass","Parameters":{"a.$":"$","b.$":"$"},"End":true}}}`, `"`+strings.Repeat("x", 140000)+`"`, asl.Environment{})
	if r.Error != "States.DataLimitExceeded" {
		t.Errorf("error = %s %s, want States.DataLimitExceeded", r.Error, r.Cause)
	}
}

// A state's name can have 80 characters, however many bytes they take.
func TestStateNamesAreMeasuredInCharacters(t *testing.T) {
	t.Parallel()
	for _, c := range []string{"a", "é", "語", "😀"} {
		name := strings.Repeat(c, 80)
		r := asltest.Run(t, `{"StartAt":"`+name+`","States":{"`+name+`":{"Type":"Succeed"}}}`, `{}`, asl.Environment{})
		if r.Status != asl.Succeeded {
			t.Errorf("%s: got = %s %s", name, r.Status, r.Error)
		}
		long := strings.Replace(`{"StartAt":"N","States":{"N":{"Type":"Succeed"}}}`, "N", name+c, 2)
		if _, err := asl.Parse([]byte(long)); err == nil {
			t.Errorf("a name of 81 times %q is accepted", c)
		}
	}
}

func TestWithoutTasks(t *testing.T) {
	t.Parallel()
	r := asltest.Run(t, task(`"End":true`), `{}`, asl.Environment{})
	if r.Error != "States.TaskFailed" || !strings.Contains(r.Cause, "no runner") {
		t.Errorf("got = %s %s", r.Error, r.Cause)
	}
}

// The cost per item of a Map with ten thousand items is that of one with ten.
func TestLargeMap(t *testing.T) {
	t.Parallel()
	items := "[" + strings.TrimSuffix(strings.Repeat("1,", 10000), ",") + "]"
	r := asltest.Run(t, `{"StartAt":"M","States":{"M":{"Type":"Map","ItemProcessor":{"StartAt":"A","States":{
		"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Pass","Next":"C"},"C":{"Type":"Pass","End":true}}},"End":true}}}`, items, asl.Environment{})
	if r.Status != asl.Succeeded || string(r.Output) != items {
		t.Errorf("got %s %s %s, want SUCCEEDED with all items", r.Status, r.Error, r.Cause)
	}
}

// One machine serves many executions at once.
func TestConcurrentRuns(t *testing.T) {
	t.Parallel()
	m := asltest.Parse(t, fiveStates)
	var running sync.WaitGroup
	for range 50 {
		running.Go(func() {
			if r := m.Run(context.Background(), asl.Environment{}, asl.Execution{Input: []byte(fiveInput)}); r.Status != asl.Succeeded {
				t.Errorf("got %s %s, want SUCCEEDED", r.Status, r.Cause)
			}
		})
	}
	running.Wait()
}

// fiveStates has each kind of state that needs no task; internal/bench measures it too.
const (
	fiveStates = `{"StartAt": "Take", "States": {
	"Take": {"Type": "Pass", "ResultPath": "$.taken", "Result": {"by": "bench"}, "Next": "Which"},
	"Which": {"Type": "Choice", "Choices": [{"Variable": "$.total", "NumericGreaterThan": 10, "Next": "Both"}], "Default": "Done"},
	"Both": {"Type": "Parallel", "ResultPath": "$.both", "Next": "Each", "Branches": [
		{"StartAt": "Left", "States": {"Left": {"Type": "Pass", "Parameters": {"id.$": "$.id"}, "End": true}}},
		{"StartAt": "Right", "States": {"Right": {"Type": "Pass", "Parameters": {"total.$": "$.total"}, "End": true}}}]},
	"Each": {"Type": "Map", "ItemsPath": "$.items", "ResultPath": "$.items", "Next": "Done",
		"ItemProcessor": {"StartAt": "Item", "States": {"Item": {"Type": "Pass", "Parameters": {"sku.$": "$.sku"}, "End": true}}}},
	"Done": {"Type": "Succeed"}}}`
	fiveInput = `{"id":"4711","total":42,"items":[{"sku":"a","n":1},{"sku":"b","n":2},{"sku":"c","n":3}]}`

	// fiveJSONata is the same workflow in the other query language.
	fiveJSONata = `{"QueryLanguage": "JSONata", "StartAt": "Take", "States": {
	"Take": {"Type": "Pass", "Assign": {"taken": "bench"}, "Next": "Which"},
	"Which": {"Type": "Choice", "Choices": [{"Condition": "{% $states.input.total > 10 %}", "Next": "Both"}], "Default": "Done"},
	"Both": {"Type": "Parallel", "Assign": {"both": "{% $states.result %}"}, "Output": "{% $states.input %}", "Next": "Each", "Branches": [
		{"StartAt": "Left", "States": {"Left": {"Type": "Pass", "Output": {"id": "{% $states.input.id %}"}, "End": true}}},
		{"StartAt": "Right", "States": {"Right": {"Type": "Pass", "Output": {"total": "{% $states.input.total %}"}, "End": true}}}]},
	"Each": {"Type": "Map", "Items": "{% $states.input.items %}", "Next": "Done",
		"ItemProcessor": {"StartAt": "Item", "States": {"Item": {"Type": "Pass", "Output": {"sku": "{% $states.input.sku %}"}, "End": true}}}},
	"Done": {"Type": "Succeed"}}}`
)

func BenchmarkMap(b *testing.B) {
	m := asltest.Parse(b, `{"StartAt":"M","States":{"M":{"Type":"Map","ItemProcessor":{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}},"End":true}}}`)
	for _, n := range []int{10, 100, 1000, 10000} {
		input := []byte("[" + strings.TrimSuffix(strings.Repeat("1,", n), ",") + "]")
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if r := m.Run(context.Background(), asl.Environment{}, asl.Execution{Input: input}); r.Status != asl.Succeeded {
					b.Fatal(r.Cause)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/item")
		})
	}
}

func BenchmarkFiveStates(b *testing.B) {
	for name, definition := range map[string]string{"JSONPath": fiveStates, "JSONata": fiveJSONata} {
		m := asltest.Parse(b, definition)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if r := m.Run(context.Background(), asl.Environment{}, asl.Execution{Input: []byte(fiveInput)}); r.Status != asl.Succeeded {
					b.Fatal(r.Cause)
				}
			}
		})
	}
}
