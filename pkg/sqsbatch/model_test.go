package sqsbatch_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/sqsbatch"
)

// modelSteps counts the actions of TestModel.
var modelSteps atomic.Int64

// TestModel simulates a queue, the event source mapping and a workflow service around the
// function, with throttles, lost answers, hangs, panics, kills, visibility that expires
// during a batch, a dead-letter queue that fails, and people who free dedupe keys and put
// dead letters back, corrected or not, by hand or with expressway redrive, which is killed,
// too. In some worlds, the messages are webhooks that an http route has accepted, mixed
// with forgeries, and in some they complete waiting tasks. In every case:
//
//   - every message ends settled by an execution, discarded by the route, in the dead-letter
//     queue, or back in the queue: a deleted message was settled or discarded, or a dead letter
//     of this very message was accepted;
//   - a message that is put back from the dead-letter queue runs: dead-lettering it settled
//     nothing;
//   - only messages that a workflow has failed are discarded;
//   - no delivery attempt starts two executions; with dedupe, none starts next to another that
//     is still running, or after the message was settled, even if functions are killed;
//   - a message of a group starts only when all earlier ones are settled;
//   - an acknowledged webhook is in the queue, once for each acknowledgement; a webhook whose
//     large input the bucket refused, or that the queue refused, is not acknowledged;
//   - nothing starts except deliveries that a route of this very queue has accepted, with their
//     original input, and nothing else is ever settled;
//   - a task is completed once, and a message about it is settled once it is completed or gone;
//   - a letter that the redrive deletes was accepted by its queue, and letters that it sent
//     twice are listed, unless a FIFO queue or a dedupe key drops the second copy;
//   - a key that was freed lets its delivery run again;
//   - in the end, with all dead letters corrected and put back, every message is settled by an
//     execution.
//
// `make model` runs it for 100,000 actions.
func TestModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		rapid.SyncTest(rt, func(rt *rapid.T) {
			defer time.Sleep(3 * time.Hour) // hanging calls end before the bubble does, even after a failure
			w := newWorld(rt)
			rt.Repeat(map[string]func(*rapid.T){
				"send":    w.send,
				"poll":    w.poll,
				"poll 2":  w.poll, // more often than the rest
				"advance": w.advance,
				"kill":    w.kill,
				"redrive": w.redrive,
				"command": w.redriveCommand,
				"forget":  w.forget,
				"forge":   w.forge,
				"":        w.check,
			})
			w.drain(rt)
		})
	})
	t.Logf("%d actions", modelSteps.Load())
}

const (
	modelVisibility = 60 * time.Second
	modelReceives   = 5
	modelQueue      = "arn:aws:sqs:us-east-1:123456789012:orders"
)

// A simItem is what a sender sent: one message, and another one each time it is put back.
type simItem struct {
	key     string
	settled bool      // an execution or a discard has, and the function knew
	runs    time.Time // an execution may run until then
	webhook string    // the body, of one that was accepted
	acked   int       // how often its sender was acknowledged
	taken   int       // how often the queue took it
	task    bool      // its task was completed, or is gone
}

// A simMessage is a message of the simulated queue.
type simMessage struct {
	item          *simItem
	seq           int
	id, group     string
	deduplication string            // id, on a FIFO queue
	reason        map[string]string // attributes, of a letter that was put back
	script        []string          // what happens to it, by receive; the last continues
	body          string            // the envelope, of an accepted webhook
	forged        bool              // no route has accepted it
	sent          time.Time

	received int
	handle   string
	visible  time.Time
	gone     bool // deleted, or redriven
	redriven bool
	settled  bool // the function knew of its end
	lettered bool // the dead-letter queue has taken it
	replayed bool // it may have been settled by what was remembered, before that was forgotten
	starts   map[int]int
}

// A simLetter is a message in the dead-letter queue.
type simLetter struct {
	of     *simMessage
	reason map[string]string // nil if the queue itself moved it

	id     string
	moved  bool // by the queue itself
	since  time.Time
	handle string
	hidden time.Time
}

func (m *simMessage) outcome(receive int) string {
	return m.script[min(receive, len(m.script))-1]
}

// A process is one execution environment.
type process struct {
	w       *world
	dead    chan struct{} // closed when it is killed
	batch   *sqsbatch.Batch
	running int
}

