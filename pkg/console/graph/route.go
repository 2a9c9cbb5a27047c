package graph

import (
	"cmp"
	"math"
	"slices"
)

// The space between ranks. It grows where edges go far sideways, as flat lines cannot be
// followed by eye.
const (
	stateGap = 40.0
	arrowGap = 26.0 // above a rank of states, below labels
	rowGap   = 18.0 // above a rank of labels
	maxSlope = 44.0
	track    = 6.0 // between parallel edges beside the ranks
	tracks   = 60
)

// settle determines the heights, and with them the corners of states and labels and the
// points of edges. It returns the size.
func (p *plan) settle() (width, height float64) {
	least, most := math.Inf(1), math.Inf(-1)
	for _, c := range p.cells {
		least, most = min(least, c.x-c.left), max(most, c.x+c.right)
	}
	for _, c := range p.cells {
		c.x -= least
	}
	width = most - least
	b := p.bands()
	for _, c := range p.cells {
		if y := b.top[c.rank] + (b.tall[c.rank]-c.h)/2; c.node != nil {
			c.node.x, c.node.y = c.x-c.node.w/2, y+(c.h-c.node.h)/2
		} else if c.label != nil {
			c.label.label = box{c.x - c.left, y, c.left + c.right, c.h}
		}
	}
	ends := p.ports()
	for _, e := range p.g.Edges {
		if e.From != e.To {
			e.route(p.lanes[e], ends[e], b)
		}
	}
	for _, c := range p.cells {
		c.drawLoops(p.loops[c])
	}
	return max(width, p.routeFar(width, ends, b)), b.height
}

// bands are where ranks are: rank r is between top[r] and top[r]+tall[r], and nothing but
// edges is between two ranks.
type bands struct {
	top, tall []float64
	height    float64
	// leave and enter count the far edges that leave, and enter, between a rank and the
	// next one, or the one before.
	leave, enter []int
}

func (p *plan) bands() *bands {
	n := len(p.ranks)
	b := &bands{make([]float64, n), make([]float64, n), 0, make([]int, n), make([]int, n)}
	for _, l := range p.lanes {
		if l.far != nil {
			b.leave[l.cells[len(l.cells)-1].rank]++
			b.enter[l.far.rank]++
		}
	}
	room := func(count int) float64 {
		if count == 0 {
			return 0
		}
		return track*float64(min(count, tracks)) + arrowGap
	}
	b.height = room(b.enter[0])
	for r, rank := range p.ranks {
		states := false
		for _, c := range rank {
			b.tall[r] = max(b.tall[r], c.h)
			states = states || c.node != nil
		}
		b.top[r] = b.height
		b.height += b.tall[r]
		if r == n-1 {
			b.height += room(b.leave[r])
			break
		}
		gap := rowGap
		if p.ranks[r+1][0].isRankOf(p.ranks[r+1]) {
			if gap = arrowGap; states {
				gap = stateGap
			}
		}
		b.height += gap + slope(rank) + room(b.leave[r]) + room(b.enter[r+1])
	}
	return b
}

// isRankOf reports whether there are states in the rank of a cell.
func (c *cell) isRankOf(rank []*cell) bool {
	return c.node != nil || slices.ContainsFunc(rank, func(c *cell) bool { return c.node != nil })
}

// slope returns what a gap needs for the edges below a rank that go far sideways.
func slope(rank []*cell) float64 {
	widest := 0.0
	for _, c := range rank {
		for _, d := range c.down {
			widest = max(widest, math.Abs(c.x-d.x))
		}
	}
	return min(widest/9, maxSlope)
}

// ends are where an edge meets the state above and the one below.
type ends struct{ above, below float64 }

// ports separates the ends of edges that meet at one side of a state, in the order of
// where they come from.
func (p *plan) ports() map[*Edge]*ends {
	type end struct {
		at     *float64
		toward float64
	}
	tops, bottoms := map[*cell][]end{}, map[*cell][]end{}
	out := make(map[*Edge]*ends, len(p.lanes))
	for _, e := range p.g.Edges {
		l, ok := p.lanes[e]
		if !ok {
			continue
		}
		w := &ends{}
		out[e] = w
		n := len(l.cells)
		first, last, next, before := l.cells[0], l.far, math.Inf(1), math.Inf(1)
		if l.far == nil {
			last, before = l.cells[n-1], l.cells[n-2].x
		}
		if n > 1 {
			next = l.cells[1].x
		}
		bottoms[first] = append(bottoms[first], end{&w.above, next})
		tops[last] = append(tops[last], end{&w.below, before})
	}
	for _, c := range p.cells {
		if c.node == nil {
			continue
		}
		if c.node.End {
			bottoms[c] = append([]end{{&c.node.end, math.Inf(-1)}}, bottoms[c]...)
		}
		for _, side := range [][]end{tops[c], bottoms[c]} {
			slices.SortStableFunc(side, func(a, b end) int { return cmp.Compare(a.toward, b.toward) })
			span := min(c.node.w*0.7, float64(len(side)-1)*28)
			for i, end := range side {
				*end.at = c.x
				if len(side) > 1 {
					*end.at += span * (float64(i)/float64(len(side)-1) - 0.5)
				}
			}
		}
	}
	return out
}

