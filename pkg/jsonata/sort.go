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

// sortItems returns the items (or tuples) in the order of the terms. The terms are
// evaluated once for each item.
func (ev *evaluator) sortItems(n *node, in *seq, env *frame) ([]any, error) {
	if len(in.items) <= 1 {
		return in.items, nil
	}
	type row struct {
		item any
		keys []any
	}
	rows := make([]row, len(in.items))
	ev.use(slotSize * (3 + len(n.terms)) * len(rows))
	for i, item := range in.items {
		context, scope := item, env
		if t, ok := item.(*tuple); ok {
			context, scope = t.item, &frame{parent: env, tuple: t.binds}
		}
		rows[i] = row{item, make([]any, len(n.terms))}
		for k, term := range n.terms {
			v, err := ev.value(term.expr, context, scope)
			if err != nil {
				return nil, err
			}
			rows[i].keys[k] = v
		}
	}
	err := mergeSort(rows, make([]row, len(rows)), func(a, b row) (bool, error) {
		c, err := compareKeys(n, a.keys, b.keys)
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

func compareKeys(n *node, a, b []any) (int, error) {
	for k, term := range n.terms {
		x, y := a[k], b[k]
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
			c = compareStrings(x.(string), y.(string))
		} else if f, g := toFloat(x), toFloat(y); f < g {
			c = -1
		} else if f > g {
			c = 1
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
