package jsonata

import "slices"

// selectPlaces is filter for a predicate that is the same for all items: it is evaluated
// once, and the selected items are taken by their places.
func (ev *evaluator) selectPlaces(pred *node, items []any, out *seq, env *frame) error {
	v, err := ev.value(pred, items[0], env)
	if err != nil {
		return err
	}
	places, numbers, err := ev.placesOf(v, len(items))
	if err != nil {
		return locate(err, pred)
	}
	if numbers {
		if err := ev.reserve(float64(slotSize * len(places))); err != nil {
			return locate(err, pred)
		}
		for _, i := range places {
			out.items = append(out.items, items[i])
		}
		return nil
	}
	ok, err := ev.truth(v)
	if err != nil {
		return locate(err, pred)
	}
	if ok {
		ev.use(slotSize * len(items))
		out.items = append(out.items, items...)
	}
	return nil
}

// placesOf returns the places among n items that the value of a predicate means, in
// order, and whether the value is a number or consists only of numbers.
func (ev *evaluator) placesOf(v any, n int) ([]int, bool, error) {
	list, isList := elements(v)
	if !isList {
		f, ok, err := number(v)
		if err != nil || !ok {
			return nil, false, err
		}
		list = []any{f}
	}
	ev.work(2 * bytesOfItem * len(list))
	places := make([]int, 0, len(list))
	for _, e := range list {
		f, ok, err := number(e)
		if err != nil || !ok {
			return nil, false, err
		}
		if at, ok := index(f, n); ok {
			places = append(places, at)
		}
	}
	slices.Sort(places)
	return places, true, ev.step()
}

// selectOf is filter for some of the items.
func (ev *evaluator) selectOf(pred *node, items []any, at candidates, out *seq, env *frame) error {
	exact, in := at.exact(), itemScope{context: Undefined, env: env}
	for i, ok := at.take(); ok; i, ok = at.take() {
		item := items[i]
		if exact && at.known {
			ok, err := ev.all(pred.join.rest, item, env)
			if err != nil {
				return locate(err, pred)
			}
			if ok {
				out.items = append(out.items, item)
				ev.use(slotSize)
			}
			if err := ev.step(); err != nil {
				return err
			}
		} else if err := ev.selectItem(pred, i, len(items), item, item, out, env); err != nil {
			return err
		}
		ev.recheck(&at, pred, i, in)
	}
	return nil
}

// all reports whether operands of and are all true.
func (ev *evaluator) all(operands []*node, context any, env *frame) (bool, error) {
	for _, n := range operands {
		v, err := ev.value(n, context, env)
		if err != nil {
			return false, err
		}
		if ok, err := ev.truth(v); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

// isJoin reports whether an index that finds the value itself answers a predicate.
func (n *node) isJoin() bool { return n != nil && n.join != nil && len(n.join.rest) == 0 }

// cannotFail reports whether an expression has a value in any case.
func (n *node) cannotFail() bool {
	switch n.kind {
	case kindName, kindString, kindNumber, kindValue, kindVariable:
		return n.bare()
	case kindPath:
		return n.simple && n.bare()
	}
	return false
}

// selectIn is filter for a predicate that looks for a member of each item in one list. It
// returns false, and has done nothing, for another predicate with the operator in, and for a
// list that is too short.
func (ev *evaluator) selectIn(pred *node, items []any, out *seq, env *frame) (bool, error) {
	list := pred.rhs
	if list.kind == kindPath && list.simple {
		list = list.steps[0]
	}
	if !pred.bare() || pred.invariant != nil || !aboutItem(pred.lhs, "") || !pred.rhs.cannotFail() || list.kind != kindVariable || list.text == "" {
		return false, nil
	}
	right, err := ev.value(pred.rhs, items[0], env)
	if err != nil {
		return true, err
	}
	among, isList := elements(right)
	if !isList || !ev.conf.worth(len(among), indexItemsFrom) {
		return false, nil
	}
	set, err := ev.setOf(among)
	if set == nil && err == nil {
		set, err = ev.setOf(among) // it is the second time from here on
	}
	if set == nil || err != nil {
		return err != nil, err
	}
	var keys [fetchAtOnce]scalar
	var values [fetchAtOnce]any
	for len(items) > 0 {
		some := items[:min(len(items), len(keys))]
		items = items[len(some):]
		for i, item := range some {
			if values[i], err = ev.value(pred.lhs, item, env); err != nil {
				return true, err
			}
			keys[i], _ = scalarOf(values[i])
		}
		set.fetch(keys[:len(some)])
		for i, item := range some {
			if err := ev.step(); err != nil {
				return true, err
			}
			v := values[i]
			if keys[i].b == 0 && (IsUndefined(v) || isArray(v)) || !set.hasKey(keys[i], v) {
				continue
			}
			out.items = append(out.items, item)
			ev.use(slotSize)
		}
	}
	return true, nil
}
