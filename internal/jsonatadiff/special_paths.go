package main

import "strings"

// selections writes paths with filters and [].
func (g *generator) selections() string {
	var b strings.Builder
	b.WriteString(pick(g, "list", "a", "$", "deep.list", "[1,2,3]", "[[1,2],[3]]", `[{"a":1},{"a":[2,3]},{"b":[]}]`, "[[[1]],[[2,3]]]", "*", "**",
		"[]", "list.list", "(list)", "$.list", "$$.list", "[list]", "d", `["a","b","a"]`, "[null,0,false,'']"))
	for range 1 + g.n(4) {
		b.WriteString(pick(g, "[]", "[0]", "[-1]", "[0.5]", "[-0.5]", "[-1.5]", "[1.99]", "[[0,1]]", "[[0..5]]", "[[1,0,1]]", "[[-1,0]]", "[[]]",
			"[nope]", "[true]", "[false]", "[null]", `["a"]`, "[a]", "[n>1]", "[$]", "[$>1]", "[a in [1,'x']]",
			"[$position]", "[$$.n]", "[[0.5,1.5]]", "[[0,'a']]", "[[true]]", "[2]", "[10]", "[-10]", "[0][0]", "[n]", "[{}]", "[[[0]]]", "[1 in $]",
			".a", ".n", ".*", ".**", ".$", ".[a]", ".[a,n]", ".(a)", ".{'k':a}", ".a[]", ".a[0]", ".(a[0])", ".$count($)", ".$.a", ".list",
			".b.c", ".[$]", ".(n;a)", ".b[0].c", ".%"))
	}
	return b.String()
}

// parents writes paths with %.
func (g *generator) parents() string {
	step := func() string {
		return pick(g, "list", "a", "b", "c", "deep", "d", "e", "*", "n", "list", "a.b", "deep.list") + pick(g, "", "", "", "[0]", "[]",
			"[$exists(%)]", "[%.n]", "[%.n>1]", "[n=%.n]", "[%.%.n=1]", "@$p", "#$i", "^(%.n)", "^(n)", "[a=%.a]")
	}
	var b strings.Builder
	b.WriteString(step())
	for range 1 + g.n(3) {
		b.WriteString("." + step())
	}
	b.WriteString(pick(g, ".%", ".%.n", ".%.%", ".%.%.n", ".(%.n)", ".{'p': %.n, 'q': %.%.n}", ".[%.n, n]", ".(%.%)", ".%[n=1].a", ".%.*",
		".(n & %.n)", ".(%.a = a)", "^(%.n).n", "^(>%.n, n)", ".$string(%)", ".{'a': %}", ".%{a: n}", ".(($x := %; $x.n))", ".%.%.%", ".%@$q.n", ".%#$k.$k"))
	return b.String()
}

// joins writes paths with @ and #.
func (g *generator) joins() string {
	bind := func(i int) string {
		return pick(g, "list", "a", "e", "list.deep", "d", "deep.list", "$$.list", "$$.e") + pick(g, g.f("@$v%d", i), g.f("#$v%d", i),
			g.f("@$v%d#$i%d", i, i), g.f("@$v%d[$v%d.n > 1]", i, i), g.f("@$v%d[n>1]", i), g.f("#$v%d[$v%d < 2]", i, i), g.f("[n>1]#$v%d", i),
			g.f("[0]@$v%d", i), "", "[0]")
	}
	var b strings.Builder
	b.WriteString(bind(0))
	n := 1 + g.n(2)
	for i := 1; i <= n; i++ {
		b.WriteString("." + bind(i))
	}
	b.WriteString(pick(g, "", "[$v0.a = $v1.a]", "[$v0.n = n]", "^($v0.n)", "^(>$v1)", "[0]", "[]", "#$last"))
	b.WriteString(pick(g, ".$v0", ".{'a': $v0, 'b': $v1}", ".[$v0, $v1]", ".($v0.n & $v1.n)", "", ".%", ".$v1.a", "{$string($v0): $v1}",
		"{$string($v1): $count($)}", ".$i0", ".{'x': $last, 'i': $i1}", "[$i0 = 0].a", ".a", "{'k': [$v0.n]}", ".(%.n)", ".$count($v0)", "[$v1 > 0].n"))
	return b.String()
}

