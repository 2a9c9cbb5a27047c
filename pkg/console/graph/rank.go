package graph

import (
	"cmp"
	"math"
	"slices"
)

// A plan is a graph on its way to a drawing.
type plan struct {
	g     *Graph
	at    map[string]*cell // the cells of states
	cells []*cell
	ranks [][]*cell
	lanes map[*Edge]lane
	loops map[*cell][]*Edge // the edges that lead back to their own state
	// depth is the rank of each rank of states among all ranks, with those of labels; rows
	// is how many ranks of labels follow it, and turns how many labels they have so far.
	depth, rows, turns []int
}

// A lane is what an edge passes through, from the top. The lane of an edge that is drawn
// beside the ranks ends where the edge leaves them.
type lane struct {
	cells []*cell
	far   *cell // the state that a far edge leads to
}

// rank puts the states into ranks, each below all states that lead to it, except by edges
// that lead back, and makes a cell for everything that needs a place.
func (g *Graph) rank(limit float64) *plan {
	p := &plan{g: g, at: make(map[string]*cell, len(g.Nodes)), lanes: make(map[*Edge]lane, len(g.Edges)), loops: map[*cell][]*Edge{}}
	for _, n := range g.Nodes {
		c := &cell{node: n, left: n.w / 2, right: n.w / 2, h: n.h}
		p.at[n.Name] = c
		p.cells = append(p.cells, c)
	}
	out := make(map[string][]*Edge, len(g.Nodes))
	for _, e := range g.Edges {
		e.back, e.far = false, false
		out[e.From] = append(out[e.From], e)
		if e.From == e.To {
			p.loop(e)
		}
	}
	order := g.markBack(out)
	p.below(order, out)
	p.narrow(out, limit)
	p.addRows(limit)
	if p.markFar() { // their labels are in other ranks
		p.addRows(limit)
	}
	for _, e := range g.Edges {
		if e.From != e.To {
			p.lanes[e] = p.lane(e)
		}
	}
	return p
}

// loop makes room beside a state for an edge that leads back to it.
func (p *plan) loop(e *Edge) {
	c := p.at[e.From]
	p.loops[c] = append(p.loops[c], e)
	reach, tall := loopReach, labelGap
	for _, loop := range p.loops[c] {
		w, h := loop.labelSize()
		reach, tall = max(reach, loopReach+w), tall+h+2
	}
	c.right, c.h = c.node.w/2+reach, max(c.h, tall)
}

// below puts each state below all that lead to it. The state that is entered first is at
// the top, whatever leads back to it.
func (p *plan) below(order []string, out map[string][]*Edge) {
	for _, e := range p.g.Edges {
		if e.To == p.g.Start && e.From != e.To {
			e.back = true
			p.at[e.From].rank = 1
		}
	}
	for _, name := range order {
		for _, e := range out[name] {
			if !e.back {
				p.at[e.To].rank = max(p.at[e.To].rank, p.at[name].rank+1)
			}
		}
	}
}

// narrow moves states of ranks that are too wide into the next ones: each into the next
// row in turn, so that edges pass between the states of other rows.
func (p *plan) narrow(out map[string][]*Edge, limit float64) {
	width := func(c *cell) float64 { return c.left + c.right + columnGap }
	last := 0
	for _, c := range p.cells {
		last = max(last, c.rank)
	}
	total := make([]float64, last+1)
	widest := make([]float64, last+1)
	for _, c := range p.cells {
		total[c.rank] += width(c)
		widest[c.rank] = max(widest[c.rank], width(c))
	}
	if slices.Max(total) <= limit {
		return
	}
	// Each row of a rank has about the same width.
	rows, bound, turn := make([]int, last+1), make([]float64, last+1), make([]int, last+1)
	for r := range bound {
		rows[r] = max(int(math.Ceil(total[r]/limit)), 1)
		bound[r] = min(limit, total[r]/float64(rows[r])+widest[r])
	}
	cells := slices.Clone(p.cells)
	slices.SortStableFunc(cells, func(a, b *cell) int { return cmp.Compare(a.rank, b.rank) })
	used := map[int]float64{}
	above := make(map[*cell]int, len(cells)) // the minimum rank of a state
	for _, e := range p.g.Edges {
		if e.back && e.From != e.To {
			above[p.at[e.From]] = 1
		}
	}
	for _, c := range cells {
		r := c.rank
		c.rank = above[c] + turn[r]%rows[r]
		turn[r]++
		for used[c.rank] > 0 && used[c.rank]+width(c) > bound[r] {
			c.rank++
		}
		used[c.rank] += width(c)
		for _, e := range out[c.node.Name] {
			if !e.back {
				above[p.at[e.To]] = max(above[p.at[e.To]], c.rank+1)
			}
		}
	}
}

// labelled returns the rank of states that the label of an edge is below. It is close to
// the state that the edge leaves.
func (p *plan) labelled(e *Edge) (rank int, ok bool) {
	if len(e.Labels) == 0 || e.From == e.To {
		return 0, false
	}
	rank = p.at[e.From].rank
	if e.back && !e.far {
		rank--
	}
	return rank, true
}

