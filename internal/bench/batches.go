package main

import (
	"context"
	"fmt"

	"github.com/expressway-dev/expressway/internal/lambdatest"
)

var loopFunction = function{name: "loop", pkg: "internal/bench/loop"}

const (
	// largeBatch is the largest batch that an event source mapping makes; its event has 6
	// MB, the maximum.
	largeBatch = 10_000
	// largeBatches is how many batches a process gets: the result of a single one varies
	// too much.
	largeBatches = 3
)

// batches measures the memory of a process that runs large batches, against a plain loop.
func (b *bench) batches(ctx context.Context, r *report) error {
	b.say("large batches: %d starts, %d batches of %d for each function", b.plan.large, largeBatches, largeBatch)
	if err := b.compile(ctx, loopFunction, hostOS, hostArch, b.taskRoot(loopFunction)); err != nil {
		return err
	}
	api := lambdatest.NewStepFunctions(lambdatest.StepFunctionsOptions{})
	defer api.Close()
	event := queueEvent(largeBatch)
	var memory comparison
	once := func(f function, into *[]float64) func() error {
		return func() error {
			fn, err := b.start(ctx, f, api.URL)
			if err != nil {
				return err
			}
			defer fn.Stop()
			for range largeBatches {
				calls := api.Calls()
				res, err := fn.Invoke(ctx, event, lambdatest.InvokeOptions{})
				if err == nil {
					err = checkBatch(res.Payload, api.Calls()-calls, largeBatch)
				}
				if err != nil {
					return fmt.Errorf("batch of %d: %w\n%.2000s", largeBatch, err, fn.Logs())
				}
			}
			*into = append(*into, float64(fn.MaxRSS())/(1<<20))
			return nil
		}
	}
	if err := inTurns(b.plan.large, once(loopFunction, &memory.base), once(b.queues, &memory.ours)); err != nil {
		return err
	}
	r.add(budgetBatches, memory)
	return nil
}
