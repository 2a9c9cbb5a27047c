// Command queue is the Lambda function that runs a workflow for each record of an SQS
// batch, and reports exactly the records to deliver again.
package main

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/expressway-dev/expressway/internal/sqsclient"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/sqsbatch"
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
	var queues []sqsbatch.Option
	if sqsbatch.NeedsQueues(cfg.Routes) {
		queues = append(queues, sqsbatch.WithQueues(sqsclient.FromEnv(getenv)))
	}
	return sqsbatch.New(cfg.Routes, bridge.New(stepfn.New(options), log, nil), log, queues...), nil
}
