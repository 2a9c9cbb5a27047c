package bridge_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// Time that is up before an expression has ended is not a fault of the expression: it is
// not dead-lettered for it, and the sender may retry.
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
			b := bridge.New(nil, bridge.Options{Log: slog.New(slog.DiscardHandler)})
			r := b.Run(ctx, &bridge.Delivery{Route: route, Kind: "request", Document: func() (any, error) { return nil, nil }})
			if r.ErrorName() != bridge.Unavailable {
				t.Errorf("got %v, want %s", r.Failure, bridge.Unavailable)
			}
		})
	}
}

// An expression that runs out of time before anything was sent may be faster at the next
// attempt; one that takes too many steps takes as many again.
func TestExpressionsBeyondTheirLimits(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		limit jsonata.Options
		want  string
		class bridge.Class
	}{
		"time":  {jsonata.Options{StepFunctions: true, MaxTime: time.Nanosecond}, bridge.Unavailable, bridge.Retryable},
		"steps": {jsonata.Options{StepFunctions: true, MaxSteps: 1000}, bridge.ExpressionFailed, bridge.Permanent},
		"depth": {jsonata.Options{StepFunctions: true, MaxEvalDepth: 2}, bridge.ExpressionFailed, bridge.Permanent},
		"data":  {jsonata.Options{StepFunctions: true, MaxAllocation: 1000}, bridge.ExpressionFailed, bridge.Permanent},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := tt.limit.Compile(`$sum([1..10000].($ * 2)) > 0`)
			if err != nil {
				t.Fatal(err)
			}
			template := bridge.Expression(e, "route r: filter")
			for where, route := range map[string]*bridge.Route{
				"filter": {Name: "r", StateMachine: "m", Filter: template},
				"input":  {Name: "r", StateMachine: "m", Input: template},
				"key":    {Name: "r", StateMachine: "m", Dedupe: &bridge.Dedupe{Key: template, For: time.Hour}},
			} {
				b := bridge.New(nil, bridge.Options{Log: slog.New(slog.DiscardHandler)})
				r := b.Run(context.Background(), &bridge.Delivery{Route: route, Kind: "request", Document: func() (any, error) { return nil, nil }})
				if r.ErrorName() != tt.want || r.Failure.Class() != tt.class {
					t.Errorf("%s: got %v, want %s, %s", where, r.Failure, tt.want, tt.class)
				}
			}
		})
	}
}
