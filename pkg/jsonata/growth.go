package jsonata

import (
	"slices"
	"unsafe"
)

// $reduce and recursion make accumulators: a value that repeatedly gets a little more at
// one of its ends. Copying it each time would take quadratic time. An accumulator
// therefore has room at its ends, which its next value uses. Earlier values only see
// their own part, and so never change; if one of them is extended a second time, it is
// copied.

// A growth is the array that holds the items of such values.
type growth struct {
	buf        []any
	start, end int // the used part of buf
	exported   int // where the array began that was last exported; -1 if none was
}

const (
	growFrom     = 16  // the number of items from which an accumulator gets extra room
	growTextFrom = 256 // bytes
)

// room is how much more is allocated than is needed.
func room(n int) int { return n + n/4 }

// grownOf returns the array that holds the items of an accumulator, and where they begin;
// nil for other values.
func (ev *evaluator) grownOf(a any) (g *growth, offset int) {
	switch a := a.(type) {
	case *seq:
		return a.grown, a.offset
	case []any: // of an earlier evaluation
		if e := ev.knownOf(a, len(a)); e != nil {
			return e.grown, e.offset
		}
	}
	return nil, 0
}

// added charges for items that were added to an accumulator in its room.
func (ev *evaluator) added(a any, added, n int) {
	ev.use(slotSize * 4)
	if _, outside := a.([]any); outside { // so the limits do not depend on what is known
		ev.use(slotSize * n)
	}
	ev.work(bytesOfItem * added)
}

// extend returns an array of the items of a, which evaluation made, followed by more. It
// may use the room after a.
func (ev *evaluator) extend(a any, more []any) (*seq, error) {
	items := toItems(a)
	n := len(items) + len(more)
	g, offset := ev.grownOf(a)
	if g == nil {
		return ev.newGrowth(items, more, 0, 0)
	}
	end := offset + len(items)
	if end+len(more) <= g.end && slices.EqualFunc(more, g.buf[end:end+len(more)], identical) {
		// The same as was added before, such as by an output that repeats an assignment.
		ev.added(a, len(more), n)
		return &seq{items: g.buf[offset : offset+n : offset+n], grown: g, offset: offset}, nil
	}
	if end == g.end && len(g.buf)-g.end >= len(more) {
		copy(g.buf[g.end:], more)
		g.end += len(more)
		ev.added(a, len(more), n)
		return &seq{items: g.buf[offset:g.end:g.end], grown: g, offset: offset}, nil
	}
	front, spare := 0, 0
	if ev.conf.worth(len(items), growFrom) {
		spare = room(n)
		if offset == g.start { // the next value may use the other end
			front = min(g.start, spare)
		}
	}
	return ev.newGrowth(items, more, front, spare)
}

// extendFront is extend at the other end.
func (ev *evaluator) extendFront(more []any, a any) (*seq, error) {
	items := toItems(a)
	n := len(items) + len(more)
	g, offset := ev.grownOf(a)
	if g == nil {
		return ev.newGrowth(more, items, 0, 0)
	}
	if offset == g.start && g.start >= len(more) {
		g.start -= len(more)
		copy(g.buf[g.start:], more)
		ev.added(a, len(more), n)
		return &seq{items: g.buf[g.start : g.start+n : g.start+n], grown: g, offset: g.start}, nil
	}
	spare, behind := 0, 0
	if ev.conf.worth(len(items), growFrom) {
		spare = room(n)
		if offset+len(items) == g.end {
			behind = min(len(g.buf)-g.end, spare)
		}
	}
	return ev.newGrowth(more, items, spare, behind)
}

// newGrowth joins two lists, with room in front and behind.
func (ev *evaluator) newGrowth(a, b []any, front, behind int) (*seq, error) {
	n := len(a) + len(b)
	if err := ev.reserve(float64(slotSize * (4 + n + front + behind))); err != nil {
		return nil, err
	}
	ev.work(bytesOfItem * n)
	g := &growth{buf: make([]any, front+n+behind), start: front, end: front + n, exported: -1}
	copy(g.buf[front:], a)
	copy(g.buf[front+len(a):], b)
	return &seq{items: g.buf[front:g.end:g.end], grown: g, offset: front}, nil
}

// appendValues is the function $append: arrays are joined, other values are items.
func (ev *evaluator) appendValues(a, b any) (any, error) {
	if IsUndefined(a) {
		return b, nil
	}
	if IsUndefined(b) {
		return a, nil
	}
	x, y := toItems(a), toItems(b)
	if len(x) >= len(y) {
		return ev.extend(a, y)
	}
	return ev.extendFront(x, b)
}

// A textGrowth is the text that holds the accumulators of &.
type textGrowth struct {
	buf        []byte
	start, end int // the used part of buf
}

// is reports whether s is exactly the used part of the buffer.
func (g *textGrowth) is(s string) bool {
	return len(s) == g.end-g.start && len(s) > 0 && unsafe.StringData(s) == &g.buf[g.start] // #nosec G103 -- compared only
}

func (g *textGrowth) text() string {
	return unsafe.String(&g.buf[g.start], g.end-g.start) // #nosec G103 -- the used part is never written again
}

// join is the operator & for two strings, which charges what it allocates. A string that
// & made gets room to grow when it is an operand of & again.
func (ev *evaluator) join(a, b string) (string, error) {
	n := len(a) + len(b)
	if !ev.conf.worth(n, growTextFrom) || len(a) == 0 || len(b) == 0 || halvesMeet(a, b) {
		ev.work(n)
		return joinText(a, b), ev.reserve(float64(n))
	}
	found := ev.searches()
	for i := range found.texts {
		g := &found.texts[i]
		switch {
		case g.is(a):
			return ev.joinGrown(g, b, false)
		case g.is(b):
			return ev.joinGrown(g, a, true)
		}
	}
	return ev.newText(a, b, 0, 0)
}

// joinGrown adds text to the end of a buffer or, if front is set, to its beginning.
func (ev *evaluator) joinGrown(g *textGrowth, more string, front bool) (string, error) {
	n := g.end - g.start + len(more)
	switch {
	case front && g.start >= len(more):
		g.start -= len(more)
		copy(g.buf[g.start:], more)
	case !front && len(g.buf)-g.end >= len(more):
		copy(g.buf[g.end:], more)
		g.end += len(more)
	case front:
		return ev.newText(more, g.text(), room(n), min(len(g.buf)-g.end, room(n)))
	default:
		return ev.newText(g.text(), more, min(g.start, room(n)), room(n))
	}
	ev.work(len(more))
	return g.text(), nil
}

func (ev *evaluator) newText(a, b string, front, behind int) (string, error) {
	n := len(a) + len(b)
	if err := ev.reserve(float64(front + n + behind)); err != nil {
		return "", err
	}
	ev.work(n)
	g := textGrowth{buf: make([]byte, front+n+behind), start: front, end: front + n}
	copy(g.buf[front:], a)
	copy(g.buf[front+len(a):], b)
	found := ev.searches()
	for i := range found.texts { // that of a or b is no longer needed
		if found.texts[i].is(a) || found.texts[i].is(b) {
			found.texts[i] = g
			return g.text(), nil
		}
	}
	found.texts[found.nextText%len(found.texts)] = g
	found.nextText++
	return g.text(), nil
}
