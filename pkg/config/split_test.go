package config_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/expressway-dev/expressway/pkg/config"
)

// judge returns the reader's result for a file: its problems, or its routes.
func judge(source string, options config.Options) string {
	options.Getenv = env(map[string]string{"SECRET": "s"})
	cfg, err := options.Parse("s.yaml", []byte(source))
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	for _, r := range cfg.Routes {
		fmt.Fprintf(&b, "%s %s %s %s\n", r.Name, r.Source(), r.StateMachine, r.Problem("start", ""))
	}
	return b.String()
}

// A file whose routes are parsed one by one gives what it gives when it is parsed whole,
// also where it is broken.
func TestRouteByRouteAsWhole(t *testing.T) {
	t.Parallel()
	sample, err := os.ReadFile("../../expressway.yaml")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(sample)+string(richRoutes(2)[len("version: 1\nroutes:\n"):]), "\n")
	odd := []string{
		"", "  - name: x", "- name: x", "routes:", "version: 1", "  # a comment", "# another", "      - a", "    x: |", "   text", "    \"open", "{", "]", "...", "\ta: 1",
		"  -", "    start: {% $request %}", "  - {name: z, sqs: q, start: m}", "    name: &a x", "    filter: >-", "      {% true %}",
	}
	rapid.Check(t, func(t *rapid.T) {
		changed := append([]string(nil), lines...)
		for range rapid.IntRange(0, 3).Draw(t, "changes") {
			at := rapid.IntRange(0, len(changed)-1).Draw(t, "at")
			line := rapid.SampledFrom(odd).Draw(t, "line")
			switch rapid.IntRange(0, 3).Draw(t, "how") {
			case 0:
				changed[at] = line
			case 1:
				changed = append(changed[:at], append([]string{line}, changed[at:]...)...)
			case 2:
				changed = append(changed[:at], changed[at+1:]...)
			default:
				changed[at] = strings.TrimPrefix(changed[at], "  ")
			}
		}
		source := strings.Join(changed, "\n")
		if got, want := judge(source, config.Options{}), judge(source, config.Options{}.Whole()); got != want {
			t.Fatalf("%s\none by one:\n%s\nwhole:\n%s", source, got, want)
		}
	})
}

// What is parsed one by one must be most files, or the split is of no use.
func BenchmarkSplit(b *testing.B) {
	source := string(richRoutes(100))
	for name, source := range map[string]string{"one by one": source, "whole": "---\n" + source} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				judge(source, config.Options{})
			}
		})
	}
}
