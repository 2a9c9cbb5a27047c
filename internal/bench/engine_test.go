package main

import "testing"

// Not parallel: allocations are counted for the whole process.
//
//nolint:paralleltest // see above
func TestEngineIsMeasured(t *testing.T) {
	if testing.Short() {
		t.Skip("measures the engine")
	}
	b := bench{plan: plan{calls: 2}, say: func(format string, args ...any) { t.Logf(format, args...) }}
	var r report
	if err := b.engine(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	if c := r.results[budgetAPI]; len(c.base) != engineTurns || len(c.ours) != engineTurns || c.ratio() <= 0 {
		t.Errorf("calls: base %v, ours %v, want %d figures each", c.base, c.ours, engineTurns)
	}
	for _, line := range []budget{budgetHTTP1, budgetHTTP8} {
		if c := r.results[line]; len(c.base) != engineTurns || len(c.ours) != engineTurns || c.ratio() <= 0 {
			t.Errorf("%s: base %v, ours %v, want %d figures each", line.what, c.base, c.ours, engineTurns)
		}
	}
	for _, line := range []budget{budgetEngine, budgetAllocs} {
		if c := r.results[line]; line.value(c) <= 0 {
			t.Errorf("%s: %v, want a positive figure", line.what, c.ours)
		}
	}
}
