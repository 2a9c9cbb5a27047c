package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/expressway-dev/expressway/internal/jsonataref"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// growthRows are expressions whose result is linear in the number of items, but whose
// evaluation is easily quadratic.
var growthRows = []row{
	{"$reduce with &", "list", `$length($reduce($list, function($a, $o) { $a & "," & $o.id }, ""))`},
	{"& in front", "list", `$length($reduce($list, function($a, $o) { $o.id & $a }, ""))`},
	{"$reduce with $append", "list", `$count($reduce($list, function($a, $o) { $append($a, $o.n * 2) }, []))`},
	{"$reduce with [ ]", "list", `$count($reduce($list, function($a, $o) { [$a, $o.n] }, []))`},
	{"$reduce with $merge", "list", `$count($keys($reduce($list, function($a, $o) { $merge([$a, {$o.id: $o.n}]) }, {})))`},
	{"in a list", "list", `($ids := $list.id; $count($list[other in $ids]))`},
	{"$distinct of objects", "list", `$count($distinct($list.{"a": id, "b": [n, name]}))`},
	{"a range as places", "list", `$count($list[[0..$n]])`},
	{"one place at a time", "list", `$sum([0..$n - 1].($i := $; $list[$i].n))`},
	{"$substring by characters", "list", `$count($map([0..$length($text) - 1], function($i) { $substring($text, $i, 1) }))`},
	{"$substring to the end", "list", `($f := function($s, $k) { $s = "" ? $k : $f($substring($s, 1), $k + 1) }; $f($text, 0))`},
	{"join by bindings", "list", `$count($data.list@$a.others@$b[$a.other = $b.id].{"a": $a.id, "b": $b.name})`},
	{"lookup by an equality", "list", `$count($list.($o := $; $others[id = $o.other].name))`},
	{"grouping", "list", `$count($keys($list{key: $sum(n)}))`},
	{"$sort with a function", "list", `$count($sort($list, function($a, $b) { $a.other > $b.other }))`},
	{"objects of a list", "list", `$count($list.{"id": id, "name": $uppercase(name), "big": n > 5 ? "yes" : "no"})`},
}

// sizes are the numbers of items; the reference, which is quadratic in most, is measured at
// the first.
var sizes = []int{1000, 4000, 16_000, 64_000}

// A growthResult is the time of a row for each of the sizes.
type growthResult struct {
	row
	ours   []float64 // nanoseconds
	theirs float64
}

// growthDocument has n items, and as many others that they refer to.
func growthDocument(n int) json.RawMessage {
	var list, others strings.Builder
	for i := range n {
		if i > 0 {
			list.WriteByte(',')
			others.WriteByte(',')
		}
		fmt.Fprintf(&list, `{"id":"id-%d","name":"Name %d","key":"k%d","other":"id-%d","n":%d}`, i, i, i/2, i*7919%n, i%9)
		fmt.Fprintf(&others, `{"id":"id-%d","name":"Other %d"}`, i, i)
	}
	return json.RawMessage(fmt.Sprintf(`{"n":%d,"text":%q,"list":[%s],"others":[%s]}`, n, strings.Repeat("w ", n/2), list.String(), others.String()))
}

// bound is the expression with the parts of its document in variables.
func bound(expr string) string {
	return `($data := $; $n := n; $text := text; $list := list; $others := others; ` + expr + `)`
}

// growth measures a row for each size, alternately.
func (b *bench) growth(ctx context.Context, r row) error {
	// The default limits apply: they suffice for the largest size, too.
	expr, err := jsonata.Compile(bound(r.expr))
	if err != nil {
		return fmt.Errorf("%s: %w", r.kind, err)
	}
	out := growthResult{row: r, ours: make([]float64, len(sizes))}
	inputs := make([]any, len(sizes))
	for i, n := range sizes {
		if inputs[i], err = jsonata.Decode(growthDocument(n)); err != nil {
			return err
		}
	}
	request := jsonataref.Request{Version: jsonataref.Newest, Expr: bound(r.expr), Input: growthDocument(sizes[0])}
	if err := b.sameResult(ctx, expr, inputs[0], request); err != nil {
		return fmt.Errorf("%s: %w", r.kind, err)
	}
	request.Seconds = b.seconds
	for range 3 {
		answers, err := b.ref.Ask(ctx, []jsonataref.Request{request}, time.Minute)
		if err != nil {
			return err
		}
		out.theirs = least(out.theirs, answers[0].Nanos)
		for i, input := range inputs {
			var failed error
			nanos, _ := b.rounds(func() {
				if _, err := expr.Eval(ctx, input, nil); err != nil {
					failed = err
				}
			})
			if failed != nil {
				return fmt.Errorf("%s, %d items: %w", r.kind, sizes[i], failed)
			}
			out.ours[i] = least(out.ours[i], nanos)
		}
	}
	b.grown = append(b.grown, out)
	fmt.Fprintf(b.progress, "%-28s %s\n", r.kind, out.line())
	return nil
}

// allGrowth measures the rows whose kind contains only.
func (b *bench) allGrowth(ctx context.Context, only string) error {
	var err error
	for _, r := range growthRows {
		if strings.Contains(r.kind, only) {
			err = errors.Join(err, b.growth(ctx, r))
		}
	}
	return err
}

// line returns the time at the smallest size, next to the reference's, the growth for
// four times the items, and the time at the largest size.
func (g growthResult) line() string {
	s := fmt.Sprintf("%s | %s | %.1f×", duration(g.ours[0]), duration(g.theirs), g.theirs/g.ours[0])
	for i := 1; i < len(g.ours); i++ {
		s += fmt.Sprintf(" | %.1f×", g.ours[i]/g.ours[i-1])
	}
	return s + " | " + duration(g.ours[len(g.ours)-1])
}

func (b *bench) growthReport() string {
	var s strings.Builder
	s.WriteString(`
## Growth

Expressions whose result is linear in their input, for 1,000 to 64,000 items, within the default limits. At 1,000 items they
are compared with the reference, which takes quadratic time for most of them. The next columns are the growth of the time
for four times the items. The budget is 5×.

| expression | 1,000 here | reference | faster | to 4,000 | to 16,000 | to 64,000 | 64,000 here |
|---|---:|---:|---:|---:|---:|---:|---:|
`)
	for _, g := range b.grown {
		fmt.Fprintf(&s, "| %s: `%s` | %s |\n", g.kind, strings.ReplaceAll(g.expr, "|", `\|`), g.line())
	}
	return s.String()
}
