package jsonata

// tupleStep applies a step to a stream of tuples: each result makes a tuple, with
// the bindings of the one it came from and those of this step.
func (ev *evaluator) tupleStep(s *node, items []any, tuples *seq, env *frame) (*seq, error) {
	if s.kind == kindSort {
		return ev.tupleSort(s, items, tuples, env)
	}
	if tuples == nil {
		tuples = tuplesOf(items)
	}
	out := &seq{sequence: true, tupleStream: true, items: make([]any, 0, len(tuples.items))}
	made := tupleMaker{atOnce: max(1, min(len(tuples.items), 16))}
	unsure := 0 // how many of the results need the first predicate yet
	searched := len(s.stages) > 0 && s.focus != "" && s.stages[0].filter != nil && s.stages[0].filter.join != nil
	join := searched && s.stages[0].filter.isJoin()
	early := join && s.stages[0].filter.join.other.cannotFail()
	for _, t := range tuples.items {
		from := t.(*tuple)
		in := ev.enter(env, from.binds)
		v, err := ev.value(s, from.item, in.frame)
		if err != nil {
			return nil, err
		}
		if IsUndefined(v) {
			ev.leave(in)
			continue
		}
		items := toItems(v)
		at := candidates{n: len(items)}
		if searched {
			scope := in.frame
			if len(scope.names) > 0 { // a predicate does not see what the step has bound
				scope = &frame{parent: env, tuple: from.binds}
			}
			if at, err = ev.candidates(s.stages[0].filter, items, itemScope{s.focus, from.item, scope}); err != nil {
				return nil, err
			}
		}
		exact := at.exact()
		for i, ok := at.take(); ok; i, ok = at.take() {
			to := made.next(s, from, items[i], i)
			ev.use(8 * slotSize)
			if exact || !early {
				out.items = append(out.items, to)
				continue
			}
			if err := ev.selectTuple(s.stages[0].filter, i, len(items), to, out, env); err != nil {
				return nil, err
			}
		}
		ev.leave(in)
		if !exact && !early {
			unsure = len(out.items)
		}
	}
	if !searched || unsure > 0 && unsure == len(out.items) {
		return ev.tupleStages(s.stages, out, env)
	}
	first, decided := s.stages[0].filter, out.items[unsure:]
	out.items = out.items[:unsure]
	if unsure > 0 {
		v, err := ev.filter(first, out, env)
		if err != nil {
			return nil, err
		}
		out = v.(*seq)
	}
	if err := ev.selectDecided(first, decided, out, env); err != nil {
		return nil, err
	}
	return ev.tupleStages(s.stages[1:], out, env)
}

// tuplesOf returns a stream of tuples without bindings.
func tuplesOf(items []any) *seq {
	if len(items) == 1 {
		one := &struct {
			seq
			items [1]any
			tuple tuple
		}{seq: seq{sequence: true, tupleStream: true}, tuple: tuple{item: items[0]}}
		one.items[0] = &one.tuple
		one.seq.items = one.items[:]
		return &one.seq
	}
	out := &seq{sequence: true, tupleStream: true, items: make([]any, len(items))}
	tuples := make([]tuple, len(items))
	for i, item := range items {
		tuples[i].item = item
		out.items[i] = &tuples[i]
	}
	return out
}

// selectDecided adds the tuples that a predicate selects, if an index knows that its equality
// is true of all of them. They may be in the rest of the array of out.
func (ev *evaluator) selectDecided(pred *node, tuples []any, out *seq, env *frame) error {
	if pred.isJoin() {
		out.items = append(out.items, tuples...)
		return nil
	}
	for _, item := range tuples {
		t := item.(*tuple)
		in := ev.enter(env, t.binds)
		ok, err := ev.all(pred.join.rest, t.item, in.frame)
		if err != nil {
			return locate(err, pred)
		}
		ev.leave(in)
		if ok {
			out.items = append(out.items, t)
		}
	}
	return ev.step()
}

// A tupleMaker allocates tuples and bindings a few at a time.
type tupleMaker struct {
	atOnce   int
	tuples   []tuple
	bindings []tupleBinding
}

// next returns the tuple of an item, the i-th that a step made from the tuple from.
func (m *tupleMaker) next(s *node, from *tuple, item any, i int) *tuple {
	if len(m.tuples) == 0 {
		m.tuples = make([]tuple, m.atOnce)
	}
	to := &m.tuples[0]
	m.tuples = m.tuples[1:]
	*to = *from
	if inner, ok := item.(*tuple); ok {
		to.merge(inner)
		return to
	}
	if s.focus != "" {
		m.bind(to, s.focus, item)
	} else {
		to.item = item
	}
	if s.index != "" {
		m.bind(to, s.index, float64(i))
	}
	if s.ancestor != nil {
		m.bind(to, s.ancestor.label, from.item)
	}
	return to
}

func (m *tupleMaker) bind(t *tuple, name string, value any) {
	if len(m.bindings) == 0 {
		m.bindings = make([]tupleBinding, m.atOnce)
	}
	b := &m.bindings[0]
	m.bindings = m.bindings[1:]
	*b = tupleBinding{name, value, t.binds}
	t.binds = b
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
	return ev.tupleStages(s.stages, out, env)
}

func (ev *evaluator) tupleStages(stages []stage, in *seq, env *frame) (*seq, error) {
	for _, st := range stages {
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
