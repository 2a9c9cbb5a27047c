// Package otlp reports deliveries to an OpenTelemetry collector on the same machine, as
// spans of OTLP/HTTP in JSON. It needs no SDK: an [Exporter] is an observer of the
// bridge, like that of pkg/metrics.
//
// An invocation is one span, whose parent is in the trace that Lambda passes in. Each
// delivery is a child of the invocation, and each ended execution a child of its
// delivery. The span of a message's producer is a link and never the parent, because a
// batch has many producers.
//
//	invocation (server or consumer) ── delivery ── StartSyncExecution (client)
//	                └┄ links ┄┄┄┄┄┄┄┄┄┄┄┄┘┄┄► the producers' traces
//
// Names and attributes are those of the semantic conventions for FaaS, HTTP, messaging
// and AWS; Expressway's own begin with "expressway.". A span contains no payload.
//
// Spans are sent once for each invocation, which waits for the collector for a millisecond and a
// half at most; a longer request continues during the next invocation. After a collector fails to
// answer, more than a hundred invocations skip it.
//
// [OTLP]: https://opentelemetry.io/docs/specs/otlp/#otlphttp
// [Conventions]: https://opentelemetry.io/docs/specs/semconv/faas/aws-lambda/
package otlp

import (
	"cmp"
	"context"
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/expressway-dev/expressway/internal/sources"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/trace"
)

// maxPending bounds the spans that wait to be sent, and maxLinks the links of one span.
const (
	maxPending = 2048
	maxLinks   = 128
)

// options configure an [Exporter].
type options struct {
	// Endpoint is the URL to which traces are posted, such as
	// http://127.0.0.1:4318/v1/traces.
	Endpoint string
	// Resource has the attributes of the function, which every document carries.
	Resource []attribute
	// Always also records traces that X-Ray does not sample.
	Always bool
	// Next is notified of everything that the exporter is notified of; may be nil.
	Next bridge.Observer
	// Send posts a document. The default posts it over HTTP.
	Send func(ctx context.Context, document []byte) error
	// Now is the clock, After its timer and Rand the source of ids. The defaults are the
	// system's.
	Now   func() time.Time
	After func(time.Duration) <-chan time.Time
	Rand  func() uint64
}

// An Exporter is a [bridge.Observer]. It is safe for concurrent use.
type Exporter struct {
	resource []attribute
	always   bool
	next     bridge.Observer
	now      func() time.Time
	rand     func() uint64
	sender   sender

	mu      sync.Mutex
	warm    bool
	pending []span
}

var _ bridge.Observer = (*Exporter)(nil)

// newExporter returns an Exporter. It sends nothing yet.
func newExporter(o options) *Exporter {
	e := &Exporter{resource: o.Resource, always: o.Always, next: o.Next, now: o.Now, rand: o.Rand, sender: sender{post: o.Send, after: o.After, slot: make(chan struct{}, 1)}}
	if e.now == nil {
		e.now = time.Now
	}
	e.sender.now = e.now
	if e.sender.after == nil {
		e.sender.after = time.After
	}
	if e.rand == nil {
		e.rand = rand.Uint64
	}
	if e.sender.post == nil {
		e.sender.post = poster(o.Endpoint)
	}
	return e
}

// An invocation collects the spans of one invocation until it ends.
type invocation struct {
	mu       sync.Mutex
	span     span
	header   trace.Header
	source   string
	ended    bool
	dropped  bool // its trace is not sampled
	messages int
	children []span
}

type invocationKey struct{}

// Begin implements [bridge.Observer].
func (e *Exporter) Begin(ctx context.Context) (context.Context, func()) {
	i := &invocation{span: span{SpanID: e.id(8), Start: e.now()}}
	text, _ := ctx.Value(trace.ContextKey).(string)
	i.header, _ = trace.Parse(text)
	i.dropped = e.drops(i.header)
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		i.span.add("faas.invocation_id", lc.AwsRequestID)
		i.span.add("cloud.resource_id", lc.InvokedFunctionArn)
	}
	e.mu.Lock()
	i.span.Attributes = append(i.span.Attributes, attribute{"faas.coldstart", !e.warm})
	e.warm = true
	e.mu.Unlock()
	ctx = context.WithValue(ctx, invocationKey{}, i)
	if e.next == nil {
		return ctx, func() { e.end(ctx, i) }
	}
	ctx, end := e.next.Begin(ctx)
	return ctx, func() { end(); e.end(ctx, i) }
}

// drops reports whether a trace is not recorded.
func (e *Exporter) drops(h trace.Header) bool { return !e.always && h.Sampling() == trace.NotSampled }