func (p *process) alive() bool {
	select {
	case <-p.dead:
		return false
	default:
		return true
	}
}

// A world is the queue and everything around the function.
type world struct {
	routes                       []*config.Route
	arn                          string
	fifo, batch, dedupe, letters bool
	discards                     bool // whatever a workflow fails with
	accepts, resumes             bool // the messages are accepted webhooks, or are about tasks
	store                        *store

	mu        sync.Mutex
	messages  []*simMessage
	byID      map[string]*simMessage
	processes []*process
	problems  []string
	handles   int
	sends     int // to the dead-letter queue
	changes   int
	dead      []*simLetter
	died      int
	calm      bool
	objects   map[string]bool // in the bucket of large inputs
	redriving redriveBooks
}

func newWorld(rt *rapid.T) *world {
	w := &world{
		fifo: rapid.Bool().Draw(rt, "fifo"), batch: rapid.Bool().Draw(rt, "batch"), dedupe: rapid.Bool().Draw(rt, "dedupe"),
		letters: rapid.Bool().Draw(rt, "dead letters"), discards: rapid.Bool().Draw(rt, "discard all"), byID: map[string]*simMessage{}, store: &store{records: map[string]bridge.Record{}},
		arn: modelQueue, objects: map[string]bool{},
	}
	w.redriving = newRedriveBooks()
	switch rapid.SampledFrom([]string{"start", "start", "accepted", "resume"}).Draw(rt, "world") {
	case "accepted":
		w.accepts, w.fifo, w.batch = true, false, false
	case "resume":
		w.resumes, w.batch = true, false
	}
	w.dedupe = w.dedupe && !w.batch
	if w.fifo {
		w.arn += ".fifo"
	}
	route := fmt.Sprintf("  - name: o\n    concurrency: %d\n", rapid.IntRange(1, 4).Draw(rt, "concurrency"))
	switch {
	case w.accepts:
		route += acceptedRoute
	case w.resumes:
		route += resumeRoute
	default:
		route += "    sqs: 'orders*'\n    start: m\n    timeout: 20s\n"
	}
	if w.accepts || w.resumes {
		// Their inputs are those of their routes.
	} else if w.batch {
		route += "    batch: true\n    input: '{% [$messages.{\"id\": messageId, \"n\": receiveCount}] %}'\n"
	} else {
		route += "    input: '{% [{\"id\": $message.messageId, \"n\": $message.receiveCount}] %}'\n"
	}
	if w.dedupe {
		key := "$message.body"
		if w.fifo {
			key = "$message.attributes.MessageDeduplicationId"
		}
		if w.accepts {
			key = "$request.body.key"
		}
		route += "    dedupe: {key: '{% " + key + " %}'}\n"
	}
	if rapid.Bool().Draw(rt, "retry") {
		route += "    retry: {delay: 2s, max: 30s}\n"
	}
	catch := "{errors: [Gone], then: discard}"
	if w.discards {
		catch = "{errors: States.ALL, then: discard}"
	}
	if w.letters {
		route += "    deadLetterQueue: " + deadURL + ".fifo\n    catch: [{errors: [Invalid, Expressway.BadToken], then: dead-letter}, " + catch + "]\n"
	} else {
		route += "    catch: [" + catch + "]\n"
	}
	if w.accepts {
		route += otherRoute
	}
	cfg, err := config.Options{Getenv: func(string) string { return "" }}.Parse("test.yaml", []byte("version: 1\nroutes:\n"+route))
	if err != nil {
		rt.Fatal(err)
	}
	w.routes = cfg.Routes
	w.processes = []*process{w.boot(), w.boot()}
	return w
}

func (w *world) boot() *process {
	p := &process{w: w, dead: make(chan struct{})}
	var options bridge.Options
	if w.dedupe {
		options.Dedupe = &deadStore{p, w.store}
	}
	if w.resumes {
		options.Resumer = p
	}
	p.batch = sqsbatch.New(w.routes, bridge.New(starterFunc(p.start), options), sqsbatch.Options{Queues: p})
	return p
}

func (w *world) problem(format string, args ...any) {
	w.problems = append(w.problems, fmt.Sprintf(format, args...))
}

func (w *world) check(rt *rapid.T) {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.problems) > 0 {
		rt.Fatalf("%s", strings.Join(w.problems, "\n"))
	}
}

