package jsonata

import (
	"context"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/internal/jsonatagrowth"
	"pgregory.net/rapid"
)

// With an index for everything, and room at the ends of everything, the official suite gives
// the same results.
func TestSuiteWithIndexes(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("runs the whole suite once more")
	}
	s := readSuite(t)
	for _, c := range s.cases {
		if c.TimeLimit > 0 && c.Result == nil {
			continue // it has none
		}
		if problem := s.run(t, c, withIndexes(indexAll)); problem != "" {
			t.Errorf("%s: %s: %s", c.id, c.Expr, problem)
		}
	}
}

func withIndexes(i indexing) Options { return Options{adjust: func(c *config) { c.indexes = i }} }

// sameWithIndexes evaluates with an index for everything, and with none.
func sameWithIndexes(t interface {
	Helper()
	Fatalf(string, ...any)
}, expr string, input any, vars map[string]any,
) {
	t.Helper()
	var got [2]string
	for i, mode := range []indexing{indexNone, indexAll} {
		e, err := Options{adjust: withIndexes(mode).adjust, MaxSteps: 200_000, MaxAllocation: 8 << 20, MaxTime: time.Minute, MaxEvalDepth: 1000, Random: func() uint64 { return 1 << 63 }, Clock: func() time.Time { return time.UnixMilli(1500000000000) }}.Compile(expr)
		if err != nil {
			return
		}
		v, err := e.Eval(context.Background(), input, vars)
		var limited bool
		if got[i], limited = outcomeOf(v, err); limited {
			return // it spends another amount
		}
	}
	if got[0] != got[1] {
		t.Fatalf("%s: %s, with indexes %s", expr, got[0], got[1])
	}
}

// outcomeOf returns the result of an evaluation as text, and whether a limit ended it.
func outcomeOf(v any, err error) (text string, limited bool) {
	if e, ours := err.(*Error); ours && e.limit != nil {
		return "", true
	}
	if err != nil {
		return err.Error(), false
	}
	encoded, err := AppendJSON(nil, v)
	if err != nil {
		return show(v), false
	}
	return string(encoded), false
}

