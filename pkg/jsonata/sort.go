package jsonata

// sortStep orders the items of a path.
func (ev *evaluator) sortStep(n *node, in *seq, env *frame) (any, error) {
	items, err := ev.sortItems(n, in, env)
	if err != nil {
		return nil, err
	}
	var out any = &seq{items: items, sequence: len(items) <= 1}
	for i := range n.stages {
		if out, err = ev.filter(n.stages[i].filter, out, env); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// sortItems returns the items (or tuples) in the order of the terms.
func (ev *evaluator) sortItems(n *node, in *seq, env *frame) ([]any, error) {
	if len(in.items) <= 1 {
		return in.items, nil
	}
	rows := make([]sortRow, len(in.items))
	keys := make([]any, len(rows)*len(n.terms))
	ev.use(slotSize * (4 + len(n.terms)) * len(rows))
	for i := range keys {
		keys[i] = unknown{}
	}
	for i, item := range in.items {
		rows[i] = sortRow{item, keys[:len(n.terms):len(n.terms)]}
		keys = keys[len(n.terms):]
	}
	err := mergeSort(rows, make([]sortRow, len(rows)), func(a, b sortRow) (bool, error) {
		c, err := ev.compareRows(n, a, b, env)
		if err == nil {
			err = ev.step()
		}
		return c > 0, err
	})
	if err != nil {
		return nil, locate(err, n)
	}
	out := make([]any, len(rows))
	for i := range rows {
		out[i] = rows[i].item
	}
	return out, nil
}

// A sortRow is an item with the values of the terms for it. Each term is evaluated once,
// when it is first needed, which decides which of several errors is reported.
type sortRow struct {
	item any
	keys []any
}

// unknown is the value of a term that has not been evaluated yet.
type unknown struct{}

func (ev *evaluator) sortKey(n *node, r sortRow, k int, env *frame) (any, error) {
	if _, ok := r.keys[k].(unknown); !ok {
		return r.keys[k], nil
	}
	context, scope := r.item, env
	if t, ok := r.item.(*tuple); ok {
		context, scope = t.item, &frame{parent: env, tuple: t.binds}
	}
	v, err := ev.value(n.terms[k].expr, context, scope)
	r.keys[k] = v
	return v, err
}

func (ev *evaluator) compareRows(n *node, a, b sortRow, env *frame) (int, error) {
	for k, term := range n.terms {
		x, err := ev.sortKey(n, a, k, env)
		if err != nil {
			return 0, err
		}
		y, err := ev.sortKey(n, b, k, env)
		if err != nil {
			return 0, err
		}
		switch {
		case IsUndefined(x) && IsUndefined(y):
			continue
		case IsUndefined(x):
			return 1, nil
		case IsUndefined(y):
			return -1, nil
		}
		l, r := letter(x), letter(y)
		if l != 's' && l != 'n' {
			return 0, errorf("T2008", x)
		}
		if r != 's' && r != 'n' {
			return 0, errorf("T2008", y)
		}
		if l != r {
			e := &Error{Code: "T2007", Position: -1, Value: x, other: y}
			e.describe()
			return 0, e
		}
		c := 0
		if l == 's' {
			c = ev.compareText(x.(string), y.(string))
		} else if f, g := toFloat(x), toFloat(y); f < g {
			c = -1
		} else if f != g {
			c = 1 // also for NaN
		}
		if term.descending {
			c = -c
		}
		if c != 0 {
			return c, nil
		}
	}
	return 0, nil
}
