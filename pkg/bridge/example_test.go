package bridge_test

import (
	"context"
	"fmt"
	"time"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/bridge/bridgetest"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A delivery is filtered, becomes an input, and starts an execution. The adapter of its
// source makes an answer of the result.
func Example() {
	b := bridge.New(bridgetest.Succeed(`{"shipped":true}`), bridge.Options{})
	route := &bridge.Route{
		Name:         "orders",
		StateMachine: "arn:aws:states:eu-west-1:123456789012:stateMachine:orders",
		Filter:       bridge.Expression(jsonata.MustCompile(`$event.total > 0`), "route orders: filter"),
		Input:        bridge.Expression(jsonata.MustCompile(`{"id": $event.id}`), "route orders: input"),
	}
	for _, text := range []string{`{"id": "o-1", "total": 12}`, `{"id": "o-2", "total": 0}`} {
		result := b.Run(context.Background(), &bridge.Delivery{
			Route: route, ID: "d-1", Kind: "event", ReceivedAt: time.Now(),
			Document: func() (any, error) { return jsonata.Decode([]byte(text)) },
		})
		if result.Filtered {
			fmt.Println("filtered")
			continue
		}
		fmt.Println(result.Outcome.Status, string(result.Outcome.Output))
	}
	// Output:
	// SUCCEEDED {"shipped":true}
	// filtered
}
