package jsonata

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/internal/shared"
)

// In the dialect of Step Functions, the whole suite passes, except for cases that it lists
// as newer than 2.0.6 and those that need $eval. The context is kept, because the cases
// have their data in it.
func TestSuiteInStepFunctions(t *testing.T) {
	t.Parallel()
	s := readSuite(t)
	var lists struct {
		Newer []string `json:"newer_than_2.0.6"`
		Eval  []string `json:"uses_eval"`
	}
	if err := json.Unmarshal(readFile(t, filepath.Join(shared.Path(t, "jsonata-suite"), "step-functions.json")), &lists); err != nil {
		t.Fatal(err)
	}
	other := map[string]bool{}
	for _, id := range append(lists.Newer, lists.Eval...) {
		other[id] = true
	}
	passed, total := 0, 0
	for _, c := range s.cases {
		if other[c.id] {
			continue
		}
		total++
		problem := s.run(t, c, Options{StepFunctions: true, adjust: func(c *config) { c.noContext = false }})
		if problem == "" {
			passed++
		} else {
			t.Errorf("%s: %s: %s", c.id, c.Expr, problem)
		}
	}
	t.Logf("jsonata suite, Step Functions: %d/%d", passed, total)
	if total != len(s.cases)-66 {
		t.Errorf("%d cases run, want all %d but 66", total, len(s.cases))
	}
}

// evaluate compiles and evaluates, and returns the result as JSON text, "undefined",
// or the code of the error.
func evaluate(t *testing.T, expr string, input any, vars map[string]any, o Options) string {
	t.Helper()
	e, err := o.Compile(expr)
	var v any
	if err == nil {
		v, err = e.Eval(context.Background(), input, vars)
	}
	var ours *Error
	switch {
	case errors.As(err, &ours):
		return ours.Code
	case err != nil:
		t.Fatalf("%s: an error that is not an *Error: %v", expr, err)
	}
	return show(v)
}

