// Package bridgetest helps to test what lies on either side of pkg/bridge: Go functions
// in place of state machines, and the contracts that a [bridge.Starter] or a
// [bridge.DedupeStore] of your own has to fulfil.
package bridgetest

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// A StarterFunc is a [bridge.Starter] that calls itself for every start. The outcome of an
// asynchronous one is RUNNING, and has no output.
type StarterFunc func(context.Context, bridge.Start) (bridge.Outcome, error)

// StartSync implements [bridge.Starter].
func (f StarterFunc) StartSync(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
	return f(ctx, s)
}

// Start implements [bridge.Starter].
func (f StarterFunc) Start(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
	o, err := f(ctx, s)
	o.Status, o.Output = bridge.Running, nil
	return o, err
}

// Succeed returns a Starter whose executions succeed with an output, JSON text.
func Succeed(output string) StarterFunc {
	return func(_ context.Context, s bridge.Start) (bridge.Outcome, error) {
		o := outcome(s, bridge.Succeeded)
		o.Output = json.RawMessage(output)
		return o, nil
	}
}

// Fail returns a Starter whose executions end as FAILED.
func Fail(name, cause string) StarterFunc {
	return func(_ context.Context, s bridge.Start) (bridge.Outcome, error) {
		o := outcome(s, bridge.Failed)
		o.Error, o.Cause = name, cause
		return o, nil
	}
}

func outcome(s bridge.Start, status bridge.Status) bridge.Outcome {
	return bridge.Outcome{
		ExecutionARN: "arn:aws:states:us-east-1:123456789012:express:test:" + s.Name + ":1",
		Name:         s.Name,
		Status:       status,
		StartDate:    time.Unix(0, 0).UTC(),
		StopDate:     time.Unix(0, 0).UTC(),
	}
}

// A Recorder is a [bridge.Starter] that keeps what it is asked to start and hands it to
// another Starter. It is safe for concurrent use if that one is.
type Recorder struct {
	// Starter answers. Required.
	Starter bridge.Starter
	mu      sync.Mutex
	starts  []bridge.Start
}

// Starts returns what was started so far, synchronously or not, in the order in which it
// was asked for.
func (r *Recorder) Starts() []bridge.Start {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.starts)
}

func (r *Recorder) record(s bridge.Start) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.starts = append(r.starts, s)
}

// StartSync implements [bridge.Starter].
func (r *Recorder) StartSync(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
	r.record(s)
	return r.Starter.StartSync(ctx, s)
}

// Start implements [bridge.Starter].
func (r *Recorder) Start(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
	r.record(s)
	return r.Starter.Start(ctx, s)
}

// A ResumerFunc is a [bridge.Resumer] that calls itself for every resumption.
type ResumerFunc func(bridge.Resumption) error

// Resume implements [bridge.Resumer].
func (f ResumerFunc) Resume(_ context.Context, r bridge.Resumption) error { return f(r) }
