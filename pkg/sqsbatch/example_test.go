package sqsbatch_test

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/sqsbatch"
)

// A batch of two records, one of which fails and must be delivered again.
func Example() {
	cfg, err := config.Options{Getenv: func(string) string { return "" }}.Parse("expressway.yaml", []byte(`version: 1
routes:
  - name: orders
    sqs: orders
    start: orders
    input: '{% $message.body %}'
`))
	if err != nil {
		panic(err)
	}
	starter := starterFunc(func(_ context.Context, s bridge.Start) (bridge.Outcome, error) {
		if string(s.Input) == `"bad"` {
			return bridge.Outcome{Status: bridge.Failed, Error: "OrderRejected"}, nil
		}
		return bridge.Outcome{Status: bridge.Succeeded, Output: []byte(`{}`)}, nil
	})
	log := slog.New(slog.DiscardHandler)
	batch := sqsbatch.New(cfg.Routes, bridge.New(starter, bridge.Options{Log: log}), sqsbatch.Options{Log: log})
	response, err := batch.Invoke(context.Background(), []byte(`{"Records": [
		{"messageId": "m-1", "body": "good", "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:orders"},
		{"messageId": "m-2", "body": "bad", "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:orders"}
	]}`))
	fmt.Println(string(response), err)
	// Output: {"batchItemFailures":[{"itemIdentifier":"m-2"}]} <nil>
}
