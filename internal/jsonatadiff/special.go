package main

import (
	"fmt"
	"strings"
)

// special writes an expression about one feature, in more depth than the general grammar
// reaches: the details of pictures, patterns, bindings and callbacks.
func (g *generator) special() string {
	g.vars, g.funcs = nil, nil
	return pick(g,
		g.numbers, g.formatted, g.integers, g.dates, g.patterns, g.texts, g.selections, g.parents, g.joins,
		g.orders, g.groupings, g.transforms, g.recursions, g.callbacks, g.collections, g.chains, g.mistakes, g.spaced,
	)()
}

// edge writes a number at the limit of some range.
func (g *generator) edge() string {
	n := pick(g, "0", "1", "2", "0.1", "0.5", "1.5", "2.5", "-2.5", "1e-7", "1.5e-7", "1e-6", "1e20", "1e21", "123456789012345680000", "1e22",
		"9007199254740991", "9007199254740992", "9007199254740993", "0.1+0.2", "1/3", "2/3*100", "5e-324", "1.7976931348623157e308", "4294967296",
		"1.005", "1.0049999", "8.345", "1234.5678", "0.000001234", "999999.9999", "99.995", "-0.4", "-0.5", "12345678.9", "1e5", "255", "3999", "n", "a")
	if g.chance(20) {
		return "-" + pick(g, "1", "0", "0.5", "1e21", "1234.5")
	}
	if strings.ContainsAny(n, "+/") {
		return "(" + n + ")"
	}
	return n
}

func (g *generator) numbers() string {
	switch g.n(9) {
	case 0:
		return g.f("%s %s %s", g.edge(), pick(g, "+", "-", "*", "/", "%", "=", "<", ">=", "&"), g.edge())
	case 1:
		return g.f("$string(%s)", g.edge())
	case 2:
		return g.f("$formatBase(%s, %s)", pick(g, g.edge(), "255", "-255", "1e15", "35.5", "0.4"), pick(g, "2", "36", "16", "10", "8", "1.6", "2.4",
			"37", "1", "35.5", "36.5", "0", "-2"))
	case 3:
		return g.f("$round(%s, %s)", g.edge(), pick(g, "0", "1", "2", "-1", "-2", "5", "15", "20", "-20", "-5", "3", "1.5"))
	case 4:
		return g.f("$number(%s)", pick(g, `"1e21"`, `"1e-7"`, `"-0"`, `"00"`, `"01"`, `"1."`, `".5"`, `"+1"`, `" 1"`, `"1 "`, `"0x1f"`, `"0X1F"`,
			`"0b101"`, `"0o17"`, `"0O17"`, `"0B2"`, `"1e400"`,
			`"1e"`, `"Infinity"`, `"NaN"`, `""`, `"9007199254740993"`, `"1_000"`, `"12abc"`, "true", "false", "null", "[1]", `"-0x1"`, `"0x"`))
	case 5:
		return g.f("[%s, %s] ~> $string", g.edge(), g.edge())
	case 6:
		return g.f("$%s(%s)", pick(g, "floor", "ceil", "abs", "sqrt", "round"), g.edge())
	case 7:
		return g.f("$%s([%s, %s, %s])", pick(g, "sum", "max", "min", "average", "count"), g.edge(), pick(g, g.edge(), `"a"`, "null", "[]", "nope", "[1,2]"), g.edge())
	}
	return g.f("[%s..%s]%s", pick(g, "-2", "0", "1", "1.0", "1.5", "n", `"a"`, "nope", "true"), pick(g, "3", "0", "-3", "2.5", "5", "nope", "null"),
		pick(g, "", "[$%2=0]", ".($*2)", "[-1]", "[[0,2]]", "[]", ".[$]", "[0.9]"))
}

