package bridge

import "context"

// Refuse returns the result of a delivery that an adapter turned away before
// [Bridge.Run]: what the answer is made of sees the failure in its scope.
func (b *Bridge) Refuse(ctx context.Context, d *Delivery, f *Failure) Result {
	limited, cancel := b.withDeadline(ctx, d.Route)
	cancel()
	r := Result{Failure: f, Scope: newScope(limited, b, d)}
	r.Scope.settle(r)
	return r
}
