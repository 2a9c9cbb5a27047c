package asl_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/expressway-dev/expressway/internal/asltest"
	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/asl/tasks"
)

// Values share their parts: doubling one a hundred times takes no memory, but writing it
// out would take more than there is.
func TestValuesThatGrow(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", 200_000)
	tests := map[string]struct{ definition, input string }{
		"state": {`{"StartAt":"A","States":{"A":{"Type":"Pass","Parameters":{"a.$":"$","b.$":"$"},"Next":"C"},"C":{"Type":"Choice","Choices":[{"Variable":"$","IsPresent":false,"Next":"Z"}],"Default":"A"},"Z":{"Type":"Succeed"}}}`, `{}`},
		"variable": {`{"StartAt":"A","States":{"A":{"Type":"Pass","Assign":{"v":1},"Next":"B"},
			"B":{"Type":"Pass","Assign":{"v":{"x.$":"$v","y.$":"$v"}},"Next":"C"},"C":{"Type":"Choice","Choices":[{"Variable":"$","IsPresent":false,"Next":"Z"}],"Default":"B"},"Z":{"Type":"Succeed"}}}`, `{}`},
		"variable of a choice": {`{"StartAt":"A","States":{"A":{"Type":"Pass","Assign":{"v":1},"Next":"B"},
			"B":{"Type":"Choice","Choices":[{"Variable":"$","IsPresent":true,"Next":"B","Assign":{"v":{"x.$":"$v","y.$":"$v"}}}],"Default":"Z"},"Z":{"Type":"Succeed"}}}`, `{}`},
		"iterations": {`{"StartAt":"A","States":{"A":{"Type":"Map","ItemsPath":"$.l","ItemSelector":{"a.$":"$"},"ItemProcessor":
			{"StartAt":"I","States":{"I":{"Type":"Pass","End":true}}},"End":true}}}`, `{"b":"` + large + `","l":[1,1,1,1,1]}`},
		"item": {`{"StartAt":"A","States":{"A":{"Type":"Map","ItemsPath":"$.l","ItemSelector":{"a.$":"$","b.$":"$"},"ItemProcessor":
			{"StartAt":"I","States":{"I":{"Type":"Pass","ResultPath":null,"End":true}}},"ResultPath":null,"End":true}}}`, `{"b":"` + large + `","l":[1]}`},
		"catcher": {`{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:123456789012:function:fails","Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"B"}],"Next":"B"},
			"B":{"Type":"Succeed"}}}`, `{"b":"` + large + `"}`},
		"catcher of an error that is large": {`{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:123456789012:function:fails","Catch":[{"ErrorEquals":["States.ALL"],"Next":"B"}],"Next":"B"},
			"B":{"Type":"Pass","ResultPath":null,"End":true}}}`, `1`},
		"catcher of JSONata": {`{"QueryLanguage":"JSONata","StartAt":"A","States":{"A":{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:123456789012:function:f","Arguments":"{% $nope %}",
			"Catch":[{"ErrorEquals":["States.ALL"],"Output":"{% [$states.input, $states.input] %}","Next":"B"}],"Next":"B"},"B":{"Type":"Pass","Output":1,"End":true}}}`, `"` + large + `"`},
		"task input": {`{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:123456789012:function:f","Parameters":{"a.$":"$","b.$":"$"},"End":true}}}`, `"` + large + `"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tasks := tasks.Funcs{
				"f":     func(context.Context, any) (any, error) { return nil, nil },
				"fails": func(context.Context, any) (any, error) { return nil, &asl.Error{Name: "Large", Cause: large + large} },
			}
			r := asltest.Run(t, test.definition, test.input, asl.Environment{Tasks: tasks})
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
			r := asltest.Run(t, `{"StartAt":"A","States":{"A":{"Type":"Pass","Parameters":{"a.$":"$"},"End":true}}}`, test.input, asl.Environment{})
			if r.Error != test.want {
				t.Errorf("error = %q, want %q; output of %d bytes", r.Error, test.want, len(r.Output))
			}
		})
	}
}

// A panic of a task, even in a branch, reaches the caller of Run, who can recover it: in
// another goroutine, it would end the process.
func TestPanicsReachTheCaller(t *testing.T) {
	t.Parallel()
	state := `{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:123456789012:function:f","End":true}`
	tests := map[string]string{
		"task":     `{"StartAt":"A","States":{"A":` + state + `}}`,
		"parallel": `{"StartAt":"P","States":{"P":{"Type":"Parallel","Branches":[{"StartAt":"A","States":{"A":` + state + `}},{"StartAt":"B","States":{"B":` + state + `}}],"End":true}}}`,
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
			tasks := tasks.Funcs{"f": func(context.Context, any) (any, error) { panic("a bug") }}
			r := asltest.Run(t, definition, `[1,2,3]`, asl.Environment{Tasks: tasks})
			t.Errorf("result = %v, want a panic", r)
		})
	}
}

// Tasks may answer with Go's own maps; a value that is not JSON is not an oversized result.
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
			tasks := tasks.Funcs{"f": func(context.Context, any) (any, error) { return test.result, nil }}
			r := asltest.Run(t, `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:123456789012:function:f","End":true}}}`, `{}`, asl.Environment{Tasks: tasks})
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
		tasks := tasks.Funcs{"f": func(ctx context.Context, _ any) (any, error) {
			<-ctx.Done()
			ended.Add(1)
			return nil, ctx.Err()
		}}
		m := asltest.Parse(t, `{"StartAt":"M","States":{"M":{"Type":"Map","ItemProcessor":{"StartAt":"A","States":{
			"A":{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:123456789012:function:f","Retry":[{"ErrorEquals":["States.ALL"]}],"End":true}}},"End":true}}}`)
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		r := m.Run(ctx, asl.Environment{Tasks: tasks}, asl.Execution{Input: []byte(`[1,2,3]`)})
		if r.Status == asl.Succeeded || time.Since(start) != time.Second || ended.Load() != 3 {
			t.Errorf("got = %s after %v with %d tasks ended, want an end after 1s and 3", r.Status, time.Since(start), ended.Load())
		}
	})
}

