package asl_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/expressway-dev/expressway/pkg/asl"
)

// Values share their parts: doubling one a hundred times takes no memory, and would
// take more than there is once something wrote it out.
func TestValuesThatGrow(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", 200_000)
	tests := map[string]struct{ definition, input string }{
		"state": {`{"StartAt":"A","States":{"A":{"Type":"Pass","Parameters":{"a.$":"$","b.$":"$"},"Next":"A"}}}`, `{}`},
		"variable": {`{"StartAt":"A","States":{"A":{"Type":"Pass","Assign":{"v":1},"Next":"B"},
			"B":{"Type":"Pass","Assign":{"v":{"x.$":"$v","y.$":"$v"}},"Next":"B"}}}`, `{}`},
		"variable of a choice": {`{"StartAt":"A","States":{"A":{"Type":"Pass","Assign":{"v":1},"Next":"B"},
			"B":{"Type":"Choice","Choices":[{"Variable":"$","IsPresent":true,"Next":"B","Assign":{"v":{"x.$":"$v","y.$":"$v"}}}]}}}`, `{}`},
		"iterations": {`{"StartAt":"A","States":{"A":{"Type":"Map","ItemsPath":"$.l","ItemSelector":{"a.$":"$"},"ItemProcessor":
			{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}},"End":true}}}`, `{"b":"` + large + `","l":[1,1,1,1,1]}`},
		"item": {`{"StartAt":"A","States":{"A":{"Type":"Map","ItemsPath":"$.l","ItemSelector":{"a.$":"$","b.$":"$"},"ItemProcessor":
			{"StartAt":"A","States":{"A":{"Type":"Pass","ResultPath":null,"End":true}}},"ResultPath":null,"End":true}}}`, `{"b":"` + large + `","l":[1]}`},
		"task input": {`{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"f","Parameters":{"a.$":"$","b.$":"$"},"End":true}}}`, `"` + large + `"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tasks := asl.TaskFuncs{"f": func(context.Context, any) (any, error) { return nil, nil }}
			r := run(t, test.definition, test.input, asl.Environment{Tasks: tasks})
			if r.Status != asl.Failed || r.Error != "States.DataLimitExceeded" {
				t.Errorf("got = %s %s %s, want States.DataLimitExceeded", r.Status, r.Error, r.Cause)
			}
		})
	}
}

// The limit is that of the JSON text: escapes and separators count.
func TestDataLimitIsExact(t *testing.T) {
	t.Parallel()
	const limit = 262144
	for name, test := range map[string]struct {
		input string
		want  string
	}{
		"at the limit":      {`"` + strings.Repeat("x", limit-len(`{"a":""}`)) + `"`, ""},
		"one more":          {`"` + strings.Repeat("x", limit-len(`{"a":""}`)+1) + `"`, "States.DataLimitExceeded"},
		"escapes":           {`"` + strings.Repeat(`\n`, (limit-len(`{"a":""}`))/2) + `"`, ""},
		"too many escapes":  {`"` + strings.Repeat(`\n`, (limit-len(`{"a":""}`))/2+1) + `"`, "States.DataLimitExceeded"},
		"elements":          {`[` + strings.TrimSuffix(strings.Repeat("1,", (limit-len(`{"a":[]}`))/2), ",") + `]`, ""},
		"too many elements": {`[` + strings.TrimSuffix(strings.Repeat("1,", (limit-len(`{"a":[]}`))/2+1), ",") + `]`, "States.DataLimitExceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := run(t, `{"StartAt":"A","States":{"A":{"Type":"Pass","Parameters":{"a.$":"$"},"End":true}}}`, test.input, asl.Environment{})
			if r.Error != test.want {
				t.Errorf("error = %q, want %q; output of %d bytes", r.Error, test.want, len(r.Output))
			}
		})
	}
}

// A panic of a task reaches the caller of Run, who can recover it, also out of a
// branch: on a goroutine of its own it would end the process.
func TestPanicsReachTheCaller(t *testing.T) {
	t.Parallel()
	state := `{"Type":"Task","Resource":"f","End":true}`
	tests := map[string]string{
		"task":     `{"StartAt":"A","States":{"A":` + state + `}}`,
		"parallel": `{"StartAt":"P","States":{"P":{"Type":"Parallel","Branches":[{"StartAt":"A","States":{"A":` + state + `}},{"StartAt":"A","States":{"A":` + state + `}}],"End":true}}}`,
		"map":      `{"StartAt":"M","States":{"M":{"Type":"Map","ItemProcessor":{"StartAt":"A","States":{"A":` + state + `}},"End":true}}}`,
	}
	for name, definition := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, "a bug") {
					t.Errorf("recovered = %s, want the task's panic", got)
				}
			}()
			tasks := asl.TaskFuncs{"f": func(context.Context, any) (any, error) { panic("a bug") }}
			r := run(t, definition, `[1,2,3]`, asl.Environment{Tasks: tasks})
			t.Errorf("result = %v, want a panic", r)
		})
	}
}

// Tasks may answer with Go's own maps; what is no JSON is not an oversized result.
func TestTaskResults(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		result          any
		want, wantError string
	}{
		"map":     {map[string]any{"a": 1, "b": []any{true}}, `{"a":1,"b":[true]}`, ""},
		"raw":     {json.RawMessage(`{"a":1.0}`), `{"a":1.0}`, ""},
		"channel": {make(chan int), "", "States.Runtime"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tasks := asl.TaskFuncs{"f": func(context.Context, any) (any, error) { return test.result, nil }}
			r := run(t, `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"f","End":true}}}`, `{}`, asl.Environment{Tasks: tasks})
			if string(r.Output) != test.want || r.Error != test.wantError {
				t.Errorf("got = %s %s %s, want %s %s", r.Output, r.Error, r.Cause, test.want, test.wantError)
			}
		})
	}
}

// The end of ctx ends every branch at once.
func TestCancel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var ended atomic.Int32
		tasks := asl.TaskFuncs{"f": func(ctx context.Context, _ any) (any, error) {
			<-ctx.Done()
			ended.Add(1)
			return nil, ctx.Err()
		}}
		m := parse(t, `{"StartAt":"M","States":{"M":{"Type":"Map","ItemProcessor":{"StartAt":"A","States":{
			"A":{"Type":"Task","Resource":"f","Retry":[{"ErrorEquals":["States.ALL"]}],"End":true}}},"End":true}}}`)
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		r := m.Run(ctx, asl.Environment{Tasks: tasks}, asl.Execution{Input: []byte(`[1,2,3]`)})
		if r.Status == asl.Succeeded || time.Since(start) != time.Second || ended.Load() != 3 {
			t.Errorf("got = %s after %v with %d tasks ended, want an end after 1s and 3", r.Status, time.Since(start), ended.Load())
		}
	})
}

// The observer hears of events one at a time, in the order of their numbers.
func TestObserve(t *testing.T) {
	t.Parallel()
	var got []asl.Event // without a lock: the race detector says whether that is right
	m := parse(t, `{"StartAt":"M","States":{"M":{"Type":"Map","ItemProcessor":{"StartAt":"A","States":{
		"A":{"Type":"Task","Resource":"f","End":true}}},"End":true}}}`)
	tasks := asl.TaskFuncs{"f": func(_ context.Context, v any) (any, error) { return v, nil }}
	m.Run(t.Context(), asl.Environment{Tasks: tasks, Observe: func(e asl.Event) { got = append(got, e) }}, asl.Execution{Input: []byte(`[1,2,3,4,5]`)})
	const perItem, outside = 7, 6
	if len(got) != 5*perItem+outside {
		t.Errorf("%d events, want %d", len(got), 5*perItem+outside)
	}
	for i, e := range got {
		if e.ID != int64(i+1) || e.PreviousID >= e.ID {
			t.Errorf("event %d has the number %d and follows %d", i+1, e.ID, e.PreviousID)
		}
	}
	if first, last := got[0].Type, got[len(got)-1].Type; first != "ExecutionStarted" || last != "ExecutionSucceeded" {
		t.Errorf("the events go from %s to %s", first, last)
	}
}
