// Command webhook is the Lambda function that answers HTTP requests from API Gateway, a
// Function URL or a load balancer with the outcome of a workflow.
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/expressway-dev/expressway/internal/lambdalog"
	"github.com/expressway-dev/expressway/internal/memlimit"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/gateway"
)

func main() {
	memlimit.Set(os.Getenv)
	started := memlimit.Quiet(os.Getenv, config.Find(os.Getenv))
	handler, err := gateway.Webhook(gateway.Options{Log: lambdalog.New(os.Getenv), Metrics: os.Stdout})
	if err != nil {
		// Printed as it is, on several lines: it names places in the configuration.
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	started()
	lambda.Start(handler)
}
