package template

import (
	"slices"
	"strings"
)

// findCycles reports resources that depend on one another.
//
// SAM makes several resources from one: what a function's Policies refer to must only
// exist before its role, and its Events come after it.
func (t *Template) findCycles() {
	g := graph{template: t, edges: map[string][]string{}}
	for _, r := range t.Resources {
		g.add(r)
	}
	g.walk()
}

type graph struct {
	template *Template
	edges    map[string][]string
	work     int
}

// apart lists the properties from which SAM makes separate resources; roles come before
// the resource, and the others after it.
var apart = map[string]string{
	"Policies": "Role", "Events": "Events", "EventInvokeConfig": "Events", "FunctionUrlConfig": "Events", "DeploymentPreference": "Events",
}

func (g *graph) add(r *Resource) {
	sam := strings.HasPrefix(r.Type, "AWS::Serverless::")
	if sam && r.Type != samFunction && r.Type != samMachine {
		return // SAM makes many resources from one, and an API from what its functions say
	}
	if sam && r.Node.Get("Properties", "Role") == nil {
		g.edges[r.ID] = append(g.edges[r.ID], r.ID+"Role")
	}
	if properties := r.Node.Get("Properties"); properties != nil {
		for _, m := range properties.Members {
			from := r.ID
			if part, ok := apart[m.Name]; ok && sam {
				from += part
			}
			g.references(from, m.Value, 0)
		}
	}
	if n := r.Node.Get("DependsOn"); n != nil {
		for _, item := range append(n.Items, n) {
			g.edge(r.ID, item.Text)
		}
	}
}

func (g *graph) edge(from, to string) {
	if g.template.byID[to] != nil || g.edges[to] != nil {
		g.edges[from] = append(g.edges[from], to)
	}
}

// references finds Ref, Fn::GetAtt and the names in Fn::Sub.
func (g *graph) references(from string, n *Node, depth int) {
	if g.work++; g.work > maxWork || depth > maxDeep {
		return
	}
	for _, item := range n.Items {
		g.references(from, item, depth+1)
	}
	for _, m := range n.Members {
		switch m.Name {
		case "Ref":
			g.edge(from, m.Value.Text)
		case "Fn::GetAtt":
			id, _, _ := strings.Cut(m.Value.Text, ".")
			if len(m.Value.Items) > 0 {
				id = m.Value.Items[0].Text
			}
			g.edge(from, id)
		case "Fn::Sub":
			g.subNames(from, m.Value)
		}
		g.references(from, m.Value, depth+1)
	}
}

func (g *graph) subNames(from string, n *Node) {
	text, own := n.Text, (*Node)(nil)
	if len(n.Items) == 2 {
		text, own = n.Items[0].Text, n.Items[1]
	}
	for {
		_, rest, found := strings.Cut(text, "${")
		name, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			return
		}
		id, _, _ := strings.Cut(name, ".")
		if own.Get(name) == nil {
			g.edge(from, id)
		}
		text = after
	}
}

// walk traverses the graph once, depth first, without recursion.
func (g *graph) walk() {
	const (
		open = 1
		done = 2
	)
	state := map[string]int{}
	for _, r := range g.template.Resources {
		if state[r.ID] != 0 {
			continue
		}
		path, next := []string{r.ID}, []int{0}
		state[r.ID] = open
		for len(path) > 0 {
			last := len(path) - 1
			edges := g.edges[path[last]]
			if next[last] == len(edges) {
				state[path[last]] = done
				path, next = path[:last], next[:last]
				continue
			}
			to := edges[next[last]]
			next[last]++
			switch state[to] {
			case open:
				if to != path[last] || !strings.HasSuffix(to, "Role") {
					g.report(path[slices.Index(path, to):])
				}
			case 0:
				state[to] = open
				path, next = append(path, to), append(next, 0)
			}
		}
	}
}

func (g *graph) report(cycle []string) {
	var at *Resource
	for _, id := range cycle {
		if at = g.template.byID[id]; at != nil {
			break
		}
	}
	if at == nil {
		return
	}
	shown := cycle
	if len(shown) > 8 {
		shown = append(slices.Clone(shown[:8]), "…")
	}
	g.template.report(at.Pos, false, "circular dependency: %s depend on one another, so none of them can be created first", strings.Join(append(shown, cycle[0]), " → "))
}
