package main

import "strings"

// A signature says how a built-in function is called: one letter for each argument.
type signature struct {
	name string
	args string // n s b a o f x r (regex or string) j (separator) and the pictures p P t, ; begins what is optional
}

var functionsOf = map[want][]signature{
	wantNumber: {
		{"sum", "A"},
		{"max", "A"},
		{"min", "A"},
		{"average", "A"},
		{"count", "a"},
		{"length", "s"},
		{"number", "x"},
		{"abs", "n"},
		{"floor", "n"},
		{"ceil", "n"},
		{"round", "n;i"},
		{"power", "ni"},
		{"sqrt", "n"},
		{"parseInteger", "sP"},
		{"toMillis", "s;t"},
		{"reduce", "Af;n"},
		{"lookup", "os"},
		{"number", "s"},
		{"toMillis", "t"},
		{"parseInteger", "DP"},
	},
	wantString: {
		{"string", "x;b"},
		{"substring", "si;i"},
		{"substringBefore", "ss"},
		{"substringAfter", "ss"},
		{"uppercase", "s"},
		{"lowercase", "s"},
		{"trim", "s"},
		{"pad", "si;s"},
		{"join", "S;s"},
		{"replace", "srR;i"},
		{"formatNumber", "np;O"},
		{"formatBase", "n;i"},
		{"formatInteger", "nP"},
		{"base64encode", "s"},
		{"base64decode", "s"},
		{"encodeUrlComponent", "s"},
		{"encodeUrl", "s"},
		{"decodeUrl", "s"},
		{"decodeUrlComponent", "s"},
		{"fromMillis", "m;tz"},
		{"type", "x"},
		{"replace", "ssS"},
		{"formatNumber", "np"},
		{"formatInteger", "nP"},
		{"fromMillis", "mt"},
		{"string", "x"},
	},
	wantBool: {
		{"contains", "sr"}, {"boolean", "x"}, {"not", "x"}, {"exists", "x"}, {"contains", "ss"},
	},
	wantArray: {
		{"append", "xx"},
		{"reverse", "a"},
		{"sort", "a;f"},
		{"distinct", "a"},
		{"zip", "aa"},
		{"map", "af"},
		{"filter", "af"},
		{"keys", "x"},
		{"spread", "x"},
		{"each", "of"},
		{"split", "sr;i"},
		{"match", "sX;i"},
		{"map", "aF"},
		{"filter", "aF"},
		{"sort", "S"},
		{"sort", "A"},
		{"zip", "a"},
		{"reduce", "aG;x"},
		{"sort", "aG"},
		{"split", "s"},
	},
	wantObject: {
		{"merge", "a"}, {"sift", "of"}, {"sift", "oF"}, {"single", "aF"}, {"clone", "o"}, {"merge", "M"}, {"single", "af"}, {"error", "s"}, {"assert", "bs"},
	},
}

func (g *generator) call(w want, depth int) string {
	s := pick(g, functionsOf[w]...)
	args := make([]string, 0, 4)
	optional := false
	for _, c := range s.args {
		if c == ';' {
			optional = true
			continue
		}
		if optional && g.chance(45) {
			break
		}
		args = append(args, g.argument(c, depth))
	}
	switch {
	case g.chance(2) && len(args) > 0:
		args = args[1:] // the context, or an error
	case g.chance(1):
		args = append(args, g.expr(wantAny, 0))
	case len(args) > 0 && g.chance(8):
		return g.f("%s ~> $%s(%s)", args[0], s.name, strings.Join(args[1:], ", "))
	}
	return g.f("$%s(%s)", s.name, strings.Join(args, ", "))
}

