// Command embed is a program outside of the module: the three handlers, with a Starter, a logger and a JSONata function of its own.
package main

import (
	"context"
	"log"
	"log/slog"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/gateway"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

type echo struct{} // runs no state machine: each execution succeeds with its own input as the output

func (echo) StartSync(_ context.Context, s bridge.Start) (bridge.Outcome, error) {
	return bridge.Outcome{Name: s.Name, Status: bridge.Succeeded, Output: s.Input}, nil
}

func (echo) Start(_ context.Context, s bridge.Start) (bridge.Outcome, error) {
	return bridge.Outcome{Name: s.Name, Status: bridge.Running}, nil
}

func shout(_ context.Context, args []any) (any, error) { return strings.ToUpper(args[0].(string)), nil }

func main() {
	make := map[string]func(gateway.Options) (lambda.Handler, error){"webhook": gateway.Webhook, "queue": gateway.Queue, "event": gateway.Event}
	handler, err := make[os.Getenv("_HANDLER")](gateway.Options{
		Starter: echo{},
		Log:     slog.New(slog.NewTextHandler(os.Stderr, nil)),
		JSONata: jsonata.Options{Functions: []*jsonata.Function{jsonata.MustFunction("shout", "<s:s>", shout)}},
	})
	if err != nil {
		log.Fatal(err)
	}
	lambda.Start(handler)
}
