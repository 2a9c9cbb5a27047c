// Command event is the Lambda function that runs a workflow for an EventBridge event,
// and fails with the failure's name when the workflow does.
package main

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/eventbridge"

	"github.com/expressway-dev/expressway/pkg/stepfn"
)

func main() {
	log := lambdacontext.NewLogger()
	handler, err := newHandler(os.Getenv, log)
	if err != nil {
		// On several lines, as it stands: it names places in the configuration.
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	lambda.Start(handler)
}

func newHandler(getenv func(string) string, log *slog.Logger) (lambda.Handler, error) {
	cfg, err := config.Load(config.Find(getenv), getenv)
	if err != nil {
		return nil, err
	}
	options, err := stepfn.FromEnv(getenv)
	if err != nil {
		return nil, err
	}
	return eventbridge.New(cfg.Routes, bridge.New(stepfn.New(options), log, nil), log), nil
}
