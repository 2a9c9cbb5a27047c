package reliability

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// A waitBooks records everything that happens to executions that wait.
type waitBooks struct {
	mu     sync.Mutex
	waits  map[string]*waitEntry
	tokens map[string]string // by token: the wait
	left   int               // waits that have not ended
	ended  chan struct{}     // closed when none is left
}

// A waitEntry is the record of one wait.
type waitEntry struct {
	token string
	// ends are the events that the engine says ended it, with their outcomes.
	ends []waitEvent
	// answers are the statuses that senders got; 0 if the function was killed.
	answers map[string][]int // by event
	said    map[string]string
	marks   []string
}

func newWaitBooks() *waitBooks {
	return &waitBooks{waits: map[string]*waitEntry{}, tokens: map[string]string{}, ended: make(chan struct{})}
}

func (b *waitBooks) begin(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waits[id] = &waitEntry{answers: map[string][]int{}, said: map[string]string{}}
	b.left++
}

func (b *waitBooks) token(id, token string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waits[id].token, b.tokens[token] = token, id
}

func (b *waitBooks) tokenOf(id string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.waits[id].token
}

func (b *waitBooks) waitOf(token string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.tokens[token]
}

func (b *waitBooks) mark(id, fault string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if w := b.waits[id]; w != nil {
		w.marks = append(w.marks, fault)
	}
}

func (b *waitBooks) answer(e waitEvent, status int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	w := b.waits[e.Wait]
	w.answers[e.ID], w.said[e.ID] = append(w.answers[e.ID], status), e.Outcome
}

func (b *waitBooks) end(id, event, outcome string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	w := b.waits[id]
	if w == nil {
		return
	}
	w.ends = append(w.ends, waitEvent{event, id, outcome})
	if len(w.ends) == 1 {
		if b.left--; b.left == 0 {
			close(b.ended)
		}
	}
}

// await waits for the executions that were resumed: the engine ends them a little after
// the sender has been told of it.
func (b *waitBooks) await(ctx context.Context) error {
	select {
	case <-b.ended:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(settling):
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.left == 0 {
			return nil
		}
		return fmt.Errorf("%d executions are still waiting, although every sender has had its answer", b.left)
	}
}

// account closes the books.
func (b *waitBooks) account() *account {
	_ = b.await(context.Background())
	b.mu.Lock()
	defer b.mu.Unlock()
	a := &account{}
	ends, statuses, faults := map[string]int{}, map[string]int{}, map[string]int{}
	twice, quiet, events := 0, 0, 0
	explained := map[string]int{}
	for _, id := range sortedKeys(b.waits) {
		w := b.waits[id]
		for _, fault := range w.marks {
			faults[fault]++
		}
		taken := map[string]bool{}
		for event, answers := range w.answers {
			events++
			for _, status := range answers {
				statuses[answerName(status)]++
				if status == 200 {
					taken[event] = true
				}
			}
		}
		if len(w.ends) != 1 {
			ends["LOST"]++
			a.wrong("%s ended %d times (%v) with the answers %v after %v", id, len(w.ends), w.ends, w.answers, w.marks)
			continue
		}
		end := w.ends[0]
		ends["resumed as "+end.Outcome]++
		if w.said[end.ID] != end.Outcome {
			a.wrong("%s was resumed as %s by %s, which says %q", id, end.Outcome, end.ID, w.said[end.ID])
		}
		delete(taken, end.ID)
		if len(taken) > 0 {
			twice++
			a.wrong("%s was resumed by %s, and others were told that they did: %v", id, end.ID, w.answers)
		}
		if !slices.Contains(w.answers[end.ID], 200) {
			quiet++
			why := slices.IndexFunc(w.marks, func(m string) bool { return m == faultTaken || m == faultKilled })
			if why < 0 {
				a.wrong("%s was resumed by %s, whose sender was told %v, and no fault explains that", id, end.ID, w.answers[end.ID])
			} else {
				explained[w.marks[why]]++
			}
		}
	}
	a.head("Executions that waited")
	a.line(len(b.waits), "waited")
	for _, end := range sortedKeys(ends) {
		if end != "LOST" {
			a.line(ends[end], "%s", end)
		}
	}
	a.line(ends["LOST"], "lost, or resumed twice")
	a.line(twice, "where two senders were told that they had resumed it")
	a.line(quiet, "whose sender was never told that it had resumed it")
	for _, why := range sortedKeys(explained) {
		a.line(explained[why], "  after: %s", why)
	}
	a.head("What the senders received")
	a.line(events, "webhooks, some sent twice or contradicted by another")
	for _, s := range sortedKeys(statuses) {
		a.line(statuses[s], "%s", s)
	}
	a.head("Faults, by calls")
	for _, f := range sortedKeys(faults) {
		a.line(faults[f], "%s", f)
	}
	return a
}

func answerName(status int) string {
	switch status {
	case 0:
		return "no answer: function killed; sent again"
	case 200:
		return "200: resumed"
	case 410:
		return "410: the task is gone"
	case 502:
		return "502: outcome unknown; sent again"
	}
	return fmt.Sprintf("%d", status)
}
