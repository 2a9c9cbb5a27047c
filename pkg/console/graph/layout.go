package graph

import (
	"cmp"
	"math"
	"slices"
)

// The measures of a drawing, in pixels of CSS.
const (
	nodeHeight  = 44.0
	minWidth    = 104.0
	maxWidth    = 260.0
	columnGap   = 28.0
	rankGap     = 46.0
	padding     = 18.0
	headHeight  = 34.0
	charWidth   = 7.3
	dummyWidth  = 10.0
	labelHeight = 18.0
	labelGap    = 6.0
	arrowRoom   = 16.0
)

type point struct{ x, y float64 }

// A cell is a state, or a place where an edge passes through a rank.
type cell struct {
	node  *Node // nil for a passage
	rank  int
	order int
	x     float64 // of the middle
	w, h  float64
	up    []*cell
	down  []*cell
}

// layout places the nodes of a graph, and returns its size. The insides of Map and
// Parallel states are placed first, because they determine the size of the state.
func (g *Graph) layout() (width, height float64) {
	for _, n := range g.Nodes {
		n.measure()
	}
	cells, lanes := g.rank()
	if len(cells) == 0 {
		return 0, 0
	}
	ranks := byRank(cells)
	arrange(ranks)
	place(ranks)
	return g.settle(ranks, lanes)
}

// measure determines the size of a state.
func (n *Node) measure() {
	n.h = nodeHeight
	n.w = max(minWidth, min(maxWidth, max(textWidth(n.Name)*1.08, textWidth(n.Type+" · "+n.Detail)*0.82)+40))
	if len(n.Inside) == 0 {
		return
	}
	w, h := padding, 0.0
	for _, inside := range n.Inside {
		iw, ih := inside.layout()
		inside.shift(w, headHeight)
		w += iw + padding
		h = max(h, ih)
	}
	n.w, n.h = max(n.w, w), headHeight+h+padding
}

