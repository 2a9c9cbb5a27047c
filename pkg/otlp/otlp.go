// Package otlp tells an OpenTelemetry collector on the same machine what became of
// deliveries, as spans of OTLP/HTTP in JSON. It needs no SDK: an [Exporter] is a bridge's
// observer, as pkg/metrics is one.
//
// An invocation is one span, a child of the trace that Lambda hands in. Each delivery is a
// child of it, and each execution that has ended a child of its delivery. What a message's
// producer traced is a link, never the parent: a batch has many producers.
//
//	invocation (server or consumer) ── delivery ── StartSyncExecution (client)
//	                └┄ links ┄┄┄┄┄┄┄┄┄┄┄┄┘┄┄► the producers' traces
//
// Names and attributes are those of the semantic conventions for FaaS, HTTP, messaging and
// AWS; what is Expressway's own begins with "expressway.". Nothing of what was delivered is
// in a span.
//
// Spans are sent once an invocation, before the function may be frozen, and the wait for the
// collector is bounded. One that does not answer is left alone for the next hundred and more
// invocations: a collector that is down costs next to nothing.
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

// maxPending bounds the spans that wait to be sent, and maxLinks those of one span.
const (
	maxPending = 2048
	maxLinks   = 128
)

// Options say where spans go.
type Options struct {
	// Endpoint is the URL that traces are posted to, as http://127.0.0.1:4318/v1/traces.
	Endpoint string
	// Resource are attributes of the function, in all that is sent.
	Resource []Attribute
	// Always records traces that X-Ray does not sample too.
	Always bool
	// Next is notified of all that the exporter is notified of; nil is nobody.
	Next bridge.Observer
	// Send posts a document; nil does that over HTTP.
	Send func(ctx context.Context, document []byte) error
	// Now is the clock and Rand the source of ids; nil is the real ones.
	Now  func() time.Time
	Rand func() uint64
}

// An Exporter is a [bridge.Observer]. It is safe for concurrent use.
type Exporter struct {
	resource []Attribute
	always   bool
	next     bridge.Observer
	now      func() time.Time
	rand     func() uint64
	sender   sender

	mu      sync.Mutex
	warm    bool
	pending []Span
}

var _ bridge.Observer = (*Exporter)(nil)

// New returns an Exporter. It sends nothing yet.
func New(o Options) *Exporter {
	e := &Exporter{resource: o.Resource, always: o.Always, next: o.Next, now: o.Now, rand: o.Rand, sender: sender{post: o.Send}}
	if e.now == nil {
		e.now = time.Now
	}
	if e.rand == nil {
		e.rand = rand.Uint64
	}
	if e.sender.post == nil {
		e.sender.post = poster(o.Endpoint)
	}
	return e
}

// An invocation is what is known of one until it ends.
type invocation struct {
	mu       sync.Mutex
	span     Span
	header   trace.Header
	source   string
	ended    bool
	dropped  bool // its trace is not sampled
	messages int
	children []Span
}

type invocationKey struct{}

// Begin implements [bridge.Observer].
func (e *Exporter) Begin(ctx context.Context) (context.Context, func()) {
	i := &invocation{span: Span{SpanID: e.id(8), Start: e.now()}}
	text, _ := ctx.Value(trace.ContextKey).(string)
	i.header, _ = trace.Parse(text)
	i.dropped = e.drops(i.header)
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		i.span.add("faas.invocation_id", lc.AwsRequestID)
		i.span.add("cloud.resource_id", lc.InvokedFunctionArn)
	}
	e.mu.Lock()
	i.span.Attributes = append(i.span.Attributes, Attribute{"faas.coldstart", !e.warm})
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

// end names the invocation's span by what it carried, and sends what there is.
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

// finish gives all spans their trace and their parent.
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
		i.span.Attributes = append(i.span.Attributes, Attribute{"messaging.batch.message_count", i.messages})
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

// keep adds spans to those that wait; what does not fit is dropped.
func (e *Exporter) keep(spans ...Span) {
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
	if i.ended { // a record that the queue was told is unfinished
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

// received is the trace that came with a request, where Lambda has none.
func received(d *bridge.Delivery) trace.Header {
	if h, ok := trace.Parse(d.FallbackTrace); ok {
		return h
	}
	h, _ := trace.FromTraceParent(d.TraceParent)
	return h
}

// describe names the invocation by its first delivery; an HTTP invocation has but one.
func (i *invocation) describe(source string, child Span) {
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

// Rejected implements [bridge.Observer]. What never became a delivery is an attribute of
// the invocation's span.
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

// traceID is X-Ray's root in the words of W3C: without version and dashes.
func traceID(h trace.Header) string {
	return strings.ReplaceAll(strings.TrimPrefix(h.Root(), "1-"), "-", "")
}
