package eventbridge_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/bridge/bridgetest"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/eventbridge"
)

// An event whose workflow fails is an error with the failure's name, so that Lambda's
// retries and destinations take over.
func Example() {
	cfg, err := config.Options{Getenv: func(string) string { return "" }}.Parse("expressway.yaml", []byte(`version: 1
routes:
  - name: payments
    eventbridge: {source: shop}
    start: payments
`))
	if err != nil {
		panic(err)
	}
	log := slog.New(slog.DiscardHandler)
	event := []byte(`{"id": "e-1", "source": "shop", "detail-type": "Payment received", "detail": {"amount": 5}}`)
	for _, starter := range []bridge.Starter{bridgetest.Succeed(`{"booked":true}`), bridgetest.Fail("LedgerClosed", "try again tomorrow")} {
		response, err := eventbridge.New(cfg.Routes, bridge.New(starter, bridge.Options{Log: log}), eventbridge.Options{Log: log}).Invoke(context.Background(), event)
		var failed messages.InvokeResponse_Error
		if errors.As(err, &failed) {
			fmt.Println("fails with", failed.Type)
			continue
		}
		fmt.Println(string(response))
	}
	// Output:
	// {"route":"payments","executionArn":"arn:aws:states:us-east-1:123456789012:express:test:payments-e-1:1","status":"SUCCEEDED","output":{"booked":true}}
	// fails with LedgerClosed
}
