package main

import (
	"math"
	"slices"
)

// quantile is the q-quantile of the values (0 is the least, 1 the largest), with linear
// interpolation between two of them. It is NaN without values.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	at := q * float64(len(sorted)-1)
	low := int(math.Floor(at))
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (at-float64(low))*(sorted[high]-sorted[low])
}

func median(values []float64) float64 { return quantile(values, 0.5) }

// A comparison holds one figure of each turn: the base's and ours, taken one after the
// other.
type comparison struct{ base, ours []float64 }

// ratio returns the quotient of the medians of ours and of the base.
func (c comparison) ratio() float64 { return median(c.ours) / median(c.base) }

// ratios are ours against base, turn by turn. They show how far the ratio can be trusted:
// load that affects both halves of a turn cancels out in them.
func (c comparison) ratios() []float64 {
	ratios := make([]float64, len(c.ours))
	for i := range ratios {
		ratios[i] = c.ours[i] / c.base[i]
	}
	return ratios
}

func (c *comparison) add(base, ours float64) {
	c.base = append(c.base, base)
	c.ours = append(c.ours, ours)
}
