package main

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/expressway-dev/expressway/internal/jsonatagrowth"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// Expressions whose result is linear in the number of items are measured at two sizes,
// alternately: four times the smaller one, so that both sides process as many items and
// leave as much to the garbage collector.
const (
	growthFrom  = 16_000
	growthTo    = 64_000
	growthTimes = growthTo / growthFrom
	growthTurns = 7
	restTurns   = 3 // of those of the other expressions that are near the limit
	growthLimit = 5
)

// A growing expression is one that is easily evaluated in quadratic time.
type growing struct {
	budget budget
	expr   string
}

func grows(what, expr string) growing {
	return growing{budget{what: "JSONata with 64,000 items: " + what, against: "16,000 items", unit: "ms", limit: growthLimit, grows: true}, expr}
}

var growingExpressions = []growing{
	grows("`$reduce` with `&`", `$length($reduce($list, function($a, $o) { $a & "," & $o.id }, ""))`),
	grows("`$reduce` with `$append`", `$count($reduce($list, function($a, $o) { $append($a, $o.n * 2) }, []))`),
	grows("`$reduce` with `$merge`", `$count($keys($reduce($list, function($a, $o) { $merge([$a, {$o.id: $o.n}]) }, {})))`),
	grows("`in` a list", `($ids := $list.id; $count($list[other in $ids]))`),
	grows("`in` a path", `$count($list[other in $data.others.id])`),
	grows("`$distinct` of objects", `$count($distinct($list.{"a": id, "b": [n, name]}))`),
	grows("`items[[0..n]]`", `$count($list[[0..$n]])`),
	grows("`items[$i]`", `$sum([0..$n - 1].($i := $; $list[$i].n))`),
	grows("`$substring`", `$count($map([0..$length($text) - 1], function($i) { $substring($text, $i, 1) }))`),
	grows("a join by `@`", `$count($data.list@$a.others@$b[$a.other = $b.id].{"a": $a.id, "b": $b.name})`),
	grows("a lookup in `$reduce`", `$count($reduce($list, function($a, $o) { $append($a, $others[id = $o.other].name) }, []))`),
	grows("a share of a total", `$count($list.(n / $sum($data.list.n)))`),
}

// The control is what `in` does, by hand; and the worst of the expressions that have no
// line of their own.
var (
	figureGrowthByHand = budget{what: "The same as `in` by hand: a Go `map[string]struct{}` of the texts", against: "16,000 items", unit: "ms", grows: true}
	budgetGrowthRest   = budget{what: "JSONata with 64,000 items: the worst of the other expressions", against: "16,000 items", unit: "ms", limit: growthLimit, grows: true}
)

// growthLines are the lines of the report.
func growthLines() []budget {
	var lines []budget
	for _, g := range growingExpressions {
		lines = append(lines, g.budget)
	}
	return append(lines, figureGrowthByHand, budgetGrowthRest)
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
	b.say("JSONata: %d expressions with %d and %d items", len(growingExpressions)+len(jsonatagrowth.Rows), growthFrom, growthTo)
	var inputs [2]any
	for i, n := range []int{growthFrom, growthTo} {
		var err error
		if inputs[i], err = jsonata.Decode(jsonatagrowth.Document(n)); err != nil {
			return err
		}
	}
	for _, g := range growingExpressions {
		c, err := growthOf(ctx, g.expr, inputs, growthTurns, runtime.GC)
		if err != nil {
			return fmt.Errorf("%s: %w", g.budget.what, err)
		}
		r.add(g.budget, c)
	}
	c, err := growthByHand(inputs)
	if err != nil {
		return err
	}
	r.add(figureGrowthByHand, c)
	return growthOfRest(ctx, r, inputs)
}

// growthOfRest measures the expressions of the test table. An expression that is clearly
// within the limit is measured once.
func growthOfRest(ctx context.Context, r *report, inputs [2]any) error {
	var worst comparison
	var over []string
	for _, row := range jsonatagrowth.Rows {
		c, err := growthOf(ctx, row.Expr, inputs, 1, func() {})
		if err == nil && c.ratio() > 0.8*growthLimit {
			c, err = growthOf(ctx, row.Expr, inputs, restTurns, runtime.GC)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", row.Name, err)
		}
		if c.ratio() > growthLimit {
			over = append(over, fmt.Sprintf("%s (%.2f×)", row.Name, c.ratio()))
		}
		if len(worst.base) == 0 || c.ratio() > worst.ratio() {
			worst, r.worstGrowth = c, row.Name
		}
	}
	r.overGrowth = over
	r.add(budgetGrowthRest, worst)
	return nil
}

// growthOf evaluates an expression at both sizes. Before is called before each side.
func growthOf(ctx context.Context, text string, inputs [2]any, turns int, before func()) (comparison, error) {
	expr, err := jsonata.Compile(jsonatagrowth.Bind(text))
	if err != nil {
		return comparison{}, err
	}
	return inGrowthTurns(turns, before, func(i int) error {
		_, err := expr.Eval(ctx, inputs[i], nil)
		return err
	})
}

// inGrowthTurns measures a function of the size, 0 or 1, per call.
func inGrowthTurns(turns int, before func(), call func(size int) error) (comparison, error) {
	var c comparison
	side := func(size, times int, to *[]float64) func() error {
		return func() error {
			before()
			start := processorTime()
			for range times {
				if err := call(size); err != nil {
					return err
				}
			}
			*to = append(*to, milliseconds(processorTime()-start)/float64(times))
			return nil
		}
	}
	err := inTurns(turns, side(0, growthTimes, &c.base), side(1, 1, &c.ours))
	return c, err
}

// growthByHand makes a map of the identifiers of each document, and looks each reference up.
func growthByHand(inputs [2]any) (comparison, error) {
	type item struct{ id, other string }
	var lists [2][]item
	for i, input := range inputs {
		for _, v := range input.(*jsonata.Object).List("list") {
			o := v.(*jsonata.Object)
			lists[i] = append(lists[i], item{o.Text("id"), o.Text("other")})
		}
	}
	return inGrowthTurns(growthTurns, runtime.GC, func(size int) error {
		set := make(map[string]struct{}, len(lists[size]))
		for _, v := range lists[size] {
			set[v.id] = struct{}{}
		}
		found := 0
		for _, v := range lists[size] {
			if _, ok := set[v.other]; ok {
				found++
			}
		}
		if found != len(lists[size]) {
			return fmt.Errorf("%d of %d references are found", found, len(lists[size]))
		}
		return nil
	})
}

// growthNote says what the lines cost for each item, and which expressions are over the
// limit.
func (r *report) growthNote() string {
	var items []string
	for _, line := range growthLines() {
		if c, ok := r.results[line]; ok {
			what := strings.TrimPrefix(line.what, "JSONata with 64,000 items: ")
			items = append(items, fmt.Sprintf("%s %.0f → %.0f", what, median(c.base)*1e6/growthFrom, median(c.ours)*1e6/growthTo))
		}
	}
	if len(items) == 0 {
		return ""
	}
	note := fmt.Sprintf("\nJSONata, nanoseconds per item at 16,000 → 64,000: %s. The worst of the %d other expressions is %q;",
		strings.Join(items, "; "), len(jsonatagrowth.Rows), r.worstGrowth)
	if len(r.overGrowth) == 0 {
		return note + " none is over 5×.\n"
	}
	return note + " over 5× are " + strings.Join(r.overGrowth, ", ") + ".\n"
}