func (w *world) send(rt *rapid.T) {
	modelSteps.Add(1)
	outcomes := []string{"ok", "ok", "ok", "slow", "hang", "fail", "invalid", "gone", "throttle", "unavailable", "unknown", "panic", "ours"}
	if w.accepts {
		w.accept(rt, outcomes)
		return
	}
	n := rapid.IntRange(1, 8).Draw(rt, "messages")
	w.mu.Lock()
	defer w.mu.Unlock()
	for range n {
		m := &simMessage{item: &simItem{key: fmt.Sprint("k-", len(w.messages))}}
		m.deduplication = m.item.key
		m.script = rapid.SliceOfN(rapid.SampledFrom(outcomes), 1, 3).Draw(rt, "script")
		if w.fifo {
			m.group = rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "group")
		}
		w.add(m)
	}
}

// add puts a message at the end of the queue.
func (w *world) add(m *simMessage) {
	m.seq, m.id, m.starts, m.sent = len(w.messages), fmt.Sprint("m-", len(w.messages)), map[int]int{}, time.Now()
	w.messages = append(w.messages, m)
	w.byID[m.id] = m
}

// redrive puts dead letters back, some of them corrected.
func (w *world) redrive(rt *rapid.T) {
	modelSteps.Add(1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.dead) == 0 {
		return
	}
	n := rapid.IntRange(1, len(w.dead)).Draw(rt, "letters")
	script := []string{"ok"}
	if rapid.Bool().Draw(rt, "as it was") {
		script = nil
	}
	w.putBack(n, script)
}

func (w *world) putBack(n int, script []string) {
	for _, letter := range w.dead[:n] {
		of := letter.of
		m := &simMessage{item: of.item, group: of.group, deduplication: of.deduplication, script: of.script, reason: letter.reason, body: of.body, forged: of.forged}
		if letter.reason != nil {
			m.deduplication = of.id // the letter's own
		}
		if script != nil {
			m.script = script
		}
		w.add(m)
	}
	w.dead = w.dead[n:]
}

// done reports whether a message need not run: it was settled, by an execution or a discard
// or by what is remembered of the item, or it is in the dead-letter queue.
func (w *world) done(m *simMessage) bool {
	return m.settled || m.lettered || m.replayed || (w.dedupe || w.resumes) && m.item.settled && !m.forged
}

// receive returns messages as a queue does: with a receive count, invisible for a time, and
// none of a group while an earlier one is in flight.
func (w *world) receive(most int) (batch []*simMessage) {
	blocked := map[string]bool{}
	for _, m := range w.messages {
		switch {
		case m.gone:
			continue
		case w.fifo && blocked[m.group]:
			continue
		case len(batch) == most || time.Now().Before(m.visible):
			blocked[m.group] = true
			continue
		case m.received >= modelReceives:
			m.gone, m.redriven = true, true
			w.die(&simLetter{of: m, reason: m.reason, moved: true})
			continue
		}
		w.handles++
		m.received++
		m.handle = fmt.Sprint("h-", w.handles)
		m.visible = time.Now().Add(modelVisibility)
		batch = append(batch, m)
	}
	return batch
}

func (w *world) event(batch []*simMessage) []byte {
	var list []map[string]any
	for _, m := range batch {
		// The trace identifies the delivery for the workflow service.
		a := attributes("ApproximateReceiveCount", fmt.Sprint(m.received), "AWSTraceHeader", traceOf(m))
		if w.fifo {
			a["MessageGroupId"], a["MessageDeduplicationId"] = m.group, m.deduplication
		}
		own := map[string]any{}
		for name, value := range m.reason {
			own[name] = stringAttribute("String", value)
		}
		list = append(list, map[string]any{
			"messageId": m.id, "receiptHandle": m.handle, "body": m.text(), "attributes": a, "messageAttributes": own, "eventSourceARN": w.arn,
		})
	}
	return records(list...)
}

// poll passes a batch to a process, which may be processing another one.
func (w *world) poll(rt *rapid.T) {
	modelSteps.Add(1)
	most := rapid.IntRange(1, 10).Draw(rt, "batch size")
	index := rapid.IntRange(0, len(w.processes)-1).Draw(rt, "process")
	limit := time.Duration(rapid.IntRange(1, 90).Draw(rt, "seconds")) * time.Second
	w.invoke(index, most, limit)
}

