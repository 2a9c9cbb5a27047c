package sqsbatch_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/expressway-dev/expressway/internal/redrive"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/dedupe"
	"github.com/expressway-dev/expressway/pkg/jsonata"
	"github.com/expressway-dev/expressway/pkg/sqsbatch"
)

// ---- Accepted webhooks

const (
	modelURL      = "https://sqs.us-east-1.amazonaws.com/123456789012/orders"
	acceptedRoute = "    http: POST /o\n    verify: none\n    start: m\n    timeout: 20s\n    queue: " + modelURL + "\n    input: '{% $request.body %}'\n    offload: s3://bucket/in\n"
	otherRoute    = "  - {name: p, http: POST /p, verify: none, start: m, queue: " + modelURL + "-of-others}\n"
)

// accept makes senders deliver webhooks, and retry those that were not acknowledged. The
// queue refuses some and loses the answers of some, the function is killed during some, and
// the bucket refuses some of the large ones.
func (w *world) accept(rt *rapid.T, outcomes []string) {
	for range rapid.IntRange(1, 4).Draw(rt, "webhooks") {
		item := &simItem{key: fmt.Sprint("k-", len(w.messages), "-", w.handles, "-", w.sends)}
		size := rapid.SampledFrom([]int{0, 0, 0, 0, 0, bridge.MaxInput}).Draw(rt, "size")
		item.webhook = fmt.Sprintf(`{"key":%q,"text":%q}`, item.key, strings.Repeat("x", size))
		script := rapid.SliceOfN(rapid.SampledFrom(outcomes), 1, 3).Draw(rt, "script")
		for range 1 + rapid.IntRange(0, 2).Draw(rt, "repeats") {
			fault := rapid.SampledFrom([]string{"", "", "", "refused", "lost", "killed before", "killed after", "no bucket"}).Draw(rt, "fault")
			if w.deliver(item, script, fault) {
				break
			}
		}
	}
}

// deliver runs the webhook function on a delivery, and reports whether it was acknowledged.
func (w *world) deliver(item *simItem, script []string, fault string) (acknowledged bool) {
	route := w.routes[0]
	before := item.taken
	side := &webhookSide{w, item, script, fault}
	b := bridge.New(nil, bridge.Options{Log: slog.New(slog.DiscardHandler), Acceptor: side, Offloader: side})
	d := &bridge.Delivery{
		Route: &route.Route, ID: item.key, RequestID: item.key, Kind: "request", ReceivedAt: time.Now(),
		Document: func() (any, error) { return jsonata.Decode([]byte(`{"body":` + item.webhook + `}`)) },
	}
	r := b.Run(context.Background(), d)
	large := len(item.webhook) > bridge.MaxInput
	w.mu.Lock()
	defer w.mu.Unlock()
	if strings.HasPrefix(fault, "killed") {
		return false // no one is notified of it
	}
	b.Settle(context.Background(), d, r, bridge.Settlement{Final: r.Failure == nil})
	took := item.taken - before
	switch {
	case r.Accepted != "" && (took != 1 || fault == "lost"):
		w.problem("%s is acknowledged, and the queue took it %d times", item.key, took)
	case r.Accepted != "":
		item.acked++
		return true
	case r.Failure == nil:
		w.problem("%s ended as %+v", item.key, r)
	case r.Failure.Class() == bridge.Ambiguous && fault != "lost", r.Failure.Class() == bridge.Retryable && took != 0:
		w.problem("%s failed with %v, and the queue took it %d times", item.key, r.Failure, took)
	case fault == "no bucket" && !large, fault == "":
		w.problem("%s failed with %v", item.key, r.Failure)
	}
	return false
}

// A webhookSide is the queue and the bucket, as one invocation of the webhook function
// reaches them.
type webhookSide struct {
	w      *world
	item   *simItem
	script []string
	fault  string
}

func (s *webhookSide) Accept(_ context.Context, a bridge.Acceptance) (string, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	switch s.fault {
	case "refused":
		return "", bridge.NewFailure(bridge.Throttled, "", nil)
	case "killed before":
		return "", bridge.NewFailure(bridge.Unavailable, "", nil)
	}
	if e := a.Envelope; a.Queue != modelURL || e.Route != "o" || e.DeliveryID != s.item.key || (e.Dedupe != nil) != s.w.dedupe {
		s.w.problem("%s is put into %s as %+v", s.item.key, a.Queue, e)
	}
	m := &simMessage{item: s.item, script: s.script, body: a.Envelope.Encode()}
	s.w.add(m)
	s.item.taken++
	if s.fault == "lost" {
		return "", bridge.NewFailure(bridge.Unknown, "", nil)
	}
	return m.id, nil
}

