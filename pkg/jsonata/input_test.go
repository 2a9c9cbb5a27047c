package jsonata

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
)

// A value that the package does not support is reported, instead of being nothing to every expression.
func TestNoValue(t *testing.T) {
	t.Parallel()
	input := map[string]any{"a": 1}
	tests := []struct {
		expr  string
		input any
		vars  map[string]any
		want  string
	}{
		{`a`, input, nil, "the input is a map[string]interface {}"},
		{`1`, struct{}{}, nil, "the input is a struct {}"},
		{`$v.a`, Undefined, map[string]any{"v": input}, "the variable $v is a map[string]interface {}"},
		{`$v`, Undefined, map[string]any{"v": 1}, "the variable $v is a int"},
		{`1 + $v`, Undefined, map[string]any{"v": 1}, "the variable $v is a int"},
		{`$v.a[0]`, Undefined, map[string]any{"v": []string{"x"}}, "the variable $v is a []string"},
	}
	for _, tt := range tests {
		_, err := MustCompile(tt.expr).Eval(context.Background(), tt.input, tt.vars)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got error %v, want: %s", tt.expr, err, tt.want)
		}
	}
	if v, err := MustCompile(`$v`).Eval(context.Background(), Undefined, map[string]any{"v": nil}); v != nil || err != nil {
		t.Errorf("a variable that is nil: got %v, %v", v, err)
	}
}

func TestFromGoNumbers(t *testing.T) {
	t.Parallel()
	got := FromGo([]any{
		int(-1), int8(-8), int16(-16), int32(-32), int64(-64), uint(1), uint8(8), uint16(16), uint32(32), uint64(1<<64 - 1),
		float32(0.1), 0.1, json.Number("1.50"),
	})
	if want := `[-1,-8,-16,-32,-64,1,8,16,32,18446744073709551615,0.1,0.1,1.50]`; show(got) != want {
		t.Errorf("got %s, want %s", show(got), want)
	}
	if got := evaluate(t, `$sum($)`, got, nil, Options{}); !strings.HasPrefix(got, "18446744073709552000") {
		t.Errorf("the sum is %s", got)
	}
}

// An error that a function returns repeatedly stays as it is.
func TestErrorOfFunctionIsNotChanged(t *testing.T) {
	t.Parallel()
	mine := &Error{Code: "X1", Position: -1, Message: "mine"}
	expr := Options{Functions: function(t, "f", "", func(context.Context, []any) (any, error) { return nil, mine })}.MustCompile(`1 + $f()`)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			_, err := expr.Eval(context.Background(), Undefined, nil)
			var e *Error
			if !errors.As(err, &e) || e.Code != "X1" || e.Position != 6 || e.Token != "f" {
				t.Errorf("got error %+v", err)
			}
		})
	}
	wg.Wait()
	if mine.Position != -1 || mine.Token != "" {
		t.Errorf("the function's error became %+v", mine)
	}
}

// An expression can be given other limits while it is evaluated.
func TestWithBesideEvaluation(t *testing.T) {
	t.Parallel()
	f := func(v any) Options {
		return Options{Functions: function(t, "f", "", func(context.Context, []any) (any, error) { return v, nil })}
	}
	base := f(1.0).MustCompile(`$eval("$f()")`)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if got := evaluateExpr(t, base.With(f(2.0))); got != "1" {
				t.Errorf("with another function: got %s, want that of the compilation", got)
			}
		})
		wg.Go(func() {
			if got := evaluateExpr(t, base); got != "1" {
				t.Errorf("got %s, want 1", got)
			}
		})
	}
	wg.Wait()
}

// function is the list of one function of [NewFunction].
func function(t *testing.T, name, signature string, f func(context.Context, []any) (any, error)) []*Function {
	t.Helper()
	made, err := NewFunction(name, signature, f)
	if err != nil {
		t.Fatal(err)
	}
	return []*Function{nil, made}
}

func evaluateExpr(t *testing.T, e *Expr) string {
	t.Helper()
	v, err := e.Eval(context.Background(), Undefined, nil)
	if err != nil {
		t.Error(err)
	}
	return show(v)
}

// One expression, 64 goroutines, and inputs that must not be changed.
func TestManyGoroutines(t *testing.T) {
	t.Parallel()
	const text = `{"a":[{"b":3,"c":["x"],"s":"caat"},{"b":1},{"b":2}],"raw":{"k":[1,2,3]},"m":[[1],[2,[3]]]}`
	input := decode(t, []byte(text)).(*Object)
	input.Set("raw", NewRaw([]byte(`{"k":[1,2,3]}`)))
	exprs := []*Expr{
		MustCompile(`[a^(b).b, $sum(raw.k), a.c[], a{$string(b): $}, $ ~> |a|{"b": 0}|, /a+/("caat").match, a@$v.($v.b)]`),
		MustCompile(`{"match": $match(a.s, /(a)(z)?/), "sort": $sort(m, function($l, $r) { $count($l) > $count($r) }), "parent": a.c.%.b}`),
		MustCompile(`($f := function($n) { $n = 0 ? raw.k : $f($n - 1) }; [$f(50), $fromMillis(0, "[Y]-[Mn]"), $toMillis("2020", "[Y]"), $eval("a[0].b")])`),
		Options{StepFunctions: true}.MustCompile(`$states.a.b ~> $map(function($v) { $formatNumber($v, "0.0") & $hash("x", "MD5") })`),
	}
	vars := map[string]any{"states": input}
	want := make([]string, len(exprs))
	for i, e := range exprs {
		v, err := e.Eval(context.Background(), input, vars)
		if err != nil {
			t.Fatalf("%s: %v", e, err)
		}
		want[i] = show(v)
	}
	var wg sync.WaitGroup
	for i := range 64 {
		e, want := exprs[i%len(exprs)], want[i%len(exprs)]
		wg.Go(func() {
			for range 10 {
				got, err := e.Eval(context.Background(), input, vars)
				if err != nil || show(got) != want {
					t.Errorf("%s: got %s, %v; want %s", e, show(got), err, want)
				}
			}
		})
	}
	wg.Wait()
	if got := show(input); got != text {
		t.Errorf("the input became %s", got)
	}
}