// The observer is notified of events one at a time, in the order of their numbers.
func TestObserve(t *testing.T) {
	t.Parallel()
	var got []asl.Event // without a lock: the race detector says whether that is right
	m := asltest.Parse(t, `{"StartAt":"M","States":{"M":{"Type":"Map","ItemProcessor":{"StartAt":"A","States":{
		"A":{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:123456789012:function:f","End":true}}},"End":true}}}`)
	tasks := tasks.Funcs{"f": func(_ context.Context, v any) (any, error) { return v, nil }}
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

// However Maps nest and whatever MaxConcurrency is, an execution has a bounded number of
// goroutines. It also ends, although outer iterations hold some while inner ones wait for
// one.
func TestGoroutinesAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		inner := `{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:123456789012:function:f","End":true}}}`
		for level := range 3 {
			name := fmt.Sprintf("M%d", level)
			inner = `{"StartAt":"` + name + `","States":{"` + name + `":{"Type":"Map","ItemsPath":"$$.Execution.Input","MaxConcurrency":99999999,"ItemProcessor":` + inner + `,"ResultPath":null,"End":true}}}`
		}
		var running, most, calls atomic.Int64
		tasks := tasks.Funcs{"f": func(context.Context, any) (any, error) {
			n := running.Add(1)
			defer running.Add(-1)
			calls.Add(1)
			for {
				m := most.Load()
				if n <= m || most.CompareAndSwap(m, n) {
					break
				}
			}
			time.Sleep(time.Second)
			return nil, nil
		}}
		r := asltest.Run(t, inner, "["+strings.TrimSuffix(strings.Repeat("1,", 30), ",")+"]", asl.Environment{Tasks: tasks})
		if r.Status != asl.Succeeded || calls.Load() != 27000 {
			t.Errorf("got = %s %s %s after %d tasks, want 27000", r.Status, r.Error, r.Cause, calls.Load())
		}
		if most.Load() > 1001 || most.Load() < 500 {
			t.Errorf("%d tasks at once, want about a thousand", most.Load())
		}
	})
}

