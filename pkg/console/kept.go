package console

import (
	"slices"
)

// A kept delivery is running, or has ended and is packed.
type keptDelivery struct {
	id      int
	running *room  // nil once it is packed
	packed  []byte // what [Delivery.code] wrote

	payload, answer []byte
	failure         error
	messages        []string // in which deliveries were accepted
	tokens          []string // of the tasks that it resumes
	awaits          []string // the ARNs of executions that have yet to begin
	bytes           int
	dropped         bool
}

// perDelivery is the size of a packed delivery and of its place in the list.
const perDelivery = 250

// maxRooms is how many rooms are kept for future deliveries: as many as run concurrently on
// a laptop.
const maxRooms = 8

// room returns the room of a new delivery; the caller holds mu.
func (r *Recorder) room() *room {
	n := len(r.rooms)
	if n == 0 {
		return &room{}
	}
	last := r.rooms[n-1]
	r.rooms = r.rooms[:n-1]
	return last
}

// pack packs a delivery that has ended; the caller holds mu. One with a message that has
// yet to be settled stays as it is.
func (r *Recorder) pack(k *keptDelivery) {
	ended := k.running
	k.answer, k.failure = ended.d.answer, ended.d.failure
	if len(ended.d.first.list)+len(ended.d.steps) > 0 {
		r.charge(k, len(k.answer))
		return
	}
	k.running = nil
	if !k.dropped {
		r.repack(k, &ended.d)
	}
	if len(r.rooms) < maxRooms { // nothing else refers to it
		*ended = room{}
		r.rooms = append(r.rooms, ended)
	}
}

// repack packs a delivery that has changed.
func (r *Recorder) repack(k *keptDelivery, d *Delivery) {
	c := codec{out: r.scratch[:0]}
	d.code(&c)
	k.packed = append([]byte(nil), c.out...)
	r.keepScratch(c.out)
	n := perDelivery + len(k.packed) + len(k.payload) + len(k.answer)
	for _, token := range k.tokens {
		n += len(token)
	}
	r.grow(n - k.bytes)
	k.bytes = n
}

// maxScratch is the maximum size of the buffer that is kept for packing.
const maxScratch = 64 << 10

func (r *Recorder) keepScratch(b []byte) {
	if cap(b) <= maxScratch {
		r.scratch = b
	}
}

// unpacked returns a delivery that has ended.
func (k *keptDelivery) unpacked() Delivery {
	d := Delivery{ID: k.id, payload: k.payload, answer: k.answer, failure: k.failure}
	d.code(&codec{reading: true, in: string(k.packed)})
	return d
}

// edit changes a delivery, which may have ended: what a function logs afterwards belongs to
// it, too. The caller holds mu.
func (r *Recorder) edit(k *keptDelivery, change func(*Delivery)) {
	switch {
	case k.running != nil:
		change(&k.running.d)
	case !k.dropped:
		d := k.unpacked()
		change(&d)
		r.repack(k, &d)
	}
}

// snapshot returns a delivery as it is now; the caller holds mu.
func (k *keptDelivery) snapshot() Delivery {
	var d Delivery
	if k.running == nil {
		d = k.unpacked()
	} else { // whose parts can still change
		d = k.running.d
		d.Records = slices.Clone(d.Records)
		for i := range d.Records {
			d.Records[i].Steps = slices.Clone(d.Records[i].Steps)
		}
		d.Lines = slices.Clone(d.Lines)
		for i := range d.Lines {
			d.Lines[i] = d.Lines[i].shown()
		}
		d.first, d.steps = steps{}, nil
	}
	if d.tokens = k.tokens; d.Records == nil {
		d.Records = []Record{}
	}
	if d.Lines == nil {
		d.Lines = []Line{}
	}
	d.entitle()
	return d
}

// A kept execution is running, or has ended and is packed, unless it is large.
type keptExecution struct {
	id          int
	delivery    int
	arn         string
	definition  string
	running     *Execution
	packed      []byte // what [Execution.code] and then [moments.code] wrote
	failedState string
	bytes       int
	dropped     bool
}

// Packing takes as long as writing the values of an execution, so those of a large one stay
// as they are.
const (
	maxPackedEvents = maxSpare
	maxPackedBytes  = 64 << 10
)

// pack packs an execution that has ended; the caller holds mu.
func (r *Recorder) packExecution(k *keptExecution) {
	e := k.running
	if len(e.moments.kept) > maxPackedEvents || k.bytes-perEvent*len(e.moments.kept) > maxPackedBytes {
		return
	}
	c := codec{out: r.scratch[:0], seen: r.seen[:0]}
	e.code(&c)
	e.moments.code(&c)
	if c.err == nil {
		k.packed, k.running = append([]byte(nil), c.out...), nil
		n := perExecution + len(k.packed)
		r.grow(n - k.bytes)
		k.bytes = n
		r.reuse(e)
	}
	clear(c.seen)
	r.seen = c.seen
	r.keepScratch(c.out)
}

// reuse keeps an execution, to which nothing else refers, for the next one.
func (r *Recorder) reuse(e *Execution) {
	events := e.moments.kept
	if cap(events) > maxSpare {
		return
	}
	clear(events)
	*e = Execution{}
	e.moments.kept = events[:0]
	if len(r.spare) < maxRooms {
		r.spare = append(r.spare, e)
	}
}

// execution returns the room of a new execution; the caller holds mu.
func (r *Recorder) execution() *Execution {
	n := len(r.spare)
	if n == 0 {
		return &Execution{}
	}
	last := r.spare[n-1]
	r.spare = r.spare[:n-1]
	return last
}

// snapshot returns an execution as it is now, with its events if they are wanted; the
// caller holds mu.
func (k *keptExecution) snapshot(events bool) Execution {
	var e Execution
	if k.running != nil {
		e = *k.running
	} else {
		c := codec{reading: true, in: string(k.packed)}
		if e.code(&c); events {
			e.moments.code(&c)
		}
	}
	if events {
		e.events = e.moments.events()
	}
	e.moments.kept = nil // which may become another execution's
	e.ID, e.ARN, e.Delivery, e.definition = k.id, k.arn, k.delivery, k.definition
	return e
}
