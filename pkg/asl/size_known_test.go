package asl

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"pgregory.net/rapid"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// The size of a text equals its length as JSON, whatever its bytes are.
func TestTextsAreMeasured(t *testing.T) {
	t.Parallel()
	piece := rapid.SampledFrom([]string{"", "a", "plain text", "\"", "\\", "\x00", "\n", "\x1f", "\x7f", "é", "\u2028", "😀", "\xff", "\xff\xfe\x80", "\xed\xa0\xbd", "<&>"})
	rapid.Check(t, func(t *rapid.T) {
		s := strings.Join(rapid.SliceOfN(piece, 0, 30).Draw(t, "pieces"), "")
		if rapid.Bool().Draw(t, "bytes") {
			s = string(rapid.SliceOf(rapid.Byte()).Draw(t, "any"))
		}
		text, err := jsonata.AppendJSON(nil, s)
		if err != nil {
			t.Fatal(err)
		}
		for _, off := range []int{0, -1} {
			if ok, valid := fits(s, len(text)+off, nil); !valid || ok != (off == 0) {
				t.Fatalf("%q, of %d bytes, fits into %d: got %t", s, len(text), len(text)+off, ok)
			}
		}
	})
}

// A size that is measured with the known sizes of parts equals the length as JSON, however
// values share their parts and lists grow in place.
func TestKnownSizesAreExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pool := []any{nil, true, json.Number("-1.50"), 0.0, 12.0, -7.0, 1e21, 1.5e-7, float64(1 << 53), -float64(1 << 53), "é\n\"\x01", strings.Repeat("text \\", 200), []any{}, jsonata.NewObject(0)}
		pick := func() any { return rapid.SampledFrom(pool).Draw(t, "part") }
		var known sizes
		longest := map[*any]int{}
		for range rapid.IntRange(1, 25).Draw(t, "values") {
			var v any
			switch rapid.IntRange(0, 4).Draw(t, "shape") {
			case 0:
				list := make([]any, rapid.IntRange(0, 300).Draw(t, "length"), 600)
				one := pick()
				for i := range list {
					list[i] = one
				}
				longest[unsafe.SliceData(list)], v = len(list), list
			case 1: // as $append does
				list := append(slices.Clone([]any{pick()}), pick(), pick())
				longest[unsafe.SliceData(list)], v = len(list), list
			case 2:
				list, ok := pick().([]any)
				if !ok {
					list = make([]any, 0, 8)
				}
				if first := unsafe.SliceData(list); len(list) < longest[first] {
					list = slices.Clone(list) // the capacity after it belongs to another list
				}
				list = append(list, pick()) // in place, if there is room
				longest[unsafe.SliceData(list)], v = len(list), list
			case 3:
				o := jsonata.NewObject(2)
				o.Set("a", pick())
				o.Set("b\"", pick())
				v = o
			case 4:
				list, ok := pick().([]any)
				if v = list; ok && len(list) > 0 {
					v = list[:rapid.IntRange(0, len(list)).Draw(t, "to")]
				}
			}
			text, err := jsonata.AppendJSON(nil, v)
			if err != nil {
				t.Fatal(err)
			}
			if len(text) > 1<<20 {
				continue
			}
			pool = append(pool, v)
			for _, off := range []int{0, -1} {
				if ok, valid := fits(v, len(text)+off, &known); !valid || ok != (off == 0) {
					t.Fatalf("a value of %d bytes fits into %d: got %t", len(text), len(text)+off, ok)
				}
			}
			if rapid.Bool().Draw(t, "assigned") {
				known.assigned(rapid.SampledFrom([]string{"a", "b"}).Draw(t, "variable"), v)
			}
			if rapid.Bool().Draw(t, "next") {
				known.next()
			}
			if rapid.Bool().Draw(t, "carry") {
				known.carry(pick())
			}
		}
	})
}

