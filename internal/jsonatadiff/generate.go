package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// A generator writes random expressions. It knows, roughly, the type of what it writes, so
// that most expressions evaluate to something; occasionally it writes one of another type,
// to provoke errors.
type generator struct {
	r *rand.Rand
	// dialect leaves out what Step Functions does not have.
	dialect bool
	vars    []string // names in scope that hold values
	funcs   []string // and that hold functions of one argument
}

type want int

const (
	wantAny want = iota
	wantNumber
	wantString
	wantBool
	wantArray
	wantObject
	wantFunction
)

func (g *generator) n(n int) int                    { return g.r.IntN(n) }
func (g *generator) chance(percent int) bool        { return g.r.IntN(100) < percent }
func pick[T any](g *generator, list ...T) T         { return list[g.r.IntN(len(list))] }
func (g *generator) f(form string, a ...any) string { return fmt.Sprintf(form, a...) }

// expression writes a whole expression.
func (g *generator) expression() string {
	g.vars, g.funcs = nil, nil
	return g.expr(wantAny, 1+g.n(4))
}

func (g *generator) expr(w want, depth int) string {
	if g.chance(6) {
		w = want(g.n(7)) // of a type that may not fit
	}
	if depth > 0 && g.chance(25) {
		return g.anyForm(w, depth-1)
	}
	switch w {
	case wantNumber:
		return g.number(depth)
	case wantString:
		return g.str(depth)
	case wantBool:
		return g.boolean(depth)
	case wantArray:
		return g.array(depth)
	case wantObject:
		return g.object(depth)
	case wantFunction:
		return g.function(depth)
	}
	if depth > 0 && g.chance(50) {
		return g.path(depth)
	}
	return g.expr(want(1+g.n(5)), depth)
}

// anyForm writes one of the forms that yield a value of any type.
func (g *generator) anyForm(w want, depth int) string {
	switch g.n(13) {
	case 0, 1, 2:
		return g.path(depth)
	case 3:
		return g.f("(%s ? %s : %s)", g.expr(wantBool, depth), g.expr(w, depth), g.expr(w, depth))
	case 4:
		if g.dialect {
			return g.f("(%s ? %s)", g.expr(wantBool, depth), g.expr(w, depth))
		}
		return g.f("(%s %s %s)", g.expr(wantAny, depth), pick(g, "?:", "??"), g.expr(w, depth))
	case 5, 6:
		return g.block(w, depth)
	case 7:
		return g.f("%s[%s]", g.expr(wantArray, depth), g.predicate(depth))
	case 8:
		f := g.function(depth)
		return g.f("%s(%s)", f, g.expr(w, depth))
	case 9:
		return g.f("%s ~> %s", g.expr(wantAny, depth), g.function(depth))
	case 10:
		if g.dialect {
			return g.path(depth)
		}
		return g.f("$eval(%q)", strings.ReplaceAll(g.expr(w, min(depth, 1)), `"`, `'`))
	case 11:
		return g.f("(%s)", g.expr(w, depth))
	}
	return g.f("$lookup(%s, %s)", g.expr(wantObject, depth), g.expr(wantString, 0))
}

func (g *generator) block(w want, depth int) string {
	nv, nf := len(g.vars), len(g.funcs)
	defer func() { g.vars, g.funcs = g.vars[:nv], g.funcs[:nf] }()
	var b strings.Builder
	b.WriteByte('(')
	for range 1 + g.n(2) {
		name := pick(g, "x", "y", "z", "v", "acc")
		if g.chance(25) {
			f := g.function(depth)
			b.WriteString(g.f("$%s := %s; ", name, f))
			g.funcs = append(g.funcs, "$"+name)
			continue
		}
		v := g.expr(wantAny, depth)
		b.WriteString(g.f("$%s := %s; ", name, v))
		g.vars = append(g.vars, "$"+name)
	}
	b.WriteString(g.expr(w, depth))
	if g.chance(5) {
		b.WriteByte(';')
	}
	b.WriteByte(')')
	return b.String()
}

func (g *generator) variable() string {
	if len(g.vars) == 0 || g.chance(20) {
		return pick(g, "$", "$", "$$", "$nothing")
	}
	return pick(g, g.vars...)
}

func (g *generator) key() string {
	return pick(g, "a", "b", "c", "d", "e", "n", "s", "list", "deep", "nope", `"a b"`, "`a b`")
}

