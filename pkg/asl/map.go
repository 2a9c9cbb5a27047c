package asl

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// defaultMapLimit is how many iterations run concurrently if there is no MaxConcurrency.
const defaultMapLimit = 40

// mapItems runs a Map state.
func (f *frame) mapItems(ctx context.Context, v *view) (any, *Error) {
	s := f.state
	var items mapSource
	var err *Error
	if s.reader == nil || f.run.test != nil {
		if items, err = f.items(ctx, v); err != nil {
			return nil, err
		}
	}
	if f.run.test != nil {
		return f.testMap(ctx, v, items)
	}
	limit, err := s.concurrency.whole(ctx, v)
	if err != nil {
		return nil, err
	}
	if limit == 0 {
		limit = defaultMapLimit
	}
	if s.branches[0].instant {
		limit = 1
	}
	if f.wasCalled() == "" {
		f.record(Event{Type: "MapStateStarted", Length: len(items.list)})
		f.keep(phaseRunning)
	}
	if s.reader != nil { // the reader runs after that event, as recorded
		if items, err = f.items(ctx, v); err != nil {
			return nil, err
		}
	}
	tolerated, err := f.tolerance(ctx, v, len(items.list)) // after the event, as recorded
	if err != nil {
		return nil, err
	}
	m := iterations{f: f, input: v.input, items: items, tolerated: tolerated}
	out, err := m.all(ctx, v, limit)
	if err != nil {
		return nil, err
	}
	f.aside(Event{Type: "MapStateSucceeded"})
	return out, nil
}

// all runs the iterations, and returns the state's result.
func (m *iterations) all(ctx context.Context, v *view, limit int) (any, *Error) {
	f, s := m.f, m.f.state
	if s.batcher != nil {
		if err := m.batch(ctx, v); err != nil {
			return nil, err
		}
	}
	n := len(m.items.list)
	m.results = make([]any, n)
	m.left.Store(maxData - int64(len("[]")))
	if s.writer == nil {
		return m.results, f.sideBySide(ctx, n, limit, m.run)
	}
	w, err := f.startWriter(ctx, v, n)
	if err != nil {
		return nil, err
	}
	m.writer = w
	if w.uploads() {
		m.left.Store(maxWritten)
	}
	failed := f.sideBySide(ctx, n, limit, m.run)
	if failed != nil && failed.fatal {
		return nil, failed
	}
	out, err := w.finish(ctx, m)
	if failed != nil {
		return nil, failed
	}
	return out, err
}

// batch groups the items into batches, after applying the selector to them.
func (m *iterations) batch(ctx context.Context, v *view) *Error {
	batches, err := m.f.batches(ctx, v, &m.items)
	if err != nil {
		return err
	}
	m.items, m.batched = mapSource{list: batches, sources: m.items.sources[:min(1, len(m.items.sources))]}, true
	return nil
}

// items returns the items of a Map state.
func (f *frame) items(ctx context.Context, v *view) (mapSource, *Error) {
	s := f.state
	if s.reader != nil {
		return f.readItems(ctx, v)
	}
	found := v.input
	switch {
	case s.items != nil:
		out, err := s.items.eval(ctx, v)
		if err != nil {
			return mapSource{}, err
		}
		if _, ok := s.source(out); !ok && s.items.query != nil {
			return mapSource{}, s.items.query.unexpected(v, "array", out)
		}
		found = out
	case s.itemsPath != nil:
		var ok bool
		if found, ok = s.itemsPath.eval(v); !ok {
			return mapSource{}, invalidPath(v, s.itemsPath)
		}
	}
	items, ok := s.source(found)
	switch {
	case ok:
		return items, nil
	case s.jsonata:
		return mapSource{}, f.queryError("", "Map state input must be an array but was: "+quote(found))
	}
	at := "$"
	if s.itemsPath != nil {
		at = s.itemsPath.within()
	}
	return mapSource{}, f.runtime(fmt.Sprintf("Reference path \"%s\" must point to array.", at))
}

// source makes items from a value. A Distributed Map also iterates over objects.
func (s *state) source(v any) (mapSource, bool) {
	items, ok := sourceOf(v)
	return items, ok && (s.distributed || !items.keyed)
}

// tolerance returns how many of n iterations may fail: the smaller number if there is
// both a count and a percentage.
func (f *frame) tolerance(ctx context.Context, v *view, n int) (int, *Error) {
	s := f.state
	count, err := s.toleratedCount.whole(ctx, v)
	if err != nil {
		return 0, err
	}
	percent, err := s.toleratedPercent.percentage(ctx, v)
	if err != nil {
		return 0, err
	}
	const rounding = 1e-9 // 29 % of 100 is 29, despite floating-point errors
	share := int(percent*float64(n)/100 + rounding)
	switch {
	case !s.toleratedPercent.given():
		return count, nil
	case !s.toleratedCount.given():
		return share, nil
	}
	return min(count, share), nil
}

