package jsonata

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Objects that share their names must read as those that do not, and change alone.
func TestDecodeSharesNames(t *testing.T) {
	t.Parallel()
	wide := make([]string, 2*indexFrom)
	for i := range wide {
		wide[i] = fmt.Sprintf(`"k%d":%d`, i, i)
	}
	for _, text := range []string{
		`[{"a":1,"b":2},{"a":3,"b":4},{"a":5},{"a":6,"c":7},{"b":8,"a":9},{}]`,
		`[{"a":1,"b":2},{"a":{"a":{"a":{"a":{"x":1,"a":2}}},"b":3},"b":{"b":4}},{"a":5,"b":6}]`,
		`[{"a":1,"b":2,"c":3},{"a":4,"b":5,"c":6},{"a":7,"b":8,"c":9,"d":10},{"a":1,"d":2}]`,
		`[{` + strings.Join(wide[:indexFrom], ",") + `},{` + strings.Join(wide, ",") + `},{` + strings.Join(wide, ",") + `}]`,
		`[{` + strings.Join(wide[:5], ",") + `},{` + strings.Join(wide[:5], ",") + `}]`,
		`[{` + strings.Join(wide[:9], ",") + `},{` + strings.Join(wide[:9], ",") + `}]`,
	} {
		v, err := Decode([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		for i := range v.([]any) {
			v, _ := Decode([]byte(text))
			list := v.([]any)
			o := list[i].(*Object)
			before := make([]string, len(list))
			for j := range list {
				before[j] = encoded(t, list[j])
			}
			o.Set("new", true)
			o.Delete("a")
			o.deleteAll(map[string]bool{"b": true, "k1": true, "k3": true})
			for j := range list {
				if got := encoded(t, list[j]); j != i && got != before[j] {
					t.Errorf("%s: %d changed with %d: %s", text, j, i, cmp.Diff(before[j], got))
				}
			}
			if o.Has("a") || o.Has("k3") || !o.Has("new") {
				t.Errorf("%s: %d is %s", text, i, encoded(t, o))
			}
		}
		if got := encoded(t, v); got != text {
			t.Errorf("got  %s\nwant %s", got, text)
		}
	}
	// The same name twice, escapes, and a name that ends in the middle of the last one.
	for text, want := range map[string]string{
		`[{"a":1,"b":2},{"a":3,"a":4},{"a":5,"b":6,"a":7}]`: `[{"a":1,"b":2},{"a":4},{"a":7,"b":6}]`,
		`[{"\u0061":1},{"a":2},{"\u0061":3}]`:               `[{"a":1},{"a":2},{"a":3}]`,
		`[{"a\"b":1},{"a\"b":2}]`:                           `[{"a\"b":1},{"a\"b":2}]`,
		`[{"ab":1},{"a":2},{"abc":3}]`:                      `[{"ab":1},{"a":2},{"abc":3}]`,
	} {
		v, err := Decode([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := encoded(t, v); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	for _, text := range []string{`[{"a\"b":1},{"a"b":2}]`, `[{"a":1},{"a`, `[{"a":1},{"a"`, `[{"a":1},{"a"}`, `[{"a":1},{"a":`} {
		if v, err := Decode([]byte(text)); err == nil {
			t.Errorf("%s: got %v, want an error", text, v)
		}
	}
}

func encoded(t *testing.T, v any) string {
	t.Helper()
	text, err := AppendJSON(nil, v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
