package sqsbatch

import (
	"context"
	"sync"
	"time"
)

// The waits after a throttle, which pkg/stepfn reports only after several attempts.
const (
	firstPause = time.Second
	mostPause  = 20 * time.Second
)

// A pace limits how many executions of a route run at once: to the route's concurrency,
// and to fewer after the service has throttled a start. It is shared by the batches of a
// process, so that one batch's throttle slows the next one down as well. A throttle
// halves the limit and stops all starts for a while; each success after that adds a
// fraction of one (additive increase, multiplicative decrease, as in TCP).
type pace struct {
	most float64
	now  func() time.Time

	mu      sync.Mutex
	limit   float64
	pauses  int       // in a row
	resumes time.Time // no start before this time
	cut     time.Time // when the limit was last cut
	longest time.Duration
}

func newPace(concurrency int, now func() time.Time) *pace {
	return &pace{most: float64(concurrency), limit: float64(concurrency), now: now}
}

// allowed returns how many may run, and for how long nothing may start.
func (p *pace) allowed() (n int, pause time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return int(p.limit), p.resumes.Sub(p.now())
}

// throttled records a start that the service refused, and when it was begun. Starts that
// were already in progress when the limit was cut have no effect.
func (p *pace) throttled(begun time.Time, retryAfter time.Duration) (limit int, cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if begun.Before(p.cut) {
		return int(p.limit), false
	}
	now := p.now()
	p.limit = max(1, p.limit/2)
	p.cut = now
	pause := min(firstPause<<min(p.pauses, 10), mostPause)
	p.pauses++
	if resumes := now.Add(max(pause, retryAfter)); resumes.After(p.resumes) {
		p.resumes = resumes
	}
	return int(p.limit), true
}

// ran records a start that the service accepted.
func (p *pace) ran(took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pauses = 0
	p.limit = min(p.most, p.limit+1/p.limit)
	p.remember(took)
}

// gaveUp records an execution whose end was not waited for.
func (p *pace) gaveUp(after time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.remember(after)
}

// remember keeps the longest time that executions take, and reduces it by an eighth of
// the difference with each that takes less.
func (p *pace) remember(took time.Duration) {
	p.longest = max(took, p.longest-p.longest/8)
}

// needs returns how long an execution may take, judging by previous ones.
func (p *pace) needs() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.longest
}

// A gate lets the executions of one batch and route begin, in the order in which they ask
// and as the pace allows. It lets none begin that could not end in time, except the first
// ones.
type gate struct {
	pace     *pace
	deadline time.Time // the batch's deadline; zero for none

	mu      sync.Mutex
	running int
	ended   bool // an execution of the batch has ended
	queue   []*waiter
	timer   *time.Timer // calls grant when a pause is over
}

// A waiter waits to begin. It is answered once, under the gate's lock.
type waiter struct {
	answer chan bool
	gone   bool
}

// enter waits for a turn, which [gate.leave] ends. It reports false if there will be none
// before the batch's deadline: returning the rest of the batch to the queue is better than
// a useless wait of the function.
func (g *gate) enter(ctx context.Context) bool {
	w := &waiter{answer: make(chan bool, 1)}
	g.mu.Lock()
	g.queue = append(g.queue, w)
	g.grant()
	g.mu.Unlock()
	select {
	case ok := <-w.answer:
		return ok
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	w.gone = true
	select {
	case ok := <-w.answer: // answered in the meantime
		if ok {
			g.running--
			g.grant()
		}
	default:
	}
	return false
}

// leave ends a turn.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running--
	g.ended = true
	g.grant()
}

// grant answers the waiters that may begin, and those that can never begin. The caller
// holds g.mu.
func (g *gate) grant() {
	for len(g.queue) > 0 {
		if g.queue[0].gone {
			g.queue = g.queue[1:]
			continue
		}
		n, pause := g.pace.allowed()
		switch {
		case pause > 0 && g.beyond(pause):
			g.queue[0].answer <- false
			g.queue = g.queue[1:]
			continue
		case pause > 0:
			g.wake(pause)
			return
		case g.running >= n:
			return
		case g.ended && g.beyond(g.pace.needs()+lead):
			// It would be abandoned, and might still be running during its own retry.
			g.queue[0].answer <- false
			g.queue = g.queue[1:]
			continue
		}
		g.running++
		g.queue[0].answer <- true
		g.queue = g.queue[1:]
	}
}

// lead is how long before the batch's deadline the bridge stops waiting.
const lead = 250 * time.Millisecond

// beyond reports whether something takes longer than the batch has left.
func (g *gate) beyond(d time.Duration) bool {
	return !g.deadline.IsZero() && !g.pace.now().Add(d).Before(g.deadline)
}

func (g *gate) wake(after time.Duration) {
	g.stopTimer()
	g.timer = time.AfterFunc(after, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.grant()
	})
}

func (g *gate) stopTimer() {
	if g.timer != nil {
		g.timer.Stop()
	}
}

// close ends the gate's timer; its waiters end with their context.
func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stopTimer()
}
