package asl

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// errSibling cancels the branches beside one that failed.
var errSibling = errors.New("a sibling failed")

// inner starts a frame for a branch or an iteration, whose first event follows last.
func (f *frame) inner(last int64) *frame {
	return &frame{run: f.run, vars: &scope{outer: f.vars}, item: f.item, last: last}
}

// parallel runs the branches side by side; the first failure ends them all.
func (f *frame) parallel(ctx context.Context, input any) (any, *Error) {
	branches := f.state.branches
	f.record(Event{Type: "ParallelStateStarted"})
	results := make([]any, len(branches))
	limit := 1
	for _, b := range branches {
		if !b.instant {
			limit = len(branches)
		}
	}
	started := f.last
	err := f.sideBySide(ctx, len(branches), limit, func(ctx context.Context, i int, _ int64) (end ended, err *Error) {
		inner := f.inner(started)
		results[i], err = inner.flow(ctx, branches[i], input)
		return ended{inner.last, inner.last}, err
	})
	if err != nil {
		return nil, err
	}
	f.aside(Event{Type: "ParallelStateSucceeded"})
	return results, nil
}

// ended is the event that a job's successor on the same worker follows, and the one
// that the end of the whole state follows.
type ended struct{ next, final int64 }

// A job is one branch or iteration; last is the event that it follows.
type job func(ctx context.Context, i int, last int64) (ended, *Error)

// A panicked is a panic of a job, on its way to the goroutine that called Run: there,
// the caller can recover it.
type panicked struct {
	value any
	stack []byte
}

func (p panicked) String() string { return fmt.Sprintf("%v\n\n%s", p.value, p.stack) }

// sideBySide runs n jobs, limit at a time, until one fails; it returns when all
// have ended.
func (f *frame) sideBySide(ctx context.Context, n, limit int, run job) *Error {
	if limit == 1 || n == 1 {
		last := f.last
		for i := range n {
			end, err := run(ctx, i, last)
			if err != nil {
				f.last = end.next
				return err
			}
			last, f.last = end.next, end.final
		}
		return nil
	}
	g := group{run: run, n: n, started: f.last, final: f.last}
	ctx, g.cancel = context.WithCancelCause(ctx)
	defer g.cancel(nil)
	for range min(n, limit) {
		g.running.Go(func() { g.work(ctx) })
	}
	g.running.Wait()
	if g.panicked != nil {
		panic(*g.panicked)
	}
	f.last = g.final
	return g.failure
}

// A group is the jobs of one state on several goroutines.
type group struct {
	run     job
	n       int
	started int64
	cancel  context.CancelCauseFunc
	running sync.WaitGroup

	mu       sync.Mutex
	next     int
	final    int64
	failure  *Error
	panicked *panicked
}

func (g *group) work(ctx context.Context) {
	defer func() {
		if p := recover(); p != nil {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.panicked = &panicked{p, debug.Stack()}
			g.cancel(errSibling)
		}
	}()
	last := g.started
	for {
		i, ok := g.take()
		if !ok || ctx.Err() != nil {
			return
		}
		end, err := g.run(ctx, i, last)
		if last = end.next; !g.ended(end, err) {
			return
		}
	}
}

func (g *group) take() (i int, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	i = g.next
	g.next++
	return i, i < g.n
}

// ended takes down the end of a job, and reports whether the others go on.
func (g *group) ended(end ended, err *Error) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case err != nil && g.failure == nil:
		g.failure, g.final = err, end.next
		g.cancel(errSibling)
	case err == nil && g.failure == nil:
		g.final = max(g.final, end.final)
	}
	return err == nil
}

