package jsonata

import (
	"context"
	"sync"
	"testing"

	"github.com/expressway-dev/expressway/internal/jsonatagrowth"
)

// growthVars returns the variables of the growing expressions. An evaluation does not change them.
func growthVars(n int) map[string]any {
	v, _ := growthData.LoadOrStore(n, sync.OnceValue(func() map[string]any { return makeGrowthVars(n) }))
	return v.(func() map[string]any)()
}

var growthData sync.Map

func makeGrowthVars(n int) map[string]any {
	v, err := Decode(jsonatagrowth.Document(n))
	if err != nil {
		panic(err)
	}
	data := v.(*Object)
	return map[string]any{"n": float64(n), "list": data.List("list"), "others": data.List("others"), "text": data.Text("text"), "data": data}
}

// evaluateCounting returns the steps of an evaluation, and the bytes that it has charged for.
func evaluateCounting(t *testing.T, expr string, n int, o Options) (result any, steps int, made int64) {
	t.Helper()
	e := o.MustCompile(expr)
	ev := newEvaluator(context.Background(), e, mapVars(growthVars(n)))
	v, err := ev.run(e.root, Undefined)
	if err != nil {
		t.Fatalf("%d items: %v", n, err)
	}
	return v, ev.steps, ev.made
}

// Four times the items take at most five times the work, and 64,000 are within the limits,
// because 4000 are within a sixteenth of them.
func TestGrowth(t *testing.T) {
	t.Parallel()
	for _, r := range jsonatagrowth.Rows() {
		t.Run(r.Name, func(t *testing.T) {
			t.Parallel()
			_, steps, made := evaluateCounting(t, r.Expr, 1000, Options{})
			_, steps4, made4 := evaluateCounting(t, r.Expr, 4000, Options{MaxSteps: defaultMaxSteps / 16, MaxAllocation: defaultMaxAllocation / 16})
			if float64(steps4) > 5*float64(steps) || float64(made4) > 5*float64(made) {
				t.Errorf("%d → %d steps (%.1f×), %d → %d bytes (%.1f×)", steps, steps4, float64(steps4)/float64(steps), made, made4, float64(made4)/float64(made))
			}
		})
	}
}

// The limits themselves, for the rows that come closest to them.
func TestGrowthToTheLimits(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("computes up to the limits")
	}
	for _, r := range jsonatagrowth.Rows() {
		switch r.Name {
		case "$reduce with $merge", "join of variables", "$sort with a function", "objects":
			evaluateCounting(t, r.Expr, 64_000, Options{})
		}
	}
}
