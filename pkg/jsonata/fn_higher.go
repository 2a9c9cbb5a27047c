package jsonata

func defineHigherOrder(define definer) {
	define("map", "<af>", 2, fnMap)
	define("filter", "<af>", 2, fnFilter).counts = true
	define("single", "<af?>", 2, fnSingle).counts = true
	define("reduce", "<afj?:j>", 3, fnReduce)
	define("sift", "<o-f?:o>", 2, fnSift)
	define("each", "<o-f:a>", 2, fnEach)
}

func fnMap(ev *evaluator, args []any) (any, error) {
	items, ok := elements(args[0])
	if !ok {
		return Undefined, nil
	}
	out := &seq{sequence: true, items: make([]any, 0, len(items))}
	ev.use(slotSize * (4 + len(items)))
	for i, item := range items {
		v, err := ev.item(args[1], item, float64(i), args[0])
		if err != nil {
			return nil, err
		}
		if !IsUndefined(v) {
			out.items = append(out.items, v)
		}
	}
	return out, nil
}

func fnFilter(ev *evaluator, args []any) (any, error) {
	items, ok := elements(args[0])
	if !ok {
		return Undefined, nil
	}
	out := &seq{sequence: true}
	err := ev.each(args[1], items, args[0], func(item any) error {
		out.items = append(out.items, item)
		ev.use(slotSize)
		return nil
	})
	return out, err
}

// each calls found for each item of an array for which a predicate is true.
func (ev *evaluator) each(f any, items []any, whole any, found func(item any) error) error {
	at, err := ev.calledFor(f, items)
	if err != nil {
		return err
	}
	exact := at.exact()
	for i, ok := at.take(); ok; i, ok = at.take() {
		var is bool
		if exact && at.known {
			is, err = ev.testRest(f.(*lambda), items[i], i)
		} else {
			is, err = ev.test(f, items[i], float64(i), whole)
		}
		if err == nil && is {
			err = found(items[i])
		}
		if err != nil {
			return err
		}
		if at.known {
			l := f.(*lambda)
			ev.recheck(&at, l.body, i, scopeOf(l))
		}
	}
	return nil
}

// testRest calls a predicate for an item that its index has found.
func (ev *evaluator) testRest(l *lambda, item any, i int) (bool, error) {
	if err := ev.step(); err != nil || l.body.isJoin() {
		return err == nil, err
	}
	bound := &tupleBinding{name: l.params[0], value: item}
	if len(l.params) > 1 {
		bound.next = &tupleBinding{name: l.params[1], value: float64(i)}
	}
	in := ev.enter(l.env, bound)
	ok, err := ev.all(l.body.join.rest, l.input, in.frame)
	if err != nil {
		return false, locate(err, l.body)
	}
	ev.leave(in)
	return ok, nil
}

func fnSift(ev *evaluator, args []any) (any, error) {
	o, _ := args[0].(*Object)
	out := NewObject(0)
	for i := range o.Len() {
		k, v := o.At(i)
		ok, err := ev.test(args[1], v, k, o)
		if err != nil {
			return nil, err
		}
		if ok {
			out.Set(k, v)
			ev.use(memberSize)
		}
	}
	if out.Len() == 0 {
		return Undefined, nil
	}
	return out, nil
}

func fnEach(ev *evaluator, args []any) (any, error) {
	o, _ := args[0].(*Object)
	out := &seq{sequence: true}
	for i := range o.Len() {
		k, v := o.At(i)
		v, err := ev.item(args[1], v, k, o)
		if err != nil {
			return nil, err
		}
		if !IsUndefined(v) {
			out.items = append(out.items, v)
			ev.use(slotSize)
		}
	}
	return out, nil
}

// test calls a predicate.
func (ev *evaluator) test(f, value, key, whole any) (bool, error) {
	v, err := ev.item(f, value, key, whole)
	if err != nil {
		return false, err
	}
	return ev.truth(v)
}

func fnSingle(ev *evaluator, args []any) (any, error) {
	items, ok := elements(args[0])
	if !ok {
		return Undefined, nil
	}
	matches := items
	if !IsUndefined(args[1]) {
		matches = nil
		err := ev.each(args[1], items, args[0], func(item any) error {
			if matches = append(matches, item); len(matches) > 1 {
				return errorf("D3138", nil)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	switch len(matches) {
	case 0:
		return nil, errorf("D3139", nil)
	case 1:
		return matches[0], nil
	}
	return nil, errorf("D3138", nil)
}

func fnReduce(ev *evaluator, args []any) (any, error) {
	items, ok := elements(args[0])
	if !ok {
		return Undefined, nil
	}
	f := args[1]
	n := arity(f)
	if n < 2 {
		e := errorf("D3050", nil)
		e.Index = 1
		return nil, e
	}
	acc := args[2]
	first := 0
	if IsUndefined(acc) && len(items) > 0 {
		acc, first = items[0], 1
	}
	for i := first; i < len(items); i++ {
		call := []any{acc, items[i]}
		if n >= 3 {
			call = append(call, float64(i))
		}
		if n >= 4 {
			call = append(call, args[0])
		}
		var err error
		if acc, err = ev.callback(f, call...); err != nil {
			return nil, err
		}
	}
	return acc, nil
}