func (s *webhookSide) Put(_ context.Context, o bridge.Object) error {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	if s.fault == "no bucket" {
		return errors.New("no")
	}
	if string(o.Body) != s.item.webhook || o.Bucket != "bucket" || !strings.HasPrefix(o.Key, "in/") {
		s.w.problem("%s puts %d bytes into %s/%s", s.item.key, len(o.Body), o.Bucket, o.Key)
	}
	s.w.objects[o.Key] = true
	return nil
}

// text returns the body of a message.
func (m *simMessage) text() string {
	if m.body != "" {
		return m.body
	}
	return `"` + m.item.key + `"`
}

// traceOf names a delivery in the form of a trace header, and deliveryOf reads that.
func traceOf(m *simMessage) string {
	return fmt.Sprintf("Root=1-00000000-%024x;Parent=%016x;Sampled=0", m.seq, m.received)
}

func (w *world) deliveryOf(header string) (m *simMessage, receive int) {
	var seq int
	if n, err := fmt.Sscanf(header, "Root=1-00000000-%x;Parent=%x;", &seq, &receive); n != 2 || err != nil || seq >= len(w.messages) {
		return nil, 0
	}
	return w.messages[seq], receive
}

// acceptedStart checks a start of a route that accepts, and finds its delivery.
func (w *world) acceptedStart(s bridge.Start) (*simMessage, int) {
	m, n := w.deliveryOf(s.TraceHeader)
	switch {
	case m == nil:
		w.problem("a start without a delivery: %+v", s)
		return nil, 0
	case m.forged || s.Route != "o" || s.Name != "o-"+m.item.key:
		w.problem("%s, which no route has accepted, started %s of route %s", m.id, s.Name, s.Route)
		return nil, 0
	}
	if len(m.item.webhook) <= bridge.MaxInput {
		if string(s.Input) != m.item.webhook {
			w.problem("%s was accepted with %s and started with %s", m.id, m.item.webhook, s.Input)
		}
		return m, n
	}
	var reference struct {
		Offloaded struct {
			Key  string
			Size int
		}
	}
	if err := json.Unmarshal(s.Input, &reference); err != nil || !w.objects[reference.Offloaded.Key] || reference.Offloaded.Size != len(m.item.webhook) {
		w.problem("%s refers to nothing: %s", m.id, s.Input)
	}
	return m, n
}

// checkAcknowledged checks that acknowledged deliveries are, or were, in the queue.
func (w *world) checkAcknowledged(rt *rapid.T) {
	for _, m := range w.messages {
		if m.item.acked > m.item.taken {
			rt.Fatalf("%s was acknowledged %d times, and the queue took it %d times", m.item.key, m.item.acked, m.item.taken)
		}
	}
}

// forge puts a delivery into the queue that no route has accepted there, or a copy of an
// accepted one; or passes a captured envelope to the function from another queue.
func (w *world) forge(rt *rapid.T) {
	modelSteps.Add(1)
	w.mu.Lock()
	defer w.mu.Unlock()
	var real []*simMessage
	for _, m := range w.messages {
		if m.body != "" && !m.forged {
			real = append(real, m)
		}
	}
	if !w.accepts || len(real) == 0 {
		return
	}
	m := real[rapid.IntRange(0, len(real)-1).Draw(rt, "message")]
	kind := rapid.SampledFrom([]string{"a copy", "of another queue's route", "of no route", "of a later version", "no envelope", "no input", "in another queue"}).Draw(rt, "forgery")
	forged := &simMessage{item: &simItem{key: "forged"}, script: []string{"ok"}, body: m.body, forged: true}
	switch kind {
	case "a copy": // everyone who may send there may start the route
		forged.item, forged.forged, forged.script = m.item, false, m.script
		m.item.taken++
	case "of another queue's route":
		forged.body = strings.Replace(m.body, `"route":"o"`, `"route":"p"`, 1)
	case "of no route":
		forged.body = strings.Replace(m.body, `"route":"o"`, `"route":"q"`, 1)
	case "of a later version":
		forged.body = strings.Replace(m.body, `"v":1`, `"v":2`, 1)
	case "no envelope":
		forged.body = m.item.webhook
	case "no input":
		forged.body = `{"v":1,"route":"o","deliveryId":"x"}`
	case "in another queue":
		p := w.processes[0]
		event := records(map[string]any{
			"messageId": "elsewhere", "body": m.body, "attributes": attributes("AWSTraceHeader", "Root=1-00000000-ffffffffffffffffffffffff;Parent=00000000000000ff"),
			"eventSourceARN": modelQueue + "-of-others",
		})
		w.mu.Unlock()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		out, err := p.batch.Invoke(ctx, event)
		cancel()
		w.mu.Lock()
		if err != nil || !strings.Contains(string(out), "elsewhere") {
			w.problem("an envelope in another queue: %s, %v", out, err)
		}
		return
	}
	w.add(forged)
}

