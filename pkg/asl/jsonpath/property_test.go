package jsonpath

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/ohler55/ojg/jp"
	"pgregory.net/rapid"

	"github.com/expressway-dev/expressway/internal/jsontest"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

var names = []string{"a", "b", "c", "d"}

// values draws documents that use few names, so that paths often meet.
func values(depth int) *rapid.Generator[any] {
	scalar := rapid.OneOf(
		rapid.Just[any](nil),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Map(rapid.IntRange(-3, 3), func(n int) any { return json.Number(strconv.Itoa(n)) }),
		rapid.Map(rapid.SampledFrom([]string{"", "x", "xy"}), func(s string) any { return s }),
	)
	if depth == 0 {
		return scalar
	}
	list := rapid.Map(rapid.SliceOfN(values(depth-1), 0, 4), func(l []any) any {
		return append([]any{}, l...)
	})
	object := rapid.Map(rapid.MapOfN(rapid.SampledFrom(names), values(depth-1), 0, 4), func(m map[string]any) any {
		return jsonata.FromGo(m)
	})
	return rapid.OneOf(scalar, list, object, list, object)
}

// plain converts a value for ojg: to maps, and integers to int64.
func plain(v any) any {
	switch v := v.(type) {
	case json.Number:
		n, err := v.Int64()
		if err != nil {
			panic(err)
		}
		return n
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = plain(e)
		}
		return out
	case *jsonata.Object:
		out := map[string]any{}
		for i := range v.Len() {
			k, e := v.At(i)
			out[k] = plain(e)
		}
		return out
	}
	return v
}

// texts writes values as JSON with sorted names, sorted: ojg's order over a map is random.
func texts(t *rapid.T, list []any) []string {
	out := []string{}
	for _, v := range list {
		text, err := json.Marshal(plain(v))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(text))
	}
	slices.Sort(out)
	return out
}

// agreed draws a step of the dialect that ojg and Jayway agree on.
func agreed(t *rapid.T) string {
	name := rapid.SampledFrom(names).Draw(t, "name")
	index := rapid.IntRange(-3, 4)
	switch rapid.IntRange(0, 8).Draw(t, "step") {
	case 0, 1, 2:
		return "." + name
	case 3:
		return "['" + name + "']"
	case 4:
		return fmt.Sprintf("[%d]", index.Draw(t, "index"))
	case 5:
		return "[*]"
	case 6:
		return fmt.Sprintf("[%d:%d]", rapid.IntRange(0, 4).Draw(t, "from"), rapid.IntRange(0, 4).Draw(t, "to"))
	case 7:
		return ".." + name
	}
	return fmt.Sprintf("[%d,%d]", rapid.IntRange(0, 1).Draw(t, "first"), rapid.IntRange(2, 4).Draw(t, "second"))
}

func TestAgreesWithOjg(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		doc := values(4).Draw(t, "doc")
		path := "$"
		for range rapid.IntRange(1, 4).Draw(t, "steps") {
			path += agreed(t)
		}
		if strings.LastIndex(path, "..") > len("$") && hasEmpty(doc) {
			t.Skip("ojg ends a descent from several values at the first that is empty: $[*]..d of [[],[{\"d\":1}]]")
		}
		compare(t, doc, path)
	})
}

// hasEmpty reports whether an array or an object in v is empty.
func hasEmpty(v any) bool {
	switch v := v.(type) {
	case []any:
		return len(v) == 0 || slices.ContainsFunc(v, hasEmpty)
	case *jsonata.Object:
		for i := range v.Len() {
			if _, item := v.At(i); hasEmpty(item) {
				return true
			}
		}
		return v.Len() == 0
	}
	return false
}

// The cases in which ojg's answer is wrong, which the test above skips, are checked here.
func TestDescentFromEmptyValues(t *testing.T) {
	t.Parallel()
	doc := []any{[]any{}, []any{jsonata.FromGo(map[string]any{"d": false})}}
	p, err := Parse("$[*]..d")
	if err != nil {
		t.Fatal(err)
	}
	v, _ := p.Eval(doc)
	if diff := cmp.Diff([]any{false}, v); diff != "" {
		t.Errorf("value (-want +got):\n%s", diff)
	}
}