// formatted writes calls of $formatNumber.
func (g *generator) formatted() string {
	run := func(least, most int, from ...string) string {
		var b strings.Builder
		for range least + g.n(most-least+1) {
			b.WriteString(pick(g, from...))
		}
		return b.String()
	}
	picture := func() string {
		p := run(0, 1, "$", "x", "(", "- ", "é") + run(0, 5, "#", "#", "#,", ",") + run(0, 4, "0", "0", "0,")
		if g.chance(60) {
			p += "." + run(0, 3, "0", "0,") + run(0, 3, "#", "#,")
		}
		if g.chance(25) {
			p += "e" + run(1, 3, "0")
		}
		return p + pick(g, "", "", "", "%", "‰", ")", " x", "%%", "e")
	}
	p := picture()
	if g.chance(20) {
		p += ";" + picture()
	}
	options := ""
	if g.chance(20) {
		options = ", " + pick(g, `{"decimal-separator": ",", "grouping-separator": "."}`, `{"zero-digit": "\u0966"}`, `{"minus-sign": "m"}`,
			`{"per-mille": "o"}`, `{"exponent-separator": "E"}`,
			`{"digit": "9", "zero-digit": "0"}`, `{"percent": "o/o"}`, `{"pattern-separator": "|"}`, `{"NaN": "no"}`)
	}
	return g.f("$formatNumber(%s, %q%s)", g.edge(), p, options)
}

// integers writes calls of $formatInteger and $parseInteger.
func (g *generator) integers() string {
	picture := pick(g, "w", "W", "Ww", "w;o", "Ww;o", "W;o", "I", "i", "A", "a", "0", "1", "1;o", "00", "000;o", "#,##0", "#,###", "##,##,##0", "0,0",
		"#:##0:00", "9,999,999", "#0", "٠", "#,##٠", "０", "0٠", "#;o",
		"1;c", "Ww;c", "1;t", "I;o", "a;o", "*", "1-2", "0.0", "#-0", "00,00;o", "0,", ",0", "0 000", "１;o", "#,#,#0", "")
	number := pick(g, g.edge(), "1", "2", "3", "4", "9", "10", "11", "12", "13", "19", "20", "21", "22", "23", "26", "27", "40", "52", "99", "100",
		"101", "111", "112", "113", "121", "702", "703", "999", "1000", "1001",
		"1100", "1999", "2024", "12345", "1000000", "1000001", "1234567", "1e9", "1e12", "1e15", "1e18", "-1", "-12", "-1000", "1.9", "-1.1")
	switch g.n(4) {
	case 0:
		return g.f("$parseInteger($formatInteger(%s, %q), %q)", number, picture, picture)
	case 1:
		text := pick(g, "twelve", "Twelfth", "one thousand and one", "two million, three hundred and four", "ONE HUNDRED", "twenty-first",
			"one hundredth", "zero", "XIV", "mcmxc", "iiii", "ab", "ZZ", "1,234", "12th", "001", "١٢", "１２", "-7",
			"1 000", "12.5", "", "abc1", "thousand", "hundred", "two thousand and", "one-two")
		return g.f("$parseInteger(%q, %q)", text, picture)
	}
	return g.f("$formatInteger(%s, %q)", number, picture)
}

