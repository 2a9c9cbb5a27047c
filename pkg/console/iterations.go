package console

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// An Iteration is one started item of a Map.
type Iteration struct {
	Index int `json:"index"`
	// Status is running, succeeded, failed or aborted.
	Status string `json:"status"`
}

// iterationEnded records how an iteration ended.
func (v *Visit) iterationEnded(index int, status string) {
	for i := len(v.Iterations) - 1; i >= 0; i-- {
		if v.Iterations[i].Index == index && v.Iterations[i].Status == "running" {
			v.Iterations[i].Status = status
			return
		}
	}
}

// closeIterations ends the iterations of a Map that has been left, if there was no room to
// record their ends.
func (v *Visit) closeIterations() {
	for i := range v.Iterations {
		if v.Iterations[i].Status == "running" && v.Left != nil {
			v.Iterations[i].Status = "aborted"
		}
	}
}

// A choice is one item of one Map: the visit of the Map, and the item's index.
type choice struct {
	visit int64
	index int
}

// parseChoice reads VISIT.INDEX.
func parseChoice(text string) (c choice, ok bool) {
	visit, index, found := strings.Cut(text, ".")
	v, err := strconv.ParseInt(visit, 10, 64)
	i, err2 := strconv.Atoi(index)
	return choice{v, i}, found && err == nil && err2 == nil && i >= 0
}

// within returns the visits that belong to a chosen item and the items around it, and
// those outside of that Map.
func within(visits []Visit, c choice) []Visit {
	at := make(map[int64]*Visit, len(visits))
	for i := range visits {
		at[visits[i].ID] = &visits[i]
	}
	wanted := map[int64]int{c.visit: c.index}
	for v := at[c.visit]; v != nil && v.Parent != 0; v = at[v.Parent] {
		wanted[v.Parent] = v.Iteration
	}
	var list []Visit
	for _, v := range visits {
		keep := true
		for up := &v; up != nil && up.Parent != 0; up = at[up.Parent] {
			if index, ok := wanted[up.Parent]; ok && index != up.Iteration {
				keep = false
				break
			}
		}
		if keep {
			list = append(list, v)
		}
	}
	return list
}

// A mapView is a Map of an execution, for the choice of an item.
type mapView struct {
	// Title is the Map's name and, if it is inside another Map, the item around it.
	Title string
	// Counts say how many items ended how.
	Counts []count
	Items  []itemView
	// More is the number of items that are not offered.
	More int
}

type count struct {
	N      int
	Status string
}

type itemView struct {
	Value, Text string
	Chosen      bool
}

// maxMaps and maxItems bound what is offered: if there are more, the failed ones come
// first.
const (
	maxMaps  = 40
	maxItems = 200
)

// mapViews returns the Maps of an execution that had items. Base is the page's query.
func mapViews(visits []Visit, chosen string) []mapView {
	var list []mapView
	for _, v := range visits {
		if len(v.Iterations) == 0 || len(list) == maxMaps {
			continue
		}
		view := mapView{Title: v.State}
		if v.Iteration >= 0 {
			view.Title = fmt.Sprintf("%s of item %d", v.State, v.Iteration)
		}
		counts := map[string]int{}
		items := slices.Clone(v.Iterations)
		for _, it := range items {
			counts[it.Status]++
		}
		for _, status := range []string{"succeeded", "failed", "aborted", "running"} {
			if n := counts[status]; n > 0 {
				view.Counts = append(view.Counts, count{n, status})
			}
		}
		if waiting := v.Items - len(items); waiting > 0 {
			view.Counts = append(view.Counts, count{waiting, "not begun"})
		}
		if len(items) > maxItems {
			slices.SortStableFunc(items, func(a, b Iteration) int { return cmp.Compare(rank(a.Status), rank(b.Status)) })
			items, view.More = items[:maxItems], len(items)-maxItems
		}
		slices.SortStableFunc(items, func(a, b Iteration) int { return cmp.Compare(a.Index, b.Index) })
		for _, it := range items {
			value := fmt.Sprintf("%d.%d", v.ID, it.Index)
			view.Items = append(view.Items, itemView{value, fmt.Sprintf("item %d · %s", it.Index, it.Status), value == chosen})
		}
		list = append(list, view)
	}
	return list
}

func rank(status string) int {
	return slices.Index([]string{"failed", "running", "aborted", "succeeded"}, status)
}

// link is a query of an execution's page: the state and the item that are chosen.
func link(state, item string) string {
	q := url.Values{}
	if state != "" {
		q.Set("state", state)
	}
	if item != "" {
		q.Set("item", item)
	}
	return "?" + q.Encode()
}
