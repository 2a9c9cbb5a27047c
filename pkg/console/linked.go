package console

import "github.com/expressway-dev/expressway/pkg/bridge"

// A pair is a webhook that was accepted into a queue, and the delivery of its message.
type pair struct{ accepted, worked *keptDelivery }

// link ties the two deliveries of a message together, whichever was settled first; the
// caller holds mu. A message that is delivered again is tied to the latest.
func (r *Recorder) link(k *keptDelivery, in *bridge.Delivery, result bridge.Result, rec *Record) {
	message := result.Accepted
	if in.Accepted {
		message = in.RequestID
	}
	if message == "" || k.dropped {
		return
	}
	p := r.pairs[message]
	if p == nil {
		p = &pair{}
		r.pairs[message] = p
	}
	rec.Message = message
	k.messages = append(k.messages, message)
	if in.Accepted {
		p.worked = k
	} else {
		p.accepted = k
		rec.Decision = "accepted"
		rec.Steps = append(rec.Steps, Step{Name: "accept", Result: "ok", Detail: "message " + message})
	}
	if p.accepted == nil || p.worked == nil {
		return
	}
	other := p.accepted
	if !in.Accepted {
		other = p.worked
	}
	rec.Linked = other.id
	if other == k {
		return
	}
	r.edit(other, func(d *Delivery) {
		for i := range d.Records {
			if d.Records[i].Message == message {
				d.Records[i].Linked = k.id
			}
		}
	})
	r.changed(Change{"delivery", other.id})
}

// unlink forgets the messages of a delivery that is dropped; the caller holds mu.
func (r *Recorder) unlink(k *keptDelivery) {
	for _, message := range k.messages {
		p := r.pairs[message]
		if p == nil {
			continue
		}
		if p.accepted == k {
			p.accepted = nil
		}
		if p.worked == k {
			p.worked = nil
		}
		if p.accepted == nil && p.worked == nil {
			delete(r.pairs, message)
		}
	}
}