// TestAgreesWithOjgOnConditions only uses lists of objects, for which a condition means the
// same in both.
func TestAgreesWithOjgOnConditions(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		field := func() any { return values(0).Draw(t, "field") }
		list := []any{}
		for range rapid.IntRange(0, 5).Draw(t, "length") {
			o := jsonata.NewObject(4)
			for _, name := range names {
				o.Set(name, field())
			}
			list = append(list, o)
		}
		doc := jsonata.NewObject(1)
		doc.Set("l", list)
		term := func() string {
			name := rapid.SampledFrom(names).Draw(t, "name")
			op := rapid.SampledFrom([]string{"==", "<", "<=", ">", ">="}).Draw(t, "op")
			literal := rapid.SampledFrom([]string{"0", "1", "-2", "'x'", "'xy'"}).Draw(t, "literal")
			return "@." + name + " " + op + " " + literal
		}
		cond := "(" + term() + ")"
		for range rapid.IntRange(0, 3).Draw(t, "terms") {
			cond = "(" + cond + rapid.SampledFrom([]string{" && ", " || "}).Draw(t, "join") + "(" + term() + "))"
		}
		compare(t, doc, "$.l[?"+cond+"].a")
	})
}

func compare(t *rapid.T, doc any, path string) {
	oracle, err := jp.ParseString(path)
	if err != nil {
		t.Fatalf("ojg refuses %s: %v", path, err)
	}
	want := oracle.Get(plain(doc))
	p, err := Parse(path)
	if err != nil {
		t.Fatalf("Parse(%s): %v", path, err)
	}
	v, found := p.Eval(doc)
	got := []any{v}
	switch {
	case !p.Definite():
		got = v.([]any)
	case !found:
		got = nil
	}
	if diff := cmp.Diff(texts(t, jsonata.FromGo(want).([]any)), texts(t, got)); diff != "" {
		t.Errorf("%s (-ojg +got):\n%s", path, diff)
	}
}

func TestSetThenEval(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		doc := values(4).Draw(t, "doc")
		path := "$"
		for range rapid.IntRange(0, 4).Draw(t, "steps") {
			path += rapid.SampledFrom([]string{".a", ".b", "['c']", "[0]", "[1]"}).Draw(t, "step")
		}
		p, err := Parse(path)
		if err != nil {
			t.Fatal(err)
		}
		before := texts(t, []any{doc})
		out, err := p.Set(doc, "set")
		if diff := cmp.Diff(before, texts(t, []any{doc})); diff != "" {
			t.Fatalf("Set changed its input:\n%s", diff)
		}
		if err != nil {
			if _, ok := errors.AsType[*MatchError](err); !ok {
				t.Fatalf("error is a %T, want *MatchError", err)
			}
			return
		}
		if v, found := p.Eval(out); v != "set" || !found {
			t.Errorf("Eval(%s) after Set = %v, %v, want the value that was set", path, v, found)
		}
	})
}

// TestOrderIsTheDocuments checks that matches come in document order: a value before its
// parts, members as written.
func TestOrderIsTheDocuments(t *testing.T) {
	t.Parallel()
	doc, err := jsonata.Decode([]byte(`{"z":{"n":1,"y":{"n":2}},"a":[{"n":3},{"n":4,"b":{"n":5}}],"n":6}`))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"$..n":   "[6,1,2,3,4,5]",
		"$.*.n":  "[1]",
		"$.z..*": `[1,{"n":2},2]`,
	} {
		v, _ := mustParse(t, path).Eval(doc)
		if got := jsontest.Encode(t, v); got != want {
			t.Errorf("%s = %s, want %s", path, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"$", "$.a.b[0]", "$['a','b']..c", "$..[?(@.price < 10 && !(@.x =~ /a.*b/i))]", "$.a[1:-2:3]",
		"$.nums.sum(1, $.one)", "$[?(@.a in ['x', {\"y\": [1.5e3, null]}])]", `$['it\'s']["\u00e9\ud83d\ude00"]`,
		`$["it\'s"]`,
		"$.['a b'].*", "$[?($.expensive > @)]", "$..", "$[?(@ size 2 || @ empty true)]", "$[?(!!@.a)]",
	} {
		f.Add(seed)
	}
	doc, err := jsonata.Decode([]byte(store))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse(text)
		if (p == nil) == (err == nil) {
			t.Fatalf("Parse = %v and %v, want exactly one", p, err)
		}
		if err != nil {
			if e, ok := errors.AsType[*SyntaxError](err); !ok || e.Offset < 0 || e.Offset > len(text) {
				t.Fatalf("error = %#v, want a *SyntaxError with an offset in the text", err)
			}
			return
		}
		v, found := p.Eval(doc)
		if !found {
			if p.Explain(doc) == "" {
				t.Error("Explain returned no text for a missing value")
			}
		} else if _, isList := v.([]any); !isList && !p.Definite() {
			t.Errorf("an indefinite path found a %T", v)
		}
		if printed := p.String(); len(printed) <= maxLength {
			again, err := Parse(printed)
			if err != nil {
				t.Fatalf("%q, printed as %q, does not parse: %v", text, printed, err)
			}
			if again.String() != printed {
				t.Errorf("%q, printed as %q, prints as %q", text, printed, again)
			}
		}
	})
}
