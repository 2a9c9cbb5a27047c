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
	{"$sort of numbers", `$count($sort($list.n))`},
	{"$sort of texts", `$count($sort($list.other))`},
	{"$distinct of texts", `$count($distinct($list.other))`},
	{"$distinct of numbers", `$count($distinct($list.n))`},
	{"$distinct of arrays", `$count($distinct($list.[id, n]))`},
	{"$distinct of booleans", `$count($distinct($list.(n > 3)))`},
	{"$filter with places", `$count($filter($list, function($v, $i) { $i % 2 = 0 }))`},
	{"$filter with whole array", `$count($filter($list, function($v, $i, $a) { $a[$i].n = $v.n }))`},
	{"$map with whole array", `$count($map($list, function($v, $i, $a) { $a[$i].n }))`},
	{"$reduce with whole array", `$reduce($list, function($s, $v, $i, $a) { $s + $a[$i].n }, 0)`},
	{"$single", `$single($list, function($v) { $v.id = "id-0" }).id`},
	{"$each", `$count($each($merge($list.{id: n}), function($v, $k) { $k & $v }))`},
	{"$sift", `$count($keys($sift($merge($list.{id: n}), function($v, $k) { $v > 3 })))`},
	{"$keys of array", `$count($keys($list))`},
	{"$lookup on an array", `$count($lookup($list, "lines"))`},
	{"$lookup in a merged object", `($m := $merge($list.{id: n}); $sum($list.$lookup($m, other)))`},
	{"$spread of an object", `$count($spread($merge($list.{id: n})))`},
	{"$merge of a list", `$count($keys($merge($list)))`},
	{"$merge of spread", `$count($keys($merge($spread($merge($list.{id: n})))))`},
	{"$join", `$length($join($list.id, ","))`},
	{"$split with a pattern", `$count($split($text, / /))`},
	{"$split with a limit", `$count($split($text, " ", $n))`},
	{"$split into characters", `$count($split($text, ""))`},
	{"$replace", `$length($replace($text, "w", "words"))`},
	{"$replace with a pattern", `$length($replace($text, /w/, "<$0>"))`},
	{"$replace with a function", `$length($replace($text, /w/, function($m) { $uppercase($m.match) }))`},
	{"$match", `$count($match($text, /w /))`},
	{"$match groups", `$count($match($text, /(w)( )/).groups)`},
	{"$contains with pattern", `$contains($text, /z$/)`},
	{"matcher chain", `($f := function($m, $k) { $m ? $f($m.next(), $k + 1) : $k }; $f(/w/($text), 0))`},
	{"$zip", `$count($zip($list.id, $list.n, $list.name))`},
	{"$reverse", `$count($reverse($list))`},
	{"$shuffle", `$count($shuffle($list))`},
	{"grouping by id", `$count($keys($list{id: n}))`},
	{"grouping to lists", `$count($keys($list{key: [n]}))`},
	{"grouping to one", `$count($list{"a": n}.a)`},
	{"grouping with objects", `$count($keys($list{$string(n): $}))`},
	{"order by one", `$count($list^(id))`},
	{"order descending", `$count($list^(>n))`},
	{"order by an expression", `$count($list^($length(name), id))`},
	{"place variable", `$count($list#$i[$i % 2 = 0].{"i": $i})`},
	{"place variable of nested", `$count($data.list.lines#$i.{"i": $i})`},
	{"place in the output", `$count($list#$i.($i & id))`},
	{"descendants", `$count($data.**.sku)`},
	{"descendants filter", `$count($data.**[sku])`},
	{"all", `$count($list.*)`},
	{"wildcard", `$count($data.list.*)`},
	{"object wildcard", `$count($merge($list.{id: n}).*)`},
	{"range", `$sum([1..$n])`},
	{"ranges", `$count([1..$n, 1..$n])`},
	{"$formatNumber", `$count($list.$formatNumber(n, "#,##0.00"))`},
	{"$formatBase", `$count($list.$formatBase(n, 2))`},
	{"$formatInteger", `$count($list.$formatInteger(n, "w"))`},
	{"$fromMillis", `$count($list.$fromMillis(n))`},
	{"$toMillis", `$count($list.$toMillis("2020-01-01T00:00:00Z"))`},
	{"$number", `$count($list.$number($string(n)))`},
	{"$string pretty", `$length($string($list, true))`},
	{"$string of chain", `$length($reduce($list, function($a, $o) { {"n": 1, "a": $o.id} }, {}).a)`},
	{"$trim", `$length($trim($text))`},
	{"$pad", `$length($pad("", $n, "ab"))`},
	{"$uppercase", `$length($uppercase($text))`},
	{"$lowercase beyond ASCII", `$length($lowercase($text & "É"))`},
	{"$substringBefore", `($f := function($s, $k) { $contains($s, " ") ? $f($substringAfter($s, " "), $k + 1) : $k }; $f($text, 0))`},
	{"$substringBefore from end", `$length($substringBefore($text, "zz"))`},
	{"$length per step", `$sum([1..$n].($length($text) > $ ? 1 : 0))`},
	{"$count per step", `$sum([1..$n].($count($list) > $ ? 1 : 0))`},
	{"$exists", `$count($list[$exists(lines)])`},
	{"$base64", `$length($base64decode($base64encode($text)))`},
	{"$encodeUrl", `$length($decodeUrlComponent($encodeUrlComponent($text)))`},
	{"& in recursion", `($f := function($i, $s) { $i = 0 ? $length($s) : $f($i - 1, $s & "ab") }; $f($n, ""))`},
	{"& twice in recursion", `($f := function($i, $s) { $i = 0 ? $length($s) : $f($i - 1, $s & $i & ",") }; $f($n, ""))`},
	{"& around", `($f := function($i, $s) { $i = 0 ? $length($s) : $f($i - 1, "<" & $s & ">") }; $f($n, ""))`},
	{"$append around", `($f := function($i, $s) { $i = 0 ? $count($s) : $f($i - 1, $append($i, $append($s, $i))) }; $f($n, []))`},
	{"array literal of three", `$count($reduce($list, function($a, $o) { [$a, $o.n, $o.id] }, []))`},
	{"$reduce object of lists", `$count($reduce($list, function($a, $o) { {"l": $append($a.l, $o.n)} }, {"l": []}).l)`},
	{"$reduce keys by $spread", `$count($keys($reduce($list, function($a, $o) { $merge([$a, {$o.key: $append($lookup($a, $o.key), $o.n)}]) }, {})))`},
	{"$reduce with $string", `$length($reduce($list, function($a, $o) { $a & $string($o) }, ""))`},
	{"transform nested", `$count($data ~> |list.lines|{"x": 1}|)`},
	{"transform delete", `$count(($data ~> |list|{}, ["name"]|).list)`},
	{"parent in a filter", `$count($data.list.lines[%.n > 2])`},
	{"parent twice", `$count($data.list.lines.{"c": $count(%.%.others[0])})`},
	{"parent in grouping", `$count($keys($data.list.lines{%.id: sku}))`},
	{"parent in order", `$count($data.list.lines^(%.id))`},
	{"descending the tail", `($f := function($l, $k) { $count($l) = 0 ? $k : $f($filter($l, function($v, $i) { $i > $count($l) }), $k + 1) }; $f($list, 0))`},
	{"first of the rest", `$count($list[[0..2]])`},
	{"slice from place", `$count($list[[$count($list)-3..$count($list)]])`},
	{"negative places", `$sum([1..$n].($i := $; $list[-$i].n))`},
	{"nested arrays", `$count($list.[id, [n, [name]]])`},
	{"flatten", `$count([$list.lines.sku])`},
	{"$type", `$count($list.$type(lines))`},
	{"$sum of path", `$sum($list.n) + $max($list.n) + $average($list.n)`},
	{"a filter of two", `$count($list[n >= 0 and n < 10 or id = ""])`},
	{"deep equality", `$list = $data.list`},
	{"equality to literal list", `$count($list[[id, n] = [id, n]])`},
	{"join with more", `$count($data.list@$a.others@$b[$a.other = $b.id and $a.n >= 0].{"a": $a.id, "b": $b.name})`},
	{"join group", `$count($keys($data.list@$a.others@$b[$a.other = $b.id]{$a.key: $b.name}))`},
	{"ternary chain", `$count($list.(n = 1 ? "a" : n = 2 ? "b" : "c"))`},
	{"apply chain", `$count($list ~> $map(function($v) { $v.n }) ~> $filter(function($v) { $v > 1 }))`},
	{"compose", `($f := $uppercase ~> $lowercase; $count($list.$f(name)))`},
	{"$toMillis pictures", `$count($list.$fromMillis(n, "[Y]-[M01]-[D01]"))`},
	{"closure", `($fs := $map($list, function($o) { function() { $o.n } }); $count($fs))`},
	{"in a path of the root", `$count($data.list[other in $data.others.id])`},
	{"in a path with a predicate", `$count($list[other in $data.others[n > 0].id])`},
	{"in a call", `$count($list[other in $distinct($data.others.id)])`},
	{"in an object's names", `($m := $merge($list.{id: n}); $count($list[other in $keys($m)]))`},
	{"in, in $filter", `$count($filter($list, function($o) { $o.other in $data.others.id }))`},
	{"in, in $map", `$count($map($list, function($o) { {"id": $o.id, "known": $o.other in $data.others.id} }))`},
	{"in, in $reduce", `$reduce($list, function($a, $o) { $o.other in $data.others.id ? $a + 1 : $a }, 0)`},
	{"a total for each", `$count($list.(n / $sum($data.list.n)))`},
	{"a total in $map", `$count($map($list, function($o) { $o.n / $sum($data.list.n) }))`},
	{"a total by ~>", `$count($list.(n / ($data.list.n ~> $sum())))`},
	{"an average in a predicate", `$count($list[n > $average($data.list.n)])`},
	{"a maximum in order", `$count($list^(n - $max($data.list.n), id))`},
	{"a maximum in groups", `$count($keys($list{$string(n = $max($data.list.n)): $count(id)}))`},
	{"a text of the list for each", `$count($list[$contains($join($data.list.id, ","), "id-0,")])`},
	{"$map of the list for each", `$count($list[n = $map($data.list, function($v) { $v.n })[0]])`},
	{"order of the list for each", `$count($list.($data.list^(>n)[0].id))`},
	{"groups of the list for each", `$count($list.($lookup($data.list{key: $count(id)}, $.key)))`},
	{"$reduce with a join", `$count($reduce($list, function($a, $o) { $append($a, $data.others@$b[$b.id = $o.other].($b.name)) }, []))`},
	{"$reduce with a lookup", `$count($reduce($list, function($a, $o) { $append($a, $others[id = $o.other].name) }, []))`},
	{"$reduce with a lookup by path", `$count($reduce($list, function($a, $o) { $append($a, $data.others[id = $o.other].name) }, []))`},
	{"$reduce with a join to objects", `$count($keys($reduce($list, function($a, $o) { $merge([$a, {$o.id: $data.others[id = $o.other].name}]) }, {})))`},
	{"a join by a computed key", `$count($data.list@$a.others@$b[$b.id = "id-" & $substringAfter($a.other, "-")].($b.name))`},
	{"a join of three", `$count($data.list@$a.others@$b[$b.id = $a.other].list@$c[$c.id = $b.id].($c.n))`},
	{"a lookup by a computed key", `$count($list.($o := $; $others[id = $lowercase($o.other)].name))`},
	{"a lookup in a merged object by path", `($m := {"by": $merge($list.{id: n})}; $sum($list.($lookup($m.by, other))))`},
	{"a lookup in groups", `($m := $list{key: $count(id)}; $sum($list.$lookup($m, $.key)))`},
	{"$eval", `$count($list.$eval("n + 1"))`},
	{"$split into a path", `$count($split($text, " ").$length($))`},
	{"$spread and groups", `$count($keys($spread($merge($list.{id: n})){$keys($): 1}))`},
	{"$zip to objects", `$count($zip($list.id, $list.n).{"id": $[0], "n": $[1]})`},
	{"$sift by a list", `($ids := $list.other; $count($keys($sift($merge($list.{id: n}), function($v, $k) { $k in $ids }))))`},
	{"$replace of each", `$count($list.$replace(name, "Name ", "N"))`},
	{"$match of each", `$count($list.$match(name, /\d+/))`},
	{"$string and $eval", `$count($eval($string($list.n)))`},
	{"transform with a total", `$count($list ~> |$|{"share": n / $n}|)`},
	{"$reverse and $append", `$count($append($reverse($list), $list))`},
	{"sorted, distinct, joined", `$length($join($distinct($sort($list.key)), ","))`},
	{"transform of each", `$count($list ~> |lines|{"a": 1}|)`},
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
