package jsonata

import "slices"

// A past links an object that $merge made to its successor. When $merge is applied to
// such an object, it takes over the object's members instead of copying them, because
// $reduce drops its previous value. If the previous value is used after all, it is
// restored: the successor records what it changed.
type past struct {
	next *Object // the object that has the members now; nil while this object has them itself
	n    int     // how many of them are the object's own
	undo []undo
}

// An undo is a value that the successor replaced.
type undo struct {
	i     int
	value any
}

const mergeFrom = 16 // the number of members from which taking over is worthwhile

// restore gives an object its members back. It does nothing if the object still has them.
func (o *Object) restore() {
	if o.past != nil && o.past.next != nil {
		o.bringBack()
	}
}

func (o *Object) bringBack() {
	chain := []*Object{o}
	last := o.past.next
	for last.past != nil && last.past.next != nil {
		chain = append(chain, last)
		last = last.past.next
	}
	n := o.past.n
	values := slices.Clone(last.values[:n])
	for _, between := range slices.Backward(chain) {
		for _, u := range slices.Backward(between.past.undo) {
			if u.i < n {
				values[u.i] = u.value
			}
		}
	}
	o.keys, o.values, o.past = slices.Clone(last.keys[:n]), values, nil
	if n > indexFrom {
		o.index = indexKeys(o.keys, n)
	}
}

// successor returns an object with the members of o, for merge to change; it takes them
// away from o.
func (o *Object) successor() *Object {
	next := &Object{keys: o.keys, values: o.values, index: o.index, past: &past{}}
	o.past = &past{next: next, n: len(o.keys)}
	o.keys, o.values, o.index = nil, nil, nil
	return next
}

// merge sets the members of from; before is the object from which o took its members, if
// there is one.
func (o *Object) merge(from *Object, before *Object) (added int) {
	for i := range from.Len() {
		k, v := from.At(i)
		at := o.find(k)
		switch {
		case at < 0:
			added++
		case before != nil && at < before.past.n:
			before.past.undo = append(before.past.undo, undo{at, o.values[at]})
		}
		o.Set(k, v)
	}
	return added
}

// copyOf gives an empty object the members of another, with room for as many as are usually
// added.
func (o *Object) copyOf(from *Object) {
	from.restore()
	n := len(from.keys) + 4
	o.keys, o.values = append(make([]string, 0, n), from.keys...), append(make([]any, 0, n), from.values...)
	if from.index != nil {
		o.index = &hashTable{slices.Clone(from.index.slots), from.index.n}
	}
}

func fnMerge(ev *evaluator, args []any) (any, error) {
	items, ok := elements(args[0])
	if !ok {
		return Undefined, nil
	}
	out, before := &Object{past: &past{}}, (*Object)(nil)
	if len(items) > 1 {
		if first := Force(items[0]).(*Object); first.past != nil && ev.conf.worth(first.Len(), mergeFrom) && !slices.Contains(items[1:], any(first)) {
			out, before, items = first.successor(), first, items[1:]
		}
	}
	for i, item := range items {
		o := Force(item).(*Object) // guaranteed by the signature
		if i == 0 && before == nil {
			out.copyOf(o)
			ev.use(memberSize * o.Len())
		} else {
			ev.use(memberSize * out.merge(o, before))
		}
		ev.work(memberSize * o.Len())
		if err := ev.step(); err != nil {
			return nil, err
		}
	}
	return out, nil
}
