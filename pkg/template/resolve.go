package template

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
)

// The bounds of resolving: how many values are made from a template, and how long a text
// may become.
const (
	maxWork = 1_000_000
	maxText = 4 << 20
	maxDeep = 4 * maxDepth
)

func unknown(pos Pos, why string) *Value { return &Value{Kind: Unknown, Pos: pos, Why: why} }

// resolve returns the value of a node; nil for AWS::NoValue.
func (t *Template) resolve(n *Node, depth int) *Value {
	if n == nil {
		return nil
	}
	if t.work--; t.work < 0 || depth > maxDeep {
		if !t.exhausted {
			t.exhausted = true
			t.report(n.Pos, true, "the template takes too much work to resolve: the rest is not known, and not checked")
		}
		return unknown(n.Pos, "the template takes too much work to resolve")
	}
	switch n.Kind {
	case List:
		v := &Value{Kind: List, Pos: n.Pos, Items: make([]*Value, 0, len(n.Items))}
		for _, item := range n.Items {
			if item := t.resolve(item, depth+1); item != nil {
				v.Items = append(v.Items, item)
			}
		}
		return v
	case Map:
		if len(n.Members) == 1 {
			if m := n.Members[0]; m.Name == "Ref" || strings.HasPrefix(m.Name, "Fn::") || m.Name == "Condition" && m.Value.Kind == String && t.Root.Get("Conditions", m.Value.Text) != nil {
				return t.call(n, m, depth)
			}
		}
		v := &Value{Kind: Map, Pos: n.Pos, Members: make([]ValueMember, 0, len(n.Members))}
		for _, m := range n.Members {
			if strings.HasPrefix(m.Name, "Fn::ForEach") {
				t.report(m.Key, true, "%s makes entries that are not known here", m.Name)
				continue
			}
			if value := t.resolve(m.Value, depth+1); value != nil {
				v.Members = append(v.Members, ValueMember{m.Name, m.Key, value})
			}
		}
		return v
	case String:
		return dynamic(n)
	}
	return &Value{Kind: n.Kind, Text: n.Text, Pos: n.Pos}
}

// dynamic replaces references such as {{resolve:ssm:name}}, which only the service can
// look up, by holes.
func dynamic(n *Node) *Value {
	v := &Value{Kind: String, Text: n.Text, Pos: n.Pos}
	for strings.Contains(v.Text, "{{resolve:") {
		before, rest, _ := strings.Cut(v.Text, "{{resolve:")
		reference, after, closed := strings.Cut(rest, "}}")
		if !closed {
			break
		}
		service, _, _ := strings.Cut(reference, ":")
		v.Text, v.Why = before+string(hole)+after, "what {{resolve:"+service+":…}} stands for"
	}
	return v
}

// call resolves an intrinsic function.
func (t *Template) call(n *Node, m Member, depth int) *Value {
	arg := m.Value
	switch m.Name {
	case "Ref":
		return t.ref(arg.Text, n.Pos)
	case "Condition":
		return t.truth(t.condition(arg.Text, arg.Pos), n.Pos)
	case "Fn::GetAtt":
		return t.getAtt(arg, n.Pos, depth)
	case "Fn::Sub":
		return t.sub(arg, n.Pos, depth)
	case "Fn::Join":
		return t.join(arg, n.Pos, depth)
	case "Fn::Select":
		return t.selectOne(arg, n.Pos, depth)
	case "Fn::Split":
		return t.split(arg, n.Pos, depth)
	case "Fn::If":
		return t.choose(arg, n.Pos, depth)
	case "Fn::FindInMap":
		return t.findInMap(arg, n.Pos, depth)
	case "Fn::Base64":
		if s, ok := t.resolve(arg, depth+1).String(); ok {
			return &Value{Kind: String, Text: base64.StdEncoding.EncodeToString([]byte(s)), Pos: n.Pos}
		}
		return unknown(n.Pos, "the text of Fn::Base64")
	case "Fn::Length":
		if v := t.resolve(arg, depth+1); v != nil && v.Kind == List {
			return &Value{Kind: Number, Text: strconv.Itoa(len(v.Items)), Pos: n.Pos}
		}
		return unknown(n.Pos, "the list of Fn::Length")
	case "Fn::ToJsonString":
		if v := t.resolve(arg, depth+1); v.Known() {
			return &Value{Kind: String, Text: string(v.JSON()), Pos: n.Pos}
		}
		return unknown(n.Pos, "the value of Fn::ToJsonString")
	case "Fn::And", "Fn::Or", "Fn::Not", "Fn::Equals":
		return t.truth(t.evaluate(n, 0), n.Pos)
	case "Fn::ImportValue":
		why := "the import of " + t.resolve(arg, depth+1).Show()
		t.report(n.Pos, true, "%s is not known here", why)
		return unknown(n.Pos, why)
	case "Fn::Transform", "Fn::GetStackOutput":
		t.report(n.Pos, true, "the result of %s is not known here", m.Name)
		return unknown(n.Pos, "the result of "+m.Name)
	case "Fn::Cidr", "Fn::GetAZs", "Fn::ValueOf", "Fn::ValueOfAll", "Fn::RefAll":
		return unknown(n.Pos, "the result of "+m.Name)
	}
	t.report(n.Pos, false, "there is no intrinsic function %s", m.Name)
	t.unread = true
	return unknown(n.Pos, "the result of "+m.Name)
}

