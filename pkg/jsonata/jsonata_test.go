package jsonata

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestNumbersKeepTheirDigits(t *testing.T) {
	t.Parallel()
	input := decode(t, []byte(`{"id": 9007199254740993, "price": 1.50, "list": [1.0, 2e2], "big": 1e400}`))
	tests := []struct{ expr, want string }{
		{`id`, "9007199254740993"},
		{`{"id": id}`, `{"id":9007199254740993}`},
		{`list`, "[1.0,2e2]"},
		{`list[0]`, "1.0"},
		{`"order-" & id`, `"order-9007199254740993"`},
		{`id + 0`, "9007199254740992"},
		{`price`, "1.50"},
		{`price & ""`, `"1.5"`},
		{`$sum(list)`, "201"},
		{`$max(list)`, "200"},
		{`price = 1.5`, "true"},
		{`price in [1.5]`, "true"},
		{`$distinct([price, 1.5])`, "[1.50]"},
		{`$string({"n": id, "p": price})`, `"{\"n\":9007199254740993,\"p\":1.5}"`},
		{`0.1 + 0.2`, "0.30000000000000004"},
		{`$string(0.1 + 0.2)`, `"0.3"`},
		{`-0 & ""`, `"0"`},
		{`big`, "1e400"},
		{`big + 1`, "D1001"},
		{`1 / 0`, "D1001"},
		{`[1 / 0]`, "D1001"},
	}
	for _, tt := range tests {
		if got := evaluate(t, tt.expr, input, nil, Options{}); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.expr, got, tt.want)
		}
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	tests := []struct{ expr, want string }{
		{`$length("😀é")`, "2"},
		{`$substring("a😀b", 1, 1)`, `"😀"`},
		{`$substring("hello", -3, 2)`, `"ll"`},
		{`$substring("hello", 1.7, 2.2)`, `"el"`},
		{`$substring("hello", -9)`, `"hello"`},
		{`$pad("a", 4, "😀é")`, `"a😀é😀"`},
		{`$match("a😀bc", /b/).index`, "3"},
		{`"\uD83D" & "\uDE00"`, `"😀"`},
		{`$length("\uD83D")`, "1"},
		{`"\uD83D"`, `"�"`},
		{`["\uD83D"]`, `["�"]`},
		{`"\uFFFF" > "\uD83D\uDE00"`, "true"}, // by UTF-16 units
		{`$uppercase("straße")`, `"STRASSE"`},
		{`$base64decode("aGk")`, `"hi"`},
		{`$base64encode("hi")`, `"aGk="`},
		{`$base64decode("gA==")`, `"\u0080"`},
		{`$replace("abc", /(b)(x)?/, "[$1$2$3$$]")`, `"a[b$]c"`},
		{`$replace("abcdef", /(a)(b)(c)(d)(e)(f)/, "$6$12")`, `"fa2"`},
		{`$split("a1b2c", /\d/, 2)`, `["a","b"]`},
		{`$split("añ😀", "")`, `["a","ñ","😀"]`},
		{`$match("aab", /a?/)`, "D1004"},
		{`$match("ab", /x|(b)/).groups`, `["b"]`},
		{`$match("x", /x(y)?/)`, `{"match":"x","index":0,"groups":[null]}`},
		{`/b/("abc").start`, "1"},
		{`$contains("abc", /B/i)`, "true"},
	}
	for _, tt := range tests {
		got := evaluate(t, tt.expr, Undefined, nil, Options{})
		if tt.want == `"\u0080"` {
			tt.want = "\"\u0080\""
		}
		if got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.expr, got, tt.want)
		}
	}
}