// dates writes calls of $fromMillis and $toMillis.
func (g *generator) dates() string {
	component := func() string {
		c := pick(g, "Y", "M", "D", "d", "F", "W", "w", "X", "x", "H", "h", "P", "m", "s", "f", "Z", "z", "C", "E", "Y", "M", "D", "H", "m")
		return "[" + c + pick(g, "", "", "1", "01", "0001", "N", "n", "Nn", "I", "i", "w", "Ww", "W", "a", "A", "1o", "Wwo", "wo", "0", "#,##0", "9",
			"٠١", "*", "o", "t", "1t", "01:01", "0101", "1:01t", "Z") +
			pick(g, "", "", "", ",2", ",2-2", ",*-2", ",1-3", ",3-3", ",4", ",2-*", ",*", ",0", ",3-1") + "]"
	}
	var b strings.Builder
	for range 1 + g.n(5) {
		b.WriteString(component() + pick(g, "", "", " ", "-", ":", ", ", "[[", "]]", "th ", "\n"))
	}
	picture := b.String()
	if g.chance(30) {
		picture = pick(g, "[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01].[f001][Z01:01t]", "[D1o] of [MNn] [Y]",
			"[FNn,3-3], [D01] [MNn,3-3] [Y] [H01]:[m]:[s] [Z]", "[X0001]-W[W01]-[F1]", "[h#1]:[m01] [PN]", "[Y]-[d001]", "[w] [xNn] [Y]",
			"[M01]/[D01]/[Y,2-2]", "[Yi] [Mi] [D i]", "[YWw] [MNn]", "[H01][m01][s01][f001][Z0101]", "[f,3]", "[f1]", "[f01]", "[Y,*-4]", "[ Y ]",
			"[Y", "Y]", "[]", "[Q]", "[MNN]", "[D,2][M,2][Y,4]", "[Y0001][M01][D01]", "[P] [h]", "[H]", "[m]:[s]")
	}
	millis := pick(g, "0", "-1", "1521801216617", "1e12", "951782400000", "1709210096789", "1735603200000", "1704067199999", "-62135596800000",
		"-62167219200000", "-99999999999999", "253402300800000", "8.64e15", "8.65e15", "1230768000000", "1293840000000",
		"1325376000000", "1420070400000", "1451606399999", "1483142400000", "1577836800000", "68169600000", "1234567890123.7", "-0.5")
	zone := pick(g, "", "", `, "+0100"`, `, "-0800"`, `, "+0530"`, `, "-0330"`, `, "+1400"`, `, "0"`, `, "Z"`, `, "+05:30"`, `, "+5"`, `, "-1200"`, `, "+0045"`)
	switch g.n(5) {
	case 0:
		return g.f("$toMillis($fromMillis(%s, %q%s), %q)", millis, picture, zone, picture)
	case 1:
		return g.f("$toMillis(%s)", pick(g, `"2018"`, `"2018-02"`, `"2018-02-01"`, `"2018-02-30"`, `"2018-13-01"`, `"2018-02-01T12"`,
			`"2018-02-01T12:34"`, `"2018-02-01T12:34Z"`, `"2018-02-01T12:34:56"`, `"2018-02-01T12:34:56.7Z"`,
			`"2018-02-01T12:34:56.789123+01:30"`, `"2018-02-01T12:34:56-0130"`, `"2018-02-01T24:00:00Z"`, `"2018-02-01T25:00:00Z"`, `"0050-01-01"`,
			`"18-02-01"`, `"2018-2-1"`, `"2018/02/01"`, `""`, `"20180201"`, `"2018-02-01 12:34:56"`, `"2018-02-01T12:34:60Z"`, `"+002018-02-01"`))
	case 2:
		text := pick(g, "2018-02-01", "1st of March 2024", "12:30", "12:30 pm", "12:30 AM", "2018-W05-4", "2018-060", "MMXVIII",
			"two thousand and eighteen", "Mon, 01 Jan 2018 00:00:00 +0000", "01/02/18", "20180201", "2018", "29/02/2023", "99", "12", "5", "Thursday", "Feb")
		return g.f("$toMillis(%q, %q)", text, picture)
	}
	return g.f("$fromMillis(%s, %q%s)", millis, picture, zone)
}

// pattern writes a regular expression.
func (g *generator) pattern(depth int) string {
	var b strings.Builder
	for range 1 + g.n(3) {
		atom := pick(g, "a", "b", "c", "x", ".", `\d`, `\w`, `\s`, "[ab]", "[^a]", "[a-c]", `\b`, "^", "$", `\.`, `\/`, "é", `\u0061`, `\x62`,
			`[\d-]`, `\S`, `\W`, "-", ",")
		if depth > 0 && g.chance(35) {
			inner := g.pattern(depth - 1)
			if g.chance(40) {
				inner += "|" + g.pattern(depth-1)
			}
			atom = pick(g, "(", "(", "(?:") + inner + ")"
		}
		b.WriteString(atom)
		if atom != "^" && atom != "$" && atom != `\b` {
			b.WriteString(pick(g, "", "", "", "+", "*", "?", "+?", "*?", "{2}", "{1,2}", "{0,1}", "{2,}"))
		}
	}
	return b.String()
}

func (g *generator) subject() string {
	return pick(g, `"abc"`, `"aabbcc"`, `"a,b,c"`, `"abcabc"`, `"x-1 y-22"`, `"aaa\nbbb"`, `"ABC abc"`, `""`, `"a"`, `"ababab"`, `"été"`, `"a.b.c"`,
		`"1,23,456"`, "s", "c")
}

