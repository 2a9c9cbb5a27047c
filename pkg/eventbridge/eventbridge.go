// Package eventbridge runs an execution for an event of EventBridge: one object
// from a classic rule, or an array of them from a custom event bus.
//
// Success returns an object for Lambda destinations, and for an array of events an array of
// them: "route" with "executionArn", "status" and, if the execution has one, "output"; or
// with "filtered": true, with "resumed" and what was done to the task, or with the "error"
// of a discarded failure and "discarded": true. The outputs of an array that is too large
// for a response are replaced by "outputOmitted": true. A duplicate gets the object of the
// first delivery. A failure returns an error named after it, which aws-lambda-go reports as
// the function error's errorType, so that Lambda's retries, its DLQ and its on-failure
// destination work, and say what failed.
//
// Shortly before Lambda's deadline it stops waiting: events that have not finished fail
// as Expressway.Deadline, which is more informative than Lambda's own timeout.
package eventbridge

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/expressway-dev/expressway/internal/eventkind"
	"github.com/expressway-dev/expressway/internal/sources"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// parallel bounds how many events of one array run at the same time.
const parallel = 10

// guard is how long before Lambda's deadline the function stops waiting; less than
// the bridge's own margin, as in pkg/sqsbatch.
const guard = 250 * time.Millisecond

// maxResponse is the largest response that Lambda accepts, and maxError bounds an error's
// type and its message, so that both fit even in JSON's longest escapes.
const (
	maxResponse = 6 << 20
	maxError    = 256 << 10
)

// Events runs the events of all EventBridge routes. It is safe for concurrent use.
type Events struct {
	routes []*config.Route
	bridge *bridge.Bridge
	log    *slog.Logger
}

// Options are what [Events] can do without. The zero value has the defaults.
type Options struct {
	// Log takes what happens to events outside the bridge; nil discards it.
	Log *slog.Logger
}

// New prepares the EventBridge routes of a configuration. With a nil bridge, every start
// fails as Expressway.Misconfigured.
func New(routes []*config.Route, b *bridge.Bridge, o Options) *Events {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if b == nil {
		b = bridge.New(nil, bridge.Options{Log: o.Log})
	}
	e := &Events{bridge: b, log: o.Log}
	for _, r := range routes {
		if r != nil && r.EventBridge != nil {
			e.routes = append(e.routes, r)
		}
	}
	return e
}

// Invoke runs one event, or an array of them. It implements lambda.Handler of
// aws-lambda-go. The error is a messages.InvokeResponse_Error, whose Type Lambda reports
// as errorType: the failure's name, or for an array all the names, joined with ", ".
func (e *Events) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	ctx, end := e.bridge.Begin(ctx)
	defer end()
	v, err := jsonata.Decode(payload)
	if err != nil {
		return nil, functionError([]*bridge.Failure{e.refuse(ctx, "", bridge.NewFailure(bridge.BadRequest, "the event is not JSON: "+err.Error(), nil))})
	}
	list, isArray := v.([]any)
	if !isArray {
		list = []any{v}
	}
	results, failures := e.runAll(ctx, list)
	if err := functionError(failures); err != nil {
		return nil, err
	}
	if !isArray {
		return jsonata.AppendJSON(nil, results[0])
	}
	out, err := jsonata.AppendJSON(nil, results)
	if err == nil && len(out) > maxResponse {
		return jsonata.AppendJSON(nil, withoutOutputs(results))
	}
	return out, err
}

// withoutOutputs leaves out the outputs: a response that Lambda does not accept would be
// an error, and all the events would run again.
func withoutOutputs(results []any) []any {
	short := make([]any, len(results))
	for i, result := range results {
		short[i] = result
		o, ok := jsonata.Force(result).(*jsonata.Object)
		if !ok {
			continue
		}
		if _, has := o.Get("output"); has {
			o = o.Clone()
			o.Delete("output")
			o.Set("outputOmitted", true)
			short[i] = o
		}
	}
	return short
}