// The members of a result come in the order in which they were written or read.
func TestOrderOfMembers(t *testing.T) {
	t.Parallel()
	input := decode(t, []byte(`{"z": 1, "a": {"y": 2, "b": 3}, "2": 4, "1": 5}`))
	tests := []struct{ expr, want string }{
		{`$`, `{"z":1,"a":{"y":2,"b":3},"2":4,"1":5}`},
		{`$keys($)`, `["z","a","2","1"]`},
		{`*`, `[1,{"y":2,"b":3},4,5]`},
		{`$merge([{"q": 0}, $])`, `{"q":0,"z":1,"a":{"y":2,"b":3},"2":4,"1":5}`},
		{`$ ~> |a|{"new": 1}, "y"|`, `{"z":1,"a":{"b":3,"new":1},"2":4,"1":5}`},
		{`{"b": 1, "a": missing, "c": 2}`, `{"b":1,"c":2}`},
	}
	for _, tt := range tests {
		if got := evaluate(t, tt.expr, input, nil, Options{}); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.expr, got, tt.want)
		}
	}
}

func TestCompileErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		expr, code, token string
		position          int
	}{
		{`a + `, "S0207", "(end)", 4},
		{`"é" + )`, "S0211", ")", 7}, // bytes, not characters
		{`a b`, "S0201", "b", 2},
		{`[1, 2`, "S0203", "(end)", 5},
		{`"abc`, "S0101", "", 4},
		{`"a\q"`, "S0103", "q", 3},
		{`"\u12"`, "S0104", "", 2},
		{`1e999`, "S0102", "1e999", 0},
		{`a ! b`, "S0204", "!", 2},
		{`/* a`, "S0106", "", 0},
		{`//`, "S0301", "", 1},
		{`/a`, "S0302", "", 2},
		{`a.1`, "S0213", "1", 2},
		{`x := 1`, "S0212", "x", 0},
		{`a.%.%`, "S0217", "path", 0},
		{`function($x)<n<n>>{1}`, "S0401", "n", 14},
		{strings.Repeat("(", 1000), "U1003", "(", 500},
		{strings.Repeat("a", maxSource+1), "U1003", "", 0},
		{strings.Repeat("%+", 1000) + "1", "U1003", "%", 1000},
		{"\xff", "U1004", "", 0},
	}
	for _, tt := range tests {
		name := tt.expr[:min(len(tt.expr), 20)]
		_, err := Compile(tt.expr)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s: got error %v, want an *Error", name, err)
			continue
		}
		if e.Code != tt.code || e.Position != tt.position || e.Token != tt.token {
			t.Errorf("%s: got %s at %d about %q, want %s at %d about %q", name, e.Code, e.Position, e.Token, tt.code, tt.position, tt.token)
		}
		if !strings.HasPrefix(e.Error(), e.Code+": ") || strings.Contains(e.Message, "{{") || e.Message == "" {
			t.Errorf("%s: message %q", name, e.Error())
		}
	}
}

func TestEvaluationErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		expr, code, token string
		position          int
		message           string
	}{
		{`1 + "a"`, "T2002", "+", 2, `The right side of the "+" operator must evaluate to a number`},
		{`$sum("a")`, "T0412", "sum", 4, `Argument 1 of function "sum" must be an array of "numbers"`},
		{`function($x, $y, $z)<s?na<s>>{1}(1, 3)`, "T0412", "(", 32, `Argument 3 of function "(" must be an array of "strings"`},
		{`[1, $substring("a")]`, "T0410", "substring", 14, `Argument 2 of function "substring" does not match function signature`},
		{`1 < "a"`, "T2009", "<", 2, `The values 1 and "a" either side of operator "<" must be of the same data type`},
		{`$error("no")`, "D3137", "error", 6, "no"},
		{`count([1])`, "T1005", "count", 5, "Attempted to invoke a non-function. Did you mean $count?"},
		{`-"x"`, "D1002", "-", 0, `Cannot negate a non-numeric value: "x"`},
		{`($f := function($x) { $x.a + "b" }; [1] ~> $map($f))`, "T2002", "+", 27, `The right side of the "+" operator must evaluate to a number`},
	}
	for _, tt := range tests {
		_, err := MustCompile(tt.expr).Eval(context.Background(), Undefined, nil)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s: got error %v, want an *Error", tt.expr, err)
			continue
		}
		if e.Code != tt.code || e.Position != tt.position || e.Token != tt.token || e.Message != tt.message {
			t.Errorf("%s: got %s at %d about %q: %s", tt.expr, e.Code, e.Position, e.Token, e.Message)
		}
	}
}

