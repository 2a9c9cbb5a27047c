package asl

import (
	"fmt"
	"strings"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// maxRuleDepth bounds the nesting of And, Or and Not.
const maxRuleDepth = 64

func (c *compiler) choice(s *state, o *jsonata.Object) {
	s.defaultNext = c.text(o, "Default")
	for i, item := range c.objects(o, "Choices") {
		place := fmt.Sprintf("Choices[%d]", i)
		r := &rule{}
		if s.jsonata {
			r.condition = c.template(item, "Condition", place+"/Condition")
			r.output = c.template(item, "Output", place+"/Output")
		} else {
			r = c.rule(item)
		}
		r.next = c.text(item, "Next")
		r.assign = c.template(item, "Assign", place+"/Assign")
		s.rules = append(s.rules, r)
	}
}

// rule compiles a JSONPath rule.
func (c *compiler) rule(o *jsonata.Object) *rule {
	r := &rule{}
	r.variable, _ = c.path(o, "Variable")
	for i := range o.Len() {
		switch key, operand := o.At(i); key {
		case "Next", "Variable", "Comment", "Assign":
		case "And":
			r.and = c.rules(o, key)
		case "Or":
			r.or = c.rules(o, key)
		case "Not":
			r.not = []*rule{c.rule(c.object(o, key))}
		case "IsPresent":
			r.presence, r.want = true, operand == true
		default:
			c.operator(r, o, key, operand)
		}
	}
	return r
}

func (c *compiler) rules(o *jsonata.Object, field string) []*rule {
	list := []*rule{}
	for _, item := range c.objects(o, field) {
		list = append(list, c.rule(item))
	}
	return list
}

func (c *compiler) operator(r *rule, o *jsonata.Object, key string, operand any) {
	if test, ok := kinds[key]; ok {
		r.test = func(v, _ any) bool { return test(v) == operand }
		return
	}
	var ok bool
	if r.test, ok = operators[key]; ok {
		r.operand = operand
		return
	}
	if r.test, ok = operators[strings.TrimSuffix(key, "Path")]; ok {
		r.operandPath, _ = c.path(o, key)
		return
	}
	c.broken(key, operand)
}
