package asl

import (
	"fmt"
	"strings"

	"github.com/expressway-dev/expressway/pkg/asl/intrinsic"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// template compiles a member that is a Payload Template or, in JSONata, a value with
// expressions. place is its place within the state. It returns nil if there is no such
// member.
func (c *compiler) template(o *jsonata.Object, field, place string) *template {
	v, has := o.Get(field)
	switch {
	case !has:
		return nil
	case c.jsonata:
		return c.query(v, place)
	}
	return c.payload(v)
}

// payload compiles a value in which members whose names end in ".$" are replaced.
func (c *compiler) payload(v any) *template {
	return compose(v, func(key string, item any) (string, *template) {
		if name, isPath := strings.CutSuffix(key, ".$"); isPath {
			return name, c.dynamic(item, key)
		}
		return key, c.payload(item)
	}, func(_ int, item any) *template { return c.payload(item) })
}

// query compiles a value in which strings may be expressions.
func (c *compiler) query(v any, place string) *template {
	if text, ok := v.(string); ok && isExpression(text) {
		return &template{query: c.expression(text, place)}
	}
	return compose(v, func(key string, item any) (string, *template) {
		return key, c.query(item, place+"/"+key)
	}, func(i int, item any) *template {
		return c.query(item, fmt.Sprintf("%s[%d]", place, i))
	})
}

// compose makes a template from an object's members or an array's items. A value without
// anything to replace becomes a literal, however large it is.
func compose(v any, member func(key string, item any) (string, *template), element func(i int, item any) *template) *template {
	t := &template{}
	dynamic := false
	switch v := v.(type) {
	case *jsonata.Object:
		t.object = true
		for i := range v.Len() {
			name, child := member(v.At(i))
			dynamic = dynamic || !child.constant()
			t.keys, t.items = append(t.keys, name), append(t.items, child)
		}
	case []any:
		t.array = true
		for i, item := range v {
			child := element(i, item)
			dynamic = dynamic || !child.constant()
			t.items = append(t.items, child)
		}
	}
	if !dynamic {
		return &template{literal: v}
	}
	return t
}

// dynamic compiles a path or a call of an intrinsic function.
func (c *compiler) dynamic(v any, field string) *template {
	text, _ := v.(string)
	t := &template{field: field}
	var err error
	if !intrinsic.Is(text) {
		if t.source, err = parseSource(text); err != nil {
			c.broken(field, v)
		}
		return t
	}
	if t.call, err = intrinsic.Parse(text); err != nil {
		c.broken(field, v)
		return t
	}
	t.sources = map[string]*source{}
	for _, p := range t.call.Paths() {
		if t.sources[p], err = parseSource(p); err != nil {
			c.broken(field, v)
		}
	}
	return t
}
