package asl

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A compiler makes a Machine from a definition that the validator has accepted. It
// refuses nothing: if it cannot compile a part, that is a bug of the validator, and is
// reported in err.
type compiler struct {
	machineJSONata bool
	jsonata        bool // the language of the state that is being compiled
	expressions    map[string]*jsonata.Expr
	err            error
}

// broken records the first part that was accepted but cannot be compiled.
func (c *compiler) broken(at string, value any) {
	if c.err == nil {
		c.err = fmt.Errorf("asl: an internal error: the definition was accepted but cannot be compiled: %s: %s", at, quote(value))
	}
}

func (c *compiler) machine(o *jsonata.Object) (*Machine, error) {
	m := &Machine{timeout: c.whole(o, "TimeoutSeconds", 0), flow: c.flow(o)}
	if c.err != nil {
		return nil, c.err
	}
	return m, nil
}

func (c *compiler) flow(o *jsonata.Object) *flow {
	states := c.object(o, "States")
	f := &flow{start: c.text(o, "StartAt"), states: make(map[string]*state, states.Len()), instant: true}
	for i := range states.Len() {
		name, v := states.At(i)
		s, ok := v.(*jsonata.Object)
		if !ok {
			c.broken(name, v)
			continue
		}
		f.states[name] = c.state(name, s)
		switch f.states[name].kind {
		case "Task", "Wait", "Map", "Parallel":
			f.instant = false
		}
	}
	if f.states[f.start] == nil {
		c.broken("StartAt", f.start)
	}
	return f
}

// flows compiles the branches of a Parallel state.
func (c *compiler) flows(o *jsonata.Object, field string) []*flow {
	var list []*flow
	for _, branch := range c.objects(o, field) {
		list = append(list, c.flow(branch))
	}
	return list
}

// object returns a member that is an object, or nil, which has no members.
func (c *compiler) object(o *jsonata.Object, field string) *jsonata.Object {
	v, has := o.Get(field)
	child, ok := v.(*jsonata.Object)
	if has && !ok {
		c.broken(field, v)
	}
	return child
}

func (c *compiler) objects(o *jsonata.Object, field string) []*jsonata.Object {
	var out []*jsonata.Object
	for _, item := range c.list(o, field) {
		child, ok := item.(*jsonata.Object)
		if !ok {
			c.broken(field, item)
			continue
		}
		out = append(out, child)
	}
	return out
}

func (c *compiler) list(o *jsonata.Object, field string) []any {
	v, has := o.Get(field)
	list, ok := v.([]any)
	if has && !ok {
		c.broken(field, v)
	}
	return list
}

func (c *compiler) text(o *jsonata.Object, field string) string {
	v, has := o.Get(field)
	s, ok := v.(string)
	if has && !ok {
		c.broken(field, v)
	}
	return s
}

func (c *compiler) texts(o *jsonata.Object, field string) []string {
	var out []string
	for _, item := range c.list(o, field) {
		s, ok := item.(string)
		if !ok {
			c.broken(field, item)
		}
		out = append(out, s)
	}
	return out
}

// whole returns a member that is a whole number, or the default otherwise.
func (c *compiler) whole(o *jsonata.Object, field string, otherwise int) int {
	if !o.Has(field) {
		return otherwise
	}
	n, ok := wholeNumber(o, field)
	if !ok {
		c.broken(field, field)
	}
	return n
}

func (c *compiler) number(o *jsonata.Object, field string, otherwise float64) float64 {
	v, has := o.Get(field)
	if !has {
		return otherwise
	}
	n, _ := v.(json.Number)
	f, err := strconv.ParseFloat(string(n), 64)
	if err != nil {
		c.broken(field, v)
	}
	return f
}

// path returns a field that is a path; if it is null, the source is nil and null is true.
func (c *compiler) path(o *jsonata.Object, field string) (s *source, null bool) {
	v, has := o.Get(field)
	if !has {
		return nil, false
	}
	if v == nil {
		return nil, true
	}
	text, _ := v.(string)
	s, err := parseSource(text)
	if err != nil {
		c.broken(field, v)
	}
	return s, false
}

// amount returns a field that holds a whole number of at least low, or that refers to one
// by its Path form or by an expression.
func (c *compiler) amount(o *jsonata.Object, field string, low int) amount {
	a := c.fraction(o, field)
	a.low = low
	return a
}

// fraction is amount for numbers that may have a fraction.
func (c *compiler) fraction(o *jsonata.Object, field string) amount {
	if !c.jsonata && o.Has(field+"Path") {
		path, _ := c.path(o, field+"Path")
		return amount{field: field + "Path", path: path}
	}
	v, has := o.Get(field)
	if !has {
		return amount{}
	}
	if text, ok := v.(string); ok {
		return amount{field: field, expr: c.expression(text, field)}
	}
	return amount{field: field, constant: c.number(o, field, 0)}
}

// expression returns an expression that the validator has compiled. field is its place
// within the state.
func (c *compiler) expression(text, field string) *expression {
	source, _ := expressionText(text)
	program := c.expressions[source]
	if program == nil {
		c.broken(field, text)
		return &expression{}
	}
	return newExpression(source, field, program)
}

func sortedNames(states map[string]*state) []string {
	names := make([]string, 0, len(states))
	for n := range states {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}
