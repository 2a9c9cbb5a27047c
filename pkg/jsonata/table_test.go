package jsonata

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// anyScalar draws values of which many are equal, and many differ in one byte.
func anyScalar() *rapid.Generator[any] {
	text := rapid.Map(rapid.SliceOfN(rapid.SampledFrom([]byte{0, 'a', 0xff}), 0, 20), func(b []byte) any { return string(b) })
	return rapid.OneOf(
		text,
		rapid.Map(rapid.SampledFrom([]string{"0", "-0", "1", "1.0", "1e999", "-1e999", "9007199254740993"}), func(s string) any { return json.Number(s) }),
		rapid.SampledFrom([]any{0.0, math.Copysign(0, -1), 1.0, math.Inf(1), math.NaN(), 9007199254740992.0, nil, true, false, Undefined, "true", "1"}),
	)
}

// A set of scalars has what a scan of the list finds.
func TestScalarSet(t *testing.T) {
	t.Parallel()
	object := NewObject(0)
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(anyScalar(), 0, 100).Draw(t, "list")
		if rapid.Bool().Draw(t, "with an object") {
			list = append(list, object)
		}
		set := newScalarSet(rapid.IntRange(0, 3).Draw(t, "room"))
		ev := newEvaluator(t.Context(), withIndexes(indexNone).MustCompile("1"), mapVars{})
		has := func(items []any, v any) bool {
			found, err := ev.in(v, append(items, "something"))
			if IsUndefined(v) {
				return slices.Contains(items, v) // in says no
			}
			if err != nil {
				t.Fatal(err)
			}
			return found.(bool)
		}
		for i, v := range list {
			if got, want := set.add(v), !has(list[:i:i], v); got != want {
				t.Fatalf("%#v after %#v: got %v, want %v", v, list[:i], got, want)
			}
		}
		for _, v := range append(rapid.SliceOfN(anyScalar(), 0, 10).Draw(t, "others"), object, NewObject(0)) {
			if got, want := set.has(v), has(list[:len(list):len(list)], v); got != want {
				t.Fatalf("%#v in %#v: got %v, want %v", v, list, got, want)
			}
		}
	})
}

// An object with many members finds each of them, also after some were removed.
func TestLargeObjects(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o, want := NewObject(0), map[string]any{}
		key := rapid.Map(rapid.IntRange(0, 60), func(i int) string { return strings.Repeat("k", i%3) + fmt.Sprint(i) })
		for i := range rapid.IntRange(0, 200).Draw(t, "changes") {
			k := key.Draw(t, "key")
			if rapid.IntRange(0, 5).Draw(t, "remove") == 0 {
				o.Delete(k)
				delete(want, k)
				continue
			}
			o.Set(k, i)
			want[k] = i
		}
		if o.Len() != len(want) {
			t.Fatalf("got %d members, want %d", o.Len(), len(want))
		}
		for i := range 61 {
			k := strings.Repeat("k", i%3) + fmt.Sprint(i)
			v, ok := o.Get(k)
			if w, known := want[k]; ok != known || v != w {
				t.Fatalf("%s: got %v, %v, want %v, %v", k, v, ok, w, known)
			}
		}
	})
}

// A table has the places of each value in order, even if hashes collide and while it grows.
// Places that are added later are not among those that were found before.
func TestMultiTable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Uint64Range(0, 40), 0, 80).Draw(t, "values")
		table := newMultiTable(rapid.IntRange(0, 80).Draw(t, "room"))
		type search struct {
			value, n int
			places   places
		}
		var searches []search
		for i, v := range values {
			if v == 40 {
				table.add(noKey)
			} else {
				table.add(scalar{v, tagNumber})
			}
			if rapid.IntRange(0, 9).Draw(t, "search") == 0 || i == len(values)-1 {
				for v := range 41 {
					searches = append(searches, search{v, i + 1, table.of(scalar{uint64(v), tagNumber})})
				}
			}
		}
		for _, s := range searches {
			var want, got []int
			for i, v := range values[:s.n] {
				if int(v) == s.value && v != 40 {
					want = append(want, i)
				}
			}
			for i, ok := s.places.take(); ok; i, ok = s.places.take() {
				got = append(got, i)
			}
			if !slices.Equal(got, want) {
				t.Fatalf("%d in %v: got %v, want %v", s.value, values[:s.n], got, want)
			}
		}
	})
}
