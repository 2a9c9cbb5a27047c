package main

import (
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/expressway-dev/expressway/internal/redrive"
	"github.com/expressway-dev/expressway/internal/words"
)

// A progress shows how far a redrive has come: with a bar on a terminal, and with
// occasional lines elsewhere.
type progress struct {
	mu       sync.Mutex
	out      io.Writer
	terminal bool
	shown    int // how many letters were done when the last line was written
	waiting  bool
	drawn    bool
}

func newProgress(p *program) *progress {
	return &progress{out: p.stderr, terminal: isTerminal(p.stderr)}
}

// barWidth is the width of the bar in characters, and lines is how many lines a run
// writes without a bar.
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
	text := fmt.Sprintf("%d of about %s, %d sent%s", p.Done, words.Count(p.Total, "letter"), p.Sent, note)
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

// bar draws the progress in less than the width of the narrowest terminals: a longer line
// would wrap, and would be drawn again below itself each time.
func bar(p redrive.Progress) string {
	text := fmt.Sprintf("%d of about %s, %d sent", p.Done, words.Count(p.Total, "letter"), p.Sent)
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

// end moves past the line of the bar.
func (g *progress) end() {
	if g.drawn {
		fmt.Fprintln(g.out)
	}
}
