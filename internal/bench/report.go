package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A budget is one line of the report: what is measured, in which unit, against what, and
// how much is allowed. A limit of 0 means that the figure has no budget.
type budget struct {
	what, against string
	unit          string
	limit         float64
	// absolute: the limit is on our figure itself, not on a ratio.
	absolute bool
	// grows: the base is our own figure for less work.
	grows bool
	// byHand is the line that does the same by hand: the limit is at least its growth in the
	// same run.
	byHand *budget
}

const minimalName = "the minimal function"

// The budgets, in the order of the report.
var (
	budgetCold       = budget{what: "Cold start: process start to first poll", against: minimalName, unit: "ms", limit: 0.92}
	budgetRoutes100  = budget{what: "Cold start with 100 routes: processor time", against: minimalName, unit: "ms", limit: 2}
	budgetRoutes500  = budget{what: "Cold start with 500 routes: processor time", against: minimalName, unit: "ms", limit: 5}
	budgetMemory100  = budget{what: "Memory with 100 routes, more than the minimal function", unit: "MiB", absolute: true, limit: 10}
	budgetMemory500  = budget{what: "Memory with 500 routes, more than the minimal function", unit: "MiB", absolute: true, limit: 10}
	budgetP50        = budget{what: "Warm webhook, p50", against: minimalName, unit: "ms", limit: 1.12}
	budgetP99        = budget{what: "Warm webhook, p99", against: minimalName, unit: "ms", limit: 1.12}
	budgetDedupe     = budget{what: "Webhook with `dedupe`: round trips to the table that the sender waits for", unit: "round trips", limit: 2.2, absolute: true}
	budgetRSS        = budget{what: "Peak memory over all events of a start", against: minimalName, unit: "MiB", limit: 1.15}
	budgetBatch      = budget{what: "SQS batch of 10, executions of 50 ms", against: "a batch of 1", unit: "ms", limit: 1.1}
	budgetBatches    = budget{what: "Peak memory, SQS batches of 10,000", against: "a plain loop with a semaphore", unit: "MiB", limit: 1.2}
	budgetLarge      = budget{what: "One field of a body of 1 MB, processor time", against: "encoding/json into a struct", unit: "ms", limit: 0.5}
	budgetZip        = budget{what: "Function zip, arm64", against: minimalName, unit: "MB", limit: 1.15}
	budgetAPI        = budget{what: "Local engine, 5 states, through the SDK", against: "a handler with a constant answer", unit: "ms", limit: 2}
	budgetHTTP1      = budget{what: "The same over plain HTTP, 1 connection", against: "an empty net/http JSON handler", unit: "ms", limit: 1.67}
	budgetHTTP8      = budget{what: "The same over plain HTTP, 8 connections", against: "an empty net/http JSON handler", unit: "ms", limit: 1.67}
	budgetEngine     = budget{what: "The same workflow in process", unit: "µs", limit: 20, absolute: true}
	budgetAllocs     = budget{what: "Allocations of the same workflow", unit: "allocs", limit: 100, absolute: true}
	budgetExecutions = budget{what: "Local engine: memory with 10,000 executions waiting and 100,000 listed", unit: "MiB", absolute: true, limit: 256}
	budgetLayer      = budget{what: "Layer zip, arm64", against: minimalName, unit: "MB", limit: 1.3}
	budgetLayerCold  = budget{what: "Cold start of the layer as webhook: process start to first poll", against: minimalName, unit: "ms", limit: 0.92}
	budgetLayerP50   = budget{what: "Warm webhook of the layer, p50", against: minimalName, unit: "ms", limit: 1.12}
	budgetLayerP99   = budget{what: "Warm webhook of the layer, p99", against: minimalName, unit: "ms", limit: 1.12}
	budgetLayerRSS   = budget{what: "Peak memory of the layer over all events of a start", against: minimalName, unit: "MiB", limit: 1.15}
	figureLayerFirst = budget{what: "First event of the layer after a cold start", against: minimalName, unit: "ms"}
	figureLayerW     = budget{what: "Cold start of the layer as webhook", against: "functions/webhook", unit: "ms"}
	figureLayerQ     = budget{what: "Cold start of the layer as queue", against: "functions/queue", unit: "ms"}
	figureLayerE     = budget{what: "Cold start of the layer as event", against: "functions/event", unit: "ms"}
	figureFirst      = budget{what: "First event after a cold start", against: minimalName, unit: "ms"}

	order = []budget{
		budgetCold, budgetRoutes100, budgetRoutes500, budgetMemory100, budgetMemory500, budgetP50, budgetP99, budgetRSS, budgetDedupe, budgetBatch, budgetBatches, budgetLarge, budgetZip,
		budgetAPI, budgetHTTP1, budgetHTTP8, budgetEngine, budgetAllocs, budgetExecutions, budgetRecorder, budgetRecorderOrder, figureFirst,
		budgetLayer, budgetLayerCold, budgetLayerP50, budgetLayerP99, budgetLayerRSS, figureLayerFirst, figureLayerW, figureLayerQ, figureLayerE,
	}
)

