// Package jsonataprograms draws random JSONata programs with nested loops, variables,
// functions, transforms and lookups, where a value that an evaluation keeps or a frame that it
// reuses could be wrong for another part. The tests of pkg/jsonata compare evaluations with
// and without indexes, and jsonatadiff compares them with the reference.
package jsonataprograms

import (
	"slices"
	"strings"
)

// Document has objects with the same names, in the same order and in others, more and
// fewer of them, members of several types, and duplicate names.
const Document = `{"n":4,"list":[
{"id":"id-0","name":"A","key":"k0","other":"id-3","n":0,"lines":[{"sku":"s1"},{"sku":"s2","n":1}]},
{"id":"id-1","name":"B","key":"k0","other":"id-2","n":3,"lines":[{"sku":"s1"}]},
{"id":"id-2","name":"A long name of more than fifteen bytes","key":"k1","other":"id-1","n":1.50,"lines":[]},
{"id":"id-3","key":"k1","other":"id-0","n":3},
{"n":"3","id":"id-4","other":"id-9","lines":{"sku":"s3"}},
{"id":"id-5","id":"id-6","name":null,"other":["id-1","id-2"],"n":[1,3]},
{"id":"id-7","name":"é","key":"k2","other":"id-7","n":true,"lines":[{"sku":"s1"},{"sku":"s1"}]}],
"others":[{"id":"id-0","name":"O","n":1},{"id":"id-1","name":"P","n":3},{"id":"id-1","name":"Q","n":2},{"id":"id-3","name":"R","n":1},{"name":"S","n":1},{"id":3,"name":"T","n":1}]}`

// Variables defines the variables that programs share, in a block of
// the form (Variables program). None of the items of $mixed is an array, because the operator
// in of the reference finds an array by its identity.
const Variables = `$data := $; $list := list; $others := others; $n := n; $mixed := [1, "1", true, null, {}, "id-1", 3, "é", "k1", "s1"]; `

// Fixed returns a program without what differs from one evaluation to the next.
func Fixed(program string) string {
	return strings.NewReplacer("$random()", "0.5", "$shuffle(", "$reverse(").Replace(program)
}

// Draw returns a program. The function n returns a number from 0 to n-1.
func Draw(n func(n int) int) string {
	p := programs{n: n}
	kinds := []func(int) string{p.objects, p.scalars, p.scalar}
	return kinds[n(len(kinds))](2 + n(4))
}

// A programs draws programs with nested loops, variables, functions, transforms and lookups,
// where a value that one of them keeps could be wrong for another.
type programs struct {
	n     func(n int) int
	lists []string // the variables in scope
	funcs []string
}

func (p *programs) pick(of ...string) string { return of[p.n(len(of))] }

func (p *programs) one(depth int, shallow []string, deep ...func() string) string {
	if depth <= 0 || p.n(6) == 0 {
		return p.pick(shallow...)
	}
	return deep[p.n(len(deep))]()
}

// scoped draws something with another variable in scope.
func (p *programs) scoped(of *[]string, name string, draw func() string) string {
	before := *of
	*of = append(before[:len(before):len(before)], name)
	defer func() { *of = before }()
	return draw()
}

func (p *programs) name() string {
	return p.pick("$a", "$b", "$c", "$v", "$x")
}

