// Package bootstrap is the main function of the Lambda functions.
package bootstrap

import (
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/expressway-dev/expressway/internal/lambdalog"
	"github.com/expressway-dev/expressway/internal/memlimit"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/gateway"
)

// Run makes the function's handler and serves invocations with it. It does not return.
func Run(handler func(gateway.Options) (lambda.Handler, error)) {
	memlimit.Set(os.Getenv)
	started := memlimit.Quiet(os.Getenv, config.Find(os.Getenv))
	h, err := handler(gateway.Options{Log: lambdalog.New(os.Getenv), Metrics: os.Stdout})
	if err != nil {
		// Printed as it is, on several lines: it names places in the configuration.
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	started()
	lambda.Start(h)
}
