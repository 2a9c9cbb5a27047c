package gateway_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/bridge/bridgetest"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/gateway"
	"github.com/expressway-dev/expressway/pkg/jsonata"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// A function with an expressway.yaml of its own, a logger, and a JSONata function that the
// file's expressions may call. Without a Starter it would start executions on AWS.
func ExampleWebhook() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	file := dir + "/expressway.yaml"
	if err := os.WriteFile(file, []byte(`version: 1
routes:
  - name: orders
    http: POST /orders/{shop}
    verify: none
    start: orders
    input: '{% $shout($request.params.shop) %}'
`), 0o600); err != nil {
		panic(err)
	}
	shout := func(_ context.Context, args []any) (any, error) { return strings.ToUpper(args[0].(string)), nil }
	handler, err := gateway.Webhook(gateway.Options{
		Config:  file,
		Starter: bridgetest.StarterFunc(echo),
		Log:     slog.New(slog.DiscardHandler), // on Lambda lambdacontext.NewLogger()
		JSONata: []jsonata.Option{jsonata.WithFunction("shout", "<s:s>", shout)},
	})
	if err != nil {
		panic(err)
	}
	answer, err := handler.Invoke(context.Background(), []byte(`{
		"version": "2.0", "rawPath": "/orders/hats", "body": "{}",
		"requestContext": {"requestId": "r-1", "http": {"method": "POST", "path": "/orders/hats"}}}`)) // then lambda.Start(handler)
	fmt.Println(strings.Contains(string(answer), `"body":"\"HATS\""`), err)
	// Output: true <nil>
}

// Two handlers of one program, with routes that are made in Go and the same dedupe store.
func ExampleNew() {
	g, err := gateway.New(gateway.Options{
		Routes: []*config.Route{
			{Route: bridge.Route{Name: "hook", StateMachine: "orders"}, HTTP: &config.HTTP{Pattern: "POST /hook", Verify: verify.Spec{None: true}}},
			{Route: bridge.Route{Name: "orders", StateMachine: "orders"}, SQS: &config.SQS{Queue: "orders"}},
		},
		Starter: bridgetest.StarterFunc(echo),
	})
	if err != nil {
		panic(err)
	}
	answer, err := g.Queue().Invoke(context.Background(), []byte(`{"Records": [{"messageId": "m-1", "receiptHandle": "h", "body": "{}",
		"eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:orders"}]}`))
	fmt.Println(string(answer), err)
	// Output: {"batchItemFailures":[]} <nil>
}

// echo ends each execution with its own input.
func echo(_ context.Context, s bridge.Start) (bridge.Outcome, error) {
	return bridge.Outcome{ExecutionARN: "arn:echo:" + s.Name, Name: s.Name, Status: bridge.Succeeded, Output: s.Input}, nil
}