// ---- Tasks that wait

const resumeRoute = "    sqs: 'orders*'\n    resume: {token: '{% $message.messageId & \"/\" & $string($message.receiveCount) %}', output: '{% $message.body %}'}\n"

// Resume completes the task of a message, as its script says. An attempt with an unknown
// result is repeated, as [bridge.Resumer] allows.
func (p *process) Resume(ctx context.Context, r bridge.Resumption) error {
	w := p.w
	id, count, _ := strings.Cut(r.Token, "/")
	var receive int
	_, _ = fmt.Sscan(count, &receive)
	w.mu.Lock()
	m := w.byID[id]
	if m == nil || r.Action != bridge.TaskSucceeds || string(r.Output) != m.text() {
		w.problem("%s of %s with %s", r.Action, r.Token, r.Output)
		w.mu.Unlock()
		return bridge.NewFailure(bridge.Unknown, "", nil)
	}
	outcome := m.outcome(receive)
	if w.calm && outcome == "hang" {
		outcome = "ok"
	}
	if p.alive() {
		m.starts[receive]++
		if m.starts[receive] > 1 {
			w.problem("receive %d of %s resumed twice", receive, m.id)
		}
		if w.dedupe && m.item.settled {
			w.problem("%s resumed again after it was settled", m.id)
		}
		p.inTurn(m, nil)
	}
	gone := m.item.task
	takes := p.alive() && slices.Contains([]string{"ok", "slow", "hang", "unknown", "gone"}, outcome)
	m.item.task = gone || takes
	w.mu.Unlock()
	if !p.alive() {
		<-ctx.Done()
		return bridge.NewFailure(bridge.Deadline, "", nil)
	}
	if err := p.work(ctx, outcome); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch outcome {
	case "invalid", "ours":
		if w.discards && !w.letters {
			p.settled(m)
		}
		return bridge.NewFailure(bridge.BadToken, "because", nil)
	case "fail":
		return bridge.NewFailure(bridge.Throttled, "", nil)
	}
	p.settled(m)
	if gone || outcome == "gone" {
		f := bridge.NewFailure(bridge.TaskGone, "", nil)
		f.Settles = true
		return f
	}
	return nil
}

// ---- Dead letters that the command puts back

// redriveBooks record what the redrive of a world leaves behind, and what it did.
type redriveBooks struct {
	journal []byte
	taken   map[string]int // by letter: how often its queue took it
	when    map[string]time.Time
	listed  map[string]bool
	keyed   map[string]bool // by letter: a dedupe key makes two of it one
}

func newRedriveBooks() redriveBooks {
	return redriveBooks{taken: map[string]int{}, when: map[string]time.Time{}, listed: map[string]bool{}, keyed: map[string]bool{}}
}

// die puts a message into the dead-letter queue.
func (w *world) die(l *simLetter) {
	w.died++
	l.id, l.since = fmt.Sprint("d-", w.died), time.Now()
	if l.moved {
		l.since = l.of.sent // SQS keeps the time of the first sending
	}
	w.dead = append(w.dead, l)
}

// redriveCommand runs expressway redrive, which may be killed at any of its calls.
func (w *world) redriveCommand(rt *rapid.T) {
	modelSteps.Add(1)
	w.mu.Lock()
	none := len(w.dead) == 0
	w.mu.Unlock()
	if none {
		return
	}
	killAt := 0
	if rapid.Bool().Draw(rt, "killed") {
		killAt = rapid.IntRange(1, 30).Draw(rt, "call")
	}
	w.runCommand(rt, redrive.Skip, killAt)
}

