// Package eventbridge runs an execution for an event of EventBridge: one object
// from a classic rule, or an array of them from a custom event bus.
//
// Success returns {"route", "executionArn", "status", "output"}, for Lambda
// destinations. A failure returns an [Error] named after it, which aws-lambda-go
// reports as the function error's errorType, so that Lambda's retries, its DLQ and
// its on-failure destination work, and tell what failed.
package eventbridge

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// parallel bounds how many events of one array run at the same time.
const parallel = 10

// Events runs the events of all EventBridge routes. It is safe for concurrent use.
type Events struct {
	routes []*config.Route
	bridge *bridge.Bridge
	log    *slog.Logger
}

// New prepares the EventBridge routes of a configuration.
func New(routes []*config.Route, b *bridge.Bridge, log *slog.Logger) *Events {
	e := &Events{bridge: b, log: log}
	for _, r := range routes {
		if r.EventBridge != nil {
			e.routes = append(e.routes, r)
		}
	}
	return e
}

// Invoke runs one event, or an array of them. It implements lambda.Handler of
// aws-lambda-go. The error is a messages.InvokeResponse_Error, of which Lambda
// reports Type as errorType: the failure's name, or for an array all the names
// joined with ", ".
func (e *Events) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	v, err := jsonata.Decode(payload)
	if err != nil {
		return nil, functionError([]*bridge.Failure{bridge.Failf(bridge.BadRequest, "the event is no JSON: "+err.Error(), nil)})
	}
	list, isArray := v.([]any)
	if !isArray {
		list = []any{v}
	}
	ctx, end := e.bridge.Begin(ctx)
	defer end()
	results := make([]any, len(list))
	failures := make([]*bridge.Failure, len(list))
	var running sync.WaitGroup
	limit := make(chan struct{}, parallel)
	for i, event := range list {
		limit <- struct{}{}
		running.Go(func() {
			defer func() { <-limit }()
			results[i], failures[i] = e.run(ctx, event)
		})
	}
	running.Wait()
	if err := functionError(failures); err != nil {
		return nil, err
	}
	if isArray {
		return jsonata.AppendJSON(nil, results)
	}
	return jsonata.AppendJSON(nil, results[0])
}

// functionError joins what failed; nil when nothing did.
func functionError(failures []*bridge.Failure) error {
	var names, texts []string
	for _, f := range failures {
		if f != nil {
			names = append(names, f.Name)
			texts = append(texts, f.Error())
		}
	}
	if len(names) == 0 {
		return nil
	}
	return messages.InvokeResponse_Error{
		Type:    strings.Join(names, ", "),
		Message: strings.Join(texts, "; "),
	}
}

func (e *Events) run(ctx context.Context, v any) (result any, failure *bridge.Failure) {
	defer func() {
		if p := recover(); p != nil {
			e.log.ErrorContext(ctx, "panic", "reason", fmt.Sprint(p), "stack", string(debug.Stack()))
			failure = bridge.Failf(bridge.Internal, "panic", nil)
		}
	}()
	event, ok := v.(*jsonata.Object)
	id, source, detailType := text(event, "id"), text(event, "source"), text(event, "detail-type")
	if !ok || source == "" || detailType == "" {
		return nil, e.refuse(ctx, id, bridge.Failf(bridge.BadRequest, "the event has no source and detail-type", nil))
	}
	route := e.route(source, detailType)
	if route == nil {
		return nil, e.refuse(ctx, id, bridge.Failf(bridge.NoRoute, "no route takes events of this source and detail-type", nil))
	}
	d := &bridge.Delivery{
		Route:      &route.Route,
		ID:         id,
		RequestID:  id,
		Kind:       "event",
		Document:   func() (any, error) { return event, nil },
		ReceivedAt: e.bridge.Now(),
		Fingerprint: func() []byte {
			text, _ := jsonata.AppendJSON(nil, event) // came as JSON: cannot fail
			return text
		},
	}
	r := e.bridge.Run(ctx, d)
	failure = r.Failure
	settlement := bridge.Settlement{Final: failure == nil}
	if failure != nil && route.Then(failure.Name) == config.ThenDiscard {
		failure = nil
		settlement = bridge.Settlement{Final: true, Then: string(config.ThenDiscard)}
	}
	result = describe(route, r)
	settlement.Answer = func() []byte {
		answer, _ := jsonata.AppendJSON(nil, result) // texts and a checked output: cannot fail
		return answer
	}
	e.bridge.Settle(ctx, d, r, settlement)
	return result, failure
}

func (e *Events) refuse(ctx context.Context, id string, f *bridge.Failure) *bridge.Failure {
	e.log.LogAttrs(ctx, slog.LevelError, "event refused",
		slog.String("error", f.Name), slog.String("reason", f.Cause), slog.String("delivery", id))
	return f
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

// matches reports whether one of the patterns matches; no pattern matches all.
func matches(patterns []string, s string) bool {
	for _, p := range patterns {
		if config.Wildcard(p, s) {
			return true
		}
	}
	return len(patterns) == 0
}

func text(o *jsonata.Object, key string) string {
	v, _ := o.Get(key)
	s, _ := v.(string)
	return s
}
