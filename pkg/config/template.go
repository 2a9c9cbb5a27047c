package config

import (
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// template reads any YAML value. A string that is one expression in {% %} is later
// replaced by its result. The place names the value in run-time messages.
func (d *document) template(n ast.Node, route, place string, scope []string) *bridge.Template {
	return d.templateAt(n, bridge.Place{Route: route, Key: place}, scope)
}

// keyOf names a place in messages about the file, which already have the position of the
// route.
func keyOf(at bridge.Place) string {
	at.Route = ""
	return at.String()
}

func (d *document) templateAt(n ast.Node, at bridge.Place, scope []string) *bridge.Template {
	switch v := n.(type) {
	case *ast.StringNode:
		return d.textTemplate(n, v.Value, at, scope)
	case *ast.LiteralNode:
		return d.textTemplate(n, v.Value.Value, at, scope)
	case *ast.MappingNode, *ast.MappingValueNode:
		pairs, _ := mappingValues(n)
		keys, values := take(&d.spareKeys, len(pairs)), take(&d.spareValues, len(pairs))
		inner := bridge.Place{Route: at.Route, Key: keyOf(at)}
		for m := range d.members(n, inner.Key) {
			inner.Member = m.name
			keys = append(keys, m.name)
			values = append(values, d.templateAt(m.value, inner, scope))
		}
		return bridge.Members(keys, values)
	case *ast.SequenceNode:
		items := take(&d.spareValues, len(v.Values))
		for _, item := range v.Values {
			items = append(items, d.templateAt(item, at, scope))
		}
		return bridge.List(items)
	case *ast.NullNode:
		return bridge.Literal(nil)
	case *ast.BoolNode:
		return bridge.Literal(v.Value)
	case *ast.IntegerNode, *ast.FloatNode:
		text := n.GetToken().Value
		if jsonata.Valid([]byte(text)) == nil {
			return bridge.Literal(json.Number(text)) // keep the digits as they are written
		}
		d.add(n, "%s: write the number %s as JSON does, or in quotes", keyOf(at), text)
		return bridge.Literal(nil)
	}
	d.add(n, "%s: only text, numbers, true, false, null, lists and mappings can be used here", keyOf(at))
	return bridge.Literal(nil)
}

// take returns an empty list with room for n values, most often in an allocation for many
// lists, because a configuration has thousands of short ones.
func take[T any](spare *[]T, n int) []T {
	const atOnce = 32
	if n > atOnce {
		return make([]T, 0, n)
	}
	if len(*spare) < n {
		*spare = make([]T, atOnce)
	}
	list := (*spare)[:0:n]
	*spare = (*spare)[n:]
	return list
}

// isExpression reports whether a value is one expression in {% %}.
func isExpression(n ast.Node) bool {
	var s string
	switch n := n.(type) {
	case *ast.StringNode:
		s = n.Value
	case *ast.LiteralNode:
		s = n.Value.Value
	}
	s = strings.TrimRight(s, "\n")
	return strings.HasPrefix(s, "{%") && strings.HasSuffix(s, "%}")
}

func (d *document) textTemplate(n ast.Node, s string, at bridge.Place, scope []string) *bridge.Template {
	if isUnquoted(n) {
		d.add(n, putInQuotes)
		return bridge.Literal(nil)
	}
	s = strings.TrimRight(s, "\n") // a block scalar ends in a line break
	inner, opened := strings.CutPrefix(s, "{%")
	inner, closed := strings.CutSuffix(inner, "%}")
	switch {
	case !opened || !closed:
		if strings.Contains(s, "{%") {
			d.add(n, "%s: an expression must be the whole text: begin it with {%% and end it with %%}", keyOf(at))
			return bridge.Literal(nil)
		}
		return bridge.Literal(d.expand(n, s))
	case strings.Contains(inner, "{%"):
		d.add(n, "%s: a text can be only one expression: join several with & in one {%% %%}", keyOf(at))
		return bridge.Literal(nil)
	}
	d.dialect()
	references, err := d.checker.Check(inner)
	if err != nil {
		line, column := d.expressionPlace(n, inner, position(err))
		d.addAt(line, column, "%s: %s", keyOf(at), err)
		return bridge.Literal(nil)
	}
	d.checkReferences(n, inner, references, at, scope)
	line, column := d.place(n)
	return d.origin.Expression(inner, at, line, column)
}

// dialect prepares for the expressions of the file.
func (d *document) dialect() {
	if d.checker != nil {
		return
	}
	options := d.jsonata
	options.StepFunctions = true
	d.checker, d.origin = jsonata.NewChecker(options), &bridge.Origin{File: d.file, Compile: options.MustCompile}
}

func position(err error) int {
	var e *jsonata.Error
	if errors.As(err, &e) {
		return e.Position
	}
	return 0
}

// expressionPlace finds the line and column of a byte of an expression inside a YAML
// text. If the text appears unchanged in the file, the place is exact. In a block scalar,
// whose lines lose their indentation, the line is searched. If YAML escapes hide it, the
// position of the text itself is used.
func (d *document) expressionPlace(n ast.Node, inner string, pos int) (line, column int) {
	line, column = d.place(n)
	start := d.offset(line, column)
	pos = min(pos, len(inner))
	if i := strings.Index(d.source[start:], inner); i >= 0 {
		return d.lineColumn(start + i + pos)
	}
	before := inner[:pos]
	row := strings.Count(before, "\n")
	lines := strings.Split(inner, "\n")
	at := start
	for i, text := range lines[:row+1] {
		text = strings.TrimSpace(text)
		j := strings.Index(d.source[at:], text)
		if j < 0 {
			return line, column
		}
		at += j
		if i == row {
			lead := len(lines[i]) - len(strings.TrimLeft(lines[i], " \t"))
			within := pos - (strings.LastIndexByte(before, '\n') + 1) - lead
			return d.lineColumn(at + max(0, within))
		}
		at += len(text)
	}
	return line, column
}

func (d *document) offset(line, column int) int {
	at := 0
	for range line - 1 {
		i := strings.IndexByte(d.source[at:], '\n')
		if i < 0 {
			return at
		}
		at += i + 1
	}
	return min(at+column-1, len(d.source))
}

func (d *document) lineColumn(offset int) (line, column int) {
	offset = min(offset, len(d.source))
	before := d.source[:offset]
	start := strings.LastIndexByte(before, '\n') + 1
	return strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[start:]) + 1
}
