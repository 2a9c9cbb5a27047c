package jsonata

import "math"

// transform evaluates |pattern|update,delete|, a function that returns a changed copy.
func (ev *evaluator) transform(n *node, env *frame) *builtin {
	return &builtin{arity: 1, sig: transformSignature(), call: func(ev *evaluator, args []any) (any, error) {
		if IsUndefined(args[0]) {
			return Undefined, nil
		}
		clone := ev.lookupVariable("clone", env)
		if !isFunction(clone) {
			return nil, errorToken("T2013", n.pos, n.text, nil)
		}
		result, err := ev.call(clone, args, nil, env)
		if err != nil {
			return nil, err
		}
		matches, err := ev.value(n.lhs, result, env)
		if err != nil || IsUndefined(matches) {
			return result, err
		}
		for _, m := range toItems(matches) {
			if err := ev.change(n, Force(m), env); err != nil {
				return nil, err
			}
		}
		return result, nil
	}}
}

// change updates one object that the pattern selected, in place, because it is part of a
// copy.
func (ev *evaluator) change(n *node, match any, env *frame) error {
	o, isObject := match.(*Object)
	update, err := ev.value(n.body, match, env)
	if err != nil {
		return err
	}
	if !IsUndefined(update) {
		u, ok := update.(*Object)
		if !ok {
			return errorToken("T2011", n.body.pos, n.body.text, update)
		}
		for i := range u.Len() {
			if isObject {
				o.Set(u.At(i))
				ev.use(memberSize)
			}
		}
		ev.forgetIndexes()
	}
	if n.rhs == nil {
		return nil
	}
	names, err := ev.value(n.rhs, match, env)
	if err != nil || IsUndefined(names) {
		return err
	}
	drop := map[string]bool{}
	for _, name := range toItems(names) {
		s, ok := name.(string)
		if !ok {
			return errorToken("T2012", n.rhs.pos, n.rhs.text, names)
		}
		drop[s] = true
	}
	ev.work(bytesOfItem * len(drop))
	if isObject {
		ev.work(bytesOfItem * o.Len())
		o.deleteAll(drop)
		ev.forgetIndexes()
	}
	return ev.step()
}

// clone copies a value, so that it can be changed; functions become "", as they do in JSON text.
func (ev *evaluator) clone(v any, depth int) (any, error) {
	if err := ev.step(); err != nil {
		return nil, err
	}
	if depth > maxDepth {
		return nil, spent(ErrDepth)
	}
	v = Force(v)
	if s, ok := v.(*seq); ok && s.outerWrapper {
		v = s.items[0]
	}
	if items, ok := elements(v); ok {
		if err := ev.reserve(float64(slotSize * (2 + len(items)))); err != nil {
			return nil, err
		}
		out := make([]any, len(items))
		for i, item := range items {
			var err error
			if out[i], err = ev.clone(item, depth+1); err != nil {
				return nil, err
			}
		}
		return &seq{items: out}, nil
	}
	if o, ok := v.(*Object); ok {
		ev.use(memberSize * (2 + o.Len()))
		n := o.Len()
		out := newShared(n)
		out.keys = o.keys[:n:n]
		if n > indexFrom {
			out.index = indexKeys(out.keys, n)
		}
		for _, m := range o.values {
			c, err := ev.clone(m, depth+1)
			if err != nil {
				return nil, err
			}
			out.values = append(out.values, c)
		}
		return out, nil
	}
	if f, ok := v.(float64); ok && math.IsNaN(f) {
		return nil, nil
	}
	switch {
	case isFunction(v):
		return "", nil
	case IsUndefined(v):
		return nil, nil
	}
	return v, nil
}