func (g *generator) patterns() string {
	re := "/" + g.pattern(2) + "/" + pick(g, "", "", "i", "m", "im", "mi")
	limit := pick(g, "", "", ", 1", ", 2", ", 0", ", -1", ", 1.5", ", 100")
	switch g.n(6) {
	case 0:
		return g.f("$match(%s, %s%s)", g.subject(), re, limit)
	case 1:
		with := pick(g, `"$1"`, `"$0$0"`, `"[$2$1]"`, `"$$1"`, `"$10"`, `"$"`, `"a$"`, `"$x"`, `"$1a"`, `"$01"`, `"$00"`, `"\\$1"`, `"$$$1"`,
			"function($m){$m.match & $m.index}", "function($m){$join($m.groups, '-')}", "function($m){$string($m)}", "function($m){$m.groups[1]}", "$uppercase", "1")
		return g.f("$replace(%s, %s, %s%s)", g.subject(), re, with, limit)
	case 2:
		return g.f("$split(%s, %s%s)", g.subject(), pick(g, re, `","`, `""`, `"b"`, `"bc"`, `"."`), limit)
	case 3:
		return g.f("$contains(%s, %s)", g.subject(), re)
	case 4:
		return g.f("%s(%s)%s", re, g.subject(), pick(g, "", ".match", ".groups", ".start", ".end", ".next().match", ".next().next()", ".[match, start, end]"))
	}
	return g.f("%s.$match(%s).%s", g.subject(), re, pick(g, "match", "index", "groups", "groups[0]", "(match & index)", "$count(groups)"))
}

// texts writes functions of strings.
func (g *generator) texts() string {
	s := pick(g, `"😀é\uD83D\uDE00"`, `"\uD83D"`, `"a\uDE00b"`, `"\u0000\u001f\u007f"`, `"tab\tnew\nline"`, `"quote\"back\\slash\/"`, `"ﬀ ß İ ı"`,
		`"e\u0301"`, `"abc"`, `""`, `"  a  b  "`, `"\u00a0x\u2003"`, `"Ǆ ǆ"`, `"日本語"`, `"ΑΣ Σ"`, `"a/b?c=d&e f#g"`, `"%E2%82%AC %zz"`, `"%41%2f"`, "s", "c")
	i := pick(g, "0", "1", "2", "-1", "-2", "3", "10", "-10", "0.5", "1.9", "-0.5", "-1.5", "1e10")
	switch g.n(9) {
	case 0:
		return g.f("$substring(%s, %s%s)", s, i, pick(g, "", ", 1", ", 0", ", -1", ", 2.5", ", 100", ", 0.5"))
	case 1:
		return g.f("$pad(%s, %s%s)", s, pick(g, "5", "-5", "0", "8", "-9", "2.5", "20"), pick(g, "", `, "-"`, `, "ab"`, `, ""`, `, "😀"`, `, "\uD83D"`))
	case 2:
		return g.f("$%s(%s)", pick(g, "length", "uppercase", "lowercase", "trim", "base64encode", "encodeUrl", "encodeUrlComponent", "decodeUrl",
			"decodeUrlComponent", "string", "boolean", "keys"), s)
	case 3:
		return g.f("$%s(%s, %s)", pick(g, "substringBefore", "substringAfter", "contains", "split"), s, pick(g, `""`, `"b"`, `"\uDE00"`, `"é"`, `" "`, `"a"`))
	case 4:
		return g.f("$string(%s%s)", pick(g, g.expr(wantAny, 2), `{"a": [1, {"b": []}], "c": {}, "d": [[]]}`, "[[1],[2,[3]]]", "$", "{}", "[]",
			`{"f": $sum, "n": null}`, "[1, null, nope]", `"x"`, "$sum"), pick(g, "", ", true", ", true", ", false"))
	case 5:
		return g.f("%s & %s & %s", s, g.edge(), pick(g, "[1,2]", "{}", "null", "true", "nope", `{"a": 0.1+0.2}`, "$sum", s))
	case 6:
		return g.f("%s %s %s", s, pick(g, "<", ">", "<=", "=", "in"), pick(g, s, `"z"`, `"\uFFFD"`, `"😀"`, `["abc"]`))
	case 7:
		return g.f("$replace(%s, %s, %s%s)", s, pick(g, `"a"`, `"b"`, `" "`, `"é"`, `""`, `"."`), pick(g, `"$0"`, `"$$"`, `""`, `"xx"`, `"$1"`),
			pick(g, "", ", 1", ", 0", ", 1.5", ", -1"))
	}
	return g.f("$join(%s%s)", pick(g, "[s, c]", g.f("[%s, %s]", s, s), "list.s", "[]", "nope", `"a"`, `["a", 1]`, "$split(c, '')"), pick(g, "",
		`, ","`, `, ""`, `, "😀"`, ", nope"))
}

