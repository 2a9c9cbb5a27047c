// Command jsonatadiff compares pkg/jsonata with the reference implementation, on random
// expressions and inputs: values to the last character, errors by code and token. The
// whole language is compared with the newest version, the dialect of Step Functions with
// the version that Step Functions runs. Deliberate differences are in deliberate.go.
//
//	(cd internal/jsonataref && npm ci)
//	go run ./internal/jsonatadiff -time 1m
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/signal"
	"slices"
	"time"

	"github.com/expressway-dev/expressway/internal/jsonataref"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the whole program: 0 when nothing differs, 1 when something does, 2 when it cannot run.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("jsonatadiff", flag.ContinueOnError)
	flags.SetOutput(stderr)
	d := differ{out: stdout, excused: map[string]int{}}
	length := flags.Duration("time", time.Minute, "how long to look for differences")
	seed := flags.Uint64("seed", rand.Uint64(), "`seed` of the generator; the same seed makes the same cases")
	flags.IntVar(&d.most, "n", 10, "stop after this many differences")
	reference := flags.String("reference", "internal/jsonataref", "`folder` of the reference")
	suite := flags.String("suite", "", "`folder` of the official test suite, whose expressions are then varied too")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	var err error
	if d.ref, err = jsonataref.Start(*reference); err != nil {
		fmt.Fprintln(stderr, "jsonatadiff:", err)
		return 2
	}
	d.gen = newSource(*seed)
	if *suite != "" {
		if d.gen.suite, err = readSuite(*suite); err != nil {
			fmt.Fprintln(stderr, "jsonatadiff:", err)
			return 2
		}
	}
	fmt.Fprintf(stdout, "seed %d, %v\n", *seed, *length)
	if err := errors.Join(d.look(ctx, *length), d.ref.Close()); err != nil {
		fmt.Fprintln(stderr, "jsonatadiff:", err)
		return 2
	}
	d.report()
	if d.found > 0 {
		return 1
	}
	return 0
}

type differ struct {
	ref     *jsonataref.Reference
	gen     *source
	out     io.Writer
	most    int
	found   int
	cases   int
	values  int // cases that both sides have a value for
	errors  int // and that both refuse in the same way
	excused map[string]int
}

// batch is how many cases are evaluated at once.
const batch = 1000

// patience is how long the reference may take for a single case.
const patience = 5 * time.Second

func (d *differ) look(ctx context.Context, length time.Duration) error {
	end := time.Now().Add(length)
	for time.Now().Before(end) && d.found < d.most {
		cases := make([]testCase, batch)
		for i := range cases {
			cases[i] = d.gen.next()
		}
		if err := d.compare(ctx, cases, d.check); err != nil {
			return err
		}
	}
	return nil
}

// compare evaluates the cases on both sides concurrently.
func (d *differ) compare(ctx context.Context, cases []testCase, check func(c testCase, ours, theirs outcome) error) error {
	requests := make([]jsonataref.Request, len(cases))
	for i, c := range cases {
		requests[i] = c.request()
	}
	type result struct {
		answers []jsonataref.Answer
		err     error
	}
	asked := make(chan result, 1)
	go func() {
		answers, err := d.ref.Ask(ctx, requests, patience)
		asked <- result{answers, err}
	}()
	mine := make([]outcome, len(cases))
	for i, c := range cases {
		mine[i] = c.ours(ctx)
	}
	r := <-asked
	if r.err != nil {
		return r.err
	}
	for i, c := range cases {
		if err := check(c, mine[i], theirs(r.answers[i])); err != nil {
			return err
		}
	}
	return nil
}

func (d *differ) check(c testCase, ours, theirs outcome) error {
	d.cases++
	switch {
	case same(c, ours, theirs):
		if ours.code == "" {
			d.values++
		} else {
			d.errors++
		}
		return nil
	case d.found >= d.most:
		return nil
	}
	e, err := d.excuse(c, ours, theirs)
	if err != nil {
		return err
	}
	if e != nil {
		d.excused[e.name]++
		return nil
	}
	d.found++
	c, ours, theirs = d.shrink(c, ours, theirs)
	_, err = fmt.Fprintf(d.out, "\n%s\n  here:      %s\n  reference: %s\n", c, ours, theirs)
	return err
}

// excuse returns the deliberate difference that explains the outcomes, if one does.
func (d *differ) excuse(c testCase, ours, told outcome) (*deliberate, error) {
	if e := excuse(c, ours, told); e != nil || !c.dialect {
		return e, nil
	}
	r := c.request()
	r.Version = jsonataref.Newest
	answers, err := d.ref.Ask(context.Background(), []jsonataref.Request{r}, patience)
	if err != nil {
		return nil, err
	}
	newest := theirs(answers[0])
	if same(c, ours, newest) || excuse(c, ours, newest) != nil {
		return correctedLater, nil
	}
	return nil, nil
}

func (d *differ) report() {
	fmt.Fprintf(d.out, "%d cases: %d values and %d errors are equal, %d differ\n", d.cases, d.values, d.errors, d.found)
	for _, name := range slices.Sorted(maps.Keys(d.excused)) {
		for _, e := range append(deliberates, *correctedLater) {
			if e.name == name {
				fmt.Fprintf(d.out, "%6d %s: %s\n", d.excused[name], name, e.reason)
			}
		}
	}
}
