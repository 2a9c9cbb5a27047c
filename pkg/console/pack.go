package console

import (
	"encoding/binary"
	"errors"
	"log/slog"
	"math"
	"slices"
	"time"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A codec writes values one after the other, or reads them in the same order. What has
// ended is kept in one piece without pointers: the garbage collector does not look into it.
// If a thousand deliveries were kept in their parts, marking those would cost more than all
// other recording.
type codec struct {
	reading bool
	out     []byte
	in      string

	// The values of events: many are the input of one state and the output of another. The
	// first is the execution's input.
	input []byte
	seen  []any // the written values that have an identity
	texts []*jsonata.Raw
	err   error
}

// errCut reports a text that ends too early, which no text written by a codec does.
var errCut = errors.New("a packed text that ends too early")

func (c *codec) uint(n *uint64) {
	if !c.reading {
		if *n < 0x80 {
			c.out = append(c.out, byte(*n))
		} else {
			c.out = binary.AppendUvarint(c.out, *n)
		}
		return
	}
	*n = 0
	for shift := 0; shift < 64 && len(c.in) > 0; shift += 7 {
		b := c.in[0]
		c.in = c.in[1:]
		*n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return
		}
	}
	c.err = errCut
}

func (c *codec) int64(n *int64) {
	u := uint64(*n)<<1 ^ uint64(*n>>63) //nolint:gosec // small numbers of either sign are short
	c.uint(&u)
	*n = int64(u>>1) ^ -int64(u&1) //nolint:gosec // as above
}

// fixed codes a number that is hardly ever small.
func (c *codec) fixed(n *uint64) {
	const size = 8
	switch {
	case !c.reading:
		c.out = binary.LittleEndian.AppendUint64(c.out, *n)
	case len(c.in) < size:
		c.err = errCut
	default:
		*n = binary.LittleEndian.Uint64([]byte(c.in[:size]))
		c.in = c.in[size:]
	}
}

func (c *codec) int(n *int) {
	long := int64(*n)
	c.int64(&long)
	*n = int(long)
}

func (c *codec) bool(b *bool) {
	var n uint64
	if *b {
		n = 1
	}
	c.uint(&n)
	*b = n == 1
}

func (c *codec) float(f *float64) {
	n := math.Float64bits(*f)
	c.fixed(&n)
	*f = math.Float64frombits(n)
}

func (c *codec) text(s *string) {
	n := uint64(len(*s))
	if !c.reading {
		if n < 0x80 {
			c.out = append(append(c.out, byte(n)), *s...)
		} else {
			c.out = append(binary.AppendUvarint(c.out, n), *s...)
		}
		return
	}
	switch c.uint(&n); {
	case n > uint64(len(c.in)):
		c.err, c.in, *s = errCut, "", ""
	default:
		*s, c.in = c.in[:n], c.in[n:]
	}
}

func (c *codec) bytes(b *[]byte) {
	if !c.reading {
		n := uint64(len(*b))
		c.uint(&n)
		c.out = append(c.out, *b...)
		return
	}
	var s string
	if c.text(&s); s != "" {
		*b = []byte(s)
	}
}

// time records whether a time is in UTC; any other is in this machine's zone.
func (c *codec) time(t *time.Time) {
	var zone uint64
	switch {
	case t.IsZero():
	case t.Location() == time.UTC:
		zone = 1
	default:
		zone = 2
	}
	c.uint(&zone)
	if zone == 0 {
		return
	}
	nano := uint64(t.UnixNano()) //nolint:gosec // converted back when it is read
	c.fixed(&nano)
	if c.reading {
		if *t = time.Unix(0, int64(nano)); zone == 1 { //nolint:gosec // as above
			*t = t.UTC()
		}
	}
}

// list codes the length of a list, and makes the list when it is read.
func list[T any](c *codec, l *[]T) []T {
	n := uint64(len(*l))
	c.uint(&n)
	if c.reading && n > 0 && c.err == nil {
		*l = make([]T, n)
	}
	return *l
}

