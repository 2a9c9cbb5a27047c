package tasks_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/asl/tasks"
)

// A state machine whose Task invokes a function that an endpoint of Lambda's protocol runs,
// such as `sam local start-lambda`.
func ExampleLambda() {
	lambda := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		payload, _ := io.ReadAll(r.Body)
		fmt.Println(r.URL.Path, string(payload))
		fmt.Fprint(w, `{"price":21}`)
	}))
	defer lambda.Close()

	machine, err := asl.ParseExpress([]byte(`{"StartAt": "Price", "States": {"Price": {
		"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:prices", "End": true}}}`))
	if err != nil {
		panic(err)
	}
	runner := &tasks.Lambda{Endpoint: lambda.URL, Client: lambda.Client()}
	result := machine.Run(context.Background(), asl.Environment{Tasks: runner}, asl.Execution{Input: []byte(`{"sku":"a"}`)})
	fmt.Println(result.Status, string(result.Output))
	// Output:
	// /2015-03-31/functions/prices/invocations {"sku":"a"}
	// SUCCEEDED {"price":21}
}
