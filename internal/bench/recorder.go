package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/expressway-dev/expressway/internal/devcost"
)

const withoutRecorder = "the same without it"

var (
	budgetRecorder      = budget{what: "Development server with its recorder, 5 trivial states: processor time", against: withoutRecorder, unit: "µs", limit: 1.1}
	budgetRecorderOrder = budget{what: "Development server with its recorder, a sample order: processor time", against: withoutRecorder, unit: "µs", limit: 1.1}
)

// recorderPlan is how much of the development server is measured.
var recorderPlan = devcost.Plan{Starts: 4, Turns: 25, Block: 400}

// recorder measures what the console's recorder costs the development server.
func (b *bench) recorder(ctx context.Context, r *report) error {
	b.say("development server with and without its recorder: %d starts, %d turns of %d deliveries", recorderPlan.Starts, recorderPlan.Turns, recorderPlan.Block)
	for line, work := range map[budget]func() (devcost.Work, error){
		budgetRecorder:      func() (devcost.Work, error) { return devcost.Trivial(filepath.Join(b.dir, "trivial")) },
		budgetRecorderOrder: devcost.Order,
	} {
		w, err := work()
		if err != nil {
			return fmt.Errorf("%s: %w", line.what, err)
		}
		result, err := devcost.Measure(ctx, w, recorderPlan)
		if err != nil {
			return fmt.Errorf("%s: %w", line.what, err)
		}
		var c comparison
		const microsecond = 1000
		for i, plain := range result.CPU.Plain {
			c.add(plain/microsecond, result.CPU.Recorded[i]/microsecond)
		}
		r.add(line, c)
	}
	return nil
}
