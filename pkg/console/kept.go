package console

import (
	"cmp"
	"context"
	"encoding/binary"
	"hash/maphash"
	"slices"
	"sort"
)

// A kept delivery is running, or has ended and is packed.
type keptDelivery struct {
	id      int
	running *invocation // nil once it is packed
	packed  place
	ties    *ties // nil if there are none
	bytes   int   // once it is packed
}

// An invocation is the context of a running delivery. What happens in the context after the
// delivery's end belongs to it, too.
type invocation struct {
	context.Context
	id   int
	room *room // nil once it is packed
}

// Value implements [context.Context].
func (i *invocation) Value(key any) any {
	if key == (deliveryKey{}) {
		return i
	}
	return i.Context.Value(key)
}

// ties are what few deliveries have: names in the recorder's maps, an error, and large
// payloads.
type ties struct {
	messages        []string // in which deliveries were accepted
	tokens          []string // of the tasks that it resumes
	awaits          []string // the ARNs of executions that have yet to begin
	failure         error
	payload, answer []byte
}

func (t *ties) none() bool {
	return len(t.messages)+len(t.tokens)+len(t.awaits) == 0 && t.failure == nil && !t.large()
}

// large reports whether the payloads are here, not in the packed delivery.
func (t *ties) large() bool { return t.payload != nil || t.answer != nil }

// perEntry is the size of a place in a list, which has spare room.
const perEntry = 200

// maxRooms is how many rooms are kept for future deliveries: as many as run concurrently on
// a laptop.
const maxRooms = 8

// maxCopied is the size of payload and answer up to which they are packed. Larger ones are
// kept as they were passed; readers of a packed delivery copy it.
const maxCopied = 8 << 10

// tied returns the ties of a delivery, or nil if there are none.
func (k *keptDelivery) tied() *ties {
	if k.running != nil {
		return &k.running.room.ties
	}
	return k.ties
}

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

// kept returns the delivery with a number, or nil if it was dropped; the caller holds mu.
func (r *Recorder) kept(id int) *keptDelivery {
	return find(r.deliveries.all(), func(k *keptDelivery) int { return cmp.Compare(k.id, id) })
}

// find returns the entry for which compare is 0, or nil. Most searches are for one of
// the latest entries, and those in the middle are not in the processor's cache.
func find[T any](all []T, compare func(*T) int) *T {
	const latest = 4
	last := max(0, len(all)-latest)
	for i := len(all) - 1; i >= last; i-- {
		if compare(&all[i]) == 0 {
			return &all[i]
		}
	}
	if at, found := sort.Find(last, func(i int) int { return -compare(&all[i]) }); found {
		return &all[at]
	}
	return nil
}

// tiesOf returns the ties of a delivery, which may have ended, or nil if it was dropped; the
// caller holds mu.
func (r *Recorder) tiesOf(i *invocation) *ties {
	if i.room != nil {
		if i.room.dropped {
			return nil
		}
		return &i.room.ties
	}
	k := r.kept(i.id)
	if k == nil {
		return nil
	}
	if k.ties == nil {
		k.ties = &ties{}
	}
	return k.ties
}

// pack packs a delivery that has ended; the caller holds mu. One with a message that has
// yet to be settled is unchanged.
func (r *Recorder) pack(i *invocation) {
	ended := i.room
	if len(ended.d.first.list)+len(ended.d.steps) > 0 {
		r.charge(i, len(ended.d.answer))
		return
	}
	i.room = nil
	if !ended.dropped {
		k := r.kept(i.id)
		if k.running, k.bytes = nil, ended.bytes; !ended.ties.none() {
			kept := ended.ties
			k.ties = &kept
		}
		r.repack(k, &ended.d)
	}
	if len(r.rooms) < maxRooms { // nothing else refers to it
		ended.reset()
		r.rooms = append(r.rooms, ended)
	}
}

// repack packs a delivery that has ended or changed.
func (r *Recorder) repack(k *keptDelivery, d *Delivery) {
	payload, answer := d.payload, d.answer
	if large := len(payload)+len(answer) > maxCopied; large || d.failure != nil {
		if k.ties == nil {
			k.ties = &ties{}
		}
		if k.ties.failure = d.failure; large {
			k.ties.payload, k.ties.answer = clipped(payload), clipped(answer)
			payload, answer = nil, nil
		}
	}
	c := codec{out: r.packed.room()}
	c.bytes(&payload)
	c.bytes(&answer)
	d.code(&c)
	before := k.packed
	k.packed = r.packed.keep(c.out)
	r.packed.drop(before)
	n := perEntry + int(k.packed.size)
	if k.ties != nil {
		n += len(k.ties.payload) + len(k.ties.answer)
		for _, token := range k.ties.tokens {
			n += len(token)
		}
	}
	more := n - k.bytes
	k.bytes = n
	r.grow(more)
}

