package jsonata

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// There is an expression for each code; its error has a text, and a place in the
// expression, which is that of the token if the token is written there.
func TestEveryCode(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"D1001": `x + 1 / 0 * 2`,
		"D1002": `1 + -"x"`,
		"D1004": `$match("aab", /a?/)`,
		"D1009": `{"a": 1, "a": 2}`,
		"D2014": `[1..10000001]`,
		"D3001": `$string(1 / 0)`,
		"D3010": `$replace("a", "", "b")`,
		"D3011": `$replace("a", "a", "b", -1)`,
		"D3012": `$replace("a", /a/, function() { 1 })`,
		"D3020": `$split("a", "a", -1)`,
		"D3030": `$number("abc")`,
		"D3040": `$match("a", /a/, -1)`,
		"D3050": `$reduce([1, 2], function($x) { 1 })`,
		"D3060": `$sqrt(-1)`,
		"D3061": `$power(-1, 0.5)`,
		"D3070": `$sort([1, "a"])`,
		"D3080": `$formatNumber(1, "0;0;0")`,
		"D3081": `$formatNumber(1, "0.0.0")`,
		"D3082": `$formatNumber(1, "0%%")`,
		"D3083": `$formatNumber(1, "0‰‰")`,
		"D3084": `$formatNumber(1, "0%‰")`,
		"D3085": `$formatNumber(1, ".e0")`,
		"D3086": `$formatNumber(1, "0x0")`,
		"D3087": `$formatNumber(1, "0,.0")`,
		"D3088": `$formatNumber(1, "0,")`,
		"D3089": `$formatNumber(1, "0,,0")`,
		"D3090": `$formatNumber(1, "0#")`,
		"D3091": `$formatNumber(1, "0.#0")`,
		"D3092": `$formatNumber(1, "0e0%")`,
		"D3093": `$formatNumber(1, "0e#")`,
		"D3100": `$formatBase(1, 37)`,
		"D3110": `$toMillis("yesterday")`,
		"D3120": `$eval("1 +")`,
		"D3121": `$eval("1 + true")`,
		"D3130": `$formatInteger(1, "#")`,
		"D3131": `$formatInteger(1, "0\u0660")`,
		"D3132": `$fromMillis(0, "[Q]")`,
		"D3133": `$fromMillis(0, "[YN]")`,
		"D3134": `$fromMillis(0, "[Z00000]")`,
		"D3135": `$fromMillis(0, "[Y")`,
		"D3136": `$toMillis("1 12", "[D] [m]")`,
		"D3137": `$error("no")`,
		"D3138": `$single([1, 2])`,
		"D3139": `$single([])`,
		"D3140": `$decodeUrl("%")`,
		"D3141": `$assert(false, "no")`,
		"D3150": `$formatInteger(1e9, "I")`,
		"S0101": `"a`,
		"S0102": `1e999`,
		"S0103": `"\q"`,
		"S0104": `"\u12"`,
		"S0105": "`a",
		"S0106": `/* a`,
		"S0201": `a b`,
		"S0202": `[a)`,
		"S0203": `[a`,
		"S0204": `a ! b`,
		"S0207": `a +`,
		"S0208": `function(a) { 1 }`,
		"S0209": `[1]{"b": 1}[0]`,
		"S0210": `a{"b": 1}{"c": 1}`,
		"S0211": `)`,
		"S0212": `a := 1`,
		"S0213": `a.1`,
		"S0214": `a@b`,
		"S0215": `a[0]@$b.c`,
		"S0216": `a^(b)@$c.d`,
		"S0217": `a.%.%`,
		"S0301": `//`,
		"S0302": `/a`,
		"S0303": `/(?=a)/`,
		"S0401": `function($a)<n<n>>{1}`,
		"S0402": `function($a)<(a<n>s)>{1}`,
		"S0403": `function($a)<n++>{1}`,
		"T0410": `$length(1)`,
		"T0411": `1 ~> function($x) { $length() }`,
		"T0412": `$sum(["a"])`,
		"T1003": `{1: 2}`,
		"T1005": `sum([1])`,
		"T1006": `$nonesuch(1)`,
		"T1007": `sum(?)`,
		"T1008": `$nonesuch(?)`,
		"T1010": `$match("a", function() { 1 })`,
		"T2001": `"a" + 1`,
		"T2002": `1 + "a"`,
		"T2003": `["a"..1]`,
		"T2004": `[1.."a"]`,
		"T2006": `1 ~> 2`,
		"T2007": `[{"a": 1}, {"a": "x"}]^(a)`,
		"T2008": `[{"a": true}, {"a": 1}]^(a)`,
		"T2009": `1 < "a"`,
		"T2010": `true < 1`,
		"T2011": `{} ~> |$|1|`,
		"T2012": `{} ~> |$|{}, 1|`,
		"T2013": `($clone := 1; {} ~> |$|{}|)`,
		"U1001": `($f := function() { 1 + $f() }; $f())`,
		"U1002": `$pad("", 1e9)`,
		"U1003": strings.Repeat("(", 600),
	}
	// The grammar cannot reach the first, and the second is about text that a test cannot
	// contain.
	unreachable := map[string]bool{"S0206": true, "U1004": true}
	for code := range messages {
		if _, ok := tests[code]; !ok && !unreachable[code] {
			t.Errorf("%s has no expression here", code)
		}
	}
	for code, expr := range tests {
		err := errorOf(t, expr)
		var e *Error
		if !errors.As(err, &e) || e.Code != code {
			t.Errorf("%.40s: got error %v, want %s", expr, err, code)
			continue
		}
		if e.Message == "" || strings.Contains(e.Message, "{{") || strings.Contains(e.Message, "null") {
			t.Errorf("%.40s: message %q", expr, e.Message)
		}
		if e.Position < 0 || e.Position > len(expr) {
			t.Errorf("%.40s: %s at %d of %d", expr, code, e.Position, len(expr))
			continue
		}
		if code == "S0214" || strings.HasPrefix(code, "S04") {
			continue // these are about something that is not at their place
		}
		// A token is at its place; of a function, the place is that of the parenthesis.
		at := strings.TrimLeft(expr[e.Position:], "\"$`/\\")
		if e.Token != "" && e.Token != "(end)" && strings.Contains(expr, e.Token) && !strings.HasPrefix(at, e.Token) && !strings.HasPrefix(at, "(") {
			t.Errorf("%.40s: %s about %q is at %d, %.10q", expr, code, e.Token, e.Position, at)
		}
	}
}

// errorOf returns the error of an expression, in the language that knows its functions.
func errorOf(t *testing.T, expr string) error {
	t.Helper()
	o := Options{StepFunctions: strings.Contains(expr, "$hash") || strings.Contains(expr, "$parse(")}
	e, err := o.Compile(expr)
	if err == nil {
		_, err = e.Eval(context.Background(), Undefined, nil)
	}
	return err
}
