package asl

import (
	"fmt"
	"strings"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// maxRuleDepth bounds the nesting of And, Or and Not.
const maxRuleDepth = 64

func (p *parser) rule(v any, at string, top bool, depth int) *rule {
	r := &rule{}
	o, ok := v.(*jsonata.Object)
	if !ok || depth > maxRuleDepth {
		p.schema(at, "A Choice Rule must be an object")
		return r
	}
	if top {
		r.next = p.text(o, "Next", at, true)
		r.assign = p.template(o, "Assign", at)
	}
	found := 0
	children := func(key string) []*rule {
		found++
		v, _ := o.Get(key)
		list, ok := v.([]any)
		if !ok || len(list) == 0 {
			p.schema(at+"/"+key, "The field '%s' must be a non-empty array", key)
		}
		out := []*rule{}
		for i, item := range list {
			out = append(out, p.rule(item, fmt.Sprintf("%s/%s[%d]", at, key, i), false, depth+1))
		}
		return out
	}
	for i := range o.Len() {
		key, operand := o.At(i)
		switch key {
		case "And":
			r.and = children(key)
		case "Or":
			r.or = children(key)
		case "Not":
			found++
			r.not = []*rule{p.rule(operand, at+"/Not", false, depth+1)}
		case "Next", "Variable", "Comment", "Assign":
		case "IsPresent":
			found++
			r.presence = true
			r.want, ok = operand.(bool)
			if !ok {
				p.schema(at+"/IsPresent", "Value must be true or false")
			}
		default:
			found++
			p.operator(r, key, operand, at)
		}
	}
	if found != 1 {
		p.schema(at, "A Choice Rule must have exactly one comparison, and has %d", found)
	}
	if r.and == nil && r.or == nil && r.not == nil {
		if r.variable, _ = p.path(o, "Variable", at); r.variable == nil {
			p.schema(at+"/Variable", "The field 'Variable' is required")
		}
	}
	return r
}

func (p *parser) operator(r *rule, key string, operand any, at string) {
	if test, ok := kinds[key]; ok {
		want, isBool := operand.(bool)
		if !isBool {
			p.schema(at+"/"+key, "Value must be true or false")
		}
		r.test = func(v, _ any) bool { return test(v) == want }
		return
	}
	if test, ok := operators[key]; ok {
		r.test, r.operand = test, operand
		kind, fits := "a number", false
		switch {
		case strings.HasPrefix(key, "Numeric"):
			_, fits = rational(operand)
		case strings.HasPrefix(key, "Timestamp"):
			kind = "an ISO-8601 timestamp"
			_, fits = timestamp(operand)
		case key == "BooleanEquals":
			kind = "true or false"
			_, fits = operand.(bool)
		default:
			kind = "text"
			_, fits = operand.(string)
		}
		if !fits {
			p.schema(at+"/"+key, "Value must be %s", kind)
		}
		return
	}
	base, isPath := strings.CutSuffix(key, "Path")
	if test, ok := operators[base]; ok && isPath && base != "StringMatches" {
		r.test = test
		text, _ := operand.(string)
		var err error
		if r.operandPath, err = parseSource(text); err != nil {
			p.schema(at+"/"+key, "Value is not a valid JSONPath")
		}
		return
	}
	p.schema(at+"/"+key, "Field is not supported")
	r.test = func(any, any) bool { return false }
}

// ruleFields are those of a Choice Rule of JSONata.
var ruleFields = []string{"Comment", "Condition", "Next", "Assign", "Output"}

// conditionRule reads a Choice Rule of JSONata; field is its place in the state.
func (p *parser) conditionRule(v any, field, at string) *rule {
	r := &rule{}
	o, ok := v.(*jsonata.Object)
	if !ok {
		p.schema(at, "A Choice Rule must be an object")
		return r
	}
	p.fields(o, at, ruleFields)
	p.checkVariables(o, at)
	r.next = p.text(o, "Next", at, true)
	r.assign = p.templateAt(o, "Assign", field+"/Assign", at)
	r.output = p.templateAt(o, "Output", field+"/Output", at)
	condition, _ := o.Get("Condition")
	text, isText := condition.(string)
	if _, isBool := condition.(bool); !isBool && !(isText && isExpression(text)) {
		p.schema(at+"/Condition", "Value must be true, false or a JSONata expression")
	}
	if r.condition = p.templateAt(o, "Condition", field+"/Condition", at); r.condition == nil {
		r.condition = &template{literal: false}
	}
	return r
}
