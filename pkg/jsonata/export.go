package jsonata

import (
	"math"
	"slices"
	"strings"
)

// export converts a result into values for callers: sequences become arrays. It also
// measures the result, because an expression can refer to one part of its input many
// times, and so select more than could be written.
func (ev *evaluator) export(v any) (any, error) {
	switch v := v.(type) {
	case *Raw, nil, bool, undefined, []any:
		return v, nil // comes from outside, unchanged
	case string:
		// Half a surrogate pair cannot be exported. (In parts of a result, AppendJSON
		// replaces it.)
		return strings.ToValidUTF8(v, "\uFFFD"), nil
	}
	return ev.exportValue(v, 0)
}

func (ev *evaluator) exportValue(v any, depth int) (any, error) {
	if depth > maxDepth {
		return nil, spent(ErrDepth)
	}
	if err := ev.step(); err != nil {
		return nil, err
	}
	ev.use(slotSize)
	switch v := v.(type) {
	case string:
		ev.use(len(v))
	case float64:
		switch {
		case isFinite(v):
		case ev.conf.stepFunctions:
			return notFinite(v), nil
		default:
			return nil, errorf("D1001", v)
		}
	case *Raw:
		ev.use(len(v.text))
	case []any:
		return ev.exportItems(v, depth)
	case *seq:
		if v.items == nil {
			return []any{}, nil
		}
		return ev.exportItems(definedItems(v.items), depth)
	case *Object:
		v.restore()
		if v.past != nil {
			v.past = nil // the caller may keep it
		}
		for i := range v.values {
			ev.use(len(v.keys[i]))
			e, err := ev.exportValue(v.values[i], depth+1)
			if err != nil {
				return nil, err
			}
			if changed(v.values[i]) {
				v.values[i] = e // only values that were made here are changed
			}
		}
	case *lambda, *builtin, *partial, *matcher:
		return &Function{v}, nil
	}
	return v, nil
}

func (ev *evaluator) exportItems(items []any, depth int) (any, error) {
	for i := range items {
		e, err := ev.exportValue(items[i], depth+1)
		if err != nil {
			return nil, err
		}
		if changed(items[i]) {
			items[i] = e
		}
	}
	return items, nil
}

// definedItems returns items with undefined ones replaced by null, such as groups that
// took no part in a match. It does not change the items, which may be those of the input.
func definedItems(items []any) []any {
	first := slices.IndexFunc(items, IsUndefined)
	if first < 0 {
		return items
	}
	out := slices.Clone(items)
	for i := first; i < len(out); i++ {
		if IsUndefined(out[i]) {
			out[i] = nil
		}
	}
	return out
}

func isFinite(f float64) bool { return !math.IsInf(f, 0) && !math.IsNaN(f) }

// notFinite returns the text that Step Functions makes from a result that JSON cannot
// hold.
func notFinite(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case f > 0:
		return "Infinity"
	}
	return "-Infinity"
}

// changed reports whether exporting a value gave a different one, which is the case for
// values that only exist during evaluation, never for parts of the input.
func changed(from any) bool {
	switch from := from.(type) {
	case float64:
		return !isFinite(from)
	case *seq, *lambda, *builtin, *partial, *matcher:
		return true
	}
	return false
}
