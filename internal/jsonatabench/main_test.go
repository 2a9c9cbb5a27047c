package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// Every row evaluates to something on its document.
func TestRows(t *testing.T) {
	t.Parallel()
	docs := documents()
	for _, r := range rows {
		t.Run(r.kind, func(t *testing.T) {
			t.Parallel()
			input, err := jsonata.Decode(docs[r.doc])
			if err != nil {
				t.Fatal(err)
			}
			v, err := jsonata.Options{MaxTime: time.Minute}.MustCompile(r.expr).Eval(context.Background(), input, nil)
			if err != nil || jsonata.IsUndefined(v) {
				t.Errorf("%s: got %v, %v, want a value", r.expr, v, err)
			}
		})
	}
}

func TestConfigCompiles(t *testing.T) {
	t.Parallel()
	b := bench{seconds: 0.001}
	if err := b.compile(); err != nil || b.compiled <= 0 {
		t.Errorf("got %v, %v, want the time that it takes", b.compiled, err)
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	b := bench{compiled: 123456, results: []result{
		{row{"path", "request", "a|b"}, 100, 950, 3, 40},
		{row{"slow", "request", "c"}, 2e6, 1e6, 1, 2},
	}}
	got := b.report()
	for _, want := range []string{
		"| path: `a\\|b` | 100 ns | 950 ns | 9.5× | 3 | 40 |", "| slow: `c` | 2.00 ms | 1.00 ms | 0.5× | 1 | 2 |",
		"Slower than the reference: 1 of 2.", "takes 123.5 µs",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}