func TestStepFunctions(t *testing.T) {
	t.Parallel()
	states := decode(t, []byte(`{"input": {"list": [0, 1, 2], "text": "{\"a\": [1, 2.50]}", "one": [7]}}`))
	tests := []struct{ expr, want string }{
		{`$states.input.missing ?: 1`, "S0211"},
		{`$states.input.missing ?? 1`, "S0211"},
		{`$states.input.one ? 1 : 2`, "1"},
		{`$eval("1")`, "T1006"},
		{`$nonesuch(1)`, "T1006"},
		{`$`, "undefined"},
		{`$$`, "undefined"},
		{`$$.a`, "undefined"},
		{`a`, "undefined"},
		{`{"a": 1}.$`, `{"a":1}`},
		{`$states.input.list[$ > 0]`, "[1,2]"},
		{`$states.input.list[$ > 1]`, "2"},
		{`$partition($states.input.list, 2)`, "[[0,1],[2]]"},
		{`$partition([0], 5)`, "[[0]]"},
		{`$partition([], 5)`, "[]"},
		{`$partition([1], 0)`, "D3137"},
		{`$partition([1], -1)`, "D3137"},
		{`$partition(1, 1)`, "[[1]]"},
		{`$range(1, 9, 4)`, "[1,5,9]"},
		{`$range(3, 1, -1)`, "[3,2,1]"},
		{`$range(1, 2, 5)`, "1"},
		{`$range(2, 1, 1)`, "undefined"},
		{`$range(1, 5, 0)`, "D3137"},
		{`$range(-1.7, 2.9, 1.9)`, "[-1,0,1,2]"},
		{`$count($range(1, 200000, 1))`, "200000"},
		{`$range(1, 1e9, 1)`, "U1002"},
		{`$range(1, 5)`, "T0410"},
		{`$hash("abc", "MD5")`, `"900150983cd24fb0d6963f7d28e17f72"`},
		{`$hash("abc", "SHA-1")`, `"a9993e364706816aba3e25717850c26c9cd0d89d"`},
		{`$hash("abc", "SHA-256")`, `"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"`},
		{`$length($hash("abc", "SHA-384"))`, "96"},
		{`$length($hash("abc", "SHA-512"))`, "128"},
		{`$hash("abc", "CRC32")`, "D3137"},
		{`$parse($states.input.text)`, `{"a":[1,2.50]}`},
		{`$parse($states.input.text).a[1] * 2`, "5"},
		{`$parse("{")`, "D3137"},
		{`$parse(missing)`, "undefined"},
		{`$parse("1e400")`, "D3137"},
		{`$parse('{"a":1,"a":2}')`, "D3137"},
		{`$parse('[{"a":{"a":1},"b":["a","a"]},{"a":"a"}]')`, `[{"a":{"a":1},"b":["a","a"]},{"a":"a"}]`},
		{`$string($parse("[9223372036854775807, 9223372036854775808, -9223372036854775809]"))`, `"[9223372036854775807,9223372036854776000,-9223372036854776000]"`},
		{`1/0`, `"Infinity"`},
		{`{"a": [-1/0, 0/0, 1]}`, `{"a":["-Infinity","NaN",1]}`},
		{`1/0 + 1`, "D1001"},
		{`$parseInteger("abc", "0")`, `"NaN"`},
		{`$random(42)`, "0.7275636800328681"},
		{`$random(0)`, "0.730967787376657"},
		{`$random(5) = $random(5)`, "true"},
		{`$random(5) = $random(6)`, "false"},
		{`$random("x")`, "T0410"},
		{`$type($random())`, `"number"`},
		{`$map([1, 2], function($x) { $x * 2 })`, "[2,4]"},
		{`1 ~> $string`, `"1"`},
	}
	for _, tt := range tests {
		t.Run(tt.expr, func(t *testing.T) {
			t.Parallel()
			got := evaluate(t, tt.expr, decode(t, []byte(`{"a": 1}`)), map[string]any{"states": states}, Options{StepFunctions: true})
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestOnlyInStepFunctions(t *testing.T) {
	t.Parallel()
	for _, expr := range []string{`$partition([1], 1)`, `$range(1, 2, 1)`, `$hash("a", "MD5")`, `$uuid()`, `$parse("1")`} {
		if got := evaluate(t, expr, Undefined, nil, Options{}); got != "T1006" {
			t.Errorf("%s outside of Step Functions: got %s, want T1006", expr, got)
		}
	}
	if got := evaluate(t, `$random(1)`, Undefined, nil, Options{}); got != "T0410" {
		t.Errorf("$random with a seed: got %s, want T0410", got)
	}
}

// docs/jsonata.md has a row of each function that the reference does not have.
func TestFunctionsOfTheDialectAreDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/jsonata.md")
	if err != nil {
		t.Fatal(err)
	}
	tablesOnce.Do(defineAll)
	for name := range stepFunctions {
		if !strings.Contains(string(text), "\n| `$"+name+"(") && !strings.Contains(string(text), "\n| `$"+name+"` |") {
			t.Errorf("docs/jsonata.md has no row of $%s", name)
		}
	}
	if len(stepFunctions) < 7 {
		t.Errorf("the dialect has only %d functions of its own", len(stepFunctions))
	}
}

func TestUUID(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"$`)
	a := evaluate(t, `$uuid()`, Undefined, nil, Options{StepFunctions: true})
	b := evaluate(t, `$uuid()`, Undefined, nil, Options{StepFunctions: true})
	if !form.MatchString(a) || a == b {
		t.Errorf("got %s and %s, want two random UUIDs", a, b)
	}
	got := evaluate(t, `$uuid()`, Undefined, nil, Options{StepFunctions: true, Random: func() uint64 { return 0 }})
	if want := `"00000000-0000-4000-8000-000000000000"`; got != want {
		t.Errorf("of zeros: got %s, want %s", got, want)
	}
}
