package reliability

import (
	"fmt"
	"slices"
	"strings"
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
	kindBroken    kind = "broken"    // fails always: for the queue's redrive policy
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
	marks    map[attempt][]string // the faults that befell an attempt
	faults   map[string]int
	ended    map[string][]string // deleted, redriven
	letters  map[string][]string // error names
	endedAt  map[string]time.Time
	receives int
	batches  map[string]int
}

// newLedger returns an empty Ledger. With dedupe, fewer faults explain a second success.
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

// message returns what is known of a message.
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

// overtaken returns those of a receive's messages that come before one of their group
// that is still in the queue and does not come with them.
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

// An account is the final account of the messages.
type account struct {
	Lines []string
	// Wrong lists what must not happen: messages lost, attempts that started two
	// executions, successes beyond one that no fault explains, groups out of order.
	Wrong []string
}

func (a *account) line(n int, format string, args ...any) {
	a.Lines = append(a.Lines, fmt.Sprintf("%8d  %s", n, fmt.Sprintf(format, args...)))
}

func (a *account) head(s string) { a.Lines = append(a.Lines, "", s) }

func (a *account) wrong(format string, args ...any) {
	a.Wrong = append(a.Wrong, fmt.Sprintf(format, args...))
}

func (a *account) String() string {
	s := strings.Join(a.Lines, "\n") + "\n"
	if len(a.Wrong) > 0 {
		s += "\nWRONG:\n  " + strings.Join(a.Wrong[:min(len(a.Wrong), 40)], "\n  ") + "\n"
	}
	return s
}

// account makes the account.
func (l *ledger) account() *account {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := &account{}
	l.accountEnds(a)
	l.accountPutBack(a)
	l.accountRuns(a)
	l.accountDuplicates(a)
	l.accountOrder(a)
	l.accountFaults(a)
	return a
}

// accountEnds says where each message ended, and checks that the message may end like
// this.
func (l *ledger) accountEnds(a *account) {
	ends := map[string]int{}
	copies := 0
	for _, id := range l.order {
		m := l.messages[id]
		end := l.endOf(id)
		ends[end]++
		copies += max(len(l.letters[id])-1, 0)
		if end == "LOST" || len(l.ended[id]) == 0 {
			a.wrong("%s (%s) ended %v with letters %v after %s", id, m.Kind, l.ended[id], l.letters[id], l.story(id))
		}
		if wants := letterOf(m.Kind); slices.ContainsFunc(l.letters[id], func(name string) bool { return name != wants }) {
			a.wrong("%s (%s) has dead letters for %v", id, m.Kind, l.letters[id])
		}
	}
	a.head("Where the messages ended")
	a.line(len(l.order), "sent")
	for _, end := range sortedKeys(ends) {
		if end != "LOST" {
			a.line(ends[end], "%s", end)
		}
	}
	a.line(ends["LOST"], "lost")
	a.line(copies, "dead letters beyond one for a message (a send whose answer was lost, or a killed function)")
}

// accountPutBack says what became of the dead letters that were put back.
func (l *ledger) accountPutBack(a *account) {
	ends := map[string]int{}
	mended := 0
	for _, id := range l.again {
		m := l.messages[id]
		end := l.endOf(id)
		what := "as it was: "
		if m.Mended {
			mended++
			what = "mended: "
		}
		ends[what+end]++
		if end == "LOST" || len(l.ended[id]) == 0 {
			a.wrong("%s (%s, put back) ended %v with letters %v after %s; before that %s", id, m.Kind, l.ended[id], l.letters[id], l.story(id), l.story(m.Of))
		}
		if wants := letterOf(m.Kind); slices.ContainsFunc(l.letters[id], func(name string) bool { return name != wants }) {
			a.wrong("%s (%s, put back) has dead letters for %v", id, m.Kind, l.letters[id])
		}
	}
	a.head("Dead letters that were put back, once")
	a.line(len(l.again), "put back, %d of them mended", mended)
	for _, end := range sortedKeys(ends) {
		a.line(ends[end], "%s", end)
	}
}

// endOf says how a message ended. One that was deleted must have been settled.
func (l *ledger) endOf(id string) string {
	succeeded, gone := l.settledBy(id)
	switch {
	case len(l.ended[id]) == 0:
		return "still in the queue when the run was given up"
	case slices.Contains(l.ended[id], redriven):
		if len(l.runs[id]) == 0 {
			return "moved by the queue's redrive policy, never run"
		}
		return "moved by the queue's redrive policy"
	case len(l.letters[id]) > 0:
		return "dead-lettered: " + l.letters[id][0]
	case succeeded:
		return "deleted after an execution that succeeded"
	case gone:
		return "deleted, discarded by the route"
	case l.dedupe && l.settledElsewhere(l.messages[id]):
		return "deleted as a duplicate of a copy that had run"
	}
	return "LOST"
}

func (l *ledger) settledBy(id string) (succeeded, gone bool) {
	for _, r := range l.runs[id] {
		succeeded = succeeded || r.status == "SUCCEEDED"
		gone = gone || r.name == "Gone"
	}
	return succeeded, gone
}

