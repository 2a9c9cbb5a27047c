package graph

import (
	"fmt"
	"strings"
)

// Mermaid writes a graph as a Mermaid flowchart.
func (g *Graph) Mermaid() string {
	m := &namer{ids: map[*Node]string{}}
	var b strings.Builder
	b.WriteString("flowchart TD\n")
	m.mermaid(&b, g, "  ")
	return b.String()
}

type namer struct{ ids map[*Node]string }

func (m *namer) id(n *Node) string {
	if m.ids[n] == "" {
		m.ids[n] = fmt.Sprintf("s%d", len(m.ids)+1)
	}
	return m.ids[n]
}

func (m *namer) mermaid(b *strings.Builder, g *Graph, indent string) {
	byName := map[string]*Node{}
	for _, n := range g.Nodes {
		byName[n.Name] = n
		text := mermaidText(n.Name)
		switch {
		case len(n.Inside) > 0:
			fmt.Fprintf(b, "%ssubgraph %s[\"%s\"]\n", indent, m.id(n), text)
			for _, inside := range n.Inside {
				m.mermaid(b, inside, indent+"  ")
			}
			fmt.Fprintf(b, "%send\n", indent)
		case n.Type == "Choice":
			fmt.Fprintf(b, "%s%s{\"%s\"}\n", indent, m.id(n), text)
		case n.Type == "Succeed" || n.Type == "Fail":
			fmt.Fprintf(b, "%s%s([\"%s\"])\n", indent, m.id(n), text)
		default:
			fmt.Fprintf(b, "%s%s[\"%s\"]\n", indent, m.id(n), text)
		}
	}
	for _, e := range g.Edges {
		arrow := "-->"
		if e.Kind == Catch {
			arrow = "-.->"
		}
		label := ""
		if len(e.Labels) > 0 {
			label = fmt.Sprintf("|\"%s\"|", mermaidText(strings.Join(e.Labels, " or ")))
		}
		fmt.Fprintf(b, "%s%s %s%s %s\n", indent, m.id(byName[e.From]), arrow, label, m.id(byName[e.To]))
	}
}

// mermaidText escapes text so that Mermaid does not interpret it.
func mermaidText(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case strings.ContainsRune("\"#<>&`;|[]{}()\\", r), r < ' ':
			fmt.Fprintf(&b, "#%d;", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// DOT writes a graph in the language of Graphviz.
func (g *Graph) DOT() string {
	m := &namer{ids: map[*Node]string{}}
	var b strings.Builder
	b.WriteString("digraph {\n  compound=true;\n  node [shape=box, style=rounded];\n")
	m.dot(&b, g, "  ")
	b.WriteString("}\n")
	return b.String()
}

func (m *namer) dot(b *strings.Builder, g *Graph, indent string) {
	byName := map[string]*Node{}
	for _, n := range g.Nodes {
		byName[n.Name] = n
		shape := ""
		switch n.Type {
		case "Choice":
			shape = ", shape=diamond"
		case "Succeed", "Fail":
			shape = ", shape=oval"
		}
		fmt.Fprintf(b, "%s%s [label=%s%s];\n", indent, m.id(n), dotText(n.Name), shape)
		for i, inside := range n.Inside {
			fmt.Fprintf(b, "%ssubgraph cluster_%s_%d {\n%s  label=%s;\n", indent, m.id(n), i, indent, dotText(n.Name))
			m.dot(b, inside, indent+"  ")
			fmt.Fprintf(b, "%s}\n", indent)
			for _, first := range inside.Nodes {
				if first.Name == inside.Start {
					fmt.Fprintf(b, "%s%s -> %s [style=dotted];\n", indent, m.id(n), m.id(first))
				}
			}
		}
	}
	for _, e := range g.Edges {
		style := "solid"
		if e.Kind == Catch {
			style = "dashed"
		}
		fmt.Fprintf(b, "%s%s -> %s [label=%s, style=%s];\n", indent, m.id(byName[e.From]), m.id(byName[e.To]), dotText(strings.Join(e.Labels, "\n")), style)
	}
}

func dotText(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", "").Replace(text) + `"`
}
