package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/expressway-dev/expressway/internal/jsonatagrowth"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// Expressions whose result is linear in the number of items are measured at two sizes,
// alternately: four times the smaller one for each of the larger one, so that both sides
// process as many items.
const (
	growthFrom    = 16_000
	growthTo      = 64_000
	growthTimes   = growthTo / growthFrom
	growthTurns   = 7
	restTurns     = 5                     // of those of the other expressions that are near the limit
	growthNear    = 4.5                   // at the first look
	growthBlock   = 60 * time.Millisecond // of the processor at least, for each side of a turn
	growthLook    = 20 * time.Millisecond // the same for the first look at an expression
	growthGarbage = 128 << 20             // bytes that a side may leave to be shorter than that
	growthLimit   = 5
)

// A growing expression is one that is easily evaluated in quadratic time.
type growing struct {
	budget budget
	expr   string
}

func grows(what, expr string) growing {
	return growing{growthBudget(what), expr}
}

func growthBudget(what string) budget {
	return budget{what: "JSONata with 64,000 items: " + what, against: "16,000 items", unit: "ms", limit: growthLimit, grows: true}
}

// looksUp is a growing expression that looks up each item of a list in another one.
func looksUp(what, expr string, byHand *budget) growing {
	g := grows(what, expr)
	g.budget.byHand = byHand
	return g
}

var growingExpressions = []growing{
	grows("`$reduce` with `&`", `$length($reduce($list, function($a, $o) { $a & "," & $o.id }, ""))`),
	grows("`$reduce` with `$append`", `$count($reduce($list, function($a, $o) { $append($a, $o.n * 2) }, []))`),
	grows("`$reduce` with `$merge`", `$count($keys($reduce($list, function($a, $o) { $merge([$a, {$o.id: $o.n}]) }, {})))`),
	looksUp("`in` a list", `($ids := $list.id; $count($list[other in $ids]))`, &controlSet),
	looksUp("`in` a path", `$count($list[other in $data.others.id])`, &controlSet),
	grows("`$distinct` of objects", `$count($distinct($list.{"a": id, "b": [n, name]}))`),
	grows("`items[[0..n]]`", `$count($list[[0..$n]])`),
	grows("`items[$i]`", `$sum([0..$n - 1].($i := $; $list[$i].n))`),
	grows("`$substring`", `$count($map([0..$length($text) - 1], function($i) { $substring($text, $i, 1) }))`),
	looksUp("a join by `@`", `$count($data.list@$a.others@$b[$a.other = $b.id].{"a": $a.id, "b": $b.name})`, &controlFind),
	looksUp("a lookup in `$reduce`", `$count($reduce($list, function($a, $o) { $append($a, $others[id = $o.other].name) }, []))`, &controlFind),
	grows("a share of a total", `$count($list.(n / $sum($data.list.n)))`),
}

// The controls are by hand, and show how much slower the memory of the machine is for four
// times the data.
func control(what string) budget {
	return budget{what: "By hand, 64,000 items: " + what, against: "16,000 items", unit: "ms", grows: true}
}

var (
	controlSet  = control("a Go map of the texts, in which each reference is looked up, as `in` does")
	controlFind = control("a Go map of pointers to structs, of which each reference finds one and reads a field, as lookups do")
	controlSort = control("`slices.SortFunc` of the texts, as `$sort` does")
	controlCopy = control("a copy of a list, as `items[[0..n]]` makes")

	// The worst of the expressions that have no line of their own.
	budgetGrowthRest    = growthBudget("the worst of the other expressions that read in order")
	budgetGrowthLookups = looksUp("the worst of the other lookups", "", &controlFind).budget
)

// growthLines are the lines of the report.
func growthLines() []budget {
	var lines []budget
	for _, g := range growingExpressions {
		lines = append(lines, g.budget)
	}
	return append(lines, budgetGrowthRest, budgetGrowthLookups, controlSet, controlFind, controlSort, controlCopy)
}

