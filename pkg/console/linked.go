package console

import "github.com/expressway-dev/expressway/pkg/bridge"

// A pair is a webhook that was accepted into a queue, and the delivery of its message.
// Both are numbers; 0 is none.
type pair struct{ accepted, worked int }

// link ties the two deliveries of a message together, whichever was settled first; the
// caller holds mu. A message that is delivered again is tied to the latest.
func (r *Recorder) link(i *invocation, in *bridge.Delivery, result bridge.Result, rec *Record) {
	message := result.Accepted
	if in.Accepted {
		message = in.RequestID
	}
	if message == "" {
		return
	}
	t := r.tiesOf(i)
	if t == nil {
		return
	}
	p := r.pairs[message]
	if p == nil {
		p = &pair{}
		r.pairs[message] = p
	}
	rec.Message = message
	t.messages = append(t.messages, message)
	if in.Accepted {
		p.worked = i.id
	} else {
		p.accepted = i.id
		rec.Decision = "accepted"
		rec.Steps = append(rec.Steps, Step{Name: "accept", Result: "ok", Detail: "message " + message})
	}
	if p.accepted == 0 || p.worked == 0 {
		return
	}
	other := p.accepted
	if !in.Accepted {
		other = p.worked
	}
	rec.Linked = other
	if other == i.id {
		return
	}
	r.editKept(other, func(d *Delivery) {
		for n := range d.Records {
			if d.Records[n].Message == message {
				d.Records[n].Linked = i.id
			}
		}
	})
	r.changed(Change{"delivery", other})
}

// unlink forgets the messages of a delivery that is dropped; the caller holds mu.
func (r *Recorder) unlink(id int, t *ties) {
	for _, message := range t.messages {
		p := r.pairs[message]
		if p == nil {
			continue
		}
		if p.accepted == id {
			p.accepted = 0
		}
		if p.worked == id {
			p.worked = 0
		}
		if p.accepted == 0 && p.worked == 0 {
			delete(r.pairs, message)
		}
	}
}