// hasThreshold reports whether a Map state fails because of the number of failures, rather
// than with the error of the first one.
func (s *state) hasThreshold() bool {
	return s.distributed || s.toleratedCount.given() || s.toleratedPercent.given()
}

// iterations are the iterations of one Map state.
type iterations struct {
	f         *frame
	input     any // of the state
	items     mapSource
	batched   bool // the items are batches, to which the selector does not apply
	results   []any
	tolerated int // failed items that are tolerated
	failed    atomic.Int64
	left      atomic.Int64 // number of bytes left for the results
	writer    *resultWriting
	spare     *frame // of the last iteration, if the next one may use it
}

// inner returns a frame for an iteration. Instant iterations run one after the other, and
// nothing refers to the frame of one that has ended.
func (m *iterations) inner(last int64) *frame {
	if !m.f.state.branches[0].instant {
		return m.f.inner(last)
	}
	if m.spare == nil {
		m.spare = m.f.inner(last)
	} else {
		*m.spare = m.f.innerFrame(last)
	}
	return m.spare
}

func (m *iterations) run(ctx context.Context, i int, last int64) (ended, *Error) {
	f, s := m.f, m.f.state
	inner := m.inner(last)
	inner.item, inner.inMap, inner.path = m.items.item(i), true, f.child(i)
	c, begun := f.run.kept(inner.path)
	if c.Ended {
		if c.Failed {
			m.failed.Add(m.weight(i))
		}
		m.writer.restored(ctx, i, m.items.list[i], c)
		return ended{c.Last, c.Final}, m.keep(i, c.Output)
	}
	if !begun {
		inner.record(Event{Type: "MapIterationStarted", Name: s.name, Index: i})
	}
	value := m.items.list[i]
	if s.itemSelector != nil && !m.batched && !begun {
		var err *Error
		if value, err = inner.selectItem(ctx, s, m); err != nil {
			inner.aside(Event{Type: "MapIterationFailed", Name: s.name, Index: i, Error: err.Name, Cause: err.Cause})
			return ended{inner.last, inner.last}, err
		}
	}
	m.writer.started(i, value)
	out, err := inner.flow(ctx, s.branches[0], value)
	m.writer.ended(ctx, i, err)
	inner.leave()
	return m.ended(ctx, inner, i, out, err)
}

// ended records the end of an iteration.
func (m *iterations) ended(ctx context.Context, inner *frame, i int, out any, err *Error) (ended, *Error) {
	s := m.f.state
	switch {
	case err == nil:
		end := ended{inner.last, inner.aside(Event{Type: "MapIterationSucceeded", Name: s.name, Index: i})}
		inner.keepEnd(out, false, end)
		return end, m.keep(i, out)
	case context.Cause(ctx) == errSibling:
		inner.aside(Event{Type: "MapIterationAborted", Name: s.name, Index: i})
		return ended{inner.last, inner.last}, err
	}
	end := ended{inner.last, inner.aside(Event{Type: "MapIterationFailed", Name: s.name, Index: i, Error: err.Name, Cause: err.Cause})}
	switch {
	case err.fatal:
		return end, err
	case m.failed.Add(m.weight(i)) > int64(m.tolerated):
		if s.hasThreshold() {
			err = &Error{Name: "States.ExceedToleratedFailureThreshold", Cause: "The specified tolerated failure threshold was exceeded"}
		}
		return end, err
	}
	inner.keepEnd(err.object(), true, end)
	return end, m.keep(i, err.object())
}

// weight returns the number of items of an iteration.
func (m *iterations) weight(i int) int64 {
	if !m.batched {
		return 1
	}
	batch, _ := m.items.list[i].(*jsonata.Object)
	items, _ := batch.Get("Items")
	list, _ := items.([]any)
	return int64(len(list))
}

// selectItem applies ItemSelector, which sees the Map state's own input and, in the
// context object, the item.
func (f *frame) selectItem(ctx context.Context, s *state, m *iterations) (any, *Error) {
	f.state, f.entered, f.since, f.retries = s, m.f.entered, m.f.since, m.f.retries
	value, err := s.itemSelector.eval(ctx, &view{f: f, input: m.input})
	if err == nil {
		err = f.check(value)
	}
	f.recordEvaluation(err)
	return value, err
}

// keep records a result. Together, the results may be as large as the result of any
// state.
func (m *iterations) keep(i int, out any) *Error {
	left := m.left.Load()
	size := measure{left: int(max(left, 0)), valid: true}
	size.value(out)
	taken := int64(len(","))
	if i == 0 {
		taken = 0
	}
	if taken += left - int64(size.left); m.left.Add(-taken) < 0 {
		return m.f.dataLimit()
	}
	m.results[i] = out
	return nil
}
