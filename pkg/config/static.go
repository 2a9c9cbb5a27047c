package config

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"golang.org/x/net/http/httpguts"
)

// The parts of an answer without expressions are checked here, when the file is read.
// Otherwise, a part that can never be sent would make every answer of the route fail, and
// only after the execution.

// scalar returns the text of a value that is neither an expression nor a list or mapping.
func (d *document) scalar(n ast.Node) (text string, ok bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return d.quietly(n.Value), !isExpression(n)
	case *ast.LiteralNode:
		return d.quietly(strings.TrimRight(n.Value.Value, "\n")), !isExpression(n)
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// expanded is scalar for a value that is not read elsewhere: it also reports mistakes in
// variables.
func (d *document) expanded(n ast.Node) (text string, ok bool) {
	if text, ok = d.scalar(n); ok {
		switch n.(type) {
		case *ast.StringNode, *ast.LiteralNode:
			d.text(n, "")
		}
	}
	return text, ok
}

// quietly expands variables; mistakes in them are reported elsewhere.
func (d *document) quietly(s string) string {
	if !strings.Contains(s, "${") {
		return s
	}
	return (&document{getenv: d.getenv, foreign: d.foreign}).expand(nil, s)
}

// fixed reports whether a value is not itself an expression; its parts may be.
func fixed(n ast.Node) bool { return !isExpression(n) }

func (d *document) staticStatus(n ast.Node, what string) {
	text, ok := d.scalar(n)
	status, err := strconv.Atoi(text)
	if fixed(n) && (!ok || err != nil || status < 200 || status > 599) {
		d.add(n, "%s must be a whole number from 200 to 599", what)
	}
}

// staticHeaders checks names, and values that are not expressions.
func (d *document) staticHeaders(n ast.Node, what string) {
	if _, ok := mappingValues(n); !ok {
		if fixed(n) {
			d.add(n, "%s must be a mapping of header names to values", what)
		}
		return
	}
	for m := range d.members(n, what) {
		name := http.CanonicalHeaderKey(m.name)
		switch {
		case !httpguts.ValidHeaderFieldName(m.name):
			d.add(m.key, "%s: %q is not the name of a header", what, m.name)
		case FramingHeader(name):
			d.add(m.key, "%s: %s is set by the gateway: remove it", what, name)
		}
		values := []ast.Node{m.value}
		if list, ok := m.value.(*ast.SequenceNode); ok {
			values = list.Values
		}
		for _, v := range values {
			text, ok := d.scalar(v)
			switch {
			case !fixed(v):
			case !ok:
				d.add(v, "%s: the value of %s must be text, a number, true or false, or a list of them", what, m.name)
			case !httpguts.ValidHeaderFieldValue(text):
				d.add(v, "%s: the value of %s cannot be sent: it has control characters", what, m.name)
			}
		}
	}
}

func (d *document) staticCookies(n ast.Node, what string) {
	values := []ast.Node{n}
	if list, ok := n.(*ast.SequenceNode); ok {
		values = list.Values
	}
	for _, v := range values {
		text, ok := d.scalar(v)
		if _, isText := v.(*ast.StringNode); !isText {
			_, isText = v.(*ast.LiteralNode)
			ok = ok && isText
		}
		if fixed(v) && (!ok || text == "" || !httpguts.ValidHeaderFieldValue(text)) {
			d.add(v, "%s must be a list of Set-Cookie values, such as session=1; Secure; HttpOnly", what)
		}
	}
}

// staticBase64 checks base64 and, if it is true, the body.
func (d *document) staticBase64(n, body ast.Node, what string) {
	text, ok := d.scalar(n)
	if !fixed(n) {
		return
	}
	if !ok || text != "true" && text != "false" {
		d.add(n, "%s must be true or false", what)
		return
	}
	if text == "false" || body == nil || !fixed(body) {
		return
	}
	content, ok := d.scalar(body)
	switch body.(type) {
	case *ast.StringNode, *ast.LiteralNode:
	default:
		ok = false
	}
	if _, err := base64.StdEncoding.DecodeString(content); !ok || err != nil {
		d.add(body, "%s: the body is not base64", what)
	}
}
