package bridge_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/dedupe"
)

// A slowStore takes its time for the second write, or does what onComplete does.
type slowStore struct {
	bridge.DedupeStore
	onComplete func(ctx context.Context) error
	began      bool
	writes     bool // a write has begun and not ended
}

func (s *slowStore) Complete(ctx context.Context, c bridge.Claim, answer []byte) error {
	s.began, s.writes = true, true
	err := s.onComplete(ctx)
	s.writes = false
	if err != nil {
		return err
	}
	return s.DedupeStore.Complete(ctx, c, answer)
}

// What is left for the answer is done while the record is written, and the delivery is not
// settled before both have ended: the function may be frozen from then on. Whatever becomes
// of the write, the answer is made once; until the claim lapses, a duplicate starts nothing.
func TestBesideTheWrite(t *testing.T) {
	t.Parallel()
	const work, budget = time.Second, 2 * time.Second // of the answer, and of the write at most
	for name, test := range map[string]struct {
		write  func(ctx context.Context) error
		takes  time.Duration
		logged string
		second string
	}{
		"the write is quicker": {func(context.Context) error { time.Sleep(time.Millisecond); return nil }, work, "", `replayed "answer"`},
		"the write is slower":  {func(context.Context) error { time.Sleep(budget - 1); return nil }, budget - 1, "", `replayed "answer"`},
		"the write fails":      {func(context.Context) error { return errStore }, work, "the table is gone", bridge.InProgress},
		"the write never ends": {func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, budget, "deadline exceeded", bridge.InProgress},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store := &slowStore{DedupeStore: dedupe.NewMemory(dedupe.MemoryOptions{}), onComplete: test.write}
				d := newDeduper(t, store, echo)
				del := d.delivery(first)
				r := d.bridge.Run(t.Context(), del)
				began, made, beside := time.Now(), 0, false
				d.bridge.Settle(t.Context(), del, r, bridge.Settlement{
					Final:  true,
					Answer: func() []byte { return []byte(`"answer"`) },
					Beside: func() {
						synctest.Wait() // until the write can do no more for now
						beside = store.began
						time.Sleep(work)
						made++
					},
				})
				if took := time.Since(began); took != test.takes || made != 1 || store.writes || !beside {
					t.Errorf("settled after %v, with %d answers made, during the write: %v; a write continues: %v; want %v and one", took, made, beside, store.writes, test.takes)
				}
				if text := d.log.String(); strings.Contains(text, "dedupe record not written") != (test.logged != "") || !strings.Contains(text, test.logged) {
					t.Errorf("log: %s", text)
				}
				if got := state(d.run(t, first, true)); got != test.second || d.starts != 1 {
					t.Errorf("the duplicate: %s, and %d executions; want %s and one", got, d.starts, test.second)
				}
			})
		})
	}
}

// Without a record, and where the key is freed, it is done once, too. A panic of it is the
// caller's, once the write has ended.
func TestBesideIsDoneOnce(t *testing.T) {
	t.Parallel()
	store := &slowStore{DedupeStore: dedupe.NewMemory(dedupe.MemoryOptions{}), onComplete: func(context.Context) error { return nil }}
	d := newDeduper(t, store, echo)
	for name, document := range map[string]string{"no key": `{"id":null}`, "freed": `{"id":"freed"}`} {
		made := 0
		del := d.delivery(document)
		d.bridge.Settle(t.Context(), del, d.bridge.Run(t.Context(), del), bridge.Settlement{Beside: func() { made++ }})
		if made != 1 {
			t.Errorf("%s: done %d times, want once", name, made)
		}
	}
	del := d.delivery(first)
	r := d.bridge.Run(t.Context(), del)
	func() {
		defer func() {
			if p := recover(); p != "on fire" {
				t.Errorf("panic %v, want that of the work", p)
			}
		}()
		d.bridge.Settle(t.Context(), del, r, bridge.Settlement{Final: true, Beside: func() { panic("on fire") }})
	}()
	if got := state(d.run(t, first, true)); got != "replayed null" {
		t.Errorf("after the panic: %s, want the record to be written", got)
	}
}
