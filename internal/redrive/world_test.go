package redrive

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sort"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/pkg/dedupe"
	"github.com/expressway-dev/expressway/pkg/sqsbatch"
)

// A world is all that a redrive reaches: the dead-letter queue, the targets, the dedupe
// records and the journal's disk, in simulated time. It may kill the process at any call.
type world struct {
	t      testing.TB
	mu     sync.Mutex
	random *rand.Rand
	now    time.Time

	letters []*stored
	handles int

	queues map[string][]arrived // what targets have taken, by address
	fifo   map[string]time.Time // queue and deduplication id → when it was taken
	events map[string][]string  // functions and buses
	items  map[string]dedupe.Item

	disk   []byte
	killAt int // the call at which the process dies; negative for never
	calls  int
	lose   float64 // share of the sends whose answer is lost
	refuse float64 // share of the sends that are refused for a while
}

type stored struct {
	Letter
	hidden  time.Time
	deleted bool
}

type arrived struct{ id, body string }

var errKilled = errors.New("killed")

func newWorld(t testing.TB, seed uint64) *world {
	return &world{
		t: t, random: rand.New(rand.NewPCG(seed, 7)), now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), killAt: -1,
		queues: map[string][]arrived{}, fifo: map[string]time.Time{}, events: map[string][]string{}, items: map[string]dedupe.Item{},
	}
}

// call is each action of the process in the world: the process may be killed before it, or
// after it but before learning the result.
func (w *world) call(ctx context.Context, do func() error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	w.now = w.now.Add(time.Duration(w.random.IntN(40)) * time.Millisecond)
	w.calls++
	switch {
	case w.killAt < 0 || w.calls < w.killAt:
		return do()
	case w.calls == w.killAt && w.random.IntN(2) == 0:
		_ = do()
	}
	return errKilled
}

func (w *world) put(l Letter) {
	if l.System == nil {
		l.System = map[string]string{}
	}
	if l.System[sentTimestamp] == "" {
		l.System[sentTimestamp] = strconv.FormatInt(w.now.Add(-time.Hour).UnixMilli(), 10)
	}
	w.letters = append(w.letters, &stored{Letter: l})
}

// Receive returns up to ten letters, and none of a message group behind a hidden one.
func (w *world) Receive(ctx context.Context, most int, wait time.Duration) (out []Letter, err error) {
	err = w.call(ctx, func() error {
		blocked := map[string]bool{}
		for _, s := range w.letters {
			group := s.System[messageGroup]
			switch {
			case s.deleted, len(out) == most:
			case s.hidden.After(w.now):
				blocked[group] = true
			case group != "" && blocked[group]:
			default:
				w.handles++
				s.Handle, s.hidden = fmt.Sprint(s.ID, "/", w.handles), w.now.Add(Visibility)
				out = append(out, s.Letter)
			}
		}
		if len(out) == 0 {
			w.now = w.now.Add(wait)
		}
		return nil
	})
	return out, err
}

func (w *world) find(handle string) *stored {
	id, _, _ := strings.Cut(handle, "/")
	for _, s := range w.letters {
		if s.ID == id {
			return s
		}
	}
	return nil
}

func (w *world) Hide(ctx context.Context, handle string, visibility time.Duration) error {
	return w.call(ctx, func() error {
		s := w.find(handle)
		if s.deleted {
			return errors.New("there is no such message")
		}
		s.hidden = w.now.Add(visibility)
		return nil
	})
}

// Delete only accepts the newest handle.
func (w *world) Delete(ctx context.Context, handle string) error {
	return w.call(ctx, func() error {
		if s := w.find(handle); s.Handle == handle {
			if !w.took(s.ID) {
				w.t.Errorf("%s was deleted, but no target has accepted it", s.ID)
			}
			s.deleted = true
		}
		return nil
	})
}

func (w *world) Count(ctx context.Context) (visible, hidden int, err error) {
	err = w.call(ctx, func() error {
		for _, s := range w.letters {
			switch {
			case s.deleted:
			case s.hidden.After(w.now):
				hidden++
			default:
				visible++
			}
		}
		return nil
	})
	return visible, hidden, err
}

