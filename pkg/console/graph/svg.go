package graph

import (
	"fmt"
	"html"
	"strings"
	"unicode"
)

// An Overlay says what an execution did, to colour a drawing. The zero value colours
// nothing.
type Overlay struct {
	// States says what became of each state that was entered.
	States map[string]State
	// Taken are the edges that were taken, by the names of their states.
	Taken map[[2]string]bool
}

// A State says what became of a state in an execution.
type State struct {
	// Status is running, succeeded, failed, caught or aborted.
	Status string
	// Succeeded, Failed and Running count how often it was entered.
	Succeeded, Failed, Running int
}

// margin is the space around a drawing, and cap is the height of its start and end.
const (
	margin = 16.0
	capGap = 34.0
)

// SVG draws a graph. If alone is set, the drawing contains its colours; otherwise, it
// takes them from the page.
func (g *Graph) SVG(o Overlay, alone bool) string {
	width, height := g.layout()
	w := &writer{overlay: o}
	total := point{width + 2*margin, height + 2*margin + 2*capGap}
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" class="graph" role="group" aria-label="State machine" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f">`, total.x, total.y, total.x, total.y)
	if alone {
		fmt.Fprintf(w, "<style>%s</style>", style)
	}
	w.WriteString(`<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path class="head" d="M0 .5 7.5 4 0 7.5z"/></marker></defs>`)
	fmt.Fprintf(w, `<g transform="translate(%.0f %.0f)">`, margin, margin+capGap)
	w.caps(g, height)
	w.graph(g, 0)
	w.WriteString("</g></svg>")
	return w.String()
}

type writer struct {
	strings.Builder
	overlay Overlay
}

// caps draws where an execution begins and ends.
func (w *writer) caps(g *Graph, height float64) {
	for _, n := range g.Nodes {
		x := n.x + n.w/2
		if n.Name == g.Start {
			fmt.Fprintf(w, `<circle class="cap" cx="%.1f" cy="%.1f" r="7"/>`, x, -capGap+9)
			fmt.Fprintf(w, `<path class="edge next" marker-end="url(#arrow)" d="M%.1f %.1fV%.1f"/>`, x, -capGap+16, n.y-1)
		}
		if n.End && n.Type != "Fail" {
			ends := n.y + n.h + capGap - 12
			fmt.Fprintf(w, `<path class="edge next" d="M%.1f %.1fV%.1f"/>`, x, n.y+n.h, ends-6)
			fmt.Fprintf(w, `<circle class="cap" cx="%.1f" cy="%.1f" r="5"/><circle class="ring" cx="%.1f" cy="%.1f" r="8"/>`, x, ends, x, ends)
		}
	}
	_ = height
}

func (w *writer) graph(g *Graph, depth int) {
	for _, e := range g.Edges {
		w.edge(e)
	}
	for _, n := range g.Nodes {
		w.node(n, depth)
	}
	for _, e := range g.Edges {
		w.label(e)
	}
}

func (w *writer) edge(e *Edge) {
	class := "edge " + string(e.Kind)
	if w.overlay.Taken[[2]string{e.From, e.To}] {
		class += " taken"
	}
	fmt.Fprintf(w, `<path class="%s" marker-end="url(#arrow)" d="%s"><title>%s → %s</title></path>`, class, e.curve(), esc(e.From), esc(e.To))
}

// curve returns a line through the points that leaves and meets states vertically.
func (e *Edge) curve() string {
	var b strings.Builder
	p := e.points
	fmt.Fprintf(&b, "M%.1f %.1f", p[0].x, p[0].y)
	if len(p) == 4 && (e.far || e.From == e.To) {
		fmt.Fprintf(&b, "C%.1f %.1f %.1f %.1f %.1f %.1f", p[1].x, p[1].y, p[2].x, p[2].y, p[3].x, p[3].y)
		return b.String()
	}
	for i := 1; i < len(p); i++ {
		a, c := p[i-1], p[i]
		if a.x == c.x {
			fmt.Fprintf(&b, "L%.1f %.1f", c.x, c.y)
			continue
		}
		middle := (c.y - a.y) / 2
		fmt.Fprintf(&b, "C%.1f %.1f %.1f %.1f %.1f %.1f", a.x, a.y+middle, c.x, c.y-middle, c.x, c.y)
	}
	return b.String()
}

// maxLabel is the maximum length of a drawn label; the whole text is in its title.
const (
	maxLabel  = 30
	maxLabels = 2
)

func (e *Edge) shownLabels() []string {
	var lines []string
	for i, text := range e.Labels {
		if i == maxLabels && len(e.Labels) > maxLabels+1 {
			return append(lines, fmt.Sprintf("and %d more", len(e.Labels)-maxLabels))
		}
		lines = append(lines, cut(text, maxLabel))
	}
	return lines
}

func (w *writer) label(e *Edge) {
	lines := e.shownLabels()
	if len(lines) == 0 {
		return
	}
	width, height := e.labelWidth(), labelHeight*float64(len(lines))
	x, y := e.label.x-width/2, e.label.y-height/2
	if e.From == e.To {
		x = e.label.x
	}
	fmt.Fprintf(w, `<g class="label %s"><title>%s</title><rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="4"/>`, e.Kind, esc(strings.Join(e.Labels, "\n")), x, y, width, height)
	for i, line := range lines {
		fmt.Fprintf(w, `<text x="%.1f" y="%.1f">%s</text>`, x+width/2, y+labelHeight*float64(i)+13, esc(line))
	}
	w.WriteString("</g>")
}

func (w *writer) node(n *Node, depth int) {
	state, entered := w.overlay.States[n.Name]
	class := "node " + strings.ToLower(n.Type)
	said := n.Type + " state " + n.Name
	if w.overlay.States != nil {
		if !entered {
			class += " untouched"
			said += ", not reached"
		} else {
			class += " " + state.Status
			said += ", " + state.Status
		}
	}
	fmt.Fprintf(w, `<g class="%s" data-state="%s" tabindex="0" role="button" aria-label="%s"><title>%s</title>`, esc(class), esc(n.Name), esc(said), esc(n.Name))
	shape := "rect"
	if len(n.Inside) > 0 {
		shape = "rect outer"
	}
	fmt.Fprintf(w, `<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="8"/>`, shape, n.x, n.y, n.w, n.h)
	head := n.h
	if len(n.Inside) > 0 {
		head = headHeight
	}
	w.text(n, head)
	w.badges(n, state)
	if len(n.Inside) > 0 {
		fmt.Fprintf(w, `</g><g transform="translate(%.1f %.1f)">`, n.x, n.y)
		for i, inside := range n.Inside {
			if i > 0 {
				left := inside.left() - padding/2
				fmt.Fprintf(w, `<path class="divider" d="M%.1f %.1fV%.1f"/>`, left, headHeight, n.h-8)
			}
			w.graph(inside, depth+1)
		}
	}
	w.WriteString("</g>")
}

func (g *Graph) left() float64 {
	least := g.Nodes[0].x
	for _, n := range g.Nodes {
		least = min(least, n.x)
	}
	return least
}

// text writes the name, and the type and detail below it.
func (w *writer) text(n *Node, head float64) {
	room := int((n.w - 30) / charWidth)
	second := n.Type
	if n.Detail != "" {
		second += " · " + n.Detail
	}
	x, y := n.x+14, n.y+head/2
	if len(n.Inside) > 0 {
		fmt.Fprintf(w, `<text class="name" x="%.1f" y="%.1f">%s<tspan class="kind" dx="8">%s</tspan></text>`, x, y+4, esc(cut(n.Name, room-len(second))), esc(second))
		return
	}
	fmt.Fprintf(w, `<text class="name" x="%.1f" y="%.1f">%s</text><text class="kind" x="%.1f" y="%.1f">%s</text>`,
		x, y-3, esc(cut(n.Name, room)), x, y+13, esc(cut(second, int(float64(room)*1.2))))
}

// badges draws how often a state is retried, and how often it was entered.
func (w *writer) badges(n *Node, s State) {
	right := n.x + n.w
	if n.Attempts > 0 {
		fmt.Fprintf(w, `<g class="badge retry"><title>Tried again after %s, at most %d times</title><text x="%.1f" y="%.1f">↻%d</text></g>`,
			esc(strings.Join(n.Retries, ", ")), n.Attempts, right-8, n.y+15, n.Attempts)
	}
	if all := s.Succeeded + s.Failed + s.Running; all > 1 {
		text := fmt.Sprintf("×%d", all)
		if s.Failed > 0 {
			text = fmt.Sprintf("%d failed of %d", s.Failed, all)
		}
		fmt.Fprintf(w, `<g class="badge count"><text x="%.1f" y="%.1f">%s</text></g>`, right-8, n.y-5, text)
	}
}

func cut(text string, n int) string {
	r := []rune(text)
	if n < 2 {
		n = 2
	}
	if len(r) <= n {
		return text
	}
	return string(r[:n-1]) + "…"
}

// esc escapes text for XML, which cannot hold all characters.
func esc(text string) string {
	return html.EscapeString(strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0xFFFE || r == 0xFFFF {
			return unicode.ReplacementChar
		}
		return r
	}, text))
}

// style colours a drawing that stands alone, in light and dark.
const style = `.graph{--ink:#1d2433;--soft:#5c6780;--line:#97a1b5;--card:#fff;--inner:#f6f7fa;--accent:#3455db;--good:#1a7f4b;--bad:#c4314b;--warn:#a66300;font:13px/1.4 ui-sans-serif,system-ui,sans-serif}` +
	`@media(prefers-color-scheme:dark){.graph{--ink:#e6e9f0;--soft:#9aa5bd;--line:#5d6880;--card:#1d2331;--inner:#161b26;--accent:#8ea4ff;--good:#4cc38a;--bad:#ff7a90;--warn:#f0b354}}` + Shapes

// Shapes holds the styles that pages and drawings share; it needs the colours of Style.
const Shapes = `.graph .rect{fill:var(--card);stroke:var(--line);stroke-width:1.25}.graph .outer{fill:var(--inner);stroke-dasharray:none}` +
	`.graph .name{fill:var(--ink);font-weight:600;font-size:13px}.graph .kind{fill:var(--soft);font-weight:400;font-size:11px}` +
	`.graph .edge{fill:none;stroke:var(--line);stroke-width:1.5}.graph .edge.catch{stroke-dasharray:4 4}.graph .head{fill:var(--line)}` +
	`.graph .edge.taken{stroke:var(--accent);stroke-width:2.25}.graph .cap{fill:var(--soft)}.graph .ring{fill:none;stroke:var(--soft);stroke-width:1.5}` +
	`.graph .divider{stroke:var(--line);stroke-dasharray:2 4;fill:none}.graph .label rect{fill:var(--card);stroke:var(--line);stroke-width:.75}` +
	`.graph .label text{fill:var(--soft);font-size:11px;text-anchor:middle}.graph .label.catch text{fill:var(--bad)}` +
	`.graph .badge text{font-size:11px;text-anchor:end;fill:var(--soft)}` +
	`.graph .succeeded>.rect{stroke:var(--good);stroke-width:2}.graph .failed>.rect{stroke:var(--bad);stroke-width:2.5}` +
	`.graph .caught>.rect{stroke:var(--warn);stroke-width:2}.graph .running>.rect{stroke:var(--accent);stroke-width:2.5}` +
	`.graph .aborted>.rect{stroke:var(--soft);stroke-width:2;stroke-dasharray:5 3}.graph .untouched{opacity:.5}`