// runAll runs events concurrently, starting them in their order, until all have finished
// or the time is up.
func (e *Events) runAll(ctx context.Context, list []any) ([]any, []*bridge.Failure) {
	waitCtx, cancel := guarded(ctx)
	defer cancel()
	var mu sync.Mutex
	results := make([]any, len(list))
	failures := make([]*bridge.Failure, len(list))
	unfinished := make([]bool, len(list))
	var running sync.WaitGroup
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		limit := make(chan struct{}, parallel)
		for i, event := range list {
			select {
			case limit <- struct{}{}:
			case <-waitCtx.Done():
				return
			}
			mu.Lock()
			unfinished[i] = true
			mu.Unlock()
			running.Go(func() {
				defer func() { <-limit }()
				e.run(ctx, event, func(result any, failure *bridge.Failure) {
					mu.Lock()
					defer mu.Unlock()
					results[i], failures[i], unfinished[i] = result, failure, false
				})
			})
		}
		running.Wait()
	}()
	select {
	case <-finished:
	case <-waitCtx.Done():
	}
	mu.Lock()
	defer mu.Unlock()
	results, failures = append([]any(nil), results...), append([]*bridge.Failure(nil), failures...)
	for i := range list {
		switch {
		case results[i] != nil || failures[i] != nil:
		case unfinished[i]:
			failures[i] = bridge.NewFailure(bridge.Deadline, "no answer in time; the execution may still be running", nil)
		default:
			failures[i] = bridge.NewFailure(bridge.Unavailable, "time ran out before anything was sent", nil)
		}
	}
	return results, failures
}

func guarded(ctx context.Context) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(ctx, deadline.Add(-guard))
	}
	return context.WithCancel(ctx)
}

// functionError joins the failures; it returns nil if there are none.
func functionError(failures []*bridge.Failure) error {
	var names, texts []string
	for _, f := range failures {
		if f != nil {
			names = append(names, f.Name)
			texts = append(texts, f.Detail()) // only the account's owner sees it
		}
	}
	if len(names) == 0 {
		return nil
	}
	return messages.InvokeResponse_Error{
		Type:    printable(strings.Join(names, ", ")),
		Message: printable(strings.Join(texts, "; ")),
	}
}

// printable makes a text that can be reported to Lambda. It replaces the one character
// that JSON allows unescaped and a header does not: aws-lambda-go reports the error to
// X-Ray in a header, and the process ends if that header cannot be sent. The name of a
// workflow's failure may come from anybody. The text is also truncated to what can be
// sent.
func printable(s string) string {
	if len(s) > maxError {
		s = strings.ToValidUTF8(s[:maxError], "") + "…"
	}
	return strings.ReplaceAll(s, "\x7f", "\uFFFD")
}

// foreign explains which kind of event it is if no bus delivers it, and where it belongs.
func foreign(v any) string {
	if kind := eventkind.Of(v); kind.Function != eventkind.Event {
		return kind.String()
	}
	return "the event has no source and detail-type"
}

// run calls end once, with the event's result or failure, as soon as it is known: before
// it is stored, which may take longer than the time that is left.
func (e *Events) run(ctx context.Context, v any, end func(any, *bridge.Failure)) {
	ended := false
	defer func() {
		if p := recover(); p != nil {
			e.log.ErrorContext(ctx, "panic", "reason", fmt.Sprint(p), "stack", string(debug.Stack()))
			if !ended {
				end(nil, bridge.NewFailure(bridge.Internal, "panic", nil))
			}
		}
	}()
	event, ok := v.(*jsonata.Object)
	id, source, detailType := event.Text("id"), event.Text("source"), event.Text("detail-type")
	if !ok || source == "" || detailType == "" {
		end(nil, e.refuse(ctx, id, bridge.NewFailure(bridge.BadRequest, foreign(v), nil)))
		return
	}
	route := e.route(source, detailType)
	if route == nil {
		end(nil, e.refuse(ctx, id, bridge.NewFailure(bridge.NoRoute, "no route takes events of this source and detail-type", nil), attrs(source, detailType)...))
		return
	}
	d := e.delivery(route, event)
	r := e.bridge.Run(ctx, d)
	settlement := bridge.Settlement{Final: r.Failure == nil}
	if r.Failure != nil {
		then := route.Then(r.Failure)
		settlement.Final = then == config.ThenDiscard
		settlement.Then = string(then)
	}
	result := describe(route, r)
	settlement.Answer = func() []byte {
		answer, _ := jsonata.AppendJSON(nil, result) // texts and a checked output cannot fail
		return answer
	}
	ended = true
	if settlement.Final {
		end(result, nil)
	} else {
		end(nil, r.Failure)
	}
	e.bridge.Settle(ctx, d, r, settlement)
}

