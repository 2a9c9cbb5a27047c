package redrive

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/expressway-dev/expressway/internal/words"
)

// A Report describes what a run did with each letter.
type Report struct {
	// Resumed means that the run continued an unfinished one, which began at Began.
	Resumed bool
	Began   time.Time
	Lines   []Line
	// Unreached counts letters that could not be received: those of a message group whose
	// earlier letters stay.
	Unreached int
	sent      int
}

func (r *Report) add(l Line) {
	r.Lines = append(r.Lines, l)
	if l.Fate == FateSent || l.Fate == FateAgain {
		r.sent++
	}
}

// addTwice lists the letters that a killed run sent twice without reporting it.
func (r *Report) addTwice(j *journal) {
	missing := map[string]bool{}
	for _, id := range j.twice() {
		missing[id] = true
	}
	for i := range r.Lines {
		r.Lines[i].Twice = missing[r.Lines[i].ID]
		delete(missing, r.Lines[i].ID)
	}
	for id := range missing {
		r.Lines = append(r.Lines, Line{ID: id, Kind: KindEarlier, Fate: FateAgain, Twice: true, Why: "by a run that was killed"})
	}
}

// Sent is how many letters were sent.
func (r *Report) Sent() int { return r.sent }

// Count returns how many letters have a fate.
func (r *Report) Count(f Fate) (n int) {
	for i := range r.Lines {
		if r.Lines[i].Fate == f {
			n++
		}
	}
	return n
}

// Open reports whether selected letters are still in the queue and need attention: those
// in doubt, completed or refused, with a live claim, or behind such a letter.
func (r *Report) Open() bool {
	return r.Count(FateDoubt)+r.Count(FateCompleted)+r.Count(FateRefused)+r.Count(FateLive)+r.Count(FateBehind)+r.Unreached > 0
}

// row groups the letters that are counted together.
type row struct {
	Kind               Kind
	Error, Route, Goes string
	Fate               Fate
}

// Write prints the table of what happened, or with dry of what would happen, and then
// each letter that needs attention.
func (r *Report) Write(w io.Writer, dry bool) error {
	counts := map[row]int{}
	for _, l := range r.Lines {
		goes := l.Target
		if stays(l.Fate) || goes == "" {
			goes = "-"
		}
		counts[row{l.Kind, cmp.Or(l.Error, "-"), cmp.Or(l.Route, "-"), goes, l.Fate}]++
	}
	rows := make([]row, 0, len(counts))
	for k := range counts {
		rows = append(rows, k)
	}
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Error, b.Error), cmp.Compare(a.Route, b.Route), cmp.Compare(a.Goes, b.Goes), cmp.Compare(a.Fate, b.Fate))
	})
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	if len(rows) > 0 {
		fmt.Fprintln(t, "LETTERS\tKIND\tERROR\tROUTE\tTO\t"+map[bool]string{false: "WHAT HAPPENED", true: "WHAT WOULD HAPPEN"}[dry])
	}
	for _, k := range rows {
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\n", counts[k], k.Kind, oneLine(k.Error), k.Route, k.Goes, k.Fate)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, l := range r.listed() {
		fmt.Fprintf(&b, "%s: %s: %s\n", l.ID, l.Fate, l.Why)
	}
	if r.Unreached > 0 {
		fmt.Fprintf(&b, "%s not reached, because an earlier letter of the message group stays\n", words.Count(r.Unreached, "letter"))
	}
	verb := "sent"
	if dry {
		verb = "would be sent"
	}
	fmt.Fprintf(&b, "%s, %d %s\n", words.Count(len(r.Lines), "letter"), r.sent, verb)
	_, err := io.WriteString(w, b.String())
	return err
}

// listed returns the letters that need attention, in a fixed order.
func (r *Report) listed() []Line {
	out := slices.DeleteFunc(slices.Clone(r.Lines), func(l Line) bool {
		switch l.Fate {
		case FateSent, FateAgain, FateDeleted, FateOther, FateLate:
			return !l.Twice
		}
		return false
	})
	for i := range out {
		if out[i].Twice {
			out[i].Why = strings.TrimSuffix("it may run twice, because neither a FIFO queue nor dedupe drops the second copy; "+out[i].Why, "; ")
		}
	}
	slices.SortFunc(out, func(a, b Line) int { return cmp.Or(cmp.Compare(a.Fate, b.Fate), cmp.Compare(a.ID, b.ID)) })
	return out
}

// oneLine makes an untrusted name safe to print.
func oneLine(s string) string {
	if q := strconv.Quote(s); q != `"`+s+`"` {
		return q
	}
	return s
}