// Send takes a parcel as its target would.
func (w *world) Send(ctx context.Context, p *Parcel) error {
	return w.call(ctx, func() error {
		if w.random.Float64() < w.refuse {
			return &Refusal{errors.New("throttled"), true}
		}
		take := w.random.Float64()
		if take >= w.lose/2 {
			w.take(p)
		}
		if take < w.lose {
			return errors.New("connection reset")
		}
		return nil
	})
}

func (w *world) take(p *Parcel) {
	id := strings.TrimPrefix(p.RedriveID, "redrive-")
	if p.Target.Place != ToQueue {
		at := string(p.Target.Place) + " " + p.Target.Address
		w.events[at] = append(w.events[at], string(p.Event))
		w.queues[at] = append(w.queues[at], arrived{id, string(p.Event)})
		return
	}
	if p.Target.fifo() {
		key := p.Target.Address + " " + p.Message.DeduplicationID
		if at, known := w.fifo[key]; known && w.now.Sub(at) < 5*time.Minute {
			return
		}
		w.fifo[key] = w.now
	}
	w.queues[p.Target.Address] = append(w.queues[p.Target.Address], arrived{id, p.Message.Body})
}

func (w *world) took(id string) bool { return w.times(id) > 0 }

// times is how often targets have taken a letter.
func (w *world) times(id string) (n int) {
	for _, list := range w.queues {
		for _, a := range list {
			if a.id == id {
				n++
			}
		}
	}
	return n
}

// Look and Forget are the dedupe records.
func (w *world) Look(ctx context.Context, key string) (item dedupe.Item, found bool, err error) {
	err = w.call(ctx, func() error {
		item, found = w.items[key]
		return nil
	})
	return item, found, err
}

func (w *world) Forget(ctx context.Context, key string, seen dedupe.Item) error {
	return w.call(ctx, func() error {
		if item, found := w.items[key]; found && item.Until != seen.Until {
			return dedupe.ErrChanged
		}
		delete(w.items, key)
		return nil
	})
}

// Load, Append and Remove are the journal. A kill may cut a line off.
func (w *world) Load() ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.disk = w.disk[:strings.LastIndexByte(string(w.disk), '\n')+1]
	return append([]byte(nil), w.disk...), nil
}

func (w *world) Append(line []byte, _ bool) error {
	before := len(w.disk)
	err := w.call(context.Background(), func() error {
		w.disk = append(w.disk, line...)
		return nil
	})
	if err != nil && len(w.disk) > before && w.random.IntN(2) == 0 {
		w.disk = w.disk[:before+w.random.IntN(len(line))]
	}
	return err
}

func (w *world) Remove() error {
	return w.call(context.Background(), func() error {
		w.disk = nil
		return nil
	})
}

// Known returns a route with dedupe for bodies with a key.
func (w *world) Known(_ context.Context, p *Parcel) (Known, error) {
	body := string(p.Event)
	if p.Message != nil {
		body = p.Message.Body
	}
	if _, key, found := strings.Cut(body, "key="); found {
		return Known{Route: "keyed", Record: "keyed#" + key, Stable: true}, nil
	}
	return Known{Route: "bare"}, nil
}

// options are those of a redrive in the world.
func (w *world) options() Options {
	return Options{
		From: "https://sqs/123456789012/dead", Queue: w, Sender: w, Store: w, Keys: w, Claims: w,
		Sources: []string{"https://sqs/123456789012/orders"},
		Now:     func() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.now },
		Sleep: func(ctx context.Context, d time.Duration) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.now = w.now.Add(d)
			return ctx.Err()
		},
	}
}

// left are the ids of the letters that are still in the queue.
func (w *world) left() (ids []string) {
	for _, s := range w.letters {
		if !s.deleted {
			ids = append(ids, s.ID)
		}
	}
	sort.Strings(ids)
	return ids
}

func attributes(pairs ...string) map[string]sqsbatch.Attribute {
	out := map[string]sqsbatch.Attribute{}
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i]] = sqsbatch.Attribute{DataType: "String", Text: pairs[i+1]}
	}
	return out
}
