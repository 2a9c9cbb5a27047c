package jsonata

import (
	"encoding/json"
	"math"
	"slices"
)

func defineArrays(define definer) {
	define("sum", "<a<n>:n>", 1, onNumbers(false, func(sum, x float64) float64 { return sum + x }))
	define("max", "<a<n>:n>", 1, onNumbers(true, math.Max))
	define("min", "<a<n>:n>", 1, onNumbers(true, math.Min))
	define("average", "<a<n>:n>", 1, func(_ *evaluator, args []any) (any, error) {
		items, _ := elements(args[0])
		if len(items) == 0 {
			return Undefined, nil
		}
		sum := 0.0
		for _, item := range items {
			sum += toFloat(item)
		}
		return sum / float64(len(items)), nil
	})
	count := define("count", "<a:n>", 1, func(_ *evaluator, args []any) (any, error) {
		items, _ := elements(args[0])
		return float64(len(items)), nil
	})
	count.counts, count.places = true, true
	define("append", "<xx:a>", 2, func(ev *evaluator, args []any) (any, error) {
		return ev.appendValues(args[0], args[1])
	}).counts = true
	define("reverse", "<a:a>", 1, func(ev *evaluator, args []any) (any, error) {
		items, ok := elements(args[0])
		if !ok || len(items) <= 1 {
			return args[0], nil
		}
		out := make([]any, len(items))
		ev.use(slotSize * len(out))
		for i, item := range items {
			out[len(out)-1-i] = item
		}
		return &seq{items: out}, nil
	})
	define("shuffle", "<a:a>", 1, func(ev *evaluator, args []any) (any, error) {
		items, ok := elements(args[0])
		if !ok || len(items) <= 1 {
			return args[0], nil
		}
		out := make([]any, len(items))
		ev.use(slotSize * len(out))
		for i, item := range items {
			j := int(unit(ev.random()) * float64(i+1))
			out[i] = out[j]
			out[j] = item
		}
		return &seq{items: out}, nil
	}).pure = false
	define("distinct", "<x:x>", 1, fnDistinct)
	define("zip", "<a+>", 0, fnZip)
	define("sort", "<af?:a>", 2, fnSort)
}

// onNumbers folds an array of numbers. For an empty one, the result is 0, or undefined if
// it starts from the first item.
func onNumbers(fromFirst bool, f func(acc, x float64) float64) func(*evaluator, []any) (any, error) {
	return func(_ *evaluator, args []any) (any, error) {
		items, ok := elements(args[0])
		if !ok || fromFirst && len(items) == 0 {
			return Undefined, nil
		}
		acc := 0.0
		for i, item := range items {
			if i == 0 && fromFirst {
				acc = toFloat(item)
				continue
			}
			acc = f(acc, toFloat(item))
		}
		return acc, nil
	}
}

// fnDistinct keeps the first of equal items. Scalars are looked up by value; arrays and
// objects are looked up by a hash, and then compared.
func fnDistinct(ev *evaluator, args []any) (any, error) {
	items, ok := elements(args[0])
	if !ok || len(items) <= 1 {
		return args[0], nil
	}
	out := &seq{sequence: isSequence(args[0]), items: make([]any, 0, len(items))}
	ev.use(3 * slotSize * len(items))
	scalars := newScalarSet(0)
	scalars.most = len(items)
	var composite composites
	var keys [fetchAtOnce]scalar
	for len(items) > 0 {
		some := items[:min(len(items), len(keys))]
		items = items[len(some):]
		for i, item := range some {
			keys[i], _ = scalarOf(Force(item))
		}
		scalars.fetch(keys[:len(some)])
		for i, item := range some {
			if err := ev.step(); err != nil {
				return nil, err
			}
			item = Force(item)
			isNew := false
			switch item.(type) {
			case []any, *seq, *Object:
				var err error
				if isNew, err = composite.add(ev, item); err != nil {
					return nil, err
				}
			default:
				isNew = scalars.addKey(keys[i], item)
			}
			if isNew {
				out.items = append(out.items, item)
			}
		}
	}
	return out, nil
}

