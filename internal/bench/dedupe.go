package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"

	"github.com/expressway-dev/expressway/internal/lambdatest"
)

const (
	// storeDelay is how long the table of dedupe records takes to answer: long compared
	// with the function's own work, so that the rest is small.
	storeDelay = 20 * time.Millisecond
	// dedupeEvents is how many deliveries each function gets in a turn.
	dedupeEvents = 10

	deliveryID = "72d3162e-cc78-11e3-81ab-4c9367dc0958" // that of webhookEvent
)

// dedupe measures how many round trips to the table of dedupe records a sender waits for: how
// much longer a delivery takes than one without dedupe, in the time of one request.
func (b *bench) dedupe(ctx context.Context, r *report) error {
	b.say("dedupe: %d turns of %d deliveries with and without", b.plan.batches, dedupeEvents)
	api := lambdatest.NewStepFunctions(lambdatest.StepFunctionsOptions{})
	defer api.Close()
	var requests, took atomic.Int64
	table := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		began := time.Now()
		time.Sleep(storeDelay)
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = w.Write([]byte("{}"))
		requests.Add(1)
		took.Add(int64(time.Since(began)))
	}))
	defer table.Close()
	deduped := function{name: "webhook-dedupe", pkg: b.webhook.pkg, config: webhookConfig + "    dedupe: {for: 24h}\n", table: table.URL}
	if err := b.compile(ctx, deduped, hostOS, hostArch, b.taskRoot(deduped)); err != nil {
		return err
	}
	event := webhookEvent(pushBody())
	var without, with []float64
	sent := 0
	feed := func(f function, into *[]float64) (func() error, func(), error) {
		fn, err := b.start(ctx, f, api.URL)
		if err != nil {
			return nil, nil, err
		}
		return func() error {
			var turn []float64
			for range dedupeEvents {
				sent++
				id := fmt.Appendf(nil, "%s%012d", deliveryID[:24], sent)
				ms, err := invokeOnce(ctx, fn, bytes.Replace(event, []byte(deliveryID), id, 1))
				if err != nil {
					return fmt.Errorf("%s: %w\n%s", f.name, err, fn.Logs())
				}
				turn = append(turn, ms)
			}
			*into = append(*into, median(turn))
			return nil
		}, fn.Stop, nil
	}
	base, stopBase, err := feed(b.webhook, &without)
	if err != nil {
		return err
	}
	defer stopBase()
	ours, stopOurs, err := feed(deduped, &with)
	if err != nil {
		return err
	}
	defer stopOurs()
	if err := inTurns(1+b.plan.batches, base, ours); err != nil {
		return err
	}
	if n, want := requests.Load(), int64((1+b.plan.batches)*dedupeEvents*2); n != want {
		return fmt.Errorf("the table got %d requests, want %d: two for each delivery", n, want)
	}
	trip := milliseconds(time.Duration(took.Load() / requests.Load()))
	var c comparison
	for i := range b.plan.batches { // without the first turn, which makes the connections
		c.ours = append(c.ours, (with[1+i]-without[1+i])/trip)
	}
	r.add(budgetDedupe, c)
	return nil
}
