package console

import "github.com/expressway-dev/expressway/pkg/bridge"

// A pair is a webhook that was accepted into a queue, and the delivery of its message.
type pair struct{ accepted, worked *Delivery }

// link ties the two deliveries of a message together, whichever was settled first; the
// caller holds mu. A message that comes again is tied to the latest.
func (r *Recorder) link(d *Delivery, in *bridge.Delivery, result bridge.Result, rec *Record) {
	message := result.Accepted
	if in.Accepted {
		message = in.RequestID
	}
	if message == "" || d.dropped {
		return
	}
	p := r.pairs[message]
	if p == nil {
		p = &pair{}
		r.pairs[message] = p
	}
	rec.Message = message
	d.messages = append(d.messages, message)
	if in.Accepted {
		p.worked = d
	} else {
		p.accepted = d
		rec.Decision = "accepted"
		rec.Steps = append(rec.Steps, Step{Name: "accept", Result: "ok", Detail: "message " + message})
	}
	if p.accepted == nil || p.worked == nil {
		return
	}
	rec.Linked = p.accepted.ID
	other := p.accepted
	if !in.Accepted {
		rec.Linked, other = p.worked.ID, p.worked
	}
	for i := range other.Records {
		if other.Records[i].Message == message {
			other.Records[i].Linked = d.ID
			r.changed(Change{"delivery", other.ID})
		}
	}
}

// unlink forgets the messages of a delivery that is let go; the caller holds mu.
func (r *Recorder) unlink(d *Delivery) {
	for _, message := range d.messages {
		p := r.pairs[message]
		if p == nil {
			continue
		}
		if p.accepted == d {
			p.accepted = nil
		}
		if p.worked == d {
			p.worked = nil
		}
		if p.accepted == nil && p.worked == nil {
			delete(r.pairs, message)
		}
	}
}