// composites is a set of arrays and objects, by value.
type composites struct {
	table *hashTable
	items []any
}

// add adds a value, and reports whether the set did not have it.
func (c *composites) add(ev *evaluator, v any) (bool, error) {
	h, err := ev.hash(v, 0)
	if err != nil {
		return false, err
	}
	if c.table == nil {
		c.table = newHashTable(0)
	}
	at := c.table.find(h, func(i int) bool {
		if err != nil {
			return true
		}
		var same bool
		same, err = ev.equal(v, c.items[i], 0)
		return same || err != nil
	})
	if at >= 0 || err != nil {
		return false, err
	}
	c.table.add(h, len(c.items))
	c.items = append(c.items, v)
	ev.use(setEntry)
	return true, nil
}

func fnZip(ev *evaluator, args []any) (any, error) {
	length := -1
	for _, a := range args {
		items, _ := elements(a)
		if length < 0 || len(items) < length {
			length = len(items)
		}
	}
	out := &seq{items: []any{}}
	if err := ev.reserve(float64(length) * float64(slotSize*(4+len(args)))); err != nil {
		return nil, err
	}
	for i := range max(length, 0) {
		row := make([]any, len(args))
		for j, a := range args {
			items, _ := elements(a)
			row[j] = items[i]
		}
		out.items = append(out.items, &seq{items: row})
	}
	return out, nil
}

// fnSort sorts by a function that says whether its first argument comes after its second,
// or by the natural order of numbers and strings.
func fnSort(ev *evaluator, args []any) (any, error) {
	items, ok := elements(args[0])
	if !ok || len(items) <= 1 {
		return args[0], nil
	}
	if IsUndefined(args[1]) {
		return ev.sortNaturally(items)
	}
	if ev.conf.worth(len(items), indexItemsFrom) {
		if o, ok := orderingOf(args[1]); ok {
			if v, sorted, err := ev.sortBy(o, items); sorted || err != nil {
				return v, err
			}
		}
	}
	ev.use(2 * slotSize * len(items))
	out := slices.Clone(items)
	for i := range out {
		out[i] = Force(out[i])
	}
	err := mergeSort(out, make([]any, len(out)), func(a, b any) (bool, error) {
		v, err := ev.callback(args[1], a, b)
		return scriptTruth(v), err
	})
	return &seq{items: out}, err
}

// sortNaturally sorts numbers or strings.
func (ev *evaluator) sortNaturally(items []any) (any, error) {
	ev.use(7 * slotSize * len(items))
	s, err := ev.sortable(len(items), func(i int) (any, error) { return Force(items[i]), nil })
	if err != nil {
		return nil, err
	}
	if s == nil {
		e := errorf("D3070", nil)
		e.Index = 1
		return nil, e
	}
	return s.items(opGreater, items)
}

// scriptTruth reports whether JavaScript treats a value as true, as it does all arrays and
// objects.
func scriptTruth(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case string:
		return v != ""
	case float64, json.Number:
		f := toFloat(v)
		return f != 0 && !math.IsNaN(f)
	case nil, undefined:
		return false
	}
	return true
}

// mergeSort is stable, and calls after in the same order as the reference, so that a
// function that does not define an order gives the same result.
func mergeSort[T any](items, spare []T, after func(a, b T) (bool, error)) error {
	if len(items) <= 1 {
		return nil
	}
	middle := len(items) / 2
	if err := mergeSort(items[:middle], spare[:middle], after); err != nil {
		return err
	}
	if err := mergeSort(items[middle:], spare[middle:], after); err != nil {
		return err
	}
	copy(spare, items)
	left, right := spare[:middle], spare[middle:len(items)]
	for i := range items {
		takeRight := len(left) == 0
		if !takeRight && len(right) > 0 {
			var err error
			if takeRight, err = after(left[0], right[0]); err != nil {
				return err
			}
		}
		if takeRight {
			items[i], right = right[0], right[1:]
		} else {
			items[i], left = left[0], left[1:]
		}
	}
	return nil
}