// Values that indexes and spare capacity make fast stay unchanged, even if older values of an
// accumulator are looked at again.
func TestIndexesChangeNothing(t *testing.T) {
	t.Parallel()
	vars := makeGrowthVars(40)
	vars["mixed"] = []any{1.0, "1", true, nil, []any{1.0}, NewObject(0), "a", 1.0, "é", 0.0, []any{}, []any{1.0, []any{"x"}}}
	for _, r := range jsonatagrowth.Rows() {
		sameWithIndexes(t, r.Expr, Undefined, vars)
	}
	for _, expr := range []string{
		`$reduce($list, function($a, $o) { {"before": $a.now, "now": $merge([$a.now, {$o.key: $o.id, "last": $o.n}])} }, {"now": {"x": 0}})`,
		`$reduce($list.id, function($a, $i) { {"all": $append($a.all, $i), "again": $append($a.all, [$i, $i])} }, {"all": []})`,
		`$reduce($list.id, function($a, $i) { {"all": $append($i, $a.all), "again": $append([$i, $i], $a.all)} }, {"all": []})`,
		`$reduce($list.id, function($a, $i) { {"x": $a.x & $i, "y": $a.x & "!" & $i, "z": $i & $a.x} }, {"x": ""})`,
		`($m := $merge([{"a": 1}, {"b": 2}]); $n := $merge([$m, {"a": 3}]); $o := $merge([$m, {"a": 4, "c": 5}]); [$m, $n, $o, $merge([$o, $o]), $m])`,
		`($m := $merge([{"a": 1}, {"b": 2}]); $each($m, function($v, $k) { $merge([$m, {$k & "x": $v, "a": 9}]) }))`,
		`($m := $merge([{"a": 1}, {"b": 2}]); $n := $merge([$m, {"m": $m}]); [$n, $m])`,
		`($m := $merge([{"a": 1}, {"b": 2}]); $n := $merge([$m, {"a": 2}]); $m ~> |$|{"a": 7}, "b"|)`,
		`($a := $append([1, 2], 3); $b := $append($a, 4); $c := $append($a, 5); [$a, $b, $c, $append($b, $c)])`,
		`($a := [[1, 2], 3]; $b := [$a, 4]; $c := [0, $a]; [$a, $b, $c])`,
		`$mixed[$ in $mixed]`, `$mixed[$ = 1]`, `$mixed.($x := $; $count($mixed[$ = $x]))`, `$distinct($append($mixed, $mixed))`,
		`$mixed[[0, 2, -1, 2, 99, 1.5]]`, `$mixed[[0, "x"]]`, `$mixed[[]]`, `$mixed[[[0, 1]]]`, `$mixed[$list]`, `$mixed["x"]`, `$mixed[$count($list) - 40]`,
		`$mixed[$count($nothing)]`, `$mixed[-$n + 39]`, `$mixed[1/0]`, `$list[[0..2]].id`, `$list[$nothing]`, `$list.lines[$n - 40]`,
		`$list.($o := $; $others[id = $o.other and n = 1].name)`, `$list.($o := $; $others[$o.other = id][0].name)`, `$list.($o := $; $others[nothing = $o.other])`,
		`$data.list@$a.others@$b[$a.other = $b.id].{"a": $a.id, "b": $b.name}`, `$data.list@$a.others@$b[$b.n = $a.n]#$i.{"a": $a.id, "i": $i}`,
		`$data.list@$a.others#$j@$b[$b.id = $a.other]`, `$data.list@$a.others@$b[$b.id = $$.x]`, `$data.list@$a.others@$b[$b = $a]`,
		`($t := "é" & $text & "😀x"; [0..$length($t)].($substring($t, $, 3)))`, `($t := "😀é" & $text; [0..45].($substring($t, -$) & $length($substring($t, $))))`,
		`($t := $join(["\ud83d", $text, "\ude00"]); [$length($t), $length($t & $t), $substring($t & $t, 39, 5)])`,
		`$reduce(["\ud83d", "\ude00", "\ud83d", "\ude00"], function($a, $b) { $a & $b }, $text)`,
		`($data ~> |list|{"n": $count($$.list[n = 1])}|).list.n`,
		`$data.list@$a.others#$j@$b[$b.n = $j].{"a": $a.id, "b": $b.id}`,
		`$data.list@$a.others@$b[$b.id = $lowercase($a.other)].{"a": $a.id, "b": $b.name}`,
		`$list.($o := $; $others[id = "id-" & $substringAfter($o.other, "-")].name)`,
		`$list[n in $data.list.n[$ > 3]].id`, `$list[other in $data.others.id].id`, `$list.(n / $sum($data.list.n))`, `$list.(n & $join($data.list[n > 7].id))`,
		`$list.($k := n; $data.list[n = $k].id)`, `$list.($k := n; $list.($l := n; $sum($data.list[n = $k].n) + $l))`,
		`$map($list, function($o) { $map($data.list[n > 6], function($p) { $p.n - $o.n }) })`,
		`($f := function($x) { $x * $random() }; $list.($map($data.list.n, $f)))`, `$list.$random()`, `$list.($shuffle($data.list.n))`, `[1..20].$string([1, 2, $])`,
		`($x := [1..20]; $list.($y := $sum($x); $x := $append($x, $y); $count($x)))`, `($count := function($l) { $l[0].n }; $list.($count($data.list)))`,
		`$list.($data.list.n[]^(>$)[0])`, `$list.($data.list{key: $sum(n)}.k1)`, `$list.lines.($data.list.lines.sku[$ = "s1"])`, `$data.list.(n in $$.x.y or n in $data.list.n)`,
		`($data ~> |list|{"n": $sum($data.list.n)}|).list.n`, `($d := $data; $d ~> |list|{"m": $count($d.list.n)}| ~> |list|{"k": $d.list.n}|).list[0].k`,
		`$list.([0..$n - 1][$ in $data.list.n])`, `$list.($m := $merge([{"a": 1}, {"b": n}]); $count($keys($m)) & $keys($data))`,
		`$list.($data.list[n = 3][]~>$count())`, `$list.($data.list[0].id[])`, `$list.[$data.list[[0..2]].id]`, `$list.($data.list.id ~> $join(n & ","))`,
		`$data.list@$a.others@$b[$b.id & " is a long text" = $a.other & " is a long text"].{"a": $a.id, "b": $b.name}`, `$data.list@$a.others@$b[$b.id = [$a.other, $a.n][$a.n % 2]]`,
		`$data.list@$a.others@$b[$b.id = $string($a.other)]#$i.{"a": $a.id, "i": $i}`, `$data.list@$a.lines@$b[$b.sku = $a.key].{"a": $a.id}`, `$data.list@$a.others@$b[$b.id = $error("x")]`,
		`($l := $list.{"id": "a text that is long " & id, "to": "a text that is long " & other, "n": n}; {"l": $l}.l@$a.($l)@$b[$b.id = $a.to].{"a": $a.id, "b": $b.n})`,
		`($l := $list.{"id": n % 2 = 0 ? n : id, "to": other}; {"l": $l}.l@$a.($l)@$b[$b.id = $a.to].{"a": $a.id, "b": $b.id})`,
		`$list[other in $others.id].id`, `($x := $list.id; $list[other in $x].id)`, `$list[n in $list.n].id`, `$list[nothing in $list.id]`, `$list[lines in $list.id]`, `$list[n in $nothing]`,
		`$list[n in $mixed].id`, `$mixed[$ in $others.n]`, `$list[id in $$.x]`, `$list[($in := n) in $list.n].id`, `$list[id in $n]`, `$list[n in $mixed[0]].id`, `$list[$ in $list]`,
		`($long := $list.("a long text before " & id); $list.{"k": "a long text before " & other}[k in $long].k)`, `$distinct($append($list.("a long text before " & key), $mixed))`,
		`$sort($list, function($a, $b) { $a.other > $b.other }).id`, `$sort($list, function($a, $b) { $b.other < $a.other }).id`,
		`$sort($list, function($a, $b) { $a.n < $b.n }).id`, `$sort($list, function($a, $b) { $b.n > $a.n }).id`,
		`$sort($list, function($a, $b) { $a.n >= $b.n }).id`, `$sort($list, function($a, $b) { $a.n <= $b.n }).id`,
		`$sort($list, function($a, $b) { $b.n >= $a.n }).id`, `$sort($list, function($a, $b) { $b.n <= $a.n }).id`,
		`$sort($list.id, function($a, $b) { $a > $b })`, `$sort($list.n, function($b, $a) { $a > $b })`, `$sort($list, function($a, $b) { $a.lines.sku > $b.lines.sku }).id`,
		`$sort($list, function($a, $b) { $a.nothing > $b.nothing }).id`, `$sort($list, function($a, $b) { $a.lines > $b.lines })`,
		`$sort($list, function($a, $b) { $a.id > $b.other }).id`, `$sort($list, function($a, $a) { $a.id > $a.id }).id`, `$sort($list, function($a, $b) { $a.id > $a.id }).id`,
		`$sort($list, function($a, $b, $c) { $a.id > $b.id }).id`, `$sort($list, function($a, $b) { $a.n != $b.n }).id`, `$sort($list, function($a, $b) { $n > $b }).id`,
		`$sort($append($list.id, $list.n), function($a, $b) { $a > $b })`, `$sort($mixed, function($a, $b) { $a > $b })`, `$sort($list.(n / (n - 20)), function($a, $b) { $a > $b })`,
		`$sort($append($list.("é" & id & "\ud83d\ude00"), $list.("é" & id & "\ufffd")), function($a, $b) { $a > $b })`, `$sort($append($list.id, ["id", "i", "id-1\u0000", ""]), function($a, $b) { $a > $b })`,
		`$list^(other, >n).id`, `$list^(>n, id).id`, `$list^(<n).id`, `$list^(>n).id`, `$list^(lines.sku, >n).id`, `$list^(nothing, n).id`, `$list^(n, lines)`, `$list^(n = 3 ? "a" : n)`,
		`$append($list.id, ["x", "x"])^(>$)`, `$mixed^($)`, `$list^((n - 3) / (n - 3)).id`, `$data.list@$a^($a.n, >$a.id).{"a": $a.id}`, `$list^(n / (n - 3))`, `$list^(n = 4 ? $error("x") : n)`,
		`$append($list.("é" & id & "\ud83d\ude00"), $list.("é" & id & "\ufffd"))^(>$)`,
		`$map($list, function($o) { $filter($others, function($p) { $p.id = $o.other })[0].name })`, `$list.($o := $; $filter($others, function($p, $i) { $o.other = $p.id and $i > 3 }).name)`,
		`$list.($o := $; $filter($others, function($p, $i, $a) { $p.id = $o.other and $count($a) > $i }).name)`, `$list.($o := $; $filter($others, function($p, $p) { $p.id = $o.other }).name)`,
		`$list.($o := $; $filter($others, function($o) { $o.id = $o.other }).name)`, `$list.($i := n; $filter($others, function($p, $i) { $p.n = $i }).id)`, `$list.($filter($others, function($p) { $p.id = other }).name)`,
		`$list.($o := $; $single($others, function($p) { $p.id = $o.other }).name)`, `$list.($o := $; $single($others, function($p) { $p.n = $o.n }).name)`, `$list.($o := $; $single($others, function($p) { $p.id = $o.n }))`,
		`$list.($o := $; $single($others[n = 100], function($p) { $p.id = $o.n }))`, `$single([1])`, `$single([])`, `$single([1, 2])`, `$list.$single(lines)`, `$filter($mixed, function($x) { $x = 1 })`, `$mixed.($x := $; $filter($mixed, function($y) { $y = $x }))`,
		`$list.($o := $; $others[$lowercase(id) = $o.other].name)`, `$list.($o := $; $others[$uppercase(id) = $uppercase($o.other)].name)`, `$list.($o := $; $others[$o.other = "id-" & $substringAfter(id, "-")].name)`,
		`($lowercase := function($x) { $random() > 2 ? $x : "id-3" }; $list.($o := $; $others[$lowercase(id) = $o.other].name))`, `$list.($o := $; $lowercase := $uppercase; $others[$lowercase(id) = $o.other].name)`,
		`$list.($o := $; $others[$lowercase(n) = $o.other].name)`, `$list.($o := $; $others[$string(n) = $string($o.n) and $error("x")].name)`, `$list.($o := $; $others[(n > 3 ? id : name) = $o.other].name)`, `$list.($o := $; $others[[id] = [$o.other]].name)`,
		`$list.($o := $; $others[n = 1][id = $o.other].name)`, `$list.($o := $; $others[n > 0][id = $o.other][0].name)`, `$list.($o := $; $count($others[n = 1]) & $others[n = 2].id[0])`, `$list.($others[n][id = $$.x])`, `$list.($others[lines].id)`, `$list.($others[-1].id & $others[n - 1].id[0])`,
		`$list.($others[n > "a"])`, `($list.($others[n = 1]) ~> $append($others[n = 1])).id`, `($a := $others[n = 1]; $b := $append($others[n = 1], 1); $c := $append($others[n = 1], 2); [$count($a), $b[-1], $c[-1], $list.($count($others[n = 1]))])`,
		`$list.($o := $; $others[n = 1 and id = $o.other].name)`, `$list.($o := $; $others[n = 1 and "x" != name and id = $o.other and n in [1, 2]].name)`, `$list.($o := $; $others[n > 0 and id = $o.other].name)`, `$list.($o := $; $others[(n = 1 or id) and id = $o.other].name)`,
		`$list.($o := $; $others[n = 100 and id = $uppercase(5)].name)`, `$list.($o := $; $others[n = 100 and $uppercase(n) = $o.other].name)`, `$list.($o := $; $filter($others, function($p) { $p.n = 100 and $p.id = $error("x") }))`,
		`$list.($o := $; $others[n = 1 and id = $uppercase($o.other)].name)`,
		`$list.($o := $; $others[n > 0 and id = $o.other and name > $o.id].name)`, `$list.($o := $; $others[n and $length(name) > 7 and $uppercase(id) = $uppercase($o.other)].name)`,
		`$list.($o := $; $others[n > 5 and id = $error("x")].name)`, `$list.($o := $; $others[n = 100 and id = $error("x")].name)`, `$list.($o := $; $others[n > 0 and $error(id) = $o.id].name)`,
		`$list.($o := $; $others[n > $o.n and id = $o.other].name)`, `$list.($o := $; $others[n = $o.n and n > 3 and id = $o.other].name)`, `$list.($o := $; $others[n > 100 and n < "a" and id = $o.other].name)`,
		`$list.($o := $; $filter($others, function($p) { $p.n > 3 and $p.id = $o.other and $p.n < $o.n }).name)`, `$list.($o := $; $filter($others, function($p, $i) { $p.n > 3 and $i < 30 and $p.id = $o.other }).name)`,
		`$list.($o := $; $filter($others, function($p, $i) { $p.id = $o.other and $i > 5 and $p.n > "a" }).name)`, `$list.($o := $; $filter($others, function($p) { n > 3 and $p.id = $o.other }).name)`,
		`$list.($o := $; $filter($others, function($p) { $lowercase($p.id) = $o.other and $substring($p.name, 0) != $o.name }).name)`, `($lowercase := $uppercase; $list.($o := $; $filter($others, function($p) { $lowercase($p.id) = $uppercase($o.other) }).name))`,
		`$list.($o := $; $filter($others, function($sum) { $sum.n > 3 and $sum.id = $o.other }).name)`, `$list.($o := $; $filter($mixed, function($p) { $p and $p = $o.n })[0])`, `$mixed.($x := $; $mixed[$ and $ = $x])`,
		`$list^($count($others[$uppercase(name = "Other 7" ? n : id) = $error("y")]))`,
		`$data.list@$a.others@$b[$b.n > 3 and $b.id = $a.other].{"a": $a.id, "b": $b.name}`, `$data.list@$a.others@$b[$b.n = 4 and $b.id = $a.other].{"a": $a.id, "b": $b.name}`, `$data.list@$a.others@$b[$b.n = 4 and $b.id = $a.other and $b.n < $a.n].{"a": $a.id}`,
		`$data.list@$a.others@$b[$b.n = 100 and $b.id = $error("x")].{"a": $a.id}`, `$data.list@$a.others@$b[$b.n in [1, 2] and $a.other = $b.id]#$i.{"a": $a.id, "i": $i}`, `$data.list@$a.others@$b[$a.n = 1 and $b.n = 4 and $b.n = $a.n].{"a": $a.id, "b": $b.id}`,
		`$reduce($list, function($a, $o) { $exists($a[n > 0 and n = $o.n]) ? $a : $append($a, $o) }, []).id`, `$reduce($list, function($a, $o) { $append($a, {"n": $o.n, "m": $count($a[$uppercase("x") = "X" and n > 2 and n = $o.n])}) }, [])`,
		`$list.($o := $; $others[n and id = $o.other and $error("x")].name)`, `$list.($o := $; $others[name = "x" and n > "a" and id = $o.other].name)`, `$list.($o := $; $others[id = $o.other and n = 1].name)`, `$list.($o := $; $others[n = $o.n and id = $o.other].name)`,
		`$list.($o := $; $keys($merge($others.{id: n}))[$ = $o.other])`, `$list.($o := $; $distinct($data.others)[id = $o.other].name)`, `$list.($o := $; $sort($others, function($a, $b) { $a.id > $b.id })[n = $o.n].id)`,
		`$list.($o := $; $lookup($others{id: name}, $o.other))`, `$list.($o := $; ($others{id: name}).*[0])`, `$list.($o := $; $others{id: name & $o.id}.*)`, `$list.($o := $; $map($others, function($p) { $p.n })[$ = $o.n][0])`,
		`$list.($o := $; $shuffle($others)[n = 100])`, `$list.($o := $; [$others.id][$ = $o.other])`, `$list.($o := $; [$others.id, $o.id][$ = $o.other])`, `$list.($x := $distinct($others.id)[$ = n]; $count($x))`, `$list.($append($others, 1)[0].id & $append($others, 2)[-1])`,
		`$reduce($list.lines.sku, function($a, $v) { $v in $a ? $a : $append($a, $v) }, [])`, `$reduce($list.n, function($a, $v) { $v in $a ? $a : $append($v, $a) }, [])`, `$reduce($list, function($a, $o) { $not($o.n in $a.seen) ? {"seen": $append($a.seen, $o.n), "n": $a.n + 1} : $a }, {"seen": [], "n": 0})`,
		`$reduce($list, function($a, $o) { $exists($a[n = $o.n]) ? $a : $append($a, $o) }, []).id`, `$reduce($list, function($a, $o) { $append($a, {"id": $o.id, "n": $count($a[n = $o.n]) }) }, [])`, `$reduce($list, function($a, $o) { $append($a, {"n": $o.n, "before": $a[n = $o.n].before[0]}) }, [])`,
		`$reduce($list, function($a, $o) { $append($a, [$a[$ = $o.n], $o.n]) }, [])`, `$reduce($list, function($a, $o) { ($b := $append($a, $o.n); $c := $append($a, $o.key); $o.n in $a ? $b : $count($b[$ = $o.n]) > 0 and $o.key in $c ? $c : $b) }, [])`,
		`$reduce($list, function($a, $o) { $append($a, $filter($a, function($x) { $x = $o.n })[0] ? [] : $o.n) }, [])`,
		// The second parameter has the name of a function.
		`$list.($o := $; $filter($list, function($p, $count) { $p.n = $count and $p.id = $o.id }).id)`, `$data.list@$a.list@$b#$count[$b.n = $count and $b.id = $a.other].{"a": $a.id, "b": $b.id}`,
		// A partial application binds the parameter of the equality.
		`($f := function($p, $i) { $p.id = "id-3" and $i.n > 2 }; $list.($o := $; $filter($list, $f($o, ?)).id))`, `$list.$filter($others, function($p) { $p.id = "id-3" }(3, ?))`,
		// A predicate or a step binds a variable that the search depends on.
		`$list.($y := n; $list[n = $y and $exists($y := n + 1)].id)`, `$list.($y := n; $data.list[$uppercase(key) = $uppercase("k" & $y) and $exists($uppercase := $lowercase)].id)`,
		`($y := "id-3"; $t := |$y := list|{}|; $list.($count($filter($list, function($p) { $p.id = $y and $exists({"list": "id-9"} ~> $t) }))))`,
		`($z := "id-3"; $data.list@$a.$append($data.others, $exists($z := $a.other) ? $nothing)@$b[$b.id = $z].{"a": $a.id, "b": $b.id})`,
		// A search that is evaluated early fails before another error.
		`$data.list@$a.($a.n = 7 ? $error("step") : $data.others)@$b[$b.id = $number($a.n > 1 ? "x" : "1")].$a.id`, `$data.list@$a.$data.others@$b[$b.id = ($a.n > 1 ? $error("other") : $a.other) and $error("rest")].$a.id`,
		`($l := [0..30].{"k": $, "v": $ = 30 ? "bad" : "1"}; $f := function($d) { $l[$number(v) > 0 and k = $d and ($d = 0 ? $error("deep") : $count($f($d - 1)) > 0)] }; $f(3))`,
		// An update searches a list that it then changes.
		`($find := function($l, $k) { $count($l[id = $k]) }; ($data ~> |$x := list|{"id": "z" & $find($x, "id-3") & $find($x, "id-3") & $find($x, "id-39")}|).($find(list, "id-3") & $find(list, "z110") & $find(list, "id-39")))`,
		`($x := 3; $sort($list, function($a, $b) { $x.a > $b.a }).id)`, `$sort($list, function($a, $b) { $a.n > $b.n } ~> function($f) { $f })`, `$sort($list, function($a, $b)<nn:b> { $a.n > $b.n })`,
	} {
		sameWithIndexes(t, expr, Undefined, vars)
	}
}