// delivery is the event as the bridge takes it.
func (e *Events) delivery(route *config.Route, event *jsonata.Object) *bridge.Delivery {
	return &bridge.Delivery{
		Route:      &route.Route,
		ID:         event.Text("id"),
		RequestID:  event.Text("id"),
		Kind:       "event",
		Attrs:      attrs(event.Text("source"), event.Text("detail-type")),
		Document:   func() (any, error) { return event, nil },
		ReceivedAt: e.bridge.Now(),
		Fingerprint: func() []byte {
			// An archive's replay adds its own name to the event, which is still the same
			// event.
			same := event
			if _, replayed := event.Get("replay-name"); replayed {
				same = event.Clone()
				same.Delete("replay-name")
			}
			text, _ := jsonata.AppendJSON(nil, same) // decoded from JSON, so it cannot fail
			return text
		},
	}
}

// DedupeKey returns the route that takes an event, and the name of the dedupe record that
// the event would claim. It is for tools: nothing is claimed. The route is nil if no
// route takes the event, and the name is empty if the event has no key. The error says
// that the payload is not JSON, or that the key cannot be made.
func (e *Events) DedupeKey(ctx context.Context, payload []byte) (*config.Route, string, error) {
	v, err := jsonata.Decode(payload)
	if err != nil {
		return nil, "", err
	}
	event, _ := v.(*jsonata.Object)
	route := e.route(event.Text("source"), event.Text("detail-type"))
	if event == nil || route == nil {
		return nil, "", nil
	}
	key, err := e.bridge.DedupeKey(ctx, e.delivery(route, event))
	return route, key, err
}

func (e *Events) refuse(ctx context.Context, id string, f *bridge.Failure, more ...slog.Attr) *bridge.Failure {
	e.bridge.Reject(ctx, "", sources.EventBridge, f.Name)
	e.log.LogAttrs(ctx, slog.LevelError, "event refused", append(more,
		slog.String("error", f.Name), slog.String("reason", f.Cause),
		slog.String("delivery", id), slog.String("gatewayRequestId", id))...)
	return f
}

// attrs returns the log attributes that say where an event came from. AWS bounds neither
// text, so both are truncated.
func attrs(source, detailType string) []slog.Attr {
	const most = 256
	cut := func(s string) string { return strings.ToValidUTF8(s[:min(len(s), most)], "") }
	return []slog.Attr{slog.String("source", cut(source)), slog.String("detailType", cut(detailType))}
}

// describe makes the return value, for Lambda destinations.
func describe(route *config.Route, r bridge.Result) any {
	o := jsonata.NewObject(5)
	o.Set("route", route.Name)
	switch {
	case r.Replayed:
		return jsonata.NewRaw(r.Replay)
	case r.Filtered:
		o.Set("filtered", true)
	case r.Resumed != "":
		o.Set("resumed", string(r.Resumed))
	case r.Outcome != nil:
		o.Set("executionArn", r.Outcome.ExecutionARN)
		o.Set("status", string(r.Outcome.Status))
		if len(r.Outcome.Output) > 0 {
			o.Set("output", jsonata.NewRaw(r.Outcome.Output))
		}
	}
	if r.Failure != nil {
		o.Set("error", r.Failure.Name)
		o.Set("discarded", true)
	}
	return o
}

// route finds the first route whose patterns match.
func (e *Events) route(source, detailType string) *config.Route {
	for _, r := range e.routes {
		if matches(r.EventBridge.Source, source) && matches(r.EventBridge.DetailType, detailType) {
			return r
		}
	}
	return nil
}

// matches reports whether one of the patterns matches; without patterns, everything
// matches.
func matches(patterns []string, s string) bool {
	for _, p := range patterns {
		if config.Wildcard(p, s) {
			return true
		}
	}
	return len(patterns) == 0
}
