package jsonata

import (
	"encoding/json"
	"math"
)

// Looking up several values in the same list would scan the list each time. From the second
// lookup on, a long list has an index. A list is identified by the address of its items,
// which do not change while it is reachable.

const (
	indexItemsFrom = 16 // the number of items from which a list gets an index
	setEntry       = 48 // the approximate bytes of an item of a set or an index
)

// A listID identifies a list.
type listID struct {
	first *any
	n     int
}

func idOf(items []any) listID { return listID{&items[0], len(items)} }

// hash returns a number that is equal for values that are equal by the operator =.
func (ev *evaluator) hash(v any, depth int) (uint64, error) {
	if err := ev.step(); err != nil {
		return 0, err
	}
	if depth > maxDepth {
		return 0, spent(ErrDepth)
	}
	switch v := Force(v).(type) {
	case nil:
		return 1, nil
	case bool:
		if v {
			return 2, nil
		}
		return 3, nil
	case float64, json.Number:
		return hashNumber(toFloat(v)), nil
	case string:
		ev.work(len(v))
		return hashText(v), nil
	case []any:
		return ev.hashItems(v, depth)
	case *seq:
		return ev.hashItems(v.items, depth)
	case *Object:
		sum := uint64(v.Len()) + 5
		for i := range v.Len() {
			k, m := v.At(i)
			h, err := ev.hash(m, depth+1)
			if err != nil {
				return 0, err
			}
			sum += hashWord(hashText(k) ^ hashWord(h)) // in any order
		}
		return sum, nil
	}
	return 6, nil // a function, or undefined
}

func (ev *evaluator) hashItems(items []any, depth int) (uint64, error) {
	sum := uint64(7)
	for _, item := range items {
		h, err := ev.hash(item, depth+1)
		if err != nil {
			return 0, err
		}
		sum = hashWord(sum ^ h)
	}
	return sum, nil
}

// A listSet is the set of the scalars of a list, made when the list is searched for the
// second time.
type listSet struct {
	id  listID
	set *scalarSet
}

// setOf returns the set of the scalars of a list, or nil if it is not worthwhile yet.
func (ev *evaluator) setOf(items []any) (*scalarSet, error) {
	if !ev.conf.worth(len(items), indexItemsFrom) {
		return nil, nil
	}
	id, found := idOf(items), ev.searches()
	for i := range found.sets {
		s := &found.sets[i]
		if s.id.first != id.first || s.id.n > id.n { // the list may have grown in place
			continue
		}
		more := items
		if s.set != nil {
			more = items[s.id.n:]
		}
		if !ev.affords(setEntry * len(more)) {
			return nil, nil
		}
		if s.set == nil {
			s.set = newScalarSet(len(items))
		}
		s.id = id
		return s.set, ev.addTo(s.set, more)
	}
	found.sets[found.nextSet%len(found.sets)] = listSet{id: id}
	found.nextSet++
	return nil, nil
}

// addTo adds the scalars of a list to a set.
func (ev *evaluator) addTo(set *scalarSet, items []any) error {
	var keys [fetchAtOnce]scalar
	for len(items) > 0 {
		some := items[:min(len(items), len(keys))]
		items = items[len(some):]
		for i, item := range some {
			keys[i], _ = scalarOf(Force(item))
		}
		set.fetch(keys[:len(some)])
		for i, item := range some {
			if err := ev.step(); err != nil {
				return err
			}
			if item = Force(item); keys[i].b != 0 || !isArray(item) {
				set.addKey(keys[i], item)
			}
		}
	}
	return nil
}

func isArray(v any) bool {
	_, ok := elements(v)
	return ok
}

// affords charges for an index, if the budget allows it; without the index, the list is
// scanned.
func (ev *evaluator) affords(bytes int) bool { return ev.reserve(float64(bytes)) == nil }

// A keyIndex finds the items of a list by the value of an expression that a predicate
// compares for equality.
type keyIndex struct {
	pred  *node
	id    listID
	table *multiTable
}

