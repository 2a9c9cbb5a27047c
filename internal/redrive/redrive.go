package redrive

import (
	"context"
	"errors"
	"time"

	"github.com/expressway-dev/expressway/pkg/dedupe"
)

// A Queue is the dead-letter queue.
type Queue interface {
	// Receive waits up to wait for letters, at most so many, and hides those that it returns
	// for [Visibility].
	Receive(ctx context.Context, most int, wait time.Duration) ([]Letter, error)
	// Hide makes a received letter invisible for so long; zero shows it again.
	Hide(ctx context.Context, handle string, visibility time.Duration) error
	// Delete deletes a received letter. To delete one again is not an error.
	Delete(ctx context.Context, handle string) error
	// Count returns about how many letters can be received, and how many are hidden.
	Count(ctx context.Context) (visible, hidden int, err error)
}

// Visibility is how long a received letter stays hidden unless that is prolonged.
const Visibility = 15 * time.Second

// A Sender sends parcels, each once for a call.
type Sender interface {
	// Send returns nil when the target has taken the parcel, a *[Refusal] when it certainly
	// has not, and any other error when nobody knows.
	Send(ctx context.Context, p *Parcel) error
}

// A Refusal says that a target has certainly not taken a parcel.
type Refusal struct {
	Err error
	// Passes says that it may take it soon: a throttle, a target that cannot be reached.
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

// Known is what the configuration says of a parcel.
type Known struct {
	// Route takes the parcel; empty for none that is known.
	Route string
	// Record is the name of the dedupe record that it will claim; empty for none.
	Record string
	// Stable says that it is the same however often the parcel is sent.
	Stable bool
}

// Keys finds out what the configuration says of parcels.
type Keys interface {
	Known(ctx context.Context, p *Parcel) (Known, error)
}

// InDoubt says what to do with a letter that may have been sent, where nothing makes two
// of it one.
type InDoubt string

// The choices: leave it where it is, or send it again.
const (
	Skip InDoubt = "skip"
	Send InDoubt = "send"
)

// Options say what to redrive, and with what.
type Options struct {
	// From is the dead-letter queue's URL.
	From string
	// To, EventFunction and ToBus say where letters go if not back to what failed; Bus is
	// the bus's name if it is not that of the rule.
	To, EventFunction string
	ToBus             bool
	Bus               string
	// Error and Route choose letters; empty chooses all.
	Error, Route string
	InDoubt      InDoubt
	// DryRun only says what would happen. It writes nothing into Store.
	DryRun bool
	// Rate is how many letters are sent in a second; zero is as many as there is time for.
	Rate float64
	// Workers is how many letters are on their way at once; zero is one.
	Workers int

	Queue  Queue
	Sender Sender
	Store  Store
	// Keys and Claims are nil where no route has dedupe.
	Keys   Keys
	Claims Claims
	// Sources are the queues whose redrive policies name this one, and RouteQueues the
	// addresses of routes' queues by the route's name.
	Sources     []string
	RouteQueues map[string]string

	// Now is the clock, and Sleep waits; nil are the real ones. Began, if set, is the time
	// by the queue's own clock, by which letters that come later are known.
	Now   func() time.Time
	Sleep func(ctx context.Context, d time.Duration) error
	Began time.Time
	// Progress is told of each letter that is through; may be nil.
	Progress func(Progress)
}

// Progress is how far a run is.
type Progress struct {
	// Done of about Total letters are through, Sent of them on their way; Waiting says that
	// the run waits for letters that a killed one still hides.
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

// readOnly is the journal of a dry run, which sends nothing.
type readOnly struct{ store Store }

func (s readOnly) Load() ([]byte, error) {
	if s.store == nil {
		return nil, nil
	}
	return s.store.Load()
}
func (readOnly) Append([]byte, bool) error { return nil }
func (readOnly) Remove() error             { return nil }

// errDoubt is a letter in doubt that stays where it is.
var errDoubt = errors.New("it may have been sent by a run that was killed, or the answer was lost, and neither a FIFO queue nor dedupe makes two of it one: look, then pass --in-doubt send, or delete it")
