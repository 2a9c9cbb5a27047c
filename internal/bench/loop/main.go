// Command loop is the function against which the queue function is measured with large
// batches: a plain loop over the records with a semaphore, which starts an execution for
// each.
package main

import (
	"context"
	"log"
	"os"
	"sync"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

const concurrency = 10

func main() {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	client := sfn.NewFromConfig(cfg, sfn.WithAPIOptions(plainHost))
	machine := os.Getenv("STATE_MACHINE_ARN")
	lambda.Start(func(ctx context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
		var (
			response events.SQSEventResponse
			mu       sync.Mutex
			running  sync.WaitGroup
		)
		semaphore := make(chan struct{}, concurrency)
		for _, r := range e.Records {
			semaphore <- struct{}{}
			running.Go(func() {
				defer func() { <-semaphore }()
				out, err := client.StartSyncExecution(ctx, &sfn.StartSyncExecutionInput{StateMachineArn: &machine, Input: &r.Body})
				if err != nil || aws.ToString(out.Output) == "" {
					mu.Lock()
					defer mu.Unlock()
					response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: r.MessageId})
				}
			})
		}
		running.Wait()
		return response, nil
	})
}

// plainHost keeps "sync-" away from the host, which is a loopback address here.
func plainHost(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("PlainHost",
		func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			return next.HandleInitialize(smithyhttp.DisableEndpointHostPrefix(ctx, true), in)
		}), middleware.Before)
}
