// Command minimal is the function that the budgets in docs/performance.md are measured
// against: the least one can write to start an Express Workflow from an HTTP API. It
// verifies nothing, maps nothing, logs nothing and takes the SDK's defaults.
package main

import (
	"context"
	"log"
	"net/http"
	"os"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

func main() {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	client := sfn.NewFromConfig(cfg, sfn.WithAPIOptions(plainHost))
	machine := os.Getenv("STATE_MACHINE_ARN")
	lambda.Start(func(ctx context.Context, r events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		out, err := client.StartSyncExecution(ctx, &sfn.StartSyncExecutionInput{
			StateMachineArn: &machine, Input: &r.Body,
		})
		if err != nil {
			return events.APIGatewayV2HTTPResponse{}, err
		}
		return events.APIGatewayV2HTTPResponse{StatusCode: http.StatusOK, Body: aws.ToString(out.Output)}, nil
	})
}

// plainHost keeps "sync-" away from the host, which is a loopback address here. It is
// the one thing that the function would not need on AWS.
func plainHost(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("PlainHost",
		func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			return next.HandleInitialize(smithyhttp.DisableEndpointHostPrefix(ctx, true), in)
		}), middleware.Before)
}
