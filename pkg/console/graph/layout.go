package graph

import (
	"cmp"
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
	bendRoom    = 14.0
)

type point struct{ x, y float64 }

// A cell is a state, or a place where an edge passes through a rank.
type cell struct {
	node  *Node // nil for a passage
	rank  int
	order int
	x     float64 // of the middle
	w, h  float64
	room  float64 // of the label above it
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
	g.giveRoom(ranks, lanes)
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

// maxRoomy is how wide a rank may become so that its labels are side by side. Wider ones
// have their labels in rows.
const maxRoomy = 640.0

// giveRoom makes room for the labels above a rank, so that no edge passes under the label
// of another.
func (g *Graph) giveRoom(ranks [][]*cell, lanes map[*Edge][]*cell) {
	for _, e := range g.Edges {
		if lane := lanes[e]; len(e.Labels) > 0 && len(lane) > 1 && !e.far {
			lane[1].room = max(lane[1].room, e.labelWidth())
		}
	}
	for _, rank := range ranks {
		total := 0.0
		for i, c := range rank[1:] {
			total += apart(rank[i], c)
		}
		if total <= maxRoomy {
			continue
		}
		for _, c := range rank {
			c.room = 0
		}
	}
}

// apart returns how far the middles of two cells beside each other are from each other.
func apart(a, b *cell) float64 {
	return max((a.w+b.w)/2+columnGap, (a.room+b.room)/2+2*labelGap)
}

// place determines the horizontal position of each cell: as close to the middle of its
// neighbours as the cells beside it allow.
func place(ranks [][]*cell) {
	for _, rank := range ranks {
		for i, c := range rank {
			if c.x = c.w / 2; i > 0 {
				c.x = rank[i-1].x + apart(rank[i-1], c)
			}
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
			gap := apart(rank[before.last], rank[b.first])
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
