package metrics_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/bridge/bridgetest"
	"github.com/expressway-dev/expressway/pkg/metrics"
)

// A bridge whose deliveries are counted as on Lambda, where Out is standard output.
func ExampleNew() {
	var lines bytes.Buffer
	clock := func() time.Time { return time.UnixMilli(1_800_000_000_000) }
	w := metrics.New(metrics.Options{Out: &lines, Namespace: "Shop", Now: clock})
	b := bridge.New(bridgetest.Succeed(`{}`), bridge.Options{Log: slog.New(slog.DiscardHandler), Now: clock, Observer: w})
	d := &bridge.Delivery{
		Route: &bridge.Route{Name: "orders", StateMachine: "orders"}, ID: "d-1", Kind: "event", ReceivedAt: clock(),
		Document: func() (any, error) { return nil, nil },
	}
	ctx, end := b.Begin(context.Background())
	r := b.Run(ctx, d)
	b.Settle(ctx, d, r, bridge.Settlement{Final: true})
	end()
	var line struct {
		Source              string
		Received, Succeeded int
	}
	fmt.Println(json.Unmarshal(lines.Bytes(), &line), line.Source, line.Received, line.Succeeded)
	// Output: <nil> eventbridge 1 1
}
