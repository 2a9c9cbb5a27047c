// Package metrics reports the outcomes of deliveries to CloudWatch, in the embedded
// metric format: JSON lines on the function's standard output, from which CloudWatch Logs
// makes metrics without a call from the function.
//
// A [Writer] is the bridge's observer. It writes one line for each route of an invocation
// (and for each version of its state machine), at its end; it contains no payload.
// Metrics have the dimensions Route and Source, and also FunctionName alone, which alarms
// use. Every delivery counts as Received, and as exactly one of the following ends, or as
// Started if it does not wait for the end:
//
//	Succeeded  Failed  TimedOut  Throttled  Unknown  Rejected  Filtered  Duplicates  Accepted
//
// The handling of failed records and events is counted separately: Retried, Discarded,
// DeadLettered; and FilterUndefined counts those of Filtered whose filter had no result.
package metrics

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/expressway-dev/expressway/internal/sources"
	"github.com/expressway-dev/expressway/internal/version"
	"github.com/expressway-dev/expressway/pkg/bridge"
)

// defaultNamespace is the metrics' namespace unless the options name another.
const defaultNamespace = "Expressway"

// The variables that [FromEnv] reads.
const (
	// switchName turns metrics off if it is "off".
	switchName = "EXPRESSWAY_METRICS"
	// namespaceName changes the namespace.
	namespaceName = "EXPRESSWAY_METRICS_NAMESPACE"
)

// The variables of Lambda's own that [FromEnv] reads.
const (
	functionName    = "AWS_LAMBDA_FUNCTION_NAME"
	functionVersion = "AWS_LAMBDA_FUNCTION_VERSION"
	logLevel        = "AWS_LAMBDA_LOG_LEVEL"
)

// Options configure a [Writer].
type Options struct {
	// Out receives the lines, each in one Write; on Lambda, it is standard output.
	Out io.Writer
	// Namespace must be one that CloudWatch accepts; empty is Expressway.
	Namespace string
	// Function is the name of the Lambda function, a dimension that alarms use; empty
	// writes none. FunctionVersion is the version that its alias chose.
	Function, FunctionVersion string
	// Level is the level of the function's log filter, at which the lines are written;
	// empty is INFO.
	Level string
	// Now is the clock; nil is the real one.
	Now func() time.Time
}

// A Writer is a [bridge.Observer]. It is safe for concurrent use.
type Writer struct {
	namespace, level, version string
	function, functionVersion string
	now                       func() time.Time

	mu   sync.Mutex
	out  io.Writer
	line []byte // kept for the next one
	warm bool   // a line has been written
}

var _ bridge.Observer = (*Writer)(nil)

// New returns a Writer.
func New(o Options) *Writer {
	w := &Writer{
		namespace: cmp.Or(o.Namespace, defaultNamespace), level: cmp.Or(o.Level, "INFO"), version: version.String(),
		function: o.Function, functionVersion: o.FunctionVersion, now: o.Now, out: o.Out,
	}
	if w.now == nil {
		w.now = time.Now
	}
	if w.out == nil {
		w.out = io.Discard
	}
	return w
}

// validNamespace reports whether CloudWatch accepts the namespace. CloudWatch silently
// ignores a line with any other.
//
// [Namespace]: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html
func validNamespace(s string) bool {
	for i := range len(s) {
		c := s[i]
		ok := c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte(".-_/#:", c) >= 0
		if !ok {
			return false
		}
	}
	return len(s) <= 255 && !strings.HasPrefix(s, "AWS/") && !strings.HasPrefix(s, ":")
}

// FromEnv returns the Writer that the environment asks for, or nil if it turns metrics
// off.
func FromEnv(getenv func(string) string, out io.Writer) (*Writer, error) {
	switch v := getenv(switchName); v {
	case "", "on":
	case "off":
		return nil, nil
	default:
		return nil, fmt.Errorf("%s must be on or off, not %q", switchName, v)
	}
	namespace := getenv(namespaceName)
	if !validNamespace(namespace) {
		return nil, fmt.Errorf("%s is not a CloudWatch namespace: use at most 255 letters, digits and .-_/#:, and begin with neither AWS/ nor a colon", namespaceName)
	}
	o := Options{Out: out, Namespace: namespace, Function: getenv(functionName), FunctionVersion: getenv(functionVersion)}
	switch level := strings.ToUpper(getenv(logLevel)); level {
	case "TRACE", "DEBUG", "WARN", "ERROR", "FATAL":
		o.Level = level
	}
	if !plain(o.Function) || !plain(o.FunctionVersion) {
		return nil, fmt.Errorf("%s and %s must be names: letters, digits, $, - and _", functionName, functionVersion)
	}
	return New(o), nil
}

// plain reports whether a text is a name as Lambda gives it, which JSON need not escape.
func plain(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c < '0' && c != '$' && c != '-' || c > 'z' || c > '9' && c < 'A' || c > 'Z' && c < 'a' && c != '_' {
			return false
		}
	}
	return true
}

// A count is a metric that counts events.
type count int

