package main

import (
	"context"
	"fmt"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/expressway-dev/expressway/internal/lambdatest"
	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/statesapi"
)

// engineTurns is the number of turns in which the engine and the constant answer are
// called.
const engineTurns = 40

// The workflow has each kind of state that needs no task, and an input to work on.
const (
	workflow = `{"StartAt": "Take", "States": {
	"Take": {"Type": "Pass", "ResultPath": "$.taken", "Result": {"by": "bench"}, "Next": "Which"},
	"Which": {"Type": "Choice", "Choices": [{"Variable": "$.total", "NumericGreaterThan": 10, "Next": "Both"}], "Default": "Done"},
	"Both": {"Type": "Parallel", "ResultPath": "$.both", "Next": "Each", "Branches": [
		{"StartAt": "Left", "States": {"Left": {"Type": "Pass", "Parameters": {"id.$": "$.id"}, "End": true}}},
		{"StartAt": "Right", "States": {"Right": {"Type": "Pass", "Parameters": {"total.$": "$.total"}, "End": true}}}]},
	"Each": {"Type": "Map", "ItemsPath": "$.items", "ResultPath": "$.items", "Next": "Done",
		"ItemProcessor": {"StartAt": "Item", "States": {"Item": {"Type": "Pass", "Parameters": {"sku.$": "$.sku"}, "End": true}}}},
	"Done": {"Type": "Succeed"}}}`
	workflowInput = `{"id":"4711","total":42,"items":[{"sku":"a","n":1},{"sku":"b","n":2},{"sku":"c","n":3}]}`
)

// engine measures the local Step Functions: over the wire against an endpoint whose
// answer is a constant, and in process.
func (b *bench) engine(ctx context.Context, r *report) error {
	b.say("local engine: %d turns of %d calls", engineTurns, b.plan.calls)
	service := statesapi.New(statesapi.Options{})
	defer func() { _ = service.Close(ctx) }() // nothing is running any more
	if err := service.Put("bench", []byte(workflow)); err != nil {
		return fmt.Errorf("create workflow: %w", err)
	}
	if err := b.engineCalls(ctx, r, service, service.ARN("bench")); err != nil {
		return err
	}
	if err := b.engineHTTP(ctx, r, service, service.ARN("bench")); err != nil {
		return err
	}
	return b.engineInProcess(ctx, r)
}

func (b *bench) engineCalls(ctx context.Context, r *report, service *statesapi.Service, machine string) error {
	server := httptest.NewServer(statesapi.NewHandler(service, statesapi.HandlerOptions{}))
	defer server.Close()
	constant := lambdatest.NewStepFunctions(lambdatest.StepFunctionsOptions{})
	defer constant.Close()

	var c comparison
	once := func(endpoint string, into *[]float64) func() error {
		client := newClient(endpoint)
		return func() error {
			runtime.GC()
			began := time.Now()
			for range b.plan.calls {
				out, err := client.StartSyncExecution(ctx, &sfn.StartSyncExecutionInput{
					StateMachineArn: &machine, Input: aws.String(workflowInput),
				})
				if err != nil {
					return fmt.Errorf("call %s: %w", endpoint, err)
				}
				if out.Status != types.SyncExecutionStatusSucceeded {
					return fmt.Errorf("execution is %s: %s: %s", out.Status, aws.ToString(out.Error), aws.ToString(out.Cause))
				}
			}
			*into = append(*into, milliseconds(time.Since(began))/float64(b.plan.calls))
			return nil
		}
	}
	base, ours := once(constant.URL, &c.base), once(server.URL, &c.ours)
	// The first turn makes the connections.
	if err := inTurns(1, base, ours); err != nil {
		return err
	}
	c = comparison{}
	if err := inTurns(engineTurns, base, ours); err != nil {
		return err
	}
	r.add(budgetAPI, c)
	return nil
}

// engineInProcess runs the parsed workflow, from JSON text to JSON text.
func (b *bench) engineInProcess(ctx context.Context, r *report) error {
	machine, err := asl.Parse([]byte(workflow))
	if err != nil {
		return fmt.Errorf("parse workflow: %w", err)
	}
	input := []byte(workflowInput)
	var failure error
	once := func() {
		out := machine.Run(ctx, asl.Environment{}, asl.Execution{Name: "bench", Input: input})
		if out.Status != asl.Succeeded {
			failure = fmt.Errorf("run in process: execution is %s: %s: %s", out.Status, out.Error, out.Cause)
		}
	}
	var took comparison
	for range engineTurns {
		runtime.GC()
		began := time.Now()
		for range b.plan.calls {
			once()
		}
		took.ours = append(took.ours, milliseconds(time.Since(began))*1000/float64(b.plan.calls))
	}
	allocs := comparison{ours: []float64{testing.AllocsPerRun(b.plan.calls, once)}}
	r.add(budgetEngine, took)
	r.add(budgetAllocs, allocs)
	return failure
}

// newClient returns a client with the SDK's defaults, except for the "sync-" before the
// host, which a loopback address cannot have.
func newClient(endpoint string) *sfn.Client {
	return sfn.New(sfn.Options{
		Region:       lambdatest.DefaultRegion,
		BaseEndpoint: &endpoint,
		Credentials:  credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "example", ""),
		APIOptions: []func(*middleware.Stack) error{func(stack *middleware.Stack) error {
			return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("PlainHost",
				func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
					return next.HandleInitialize(smithyhttp.DisableEndpointHostPrefix(ctx, true), in)
				}), middleware.Before)
		}},
	})
}