// candidates returns the places of the items for which a predicate may be true, and
// whether they are known. Key evaluates the side of the predicate that depends on the
// item.
func (ev *evaluator) candidates(pred *node, items []any, env *frame, wanted func(n *node) (any, error), key func(n *node, item any) (any, error)) (places, bool, error) {
	if !ev.conf.worth(len(items), indexItemsFrom) || len(items) >= math.MaxInt32 || !ev.builtIn(pred.join.calls, env) {
		return places{}, false, nil
	}
	id, found := idOf(items), ev.searches()
	var index *keyIndex
	for i := range found.indexes {
		if k := &found.indexes[i]; k.pred == pred && k.id.first == id.first && k.id.n <= id.n { // the list may have grown in place
			index = k
		}
	}
	if index == nil {
		found.indexes[found.nextIndex%len(found.indexes)] = keyIndex{pred: pred, id: id}
		found.nextIndex++
		return places{}, false, nil
	}
	more, table := items, index.table // nested evaluations may replace the index
	if table != nil {
		more = items[index.id.n:]
	}
	if len(more) > 0 {
		if !ev.affords(setEntry * len(more)) {
			return places{}, false, nil
		}
		if table == nil {
			table = newMultiTable(len(items))
		}
		*index = keyIndex{} // incomplete until all items are added
		if err := ev.addItems(table, more, func(item any) (any, error) { return key(pred.join.item, item) }); err != nil {
			return places{}, false, err
		}
		*index = keyIndex{pred, id, table}
	}
	v, err := wanted(pred.join.other)
	if err != nil || IsUndefined(v) {
		return places{}, true, err
	}
	k, err := ev.keyOf(v)
	return table.of(k), true, err
}

// builtIn reports whether the names of calls still refer to the built-in functions.
func (ev *evaluator) builtIn(calls []*node, env *frame) bool {
	for _, n := range calls {
		if ev.peek(n, env) != any(n.builtin) {
			return false
		}
	}
	return true
}

// calledFor returns the places of the items for which a function of the form
// function($i) { $i.path = other } may be true, and whether they are known.
func (ev *evaluator) calledFor(f any, items []any) (at places, exact, known bool, err error) {
	l, ok := f.(*lambda)
	if !ok || l.body.join == nil {
		return places{}, false, false, nil
	}
	at, known, err = ev.candidates(l.body, items, l.env,
		func(n *node) (any, error) { return ev.value(n, l.input, l.env) },
		ev.keyOfBound(l.params[0], l.input, l.env))
	return at, l.body.isJoin() && at.exact(), known, err
}

// keyOfBound returns a function that evaluates a path from the item bound to name. It reuses
// one frame, because nothing keeps it.
func (ev *evaluator) keyOfBound(name string, context any, env *frame) func(n *node, item any) (any, error) {
	var bound *tupleBinding
	var scope *frame
	return func(n *node, item any) (any, error) {
		if scope == nil { // most searches find an index that exists
			bound = &tupleBinding{name: name}
			scope = &frame{parent: env, tuple: bound}
		}
		bound.value = item
		return ev.value(n, context, scope)
	}
}

// keyOf returns a value as the key of a multiTable.
func (ev *evaluator) keyOf(v any) (scalar, error) {
	if k, ok := scalarOf(v); ok {
		if s, ok := v.(string); ok {
			ev.work(len(s))
		}
		return k, ev.step()
	}
	h, err := ev.hash(v, 0)
	return scalar{a: h}, err
}

// addItems adds the places of a list's next items under their keys. An undefined key equals
// nothing.
func (ev *evaluator) addItems(table *multiTable, items []any, key func(item any) (any, error)) error {
	for _, item := range items {
		v, err := key(item)
		if err != nil {
			return err
		}
		k := noKey
		if !IsUndefined(v) {
			if k, err = ev.keyOf(v); err != nil {
				return err
			}
		}
		table.add(k)
	}
	return nil
}

// forgetIndexes is called when objects change in place, as in a transform.
func (ev *evaluator) forgetIndexes() {
	if ev.found != nil {
		ev.found.indexes = [len(ev.found.indexes)]keyIndex{}
	}
	ev.dropAll()
}
