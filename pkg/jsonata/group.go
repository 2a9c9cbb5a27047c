package jsonata

// object evaluates {key: value}, which groups the context.
func (ev *evaluator) object(n *node, input any, env *frame) (any, error) {
	if _, isArray := elements(input); isArray {
		return ev.group(n.pairs, n.pos, input, env)
	}
	// A single item is the usual case, and needs no groups. All keys are evaluated before
	// the values, so an error in a key is reported first.
	out := NewObject(len(n.pairs))
	ev.use(memberSize * (2 + len(n.pairs)))
	for i, p := range n.pairs {
		key, ok, err := ev.groupKey(p.key, n.pos, input, env)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		if out.find(key) >= 0 {
			return nil, errorToken("D1009", n.pos, "{", key)
		}
		out.Set(key, &n.pairs[i])
	}
	missing := false
	for i := range out.values {
		v, err := ev.eval(out.values[i].(*pair).value, input, env)
		if err != nil {
			return nil, err
		}
		missing = missing || IsUndefined(v)
		out.values[i] = v
	}
	if missing {
		return out.defined(), nil
	}
	return out, nil
}

// defined returns the members whose values are not undefined.
func (o *Object) defined() *Object {
	out := NewObject(o.Len())
	for i := range o.Len() {
		if k, v := o.At(i); !IsUndefined(v) {
			out.Set(k, v)
		}
	}
	return out
}

// groupKey returns false if the key is undefined: then there is no member.
func (ev *evaluator) groupKey(n *node, pos int, context any, env *frame) (string, bool, error) {
	v, err := ev.value(n, context, env)
	if err != nil {
		return "", false, err
	}
	if IsUndefined(v) {
		return "", false, nil
	}
	key, ok := v.(string)
	if !ok {
		return "", false, errorToken("T1003", pos, "{", v)
	}
	return key, true, nil
}

type groupEntry struct {
	pair  int
	items []any
	// single: the value is items[0] itself; further items make it an array.
	single bool
}

// add joins an item to the group, as $append does.
func (g *groupEntry) add(item any) {
	if IsUndefined(item) {
		return
	}
	if g.single {
		first := g.items[0]
		if list, isArray := elements(first); isArray {
			g.items = append([]any{}, list...)
		}
		g.single = false
	}
	if list, isArray := elements(item); isArray {
		g.items = append(g.items, list...)
		return
	}
	g.items = append(g.items, item)
}

// group evaluates the pairs for each item, and joins the items with the same key: their
// value is evaluated with all of them as the context.
func (ev *evaluator) group(pairs []pair, pos int, input any, env *frame) (any, error) {
	input = Force(input)
	s, ok := input.(*seq)
	reduce := ok && s.tupleStream
	items := toItems(input)
	if len(items) == 0 && !reduce {
		items = []any{Undefined}
	}
	keys := []string{}
	groups := map[string]*groupEntry{}
	for _, item := range items {
		context, scope := item, env
		if t, ok := item.(*tuple); ok && reduce {
			context, scope = t.item, &frame{parent: env, tuple: t.binds}
		}
		for i := range pairs {
			key, ok, err := ev.groupKey(pairs[i].key, pos, context, scope)
			if err != nil {
				return nil, err
			}
			if !ok {
				continue
			}
			ev.use(2 * memberSize)
			g := groups[key]
			switch {
			case g == nil:
				groups[key] = &groupEntry{pair: i, items: []any{item}, single: true}
				keys = append(keys, key)
			case g.pair != i:
				return nil, errorToken("D1009", pos, "{", key)
			default:
				g.add(item)
			}
		}
	}
	out := NewObject(len(keys))
	for _, key := range keys {
		g := groups[key]
		var context any = &seq{items: g.items}
		if g.single {
			context = g.items[0]
		}
		scope := env
		if reduce {
			t := reduceTuples(g.items)
			context, scope = t.item, &frame{parent: env, tuple: t.binds}
		}
		v, err := ev.eval(pairs[g.pair].value, context, scope)
		if err != nil {
			return nil, err
		}
		if !IsUndefined(v) {
			out.Set(key, v)
		}
	}
	return out, nil
}

// reduceTuples joins tuples into one, each of whose variables has the values of all.
func reduceTuples(items []any) *tuple {
	first := items[0].(*tuple)
	if len(items) == 1 {
		return first
	}
	type column struct {
		name string
		groupEntry
	}
	var columns []*column
	at := map[string]*column{}
	out := groupEntry{}
	for i, item := range items {
		t := item.(*tuple)
		if i == 0 {
			out = groupEntry{items: []any{t.item}, single: true}
		} else {
			out.add(t.item)
		}
		seen := map[string]bool{}
		for b := t.binds; b != nil; b = b.next {
			if seen[b.name] {
				continue
			}
			seen[b.name] = true
			if c := at[b.name]; c != nil {
				c.add(b.value)
				continue
			}
			c := &column{b.name, groupEntry{items: []any{b.value}, single: true}}
			at[b.name] = c
			columns = append(columns, c)
		}
	}
	value := func(g *groupEntry) any {
		if g.single {
			return g.items[0]
		}
		return &seq{items: g.items}
	}
	to := &tuple{item: value(&out)}
	for _, c := range columns {
		to.bind(c.name, value(&c.groupEntry))
	}
	return to
}
