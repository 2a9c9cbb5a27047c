package redrive

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// A run is one redrive in progress.
type run struct {
	o       *Options
	journal *journal
	report  *Report
	pace    pacer
	resumed bool

	mu    sync.Mutex
	seen  map[string]*letterState
	stuck map[string]bool // message groups in which a letter stays
	total int
}

// letterState is what this run did with a letter.
type letterState struct {
	fate   Fate
	handle string // the newest; used to show the letter again or to delete it
}

// How a run polls: it has seen all letters when this many polls in a row were empty.
const (
	pollWait  = time.Second
	idlePolls = 3
	// mostLetters is how many letters SQS returns at once.
	mostLetters = 10
	// stayHidden is for letters that stay and were received twice: ten thousand of them
	// must not return before the run has seen the others.
	stayHidden = 10 * time.Minute
)

// Run puts letters back until it has seen all of them. The report describes what happened
// even with an error; after an error, another run continues.
func Run(ctx context.Context, o Options) (*Report, error) {
	o.defaults()
	began := o.Began
	if began.IsZero() {
		began = o.Now()
	}
	j, resumed, err := openJournal(o.Store, o.From, began)
	if err != nil {
		return nil, err
	}
	r := &run{
		o: &o, journal: j, resumed: resumed, report: &Report{Resumed: resumed, Began: j.began},
		pace: pacer{o: &o}, seen: map[string]*letterState{}, stuck: map[string]bool{},
	}
	err = r.all(ctx)
	r.report.addTwice(j)
	r.showAll(ctx)
	if err == nil {
		err = errors.Join(r.count(ctx), r.deleteUnseen(ctx), j.end(o.From))
	}
	return r.report, err
}

// count determines how many letters of a FIFO queue could not be received: SQS does not
// return more of a message group while one of its messages is hidden.
func (r *run) count(ctx context.Context) error {
	if !strings.HasSuffix(r.o.From, ".fifo") {
		return nil
	}
	visible, hidden, err := r.o.Queue.Count(ctx)
	r.report.Unreached = max(0, visible+hidden-r.staying())
	return err
}

// deleteUnseen deletes letters that an earlier run sent and this one has not received.
// Usually they were deleted, and the run was killed before it recorded that.
func (r *run) deleteUnseen(ctx context.Context) error {
	_, undeleted := r.journal.open()
	for _, e := range undeleted {
		if r.o.DryRun || r.o.Queue.Delete(ctx, e.Handle) != nil {
			continue // the journal keeps it
		}
		if err := r.journal.add(entry{ID: e.ID, Stage: gone}); err != nil {
			return err
		}
	}
	return nil
}

// all processes the whole queue.
func (r *run) all(ctx context.Context) error {
	if r.resumed {
		for _, handle := range r.journal.held() {
			_ = r.o.Queue.Hide(ctx, handle, 0) // it may be gone, or visible by now
		}
	}
	visible, hidden, err := r.o.Queue.Count(ctx)
	if err != nil {
		return err
	}
	r.total = visible + hidden
	r.progress(false)
	until := r.o.Now().Add(Visibility + 5*time.Second)
	for idle := 0; idle < idlePolls; {
		letters, err := r.o.Queue.Receive(ctx, r.most(), pollWait)
		if err != nil {
			return err
		}
		received := r.o.Now()
		fresh, err := r.again(ctx, letters)
		if err != nil {
			return err
		}
		if err := r.batch(ctx, fresh, received); err != nil {
			return err
		}
		if len(letters) > 0 {
			idle = 0
			continue
		}
		if idle++; idle == idlePolls && r.resumed {
			visible, hidden, err := r.o.Queue.Count(ctx)
			if err != nil {
				return err
			}
			if visible+hidden > r.staying() && r.o.Now().Before(until) {
				r.progress(true)
				if err := r.o.Sleep(ctx, pollWait); err != nil {
					return err
				}
				idle = 0
			}
		}
	}
	return nil
}

// most returns how many letters to receive at once: no more than can be sent before they
// become visible again.
func (r *run) most() int {
	if r.o.Rate <= 0 {
		return mostLetters
	}
	return max(1, min(mostLetters, int(r.o.Rate*Visibility.Seconds()/3)))
}

// again handles letters that this run has received before and that became visible again,
// and returns the others.
func (r *run) again(ctx context.Context, letters []Letter) (fresh []*Letter, err error) {
	for i := range letters {
		l := &letters[i]
		r.mu.Lock()
		state := r.seen[l.ID]
		if state != nil {
			state.handle = l.Handle
		}
		r.mu.Unlock()
		switch {
		case state == nil:
			fresh = append(fresh, l)
		case !r.keeps(state.fate):
			if err := r.delete(ctx, l); err != nil {
				return nil, err
			}
		default:
			if err := r.take(l); err != nil {
				return nil, err
			}
			if err := r.o.Queue.Hide(ctx, l.Handle, stayHidden); err != nil {
				return nil, err
			}
		}
	}
	return fresh, nil
}

// take records the handle, which a continued run uses to make the letter visible again.
func (r *run) take(l *Letter) error {
	return r.journal.add(entry{ID: l.ID, Stage: taken, Handle: l.Handle})
}

