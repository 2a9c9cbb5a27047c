// Command webhook is the Lambda function that answers HTTP requests from API Gateway, a
// Function URL or a load balancer with the outcome of a workflow.
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
	"github.com/expressway-dev/expressway/pkg/httpfront"
	"github.com/expressway-dev/expressway/pkg/secrets"
	"github.com/expressway-dev/expressway/pkg/secrets/awsstore"
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
	cfg, b, err := function.Load(getenv, log, out, func(r *config.Route) bool { return r.HTTP != nil })
	if err != nil {
		return nil, err
	}
	source := secrets.NewSource(secrets.Options{Getenv: getenv, Fetchers: awsstore.Fetchers(getenv), Log: log})
	front, err := httpfront.New(cfg.Routes, b, source, log)
	if err != nil {
		return nil, err
	}
	return front, nil
}
