package config

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml/ast"
	"pgregory.net/rapid"
)

// shape writes all of a tree that the reader of routes looks at.
func shape(n ast.Node) string {
	var b strings.Builder
	writeShape(&b, n)
	return b.String()
}

func writeShape(b *strings.Builder, n ast.Node) {
	if n == nil || reflect.ValueOf(n).IsNil() {
		b.WriteString("nil\n")
		return
	}
	fmt.Fprintf(b, "%T", n)
	if t := n.GetToken(); t != nil {
		fmt.Fprintf(b, " %s %q %d:%d", t.Type, t.Value, t.Position.Line, t.Position.Column)
	}
	if text, ok := rejoin(n); ok { // which is all that offsets are for
		fmt.Fprintf(b, " %q", text)
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		fmt.Fprintln(b, n.IsFlowStyle, len(n.Values))
		for _, v := range n.Values {
			writeShape(b, v.Key)
			writeShape(b, v.Value)
		}
	case *ast.SequenceNode:
		fmt.Fprintln(b, n.IsFlowStyle, len(n.Values))
		for _, v := range n.Values {
			writeShape(b, v)
		}
	case *ast.StringNode:
		fmt.Fprintf(b, " %q\n", n.Value)
	case ast.ScalarNode:
		fmt.Fprintf(b, " %v\n", n.GetValue())
	default:
		b.WriteByte('\n')
	}
}

// agree fails where a text is read quickly, and not as the parser reads it.
func agree(t interface {
	Helper()
	Fatalf(string, ...any)
}, text string,
) (quickly bool) {
	t.Helper()
	var q quick
	n := q.item(text)
	if n == nil {
		return false
	}
	parsed := parseItem(splitItem{text: text})
	if parsed == nil {
		t.Fatalf("read quickly, and not by the parser:\n%s\n%s", text, shape(n))
	}
	if got, want := shape(n), shape(parsed); got != want {
		t.Fatalf("%s\nquickly:\n%s\nby the parser:\n%s", text, got, want)
	}
	return true
}

// What most routes are made of is read quickly, and each as the parser reads it.
func TestQuickAsParsed(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"- name: a": true,
		"  - name: a # why\n\n    # more\n    http: POST /a/{b}\n    timeout: 9s\n": true,
		"-   a: 1\n    b: true\n":                                                         true,
		"- a: {b: [c, 'd''e', \"f\\\"\\\\\"], g: {}, h: []}\n":                            true,
		"- a: {\"b\": 'c', 'd': [1, true]}\n":                                             true,
		"- a:\n    - b\n    - c: 1\n      d: 2\n    - {e: f}\n  g:\n    h:\n      i: j\n": true,
		"- secrets: [env:A, ssm:/a/b, x]\n":                                               true,
		"- start: ${M:-m}\n  a: b:c\n":                                                    true,
		"- a: '{% $x ? \"y\" : 1 %}' # c\n":                                               true,
		"- a: b\n     c\n":                                                                false, // one text of two lines
		"- a: |\n    b\n":                                                                 false,
		"- a: ~\n":                                                                        false,
		"- a: 1.5\n":                                                                      false,
		"- a: 0x1f\n":                                                                     false,
		"- a: 00\n":                                                                       false,
		"- a: &b c\n":                                                                     false,
		"- a: é\n":                                                                        false,
		"- a:\n  b: c\n":                                                                  false,
		"- a:\n  - b\n":                                                                   false,
		"- {% a %}\n":                                                                     false,
		"- a: {% b %}\n":                                                                  false,
		"- a: b: c\n":                                                                     false,
		"- a: [b,\n    c]\n":                                                              false,
		"- a: {b: c,}\n":                                                                  false,
		"- a: \"\\n\"\n":                                                                  false,
		"- a: \"b\n    c\"\n":                                                             false,
		"- a: b\n  a: c\n":                                                                false,
		"- {a: b, a: c}\n":                                                                false,
		"- null: a\n":                                                                     false,
		"- a: b\n- c: d\n":                                                                false,
		"- a: b\n c: d\n":                                                                 false,
		"- - a\n":                                                                         false,
		"- a: 'b' c\n":                                                                    false,
		"- <<: a\n":                                                                       false,
		"":                                                                                false,
		"- " + strings.Repeat("{a: ", 60) + "b":                                           false,
	} {
		if got := agree(t, text); got != want {
			t.Errorf("%q is read quickly: %v, want %v", text, got, want)
		}
	}
	sample, err := os.ReadFile("../../expressway.yaml")
	if err != nil {
		t.Fatal(err)
	}
	split, ok := splitRoutes(string(sample))
	if !ok {
		t.Fatal("the sample is not split")
	}
	for _, item := range split.items {
		agree(t, item.text)
	}
}

// Whatever is read quickly is what the parser reads.
func TestQuickProperty(t *testing.T) {
	t.Parallel()
	part := rapid.SampledFrom([]string{
		"a", "b", "name", ":", ": ", " ", "  ", "\n", "\n  ", "\n    ", "\n      ", "-", "- ", "\n  - ", "\n    - ", "{", "}", "[", "]", ", ", ",", "'", "\"", "''", "\\", "\\\"",
		"#", " # c", "1", "12", "0", "9s", "true", "null", "~", "env:A", "${A:-b}", "/p/{q}", "$", "%", "{%", "*", "&", "!", "|", ">", "?", "@", "`", ".", "=", "yes", "1e3", "-1", "+", "<<", "x-y", "POST /a",
	})
	rapid.Check(t, func(t *rapid.T) {
		agree(t, "- "+strings.Join(rapid.SliceOfN(part, 1, 25).Draw(t, "parts"), ""))
	})
}

func FuzzQuick(f *testing.F) {
	for _, text := range []string{"- a: {b: [c, 'd']}\n", "  - name: a # b\n    c:\n      - d: \"e\\\"\"\n", "- s: [env:A, b]\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { agree(t, text) })
}

// Eight bytes at a time give the same answers as one at a time.
func TestWordsAtOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.SampledFrom([]rune("a [{]}_\\^z~ \n\t\x00\x1f\x7f{[é\u0080")), 0, 40, -1).Draw(t, "text")
		quick, depth, deepest := true, 0, 0
		for i := range len(text) {
			c := text[i]
			quick = quick && (c >= ' ' || c == '\n') && c < 0x7F
			switch c {
			case '[', '{':
				depth++
			case ']', '}':
				depth = max(depth-1, 0)
			}
			deepest = max(deepest, depth)
		}
		if got := isQuickText(text); got != quick {
			t.Errorf("isQuickText(%q) = %t", text, got)
		}
		if got := flowDepth(text); got != deepest {
			t.Errorf("flowDepth(%q) = %d, want %d", text, got, deepest)
		}
	})
}
