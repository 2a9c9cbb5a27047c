// Package graph draws state machines: as SVG with a layered layout of its own, as
// Mermaid, and as DOT. A drawing only depends on the definition, so equal definitions
// have equal drawings.
package graph

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A Graph is a state machine, or the contents of a Map or Parallel state.
type Graph struct {
	Start string
	Nodes []*Node
	Edges []*Edge

	box     // within the state that it is inside of
	row int // of the branches of a Parallel
}

// A Node is a state.
type Node struct {
	Name string
	// Type is the state's type, such as Task.
	Type string
	// Detail is a second line: what a task calls, or how long a Wait waits.
	Detail string
	// End says that the execution, or the branch, may end here.
	End bool
	// Retries are the error names after which the state is retried; Attempts is the
	// maximum number of attempts.
	Retries  []string
	Attempts int
	// Inside holds the branches of a Parallel, or the item processor of a Map.
	Inside []*Graph

	box
	lines []string // of the name
	end   float64  // where the mark of an end is
}

// An EdgeKind says why one state follows another.
type EdgeKind string

// The kinds of edges.
const (
	Next    EdgeKind = "next"
	Choice  EdgeKind = "choice"
	Default EdgeKind = "default"
	Catch   EdgeKind = "catch"
)

// An Edge leads from one state to another.
type Edge struct {
	From, To string
	Kind     EdgeKind
	// Labels are the conditions or the error names, one for each rule that leads there.
	Labels []string

	points []point
	square int // the point from which on it is drawn with corners; 0 is nowhere
	back   bool
	far    bool // drawn next to the ranks that it passes
	label  box
}

// maxStates bounds the number of states; the service's limit on a definition's size does
// not allow more than a few thousand.
const maxStates = 20000

// Parse reads a definition. If the service would refuse the definition, it reads as much
// as it can: edges to missing states are left out.
func Parse(definition []byte) (*Graph, error) {
	v, err := jsonata.Decode(definition)
	if err != nil {
		return nil, fmt.Errorf("the definition is not JSON: %w", err)
	}
	p := &parser{}
	g := p.graph(v)
	if p.states > maxStates {
		return nil, fmt.Errorf("the definition has more than %d states", maxStates)
	}
	if len(g.Nodes) == 0 {
		return nil, errors.New("the definition has no states")
	}
	return g, nil
}

type parser struct{ states int }

func (p *parser) graph(v any) *Graph {
	g := &Graph{Start: member[string](v, "StartAt")}
	states := member[*jsonata.Object](v, "States")
	for i := range states.Len() {
		name, state := states.At(i)
		if p.states++; p.states > maxStates {
			return g
		}
		g.Nodes = append(g.Nodes, p.node(name, state))
		g.edges(name, state)
	}
	known := map[string]bool{}
	for _, n := range g.Nodes {
		known[n.Name] = true
	}
	g.Edges = slices.DeleteFunc(g.Edges, func(e *Edge) bool { return !known[e.To] })
	return g
}

func (p *parser) node(name string, state any) *Node {
	n := &Node{Name: name, Type: member[string](state, "Type")}
	n.End = member[bool](state, "End") || n.Type == "Succeed" || n.Type == "Fail"
	switch n.Type {
	case "Task":
		n.Detail = resource(member[string](state, "Resource"))
	case "Wait":
		n.Detail = waits(state)
	case "Fail":
		n.Detail = member[string](state, "Error")
	case "Parallel":
		for _, branch := range member[[]any](state, "Branches") {
			n.Inside = append(n.Inside, p.graph(branch))
		}
	case "Map":
		inside, ok := get(state, "ItemProcessor")
		if !ok {
			inside, ok = get(state, "Iterator")
		}
		if ok {
			n.Inside = append(n.Inside, p.graph(inside))
		}
		if processor, _ := get(inside, "ProcessorConfig"); member[string](processor, "Mode") == "DISTRIBUTED" {
			n.Detail = "distributed"
		}
	}
	n.Inside = slices.DeleteFunc(n.Inside, func(g *Graph) bool { return len(g.Nodes) == 0 })
	for _, rule := range member[[]any](state, "Retry") {
		n.Retries = append(n.Retries, names(rule)...)
		n.Attempts = max(n.Attempts, attempts(rule))
	}
	return n
}