// objects draws an expression for a list of objects.
func (p *programs) objects(d int) string {
	return p.one(d, append([]string{"$list", "$others", "$data.list", "$data.others", "$$.list", "$$.others", "$", "list", "$$"}, p.lists...),
		func() string { return p.objects(d-1) + "[" + p.test(d-1) + "]" },
		func() string { return p.objects(d-1) + "^(" + p.pick("", ">", "<") + p.scalar(d-1) + ")" },
		func() string { return "$append(" + p.objects(d-1) + ", " + p.objects(d-1) + ")" },
		func() string {
			return "(" + p.objects(d-1) + " ~> |" + p.pick("$", "list", "lines", "$[n > 2]", "**[n = 1]") + "|{\"" + p.pick("n", "id", "k", "other") + "\": " + p.scalar(d-1) + "}" + p.pick("", ", [\"n\"]", ", [\"id\", \"key\"]", ", \"other\"") + "|)"
		},
		func() string {
			return "(" + p.objects(d-1) + ").{\"id\": " + p.scalar(d-1) + ", \"n\": " + p.scalar(d-1) + ", \"lines\": " + p.pick("$list", "lines", "[]", "$") + "}"
		},
		func() string {
			a, b := p.pick("$a", "$x"), p.pick("$b", "$v")
			return "{\"l\": " + p.objects(d-1) + "}.l@" + a + ".(" + p.objects(d-1) + ")@" + b + "[" + b + p.pick(".id", ".n", "") + " = " + p.scoped(&p.lists, a, func() string { return p.pick(a+".other", a+".n", a+".id", p.scalar(d-1)) }) + "]" + p.pick("", "#$i") + "." + p.pick("{\"id\": "+a+".id, \"n\": "+b+".n}", b, a)
		},
		func() string {
			v := p.name()
			return "$map(" + p.objects(d-1) + ", function(" + v + ") { " + p.scoped(&p.lists, v, func() string { return p.pick(p.objects(d-1), "$merge(["+v+", {\"n\": "+p.scalar(d-1)+"}])") }) + " })"
		},
		func() string {
			v := p.name()
			return "$filter(" + p.objects(d-1) + ", function(" + v + ") { " + p.scoped(&p.lists, v, func() string { return p.test(d - 1) }) + " })"
		},
		func() string { return p.objects(d-1) + ".($o := $; " + p.objects(d-1) + "[" + p.lookup("", d) + "])" },
		func() string {
			return p.objects(d-1) + ".($o := $; $filter(" + p.objects(d-1) + ", function($p" + p.pick("", ", $i", ", $count") + ") { " + p.lookup("$p.", d) + " }))"
		},
		func() string { // functions in a list, which refer to the variables of the place where they were made
			v := p.name()
			made := p.scoped(&p.lists, v, func() string { return "($w := " + p.objects(d-1) + "; function($z) { [" + v + ", $w, $z] })" })
			return "$map($map(" + p.objects(d-1) + ", function(" + v + ") { " + made + " }), function($h) { $h(" + p.scalar(d-1) + ") })"
		},
		func() string {
			return p.objects(d-1) + ".($o := $; $filter(" + p.objects(d-1) + ", function($p, $q) { " + p.lookup(p.pick("$p.", "$q."), d) + " }" + p.pick("($o, ?)", "(?, 3)", "(?, ?)") + "))"
		},
		func() string {
			return "{\"l\": " + p.objects(d-1) + "}.l@$o.(" + p.objects(d-1) + ")@$b[" + p.lookup("$b.", d) + "]" + p.pick("", "^($b.name)") + "{$string($o.key): $count($b.id)}.*"
		},
		func() string {
			return "$reduce(" + p.objects(d-1) + ", function($a, $b) { " + p.scoped(&p.lists, "$a", func() string { return p.scoped(&p.lists, "$b", func() string { return p.objects(d - 1) }) }) + " }, [])"
		},
		func() string {
			a, b := "$a", "$b"
			if p.n(2) == 0 {
				a, b = b, a
			}
			return "$sort(" + p.objects(d-1) + ", function($a, $b) { " + a + p.pick(".n", ".id", ".other", "", ".lines") + p.pick(" > ", " < ", " >= ", " <= ") + b + p.pick(".n", ".id", ".other", "") + " })"
		},
		func() string { return p.let(d, func() string { return p.objects(d - 1) }) },
		func() string { return p.objects(d-1) + "[[" + p.scalar(d-1) + ".." + p.scalar(d-1) + "]]" },
		func() string { return "$reverse(" + p.objects(d-1) + ")" },
		func() string { return "$distinct(" + p.objects(d-1) + ")" },
		func() string { return p.objects(d-1) + ".lines" + p.pick("", ".%", "[sku = \"s1\"].%") },
		func() string { return "[" + p.objects(d-1) + ", " + p.objects(d-1) + "]" },
		func() string { return "(" + p.test(d-1) + " ? " + p.objects(d-1) + " : " + p.objects(d-1) + ")" },
		func() string {
			if len(p.funcs) == 0 {
				return p.objects(d - 1)
			}
			return p.pick(p.funcs...) + "(" + p.objects(d-1) + ")"
		},
	)
}

// let draws a block that binds a variable or a function.
func (p *programs) let(d int, body func() string) string {
	name := p.name()
	switch p.n(6) {
	case 0:
		v := p.name()
		f := p.pick("$f", "$g", "$sum", "$count")
		head := "(" + f + " := function(" + v + ") { " + p.scoped(&p.lists, v, func() string { return p.objects(d - 1) }) + " }; "
		return head + p.scoped(&p.funcs, f, body) + ")"
	case 1:
		return "(" + name + " := " + p.objects(d-1) + "; " + p.scoped(&p.lists, name, func() string {
			return name + " := " + p.objects(d-1) + "; " + body()
		}) + ")"
	case 2: // bound after it is used
		return "($f := function($p) { " + p.scoped(&p.lists, name, func() string { return p.objects(d - 1) }) + " }; " + name + " := " + p.objects(d-1) + "; " + p.scoped(&p.lists, name, func() string { return p.scoped(&p.funcs, "$f", body) }) + ")"
	}
	return "(" + name + " := " + p.objects(d-1) + "; " + p.scoped(&p.lists, name, body) + ")"
}