// shift moves a graph within its state.
func (g *Graph) shift(dx, dy float64) {
	for _, n := range g.Nodes {
		n.x, n.y = n.x+dx, n.y+dy
	}
	for _, e := range g.Edges {
		for i := range e.points {
			e.points[i] = point{e.points[i].x + dx, e.points[i].y + dy}
		}
		e.label = point{e.label.x + dx, e.label.y + dy}
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

// rank puts the states into ranks, each below all states that lead to it, except by edges
// that lead back. It returns the cells, and for each edge the cells that it passes
// through, from the top.
func (g *Graph) rank() (cells []*cell, lanes map[*Edge][]*cell) {
	at := make(map[string]*cell, len(g.Nodes))
	for _, n := range g.Nodes {
		c := &cell{node: n, w: n.w, h: n.h}
		at[n.Name] = c
		cells = append(cells, c)
	}
	out := make(map[string][]*Edge, len(g.Nodes))
	for _, e := range g.Edges {
		out[e.From] = append(out[e.From], e)
	}
	order := g.markBack(out)
	for _, name := range order {
		for _, e := range out[name] {
			if !e.back {
				at[e.To].rank = max(at[e.To].rank, at[name].rank+1)
			}
		}
	}
	g.markFar(at)
	lanes = make(map[*Edge][]*cell, len(g.Edges))
	for _, e := range g.Edges {
		if e.far {
			lanes[e] = []*cell{at[e.From], at[e.To]}
			continue
		}
		above, below := at[e.From], at[e.To]
		if e.back {
			above, below = below, above
		}
		lane := []*cell{above}
		if above != below {
			for r := above.rank + 1; r < below.rank; r++ {
				c := &cell{rank: r, w: dummyWidth}
				cells = append(cells, c)
				lane = append(lane, c)
			}
			lane = append(lane, below)
			for i := 1; i < len(lane); i++ {
				lane[i-1].down = append(lane[i-1].down, lane[i])
				lane[i].up = append(lane[i].up, lane[i-1])
			}
		}
		lanes[e] = lane
	}
	return cells, lanes
}

// maxPassages bounds the places where edges pass ranks: the cost of a drawing grows with
// them, and nobody can follow more parallel lines.
const maxPassages = 1500

// markFar chooses the longest edges to be drawn beside the ranks if there are more
// passages than a drawing can have.
func (g *Graph) markFar(at map[string]*cell) {
	span := func(e *Edge) int { return max(at[e.To].rank-at[e.From].rank, at[e.From].rank-at[e.To].rank) }
	passages := 0
	for _, e := range g.Edges {
		passages += max(span(e)-1, 0)
	}
	if passages <= maxPassages {
		return
	}
	edges := slices.Clone(g.Edges)
	slices.SortStableFunc(edges, func(a, b *Edge) int { return span(b) - span(a) })
	for _, e := range edges {
		if passages <= maxPassages {
			return
		}
		e.far = true
		passages -= span(e) - 1
	}
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

func byRank(cells []*cell) [][]*cell {
	last := 0
	for _, c := range cells {
		last = max(last, c.rank)
	}
	ranks := make([][]*cell, last+1)
	for _, c := range cells {
		c.order = len(ranks[c.rank])
		ranks[c.rank] = append(ranks[c.rank], c)
	}
	return ranks
}

// sweeps is how often the order within ranks is improved. More sweeps hardly change
// anything.
const sweeps = 8

// arrange orders each rank so that few edges cross: by the mean place of a cell's
// predecessors and of its successors, alternately. The best order is kept.
func arrange(ranks [][]*cell) {
	best, least := snapshot(ranks), crossings(ranks)
	for sweep := range sweeps {
		if least == 0 {
			break
		}
		for i := range ranks {
			r := i
			if sweep%2 == 1 {
				r = len(ranks) - 1 - i
			}
			mean := func(c *cell) float64 {
				near := c.up
				if sweep%2 == 1 {
					near = c.down
				}
				if len(near) == 0 {
					return float64(c.order)
				}
				sum := 0.0
				for _, other := range near {
					sum += float64(other.order)
				}
				return sum / float64(len(near))
			}
			slices.SortStableFunc(ranks[r], func(a, b *cell) int { return cmp.Compare(mean(a), mean(b)) })
			for n, c := range ranks[r] {
				c.order = n
			}
		}
		if n := crossings(ranks); n < least {
			best, least = snapshot(ranks), n
		}
	}
	for r := range ranks {
		copy(ranks[r], best[r])
		for n, c := range ranks[r] {
			c.order = n
		}
	}
}

func snapshot(ranks [][]*cell) [][]*cell {
	out := make([][]*cell, len(ranks))
	for r := range ranks {
		out[r] = slices.Clone(ranks[r])
	}
	return out
}

// crossings counts the pairs of edges between neighbouring ranks that cross.
func crossings(ranks [][]*cell) int {
	total := 0
	for r := range len(ranks) - 1 {
		tree := make([]int, len(ranks[r+1])+1) // how many edges end at a place or to its left
		seen := 0
		for _, c := range ranks[r] {
			for _, d := range c.down {
				left := 0
				for i := d.order + 1; i > 0; i -= i & -i {
					left += tree[i]
				}
				total += seen - left
			}
			for _, d := range c.down {
				for i := d.order + 1; i < len(tree); i += i & -i {
					tree[i]++
				}
				seen++
			}
		}
	}
	return total
}

// place determines the horizontal position of each cell: as close to the middle of its
// neighbours as the cells beside it allow.
func place(ranks [][]*cell) {
	for _, rank := range ranks {
		x := 0.0
		for _, c := range rank {
			c.x = x + c.w/2
			x += c.w + columnGap
		}
	}
	for sweep := range 2 * sweeps {
		for i := range ranks {
			r := i
			if sweep%2 == 1 {
				r = len(ranks) - 1 - i
			}
			pull(ranks[r], sweep%2 == 1 || sweep > sweeps)
		}
	}
}

// pull moves the cells of a rank towards their neighbours, with the smallest total
// displacement that keeps them apart: cells that would overlap become a block with one
// position.
func pull(rank []*cell, both bool) {
	type block struct {
		first, last int
		sum, weight float64 // of the wanted places of its first cell
		width       float64 // from its first cell's middle to its last one's
	}
	var blocks []block
	offset := make([]float64, len(rank))
	for i, c := range rank {
		want, weight := wanted(c, both)
		b := block{i, i, want * weight, weight, 0}
		offset[i] = 0
		for len(blocks) > 0 {
			before := blocks[len(blocks)-1]
			gap := rank[before.last].w/2 + columnGap + rank[b.first].w/2
			if before.sum/before.weight+before.width+gap <= b.sum/b.weight {
				break
			}
			shift := before.width + gap
			for k := b.first; k <= b.last; k++ {
				offset[k] += shift
			}
			b = block{before.first, b.last, before.sum + b.sum - shift*b.weight, before.weight + b.weight, shift + b.width}
			blocks = blocks[:len(blocks)-1]
		}
		blocks = append(blocks, b)
	}
	for _, b := range blocks {
		for k := b.first; k <= b.last; k++ {
			rank[k].x = b.sum/b.weight + offset[k]
		}
	}
}

// wanted returns the mean place of a cell's neighbours. Passages weigh more, so that long
// edges are straight.
func wanted(c *cell, both bool) (place, weight float64) {
	sum, n := 0.0, 0.0
	add := func(near []*cell) {
		for _, other := range near {
			w := 1.0
			if c.node == nil && other.node == nil {
				w = 6
			} else if c.node == nil || other.node == nil {
				w = 0.6
			}
			sum += other.x * w
			n += w
		}
	}
	add(c.up)
	if both || len(c.up) == 0 {
		add(c.down)
	}
	if n == 0 {
		return c.x, 0.1
	}
	return sum / n, n
}

// settle computes the corners of the nodes and the points of the edges, and returns the
// size.
func (g *Graph) settle(ranks [][]*cell, lanes map[*Edge][]*cell) (width, height float64) {
	below := g.placeLabels(lanes, len(ranks))
	least, most := math.Inf(1), math.Inf(-1)
	top := make([]float64, len(ranks))
	tall := make([]float64, len(ranks))
	y := 0.0
	for r, rank := range ranks {
		for _, c := range rank {
			least, most = min(least, c.x-c.w/2), max(most, c.x+c.w/2)
			tall[r] = max(tall[r], c.h)
		}
		top[r] = y
		if r < len(ranks)-1 {
			tall[r] = max(tall[r], 1)
			y += tall[r] + rankGap + below[r]
		}
	}
	height = y + tall[len(ranks)-1]
	for r, rank := range ranks {
		for _, c := range rank {
			c.x -= least
			if c.node != nil {
				c.node.x, c.node.y = c.x-c.w/2, top[r]+(tall[r]-c.h)/2
			}
		}
	}
	width = most - least
	for _, e := range g.Edges {
		width = max(width, e.route(lanes[e], top, tall))
	}
	left := 0.0 // what a label needs before the first state
	for _, e := range g.Edges {
		if len(e.Labels) > 0 && e.From != e.To {
			left = max(left, e.labelWidth()/2-e.label.x)
		}
	}
	g.shift(left, 0)
	return width + left, height
}

// route computes the points of an edge, and returns how far right it reaches.
func (e *Edge) route(lane []*cell, top, tall []float64) (right float64) {
	first, last := lane[0], lane[len(lane)-1]
	if e.far {
		a, b := first.node, last.node
		from, to := point{a.x + a.w, a.y + a.h/2}, point{b.x + b.w, b.y + b.h/2}
		out := max(from.x, to.x) + 40 + min(math.Abs(to.y-from.y)/12, 160)
		e.points = []point{from, {out, from.y}, {out, to.y}, to}
		e.label = point{from.x + 14 + e.labelWidth()/2, from.y}
		return max(out, e.label.x+e.labelWidth()/2)
	}
	if first == last { // an edge that leads back to its own state
		n := first.node
		x := n.x + n.w
		e.points = []point{{x, n.y + n.h*0.3}, {x + 22, n.y + n.h*0.3}, {x + 22, n.y + n.h*0.7}, {x, n.y + n.h*0.7}}
		e.label = point{x + 26, n.y + n.h/2}
		return x + 26 + e.labelWidth()
	}
	e.points = append(e.points, point{first.x, first.node.y + first.node.h})
	for _, c := range lane[1 : len(lane)-1] {
		e.points = append(e.points, point{c.x, top[c.rank] - 8}, point{c.x, top[c.rank] + tall[c.rank] + 8})
	}
	e.points = append(e.points, point{last.x, last.node.y})
	e.spread(first, last)
	// A label is above the next rank, where the edges have separated.
	e.label.y = top[lane[1].rank] - arrowRoom - e.label.y
	e.label.x = between(e.points[0], e.points[1], e.label.y)
	if e.back {
		slices.Reverse(e.points)
	}
	return max(first.x, last.x, e.label.x+e.labelWidth()/2)
}

// placeLabels puts the labels below each rank into as many rows as are needed to keep
// them apart, and returns how much room the rows take.
func (g *Graph) placeLabels(lanes map[*Edge][]*cell, ranks int) (room []float64) {
	room = make([]float64, ranks)
	byRank := make([][]*Edge, ranks)
	for _, e := range g.Edges {
		if lane := lanes[e]; len(e.Labels) > 0 && len(lane) > 1 && !e.far {
			byRank[lane[0].rank] = append(byRank[lane[0].rank], e)
		}
	}
	middle := func(e *Edge) float64 { return lanes[e][0].x*0.15 + lanes[e][1].x*0.85 }
	for r, edges := range byRank {
		slices.SortStableFunc(edges, func(a, b *Edge) int { return cmp.Compare(middle(a), middle(b)) })
		var ends, heights []float64 // of each row
		rows := make([]int, len(edges))
		for i, e := range edges {
			width, height := e.labelWidth(), labelHeight*float64(len(e.shownLabels()))
			row := 0
			for row < len(ends) && ends[row] > middle(e)-width/2-labelGap {
				row++
			}
			if row == len(ends) {
				ends, heights = append(ends, 0), append(heights, 0)
			}
			ends[row], heights[row] = middle(e)+width/2, max(heights[row], height)
			rows[i] = row
		}
		top := make([]float64, len(ends))
		for row, height := range heights {
			top[row] = room[r]
			room[r] += height + labelGap
		}
		for i, e := range edges {
			e.label.y = top[rows[i]] + heights[rows[i]]/2
		}
	}
	return room
}

// between returns where the curve from a to b, which begins and ends vertically, is at a
// height.
func between(a, b point, y float64) float64 {
	low, high := 0.0, 1.0
	for range 30 {
		t := (low + high) / 2
		if a.y+(b.y-a.y)*(1.5*t-1.5*t*t+t*t*t) < y {
			low = t
		} else {
			high = t
		}
	}
	t := low
	return a.x + (b.x-a.x)*(3*t*t-2*t*t*t)
}

// spread separates the ends of edges that meet at one side of a state.
func (e *Edge) spread(first, last *cell) {
	part := func(c *cell, near []*cell, toward *cell) float64 {
		if len(near) < 2 {
			return 0
		}
		sorted := slices.Clone(near)
		slices.SortStableFunc(sorted, func(a, b *cell) int { return cmp.Compare(a.x, b.x) })
		i := slices.Index(sorted, toward)
		span := min(c.w*0.6, float64(len(near)-1)*30)
		return span * (float64(i)/float64(len(near)-1) - 0.5)
	}
	n := len(e.points)
	toward := last
	for _, c := range first.down {
		if c.node == nil && n > 2 && c.x == e.points[1].x {
			toward = c
		}
	}
	e.points[0].x += part(first, first.down, toward)
	toward = first
	for _, c := range last.up {
		if c.node == nil && n > 2 && c.x == e.points[n-2].x {
			toward = c
		}
	}
	e.points[n-1].x += part(last, last.up, toward)
}

func (e *Edge) labelWidth() float64 {
	w := 0.0
	for _, line := range e.shownLabels() {
		w = max(w, textWidth(line)*0.82+12)
	}
	return w
}
