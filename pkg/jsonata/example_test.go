package jsonata_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

func print(v any) {
	text, err := jsonata.AppendJSON(nil, v)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(text))
}

func Example() {
	order, err := jsonata.Decode([]byte(`{"id": 9007199254740993, "lines": [{"sku": "a", "price": 2.50, "n": 2}, {"sku": "b", "price": 1, "n": 3}]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	expr, err := jsonata.Compile(`{"id": id, "total": $sum(lines.(price * n)), "skus": lines.sku}`)
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := expr.Eval(context.Background(), order, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	print(v)
	// Output: {"id":9007199254740993,"total":8,"skus":["a","b"]}
}

func ExampleCompile_error() {
	_, err := jsonata.Compile(`$request.body.`)
	var e *jsonata.Error
	if errors.As(err, &e) {
		fmt.Println(e.Code, e.Position, e.Message)
	}
	// Output: S0207 14 Unexpected end of expression
}

func ExampleExpr_Eval() {
	expr := jsonata.MustCompile(`$request.headers."x-github-event" = "push"`)
	headers := &jsonata.Object{}
	headers.Set("x-github-event", "push")
	request := &jsonata.Object{}
	request.Set("headers", headers)
	v, err := expr.Eval(context.Background(), jsonata.Undefined, map[string]any{"request": request})
	fmt.Println(v, err)

	v, err = jsonata.MustCompile(`$request.body`).Eval(context.Background(), jsonata.Undefined, map[string]any{"request": request})
	fmt.Println(v, v == jsonata.Undefined, err)
	// Output:
	// true <nil>
	// undefined true <nil>
}

func ExampleExpr_Variables() {
	expr := jsonata.MustCompile(`($n := $request.body.n; $n > $limit)`)
	fmt.Println(expr.Variables())
	// Output: [limit request]
}

func ExampleExpr_References() {
	expr := jsonata.MustCompile(`$request.boddy.id = 1 and total > 3`)
	show(expr.References())
	// Output:
	// "request" at 0, member "boddy" at 9
	// "request" at 0, member "id" at 15
	// "total" at 26 has no context
}

// References can be found without compiling.
func ExampleCheck() {
	references, err := jsonata.Check(`$request.id > total`)
	show(references)
	fmt.Println(err)
	_, err = jsonata.Check(`$request.`)
	fmt.Println(err)
	// Output:
	// "request" at 0, member "id" at 9
	// "total" at 14 has no context
	// <nil>
	// S0207: Unexpected end of expression
}

func show(references []jsonata.Reference) {
	for _, r := range references {
		for _, m := range r.Members {
			fmt.Printf("%q at %d, member %q at %d\n", r.Name, r.Position, m.Name, m.Position)
		}
		if r.Top {
			fmt.Printf("%q at %d has no context\n", r.Name, r.Position)
		}
	}
}

func ExampleExpr_Path() {
	fmt.Println(jsonata.MustCompile(`$request.body.id`).Path())
	fmt.Println(jsonata.MustCompile(`$request.body.id + 1`).Path())
	// Output:
	// [request body id]
	// []
}

func ExampleOptions_stepFunctions() {
	_, err := jsonata.Options{StepFunctions: true}.Compile(`$states.input.name ?? "nobody"`)
	fmt.Println(err)
	v, err := jsonata.Options{StepFunctions: true}.MustCompile(`$partition([1..5], 2)`).Eval(context.Background(), jsonata.Undefined, nil)
	print(v)
	fmt.Println(err)
	// Output:
	// S0211: The symbol "?" cannot be used as a unary operator
	// [[1,2],[3,4],[5]]
	// <nil>
}

func ExampleOptions_functions() {
	shout := jsonata.MustFunction("shout", "<s-:s>", func(_ context.Context, args []any) (any, error) {
		s, ok := args[0].(string)
		if !ok {
			return jsonata.Undefined, nil
		}
		return strings.ToUpper(s) + "!", nil
	})
	v, err := jsonata.Options{Functions: []*jsonata.Function{shout}}.MustCompile(`$map(["a", "b"], $shout)`).Eval(context.Background(), jsonata.Undefined, nil)
	print(v)
	fmt.Println(err)
	// Output:
	// ["A!","B!"]
	// <nil>
}

func ExampleOptions_clock() {
	v, err := jsonata.Options{Clock: func() time.Time { return time.UnixMilli(0) }}.MustCompile(`$now()`).Eval(context.Background(), jsonata.Undefined, nil)
	fmt.Println(v, err)
	// Output: 1970-01-01T00:00:00.000Z <nil>
}

func ExampleOptions_maxTime() {
	expr := jsonata.Options{MaxTime: 10 * time.Millisecond}.MustCompile(`($f := function() { $f() }; $f())`)
	_, err := expr.Eval(context.Background(), jsonata.Undefined, nil)
	fmt.Println(err)
	// Output: U1001: Evaluation was stopped: it ran out of time
}

func ExampleExpr_EvalEnv() {
	expr := jsonata.Options{StepFunctions: true}.MustCompile(`{"id": $uuid(), "at": $now(), "to": $name}`)
	uuid, err := jsonata.NewFunction("uuid", "<:s>", func(context.Context, []any) (any, error) { return "execution-1", nil })
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := expr.EvalEnv(context.Background(), jsonata.Undefined, jsonata.Env{
		Vars:  variables{"uuid": uuid, "name": "Ada"},
		Clock: func() time.Time { return time.UnixMilli(0) },
	})
	print(v)
	fmt.Println(err)
	// Output:
	// {"id":"execution-1","at":"1970-01-01T00:00:00.000Z","to":"Ada"}
	// <nil>
}

type variables map[string]any

func (v variables) Lookup(name string) (any, bool) {
	value, ok := v[name]
	return value, ok
}

func ExampleError_Unwrap() {
	_, err := jsonata.Options{MaxAllocation: 1 << 20}.MustCompile(`[1..1000000]`).Eval(context.Background(), jsonata.Undefined, nil)
	fmt.Println(errors.Is(err, jsonata.ErrAllocation), err)
	// Output: true U1002: Evaluation was stopped: it made too much data
}

func ExampleNewRaw() {
	request := jsonata.NewObject(1)
	request.Set("body", jsonata.NewRaw([]byte(`{"price":  2.50}`))) // never decoded: it is only passed on
	v, err := jsonata.MustCompile(`{"order": $request.body}`).Eval(context.Background(), jsonata.Undefined, map[string]any{"request": request})
	print(v)
	fmt.Println(err)
	// Output:
	// {"order":{"price":  2.50}}
	// <nil>
}

func ExampleFromGo() {
	v, err := jsonata.MustCompile(`items[n > 1].name`).Eval(context.Background(), jsonata.FromGo(map[string]any{
		"items": []any{map[string]any{"name": "a", "n": 1}, map[string]any{"name": "b", "n": 2}},
	}), nil)
	print(v)
	fmt.Println(err)
	// Output:
	// "b"
	// <nil>
}

func ExampleDecode() {
	v, err := jsonata.Decode([]byte(`{"z": 1.50, "a": 9007199254740993}`))
	print(v) // as it was: the order of the members, and all digits
	fmt.Println(err)
	_, err = jsonata.Decode([]byte(`{"z": 1.}`))
	fmt.Println(err)
	// Output:
	// {"z":1.50,"a":9007199254740993}
	// <nil>
	// invalid JSON at offset 8: expected a digit after '.'
}

func ExampleExpr_With() {
	expr := jsonata.MustCompile(`$millis()`)
	fixed := expr.With(jsonata.Options{Clock: func() time.Time { return time.UnixMilli(1500000000123) }})
	v, err := fixed.Eval(context.Background(), jsonata.Undefined, nil)
	print(v)
	fmt.Println(err)
	// Output:
	// 1500000000123
	// <nil>
}

func ExampleNewFunction() {
	price, err := jsonata.NewFunction("price", "<s:n>", func(_ context.Context, args []any) (any, error) {
		if args[0] == "apple" {
			return 1.25, nil
		}
		return jsonata.Undefined, nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	vars := map[string]any{"price": price}
	v, err := jsonata.MustCompile(`2 * $price("apple")`).Eval(context.Background(), jsonata.Undefined, vars)
	print(v)
	fmt.Println(err)
	_, err = jsonata.MustCompile(`2 * $price(5)`).Eval(context.Background(), jsonata.Undefined, vars)
	fmt.Println(err)
	// Output:
	// 2.5
	// <nil>
	// T0410: Argument 1 of function "price" does not match function signature
}

func ExampleObject() {
	o := jsonata.NewObject(2)
	o.Set("name", "Ada")
	o.Set("born", 1815.0)
	for i := range o.Len() {
		name, value := o.At(i)
		fmt.Println(name, value)
	}
	// Output:
	// name Ada
	// born 1815
}