// settledElsewhere reports whether the original or another copy of a message that was put
// back has been settled by an execution.
func (l *ledger) settledElsewhere(m message) bool {
	if m.Of == "" {
		return false
	}
	for _, id := range append([]string{m.Of}, l.again...) {
		if id != m.Of && l.messages[id].Of != m.Of {
			continue
		}
		if succeeded, gone := l.settledBy(id); succeeded || gone {
			return true
		}
	}
	return false
}

// letterOf returns the error name in a dead letter of the kind.
func letterOf(k kind) string {
	return map[kind]string{kindInvalid: "Invalid", kindPoison: "Expressway.ExpressionFailed", kindLarge: "Expressway.InputTooLarge"}[k]
}

// accountRuns counts what the engine saw, and checks that no attempt started two.
func (l *ledger) accountRuns(a *account) {
	status := map[string]int{}
	total, twice := 0, 0
	for _, id := range l.all() {
		perAttempt := map[attempt]int{}
		for _, r := range l.runs[id] {
			total++
			status[r.status]++
			perAttempt[r.attempt]++
		}
		for attempt, n := range perAttempt {
			if n > 1 {
				twice++
				a.wrong("receive %d of %s started %d executions", attempt.N, id, n)
			}
		}
	}
	a.head("What the engine saw")
	a.line(l.receives, "delivery attempts (receives)")
	a.line(total, "executions")
	for _, s := range sortedKeys(status) {
		a.line(status[s], "  %s", s)
	}
	a.line(twice, "attempts that started more than one")
}

// accountDuplicates explains each message that succeeded more than once.
func (l *ledger) accountDuplicates(a *account) {
	explained := map[string]int{}
	n, unexplained := 0, 0
	for _, id := range l.all() {
		var successes []*run
		for _, r := range l.runs[id] {
			if r.status == "SUCCEEDED" {
				successes = append(successes, r)
			}
		}
		if len(successes) < 2 {
			continue
		}
		n++
		slices.SortFunc(successes, func(x, y *run) int { return x.begun.Compare(y.begun) })
		for _, r := range successes[:len(successes)-1] {
			if i := slices.IndexFunc(l.marks[r.attempt], l.explains); i >= 0 {
				explained[l.marks[r.attempt][i]]++
				continue
			}
			unexplained++
			a.wrong("%s succeeded again after receive %d, which no fault befell: %s", id, r.attempt.N, l.story(id))
		}
	}
	a.head("Messages that succeeded more than once")
	a.line(n, "messages")
	for _, why := range sortedKeys(explained) {
		a.line(explained[why], "  run again after: %s", why)
	}
	a.line(unexplained, "  run again for no reason")
}

// explains reports whether a fault can make a message run again that has succeeded:
// the function could not know of the success, or the queue not of the delete. With dedupe
// only what kept the function from learning of the success, or from remembering it.
func (l *ledger) explains(fault string) bool {
	switch fault {
	case faultKilled, faultTimeout, faultReset, faultLate500, faultCut, faultSlow:
		return true
	case faultExpired, faultRedelivery:
		return !l.dedupe
	}
	return false
}

// accountOrder checks each group: nothing of it starts before all before it ended,
// succeeded, or failed for good.
func (l *ledger) accountOrder(a *account) {
	out := 0
	for _, g := range sortedKeys(l.groups) {
		var before time.Time
		of := ""
		for _, id := range l.groups[g] {
			for _, r := range l.runs[id] {
				if r.begun.Before(before) {
					out++
					a.wrong("%s ran before %s, of the same group, had ended: %s; %s", id, of, l.story(id), l.story(of))
					break
				}
			}
			if at := l.concluded(id); at.After(before) {
				before, of = at, id
			}
		}
	}
	a.head("Message groups")
	a.line(len(l.groups), "groups")
	a.line(out, "messages that ran before one of their group had ended")
}

// concluded returns when the execution began that concluded a message: its first success
// or final failure, else its last. It is zero for a message that never ran.
func (l *ledger) concluded(id string) (at time.Time) {
	for _, r := range l.runs[id] {
		at = r.begun
		if r.status == "SUCCEEDED" || r.name == "Gone" || r.name == "Invalid" {
			break
		}
	}
	return at
}

func (l *ledger) accountFaults(a *account) {
	counts := map[string]int{}
	for _, marks := range l.marks {
		for _, m := range marks {
			counts[m]++
		}
	}
	a.head("Batches")
	for _, how := range sortedKeys(l.batches) {
		a.line(l.batches[how], "%s", how)
	}
	a.head("Faults, by the attempts that they befell")
	for _, f := range sortedKeys(counts) {
		a.line(counts[f], "%s", f)
	}
	a.head("Faults, by calls")
	for _, f := range sortedKeys(l.faults) {
		a.line(l.faults[f], "%s", f)
	}
}

// story returns what happened to a message.
func (l *ledger) story(id string) string {
	var parts []string
	for _, r := range l.runs[id] {
		parts = append(parts, strings.TrimSpace(fmt.Sprintf("%d:%s %s", r.attempt.N, r.status, r.name))+fmt.Sprint(l.marks[r.attempt]))
	}
	return fmt.Sprintf("[%s] %v", strings.Join(parts, " "), l.ended[id])
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