func (f *frame) mapItems(ctx context.Context, input any) (any, *Error) {
	s := f.state
	if s.reader {
		return nil, &Error{Name: "States.ItemReaderFailed", Cause: f.where() + "The local engine reads no items from other services: give the Map state its items by ItemsPath."}
	}
	var v any = input
	if s.itemsPath != nil {
		var ok bool
		if v, ok = s.itemsPath.eval(f, input); !ok {
			return nil, invalidPath(f, s.itemsPath, input)
		}
	}
	items, ok := jsonata.Force(v).([]any)
	if !ok {
		at := "$"
		if s.itemsPath != nil {
			at = s.itemsPath.text
		}
		return nil, f.runtime(fmt.Sprintf("Reference path \"%s\" must point to array.", at))
	}
	limit, err := f.number(s.concurrencyPath, "MaxConcurrencyPath", s.concurrency, input)
	if err != nil {
		return nil, err
	}
	if limit == 0 {
		limit = defaultMapLimit
	}
	if s.branches[0].instant {
		limit = 1
	}
	tolerated, err := f.tolerance(len(items), input)
	if err != nil {
		return nil, err
	}
	f.record(Event{Type: "MapStateStarted", Length: len(items)})
	m := iterations{f: f, input: input, items: items, results: make([]any, len(items)), tolerated: tolerated}
	if err := f.sideBySide(ctx, len(items), limit, m.run); err != nil {
		return nil, err
	}
	f.aside(Event{Type: "MapStateSucceeded"})
	return m.results, nil
}

// iterations are those of one Map state.
type iterations struct {
	f         *frame
	input     any
	items     []any
	results   []any
	tolerated int // failures that do not fail the state
	failed    atomic.Int64
}

func (m *iterations) run(ctx context.Context, i int, last int64) (ended, *Error) {
	f, s := m.f, m.f.state
	inner := f.inner(last)
	inner.item = &mapItem{i, m.items[i]}
	inner.record(Event{Type: "MapIterationStarted", Name: s.name, Index: i})
	value := m.items[i]
	if s.itemSelector != nil {
		// The selector sees the state's own input, and the item in the context object.
		inner.state, inner.entered, inner.since = s, f.entered, f.since
		var err *Error
		if value, err = s.itemSelector.eval(inner, m.input); err == nil {
			err = inner.check(value)
		}
		if err != nil {
			return ended{inner.last, inner.last}, err
		}
	}
	out, err := inner.flow(ctx, s.branches[0], value)
	switch {
	case err == nil:
		m.results[i] = out
		end := inner.aside(Event{Type: "MapIterationSucceeded", Name: s.name, Index: i})
		return ended{inner.last, end}, nil
	case context.Cause(ctx) == errSibling:
		inner.aside(Event{Type: "MapIterationAborted", Name: s.name, Index: i})
		return ended{inner.last, inner.last}, err
	}
	end := inner.aside(Event{Type: "MapIterationFailed", Name: s.name, Index: i})
	if err.fatal || m.failed.Add(1) > int64(m.tolerated) {
		return ended{inner.last, end}, err
	}
	m.results[i] = err.object()
	return ended{inner.last, end}, nil
}

func (f *frame) number(path *source, field string, otherwise int, input any) (int, *Error) {
	if path == nil {
		return otherwise, nil
	}
	v, ok := path.eval(f, input)
	if !ok {
		return 0, invalidPath(f, path, input)
	}
	// Text that reads as a number counts as one.
	text := plain(v)
	i, err := strconv.Atoi(text)
	if err != nil || i < 0 {
		return 0, f.runtime(fmt.Sprintf("The %s field refers to value \"%s\" which is not a valid integer: %s", field, text, path.text))
	}
	return i, nil
}

// tolerance is how many of n iterations may fail.
func (f *frame) tolerance(n int, input any) (int, *Error) {
	s := f.state
	count, err := f.number(s.toleratedCountPath, "ToleratedFailureCountPath", s.toleratedCount, input)
	if err != nil {
		return 0, err
	}
	percent := s.toleratedPercent
	if s.toleratedPctPath != nil {
		v, ok := s.toleratedPctPath.eval(f, input)
		if !ok {
			return 0, invalidPath(f, s.toleratedPctPath, input)
		}
		text := plain(v)
		p, e := strconv.ParseFloat(text, 64)
		if e != nil {
			return 0, f.runtime(fmt.Sprintf("The ToleratedFailurePercentagePath field refers to value \"%s\" which is not a valid float: %s", text, s.toleratedPctPath.text))
		}
		percent = p
	}
	if percent < 0 || percent > 100 {
		return 0, f.runtime("ToleratedFailurePercentage must be between 0 and 100.")
	}
	return max(count, int(percent*float64(n)/100)), nil
}

// plain is a value as text: a string as it is, anything else as JSON.
func plain(v any) string {
	v = jsonata.Force(v)
	if s, ok := v.(string); ok {
		return s
	}
	text, _ := jsonata.AppendJSON(nil, v)
	return string(text)
}