// unpacked returns a delivery that has ended; the caller holds mu.
func (r *Recorder) unpacked(k *keptDelivery) Delivery {
	piece := r.packed.piece(k.packed)
	d := Delivery{ID: k.id}
	d.payload, piece = cutBytes(piece)
	d.answer, piece = cutBytes(piece)
	if t := k.ties; t != nil {
		d.failure, d.tokens = t.failure, t.tokens
		if t.large() {
			d.payload, d.answer = t.payload, t.answer
		}
	}
	d.code(&codec{reading: true, in: string(piece)})
	return d
}

// cutBytes returns the bytes that [codec.bytes] wrote, without a copy, and what follows them.
func cutBytes(b []byte) (first, rest []byte) {
	n, size := binary.Uvarint(b)
	b = b[size:]
	if n == 0 {
		return nil, b
	}
	return b[:n:n], b[n:]
}

// edit changes a delivery, which may have ended: what a function logs afterwards belongs to
// it, too. The caller holds mu.
func (r *Recorder) edit(i *invocation, change func(*Delivery)) {
	if i.room != nil {
		change(&i.room.d)
		return
	}
	r.editKept(i.id, change)
}

// editKept changes the delivery with a number, unless it was dropped.
func (r *Recorder) editKept(id int, change func(*Delivery)) {
	k := r.kept(id)
	switch {
	case k == nil:
	case k.running != nil:
		change(&k.running.room.d)
	default:
		d := r.unpacked(k)
		change(&d)
		if k = r.kept(id); k != nil { // it can be elsewhere, or dropped, if another one grew
			r.repack(k, &d)
		}
	}
}

// snapshot returns a delivery as it is now; the caller holds mu.
func (r *Recorder) snapshot(k *keptDelivery) Delivery {
	var d Delivery
	if k.running == nil {
		d = r.unpacked(k)
	} else { // whose parts can still change
		room := k.running.room
		d = room.d
		d.Records = slices.Clone(d.Records)
		for i := range d.Records {
			d.Records[i].Steps = slices.Clone(d.Records[i].Steps)
		}
		d.Lines = d.logged.appendTo(slices.Clone(d.Lines))
		d.tokens = room.ties.tokens
		d.first, d.steps, d.logged = steps{}, nil, lineLog{}
	}
	if d.Records == nil {
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
	id, delivery int
	name         uint64 // of its ARN
	definition   string
	running      *observed // nil once it is packed
	packed       place
	bytes        int  // once it is packed
	failed       bool // in a state
}

// An observed execution can get events; there is none once it is packed or dropped.
type observed struct {
	id        int
	execution *Execution
}

var seed = maphash.MakeSeed()

// nameOf returns a number for an ARN, which is compared faster than the ARN.
func nameOf(arn string) uint64 { return maphash.String(seed, arn) }

// keptNamed returns the latest execution with an ARN, or nil; the caller holds mu.
func (r *Recorder) keptNamed(arn string) *keptExecution {
	name := nameOf(arn)
	all := r.executions.all()
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].name == name {
			return &all[i]
		}
	}
	return nil
}

// keptExecution returns the execution with a number, or nil if it was dropped; the caller
// holds mu.
func (r *Recorder) keptExecution(id int) *keptExecution {
	return find(r.executions.all(), func(k *keptExecution) int { return cmp.Compare(k.id, id) })
}

// Packing takes as long as writing the values of an execution, so those of a large one stay
// as they are.
const (
	maxPackedEvents = maxSpare
	maxPackedBytes  = 64 << 10
)

// packExecution packs an execution that has ended; the caller holds mu.
func (r *Recorder) packExecution(k *keptExecution) {
	e := k.running.execution
	if e.list.n > maxPackedEvents || e.bytes-len(e.list.first.text) > maxPackedBytes {
		return
	}
	c := codec{out: r.packedExecutions.room()}
	e.code(&c)
	if c.err != nil {
		return
	}
	k.running.execution, k.running = nil, nil
	k.packed = r.packedExecutions.keep(c.out)
	k.bytes = perEntry + int(k.packed.size)
	n := k.bytes - e.bytes
	r.reuse(e)
	r.grow(n)
}

// reuse keeps an execution, to which nothing else refers, for the next one.
func (r *Recorder) reuse(e *Execution) {
	if len(r.spare) == maxRooms {
		return
	}
	*e = Execution{list: eventList{first: e.list.first.empty()}}
	r.spare = append(r.spare, e)
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

// snapshotExecution returns an execution as it is now, with its events if they are wanted;
// the caller holds mu.
func (r *Recorder) snapshotExecution(k *keptExecution, events bool) Execution {
	var e Execution
	if k.running != nil {
		if e = *k.running.execution; e.Stopped != nil {
			e.Stopped = new(e.stopped)
		}
	} else {
		e.code(&codec{reading: true, in: string(r.packedExecutions.piece(k.packed))})
	}
	if events {
		e.events, e.left = e.list.events()
	}
	e.list = eventList{} // which may become another execution's
	e.ID, e.Delivery, e.definition = k.id, k.delivery, k.definition
	return e
}