// recursive are expressions of one small number.
var recursive = []string{
	"($f := function($n){$n <= 1 ? 1 : $n * $f($n - 1)}; $f(%d))", "($f := function($n, $acc){$n = 0 ? $acc : $f($n - 1, $acc & $string($n))}; $f(%d, ''))",
	"($even := function($n){$n = 0 ? true : $odd($n - 1)}; $odd := function($n){$n = 0 ? false : $even($n - 1)}; $even(%d))",
	"($c := function($x){function($y){$x + $y}}; $c(1)(%d))", "($add := function($a, $b, $c){$a & $b & $c}; $add(?, 2, ?)(1, %d))",
	"(function($f, $n){$f($f, $n)})(function($f, $n){$n = 0 ? 'end' : $f($f, $n - 1)}, %d)",
	"($x := 1; $f := function(){$x}; $x := %d; $f())", "($x := 1; ($x := %d); $x)", "($f := function($x){($x := $x + 1; $x)}; [$f(%d), $f(1)])",
	"($f := function($x, $x){$x}; $f(1, %d))", "($f := function($a, $b){[$a, $b]}; $f(%d))",
	"($f := function($a){[$a]}; $f(1, %d))", "($fib := function($n){$n < 2 ? $n : $fib($n - 1) + $fib($n - 2)}; $map([0..%d], $fib))",
	"($y := function($f){(function($x){$f(function($v){$x($x)($v)})})(function($x){$f(function($v){$x($x)($v)})})}; $y(function($s){function($n){$n = 0 ? 0 : $n + $s($n - 1)}})(%d))",
	"($f := function($n){$n > 0 ? $f($n - 1) : $n.($ + 1)}; $f(%d))", "($g := $f := function($x){$x * 2}; $g(%d))",
	"($r := $reduce(?, function($a, $b){$a + $b}); $r([1..%d]))", "($f := function($n) <n:n> {$n = 0 ? 0 : $f($n - 1)}; $f(%d))",
	"($a := %d; $b := $a; $f := λ($b){$a + $b}; $f($b))", "($f := function($n){($n = 0 ? 'x' : $f($n - 1))[0]}; $f(%d))",
	"($f := function($n){$n = 0 or $f($n - 1)}; $f(%d))", "($f := function($n){$n = 0 ? [] : $append($f($n - 1), $n)}; $f(%d))", "$f := %d",
	"($sum := function($x){$x}; $sum(%d))",
}

// recursions writes functions that call themselves, and closures.
func (g *generator) recursions() string {
	return fmt.Sprintf(pick(g, recursive...), g.n(8))
}

// callbacks writes calls of higher-order functions.
func (g *generator) callbacks() string {
	f := pick(g, "function(){7}", "function($v){$v}", "function($v,$i){$i}", "function($v,$i,$a){[$v,$i,$a]}", "function($v,$i,$a,$x){$exists($x)}",
		"$string", "$sum", "$append", "$uppercase", "function($v){nope}", "function($v){[$v]}", "function($v){[]}", "function($v){{'v':$v}}",
		"$substring(?, 0, 1)", "$append(?, 1)", "$append(1, ?)", "function($v){$v > 1}", "function($v,$k){$k = 'a' or $k = 0}", "/a/", "$count",
		"$type", "$zip", "$lookup", "$map(?, $string)", "$not", "($string ~> $length)", "function($v)<n:n>{$v}", "function($v)<s-:s>{$v}",
		"function($v){$}", "1", "nope", "'x'", "$length", "|$|{'z':1}|", "function($a,$b){$a & $b}", "function($a,$b,$i,$l){$count($l) & $i}",
		"$max", "$round", "$pad")
	of := pick(g, "[1,2,3]", "['a','b']", "list", "[]", "1", "nope", "[[1,2],[3]]", "$", "a", "[1]", "{'a':1,'b':2}", "deep", "null", "[null,1]",
		"[1..3]", "*", "e", "[nope]", "'abc'")
	switch g.n(6) {
	case 0:
		return g.f("$reduce(%s, %s%s)", of, f, pick(g, "", ", 0", ", []", ", 'x'", ", nope", ", null"))
	case 1:
		return g.f("$%s(%s, %s)", pick(g, "each", "sift"), pick(g, "{'a':1,'b':2}", "deep", "$", "{}", "nope", "[{'a':1}]", "1", "list[0]"), f)
	case 2:
		return g.f("%s.$%s(%s)", pick(g, "deep", "list", "$", "e"), pick(g, "each", "sift"), f)
	case 3:
		return g.f("$single(%s%s)", of, pick(g, "", ", "+f))
	}
	return g.f("$%s(%s, %s)%s", pick(g, "map", "filter"), of, f, pick(g, "", "", "[0]", "[]", ".a"))
}

