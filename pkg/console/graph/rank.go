package graph

import (
	"slices"
)

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
// them, and more parallel lines cannot be followed by eye.
const maxPassages = 1500

// markFar chooses the longest edges to be drawn next to the ranks if there are more
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
