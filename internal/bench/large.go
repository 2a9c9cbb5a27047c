package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/expressway-dev/expressway/internal/lambdatest"
)

// The functions that read one field of a large body: by hand, and ours.
const largeConfig = `version: 1
routes:
  - name: large
    http: POST /github
    verify: none
    start: ` + machineARN + `
    input: {id: '{% $request.body.id %}'}
`

var (
	fieldFunction = function{name: "field", pkg: "internal/bench/field"}
	largeFunction = function{name: "large", pkg: "functions/webhook", config: largeConfig}
)

const (
	largeSize  = 1 << 20
	largeBlock = 20 // events of a turn, so that garbage collections fall into each
)

// largeBody is an order of about largeSize bytes.
func largeBody() []byte {
	var b strings.Builder
	b.WriteString(`{"id":"o-1","currency":"EUR","lines":[`)
	for i := 0; b.Len() < largeSize; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"sku":"crate-%d","title":"Crate, \"large\", number %d","quantity":%d,"price":%d.50,"tags":["wood","stackable"],"fragile":false}`, i, i, i%9+1, i%100)
	}
	b.WriteString(`],"note":null}`)
	return []byte(b.String())
}

// largeBodies measures the processor time for an event with a large body, only one field of
// which is used.
func (b *bench) largeBodies(ctx context.Context, r *report) error {
	b.say("large bodies: %d events for each function", largeBlock*b.plan.batches)
	api := lambdatest.NewStepFunctions(lambdatest.StepFunctionsOptions{})
	defer api.Close()
	event := webhookEvent(largeBody())
	var c comparison
	feed := func(f function, into *[]float64) (func() error, func(), error) {
		if err := b.compile(ctx, f, hostOS, hostArch, b.taskRoot(f)); err != nil {
			return nil, nil, err
		}
		fn, err := b.start(ctx, f, api.URL)
		if err != nil {
			return nil, nil, err
		}
		return func() error {
			before := fn.CPUTime()
			for range largeBlock {
				if _, err := invokeOnce(ctx, fn, event); err != nil {
					return fmt.Errorf("%s: %w\n%s", f.name, err, fn.Logs())
				}
			}
			*into = append(*into, milliseconds(fn.CPUTime()-before)/largeBlock)
			return nil
		}, fn.Stop, nil
	}
	base, stopBase, err := feed(fieldFunction, &c.base)
	if err != nil {
		return err
	}
	defer stopBase()
	ours, stopOurs, err := feed(largeFunction, &c.ours)
	if err != nil {
		return err
	}
	defer stopOurs()
	if err := inTurns(b.plan.batches, base, ours); err != nil {
		return err
	}
	r.add(budgetLarge, c)
	return nil
}