// drainCommand lets the command put back what it can, without a kill, and checks that the
// letters that it sent twice are listed.
func (w *world) drainCommand(rt *rapid.T) {
	w.runCommand(rt, redrive.Skip, 0)
	w.runEmpty(rt)
	for id, n := range w.redriving.taken {
		if n > 1 && !w.redriving.listed[id] && !w.redriving.keyed[id] {
			rt.Fatalf("%s was put back %d times, but is not listed", id, n)
		}
	}
}

func (w *world) runCommand(rt *rapid.T, doubt redrive.InDoubt, killAt int) {
	c := &command{w: w, killAt: killAt}
	o := redrive.Options{
		From: deadURL + ".fifo", To: modelURL, InDoubt: doubt, Queue: c, Sender: c, Store: c, Workers: 1,
		Keys: c, Began: time.Now(),
	}
	if w.fifo {
		o.To += ".fifo"
	}
	if w.dedupe {
		o.Claims = c
	}
	report, err := redrive.Run(context.Background(), o)
	if err != nil && !errors.Is(err, errKilledCommand) {
		rt.Fatalf("redrive: %v", err)
	}
	if report == nil {
		return
	}
	for _, l := range report.Lines {
		w.redriving.listed[l.ID] = w.redriving.listed[l.ID] || l.Twice
	}
}

// A command is one run of the redrive: the dead-letter queue, the queue and the disk, until
// it is killed.
type command struct {
	w      *world
	calls  int
	killAt int
}

var errKilledCommand = errors.New("the command was killed")

// call counts the calls, and ends the command at one of them: before it, or after it but
// before the command learns of that.
func (c *command) call(do func() error) error {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	c.calls++
	switch {
	case c.killAt == 0 || c.calls < c.killAt:
		return do()
	case c.calls == c.killAt && c.killAt%2 == 0:
		_ = do()
	}
	return errKilledCommand
}

func (c *command) find(handle string) *simLetter {
	for _, l := range c.w.dead {
		if l.handle == handle {
			return l
		}
	}
	return nil
}

func (c *command) Receive(_ context.Context, most int, wait time.Duration) (out []redrive.Letter, err error) {
	err = c.call(func() error {
		blocked := map[string]bool{}
		for _, l := range c.w.dead {
			group := l.of.group
			if group == "" {
				group = l.of.id // of a FIFO queue
			}
			switch {
			case time.Now().Before(l.hidden):
				blocked[group] = true
			case len(out) == most || blocked[group]:
			default:
				c.w.handles++
				l.handle, l.hidden = fmt.Sprint("l-", c.w.handles), time.Now().Add(redrive.Visibility)
				out = append(out, l.letter(c.w))
			}
		}
		return nil
	})
	if len(out) == 0 && err == nil {
		time.Sleep(wait)
	}
	return out, err
}

// letter returns a letter as the queue delivers it.
func (l *simLetter) letter(w *world) redrive.Letter {
	out := redrive.Letter{
		ID: l.id, Handle: l.handle, Body: l.of.text(), Attributes: map[string]sqsbatch.Attribute{},
		System: map[string]string{"SentTimestamp": fmt.Sprint(l.since.UnixMilli()), "MessageGroupId": l.of.group, "MessageDeduplicationId": l.of.id},
	}
	if l.moved {
		out.System["DeadLetterQueueSourceArn"] = w.arn
		out.System["MessageDeduplicationId"] = l.of.deduplication
	}
	for name, value := range l.reason {
		out.Attributes[name] = sqsbatch.Attribute{DataType: "String", Text: value}
	}
	return out
}

func (c *command) Hide(_ context.Context, handle string, visibility time.Duration) error {
	return c.call(func() error {
		if l := c.find(handle); l != nil {
			l.hidden = time.Now().Add(visibility)
		}
		return nil
	})
}

func (c *command) Delete(_ context.Context, handle string) error {
	return c.call(func() error {
		l := c.find(handle)
		if l == nil {
			return nil
		}
		if c.w.redriving.taken[l.id] == 0 {
			c.w.problem("the redrive deletes %s, and nothing has taken it", l.id)
		}
		c.w.dead = slices.DeleteFunc(c.w.dead, func(other *simLetter) bool { return other == l })
		return nil
	})
}

func (c *command) Count(context.Context) (visible, hidden int, err error) {
	err = c.call(func() error {
		for _, l := range c.w.dead {
			if time.Now().Before(l.hidden) {
				hidden++
			} else {
				visible++
			}
		}
		return nil
	})
	return visible, hidden, err
}