// A report is everything that was measured.
type report struct {
	Go, Platform, Command string
	CPUs                  int
	Plan                  plan
	Took                  time.Duration

	results map[budget]comparison
	// The growing expressions that are the worst of those without a line of their own, and all
	// that are over the limit.
	worstGrowth, overGrowth []string
}

func (r *report) add(b budget, c comparison) {
	if r.results == nil {
		r.results = map[budget]comparison{}
	}
	if b == budgetZip || b == budgetLayer {
		c = comparison{base: []float64{c.base[0] / 1e6}, ours: []float64{c.ours[0] / 1e6}}
	}
	r.results[b] = c
}

// value returns the figure that the budget limits: the ratio, or our figure itself.
func (b budget) value(c comparison) float64 {
	if b.absolute {
		return median(c.ours)
	}
	return c.ratio()
}

// limited returns a line with the limit that applies to it in this run.
func (r *report) limited(b budget) budget {
	if b.byHand != nil {
		if c, ok := r.results[*b.byHand]; ok {
			b.limit = max(b.limit, c.ratio())
		}
	}
	return b
}

// behind says which budgets are missed, and where ours is behind what it is compared with,
// with a budget or without.
func (r *report) behind(lines []budget) string {
	var missed, slower []string
	for _, line := range lines {
		c, ok := r.results[line]
		if !ok {
			continue
		}
		if strings.Contains(r.limited(line).verdict(c), "missed") {
			missed = append(missed, line.what)
		}
		if of, ratio := line.against, c.ratio(); of != "" && !line.grows && ratio > 1 {
			slower = append(slower, fmt.Sprintf("%s (%.2f× %s)", line.what, ratio, of))
		}
	}
	text := "\nAll budgets are met."
	if len(missed) > 0 {
		text = "\nOver budget: " + strings.Join(missed, "; ") + "."
	}
	if len(slower) > 0 {
		text += " Above the base: " + strings.Join(slower, "; ") + "."
	}
	return text + "\n"
}

// verdict compares as the report shows it, in two digits: a ratio printed as 1.20 is
// within a budget of 1.2.
func (b budget) verdict(c comparison) string {
	switch {
	case b.limit == 0:
		return ""
	case fmt.Sprintf("%.2f", b.value(c)) == fmt.Sprintf("%.2f", b.limit), b.value(c) < b.limit:
		return "met"
	default:
		return "**missed**"
	}
}