// maxBackwards is how many values are compared with the next one.
const maxBackwards = 8

// value codes a value of an event: as text, unless it is the same as an earlier one.
func (c *codec) value(v *any) {
	if c.reading {
		var n uint64
		switch c.uint(&n); {
		case n == 0:
		case n == 1:
			var s string
			c.text(&s)
			raw := jsonata.NewRaw([]byte(s))
			c.texts, *v = append(c.texts, raw), raw
		case n-2 < uint64(len(c.texts)):
			*v = c.texts[n-2]
		default:
			c.err = errCut
		}
		return
	}
	if *v == nil {
		c.out = append(c.out, 0)
		return
	}
	var identity any
	switch v := (*v).(type) {
	case *jsonata.Raw, *jsonata.Object:
		identity = v
		for i := len(c.seen) - 1; i >= max(0, len(c.seen)-maxBackwards); i-- {
			if c.seen[i] == identity {
				c.out = binary.AppendUvarint(c.out, uint64(i)+2) //nolint:gosec // it is not negative
				return
			}
		}
	}
	raw, ok := (*v).(*jsonata.Raw)
	if ok && len(c.input) > 0 && len(raw.Text()) == len(c.input) && &raw.Text()[0] == &c.input[0] {
		c.out = append(c.out, 2)
		return
	}
	c.seen = append(c.seen, identity)
	c.out = append(c.out, 1)
	if ok {
		text := raw.Text()
		c.bytes(&text)
		return
	}
	// Room for the length, which is only known afterwards.
	const room = 3
	at := len(c.out)
	c.out = append(c.out, make([]byte, room)...)
	var err error
	if c.out, err = jsonata.AppendJSON(c.out, *v); err != nil {
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

func (c *codec) object(o **jsonata.Object) {
	var v any
	if *o != nil {
		v = *o
	}
	if c.value(&v); c.reading && v != nil {
		decoded, err := jsonata.Decode(v.(*jsonata.Raw).Text())
		if err != nil {
			c.err = err
			return
		}
		*o, _ = jsonata.Force(decoded).(*jsonata.Object)
	}
}

// code codes what is shown of a delivery, except for its payload and its answer.
func (d *Delivery) code(c *codec) {
	c.text(&d.Function)
	c.time(&d.Received)
	c.float(&d.Milliseconds)
	c.bool(&d.OK)
	for _, s := range [...]*string{&d.Title, &d.Route, &d.Decision, &d.Reason, &d.Status, &d.Error, &d.Cause, &d.State, &d.Origin} {
		c.text(s)
	}
	records := list(c, &d.Records)
	for i := range records {
		records[i].code(c)
	}
	lines := list(c, &d.Lines)
	for i := range lines {
		lines[i].code(c)
	}
}

func (r *Record) code(c *codec) {
	for _, s := range [...]*string{&r.ID, &r.Route, &r.Decision, &r.Reason, &r.Error, &r.Cause, &r.State, &r.Then, &r.ExecutionARN, &r.Message, &r.Status} {
		c.text(s)
	}
	c.int(&r.Execution)
	c.int(&r.Linked)
	steps := list(c, &r.Steps)
	for i := range steps {
		s := &steps[i]
		c.text(&s.Name)
		c.text(&s.Result)
		c.text(&s.Detail)
		c.bytes((*[]byte)(&s.Value))
	}
}

// The kinds of attributes that are not shown as texts.
const (
	attrText = iota
	attrInt
	attrFloat
	attrBool
)

func (l *Line) code(c *codec) {
	c.time(&l.Time)
	c.text(&l.Level)
	c.text(&l.Message)
	if c.reading {
		var n uint64
		c.uint(&n)
		l.Attrs = make(map[string]any, n)
		for ; n > 0 && c.err == nil; n-- {
			l.readAttr(c)
		}
		return
	}
	if l.Attrs != nil { // of a delivery that was packed before
		n := uint64(len(l.Attrs))
		c.uint(&n)
		for name, v := range l.Attrs {
			writeAttr(c, slog.Any(name, v))
		}
		return
	}
	n := uint64(len(l.outer) + l.own.NumAttrs()) //nolint:gosec // not negative
	c.uint(&n)
	l.each(func(a slog.Attr) { writeAttr(c, a) })
}

func writeAttr(c *codec, a slog.Attr) {
	c.text(&a.Key)
	switch v := a.Value.Resolve(); v.Kind() {
	case slog.KindInt64:
		kind, n := uint64(attrInt), v.Int64()
		c.uint(&kind)
		c.int64(&n)
	case slog.KindFloat64:
		kind, f := uint64(attrFloat), v.Float64()
		c.uint(&kind)
		c.float(&f)
	case slog.KindBool:
		kind, b := uint64(attrBool), v.Bool()
		c.uint(&kind)
		c.bool(&b)
	default:
		kind, s := uint64(attrText), v.String()
		c.uint(&kind)
		c.text(&s)
	}
}

func (l *Line) readAttr(c *codec) {
	var name string
	var kind uint64
	c.text(&name)
	switch c.uint(&kind); kind {
	case attrInt:
		var n int64
		c.int64(&n)
		l.Attrs[name] = n
	case attrFloat:
		var f float64
		c.float(&f)
		l.Attrs[name] = f
	case attrBool:
		var b bool
		c.bool(&b)
		l.Attrs[name] = b
	default:
		var s string
		c.text(&s)
		l.Attrs[name] = s
	}
}

// code codes an execution without its events, its definition and its numbers.
func (e *Execution) code(c *codec) {
	for _, s := range [...]*string{&e.Machine, &e.MachineARN, &e.Name, &e.TestCase, &e.Status, &e.Error, &e.Cause, &e.FailedState} {
		c.text(s)
	}
	c.bool(&e.Sync)
	c.time(&e.Started)
	var stopped time.Time
	if e.Stopped != nil {
		stopped = *e.Stopped
	}
	if c.time(&stopped); c.reading && !stopped.IsZero() {
		e.Stopped = &stopped
	}
	c.bytes(&e.input)
	c.bytes(&e.output)
	if c.input, c.seen = e.input, append(c.seen, nil); c.reading {
		c.texts = append(c.texts, jsonata.NewRaw(e.input))
	}
}

// code codes events.
func (m *moments) code(c *codec) {
	c.int(&m.left)
	kept := list(c, &m.kept)
	for i := range kept {
		kept[i].code(c)
	}
}

func (m *moment) code(c *codec) {
	id, previous, at := uint64(m.id), uint64(m.previous), uint64(m.at) //nolint:gosec // neither is negative
	c.uint(&id)
	c.uint(&previous)
	c.fixed(&at)
	c.text(&m.kind)
	c.text(&m.name)
	whole := m.whole != nil
	c.bool(&whole)
	if c.reading {
		m.id, m.previous, m.at = int32(id), int32(previous), int64(at) //nolint:gosec // as they were
	}
	if !whole {
		c.value(&m.value)
		return
	}
	if m.whole == nil {
		m.whole = &asl.Event{ID: int64(m.id), PreviousID: int64(m.previous), Time: time.Unix(0, m.at), Type: m.kind, Name: m.name}
	}
	e := m.whole
	for _, n := range [...]*int{&e.Index, &e.Length, &e.TimeoutSeconds, &e.HeartbeatSeconds} {
		c.int(n)
	}
	for _, s := range [...]*string{&e.Resource, &e.ResourceType, &e.RoleARN, &e.Region, &e.Worker, &e.Location, &e.Error, &e.Cause} {
		c.text(s)
	}
	c.value(&e.Input)
	c.value(&e.Output)
	c.object(&e.Assigned)
}

// clipped returns bytes without a larger array behind them.
func clipped(b []byte) []byte {
	const spare = 1 << 10
	if cap(b) > len(b)+len(b)/4+spare {
		return slices.Clone(b)
	}
	return b
}
