package console

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// Every event is kept in full; if there are too many, the first and the last are kept.
func TestEventList(t *testing.T) {
	t.Parallel()
	value := rapid.SampledFrom([]any{nil, "x", jsonata.NewRaw([]byte(`{"a":1}`)), true})
	word := rapid.SampledFrom([]string{"", "a"})
	rapid.Check(t, func(rt *rapid.T) {
		want := asl.Event{
			ID: 2, PreviousID: 1, Time: time.Unix(1, 5), Name: word.Draw(rt, "name"),
			Type:  rapid.SampledFrom([]string{"PassStateEntered", "PassStateExited", "TaskSucceeded", "TaskFailed", "ExecutionStarted", "MapIterationStarted"}).Draw(rt, "type"),
			Input: value.Draw(rt, "input"), Output: value.Draw(rt, "output"), Index: rapid.IntRange(0, 1).Draw(rt, "index"),
			Error: word.Draw(rt, "error"), Cause: word.Draw(rt, "cause"), Resource: word.Draw(rt, "resource"), Region: word.Draw(rt, "region"), Location: word.Draw(rt, "location"),
		}
		var l eventList
		l.add(&want)
		if got, left := l.events(); len(got) != 1 || got[0] != want || left != 0 {
			rt.Fatalf("%+v became %+v", want, got)
		}
	})
	for _, n := range []int{0, 1, maxEvents, maxEvents + 1, maxEvents + 777, 3 * maxEvents} {
		var l eventList
		for i := range n {
			l.add(&asl.Event{ID: int64(i)})
		}
		list, left := l.events()
		if len(list)+left != n {
			t.Errorf("%d: %d events and %d left out", n, len(list), left)
		}
		for i, e := range list {
			want := i
			if i >= maxEvents/2 {
				want = i + left
			}
			if e.ID != int64(want) {
				t.Fatalf("%d: event %d is %d, want %d", n, i, e.ID, want)
			}
		}
	}
}

// Members are found without reading the rest, and text that is not JSON has none.
func TestMembers(t *testing.T) {
	t.Parallel()
	const text = ` { "a" : "x\"}\\" , "b":[1,{"c":"]"},2] ,"n": -1.5e3,"t":true,"o":{"http":{"method":"GET"}} } `
	for name, want := range map[string]string{"a": `"x\"}\\"`, "b": `[1,{"c":"]"},2]`, "n": "-1.5e3", "t": "true", "o": `{"http":{"method":"GET"}}`, "c": ""} {
		if got := memberOf([]byte(text), name); string(got) != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := words(memberOf([]byte(text), "a")); got != `x"}\` {
		t.Errorf("the text is %q", got)
	}
	n := 0
	elements(memberOf([]byte(text), "b"), func([]byte) { n++ })
	if n != 3 {
		t.Errorf("%d elements, want 3", n)
	}
	rapid.Check(t, func(rt *rapid.T) {
		broken := []byte(rapid.StringOfN(rapid.SampledFrom([]rune(`{}[]",:\a1 `)), 0, 20, -1).Draw(rt, "text"))
		members(broken, func(_, value []byte) bool { elements(value, func([]byte) {}); _ = words(value); return true })
		elements(broken, func(value []byte) { memberOf(value, "a") })
	})
}
