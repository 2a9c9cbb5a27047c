package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"runtime"
	"time"

	"github.com/expressway-dev/expressway/internal/lambdatest"
)

// start starts a function with what it needs to reach the endpoint.
func (b *bench) start(ctx context.Context, f function, endpoint string) (*lambdatest.Function, error) {
	runtime.GC() // the harness's own, now and not while it measures
	env := map[string]string{
		"AWS_ENDPOINT_URL_SFN": endpoint,
		"STATE_MACHINE_ARN":    machineARN,
		"GITHUB_SECRET":        secret,
		"_HANDLER":             cmp.Or(f.handler, "bootstrap"),
	}
	if f.table != "" {
		env["EXPRESSWAY_DEDUPE_TABLE"], env["AWS_ENDPOINT_URL_DYNAMODB"] = "records", f.table
	}
	fn, err := lambdatest.Start(ctx, lambdatest.Options{
		Bootstrap: filepath.Join(b.taskRoot(f), "bootstrap"), Name: f.name, Timeout: 30 * time.Second, Env: env,
	})
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", f.name, err)
	}
	return fn, nil
}

// inTurns runs both n times; they take turns in going first.
func inTurns(n int, base, ours func() error) error {
	for i := range n {
		first, second := base, ours
		if i%2 == 1 {
			first, second = ours, base
		}
		if err := first(); err != nil {
			return err
		}
		if err := second(); err != nil {
			return err
		}
	}
	return nil
}

// coldStarts measures the start of the webhook function against the minimal one.
func (b *bench) coldStarts(ctx context.Context, r *report) error {
	api := lambdatest.NewStepFunctions(lambdatest.StepFunctionsOptions{})
	defer api.Close()
	b.say("cold start: %d starts of each function", b.plan.cold)
	var c comparison
	if err := inTurns(b.plan.cold, b.coldStart(ctx, b.minimal, api.URL, &c.base), b.coldStart(ctx, b.webhook, api.URL, &c.ours)); err != nil {
		return err
	}
	r.add(budgetCold, c)
	return nil
}

// coldStart returns a function that starts a function once and records how long that
// took.
func (b *bench) coldStart(ctx context.Context, f function, endpoint string, into *[]float64) func() error {
	return func() error {
		fn, err := b.start(ctx, f, endpoint)
		if err != nil {
			return err
		}
		defer fn.Stop()
		*into = append(*into, milliseconds(fn.ColdStart()))
		return nil
	}
}

// layer measures the cold start of the layer as each function, against the function that
// is a separate program; and as the webhook function against the minimal one, as that
// program is measured.
func (b *bench) layer(ctx context.Context, r *report) error {
	b.say("build the layer")
	for _, f := range append([]function{eventFunction}, layerFunctions...) {
		if err := b.compile(ctx, f, hostOS, hostArch, b.taskRoot(f)); err != nil {
			return err
		}
	}
	api := lambdatest.NewStepFunctions(lambdatest.StepFunctionsOptions{})
	defer api.Close()
	for i, own := range []function{b.webhook, b.queues, eventFunction} {
		layer := layerFunctions[i]
		b.say("cold start: the layer as %s", layer.handler)
		var c comparison
		if err := inTurns(b.plan.cold, b.coldStart(ctx, own, api.URL, &c.base), b.coldStart(ctx, layer, api.URL, &c.ours)); err != nil {
			return err
		}
		r.add([]budget{figureLayerW, figureLayerQ, figureLayerE}[i], c)
	}
	webhook := layerFunctions[0]
	b.say("cold start: %d starts of the layer and of the minimal function", b.plan.cold)
	var c comparison
	if err := inTurns(b.plan.cold, b.coldStart(ctx, b.minimal, api.URL, &c.base), b.coldStart(ctx, webhook, api.URL, &c.ours)); err != nil {
		return err
	}
	r.add(budgetLayerCold, c)
	return b.warm(ctx, r, webhook, budgetLayerP50, budgetLayerP99, budgetLayerRSS, figureLayerFirst)
}

// A feed is the cost of one start and its events.
type feed struct{ first, p50, p99, rss float64 }

// warmEvents measures events and memory of the webhook function against the minimal one.
func (b *bench) warmEvents(ctx context.Context, r *report) error {
	return b.warm(ctx, r, b.webhook, budgetP50, budgetP99, budgetRSS, figureFirst)
}

// warm measures a function that is fed with events against the minimal one. Budgets are
// those of p50, p99, memory and the first event.
func (b *bench) warm(ctx context.Context, r *report, f function, budgets ...budget) error {
	api := lambdatest.NewStepFunctions(lambdatest.StepFunctionsOptions{})
	defer api.Close()
	event := webhookEvent(pushBody())
	var first, p50, p99, rss comparison
	for turn := range b.plan.starts {
		b.say("warm events of %s: start %d of %d, %d events for each function", f.name, turn+1, b.plan.starts, b.plan.events)
		// Which one is started and fed first alternates, too.
		var pair [2]function
		base, ours := turn%2, 1-turn%2
		pair[base], pair[ours] = b.minimal, f
		feeds, err := b.feedPair(ctx, pair, event, api)
		if err != nil {
			return err
		}
		first.add(feeds[base].first, feeds[ours].first)
		p50.add(feeds[base].p50, feeds[ours].p50)
		p99.add(feeds[base].p99, feeds[ours].p99)
		rss.add(feeds[base].rss, feeds[ours].rss)
	}
	for i, c := range []comparison{p50, p99, rss, first} {
		r.add(budgets[i], c)
	}
	return nil
}