func (g *generator) argument(c rune, depth int) string {
	switch c {
	case 'n':
		return g.expr(wantNumber, depth)
	case 'i':
		return pick(g, "0", "1", "2", "3", "-1", "-2", "5", "1.5", "16", "36", "-4", "n")
	case 's':
		return g.expr(wantString, depth)
	case 'b':
		return g.expr(wantBool, depth)
	case 'a':
		return g.expr(wantArray, depth)
	case 'o':
		return g.expr(wantObject, depth)
	case 'f':
		return g.function(depth)
	case 'F':
		return pick(g, "function($v){$v > 1}", "function($v, $i){$i}", "function($v, $i, $a){$count($a)}", "$string", "$exists", "function($v){$v.n}",
			`function($v){$v = "a"}`, "$boolean", "function($v){[$v]}", "function($v){$v ? $v}")
	case 'G':
		return pick(g, "function($l, $r){$l > $r}", "function($l, $r){$l < $r}", "function($l, $r){$l.n > $r.n}", "$append", "function($l, $r){$l & $r}",
			"function($l, $r, $i){$i}", "function($l, $r, $i, $a){$count($a)}", "$max", "function($l, $r){$r - $l}")
	case 'A':
		return pick(g, "[1,2,3]", "list.n", "[n, 1.5]", "[]", "[3,1,2]", "**.n", "[1..5]", "$", "1", "list.a", "[0.1,0.2]", "nope")
	case 'S':
		return pick(g, `["a","b"]`, "list.s", "[s]", "**.s", `"x"`, `["b","a","é"]`, "[]", "$keys($)", `$split("a b", " ")`)
	case 'M':
		return pick(g, `[{"a":1},{"b":2},{"a":3}]`, "list", "[deep, e]", "$spread($)", "[]", "$", `[{"z":1,"a":2},{"z":3}]`)
	case 'O':
		return pick(g, "{}", `{"decimal-separator": ","}`, `{"grouping-separator": " "}`, `{"zero-digit": "\u0660"}`, `{"minus-sign": "~"}`,
			`{"percent": "pct"}`, `{"digit": "@"}`, `{"exponent-separator": "x"}`, `{"pattern-separator": "!"}`, `{"infinity": "inf"}`)
	case 'X':
		return g.regex()
	case 'r':
		if g.chance(60) {
			return g.regex()
		}
		return g.expr(wantString, 0)
	case 'R':
		return pick(g, `"x"`, `"[$0]"`, `"$1-$2"`, `"$$"`, `""`, `"$"`, `"$12"`, "function($m){$m.match & '!'}", "function($m){$m.groups[0]}", `"$3a"`, "$uppercase",
			"function($m){$string($m.start) & '-' & $m.end}")
	case 'm':
		return pick(g, "0", "1521801216617", "-1", "1e12", "1709210096789", "86399999", "-62135596800000", "1234567890123.7", "253402300799999", "951782400000", "n")
	case 'z':
		return pick(g, `"+0000"`, `"+0530"`, `"-0800"`, `"0000"`, `"+1400"`, `"-0330"`)
	case 'D':
		return pick(g, `"12"`, `"one hundred and five"`, `"XIV"`, `"aa"`, `"1,234"`, `"twelfth"`, `"b"`, `"3rd"`, `"two thousand"`, `"007"`, `"mmxx"`, `"-5"`)
	case 'p':
		return g.numberPicture()
	case 'P':
		return pick(g, `"0"`, `"00"`, `"#,##0"`, `"w"`, `"W"`, `"Ww"`, `"w;o"`, `"Ww;o"`, `"I"`, `"i"`, `"A"`, `"a"`, `"1;o"`, `"000"`, `"#,##,000"`, `"0;c"`,
			`"#"`, `"##0"`, `"#:000"`, `"\u0661"`, `"W;o"`, `"0,0"`, `""`, `"#,"`, `"α"`, `"x"`, `"1;x"`, `"001;o"`)
	case 't':
		return g.timePicture()
	}
	return g.expr(wantAny, depth)
}

// numberPicture writes a picture of $formatNumber, mostly one that is valid.
func (g *generator) numberPicture() string {
	if g.chance(50) {
		return pick(g, `"0"`, `"#,##0.00"`, `"#0.0#"`, `"0.00e0"`, `"00.000e00"`, `"#%"`, `"0‰"`, `"#,##0;(#)"`, `"000,000"`, `"$#,##0.00"`, `".00"`,
			`"#.##"`, `"0.#"`, `"0;-0"`, `"##,##,##0.0"`, `"0.0e0"`, `"#.0"`, `"0.000,000"`, `"x0y"`, `"#.#e0"`, `"#e0"`, `"1"`)
	}
	var b strings.Builder
	for range 1 + g.n(7) {
		b.WriteString(pick(g, "0", "#", "0", "#", ",", ".", "%", "e", ";", "-", "x", "0"))
	}
	return g.f("%q", b.String())
}

// timePicture writes a picture of $fromMillis and $toMillis.
func (g *generator) timePicture() string {
	if g.chance(40) {
		return pick(g, `"[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01].[f001]Z"`, `"[D1o] [MNn] [Y]"`, `"[FNn], [D] [MNn,3-3] [Y0001]"`, `"[h]:[m01] [P]"`,
			`"[Y]-[d001]"`, `"[W]/[X]"`, `"[w] [x]"`, `"[H01][m01][z]"`, `"[Z0101] [z]"`, `"[YI] [MI] [Di]"`, `"[Yw]"`, `"[DWwo]"`, `"[[x]] [C]"`, `"[E]"`, `"[M01]/[D01]/[Y0001]"`)
	}
	var b strings.Builder
	for range 1 + g.n(4) {
		b.WriteString("[" + pick(g, "Y", "M", "D", "d", "F", "W", "w", "X", "x", "H", "h", "P", "m", "s", "f", "Z", "z", "C", "E") +
			pick(g, "", "", "1", "01", "001", "0001", "N", "n", "Nn", "I", "i", "w", "W", "Ww", "a", "A", "1o", "wo", "Nn,3-3", ",2", ",*-3", ",2-4", "01:01", "#1", "01,2") + "]")
		b.WriteString(pick(g, "", "-", " ", ":", "/", "T"))
	}
	return g.f("%q", b.String())
}
