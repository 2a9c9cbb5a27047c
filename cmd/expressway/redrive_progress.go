package main

import (
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/expressway-dev/expressway/internal/redrive"
)

// A progress shows how far a redrive is: a bar on a terminal, and elsewhere a line now and
// then.
type progress struct {
	mu       sync.Mutex
	out      io.Writer
	terminal bool
	shown    int // of the lines: what was done when the last one was written
	waiting  bool
	drawn    bool
}

func newProgress(p *program) *progress {
	return &progress{out: p.stderr, terminal: isTerminal(p.stderr)}
}

// barWidth is the bar's in characters, and lines how many lines a run writes without one.
const (
	barWidth  = 30
	narrowest = 80
	lines     = 20
)

func (g *progress) show(p redrive.Progress) {
	g.mu.Lock()
	defer g.mu.Unlock()
	note := ""
	if p.Waiting {
		note = ", waiting for letters that a killed run still hides"
	}
	text := fmt.Sprintf("%d of about %d letters, %d sent%s", p.Done, p.Total, p.Sent, note)
	if g.terminal {
		fmt.Fprint(g.out, "\r\x1b[K"+bar(p))
		g.drawn = true
		return
	}
	if p.Done-g.shown < max(1, p.Total/lines) && p.Waiting == g.waiting {
		return
	}
	g.shown, g.waiting = p.Done, p.Waiting
	fmt.Fprintln(g.out, text)
}

// bar draws a run in less than the columns of the narrowest terminals: a longer line would
// wrap, and be drawn below itself each time.
func bar(p redrive.Progress) string {
	text := fmt.Sprintf("%d of about %d letters, %d sent", p.Done, p.Total, p.Sent)
	if p.Waiting {
		text += ", waiting for hidden ones"
	}
	width := max(0, min(barWidth, narrowest-1-len(text)-len("[] ")))
	full := width
	if p.Total > 0 {
		full = min(width, width*p.Done/p.Total)
	}
	return "[" + strings.Repeat("#", full) + strings.Repeat(".", width-full) + "] " + text
}

// end leaves the bar's line.
func (g *progress) end() {
	if g.drawn {
		fmt.Fprintln(g.out)
	}
}
