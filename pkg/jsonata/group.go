package jsonata

import "slices"

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

// groupKey returns false if the key is undefined, in which case there is no member.
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

// A groupEntry collects the values of one key. A single value stays as it is; further ones
// make it an array.
type groupEntry struct {
	pair  int
	first any // the single value, if items is nil
	items []any
}

// add joins an item to the group, as $append does.
func (g *groupEntry) add(item any) {
	if IsUndefined(item) {
		return
	}
	if g.items == nil {
		if list, isArray := elements(g.first); isArray {
			g.items = append(make([]any, 0, len(list)+4), list...)
		} else {
			g.items = append(make([]any, 0, 4), g.first)
		}
	}
	if list, isArray := elements(item); isArray {
		g.items = append(g.items, list...)
		return
	}
	g.items = append(g.items, item)
}

// value returns the single value, or an array.
func (g *groupEntry) value() any {
	if g.items == nil {
		return g.first
	}
	return &seq{items: g.items}
}

// A grouping holds groups in the order of their first items.
type grouping struct {
	keys    []string
	entries []groupEntry
	table   *hashTable // only beyond indexFrom groups, as in an Object
}

// find returns the group of a key, or nil.
func (g *grouping) find(key string) *groupEntry {
	if g.table != nil {
		if i := g.table.find(hashText(key), func(i int) bool { return g.keys[i] == key }); i >= 0 {
			return &g.entries[i]
		}
		return nil
	}
	if i := slices.Index(g.keys, key); i >= 0 {
		return &g.entries[i]
	}
	return nil
}

func (g *grouping) add(key string, pair int, item any) {
	g.keys = append(g.keys, key)
	g.entries = append(g.entries, groupEntry{pair: pair, first: item})
	switch {
	case g.table != nil:
		g.table.add(hashText(key), len(g.keys)-1)
	case len(g.keys) > indexFrom:
		g.table = indexKeys(g.keys, cap(g.keys))
	}
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
	var groups grouping
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
			g := groups.find(key)
			switch {
			case g == nil:
				groups.add(key, i, item)
			case g.pair != i:
				return nil, errorToken("D1009", pos, "{", key)
			default:
				g.add(item)
			}
		}
	}
	out := &Object{keys: groups.keys, values: make([]any, len(groups.keys)), index: groups.table}
	missing := false
	for i := range groups.entries {
		g := &groups.entries[i]
		context, scope := any(nil), env
		if reduce {
			t := reduceTuples(g)
			context, scope = t.item, &frame{parent: env, tuple: t.binds}
		} else {
			context = g.value()
		}
		v, err := ev.eval(pairs[g.pair].value, context, scope)
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

// reduceTuples joins tuples into one, each of whose variables has the values of all.
func reduceTuples(g *groupEntry) *tuple {
	if g.items == nil {
		return g.first.(*tuple)
	}
	type column struct {
		name string
		groupEntry
	}
	var columns []*column
	at := map[string]*column{}
	out := groupEntry{}
	for i, item := range g.items {
		t := item.(*tuple)
		if i == 0 {
			out.first = t.item
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
			c := &column{b.name, groupEntry{first: b.value}}
			at[b.name] = c
			columns = append(columns, c)
		}
	}
	to := &tuple{item: out.value()}
	for _, c := range columns {
		to.bind(c.name, c.value())
	}
	return to
}
