package jsonata

import (
	"math"
	"slices"
	"strings"
	"unicode/utf8"
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
		if !utf8.ValidString(v) { // which is faster
			v = strings.ToValidUTF8(v, "\uFFFD")
		}
		return v, nil
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
	ev.deepest = max(ev.deepest, depth)
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
		return ev.exportItems(v, v, nil, depth)
	case *seq:
		if v.items == nil {
			return []any{}, nil
		}
		return ev.exportItems(v.items, v.items, v, depth)
	case *Object:
		return v, ev.exportMembers(v, depth)
	case *lambda, *builtin, *partial, *matcher:
		return &Function{v}, nil
	}
	return v, nil
}

func (ev *evaluator) exportMembers(o *Object, depth int) error {
	o.restore()
	if o.past != nil {
		o.past = nil // the caller may keep it
	}
	x := ev.begin(o, len(o.values), depth, nil)
	for i := x.next(0); i < len(o.values); i = x.next(i + 1) {
		ev.use(len(o.keys[i]))
		e, err := ev.exportValue(o.values[i], depth+1)
		if err != nil {
			return err
		}
		if changed(o.values[i]) {
			o.values[i] = e // only values that were made here are changed
		}
	}
	ev.end(&x, o, nil)
	return nil
}

// exportItems exports the items of the array v in place; s is nil for one from outside. It
// replaces undefined items, such as groups that took no part in a match, by null in a copy,
// because the items may be those of the input.
func (ev *evaluator) exportItems(v any, items []any, s *seq, depth int) (any, error) {
	x := ev.begin(v, len(items), depth, s)
	for i := x.next(0); i < len(items); i = x.next(i + 1) {
		if s != nil && IsUndefined(items[i]) {
			items = slices.Clone(items)
			for j := i; j < len(items); j++ {
				if IsUndefined(items[j]) {
					items[j] = nil
				}
			}
			v, s, x.e = items, nil, nil // x.front stays: what was exported is at the same index
		}
		e, err := ev.exportValue(items[i], depth+1)
		if err != nil {
			return nil, err
		}
		if changed(items[i]) {
			items[i] = e
		}
	}
	ev.end(&x, v, s)
	return v, nil
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