// Send puts a message into the queue. Some of the answers are lost, and some of the sends
// are refused.
func (c *command) Send(_ context.Context, p *redrive.Parcel) error {
	return c.call(func() error {
		w, id := c.w, strings.TrimPrefix(p.RedriveID, "redrive-")
		w.changes++
		switch {
		case w.calm:
		case w.changes%7 == 0:
			return &redrive.Refusal{Err: errors.New("throttled"), Passes: true}
		case w.changes%11 == 1:
			return errors.New("not sent, and no answer")
		}
		i := slices.IndexFunc(w.dead, func(l *simLetter) bool { return l.id == id })
		if i < 0 || p.Message == nil || p.Message.Body != w.dead[i].of.text() {
			w.problem("the redrive sends %+v of %s", p.Message, id)
			return nil
		}
		l := w.dead[i]
		w.redriving.keyed[id] = w.dedupe
		// SQS remembers the redrive's id for five minutes.
		if last, known := w.redriving.when[id]; !w.fifo || !known || time.Since(last) >= 5*time.Minute {
			w.redriving.taken[id]++
			w.redriving.when[id] = time.Now()
			of := l.of
			m := &simMessage{item: of.item, group: p.Message.GroupID, deduplication: of.deduplication, script: of.script, body: of.body, forged: of.forged, reason: map[string]string{}}
			if w.fifo {
				m.deduplication = p.Message.DeduplicationID
			}
			for name, a := range p.Message.Attributes {
				m.reason[name] = a.Text
			}
			w.add(m)
		}
		if w.changes%11 == 0 && !w.calm {
			return errors.New("sent, and no answer")
		}
		return nil
	})
}

func (c *command) Load() ([]byte, error) { return slices.Clone(c.w.redriving.journal), nil }

func (c *command) Append(line []byte, _ bool) error {
	return c.call(func() error {
		c.w.redriving.journal = append(c.w.redriving.journal, line...)
		return nil
	})
}

func (c *command) Remove() error {
	return c.call(func() error {
		c.w.redriving.journal = nil
		return nil
	})
}

// Known returns the dedupe key of a letter.
func (c *command) Known(ctx context.Context, p *redrive.Parcel) (redrive.Known, error) {
	if !c.w.dedupe {
		return redrive.Known{Route: "o"}, nil
	}
	return redrive.NewRoutes(c.w.routes, "us-east-1", "123456789012").Known(ctx, p)
}

func (c *command) Look(_ context.Context, key string) (item dedupe.Item, found bool, err error) {
	err = c.call(func() error {
		c.w.store.mu.Lock()
		defer c.w.store.mu.Unlock()
		r, ok := c.w.store.records[key]
		item, found = dedupe.Item{Completed: r.State == bridge.Completed, Until: r.Until}, ok
		return nil
	})
	return item, found, err
}

func (c *command) Forget(_ context.Context, key string, seen dedupe.Item) error {
	return c.call(func() error {
		c.w.store.mu.Lock()
		defer c.w.store.mu.Unlock()
		if r := c.w.store.records[key]; r.State == bridge.Completed || r.Until != seen.Until {
			return dedupe.ErrChanged
		}
		delete(c.w.store.records, key)
		return nil
	})
}

// forget frees the key of a delivery that was completed, and sends it again: it runs.
func (w *world) forget(rt *rapid.T) {
	modelSteps.Add(1)
	w.mu.Lock()
	defer w.mu.Unlock()
	var done []*simMessage
	for _, m := range w.messages {
		if m.item.settled && !m.forged && w.dedupe {
			done = append(done, m)
		}
	}
	if len(done) == 0 || w.resumes { // a task that was completed is completed
		return
	}
	m := done[rapid.IntRange(0, len(done)-1).Draw(rt, "message")]
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	key := bridge.DedupeRecord("o", []byte(m.item.key))
	if w.store.records[key].State != bridge.Completed {
		return
	}
	delete(w.store.records, key)
	m.item.settled = false
	for _, other := range w.messages {
		// A deleted message was settled by a remembered delivery; one that a function is
		// processing may have just been settled.
		gone := other.gone && !other.redriven || !other.gone && time.Now().Before(other.visible)
		other.replayed = other.replayed || other.item == m.item && gone
	}
	w.add(&simMessage{item: m.item, group: m.group, deduplication: m.item.key, script: []string{"ok"}, body: m.body})
}
