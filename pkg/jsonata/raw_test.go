package jsonata

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"
)

// rawParts returns v with some of its parts, at any depth, as JSON text.
func rawParts(t *testing.T, r *rand.Rand, v any) any {
	t.Helper()
	if r.IntN(3) == 0 {
		text, err := AppendJSON(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		return NewRaw(text)
	}
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = rawParts(t, r, e)
		}
		return out
	case *Object:
		out := NewObject(v.Len())
		for i := range v.Len() {
			k, e := v.At(i)
			out.Set(k, rawParts(t, r, e))
		}
		return out
	}
	return v
}

// Whatever part of an input is JSON text that has not been decoded, the official suite
// has the same results.
func TestSuiteWithRaw(t *testing.T) {
	t.Parallel()
	s := readSuite(t)
	leftOut := readLeftOut(t)
	for round := range uint64(3) {
		r := rand.New(rand.NewPCG(round, 1))
		for _, c := range s.cases {
			if _, excused := leftOut[c.id]; excused || c.TimeLimit > 0 {
				continue
			}
			var input any
			switch {
			case c.Data != nil:
				input = decode(t, c.Data)
			case c.Dataset != nil:
				input = s.datasets[*c.Dataset]
			default:
				continue
			}
			vars := map[string]any{}
			if c.Bindings != nil {
				if o, ok := decode(t, c.Bindings).(*Object); ok {
					for i := range o.Len() {
						k, v := o.At(i)
						vars[k] = rawParts(t, r, v)
					}
				}
			}
			expr, err := Options{MaxAllocation: 2 << 30, MaxTime: 2 * time.Minute}.Compile(string(c.Expr))
			var got any
			if err == nil {
				got, err = expr.Eval(context.Background(), rawParts(t, r, input), vars)
			}
			if problem := c.check(t, got, err); problem != "" {
				t.Errorf("%s: %s: %s", c.id, c.Expr, problem)
			}
		}
	}
}

// The same holds for each function and operator.
func TestRawParts(t *testing.T) {
	t.Parallel()
	input := decode(t, []byte(`{"n":[3,1,2],"s":["b","a","b"],"b":[true,false],"o":[{"a":1,"k":"x"},{"a":2,"k":"y"}],"m":[1,"a",null,[2],{"z":0}],"x":null,"one":1,"text":"a-b","deep":[[1,[2]],[3]]}`))
	exprs := []string{
		`$sum(n)`, `$max(n)`, `$min(n)`, `$average(n)`, `$count(n)`, `$join(s)`, `$join(s, text)`, `$sort(n)`, `$sort(s)`, `$sort(o, function($l, $r) { $l.a < $r.a })`,
		`$distinct(s)`, `$distinct(m)`, `$reverse(m)`, `$zip(n, s)`, `$append(n, m)`, `$merge(o)`, `$spread(o)`, `$keys(o)`, `$lookup(o, "a")`, `$lookup(o, s[1])`,
		`n^($)`, `o^(>a).k`, `s^($)`, `n[$ > 1]`, `o[a = 2].k`, `m[0] = 1`, `m[1] & "x"`, `m = [1, "a", null, [2], {"z": 0}]`, `"b" in s`, `2 in n`, `null in m`,
		`o{k: a}`, `o{k: $sum(a)}`, `$map(n, function($v) { $v + 1 })`, `$filter(m, $boolean)`, `$reduce(n, function($a, $v) { $a + $v })`, `$single(n, function($v) { $v = 3 })`,
		`$sift(o[0], function($v) { $v = 1 })`, `$each(o[0], function($v, $k) { $k & $v })`, `$string(m)`, `$string($)`, `m.$type($)`, `m.$string($)`, `$exists(x)`, `$type(x)`, `$boolean(x)`,
		`$not(x)`, `x ? 1 : 2`, `x ?? 3`, `x ?: 3`, `b[0] and b[1]`, `b[1] or b[0]`, `-one`, `one + n[0]`, `n[0] < n[1]`, `s[0] < s[1]`, `[one..n[0]]`, `s[one]`, `n[[0..one]]`, `$split(text, "-")`,
		`$match(text, /a/).match`, `$replace(text, "a", s[0])`, `$contains(text, s[0])`, `$substring(text, one)`, `$pad(text, n[0])`, `$uppercase(text)`, `$length(s[0])`, `$formatNumber(n[0], "0.0")`,
		`$number(text[0] = "a" ? "1" : "2")`, `*`, `**`, `m.*`, `deep.*`, `deep`, `deep[0]`, `deep[0][1]`, `$ ~> |o|{"a": 9}, "k"|`, `$clone(m)`, `o@$v.$v.k`, `o#$i[$i = 1].k`, `o.a.%.k`, `o.(a & k)`,
		`$shuffle(n)[$ > 5]`, `/a/(text).match`, `{"a": x, "b": m}`, `[m, n]`, `n[]`, `$flat := $reduce(deep, $append)`, `$abs(n[0])`, `$round(n[0])`, `$power(n[0], n[2])`, `$fromMillis(one)`, `$base64encode(text)`,
		`$error(text)`, `$assert(b[1], text)`, `$sum(m)`, `$join(n)`, `m + 1`, `1 + m[1]`, `m[1] < m[0]`, `$toMillis(text)`, `$eval("one + 1")`, `$formatInteger(one, "w")`, `$formatBase(n[0], n[2])`, `n = n`, `o = o`, `m != n`,
		`$zip(n)`, `$substringBefore(text, "-")`, `$parseInteger($string(one), "0")`, `{s[0]: one}`, `{one: 1}`, `$count(x)`, `$sqrt(one)`, `o.{k: a}`, `$map(o, $keys)`, `$.n ~> $sum`, `one ~> $string`, `$count(b)`, `n.($ + 1)`,
	}
	r := rand.New(rand.NewPCG(1, 2))
	for _, expr := range exprs {
		want := evaluate(t, expr, input, nil, Options{})
		for range 20 {
			raw := rawParts(t, r, input)
			if got := evaluate(t, expr, raw, nil, Options{}); got != want {
				t.Fatalf("%s of %s: got %s, want %s", expr, show(raw), got, want)
			}
		}
	}
}
