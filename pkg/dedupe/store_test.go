package dedupe_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/bridge/bridgetest"
	"github.com/expressway-dev/expressway/pkg/dedupe"
)

// A clock is moved by hand, or reads another one.
type clock struct {
	ms   atomic.Int64
	read func() time.Time
}

func newClock() *clock {
	c := &clock{}
	c.ms.Store(1_800_000_000_000)
	return c
}

func (c *clock) now() time.Time {
	if c.read != nil {
		return c.read()
	}
	return time.UnixMilli(c.ms.Load())
}

func (c *clock) advance(d time.Duration) { c.ms.Add(d.Milliseconds()) }

// keys makes keys that no other test of the process uses: a table is shared.
var keys atomic.Int64

func newKey() string { return fmt.Sprintf("orders#%064x", keys.Add(1)) }

func newClaim(c *clock, key, fingerprint string) bridge.Claim {
	until := c.now().Add(30 * time.Second)
	return bridge.Claim{Key: key, Fingerprint: fingerprint, Until: until, Expires: until.Add(time.Hour)}
}

// mustClaim claims, and fails the test when the store does.
func mustClaim(t interface {
	Helper()
	Fatalf(string, ...any)
}, s bridge.DedupeStore, c bridge.Claim,
) bridge.Record {
	t.Helper()
	r, err := s.Claim(context.Background(), c)
	if err != nil {
		t.Fatalf("Claim: %v", err)
	}
	return r
}

// suite is how every store behaves. Its parts run side by side, but for a store in another
// process: on a busy machine that could not keep to the store's limits then.
func suite(t *testing.T, parallel bool, newStore func(*clock) bridge.DedupeStore) {
	bridgetest.DedupeContract{
		New:        func(now func() time.Time) bridge.DedupeStore { return newStore(&clock{read: now}) },
		Sequential: !parallel,
	}.Test(t)
	t.Run("as the model does", func(t *testing.T) {
		if parallel {
			t.Parallel()
		}
		rapid.Check(t, func(t *rapid.T) {
			c := newClock()
			testModel(t, newStore(c), c)
		})
	})
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A model is what the interface promises, in a map.
type model map[string]modelRecord

type modelRecord struct {
	claim  bridge.Claim
	done   bool
	answer string
}

func (m model) claim(c bridge.Claim, now time.Time) bridge.Record {
	r, ok := m[c.Key]
	if !ok || r.claim.Expires.Before(now) || !r.done && r.claim.Until.Before(now) {
		m[c.Key] = modelRecord{claim: c}
		return bridge.Record{State: bridge.Claimed, Fingerprint: c.Fingerprint}
	}
	if r.done {
		return bridge.Record{State: bridge.Completed, Fingerprint: r.claim.Fingerprint, Answer: []byte(r.answer)}
	}
	return bridge.Record{State: bridge.Held, Fingerprint: r.claim.Fingerprint, Until: r.claim.Until}
}

// conclude lets f change the record, or returns false for it to go, if c holds it.
func (m model) conclude(c bridge.Claim, f func(*modelRecord) bool) {
	r, ok := m[c.Key]
	if !ok || r.done || !r.claim.Until.Equal(c.Until) {
		return
	}
	if !f(&r) {
		delete(m, c.Key)
		return
	}
	m[c.Key] = r
}

func testModel(t *rapid.T, s bridge.DedupeStore, now *clock) {
	m := model{}
	names := []string{newKey(), newKey()}
	var claims []bridge.Claim
	any := func() (bridge.Claim, bool) {
		if len(claims) == 0 {
			return bridge.Claim{}, false
		}
		return claims[rapid.IntRange(0, len(claims)-1).Draw(t, "claim")], true
	}
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for range rapid.IntRange(1, 12).Draw(t, "steps") {
		switch rapid.SampledFrom([]string{"claim", "claim", "complete", "release", "wait"}).Draw(t, "step") {
		case "wait":
			now.advance(time.Duration(rapid.IntRange(1, 40).Draw(t, "seconds")) * time.Second)
		case "claim":
			until := now.now().Add(time.Duration(rapid.IntRange(1, 30).Draw(t, "until")) * time.Second)
			c := bridge.Claim{
				Key:         rapid.SampledFrom(names).Draw(t, "key"),
				Fingerprint: rapid.SampledFrom([]string{"", "f", "g"}).Draw(t, "fingerprint"),
				Until:       until,
				Expires:     until.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "expires")) * time.Second),
			}
			want, got := m.claim(c, now.now()), mustClaim(t, s, c)
			if want.State != bridge.Held {
				got.Until = time.Time{} // says nothing then
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("claim (-want +got):\n%s", diff)
			}
			if got.State == bridge.Claimed {
				claims = append(claims, c)
			}
		case "complete":
			if c, ok := any(); ok {
				answer := rapid.SampledFrom([]string{"null", `{"a":1}`}).Draw(t, "answer")
				c.Expires = now.now().Add(20 * time.Second)
				m.conclude(c, func(r *modelRecord) bool {
					r.done, r.answer, r.claim.Expires = true, answer, c.Expires
					return true
				})
				must(s.Complete(context.Background(), c, []byte(answer)))
			}
		case "release":
			if c, ok := any(); ok {
				m.conclude(c, func(*modelRecord) bool { return false })
				must(s.Release(context.Background(), c))
			}
		}
	}
}

