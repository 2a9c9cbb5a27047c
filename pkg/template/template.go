package template

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The account and the region of templates, unless [Options] name others.
const (
	defaultAccount = "123456789012"
	defaultRegion  = "us-east-1"
)

// Options hold settings that are not in a template itself.
type Options struct {
	// Parameters are values of parameters; the others have their defaults.
	Parameters map[string]string
	// Region and Account are the pseudo parameters, if they differ from us-east-1 and
	// 123456789012.
	Region, Account string
	// StackName is AWS::StackName; empty if it is not known.
	StackName string
	// Deployed gives resources without a name the kind of name that CloudFormation
	// generates (STACK-LOGICALID-XXXXXXXXXXXX), whose end is not known. Otherwise, they
	// are named by their logical ids, as on a laptop.
	Deployed bool
}

// A Template is a file that was read. It is not safe for concurrent use: values are
// resolved when they are first used.
type Template struct {
	File string
	Root *Node
	// Resources are in the order of the file; without those whose condition is false.
	Resources []*Resource

	options    Options
	byID       map[string]*Resource
	problems   []Problem
	reported   map[string]bool
	conditions map[string]*condition
	parameters map[string]*Value
	work       int
	// exhausted means that work has run out; unread means that the file contains something
	// whose meaning is unknown.
	exhausted, unread bool
}

// A Resource is one entry of Resources.
type Resource struct {
	ID, Type string
	Pos      Pos // the place of the logical id
	Node     *Node
	// Conditional explains why it is not known whether the resource exists; it is empty
	// if it does.
	Conditional string

	template   *Template
	properties *Value
	resolving  bool
	name       *Value
	naming     bool
}

// fileNames are the names of a template that tools look for, in this order.
var fileNames = []string{"template.yaml", "template.yml", "template.json"}

// Find returns the template of a folder, or "".
func Find(dir string) string {
	for _, name := range fileNames {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path
		}
	}
	return ""
}

// Load reads a file. The error is an [*Error] unless the file cannot be read at all.
func Load(path string, o Options) (*Template, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read template: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil, fmt.Errorf("read template: %s is not a file of at most %d bytes", path, maxFile)
	}
	source, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read template: %w", err)
	}
	return New(path, source, o)
}

// New reads source; messages name it as file.
func New(file string, source []byte, o Options) (*Template, error) {
	root, err := Parse(file, source)
	if err != nil {
		return nil, err
	}
	if root.Kind != Map || root.Get("Resources") == nil {
		return nil, &Error{[]Problem{{Pos: root.Pos, Message: "no template: it has no Resources"}}}
	}
	var wrong []Problem
	for _, name := range []string{"Parameters", "Mappings", "Conditions", "Resources", "Outputs"} {
		if n := root.Get(name); n != nil && n.Kind != Map {
			wrong = append(wrong, Problem{Pos: n.Pos, Message: name + " must be a mapping, of names to what is called so"})
		}
	}
	if len(wrong) > 0 {
		return nil, &Error{wrong}
	}
	if o.Account == "" {
		o.Account = defaultAccount
	}
	if o.Region == "" {
		o.Region = defaultRegion
	}
	t := &Template{
		File: file, Root: root, options: o, byID: map[string]*Resource{}, reported: map[string]bool{},
		conditions: map[string]*condition{}, parameters: map[string]*Value{}, work: maxWork,
	}
	t.readParameters()
	t.readResources()
	t.findCycles()
	return t, nil
}

// Resolve resolves all of the template, so that [Template.Problems] has everything.
func (t *Template) Resolve() {
	for _, r := range t.Resources {
		r.Properties()
		if n := r.Node.Get("DependsOn"); n != nil {
			for _, item := range append(n.Items, n) {
				if item.Kind == String && t.byID[item.Text] == nil {
					t.generated(item.Text, "DependsOn", item.Pos)
				}
			}
		}
	}
	outputs := t.Root.Get("Outputs")
	if outputs == nil {
		return
	}
	for _, m := range outputs.Members {
		if n := m.Value.Get("Condition"); n != nil {
			if c := t.condition(n.Text, n.Pos); c.why != "" || !c.value {
				continue
			}
		}
		t.resolve(m.Value.Get("Value"), 0)
	}
}

// Problems returns the mistakes of the template itself, as far as it has been resolved:
// dangling references, cycles and unknown functions. They are in the order of the file.
func (t *Template) Problems() []Problem {
	slices.SortStableFunc(t.problems, func(a, b Problem) int { return a.Pos.Compare(b.Pos) })
	return t.problems
}

// Understood reports whether everything that was resolved is written in words that
// CloudFormation has.
func (t *Template) Understood() bool { return !t.unread }

func (t *Template) report(pos Pos, note bool, format string, args ...any) {
	p := Problem{Pos: pos, Message: fmt.Sprintf(format, args...), Note: note}
	if key := p.String(); !t.reported[key] {
		t.reported[key] = true
		t.problems = append(t.problems, p)
	}
}

