package graph

import (
	"cmp"
	"slices"
)

// sweeps is how often the order within ranks is improved. More sweeps hardly change
// anything.
const sweeps = 8

// arrange orders each rank so that few edges cross: by the mean place of a cell's
// predecessors and of its successors, alternately. The best order is kept.
func arrange(ranks [][]*cell) {
	best, least := snapshot(ranks), crossings(ranks)
	means := map[*cell]float64{}
	for sweep := range sweeps {
		if least == 0 {
			break
		}
		for i := range ranks {
			r := i
			if sweep%2 == 1 {
				r = len(ranks) - 1 - i
			}
			clear(means)
			for _, c := range ranks[r] {
				means[c] = c.mean(sweep%2 == 1)
			}
			slices.SortStableFunc(ranks[r], func(a, b *cell) int { return cmp.Compare(means[a], means[b]) })
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

// mean returns the mean place of a cell's successors, or else of its predecessors.
func (c *cell) mean(down bool) float64 {
	near := c.up
	if down {
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

// The space between the cells of a rank.
const (
	columnGap  = 28.0
	labelGap   = 12.0
	passageGap = 16.0
)

// apart returns how far the middles of two cells beside each other are from each other.
func apart(a, b *cell) float64 {
	gap := passageGap
	switch {
	case a.node != nil && b.node != nil:
		gap = columnGap
	case a.label != nil || b.label != nil:
		gap = labelGap
	}
	return a.right + gap + b.left
}

// place determines the horizontal position of each cell: as close to the middle of its
// neighbours as the cells beside it allow.
func place(ranks [][]*cell) {
	for _, rank := range ranks {
		for i, c := range rank {
			if c.x = 0; i > 0 {
				c.x = rank[i-1].x + apart(rank[i-1], c)
			}
		}
		half := rank[len(rank)-1].x / 2 // all ranks have the same middle, or a drawing drifts
		for _, c := range rank {
			c.x -= half
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
	straighten(ranks)
}

// straighten puts the cells of a chain, each of which only leads to the next, exactly below
// each other, as far as the cells beside them allow.
func straighten(ranks [][]*cell) {
	for _, rank := range ranks {
		for i, c := range rank {
			if len(c.up) != 1 || len(c.up[0].down) != 1 {
				continue
			}
			x := c.up[0].x
			if i > 0 {
				x = max(x, rank[i-1].x+apart(rank[i-1], c))
			}
			if i+1 < len(rank) {
				x = min(x, rank[i+1].x-apart(c, rank[i+1]))
			}
			c.x = x
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

// anchor is the weight with which a cell stays near the middle: without it, a long drawing
// drifts sideways.
const anchor = 0.15

// wanted returns the mean place of a cell's neighbours. Passages and labels weigh more, so
// that long edges are straight, and so do the states of a chain.
func wanted(c *cell, both bool) (place, weight float64) {
	sum, n := 0.0, 0.0
	add := func(near []*cell) {
		for _, other := range near {
			w := 1.0
			switch {
			case c.node == nil && other.node == nil:
				w = 6
			case c.node == nil || other.node == nil:
				w = 0.6
			case len(near) == 1 && len(other.up)*len(other.down) <= 1:
				w = 4
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
	return sum / (n + anchor), n + anchor
}
