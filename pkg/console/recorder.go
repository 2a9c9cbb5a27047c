// Package console shows what happens on a development server: each delivery, the
// execution that it started, the states of that execution, and how to repeat it.
//
//	lambda.Handler  ─► Recorder.Wrap ──┐
//	bridge.Observer ─► Recorder ───────┼─► bounded memory ─► JSON API, server-sent events, pages
//	statesapi.Observe, OnExecution ────┘
//
// The [Recorder] uses the existing interfaces of Lambda, the bridge and the local engine;
// none of it is linked into a function. The [Console] serves what was recorded, without
// requests to anywhere else, and blanks secrets.
package console

import (
	"cmp"
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

// What a [Recorder] keeps, unless its [Options] say otherwise.
const (
	defaultDeliveries = 1000
	defaultExecutions = 1000
	defaultBytes      = 96 << 20
)

// maxEvents bounds the recorded steps of one execution. The first and the last ones are
// kept, and those in between are only counted.
const maxEvents = 4000

// maxSpare is the maximum number of events for which space is kept for the next execution.
const maxSpare = 256

// Options bound a [Recorder]. The zero value has sensible defaults.
type Options struct {
	// Deliveries and Executions are how many of the latest are kept; zero means the
	// default.
	Deliveries, Executions int
	// Bytes bounds their payloads together; zero means the default.
	Bytes int
	// Now is the clock; nil is the real one.
	Now func() time.Time
	// Settled is called when a delivery has ended, with the delivery without its records
	// and lines; it may be nil.
	Settled func(Delivery)
}

// A Recorder remembers the latest deliveries and executions in bounded memory. It is
// safe for concurrent use.
type Recorder struct {
	opts Options

	mu         sync.Mutex
	lastID     int
	deliveries ring[keptDelivery]
	executions ring[keptExecution]
	awaited    map[string]int   // a delivery's number, by the ARN of an execution that has yet to begin
	pairs      map[string]*pair // by message id
	bytes      int
	tokens     *Secrets // of the deliveries; nil if it must be made again
	rooms      []*room  // for future deliveries
	spare      []*Execution
	// What has ended; executions are kept longer than deliveries if they are fewer.
	packed, packedExecutions store
	problems                 []Problem
	watchers                 map[chan Change]bool
}

// A Change says that something was recorded; the new state must be fetched.
type Change struct {
	// Kind is delivery, execution, reload or lagging; the last says that changes were
	// dropped because the watcher is slow.
	Kind string `json:"kind"`
	// ID is the number of the delivery or the execution.
	ID int `json:"id,omitempty"`
}

// A Problem is a mistake in a file, whose last good version therefore stays in use.
type Problem struct {
	// Text says what is wrong, as file:line:column: message wherever the place is known.
	Text string `json:"text"`
	// Since is when it was found.
	Since time.Time `json:"since"`
}

// NewRecorder returns an empty Recorder.
func NewRecorder(o Options) *Recorder {
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Deliveries = cmp.Or(o.Deliveries, defaultDeliveries)
	o.Executions = cmp.Or(o.Executions, defaultExecutions)
	o.Bytes = cmp.Or(o.Bytes, defaultBytes)
	return &Recorder{opts: o, awaited: map[string]int{}, pairs: map[string]*pair{}, watchers: map[chan Change]bool{}}
}

// Wrap returns a handler that records the requests and the answers of a function's
// handler (webhook, queue or event).
func (r *Recorder) Wrap(function string, next lambda.Handler) lambda.Handler {
	return &recorded{r, function, next}
}

type recorded struct {
	recorder *Recorder
	function string
	next     lambda.Handler
}

// Invoke implements [lambda.Handler].
func (h *recorded) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	title := ""
	if t, ok := ctx.Value(titleKey{}).(*titled); ok {
		title = t.title
	}
	i := h.recorder.begin(ctx, h.function, title, payload)
	out, err := h.next.Invoke(i, payload)
	h.recorder.end(i, out, err)
	return out, err
}

type (
	deliveryKey struct{}
	originKey   struct{}
	titleKey    struct{}
)

// WithTitle sets the title of invocations with the context in the list of deliveries, such
// as "POST /orders", which otherwise has to be read from the event.
func WithTitle(ctx context.Context, title string) context.Context {
	return &titled{ctx, title}
}

type titled struct {
	context.Context
	title string
}

// Value implements [context.Context].
func (t *titled) Value(key any) any {
	if key == (titleKey{}) {
		return t
	}
	return t.Context.Value(key)
}

// sentHere is the origin of deliveries from the page Send.
const sentHere = "console"

// WithOrigin marks invocations with the context as not sent from outside, and says where
// they come from, such as "replay of 17".
func WithOrigin(ctx context.Context, origin string) context.Context {
	return context.WithValue(ctx, originKey{}, origin)
}