// processorTime is what this process has used: on a busy machine, wall-clock time grows
// faster for work that takes longer than a time slice of the scheduler.
func processorTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err) // cannot fail
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// growth measures how the processor time of expressions grows with the number of items,
// within the default limits.
func (b *bench) growth(ctx context.Context, r *report) error {
	b.say("JSONata: %d expressions with %d and %d items", len(growingExpressions)+len(jsonatagrowth.Rows()), growthFrom, growthTo)
	var inputs [2]any
	for i, n := range []int{growthFrom, growthTo} {
		var err error
		if inputs[i], err = jsonata.Decode(jsonatagrowth.Document(n)); err != nil {
			return err
		}
	}
	for _, g := range growingExpressions {
		c, err := growthOf(ctx, g.expr, inputs, growthTurns, growthBlock)
		if err != nil {
			return fmt.Errorf("%s: %w", g.budget.what, err)
		}
		r.add(g.budget, c)
		r.noteGrowth(growthName(g.budget), c)
	}
	if err := growthByHand(r, inputs); err != nil {
		return err
	}
	if err := growthOfRest(ctx, r, budgetGrowthRest, jsonatagrowth.InOrder, inputs); err != nil {
		return err
	}
	return growthOfRest(ctx, r, budgetGrowthLookups, jsonatagrowth.Lookups, inputs)
}

func growthName(b budget) string { return strings.TrimPrefix(b.what, "JSONata with 64,000 items: ") }

// noteGrowth notes an expression over the limit of all others.
func (r *report) noteGrowth(name string, c comparison) {
	if c.ratio() > growthLimit {
		r.overGrowth = append(r.overGrowth, fmt.Sprintf("%s (%.2f×)", name, c.ratio()))
	}
}

// growthOfRest measures expressions of the test table, and adds the worst. An expression that
// is clearly within the limit is measured once.
func growthOfRest(ctx context.Context, r *report, line budget, rows []jsonatagrowth.Row, inputs [2]any) error {
	var worst comparison
	name := ""
	for _, row := range rows {
		c, err := growthOf(ctx, row.Expr, inputs, 1, growthLook)
		if err == nil && c.ratio() > growthNear {
			c, err = growthOf(ctx, row.Expr, inputs, restTurns, growthBlock)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", row.Name, err)
		}
		r.noteGrowth(row.Name, c)
		if len(worst.base) == 0 || c.ratio() > worst.ratio() {
			worst, name = c, row.Name
		}
	}
	r.worstGrowth = append(r.worstGrowth, fmt.Sprintf("%q of %d", name, len(rows)))
	r.add(line, worst)
	return nil
}

// growthOf evaluates an expression at both sizes.
func growthOf(ctx context.Context, text string, inputs [2]any, turns int, block time.Duration) (comparison, error) {
	expr, err := jsonata.Compile(jsonatagrowth.Bind(text))
	if err != nil {
		return comparison{}, err
	}
	return inGrowthTurns(turns, block, func(i int) error {
		_, err := expr.Eval(ctx, inputs[i], nil)
		return err
	})
}

// inGrowthTurns measures a function of the size, 0 or 1, per call. The garbage collector is
// off within a side of a turn and runs at its end. By default it would run whenever there is
// as much garbage as data in use, so that it counts in the proportion of these. Otherwise
// chance decides into which side a collection falls, and it takes longer than many calls.
// The first calls, which map the memory that later ones use again, are not measured.
func inGrowthTurns(turns int, block time.Duration, call func(size int) error) (comparison, error) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	runtime.GC()
	first, err := timesOf(1, func() error { return call(1) })
	if err != nil {
		return comparison{}, err
	}
	times := first.timesFor(block)
	var c comparison
	side := func(size, times int, to *[]float64) func() error {
		return func() error {
			used, err := timesOf(times, func() error { return call(size) })
			*to = append(*to, milliseconds(used.time())/float64(times))
			return err
		}
	}
	few, many := side(0, growthTimes*times, &c.base), side(1, times, &c.ours)
	if turns > 1 {
		if err := inTurns(1, few, many); err != nil {
			return comparison{}, err
		}
		c = comparison{}
	}
	err = inTurns(turns, few, many)
	return c, err
}

