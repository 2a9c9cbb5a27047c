// Command event is the Lambda function that runs a workflow for an EventBridge event,
// and fails with the failure's name when the workflow does.
package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/expressway-dev/expressway/internal/function"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/eventbridge"
)

func main() {
	log := lambdacontext.NewLogger()
	handler, err := newHandler(os.Getenv, log, os.Stdout)
	if err != nil {
		// On several lines, as it stands: it names places in the configuration.
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	lambda.Start(handler)
}

func newHandler(getenv func(string) string, log *slog.Logger, out io.Writer) (lambda.Handler, error) {
	cfg, b, err := function.Load(getenv, log, out, func(r *config.Route) bool { return r.EventBridge != nil })
	if err != nil {
		return nil, err
	}
	return eventbridge.New(cfg.Routes, b, log), nil
}
