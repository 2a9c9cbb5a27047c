package console

import (
	"encoding/binary"
	"errors"
	"log/slog"
	"math"
	"slices"
	"time"
)

// A codec writes values one after the other, or reads them in the same order. What has
// ended is kept in one piece without pointers: the garbage collector does not look into it.
// If a thousand deliveries were kept in their parts, marking those would cost more than all
// other recording.
type codec struct {
	reading bool
	out     []byte
	in      string

	values []any // of events
	err    error
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
	n := uint64(len(d.Lines) + d.logged.n) //nolint:gosec // not negative
	if c.uint(&n); c.reading && n > 0 && c.err == nil {
		d.Lines = make([]Line, n)
	}
	for i := range d.Lines {
		d.Lines[i].code(c)
	}
	c.out = append(c.out, d.logged.text...)
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
	n := uint64(len(l.Attrs))
	if c.uint(&n); c.reading {
		l.Attrs = make(map[string]any, n)
		for ; n > 0 && c.err == nil; n-- {
			l.readAttr(c)
		}
		return
	}
	for name, v := range l.Attrs {
		writeAttr(c, slog.Any(name, v))
	}
}

// A lineLog holds log lines as [Line.code] writes them.
type lineLog struct {
	n    int
	text []byte
}

// add keeps a line of a logger with attributes.
func (l *lineLog) add(line *slog.Record, outer []slog.Attr) {
	c := codec{out: l.text}
	c.time(&line.Time)
	level := line.Level.String()
	c.text(&level)
	c.text(&line.Message)
	n := uint64(len(outer) + line.NumAttrs()) //nolint:gosec // not negative
	c.uint(&n)
	for _, a := range outer {
		writeAttr(&c, a)
	}
	line.Attrs(func(a slog.Attr) bool {
		writeAttr(&c, a)
		return true
	})
	l.text = c.out
	l.n++
}

// appendTo appends the lines to a list.
func (l *lineLog) appendTo(lines []Line) []Line {
	c := codec{reading: true, in: string(l.text)}
	for range l.n {
		var line Line
		line.code(&c)
		lines = append(lines, line)
	}
	return lines
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

// code codes an execution without its definition and its numbers.
func (e *Execution) code(c *codec) {
	for _, s := range [...]*string{&e.ARN, &e.Machine, &e.MachineARN, &e.Name, &e.TestCase, &e.Status, &e.Error, &e.Cause, &e.FailedState} {
		c.text(s)
	}
	c.bool(&e.Sync)
	c.time(&e.Started)
	var stopped time.Time
	if e.Stopped != nil {
		stopped = *e.Stopped
	}
	if c.time(&stopped); c.reading && !stopped.IsZero() {
		e.Stopped = new(stopped)
	}
	c.bytes(&e.input)
	c.bytes(&e.output)
	c.int(&e.list.n)
	e.list.first.code(c, e.input)
}

// clipped returns bytes without a larger array behind them.
func clipped(b []byte) []byte {
	const spare = 1 << 10
	if cap(b) > len(b)+len(b)/4+spare {
		return slices.Clone(b)
	}
	return b
}
