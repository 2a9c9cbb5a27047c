package jsonata_test

import (
	"testing"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A configuration with hundreds of routes checks thousands of expressions at each cold start: only compilation looks for
// what does not change in a loop.
func TestCheckDoesNotLookForInvariants(t *testing.T) {
	const expr = `$map($items, function($i) {{"sku": $i.sku, "share": $i.n / $sum($items.n), "first": $items[n > $average($items.n)][0]}})`
	checker := jsonata.NewChecker(jsonata.Options{})
	check := testing.AllocsPerRun(100, func() {
		if _, err := checker.Check(expr); err != nil {
			t.Fatal(err)
		}
	})
	compile := testing.AllocsPerRun(100, func() {
		if _, err := jsonata.Compile(expr); err != nil {
			t.Fatal(err)
		}
	})
	if check > 8 || compile < 2*check {
		t.Errorf("a check makes %v allocations and a compilation %v; want at most 8, and less than half", check, compile)
	}
}