// randomAccumulator draws programs that add to values at either end, and keep some of what
// the values were before.
func randomAccumulator() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		step := rapid.SampledFrom([]string{
			`$a := $append($a, $i)`, `$a := $append($i, $a)`, `$a := [$a, $i]`, `$a := [$i, $a]`, `$a := $append($a, $b)`, `$b := $a`, `$b := $append($b, $a)`,
			`$s := $s & $string($i)`, `$s := $string($i) & $s`, `$s := $s & $u`, `$u := $s`, `$u := $u & "é"`, `$u := $substring($s & $u, 1, 40)`,
			`$m := $merge([$m, {"k" & ($i % 5): $i}])`, `$m := $merge([$m, $o])`, `$o := $m`, `$o := $merge([$o, {"k1": $i, "o" & $i: $a}])`, `$m := $merge([$o, $m])`,
			`$a := $a.($ & $join($b.("x" & $)))`, `$b := $a.($count($b) + $count($a[$ > 2]))`, `$a := $map($a, function($v) { $v in $b.k or $v in [1, 2, 3] })`,
			`$b := [1..20].($ in $a or $sum($m.*) > $)`, `$a := $i in $a ? $b : $append($a, $i)`, `$b := $append($b, $count($a[$ = $i]) + $count($b[$ = $i]))`, `$a := $append($a, $filter($b, function($x) { $x = $i }))`,
			`$b := $append($b, $a[$ > 2][$ = $i])`, `$a := [1..3].($j := $; $a[$ = $j + 1] & $count($b[$string($) = $string($j)]))`, `$o := $a{$string($): $count($b[$ = 1])}`,
			`$a := $a[[0..7]]`, `$b := $a[$i]`, `$b := $distinct($append($a, $b))`, `$a := $a[$ in $b]`, `$a := $reverse($a)`,
		})
		program := `($a := []; $b := []; $s := ""; $u := ""; $m := {}; $o := {};`
		for i := range rapid.IntRange(1, 25).Draw(t, "steps") {
			program += "$i := " + string(rune('0'+i%10)) + "; " + step.Draw(t, "step") + "; "
		}
		return program + `[$a, $b, $s, $u, $m, $o, $length($s), $count($a)])`
	})
}

func TestRandomAccumulators(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) { sameWithIndexes(t, randomAccumulator().Draw(t, "program"), Undefined, nil) })
}

func FuzzIndexes(f *testing.F) {
	for _, expr := range seedExpressions {
		f.Add(expr, []byte(`{"a":[{"b":{"c":2},"d":1.50},{"b":[{"c":1}]}]}`))
	}
	for _, r := range jsonatagrowth.Rows() {
		f.Add(r.Expr, []byte(`{}`))
	}
	f.Fuzz(func(t *testing.T, expr string, text []byte) {
		input, err := Decode(text)
		if err != nil {
			return
		}
		sameWithIndexes(t, expr, input, growthVars(3))
	})
}
