package jsonpath

import (
	"encoding/json"
	"hash/maphash"
	"math"
	"strings"
	"unsafe"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// indexFrom is the minimum length of a list that gets an index: searching a shorter one is
// about as fast.
const indexFrom = 16

// A listKey identifies a list by the address of its elements. As a map key, it prevents
// that memory from being reused.
type listKey struct {
	first *any
	n     int
}

// An index holds the elements of a list by the hashes of the values that they equal; nil
// until the list is used for the second time.
type index map[uint64][]any

// has reports whether a list has an element that equals v. A list that is used more than
// once gets an index, so that the cost of [?(@.id in $.ids)] is the sum of the lengths of
// both lists, and not their product.
func (ev *evaluator) has(list []any, v any) bool {
	candidates, more := list, []any(nil)
	if x := ev.index(list); x != nil {
		hash, number, isNumber := ev.hashes(v)
		if candidates = x[hash]; isNumber {
			more = x[number]
		}
	}
	return ev.any(candidates, v) || ev.any(more, v)
}

func (ev *evaluator) any(list []any, v any) bool {
	for _, e := range list {
		if !ev.spend() {
			return false
		}
		if ev.equal(e, v, true) {
			return true
		}
	}
	return false
}

func (ev *evaluator) index(list []any) index {
	if len(list) < indexFrom {
		return nil
	}
	key := listKey{unsafe.SliceData(list), len(list)}
	x, used := ev.indexes[key]
	switch {
	case !used:
		if ev.indexes == nil {
			ev.indexes = map[listKey]index{}
		}
		ev.indexes[key] = nil
	case x == nil:
		x = make(index, len(list))
		for _, e := range list {
			hash, number, isNumber := ev.hashes(e)
			if x[hash] = append(x[hash], e); isNumber {
				x[number] = append(x[number], e)
			}
		}
		ev.indexes[key] = x
	}
	return x
}

// hashes returns the hash of a value, and, for a text that is a number, that of the number,
// which it also equals.
func (ev *evaluator) hashes(v any) (hash, number uint64, isNumber bool) {
	v = jsonata.Force(v)
	if text, ok := v.(string); ok {
		text = strings.TrimSpace(text)
		if text != "" && (text[0] == '-' || text[0] >= '0' && text[0] <= '9') && jsonata.Valid([]byte(text)) == nil {
			number, isNumber = ev.hash(json.Number(text)), true
		}
	}
	return ev.hash(v), number, isNumber
}

var hashSeed = maphash.MakeSeed()

// hash returns the same for any two values that are equal without coercion.
func (ev *evaluator) hash(v any) uint64 {
	ev.spend()
	switch v := jsonata.Force(v).(type) {
	case bool:
		return maphash.Comparable(hashSeed, v)
	case string:
		return maphash.String(hashSeed, v)
	case json.Number, float64:
		f, ok := floatOf(v)
		if !ok || math.IsNaN(f) {
			return 2
		}
		return maphash.Comparable(hashSeed, f)
	case []any:
		sum := uint64(len(v)) + 3
		for _, e := range v {
			sum = sum*31 + ev.hash(e)
		}
		return sum
	case *jsonata.Object:
		sum := uint64(v.Len()) + 5
		for i := range v.Len() { // in any order
			name, e := v.At(i)
			sum += maphash.String(hashSeed, name) * (ev.hash(e) | 1)
		}
		return sum
	}
	return 1
}

// absolute evaluates a path that begins at the root, whose result is the same for each
// item.
func (ev *evaluator) absolute(p *Path) (any, bool) {
	if p.simple && p.fn == nil {
		return ev.path(p, ev.root)
	}
	r, known := ev.absolutes[p]
	if !known {
		r.value, r.found = ev.path(p, ev.root)
		if ev.absolutes == nil {
			ev.absolutes = map[*Path]result{}
		}
		ev.absolutes[p] = r
	}
	return r.value, r.found
}

type result struct {
	value any
	found bool
}
