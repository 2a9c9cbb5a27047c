// Command field is a hand-written function that starts an Express Workflow with one field
// of a large body, which it decodes with encoding/json into a struct. docs/performance.md
// compares the webhook function with it.
package main

import (
	"context"
	"encoding/json"
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

type order struct {
	ID string `json:"id"`
}

func main() {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	client := sfn.NewFromConfig(cfg, sfn.WithAPIOptions(plainHost))
	machine := os.Getenv("STATE_MACHINE_ARN")
	lambda.Start(func(ctx context.Context, r events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		var o order
		if err := json.Unmarshal([]byte(r.Body), &o); err != nil {
			return events.APIGatewayV2HTTPResponse{StatusCode: http.StatusBadRequest}, nil
		}
		input, err := json.Marshal(o)
		if err != nil {
			return events.APIGatewayV2HTTPResponse{}, err
		}
		out, err := client.StartSyncExecution(ctx, &sfn.StartSyncExecutionInput{
			StateMachineArn: &machine, Input: aws.String(string(input)),
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
