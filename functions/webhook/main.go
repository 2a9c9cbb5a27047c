// Command webhook is the Lambda function that answers HTTP requests from API Gateway, a
// Function URL or a load balancer with the outcome of a workflow.
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/expressway-dev/expressway/pkg/gateway"
)

func main() {
	handler, err := gateway.Webhook(gateway.Options{Log: lambdacontext.NewLogger(), Metrics: os.Stdout})
	if err != nil {
		// Printed as it is, on several lines: it names places in the configuration.
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	lambda.Start(handler)
}
