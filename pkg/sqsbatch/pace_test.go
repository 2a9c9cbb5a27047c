package sqsbatch_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// A meter counts executions that run at once, each for a second.
type meter struct {
	mu            sync.Mutex
	running, most int
	starts        int
	refuse        func(start int) bool // counted from 1
	retryAfter    time.Duration
}

func (m *meter) start(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
	m.mu.Lock()
	m.starts++
	if m.refuse != nil && m.refuse(m.starts) {
		m.mu.Unlock()
		return bridge.Outcome{}, &bridge.Failure{Name: bridge.Throttled, RetryAfter: m.retryAfter}
	}
	m.running++
	m.most = max(m.most, m.running)
	m.mu.Unlock()
	time.Sleep(time.Second)
	m.mu.Lock()
	m.running--
	m.mu.Unlock()
	return succeed(ctx, s)
}

func (m *meter) reset(refuse func(int) bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.most, m.starts, m.refuse = 0, 0, refuse
}

func many(n int) []byte {
	list := make([]map[string]any, n)
	for i := range list {
		list[i] = map[string]any{}
	}
	return records(list...)
}

const paced = "  - {name: o, sqs: orders, start: m, concurrency: 8}\n"

// A throttle slows the rest of the batch down, and the batches after it.
func TestThrottleSlowsDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &meter{refuse: func(n int) bool { return n == 1 }}
		b := batch(t, paced, m.start)
		got := invoke(t.Context(), t, b, many(40))
		if len(got) != 1 || m.starts != 40 {
			t.Errorf("%d reported, %d started, want only the throttled one reported, and all tried", len(got), m.starts)
		}
		// Seven began with it; of four at once the limit grows by one in each round.
		m.reset(func(n int) bool { return n <= 2 })
		got = invoke(t.Context(), t, b, many(40))
		if len(got) != 2 {
			t.Errorf("%d reported, want 2", len(got))
		}
		m.reset(nil)
		m.reset(func(n int) bool { return true })
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if got = invoke(ctx, t, b, many(40)); len(got) != 40 {
			t.Errorf("%d reported, want all", len(got))
		}
		m.reset(nil)
		time.Sleep(time.Minute)
		invoke(t.Context(), t, b, many(4))
		if m.most > 2 {
			t.Errorf("%d ran at once after the service refused for a while, want at most 2", m.most)
		}
		invoke(t.Context(), t, b, many(60))
		if m.most != 8 {
			t.Errorf("%d ran at once in the end, want the route's concurrency, 8", m.most)
		}
	})
}

// Starts that were in progress when the service refused the first one halve the limit only
// once.
func TestOneRoundOfThrottlesCountsOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &meter{refuse: func(n int) bool { return n <= 8 }}
		b := batch(t, paced, func(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
			time.Sleep(time.Second)
			return m.start(ctx, s)
		})
		got := invoke(t.Context(), t, b, many(12))
		if len(got) != 8 || m.most != 4 {
			t.Errorf("%d reported and %d at once after it, want 8 and 4", len(got), m.most)
		}
	})
}

// Nothing starts during the pause after a throttle; the records wait in the batch.
func TestRecordsWaitOutThePause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &meter{refuse: func(n int) bool { return n == 1 }, retryAfter: 10 * time.Second}
		b := batch(t, "  - {name: o, sqs: orders, start: m, concurrency: 1}\n", m.start)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begin := time.Now()
		got := invoke(ctx, t, b, many(3))
		if took := time.Since(begin); len(got) != 1 || took != 12*time.Second {
			t.Errorf("%d reported after %v, want 1 after a pause of 10s and two executions", len(got), took)
		}
	})
}

// A pause that outlasts the batch hands its records back at once.
func TestRecordsAreHandedBackWhenWaitingIsInVain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &meter{refuse: func(int) bool { return true }, retryAfter: time.Minute}
		b := batch(t, paced, m.start)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		begin := time.Now()
		if got := invoke(ctx, t, b, many(100)); len(got) != 100 || m.starts > 8 || time.Since(begin) > time.Second {
			t.Errorf("%d reported, %d started, after %v, want all 100 at once and at most 8 started", len(got), m.starts, time.Since(begin))
		}
	})
}

// An execution that could not end in time, by those before it, is not begun: it would
// run to its end while its own retry runs.
func TestNothingBeginsThatCannotEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var ends []time.Duration
		wait := 4 * time.Second
		begin := time.Now()
		b := batch(t, "  - {name: o, sqs: orders, start: m, concurrency: 1}\n", func(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
			select {
			case <-time.After(wait):
			case <-ctx.Done():
				return bridge.Outcome{}, bridge.NewFailure(bridge.Deadline, "", nil)
			}
			ends = append(ends, time.Since(begin))
			return succeed(ctx, s)
		})
		run := func(limit time.Duration) (reported int, took time.Duration) {
			ends, begin = nil, time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			return len(invoke(ctx, t, b, many(5))), time.Since(begin)
		}
		if reported, took := run(10 * time.Second); reported != 3 || len(ends) != 2 || took != 8*time.Second {
			t.Errorf("%d reported and %d ended in %v, want 3 and 2 in 8s, and no third begun", reported, len(ends), took)
		}
		// The first of a batch begins whatever was before it.
		if reported, _ := run(3 * time.Second); reported != 5 || len(ends) != 0 {
			t.Errorf("%d reported and %d ended, want 5 and 0", reported, len(ends))
		}
		if wave := invokeWave(t, wait); wave != 3 {
			t.Errorf("%d of the first three began, want all", wave)
		}
		// The duration of a long execution is forgotten in time.
		wait = 100 * time.Millisecond
		for range 10 {
			run(3 * time.Second)
		}
		if reported, _ := run(3 * time.Second); reported != 0 {
			t.Errorf("%d reported of quick executions, want none", reported)
		}
	})
}

// invokeWave returns how many of a second batch begin at once, after a first one whose
// executions took longer than the second has.
func invokeWave(t *testing.T, wait time.Duration) int {
	t.Helper()
	var mu sync.Mutex
	began := 0
	b := batch(t, "  - {name: o, sqs: orders, start: m, concurrency: 3}\n", func(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
		mu.Lock()
		began++
		mu.Unlock()
		select {
		case <-time.After(wait):
			return succeed(ctx, s)
		case <-ctx.Done():
			return bridge.Outcome{}, bridge.NewFailure(bridge.Deadline, "", nil)
		}
	})
	invoke(t.Context(), t, b, many(1))
	began = 0
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	invoke(ctx, t, b, many(9))
	return began
}

// The cost of a large batch grows with its size, not with its square: four times the
// records take four times the time, and not sixteen. On a busy machine, one attempt proves
// nothing, so there are five.
func TestLargeBatch(t *testing.T) {
	t.Parallel()
	b := batch(t, "  - {name: o, sqs: orders, start: m, concurrency: 1}\n", succeed)
	take := func(n int) time.Duration {
		payload := many(n)
		begin := time.Now()
		if got := invoke(t.Context(), t, b, payload); len(got) != 0 {
			t.Errorf("%d reported, want none", len(got))
		}
		return time.Since(begin)
	}
	var ratios []float64
	for range 5 {
		ratio := float64(take(4000)) / float64(take(1000))
		if ratio < 8 {
			return
		}
		ratios = append(ratios, ratio)
	}
	t.Errorf("four times the records took %.1f times the time", ratios)
}
