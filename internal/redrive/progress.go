package redrive

import (
	"context"
	"sync"
	"time"
)

// done records the end of a letter.
func (r *run) done(p *plan) {
	r.mu.Lock()
	r.seen[p.letter.ID] = &letterState{p.line.Fate, p.letter.Handle}
	switch p.line.Fate {
	case FateLive, FateDoubt, FateRefused, FateBehind:
		if p.line.Group != "" {
			r.stuck[p.line.Group] = true
		}
	}
	r.report.add(p.line)
	r.mu.Unlock()
	r.progress(false)
}

func (r *run) progress(waiting bool) {
	if r.o.Progress == nil {
		return
	}
	r.mu.Lock()
	p := Progress{Done: len(r.seen), Total: max(r.total, len(r.seen)), Sent: r.report.Sent(), Waiting: waiting}
	r.mu.Unlock()
	r.o.Progress(p)
}

func (r *run) through(l *Letter) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seen[l.ID] != nil
}

func (r *run) isStuck(group string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stuck[group]
}

// staying returns how many letters this run has seen and leaves in the queue.
func (r *run) staying() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.seen {
		if r.keeps(s.fate) {
			n++
		}
	}
	return n
}

// keeps reports whether a letter with the fate stays in the queue.
func (r *run) keeps(f Fate) bool { return r.o.DryRun || stays(f) }

func stays(f Fate) bool { return f != FateSent && f != FateAgain && f != FateDeleted }

// showAll makes the letters that stay visible again, even after the run is cancelled.
func (r *run) showAll(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), Visibility)
	defer cancel()
	for _, s := range r.seen {
		if r.keeps(s.fate) {
			_ = r.o.Queue.Hide(ctx, s.handle, 0) // it becomes visible by itself later
		}
	}
}

// A pacer limits letters to the rate of the options.
type pacer struct {
	o    *Options
	mu   sync.Mutex
	next time.Time
}

func (p *pacer) wait(ctx context.Context) error {
	if p.o.Rate <= 0 {
		return nil
	}
	p.mu.Lock()
	now := p.o.Now()
	at := p.next
	if at.Before(now) {
		at = now
	}
	p.next = at.Add(time.Duration(float64(time.Second) / p.o.Rate))
	p.mu.Unlock()
	if at.After(now) {
		return p.o.Sleep(ctx, at.Sub(now))
	}
	return ctx.Err()
}
