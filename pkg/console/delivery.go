package console

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// A Delivery is one event that was passed to a function, and what happened to it. A batch
// of SQS records is one Delivery, with a [Record] for each settled record.
type Delivery struct {
	ID int `json:"id"`
	// Function is webhook, queue or event.
	Function string    `json:"function"`
	Received time.Time `json:"received"`
	// Milliseconds is how long the function took; 0 while it is running.
	Milliseconds float64 `json:"milliseconds"`
	Running      bool    `json:"running"`
	// Title is method and path, the queue's name, or source and detail-type.
	Title string `json:"title"`
	// Route is the first record's route; empty if no route matched the delivery.
	Route string `json:"route,omitempty"`
	// Decision is started, accepted, resumed, answered, filtered, replayed, refused, handshake or
	// failed; it is mixed for a batch whose records differ.
	Decision string `json:"decision,omitempty"`
	// Reason explains it: FilterUndefined, what was done to the waiting task, or which
	// handshake.
	Reason string `json:"reason,omitempty"`
	// Status is the HTTP status, or a summary of what the function returned.
	Status string `json:"status,omitempty"`
	// OK says that nothing failed.
	OK bool `json:"ok"`
	// Error and Cause are those of the first record that failed.
	Error string `json:"error,omitempty"`
	Cause string `json:"cause,omitempty"`
	// State is the state of the workflow that failed.
	State string `json:"state,omitempty"`
	// Origin says who sent it, if that was the console.
	Origin  string   `json:"origin,omitempty"`
	Records []Record `json:"records"`
	// Lines are what the function logged in the meantime.
	Lines []Line `json:"lines"`

	payload, answer []byte
	failure         error
	tokens          []string          // of the tasks that it resumes
	logged          lineLog           // those of Lines that were not read yet
	first           steps             // of the delivery whose steps came first
	steps           map[string][]Step // of others, by delivery id
}

// A Record is one settled request, message or event of a [Delivery].
type Record struct {
	// ID is the sender's id of the delivery.
	ID       string `json:"id"`
	Route    string `json:"route,omitempty"`
	Decision string `json:"decision"`
	Reason   string `json:"reason,omitempty"`
	Error    string `json:"error,omitempty"`
	Cause    string `json:"cause,omitempty"`
	// State is the state of the workflow that failed.
	State string `json:"state,omitempty"`
	// Then says what happened to a failed message or event: retry, discard or dead-letter.
	Then         string `json:"then,omitempty"`
	ExecutionARN string `json:"executionArn,omitempty"`
	// Execution is the console's number of the execution; 0 if there is none.
	Execution int `json:"execution,omitempty"`
	// Message is the id of the message in which a webhook was accepted, and Linked the
	// number of the other delivery that has it: the webhook's, or that of its work.
	Message string `json:"message,omitempty"`
	Linked  int    `json:"linked,omitempty"`
	Status  string `json:"status,omitempty"`
	Steps   []Step `json:"steps"`
}

// A Step is the decision of one part of admission.
type Step struct {
	// Name is route, signature, dedupe, filter, input, start or settle.
	Name string `json:"name"`
	// Result is ok, failed, stopped or skipped.
	Result string `json:"result"`
	Detail string `json:"detail,omitempty"`
	// Value is what an expression yielded for the delivery.
	Value json.RawMessage `json:"value,omitempty"`
}

// A room is a running delivery, with preallocated space for what most deliveries have.
type room struct {
	d       Delivery
	records [1]Record
	steps   [usualSteps]Step
	ties    ties
	bytes   int
	dropped bool
}

// reset makes room for another delivery.
func (r *room) reset() {
	const most = 4 << 10
	text := r.d.logged.text[:0]
	if *r = (room{}); cap(text) <= most {
		r.d.logged.text = text
	}
}

// steps are the steps of the delivery with an id.
type steps struct {
	id   string
	list []Step
}

// usualSteps is how many steps most deliveries have.
const usualSteps = 5

// step keeps a step of a delivery, after those that every delivery has.
func (d *Delivery) step(in *bridge.Delivery, s Step) {
	switch list := d.steps[in.ID]; {
	case list != nil:
		d.steps[in.ID] = append(list, s)
	case len(d.first.list) == 0:
		d.first = steps{in.ID, append(begun(d.first.list, in), s)}
	case d.first.id == in.ID:
		d.first.list = append(d.first.list, s)
	default:
		if d.steps == nil {
			d.steps = map[string][]Step{}
		}
		d.steps[in.ID] = append(begun(nil, in), s)
	}
}

// taken returns the steps of a delivery, and leaves them to its record.
func (d *Delivery) taken(in *bridge.Delivery) []Step {
	if list := d.steps[in.ID]; list != nil {
		delete(d.steps, in.ID)
		return list
	}
	list := d.first.list
	switch {
	case len(list) == 0:
		list = begun(list, in)
	case d.first.id != in.ID:
		return begun(nil, in)
	}
	d.first = steps{}
	return list
}

// begun appends the steps that every delivery has.
func begun(list []Step, in *bridge.Delivery) []Step {
	if list == nil {
		list = make([]Step, 0, usualSteps)
	}
	list = append(list, Step{Name: "route", Result: "ok", Detail: in.Route.Name})
	if in.Kind == "request" {
		list = append(list, Step{Name: "signature", Result: "ok"})
	}
	return list
}

// A Line is a log line.
type Line struct {
	Time    time.Time      `json:"time"`
	Level   string         `json:"level"`
	Message string         `json:"message"`
	Attrs   map[string]any `json:"attrs"`
}

