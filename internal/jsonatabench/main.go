// Command jsonatabench compares the speed of pkg/jsonata with that of the reference
// implementation in Node, on the same expressions and documents, alternately, and writes
// docs/jsonata-performance.md.
//
//	(cd internal/jsonataref && npm ci)
//	go run ./internal/jsonatabench -o docs/jsonata-performance.md
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"time"

	"github.com/expressway-dev/expressway/internal/jsonataref"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("jsonatabench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	out := flags.String("o", "", "`file` for the report; standard output when empty")
	reference := flags.String("reference", "internal/jsonataref", "`folder` of the reference")
	seconds := flags.Float64("seconds", 0.3, "`seconds` for each of the three turns of each side of a row")
	only := flags.String("only", "", "measure the rows whose kind contains this")
	growth := flags.Bool("growth", false, "measure only how the time of expressions grows with the input")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	ref, err := jsonataref.Start(*reference)
	if err != nil {
		fmt.Fprintln(stderr, "jsonatabench:", err)
		return 2
	}
	b := bench{ref: ref, seconds: *seconds, docs: documents(), progress: stderr}
	for _, r := range rows {
		if !*growth && strings.Contains(r.kind, *only) {
			err = errors.Join(err, b.measure(ctx, r))
		}
	}
	err = errors.Join(err, b.allGrowth(ctx, *only))
	if err = errors.Join(err, b.compile(), ref.Close()); err != nil {
		fmt.Fprintln(stderr, "jsonatabench:", err)
		return 1
	}
	if *out == "" {
		fmt.Fprint(stdout, b.report())
		return 0
	}
	if err := os.WriteFile(*out, []byte(b.report()), 0o644); err != nil {
		fmt.Fprintln(stderr, "jsonatabench:", err)
		return 1
	}
	return 0
}

type bench struct {
	ref      *jsonataref.Reference
	seconds  float64
	docs     map[string]json.RawMessage
	progress io.Writer

	results  []result
	grown    []growthResult
	compiled float64 // nanoseconds for a configuration
}

type result struct {
	row
	ours, theirs  float64 // nanoseconds, the best of the turns
	allocs, bytes int64
}

// measure takes three turns of each side, one after the other.
func (b *bench) measure(ctx context.Context, r row) error {
	input, err := jsonata.Decode(b.docs[r.doc])
	if err != nil {
		return err
	}
	expr, err := jsonata.Options{MaxTime: time.Minute}.Compile(r.expr)
	if err != nil {
		return fmt.Errorf("%s: %w", r.kind, err)
	}
	request := jsonataref.Request{Version: jsonataref.Newest, Expr: r.expr, Input: b.docs[r.doc]}
	if err := b.sameResult(ctx, expr, input, request); err != nil {
		return fmt.Errorf("%s: %w", r.kind, err)
	}
	request.Seconds = b.seconds
	out := result{row: r}
	for range 3 {
		answers, err := b.ref.Ask(ctx, []jsonataref.Request{request}, time.Minute)
		if err != nil {
			return err
		}
		out.theirs = least(out.theirs, answers[0].Nanos)
		ours := b.evaluations(ctx, expr, input)
		if ours.err != nil {
			return fmt.Errorf("%s: %w", r.kind, ours.err)
		}
		out.ours = least(out.ours, ours.nanos)
		out.allocs, out.bytes = ours.allocs, ours.bytes
	}
	b.results = append(b.results, out)
	fmt.Fprintf(b.progress, "%-28s %10.0f %10.0f ns  %6.1f×  %d allocations\n", r.kind, out.ours, out.theirs, out.theirs/out.ours, out.allocs)
	return nil
}

func least(a, b float64) float64 {
	if a == 0 || b < a {
		return b
	}
	return a
}

func (b *bench) sameResult(ctx context.Context, expr *jsonata.Expr, input any, request jsonataref.Request) error {
	answers, err := b.ref.Ask(ctx, []jsonataref.Request{request}, time.Minute)
	if err != nil {
		return err
	}
	v, err := expr.Eval(ctx, input, nil)
	if err != nil {
		return err
	}
	text, err := jsonata.AppendJSON(nil, v)
	if err != nil {
		return err
	}
	if a := answers[0]; a.Value == nil || plain(text) != plain([]byte(*a.Value)) {
		return fmt.Errorf("the results differ: %.200s, the reference has %v", text, a)
	}
	return nil
}