// A usage is what a number of calls used.
type usage struct {
	calls, collection time.Duration // of the processor
	garbage, data     float64       // bytes; data are in use afterwards
}

// time has the share of the collection.
func (u usage) time() time.Duration {
	return u.calls + time.Duration(float64(u.collection)*u.garbage/u.data)
}

// timesOf calls a number of times, and collects the garbage then.
func timesOf(times int, call func() error) (usage, error) {
	var before, after, end runtime.MemStats
	runtime.ReadMemStats(&before)
	start := processorTime()
	for range times {
		if err := call(); err != nil {
			return usage{}, err
		}
	}
	called := processorTime()
	runtime.ReadMemStats(&after)
	collect := processorTime()
	runtime.GC()
	u := usage{calls: called - start, collection: processorTime() - collect}
	runtime.ReadMemStats(&end)
	u.garbage, u.data = float64(after.TotalAlloc-before.TotalAlloc), float64(end.HeapAlloc)
	return u, nil
}

// timesFor is how often to call for a time, but not for so much garbage that memory becomes
// short.
func (u usage) timesFor(block time.Duration) int {
	return max(1, int(min(float64(block)/float64(max(u.calls, 1)), growthGarbage/max(u.garbage, 1))))
}

// growthByHand measures the controls.
func growthByHand(r *report, inputs [2]any) error {
	type item struct{ id, other, name, key string }
	var lists [2][]*item
	var values [2][]any
	for i, input := range inputs {
		values[i] = input.(*jsonata.Object).List("list")
		for _, v := range values[i] {
			o := v.(*jsonata.Object)
			lists[i] = append(lists[i], &item{o.Text("id"), o.Text("other"), o.Text("name"), o.Text("key")})
		}
	}
	for _, c := range []struct {
		budget budget
		done   func(size int) int // returns how many items it has done
	}{
		{controlSet, func(size int) (found int) {
			set := make(map[string]struct{}, len(lists[size]))
			for _, v := range lists[size] {
				set[v.id] = struct{}{}
			}
			for _, v := range lists[size] {
				if _, ok := set[v.other]; ok {
					found++
				}
			}
			return found
		}},
		{controlFind, func(size int) (found int) {
			byID := make(map[string]*item, len(lists[size]))
			for _, v := range lists[size] {
				byID[v.id] = v
			}
			for _, v := range lists[size] {
				if o := byID[v.other]; o != nil && o.name != "" {
					found++
				}
			}
			return found
		}},
		{controlSort, func(size int) int {
			texts := make([]string, len(lists[size]))
			for i, v := range lists[size] {
				texts[i] = v.other
			}
			slices.SortFunc(texts, strings.Compare)
			return len(texts)
		}},
		{controlCopy, func(size int) int { return len(slices.Clone(values[size])) }},
	} {
		figures, err := inGrowthTurns(growthTurns, growthBlock, func(size int) error {
			if done := c.done(size); done != len(lists[size]) {
				return fmt.Errorf("%s: %d of %d", c.budget.what, done, len(lists[size]))
			}
			return nil
		})
		if err != nil {
			return err
		}
		r.add(c.budget, figures)
	}
	return nil
}

// growthNote says what the lines cost for each item, and which expressions are over the
// limit.
func (r *report) growthNote() string {
	var items []string
	for _, line := range growthLines() {
		if c, ok := r.results[line]; ok {
			items = append(items, fmt.Sprintf("%s %.0f → %.0f", growthName(line), median(c.base)*1e6/growthFrom, median(c.ours)*1e6/growthTo))
		}
	}
	if len(items) == 0 {
		return ""
	}
	note := fmt.Sprintf("\nJSONata, nanoseconds per item at 16,000 → 64,000: %s. The worst of the other expressions are %s;",
		strings.Join(items, "; "), strings.Join(r.worstGrowth, " and "))
	if len(r.overGrowth) == 0 {
		return note + " none is over 5×.\n"
	}
	return note + " over 5× are " + strings.Join(r.overGrowth, ", ") + ".\n"
}
