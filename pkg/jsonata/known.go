package jsonata

// A Known remembers, from one evaluation to the next, what evaluations have found out about
// the large arrays and objects of their results. With it, an array that $append extends in
// each evaluation of a series is not copied each time, and what a result takes over from
// its variables is not examined again. One evaluation at a time may use it.
//
// The values must not be changed while they are remembered. An array is the same value as
// long as its first item is in the same place in memory, even if it has become longer.
type Known interface {
	// Find returns what Keep was given for an array or an object, or nil.
	Find(v any) *Extent
	// Keep remembers e for an array or an object, in place of what Find returned.
	Keep(v any, e *Extent)
}

// An Extent holds what is known about an array or an object.
type Extent struct {
	// The first n items or members have been exported: they took so many bytes, and nest
	// so deeply.
	n, bytes, depth int
	// The items before front and from made on are in memory that the last evaluation wrote.
	front, made int
	grown       *growth
	offset      int
}

// Made reports whether item i of an array was stored by the evaluation that returned it, so
// that nothing else refers to its place yet.
func (e *Extent) Made(i int) bool { return i < e.front || i >= e.made }

// Front returns how many items an evaluation put in front of an array that was returned
// before, and that is in place behind them; 0 if it did not.
func (e *Extent) Front() int { return e.front }

const (
	knownFrom  = 64 // the number of items or members from which values are remembered; arrays with room, from growFrom
	knownDepth = 4  // how deep in a result they may be
)

// knownOf returns what is known about a value with n items or members.
func (ev *evaluator) knownOf(v any, n int) *Extent {
	if ev.known == nil || !ev.conf.worth(n, growFrom) {
		return nil
	}
	return ev.known.Find(v)
}

// An exporting is the export of one array or object.
type exporting struct {
	e        *Extent
	n, depth int
	// What is known to have been exported before are the items or members from front to until.
	front, until int
	made         int64
	deepest      int // of what was exported before
	keep         bool
}

// begin charges for the part of a value that earlier evaluations exported. The value has n
// items or members; s is nil if it is not an array that the evaluation made.
func (ev *evaluator) begin(v any, n, depth int, s *seq) (x exporting) {
	if ev.known == nil || depth > knownDepth {
		return x
	}
	least := knownFrom
	if s != nil && s.grown != nil {
		least = growFrom
	}
	x = exporting{n: n, depth: depth, made: ev.made, deepest: ev.deepest, keep: ev.conf.worth(n, least)}
	x.e = ev.knownOf(v, n)
	ev.deepest = depth
	part := x.e
	if part == nil && s != nil && s.grown != nil && s.grown.exported > s.offset && s.grown.exported < s.offset+n {
		x.front = s.grown.exported - s.offset
		part = ev.knownOf(s.items[x.front:], n-x.front)
	}
	if part == nil || depth+part.depth > maxDepth {
		x.front = 0
		return x
	}
	x.until = min(x.front+part.n, n)
	ev.use(part.bytes * (x.until - x.front) / part.n) // what a part takes is not known exactly
	ev.deepest += part.depth
	return x
}

// next returns the item or member at i, or the first after it that has not been exported.
func (x *exporting) next(i int) int {
	if i == x.front {
		return max(i, x.until)
	}
	return i
}

// end remembers a value that has been exported; s is as for begin.
func (ev *evaluator) end(x *exporting, v any, s *seq) {
	if ev.known == nil || x.depth > knownDepth {
		return
	}
	deepest := ev.deepest
	ev.deepest = max(deepest, x.deepest)
	if !x.keep || x.e != nil && x.n <= x.e.n {
		return
	}
	if x.e == nil {
		x.e = &Extent{}
	}
	e, before := x.e, x.e.n
	e.n, e.bytes, e.depth, e.front, e.made = x.n, int(ev.made-x.made), deepest-x.depth, 0, x.n
	if s != nil && s.grown != nil {
		e.made, e.grown, e.offset = before, s.grown, s.offset
		if x.front > 0 {
			e.front, e.made = x.front, x.until
		}
		s.grown.exported = s.offset
	}
	ev.known.Keep(v, e)
}