func (w *world) invoke(index, most int, limit time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.processes[index]
	if p.running >= 2 {
		return
	}
	batch := w.receive(most)
	if len(batch) == 0 {
		return
	}
	payload := w.event(batch)
	handles := map[string]string{}
	for _, m := range batch {
		handles[m.id] = m.handle
	}
	p.running++
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		out, err := p.batch.Invoke(ctx, payload)
		late := ctx.Err() != nil
		w.mu.Lock()
		defer w.mu.Unlock()
		p.running--
		switch {
		case !p.alive(): // the function has ended
		case err != nil:
			w.problem("Invoke failed: %v", err)
		case late:
			w.problem("Invoke came back after its deadline of %v", limit)
		default:
			w.settle(out, handles)
		}
	}()
}

// settle handles a response as the event source mapping does.
func (w *world) settle(out []byte, handles map[string]string) {
	var r struct {
		BatchItemFailures []struct{ ItemIdentifier string }
	}
	if err := json.Unmarshal(out, &r); err != nil {
		w.problem("response %s: %v", out, err)
		return
	}
	failed := map[string]bool{}
	for _, item := range r.BatchItemFailures {
		failed[item.ItemIdentifier] = true
		if handles[item.ItemIdentifier] == "" {
			w.problem("response names %q, which was not in the batch", item.ItemIdentifier)
		}
	}
	for id, handle := range handles {
		m := w.byID[id]
		if failed[id] {
			continue
		}
		if !w.done(m) {
			w.problem("%s is deleted, and nothing settled it (script %v, receive %d)", id, m.script, m.received)
		}
		// In a FIFO queue, only the latest receipt handle deletes a message.
		if handle == m.handle || !w.fifo {
			m.gone = true
		}
	}
}

func (w *world) advance(rt *rapid.T) {
	modelSteps.Add(1)
	time.Sleep(time.Duration(rapid.IntRange(1, 100000).Draw(rt, "milliseconds")) * time.Millisecond)
}

// kill ends a process in the middle of its work, and starts another.
func (w *world) kill(rt *rapid.T) {
	modelSteps.Add(1)
	i := rapid.IntRange(0, len(w.processes)-1).Draw(rt, "process")
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.processes[i].dead)
	w.processes[i] = w.boot()
}

// drain empties the queue, without further faults except those of the scripts' last steps,
// and checks where every message is. Then all dead letters are corrected and put back, once
// none of them can still be running, and must be settled by executions.
func (w *world) drain(rt *rapid.T) {
	w.mu.Lock()
	w.calm = true
	w.mu.Unlock()
	w.runEmpty(rt)
	for _, m := range w.messages {
		if !w.done(m) && !m.redriven && !m.forged {
			rt.Fatalf("%s is lost (script %v)", m.id, m.script)
		}
	}
	w.checkAcknowledged(rt)
	w.drainCommand(rt)
	before := len(w.messages)
	// If there is too little time, the function may return a record as often as the queue
	// allows; then the queue moves it once more.
	for round := 0; len(w.dead) > 0; round++ {
		if round == 20 {
			rt.Fatalf("%d messages do not run, however often they are put back", len(w.dead))
		}
		w.mu.Lock()
		// A forgery cannot be corrected.
		w.dead = slices.DeleteFunc(w.dead, func(l *simLetter) bool { return l.of.forged })
		w.putBack(len(w.dead), []string{"ok"})
		w.mu.Unlock()
		w.runEmpty(rt)
	}
	for _, m := range w.messages[before:] {
		if !m.redriven && !m.settled && !m.replayed && !((w.dedupe || w.resumes) && m.item.settled) {
			rt.Fatalf("%s was put back, but did not run", m.id)
		}
	}
	for _, m := range w.messages {
		if w.resumes && !m.item.task && !m.item.settled {
			rt.Fatalf("the task of %s still waits", m.id)
		}
	}
}