// plain writes JSON text as encoding/json does, so that 1.50 and 1.5 are the same.
func plain(text []byte) string {
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		return string(text)
	}
	again, _ := json.Marshal(v) // what was read can be written
	return string(again)
}

type turn struct {
	nanos         float64
	allocs, bytes int64
	err           error
}

// evaluations measures in rounds like those of the reference.
func (b *bench) evaluations(ctx context.Context, expr *jsonata.Expr, input any) turn {
	var t turn
	nanos, n := b.rounds(func() {
		if _, err := expr.Eval(ctx, input, nil); err != nil {
			t.err = err
		}
	})
	t.nanos = nanos
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range n {
		_, _ = expr.Eval(ctx, input, nil) // its error is already known
	}
	runtime.ReadMemStats(&after)
	t.allocs = int64(after.Mallocs-before.Mallocs) / int64(n)
	t.bytes = int64(after.TotalAlloc-before.TotalAlloc) / int64(n)
	return t
}

// rounds returns the time of f in the best round, and how often a round calls it.
func (b *bench) rounds(f func()) (nanos float64, n int) {
	round := func(n int) float64 {
		start := time.Now()
		for range n {
			f()
		}
		return float64(time.Since(start))
	}
	for n = 1; round(n) < roundNanos; n *= 2 {
	}
	for end := time.Now().Add(time.Duration(b.seconds * float64(time.Second))); time.Now().Before(end) || nanos == 0; {
		nanos = least(nanos, round(n)/float64(n))
	}
	return nanos, n
}

// roundNanos is roughly how long a round takes: short enough that some rounds are not
// disturbed by other load. Rounds of the reference take as long.
const roundNanos = 5e6

// compile measures the expressions of a configuration with ten routes.
func (b *bench) compile() error {
	exprs := config()
	var failed error
	for range 3 {
		nanos, _ := b.rounds(func() {
			for _, e := range exprs {
				if _, err := (jsonata.Options{StepFunctions: true}).Compile(e); err != nil {
					failed = err
				}
			}
		})
		b.compiled = least(b.compiled, nanos)
	}
	return failed
}

func (b *bench) report() string {
	var s strings.Builder
	s.WriteString(`# Performance of JSONata

` + "`make jsonata-bench`" + ` (` + "`go run ./internal/jsonatabench -o docs/jsonata-performance.md`" + `) writes this file. Each row is one
compiled expression on one decoded document, evaluated alternately by this engine and by the reference
implementation (npm jsonata ` + jsonataref.Newest + `, in Node), in one run on one machine. The results are compared first.
Each time is that of the best of many rounds of about 5 ms.

`)
	fmt.Fprintf(&s, "%s, %s/%s, %d processors.\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	s.WriteString("| expression | here | reference | faster | allocations | bytes |\n|---|---:|---:|---:|---:|---:|\n")
	slower := 0
	for _, r := range b.results {
		fmt.Fprintf(&s, "| %s: `%s` | %s | %s | %.1f× | %d | %d |\n", r.kind, strings.ReplaceAll(r.expr, "|", `\|`), duration(r.ours), duration(r.theirs), r.theirs/r.ours, r.allocs, r.bytes)
		if r.ours > r.theirs {
			slower++
		}
	}
	fmt.Fprintf(&s, "\nSlower than the reference: %d of %d.\n\n", slower, len(b.results))
	fmt.Fprintf(&s, "Compiling the %d expressions of a configuration with ten routes takes %s (the budget is 1 ms).\n", len(config()), duration(b.compiled))
	s.WriteString(b.growthReport())
	return s.String()
}

func duration(nanos float64) string {
	switch {
	case nanos < 1e3:
		return fmt.Sprintf("%.0f ns", nanos)
	case nanos < 1e6:
		return fmt.Sprintf("%.1f µs", nanos/1e3)
	}
	return fmt.Sprintf("%.2f ms", nanos/1e6)
}
