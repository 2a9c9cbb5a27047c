package console

import (
	"slices"
	"time"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// An eventLog holds events as text, which takes a few bytes for each instead of hundreds, and
// their values apart: those of a running execution are not written as JSON until it ends.
type eventLog struct {
	n      int
	text   []byte
	values []any
}

// add keeps an event, and returns the size of its text and its values that are new.
func (l *eventLog) add(e *asl.Event) (size int, values []any) {
	c := codec{out: l.text, values: l.values}
	codeEvent(&c, e)
	size, values = len(c.out)-len(l.text), c.values[len(l.values):]
	l.n++
	l.text = c.out
	if len(values) > 0 {
		l.values = c.values
	}
	return size, values
}

// appendTo appends the events to a list.
func (l *eventLog) appendTo(list []asl.Event) []asl.Event {
	c := codec{reading: true, in: string(l.text), values: l.values}
	for range l.n {
		var e asl.Event
		if codeEvent(&c, &e); c.err != nil {
			break
		}
		list = append(list, e)
	}
	return list
}

// empty returns a log without events in the same memory, unless that is large.
func (l *eventLog) empty() eventLog {
	const most = maxSpare * 64
	if cap(l.text) > most || cap(l.values) > maxSpare {
		return eventLog{}
	}
	clear(l.values)
	return eventLog{text: l.text[:0], values: l.values[:0]}
}

func (l *eventLog) code(c *codec, input []byte) {
	c.int(&l.n)
	c.texts(&l.values, input)
	c.bytes(&l.text)
}

// codeEvent codes an event. Most say which state was entered or left, when, and with which
// value.
func codeEvent(c *codec, e *asl.Event) {
	id, previous, at := uint64(e.ID), uint64(e.PreviousID), uint64(0) //nolint:gosec // neither is negative
	if !c.reading {
		at = uint64(e.Time.UnixNano()) //nolint:gosec // converted back when it is read
	}
	c.uint(&id)
	c.uint(&previous)
	c.fixed(&at)
	c.text(&e.Type)
	c.text(&e.Name)
	c.value(&e.Input)
	c.value(&e.Output)
	if c.reading {
		e.ID, e.PreviousID, e.Time = int64(id), int64(previous), time.Unix(0, int64(at)) //nolint:gosec // as they were
	}
	more := e.Assigned != nil || e.Index|e.Length|e.TimeoutSeconds|e.HeartbeatSeconds != 0 ||
		len(e.Resource)+len(e.ResourceType)+len(e.RoleARN)+len(e.Region)+len(e.Worker)+len(e.Location)+len(e.Error)+len(e.Cause) != 0
	if c.bool(&more); !more {
		return
	}
	for _, n := range [...]*int{&e.Index, &e.Length, &e.TimeoutSeconds, &e.HeartbeatSeconds} {
		c.int(n)
	}
	for _, s := range [...]*string{&e.Resource, &e.ResourceType, &e.RoleARN, &e.Region, &e.Worker, &e.Location, &e.Error, &e.Cause} {
		c.text(s)
	}
	c.object(&e.Assigned)
}

// maxBackwards is how many values are compared with the next one.
const maxBackwards = 8

// value codes a value of an event by its number among the values: many are the input of one
// state and the output of another.
func (c *codec) value(v *any) {
	var n uint64
	if !c.reading {
		n = c.number(*v)
	}
	switch c.uint(&n); {
	case !c.reading || n == 0:
	case n <= uint64(len(c.values)):
		*v = c.values[n-1]
	default:
		c.err = errCut
	}
}

// number returns the number of a value, from 1; 0 is none.
func (c *codec) number(v any) uint64 {
	switch v.(type) {
	case nil:
		return 0
	case *jsonata.Raw, *jsonata.Object: // which have an identity
		for i := len(c.values) - 1; i >= max(0, len(c.values)-maxBackwards); i-- {
			if c.values[i] == v {
				return uint64(i) + 1 //nolint:gosec // it is not negative
			}
		}
	}
	c.values = append(c.values, v)
	return uint64(len(c.values))
}

func (c *codec) object(o **jsonata.Object) {
	var v any
	if *o != nil {
		v = *o
	}
	if c.value(&v); !c.reading || v == nil {
		return
	}
	if raw, ok := v.(*jsonata.Raw); ok { // as it is written
		if v, c.err = jsonata.Decode(raw.Text()); c.err != nil {
			return
		}
	}
	*o, _ = jsonata.Force(v).(*jsonata.Object)
}

// texts codes values as JSON. One that is the execution's input is not written again.
func (c *codec) texts(values *[]any, input []byte) {
	for i := range list(c, values) {
		v := &(*values)[i]
		raw, ok := (*v).(*jsonata.Raw)
		same := ok && len(input) > 0 && len(raw.Text()) == len(input) && &raw.Text()[0] == &input[0]
		c.bool(&same)
		switch {
		case c.reading && same:
			*v = jsonata.NewRaw(input)
		case c.reading:
			var text []byte
			c.bytes(&text)
			*v = jsonata.NewRaw(text)
		case same:
		case ok:
			text := raw.Text()
			c.bytes(&text)
		default:
			c.json(*v)
		}
	}
}

// json writes a value as bytes that are JSON.
func (c *codec) json(v any) {
	// Room for the length, which is only known afterwards.
	const room = 3
	at := len(c.out)
	c.out = append(c.out, make([]byte, room)...)
	var err error
	if c.out, err = jsonata.AppendJSON(c.out, v); err != nil {
		c.err = err
		return
	}
	n := len(c.out) - at - room
	if n >= 1<<(7*room) {
		c.err = errCut
		return
	}
	for i := range room { // a varint may be longer than necessary
		c.out[at+i] = byte(n>>(7*i))&0x7f | 0x80
	}
	c.out[at+room-1] &= 0x7f
}

// An eventList holds the events of an execution; if there are too many, the first and the
// last: the beginning and the end are more informative than the middle.
type eventList struct {
	first         eventLog
	before, after eventLog // the latest, which are in the second if there are few
	n             int
}

// add keeps an event, as [eventLog.add] does.
func (l *eventList) add(e *asl.Event) (size int, values []any) {
	const half = maxEvents / 2
	if l.n++; l.n <= half {
		return l.first.add(e)
	}
	if l.after.n == half {
		l.before, l.after = l.after, l.before.empty()
	}
	return l.after.add(e)
}

// events returns the events in order, and how many are left out in the middle.
func (l *eventList) events() (list []asl.Event, left int) {
	const half = maxEvents / 2
	list = l.first.appendTo(make([]asl.Event, 0, min(l.n, maxEvents)))
	if l.n > half {
		latest := l.after.appendTo(l.before.appendTo(nil))
		left = max(0, len(list)+len(latest)-maxEvents)
		list = append(list, latest[left:]...)
	}
	return slices.Clip(list), l.n - len(list)
}
