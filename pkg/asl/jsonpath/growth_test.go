package jsonpath

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// growingPaths have a result that is at most as long as the document.
var growingPaths = []string{
	`$..a`, `$..*`, `$..[0]`, `$..['a','b']`, `$..[?(@.a==1)]`,
	`$.list[*]`, `$.list[*].a`, `$.list[*]['a','b']`, `$.list[0:]`, `$.list[::2].a`, `$.list[-1:0:-1]`, `$.list.length()`, `$.numbers.sum()`, `$.numbers.append(1)`,
	`$.list[?(@.a==1)]`, `$.list[?(@.a==$.want)]`, `$.list[?(@.a > 3 && @.b =~ /b1.*/ || !@.c)]`, `$.list[?(@.b contains '1')]`, `$.list[?(@.tags contains 't1')]`,
	`$.list[?(@.b in $.ids)]`, `$.list[?(@.b nin $.ids)]`, `$.list[?(@.a in $.numbers)]`, `$.list[?(@.b in $.list[*].b)]`, `$.list[?($.ids contains @.b)]`,
	`$.list[?(@.b in $..b)]`, `$.list[?(@.a < $.numbers.length())]`, `$.list[?(@.a < $.numbers.sum())]`, `$.list[?($..b)]`, `$.list[?(@.tags subsetof $.ids)]`,
	`$[?(@.ids subsetof $.ids)]`, `$[?(@.ids anyof $.numbers)]`, `$[?(@.ids noneof $.numbers)]`, `$[?(@.ids all $.ids)]`,
}

// growingDocument has n items.
func growingDocument(t testing.TB, n int) any {
	t.Helper()
	var list, ids, numbers strings.Builder
	for i := range n {
		comma := ""
		if i > 0 {
			comma = ","
		}
		fmt.Fprintf(&list, `%s{"a":%d,"b":"b%d","tags":["t%d","t1"]}`, comma, i%9, i, i%7)
		fmt.Fprintf(&ids, `%s"b%d"`, comma, i*7)
		fmt.Fprintf(&numbers, `%s%d`, comma, i)
	}
	v, err := jsonata.Decode(fmt.Appendf(nil, `{"want":1,"list":[%s],"ids":[%s],"numbers":[%s]}`, list.String(), ids.String(), numbers.String()))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// The number of values that a path visits is proportional to the size of the document, and
// within the limit for any document that a state can have.
func TestVisitsGrowWithTheDocument(t *testing.T) {
	t.Parallel()
	const n = 4000
	few, many := growingDocument(t, n), growingDocument(t, 4*n)
	for _, text := range growingPaths {
		p, err := Parse(text)
		if err != nil {
			t.Fatalf("%s does not parse: %v", text, err)
		}
		visits := func(root any) float64 {
			ev := evaluator{root: root, budget: maxVisits}
			if _, found := ev.path(p, root); !found || ev.budget <= 0 {
				t.Errorf("%s: found %t, with %d visits left", text, found, ev.budget)
			}
			return float64(maxVisits - ev.budget)
		}
		base, more := visits(few), visits(many)
		if base > 40*n || more > 4.2*base+100 {
			t.Errorf("%s: %v visits of %d items, and %v of %d: want at most 40 for each, and in proportion", text, base, n, more, 4*n)
		}
	}
}

// A second lookup in a list, which uses the index, finds what a search of the list finds.
func TestIndexFindsWhatEqualFinds(t *testing.T) {
	t.Parallel()
	scalar := rapid.SampledFrom([]string{
		`null`, `true`, `false`, `0`, `-0`, `0.0`, `1`, `1.0`, `1e0`, `10`, `9007199254740993`, `9007199254740992`, `9007199254740992.0`, `9223372036854775807`, `9223372036854775808`, `1e999`,
		`""`, `"1"`, `" 1 "`, `"1.0"`, `"01"`, `"-0"`, `"true"`, `"null"`, `"x"`, `"1e999"`, `"9007199254740993"`,
	})
	value := rapid.Custom(func(t *rapid.T) string {
		a := scalar.Draw(t, "a")
		switch rapid.IntRange(0, 4).Draw(t, "shape") {
		case 0:
			return "[" + a + "," + scalar.Draw(t, "b") + "]"
		case 1:
			return `{"a":` + a + `,"b":[` + scalar.Draw(t, "b") + `]}`
		case 2:
			return `{"b":[` + scalar.Draw(t, "b") + `],"a":` + a + `}`
		}
		return a
	})
	rapid.Check(t, func(t *rapid.T) {
		v, err := jsonata.Decode([]byte("[" + strings.Join(rapid.SliceOfN(value, indexFrom, 3*indexFrom).Draw(t, "list"), ",") + "]"))
		if err != nil {
			t.Fatal(err)
		}
		list := v.([]any)
		ev := evaluator{budget: maxVisits}
		ev.has(list, nil)
		for range 8 {
			text := value.Draw(t, "value")
			wanted, err := jsonata.Decode([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if got, want := ev.has(list, wanted), ev.any(list, wanted); got != want {
				t.Fatalf("has(%s) = %t, and %t without an index", text, got, want)
			}
		}
	})
}
