package asl

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
)

// errSibling cancels the siblings of a branch that failed.
var errSibling = errors.New("a sibling failed")

// maxWorkers bounds the goroutines of an execution, however its Maps and Parallels nest:
// beyond it, jobs run one after the other instead of concurrently.
const maxWorkers = 1000

// inner starts a frame for a branch or an iteration, whose first event follows last.
func (f *frame) inner(last int64) *frame {
	inner := f.innerFrame(last)
	return &inner
}

func (f *frame) innerFrame(last int64) frame {
	return frame{run: f.run, vars: scope{outer: &f.vars}, item: f.item, inMap: f.inMap, last: last}
}

// parallel runs the branches concurrently; the first failure ends them all.
func (f *frame) parallel(ctx context.Context, input any) (any, *Error) {
	branches := f.state.branches
	if f.run.test != nil {
		return f.run.test.mocked(f)
	}
	if f.wasCalled() == "" {
		f.record(Event{Type: "ParallelStateStarted"})
		f.keep(phaseRunning)
	}
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
		inner.branch, inner.path = true, f.child(i)
		if c, ok := f.run.kept(inner.path); ok && c.Ended {
			results[i] = c.Output
			return ended{c.Last, c.Final}, nil
		}
		results[i], err = inner.flow(ctx, branches[i], input)
		inner.leave()
		end = ended{inner.last, inner.last}
		if err == nil {
			inner.keepEnd(results[i], false, end)
		}
		return end, err
	})
	if err != nil {
		return nil, err
	}
	f.aside(Event{Type: "ParallelStateSucceeded"})
	return results, nil
}

// ended holds the event that a job's successor on the same worker follows, and the event
// that the end of the whole state follows.
type ended struct{ next, final int64 }

// A job is one branch or iteration; last is the event that it follows.
type job func(ctx context.Context, i int, last int64) (ended, *Error)

// A panicked carries a panic of a job to the goroutine that called Run, where the caller
// can recover it.
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
	return f.concurrently(ctx, n, limit, run)
}

func (f *frame) concurrently(ctx context.Context, n, limit int, run job) *Error {
	g := group{run: run, n: n, started: f.last, final: f.last}
	ctx, g.cancel = context.WithCancelCause(ctx)
	defer g.cancel(nil)
	workers := &f.run.workers
	for range min(n, limit) - 1 {
		if workers.Add(1) > maxWorkers {
			workers.Add(-1)
			break
		}
		g.running.Go(func() {
			defer workers.Add(-1)
			g.work(ctx)
		})
	}
	g.work(ctx) // this goroutine is a worker too, so that there is always one
	g.running.Wait()
	if g.panicked != nil {
		panic(*g.panicked)
	}
	f.last = g.final
	return g.failure
}

// A group runs the jobs of one state on several goroutines.
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

// ended records the end of a job, and reports whether the others continue.
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
