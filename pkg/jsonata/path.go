package jsonata

func (ev *evaluator) path(n *node, input any, env *frame) (any, error) {
	if n.simple {
		v, rest, done, err := ev.simplePath(n, input, env)
		if err != nil || done {
			return v, err
		}
		if rest > 0 {
			items := toItems(v)
			if ev.conf.worth(len(items), indexItemsFrom) {
				return ev.listValue(n, items, func() (any, error) { return ev.pathSteps(n, rest, Undefined, items, env) })
			}
			return ev.pathSteps(n, rest, Undefined, items, env)
		}
	}
	items, isArray := elements(input)
	if !isArray || n.steps[0].kind == kindVariable {
		items = []any{input}
	}
	if n.steps[0].consArray {
		result, items, next, err := ev.constructed(n, input, items, env)
		if err != nil {
			return nil, err
		}
		return ev.pathSteps(n, next, result, items, env)
	}
	return ev.pathSteps(n, 0, Undefined, items, env)
}

// simplePath follows a path of a variable and names until it meets an array; it then
// returns the array and the step to map over it.
func (ev *evaluator) simplePath(n *node, input any, env *frame) (v any, rest int, done bool, err error) {
	i := 0
	v = input
	if n.steps[0].kind == kindVariable {
		v = ev.variable(n.steps[0], input, env)
		i = 1
	}
	for ; i < len(n.steps); i++ {
		if r, ok := v.(*Raw); ok {
			if m, found, known := r.member(n.steps[i].text); known {
				if v = m; !found {
					return Undefined, 0, true, nil
				}
				continue
			}
		}
		switch o := Force(v).(type) {
		case *Object:
			m, ok := o.Get(n.steps[i].text)
			if !ok {
				return Undefined, 0, true, nil
			}
			if s, ok := m.(*seq); ok {
				if m = unwrap(s); m == any(s) && i == len(n.steps)-1 {
					// The sequence becomes part of this path's sequence.
					return v, i, false, nil
				}
				if IsUndefined(m) {
					return m, 0, true, nil
				}
			}
			v = m
		case []any, *seq:
			if i == 0 {
				return nil, 0, false, nil
			}
			return unwrap(o), i, false, nil
		default:
			return Undefined, 0, true, nil
		}
	}
	return v, 0, true, nil
}

// pathSteps applies the steps of a path, starting with the step at first, to the items.
// Result is what the previous steps selected.
func (ev *evaluator) pathSteps(n *node, first int, result any, items []any, env *frame) (any, error) {
	var tuples *seq
	isTuple := first > 0 && n.steps[0].tuple
	for i := first; i < len(n.steps); i++ {
		s := n.steps[i]
		var err error
		if isTuple = isTuple || s.tuple; isTuple {
			if tuples, err = ev.tupleStep(s, items, tuples, env); err != nil {
				return nil, err
			}
			continue
		}
		if result, err = ev.pathStep(s, items, env, i == len(n.steps)-1); err != nil {
			return nil, err
		}
		if items, _ = elements(result); len(items) == 0 {
			break
		}
	}
	return ev.pathResult(n, result, tuples, env)
}

// constructed evaluates an array constructor at the start of a path. It returns the
// result, the items for the next step, and the number of that step.
func (ev *evaluator) constructed(n *node, input any, inputs []any, env *frame) (result any, items []any, next int, err error) {
	s := n.steps[0]
	whole, _ := input.(*seq)
	around := whole != nil && whole.outerWrapper // then $ is the wrapped value
	if result, err = ev.eval(s, &seq{items: inputs, sequence: true, outerWrapper: around}, env); err != nil {
		return nil, nil, 0, err
	}
	next = 1
	if s.tuple && s.focus != "" {
		return result, inputs, next, nil // as in the reference, which drops the array
	}
	items, isArray := elements(result)
	if !isArray && !IsUndefined(result) && result != "" {
		// A predicate may have turned the array into something else, which an order-by
		// leaves unchanged.
		for next < len(n.steps) && n.steps[next].kind == kindSort && n.steps[next].plain() {
			next++
		}
		if next == len(n.steps) {
			return result, nil, next, nil
		}
		if items, err = ev.itemsOfConstructed(result); err != nil {
			return nil, nil, 0, err
		}
		result = Undefined
	}
	if len(items) == 0 && !s.tuple {
		next = len(n.steps)
	}
	return result, items, next, nil
}

