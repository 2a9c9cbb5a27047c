package jsonata

import (
	"math"
	"slices"
)

// filter selects the items for which a predicate is true, or whose index it is.
func (ev *evaluator) filter(pred *node, input any, env *frame) (any, error) {
	input = Force(input)
	out := &seq{sequence: true}
	in, isSeq := input.(*seq)
	tuples := isSeq && in.tupleStream
	out.tupleStream = tuples
	items := toItems(input)
	if f, ok := pred.lit.(float64); ok && pred.kind == kindNumber {
		if i, ok := index(f, len(items)); ok {
			item := items[i]
			if _, isArray := elements(item); isArray {
				return Force(item), nil
			}
			if !IsUndefined(item) {
				out.items = []any{item}
			}
		}
		return out, nil
	}
	if !tuples && ev.conf.worth(len(items), 2) {
		switch {
		case pred.ofItem && !pred.independent && ev.conf.worth(len(items), indexItemsFrom):
			return ev.listValue(pred, items, func() (any, error) {
				err := ev.selectItems(pred, items, out, env)
				out.items = slices.Clip(out.items) // the items may be shared
				return out, err
			})
		case pred.independent:
			return out, ev.selectPlaces(pred, items, out, env)
		case pred.join != nil:
			at, err := ev.candidates(pred, items, itemScope{context: Undefined, env: env})
			if err != nil {
				return nil, err
			}
			return out, ev.selectOf(pred, items, at, out, env)
		case pred.op == opIn && pred.kind == kindBinary && ev.conf.worth(len(items), indexItemsFrom):
			if known, err := ev.selectIn(pred, items, out, env); known || err != nil {
				return out, err
			}
		}
	}
	if !tuples {
		return out, ev.selectItems(pred, items, out, env)
	}
	for i, item := range items {
		if err := ev.selectTuple(pred, i, len(items), item.(*tuple), out, env); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// selectItems evaluates a predicate for each item.
func (ev *evaluator) selectItems(pred *node, items []any, out *seq, env *frame) error {
	for i, item := range items {
		if err := ev.selectItem(pred, i, len(items), item, item, out, env); err != nil {
			return err
		}
	}
	return nil
}

// selectTuple is selectItem for a tuple.
func (ev *evaluator) selectTuple(pred *node, i, n int, t *tuple, out *seq, env *frame) error {
	in := ev.enter(env, t.binds)
	if err := ev.selectItem(pred, i, n, t, t.item, out, in.frame); err != nil {
		return err
	}
	ev.leave(in)
	return nil
}

// selectItem adds the item at i of n to out as many times as the predicate selects it.
func (ev *evaluator) selectItem(pred *node, i, n int, item, context any, out *seq, env *frame) error {
	v, err := ev.value(pred, context, env)
	if err != nil {
		return err
	}
	times, err := ev.selects(v, i, n)
	if err != nil {
		return locate(err, pred)
	}
	for range times {
		out.items = append(out.items, item)
		ev.use(slotSize)
	}
	return nil
}

// selects returns how many times a predicate's value selects the item at i of n.
func (ev *evaluator) selects(v any, i, n int) (int, error) {
	f, ok, err := number(v)
	if err != nil {
		return 0, err
	}
	if ok {
		if at, ok := index(f, n); ok && at == i {
			return 1, nil
		}
		return 0, nil
	}
	if list, isArray := elements(v); isArray {
		count, numbers := 0, true
		for _, e := range list {
			f, ok, err := number(e)
			if err != nil {
				return 0, err
			}
			if !ok {
				numbers = false
				break
			}
			if at, ok := index(f, n); ok && at == i {
				count++
			}
		}
		ev.work(bytesOfItem * len(list))
		if numbers {
			return count, nil
		}
	}
	if ok, err := ev.truth(v); err != nil || !ok {
		return 0, err
	}
	return 1, nil
}

// index returns the place that a number means in an array of n; negative numbers count
// from the end.
func index(f float64, n int) (int, bool) {
	f = math.Floor(f)
	if f < 0 {
		f += float64(n)
	}
	return int(f), f >= 0 && f < float64(n)
}
