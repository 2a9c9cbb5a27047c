package asl

import (
	"context"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// An itemBatcher is the ItemBatcher of a Map state.
type itemBatcher struct {
	items, bytes amount
	input        *template // BatchInput
}

func (c *compiler) itemBatcher(o *jsonata.Object) *itemBatcher {
	if !o.Has("ItemBatcher") {
		return nil
	}
	batcher := c.object(o, "ItemBatcher")
	return &itemBatcher{
		items: c.amount(batcher, "MaxItemsPerBatch", 0), bytes: c.amount(batcher, "MaxInputBytesPerBatch", 0),
		input: c.template(batcher, "BatchInput", "ItemBatcher/BatchInput"),
	}
}

// batches returns the inputs of iterations with several items each, made from the
// selector's results for the items.
func (f *frame) batches(ctx context.Context, v *view, items *mapSource) ([]any, *Error) {
	list := items.list
	if f.state.itemSelector != nil {
		var err *Error
		if list, err = f.selectItems(ctx, v, items); err != nil {
			return nil, err
		}
	}
	list, err := f.state.batcher.batches(ctx, v, list)
	if err == nil {
		f.stage(AfterItemBatcher, list)
	}
	return list, err
}

// selectItems applies the selector to all items.
func (f *frame) selectItems(ctx context.Context, v *view, items *mapSource) ([]any, *Error) {
	m := iterations{f: f, input: v.input}
	left := maxWritten
	selected := make([]any, len(items.list))
	for i := range selected {
		if ctx.Err() != nil {
			return nil, &Error{Name: "States.Timeout", fatal: true}
		}
		inner := f.inner(f.last)
		inner.item, inner.inMap = items.item(i), true
		var err *Error
		if selected[i], err = inner.selectItem(ctx, f.state, &m); err != nil {
			return nil, err
		}
		if left -= size(selected[i]); left < 0 {
			return nil, f.dataLimit()
		}
	}
	f.stage(AfterItemSelector, selected)
	return selected, nil
}

// batches returns lists of items, each no longer than the batcher allows.
func (b *itemBatcher) batches(ctx context.Context, v *view, items []any) ([]any, *Error) {
	most, err := b.items.whole(ctx, v)
	if err != nil {
		return nil, err
	}
	limit, err := b.bytes.whole(ctx, v)
	if err != nil {
		return nil, err
	}
	if most == 0 {
		most = max(len(items), 1)
	}
	if limit == 0 {
		limit = maxData
	}
	var input any
	if b.input != nil {
		if input, err = b.input.eval(ctx, v); err == nil {
			err = v.f.check(input)
		}
		if err != nil {
			return nil, err
		}
	}
	batch := func(items []any) *jsonata.Object {
		o := jsonata.NewObject(2)
		if b.input != nil {
			o.Set("BatchInput", input)
		}
		o.Set("Items", items)
		return o
	}
	limit -= size(batch(nil))
	var list []any
	for len(items) > 0 {
		n := atMost(items, most, limit)
		list, items = append(list, batch(items[:n])), items[n:]
	}
	return list, nil
}

// atMost returns how many of the items form a batch, at least one.
func atMost(items []any, most, limit int) int {
	n := 1
	limit -= size(items[0])
	for n < min(most, len(items)) {
		if limit -= size(items[n]) + len(","); limit < 0 {
			break
		}
		n++
	}
	return n
}

// size returns the length of a value as JSON, and stops counting at the limit of a state.
func size(v any) int {
	m := measure{left: maxData, valid: true}
	m.value(v)
	return maxData - m.left
}
