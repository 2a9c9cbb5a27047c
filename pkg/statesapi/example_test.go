package statesapi_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/statesapi"
)

// greeter is an engine whose every state machine greets.
type greeter struct{}

func (g greeter) Parse([]byte, string) (statesapi.Program, error) { return g, nil }

func (greeter) Validate([]byte, string) []statesapi.Diagnostic { return nil }

func (greeter) Run(context.Context, statesapi.Execution) statesapi.Result {
	return statesapi.Result{Status: bridge.Succeeded, Output: []byte(`"hello"`)}
}

// A service behind HTTP, as any SDK sees it.
func ExampleHandler() {
	service := statesapi.New(statesapi.Options{Engine: greeter{}})
	defer service.Close(context.Background())
	if err := service.Put("greet", []byte(`{}`)); err != nil {
		panic(err)
	}

	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"stateMachineArn": "orders"}`))
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Target", "AWSStepFunctions.StartSyncExecution")
	w := httptest.NewRecorder()
	statesapi.NewHandler(service, statesapi.HandlerOptions{}).ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body)
	// Output: 400 {"__type":"com.amazonaws.swf.service.v2.model#InvalidArn","message":"Invalid Arn: 'Invalid ARN prefix: orders'"}
}

// The same service as the Starter of the bridge's adapters.
func ExampleService_Starter() {
	service := statesapi.New(statesapi.Options{Engine: greeter{}})
	defer service.Close(context.Background())
	if err := service.Put("greet", []byte(`{}`)); err != nil {
		panic(err)
	}
	out, err := service.Starter().StartSync(context.Background(), bridge.Start{StateMachineARN: service.ARN("greet")})
	fmt.Println(out.Status, string(out.Output), err)
	// Output: SUCCEEDED "hello" <nil>
}

// A worker of an activity, in the same process: it takes a task, and reports its result.
func ExampleService_ActivityTask() {
	service := statesapi.New(statesapi.Options{})
	defer service.Close(context.Background())
	name := "approve"
	activity, err := service.CreateActivity(&name, nil)
	if err != nil {
		panic(err)
	}
	definition := `{"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "` + activity.ActivityARN + `", "End": true}}}`
	if err := service.PutKind("orders", statesapi.Standard, []byte(definition)); err != nil {
		panic(err)
	}
	started, err := service.Starter().Start(context.Background(), bridge.Start{StateMachineARN: service.ARN("orders"), Name: "o-1", Input: []byte(`{"id":1}`)})
	if err != nil {
		panic(err)
	}
	task, err := service.ActivityTask(context.Background(), &activity.ActivityARN, nil)
	if err != nil {
		panic(err)
	}
	output := `{"approved":true}`
	fmt.Println(started.Status, *task.Input, service.SendTaskSuccess(statesapi.TaskAnswer{Token: task.TaskToken, Output: &output}))
	// Output: RUNNING {"id":1} <nil>
}

// A program that cleans up after its workers deletes the activities that it finds.
func ExampleService_ListActivities() {
	service := statesapi.New(statesapi.Options{})
	defer service.Close(context.Background())
	name := "approve"
	if _, err := service.CreateActivity(&name, nil); err != nil {
		panic(err)
	}
	list, err := service.ListActivities(statesapi.ListInput{})
	if err != nil {
		panic(err)
	}
	for _, activity := range list.Activities {
		fmt.Println(activity.Name, service.DeleteActivity(&activity.ActivityARN))
	}
	list, err = service.ListActivities(statesapi.ListInput{})
	fmt.Println(len(list.Activities), err)
	// Output:
	// approve <nil>
	// 0 <nil>
}
