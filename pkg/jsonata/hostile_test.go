package jsonata

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// numbered returns form with 0, 1, 2 … in it, n times, one after another.
func numbered(form string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, form, i)
	}
	return b.String()
}

// A step that takes long counts as many steps: those with long texts, large arrays, regular
// expressions that read a text repeatedly, functions with thousands of parameters.
// Otherwise each of these would take minutes for its half a million steps.
func TestLongSteps(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("computes up to the limits")
	}
	big := &Object{}
	for i := range 10_000 {
		big.Set(fmt.Sprint("k", i), 1.0)
	}
	params := strings.TrimSuffix(numbered("$a%d,", 9000), ",")
	tests := []struct{ name, expr, want string }{
		{"parameters", `($f := function(` + params + `) { 1 }; [1..100000].$f())`, "U100"},
		{"parameters of one name", `($f := function(` + params + `, $a1) { 1 }; [1..100000].$f())`, "U100"},
		{"parameters of a partial application", `($f := function(` + params + `) { 1 }; [1..100000].($f(?); 1))`, "U100"},
		{"members", `$merge($map([1..100000], function() { $big }))`, "U100"},
		{"items", `($a := [1..2000000]; [1..100000].($sum($a); 1))`, "U100"},
		{"text", `($a := $pad("", 20000000, "é"); [1..100000].($contains($a, "ab"); 1))`, "U100"},
		{"matches that end early", `$count($match($pad("", 2000000, "a"), /a(?:.*b)?/))`, "U100"},
		{"no match", `$contains($pad("", 5000000, "a"), /a[ab]{900}c/)`, "U100"},
		{"no match, by package regexp", `$contains($pad("", 5000000, "a"), /(?:a?){100}(?:x?a*y?){200}[^a]/)`, "U100"},
		{"no match, many times", `($a := $pad("", 5000000, "a"); [1..100000].($match($a, /(?:a|b)*c/); 1))`, "U100"},
		{"matches that functions look at", `$length($replace($pad("", 3000000, "a"), /a/, function() { "bb" }))`, "U100"},
		{"escapes", `$length($encodeUrlComponent($pad("", 25000000, "\u0001")))`, "U1002"},
		{"white space", `$length($trim($pad("", 32000000, "a ")))`, "U100"},
		{"Roman numerals", `[1..1000000].$formatInteger(999999, "I")`, "U100"},
		{"dates in words", `[1..1000000].$fromMillis($, "` + strings.Repeat("[Yw]", 2000) + `")`, "U100"},
		{"dates to read", `[1..1000000].($toMillis($big.text, "` + strings.Repeat("[Yw]", 32) + `"); 1)`, "U100"},
		{"pictures that are made", `($p := $join([1..32].("[Yw]")); [1..1000000].($toMillis("one x", $p & $); 1))`, "U100"},
		{"pictures that are made, to write", `($p := $join([1..1000].("[Yw]")); [1..1000000].($fromMillis(1, $p & $); 1))`, "U100"},
		{"expressions that are made", `($e := "(" & $join([1..3000].("$a" & $ & ":=1;")) & "1)"; [1..10000].$eval($e))`, "U100"},
		{"functions with types", `($f := function($x)<` + strings.Repeat("(ns)?", 60) + `> { 1 }; [1..1000000].($f("x"); 1))`, "U100"},
		{"comparisons", `($a := [1..500000]; $b := [1..500000]; [1..1000000].($a = $b))`, "U100"},
		{"keys", `($k := $keys($big); [1..1000000].($count($keys($big)); 1))`, "U100"},
		{"deletions", `[1..1000000].($big ~> |$|{}, $keys($)[[0..5000]]|)`, "U100"},
		{"texts compared", `($a := $pad("", 15000000, "a") & "b"; $b := $pad("", 15000000, "a") & "c"; [1..1000000].($a < $b))`, "U100"},
		{"a number in words", `$parseInteger($pad("", 30000000, "one "), "w")`, "U1002"},
		{"numbers in words", `($a := $pad("", 5000000, "one "); [1..1000000].($parseInteger($a, "w"); 1))`, "D3150"},
		{"numbers in digits", `($a := $pad("1", 20000000, "1"); [1..1000000].($number($a & "x"); 1))`, "U100"},
		{"sigmas", `($a := $pad("", 10000000, "Σ\u0301\u0301’"); [1..1000000].($lowercase($a); 1))`, "U100"},
		{"escapes to read", `($a := $pad("", 19999998, "%41"); [1..1000000].($decodeUrl($a); 1))`, "U100"},
		{"steps that count by leaps", `($a := [1..252]; $f := function() { ($a[[1..252]]; $f()) }; $f())`, "U100"},
	}
	big.Set("text", strings.Repeat("one ", 2000)+"x")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := Options{MaxSteps: 500_000, MaxTime: time.Minute}.MustCompile(tt.expr)
			start := time.Now()
			_, err := e.Eval(context.Background(), Undefined, map[string]any{"big": big})
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) || errors.Is(err, ErrTime) {
				t.Errorf("got %.100v, want %s, by work", err, tt.want)
			}
			if took := time.Since(start); took > time.Minute { // with all others at the same time, and the race detector
				t.Errorf("it took %v", took)
			}
		})
	}
}