// collections writes functions of arrays and objects.
func (g *generator) collections() string {
	v := func() string {
		return pick(g, "[1,2]", "[[1,2],[3]]", "{'a':1}", "{'a':1,'b':[2]}", "[{'a':1},{'a':2},{'b':3}]", "list", "$", "nope", "[]", "{}", "1", "'a'",
			"null", "[1..3]", "[null]", "deep", "a", "[nope]", "$sum", "[[]]", "true", "e", "[[{'a':5}]]", "*")
	}
	switch g.n(7) {
	case 0:
		args := make([]string, 1+g.n(3))
		for i := range args {
			args[i] = v()
		}
		return g.f("$zip(%s)", strings.Join(args, ", "))
	case 1:
		return g.f("$%s(%s)", pick(g, "spread", "keys", "merge", "distinct", "reverse", "count", "type", "exists", "boolean", "not", "string",
			"clone", "sort", "sum", "max", "average", "each", "single"), v())
	case 2:
		return g.f("$lookup(%s, %s)", v(), pick(g, "'a'", "'b'", "'nope'", "''", "nope", "1"))
	case 3:
		return g.f("$append(%s, %s)%s", v(), v(), pick(g, "", "[0]", "[-1]", ".a", "[]"))
	case 4:
		return g.f("%s %s %s", v(), pick(g, "=", "!=", "in", "and", "or", "&", "<", "+", "~>"), v())
	case 5:
		return g.f("[%s, %s]%s", v(), v(), pick(g, "", "[0]", ".a", "[]", ".*", ".**", "[[0,1]]", ".$"))
	}
	return g.f("%s.%s", v(), pick(g, "*", "**", "a", "$", "$spread($)", "$keys($)", "**.a", "*.a", "[a]", "{'x': $}", "(*)", "*[0]", "**[0]", "$count(*)"))
}

// chains writes ~>, partial applications and conditions.
func (g *generator) chains() string {
	f := func() string {
		return pick(g, "$sum", "$sum()", "$string", "$map(function($v){$v*2})", "$filter(function($v){$v>1})", "$join('-')", "$append([9])",
			"$substring(0, 2)", "$substring(?, 1)", "$uppercase", "$count()", "$reverse", "$sort", "(function($x){$x})", "$map(?, $string)",
			"$contains('a')", "$split('')",
			"$string ~> $length", "($string ~> $uppercase)", "$lookup('a')", "$keys", "$append(?, 1)", "$append(1, ?)", "nope", "1", "$zip([1])",
			"|$|{'z':1}|", "$nope()", "(1)", "$type()", "/a/", "$pad(5, '.')", "$reduce(function($a,$b){$a+$b})", "$exists", "$not",
			"$each(function($v){$v})", "(λ($x, $y){$y})(?, 5)", "$max()")
	}
	of := pick(g, "[1,2,3]", "'abc'", "list", "nope", "$", "1", "{'a':1}", "$sum", "function($x){$x}", "['b','a']", "null", "[]", "a.b", "(1;2)")
	e := of
	for range 1 + g.n(3) {
		e += " ~> " + f()
	}
	switch g.n(7) {
	case 0:
		return g.f("(%s) ? 1", e)
	case 3:
		if !g.dialect {
			return g.f("%s %s %s %s %s", of, pick(g, "?:", "??"), pick(g, "nope", "0", "[]", "a", "list[9]", "''"), pick(g, "?:", "??"), of)
		}
	case 1:
		return g.f("($f := %s; $f(%s))", strings.Join([]string{f(), f()}, " ~> "), of)
	case 2:
		return g.f("%s ? %s : %s ? %s", pick(g, "true", "false", "nope", "0", "[0]", "{}", "$sum", "'a'", "[[]]", "null"), of, pick(g, "true", "nope"), e)
	}
	return e
}

