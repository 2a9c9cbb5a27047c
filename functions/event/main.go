// Command event is the Lambda function that runs a workflow for an EventBridge event,
// and fails with the failure's name when the workflow does.
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
	handler, err := gateway.Event(gateway.Options{Log: lambdalog.New(os.Getenv), Metrics: os.Stdout})
	if err != nil {
		// Printed as it is, on several lines: it names places in the configuration.
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	started()
	lambda.Start(handler)
}
