package template

import "strings"

// A condition is true, false or, if why is set, not known.
type condition struct {
	value bool
	why   string
	busy  bool
}

// condition returns the condition with a name.
func (t *Template) condition(name string, pos Pos) *condition {
	if c, ok := t.conditions[name]; ok {
		if c.busy {
			t.report(pos, false, "the condition %s refers to itself", name)
			return &condition{why: "the condition " + name}
		}
		return c
	}
	n := t.Root.Get("Conditions", name)
	if n == nil {
		t.report(pos, false, "there is no condition %q", name)
		return &condition{why: "the condition " + name}
	}
	c := &condition{busy: true}
	t.conditions[name] = c
	*c = *t.evaluate(n, 0)
	return c
}

func (t *Template) truth(c *condition, pos Pos) *Value {
	switch {
	case c.why != "":
		return unknown(pos, c.why)
	case c.value:
		return &Value{Kind: Bool, Text: "true", Pos: pos}
	}
	return &Value{Kind: Bool, Text: "false", Pos: pos}
}

// evaluate evaluates a condition function.
func (t *Template) evaluate(n *Node, depth int) *condition {
	if t.work--; t.work < 0 || depth > maxDepth {
		return &condition{why: "a condition that takes too much work"}
	}
	if n.Kind == Bool {
		return &condition{value: n.Text == "true"}
	}
	if n.Kind != Map || len(n.Members) != 1 {
		t.report(n.Pos, false, "a condition is one of Fn::Equals, Fn::And, Fn::Or, Fn::Not and Condition")
		return &condition{why: "a condition"}
	}
	arg := n.Members[0].Value
	switch name := n.Members[0].Name; name {
	case "Condition":
		return t.condition(arg.Text, arg.Pos)
	case "Fn::Equals":
		return t.equals(arg, depth)
	case "Fn::Not":
		if arg.Kind == List && len(arg.Items) == 1 {
			c := *t.evaluate(arg.Items[0], depth+1)
			c.value = !c.value
			return &c
		}
	case "Fn::And", "Fn::Or":
		if arg.Kind == List && len(arg.Items) > 0 {
			return t.all(arg.Items, name == "Fn::Or", depth)
		}
	default:
		t.report(n.Pos, false, "a condition is one of Fn::Equals, Fn::And, Fn::Or, Fn::Not and Condition, not %s", name)
		return &condition{why: "a condition"}
	}
	t.report(n.Pos, false, "%s has wrong arguments", n.Members[0].Name)
	return &condition{why: "a condition"}
}

// all returns the conjunction of conditions or, if anyOf is true, their disjunction. One
// that decides the result is enough, even if others are not known.
func (t *Template) all(items []*Node, anyOf bool, depth int) *condition {
	open := ""
	for _, item := range items {
		c := t.evaluate(item, depth+1)
		switch {
		case c.why != "":
			open = c.why
		case c.value == anyOf:
			return &condition{value: anyOf}
		}
	}
	return &condition{value: !anyOf, why: open}
}

func (t *Template) equals(arg *Node, depth int) *condition {
	args := t.args(arg, "Fn::Equals", 2, 2, depth)
	if args == nil {
		return &condition{why: "a condition"}
	}
	for _, v := range args {
		if !v.Known() {
			return &condition{why: reason(v, "a condition")}
		}
	}
	return &condition{value: strings.TrimSpace(string(args[0].plain())) == strings.TrimSpace(string(args[1].plain()))}
}

// plain returns a value in a form for comparison, where numbers and booleans are their
// text.
func (v *Value) plain() []byte {
	if s, ok := v.String(); ok {
		return []byte(s)
	}
	return v.JSON()
}
