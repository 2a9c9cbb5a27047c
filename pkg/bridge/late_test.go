package bridge_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// Time that is up before an expression has ended is no fault of the expression: it is
// not dead-lettered for it, and the sender may come again.
func TestTimeIsUpBeforeTheStart(t *testing.T) {
	t.Parallel()
	// Long enough that it cannot end before the context has.
	const endless = `$sum([1..1000000].($ * 2)) > 0`
	key := expression(t, endless)
	routes := map[string]*bridge.Route{
		"filter": {Name: "r", StateMachine: "m", Filter: expression(t, endless)},
		"input":  {Name: "r", StateMachine: "m", Input: expression(t, endless)},
		"key":    {Name: "r", StateMachine: "m", Dedupe: &bridge.Dedupe{Key: key, For: time.Hour}},
	}
	for name, route := range routes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
			defer cancel()
			b := bridge.New(nil, slog.New(slog.DiscardHandler), nil)
			r := b.Run(ctx, &bridge.Delivery{Route: route, Kind: "request", Document: func() (any, error) { return nil, nil }})
			if r.ErrorName() != bridge.Unavailable {
				t.Errorf("got %v, want %s", r.Failure, bridge.Unavailable)
			}
		})
	}
}
