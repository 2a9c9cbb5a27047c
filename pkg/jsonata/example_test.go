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

func ExampleStepFunctions() {
	_, err := jsonata.Compile(`$states.input.name ?? "nobody"`, jsonata.StepFunctions())
	fmt.Println(err)
	v, err := jsonata.MustCompile(`$partition([1..5], 2)`, jsonata.StepFunctions()).Eval(context.Background(), jsonata.Undefined, nil)
	print(v)
	fmt.Println(err)
	// Output:
	// S0211: The symbol "?" cannot be used as a unary operator
	// [[1,2],[3,4],[5]]
	// <nil>
}

func ExampleWithFunction() {
	shout := jsonata.WithFunction("shout", "<s-:s>", func(_ context.Context, args []any) (any, error) {
		s, ok := args[0].(string)
		if !ok {
			return jsonata.Undefined, nil
		}
		return strings.ToUpper(s) + "!", nil
	})
	v, err := jsonata.MustCompile(`$map(["a", "b"], $shout)`, shout).Eval(context.Background(), jsonata.Undefined, nil)
	print(v)
	fmt.Println(err)
	// Output:
	// ["A!","B!"]
	// <nil>
}

func ExampleWithClock() {
	clock := jsonata.WithClock(func() time.Time { return time.UnixMilli(0) })
	v, err := jsonata.MustCompile(`$now()`, clock).Eval(context.Background(), jsonata.Undefined, nil)
	fmt.Println(v, err)
	// Output: 1970-01-01T00:00:00.000Z <nil>
}

func ExampleWithMaxTime() {
	expr := jsonata.MustCompile(`($f := function() { $f() }; $f())`, jsonata.WithMaxTime(10*time.Millisecond))
	_, err := expr.Eval(context.Background(), jsonata.Undefined, nil)
	fmt.Println(err)
	// Output: U1001: Evaluation was stopped: it took too long or nested too deeply. Check for infinite recursion
}
