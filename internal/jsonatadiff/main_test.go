package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSource(t *testing.T) {
	t.Parallel()
	a, b := newSource(7), newSource(7)
	values := 0
	for range 2000 {
		c, again := a.next(), b.next()
		if c.expr != again.expr || !bytes.Equal(c.input, again.input) {
			t.Fatalf("the same seed gives %s and %s", c, again)
		}
		if !json.Valid(c.input) {
			t.Fatalf("the input of %s is not JSON", c)
		}
		o := c.ours(context.Background())
		if o.note != "" {
			t.Errorf("%s: %s", c, o.note)
		}
		if o.value != "" && o.value != undefined {
			values++
		}
	}
	if values < 400 {
		t.Errorf("only %d of 2000 cases have a value: the others compare almost nothing", values)
	}
}

// Every function of JSONata is in the generated cases, except those whose results differ
// each time.
func TestSourceCallsEveryFunction(t *testing.T) {
	t.Parallel()
	drawn := newSource(7)
	var all strings.Builder
	for range 20_000 {
		all.WriteString(drawn.next().expr + "\n")
	}
	files, err := filepath.Glob("../../pkg/jsonata/fn_*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, file := range files {
		if filepath.Base(file) == "fn_stepfunctions.go" {
			continue // the reference does not have these
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range defined.FindAllStringSubmatch(string(text), -1) {
			found++
			if !slices.Contains([]string{"now", "millis", "random", "shuffle"}, m[1]) && !strings.Contains(all.String(), "$"+m[1]+"(") {
				t.Errorf("no case calls $%s: generate calls of it", m[1])
			}
		}
	}
	if found < 60 {
		t.Errorf("only %d functions were found in pkg/jsonata", found)
	}
}

var defined = regexp.MustCompile(`define\("(\w+)"`)

func TestSame(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name         string
		ours, theirs outcome
		want         bool
	}{
		{"values", outcome{value: `{"a":1}`}, outcome{value: `{"a":1}`}, true},
		{"space", outcome{value: `{"a":1}`}, outcome{value: `{ "a": 1}`}, true},
		{"order", outcome{value: `{"a":1,"b":2}`}, outcome{value: `{"b":2,"a":1}`}, false},
		{"undefined", outcome{value: undefined}, outcome{value: "null"}, false},
		{"codes", outcome{code: "T2001"}, outcome{code: "T2002"}, false},
		{"a value and an error", outcome{value: "1"}, outcome{code: "T2002"}, false},
		{"tokens", outcome{code: "T2001", token: "+"}, outcome{code: "T2001", token: "-"}, false},
		{"no token there", outcome{code: "T2001", token: "+"}, outcome{code: "T2001"}, true},
		{"places", outcome{code: "S0201", token: "b", position: 2}, outcome{code: "S0201", token: "b", position: 3}, true},
		{"other places", outcome{code: "S0201", token: "b", position: 2}, outcome{code: "S0201", token: "b", position: 9}, false},
		{"a panic", outcome{note: "panics"}, outcome{note: "panics"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := same(testCase{expr: "a b"}, tt.ours, tt.theirs); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// Each deliberate difference excuses what it is about, and a plain difference of values
// is excused by none.
func TestExcuse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		want, expr   string
		ours, theirs outcome
	}{
		{"", "a + 1", outcome{value: "1"}, outcome{value: "2"}},
		{"", "a + 1", outcome{code: "T2001"}, outcome{value: "2"}},
		{"", `$power(2, "a")`, outcome{code: "T0410"}, outcome{value: "2"}},
		{"crash", "a", outcome{value: "1"}, outcome{note: "crashes: no"}},
		{"hang", "a", outcome{value: "1"}, outcome{note: "hangs"}},
		{"limit", "a", outcome{code: "U1002"}, outcome{value: "1"}},
		{"number", "1/0", outcome{code: "D1001"}, outcome{value: "\"\\u0001number\""}},
		{"token", "$map([1], $length)", outcome{code: "T0410", token: "length"}, outcome{code: "T0410", token: "map"}},
		{"no number", `$number("0xg")`, outcome{code: "D3030", token: "number"}, outcome{value: "1"}},
		{"partial", `$length(?)(1)`, outcome{code: "T0410", token: "length"}, outcome{value: "1"}},
		{"order", `$`, outcome{value: `{"a":1,"1":2}`}, outcome{value: `{"1":2,"a":1}`}},
		{"lost", `$match("a", /a/) ?: 1`, outcome{value: `{}`}, outcome{value: `1`}},
		{"power", `$power(3, 0.1)`, outcome{value: `1.11`}, outcome{value: `1.12`}},
		{"regexp", `/(?=a)/`, outcome{code: "S0303"}, outcome{value: `1`}},
		{"clock", `$toMillis("1", "[s]")`, outcome{value: `[1795653880100,1]`}, outcome{value: `[1795653885001,1]`}},
		{"", `$toMillis("1", "[s]")`, outcome{value: `1795653880100`}, outcome{value: `1795653980100`}},
		{"", `$toMillis("1", "[s]")`, outcome{value: `[1,2]`}, outcome{value: `[1]`}},
		{"", `$formatNumber(1, "0.0")`, outcome{value: `"1.0"`}, outcome{value: `"1"`}},
		{"power", `$formatNumber(1, "0.0e0")`, outcome{value: `"1.0e1"`}, outcome{value: `"1.1e1"`}},
		{"", `a < (b + 1) > c`, outcome{value: `true`}, outcome{value: `false`}},
		{"signature", `function($a)<(n+)>{$a}`, outcome{value: `1`}, outcome{code: "T0410"}},
		{"", `[a, {"b": 1}]`, outcome{value: `[1]`}, outcome{value: `[2]`}},
		{"filled", `[]{"b": a}`, outcome{value: `{}`}, outcome{value: `{"b":1}`}},
		{"filled", `({"b": a}; $)`, outcome{value: `[]`}, outcome{value: `[null]`}},
		{"length", `/a*/(1).next()`, outcome{value: undefined}, outcome{code: "D1004", token: "next"}},
		{"internals", `$ ~> |$|$sum|`, outcome{code: "T2011"}, outcome{value: `{}`}},
		{"eval", `$eval("[")`, outcome{code: "D3120"}, outcome{code: "D3121"}},
	}
	for _, tt := range tests {
		got := ""
		if e := excuse(testCase{expr: tt.expr}, tt.ours, tt.theirs); e != nil {
			got = e.name
		}
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.expr, got, tt.want)
		}
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	got := tokens.FindAllString("$a.`b c` ?: \"x\\\"y\" ~> /z/", -1)
	want := []string{"$a", ".", "`b c`", " ", "?:", " ", `"x\"y"`, " ", "~>", " ", "/", "z", "/"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tokens (-want +got):\n%s", diff)
	}
}

func TestRunWithoutReference(t *testing.T) {
	t.Parallel()
	var out, problems strings.Builder
	if code := run(t.Context(), []string{"-reference", t.TempDir()}, &out, &problems); code != 2 || !strings.Contains(problems.String(), "not installed") {
		t.Errorf("got %d, %s, want 2 and the reason", code, &problems)
	}
	if code := run(t.Context(), []string{"-nonesuch"}, &out, &problems); code != 2 {
		t.Errorf("a wrong flag: got %d, want 2", code)
	}
}
