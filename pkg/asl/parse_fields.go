package asl

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// path reads a path field; null is true beside nil.
func (p *parser) path(o *jsonata.Object, field, at string) (s *source, null bool) {
	v, has := o.Get(field)
	if !has {
		return nil, false
	}
	if v == nil {
		return nil, true
	}
	text, _ := v.(string)
	s, err := parseSource(text)
	if err != nil || !strings.HasPrefix(text, "$") {
		p.schema(at+"/"+field, "Value is not a valid JSONPath")
		return nil, false
	}
	return s, false
}

// template reads a field that is a payload template, or one of JSONata.
func (p *parser) template(o *jsonata.Object, field, at string) *template {
	return p.templateAt(o, field, field, at)
}

// templateAt is template for a field that is not directly in its state: place is where
// it is there.
func (p *parser) templateAt(o *jsonata.Object, field, place, at string) *template {
	v, has := o.Get(field)
	switch {
	case !has:
		return nil
	case p.jsonata:
		return compileQuery(v, place, at+"/"+field, p.templateProblem)
	}
	return compileTemplate(v, at+"/"+field, p.templateProblem)
}

func (p *parser) templateProblem(at, message string) { p.schema(at, "%s", message) }

// amount reads a field that holds a whole number of at least low, or says by its Path
// form or by an expression where it comes from.
func (p *parser) amount(o *jsonata.Object, field, at string, low int) amount {
	if a, ok := p.dynamic(o, field, at); ok || !hasKey(o, field) {
		return a
	}
	return amount{field: field, constant: float64(p.whole(o, field, at, low, maxWhole))}
}

// amountOnly is amount for a field whose Path form has rules of its own.
func (p *parser) amountOnly(o *jsonata.Object, field, at string, low int) amount {
	if a, ok := p.computed(o, field, at); ok {
		return a
	}
	return amount{field: field, constant: float64(p.whole(o, field, at, low, maxWhole))}
}

func (p *parser) dynamic(o *jsonata.Object, field, at string) (amount, bool) {
	if !p.jsonata && hasKey(o, field+"Path") {
		path, _ := p.path(o, field+"Path", at)
		return amount{field: field + "Path", path: path}, true
	}
	return p.computed(o, field, at)
}

func (p *parser) computed(o *jsonata.Object, field, at string) (amount, bool) {
	v, _ := o.Get(field)
	text, ok := v.(string)
	if !p.jsonata || !ok || !isExpression(text) {
		return amount{}, false
	}
	expr, err := parseExpression(text, field)
	if err != nil {
		p.schema(at+"/"+field, "The JSONata expression is not valid: %v", err)
	}
	return amount{field: field, expr: expr}, true
}

func (p *parser) objects(o *jsonata.Object, field, at string) []*jsonata.Object {
	v, has := o.Get(field)
	if !has {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		p.schema(at+"/"+field, "The field '%s' must be an array", field)
	}
	var out []*jsonata.Object
	for i, item := range list {
		child, ok := item.(*jsonata.Object)
		if !ok {
			p.schema(fmt.Sprintf("%s/%s[%d]", at, field, i), "It must be an object")
			continue
		}
		out = append(out, child)
	}
	return out
}

func (p *parser) text(o *jsonata.Object, field, at string, required bool) string {
	v, has := o.Get(field)
	s, ok := v.(string)
	if has && !ok || required && s == "" {
		p.schema(at+"/"+field, "The field '%s' is required and must be text", field)
	}
	return s
}

func (p *parser) whole(o *jsonata.Object, field, at string, low, high int) int {
	v, has := o.Get(field)
	if !has {
		return 0
	}
	n, ok := v.(json.Number)
	i, err := strconv.Atoi(string(n))
	if !ok || err != nil || i < low || i > high {
		p.schema(at+"/"+field, "Value is not a whole number between %d and %d", low, high)
	}
	return i
}

func (p *parser) wholeOr(o *jsonata.Object, field, at string, low, otherwise int) int {
	if !hasKey(o, field) {
		return otherwise
	}
	return p.whole(o, field, at, low, maxWhole)
}

func hasKey(o *jsonata.Object, key string) bool {
	_, ok := o.Get(key)
	return ok
}
