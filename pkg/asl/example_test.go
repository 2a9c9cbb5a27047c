package asl_test

import (
	"context"
	"fmt"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/asl/tasks"
)

func Example() {
	machine, err := asl.ParseExpress([]byte(`{
		"QueryLanguage": "JSONata",
		"StartAt": "Price",
		"States": {
			"Price": {
				"Type": "Task",
				"Resource": "arn:aws:states:::lambda:invoke",
				"Arguments": {"FunctionName": "prices", "Payload": {"sku": "{% $states.input.sku %}"}},
				"Assign": {"price": "{% $states.result.Payload.price %}"},
				"Next": "Total"
			},
			"Total": {"Type": "Pass", "Output": {"total": "{% $price * $states.context.Execution.Input.n %}"}, "End": true}
		}
	}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	tasks := tasks.Funcs{"prices": func(context.Context, any) (any, error) {
		return map[string]any{"price": 21}, nil
	}}
	result := machine.Run(context.Background(), asl.Environment{Tasks: tasks}, asl.Execution{Input: []byte(`{"sku": "a", "n": 2}`)})
	fmt.Println(result.Status, string(result.Output))
	// Output: SUCCEEDED {"total":42}
}
