package sqsbatch

import (
	"errors"
	"log/slog"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// resolve finds the route of a record, once. In the queue of a route that accepts
// deliveries, it is the route that the record's envelope names; in any other queue, it is
// the first route whose queue pattern matches. A queue for accepted deliveries contains
// nothing else, so that anyone who may send to it can only start a route that names it.
func (b *Batch) resolve(rec *record) {
	if rec.resolved {
		return
	}
	rec.resolved = true
	accepting := false
	for _, r := range b.accepting {
		accepting = accepting || r.SQS.Takes(rec.queueARN)
	}
	if accepting {
		var e *bridge.Envelope
		rec.route, e, rec.foreign = b.accepted(rec)
		rec.enveloped = e != nil
		rec.release()
		return
	}
	for _, r := range b.routes {
		if r.SQS.Takes(rec.queueARN) {
			rec.route = r
			return
		}
	}
}

// accepted reads the envelope of a record. The error explains why it is not one.
func (b *Batch) accepted(rec *record) (*config.Route, *bridge.Envelope, error) {
	if !rec.readable || rec.broken != nil {
		return nil, nil, nil
	}
	e, err := bridge.DecodeEnvelope(rec.body())
	if err != nil {
		return nil, nil, err
	}
	for _, r := range b.accepting {
		if r.Name == e.Route && r.SQS.Takes(rec.queueARN) {
			return r, &e, nil
		}
	}
	return nil, nil, errors.New("the envelope names a route that does not accept deliveries into this queue")
}

// acceptedDelivery returns the delivery that an envelope holds. It has the sender's id and
// the trace of the webhook.
func (b *Batch) acceptedDelivery(route *config.Route, rec *record) *bridge.Delivery {
	e, _ := bridge.DecodeEnvelope(rec.body()) // it was already read without an error
	header := rec.attribute("AWSTraceHeader")
	d := &bridge.Delivery{
		Route:        &route.Route,
		ID:           e.DeliveryID,
		RequestID:    rec.id,
		Kind:         "message",
		Attrs:        []slog.Attr{slog.String("queue", rec.queue), slog.String("messageId", rec.id)},
		Document:     func() (any, error) { return rec.document(route) },
		DefaultInput: func() (any, error) { return jsonata.NewRaw(e.Input), nil },
		Accepted:     true,
		Key:          e.Dedupe,
		TraceHeader:  first(header, e.Trace),
		ReceivedAt:   b.bridge.Now(),
	}
	if header != "" {
		d.TraceLinks = []string{header}
	}
	return d
}
