package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/internal/redrive"
)

// A bar fits into a line of the narrowest terminals, whatever it counts; elsewhere there is
// none, and few lines.
func TestRedriveProgress(t *testing.T) {
	t.Parallel()
	for _, p := range []redrive.Progress{
		{}, {Done: 5, Total: 10, Sent: 4}, {Done: 10, Total: 10, Sent: 10}, {Done: 12, Total: 10}, {Done: 9_999_999, Total: 12_345_678, Sent: 9_999_999, Waiting: true},
	} {
		if got := bar(p); len(got) >= 80 || !strings.HasPrefix(got, "[") || strings.ContainsAny(got, "\r\n") {
			t.Errorf("%+v is drawn as %q, %d characters", p, got, len(got))
		}
	}
	if got, want := bar(redrive.Progress{Done: 5, Total: 10, Sent: 4}), "["+strings.Repeat("#", 15)+strings.Repeat(".", 15)+"] 5 of about 10 letters, 4 sent"; got != want {
		t.Errorf("the bar is %q, want %q", got, want)
	}
	for _, terminal := range []bool{false, true} {
		var out bytes.Buffer
		g := &progress{out: &out, terminal: terminal}
		for done := range 1001 {
			g.show(redrive.Progress{Done: done, Total: 1000, Sent: done})
		}
		g.end()
		if got := strings.Count(out.String(), "\n"); !terminal && (got < 15 || got > lines+1) || terminal && got != 1 {
			t.Errorf("terminal %v: got %d lines of progress", terminal, got)
		}
		if strings.ContainsAny(out.String(), "\r\x1b#") != terminal {
			t.Errorf("terminal %v: want control characters only on a terminal, got %.100q", terminal, out.String())
		}
	}
}
