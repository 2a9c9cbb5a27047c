package reliability

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

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

// accountEnds says where each message ended, and checks that the message may end like that.
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

// accountPutBack says what happened to the dead letters that were put back.
func (l *ledger) accountPutBack(a *account) {
	ends := map[string]int{}
	mended := 0
	for _, id := range l.again {
		m := l.messages[id]
		end := l.endOf(id)
		what := "unchanged: "
		if m.Mended {
			mended++
			what = "corrected: "
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
	a.line(len(l.again), "put back, %d of them corrected", mended)
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
			a.wrong("%s succeeded again after receive %d, which no fault explains: %s", id, r.attempt.N, l.story(id))
		}
	}
	a.head("Messages that succeeded more than once")
	a.line(n, "messages")
	for _, why := range sortedKeys(explained) {
		a.line(explained[why], "  run again after: %s", why)
	}
	a.line(unexplained, "  run again for no reason")
}

// explains reports whether a fault can make a message run again that has succeeded: the
// function did not learn of the success, or the queue did not learn of the delete. With
// dedupe, this is only a fault that kept the function from learning of the success or from
// storing it.
func (l *ledger) explains(fault string) bool {
	switch fault {
	case faultKilled, faultTimeout, faultReset, faultLate500, faultCut, faultSlow:
		return true
	case faultExpired, faultRedelivery:
		return !l.dedupe
	}
	return false
}

// accountOrder checks each group: no message starts before every earlier one has ended,
// whether it succeeded or failed for good.
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

// concluded returns the start time of the execution that concluded a message: its first
// success or final failure, or else its last. It is zero for a message that never ran.
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
	a.head("Faults, by the attempts that they affected")
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
