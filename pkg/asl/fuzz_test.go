package asl_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/asl/tasks"
)

// For every definition, either Parse reports what is wrong, or Run reaches an end.
func FuzzParse(f *testing.F) {
	f.Add(fiveStates, fiveInput)
	f.Add(fiveJSONata, fiveInput)
	f.Add(task(`"Retry":[{"ErrorEquals":["States.ALL"],"BackoffRate":1e300}],"End":true`), `{}`)
	f.Add(`{"StartAt":"A","States":{"A":{"Type":"Pass","Parameters":{"x.$":"States.Format('{}',$)"},"ResultPath":"$.a.b","Next":"A"}}}`, `{"a":{}}`)
	f.Add(`{"QueryLanguage":"JSONata","StartAt":"A","States":{"A":{"Type":"Map","Items":"{% [1..3] %}","MaxConcurrency":"{% 1e9 %}","ItemProcessor":{"StartAt":"B","States":{"B":{"Type":"Wait","Seconds":"{% $states.input %}","End":true}}},"End":true}}}`, `{}`)
	f.Fuzz(func(t *testing.T, definition, input string) {
		m, err := asl.Parse([]byte(definition))
		if (m == nil) == (err == nil) {
			t.Fatalf("got the machine %v and the error %v, want one of them", m, err)
		}
		if err != nil {
			var d *asl.DefinitionError
			if !errors.As(err, &d) || len(d.Diagnostics) == 0 {
				t.Fatalf("got the error %T %v, want a *DefinitionError with diagnostics", err, err)
			}
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		events := 0
		r := m.Run(ctx, asl.Environment{
			Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
			// Most mutations that run at all run in circles, and would take the two seconds.
			Observe: func(asl.Event) {
				if events++; events == 2000 {
					cancel()
				}
			},
		}, asl.Execution{Input: []byte(input)})
		if (r.Status == asl.Succeeded) != (r.Output != nil) {
			t.Fatalf("got %s with output %s, want an output only if it succeeded", r.Status, r.Output)
		}
	})
}

// A generator makes small machines that are mostly valid.
type generator struct {
	t       *rapid.T
	jsonata bool // the machine's language
	names   int
}

func (g *generator) pick(what string, from ...string) string {
	return rapid.SampledFrom(from).Draw(g.t, what)
}

func (g *generator) machine() string {
	g.jsonata = rapid.Bool().Draw(g.t, "machine of JSONata")
	language := ""
	if g.jsonata {
		language = `"QueryLanguage":"JSONata",`
	}
	return "{" + language + g.flow(0)[1:]
}

// flow makes a chain of states, each of which may also go back.
func (g *generator) flow(depth int) string {
	names := make([]string, rapid.IntRange(1, 3).Draw(g.t, "states"))
	for i := range names {
		g.names++
		names[i] = fmt.Sprintf("S%d", g.names)
	}
	states := make([]string, len(names))
	for i := range names {
		states[i] = fmt.Sprintf("%q:%s", names[i], g.state(names[i+1:], names, depth))
	}
	return fmt.Sprintf(`{"StartAt":%q,"States":{%s}}`, names[0], strings.Join(states, ","))
}

// state makes a state that the others follow: the last of a flow ends it.
func (g *generator) state(others, all []string, depth int) string {
	jsonata := g.jsonata || rapid.Bool().Draw(g.t, "state of JSONata")
	kinds := []string{"Pass", "Task", "Wait"}
	if depth < 2 {
		kinds = append(kinds, "Parallel", "Map")
	}
	next := `"End":true`
	last := all[len(all)-1]
	if len(others) > 0 {
		kinds = append(kinds, "Choice")
		next = fmt.Sprintf(`"Next":%q`, others[0])
	} else {
		kinds = append(kinds, "Succeed", "Fail")
	}
	kind := g.pick("type", kinds...)
	fields := []string{fmt.Sprintf(`"Type":%q`, kind)}
	if jsonata {
		fields = append(fields, `"QueryLanguage":"JSONata"`)
	}
	value := g.value(jsonata)
	handlers := fmt.Sprintf(`"Retry":[{"ErrorEquals":["States.TaskFailed"],"MaxAttempts":1}],"Catch":[{"ErrorEquals":["States.ALL"],"Next":%q}]`, last)
	switch kind {
	case "Pass":
		fields = append(fields, next, g.stages(jsonata, "Parameters", "Output", value))
	case "Task":
		fields = append(fields, next, `"Resource":"arn:aws:lambda:us-east-1:123456789012:function:f"`, handlers, g.stages(jsonata, "Parameters", "Arguments", value))
	case "Choice":
		rule := `{"Variable":"$.a","IsPresent":true,"Next":%q}`
		if jsonata {
			rule = `{"Condition":"{%% $exists($states.input.a) %%}","Next":%q}`
		}
		fields = append(fields, `"Choices":[`+fmt.Sprintf(rule, g.pick("target", all...))+`]`, fmt.Sprintf(`"Default":%q`, others[0]))
	case "Wait":
		fields = append(fields, next, `"Seconds":1`)
	case "Parallel":
		fields = append(fields, next, handlers, `"Branches":[`+g.flow(depth+1)+`,`+g.flow(depth+1)+`]`)
	case "Map":
		items := `"ItemsPath":"$.l"`
		if jsonata {
			items = `"Items":"{% $states.input.l %}"`
		}
		fields = append(fields, next, handlers, items, `"ItemProcessor":`+g.flow(depth+1))
	}
	return "{" + strings.Join(fields, ",") + "}"
}

func (g *generator) value(jsonata bool) string {
	if jsonata {
		return g.pick("value", `1.0`, `{"a":[1,2],"l":[1]}`, `"{% $states.input %}"`, `{"l":"{% [1..3] %}","a":"{% $states.context.State.Name %}"}`, `"{% $v %}"`, `{"x":"{% $states.input.a %}"}`)
	}
	return g.pick("value", `{"a":[1,2],"l":[1]}`, `{"l.$":"States.ArrayRange(1,3,1)"}`, `{"a.$":"$","l.$":"$.l"}`, `{"a.$":"$v"}`, `{"x.$":"$$.State.Name"}`)
}

func (g *generator) stages(jsonata bool, jsonpathField, jsonataField, value string) string {
	if jsonata {
		return fmt.Sprintf(`%q:%s,"Assign":{"v":%s}`, jsonataField, value, g.value(true))
	}
	return fmt.Sprintf(`%q:%s,"Assign":{"v":1},"ResultPath":%q`, jsonpathField, value, g.pick("result path", "$", "$.a", "$.l[0]", "$.b.c"))
}

// checkMachine checks properties of every machine: it ends, its events are numbered without
// gaps, and its output is JSON within the limit.
func checkMachine(t *rapid.T) {
	g := &generator{t: t}
	definition := g.machine()
	m, err := asl.Parse([]byte(definition))
	if err != nil {
		t.Fatalf("%s does not parse: %v", definition, err)
	}
	r, events := play(t, definition, m.Run)
	switch r.Status {
	case asl.Succeeded:
		if !json.Valid(r.Output) || len(r.Output) > 262144 {
			t.Fatalf("%s: the output of %d bytes is not JSON, or too large", definition, len(r.Output))
		}
	case asl.Failed, asl.TimedOut:
		if r.Output != nil {
			t.Fatalf("%s fails with the output %s", definition, r.Output)
		}
	default:
		t.Fatalf("%s ended with the status %q", definition, r.Status)
	}
	for i, e := range events {
		if e.ID != int64(i+1) || e.PreviousID >= e.ID || e.PreviousID < 0 {
			t.Fatalf("%s: event %d has the number %d and follows %d", definition, i+1, e.ID, e.PreviousID)
		}
	}
	if first, last := events[0].Type, events[len(events)-1].Type; first != "ExecutionStarted" || !strings.HasPrefix(last, "Execution") {
		t.Fatalf("%s: the events go from %s to %s", definition, first, last)
	}
	if strings.Contains(definition, `"Branches"`) || strings.Contains(definition, `"ItemProcessor"`) {
		return // concurrent flows read the clock in any order
	}
	if again, apart := play(t, definition, pausing(m)); !reflect.DeepEqual(again, r) || !reflect.DeepEqual(apart, events) {
		t.Fatalf("%s: with pauses %s %s and the events\n%v\nwithout %s %s and\n%v", definition, again.Status, again.Output, apart, r.Status, r.Output, events)
	}
}

// play runs a machine in a deterministic environment.
func play(t *rapid.T, definition string, run func(context.Context, asl.Environment, asl.Execution) asl.Result) (asl.Result, []asl.Event) {
	var events []asl.Event
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var clock, calls atomic.Int64 // each reading of the clock advances it by a second, so that loops end soon
	r := run(context.Background(), asl.Environment{
		Now: func() time.Time { return start.Add(time.Duration(clock.Add(1)) * time.Second) },
		Sleep: func(_ context.Context, d time.Duration) error {
			if d > 5*time.Minute {
				t.Fatalf("%s waits for %v, which exceeds five minutes", definition, d)
			}
			return nil
		},
		Observe: func(e asl.Event) { events = append(events, e) },
		Tasks: tasks.Funcs{"f": func(_ context.Context, v any) (any, error) {
			if calls.Add(1)%3 == 0 {
				return nil, &asl.Error{Name: "E"}
			}
			return v, nil
		}},
	}, asl.Execution{Input: []byte(`{"l":[1,2],"v":0}`)})
	return r, events
}

// pausing returns the function that runs a machine without a caller that waits.
func pausing(m *asl.Machine) func(context.Context, asl.Environment, asl.Execution) asl.Result {
	return func(ctx context.Context, env asl.Environment, ex asl.Execution) asl.Result {
		r, pause := m.RunApart(ctx, env, ex)
		for pause != nil {
			over := make(chan struct{})
			pause.WhenOver(func() { close(over) })
			<-over
			r, pause = pause.Resume()
		}
		return r
	}
}

func TestGeneratedMachines(t *testing.T) {
	t.Parallel()
	rapid.Check(t, checkMachine)
}

func FuzzRun(f *testing.F) { f.Fuzz(rapid.MakeFuzz(checkMachine)) }
