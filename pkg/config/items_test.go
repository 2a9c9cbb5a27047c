package config

import (
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"pgregory.net/rapid"
)

// wholeItems returns the items of the routes of a file that the parser reads as a whole, or
// nil if it refuses the file.
func wholeItems(source string) (items []ast.Node) {
	defer func() { _ = recover() }()
	file, err := parser.ParseBytes([]byte(source), 0)
	if err != nil || len(file.Docs) != 1 {
		return nil
	}
	pairs, _ := mappingValues(file.Docs[0].Body)
	for _, p := range pairs {
		if list, ok := p.Value.(*ast.SequenceNode); ok && p.Key.String() == "routes" {
			items = list.Values
		}
	}
	return items
}

// places are where nodes are, in shape.
var places = regexp.MustCompile(` \d+:\d+`)

// Each item of a split file equals the item that the parser reads in the whole file, unless it
// refuses the whole. (It takes the lines after an empty block scalar for its text.)
func TestItemsAsInTheWhole(t *testing.T) {
	t.Parallel()
	line := rapid.SampledFrom([]string{
		"a: b", "c: |\ntext", "d: >-\ntext # c\n\n- x: y", "e: |+\ntext\n\n", "f: >2\n text", "g: |2-\ntext\n  more", "c: | # c\n# text", "c: |\n\n  text\n text", "  text", "    more", "      deeper", "# comment", "  # inside", "", " ", "   ", "h: \"x", "  y\"", "h: 'x", "  y'", "i: [1,", "  2]",
		"i: {k: v,", "  l: w}", "j: x # y", "k: x #y", "k: x# y", "l: &n x", "m: *n", "n: !!str 1", "<<: *n", "o:", "  p: q", "  - r", "- s", "  - t: u", "? v", ": w", "x: -", "é: ü", "y: 'é'", "z:  spaced  ",
		"a b: c", "1: 2", "true: x", "\"q\": r", "'s': t", "u: v: w", "u: ::", "v: \"a\\nb\"", "w: \"\\", "w: plain", "  on two", "aa: 1_000", "ab: 0o7", "ac: .inf", "ad: 2020-01-01", "ae: ~", "af: null", "ag: yes", "ah: +1", "ai: 1e3",
		"aj: {% x %}", "ak: '{% x ? \"y: z\" : 1 %}'", "al: @x", "am: `x`", "an: %x", "ao: a,b", "ap: [a b, c: d]", "aq: {a: b, c}", "ar: [{a: b}, [c]]", "as: \"\"", "at: ''", "---", "...", "av: a\\b", "aw: x\u00a0y", "ax: \u2028",
	})
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		b.WriteString(rapid.SampledFrom([]string{"version: 1\nroutes:\n", "routes: # x\n", "a: &n x\nroutes:\n", "a: |\n  x\n\nroutes:\n\n", "a: \"x\n  y\"\nroutes:\n", "# c\nversion: 1\n# d\nroutes:\n# e\n"}).Draw(t, "head"))
		indent := rapid.SampledFrom([]string{"", "  ", "    "}).Draw(t, "indent")
		for range rapid.IntRange(1, 3).Draw(t, "items") {
			for j, l := range rapid.SliceOfN(line, 1, 6).Draw(t, "lines") {
				if b.WriteString(indent); j == 0 {
					b.WriteString("- ")
				} else {
					b.WriteString(rapid.SampledFrom([]string{"  ", "  ", "  ", "  ", "    ", "", "   "}).Draw(t, "more"))
				}
				b.WriteString(strings.ReplaceAll(l, "\n", "\n    "+indent) + "\n")
			}
		}
		source := b.String()
		if rapid.IntRange(0, 4).Draw(t, "cut") == 0 {
			source = strings.TrimSuffix(source, "\n")
		}
		split, ok := splitRoutes(source)
		if !ok {
			return
		}
		var q quick
		var got []string
		for _, item := range split.items {
			n := q.item(item.text)
			if n == nil {
				n = parseItem(item)
			}
			if n == nil {
				return // the whole is parsed
			}
			got = append(got, shape(n))
		}
		if file, err := parser.ParseBytes([]byte(split.head), 0); err != nil || len(file.Docs) != 1 {
			return
		}
		whole := wholeItems(source)
		if whole == nil {
			return
		}
		if len(whole) != len(got) {
			t.Fatalf("%s\n%d items, and %d in the whole", source, len(got), len(whole))
		}
		for i, n := range whole {
			if want := shape(n); places.ReplaceAllString(want, "") != places.ReplaceAllString(got[i], "") {
				t.Fatalf("%s\nitem %d is\n%s\nand in the whole\n%s", source, i, got[i], want)
			}
		}
	})
}