// attribute returns an attribute of a line that is text.
func (l *Line) attribute(key string) string {
	text, _ := l.Attrs[key].(string)
	return text
}

// lines returns the log lines so far.
func (d *Delivery) lines() []Line { return d.logged.appendTo(slices.Clone(d.Lines)) }

// maxStepValue and maxLines bound what is kept of one delivery in addition to its
// payload.
const (
	maxStepValue = 16 << 10
	maxLines     = 200
	maxRecords   = 1000
)

func (r *Recorder) begin(ctx context.Context, function, title string, payload []byte) *invocation {
	origin := originOf(ctx)
	received := r.opts.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	room := r.room()
	i := &invocation{ctx, r.nextID(), room}
	d := &room.d
	d.ID, d.Function, d.Title, d.Received, d.Running, d.Origin, d.payload = i.id, function, title, received, true, origin, payload
	d.Records, d.first.list = room.records[:0], room.steps[:0]
	room.bytes = perEntry + len(payload)
	r.deliveries.push(keptDelivery{id: i.id, running: i})
	for r.deliveries.len() > r.opts.Deliveries {
		r.dropDelivery()
	}
	r.grow(room.bytes)
	r.changed(Change{"delivery", i.id})
	return i
}

func (r *Recorder) end(i *invocation, answer []byte, err error) {
	r.mu.Lock()
	d := &i.room.d
	d.Milliseconds = float64(r.opts.Now().Sub(d.Received).Microseconds()) / 1000
	d.Running, d.answer, d.failure = false, answer, err
	d.conclude()
	r.changed(Change{"delivery", i.id})
	if r.opts.Settled == nil {
		r.pack(i)
		r.mu.Unlock()
		return
	}
	d.entitle()
	seen := *d
	seen.Records, seen.Lines, seen.first, seen.steps, seen.logged = nil, nil, steps{}, nil, lineLog{}
	r.pack(i)
	r.mu.Unlock()
	r.opts.Settled(seen)
}

// charge counts n more bytes of a delivery that is kept and not packed yet; the caller
// holds mu.
func (r *Recorder) charge(i *invocation, n int) {
	if i.room != nil && !i.room.dropped {
		i.room.bytes += n
		r.grow(n)
	}
}

// conclude summarizes what happened to the records.
func (d *Delivery) conclude() {
	d.OK = d.failure == nil
	for _, rec := range d.Records {
		if d.Decision == "" {
			d.Decision, d.Reason, d.Route = rec.Decision, rec.Reason, rec.Route
		} else if d.Decision != rec.Decision {
			d.Decision, d.Reason = "mixed", ""
		}
		if rec.Error != "" && d.Error == "" {
			d.Error, d.Cause, d.State = rec.Error, rec.Cause, rec.State
		}
		// A failure that the route discards on purpose is settled, and a replay was
		// settled before.
		if rec.Error != "" && rec.Then != "discard" {
			d.OK = false
		}
	}
	if d.failure != nil && d.Error == "" {
		d.Error = d.failure.Error()
		if reported, ok := errors.AsType[messages.InvokeResponse_Error](d.failure); ok {
			d.Error, d.Cause = reported.Type, reported.Message
		}
	}
	if d.Decision == "" {
		d.unsettled()
	}
}

// unsettled describes a delivery that the bridge never saw: the line that httpfront logged
// says which route answered, and why.
func (d *Delivery) unsettled() {
	d.Decision = "answered"
	if d.failure != nil {
		d.Decision = "failed"
		return
	}
	for _, line := range d.lines() {
		decision, ok := map[string]string{"handshake answered": "handshake", "page shown": "page"}[line.Message]
		if !ok {
			continue
		}
		d.Decision = decision
		d.Route = line.attribute("route")
		d.Records = append(d.Records, Record{Route: d.Route, Decision: decision, Steps: []Step{
			{Name: "route", Result: "ok", Detail: d.Route},
			{Name: decision, Result: "ok", Detail: map[string]string{
				"handshake": "answered the provider's setup request; nothing starts",
				"page":      "showed the page that asks for a decision; the task waits until the decision is sent",
			}[decision]},
		}})
	}
}

// entitle reads the title from the payload and the status from the answer, when the
// delivery is first shown; the caller holds mu.
func (d *Delivery) entitle() {
	if d.Title == "" {
		d.Title = title(d.Function, d.payload)
	}
	if d.Status == "" && !d.Running {
		d.Status = outcome(d.Function, d.answer, d.failure, len(d.Records))
	}
}

// deliveryOf returns the delivery that a context belongs to, or nil.
func deliveryOf(ctx context.Context) *invocation {
	i, _ := ctx.Value(deliveryKey{}).(*invocation)
	return i
}

// Deliveries returns the deliveries that match, the latest first, at most limit of them.
func (r *Recorder) Deliveries(match func(*Delivery) bool, limit int) []Delivery {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := []Delivery{}
	all := r.deliveries.all()
	for i := len(all) - 1; i >= 0 && len(list) < limit; i-- {
		if d := r.snapshot(&all[i]); match == nil || match(&d) {
			list = append(list, d)
		}
	}
	return list
}

// Delivery returns the delivery with a number.
func (r *Recorder) Delivery(id int) (Delivery, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if k := r.kept(id); k != nil {
		return r.snapshot(k), true
	}
	return Delivery{}, false
}

// Event returns the event that was passed to the function, unchanged. It must not be
// modified, and holds whatever the sender sent, including secrets.
func (d Delivery) Event() []byte { return d.payload }

// Answer returns what the function returned, and the error if it failed.
func (d Delivery) Answer() ([]byte, error) { return d.answer, d.failure }
