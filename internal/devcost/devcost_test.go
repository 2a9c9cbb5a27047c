package devcost_test

import (
	"os"
	"testing"

	"github.com/expressway-dev/expressway/internal/devcost"
)

func TestMain(m *testing.M) {
	devcost.ServeIfAsked()
	os.Exit(m.Run())
}

// Both servers take both deliveries, one of them records, and each figure has a value for each turn. What the recorder
// allocates is held by TestRecorderAllocatesLittle of pkg/devserver; blocks as short as these only show noise.
func TestMeasure(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts eight servers")
	}
	trivial, err := devcost.Trivial(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	order, err := devcost.Order()
	if err != nil {
		t.Fatal(err)
	}
	for name, work := range map[string]devcost.Work{"trivial": trivial, "order": order} {
		r, err := devcost.Measure(t.Context(), work, devcost.Plan{Starts: 2, Turns: 2, Block: 20})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for figure, f := range map[string]devcost.Figure{"processor time": r.CPU, "time": r.Waited, "allocations": r.Allocations, "bytes": r.Bytes} {
			if len(f.Plain) != 4 || len(f.Recorded) != 4 || f.Plain[0] <= 0 || f.Recorded[0] <= 0 {
				t.Errorf("%s: %s %v, want four positive ones of each", name, figure, f)
			}
		}
	}
}