// Again reports whether the context belongs to a delivery that was replayed, edited or sent
// in the console, which is meant to run even if it is a duplicate.
func Again(ctx context.Context) bool {
	origin := originOf(ctx)
	return strings.HasPrefix(origin, "replay of ") || strings.HasPrefix(origin, "edit of ") || strings.HasPrefix(origin, sentHere)
}

func originOf(ctx context.Context) string {
	origin, _ := ctx.Value(originKey{}).(string)
	return origin
}

// Watch returns a channel of changes, until stop is called. A watcher that does not read
// gets a change of the kind lagging, and delays nothing.
func (r *Recorder) Watch() (changes <-chan Change, stop func()) {
	c := make(chan Change, 64)
	r.mu.Lock()
	r.watchers[c] = false
	r.mu.Unlock()
	return c, func() {
		r.mu.Lock()
		delete(r.watchers, c)
		r.mu.Unlock()
	}
}

// changed notifies the watchers; the caller holds mu.
func (r *Recorder) changed(change Change) {
	if len(r.watchers) == 0 {
		return
	}
	for c, lagging := range r.watchers {
		if lagging {
			select {
			case c <- Change{Kind: "lagging"}:
				r.watchers[c] = false
			default:
			}
			continue
		}
		select {
		case c <- change:
		default:
			r.watchers[c] = true
		}
	}
}

// SetProblems replaces the problems of the watched files.
func (r *Recorder) SetProblems(texts []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.problems = nil
	for _, text := range texts {
		r.problems = append(r.problems, Problem{text, r.opts.Now()})
	}
	r.changed(Change{Kind: "reload"})
}

// Problems returns the problems of the watched files.
func (r *Recorder) Problems() []Problem {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Problem{}, r.problems...)
}

// nextID numbers deliveries and executions together; the caller holds mu.
func (r *Recorder) nextID() int {
	r.lastID++
	return r.lastID
}

// grow counts bytes that are kept, and drops the oldest entries if there are too many;
// the caller holds mu.
func (r *Recorder) grow(n int) {
	r.bytes += n
	for r.bytes > r.opts.Bytes && r.dropOldest() {
	}
}

// dropOldest drops the oldest delivery or execution, and reports whether there was one.
func (r *Recorder) dropOldest() bool {
	d, e := r.deliveries.oldest(), r.executions.oldest()
	switch {
	case d != nil && (e == nil || (*d).id < (*e).id):
		r.dropDelivery()
	case e != nil:
		r.dropExecution()
	default:
		return false
	}
	return true
}

func (r *Recorder) dropDelivery() {
	k := r.deliveries.pop()
	if t := k.tied(); t != nil {
		r.unlink(k.id, t)
		if len(t.tokens) > 0 {
			r.tokens = nil
		}
		for _, arn := range t.awaits {
			if r.awaited[arn] == k.id {
				delete(r.awaited, arn)
			}
		}
	}
	if k.running != nil {
		k.running.room.dropped = true
		r.bytes -= k.running.room.bytes
		return
	}
	r.packed.drop(k.packed)
	r.bytes -= k.bytes
}

func (r *Recorder) dropExecution() {
	k := r.executions.pop()
	if k.running != nil {
		r.bytes -= k.running.execution.bytes
		k.running.execution = nil
		return
	}
	r.packedExecutions.drop(k.packed)
	r.bytes -= k.bytes
}

// broughtTokens are the task tokens that deliveries brought, which their pages do not show.
func (r *Recorder) broughtTokens() *Secrets {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.tokens == nil {
		r.tokens = &Secrets{}
		all := r.deliveries.all()
		for i := range all {
			if t := all[i].tied(); t != nil {
				for _, token := range t.tokens {
					r.tokens.Add(token)
				}
			}
		}
	}
	return r.tokens
}

// Bytes returns the size of the kept payloads.
func (r *Recorder) Bytes() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bytes
}

// A ring is a queue whose front can be removed in constant time.
type ring[T any] struct {
	items []T
	start int
}

// push adds an item. The list moves down in its array instead of growing when it is at most
// half of it.
func (q *ring[T]) push(v T) {
	if len(q.items) == cap(q.items) && q.start >= q.len() && q.start > 0 {
		n := copy(q.items, q.items[q.start:])
		clear(q.items[n:])
		q.items, q.start = q.items[:n], 0
	}
	q.items = append(q.items, v)
}

func (q *ring[T]) len() int { return len(q.items) - q.start }

func (q *ring[T]) oldest() *T {
	if q.len() == 0 {
		return nil
	}
	return &q.items[q.start]
}

func (q *ring[T]) pop() T {
	var zero T
	v := q.items[q.start]
	q.items[q.start] = zero
	q.start++
	return v
}

// all returns the items, the oldest first. They must not be changed.
func (q *ring[T]) all() []T { return q.items[q.start:] }

// text returns the JSON text of a value that was decoded from JSON or made as JSON.
func text(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		return json.RawMessage("null")
	}
	return b
}