// An error shows the beginning of the value that it is about, whatever that is: it may
// refer to its parts many times, or contain itself.
func TestErrorAboutStrangeValues(t *testing.T) {
	t.Parallel()
	const shared = `$reduce([1..60], function($a, $i) { {"a": $a, "b": $a} }, {"x": 1})`
	tests := []struct{ expr, want string }{
		{`-` + shared, `D1002: Cannot negate a non-numeric value: {"a":{"a":{"a":`},
		{shared + ` + 1`, `T2001: The left side of the "+" operator must evaluate to a number`},
		{`{"a": {}} ~> |a|{"b": $}| ~> function($x) { -$x }`, `D1002: Cannot negate a non-numeric value: {"a":{"b":{"b":`},
		{`{"a": {}} ~> |a|{"b": [$]}| ~> function($x) { -$x }`, `D1002: Cannot negate a non-numeric value: {"a":{"b":[{"b":[`},
		{`-[1, [2, null], "x", {"a": true}]`, `D1002: Cannot negate a non-numeric value: [1,[2,null],"x",{"a":true}]`},
		{`-[1..1000]`, `D1002: Cannot negate a non-numeric value: [1,2,3,`},
		{`-($[1])`, `undefined`},
		{`-$sum`, `D1002: Cannot negate a non-numeric value: a function`},
		{`-[$sum]`, `D1002: Cannot negate a non-numeric value: [""]`},
		{`-$pad("", 30, "😀é")`, `D1002: Cannot negate a non-numeric value: "😀é😀é`},
		{`1 / 0`, `D1001: Number out of range: Infinity`},
		{`[-1 / 0]`, `D1001: Number out of range: -Infinity`},
		{`{[1]: 2}`, `T1003: Key in object structure must evaluate to a string; got: [1]`},
	}
	for _, tt := range tests {
		v, err := MustCompile(tt.expr).Eval(context.Background(), Undefined, nil)
		got := show(v)
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, tt.want) || len(got) > 200 || strings.Contains(got, "\uFFFD") {
			t.Errorf("%s: got %s, want %s", tt.expr, got, tt.want)
		}
	}
}

// The value of an error is one that can also be a result.
func TestErrorValue(t *testing.T) {
	t.Parallel()
	tests := []struct{ expr, want string }{
		{`-[1, [2]]`, `[1,[2]]`},
		{`-{"a": [1].($ + 1), "b": [1, 2][$ > 0]}`, `{"a":2,"b":[1,2]}`},
		{`-"x"`, `"x"`},
		{`{"a": {}} ~> |a|{"b": $}| ~> function($x) { -$x }`, `null`},
	}
	for _, tt := range tests {
		_, err := MustCompile(tt.expr).Eval(context.Background(), Undefined, nil)
		var e *Error
		if !errors.As(err, &e) || show(e.Value) != tt.want {
			t.Errorf("%s: got error %v about %s, want %s", tt.expr, err, show(e.Value), tt.want)
		}
	}
	_, err := MustCompile(`1 / 0`).Eval(context.Background(), Undefined, nil)
	var e *Error
	if !errors.As(err, &e) || fmt.Sprint(e.Value) != "+Inf" {
		t.Errorf("1 / 0: got error %v", err)
	}
}

// An expression cannot take long to compile, either.
func TestCompileBombs(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, expr string }{
		{"parentheses", strings.Repeat("(", 65_000)},
		{"brackets", strings.Repeat("[", 65_000)},
		{"minuses", strings.Repeat("-", 65_000)},
		{"braces", strings.Repeat(`{"":`, 16_000)},
		{"functions", strings.Repeat("function(){", 5_900)},
		{"calls", strings.Repeat("f(", 32_000)},
		{"sums", "1" + strings.Repeat("+1", 32_000)},
		{"steps", "a" + strings.Repeat(".a", 32_000)},
		{"parents", "a" + strings.Repeat(".%", 32_000)},
		{"filters", "a" + strings.Repeat("[0]", 21_000)},
		{"arrays that stay", "a" + strings.Repeat("[0][]", 13_000)},
		{"conditions", strings.Repeat("a?a:", 16_000) + "a"},
		{"joins", "a" + numbered("@$a%d.b", 6_000)},
		{"variables", "(" + numbered("$a%d:=1;", 3_500) + numbered("$a%d;", 3_500) + "$b)"},
		{"a signature", "function($x)<" + strings.Repeat("(ns)", 16_000) + ">{1}"},
		{"types in types", "function($x)<" + strings.Repeat("a<", 32_000) + ">{1}"},
		{"groups", "/" + strings.Repeat("(", 4_000) + "a" + strings.Repeat(")", 4_000) + "/"},
		{"repeats", "/" + strings.Repeat("(?:", 60) + "a" + strings.Repeat("{9})", 60) + "/"},
		{"classes", numbered(`/[\u0100-\uffff%d]{50}/i;`, 2_000)},
		{"a comment", strings.Repeat("/*", 32_000)},
		{"orders", "a" + strings.Repeat("^(a)", 16_000)},
		{"compositions", "$f" + strings.Repeat("~>$f", 16_000)},
		{"transforms", strings.Repeat("|", 65_000)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			expr, err := Compile(tt.expr)
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("compiling took %v", took)
			}
			if err != nil {
				var e *Error
				if !errors.As(err, &e) {
					t.Errorf("got error %v, want an *Error", err)
				}
				return
			}
			start = time.Now()
			if _, err := expr.Eval(context.Background(), Undefined, nil); time.Since(start) > 20*time.Second {
				t.Errorf("evaluating took %v: %v", time.Since(start), err)
			}
		})
	}
}

// The error says why a regular expression is refused.
func TestRegexpReason(t *testing.T) {
	t.Parallel()
	_, err := Compile(`$match("a", /a(?=b)/)`)
	var e *Error
	if want := "S0303: regular expression: lookahead is not supported"; !errors.As(err, &e) || err.Error() != want || e.Position != 12 {
		t.Errorf("got %v at %d, want %s at 12", err, e.Position, want)
	}
}