// mistakes writes what has an error of its own.
func (g *generator) mistakes() string {
	x := func() string {
		return pick(g, "1", "'a'", "nope", "null", "true", "[1]", "[]", "{}", "$sum", "list", "$", "-1", "'1'", "[1,'a']")
	}
	return pick(g,
		g.f("%s + %s", x(), x()), g.f("-%s", x()), g.f("%s < %s", x(), x()), g.f("[%s..%s]", x(), x()), g.f("{%s: %s}", x(), x()), g.f("%s(%s)", x(),
			x()), g.f("%s ~> %s", x(), x()), g.f("$error(%s)", x()), g.f("$assert(%s, %s)", x(), x()),
		g.f("$assert(%s)", x()), g.f("%s^(%s)", x(), x()), g.f("$sqrt(%s)", x()), g.f("$power(%s, %s)", x(), pick(g, "0.5", "-1", "1e3", "2", x())),
		g.f("%s in %s", x(), x()), g.f("%s & %s", x(), x()), g.f("sum(%s)", x()), g.f("$sum(%s)(%s)", x(), x()), g.f("sum(?, %s)", x()),
		g.f("$nope(?, %s)", x()), g.f("$round(%s, %s)", x(), x()), g.f("$substring(%s, %s)", x(), x()), g.f("{'a': 1, 'a': %s}", x()),
		g.f("list{s: %s, s: %s}", x(), x()), g.f("%s.%s", x(), x()), g.f("%s[%s]", x(), x()), g.f("%s := %s", x(), x()), g.f("$a := %s; $a", x()),
		g.f("a@%s", x()), g.f("a#%s", x()), g.f("a[0]@$v%s", x()), g.f("a^(b)@$v.%s", x()), g.f("a{'b': 1}[%s]", x()), g.f("a{'b': 1}{%s: 1}", x()),
		g.f("function(%s){1}", x()), g.f("function($a)<%s>{$a}(%s)", pick(g, "n", "s-", "a<n>", "(sn)", "x", "n-n", "a<s>?", "f<n:n>", "n<n>",
			"(a<n>)", "o", "j", "b+", "", "s?n", "l", "u", "q", "n?-"), x()),
		g.f("| a | %s, %s |", x(), x()), g.f("$ ~> |%s|%s|", x(), x()), g.f("%%.%s", x()), g.f("(%s;%s;)", x(), x()), g.f("%s ? %s :", x(), x()),
		g.f("$length(%s)", x()), g.f("$single(%s)", x()), g.f("$join(%s, %s)", x(), x()), g.f("$split('a', %s, %s)", x(), x()), g.f("$match('a', %s, %s)", x(), x()),
		g.f("$replace('a', %s, %s, %s)", x(), x(), x()), g.f("$reduce(%s, %s)", x(), x()), g.f("$toMillis(%s)", x()), g.f("$fromMillis(%s, %s)", x(),
			x()), g.f("$formatBase(%s, %s)", x(), x()), g.f("$formatNumber(%s, %s)", x(), x()), g.f("$merge(%s)", x()), g.f("$decodeUrl(%s)", pick(g,
			"'%'", "'%zz'", "'%E0%A4'", "'ok%20'", x())),
		g.f("$eval(%s)", pick(g, "'1+'", "'1+\"a\"'", "'$sum(list)'", "''", "'[1'", x())), g.f("$zip(%s, %s)", x(), x()), g.f("$spread(%s)", x()),
		g.f("$number(%s)", x()), g.f("$sort(%s)", x()), g.f("$each(%s, %s)", x(), x()), g.f("$pad(%s, %s)", x(), x()), g.f("$formatInteger(%s, %s)", x(), x()),
	)
}

// spaced writes comments, white space, escapes and quoted names around an expression.
func (g *generator) spaced() string {
	e := pick(g, g.selections, g.chains, g.joins, g.orders, g.mistakes)()
	for _, r := range []struct {
		from string
		to   []string
	}{
		{" ", []string{" /* x */ ", "\n", "\t ", "/**/", "  "}},
		{"list", []string{"`list`", `"list"`, "list"}},
		{".", []string{" . ", "./* */", "."}},
		{"[", []string{" [ ", "["}},
		{"'a'", []string{`"\u0061"`, `'a'`, `"a"`}},
	} {
		if g.chance(40) {
			e = strings.Replace(e, r.from, pick(g, r.to...), 1+g.n(2))
		}
	}
	return e + pick(g, "", "", " ", " /* end */", "\n", " /* no end", ";", ")", "]", " .", "`")
}