// maxLabelled is how much wider than states the labels of a rank may be: rows of labels
// make edges bend.
const maxLabelled = 1.3

// addRows adds ranks for labels between those of states: as many as keep them narrow.
func (p *plan) addRows(limit float64) {
	last := 0
	for _, c := range p.cells {
		last = max(last, c.rank)
	}
	total := make([]float64, last+1)
	for _, e := range p.g.Edges {
		if r, ok := p.labelled(e); ok {
			w, _ := e.labelSize()
			total[r] += w + labelGap
		}
	}
	p.depth, p.rows, p.turns = make([]int, last+1), make([]int, last+1), make([]int, last+1)
	depth := 0
	for r := range total {
		p.depth[r] = depth
		p.rows[r] = min(int(math.Ceil(total[r]/limit/maxLabelled)), 4)
		depth += 1 + p.rows[r]
	}
}

// passageWidth is the width of the passage of an edge.
const passageWidth = 10.0

// lane makes the cells of an edge's label and passages.
func (p *plan) lane(e *Edge) lane {
	above, below := p.at[e.From], p.at[e.To]
	if e.back && !e.far {
		above, below = below, above
	}
	first, end := p.depth[above.rank], p.depth[below.rank]
	if e.far {
		end = first + 1 + p.rows[above.rank]
		if len(e.Labels) == 0 {
			end = first + 1
		}
	}
	labelRank := -1
	if r, ok := p.labelled(e); ok {
		labelRank = p.depth[r] + 1 + p.turns[r]%p.rows[r]
		p.turns[r]++
	}
	l := lane{cells: []*cell{above}}
	for r := first + 1; r < end; r++ {
		c := &cell{rank: r, left: passageWidth / 2, right: passageWidth / 2}
		if r == labelRank {
			w, h := e.labelSize()
			c.label, c.left, c.right, c.h = e, w/2, w/2, h
		}
		l.cells = append(l.cells, c)
		p.cells = append(p.cells, c)
	}
	if e.far {
		l.far = below
	} else {
		l.cells = append(l.cells, below)
	}
	for i := 1; i < len(l.cells); i++ {
		a, b := l.cells[i-1], l.cells[i]
		a.down, b.up = append(a.down, b), append(b.up, a)
	}
	return l
}

// byRank sorts the cells into ranks. Until then, the ranks of states do not count those of
// labels.
func (p *plan) byRank() {
	total := p.depth[len(p.depth)-1] + 1 + p.rows[len(p.rows)-1]
	p.ranks = make([][]*cell, total)
	for _, c := range p.cells {
		if c.node != nil {
			c.rank = p.depth[c.rank]
		}
		c.order = len(p.ranks[c.rank])
		p.ranks[c.rank] = append(p.ranks[c.rank], c)
	}
	for len(p.ranks[len(p.ranks)-1]) == 0 { // a row of labels that none is in
		p.ranks = p.ranks[:len(p.ranks)-1]
	}
}

// maxPassages bounds the places where edges pass ranks: the cost of a drawing grows with
// them, and more parallel lines cannot be followed by eye.
const maxPassages = 1500

// markFar chooses the longest edges to be drawn next to the ranks if there are more
// passages than a drawing can have. It reports whether there are any.
func (p *plan) markFar() (any bool) {
	span := func(e *Edge) int {
		n := p.depth[p.at[e.To].rank] - p.depth[p.at[e.From].rank]
		return max(n, -n)
	}
	passages := 0
	for _, e := range p.g.Edges {
		passages += max(span(e)-1, 0)
	}
	if passages <= maxPassages {
		return false
	}
	edges := slices.Clone(p.g.Edges)
	slices.SortStableFunc(edges, func(a, b *Edge) int { return span(b) - span(a) })
	for _, e := range edges {
		if passages <= maxPassages || span(e) < 4 {
			break
		}
		e.far, any = true, true
		passages -= span(e) - 1
	}
	return any
}

// markBack finds the edges that close a cycle, and returns the states in an order in
// which each comes after all that lead to it by other edges.
func (g *Graph) markBack(out map[string][]*Edge) []string {
	const (
		open = iota + 1
		done
	)
	state := make(map[string]int, len(g.Nodes))
	var order []string
	type step struct {
		name string
		next int
	}
	visit := func(start string) {
		stack := []step{{name: start}}
		state[start] = open
		for len(stack) > 0 {
			top := &stack[len(stack)-1]
			if top.next == len(out[top.name]) {
				state[top.name] = done
				order = append(order, top.name)
				stack = stack[:len(stack)-1]
				continue
			}
			e := out[top.name][top.next]
			top.next++
			switch state[e.To] {
			case open:
				e.back = true
			case 0:
				state[e.To] = open
				stack = append(stack, step{name: e.To})
			}
		}
	}
	starts := []string{g.Start}
	for _, n := range g.Nodes {
		starts = append(starts, n.Name)
	}
	known := make(map[string]bool, len(g.Nodes))
	for _, n := range g.Nodes {
		known[n.Name] = true
	}
	for _, name := range starts {
		if known[name] && state[name] == 0 {
			visit(name)
		}
	}
	slices.Reverse(order)
	return order
}
