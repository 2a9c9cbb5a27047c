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

// An Extent is what is known of an array or an object.
type Extent struct {
	// The first n items or members have been exported: they took so many bytes, and nest
	// so deeply.
	n, bytes, depth int
	made            int // from here on, the items are in memory that the last evaluation wrote
	grown           *growth
	offset          int
}

// Made returns the index from which on the items of an array were stored by the evaluation
// that returned it, so that nothing else refers to their places yet.
func (e *Extent) Made() int { return e.made }

const (
	knownFrom  = 64 // the number of items or members from which values are remembered; arrays with room, from growFrom
	knownDepth = 4  // how deep in a result they may be
)

// knownOf returns what is known of a value with n items or members.
func (ev *evaluator) knownOf(v any, n int) *Extent {
	if ev.known == nil || !ev.conf.worth(n, growFrom) {
		return nil
	}
	return ev.known.Find(v)
}

// An exporting is the export of one array or object.
type exporting struct {
	e              *Extent
	n, from, depth int
	made           int64
	deepest        int // of what was exported before
	keep           bool
}

// begin charges for the part of a value that earlier evaluations exported; it ends at
// x.from. Room means that the value is an array with room to grow.
func (ev *evaluator) begin(v any, n, depth int, room bool) (x exporting) {
	if ev.known == nil || depth > knownDepth {
		return x
	}
	least := knownFrom
	if room {
		least = growFrom
	}
	x = exporting{n: n, depth: depth, made: ev.made, deepest: ev.deepest, keep: ev.conf.worth(n, least)}
	x.e = ev.knownOf(v, n)
	ev.deepest = depth
	if x.e != nil && depth+x.e.depth <= maxDepth {
		x.from = min(x.e.n, n)
		ev.use(x.e.bytes * x.from / x.e.n) // what a part takes is not known exactly
		ev.deepest += x.e.depth
	}
	return x
}

// end remembers a value that has been exported; s is nil if it was not made by the
// evaluation.
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
	e.n, e.bytes, e.depth, e.made = x.n, int(ev.made-x.made), deepest-x.depth, x.n
	if s != nil && s.grown != nil {
		e.made, e.grown, e.offset = before, s.grown, s.offset
	}
	ev.known.Keep(v, e)
}
