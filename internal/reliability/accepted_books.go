package reliability

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// What may happen to a send or a delivery, so that its webhook succeeds once more.
const (
	whyAcceptLost    = "accepted again: the queue's answer was lost or late (502), and the sender sent again"
	whyWebhookKilled = "accepted again: the webhook function was killed, and the sender sent again"
	whyStartLost     = "run again: the answer of the start was lost"
	whyStartLate     = "run again: the answer came after the function had stopped waiting"
	whyQueueKilled   = "run again: the queue function was killed"
	whyQueueFailed   = "run again: the queue function ran out of time"
	whyExpired       = "run again: the visibility timeout expired before the delete"
	whyLetterLost    = "put back twice: the answer to its dead letter was lost, and there was a second one"
	whyDoubt         = "put back twice: the answer to the redrive was lost, and it was sent again while in doubt"
)

// throughDedupe are the reasons that a dedupe key does not make harmless: the function did
// not learn of the end, or could not store it.
var throughDedupe = map[string]bool{whyStartLost: true, whyStartLate: true, whyQueueKilled: true, whyQueueFailed: true}

// An acceptedDelivery is one receive of one message.
type acceptedDelivery struct {
	root, message string
	receive       int
	nth           int // of its acceptance
	marks         []string
}

// repeats returns why a delivery that was settled may be repeated; empty for no reason.
func (d *acceptedDelivery) repeats(deduped bool) string {
	for _, why := range d.marks {
		if !deduped && why != whyLetterLost || throughDedupe[why] {
			return why
		}
	}
	return ""
}

// An acceptance is one invocation of the webhook function, known by its trace.
type acceptance struct {
	taken  int // how often the queue took its message
	lost   bool
	status int // what the sender got; 0 if the function was killed
}

// A send is one SendMessage of a function or of the redrive.
type send struct {
	id, root string
	letter   bool
	put      bool // by the redrive
	of       *acceptedDelivery
	roll     attempt
}

// The acceptedBooks record what happened to which delivery: a start is identified by the
// segment in its trace header, which the test gives to each delivery, and a message by the
// trace of its webhook.
type acceptedBooks struct {
	mu         sync.Mutex
	deliveries map[string]*acceptedDelivery // by segment
	ids        map[string][]string          // by webhook: the traces of its invocations
	roots      map[string]*acceptance
	done       map[string][]*acceptedDelivery // by webhook: what succeeded, in order
	letters    map[string][]*acceptedDelivery // by trace: whose dead letters were taken
	puts       map[string]int                 // by trace: how often the redrive put a message back
	doubts     map[string]int                 // by trace: of those, whose answer was lost
	sends      map[string]int
	receives   map[string]int // by trace
	putBack    bool
	result     acceptedAccount
}

func newAcceptedBooks() *acceptedBooks {
	return &acceptedBooks{
		deliveries: map[string]*acceptedDelivery{}, ids: map[string][]string{}, roots: map[string]*acceptance{}, done: map[string][]*acceptedDelivery{},
		letters: map[string][]*acceptedDelivery{}, puts: map[string]int{}, doubts: map[string]int{}, sends: map[string]int{}, receives: map[string]int{},
		result: acceptedAccount{Why: map[string]int{}, Twice: map[string]int{}},
	}
}

func (b *acceptedBooks) wrong(format string, args ...any) {
	b.result.Wrong = append(b.result.Wrong, fmt.Sprintf(format, args...))
}

// field returns a field of a trace header.
func field(header, name string) string {
	for part := range strings.SplitSeq(header, ";") {
		if value, found := strings.CutPrefix(part, name+"="); found {
			return value
		}
	}
	return ""
}

// answered records the answer that the sender of an invocation got.
func (b *acceptedBooks) answered(id, root string, status int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.of(id, root).status = status
	switch status {
	case 202:
		b.result.Accepted++
		return
	case 0:
		b.result.Why[whyWebhookKilled]++
	case 502:
		b.result.Why[whyAcceptLost]++
	case 503:
	default:
		b.wrong("%s was answered %d", id, status)
	}
	b.result.Repeated++
}

