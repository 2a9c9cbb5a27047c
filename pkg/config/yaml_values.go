package config

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
)

// list returns the items of a sequence. Anything else is a problem, and nil is returned.
func (d *document) list(n ast.Node, what string) []ast.Node {
	if s, ok := n.(*ast.SequenceNode); ok {
		return s.Values
	}
	d.add(n, "%s must be a list", what)
	return nil
}

// text returns a text with its variables, ${NAME}, replaced.
func (d *document) text(n ast.Node, what string) string {
	switch n := n.(type) {
	case *ast.StringNode:
		return d.expand(n, n.Value)
	case *ast.LiteralNode:
		return d.expand(n, n.Value.Value)
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		d.add(n, "%s must be text: put it in quotes", what)
		return n.GetToken().Value
	case *ast.AliasNode, *ast.AnchorNode, *ast.TagNode:
		d.add(n, "%s: anchors, aliases and tags are not supported", what)
	default:
		d.add(n, "%s must be text", what)
	}
	return ""
}

// plain returns the text of a number, true or false, or of a string that contains a
// variable. It returns false for any other value.
func (d *document) plain(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	case *ast.StringNode:
		return d.expand(n, n.Value), strings.Contains(n.Value, "${")
	}
	return "", false
}

func (d *document) whole(n ast.Node, what string, low, high int) int {
	text, ok := d.plain(n)
	v, err := strconv.ParseFloat(text, 64)
	if !ok || err != nil || v != math.Trunc(v) || v < float64(low) || v > float64(high) {
		d.add(n, "%s must be a whole number from %d to %d", what, low, high)
		return low
	}
	return int(v)
}

func (d *document) number(n ast.Node, what string, low, high float64) float64 {
	text, ok := d.plain(n)
	v, err := strconv.ParseFloat(text, 64)
	if !ok || err != nil || !(v >= low && v <= high) { // also excludes NaN
		d.add(n, "%s must be a number from %g to %g", what, low, high)
		return low
	}
	return v
}

func (d *document) flag(n ast.Node, what string) bool {
	v, ok := d.plain(n)
	if !ok || v != "true" && v != "false" {
		d.add(n, "%s must be true or false", what)
	}
	return v == "true"
}

func (d *document) duration(n ast.Node, what string) time.Duration {
	text := d.text(n, what)
	v, err := time.ParseDuration(text)
	if err != nil || v <= 0 {
		d.add(n, "%s must be a duration such as 9s, 500ms or 2m, not %q", what, text)
		return 0
	}
	return v
}

// texts returns a list of text, or one text as a list of one.
func (d *document) texts(n ast.Node, what string) []string {
	if _, ok := n.(*ast.SequenceNode); !ok {
		return []string{d.text(n, what)}
	}
	var out []string
	for _, item := range d.list(n, what) {
		if s, ok := rejoin(item); ok {
			out = append(out, s)
			continue
		}
		out = append(out, d.text(item, what))
	}
	return out
}

// rejoin undoes a misreading of the YAML parser: in a list within { }, it reads env:NAME,
// which is plain text, as a mapping of env to NAME.
func rejoin(n ast.Node) (string, bool) {
	var pair *ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingValueNode:
		pair = n
	case *ast.MappingNode:
		if len(n.Values) == 1 {
			pair = n.Values[0]
		}
	}
	if pair == nil {
		return "", false
	}
	key, ok1 := pair.Key.(ast.Node).(*ast.StringNode)
	value, ok2 := pair.Value.(*ast.StringNode)
	if !ok1 || !ok2 || value.Token.Position.Offset != key.Token.Position.Offset+utf8.RuneCountInString(key.Value)+1 {
		return "", false
	}
	return key.Value + ":" + value.Value, true
}

// expand replaces ${NAME} and ${NAME:-default}. An empty variable counts as unset, as in
// a shell's ${NAME:-default}, because an empty secret or ARN is never useful.
func (d *document) expand(n ast.Node, s string) string {
	if !strings.Contains(s, "${") {
		return s
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "${")
		ref, after, closed := strings.Cut(rest, "}")
		b.WriteString(before)
		if !found || !closed {
			b.WriteString(s[len(before):])
			return b.String()
		}
		b.WriteString(d.variable(n, ref))
		s = after
	}
}

// variable returns the value of NAME or NAME:-default.
func (d *document) variable(n ast.Node, ref string) string {
	name, fallback, hasFallback := strings.Cut(ref, ":-")
	if !isVariableName(name) {
		d.add(n, "${%s} is not a variable: write ${NAME} or ${NAME:-default}", ref)
		return ""
	}
	if d.foreign {
		return fallback
	}
	if v := d.getenv(name); v != "" {
		return v
	}
	if !hasFallback {
		line, column := d.place(n)
		d.addAt(line, column, "environment variable %s is not set: set it, or write ${%s:-default}", name, name)
		if d.unset == nil {
			d.unset = map[ast.Node]bool{}
		}
		d.unset[n] = true
	}
	return fallback
}
