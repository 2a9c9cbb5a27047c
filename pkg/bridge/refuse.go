package bridge

import "context"

// Refuse returns the result of a delivery that an adapter rejected before [Bridge.Run].
// The result's scope has the failure, for the expressions of the answer.
func (b *Bridge) Refuse(ctx context.Context, d *Delivery, f *Failure) Result {
	limited, cancel := b.withDeadline(ctx, d.Route)
	cancel()
	r := Result{Failure: f, Scope: newScope(limited, b, d)}
	r.Scope.settle(r)
	return r
}