// Variables of one Assign, and of all flows of an execution together, are bounded; those of
// iterations that have ended do not count.
func TestVariablesAreBounded(t *testing.T) {
	t.Parallel()
	const chunk = 200_000
	input := `"` + strings.Repeat("x", chunk) + `"`
	states := &strings.Builder{}
	for i := range 60 {
		fmt.Fprintf(states, `"S%d":{"Type":"Pass","Assign":{"v%d.$":"$"},"Next":"S%d"},`, i, i, i+1)
	}
	tests := map[string]struct{ definition, input, want string }{
		"many": {`{"StartAt":"S0","States":{` + states.String() + `"S60":{"Type":"Succeed"}}}`, input, "States.DataLimitExceeded"},
		"one again and again": {`{"StartAt":"A","States":{"A":{"Type":"Pass","Assign":{"v.$":"$","n":1},"Next":"B"},
			"B":{"Type":"Pass","Assign":{"v.$":"$","n.$":"States.MathAdd($n,1)"},"Next":"C"},
			"C":{"Type":"Choice","Choices":[{"Variable":"$n","NumericLessThan":200,"Next":"B"}],"Default":"D"},"D":{"Type":"Succeed"}}}`, input, ""},
		"of iterations": {
			`{"StartAt":"M","States":{"M":{"Type":"Map","ItemsPath":"$.l","MaxConcurrency":1,"ItemProcessor":
			{"StartAt":"A","States":{"A":{"Type":"Pass","Assign":{"v.$":"$$.Execution.Input.v"},"Result":1,"End":true}}},"End":true}}}`,
			`{"v":` + input + `,"l":[` + strings.TrimSuffix(strings.Repeat("1,", 100), ",") + `]}`, "",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if r := asltest.Run(t, test.definition, test.input, asl.Environment{}); r.Error != test.want {
				t.Errorf("got = %s %s %.300s, want %q", r.Status, r.Error, r.Cause, test.want)
			}
		})
	}
}

// The results of a Map are bounded together, even if nothing uses them.
func TestResultsOfMapAreBounded(t *testing.T) {
	t.Parallel()
	r := asltest.Run(t, `{"StartAt":"M","States":{"M":{"Type":"Map","ItemProcessor":{"StartAt":"A","States":{
		"A":{"Type":"Pass","Parameters":{"r.$":"States.ArrayRange(1,1000,1)"},"End":true}}},"ResultPath":null,"End":true}}}`,
		"["+strings.TrimSuffix(strings.Repeat("1,", 10_000), ",")+"]", asl.Environment{})
	if r.Error != "States.DataLimitExceeded" || !strings.Contains(r.Cause, "'M'") {
		t.Errorf("got = %s %s %s, want States.DataLimitExceeded of M", r.Status, r.Error, r.Cause)
	}
}

// A clock that is faster than the real one reaches the same limits.
func TestLimitsOnAnInjectedClock(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		definition, status string
		took               time.Duration
	}{
		"five minutes":    {`{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":999,"End":true}}}`, asl.TimedOut, 5 * time.Minute},
		"in several":      {`{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":100,"Next":"C"},"C":{"Type":"Choice","Choices":[{"Variable":"$","IsPresent":false,"Next":"Z"}],"Default":"W"},"Z":{"Type":"Succeed"}}}`, asl.TimedOut, 5 * time.Minute},
		"of the machine":  {`{"TimeoutSeconds":7,"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":10,"End":true}}}`, asl.TimedOut, 7 * time.Second},
		"just in time":    {`{"TimeoutSeconds":11,"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":10,"End":true}}}`, asl.Succeeded, 10 * time.Second},
		"of a backoff":    {`{"TimeoutSeconds":60,"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:123456789012:function:f","Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":40}],"End":true}}}`, asl.TimedOut, time.Minute},
		"until a moment":  {`{"StartAt":"W","States":{"W":{"Type":"Wait","Timestamp":"2026-01-01T00:01:30+00:00","End":true}}}`, asl.Succeeded, 90 * time.Second},
		"until the past":  {`{"StartAt":"W","States":{"W":{"Type":"Wait","Timestamp":"2025-01-01T00:01:30Z","End":true}}}`, asl.Succeeded, 0},
		"jsonata's clock": {`{"QueryLanguage":"JSONata","StartAt":"W","States":{"W":{"Type":"Wait","Timestamp":"{% $fromMillis($millis() + 5000) %}","End":true}}}`, asl.Succeeded, 5 * time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := asl.Parse([]byte(test.definition))
			if err != nil {
				t.Fatal(err)
			}
			for how, run := range map[string]func(context.Context, asl.Environment, asl.Execution) asl.Result{"waiting": m.Run, "apart": pausing(m)} {
				start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
				now := start
				r := run(t.Context(), asl.Environment{
					Now:   func() time.Time { return now },
					Sleep: func(_ context.Context, d time.Duration) error { now = now.Add(d); return nil },
					Tasks: tasks.Funcs{"f": func(context.Context, any) (any, error) { return nil, &asl.Error{Name: "E"} }},
				}, asl.Execution{})
				if r.Status != test.status || now.Sub(start) != test.took {
					t.Errorf("%s: got = %s %s (%s) after %v, want %s after %v", how, r.Status, r.Error, r.Cause, now.Sub(start), test.status, test.took)
				}
			}
		})
	}
}

