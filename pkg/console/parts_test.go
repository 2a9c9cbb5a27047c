package console

import (
	"slices"
	"testing"
)

// A message is shown with what was decided on it, even if ids repeat; what has no
// counterpart is shown too.
func TestParts(t *testing.T) {
	t.Parallel()
	v := &deliveryView{
		Delivery: Delivery{Records: []Record{{ID: "a", Route: "first"}, {ID: "lone"}, {ID: "b"}, {ID: "a", Route: "second"}, {ID: "a", Route: "third"}}},
		Messages: []messageRecord{{ID: "b"}, {ID: "a"}, {ID: "undecided"}, {ID: "a"}},
	}
	var got []string
	for _, p := range parts(v) {
		text := ""
		if p.Message != nil {
			text = p.Message.ID
		}
		if text += ":"; p.Record != nil {
			text += p.Record.ID + p.Record.Route
		}
		got = append(got, text)
	}
	if want := []string{"b:b", "a:afirst", "undecided:", "a:asecond", ":lone", ":athird"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