// batch processes letters in parallel, and those of a message group in order.
func (r *run) batch(ctx context.Context, letters []*Letter, received time.Time) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	for _, l := range letters {
		if err := r.take(l); err != nil {
			return err
		}
	}
	var lanes [][]*Letter
	at := map[string]int{}
	for _, l := range letters {
		group := l.System[messageGroup]
		if i, known := at[group]; known && group != "" {
			lanes[i] = append(lanes[i], l)
			continue
		}
		at[group] = len(lanes)
		lanes = append(lanes, []*Letter{l})
	}
	var working sync.WaitGroup
	room := make(chan struct{}, r.o.Workers)
	for _, lane := range lanes {
		room <- struct{}{}
		working.Go(func() {
			defer func() { <-room }()
			for _, l := range lane {
				if ctx.Err() != nil {
					return
				}
				if err := r.letter(ctx, l, received); err != nil {
					cancel(err)
					return
				}
				if !r.through(l) {
					return // the rest of the group must not overtake it
				}
			}
		})
	}
	working.Wait()
	return context.Cause(ctx)
}

// letter processes one letter.
func (r *run) letter(ctx context.Context, l *Letter, received time.Time) error {
	p, err := r.plan(ctx, l)
	if err != nil {
		return err
	}
	group := p.line.Group
	if !p.settled() && group != "" && r.isStuck(group) {
		p.end(FateBehind, "an earlier letter of its message group "+group+" stays")
	}
	switch {
	case p.line.Fate == FateDeleted:
		if !r.o.DryRun {
			err = r.delete(ctx, l)
		}
	case p.settled():
	case r.o.DryRun:
		p.end(FateSent, "")
		if p.tried.Stage == tried {
			p.end(FateAgain, "").line.Twice = !p.one
		}
	default:
		err = r.send(ctx, p, received)
	}
	if err != nil {
		return err
	}
	if p.settled() {
		r.done(p)
	}
	return nil
}

// send sends a letter's parcel, and deletes the letter after the target has accepted it.
func (r *run) send(ctx context.Context, p *plan, received time.Time) error {
	if err := r.pace.wait(ctx); err != nil {
		return err
	}
	if r.o.Now().Sub(received) > Visibility/3 && r.o.Queue.Hide(ctx, p.letter.Handle, Visibility) != nil {
		return ctx.Err() // another receive holds it by now: it will be received again
	}
	if p.free != nil {
		if err := r.o.Claims.Forget(ctx, p.known.Record, *p.free); err != nil {
			p.end(FateRefused, "its dedupe key was not freed: "+err.Error())
			return nil
		}
	}
	if p.tried.Stage != tried {
		p.tried = entry{ID: p.letter.ID, Stage: tried, Target: &p.parcel.Target, At: r.o.Now()}
		if err := r.journal.add(p.tried); err != nil {
			return err
		}
	} else {
		p.end(FateAgain, "")
		if err := r.twice(p); err != nil {
			return err
		}
	}
	if err := r.deliver(ctx, p); err != nil || p.line.Fate == FateDoubt || p.line.Fate == FateRefused {
		return err
	}
	if !p.settled() {
		p.end(FateSent, "")
	}
	if err := r.journal.add(entry{ID: p.letter.ID, Stage: sent}); err != nil {
		return err
	}
	return r.delete(ctx, p.letter)
}

// twice records, before a letter is sent again, that the second copy is not deduplicated.
func (r *run) twice(p *plan) error {
	if p.one || p.line.Twice {
		return nil
	}
	p.line.Twice = true
	return r.journal.add(entry{ID: p.letter.ID, Stage: tried, Twice: true})
}

// How often a parcel is sent within a run, and the waits in between.
const (
	maxTries = 5
	maxWait  = 5 * time.Second
)

// deliver sends the parcel until the target accepts it, refuses it for good, or the
// result is unknown. If the parcel was not accepted, it sets the fate of the plan.
func (r *run) deliver(ctx context.Context, p *plan) error {
	doubtful := p.line.Fate == FateAgain // a send of an earlier run may have been accepted
	for n := 1; ; n++ {
		err := r.o.Sender.Send(ctx, p.parcel)
		var refusal *Refusal
		refused := errors.As(err, &refusal)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx) // the journal has it in doubt
		case !refused:
			p.one = r.makesOne(p)
			if !p.one && r.o.InDoubt != Send || n == maxTries {
				p.end(FateDoubt, fmt.Sprintf("%v (%v)", errDoubt, err))
				return nil
			}
			p.end(FateAgain, "the answer was lost: "+err.Error())
			doubtful = true
			if err := r.twice(p); err != nil {
				return err
			}
		case !refusal.Passes || n == maxTries:
			return r.refused(p, doubtful, err)
		}
		if err := r.o.Sleep(ctx, min(maxWait, 100*time.Millisecond<<n)); err != nil {
			return err
		}
	}
}

// refused sets the fate of a letter that the target does not accept. It is in doubt if an
// earlier send may have been accepted.
func (r *run) refused(p *plan, doubtful bool, err error) error {
	if doubtful {
		p.end(FateDoubt, fmt.Sprintf("%v (and now it is refused: %v)", errDoubt, err))
		return nil
	}
	p.end(FateRefused, "the "+p.line.Target+" does not accept it: "+err.Error())
	return r.journal.add(entry{ID: p.letter.ID, Stage: withdrawn})
}

func (r *run) delete(ctx context.Context, l *Letter) error {
	if err := r.o.Queue.Delete(ctx, l.Handle); err != nil {
		return err
	}
	return r.journal.add(entry{ID: l.ID, Stage: gone})
}