// scalars draws an expression for a list of numbers or texts.
func (p *programs) scalars(d int) string {
	return p.one(d, []string{"$mixed", "$data.list.n", "$data.others.id", "[1, 2, 3]", "list.n", "$list.id", "$list.other", "$list.lines.sku", "n", "id", "[0..9]", "$n"},
		func() string { return p.objects(d-1) + p.pick(".n", ".id", ".other", ".lines.sku", ".key", ".nothing") },
		func() string { return p.objects(d-1) + ".(" + p.scalar(d-1) + ")" },
		func() string { return "$distinct(" + p.scalars(d-1) + ")" },
		func() string { return "$sort(" + p.scalars(d-1) + ")" },
		func() string { return p.scalars(d-1) + "[$ in " + p.scalars(d-1) + "]" },
		func() string { return "$append(" + p.scalars(d-1) + ", " + p.scalars(d-1) + ")" },
		func() string {
			return "$map(" + p.scalars(d-1) + ", function($v, $i) { " + p.scoped(&p.lists, "$v", func() string { return p.scalar(d - 1) }) + " })"
		},
		func() string { return p.let(d, func() string { return p.scalars(d - 1) }) },
		func() string {
			return "$each(" + p.objects(d-1) + "[0], function($v, $k) { " + p.scoped(&p.lists, "$v", func() string { return p.scalar(d - 1) }) + " })"
		},
	)
}

func (p *programs) scalar(d int) string {
	return p.one(d, []string{"n", "id", "other", "1", "3", "\"id-3\"", "$n", "$.n", "$", "$random()", "$i", "nothing", "key", "$string(n)", "-n", "0.5"},
		func() string {
			return p.pick("$count(", "$sum(", "$max(", "$string(", "$join(", "$min(", "$exists(") + p.scalars(d-1) + ")"
		},
		func() string { return "$count(" + p.objects(d-1) + ")" },
		func() string { return p.objects(d-1) + p.pick("[0].n", "[-1].id", "[0].other", ".n[0]", ".id[1]") },
		func() string { return p.scalar(d-1) + p.pick(" + ", " & ", " * ", " - ", " % ", " / ") + p.scalar(d-1) },
		func() string { return "(" + p.test(d-1) + " ? " + p.scalar(d-1) + " : " + p.scalar(d-1) + ")" },
		func() string { return p.let(d, func() string { return p.scalar(d - 1) }) },
		func() string { return "(" + p.scalars(d-1) + ")[" + p.scalar(d-1) + "]" },
		func() string {
			return "$eval(\"" + p.pick("$count($list)", "n", "$sum($$.list.n)", "$a.n", "$x") + "\")"
		},
		func() string { return "$shuffle(" + p.scalars(d-1) + ")[0]" },
		func() string {
			return "(" + p.objects(d-1) + "){" + p.pick("key", "id", "$string(n)") + ": " + p.scalar(d-1) + "}" + p.pick(".k1", ".*[0]", "")
		},
	)
}

func (p *programs) test(d int) string {
	return p.one(d, []string{"n > 2", "n = 1", "id = \"id-3\"", "other in $others.id", "$.n", "nothing", "0", "$i", "n in [1, 2]", "true", "$random() > 0.5"},
		func() string { return p.pick("n", "id", "other", "$", "key") + " in " + p.scalars(d-1) },
		func() string { return p.pick("n", "id", "other", "key", "$.id", "$") + " = " + p.scalar(d-1) },
		func() string { return p.scalar(d-1) + p.pick(" = ", " != ", " > ", " <= ") + p.scalar(d-1) },
		func() string { return p.scalar(d-1) + " in " + p.scalars(d-1) },
		func() string { return p.test(d-1) + p.pick(" and ", " or ") + p.test(d-1) },
		func() string { return "$not(" + p.test(d-1) + ")" },
		func() string { return "$exists(" + p.objects(d-1) + ")" },
		func() string { return "[" + p.scalar(d-1) + ", " + p.scalar(d-1) + "]" },
		func() string {
			return "$contains($string(" + p.scalars(d-1) + "), " + p.pick("id", "\"1\"", "/s[12]/", "other") + ")"
		},
	)
}

// lookup draws a predicate with an equality and, before and behind it, others.
func (p *programs) lookup(item string, d int) string {
	operand := func() string {
		return p.pick(item+"n > 2", item+"n", "$length("+item+"id) > 3", item+"n < \"a\"", "$exists("+item+"lines)", item+"n = 1", item+"n in [1, 2]",
			item+"id != $o.id", "$i < 9", "n < 7", "$exists($o := "+p.pick("$list[1]", "$o")+")", item+"n = $count", "$error(\"x\")", item+"n > $o.n", p.test(d-1))
	}
	sides := []string{p.pick(item+"id", item+"n", item+"other", "$uppercase("+item+"id)", item+"n % 3", "["+item+"n]", item+"lines.sku"), p.pick("$o.other", "$o.n", "$uppercase($o.id)", "3", "$o.n % 3", "$o.lines.sku", "$error(\"y\")", p.scalar(d-1))}
	if p.n(2) == 0 {
		slices.Reverse(sides)
	}
	all := []string{strings.Join(sides, " = ")}
	for range p.n(3) {
		all = slices.Insert(all, 0, operand())
	}
	for range p.n(3) {
		all = append(all, operand())
	}
	return strings.Join(all, " and ")
}