// markdown is the report as docs/performance.md.
func (r *report) markdown() string {
	var b strings.Builder
	b.WriteString(`# Performance

The cost of Expressway, as ratios measured in one run on one machine: absolute times depend on the machine, ratios
barely do. ` + "`make bench`" + ` writes this file; do not edit it.

The *minimal function* (` + "`internal/bench/minimal`" + `) is the smallest one that uses the SDK: aws-lambda-go,
` + "`config.LoadDefaultConfig`" + ` and StartSyncExecution with the body. It verifies nothing and logs nothing. Expressway's
function verifies a signature, evaluates an expression for the input and logs a line. Both run alternately, as real processes behind a
Lambda Runtime API (` + "`internal/lambdatest`" + `). An endpoint that answers immediately replaces Step Functions.

`)
	b.WriteString("| what | against | base | ours | ratio (quartiles) | at most | |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	lines := slices.Clone(order)
	lines = append(lines, growthLines()...)
	for _, g := range growingMachines {
		lines = append(lines, g.budget)
	}
	lines = append(lines, growingPages...)
	for _, line := range lines {
		if c, ok := r.results[line]; ok {
			b.WriteString(r.limited(line).row(c))
		}
	}
	b.WriteString(r.behind(lines))
	b.WriteString(r.growthNote())
	p := r.Plan
	fmt.Fprintf(&b, `
Base and ours are medians, and the ratio is the quotient of the two. The quartiles are those of the ratios of single
turns; if they are far apart, the machine was busy.

- Cold start: %d starts of each, timed from just before the process starts until its first poll.
- Many routes: %d starts of each. The processor time, user and system, of a process that is killed at its first poll, and
  its largest resident set until then. Each route has verification, a dedupe key, a filter, an input of five expressions,
  an answer and two catches. [ADR 67](adr/0067-one-mux-and-less-garbage-for-many-routes.md) explains the cost.
- Warm: %d starts of each with %d events, a signed GitHub push of %d bytes in an HTTP API event, in alternate blocks of %d.
  Timed from sending the event until the response has been read; p50 and p99 of each start, without its first %d events.
- Peak memory: the largest resident set of the process over all of these events.
- Batches: %d of one and of ten, to one process of the queue function.
- Large batches: %d starts of each, %d batches of %d for each, compared with a handwritten function (`+"`internal/bench/loop`"+`) that
  decodes them with aws-lambda-go and starts ten at a time.
- Large bodies: an order of 1 MB in an HTTP API event, one member of which is the input, compared with a handwritten function
  (`+"`internal/bench/field`"+`) that reads it with encoding/json into a struct. Processor time for blocks of 20 events.
- Zip: bootstrap and expressway.yaml, deflated, built by `+"`make build-WebhookFunction`"+`. Layer: only the bootstrap, as in a release.
- Layer: %d starts of each kind, compared with the separate program, with the same configuration.
- Engine: Pass, Choice, Parallel of two Pass, Map of three items, Succeed, in JSONPath; one caller, %d turns of %d calls each,
  client and server in one process. Over plain HTTP, the figure is the inverse of the throughput: 1.67× means 60 %% of the
  calls per second.
- JSONata: processor time for each evaluation of one document, in %d turns of both sizes, within the default limits; four
  evaluations with 16,000 items for each with 64,000, and at least %d ms or %d MB of garbage on each side. A collection at the end
  of a side is weighted by the ratio of the garbage to the data in use, because the collector runs that often by default. The other
  expressions are measured once, and in %d such turns if the ratio is above %g×. The handwritten lines show how much slower the memory of the
  machine is for four times the data; see [ADR 78](adr/0078-growth-is-measured-with-its-garbage.md). An expression that looks up
  each item may grow by 5× or, if that is more, by as much as a Go map of the texts in the same run; see
  [ADR 86](adr/0086-lookups-may-grow-as-a-go-map-does.md).
  [jsonata-performance.md](jsonata-performance.md) has the comparison with Node.
- States Language and local engine: processor time for each run in %d turns, with four runs at the smaller size for each at the
  larger one, for at least %d ms on each side, with the garbage collector at its default setting.
  A loop that appends to a variable has no budget, because the lists that it creates are quadratic in its iterations. Left out are
  functions that the service limits to 1,000 items or 10,000 characters: ArrayRange, Base64Encode, Base64Decode, Hash.
- Dedupe: %d turns of %d deliveries with a dedupe key and without one, with a table that takes %d ms. The figure is the
  difference between the medians of a turn, in the time of one request.
- Development server: %d starts of both servers, %d turns of %d deliveries each; see [ADR 73](adr/0073-what-has-ended-is-kept-in-one-piece.md).
- Many executions: STANDARD ones, started and listed through the API; heap and stacks in use after all pages have been read.

Measured with %s on %s, %d cores, in %.0f s, by:

    %s
`, p.cold, p.routes, p.starts, p.events, bodySize, block, warmUp, p.batches, p.large, largeBatches, largeBatch, p.cold, engineTurns, p.calls,
		growthTurns, growthBlock.Milliseconds(), growthGarbage>>20, restTurns, growthNear, growthStates, statesBlock.Milliseconds(),
		p.batches, dedupeEvents, storeDelay.Milliseconds(), recorderPlan.Starts, recorderPlan.Turns, recorderPlan.Block, r.Go, r.Platform, r.CPUs, r.Took.Seconds(), r.Command)
	return b.String()
}

func (b budget) row(c comparison) string {
	base, ratio, limit := "", "", ""
	if len(c.base) > 0 {
		base = fmt.Sprintf("%s %s", digits(median(c.base)), b.unit)
		ratio = fmt.Sprintf("%.2f×", c.ratio())
		if values := c.ratios(); len(values) > 1 {
			ratio += fmt.Sprintf(" (%.2f–%.2f)", quantile(values, 0.25), quantile(values, 0.75))
		}
	}
	switch {
	case b.absolute:
		limit = fmt.Sprintf("%g %s", b.limit, b.unit)
	case b.byHand != nil && b.limit > growthLimit:
		limit = fmt.Sprintf("%.2f×, by hand", b.limit)
	case b.limit > 0:
		limit = fmt.Sprintf("%g×", b.limit)
	}
	return fmt.Sprintf("| %s | %s | %s | %s %s | %s | %s | %s |\n",
		b.what, b.against, base, digits(median(c.ours)), b.unit, ratio, limit, b.verdict(c))
}

// digits prints about three significant digits: more would be noise.
func digits(v float64) string {
	switch {
	case v < 10:
		return fmt.Sprintf("%.2f", v)
	case v < 100:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.0f", v)
	}
}