// attempts returns how often a rule retries; three times if it does not say.
func attempts(rule any) int {
	n := 3
	if v, ok := get(rule, "MaxAttempts"); ok {
		if text := literal(v); len(text) < 9 {
			_, _ = fmt.Sscan(text, &n) // text that is not a number keeps the default
		}
	}
	return n
}

// edges adds the transitions of a state.
func (g *Graph) edges(from string, state any) {
	add := func(kind EdgeKind, to, label string) {
		if to == "" {
			return
		}
		for _, e := range slices.Backward(g.Edges) {
			if e.From != from {
				break
			}
			if e.To == to && e.Kind == kind {
				if label != "" {
					e.Labels = append(e.Labels, label)
				}
				return
			}
		}
		e := &Edge{From: from, To: to, Kind: kind}
		if label != "" {
			e.Labels = []string{label}
		}
		g.Edges = append(g.Edges, e)
	}
	for _, rule := range member[[]any](state, "Choices") {
		add(Choice, member[string](rule, "Next"), condition(rule))
	}
	add(Default, member[string](state, "Default"), "otherwise")
	add(Next, member[string](state, "Next"), "")
	for _, rule := range member[[]any](state, "Catch") {
		add(Catch, member[string](rule, "Next"), strings.Join(names(rule), ", "))
	}
}

func names(rule any) []string {
	var list []string
	for _, v := range member[[]any](rule, "ErrorEquals") {
		if text, ok := jsonata.Force(v).(string); ok {
			list = append(list, text)
		}
	}
	return list
}

// resource shortens the resource of a task.
func resource(arn string) string {
	if _, rest, ok := strings.Cut(arn, ":states:::"); ok {
		return rest
	}
	if i := strings.LastIndexByte(arn, ':'); i >= 0 && strings.HasPrefix(arn, "arn:") {
		return arn[i+1:]
	}
	return arn
}

func waits(state any) string {
	for _, name := range []string{"Seconds", "SecondsPath", "Timestamp", "TimestampPath"} {
		v, ok := get(state, name)
		if !ok {
			continue
		}
		text, isText := v.(string)
		if !isText {
			text = literal(v)
		}
		text = expression(text)
		if name == "Seconds" {
			return text + " s"
		}
		return text
	}
	return ""
}

// expression removes the delimiters of a JSONata expression.
func expression(text string) string {
	if inner, ok := strings.CutPrefix(text, "{%"); ok {
		return strings.TrimSpace(strings.TrimSuffix(inner, "%}"))
	}
	return text
}

// operators are the signs of the usual comparisons of JSONPath choices.
var operators = []struct{ suffix, sign string }{
	{"LessThanEquals", "≤"}, {"GreaterThanEquals", "≥"}, {"LessThan", "<"}, {"GreaterThan", ">"}, {"Equals", "="}, {"Matches", "like"},
}

// condition describes in a few words when a choice is taken.
func condition(rule any) string {
	if text := member[string](rule, "Condition"); text != "" {
		return expression(text)
	}
	o, _ := jsonata.Force(rule).(*jsonata.Object)
	variable := member[string](rule, "Variable")
	for i := range o.Len() {
		name, v := o.At(i)
		v = jsonata.Force(v)
		switch name {
		case "Next", "Variable", "Comment", "Assign", "Output":
			continue
		case "Not":
			return "not (" + condition(v) + ")"
		case "And", "Or":
			var parts []string
			list, _ := v.([]any)
			for _, part := range list {
				parts = append(parts, condition(part))
			}
			return strings.Join(parts, " "+strings.ToLower(name)+" ")
		}
		if kind, ok := strings.CutPrefix(name, "Is"); ok {
			is := " is "
			if v == false {
				is = " is not "
			}
			return variable + is + strings.ToLower(kind)
		}
		for _, op := range operators {
			if strings.HasSuffix(strings.TrimSuffix(name, "Path"), op.suffix) {
				return variable + " " + op.sign + " " + literal(v)
			}
		}
	}
	return variable
}

func literal(v any) string {
	text, err := jsonata.AppendJSON(nil, v)
	if err != nil {
		return ""
	}
	return string(text)
}

func get(v any, name string) (any, bool) {
	o, _ := jsonata.Force(v).(*jsonata.Object)
	if o == nil {
		return nil, false
	}
	found, ok := o.Get(name)
	return jsonata.Force(found), ok
}

// member returns a member of an object, if it has that type.
func member[T any](v any, name string) T {
	found, _ := get(v, name)
	value, _ := found.(T)
	return value
}