func (b *acceptedBooks) of(id, root string) *acceptance {
	if b.roots[root] == nil {
		b.roots[root] = &acceptance{status: -1}
		b.ids[id] = append(b.ids[id], root)
	}
	return b.roots[root]
}

// delivered gives a receive its segment, which comes back in the start.
func (b *acceptedBooks) delivered(m types.Message) *acceptedDelivery {
	b.mu.Lock()
	defer b.mu.Unlock()
	e, err := bridge.DecodeEnvelope(*m.Body)
	if err != nil {
		b.wrong("message %s: %v", *m.MessageId, err)
	}
	d := &acceptedDelivery{root: field(e.Trace, "Root"), message: *m.MessageId}
	d.receive, _ = strconv.Atoi(m.Attributes["ApproximateReceiveCount"])
	if header := m.Attributes["AWSTraceHeader"]; field(header, "Root") != d.root {
		b.wrong("message %s has the trace %q, and its envelope %q", d.message, header, e.Trace)
	}
	b.receives[d.root]++
	d.nth = b.receives[d.root]
	segment := fmt.Sprintf("%016x", len(b.deliveries)+1)
	b.deliveries[segment] = d
	m.Attributes["AWSTraceHeader"] = "Root=" + d.root + ";Parent=" + segment + ";Sampled=0"
	return d
}

// started finds the delivery of a start.
func (b *acceptedBooks) started(id, header string) *acceptedDelivery {
	b.mu.Lock()
	defer b.mu.Unlock()
	d := b.deliveries[field(header, "Parent")]
	switch {
	case d == nil:
		b.wrong("%s was started by no delivery (trace %q)", id, header)
	case field(header, "Root") != d.root || !slices.Contains(b.ids[id], d.root):
		b.wrong("%s was started with the trace %q, which belongs to %s", id, header, d.root)
	}
	return d
}

func (b *acceptedBooks) succeeded(id string, d *acceptedDelivery) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if d != nil {
		b.done[id] = append(b.done[id], d)
	}
}

// mark records what happened to a delivery.
func (b *acceptedBooks) mark(d *acceptedDelivery, why string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if d != nil {
		d.marks = append(d.marks, why)
		b.result.Why[why]++
	}
}

// puttingBack records that the redrive sends everything that the queue gets from now on.
func (b *acceptedBooks) puttingBack() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.putBack = true
}

func (b *acceptedBooks) redriven(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.result.Redriven = n
}

// open is how many webhooks wait in the queue.
func (b *acceptedBooks) open() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.result.Accepted - len(b.done) - len(b.letters)
}

// sending identifies a send.
func (b *acceptedBooks) sending(body, header string, letter bool) send {
	b.mu.Lock()
	defer b.mu.Unlock()
	var e struct {
		Trace string
		Input struct{ ID string }
	}
	_ = json.Unmarshal([]byte(body), &e) // anything but an envelope is reported with its delivery
	s := send{id: e.Input.ID, root: field(e.Trace, "Root"), letter: letter, put: b.putBack && !letter}
	key := s.root + "/" + strconv.FormatBool(letter)
	b.sends[key]++
	s.roll = attempt{key, b.sends[key]}
	if letter {
		if s.of = b.deliveries[field(header, "Parent")]; s.of == nil {
			b.wrong("a dead letter of %s belongs to no delivery (trace %q)", s.id, header)
		}
	}
	if !letter && !s.put {
		b.of(s.id, s.root)
	}
	return s
}

// sent records whether the queue accepted it, and whether the sender learns that.
func (b *acceptedBooks) sent(s send, taken, lost bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case !taken:
	case s.letter:
		b.letters[s.root] = append(b.letters[s.root], s.of)
		if lost && s.of != nil {
			s.of.marks = append(s.of.marks, whyLetterLost)
			b.result.Why[whyLetterLost]++
		}
	case s.put:
		b.puts[s.root]++
		if lost {
			b.doubts[s.root]++
			b.result.Why[whyDoubt]++
		}
	default:
		a := b.of(s.id, s.root)
		a.taken++
		a.lost = a.lost || lost
	}
}