// orders writes order-bys and sorts.
func (g *generator) orders() string {
	of := pick(g, "list", "[3,1,2]", `["b","a",1]`, `[{"a":1,"b":2},{"a":1,"b":1},{"a":0}]`, `[{"a":1},{"a":"x"}]`, `[{"a":null},{"a":1}]`, "e",
		"[2,10,1.5,-1]", `["10","9","é","Z","a"]`, "[]", "list.deep", "nope", "[[2],[1]]", "[true,false]",
		`[{"n":2,"s":"b"},{"n":1,"s":"b"},{"s":"a"},{"n":3}]`, "n", "*")
	if g.chance(50) {
		term := func() string {
			return pick(g, "", "<", ">") + pick(g, "a", "b", "n", "s", "$", "-n", "$string(a)", "nope", "a+b", "$length(s)", "[n]", "n;", "$.n",
				"%.n", "a ? 1 : 2", "$exists(n)", "s&n", "$count($)")
		}
		terms := term()
		for range g.n(3) {
			terms += "," + term()
		}
		return g.f("%s^(%s)%s", of, terms, pick(g, "", "[0]", ".a", "[-1].n", ".s", "[]", "{s: n}", "#$i.$i", "^(n)", ".(a & s)", "[a]"))
	}
	return g.f("$sort(%s%s)", of, pick(g, "", ", function($l,$r){$l>$r}", ", function($l,$r){$l.n>$r.n}", ", function($l,$r){$l.s<$r.s}",
		", function($l,$r){$string($l)>$string($r)}", ", function($l,$r){true}", ", function($l,$r){false}", ", function($l){$l}", ", $append",
		", function($l,$r){$l-$r}"))
}

func (g *generator) groupings() string {
	of := pick(g, "list", "e", "a", "$", "[1,2,1]", `[{"k":"a","v":1},{"k":"b","v":2},{"k":"a","v":3}]`, `[{"k":"a","v":[1]},{"k":"a","v":[2,3]}]`,
		"list.deep", "[]", "nope", "*", "d")
	pair := func() string {
		return pick(g, "k", "s", "$string($)", `"all"`, "a", "nope", "$string(n)", "s & 'x'", "$type($)", "1", "[k]", "$keys($)[0]") + ": " + pick(g,
			"v", "n", "$", "$sum(n)", "$count($)", "[v]", "v[]", "$.v", "{'n': n}", "nope", "$join(s)", "a[0]", "$$", "{k: v}", "v^(>$)", "%.n")
	}
	pairs := make([]string, 1+g.n(2))
	for i := range pairs {
		pairs[i] = pair()
	}
	return g.f("%s%s{%s}%s", of, pick(g, "", "", "[v>1]", ".$", "[0]", "[]"), strings.Join(pairs, ", "), pick(g, "", "", ".a", ".*", "[0]", "~>$keys",
		".$spread($)", "[]", "{'x': $}"))
}

func (g *generator) transforms() string {
	of := pick(g, "$", "deep", "list", "{'a':{'b':1},'c':[{'b':2}]}", "a", "[{'a':1},{'a':2}]", "e", "nope", "'x'", "1")
	one := func() string {
		return g.f("|%s|%s%s|", pick(g, "$", "a", "**", "*", "list", "a.b", "c", "list[n>1]", "list[0]", "nope", "$.a", "**[b]", "(a)", "deep.list",
			"list^(n)", "[$]", "list@$v", "a|b", "1"),
			pick(g, "{}", "{'x': 1}", "{'a': a, 'n': n+1}", "{'b': $}", "{'p': $$.n}", "{'a': nope}", "nope", "1", "[]", "{'list': $count(list)}",
				"{'x': %.n}", "$", "{'b': [b]}"),
			pick(g, "", ", 'a'", ", ['a','b']", ", nope", ", []", ", 1", ", ['a', 1]", ", 'x'", ", $keys($)", ", $keys($)[0]"))
	}
	e := of + " ~> " + one()
	if g.chance(30) {
		e += " ~> " + one()
	}
	return e + pick(g, "", "", " ~> $keys", "; $", " = $")
}
