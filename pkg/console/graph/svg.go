package graph

import (
	"fmt"
	"html"
	"math"
	"strings"
	"unicode"
)

// An Overlay says what an execution did, to colour a drawing. The zero value colours
// nothing.
type Overlay struct {
	// States says what happened to each state that was entered.
	States map[string]State
	// Taken are the edges that were taken, by the names of their states.
	Taken map[[2]string]bool
}

// A State says what happened to a state in an execution.
type State struct {
	// Status is running, succeeded, failed, caught or aborted.
	Status string
	// Succeeded, Failed and Running count how often it was entered.
	Succeeded, Failed, Running int
}

// margin is the space around a drawing, and capGap the height of its start.
const (
	margin = 16.0
	capGap = 30.0
)

// SVG draws a graph. If alone is set, the drawing contains its colours; otherwise, it
// takes them from the page.
func (g *Graph) SVG(o Overlay, alone bool) string {
	width, height := g.layout(maxRank)
	w := &writer{overlay: o}
	total := point{width + 2*margin, height + 2*margin + capGap}
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" class="graph" role="group" aria-label="State machine" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f">`, total.x, total.y, total.x, total.y)
	if alone {
		fmt.Fprintf(w, "<style>%s</style>", style)
	}
	w.WriteString("<defs>")
	for id, class := range []string{"head", "head taken"} {
		fmt.Fprintf(w, `<marker id="arrow%d" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path class="%s" d="M0 .5 7.5 4 0 7.5z"/></marker>`, id, class)
	}
	fmt.Fprintf(w, `</defs><g transform="translate(%.0f %.0f)">`, margin, margin+capGap)
	w.start(g)
	w.graph(g)
	w.WriteString("</g></svg>")
	return w.String()
}

type writer struct {
	strings.Builder
	overlay Overlay
}

// start draws where an execution begins.
func (w *writer) start(g *Graph) {
	for _, n := range g.Nodes {
		if n.Name == g.Start {
			x := n.x + n.w/2
			fmt.Fprintf(w, `<circle class="cap" cx="%.1f" cy="%.1f" r="6"/>`, x, 6-capGap)
			fmt.Fprintf(w, `<path class="edge next" marker-end="url(#arrow0)" d="M%.1f %.1fV%.1f"/>`, x, 12-capGap, n.y-1)
		}
	}
}

func (w *writer) graph(g *Graph) {
	for _, taken := range []bool{false, true} { // what was taken is above the rest
		for _, e := range g.Edges {
			if w.overlay.Taken[[2]string{e.From, e.To}] == taken {
				w.edge(e, taken)
			}
		}
	}
	for _, n := range g.Nodes {
		w.node(n)
	}
	for _, e := range g.Edges {
		w.label(e)
	}
}

func (w *writer) edge(e *Edge, taken bool) {
	class, arrow := "edge "+string(e.Kind), 0
	if taken {
		class, arrow = class+" taken", 1
	}
	fmt.Fprintf(w, `<path class="%s" marker-end="url(#arrow%d)" d="%s"><title>%s → %s</title></path>`, class, arrow, e.curve(), esc(e.From), esc(e.To))
}

// curve returns a line through the points that leaves and meets states vertically.
func (e *Edge) curve() string {
	var b strings.Builder
	p := e.points
	fmt.Fprintf(&b, "M%.1f %.1f", p[0].x, p[0].y)
	if e.From == e.To {
		fmt.Fprintf(&b, "C%.1f %.1f %.1f %.1f %.1f %.1f", p[1].x, p[1].y, p[2].x, p[2].y, p[3].x, p[3].y)
		return b.String()
	}
	for i := 1; i < len(p); i++ {
		a, c := p[i-1], p[i]
		switch {
		case e.square > 0 && i > e.square && i+1 < len(p):
			corner(&b, a, c, p[i+1])
		case a.x == c.x:
			fmt.Fprintf(&b, "L%.1f %.1f", c.x, c.y)
		default:
			middle := (c.y - a.y) / 2
			fmt.Fprintf(&b, "C%.1f %.1f %.1f %.1f %.1f %.1f", a.x, a.y+middle, c.x, c.y-middle, c.x, c.y)
		}
	}
	return b.String()
}

// corner draws a line from a to c, and there a round corner towards d.
func corner(b *strings.Builder, a, c, d point) {
	toward := func(to point) point {
		dx, dy := to.x-c.x, to.y-c.y
		length := math.Abs(dx) + math.Abs(dy) // one of them is 0
		if length == 0 {
			return c
		}
		r := min(6, length/2)
		return point{c.x + dx/length*r, c.y + dy/length*r}
	}
	from, to := toward(a), toward(d)
	fmt.Fprintf(b, "L%.1f %.1fQ%.1f %.1f %.1f %.1f", from.x, from.y, c.x, c.y, to.x, to.y)
}

func (w *writer) label(e *Edge) {
	lines := e.labelLines()
	if len(lines) == 0 {
		return
	}
	l := e.label
	fmt.Fprintf(w, `<g class="label %s"><title>%s</title><rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="5"/>`, e.Kind, esc(strings.Join(e.Labels, "\n")), l.x, l.y, l.w, l.h)
	for i, line := range lines {
		fmt.Fprintf(w, `<text x="%.1f" y="%.1f">%s</text>`, l.x+l.w/2, l.y+(labelHeight-3)*float64(i)+13, esc(line))
	}
	w.WriteString("</g>")
}

func (w *writer) node(n *Node) {
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
	w.text(n, w.badges(n, state))
	if n.End && n.Type != "Succeed" && n.Type != "Fail" {
		fmt.Fprintf(w, `<g class="end"><title>The end</title><circle cx="%.1f" cy="%.1f" r="6"/><circle class="cap" cx="%.1f" cy="%.1f" r="3"/></g>`, n.end, n.y+n.h, n.end, n.y+n.h)
	}
	if mark, ok := marks[state.Status]; ok {
		fmt.Fprintf(w, `<g class="mark" transform="translate(%.1f %.1f)"><circle r="8"/><path d="%s"/></g>`, n.x+1, n.y+1, mark)
	}
	w.WriteString("</g>")
	if len(n.Inside) == 0 {
		return
	}
	fmt.Fprintf(w, `<g transform="translate(%.1f %.1f)">`, n.x, n.y)
	for i, inside := range n.Inside {
		if i > 0 {
			w.divider(n, n.Inside[i-1], inside)
		}
		w.graph(inside)
	}
	w.WriteString("</g>")
}

// marks are the signs of what happened to a state, so that colour is not the only sign.
var marks = map[string]string{
	"succeeded": "M-3.5 .5-1 3 3.5-2.5", "failed": "M-3-3 3 3M3-3-3 3", "caught": "M0-4V1M0 4V4", "running": "M-2.5-3.5 3.5 0-2.5 3.5z", "aborted": "M-3.5 0H3.5",
}

// divider separates two branches of a Parallel.
func (w *writer) divider(n *Node, before, g *Graph) {
	if before.row != g.row {
		y := g.y - padding
		fmt.Fprintf(w, `<path class="divider" d="M%.1f %.1fH%.1f"/>`, padding/2, y, n.w-padding/2)
		return
	}
	bottom := g.y
	for _, other := range n.Inside {
		if other.row == g.row {
			bottom = max(bottom, other.y+other.h)
		}
	}
	fmt.Fprintf(w, `<path class="divider" d="M%.1f %.1fV%.1f"/>`, g.x-padding/2, g.y, bottom)
}

// text writes the name, and the type and detail below it. The second line leaves room
// for a badge.
func (w *writer) text(n *Node, badge float64) {
	second := n.Type
	if n.Detail != "" {
		second += " · " + n.Detail
	}
	x := n.x + 14
	if len(n.Inside) > 0 {
		room := int((n.w - 30 - badge) / charWidth / nameScale)
		name := cut(n.Name, room)
		second = cut(second, max(int(float64(room-len([]rune(name)))*nameScale/smallScale)-1, len(n.Type)))
		fmt.Fprintf(w, `<text class="name" x="%.1f" y="%.1f">%s<tspan class="kind" dx="8">%s</tspan></text>`, x, n.y+headHeight/2+4, esc(name), esc(second))
		return
	}
	y := n.y + nodeHeight/2 - 3
	for i, line := range n.lines {
		fmt.Fprintf(w, `<text class="name" x="%.1f" y="%.1f">%s</text>`, x, y+lineHeight*float64(i), esc(line))
	}
	room := (n.w - 26 - badge) / charWidth / smallScale
	fmt.Fprintf(w, `<text class="kind" x="%.1f" y="%.1f">%s</text>`, x, y+lineHeight*float64(len(n.lines)), esc(cut(second, int(room))))
}

// badges draws how often a state is retried, and how often it was entered. It returns
// the room that the second takes.
func (w *writer) badges(n *Node, s State) float64 {
	right := n.x + n.w - 9
	if n.Attempts > 0 {
		fmt.Fprintf(w, `<g class="badge retry"><title>Retried after %s, at most %d times</title><text x="%.1f" y="%.1f">↻%d</text></g>`,
			esc(strings.Join(n.Retries, ", ")), n.Attempts, right, n.y+16, n.Attempts)
	}
	all := s.Succeeded + s.Failed + s.Running
	if all < 2 {
		return 0
	}
	text := fmt.Sprintf("×%d", all)
	if s.Failed > 0 {
		text = fmt.Sprintf("%d of %d failed", s.Failed, all)
	}
	y := n.y + n.h - 9
	if len(n.Inside) > 0 {
		if y = n.y + headHeight/2 + 4; n.Attempts > 0 {
			right -= 30
		}
	}
	fmt.Fprintf(w, `<g class="badge count"><text x="%.1f" y="%.1f">%s</text></g>`, right, y, text)
	return textWidth(text)*smallScale + 6
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
const style = `.graph{--ink:#1d2433;--soft:#5c6780;--faint:#616b84;--edge:#818ba2;--card:#fff;--inner:#f8f9fc;--accent:#3455db;--good:#177646;--bad:#c4314b;--warn:#8f5800;--good-card:#f0f9f4;--bad-card:#fdf1f3;--warn-card:#fdf6ea;--run-card:#eff2fd;font:13px/1.4 ui-sans-serif,system-ui,sans-serif}` +
	`@media(prefers-color-scheme:dark){.graph{background:#11151d;--ink:#e6e9f0;--soft:#a3adc2;--faint:#8c97af;--edge:#6b7690;--card:#191f2b;--inner:#151a24;--accent:#8ea4ff;--good:#4cc38a;--bad:#ff7a90;--warn:#f0b354;--good-card:#16271f;--bad-card:#2a1a21;--warn-card:#2a2318;--run-card:#1b2338}}` + Shapes

// Shapes holds the styles that pages and drawings share; it needs the colours of style.
const Shapes = `.graph .rect{fill:var(--card);stroke:var(--edge);stroke-width:1.25}.graph .outer{fill:var(--inner)}` +
	`.graph .name{fill:var(--ink);font-weight:600;font-size:13px}.graph .kind{fill:var(--soft);font-weight:400;font-size:11px}` +
	`.graph .edge{fill:none;stroke:var(--edge);stroke-width:1.5}.graph .edge.catch{stroke-dasharray:4 4}.graph .head{fill:var(--edge)}` +
	`.graph .edge.taken{stroke:var(--accent);stroke-width:2.25}.graph .head.taken{fill:var(--accent)}.graph .cap{fill:var(--soft)}.graph .end circle{stroke:var(--soft);stroke-width:1.5;fill:var(--card)}.graph .end .cap{fill:var(--soft);stroke:none}` +
	`.graph .divider{stroke:var(--edge);stroke-dasharray:2 4;fill:none}.graph .label rect{fill:var(--card);stroke:var(--edge);stroke-width:.75}` +
	`.graph .label text{fill:var(--soft);font-size:11px;text-anchor:middle}.graph .label.catch text{fill:var(--bad)}` +
	`.graph .badge text{font-size:11px;text-anchor:end;fill:var(--soft)}` +
	`.graph .succeeded{--tone:var(--good);--tint:var(--good-card)}.graph .failed{--tone:var(--bad);--tint:var(--bad-card)}.graph .caught{--tone:var(--warn);--tint:var(--warn-card)}.graph .running{--tone:var(--accent);--tint:var(--run-card)}.graph .aborted{--tone:var(--soft);--tint:var(--inner)}` +
	`.graph :is(.succeeded,.failed,.caught,.running,.aborted)>.rect{stroke:var(--tone);stroke-width:2;fill:var(--tint)}.graph .mark circle{fill:var(--tone)}.graph .mark path{fill:none;stroke:var(--card);stroke-width:2;stroke-linecap:round;stroke-linejoin:round}` +
	`.graph .failed>.rect{stroke-width:2.5}.graph .aborted>.rect,.graph .untouched>.rect{stroke-dasharray:5 3}.graph .untouched .name{fill:var(--soft);font-weight:500}.graph .untouched .kind{fill:var(--faint)}`