// Resource returns the resource with a logical id, or nil.
func (t *Template) Resource(id string) *Resource { return t.byID[id] }

// Of returns the resources of the given types, in the order of the file.
func (t *Template) Of(types ...string) []*Resource {
	var out []*Resource
	for _, r := range t.Resources {
		if slices.Contains(types, r.Type) {
			out = append(out, r)
		}
	}
	return out
}

// SAM reports whether the template uses SAM's transform.
func (t *Template) SAM() bool {
	return slices.ContainsFunc(t.transforms(), func(n *Node) bool { return n.Text == samTransform })
}

const samTransform = "AWS::Serverless-2016-10-31"

func (t *Template) transforms() []*Node {
	n := t.Root.Get("Transform")
	if n == nil {
		return nil
	}
	if n.Kind == List {
		return n.Items
	}
	return []*Node{n}
}

func (t *Template) readResources() {
	for _, n := range t.transforms() {
		if n.Text != samTransform && n.Text != "AWS::LanguageExtensions" {
			t.report(n.Pos, true, "the transform %s may change the template, which is read here as it is written", n.Text)
		}
	}
	for i := range t.Root.Get("Resources").Members {
		m := &t.Root.Get("Resources").Members[i]
		if strings.HasPrefix(m.Name, "Fn::") {
			t.report(m.Key, true, "%s creates resources that are not known here", m.Name)
			continue
		}
		kind := m.Value.Get("Type")
		if kind == nil || kind.Kind != String {
			t.report(m.Key, false, "the resource %s has no Type", m.Name)
			continue
		}
		r := &Resource{ID: m.Name, Type: kind.Text, Pos: m.Key, Node: m.Value, template: t}
		t.byID[r.ID] = r
	}
	// A condition cannot refer to resources, so all of them are known by now.
	for _, m := range t.Root.Get("Resources").Members {
		r := t.byID[m.Name]
		if r == nil {
			continue
		}
		if n := m.Value.Get("Condition"); n != nil {
			switch c := t.condition(n.Text, n.Pos); {
			case c.why != "":
				r.Conditional = c.why
			case !c.value:
				delete(t.byID, r.ID)
				continue
			}
		}
		t.Resources = append(t.Resources, r)
	}
}

// Properties returns the resource's properties, resolved; for a SAM resource, Globals
// fill in missing ones. It is never nil.
func (r *Resource) Properties() *Value {
	if r.properties != nil {
		return r.properties
	}
	if r.resolving {
		return &Value{Kind: Unknown, Pos: r.Pos, Why: "the properties of " + r.ID + " refer to themselves"}
	}
	r.resolving = true
	defer func() { r.resolving = false }()
	p := &Value{Kind: Map, Pos: r.Pos}
	if n := r.Node.Get("Properties"); n != nil {
		p = r.template.resolve(n, 0)
	}
	if section, ok := globals[r.Type]; ok {
		if n := r.template.Root.Get("Globals", section); n != nil {
			p = overlay(r.template.resolve(n, 0), p)
		}
	}
	r.properties = p
	return p
}

// Get returns a property, or nil.
func (r *Resource) Get(path ...string) *Value { return r.Properties().Get(path...) }

// At returns the place of a property: of its key, or else of the nearest enclosing one.
func (r *Resource) At(path ...string) Pos {
	pos, n := r.Pos, r.Node
	for _, name := range append([]string{"Properties"}, path...) {
		m := n.Member(name)
		if m == nil {
			return pos
		}
		pos, n = m.Key, m.Value
	}
	return pos
}

// globals maps resource types to the sections of Globals that apply to them.
var globals = map[string]string{
	"AWS::Serverless::Function":     "Function",
	"AWS::Serverless::Api":          "Api",
	"AWS::Serverless::HttpApi":      "HttpApi",
	"AWS::Serverless::SimpleTable":  "SimpleTable",
	"AWS::Serverless::StateMachine": "StateMachine",
	"AWS::Serverless::LayerVersion": "LayerVersion",
}

// overlay lays a value over a global one as SAM does: maps are joined, lists are
// concatenated, anything else is replaced.
func overlay(global, own *Value) *Value {
	switch {
	case global == nil || global.Kind != own.Kind:
		return own
	case own.Kind == List:
		return &Value{Kind: List, Pos: own.Pos, Items: slices.Concat(global.Items, own.Items)}
	case own.Kind != Map:
		return own
	}
	out := &Value{Kind: Map, Pos: own.Pos, Members: slices.Clone(global.Members)}
	at := make(map[string]int, len(out.Members))
	for i, m := range out.Members {
		at[m.Name] = i
	}
	for _, m := range own.Members {
		if i, ok := at[m.Name]; ok {
			out.Members[i] = ValueMember{m.Name, m.Key, overlay(out.Members[i].Value, m.Value)}
		} else {
			out.Members = append(out.Members, m)
		}
	}
	return out
}
