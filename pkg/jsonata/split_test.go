package jsonata_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// The parts of a text are those that the decoder finds.
func TestItems(t *testing.T) {
	t.Parallel()
	part := rapid.SampledFrom([]string{"[", "]", "{", "}", ",", ":", " ", "\n", `"a"`, `"b\"]"`, `"\u0061"`, "1", "-2.5e3", "true", "null", `"a":`, "x", "\xff"})
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(part, 0, 12).Draw(t, "parts"), "")
		if rapid.Bool().Draw(t, "closed") {
			text = "[" + text + "]"
		}
		v, err := jsonata.Decode([]byte(text))
		list, isList := v.([]any)
		items, ok := jsonata.Items([]byte(text))
		if ok != (err == nil && isList) || len(items) != len(list) {
			t.Fatalf("%q: %d items, %v; decoded %v, %v", text, len(items), ok, v, err)
		}
		for i, item := range items {
			got, err := jsonata.Decode(item)
			if diff := cmp.Diff(written(t, list[i]), written(t, got)); err != nil || diff != "" {
				t.Fatalf("%q, item %d: %v %s", text, i, err, diff)
			}
		}
		o, isObject := v.(*jsonata.Object)
		want, has := o.Get("a")
		member, ok := jsonata.MemberText([]byte(text), "a")
		if ok != (err == nil && isObject && has) {
			t.Fatalf("%q: member a is found: %v", text, ok)
		}
		if ok {
			got, err := jsonata.Decode(member)
			if diff := cmp.Diff(written(t, want), written(t, got)); err != nil || diff != "" {
				t.Fatalf("%q, member a: %v %s", text, err, diff)
			}
		}
	})
	for text, want := range map[string]string{
		`{"a":1,"\u0061":[2]} `: `[2]`, ` {"b":{"a":1}}`: "", `{"a":{"b":[1, 2]}}`: `{"b":[1, 2]}`, `{"a":1}x`: "", `[]`: "",
	} {
		if got, ok := jsonata.MemberText([]byte(text), "a"); string(got) != want || ok != (want != "") {
			t.Errorf("%s: %s, %v, want %s", text, got, ok, want)
		}
	}
}

func written(t *rapid.T, v any) string {
	text, err := jsonata.AppendJSON(nil, v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