// pathResult makes the value of a path from what its last step selected.
func (ev *evaluator) pathResult(n *node, result any, tuples *seq, env *frame) (any, error) {
	if tuples != nil {
		result = tuples
		if !n.tuple && n.group == nil { // nothing else refers to the stream
			for i, t := range tuples.items {
				tuples.items[i] = t.(*tuple).item
			}
			tuples.tupleStream = false
		}
	}
	if s, ok := result.(*seq); ok && n.keepSingleton {
		if s.cons && !s.sequence {
			s = newSeq(s)
			result = s
		}
		s.keepSingleton = true
	}
	if n.group == nil {
		return result, nil
	}
	return ev.group(n.group, n.groupPos, result, env)
}

// itemsOfConstructed returns the items with which a path continues after an array
// constructor at its start. A predicate may have turned the array into something else: a
// string is then the array of its characters, and anything else has no items.
func (ev *evaluator) itemsOfConstructed(v any) ([]any, error) {
	if s, ok := v.(string); ok {
		if err := ev.reserve(float64(2 * slotSize * len(s))); err != nil {
			return nil, err
		}
		items := make([]any, 0, len(s))
		for len(s) > 0 {
			n := codePointOffset(s, 1)
			items = append(items, s[:n])
			s = s[n:]
		}
		return items, nil
	}
	items, _ := elements(v)
	return items, nil
}

// pathStep applies one step to each item, and flattens the results into a sequence.
func (ev *evaluator) pathStep(s *node, items []any, env *frame, last bool) (any, error) {
	if s.kind == kindSort {
		return ev.sortStep(s, &seq{items: items, sequence: true}, env)
	}
	out := &seq{sequence: true}
	var only any
	n := 0
	for _, item := range items {
		v, err := ev.eval(s, item, env)
		if err != nil {
			return nil, err
		}
		for i := range s.stages {
			if v, err = ev.filter(s.stages[i].filter, v, env); err != nil {
				return nil, err
			}
		}
		if IsUndefined(v) {
			continue
		}
		switch n++; n {
		case 1:
			only = v
			continue
		case 2:
			out.items = make([]any, 0, len(items))
			out.add(only)
		}
		out.add(v)
	}
	if n == 1 {
		only = Force(only)
		if _, isArray := elements(only); last && isArray && !isSequence(only) {
			return only, nil
		}
		out.add(only)
	}
	ev.use(slotSize * (4 + len(out.items)))
	return out, nil
}

// lookup returns the member of an object, or of all objects of an array.
func (ev *evaluator) lookup(input any, name string) (any, error) {
	if r, ok := input.(*Raw); ok {
		if v, found, known := r.member(name); known {
			if !found {
				v = Undefined
			}
			return v, nil
		}
	}
	switch in := Force(input).(type) {
	case *Object:
		if v, ok := in.Get(name); ok {
			return v, nil
		}
		return Undefined, nil
	case []any:
		return ev.lookupAll(in, name)
	case *seq:
		return ev.lookupAll(in.items, name)
	}
	return Undefined, nil
}

func (ev *evaluator) lookupAll(items []any, name string) (any, error) {
	if ev.calls++; ev.calls > ev.conf.maxDepth {
		return nil, spent(ErrDepth)
	}
	out := &seq{sequence: true}
	for _, item := range items {
		var v any
		switch o := Force(item).(type) {
		case *Object:
			m, ok := o.Get(name)
			if !ok {
				continue
			}
			v = m
		case []any, *seq:
			var err error
			if v, err = ev.lookup(o, name); err != nil {
				return nil, err
			}
		default:
			continue
		}
		if IsUndefined(v) {
			continue
		}
		if list, isArray := elements(v); isArray {
			out.items = append(out.items, list...)
		} else {
			out.items = append(out.items, v)
		}
	}
	ev.calls--
	ev.use(slotSize * (4 + len(out.items)))
	return out, ev.step()
}
