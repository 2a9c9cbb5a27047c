package graph

// The measures of a drawing, in pixels of CSS.
const (
	nodeHeight  = 44.0
	lineHeight  = 16.0
	minWidth    = 104.0
	maxWidth    = 250.0
	padding     = 18.0
	headHeight  = 34.0
	charWidth   = 7.3
	nameScale   = 1.18 // of names, which are bold
	smallScale  = 0.85 // of the second line and of labels
	labelHeight = 18.0
	loopReach   = 26.0 // how far an edge reaches that leads back to its own state
)

// maxRank is how wide the states of a rank may be together. What does not fit goes into
// the next rank, so that a drawing fits a page without becoming illegible.
const maxRank = 780.0

type point struct{ x, y float64 }

type box struct{ x, y, w, h float64 }

// A cell is what has a place of its own in a rank: a state, a label, or the passage of an
// edge. Because labels are cells, nothing can overlap a label.
type cell struct {
	node        *Node // nil for labels and passages
	label       *Edge // the edge whose label it is
	rank, order int
	x           float64 // the middle of the state, label or passage
	left, right float64 // how far it reaches from x
	h           float64
	up, down    []*cell
}

// layout places the nodes of a graph, and returns its size. The insides of Map and
// Parallel states are placed first, because they determine the size of the state.
func (g *Graph) layout(limit float64) (width, height float64) {
	for _, n := range g.Nodes {
		n.measure(limit)
	}
	p := g.rank(limit)
	if len(p.cells) == 0 {
		return 0, 0
	}
	p.byRank()
	arrange(p.ranks)
	place(p.ranks)
	return p.settle()
}

// measure determines the size of a state.
func (n *Node) measure(limit float64) {
	n.lines = wrap(n.Name, maxName, 2)
	n.h = nodeHeight + lineHeight*float64(len(n.lines)-1)
	second := n.Type
	if n.Detail != "" {
		second += " · " + n.Detail
	}
	widest := textWidth(second) * smallScale
	for _, line := range n.lines {
		widest = max(widest, textWidth(line)*nameScale)
	}
	if n.Attempts > 0 {
		widest += 18
	}
	n.w = max(minWidth, min(maxWidth, widest+30))
	if len(n.Inside) > 0 {
		n.lines = nil
		head := textWidth(n.Name)*nameScale + textWidth(second)*smallScale + 60
		n.w = max(n.w, min(limit, head))
		n.inside(limit)
	}
}

// inside places the contents of a Map or Parallel: branches side by side, in as many rows
// as the limit asks for.
func (n *Node) inside(limit float64) {
	room := limit - 2*padding
	each := room
	if len(n.Inside) > 1 {
		each = (room - padding) / 2
	}
	total := -padding
	widest := 0.0
	for _, g := range n.Inside {
		g.w, g.h = g.layout(max(each, maxWidth))
		total += g.w + padding
		widest = max(widest, g.w)
	}
	rows := 1
	for breadth := total; breadth > max(room, widest); breadth = total/float64(rows) + widest/2 {
		if rows++; rows == len(n.Inside) {
			break
		}
	}
	if rows > 1 {
		room = min(room, total/float64(rows)+widest/2)
	}
	x, y, tall := 0.0, headHeight, 0.0
	var wide []float64 // of each row
	for i, g := range n.Inside {
		if i == 0 || x+padding+g.w > room {
			if i > 0 {
				y += tall + 2*padding
			}
			x, tall, wide = -padding, 0, append(wide, 0)
		}
		row := len(wide) - 1
		g.x, g.y, g.row = x+padding, y, row
		x += padding + g.w
		wide[row], tall = x, max(tall, g.h)
		n.w, n.h = max(n.w, x+2*padding), y+tall+padding
	}
	for _, g := range n.Inside {
		g.x += (n.w - wide[g.row]) / 2
		g.shift(g.x, g.y)
	}
}

// shift moves a graph within its state.
func (g *Graph) shift(dx, dy float64) {
	for _, n := range g.Nodes {
		n.x, n.y, n.end = n.x+dx, n.y+dy, n.end+dx
	}
	for _, e := range g.Edges {
		for i := range e.points {
			e.points[i] = point{e.points[i].x + dx, e.points[i].y + dy}
		}
		e.label.x, e.label.y = e.label.x+dx, e.label.y+dy
	}
}

// textWidth estimates how wide text is; East Asian characters are twice as wide.
func textWidth(text string) float64 {
	w := 0.0
	for _, r := range text {
		if r >= 0x1100 {
			w += charWidth
		}
		w += charWidth
	}
	return w
}