// Every code that the package uses has a text.
func TestMessages(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	chosen := map[string]bool{"D3137": true, "D3141": true, "D3150": true, "S0303": true} // where the error is made
	for _, l := range limits {
		chosen[l.code] = true
	}
	codes := regexp.MustCompile(`"([STDU][0-9]{4})"`)
	n := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range codes.FindAllStringSubmatch(string(text), -1) {
			n++
			if messages[m[1]] == "" && !chosen[m[1]] {
				t.Errorf("%s: %s has no message", file, m[1])
			}
		}
	}
	if n < 100 {
		t.Errorf("found %d codes, which cannot be all of them", n)
	}
}

// In a log, an error about payload does not quote it.
func TestRedacted(t *testing.T) {
	t.Parallel()
	tests := []struct{ expr, want string }{
		{`$number("secret")`, "D3030: Unable to cast value to a number"},
		{`"secret" < 1`, `T2009: The values … and … either side of operator "<" must be of the same data type`},
		{`1 + "secret"`, `T2002: The right side of the "+" operator must evaluate to a number`},
		{`$sum(["secret"])`, `T0412: Argument 1 of function "sum" must be an array of "numbers"`},
		{`$error("secret")`, "D3137: $error() function evaluated"},
		{`$assert(false, "secret")`, "D3141: $assert() statement failed"},
		{`$fromMillis(1, "[?secret]")`, "D3132: Unknown component specifier … in date/time picture string"},
		{`$toMillis("secret")`, "D3110: The argument of the toMillis function must be an ISO 8601 formatted timestamp. Given …"},
		{`$eval("secret +")`, "D3120: Syntax error in expression passed to function eval"},
		{`($f := function() { 1 + $f() }; $f())`, "U1001: Evaluation was stopped: it nested too deeply. Check for infinite recursion"},
		{`$own("secret")`, "OWN"},
	}
	own := function(t, "own", "", func(_ context.Context, args []any) (any, error) {
		return nil, &Error{Code: "OWN", Position: -1, Message: "not " + args[0].(string)}
	})
	for _, tt := range tests {
		_, err := Options{Functions: own}.MustCompile(tt.expr).Eval(context.Background(), Undefined, nil)
		var e *Error
		if !errors.As(err, &e) || e.Redacted() != tt.want || strings.Contains(e.Redacted(), "secret") {
			t.Errorf("%s: got %v, want %s", tt.expr, err, tt.want)
		}
	}
}

