package asl

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// Four times the work makes at most this many times the garbage.
const mostGrowth = 4.6

// A growingRun is a state machine whose work is in proportion to n, which its input has as
// a member beside a list of n numbers.
type growingRun struct {
	name       string
	definition func(n int) string
}

func fixedDefinition(text string) func(int) string { return func(int) string { return text } }

// turnsOf is a loop in JSONata whose turns evaluate Assign and Output. The states after it
// make values that are large enough to be remembered.
func turnsOf(start, assign, output string) func(int) string {
	large := `["{% $string($i) & '` + strings.Repeat("x", knownFrom) + `' %}"]`
	return fixedDefinition(`{"QueryLanguage":"JSONata","StartAt":"V","States":{
		"V":{"Type":"Pass","Assign":{"i":0` + start + `},"Output":{"l":[],"first":"{% $states.input.list %}"},"Next":"C"},
		"C":{"Type":"Choice","Choices":[{"Condition":"{% $i < $states.context.Execution.Input.n %}","Next":"P"}],"Default":"E"},
		"P":{"Type":"Pass","Assign":{"i":"{% $i + 1 %}"` + assign + `}` + output + `,"Next":"A"},
		"A":{"Type":"Pass","Assign":{"large":` + large + `},"Next":"B"},
		"B":{"Type":"Pass","Assign":{"other":` + large + `},"Next":"C"},
		"E":{"Type":"Succeed","Output":1}}}`)
}

func passes(template string) func(int) string {
	return fixedDefinition(`{"StartAt":"P","States":{"P":{"Type":"Pass","Parameters":{"r.$":"` + template + `"},"End":true}}}`)
}

func mapOf(fields, config, state string) func(int) string {
	return fixedDefinition(`{"StartAt":"M","States":{"M":{"Type":"Map","ItemsPath":"$.list",` + fields +
		`"ItemProcessor":{` + config + `"StartAt":"P","States":{"P":{"Type":"Pass",` + state + `"End":true}}},"End":true}}}`)
}