// end names the invocation's span after its deliveries, and sends the spans.
func (e *Exporter) end(ctx context.Context, i *invocation) {
	i.mu.Lock()
	i.ended = true
	i.finish(e)
	spans := append(i.children, i.span)
	i.mu.Unlock()
	if !i.dropped && i.source != "" {
		e.keep(spans...)
	}
	e.mu.Lock()
	pending := e.pending
	e.pending = nil
	e.mu.Unlock()
	if len(pending) > 0 {
		e.sender.send(ctx, func() []byte { return document(e.resource, pending) })
	}
}

// finish sets the trace and the parent of all spans.
func (i *invocation) finish(e *Exporter) {
	i.span.End = e.now()
	id := traceID(i.header)
	if id == "" {
		id = e.id(16)
	}
	i.span.TraceID, i.span.ParentSpanID = id, i.header.Parent()
	switch i.source {
	case sources.HTTP:
		i.span.Kind = server
		i.span.add("faas.trigger", "http")
	case sources.SQS:
		i.span.Kind = consumer
		i.span.add("faas.trigger", "pubsub")
		i.span.add("messaging.system", "aws_sqs")
		i.span.add("messaging.operation.type", "process")
		i.span.Attributes = append(i.span.Attributes, attribute{"messaging.batch.message_count", i.messages})
	default:
		i.span.Kind = consumer
		i.span.add("faas.trigger", "pubsub")
		i.span.add("messaging.operation.type", "process")
	}
	for c := range i.children {
		child := &i.children[c]
		child.TraceID = id
		child.ParentSpanID = cmp.Or(child.ParentSpanID, i.span.SpanID)
		for _, l := range child.Links {
			if len(i.span.Links) < maxLinks {
				i.span.Links = append(i.span.Links, l)
			}
		}
	}
}

// keep adds spans to those that wait; spans beyond maxPending are dropped.
func (e *Exporter) keep(spans ...span) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.pending = append(e.pending, spans[:min(len(spans), maxPending-len(e.pending))]...)
}

// Settled implements [bridge.Observer].
func (e *Exporter) Settled(ctx context.Context, d *bridge.Delivery, r bridge.Result, s bridge.Settlement) {
	if e.next != nil {
		e.next.Settled(ctx, d, r, s)
	}
	i, _ := ctx.Value(invocationKey{}).(*invocation)
	if i == nil {
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.dropped {
		return
	}
	spans := e.delivery(d, r, s)
	if i.ended { // a record that was reported to the queue as unfinished
		for n := range spans {
			spans[n].TraceID = i.span.TraceID
		}
		spans[0].ParentSpanID = i.span.SpanID
		e.keep(spans...)
		return
	}
	if i.header.Root() == "" {
		i.header = received(d)
		i.dropped = e.drops(i.header)
	}
	i.messages += max(1, len(d.TraceLinks))
	source, _ := sources.ByVariable(d.Kind)
	i.describe(source.Key, spans[0])
	if len(i.children) < maxPending {
		i.children = append(i.children, spans...)
	}
}

// received returns the trace that came with a request, if Lambda has none.
func received(d *bridge.Delivery) trace.Header {
	if h, ok := trace.Parse(d.FallbackTrace); ok {
		return h
	}
	h, _ := trace.FromTraceParent(d.TraceParent)
	return h
}

// describe names the invocation after its first delivery; an HTTP invocation only has
// one.
func (i *invocation) describe(source string, child span) {
	if i.source != "" {
		return
	}
	i.source, i.span.Name = source, child.Name
	for _, a := range child.Attributes {
		switch a.Key {
		case "http.request.method", "http.route", "http.response.status_code", "messaging.destination.name", "error.type":
			i.span.Attributes = append(i.span.Attributes, a)
		}
	}
	if source == sources.HTTP {
		i.span.Status = child.Status
	}
}

// Rejected implements [bridge.Observer]. A rejected request is an attribute of the
// invocation's span.
func (e *Exporter) Rejected(ctx context.Context, route, source, errorName string) {
	if e.next != nil {
		e.next.Rejected(ctx, route, source, errorName)
	}
	i, _ := ctx.Value(invocationKey{}).(*invocation)
	if i == nil {
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.source == "" {
		i.source, i.span.Name = source, cmp.Or(route, "refused "+source)
	}
	i.messages++
	i.span.set("error.type", errorName)
	i.span.add("expressway.route", route)
	if source != sources.HTTP {
		i.span.Status = failed(errorName)
	}
}

// id returns random bytes as hexadecimal digits, not all of them zero.
func (e *Exporter) id(bytes int) string {
	b := make([]byte, 0, 16)
	for len(b) < bytes {
		n := e.rand()
		for n == 0 {
			n = e.rand()
		}
		for shift := 56; shift >= 0; shift -= 8 {
			b = append(b, byte(n>>shift))
		}
	}
	return hex.EncodeToString(b)
}

// traceID converts X-Ray's root to a trace id of W3C, without version and dashes.
func traceID(h trace.Header) string {
	return strings.ReplaceAll(strings.TrimPrefix(h.Root(), "1-"), "-", "")
}
