package jsonata

import (
	"context"
	"slices"
	"testing"
)

// invariantsOf returns the texts of the expressions that are marked.
func invariantsOf(e *Expr) []string {
	var found []string
	var visit func(n *node)
	visit = func(n *node) {
		if n == nil {
			return
		}
		if n.invariant != nil {
			names := ""
			for _, v := range n.invariant.vars {
				names += " $" + v.text
			}
			found = append(found, kindNames[n.kind]+names)
		}
		for _, part := range slices.Concat([]*node{n.lhs, n.rhs, n.body}, n.exprs, n.steps) {
			visit(part)
		}
		for _, p := range slices.Concat(n.pairs, n.group) {
			visit(p.key)
			visit(p.value)
		}
		for _, t := range n.terms {
			visit(t.expr)
		}
		for _, s := range slices.Concat(n.predicate, n.stages) {
			visit(s.filter)
		}
	}
	visit(e.root)
	return found
}

func TestInvariants(t *testing.T) {
	t.Parallel()
	tests := []struct {
		expr string
		want []string
	}{
		{`$sum($$.a.b)`, nil}, // in no loop
		{`a.($sum($$.a.b))`, []string{"function $sum $$"}},
		{`a[b in $distinct($$.c.d)]`, []string{"function $distinct $$"}},
		{`a[b in $$.c[d = 1].e]`, []string{"path $$"}},
		{`a[b in $$.c[d = $x].e]`, []string{"path $$ $x"}},
		{`a[b in ["x", "y"]]`, []string{"unary"}},
		{`a[b in c[d = 1]]`, nil},
		{`a[$sum(b) > 1]`, nil},
		{`a.($x := b; $sum($x))`, nil},
		{`a.($x := b; c[d = $max($x)])`, []string{"function $max $x"}},
		{`a.($random() + $count($$.b))`, []string{"function $count $$"}},
		{`a.($f($$.b[c]))`, []string{"path $$"}},
		{`a.($map($$.b, function($v) { $v.c + $y }))`, []string{"function $map $$ $y"}},
		{`a.($map($$.b, function($v) { $v.c + d }))`, nil},
		{`a.($map($$.b, $f))`, nil},
		{`a.($map($$.b, $string))`, []string{"function $map $$ $string"}},
		{`a.($map($$.b, function($v) { $random() }))`, nil},
		{`a.($uppercase())`, nil},
		{`a.($$.b ~> $count())`, []string{"apply $$ $count"}},
		{`a.(b ~> $append($$.c[d]))`, []string{"path $$"}},
		{`a^(b - $max($$.c))`, []string{"function $max $$"}},
		{`a{$string($max($$.c)): $count(d)}`, []string{"function $string $max $$"}},
		{`$map($a, function($v) { $sum($a.b) })`, []string{"function $sum $a"}},
		{`$map($a, function($v) { $map($v, function($w) { $sum($v) + $w }) })`, []string{"function $sum $v"}},
		{`a.($sum := 1; $sum($$.b))`, nil},
		{`a.($$.b@$x.c[$x.d = e])`, nil},
		{`a.(%.b[c = 1])`, nil},
		{`a.($$.b.(%.c))`, nil},
	}
	for _, tt := range tests {
		got := invariantsOf(MustCompile(tt.expr))
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.expr, got, tt.want)
		}
	}
}

// The call in which a function ends yields a sequence as it is, whether or not it is an
// invariant: the function that called it decides what happens to it.
func TestInvariantTailCalls(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]string{
		`$map([1, 2], function($v) { $filter([7, 8], function($x) { $x = 7 }) })`:                         `[[7],[7]]`,
		`$map([1, 2], function($v) { $filter([7, 8], function($x) { $x = 9 }) })`:                         `[[],[]]`,
		`$map([1, 2, 3], function($v) { $v > 1 ? $filter([7, 8], function($x) { $x = 7 }) : 0 })`:         `[0,[7],[7]]`,
		`$map([1, 2], function($v) { ($l := [7]; $filter([7, 8], function($x) { $x = 9 })) })`:            `[[],[]]`,
		`$each({"a": 1, "b": 2}, function($v) { $lookup([{"a": 1}], "a") })`:                              `[[1],[1]]`,
		`[1, 2].($f := function() { $filter([7, 8], function($x) { $x = 7 }) }; $f())`:                    `[7,7]`,
		`$reduce([1, 2, 3], function($a, $v) { $filter([7, 8], function($x) { $x = 7 }) })`:               `7`,
		`$map([1, 2, 3], function($v) { $filter([7, 8, 7], function($x) { $x = 7 }) })[1]`:                `[7,7]`,
		`$map([1, 2], function($v) { $map([1, 2, 3], function($w) { $filter([7], function() { 1 }) }) })`: `[[[7],[7],[7]],[[7],[7],[7]]]`,
	} {
		v, err := MustCompile(expr).Eval(context.Background(), Undefined, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := encoded(t, v); got != want {
			t.Errorf("%s: got %s, want %s", expr, got, want)
		}
	}
}

// What is kept counts as live memory, and is dropped if other values need it.
func TestKeptValuesGiveWay(t *testing.T) {
	t.Parallel()
	vars := map[string]any{"a": []any{1.0, 2.0, 3.0, 4.0}}
	const expr = `$count($a.([$count([1..20000].{"k": $}), $ * 2, $count([1..$ * 8000].{"k": $})]))`
	e := Options{MaxAllocation: 8 << 20}.MustCompile(expr)
	if v, err := e.Eval(context.Background(), Undefined, vars); err != nil || v != 12.0 {
		t.Errorf("got %v, %v, want 12", v, err)
	}
}
