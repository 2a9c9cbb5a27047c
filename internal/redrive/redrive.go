package redrive

import (
	"context"
	"errors"
	"time"

	"github.com/expressway-dev/expressway/pkg/dedupe"
)

// A Queue is the dead-letter queue.
type Queue interface {
	// Receive waits up to wait for letters, returns at most the given number, and hides
	// them for [Visibility].
	Receive(ctx context.Context, most int, wait time.Duration) ([]Letter, error)
	// Hide makes a received letter invisible for the duration; zero shows it again.
	Hide(ctx context.Context, handle string, visibility time.Duration) error
	// Delete deletes a received letter. Deleting it again is not an error.
	Delete(ctx context.Context, handle string) error
	// Count returns the approximate numbers of visible and hidden letters.
	Count(ctx context.Context) (visible, hidden int, err error)
}

// Visibility is how long a received letter stays hidden unless it is hidden again.
const Visibility = 15 * time.Second

// A Sender sends one parcel per call.
type Sender interface {
	// Send returns nil if the target has accepted the parcel, a *[Refusal] if it
	// certainly has not, and any other error if that is unknown.
	Send(ctx context.Context, p *Parcel) error
}

// A Refusal is an error after which the target certainly does not have the parcel.
type Refusal struct {
	Err error
	// Passes reports whether the refusal is temporary, such as a throttle or an
	// unreachable target.
	Passes bool
}

func (r *Refusal) Error() string { return r.Err.Error() }

// Unwrap returns the cause.
func (r *Refusal) Unwrap() error { return r.Err }

// Claims are the dedupe records of the routes.
type Claims interface {
	Look(ctx context.Context, key string) (dedupe.Item, bool, error)
	Forget(ctx context.Context, key string, seen dedupe.Item) error
}

// Known is what the configuration determines about a parcel.
type Known struct {
	// Route is the name of the route that takes the parcel; empty if none is known.
	Route string
	// Record is the name of the dedupe record that it will claim; empty for none.
	Record string
	// Stable reports whether the record is the same however often the parcel is sent.
	Stable bool
}

// Keys computes what the configuration determines about parcels.
type Keys interface {
	Known(ctx context.Context, p *Parcel) (Known, error)
}

// InDoubt decides about a letter that may have been sent, if nothing would deduplicate a
// second copy.
type InDoubt string

// The choices: leave it where it is, or send it again.
const (
	Skip InDoubt = "skip"
	Send InDoubt = "send"
)

// Options configure a run.
type Options struct {
	// From is the dead-letter queue's URL.
	From string
	// To, EventFunction and ToBus override the target of letters. Bus is the bus's name
	// if it differs from that of the rule.
	To, EventFunction string
	ToBus             bool
	Bus               string
	// Error and Route select letters; empty selects all.
	Error, Route string
	InDoubt      InDoubt
	// DryRun only reports what would happen, and does not write to Store.
	DryRun bool
	// Rate is how many letters are sent per second; zero is unlimited.
	Rate float64
	// Workers is how many letters are processed at once; zero is one.
	Workers int

	Queue  Queue
	Sender Sender
	Store  Store
	// Keys and Claims are nil if no route has dedupe.
	Keys   Keys
	Claims Claims
	// Sources are the queues whose redrive policies name this one. RouteQueues maps names
	// of routes to the addresses of their queues.
	Sources     []string
	RouteQueues map[string]string

	// Now is the clock, and Sleep waits; the defaults are the system's. Began, if set, is
	// the start of the run by the queue's own clock, by which later letters are
	// recognised.
	Now   func() time.Time
	Sleep func(ctx context.Context, d time.Duration) error
	Began time.Time
	// Progress is called after each finished letter; may be nil.
	Progress func(Progress)
}

// Progress is the state of a run.
type Progress struct {
	// Done counts the finished letters of about Total, and Sent how many of them were
	// sent. Waiting means that the run waits for letters that a killed run still hides.
	Done, Total, Sent int
	Waiting           bool
}

func (o *Options) defaults() {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	if o.Workers < 1 {
		o.Workers = 1
	}
	if o.InDoubt == "" {
		o.InDoubt = Skip
	}
	if o.DryRun {
		o.Store = readOnly{o.Store}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// readOnly is the journal of a dry run, which writes nothing.
type readOnly struct{ store Store }

func (s readOnly) Load() ([]byte, error) {
	if s.store == nil {
		return nil, nil
	}
	return s.store.Load()
}
func (readOnly) Append([]byte, bool) error { return nil }
func (readOnly) Remove() error             { return nil }

// errDoubt is the error of a letter in doubt that stays in the queue.
var errDoubt = errors.New("it may have been sent, because a run was killed or an answer was lost, and neither a FIFO queue nor dedupe would drop the second copy: check, then pass --in-doubt send, or delete it")