// runEmpty polls until nothing is in the queue.
func (w *world) runEmpty(rt *rapid.T) {
	w.mu.Lock()
	n := len(w.messages)
	w.mu.Unlock()
	// A claim lasts for six visibilities.
	for range (n + 1) * (modelReceives + 1) * 6 {
		time.Sleep(modelVisibility + time.Second)
		w.mu.Lock()
		left := 0
		for _, m := range w.messages {
			if !m.gone {
				left++
			}
		}
		w.mu.Unlock()
		if left == 0 {
			break
		}
		for i := range w.processes {
			w.invoke(i, 10, 55*time.Second)
		}
	}
	time.Sleep(2 * time.Hour) // hanging messages are delivered again, and then settle
	w.check(rt)
	for _, m := range w.messages {
		if !m.gone {
			rt.Fatalf("%s is still in the queue (script %v, received %d times)", m.id, m.script, m.received)
		}
	}
}

// start is the workflow service. Its input is a list of {id, n}: messages and receive
// counts.
func (p *process) start(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
	var items []struct {
		ID string
		N  int
	}
	w := p.w
	w.mu.Lock()
	switch {
	case w.resumes:
		w.problem("a route that resumes started %s", s.Input)
	case w.accepts:
		m, n := w.acceptedStart(s)
		if m == nil {
			w.mu.Unlock()
			return bridge.Outcome{}, bridge.NewFailure(bridge.Unknown, "", nil)
		}
		items = append(items, struct {
			ID string
			N  int
		}{m.id, n})
	default:
		if err := json.Unmarshal(s.Input, &items); err != nil || len(items) == 0 {
			w.problem("input %s: %v", s.Input, err)
		}
	}
	first := w.byID[items[0].ID]
	outcome := first.outcome(items[0].N)
	if w.calm && outcome == "hang" {
		outcome = "ok"
	}
	refused := outcome == "throttle" || outcome == "unavailable" || outcome == "panic"
	inUnit := map[string]bool{}
	for _, item := range items {
		m := w.byID[item.ID]
		inUnit[m.id] = true
		switch {
		case !p.alive() || refused:
		case m.starts[item.N] > 0:
			w.problem("receive %d of %s started two executions", item.N, m.id)
		case w.dedupe && m.item.settled:
			w.problem("%s started again after it was settled", m.id)
		case w.dedupe && time.Now().Before(m.item.runs):
			w.problem("%s started while an execution may still be running", m.id)
		default:
			m.starts[item.N]++
			m.item.runs = time.Now().Add(runTime(outcome))
		}
		p.inTurn(m, inUnit)
	}
	w.mu.Unlock()
	if !p.alive() {
		<-ctx.Done()
		return bridge.Outcome{}, bridge.NewFailure(bridge.Deadline, "", nil)
	}
	if err := p.work(ctx, outcome); err != nil {
		return bridge.Outcome{}, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if name := failures[outcome]; name != "" && outcome != "gone" {
		if w.discards && !(name == "Invalid" && w.letters) {
			for _, item := range items {
				p.settled(w.byID[item.ID])
			}
		}
		return bridge.Outcome{ExecutionARN: "arn", Status: bridge.Failed, Error: name, Cause: "because"}, nil
	}
	listed := []any{}
	for _, item := range items {
		m := w.byID[item.ID]
		if other := m.outcome(item.N); w.batch && m != first && other == "fail" && outcome != "gone" {
			listed = append(listed, map[string]any{"itemIdentifier": m.id})
			continue
		}
		p.settled(m)
	}
	if outcome == "gone" {
		return fail("Gone")
	}
	text, _ := json.Marshal(map[string]any{"batchItemFailures": listed})
	return output(string(text))
}

// inTurn checks that all earlier messages of the group are settled.
func (p *process) inTurn(m *simMessage, with map[string]bool) {
	for _, before := range p.w.messages[:m.seq] {
		if p.alive() && p.w.fifo && before.group == m.group && !p.w.done(before) && !before.redriven && !with[before.id] {
			p.w.problem("%s started before %s, of the same group, was settled", m.id, before.id)
		}
	}
}

// failures are the names of workflow failures by outcome; one of them is the bridge's own
// name.
var failures = map[string]string{"fail": "Broken", "ours": bridge.ExpressionFailed, "invalid": "Invalid", "gone": "Gone"}

// settled records that the function, unless it was killed, knows of a message's end.
func (p *process) settled(m *simMessage) {
	if p.alive() {
		m.settled, m.item.settled = true, true
	}
}

// runTime is how long an execution runs, whether or not a function waits for it.
func runTime(outcome string) time.Duration {
	switch outcome {
	case "unknown":
		return bridge.MaxWait
	case "hang":
		return hangs
	case "slow":
		return 15 * time.Second
	}
	return time.Second
}

const hangs = bridge.MaxWait - time.Second

// work takes its time, and fails if there is no answer.
func (p *process) work(ctx context.Context, outcome string) error {
	switch outcome {
	case "throttle":
		return &bridge.Failure{Name: bridge.Throttled, RetryAfter: 2 * time.Second}
	case "unavailable":
		return bridge.NewFailure(bridge.Unavailable, "", nil)
	case "panic":
		panic("boom")
	case "unknown":
		time.Sleep(500 * time.Millisecond)
		return bridge.NewFailure(bridge.Unknown, "", nil)
	case "hang":
		time.Sleep(hangs) // ignores its context
		return nil
	}
	select {
	case <-time.After(runTime(outcome)):
		return nil
	case <-ctx.Done():
		return bridge.NewFailure(bridge.Deadline, "", nil)
	case <-p.dead:
		<-ctx.Done()
		return bridge.NewFailure(bridge.Deadline, "", nil)
	}
}

// Send is the dead-letter queue. It sometimes fails, before or after it has accepted the
// message.
func (p *process) Send(ctx context.Context, m *sqsbatch.Message) error {
	w := p.w
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sends++
	if !p.alive() || w.sends%5 == 0 && !w.calm {
		return errors.New("not sent")
	}
	sent := w.byID[m.DeduplicationID]
	reason := map[string]string{}
	for name, a := range m.Attributes {
		reason[name] = a.Text
	}
	sender := ""
	if sent != nil && w.fifo {
		sender = sent.item.key
	}
	switch {
	case sent == nil || m.Body != sent.text() || sent.forged:
		w.problem("a dead letter of nothing: %s with the deduplication id %s", m.Body, m.DeduplicationID)
		return nil
	case !slices.Contains([]string{"Invalid", bridge.ExpressionFailed, bridge.BadToken}, reason["ErrorName"]) || reason["ErrorCause"] != "because" || reason["Route"] != "o" || reason["SourceQueue"] != w.arn:
		w.problem("dead letter of %s without its reason: %v", sent.id, reason)
	case w.fifo && m.GroupID != sent.group || reason["DeduplicationId"] != sender:
		w.problem("dead letter of %s in group %q with the sender's id %q", sent.id, m.GroupID, reason["DeduplicationId"])
	}
	w.die(&simLetter{of: sent, reason: reason})
	if w.sends%7 == 0 && !w.calm {
		return errors.New("sent, and no answer")
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	sent.lettered = true
	return nil
}

// ChangeVisibility sometimes fails.
func (p *process) ChangeVisibility(_ context.Context, queueARN string, changes []sqsbatch.Visibility) error {
	w := p.w
	w.mu.Lock()
	defer w.mu.Unlock()
	w.changes++
	if !p.alive() || w.changes%5 == 0 && !w.calm {
		return errors.New("not changed")
	}
	if queueARN != w.arn || len(changes) > sqsbatch.MaxChanges {
		w.problem("%d changes in %s", len(changes), queueARN)
	}
	for _, c := range changes {
		for _, m := range w.messages {
			if m.handle == c.ReceiptHandle && !m.gone && time.Now().Before(m.visible) {
				m.visible = time.Now().Add(c.Timeout)
			}
		}
	}
	return nil
}

// A deadStore is the dedupe store of a process that may be killed.
type deadStore struct {
	p *process
	*store
}

var errDead = errors.New("killed")

func (d *deadStore) Claim(ctx context.Context, c bridge.Claim) (bridge.Record, error) {
	if !d.p.alive() {
		return bridge.Record{}, errDead
	}
	return d.store.Claim(ctx, c)
}

func (d *deadStore) Complete(ctx context.Context, c bridge.Claim, answer []byte) error {
	if !d.p.alive() {
		return errDead
	}
	return d.store.Complete(ctx, c, answer)
}

func (d *deadStore) Release(ctx context.Context, c bridge.Claim) error {
	if !d.p.alive() {
		return errDead
	}
	return d.store.Release(ctx, c)
}
