package jsonata

// tupleStep applies a step to a stream of tuples: each result makes a tuple, with
// the bindings of the one it came from and those of this step.
func (ev *evaluator) tupleStep(s *node, items []any, tuples *seq, env *frame) (*seq, error) {
	if s.kind == kindSort {
		return ev.tupleSort(s, items, tuples, env)
	}
	if tuples == nil {
		tuples = &seq{sequence: true, tupleStream: true, items: make([]any, len(items))}
		for i, item := range items {
			tuples.items[i] = &tuple{item: item}
		}
	}
	out := &seq{sequence: true, tupleStream: true}
	for _, t := range tuples.items {
		from := t.(*tuple)
		scope := &frame{parent: env, tuple: from.binds}
		v, err := ev.value(s, from.item, scope)
		if err != nil {
			return nil, err
		}
		if IsUndefined(v) {
			continue
		}
		items := toItems(v)
		at, known, err := ev.joinCandidates(s, items, from.item, scope)
		if err != nil {
			return nil, err
		}
		for k := 0; k < len(items); k++ {
			i := k
			if known {
				if k == len(at) {
					break
				}
				i = int(at[k])
			}
			item := items[i]
			to := &tuple{item: from.item, binds: from.binds}
			if inner, ok := item.(*tuple); ok {
				to.merge(inner)
			} else {
				if s.focus != "" {
					to.bind(s.focus, item)
				} else {
					to.item = item
				}
				if s.index != "" {
					to.bind(s.index, float64(i))
				}
				if s.ancestor != nil {
					to.bind(s.ancestor.label, from.item)
				}
			}
			ev.use(8 * slotSize)
			out.items = append(out.items, to)
		}
	}
	return ev.tupleStages(s, out, env)
}

func (ev *evaluator) tupleSort(s *node, items []any, tuples *seq, env *frame) (*seq, error) {
	in := tuples
	if in == nil {
		in = &seq{items: items, sequence: true}
	}
	sorted, err := ev.sortItems(s, in, env)
	if err != nil {
		return nil, err
	}
	out := &seq{sequence: true, tupleStream: true, items: sorted}
	if tuples == nil {
		out.items = make([]any, len(sorted))
		for i, item := range sorted {
			t := &tuple{item: item}
			if s.index != "" {
				t.bind(s.index, float64(i))
			}
			out.items[i] = t
		}
		ev.use(8 * slotSize * len(sorted))
	}
	return ev.tupleStages(s, out, env)
}

func (ev *evaluator) tupleStages(s *node, in *seq, env *frame) (*seq, error) {
	for _, st := range s.stages {
		if st.filter == nil {
			for i, t := range in.items {
				t.(*tuple).bind(st.index, float64(i))
			}
			ev.use(4 * slotSize * len(in.items))
			continue
		}
		v, err := ev.filter(st.filter, in, env)
		if err != nil {
			return nil, err
		}
		in = v.(*seq)
	}
	return in, nil
}
