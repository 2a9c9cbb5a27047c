package sqsbatch

import (
	"context"

	"github.com/expressway-dev/expressway/pkg/config"
)

// DedupeKey returns the route that takes the one message of an event, and the name of the
// dedupe record that the message would claim. It is for tools: nothing is claimed. The
// route is nil if no route takes the message, and the name is empty if the message has no
// key.
func (b *Batch) DedupeKey(ctx context.Context, payload []byte) (*config.Route, string, error) {
	event, err := decode(payload)
	if err != nil {
		return nil, "", err
	}
	if len(event.records) != 1 {
		return nil, "", notBatch("the event must have exactly one record")
	}
	rec := event.records[0]
	route := b.route(rec)
	if route == nil {
		return nil, "", nil
	}
	if rec.broken != nil {
		return route, "", rec.broken
	}
	key, err := b.bridge.DedupeKey(ctx, b.delivery(route, unit{rec}))
	return route, key, err
}
