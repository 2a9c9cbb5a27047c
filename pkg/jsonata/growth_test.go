package jsonata

import (
	"context"
	"fmt"
	"sync"
	"testing"
)

// growthRows are expressions whose result is linear in $n, or in $list, which has as many
// orders, or in $text, which has as many words.
var growthRows = []struct{ name, expr string }{
	{"$reduce with &", `$length($reduce($list, function($a, $o) { $a & "," & $o.id }, ""))`},
	{"$reduce with & in front", `$length($reduce($list, function($a, $o) { $o.id & $a }, ""))`},
	{"two texts at a time", `$length($reduce($list, function($a, $o) { {"x": $a.x & $o.id, "y": $a.y & $o.name} }, {"x": "", "y": ""}).x)`},
	{"$reduce with $append", `$count($reduce($list, function($a, $o) { $append($a, $o.n * 2) }, []))`},
	{"$reduce with $append in front", `$count($reduce($list, function($a, $o) { $append($o.n * 2, $a) }, []))`},
	{"$reduce with [ ]", `$count($reduce($list, function($a, $o) { [$a, $o.n] }, []))`},
	{"$reduce with [ ] in front", `$count($reduce($list, function($a, $o) { [$o.n, $a] }, []))`},
	{"$reduce with $merge", `$count($keys($reduce($list, function($a, $o) { $merge([$a, {$o.id: $o.n}]) }, {})))`},
	{"$reduce that counts", `$sum($each($reduce($list, function($a, $o) { $merge([$a, {$o.key: $lookup($a, $o.key) + 1}]) }, $merge($list.{key: 0})), function($v) { $v }))`},
	{"recursion with an array", `($f := function($i, $a) { $i = 0 ? $count($a) : $f($i - 1, $append($a, $i)) }; $f($n, []))`},
	{"in a list", `($ids := $list.id; $count($list[other in $ids]))`},
	{"not in a list", `($ids := $list.id; $count($list[$not(name in $ids)]))`},
	{"$distinct of objects", `$count($distinct($list.{"a": id, "b": [n, name]}))`},
	{"a range as places", `$count($list[[0..$n]])`},
	{"a list as places", `($at := [1..$n]; $count($list[$at]))`},
	{"one place at a time", `$sum([0..$n - 1].($i := $; $list[$i].n))`},
	{"one place in $map", `$count($map([0..$n - 1], function($i) { $list[$i].id }))`},
	{"the last places", `$sum([1..$n].($i := $; $list[$count($list) - $i].n))`},
	{"$substring of one character", `$count($map([0..$length($text) - 1], function($i) { $substring($text, $i, 1) }))`},
	{"$substring to the end", `($f := function($s, $k) { $s = "" ? $k : $f($substring($s, 1), $k + 1) }; $f($text, 0))`},
	{"$substring beyond ASCII", `($t := "é" & $text; $count($map([0..$length($t) - 1], function($i) { $substring($t, $i, 2) })))`},
	{"join of variables", `$count($data.list@$a.others@$b[$a.other = $b.id].{"a": $a.id, "b": $b.name})`},
	{"join and more", `$count($data.list@$a.others@$b[$b.id = $a.other and $b.n > 0].{"a": $a.id})`},
	{"lookup by predicate", `$count($list.($o := $; $others[id = $o.other].name))`},
	{"lookup by predicate in $map", `$count($map($list, function($o) { $others[$o.other = id].name }))`},
	{"$map and $filter", `$count($map($filter($list, function($o) { $o.n > 2 }), function($o) { {"id": $o.id, "total": $o.n * 2} }))`},
	{"grouping", `$count($keys($list{key: $sum(n)}))`},
	{"$sort with a function", `$count($sort($list, function($a, $b) { $a.other > $b.other }))`},
	{"order", `$count($list^(other, >n))`},
	{"$split and $join", `$length($join($split($text, " "), "-"))`},
	{"$zip and $map", `$count($map($zip($list.id, $list.n), function($p) { $p[0] & $p[1] }))`},
	{"$string", `$length($string($list))`},
	{"objects", `$count($list.{"id": id, "name": $uppercase(name), "big": n > 5 ? "yes" : "no"})`},
	{"$spread", `$count($spread($list))`},
	{"transform", `$count($list ~> |$|{"total": n * 2}, ["name", "key"]|)`},
	{"parents", `$count($data.list.lines.{"id": %.id, "sku": sku})`},
}

// growthVars returns the variables of growthRows. An evaluation does not change them.
func growthVars(n int) map[string]any {
	v, _ := growthData.LoadOrStore(n, sync.OnceValue(func() map[string]any { return makeGrowthVars(n) }))
	return v.(func() map[string]any)()
}

var growthData sync.Map

func makeGrowthVars(n int) map[string]any {
	list, others := make([]any, n), make([]any, n)
	text := make([]byte, 0, 4*n)
	for i := range n {
		o := NewObject(7)
		o.Set("id", fmt.Sprint("id-", i))
		o.Set("name", fmt.Sprint("Name ", i))
		o.Set("key", fmt.Sprint("k", i/2))
		o.Set("other", fmt.Sprint("id-", (i*7919)%n))
		o.Set("n", float64(i%9))
		line := NewObject(1)
		line.Set("sku", fmt.Sprint("s", i%17))
		o.Set("lines", []any{line})
		list[i] = o
		c := NewObject(3)
		c.Set("id", fmt.Sprint("id-", i))
		c.Set("name", fmt.Sprint("Other ", i))
		c.Set("n", 1.0)
		others[i] = c
		text = append(text, "w "...)
	}
	data := NewObject(2)
	data.Set("list", list)
	data.Set("others", others)
	return map[string]any{"n": float64(n), "list": list, "others": others, "text": string(text[:n]), "data": data}
}

// evaluateCounting returns the steps of an evaluation, and the bytes that it has charged for.
func evaluateCounting(t *testing.T, expr string, n int, opts ...Option) (result any, steps int, made int64) {
	t.Helper()
	e := MustCompile(expr, opts...)
	ev := newEvaluator(context.Background(), e, mapVars(growthVars(n)))
	v, err := ev.run(e.root, Undefined)
	if err != nil {
		t.Fatalf("%d items: %v", n, err)
	}
	return v, ev.steps, ev.made
}

// Four times the items are at most five times the work, and 64,000 are within the limits, as
// 4000 are within a sixteenth of them.
func TestGrowth(t *testing.T) {
	t.Parallel()
	for _, r := range growthRows {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			_, steps, made := evaluateCounting(t, r.expr, 1000)
			_, steps4, made4 := evaluateCounting(t, r.expr, 4000, WithMaxSteps(defaultMaxSteps/16), WithMaxAllocation(defaultMaxAllocation/16))
			if float64(steps4) > 5*float64(steps) || float64(made4) > 5*float64(made) {
				t.Errorf("%d → %d steps (%.1f×), %d → %d bytes (%.1f×)", steps, steps4, float64(steps4)/float64(steps), made, made4, float64(made4)/float64(made))
			}
		})
	}
}

// The limits themselves, for the rows that come closest to them.
func TestGrowthToTheLimits(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("computes up to the limits")
	}
	for _, r := range growthRows {
		switch r.name {
		case "$reduce with $merge", "join of variables", "$sort with a function", "objects":
			evaluateCounting(t, r.expr, 64_000)
		}
	}
}
