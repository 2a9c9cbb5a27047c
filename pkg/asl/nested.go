package asl

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// errSibling cancels the branches beside one that failed.
var errSibling = errors.New("a sibling failed")

// inner starts a frame for a branch or an iteration.
func (f *frame) inner() *frame {
	return &frame{run: f.run, vars: &scope{outer: f.vars}, item: f.item}
}

// parallel runs the branches side by side; the first failure ends them all.
func (f *frame) parallel(ctx context.Context, input any) (any, *Error) {
	branches := f.state.branches
	f.run.event() // ParallelStateStarted
	results := make([]any, len(branches))
	limit := 1
	for _, b := range branches {
		if !b.instant {
			limit = len(branches)
		}
	}
	err := f.sideBySide(ctx, len(branches), limit, func(ctx context.Context, i int) *Error {
		var err *Error
		results[i], err = f.inner().flow(ctx, branches[i], input)
		return err
	})
	if err != nil {
		return nil, err
	}
	f.run.event() // ParallelStateSucceeded
	return results, nil
}

// sideBySide runs n jobs, limit at a time, until one fails; it returns when all
// have ended.
func (f *frame) sideBySide(ctx context.Context, n, limit int, job func(ctx context.Context, i int) *Error) *Error {
	if limit == 1 || n == 1 {
		for i := range n {
			if err := job(ctx, i); err != nil {
				return err
			}
		}
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var mu sync.Mutex
	var first *Error
	var next int
	var running sync.WaitGroup
	for range min(n, limit) {
		running.Go(func() {
			for {
				mu.Lock()
				i := next
				next++
				mu.Unlock()
				if i >= n || ctx.Err() != nil {
					return
				}
				if err := job(ctx, i); err != nil {
					mu.Lock()
					if first == nil {
						first = err
					}
					mu.Unlock()
					cancel(errSibling)
					return
				}
			}
		})
	}
	running.Wait()
	return first
}

func (f *frame) mapItems(ctx context.Context, input any) (any, *Error) {
	s := f.state
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
	count, percent, err := f.tolerance(input)
	if err != nil {
		return nil, err
	}
	f.run.event() // MapStateStarted
	results := make([]any, len(items))
	var mu sync.Mutex
	failed := 0
	err = f.sideBySide(ctx, len(items), limit, func(ctx context.Context, i int) *Error {
		f.run.event() // MapIterationStarted
		inner := f.inner()
		inner.item = &mapItem{i, items[i]}
		value := items[i]
		if s.itemSelector != nil {
			// The selector sees the state's own input, and the item in the context object.
			inner.state, inner.entered, inner.since = s, f.entered, f.since
			var err *Error
			if value, err = s.itemSelector.eval(inner, input); err != nil {
				return err
			}
		}
		out, err := inner.flow(ctx, s.branches[0], value)
		if err == nil {
			results[i] = out
			f.run.event() // MapIterationSucceeded
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		failed++
		if !err.fatal && (failed <= count || float64(failed)*100 <= percent*float64(len(items))) {
			o := jsonata.NewObject(2)
			o.Set("Error", err.Name)
			o.Set("Cause", err.Cause)
			results[i] = o
			return nil
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	f.run.event() // MapStateSucceeded
	return results, nil
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

func (f *frame) tolerance(input any) (count int, percent float64, err *Error) {
	s := f.state
	if count, err = f.number(s.toleratedCountPath, "ToleratedFailureCountPath", s.toleratedCount, input); err != nil {
		return 0, 0, err
	}
	percent = s.toleratedPercent
	if s.toleratedPctPath != nil {
		v, ok := s.toleratedPctPath.eval(f, input)
		if !ok {
			return 0, 0, invalidPath(f, s.toleratedPctPath, input)
		}
		text := plain(v)
		p, e := strconv.ParseFloat(text, 64)
		if e != nil {
			return 0, 0, f.runtime(fmt.Sprintf("The ToleratedFailurePercentagePath field refers to value \"%s\" which is not a valid float: %s", text, s.toleratedPctPath.text))
		}
		percent = p
	}
	if percent < 0 || percent > 100 {
		return 0, 0, f.runtime("ToleratedFailurePercentage must be between 0 and 100.")
	}
	return count, percent, nil
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