// A large part that a state passes on is not measured again, nor is the beginning of a list
// that has grown, nor the input of a Choice state in between.
func TestKnownPartsAreNotMeasuredAgain(t *testing.T) {
	t.Parallel()
	list := make([]any, 1000, 2000)
	for i := range list {
		list[i] = float64(i)
	}
	object := func(v any) *jsonata.Object {
		o := jsonata.NewObject(1)
		o.Set("list", v)
		return o
	}
	var known sizes
	if ok, valid := fits(object(list), maxData, &known); !ok || !valid {
		t.Fatal("the list does not fit")
	}
	list[500] = struct{}{} // a measurement that reads it finds that it is not JSON
	for _, v := range []any{list, object(list), object(append(list, true))} {
		known.next()
		known.next()
		if _, valid := fits(v, maxData, &known); !valid {
			t.Errorf("the list was measured again in a value of the type %T", v)
		}
	}
	if _, valid := fits(list[:600], maxData, &known); valid {
		t.Error("a part of the list has the size of the whole")
	}
}

// An execution has the same events, whether or not its flow remembers anything of the
// states before, and no value changes after it has been recorded.
func TestKnownValuesChangeNoExecution(t *testing.T) {
	t.Parallel()
	expressions := []string{
		`$append($a, $states.input.x)`, `[$a, $states.input.x]`, `[$states.input.x, $a]`, `$append($b, $a)`, `$append($a.y, $states.input.x)`, `$a`, `$b`,
		`{'y': $append($a, 2.50), 'z': $a}`, `$merge([$states.input, {'y': $append($b.y, 1)}])`, `$append($a, {'n': $states.input.x})`, `$a[[0..20]]`, `[]`,
		`[1..20]`, `($c := $append($a, 1); $append($c, $append($b, $c)))`, `$append($a, $error('no'))`, `[[$a], $append($a, 1)]`,
		`{'y': $states.input.many}`, `$append($states.input.many, 1.0)`, `[2.0, $states.input.many]`,
	}
	rapid.Check(t, func(t *rapid.T) {
		expression := rapid.SampledFrom(expressions)
		var definition strings.Builder
		definition.WriteString(`{"QueryLanguage":"JSONata","StartAt":"S0","States":{"S0":{"Type":"Pass","Assign":{"a":"{% [1..20] %}","b":[]},"Next":"S1"}`)
		n := rapid.IntRange(1, 25).Draw(t, "states")
		for i := range n {
			output := ""
			if rapid.Bool().Draw(t, "output") {
				output = fmt.Sprintf(`"Output":{"x":1.50,"y":"{%% %s %%}"},`, expression.Draw(t, "output"))
			}
			fmt.Fprintf(&definition, `,"S%d":{"Type":"Pass","Assign":{"%s":"{%% %s %%}"},%s"Next":"S%d"}`, i+1, rapid.SampledFrom([]string{"a", "b"}).Draw(t, "variable"), expression.Draw(t, "value"), output, i+2)
		}
		fmt.Fprintf(&definition, `,"S%d":{"Type":"Succeed"}}}`, n+1)
		m, err := Parse([]byte(definition.String()))
		if err != nil {
			t.Fatal(err)
		}
		at := time.Unix(1, 0)
		var histories [2][]string
		for i := range histories {
			var events []Event
			var texts []string
			var f *frame
			f, _ = m.begin(Environment{Now: func() time.Time { return at }, Observe: func(e Event) {
				text, err := json.Marshal(e)
				if err != nil {
					t.Fatal(err)
				}
				if events, texts = append(events, e), append(texts, string(text)); f != nil && i == 1 {
					f.sizes = sizes{}
				}
			}}, Execution{Input: []byte(`{"x":1.0,"many":[` + strings.Repeat("1.50,", 2*plainFrom) + `1]}`)})
			m.leg(t.Context(), f)
			for j, e := range events {
				if text, _ := json.Marshal(e); string(text) != texts[j] {
					t.Fatalf("an event that was %s is now %s", texts[j], text)
				}
			}
			histories[i] = texts
		}
		if !slices.Equal(histories[0], histories[1]) {
			t.Fatalf("%s: the events are\n%s\nand, if nothing is remembered,\n%s", definition.String(), strings.Join(histories[0], "\n"), strings.Join(histories[1], "\n"))
		}
	})
}

// The size of a text is the length of its JSON, wherever its special characters are.
func TestSizesOfTexts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "\"", "\\", "\x1f", "\n", " ", "!", "[", "]", "#", "\x7f", "\x80", "é", "€", "abcdefgh"}), 0, 30).Draw(t, "text"), "")
		text, err := jsonata.AppendJSON(nil, s)
		if err != nil {
			t.Fatal(err)
		}
		if got := size(s); got != len(text) {
			t.Fatalf("%q takes %d bytes, want those of %s", s, got, text)
		}
	})
}
