package jsonata

import (
	"encoding/json"
	"hash/maphash"
	"math"
)

// Looking up several values in the same list would scan the list each time. From the
// second lookup, a list of some length has an index. A list is identified by the address
// of its items, which do not change while it is reachable.

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

// hashSeed is the seed of all hashes of the process.
var hashSeed = maphash.MakeSeed()

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
		f := toFloat(v)
		if f == 0 {
			return 4, nil // includes -0
		}
		return mix(math.Float64bits(f)), nil
	case string:
		ev.work(len(v))
		return maphash.String(hashSeed, v), nil
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
			sum += mix(maphash.String(hashSeed, k) ^ mix(h)) // in any order
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
		sum = mix(sum ^ h)
	}
	return sum, nil
}

// mix spreads the bits of a number (the finalizer of MurmurHash3).
func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// A listSet is the set of the scalars of a list, made when the list is searched for the
// second time.
type listSet struct {
	id  listID
	set map[any]struct{}
}

// setOf returns the set of the scalars of a list, or nil if it is not worthwhile yet.
func (ev *evaluator) setOf(items []any) (map[any]struct{}, error) {
	if !ev.conf.worth(len(items), indexItemsFrom) {
		return nil, nil
	}
	id := idOf(items)
	for i := range ev.sets {
		s := &ev.sets[i]
		if s.id != id {
			continue
		}
		if s.set == nil && ev.affords(setEntry*len(items)) {
			s.set = make(map[any]struct{}, len(items))
			for _, item := range items {
				if err := ev.step(); err != nil {
					return nil, err
				}
				if item = Force(item); !isArray(item) {
					s.set[scalarKey(item)] = struct{}{}
				}
			}
		}
		return s.set, nil
	}
	ev.sets[ev.nextSet%len(ev.sets)] = listSet{id: id}
	ev.nextSet++
	return nil, nil
}

// scalarKey returns the same key for all numbers that are equal.
func scalarKey(v any) any {
	if isNumber(v) {
		return toFloat(v)
	}
	return v
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
	pred *node
	id   listID
	at   map[uint64][]int32 // the places of the items, in order
}

// candidates returns the places of the items for which a predicate may be true, and
// whether they are known. Key evaluates the side of the predicate that depends on the
// item.
func (ev *evaluator) candidates(pred *node, items []any, wanted func(n *node) (any, error), key func(n *node, item any) (any, error)) ([]int32, bool, error) {
	if !ev.conf.worth(len(items), indexItemsFrom) || len(items) > math.MaxInt32 {
		return nil, false, nil
	}
	id := idOf(items)
	var index *keyIndex
	for i := range ev.indexes {
		if k := &ev.indexes[i]; k.pred == pred && k.id == id {
			index = k
		}
	}
	if index == nil {
		ev.indexes[ev.nextIndex%len(ev.indexes)] = keyIndex{pred: pred, id: id}
		ev.nextIndex++
		return nil, false, nil
	}
	if index.at == nil {
		if !ev.affords(setEntry * len(items)) {
			return nil, false, nil
		}
		index.at = make(map[uint64][]int32, len(items))
		for i, item := range items {
			v, err := key(pred.join.item, item)
			if err != nil {
				return nil, false, err
			}
			if IsUndefined(v) {
				continue // equal to nothing
			}
			h, err := ev.hash(v, 0)
			if err != nil {
				return nil, false, err
			}
			index.at[h] = append(index.at[h], int32(i)) // #nosec G115 -- checked above
		}
	}
	v, err := wanted(pred.join.other)
	if err != nil || IsUndefined(v) {
		return nil, true, err
	}
	h, err := ev.hash(v, 0)
	return index.at[h], true, err
}

// forgetIndexes is called when objects change in place, as in a transform.
func (ev *evaluator) forgetIndexes() { ev.indexes = [len(ev.indexes)]keyIndex{} }