func TestMemory(t *testing.T) {
	t.Parallel()
	suite(t, true, func(c *clock) bridge.DedupeStore { return dedupe.NewMemory(dedupe.MemoryOptions{Now: c.now}) })
}

// Of many claims at once one wins; that of the table is TestDynamoDB's race.
func TestMemoryRace(t *testing.T) {
	t.Parallel()
	now := newClock()
	s := dedupe.NewMemory(dedupe.MemoryOptions{Now: now.now})
	claim := newClaim(now, newKey(), "f")
	var won, held atomic.Int32
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			switch r, err := s.Claim(t.Context(), claim); {
			case err != nil:
				t.Error(err)
			case r.State == bridge.Claimed:
				won.Add(1)
			case r.State == bridge.Held:
				held.Add(1)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 || held.Load() != 49 {
		t.Errorf("%d claims won and %d found the key held, want 1 and 49", won.Load(), held.Load())
	}
}

// A full store forgets the oldest that is completed, and never what is in progress.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	now := newClock()
	s := dedupe.NewMemory(dedupe.MemoryOptions{Entries: 3, Bytes: 100, Now: now.now})
	claims := make([]bridge.Claim, 5)
	for i := range claims {
		claims[i] = newClaim(now, newKey(), "")
	}
	for i, c := range claims[:3] {
		mustClaim(t, s, c)
		if i != 0 {
			check(t, s.Complete(t.Context(), c, []byte(strings.Repeat("x", 40))))
		}
	}
	mustClaim(t, s, claims[3])
	if r := mustClaim(t, s, claims[0]); r.State != bridge.Held {
		t.Errorf("the one in progress = %+v, want Held", r)
	}
	if r := mustClaim(t, s, claims[2]); r.State != bridge.Completed {
		t.Errorf("the newest = %+v, want Completed", r)
	}
	check(t, s.Complete(t.Context(), claims[3], []byte(strings.Repeat("x", 61))))
	if r := mustClaim(t, s, claims[2]); r.State != bridge.Claimed {
		t.Errorf("the one whose answer was evicted = %+v, want Claimed", r)
	}
	check(t, s.Release(t.Context(), claims[2]))
	mustClaim(t, s, claims[4])
	if err := s.Complete(t.Context(), claims[4], make([]byte, 101)); !errors.Is(err, dedupe.ErrAnswerTooLarge) {
		t.Errorf("Complete with too large an answer: %v", err)
	}
	if r := mustClaim(t, s, claims[4]); r.State != bridge.Completed || string(r.Answer) != "null" {
		t.Errorf("its record = %+v, want Completed with null", r)
	}
	// What is in progress fills the store.
	full := dedupe.NewMemory(dedupe.MemoryOptions{Entries: 1, Now: now.now})
	mustClaim(t, full, claims[0])
	if _, err := full.Claim(t.Context(), claims[1]); !errors.Is(err, dedupe.ErrFull) {
		t.Errorf("claim in a full store: %v, want ErrFull", err)
	}
	now.advance(time.Minute)
	if r := mustClaim(t, full, newClaim(now, newKey(), "")); r.State != bridge.Claimed {
		t.Errorf("claim when that attempt's time is up = %+v, want Claimed", r)
	}
}