// Definitions can nest as deep as JSON, and no deeper.
func TestNestingIsBounded(t *testing.T) {
	t.Parallel()
	nested := func(n int) []byte {
		inner := `{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}`
		b := &strings.Builder{}
		for i := range n {
			fmt.Fprintf(b, `{"StartAt":"A%d","States":{"A%d":{"Type":"Parallel","End":true,"Branches":[`, i, i)
		}
		return []byte(b.String() + inner + strings.Repeat(`]}}}`, n))
	}
	m, err := asl.Parse(nested(120))
	if err != nil {
		t.Fatal(err)
	}
	if r := m.Run(t.Context(), asl.Environment{}, asl.Execution{}); r.Status != asl.Succeeded {
		t.Errorf("got = %s %s %s", r.Status, r.Error, r.Cause)
	}
	if _, err := asl.Parse(nested(100_000)); err == nil {
		t.Error("a hundred thousand levels are accepted")
	}
}

// The time and memory of an expression are bounded, whatever it does.
func TestExpressionsAreBounded(t *testing.T) {
	t.Parallel()
	for name, expr := range map[string]string{
		"endless": `($f := function() { $f() }; $f())`,
		"large":   `($x := function($s, $n) { $n = 0 ? $s : $x($s & $s, $n - 1) }; $x('0123456789', 40))`,
		"deep":    `($f := function($n) { 1 + $f($n) }; $f(1))`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			r := asltest.Run(t, `{"QueryLanguage":"JSONata","StartAt":"A","States":{"A":{"Type":"Pass","Output":"{% `+expr+` %}","End":true}}}`, `{}`, asl.Environment{})
			if r.Error != "States.QueryEvaluationError" || time.Since(start) > time.Minute {
				t.Errorf("got = %s %s %.200s after %v, want States.QueryEvaluationError soon", r.Status, r.Error, r.Cause, time.Since(start))
			}
		})
	}
}

// A wait beyond the execution's time ends it, even if the wait itself takes no time.
func TestWaitPastTheEnd(t *testing.T) {
	t.Parallel()
	r := asltest.Run(t, `{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":400,"End":true}}}`, `{}`, asl.Environment{Sleep: asltest.NoWait})
	if r.Status != asl.TimedOut || r.Error != "States.Timeout" {
		t.Errorf("got = %s %s %s, want TIMED_OUT", r.Status, r.Error, r.Cause)
	}
}

// A wait beyond the range of a duration, before or after it is scaled, ends with the
// execution's time, and not at once.
func TestWaitsThatNoDurationHolds(t *testing.T) {
	t.Parallel()
	for name, wait := range map[string]string{
		"a number of seconds":  `"Seconds":99999999`,
		"seconds of the input": `"SecondsPath":"$.n"`,
		"a year far ahead":     `"Timestamp":"9999-12-31T23:59:59Z"`,
		"a time of the input":  `"TimestampPath":"$.t"`,
	} {
		m := asltest.Parse(t, `{"StartAt":"W","States":{"W":{"Type":"Wait",`+wait+`,"End":true}}}`)
		for _, scale := range []float64{0, 0.75, 1, 1000, math.MaxFloat64} {
			for how, run := range map[string]func(context.Context, asl.Environment, asl.Execution) asl.Result{"waiting": m.Run, "apart": pausing(m)} {
				start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
				now := start
				r := run(t.Context(), asl.Environment{
					Now:       func() time.Time { return now },
					Sleep:     func(_ context.Context, d time.Duration) error { now = now.Add(d); return nil },
					WaitScale: scale,
				}, asl.Execution{MaxDuration: asl.StandardDuration, Input: []byte(`{"n":9223372036854775807,"t":"9999-12-31T23:59:59Z"}`)})
				if took := now.Sub(start); r.Status != asl.TimedOut || took != asl.StandardDuration {
					t.Errorf("%s, times %g, %s: got = %s after %v, want TIMED_OUT after %v", name, scale, how, r.Status, took, asl.StandardDuration)
				}
			}
		}
	}
}

