package reliability

import (
	"sync"
	"time"
)

// An attempt is one delivery of a message: its nth receive.
type attempt struct {
	ID string
	N  int
}

// A message is what a run sends. Its kind says how its workflow ends.
type message struct {
	ID    string
	Kind  kind
	Group string // of the FIFO queue; empty on the standard one
	Seq   int    // in its group
	// Of is the message whose dead letter was put back as this one; empty for messages
	// that were sent. Mended says that it was changed so that it can run.
	Of     string
	Mended bool
}

// A kind says how a message ends if no fault affects it.
type kind string

// The kinds.
const (
	kindOK        kind = "ok"
	kindFlaky     kind = "flaky"     // fails at its first receive
	kindInvalid   kind = "invalid"   // fails with a name that the route dead-letters
	kindGone      kind = "gone"      // fails with a name that the route discards
	kindBroken    kind = "broken"    // always fails: for the queue's redrive policy
	kindPoison    kind = "poison"    // makes the route's expression fail
	kindLarge     kind = "large"     // makes an input that Step Functions would not take
	kindThrottled kind = "throttled" // is throttled at its first receive, for a long time
)

// A run is one execution that the engine saw.
type run struct {
	attempt attempt
	begun   time.Time
	status  string
	name    string // of the error
}

// A ledger records everything that happens.
type ledger struct {
	dedupe bool // the route has dedupe

	mu       sync.Mutex
	messages map[string]message
	order    []string            // that were sent
	again    []string            // that were put back
	groups   map[string][]string // ids, in order
	runs     map[string][]*run
	byARN    map[string]*run
	marks    map[attempt][]string // the faults of an attempt
	faults   map[string]int
	ended    map[string][]string // deleted, redriven
	letters  map[string][]string // error names
	endedAt  map[string]time.Time
	receives int
	batches  map[string]int
}

// newLedger returns an empty ledger. With dedupe, fewer faults explain a second success.
func newLedger(dedupe bool) *ledger {
	return &ledger{
		dedupe:   dedupe,
		messages: map[string]message{}, groups: map[string][]string{}, runs: map[string][]*run{}, byARN: map[string]*run{}, marks: map[attempt][]string{},
		faults: map[string]int{}, ended: map[string][]string{}, letters: map[string][]string{}, endedAt: map[string]time.Time{}, batches: map[string]int{},
	}
}

func (l *ledger) sent(m message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.messages[m.ID] = m
	if m.Group != "" {
		l.groups[m.Group] = append(l.groups[m.Group], m.ID)
	}
	if m.Of != "" {
		l.again = append(l.again, m.ID)
		return
	}
	l.order = append(l.order, m.ID)
}

// all returns every message, in the order in which they were sent and put back.
func (l *ledger) all() []string { return append(l.order[:len(l.order):len(l.order)], l.again...) }

// message returns what is known about a message.
func (l *ledger) message(id string) message {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.messages[id]
}

// mark records a fault of an attempt.
func (l *ledger) mark(a attempt, fault string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.marks[a] = append(l.marks[a], fault)
}

// count records something that did not affect a particular attempt.
func (l *ledger) count(fault string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults[fault]++
}

// invoked records a batch and how its invocation ended.
func (l *ledger) invoked(how string, messages int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.batches[how]++
	l.receives += messages
}

// began and finished record an execution, as the engine sees it.
func (l *ledger) began(arn string, a attempt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := &run{attempt: a, begun: time.Now()}
	l.byARN[arn] = r
	l.runs[a.ID] = append(l.runs[a.ID], r)
}

func (l *ledger) finished(arn, status, name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r := l.byARN[arn]; r != nil {
		r.status, r.name = status, name
	}
}

// The ends of a message in its queue.
const (
	deleted  = "deleted"
	redriven = "redriven"
)

func (l *ledger) end(id, how string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended[id] = append(l.ended[id], how)
	if l.endedAt[id].IsZero() {
		l.endedAt[id] = time.Now()
	}
}

func (l *ledger) letter(id, name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.letters[id] = append(l.letters[id], name)
}

// open returns how many messages have not ended, and when one last did.
func (l *ledger) open() (n int, last time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, at := range l.endedAt {
		if at.After(last) {
			last = at
		}
	}
	return len(l.messages) - len(l.ended), last
}

// overtaken returns the received messages that arrive too early: an earlier one of their
// group is still in the queue and was not received with them.
func (l *ledger) overtaken(ids []string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	came := map[string]bool{}
	var out []string
	for _, id := range ids {
		group := l.messages[id].Group
		early := false
		for _, before := range l.groups[group] {
			if before == id {
				break
			}
			early = early || len(l.ended[before]) == 0 && !came[before]
		}
		if early {
			out = append(out, id)
			continue
		}
		came[id] = true
	}
	return out
}