// The budget of work does not depend on the machine: an expression that takes a second on a
// fourteenth of a core, the share of a Lambda function with 128 MB, passes; one that takes
// too many steps ends after the same number of them, however fast they are.
func TestStepsAndTime(t *testing.T) {
	t.Parallel()
	slowed := func(tick time.Duration) func(*config) {
		now := time.Time{}
		return func(c *config) {
			c.stopwatch = func() time.Time { now = now.Add(tick); return now } // at each look at the clock
		}
	}
	const sum = `$sum([1..100000].($ * 2 + 1))` // half a million steps
	tests := []struct {
		name, expr string
		options    Options
		want       error
	}{
		{"a core", sum, Options{adjust: slowed(50 * time.Microsecond)}, nil},
		{"a fourteenth of it", sum, Options{adjust: slowed(14 * 50 * time.Microsecond)}, nil},
		{"next to none of it", sum, Options{adjust: slowed(time.Second)}, ErrTime},
		{"without an end", `($f := function() { $f() }; $f())`, Options{adjust: slowed(time.Nanosecond), MaxSteps: 200_000}, ErrSteps},
		{"fewer steps", sum, Options{adjust: slowed(0), MaxSteps: 100_000}, ErrSteps},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := tt.options.MustCompile(tt.expr).Eval(context.Background(), Undefined, nil); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// An evaluation runs out of steps at the same place on every machine.
func TestStepsAreCounted(t *testing.T) {
	t.Parallel()
	for _, expr := range []string{`$sum([1..1000].($ * 2))`, `[1..1000][$ in [5, 7]]`, `$sort([1..500], function($a, $b) { $a < $b })`} {
		steps := func() int {
			e := MustCompile(expr)
			ev := newEvaluator(context.Background(), e, mapVars(nil))
			if _, err := ev.run(e.root, Undefined); err != nil {
				t.Fatal(err)
			}
			return ev.steps
		}
		n := steps()
		if again := steps(); again != n {
			t.Errorf("%s: %d steps, and %d the second time", expr, n, again)
		}
		if _, err := (Options{MaxSteps: n}).MustCompile(expr).Eval(context.Background(), Undefined, nil); err != nil {
			t.Errorf("%s in %d steps: %v", expr, n, err)
		}
		if _, err := (Options{MaxSteps: n - n/10}).MustCompile(expr).Eval(context.Background(), Undefined, nil); !errors.Is(err, ErrSteps) {
			t.Errorf("%s in %d steps: got %v, want %v", expr, n-n/10, err, ErrSteps)
		}
	}
}

// Data that doubles with each call ends by the limit of steps or by that of allocation:
// U100 matches both.
func TestLimits(t *testing.T) {
	t.Parallel()
	big := &Object{}
	big.Set("text", strings.Repeat("x", 100_000))
	tests := []struct {
		name, expr, want string
		options          Options
	}{
		{"recursion", `($f := function($x) { 1 + $f($x) }; $f(1))`, "U100", Options{}},
		{"endless tail recursion", `($f := function($x) { $f($x) }; $f(1))`, "U1001", Options{}},
		{"depth", `1 + (2 + (3 + (4 + 5)))`, "U1001", Options{MaxEvalDepth: 5}},
		{"enough depth", `1 + (2 + (3 + (4 + 5)))`, "15", Options{MaxEvalDepth: 12}},
		{"range", `[1..10000001]`, "D2014", Options{}},
		{"large range", `[1..9999999]`, "U1002", Options{}},
		{"pad", `$pad("", 1e12)`, "U1002", Options{}},
		{"pad the other way", `$pad("", -1e300)`, "U1002", Options{}},
		{"doubling", `($d := function($s, $n) { $n = 0 ? $s : $d($s & $s, $n - 1) }; $d("xx", 60))`, "U100", Options{}},
		{"doubling by join", `($d := function($s, $n) { $n = 0 ? $s : $d($join([$s, $s]), $n - 1) }; $d("xx", 60))`, "U100", Options{}},
		{"doubling by replace", `($d := function($s, $n) { $n = 0 ? $s : $d($replace($s, "x", "xx"), $n - 1) }; $d("x", 60))`, "U100", Options{}},
		{"doubling by pattern", `($d := function($s, $n) { $n = 0 ? $s : $d($replace($s, /x/, "xx"), $n - 1) }; $d("x", 60))`, "U100", Options{}},
		{"groups many times", `$replace($big.text, /(.*)/, $join([1..100000].("$1")))`, "U1002", Options{}},
		{"characters of a string", `[$pad("", 5000000)][0].$`, "U1002", Options{}},
		{"items in the text of an array", `($a := [1..300000]; /x/([$a, $a, $a, $a, $a, $a, $a, $a, $a, $a]))`, "U1002", Options{}},
		{"split", `$split($pad("", 3000000), "")`, "U100", Options{}},
		{"zip", `($a := [1..100000]; $zip($a, $a, $a, $a, $a, $a, $a, $a, $a, $a, $a, $a, $a, $a, $a, $a, $a, $a, $a, $a, $a, $a, $a, $a, $a, $a, $a, $a, $a, $a, $a, $a))`, "U100", Options{}},
		{"matches", `$match($pad("", 1000000), / /)`, "U100", Options{}},
		{"doubling by append", `($d := function($s, $n) { $n = 0 ? $count($s) : $d($append($s, $s), $n - 1) }; $d([1], 60))`, "U100", Options{}},
		{"shared parts in the result", `($d := function($s, $n) { $n = 0 ? $s : $d([[$s], [$s]], $n - 1) }; $d([1], 60))`, "U100", Options{}},
		{"shared parts in text", `($d := function($s, $n) { $n = 0 ? $string($s) : $d({"a": $s, "b": $s}, $n - 1) }; $d([1], 60))`, "U100", Options{}},
		{"shared parts compared", `($d := function($s, $n) { $n = 0 ? $s : $d([[$s], [$s]], $n - 1) }; $d([1], 60) = $d([1], 60))`, "U100", Options{}},
		{"shared parts flattened", `($d := function($s, $n) { $n = 0 ? $s : $d([[$s], [$s]], $n - 1) }; $count({"a": $d([1], 60)}.*))`, "U100", Options{}},
		{"shared parts descended", `($d := function($s, $n) { $n = 0 ? $s : $d([[$s], [$s]], $n - 1) }; $count($d([1], 60).**))`, "U100", Options{}},
		{"deep nesting", `($d := function($s, $n) { $n = 0 ? $s : $d([[$s]], $n - 1) }; $d([1], 1000))`, "U1001", Options{}},
		{"deep nesting in text", `($d := function($s, $n) { $n = 0 ? $string($s) : $d([[$s]], $n - 1) }; $d([1], 1000))`, "U1001", Options{}},
		{"deep nesting looked into", `($d := function($s, $n) { $n = 0 ? $s.a : $d([[$s]], $n - 1) }; $d([1], 20000))`, "U1001", Options{}},
		{"deep nesting as a condition", `($d := function($s, $n) { $n = 0 ? $boolean($s) : $d([[$s]], $n - 1) }; $d([1], 20000))`, "U1001", Options{}},
		{"an object in itself", `{"a": {}} ~> |a|{"b": $}|`, "U1001", Options{}},
		{"chain of functions", `($d := function($f, $n) { $n = 0 ? $f(1) : $d($f ~> $string, $n - 1) }; $d($string, 20000))`, "U1001", Options{}},
		{"partial of partial", `($d := function($f, $n) { $n = 0 ? $f(1) : $d($map(?, $f), $n - 1) }; $d($string, 20000))`, "U1001", Options{}},
		{"many references to the input", `[1..5000].$big.text`, "U100", Options{}},
		{"quadratic work", `$count([1..100000][$ in [0..$]])`, "U100", Options{}},
		{"a list that stays the same", `$count([1..50000][$ in [1..50000]])`, "50000", Options{}},
		{"a list in itself", `($a := [1..50000]; $count($a[$ in $a]))`, "50000", Options{}},
		{"distinct objects", `$count($distinct([1..50000].{"a": $}))`, "50000", Options{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := tt.options
			o.MaxSteps, o.MaxTime = 1_000_000, time.Minute
			got := evaluate(t, tt.expr, Undefined, map[string]any{"big": big}, o)
			if !strings.HasPrefix(got, tt.want) {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// Each budget has an error of its own.
func TestBudgets(t *testing.T) {
	t.Parallel()
	tests := []struct {
		expr string
		opt  Options
		want error
	}{
		{`($f := function() { $f() }; $f())`, Options{MaxTime: 10 * time.Millisecond}, ErrTime},
		{`($f := function() { 1 + $f() }; $f())`, Options{MaxEvalDepth: 100}, ErrDepth},
		{`[1..1000]`, Options{MaxAllocation: 1000}, ErrAllocation},
		{`1 + "a"`, Options{MaxTime: time.Second}, nil},
	}
	for _, tt := range tests {
		_, err := tt.opt.MustCompile(tt.expr).Eval(context.Background(), Undefined, nil)
		if err == nil {
			t.Fatalf("%s: got no error", tt.expr)
		}
		for _, budget := range []error{ErrTime, ErrDepth, ErrAllocation} {
			if got := errors.Is(err, budget); got != (budget == tt.want) {
				t.Errorf("%s: %v is %v: %v", tt.expr, err, budget, got)
			}
		}
	}
}

func TestEnv(t *testing.T) {
	t.Parallel()
	expr := Options{StepFunctions: true}.MustCompile(`{"uuid": $uuid(), "random": $random(), "now": $now(), "x": $x}`)
	uuid, err := NewFunction("uuid", "<:s>", func(context.Context, []any) (any, error) { return "one", nil })
	if err != nil {
		t.Fatal(err)
	}
	env := Env{
		Vars:   mapVars{"uuid": uuid, "x": 1.0},
		Clock:  func() time.Time { return time.UnixMilli(0) },
		Random: func() uint64 { return 1 << 63 },
	}
	v, err := expr.EvalEnv(context.Background(), Undefined, env)
	if want := `{"uuid":"one","random":0.5,"now":"1970-01-01T00:00:00.000Z","x":1}`; err != nil || show(v) != want {
		t.Errorf("got %s, %v, want %s", show(v), err, want)
	}
	v, err = expr.EvalEnv(context.Background(), Undefined, Env{})
	if err != nil || strings.Contains(show(v), `"x"`) || strings.Contains(show(v), `"one"`) {
		t.Errorf("of no environment: got %s, %v", show(v), err)
	}
	if _, err := NewFunction("f", "<n<", func(context.Context, []any) (any, error) { return nil, nil }); err == nil {
		t.Error("a wrong signature: got no error")
	}
	if _, err := NewFunction("f", "", nil); err == nil {
		t.Error("no function: got no error")
	}
}

func TestContext(t *testing.T) {
	t.Parallel()
	reason := errors.New("the lights went out")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(reason)
	_, err := MustCompile(`($f := function($x) { $f($x) }; $f(1))`).Eval(ctx, Undefined, nil)
	if !errors.Is(err, reason) {
		t.Errorf("got error %v, want the cause of the context", err)
	}
}

func TestRawPassesThrough(t *testing.T) {
	t.Parallel()
	body := NewRaw([]byte(`{"b": [1, {"c": 1.50}],  "s": "x"}`))
	request := &Object{}
	request.Set("body", body)
	vars := map[string]any{"request": request}
	tests := []struct{ expr, want string }{
		{`$request.body`, `{"b": [1, {"c": 1.50}],  "s": "x"}`},
		{`{"body": $request.body}`, `{"body":{"b": [1, {"c": 1.50}],  "s": "x"}}`},
		{`($x := $request.body; $x)`, `{"b": [1, {"c": 1.50}],  "s": "x"}`},
		{`true ? $request.body : 1`, `{"b": [1, {"c": 1.50}],  "s": "x"}`},
		{`$request.body.b.c`, "1.50"},
		{`$request.body.b[1].c`, "1.50"},
		{`$request.body.s & "y"`, `"xy"`},
		{`$keys($request.body)`, `["b","s"]`},
		{`$request.*.s`, `"x"`},
		{`$request.**.c`, "1.50"},
		{`$exists($request.body.none)`, "false"},
		{`$type($request.body)`, `"object"`},
		{`$request.body ~> |$|{"s": 2}|`, `{"b":[1,{"c":1.50}],"s":2}`},
		{`$string($request)`, `"{\"body\":{\"b\":[1,{\"c\":1.5}],\"s\":\"x\"}}"`},
		{`$request = {"body": {"s": "x", "b": [1, {"c": 1.5}]}}`, "true"},
		{`$merge([$request.body, {"z": 0}])`, `{"b":[1,{"c":1.50}],"s":"x","z":0}`},
		{`$spread($request).body.s`, `"x"`},
		{`$each($request, function($v, $k) { $k & $v.s })`, `"bodyx"`},
		{`$sift($request, function($v) { $v.s = "x" }).body.s`, `"x"`},
		{`$lookup($request, "body").s`, `"x"`},
		{`($f := function($r) { $r.s }; $f($request.body))`, `"x"`},
		{`$request.body[s = "x"].s`, `"x"`},
		{`[$request.body].s`, `"x"`},
		{`$request.body in [1]`, "false"},
		{`$not($request.body)`, "false"},
		{`$request.body ? 1 : 2`, "1"},
	}
	for _, tt := range tests {
		if got := evaluate(t, tt.expr, Undefined, vars, Options{}); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.expr, got, tt.want)
		}
	}
	v, err := MustCompile(`$request.body`).Eval(context.Background(), Undefined, vars)
	if err != nil || v != any(body) {
		t.Errorf("got %v, %v; want the *Raw itself", v, err)
	}
}

func TestVariables(t *testing.T) {
	t.Parallel()
	tests := []struct {
		expr string
		want []string
	}{
		{`1 + a.b`, nil},
		{`$request.body & $other`, []string{"other", "request"}},
		{`$$.a + $.b`, nil},
		{`($x := $y; $x + $z)`, []string{"y", "z"}},
		{`(($x := 1); $x)`, []string{"x"}},
		{`function($a, $b) { $a + $b + $c }`, []string{"c"}},
		{`$map($list, function($v) { $v })`, []string{"list"}},
		{`$nonesuch(1)`, []string{"nonesuch"}},
		{`($f := function($n) { $f($n - $k) }; $f(1))`, []string{"k"}},
		{`a@$v.b#$i[$i > $v.x + $q]`, []string{"q"}},
		{`a#$i{$string($i): $o}`, []string{"o"}},
		{`a^(>$k)[$p]`, []string{"k", "p"}},
		{`$ ~> |a|{"x": $u}, $d|`, []string{"d", "u"}},
		{`$f(?, $g)`, []string{"f", "g"}},
		{`{"a": $v}`, []string{"v"}},
		{`$a ? $b : $c`, []string{"a", "b", "c"}},
		{`$a ?: $b ?? $c`, []string{"a", "b", "c"}},
	}
	for _, tt := range tests {
		got := MustCompile(tt.expr).Variables()
		if len(got) == 0 {
			got = nil
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.expr, diff)
		}
	}
	if got := (Options{StepFunctions: true}).MustCompile(`$eval("1")`).Variables(); len(got) != 1 || got[0] != "eval" {
		t.Errorf("$eval in Step Functions: got %v, want [eval]", got)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	clock := Options{Clock: func() time.Time { return time.UnixMilli(1500000000123) }}
	sequence := uint64(0)
	random := Options{Random: func() uint64 { sequence += 1 << 62; return sequence }}
	twice := function(t, "twice", "<n-:n>", func(_ context.Context, args []any) (any, error) {
		if args[0] == Undefined {
			return Undefined, nil
		}
		return 2 * toFloat(args[0]), nil
	})
	list := function(t, "list", "", func(_ context.Context, args []any) (any, error) {
		if _, ok := args[0].([]any); !ok {
			return nil, errors.New("no array")
		}
		return args, nil
	})
	tests := []struct {
		expr, want string
		opt        Options
	}{
		{`$millis()`, "1500000000123", clock},
		{`$now()`, `"2017-07-14T02:40:00.123Z"`, clock},
		{`$now("[Y]")`, `"2017"`, clock},
		{`$millis() = $millis()`, "true", Options{}},
		{`[$random(), $random()]`, "[0.25,0.5]", random},
		{`$twice(4)`, "8", Options{Functions: twice}},
		{`4.$twice()`, "S0213", Options{Functions: twice}},
		{`(4).$twice()`, "8", Options{Functions: twice}},
		{`$twice("4")`, "T0410", Options{Functions: twice}},
		{`$list([1, 2].($ + 1), {"a": [3]})`, `[[2,3],{"a":[3]}]`, Options{Functions: list}},
		{`$shuffle([1, 2, 3]) ~> $count`, "3", random},
	}
	for _, tt := range tests {
		if got := evaluate(t, tt.expr, Undefined, nil, tt.opt); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.expr, got, tt.want)
		}
	}
}

// A function of the options reports its own errors.
func TestErrorOfFunction(t *testing.T) {
	t.Parallel()
	cause := errors.New("out of order")
	f := function(t, "f", "<:x>", func(context.Context, []any) (any, error) { return nil, cause })
	_, err := Options{Functions: f}.MustCompile(`1 + $f()`).Eval(context.Background(), Undefined, nil)
	if !errors.Is(err, cause) {
		t.Errorf("got error %v, want %v", err, cause)
	}
}

func TestFunctionAsResult(t *testing.T) {
	t.Parallel()
	for _, expr := range []string{`$sum`, `function($x) { $x }`, `/a/`, `$substring(?, 1)`, `{"f": $sum}.f`} {
		v, err := MustCompile(expr).Eval(context.Background(), Undefined, nil)
		if _, ok := v.(*Function); !ok || err != nil {
			t.Errorf("%s: got %v, %v; want a *Function", expr, v, err)
		}
		if _, err := AppendJSON(nil, v); err == nil {
			t.Errorf("%s: AppendJSON accepts a function", expr)
		}
	}
	v, err := MustCompile(`$f(2)`).Eval(context.Background(), Undefined, map[string]any{"f": mustEval(t, `function($x) { $x + 1 }`)})
	if err != nil || v != 3.0 {
		t.Errorf("a function as a variable: got %v, %v; want 3", v, err)
	}
}

func mustEval(t *testing.T, expr string) any {
	t.Helper()
	v, err := MustCompile(expr).Eval(context.Background(), Undefined, nil)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// What is evaluated is shared by all goroutines: expressions, inputs and variables.
func TestConcurrency(t *testing.T) {
	t.Parallel()
	input := decode(t, []byte(`{"a": [{"b": 3, "c": ["x"]}, {"b": 1}, {"b": 2}], "raw": null}`)).(*Object)
	input.Set("raw", NewRaw([]byte(`{"k": [1, 2, 3]}`)))
	expr := MustCompile(`[a^(b).b, $sum(raw.k), a.c[], a{$string(b): $}, $ ~> |a|{"b": 0}|, /a+/("caat").match, a@$v.($v.b)]`)
	want, err := expr.Eval(context.Background(), input, nil)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 25 {
				got, err := expr.Eval(context.Background(), input, nil)
				if err != nil || show(got) != show(want) {
					t.Errorf("got %s, %v; want %s", show(got), err, show(want))
				}
			}
		})
	}
	wg.Wait()
}

// Evaluation must leave its inputs alone, also where it could save a copy.
func TestInputsAreNotChanged(t *testing.T) {
	t.Parallel()
	const text = `{"a":[{"b":3},{"b":1}],"n":[[1],[2,[3]]],"o":{"x":1.50}}`
	input := decode(t, []byte(text))
	for _, expr := range []string{
		`$sort(a, function($l, $r) { $l.b > $r.b })`, `a^(b)`, `$reverse(a)`, `$append(a, 1)`, `[a, 1]`, `[a]`, `$shuffle(a)`,
		`$ ~> |a|{"b": 9}, "b"|`, `$merge([o, {"x": 2}])`, `n.*`, `{"k": a}`, `$map(a, function($v) { $v })[]`, `$distinct(a)`,
		`$zip(a, n)`, `($x := a; $x[0])`, `a[]`, `$spread(o)`, `$each(o, function($v) { $v })`, `a{$string(b): $}`, `a#$i.($i)`,
	} {
		if _, err := MustCompile(expr).Eval(context.Background(), input, nil); err != nil {
			t.Errorf("%s: %v", expr, err)
		}
		if got := show(input); got != text {
			t.Fatalf("%s changed its input to %s", expr, got)
		}
	}
}

func TestFromGoResults(t *testing.T) {
	t.Parallel()
	input := FromGo(map[string]any{"b": []any{1, int64(2), uint64(3), json.RawMessage(`{"x": 4}`)}, "a": "s"})
	if got, want := evaluate(t, `[b[3].x, $sum(b[[0..2]]), $keys($)]`, input, nil, Options{}), `[4,6,"a","b"]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