// path writes steps with what can follow them.
func (g *generator) path(depth int) string {
	var b strings.Builder
	switch g.n(8) {
	case 0, 1:
		b.WriteString(g.variable())
	case 2:
		b.WriteString(g.array(max(depth-1, 0)))
	case 3:
		b.WriteString(pick(g, "*", "**"))
	case 4:
		b.WriteString(g.f("(%s)", g.expr(wantAny, max(depth-1, 0))))
	default:
		b.WriteString(g.key())
	}
	nv := len(g.vars)
	defer func() { g.vars = g.vars[:nv] }()
	b.WriteString(g.after(depth))
	for range g.n(4) {
		b.WriteByte('.')
		b.WriteString(g.stepOf(depth))
		b.WriteString(g.after(depth))
	}
	if g.chance(8) {
		b.WriteString(g.f("{%s: %s}", g.expr(wantString, depth-1), g.expr(wantAny, depth-1)))
	}
	return b.String()
}

func (g *generator) stepOf(depth int) string {
	switch g.n(16) {
	case 0:
		return "*"
	case 1:
		return "**"
	case 2:
		return "%"
	case 3:
		return g.f("(%s)", g.expr(wantAny, depth-1))
	case 4:
		return g.object(depth - 1)
	case 5:
		return g.f("[%s]", g.expr(wantAny, depth-1))
	case 6:
		return g.variable()
	case 7:
		return pick(g, "$string()", "$keys()", "$length()", "$sum($)", "$count($)", "$type($)", "$exists($)", "$number()", "$uppercase()")
	case 8:
		return g.f("%s.%%.%s", g.key(), g.key())
	}
	return g.key()
}

// after writes what may follow a step: filters, bindings, an order.
func (g *generator) after(depth int) string {
	var b strings.Builder
	if g.chance(5) {
		name := pick(g, "$p", "$q")
		b.WriteString("@" + name)
		g.vars = append(g.vars, name)
	}
	if g.chance(5) {
		name := pick(g, "$i", "$j")
		b.WriteString("#" + name)
		g.vars = append(g.vars, name)
	}
	for g.chance(20) {
		if g.chance(20) {
			b.WriteString("[]")
			continue
		}
		b.WriteString("[" + g.predicate(depth-1) + "]")
	}
	if g.chance(6) {
		terms := pick(g, "", "<", ">") + g.expr(pick(g, wantNumber, wantString), max(0, min(depth-1, 1)))
		if g.chance(30) {
			terms += ", " + pick(g, "", "<", ">") + g.key()
		}
		b.WriteString("^(" + terms + ")")
	}
	return b.String()
}

func (g *generator) predicate(depth int) string {
	switch g.n(8) {
	case 0, 1:
		return pick(g, "0", "1", "-1", "2", "-2", "5", "0.9", "-1.5")
	case 2:
		return "[" + pick(g, "0..1", "0,2", "-1,0", "1,1", "0..9") + "]"
	case 3, 4:
		return g.f("%s %s %s", g.key(), pick(g, "=", "!=", "<", ">", "<=", ">=", "in"), g.literal())
	case 5:
		return g.key()
	case 6:
		return g.f("$ %s %s", pick(g, "=", "<", ">", "!="), g.literal())
	}
	return g.expr(wantBool, max(depth, 0))
}

func (g *generator) literal() string {
	if g.chance(50) {
		return g.number(0)
	}
	return g.str(0)
}

func (g *generator) number(depth int) string {
	if depth <= 0 {
		switch g.n(6) {
		case 0:
			return pick(g, "n", "d", "a.b", "$", "$.n", "deep.n")
		case 1:
			return pick(g, "0", "-1", "0.5", "1e3", "123456789", "1.005", "2.5", "-0.1", "1e-7", "1e21", "1234567.891", "0.1", "100", "-2.5", "9007199254740991")
		}
		return fmt.Sprint(g.n(12) - 2)
	}
	depth--
	if g.chance(40) {
		return g.f("%s %s %s", g.expr(wantNumber, depth), pick(g, "+", "-", "*", "/", "%"), g.expr(wantNumber, depth))
	}
	if g.chance(5) {
		return "-" + g.expr(wantNumber, depth)
	}
	return g.call(wantNumber, depth)
}

func (g *generator) str(depth int) string {
	if depth <= 0 {
		switch g.n(5) {
		case 0:
			return pick(g, "s", "c", "e.s", "deep.s", "$string(n)")
		case 1:
			return pick(g, `"2024-02-29T12:34:56.789Z"`, `"123.45"`, `"été 😀"`, `"a,b,,c"`, `"  x  y "`, `"ABC"`, `"0x1F"`,
				`"aaa"`, `"%20é"`, `"aGVsbG8="`, `"line\nbreak\t"`, `"\u00e9\\"`, `"a.b|c"`, `"null"`, `"-5"`, `"I'm"`)
		}
		return pick(g, `"a"`, `"b"`, `"x"`, `""`, `"hello world"`, `'q'`, `"c"`, `"Hello"`)
	}
	depth--
	if g.chance(25) {
		return g.f("%s & %s", g.expr(wantString, depth), g.expr(wantAny, depth))
	}
	return g.call(wantString, depth)
}