// A wait is scaled before anything limits it: ten years in a thousandth of the time are
// three days and a half, even if the ten thousand years of the definition exceed a
// duration.
func TestLongWaitsAreScaledFirst(t *testing.T) {
	t.Parallel()
	const years = 10 * 365 * 24 * time.Hour
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name, state string
		scale       float64
		want        time.Duration
	}{
		{"seconds", `"Type":"Wait","Seconds":99999999`, 1e-3, 99999999 * time.Millisecond},
		{"seconds of the input", `"Type":"Wait","SecondsPath":"$.n"`, 1e-3, years / 1000},
		{"a year far ahead", `"Type":"Wait","Timestamp":"9026-01-01T00:00:00Z"`, 1e-6, time.Duration(time.Date(9026, 1, 1, 0, 0, 0, 0, time.UTC).Unix()-start.Unix()) * time.Microsecond},
		{"a time of the input", `"Type":"Wait","TimestampPath":"$.t"`, 1e-6, time.Duration(time.Date(9026, 1, 1, 0, 0, 0, 0, time.UTC).Unix()-start.Unix()) * time.Microsecond},
		{"a retry", `"Type":"Task","Resource":"arn:aws:lambda:us-east-1:123456789012:function:f","Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":99999999,"MaxAttempts":1}]`, 1e-3, 99999999 * time.Millisecond},
	} {
		m := asltest.Parse(t, `{"StartAt":"W","States":{"W":{`+test.state+`,"End":true}}}`)
		now, calls := start, 0
		r := m.Run(t.Context(), asl.Environment{
			Now:       func() time.Time { return now },
			Sleep:     func(_ context.Context, d time.Duration) error { now = now.Add(d); return nil },
			WaitScale: test.scale,
			Tasks: tasks.Funcs{"f": func(context.Context, any) (any, error) {
				if calls++; calls == 1 {
					return nil, &asl.Error{Name: "E"}
				}
				return nil, nil
			}},
		}, asl.Execution{MaxDuration: asl.StandardDuration, Input: fmt.Appendf(nil, `{"n":%d,"t":"9026-01-01T00:00:00Z"}`, years/time.Second)})
		took := now.Sub(start)
		if off := took - test.want; r.Status != asl.Succeeded || off.Abs() > time.Millisecond {
			t.Errorf("%s: %s %s after %v, want %v", test.name, r.Status, r.Cause, took, test.want)
		}
	}
}

// A Standard Workflow can run for a year.
func TestStandardExecutionsAreLong(t *testing.T) {
	t.Parallel()
	for definition, want := range map[string]struct {
		status string
		took   time.Duration
	}{
		`{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":86400,"End":true}}}`:                      {asl.Succeeded, 24 * time.Hour},
		`{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":99999999,"End":true}}}`:                   {asl.TimedOut, 365 * 24 * time.Hour},
		`{"TimeoutSeconds":600,"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":86400,"End":true}}}`: {asl.TimedOut, 10 * time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			r := asltest.Parse(t, definition).Run(t.Context(), asl.Environment{}, asl.Execution{MaxDuration: asl.StandardDuration})
			if r.Status != want.status || time.Since(start) != want.took {
				t.Errorf("%s: %s %s after %v, want %s after %v", definition, r.Status, r.Cause, time.Since(start), want.status, want.took)
			}
		})
	}
}

// Definitions that would run forever if waits take no time end, too.
func TestLoopsEnd(t *testing.T) {
	t.Parallel()
	pass := `{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}`
	tests := map[string]string{
		"states":  `{"StartAt":"A","States":{"A":{"Type":"Choice","Choices":[{"Variable":"$","IsPresent":false,"Next":"Z"}],"Default":"A"},"Z":{"Type":"Succeed"}}}`,
		"retries": `{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:123456789012:function:f","Retry":[{"ErrorEquals":["States.ALL"],"MaxAttempts":99999999,"BackoffRate":1}],"End":true}}}`,
		"catches": `{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:123456789012:function:f","Catch":[{"ErrorEquals":["States.ALL"],"Next":"T"}],"End":true}}}`,
		"maps": `{"StartAt":"M","States":{"M":{"Type":"Map","ItemsPath":"$$.Execution.Input","ItemProcessor":{"StartAt":"N","States":{
			"N":{"Type":"Map","ItemsPath":"$$.Execution.Input","ItemProcessor":` + pass + `,"ResultPath":null,"End":true}}},"ResultPath":null,"Next":"C"},
			"C":{"Type":"Choice","Choices":[{"Variable":"$","IsPresent":false,"Next":"Z"}],"Default":"M"},"Z":{"Type":"Succeed"}}}`,
	}
	for name, definition := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if testing.Short() && (name == "retries" || name == "catches") {
				t.Skip("makes an error for each of many steps")
			}
			tasks := tasks.Funcs{"f": func(context.Context, any) (any, error) { return nil, &asl.Error{Name: "E"} }}
			r := asltest.Run(t, definition, `[1,1,1,1,1,1,1,1,1,1]`, asl.Environment{Tasks: tasks, Sleep: asltest.NoWait})
			if r.Error != "States.Runtime" || !strings.Contains(r.Cause, "seems to loop") {
				t.Errorf("got = %s %s %s, want States.Runtime of a loop", r.Status, r.Error, r.Cause)
			}
		})
	}
}