// route computes the points of an edge: vertical within ranks, so that it passes between
// states and labels, and curved between ranks.
func (e *Edge) route(l lane, at *ends, b *bands) {
	n := len(l.cells)
	first, last := l.cells[0], l.cells[n-1]
	e.square = 0
	e.points = append(e.points[:0], point{at.above, first.node.y + first.node.h}, point{at.above, b.top[first.rank] + b.tall[first.rank]})
	for i, c := range l.cells[1:] {
		if l.far == nil && i == n-2 {
			break
		}
		e.points = append(e.points, point{c.x, b.top[c.rank]}, point{c.x, b.top[c.rank] + b.tall[c.rank]})
	}
	if l.far != nil {
		return // the rest is beside the ranks
	}
	e.points = append(e.points, point{at.below, b.top[last.rank]}, point{at.below, last.node.y})
	// Without a length, an arrow has no direction.
	e.points = slices.Compact(e.points)
	if e.back {
		slices.Reverse(e.points)
	}
}

// routeFar draws far edges beside the ranks: between two ranks to the margin, there to
// the height of the other state, and between two ranks to that. It returns the width.
func (p *plan) routeFar(width float64, at map[*Edge]*ends, b *bands) float64 {
	var far []*Edge
	for _, e := range p.g.Edges {
		if e.far && e.From != e.To {
			far = append(far, e)
		}
	}
	left, entered := make([]int, len(b.top)), make([]int, len(b.top))
	most := width
	for _, e := range far {
		l := p.lanes[e]
		from, to := l.cells[len(l.cells)-1].rank, l.far.rank
		leave := b.top[from] + b.tall[from] + arrowGap/2 + track*float64(left[from]%tracks)
		enter := b.top[to] - arrowGap/2 - track*float64(entered[to]%tracks)
		left[from]++
		entered[to]++
		e.points = append(e.points, point{e.points[len(e.points)-1].x, leave}, point{0, leave}, point{0, enter}, point{at[e].below, enter}, point{at[e].below, l.far.node.y})
		e.square = len(e.points) - 6
	}
	// Edges whose heights do not overlap share a place in the margin.
	slices.SortStableFunc(far, func(a, b *Edge) int { return cmp.Compare(a.highest(), b.highest()) })
	var used []float64 // how far down each place is taken
	for _, e := range far {
		i := slices.IndexFunc(used, func(until float64) bool { return until < e.highest() })
		if i < 0 {
			if i = len(used); i >= tracks {
				i = slices.Index(used, slices.Min(used))
			} else {
				used = append(used, 0)
			}
		}
		a, c := &e.points[len(e.points)-4], &e.points[len(e.points)-3]
		used[i] = max(a.y, c.y) + track
		x := width + 24 + track*float64(i)
		a.x, c.x = x, x
		most = max(most, x+4)
	}
	return most
}

// highest returns the upper end of a far edge's part in the margin.
func (e *Edge) highest() float64 {
	n := len(e.points)
	return min(e.points[n-4].y, e.points[n-3].y)
}

// drawLoops draws the edges that lead back to their own state, at its right, one below
// the other.
func (c *cell) drawLoops(loops []*Edge) {
	if len(loops) == 0 {
		return
	}
	n := c.node
	tall := -2.0
	for _, e := range loops {
		_, h := e.labelSize()
		tall += h + 2
	}
	y := n.y + (n.h-tall)/2
	each := n.h * 0.8 / float64(len(loops))
	for i, e := range loops {
		w, h := e.labelSize()
		right, top := n.x+n.w, n.y+n.h*0.1+each*float64(i)
		e.points = []point{{right, top + each*0.1}, {right + loopReach - 4, top + each*0.1}, {right + loopReach - 4, top + each*0.9}, {right, top + each*0.9}}
		e.label = box{right + loopReach, y, w, h}
		y += h + 2
	}
}