// args resolves the arguments of a function that takes between least and most arguments.
func (t *Template) args(arg *Node, name string, least, most, depth int) []*Value {
	if arg.Kind != List || len(arg.Items) < least || len(arg.Items) > most {
		t.report(arg.Pos, false, "%s takes a list of %d arguments", name, least)
		return nil
	}
	out := make([]*Value, len(arg.Items))
	for i, item := range arg.Items {
		out[i] = t.resolve(item, depth+1)
	}
	return out
}

func (t *Template) join(arg *Node, pos Pos, depth int) *Value {
	args := t.args(arg, "Fn::Join", 2, 2, depth)
	if args == nil {
		return unknown(pos, "the result of Fn::Join")
	}
	separator, ok := args[0].String()
	if !ok || args[1] == nil || args[1].Kind != List {
		return unknown(pos, "the list of Fn::Join")
	}
	w := writer{pos: pos}
	for i, item := range args[1].Items {
		if i > 0 {
			w.text(separator)
		}
		w.value(item)
	}
	return w.done()
}

func (t *Template) selectOne(arg *Node, pos Pos, depth int) *Value {
	args := t.args(arg, "Fn::Select", 2, 2, depth)
	if args == nil {
		return unknown(pos, "the result of Fn::Select")
	}
	i, ok := args[0].Int()
	if !ok || args[1] == nil || args[1].Kind != List {
		return unknown(pos, reason(args[1], "the list of Fn::Select"))
	}
	if i < 0 || i >= len(args[1].Items) {
		t.report(pos, false, "Fn::Select: no item %d in a list of %d", i, len(args[1].Items))
		return unknown(pos, "the result of Fn::Select")
	}
	return args[1].Items[i].at(pos)
}

func reason(v *Value, otherwise string) string {
	if v != nil && v.Why != "" {
		return v.Why
	}
	return otherwise
}

func (t *Template) split(arg *Node, pos Pos, depth int) *Value {
	args := t.args(arg, "Fn::Split", 2, 2, depth)
	if args == nil {
		return unknown(pos, "the result of Fn::Split")
	}
	separator, _ := args[0].String()
	s, known := args[1].String()
	if !known || separator == "" {
		return unknown(pos, reason(args[1], "the text of Fn::Split"))
	}
	v := &Value{Kind: List, Pos: pos}
	for part := range strings.SplitSeq(s, separator) {
		if t.work--; t.work < 0 {
			return unknown(pos, "the template takes too much work to resolve")
		}
		v.Items = append(v.Items, &Value{Kind: String, Text: part, Pos: pos})
	}
	return v
}

func (t *Template) choose(arg *Node, pos Pos, depth int) *Value {
	if arg.Kind != List || len(arg.Items) != 3 {
		t.report(arg.Pos, false, "Fn::If takes a list of 3 arguments")
		return unknown(pos, "the result of Fn::If")
	}
	name := arg.Items[0]
	if name.Kind == Map && len(name.Members) == 1 && name.Members[0].Name == "Condition" {
		name = name.Members[0].Value
	}
	c := t.condition(name.Text, name.Pos)
	switch {
	case c.why != "":
		return unknown(pos, c.why)
	case c.value:
		return t.resolve(arg.Items[1], depth+1)
	}
	return t.resolve(arg.Items[2], depth+1)
}

func (t *Template) findInMap(arg *Node, pos Pos, depth int) *Value {
	const name = "Fn::FindInMap"
	if arg.Kind != List || len(arg.Items) < 3 || len(arg.Items) > 4 {
		t.report(arg.Pos, false, "%s takes a list of 3 arguments", name)
		return unknown(pos, "the result of "+name)
	}
	n := t.Root.Get("Mappings")
	for _, item := range arg.Items[:3] {
		v := t.resolve(item, depth+1)
		key, known := v.String()
		if !known {
			return unknown(pos, reason(v, "a key of "+name))
		}
		next := n.Get(key)
		if next == nil {
			if len(arg.Items) == 4 {
				return t.resolve(arg.Items[3].Get("DefaultValue"), depth+1)
			}
			t.report(item.Pos, false, "%s: Mappings has no %q here", name, key)
			return unknown(pos, "the result of "+name)
		}
		n = next
	}
	return t.resolve(n, depth+1).at(pos)
}