// account balances the books: each success beyond the first of a webhook is explained by
// a fault of the delivery that was repeated, or is wrong.
func (b *acceptedBooks) account(webhooks int) *acceptedAccount {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := &b.result
	for i := range webhooks {
		id := fmt.Sprintf("w-%05d", i)
		b.acceptances(id)
		switch n := len(b.done[id]); {
		case n == 0:
			b.wrong("%s was accepted and is lost", id)
			continue
		case n == 1:
			a.Once++
		default:
			a.More++
		}
		if i%2 == 1 { // the route has dedupe
			b.repeats(id, b.done[id], true)
		} else {
			b.copies(id)
		}
	}
	if a.Accepted != webhooks {
		b.wrong("%d of %d webhooks were accepted", a.Accepted, webhooks)
	}
	slices.Sort(a.Wrong)
	return a
}

// acceptances compares the answers that senders got with what the queue accepted.
func (b *acceptedBooks) acceptances(id string) {
	for _, root := range b.ids[id] {
		switch a := b.roots[root]; {
		case a.taken > 1:
			b.wrong("one invocation put %s into the queue %d times", id, a.taken)
		case a.taken == 1 && a.status == 503:
			b.wrong("%s is in the queue, and its sender got 503", id)
		case a.taken == 0 && a.status == 202:
			b.wrong("%s is not in the queue, and its sender got 202", id)
		case a.status == 502 && a.taken == 1 && !a.lost:
			b.wrong("the sender of %s got 502, and the queue's answer was not lost", id)
		}
	}
}

// repeats explains the successes of one message, or with dedupe of one webhook: each but the
// last by a fault of the delivery that had it.
func (b *acceptedBooks) repeats(id string, done []*acceptedDelivery, deduped bool) {
	for _, d := range done[:len(done)-1] {
		if why := d.repeats(deduped); why != "" {
			b.result.Twice[why]++
			continue
		}
		b.wrong("%s succeeded again after receive %d of %s, which no fault explains (%v)", id, d.receive, d.message, d.marks)
	}
}

// copies explains the messages of a webhook that succeeded: one for each invocation that
// put it into the queue, and for each time that the redrive did.
func (b *acceptedBooks) copies(id string) {
	byRoot, byMessage := map[string][]string{}, map[string][]*acceptedDelivery{}
	for _, d := range b.done[id] {
		if byMessage[d.message] == nil {
			byRoot[d.root] = append(byRoot[d.root], d.message)
		}
		byMessage[d.message] = append(byMessage[d.message], d)
	}
	for _, message := range sortedKeys(byMessage) {
		b.repeats(id, byMessage[message], false)
	}
	for _, root := range b.ids[id] {
		a := b.roots[root]
		switch why := map[int]string{0: whyWebhookKilled, 502: whyAcceptLost}[a.status]; {
		case a.taken == 0:
			continue
		case byRoot[root] == nil:
			b.wrong("a copy of %s is lost: its sender got %d, and other copies ran", id, a.status)
			continue
		case why != "" && len(byRoot) > 1:
			b.result.Twice[why]++
		case why == "" && a.status != 202:
			b.wrong("a copy of %s exists, and its sender got %d", id, a.status)
		}
		b.putTwice(id, root, len(byRoot[root]))
	}
}

// putTwice explains why several messages of one invocation succeeded: there were several
// dead letters of it, or one was put back several times.
func (b *acceptedBooks) putTwice(id, root string, messages int) {
	if messages == 1 {
		return
	}
	letters, puts := b.letters[root], b.puts[root]
	for _, d := range letters[:max(len(letters)-1, 0)] {
		switch {
		case slices.Contains(d.marks, whyLetterLost):
			b.result.Twice[whyLetterLost]++
		case d.repeats(false) != "":
			b.result.Twice[d.repeats(false)]++
		default:
			b.wrong("%s has another dead letter after receive %d of %s, which no fault explains (%v)", id, d.receive, d.message, d.marks)
		}
	}
	extra := puts - len(letters)
	if extra > 0 {
		b.result.Twice[whyDoubt] += extra
	}
	if extra > b.doubts[root] || messages > puts {
		b.wrong("%d messages of one acceptance of %s succeeded: %d dead letters, put back %d times, %d in doubt", messages, id, len(letters), puts, b.doubts[root])
	}
}
