package jsonata

// wildcard selects the values of all members.
func (ev *evaluator) wildcard(input any) (any, error) {
	if s, ok := input.(*seq); ok && s.outerWrapper && len(s.items) > 0 {
		input = s.items[0]
	}
	out := &seq{sequence: true}
	add := func(v any) error {
		v = Force(v)
		if _, isArray := elements(v); !isArray {
			out.items = append(out.items, v)
			ev.use(slotSize)
			return nil
		}
		// As with $append, a result from arrays is no longer a sequence.
		out.sequence = false
		return ev.flatten(out, v, 0)
	}
	switch in := Force(input).(type) {
	case *Object:
		for i := range in.Len() {
			_, v := in.At(i)
			if err := add(v); err != nil {
				return nil, err
			}
		}
	case []any, *seq:
		for _, v := range toItems(in) {
			if err := add(v); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// flatten adds everything in v and its arrays.
func (ev *evaluator) flatten(out *seq, v any, depth int) error {
	if err := ev.step(); err != nil {
		return err
	}
	if depth > maxDepth {
		return spent(ErrDepth)
	}
	items, isArray := elements(v)
	if !isArray {
		out.items = append(out.items, v)
		ev.use(slotSize)
		return nil
	}
	for _, item := range items {
		if err := ev.flatten(out, item, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// descendants selects the input and everything in it except arrays.
func (ev *evaluator) descendants(input any) (any, error) {
	if IsUndefined(input) {
		return input, nil
	}
	out := &seq{sequence: true}
	if err := ev.descend(out, input, 0); err != nil {
		return nil, err
	}
	if len(out.items) == 1 {
		return out.items[0], nil // [] does not keep it as an array
	}
	return out, nil
}

func (ev *evaluator) descend(out *seq, v any, depth int) error {
	if err := ev.step(); err != nil {
		return err
	}
	if depth > maxDepth {
		return spent(ErrDepth)
	}
	v = Force(v)
	items, isArray := elements(v)
	if !isArray {
		out.items = append(out.items, v)
		ev.use(slotSize)
	}
	for _, item := range items {
		if err := ev.descend(out, item, depth+1); err != nil {
			return err
		}
	}
	if o, ok := v.(*Object); ok {
		for i := range o.Len() {
			_, m := o.At(i)
			if err := ev.descend(out, m, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}