var growingRuns = []growingRun{
	{"a loop", turnsOf("", "", "")},
	{"a loop that appends to a variable", turnsOf(`,"l":[]`, `,"l":"{% $append($l, $i) %}"`, "")},
	{"a loop that appends a fraction", turnsOf(`,"l":[]`, `,"l":"{% $append($l, $states.input.first[0]) %}"`, "")},
	{"a loop that appends in brackets", turnsOf(`,"l":[]`, `,"l":"{% [$l, {'id': $i, 'part': $states.input.first[1]}] %}"`, "")},
	{"a loop that puts values in front", turnsOf(`,"l":[]`, `,"l":"{% $append($i, $l) %}"`, "")},
	{"a loop that appends to a member", turnsOf(`,"l":{"items":[]}`, `,"l":{"items":"{% $append($l.items, $i) %}","n":"{% $count($l.items) %}"}`, "")},
	{"a loop that merges a longer list", turnsOf(`,"l":{"items":[]}`, `,"l":"{% $merge([$l, {'items': $append($l.items, $i)}]) %}"`, "")},
	{"a loop that appends to its output", turnsOf("", "", `,"Output":"{% $merge([$states.input, {'l': $append($states.input.l, $i)}]) %}"`)},
	{"a loop that keeps the list before", turnsOf(`,"l":[],"b":[]`, `,"l":"{% $append($l, $i) %}","b":"{% $l %}"`, "")},
	{"a loop of Choice and Pass", fixedDefinition(`{"StartAt":"C","States":{"C":{"Type":"Choice","Choices":[{"Variable":"$.i","NumericLessThanPath":"$.n","Next":"P"}],"Default":"E"},
		"P":{"Type":"Pass","Parameters":{"i.$":"States.MathAdd($.i, 1)","n.$":"$.n","list.$":"$.list"},"Next":"C"},"E":{"Type":"Succeed","OutputPath":"$.i"}}}`)},
	{"a loop that carries a list", fixedDefinition(`{"StartAt":"C","States":{"C":{"Type":"Choice","Choices":[{"Variable":"$.i","NumericLessThanPath":"$.n","Next":"P"}],"Default":"E"},
		"P":{"Type":"Pass","Parameters":{"i.$":"States.MathAdd($.i, 1)"},"ResultPath":"$.next","Next":"Q"},
		"Q":{"Type":"Pass","InputPath":"$.next.i","ResultPath":"$.i","Next":"C"},"E":{"Type":"Succeed","OutputPath":"$.i"}}}`)},
	{"$..*", passes("States.ArrayLength($..*)")},
	{"$.list[*]", passes("States.ArrayLength($.list[*])")},
	{"$.list[0:]", passes("States.ArrayLength($.list[0:])")},
	{"$.list[?(@ in $.list)]", passes("States.ArrayLength($.list[?(@ in $.list)])")},
	{"States.Array", passes("States.ArrayLength(States.Array($.list, $.list))")},
	{"States.ArrayContains", passes("States.ArrayContains($.list, 77777)")},
	{"States.ArrayPartition", passes("States.ArrayLength(States.ArrayPartition($.list, 7))")},
	{"States.ArrayRange", passes("States.ArrayLength(States.ArrayRange(1, $.thousandth, 1))")},
	{"States.ArrayUnique", passes("States.ArrayUnique($.list)")},
	{"States.Format", passes("States.Format('{}', $.list)")},
	{"States.Hash", passes("States.Hash(States.ArrayPartition($.list, 2), 'MD5')")},
	{"States.JsonMerge", passes("States.JsonMerge($.members, $.members, false)")},
	{"States.StringToJson", passes("States.StringToJson(States.JsonToString($.list))")},
	{"States.StringSplit", passes("States.StringSplit(States.JsonToString($.list), ',')")},
	{"Map", mapOf("", "", "")},
	{"Map with selectors", mapOf(`"ItemSelector":{"v.$":"$$.Map.Item.Value","n.$":"$.n"},"ResultSelector":{"r.$":"$[*]"},`, "", `"OutputPath":"$.v",`)},
	{"distributed Map with batches", mapOf(`"ItemBatcher":{"MaxItemsPerBatch":7,"BatchInput":{"n.$":"$.n"}},`, `"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},`, `"OutputPath":"$.Items",`)},
	{"Parallel", func(n int) string {
		branches := make([]string, n)
		for i := range branches {
			branches[i] = fmt.Sprintf(`{"StartAt":"A%[1]d","States":{"A%[1]d":{"Type":"Pass","OutputPath":"$.n","End":true}}}`, i)
		}
		return `{"StartAt":"P","States":{"P":{"Type":"Parallel","Branches":[` + strings.Join(branches, ",") + `],"End":true}}}`
	}},
	{"Retry", func(n int) string {
		return fmt.Sprintf(`{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:123456789012:function:f",
			"Retry":[{"ErrorEquals":["States.ALL"],"MaxAttempts":%d,"IntervalSeconds":1,"BackoffRate":1}],"Catch":[{"ErrorEquals":["States.ALL"],"Next":"E"}],"End":true},"E":{"Type":"Succeed"}}}`, n)
	}},
}

// allocatedBy returns the bytes that a run allocates.
func (g growingRun) allocatedBy(t *testing.T, n int) float64 {
	t.Helper()
	m, err := Parse([]byte(g.definition(n)))
	if err != nil {
		t.Fatal(err)
	}
	var list, members strings.Builder
	for i := range n {
		fmt.Fprintf(&list, ",%d.5", 1000+i)
		fmt.Fprintf(&members, `,"k%d":%d`, 1000+i, i)
	}
	input := fmt.Appendf(nil, `{"i":0,"n":%d,"thousandth":%d,"list":[%s],"members":{%s}}`, n, n, list.String()[1:], members.String()[1:])
	env := Environment{Sleep: func(context.Context, time.Duration) error { return nil }}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	result := m.Run(t.Context(), env, Execution{Input: input})
	runtime.ReadMemStats(&after)
	if result.Status != Succeeded {
		t.Fatalf("%d: %s %s", n, result.Error, result.Cause)
	}
	return float64(after.TotalAlloc - before.TotalAlloc)
}

