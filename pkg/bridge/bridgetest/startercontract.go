package bridgetest

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// A StarterContract tests that a [bridge.Starter] does what the bridge expects of it. The
// fields name state machines as [bridge.Start] does, by ARN or by name.
type StarterContract struct {
	Starter bridge.Starter
	// Echo succeeds at once, and its output is its input.
	Echo string
	// Fails ends as FAILED with the error Custom.Error and the cause "because".
	Fails string
	// Hangs runs for longer than two seconds. It may be empty.
	Hangs string
	// Missing is the ARN or name of a state machine that does not exist.
	Missing string
}

// Test runs the contract. It starts about a dozen executions.
func (c StarterContract) Test(t *testing.T) {
	t.Run("an execution succeeds", c.succeeds)
	t.Run("an execution that fails is an outcome", c.fails)
	t.Run("an asynchronous start", c.asynchronous)
	t.Run("a start that cannot succeed fails permanently", c.refuses)
	t.Run("a context that has ended", c.cancelled)
	t.Run("starts at once", c.concurrent)
	if c.Hangs != "" {
		t.Run("a deadline", c.deadline)
	}
}

func (c StarterContract) start(machine, input string) bridge.Start {
	return bridge.Start{Route: "contract", StateMachineARN: machine, Name: "contract-1", Input: json.RawMessage(input)}
}

func (c StarterContract) succeeds(t *testing.T) {
	const input = `{"text":"é😀","number":9007199254740993,"list":[1,null,true]}`
	before := time.Now().Add(-time.Minute)
	o, err := c.Starter.StartSync(t.Context(), c.start(c.Echo, input))
	if err != nil {
		t.Fatalf("StartSync: %v", err)
	}
	if o.Status != bridge.Succeeded || o.Error != "" || o.Cause != "" {
		t.Errorf("outcome %s, error %q, cause %q; want SUCCEEDED and neither", o.Status, o.Error, o.Cause)
	}
	var got, want any
	if json.Unmarshal(o.Output, &got) != nil || json.Unmarshal([]byte(input), &want) != nil || !strings.Contains(string(o.Output), "9007199254740993") {
		t.Errorf("output %s, want %s with its digits", o.Output, input)
	}
	if o.ExecutionARN == "" || o.Name != "contract-1" {
		t.Errorf("ARN %q and name %q, want an ARN and contract-1", o.ExecutionARN, o.Name)
	}
	if o.StartDate.Before(before) || o.StopDate.Before(o.StartDate) {
		t.Errorf("from %v to %v, want the times of the execution", o.StartDate, o.StopDate)
	}
}

func (c StarterContract) fails(t *testing.T) {
	o, err := c.Starter.StartSync(t.Context(), c.start(c.Fails, `{}`))
	if err != nil {
		t.Fatalf("StartSync: %v; a FAILED execution is not an error", err)
	}
	if o.Status != bridge.Failed || o.Error != "Custom.Error" || o.Cause != "because" || o.Output != nil {
		t.Errorf("outcome %+v, want FAILED by Custom.Error because of \"because\", without an output", o)
	}
}

func (c StarterContract) asynchronous(t *testing.T) {
	o, err := c.Starter.Start(t.Context(), c.start(c.Fails, `{}`))
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	if o.Status != bridge.Running || o.ExecutionARN == "" || o.Output != nil {
		t.Errorf("outcome %+v, want RUNNING with an ARN and no output", o)
	}
}

// failure returns the *bridge.Failure that every error must be.
func failure(t *testing.T, err error) *bridge.Failure {
	t.Helper()
	var f *bridge.Failure
	if !errors.As(err, &f) {
		t.Fatalf("error = %v, want a *bridge.Failure", err)
	}
	return f
}

func (c StarterContract) refuses(t *testing.T) {
	for name, start := range map[string]bridge.Start{
		"a missing state machine": c.start(c.Missing, `{}`),
		"an input of 256 KiB + 1": c.start(c.Echo, `"`+strings.Repeat("x", bridge.MaxInput-1)+`"`),
	} {
		for call, do := range map[string]func(context.Context, bridge.Start) (bridge.Outcome, error){
			"StartSync": c.Starter.StartSync, "Start": c.Starter.Start,
		} {
			_, err := do(t.Context(), start)
			if f := failure(t, err); f.Class() != bridge.Permanent || f.OfWorkflow() {
				t.Errorf("%s of %s: %v is %v, want permanent", call, name, f, f.Class())
			}
		}
	}
}

// cancelled tests that a caller that has gone gets a failure, and one that does not claim
// that the execution ended.
func (c StarterContract) cancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.Starter.StartSync(ctx, c.start(c.Echo, `{}`))
	if f := failure(t, err); f.Class() == bridge.Settled {
		t.Errorf("%v is settled, although the call did not wait for an end", f)
	}
}

func (c StarterContract) concurrent(t *testing.T) {
	var running sync.WaitGroup
	for i := range 8 {
		running.Go(func() {
			input := `"` + strings.Repeat("x", i) + `"`
			o, err := c.Starter.StartSync(t.Context(), c.start(c.Echo, input))
			if err != nil || string(o.Output) != input {
				t.Errorf("output %s, %v; want the input of this very start, %s", o.Output, err, input)
			}
		})
	}
	running.Wait()
}

// deadline tests that a context that ends in the middle of an execution yields an
// ambiguous failure: the execution may still be running.
func (c StarterContract) deadline(t *testing.T) {
	const limit = 300 * time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	began := time.Now()
	_, err := c.Starter.StartSync(ctx, c.start(c.Hangs, `{}`))
	if f := failure(t, err); f.Class() != bridge.Ambiguous {
		t.Errorf("%v is %v, want ambiguous", f, f.Class())
	}
	if took := time.Since(began); took > limit+time.Second {
		t.Errorf("returned after %v, want the context's deadline of %v kept", took, limit)
	}
}
