package jsonata

import "encoding/json"

// The memory budget applies to live values, not to everything that was ever allocated:
// what an expression makes on its way to a small result is garbage once it has the
// result. A value can only outlive the expression that made it in the result, in a
// variable (evaluator.binds) or in a function (and release does not measure results that
// contain functions).

const (
	releaseFrom = 256 // the bytes from which releasing is worthwhile
	smallParts  = 24  // the parts of a result that is measured
)

// release replaces everything that was charged since the amount was used by the size of
// v, the result of an expression. It does nothing for large results.
func (ev *evaluator) release(used int64, v any) {
	parts := smallParts
	if size, ok := smallSize(v, &parts); ok && used+size < ev.used {
		ev.used = used + size
	}
}

// smallSize returns the size of a value that has few parts, none of them a function.
func smallSize(v any, parts *int) (int64, bool) {
	if *parts--; *parts < 0 {
		return 0, false
	}
	switch v := v.(type) {
	case nil, bool, float64, json.Number, undefined, *Raw:
		return slotSize, true
	case string:
		return int64(slotSize + len(v)), true
	case []any:
		return smallItems(v, parts)
	case *seq:
		return smallItems(v.items, parts)
	case *Object:
		size := int64(2 * memberSize)
		for i := range v.Len() {
			_, m := v.At(i)
			n, ok := smallSize(m, parts)
			if !ok {
				return 0, false
			}
			size += memberSize + n
		}
		return size, true
	}
	return 0, false
}

func smallItems(items []any, parts *int) (int64, bool) {
	size := int64(2 * slotSize)
	for _, item := range items {
		n, ok := smallSize(item, parts)
		if !ok {
			return 0, false
		}
		size += slotSize + n
	}
	return size, true
}
