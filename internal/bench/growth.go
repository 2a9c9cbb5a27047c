package main

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// Expressions whose result is linear in the number of items are measured at two sizes, in
// turns.
const (
	growthFrom  = 16_000
	growthTo    = 64_000
	growthTurns = 9
)

// A growing expression is one that is easily evaluated in quadratic time.
type growing struct {
	budget budget
	expr   string
}

func grows(what, expr string) growing {
	return growing{budget{what: "JSONata with 64,000 items: " + what, against: "16,000 items", unit: "ms", limit: 5, grows: true}, expr}
}

var growingExpressions = []growing{
	grows("`$reduce` with `&`", `$length($reduce($list, function($a, $o) { $a & "," & $o.id }, ""))`),
	grows("`$reduce` with `$append`", `$count($reduce($list, function($a, $o) { $append($a, $o.n * 2) }, []))`),
	grows("`$reduce` with `$merge`", `$count($keys($reduce($list, function($a, $o) { $merge([$a, {$o.id: $o.n}]) }, {})))`),
	grows("`in` a list", `($ids := $list.id; $count($list[other in $ids]))`),
	grows("`$distinct` of objects", `$count($distinct($list.{"a": id, "b": [n, name]}))`),
	grows("`items[[0..n]]`", `$count($list[[0..$n]])`),
	grows("`items[$i]`", `$sum([0..$n - 1].($i := $; $list[$i].n))`),
	grows("`$substring`", `$count($map([0..$length($text) - 1], function($i) { $substring($text, $i, 1) }))`),
	grows("a join by `@`", `$count($data.list@$a.others@$b[$a.other = $b.id].{"a": $a.id, "b": $b.name})`),
}

// growingDocument has n items, and as many others that they refer to.
func growingDocument(n int) (any, error) {
	var list, others strings.Builder
	for i := range n {
		if i > 0 {
			list.WriteByte(',')
			others.WriteByte(',')
		}
		fmt.Fprintf(&list, `{"id":"id-%d","name":"Name %d","other":"id-%d","n":%d}`, i, i, i*7919%n, i%9)
		fmt.Fprintf(&others, `{"id":"id-%d","name":"Other %d"}`, i, i)
	}
	return jsonata.Decode(fmt.Appendf(nil, `{"n":%d,"text":%q,"list":[%s],"others":[%s]}`, n, strings.Repeat("w ", n/2), list.String(), others.String()))
}

// processorTime is what this process has used: on a busy machine, the time of day grows
// faster for what takes longer than a turn of the scheduler.
func processorTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err) // it has no cause
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// growth measures how the processor time of an expression grows with the number of items, within the
// default limits.
func (b *bench) growth(ctx context.Context, r *report) error {
	b.say("JSONata: %d expressions with %d and %d items", len(growingExpressions), growthFrom, growthTo)
	few, err := growingDocument(growthFrom)
	if err != nil {
		return err
	}
	many, err := growingDocument(growthTo)
	if err != nil {
		return err
	}
	for _, g := range growingExpressions {
		expr, err := jsonata.Compile(`($data := $; $n := n; $text := text; $list := list; ` + g.expr + `)`)
		if err != nil {
			return fmt.Errorf("%s: %w", g.budget.what, err)
		}
		var c comparison
		once := func(input any, to *[]float64) func() error {
			return func() error {
				runtime.GC()
				before := processorTime()
				_, err := expr.Eval(ctx, input, nil)
				*to = append(*to, milliseconds(processorTime()-before))
				return err
			}
		}
		if err := inTurns(growthTurns, once(few, &c.base), once(many, &c.ours)); err != nil {
			return fmt.Errorf("%s: %w", g.budget.what, err)
		}
		r.add(g.budget, c)
	}
	return nil
}
