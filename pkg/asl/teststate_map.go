package asl

import "context"

// mocked returns the result of a Parallel state in a test, or of a Map state within its
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

// testMap runs a Map state in a test: all of its fields are evaluated, and the results of
// the iterations are mocked.
func (f *frame) testMap(ctx context.Context, v *view, items mapSource) (any, *Error) {
	t, s := f.run.test, f.state
	if !s.jsonata {
		f.stage(AfterItemsPath, items.list)
	}
	if unread := s.reader != nil && t.in.ItemReaderData == nil; !unread && t.in.FailedIterations > len(items.list) {
		t.invalid = ErrTooManyFailures
		return nil, &Error{fatal: true}
	}
	if err := f.testItems(ctx, v, &items); err != nil {
		return nil, err
	}
	limit, err := s.concurrency.whole(ctx, v)
	if err != nil {
		return nil, err
	}
	t.seen.MaxConcurrency = &limit
	tooMany, err := f.failedTooOften(ctx, v, len(items.list))
	if err != nil {
		return nil, err
	}
	result, err := t.mocked(f)
	if err == nil && tooMany {
		err = &Error{Name: "States.ExceedToleratedFailureThreshold", Cause: "The specified tolerated failure threshold was exceeded"}
	}
	return result, err
}

// testItems makes the inputs of the iterations.
func (f *frame) testItems(ctx context.Context, v *view, items *mapSource) *Error {
	if f.state.batcher != nil {
		_, err := f.batches(ctx, v, items)
		return err
	}
	if f.state.itemSelector == nil {
		return nil
	}
	_, err := f.selectItems(ctx, v, items)
	return err
}

// failedTooOften compares the failures in a test's input with what the state tolerates.
// As recorded, a state without a field for it tolerates any.
func (f *frame) failedTooOften(ctx context.Context, v *view, n int) (bool, *Error) {
	t, s := f.run.test, f.state
	tooMany := false
	if s.toleratedCount.given() {
		count, err := s.toleratedCount.whole(ctx, v)
		if err != nil {
			return false, err
		}
		t.seen.ToleratedFailureCount = &count
		tooMany = t.in.FailedIterations > count
	}
	if s.toleratedPercent.given() {
		percent, err := s.toleratedPercent.percentage(ctx, v)
		if err != nil {
			return false, err
		}
		t.seen.ToleratedFailurePercentage = &percent
		tooMany = tooMany || float64(t.in.FailedIterations)*100 > percent*float64(n)
	}
	return tooMany, nil
}
