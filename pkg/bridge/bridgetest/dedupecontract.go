package bridgetest

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// A DedupeContract tests that a [bridge.DedupeStore] does what the bridge expects of it.
type DedupeContract struct {
	// New returns a store with a clock, which the contract moves. Stores may share what
	// they keep: no key is used twice.
	New func(now func() time.Time) bridge.DedupeStore
	// Sequential runs the parts one after the other.
	Sequential bool
}

// Test runs the contract.
func (c DedupeContract) Test(t *testing.T) {
	for name, test := range map[string]func(*testing.T, bridge.DedupeStore, *clock){
		"a completed record is answered":  dedupeCompleted,
		"a record in progress is held":    dedupeHeld,
		"an attempt that crashed is over": dedupeCrashed,
		"a released key is free":          dedupeReleased,
		"a lost claim changes nothing":    dedupeLost,
		"keys do not touch one another":   dedupeKeys,
		"answers are kept to the byte":    dedupeAnswers,
	} {
		t.Run(name, func(t *testing.T) {
			if !c.Sequential {
				t.Parallel()
			}
			now := &clock{}
			now.ms.Store(1_800_000_000_000)
			test(t, c.New(now.now), now)
		})
	}
}

// A clock is moved by hand, in milliseconds since 1970.
type clock struct{ ms atomic.Int64 }

func (c *clock) now() time.Time          { return time.UnixMilli(c.ms.Load()) }
func (c *clock) advance(d time.Duration) { c.ms.Add(d.Milliseconds()) }

// keys and prefix make unique keys: a table may be shared, and may outlive a process.
var (
	keys   atomic.Int64
	prefix = time.Now().UnixNano()
)

func newKey() string { return fmt.Sprintf("contract#%032x%032x", prefix, keys.Add(1)) }

func newClaim(c *clock, key, fingerprint string) bridge.Claim {
	until := c.now().Add(30 * time.Second)
	return bridge.Claim{Key: key, Fingerprint: fingerprint, Until: until, Expires: until.Add(time.Hour)}
}

func mustClaim(t *testing.T, s bridge.DedupeStore, c bridge.Claim) bridge.Record {
	t.Helper()
	r, err := s.Claim(context.Background(), c)
	if err != nil {
		t.Fatalf("Claim: %v", err)
	}
	return r
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func dedupeCompleted(t *testing.T, s bridge.DedupeStore, now *clock) {
	claim := newClaim(now, newKey(), "f")
	if r := mustClaim(t, s, claim); r.State != bridge.Claimed {
		t.Fatalf("first claim = %+v, want Claimed", r)
	}
	claim.Expires = now.now().Add(time.Hour)
	check(t, s.Complete(t.Context(), claim, []byte(`{"status":201}`)))
	// Far beyond the time in progress, which no longer matters once the record is
	// completed.
	now.advance(time.Hour)
	r := mustClaim(t, s, newClaim(now, claim.Key, "another"))
	if r.State != bridge.Completed || string(r.Answer) != `{"status":201}` || r.Fingerprint != "f" {
		t.Errorf("claim of a completed key = %+v, want its answer and the first fingerprint", r)
	}
	now.advance(time.Second)
	if r := mustClaim(t, s, newClaim(now, claim.Key, "another")); r.State != bridge.Claimed {
		t.Errorf("claim after its time = %+v, want Claimed", r)
	}
	if r := mustClaim(t, s, newClaim(now, claim.Key, "third")); r.State != bridge.Held || r.Fingerprint != "another" || r.Answer != nil {
		t.Errorf("claim after that = %+v, want Held, and nothing of the old record", r)
	}
}

func dedupeHeld(t *testing.T, s bridge.DedupeStore, now *clock) {
	claim := newClaim(now, newKey(), "f")
	mustClaim(t, s, claim)
	now.advance(30 * time.Second) // until then, inclusive
	got := mustClaim(t, s, newClaim(now, claim.Key, "g"))
	if got.State != bridge.Held || got.Fingerprint != "f" || !got.Until.Equal(claim.Until) || got.Answer != nil {
		t.Errorf("claim of a held key = %+v, want Held with the first fingerprint until %v", got, claim.Until)
	}
}

func dedupeCrashed(t *testing.T, s bridge.DedupeStore, now *clock) {
	claim := newClaim(now, newKey(), "f")
	mustClaim(t, s, claim)
	now.advance(30*time.Second + time.Millisecond)
	second := newClaim(now, claim.Key, "f")
	if r := mustClaim(t, s, second); r.State != bridge.Claimed {
		t.Errorf("claim after the first attempt's time = %+v, want Claimed", r)
	}
}

func dedupeReleased(t *testing.T, s bridge.DedupeStore, now *clock) {
	claim := newClaim(now, newKey(), "f")
	mustClaim(t, s, claim)
	check(t, s.Release(t.Context(), claim))
	check(t, s.Release(t.Context(), claim)) // the record no longer exists
	if r := mustClaim(t, s, newClaim(now, claim.Key, "f")); r.State != bridge.Claimed {
		t.Errorf("claim of a released key = %+v, want Claimed", r)
	}
}

func dedupeLost(t *testing.T, s bridge.DedupeStore, now *clock) {
	first := newClaim(now, newKey(), "f")
	mustClaim(t, s, first)
	now.advance(time.Minute)
	second := newClaim(now, first.Key, "f")
	mustClaim(t, s, second)
	for name, conclude := range map[string]func() error{
		"Complete": func() error { return s.Complete(t.Context(), first, []byte("late")) },
		"Release":  func() error { return s.Release(t.Context(), first) },
	} {
		check(t, conclude())
		if r := mustClaim(t, s, newClaim(now, first.Key, "f")); r.State != bridge.Held || !r.Until.Equal(second.Until) {
			t.Errorf("after %s of the lost claim: %+v, want Held by the second", name, r)
		}
	}
	check(t, s.Complete(t.Context(), second, []byte("in time")))
	check(t, s.Release(t.Context(), second)) // it is completed, and stays so
	if r := mustClaim(t, s, newClaim(now, first.Key, "f")); string(r.Answer) != "in time" {
		t.Errorf("record = %+v, want the second's answer", r)
	}
}

func dedupeKeys(t *testing.T, s bridge.DedupeStore, now *clock) {
	a, b := newClaim(now, newKey(), ""), newClaim(now, newKey(), "")
	mustClaim(t, s, a)
	check(t, s.Complete(t.Context(), a, []byte("a")))
	if r := mustClaim(t, s, b); r.State != bridge.Claimed || r.Fingerprint != "" {
		t.Errorf("claim of another key = %+v, want Claimed without a fingerprint", r)
	}
}

func dedupeAnswers(t *testing.T, s bridge.DedupeStore, now *clock) {
	for name, answer := range map[string]string{
		"null": "null", "unicode": `"é\u0000😀"`, "spaces": " {\n} ", "large": `"` + strings.Repeat("x", 380_000) + `"`,
	} {
		claim := newClaim(now, newKey(), "f")
		mustClaim(t, s, claim)
		check(t, s.Complete(t.Context(), claim, []byte(answer)))
		if r := mustClaim(t, s, claim); r.State != bridge.Completed || string(r.Answer) != answer {
			t.Errorf("%s: answer = %.60q, want %.60q", name, r.Answer, answer)
		}
	}
}
