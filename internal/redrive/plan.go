package redrive

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/expressway-dev/expressway/pkg/dedupe"
)

// Fate is the result for a letter.
type Fate string

// The fates. Only a letter that was sent, now or by a killed run, is deleted.
const (
	FateSent      Fate = "sent"
	FateAgain     Fate = "sent again" // in doubt, and sent a second time
	FateDeleted   Fate = "deleted"    // sent by an earlier run
	FateOther     Fate = "not chosen" // by --error and --route
	FateLate      Fate = "came later" // after the run began
	FateLive      Fate = "claim is live"
	FateCompleted Fate = "completed"
	FateDoubt     Fate = "in doubt"
	FateBehind    Fate = "behind one that stays"
	FateRefused   Fate = "not sent"
)

// A Line is the report of one letter.
type Line struct {
	ID     string
	Kind   Kind
	Error  string
	Route  string
	Target string
	Group  string
	Fate   Fate
	// Why adds to the fate if necessary; Wait is the remaining time of a live claim.
	Why  string
	Wait time.Duration
	// Twice means that the letter was sent twice without deduplication.
	Twice bool
}

// A plan is what a run does with a letter.
type plan struct {
	letter *Letter
	parcel *Parcel
	known  Known
	line   Line
	// tried is the journal's entry of an earlier try; zero if there is none.
	tried entry
	// free is the expired claim that is freed before the send.
	free *dedupe.Item
	// one reports whether the receiver deduplicates a second send.
	one bool
}

// settled reports whether the letter is not to be sent.
func (p *plan) settled() bool { return p.line.Fate != "" }

func (p *plan) end(f Fate, why string) *plan {
	p.line.Fate, p.line.Why = f, why
	return p
}

// plan decides what to do with a letter.
func (r *run) plan(ctx context.Context, l *Letter) (*plan, error) {
	p := &plan{letter: l, tried: r.journal.of(l.ID)}
	c := read(l)
	p.line = Line{ID: l.ID, Kind: c.kind, Error: c.err, Group: l.System[messageGroup]}
	if c.kind == KindBridge {
		p.line.Route = c.reason.Route
	}
	if p.tried.Stage == sent || p.tried.Stage == gone {
		p.line.Target = p.tried.Target.String()
		return p.end(FateDeleted, "an earlier run sent it"), nil
	}
	doubtful := p.tried.Stage == tried
	if sentAt := l.sent(); sentAt.After(r.journal.began) && !doubtful {
		return p.end(FateLate, ""), nil
	}
	if !r.o.chosen(c.err) {
		return p.end(FateOther, ""), nil
	}
	parcel, reason := r.o.pack(l, &c)
	if reason == nil && r.o.Keys != nil {
		var err error
		if p.known, err = r.o.Keys.Known(ctx, parcel); err != nil {
			reason = fmt.Errorf("its dedupe key cannot be computed: %w", err)
		}
		if p.line.Route == "" {
			p.line.Route = p.known.Route
		}
	}
	if r.o.Route != "" && r.o.Route != p.line.Route {
		return p.end(FateOther, ""), nil
	}
	if reason != nil {
		return p.end(FateRefused, reason.Error()), nil
	}
	p.parcel, p.line.Target = parcel, parcel.Target.String()
	if parcel.Bare && p.known.Record != "" {
		return p.end(FateRefused, "it has ten attributes, which leaves no room for its deduplication id, and its route has dedupe: pass --to with a standard queue, or send it manually"), nil
	}
	if err := r.claim(ctx, p); err != nil || p.settled() {
		return p, err
	}
	p.one = r.makesOne(p)
	if doubtful && !p.one && r.o.InDoubt != Send {
		return p.end(FateDoubt, errDoubt.Error()), nil
	}
	return p, nil
}

// claim looks up the dedupe record of the letter. A letter stays if its record is in
// progress, because an execution may be running, or completed, because its work is done.
func (r *run) claim(ctx context.Context, p *plan) error {
	if p.known.Record == "" || r.o.Claims == nil {
		return nil
	}
	item, found, err := r.o.Claims.Look(ctx, p.known.Record)
	if err != nil {
		return fmt.Errorf("read the dedupe record %s: %w", p.known.Record, err)
	}
	now := r.o.Now()
	switch {
	case !found, !item.Expires.IsZero() && item.Expires.Before(now) && !item.Live(now):
	case item.Completed:
		p.end(FateCompleted, "a delivery with its dedupe key was completed: use expressway forget to free the key if it must run again")
	case item.Live(now):
		until := item.Until
		if until.IsZero() {
			until = item.Expires
		}
		p.line.Wait = until.Sub(now)
		p.end(FateLive, fmt.Sprintf("an execution may be running for its dedupe key until %s, for another %s", until.UTC().Format(time.RFC3339), p.line.Wait.Round(time.Second)))
	default:
		p.free = &item
	}
	return nil
}

// deduplicates is how long SQS remembers a MessageDeduplicationId, less a difference
// between clocks.
const deduplicates = 5*time.Minute - 30*time.Second

// makesOne reports whether a second send now has no effect: a FIFO queue still remembers
// its redrive id, or the dedupe key of its route is unchanged.
func (r *run) makesOne(p *plan) bool {
	before := p.tried.Stage == tried
	if before && (p.tried.Target.Place != p.parcel.Target.Place || !sameQueue(p.tried.Target.Address, p.parcel.Target.Address)) {
		return false
	}
	if p.known.Record != "" && p.known.Stable && r.o.Claims != nil {
		return true
	}
	return p.parcel.Target.fifo() && (!before || r.o.Now().Sub(p.tried.At) < deduplicates)
}

// chosen reports whether --error names the letter's error, or one of the errors of an
// array of events.
func (o *Options) chosen(name string) bool {
	return o.Error == "" || o.Error == name || slices.Contains(strings.Split(name, ", "), o.Error)
}
