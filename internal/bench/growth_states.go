package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/expressway-dev/expressway/pkg/asl"
)

// How many turns the States Language gets, and for how long each side of them lasts.
const (
	growthStates = 9
	statesBlock  = 2 * growthBlock
)

// A growingMachine is a state machine whose work is in proportion to its n.
type growingMachine struct {
	budget     budget
	from       int // n at the smaller size; the larger one is four times that
	definition func(n int) string
	input      func(n int) string
}

func machine(what, unit string, from int, definition, input func(n int) string) growingMachine {
	return growingMachine{
		budget{what: fmt.Sprintf("States Language with %d %s: %s", 4*from, unit, what), against: fmt.Sprintf("%d %s", from, unit), unit: "ms", limit: 5, grows: true},
		from, definition, input,
	}
}

// within has a Pass state whose parameter is the template.
func within(template string) func(int) string {
	return fixed(`{"StartAt":"A","States":{"A":{"Type":"Pass","Parameters":{"r.$":"` + template + `"},"End":true}}}`)
}

func fixed(text string) func(int) string { return func(int) string { return text } }

func listed(n int, item func(i int) string) string {
	items := make([]string, n)
	for i := range items {
		items[i] = item(i)
	}
	return strings.Join(items, ",")
}

func numbers(n int) string {
	return fmt.Sprintf(`{"i":0,"n":%d,"list":[%s]}`, n, listed(n, func(i int) string { return fmt.Sprint(i % 10) }))
}

func objects(n int) string {
	return `{"want":1,"list":[` + listed(n, func(i int) string { return fmt.Sprintf(`{"a":%d}`, i%10) }) + `]}`
}

func members(n int) string {
	return `{"o":{` + listed(n, func(i int) string { return fmt.Sprintf(`"k%d":%d`, i, i%10) }) + `}}`
}

// iterates has a Map with the fields over $.list.
func iterates(fields, processor, state string) func(int) string {
	return fixed(`{"StartAt":"M","States":{"M":{"Type":"Map","ItemsPath":"$.list",` + fields + `"ItemProcessor":{` + processor + `"StartAt":"P","States":{"P":{` + state + `"End":true}}},"End":true}}}`)
}

// evaluates has a Map in JSONata.
func evaluates(selector, output string) func(int) string {
	return fixed(`{"QueryLanguage":"JSONata","StartAt":"M","States":{"M":{"Type":"Map","Items":"{% $states.input.list %}",` + selector +
		`"ItemProcessor":{"StartAt":"P","States":{"P":{"Type":"Pass","Output":"{% ` + output + ` %}","End":true}}},"End":true}}}`)
}

// repeats assigns until there have been n turns.
func repeats(start, turn string) func(int) string {
	return fixed(`{"QueryLanguage":"JSONata","StartAt":"V","States":{"V":{"Type":"Pass","Assign":{"i":0` + start + `},"Next":"C"},
		"C":{"Type":"Choice","Choices":[{"Condition":"{% $i < $states.input.n %}","Next":"P"}],"Default":"E"},
		"P":{"Type":"Pass","Assign":{"i":"{% $i + 1 %}"` + turn + `},"Next":"C"},"E":{"Type":"Succeed"}}}`)
}

func turns(n int) string { return fmt.Sprintf(`{"i":0,"n":%d}`, n) }

const distributed = `"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},`