func (t *Template) sub(arg *Node, pos Pos, depth int) *Value {
	text, own := arg, (*Node)(nil)
	if arg.Kind == List && len(arg.Items) == 2 && arg.Items[1].Kind == Map {
		text, own = arg.Items[0], arg.Items[1]
	}
	if text.Kind == List || text.Kind == Map {
		t.report(arg.Pos, false, "Fn::Sub takes a text, or a list of a text and a map")
		return unknown(pos, "the result of Fn::Sub")
	}
	names := map[string]*Node{}
	if own != nil {
		for _, m := range own.Members {
			names[m.Name] = m.Value
		}
	}
	w := writer{pos: pos}
	known := map[string]*Value{}
	source := dynamic(text)
	w.why = source.Why
	for rest := source.Text; ; {
		before, after, found := strings.Cut(rest, "${")
		w.text(before)
		name, next, closed := strings.Cut(after, "}")
		if !found || !closed {
			if found {
				w.text("${" + after)
			}
			return w.done()
		}
		rest = next
		if literal, ok := strings.CutPrefix(name, "!"); ok {
			w.text("${" + literal + "}")
			continue
		}
		name = strings.TrimSpace(name)
		v, seen := known[name]
		if !seen {
			v = t.subName(name, names, pos, depth)
			known[name] = v
		}
		w.value(v)
	}
}

func (t *Template) subName(name string, own map[string]*Node, pos Pos, depth int) *Value {
	if n, ok := own[name]; ok {
		return t.resolve(n, depth+1)
	}
	id, attribute, dotted := strings.Cut(name, ".")
	if dotted {
		return t.attribute(id, attribute, pos)
	}
	return t.ref(name, pos)
}

// A writer joins texts, some of which may be unknown.
type writer struct {
	pos Pos
	b   strings.Builder
	why string
}

func (w *writer) text(s string) {
	if w.b.Len()+len(s) <= maxText {
		w.b.WriteString(s)
		return
	}
	w.why = "a text of more than 4 MiB"
}

func (w *writer) value(v *Value) {
	if v != nil && v.Kind != Unknown && v.Kind != List && v.Kind != Map {
		w.text(v.Text)
		if v.Why != "" && w.why == "" {
			w.why = v.Why
		}
		return
	}
	w.text(string(hole))
	if w.why == "" {
		w.why = reason(v, "a part of a text")
	}
}

func (w *writer) done() *Value {
	v := &Value{Kind: String, Text: w.b.String(), Pos: w.pos, Why: w.why}
	if w.why != "" && !strings.ContainsRune(v.Text, hole) {
		v.Text += string(hole)
	}
	return v
}

// readParameters applies overrides, and reports those that do not name a parameter.
func (t *Template) readParameters() {
	section := t.Root.Get("Parameters")
	for name := range t.options.Parameters {
		if section.Get(name) == nil {
			t.report(Pos{t.File, 1, 1}, true, "the parameter %s, which is set, is not in the template", name)
		}
	}
}

func (t *Template) parameter(name string, n *Node, pos Pos) *Value {
	if v, ok := t.parameters[name]; ok {
		return v.at(pos)
	}
	v := t.readParameter(name, n)
	t.parameters[name] = v
	return v.at(pos)
}

func (t *Template) readParameter(name string, n *Node) *Value {
	kind := ""
	if k := n.Get("Type"); k != nil {
		kind = k.Text
	}
	text, given := t.options.Parameters[name]
	if !given {
		d := n.Get("Default")
		if d == nil || d.Kind == List || d.Kind == Map {
			return unknown(n.Pos, "the parameter "+name+", which has no default: --parameter-overrides "+name+"=…")
		}
		text = d.Text
	} else if allowed := n.Get("AllowedValues"); allowed != nil && !slices.ContainsFunc(allowed.Items, func(a *Node) bool { return a.Text == text }) {
		t.report(n.Pos, false, "the parameter %s does not allow %q", name, text)
	}
	switch {
	case strings.HasPrefix(kind, "AWS::SSM::Parameter::Value"):
		return unknown(n.Pos, "the SSM parameter that "+name+" names")
	case kind == "CommaDelimitedList", strings.HasPrefix(kind, "List<"):
		v := &Value{Kind: List, Pos: n.Pos}
		if text == "" {
			return v
		}
		for item := range strings.SplitSeq(text, ",") {
			v.Items = append(v.Items, &Value{Kind: String, Text: strings.TrimSpace(item), Pos: n.Pos})
		}
		return v
	case kind == "Number":
		return &Value{Kind: Number, Text: text, Pos: n.Pos}
	}
	return &Value{Kind: String, Text: text, Pos: n.Pos}
}

// at returns the same value at the place of a reference to it.
func (v *Value) at(pos Pos) *Value {
	if v == nil {
		return nil
	}
	moved := *v
	moved.Pos = pos
	return &moved
}
