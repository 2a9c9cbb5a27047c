package jsonpath

import (
	"slices"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// An evaluator is one run of Eval. Conditions evaluate further paths with the same
// budget.
type evaluator struct {
	root   any
	budget int
	pad    bool // see EvalTemplate

	indexes   map[listKey]index
	absolutes map[*Path]result
}

// spend takes one visit from the budget and reports whether any is left.
func (ev *evaluator) spend() bool {
	ev.budget--
	return ev.budget > 0
}

func (ev *evaluator) path(p *Path, start any) (any, bool) {
	v, ok := ev.steps(p, start)
	if p.fn == nil || !ok {
		return v, ok
	}
	return p.fn.apply(ev, v)
}

func (ev *evaluator) steps(p *Path, start any) (any, bool) {
	if p.simple {
		return follow(p.steps, start, ev.pad)
	}
	out := []any{}
	ev.walk(start, p.steps, &out)
	switch {
	case !p.single:
		return out, true
	case len(out) == 0:
		return nil, false
	}
	return out[0], true
}

// walk appends the values that the steps name in v.
func (ev *evaluator) walk(v any, steps []step, out *[]any) {
	if len(steps) == 0 {
		*out = append(*out, v)
		return
	}
	if !ev.spend() {
		return
	}
	s, rest := &steps[0], steps[1:]
	if s.kind == descend {
		ev.scan(v, false, rest, out)
		return
	}
	switch v := jsonata.Force(v).(type) {
	case *jsonata.Object:
		ev.walkObject(v, s, rest, out)
	case []any:
		ev.walkArray(v, s, rest, out)
	}
}

func (ev *evaluator) walkObject(o *jsonata.Object, s *step, rest []step, out *[]any) {
	switch s.kind {
	case member:
		if v, ok := o.Get(s.name); ok {
			ev.walk(v, rest, out)
		}
	case members:
		if len(rest) == 0 {
			merged, _ := pick(o, s.names)
			*out = append(*out, merged)
			return
		}
		for _, name := range s.names {
			if v, ok := o.Get(name); ok {
				ev.walk(v, rest, out)
			}
		}
	case wildcard:
		for i := range o.Len() {
			_, v := o.At(i)
			if !ev.spend() {
				return
			}
			ev.walk(v, rest, out)
		}
	case filter:
		// Jayway tests the object itself here, not its members.
		if s.cond.test(ev, o) {
			ev.walk(o, rest, out)
		}
	}
}

func (ev *evaluator) walkArray(list []any, s *step, rest []step, out *[]any) {
	switch s.kind {
	case element:
		ev.walkElement(list, s.index, rest, out)
	case elements:
		for _, i := range s.indexes {
			ev.walkElement(list, i, rest, out)
		}
	case slice:
		if s.slice.step == 1 && !s.slice.hasEnd && (!s.slice.hasStart || s.slice.start == 0) { // all of them
			reserve(out, len(list), rest)
		}
		for i := range s.slice.over(len(list)) {
			if !ev.spend() {
				return
			}
			ev.walk(list[i], rest, out)
		}
	case wildcard:
		reserve(out, len(list), rest)
		for _, v := range list {
			if !ev.spend() {
				return
			}
			ev.walk(v, rest, out)
		}
	case filter:
		for _, v := range list {
			if !ev.spend() {
				return
			}
			if s.cond.test(ev, v) {
				ev.walk(v, rest, out)
			}
		}
	}
}

// reserve makes room for what n values yield, if each of them yields at most one.
func reserve(out *[]any, n int, rest []step) {
	for i := range rest {
		if rest[i].kind != member && rest[i].kind != element {
			return
		}
	}
	*out = slices.Grow(*out, n)
}

func (ev *evaluator) walkElement(list []any, i int, rest []step, out *[]any) {
	if v, ok := at(list, i); ok || ev.pad && len(rest) == 0 {
		ev.walk(v, rest, out)
	}
}

// scan applies steps to v and to everything below it, a value before its parts.
func (ev *evaluator) scan(v any, inArray bool, steps []step, out *[]any) {
	if !ev.spend() {
		return
	}
	v = jsonata.Force(v)
	s := &steps[0]
	o, isObject := v.(*jsonata.Object)
	switch {
	case s.kind == filter:
		// Each value is tested once, as itself: an object in an array is not tested again
		// as an element.
		if (isObject || inArray) && s.cond.test(ev, v) {
			ev.walk(v, steps[1:], out)
		}
	case s.kind == members && len(steps) == 1:
		// At any depth, only objects that have all of the names match.
		if merged, all := pick(o, s.names); all {
			*out = append(*out, merged)
		}
	default:
		ev.walk(v, steps, out)
	}
	for i := range o.Len() {
		_, child := o.At(i)
		ev.scan(child, false, steps, out)
	}
	if list, ok := v.([]any); ok {
		for _, child := range list {
			ev.scan(child, true, steps, out)
		}
	}
}

// pick makes an object of the named members, and reports whether all of them exist.
func pick(o *jsonata.Object, names []string) (picked *jsonata.Object, all bool) {
	picked, all = jsonata.NewObject(len(names)), true
	for _, name := range names {
		if v, ok := o.Get(name); ok {
			picked.Set(name, v)
		} else {
			all = false
		}
	}
	return picked, all
}

// bounds are the bounds of a slice; the has field of a missing one is false.
type bounds struct {
	start, end, step int
	hasStart, hasEnd bool
}

// over yields the indexes that the slice selects of n elements, as in
// [RFC 9535, section 2.3.4].
//
// [RFC 9535, section 2.3.4]: https://www.rfc-editor.org/rfc/rfc9535#section-2.3.4
func (b bounds) over(n int) func(yield func(int) bool) {
	clamp := func(i, low, high int) int {
		if i < 0 {
			i += n
		}
		return min(max(i, low), high)
	}
	return func(yield func(int) bool) {
		if b.step > 0 {
			from, to := 0, n
			if b.hasStart {
				from = clamp(b.start, 0, n)
			}
			if b.hasEnd {
				to = clamp(b.end, 0, n)
			}
			for i := from; i < to && yield(i); i += b.step {
			}
			return
		}
		from, to := n-1, -1
		if b.hasStart {
			from = clamp(b.start, -1, n-1)
		}
		if b.hasEnd {
			to = clamp(b.end, -1, n-1)
		}
		for i := from; i > to && yield(i); i += b.step {
		}
	}
}
