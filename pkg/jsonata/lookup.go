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
	open  bool // the gates of the predicate are true of an item
}

// candidates are the items of a list that a predicate may select: those at some places if an
// index knows them, and all otherwise.
type candidates struct {
	places
	known   bool
	next, n int // of all items
	key     scalar
	bound   int // of the evaluator, when it looked up the key
}

// take returns the place of the next one.
func (c *candidates) take() (int, bool) {
	if c.known {
		return c.places.take()
	}
	i := c.next
	c.next++
	return i, i < c.n
}

// exact reports whether an index has compared the values themselves.
func (c *candidates) exact() bool { return c.known && c.places.exact() }

// An itemScope evaluates the parts of a predicate that is not about the context, but about a
// variable that is bound to the item.
type itemScope struct {
	focus   string // empty if the predicate is about the context
	context any
	env     *frame
}

// candidates returns the items for which a predicate may be true. If that fails, all items are:
// their evaluation, in order, decides which error is reported.
func (ev *evaluator) candidates(pred *node, items []any, in itemScope) (candidates, error) {
	before := ev.position()
	at, err := ev.lookedUp(pred, items, in)
	if e, ok := err.(*Error); ok && e.limit == nil {
		ev.resume(before)
		return candidates{n: len(items)}, nil
	}
	return at, err
}

func (ev *evaluator) lookedUp(pred *node, items []any, in itemScope) (candidates, error) {
	all := candidates{n: len(items)}
	if !ev.conf.worth(len(items), indexItemsFrom) || len(items) >= math.MaxInt32 || !ev.builtIn(pred.join.calls, in.env) {
		return all, nil
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
		return all, nil
	}
	more, at := items, *index // nested evaluations may replace the index
	if at.table != nil {
		more = items[at.id.n:]
	}
	if len(more) > 0 {
		if !ev.affords(setEntry * len(more)) {
			return all, nil
		}
		if at.table == nil {
			at.table = newMultiTable(len(items))
		}
		*index = keyIndex{} // incomplete until all items are added
		opened, err := ev.addItems(at.table, more, pred.join, in)
		if err != nil {
			return all, err
		}
		at.open, at.id = at.open || opened, id
		*index = at
	}
	if !at.open {
		return candidates{known: true, n: len(items)}, nil
	}
	k, err := ev.keyFor(pred.join, in)
	if err != nil || k == noKey {
		return candidates{known: true, n: len(items)}, err
	}
	return candidates{known: true, n: len(items), places: at.table.of(k), key: k, bound: ev.bound}, nil
}

// keyFor returns the key that a predicate looks for: noKey if it is undefined, and equals nothing.
func (ev *evaluator) keyFor(join *joinKeys, in itemScope) (scalar, error) {
	v, err := ev.value(join.other, in.context, in.env)
	if err != nil || IsUndefined(v) {
		return noKey, err
	}
	return ev.keyOf(v)
}

// recheck makes all further items candidates if the predicate, evaluated for the item at i, has
// changed a variable that the search depends on, as [id = $x and $exists($x := n)] does.
func (ev *evaluator) recheck(c *candidates, pred *node, i int, in itemScope) {
	if !c.known || c.bound == ev.bound {
		return
	}
	before := ev.position()
	k, err := ev.keyFor(pred.join, in)
	if err == nil && k == c.key && ev.builtIn(pred.join.calls, in.env) {
		c.bound = ev.bound
		return
	}
	ev.resume(before)
	*c = candidates{next: i + 1, n: c.n}
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

// calledFor returns the items for which a function of the form function($i) { $i.path = other }
// may be true.
func (ev *evaluator) calledFor(f any, items []any) (candidates, error) {
	l, ok := f.(*lambda)
	if !ok || l.body.join == nil || len(l.params) == 0 || l.params[0] != l.body.join.focus { // a partial application binds parameters
		return candidates{n: len(items)}, nil
	}
	return ev.candidates(l.body, items, scopeOf(l))
}

func scopeOf(l *lambda) itemScope { return itemScope{l.params[0], l.input, l.env} }

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

// addItems adds the places of a list's next items under their keys, and reports whether the
// gates are true of any. An undefined key equals nothing.
func (ev *evaluator) addItems(table *multiTable, items []any, join *joinKeys, in itemScope) (open bool, err error) {
	var bound *tupleBinding // one for all items, because nothing keeps it
	if in.focus != "" {
		bound = &tupleBinding{name: in.focus}
		in.env = &frame{parent: in.env, tuple: bound}
	}
	for _, item := range items {
		if bound != nil {
			bound.value = item
		} else {
			in.context = item
		}
		k := noKey
		through, err := ev.all(join.gates, in.context, in.env)
		if err != nil {
			return false, err
		}
		if through {
			open = true
			v, err := ev.value(join.item, in.context, in.env)
			if err != nil {
				return false, err
			}
			if !IsUndefined(v) {
				if k, err = ev.keyOf(v); err != nil {
					return false, err
				}
			}
		}
		table.add(k)
	}
	return open, nil
}

// forgetIndexes is called when objects change in place, as in a transform.
func (ev *evaluator) forgetIndexes() {
	if ev.found != nil {
		ev.found.indexes = [len(ev.found.indexes)]keyIndex{}
	}
	ev.dropAll()
}