func (g *generator) boolean(depth int) string {
	if depth <= 0 {
		return pick(g, "true", "false", "t", "$exists(a)", "n > 1", `s = "a"`, "null")
	}
	depth--
	switch g.n(6) {
	case 0:
		return g.f("%s %s %s", g.expr(wantNumber, depth), pick(g, "<", ">", "<=", ">="), g.expr(wantNumber, depth))
	case 1:
		return g.f("%s %s %s", g.expr(wantString, depth), pick(g, "<", ">", "<=", ">="), g.expr(wantString, depth))
	case 2:
		return g.f("%s %s %s", g.expr(wantAny, depth), pick(g, "=", "!="), g.expr(wantAny, depth))
	case 3:
		return g.f("%s %s %s", g.expr(wantAny, depth), pick(g, "and", "or"), g.expr(wantAny, depth))
	case 4:
		return g.f("%s in %s", g.expr(wantAny, depth), g.expr(wantArray, depth))
	}
	return g.call(wantBool, depth)
}

func (g *generator) array(depth int) string {
	if depth <= 0 {
		return pick(g, "[]", "[1,2,3]", "list", "deep.list", `["a","b"]`, "[3,1,2]", "[1..4]", `[{"a":1,"n":2},{"a":2,"n":1}]`, "[[1,2],[3]]",
			"a", "[null,1]", "[2..1]", "[1]", "list[]", `["b","a","c","a"]`, "[1.5,1.5,2]")
	}
	depth--
	if g.chance(30) {
		items := make([]string, g.n(4))
		for i := range items {
			items[i] = g.expr(wantAny, depth)
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	if g.chance(10) {
		return g.f("[%s..%s]", pick(g, "0", "1", "-1", "n"), pick(g, "0", "2", "4", "$count(list)"))
	}
	return g.call(wantArray, depth)
}

func (g *generator) object(depth int) string {
	if depth <= 0 {
		return pick(g, "{}", `{"a": 1}`, `{"a": 1, "b": "x"}`, "deep", "$", "e", `{"s": s, "n": n}`, "list[0]", `{"n": {"n": 1}}`)
	}
	depth--
	if g.chance(60) {
		pairs := make([]string, g.n(4))
		for i := range pairs {
			key := g.f("%q", pick(g, "a", "b", "c", "k", "z")+fmt.Sprint("k", i))
			if g.chance(15) {
				key = g.expr(wantString, depth)
			}
			pairs[i] = key + ": " + g.expr(wantAny, depth)
		}
		return "{" + strings.Join(pairs, ", ") + "}"
	}
	return g.call(wantObject, depth)
}

// function writes something that can be called with one argument or more.
func (g *generator) function(depth int) string {
	if len(g.funcs) > 0 && g.chance(30) {
		return pick(g, g.funcs...)
	}
	if depth <= 0 {
		return pick(g, "$string", "$sum", "$count", "$uppercase", "$not", "$exists", "$keys", "$length", "$type", "$number", "$append", "$boolean",
			"function($v){$v}", "λ($v){$v & '!'}", "function($v, $k){$k}", "$abs")
	}
	depth--
	switch g.n(9) {
	case 0:
		return g.f("$substring(?, %s)", g.number(0))
	case 1:
		return g.f("$append(?, %s)", g.expr(wantAny, depth))
	case 2:
		return g.f("(%s ~> %s)", g.function(depth), g.function(depth))
	case 3:
		if g.chance(60) {
			return g.f("|%s|%s%s|", pick(g, "$", "a", "list", "**", "*", "deep", "list[0]"), g.object(depth), pick(g, "", `, "a"`, `, ["a","s"]`, ", nope"))
		}
	case 4:
		return g.regex()
	}
	params := []string{"$l", "$r", "$m"}[:1+g.n(3)]
	nv := len(g.vars)
	g.vars = append(g.vars, params...)
	body := g.expr(wantAny, depth)
	g.vars = g.vars[:nv]
	sig := ""
	if g.chance(10) {
		sig = "<" + strings.Repeat(pick(g, "x", "n", "s", "a", "j", "(ns)", "o", "x-"), len(params)) + pick(g, ":x", "", ":n") + ">"
	}
	return g.f("%s(%s)%s{%s}", pick(g, "function", "λ"), strings.Join(params, ", "), sig, body)
}

func (g *generator) regex() string {
	return pick(g, "/a/", "/[a-c]+/", `/\d+/`, "/(a)(b)?/", "/^h/i", "/o$/", "/l+/", `/\s+/`, "/(?:x|y)(z)?/", "/[^,]+/", "/,/", `/\w/`, "/b|(c)/", `/(\w)(\w)/`, "/./", "/é/")
}
