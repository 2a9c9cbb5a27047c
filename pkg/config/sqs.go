package config

import (
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// SQS holds the settings of queue routes. The zero value of each field except Queue means
// its default.
type SQS struct {
	// Queue is a queue's name or ARN, where * matches any text, or its URL.
	Queue string
	// Concurrency bounds how many records of a batch run at the same time; zero is
	// [DefaultConcurrency].
	Concurrency int
	// Trace is the trace that an execution joins; empty is [TraceRecord].
	Trace Trace
	// DeadLetterQueue is the URL or the ARN of the queue for dead letters; empty for
	// none.
	DeadLetterQueue string
	// Retry determines when a failed record is received again; nil leaves that to the
	// queue.
	Retry *Retry
	// Batch starts one execution for many records: those of a FIFO queue's message group,
	// or all records of a batch that the route takes.
	Batch bool
	// Unwrap names the envelope around the bodies of the route's messages.
	Unwrap Unwrap
}

// A Retry determines when a failed record is received again, by ChangeMessageVisibility:
// after Delay the first time, then after Rate times as long each time, up to Max.
type Retry struct {
	Delay time.Duration
	// Rate is at least 1; zero is [DefaultRetryRate].
	Rate float64
	// Max is the longest wait; zero is [DefaultRetryMax], or Delay if that is longer.
	Max time.Duration
	// NoJitter makes every wait exactly that long; by default, a wait is a random part of
	// it.
	NoJitter bool
}

// The defaults of queue routes. DefaultConcurrency is the default batch size of an event
// source mapping.
const (
	DefaultConcurrency = 10
	DefaultRetryRate   = 2
	DefaultRetryMax    = 15 * time.Minute
)

// Trace determines which X-Ray trace the execution of a record joins.
type Trace string

// The traces: of the record's producer (the default), or of the invocation.
const (
	TraceRecord     Trace = "record"
	TraceInvocation Trace = "invocation"
)

// Unwrap names an envelope around a message's body.
type Unwrap string

// The envelopes: none, an SNS notification, an EventBridge event, and an S3 event
// notification.
const (
	UnwrapNothing     Unwrap = ""
	UnwrapSNS         Unwrap = "sns"
	UnwrapEventBridge Unwrap = "eventbridge"
	UnwrapS3          Unwrap = "s3"
)

// The bounds of retry. A message can be invisible for twelve hours in total, however
// often its visibility changes, so no wait can be longer.
const (
	leastRetryDelay = time.Second // visibility is set in whole seconds
	mostRetryDelay  = 12 * time.Hour
)

// sqsKeys are the keys that only sqs routes have. They are read once the trigger is
// known.
var sqsKeys = []string{"concurrency", "trace", "deadLetterQueue", "retry", "batch", "unwrap"}

// readSQSKeys reads the keys that only SQS routes have.
func (d *document) readSQSKeys(r *Route, nodes map[string]ast.Node) {
	s := r.SQS
	if n := nodes["concurrency"]; n != nil {
		s.Concurrency = d.whole(n, "concurrency", 1, 1000)
	}
	if n := nodes["batch"]; n != nil {
		s.Batch = d.flag(n, "batch")
	}
	if s.Batch {
		s.Trace = TraceInvocation // the records of a batch have many traces
	}
	if n := nodes["trace"]; n != nil {
		switch v := Trace(d.text(n, "trace")); {
		case v == TraceRecord && s.Batch:
			d.add(n, "trace: record and batch cannot be combined: an execution joins one trace, and the records of a batch have many; write trace: invocation")
		case v == TraceRecord, v == TraceInvocation:
			s.Trace = v
		default:
			d.add(n, "trace must be record or invocation, not %q", v)
		}
	}
	if n := nodes["deadLetterQueue"]; n != nil {
		s.DeadLetterQueue = d.queueAddress(n, "deadLetterQueue")
	}
	if own, _ := parseQueue(s.Queue); own.same(deadLetters(s)) {
		d.add(nodes["deadLetterQueue"], "deadLetterQueue is the route's own queue, so dead letters would be received again forever: name another queue")
	}
	if n := nodes["retry"]; n != nil {
		s.Retry = d.readRetry(n)
	}
	if n := nodes["unwrap"]; n != nil {
		switch v := Unwrap(d.text(n, "unwrap")); v {
		case UnwrapSNS, UnwrapEventBridge, UnwrapS3:
			s.Unwrap = v
		default:
			d.add(n, "unwrap must be sns, eventbridge or s3, not %q", v)
		}
	}
}

func deadLetters(s *SQS) queueID {
	id, _ := parseQueue(s.DeadLetterQueue)
	return id
}

// queueAddress reads the URL or the ARN of a queue. Empty text, as from
// ${ORDERS_DLQ_URL:-}, means no queue.
func (d *document) queueAddress(n ast.Node, what string) string {
	text := d.text(n, what)
	id, ok := parseQueue(text)
	if text != "" && (!ok || text == id.name || strings.Contains(text, "*")) {
		d.add(n, "%s must be the queue's URL, such as https://sqs.eu-west-1.amazonaws.com/123456789012/orders-dead, or its ARN, not %q", what, text)
		return ""
	}
	return text
}

func (d *document) readRetry(n ast.Node) *Retry {
	r := &Retry{Rate: DefaultRetryRate, Max: DefaultRetryMax}
	var maxNode ast.Node
	have := d.fields(n, "retry", map[string]func(ast.Node){
		"delay": func(n ast.Node) { r.Delay = d.wait(n, "retry.delay") },
		"rate":  func(n ast.Node) { r.Rate = d.number(n, "retry.rate", 1, 10) },
		"max": func(n ast.Node) {
			maxNode = n
			r.Max = d.wait(n, "retry.max")
		},
		"jitter": func(n ast.Node) {
			switch v := d.text(n, "retry.jitter"); v {
			case "full":
			case "none":
				r.NoJitter = true
			default:
				d.add(n, "retry.jitter must be full or none, not %q", v)
			}
		},
	})
	switch {
	case !have.has("delay"):
		d.add(n, "retry has no delay: add one, such as delay: 30s")
	case maxNode != nil && r.Max < r.Delay:
		d.add(maxNode, "retry.max must not be less than retry.delay")
	}
	r.Max = max(r.Max, r.Delay)
	return r
}

// wait reads a wait that can be set as a message's visibility.
func (d *document) wait(n ast.Node, what string) time.Duration {
	v := d.duration(n, what)
	if v != 0 && (v < leastRetryDelay || v > mostRetryDelay) {
		d.add(n, "%s must be from 1s to 12h, because a message's visibility is set in whole seconds, up to twelve hours", what)
	}
	return v
}

// checkRecordCatch finds mistakes that can only be found once the whole route has been
// read.
func (d *document) checkRecordCatch(r *Route, catch ast.Node, have keySet) {
	if have.has("deadLetterQueue") {
		return
	}
	for i, c := range r.Catch {
		if c.Then == ThenDeadLetter {
			d.add(d.list(catch, "catch")[i], "then: dead-letter needs a queue: set deadLetterQueue on the route to its URL or ARN")
		}
	}
}
