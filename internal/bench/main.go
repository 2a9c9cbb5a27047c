// Command bench measures the project's budgets and writes docs/performance.md.
//
// It builds the functions as they are deployed, and a minimal function
// (internal/bench/minimal) that does the least that is possible with the SDK.
// internal/lambdatest runs both as real processes, alternately, so that other load on the
// machine affects both alike; every budget is a ratio of the two. It calls nothing outside
// this machine.
//
//	go run ./internal/bench -o docs/performance.md
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/expressway-dev/expressway/internal/checkout"
	"github.com/expressway-dev/expressway/internal/devcost"
)

// A plan determines how much is measured: more of each narrows the spread.
type plan struct {
	cold    int // starts only for the cold start
	routes  int // starts for the cold start with many routes
	starts  int // starts that are fed with events
	events  int // events of each such start
	batches int // turns of one record and of ten
	large   int // starts that get batches of ten thousand
	calls   int // calls of the local engine in each of its turns

	only []string // the steps to take; empty takes all
}

// warmUp is how many events of each start precede the warm ones: in these, connections
// are made and the heap reaches its size.
const warmUp = 50

func (p plan) validate() error {
	var errs []error
	for _, f := range []struct {
		name       string
		value, min int
	}{
		{"cold", p.cold, 1},
		{"routes", p.routes, 1},
		{"starts", p.starts, 1},
		{"events", p.events, warmUp + 1},
		{"batches", p.batches, 1},
		{"large", p.large, 1},
		{"calls", p.calls, 1},
	} {
		if f.value < f.min {
			errs = append(errs, fmt.Errorf("-%s is %d, but must be at least %d", f.name, f.value, f.min))
		}
	}
	for _, name := range p.only {
		if !slices.ContainsFunc(steps, func(s step) bool { return s.name == name }) {
			errs = append(errs, fmt.Errorf("-only names %q; the steps are %s", name, strings.Join(stepNames(), ", ")))
		}
	}
	return errors.Join(errs...)
}

// A step measures some of the budgets.
type step struct {
	name string
	run  func(*bench, context.Context, *report) error
}

var steps = []step{
	{"zip", (*bench).zips},
	{"cold", (*bench).coldStarts},
	{"routes", (*bench).manyRoutes},
	{"warm", (*bench).warmEvents},
	{"layer", (*bench).layer},
	{"dedupe", (*bench).dedupe},
	{"queue", (*bench).queue},
	{"batches", (*bench).batches},
	{"large", (*bench).largeBodies},
	{"engine", (*bench).engine},
	{"executions", (*bench).manyExecutions},
	{"recorder", (*bench).recorder},
	{"jsonata", (*bench).growth},
	{"states", (*bench).growthOfStates},
}

func stepNames() []string {
	names := make([]string, len(steps))
	for i, s := range steps {
		names[i] = s.name
	}
	return names
}

func main() {
	devcost.ServeIfAsked()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the whole program. It returns the exit code: 0 when everything was measured,
// whether or not the budgets are met, 1 when something could not be, 2 for wrong usage.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	out := flags.String("o", "", "`file` for the report; standard output when empty")
	var p plan
	flags.IntVar(&p.cold, "cold", 300, "starts of each function for the cold start")
	flags.IntVar(&p.routes, "routes", 40, "starts of each function for the cold start with 100 and with 500 routes")
	flags.IntVar(&p.starts, "starts", 16, "starts of each function that are fed with events")
	flags.IntVar(&p.events, "events", 1000, "events for each of those starts")
	flags.IntVar(&p.batches, "batches", 30, "turns of an SQS batch of one and of ten")
	flags.IntVar(&p.large, "large", 4, "starts of each function that get SQS batches of ten thousand")
	flags.IntVar(&p.calls, "calls", 200, "calls of the local engine in each of 40 turns")
	only := flags.String("only", "", "`steps` to take, with commas: "+strings.Join(stepNames(), ", ")+"; all when empty")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if *only != "" {
		p.only = strings.Split(*only, ",")
	}
	err := p.validate()
	if flags.NArg() > 0 {
		err = errors.Join(err, fmt.Errorf("unexpected arguments: %s", strings.Join(flags.Args(), " ")))
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "bench:", err)
		return 2
	}
	report, err := measure(ctx, p, stderr)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	report.Command = strings.Join(append([]string{"go run ./internal/bench"}, args...), " ")
	text := report.markdown()
	if *out == "" {
		_, err = io.WriteString(stdout, text)
	} else {
		err = os.WriteFile(*out, []byte(text), 0o644) //nolint:gosec // a document of the repository
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "bench: write report:", err)
		return 1
	}
	return 0
}

// measure builds everything and measures every budget. It reports each step in a line on
// progress.
func measure(ctx context.Context, p plan, progress io.Writer) (*report, error) {
	// The harness shares two cores with what it measures. It collects its own garbage
	// between the starts, and seldom within one.
	defer debug.SetGCPercent(debug.SetGCPercent(800))

	began := time.Now()
	say := func(format string, args ...any) {
		_, _ = fmt.Fprintf(progress, "%6.1fs  %s\n", time.Since(began).Seconds(), fmt.Sprintf(format, args...))
	}
	dir, err := os.MkdirTemp("", "expressway-bench")
	if err != nil {
		return nil, fmt.Errorf("make work directory: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	root, err := checkout.Root()
	if err != nil {
		return nil, err
	}
	b := bench{
		plan: p, root: root, dir: dir, say: say,
		minimal: minimalFunction, webhook: webhookFunction, queues: queueFunction,
	}
	r := &report{Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, CPUs: runtime.NumCPU(), Plan: p}
	if err := b.build(ctx); err != nil {
		return nil, err
	}
	for _, step := range steps {
		if len(p.only) > 0 && !slices.Contains(p.only, step.name) {
			continue
		}
		if err := step.run(&b, ctx, r); err != nil {
			return nil, err
		}
	}
	say("done")
	r.Took = time.Since(began)
	return r, nil
}
