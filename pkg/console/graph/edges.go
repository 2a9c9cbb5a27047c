package graph

import (
	"cmp"
	"math"
	"slices"
)

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
			if y += tall[r] + rankGap + below[r]; below[r] > 0 {
				y += bendRoom
			}
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
		width = max(width, e.route(lanes[e], top, tall, below))
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

// route computes the points of an edge, and returns how far right it reaches. Where there
// are labels below a rank, edges bend above them, and pass between them vertically.
func (e *Edge) route(lane []*cell, top, tall, below []float64) (right float64) {
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
	e.label = point{e.points[1].x, top[lane[1].rank] - arrowRoom - e.label.y}
	points := e.points[:1:1]
	for i, p := range e.points[1:] {
		if hop := i / 2; i%2 == 0 && below[lane[hop].rank] > 0 {
			points = append(points, point{p.x, top[lane[hop+1].rank] - arrowRoom - below[lane[hop].rank]})
		}
		points = append(points, p)
	}
	e.points = points
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
	middle := func(e *Edge) float64 { return lanes[e][1].x }
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