var growingMachines = []growingMachine{
	machine("`$..a`", "items", 8000, within("States.ArrayLength($..a)"), objects),
	machine("`[?(@.a==1)]`", "items", 8000, within("States.ArrayLength($.list[?(@.a==1)])"), objects),
	machine("`[?(@.a in $.list[*].a)]`", "items", 8000, within("States.ArrayLength($.list[?(@.a in $.list[*].a)])"), objects),
	machine("`[0:]`", "items", 8000, within("States.ArrayLength($.list[0:])"), objects),
	machine("`[*].a`", "items", 8000, within("States.ArrayLength($.list[*].a)"), objects),
	machine("`States.ArrayPartition`", "items", 25_000, within("States.ArrayLength(States.ArrayPartition($.list, 7))"), numbers),
	machine("`States.ArrayContains`", "items", 25_000, within("States.ArrayContains($.list, 77)"), numbers),
	machine("`States.ArrayUnique`", "items", 25_000, within("States.ArrayUnique($.list)"), numbers),
	machine("`States.StringToJson` and `JsonToString`", "items", 25_000, within("States.ArrayLength(States.StringToJson(States.JsonToString($.list)))"), numbers),
	machine("`States.StringSplit`", "items", 25_000, within("States.ArrayLength(States.StringSplit(States.JsonToString($.list), ','))"), numbers),
	machine("`States.Format`", "items", 16_000, within("States.Format('{}', $.list)"), numbers),
	machine("`States.JsonMerge`", "members", 4000, within("States.JsonMerge($.o, $.o, false)"), members),
	machine("Map with `$$` and ItemSelector", "items", 2500, iterates(`"ItemSelector":{"v.$":"$$.Map.Item.Value","i.$":"$$.Map.Item.Index","n.$":"$.n"},`, "", `"Type":"Pass","OutputPath":"$.v",`), numbers),
	machine("Map with ResultSelector", "items", 2500, iterates(`"ResultSelector":{"r.$":"$[*]"},`, "", `"Type":"Pass",`), numbers),
	machine("Map with `$states.context`", "items", 2500, evaluates(`"ItemSelector":{"v":"{% $states.input.list[$states.context.Map.Item.Index] %}"},`, "$states.input.v + $states.context.Map.Item.Index"), numbers),
	machine("Map that reads the execution's input", "items", 2500, evaluates("", "$states.context.Execution.Input.list[$states.context.Map.Item.Index]"), numbers),
	machine("Map in a Map", "items", 2500, iterates(`"ItemSelector":{"l":[1,2]},`, "", `"Type":"Map","ItemsPath":"$.l","ItemProcessor":{"StartAt":"Q","States":{"Q":{"Type":"Pass","End":true}}},`), numbers),
	machine("distributed Map", "items", 10_000, iterates("", distributed, `"Type":"Pass",`), numbers),
	machine("ItemBatcher", "items", 10_000, iterates(`"ItemBatcher":{"MaxItemsPerBatch":7,"BatchInput":{"n.$":"$.n"}},`, distributed, `"Type":"Pass","OutputPath":"$.Items[0]",`), numbers),
	machine("Parallel", "branches", 500, func(n int) string {
		return `{"StartAt":"P","States":{"P":{"Type":"Parallel","Branches":[` +
			listed(n, func(i int) string {
				return fmt.Sprintf(`{"StartAt":"A%[1]d","States":{"A%[1]d":{"Type":"Pass","End":true}}}`, i)
			}) + `],"End":true}}}`
	}, fixed(`1`)),
	machine("a loop of Choice and Pass", "turns", 2500, fixed(`{"StartAt":"C","States":{"C":{"Type":"Choice","Choices":[{"Variable":"$.i","NumericLessThanPath":"$.n","Next":"P"}],"Default":"E"},
		"P":{"Type":"Pass","Parameters":{"i.$":"States.MathAdd($.i, 1)","n.$":"$.n"},"Next":"C"},"E":{"Type":"Succeed"}}}`), turns),
	machine("a loop with Assign", "turns", 2500, repeats("", ""), turns),
	machine("a loop that carries a list as long as its turns", "turns", 2500, fixed(`{"StartAt":"C","States":{"C":{"Type":"Choice","Choices":[{"Variable":"$.i","NumericLessThanPath":"$.n","Next":"P"}],"Default":"E"},
		"P":{"Type":"Pass","Parameters":{"i.$":"States.MathAdd($.i, 1)"},"ResultPath":"$.next","Next":"Q"},
		"Q":{"Type":"Pass","InputPath":"$.next.i","ResultPath":"$.i","Next":"C"},"E":{"Type":"Succeed","OutputPath":"$.i"}}}`), numbers),
	machine("a loop that appends to a variable", "turns", 2500, repeats(`,"l":[]`, `,"l":"{% $append($l, $i) %}"`), turns),
	machine("Retry", "attempts", 2500, func(n int) string {
		return fmt.Sprintf(`{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:123456789012:function:f",
			"Retry":[{"ErrorEquals":["States.ALL"],"MaxAttempts":%d,"IntervalSeconds":1,"BackoffRate":1}],"Catch":[{"ErrorEquals":["States.ALL"],"Next":"E"}],"End":true},"E":{"Type":"Succeed"}}}`, n)
	}, fixed(`{}`)),
}

// growthOfStates measures how the processor time of an execution grows with its work.
func (b *bench) growthOfStates(ctx context.Context, r *report) error {
	b.say("States Language: %d state machines at two sizes", len(growingMachines))
	for _, g := range growingMachines {
		var c comparison
		few, err := g.prepare(ctx, g.from)
		if err == nil {
			var many func() error
			if many, err = g.prepare(ctx, growthTimes*g.from); err == nil {
				c, err = inLongTurns(few, many)
			}
		}
		if err != nil {
			return fmt.Errorf("%s: %w", g.budget.what, err)
		}
		r.add(g.budget, c)
	}
	return b.growthOfPages(r)
}

// prepare returns a function that runs the state machine once.
func (g growingMachine) prepare(ctx context.Context, n int) (func() error, error) {
	m, err := asl.Parse([]byte(g.definition(n)))
	if err != nil {
		return nil, err
	}
	input := []byte(g.input(n))
	env := asl.Environment{Sleep: func(context.Context, time.Duration) error { return nil }}
	return func() error {
		if result := m.Run(ctx, env, asl.Execution{Input: input}); result.Status != asl.Succeeded {
			return errors.New(result.Status + " " + result.Error + " " + result.Cause)
		}
		return nil
	}, nil
}

// inLongTurns measures the processor time of many, and of few, which does a fourth of the
// work four times as often. Each side of a turn lasts for long enough to contain several
// collections of garbage, which the collector does as often as by default: most of what an
// execution uses is in use only until it ends.
func inLongTurns(few, many func() error) (comparison, error) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	var c comparison
	if err := few(); err != nil { // maps memory
		return c, err
	}
	var first []float64
	if err := timed(1, many, &first)(); err != nil {
		return c, err
	}
	times := max(1, int(math.Ceil(milliseconds(statesBlock)/first[0])))
	err := inTurns(growthStates, timed(growthTimes*times, few, &c.base), timed(times, many, &c.ours))
	return c, err
}

// timed returns a function that repeats do, and records the processor time of each.
func timed(times int, do func() error, into *[]float64) func() error {
	return func() error {
		runtime.GC()
		before := processorTime()
		for range times {
			if err := do(); err != nil {
				return err
			}
		}
		*into = append(*into, milliseconds(processorTime()-before)/float64(times))
		return nil
	}
}
