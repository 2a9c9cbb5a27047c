package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/expressway-dev/expressway/pkg/console"
)

// A terminal writes a short line for each delivery and, if it failed, a second one with
// the reason.
type terminal struct {
	mu     sync.Mutex
	out    io.Writer
	colour bool
	silent bool
}

func newTerminal(p *program) *terminal {
	return &terminal{out: p.stdout, colour: p.getenv("NO_COLOR") == "" && isTerminal(p.stdout)}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func (t *terminal) quiet(on bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.silent = on
}

func (t *terminal) isSilent() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.silent
}

// The colours are those that terminal themes define.
const (
	green  = "32"
	red    = "31"
	yellow = "33"
	grey   = "2"
)

func (t *terminal) paint(colour, text string) string {
	if !t.colour {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// settled prints a delivery that has ended.
func (t *terminal) settled(d console.Delivery) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.silent {
		return
	}
	mark, colour := "ok  ", green
	switch {
	case !d.OK:
		mark, colour = "fail", red
	case d.Decision != "started":
		mark, colour = "    ", yellow
	}
	route := d.Route
	if d.Decision != "started" && d.Decision != "mixed" {
		route = strings.TrimSpace(d.Decision + " " + d.Route)
		if d.Reason != "" {
			route += " (" + d.Reason + ")"
		}
	}
	fmt.Fprintf(t.out, "%s %s %-3s %s → %s %s\n", t.paint(grey, d.Received.Format(time.TimeOnly)), t.paint(colour, mark),
		plain(d.Status), plain(d.Title), plain(route), t.paint(grey, took(d.Milliseconds)))
	if why := why(d); why != "" {
		fmt.Fprintf(t.out, "         %s\n", t.paint(colour, why))
	}
}

func took(milliseconds float64) string {
	if milliseconds < 10 {
		return fmt.Sprintf("%.1f ms", milliseconds)
	}
	return time.Duration(milliseconds * float64(time.Millisecond)).Round(time.Millisecond).String()
}

// maxCause is how many characters of a cause are shown: as many as in a function's log.
const maxCause = 1024

// why describes what failed, where, and for which reason.
func why(d console.Delivery) string {
	if d.Error == "" {
		return ""
	}
	text := d.Error
	if d.State != "" {
		text += fmt.Sprintf(" in state %q", d.State)
	}
	cause := strings.TrimPrefix(d.Cause, d.Error+": ")
	if len(cause) > maxCause {
		cause = strings.ToValidUTF8(cause[:maxCause], "") + " …"
	}
	if cause != "" {
		text += ": " + cause
	}
	return plain(text)
}

// plainLines is like plain, for a text of several lines.
func plainLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = plain(line)
	}
	return strings.Join(lines, "\n")
}

// plain removes control characters, which a sender could use to control the terminal.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, text)
}

// untold passes on only the log records that the terminal's lines do not already cover.
type untold struct {
	slog.Handler
	term *terminal
}

// told lists the messages of log lines for which the terminal has a short form.
var told = map[string]bool{
	"delivery settled": true, "request refused": true, "event refused": true, "handshake answered": true,
	"record without a route": true,
}

func (u untold) Handle(ctx context.Context, r slog.Record) error {
	if told[r.Message] || u.term.isSilent() {
		return nil
	}
	return u.Handler.Handle(ctx, r)
}

func (u untold) WithAttrs(attrs []slog.Attr) slog.Handler {
	return untold{u.Handler.WithAttrs(attrs), u.term}
}

func (u untold) WithGroup(name string) slog.Handler { return untold{u.Handler.WithGroup(name), u.term} }
