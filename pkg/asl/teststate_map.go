package asl

import (
	"context"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// mocked is what a Parallel state comes to in a test, and a Map state within its
// tolerance.
func (t *testRun) mocked(f *frame) (any, *Error) {
	switch m := t.in.Mock; {
	case m == nil:
		return nil, f.runtime("A state of type " + f.state.kind + " needs a mock to be tested.")
	case m.Error != nil:
		return nil, m.Error
	default:
		return m.Result, nil
	}
}

// testMap is a Map state in a test: all that its fields say is evaluated, and what the
// iterations come to is mocked.
func (f *frame) testMap(ctx context.Context, v *view, items []any) (any, *Error) {
	t, s := f.run.test, f.state
	if !s.jsonata {
		f.stage(AfterItemsPath, items)
	}
	if s.itemSelector != nil {
		selected := make([]any, len(items))
		for i, item := range items {
			inner := f.inner(f.last)
			inner.item = &mapItem{i, item}
			var err *Error
			if selected[i], err = inner.selectItem(ctx, f, v.input); err != nil {
				return nil, err
			}
		}
		f.stage(AfterItemSelector, selected)
	}
	limit, err := s.concurrency.whole(ctx, v)
	if err != nil {
		return nil, err
	}
	t.seen.MaxConcurrency = &limit
	tooMany, err := f.failedTooOften(ctx, v, len(items))
	if err != nil {
		return nil, err
	}
	result, err := t.mocked(f)
	if err == nil && tooMany {
		err = &Error{Name: "States.ExceedToleratedFailureThreshold", Cause: "The specified tolerated failure threshold was exceeded"}
	}
	return result, err
}

// failedTooOften compares the failures that a test is told of with what the state
// tolerates. As recorded, a state without a field for it tolerates any.
func (f *frame) failedTooOften(ctx context.Context, v *view, n int) (bool, *Error) {
	t, s := f.run.test, f.state
	tooMany := false
	if s.toleratedCount.field != "" {
		count, err := s.toleratedCount.whole(ctx, v)
		if err != nil {
			return false, err
		}
		t.seen.ToleratedFailureCount = &count
		tooMany = t.in.FailedIterations > count
	}
	if s.toleratedPercent.field != "" {
		percent, err := s.toleratedPercent.percentage(ctx, v)
		if err != nil {
			return false, err
		}
		t.seen.ToleratedFailurePercentage = &percent
		tooMany = tooMany || float64(t.in.FailedIterations)*100 > percent*float64(n)
	}
	return tooMany, nil
}

// readItems is what the ItemReader of a Map state reads: in a test, what the test has
// for it.
func (f *frame) readItems() ([]any, *Error) {
	t := f.run.test
	switch {
	case t == nil:
		return nil, &Error{Name: "States.ItemReaderFailed", Cause: f.where() + "The local engine reads no items from other services: give the Map state its items by ItemsPath."}
	case t.in.ItemReaderData == nil:
		return nil, nil
	}
	v, err := jsonata.Decode([]byte(*t.in.ItemReaderData))
	items, ok := v.([]any)
	if err != nil || !ok {
		return nil, &Error{Name: "States.ItemReaderFailed", Cause: f.where() + "The data of the ItemReader is not a JSON array."}
	}
	return items, nil
}