// What a run allocates is in proportion to its work: nothing is copied once for each turn,
// item, branch or attempt.
//
//nolint:paralleltest // it measures memory
func TestGrowth(t *testing.T) {
	for _, g := range growingRuns {
		t.Run(g.name, func(t *testing.T) {
			const n = 200
			g.allocatedBy(t, 10) // what is only made once
			if few, many := g.allocatedBy(t, n), g.allocatedBy(t, 4*n); many > mostGrowth*few {
				t.Errorf("%.0f bytes for %d, and %.0f for %d: %.1f times as much, want about 4", few, n, many, 4*n, many/few)
			}
		})
	}
}

// A list that expressions make longer is not read again, except when it is moved: not to
// convert its numbers, not to measure it, not when it becomes a variable. What is planted in
// it would be converted, or refused because it is not JSON.
func TestLongerListsAreNotReadAgain(t *testing.T) {
	t.Parallel()
	for _, longer := range []string{"$append($l.items, $states.input)", "[$states.input, $l.items]"} {
		for _, planted := range []any{json.Number("1.0"), struct{}{}} {
			testLongerList(t, longer, planted)
		}
	}
}

func testLongerList(t *testing.T, longer string, planted any) {
	t.Helper()
	m, err := Parse([]byte(`{"QueryLanguage":"JSONata","StartAt":"P","States":{"P":{"Type":"Pass","Assign":{"l":{"items":"{% ` + longer + ` %}"},"before":"{% $l.items %}"},"Output":{"l":"{% $l %}"},"End":true}}}`))
	if err != nil {
		t.Fatal(err)
	}
	f, failure := m.begin(Environment{}, Execution{})
	if failure != nil {
		t.Fatal(failure.Cause)
	}
	start := jsonata.NewObject(1)
	start.Set("items", []any{})
	variables := jsonata.NewObject(1)
	variables.Set("l", start)
	if err := f.commit(variables); err != nil {
		t.Fatal(err)
	}
	list := func() []any {
		v, _ := f.vars.get("l")
		return v.(*jsonata.Object).List("items")
	}
	turn := func(i int) *Error {
		f.enter(m.flow.states["P"], nil, f.run.started)
		_, _, err := f.step(t.Context(), json.Number(fmt.Sprintf("%d.50", i)))
		return err
	}
	sized := func() bool { // reports whether the whole of the variable was counted
		v, _ := f.vars.get("l")
		text, _ := jsonata.AppendJSON(nil, v)
		return f.vars.values["l"].size == len("l")+len(text)
	}
	const before, turns = 500, 50
	for i := range before {
		if err := turn(i); err != nil || len(list()) != i+1 || !slices.Contains(list(), any(float64(i)+0.5)) {
			t.Fatalf("%s: turn %d: %v, %v", longer, i, err, list())
		}
	}
	text, _ := jsonata.AppendJSON(nil, list())
	if ok, _ := fits(list(), len(text), &f.sizes); !ok {
		t.Errorf("%s: a list of %d bytes does not fit into them", longer, len(text))
	}
	if ok, _ := fits(list(), len(text)-1, &f.sizes); ok {
		t.Errorf("%s: a list of %d bytes fits into less", longer, len(text))
	}
	read := 0
	for i := range turns {
		was := list()
		middle := len(was) / 2
		kept := was[middle]
		was[middle] = planted
		err := turn(before + i)
		replaced := !slices.Contains(list(), planted)
		if was[middle] = kept; err != nil || replaced || !sized() {
			read++
		}
	}
	if len(list()) < before+turns-2 || read > 2 {
		t.Errorf("%s: with %T in it, the list was read in %d of %d turns, and has %d items", longer, planted, read, turns, len(list()))
	}
}