const (
	received count = iota
	started
	succeeded
	failed
	timedOut
	throttled
	unknown
	retried
	discarded
	deadLettered
	duplicates
	rejected
	filtered
	filterUndefined
	coldStart
	accepted
	counts // their number
)

var countNames = [counts]string{
	"Received", "Started", "Succeeded", "Failed", "TimedOut", "Throttled", "Unknown",
	"Retried", "Discarded", "DeadLettered", "Duplicates", "Rejected", "Filtered", bridge.FilterUndefined, "ColdStart", "Accepted",
}

// A sample holds the measurements of one execution.
type sample [3]time.Duration

var sampleNames = [len(sample{})]string{"ExecutionDuration", "BilledDuration", "BridgeOverhead"}

// A tally is what an invocation has recorded for one route.
type tally struct {
	route, source string
	// machine is the version of the state machine that ran; empty if it has none.
	machine string
	counts  [counts]int
	samples []sample
}

// A batch is one invocation. Deliveries that are settled after its end, such as records
// that were reported unfinished, are written at once.
type batch struct {
	mu      sync.Mutex
	ended   bool
	tallies []tally
	first   [1]tally // the only one in most invocations
	sample  [1]sample
}

type batchKey struct{}

// Begin implements [bridge.Observer].
func (w *Writer) Begin(ctx context.Context) (context.Context, func()) {
	b := &batch{}
	b.tallies = b.first[:0]
	return context.WithValue(ctx, batchKey{}, b), func() { w.end(b) }
}

func (w *Writer) end(b *batch) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
	for i := range b.tallies {
		w.write(&b.tallies[i])
	}
	b.tallies = nil
}

// add lets f update the counts of a route and a version of its state machine in this
// invocation.
func (w *Writer) add(ctx context.Context, route, source, machine string, f func(*tally)) {
	b, _ := ctx.Value(batchKey{}).(*batch)
	if b == nil {
		b = &batch{ended: true}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		t := tally{route: route, source: source, machine: machine}
		f(&t)
		w.write(&t)
		return
	}
	for i := range b.tallies {
		if t := &b.tallies[i]; t.route == route && t.source == source && t.machine == machine {
			f(t)
			return
		}
	}
	t := tally{route: route, source: source, machine: machine}
	if len(b.tallies) == 0 {
		t.samples = b.sample[:0]
	}
	f(&t)
	b.tallies = append(b.tallies, t)
}

// machineVersion returns the version of the state machine that ran, which an alias may
// have chosen. Step Functions numbers them.
func machineVersion(r bridge.Result) string {
	if r.Outcome == nil {
		return ""
	}
	const qualified = 8 // arn:aws:states:REGION:ACCOUNT:stateMachine:NAME:VERSION
	parts := strings.Split(r.Outcome.StateMachineARN, ":")
	if len(parts) != qualified || !plain(parts[qualified-1]) {
		return ""
	}
	return parts[qualified-1]
}

// Settled implements [bridge.Observer].
func (w *Writer) Settled(ctx context.Context, d *bridge.Delivery, r bridge.Result, s bridge.Settlement) {
	source, _ := sources.ByVariable(d.Kind)
	w.add(ctx, d.Route.Name, source.Key, machineVersion(r), func(t *tally) {
		t.counts[received]++
		if o := r.Outcome; o != nil {
			t.counts[started]++
			if !o.StopDate.IsZero() {
				ran := o.StopDate.Sub(o.StartDate)
				t.samples = append(t.samples, sample{ran, o.BilledDuration, max(0, w.now().Sub(d.ReceivedAt)-ran)})
			}
		}
		if end, ok := endOf(r); ok {
			t.counts[end]++
		}
		if r.FilterUndefined {
			t.counts[filterUndefined]++
		}
		switch s.Then {
		case "retry":
			t.counts[retried]++
		case "discard":
			t.counts[discarded]++
		case "dead-letter":
			t.counts[deadLettered]++
		}
	})
}

// endOf returns the metric that counts the end of the delivery. An execution that the
// delivery does not wait for has no end yet.
func endOf(r bridge.Result) (count, bool) {
	switch {
	case r.Filtered:
		return filtered, true
	case r.Replayed:
		return duplicates, true
	case r.Accepted != "":
		return accepted, true
	case r.Failure == nil:
		return succeeded, r.Outcome != nil && r.Outcome.Status == bridge.Succeeded
	case r.Outcome != nil && r.Outcome.Status == bridge.Failed:
		return failed, true // whatever its error name
	}
	switch r.Failure.Name {
	case bridge.StatesTimeout:
		return timedOut, true
	case bridge.Throttled:
		return throttled, true
	case bridge.InProgress, bridge.DedupeMismatch:
		return duplicates, true
	case bridge.Unverified, bridge.NoRoute, bridge.BadRequest, bridge.InputTooLarge:
		return rejected, true
	}
	if r.Failure.Class() == bridge.Ambiguous {
		return unknown, true
	}
	return failed, true
}

// Rejected implements [bridge.Observer].
func (w *Writer) Rejected(ctx context.Context, route, source, _ string) {
	w.add(ctx, route, source, "", func(t *tally) {
		t.counts[received]++
		t.counts[rejected]++
	})
}