// block is how many events one function gets before the other's turn: few enough that both
// run under the same conditions, and enough that each runs warm.
const block = 25

// feedPair starts two functions and feeds them alternately, block by block.
func (b *bench) feedPair(ctx context.Context, pair [2]function, event []byte, api *lambdatest.StepFunctions) (feeds [2]feed, err error) {
	var fns [2]*lambdatest.Function
	for i, f := range pair {
		if fns[i], err = b.start(ctx, f, api.URL); err != nil {
			return feeds, err
		}
		defer fns[i].Stop()
	}
	calls := api.Calls()
	var took [2][]float64
	once := func(i int) func() error {
		return func() error {
			for range min(block, b.plan.events-len(took[i])) {
				ms, err := invokeOnce(ctx, fns[i], event)
				if err != nil {
					return fmt.Errorf("event %d of %s: %w\n%s", len(took[i])+1, pair[i].name, err, fns[i].Logs())
				}
				took[i] = append(took[i], ms)
			}
			return nil
		}
	}
	blocks := (b.plan.events + block - 1) / block
	if err := inTurns(blocks, once(0), once(1)); err != nil {
		return feeds, err
	}
	if n := api.Calls() - calls; n != 2*b.plan.events {
		return feeds, fmt.Errorf("%d executions were started for %d events", n, 2*b.plan.events)
	}
	for i := range feeds {
		feeds[i] = newFeed(took[i], fns[i].MaxRSS())
	}
	return feeds, nil
}

func invokeOnce(ctx context.Context, fn *lambdatest.Function, event []byte) (float64, error) {
	res, err := fn.Invoke(ctx, event, lambdatest.InvokeOptions{})
	if err != nil {
		return 0, err
	}
	return milliseconds(res.Duration), checkResponse(res.Payload)
}

func newFeed(took []float64, rss int64) feed {
	warm := took[warmUp:]
	return feed{first: took[0], p50: median(warm), p99: quantile(warm, 0.99), rss: float64(rss) / (1 << 20)}
}

// checkResponse makes sure that the work succeeded, so that no failure is timed.
func checkResponse(payload []byte) error {
	var response struct {
		StatusCode int    `json:"statusCode"`
		Body       string `json:"body"`
	}
	if err := json.Unmarshal(payload, &response); err != nil {
		return fmt.Errorf("decode response: %w", err)
	}
	if response.StatusCode != http.StatusOK || response.Body != `{"ok":true}` {
		return fmt.Errorf("response is %d %q, want 200 and the output", response.StatusCode, response.Body)
	}
	return nil
}

// executionDelay is how long the executions of the queue's messages take.
const executionDelay = 50 * time.Millisecond

// queue measures a batch of ten records against a batch of one.
func (b *bench) queue(ctx context.Context, r *report) error {
	b.say("queue: %d batches of one and of ten", b.plan.batches)
	api := lambdatest.NewStepFunctions(lambdatest.StepFunctionsOptions{Delay: executionDelay})
	defer api.Close()
	fn, err := b.start(ctx, b.queues, api.URL)
	if err != nil {
		return err
	}
	defer fn.Stop()
	var c comparison
	once := func(n int, into *[]float64) func() error {
		event := queueEvent(n)
		return func() error {
			calls := api.Calls()
			res, err := fn.Invoke(ctx, event, lambdatest.InvokeOptions{})
			if err == nil {
				err = checkBatch(res.Payload, api.Calls()-calls, n)
			}
			if err != nil {
				return fmt.Errorf("batch of %d: %w\n%s", n, err, fn.Logs())
			}
			*into = append(*into, milliseconds(res.Duration))
			return nil
		}
	}
	// The first of each makes the connections.
	var dropped []float64
	if err := inTurns(1, once(1, &dropped), once(10, &dropped)); err != nil {
		return err
	}
	if err := inTurns(b.plan.batches, once(1, &c.base), once(10, &c.ours)); err != nil {
		return err
	}
	r.add(budgetBatch, c)
	return nil
}

func checkBatch(payload []byte, started, want int) error {
	var response struct {
		Failures []any `json:"batchItemFailures"`
	}
	if err := json.Unmarshal(payload, &response); err != nil {
		return fmt.Errorf("decode response: %w", err)
	}
	if len(response.Failures) > 0 || started != want {
		return fmt.Errorf("%d executions started and %d records failed, want %d and none", started, len(response.Failures), want)
	}
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
