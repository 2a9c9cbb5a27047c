package asl

import (
	"context"
	"math"
	"time"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// attempt runs the current state with its retries and catches.
func (f *frame) attempt(ctx context.Context, input any) (output any, next string, _ *Error) {
	s := f.state
	if !f.retryAt.IsZero() { // it was paused here, or an earlier process got this far
		if err := f.beforeRetry(ctx); err != nil {
			return nil, "", err
		}
	}
	for {
		output, next, err := f.step(ctx, input)
		if err == nil {
			return output, next, nil
		}
		f.recordEvaluation(err)
		if err.fatal || ctx.Err() != nil {
			return nil, "", err
		}
		if len(f.counts) != len(s.retry) {
			f.counts = make([]int, len(s.retry))
		}
		if wait, again := f.retryAfter(s, f.counts, err); again {
			f.retries++
			f.retryAt = f.run.env.Now().Add(wait)
			f.keep("")
			f.forget(s)
			if err := f.beforeRetry(ctx); err != nil {
				return nil, "", err
			}
			continue
		}
		if s.failed != "" {
			f.record(Event{Type: s.failed, Error: err.Name, Cause: err.Cause})
		}
		for _, c := range s.catch {
			if catches(c.errors, err) {
				output, err = f.caught(ctx, c, input, err)
				f.recordEvaluation(err)
				return output, c.next, err
			}
		}
		return nil, "", err
	}
}

// beforeRetry waits until retryAt.
func (f *frame) beforeRetry(ctx context.Context) (err *Error) {
	if p := f.unpark(); p != nil {
		err = f.run.slept(p.err, p.late)
	} else {
		err = f.sleep(ctx, f.retryAt.Sub(f.run.env.Now()))
	}
	if err == nil {
		err = f.run.count()
	}
	if err != errParked {
		f.retryAt = time.Time{}
	}
	return err
}

// recordEvaluation adds to the history a JSONata field that failed. As recorded, the
// event follows the one before the state's entry, unless something has happened since, or
// the state is a Wait.
func (f *frame) recordEvaluation(err *Error) {
	if err == nil || err.evaluation == nil {
		return
	}
	if f.last == f.entered && f.state.kind != "Wait" {
		f.last = f.before
	}
	f.record(Event{
		Type: "EvaluationFailed", Name: f.state.name, Location: err.evaluation.field,
		Error: err.Name, Cause: err.Cause,
	})
	err.evaluation = nil
}

// catches matches names as [Retry and Catch] do: States.ALL matches every name (as
// recorded, also States.DataLimitExceeded, contrary to the guide), and States.TaskFailed
// matches all except timeouts. States.HeartbeatTimeout matches a missed heartbeat.
//
// [Retry and Catch]: https://states-language.net/spec.html#errors
func catches(list []string, err *Error) bool {
	name := err.Name
	for _, e := range list {
		switch e {
		case name:
			return true
		case "States.HeartbeatTimeout":
			if err.heartbeat {
				return true
			}
		case "States.ALL":
			if name != "States.Runtime" {
				return true
			}
		case "States.TaskFailed":
			if name != "States.Timeout" && name != "States.Runtime" {
				return true
			}
		}
	}
	return false
}

func (f *frame) retryAfter(s *state, counts []int, err *Error) (time.Duration, bool) {
	for i, r := range s.retry {
		if !catches(r.errors, err) {
			continue
		}
		if counts[i] >= r.attempts {
			return 0, false
		}
		seconds := r.delay(counts[i], f.run.env.Rand)
		counts[i]++
		return limited(seconds * float64(time.Second) * f.run.waitScale()), true
	}
	return 0, false
}

// delay returns how many seconds the retrier waits after n retries.
func (r *retrier) delay(n int, random func() float64) float64 {
	seconds := float64(r.interval) * math.Pow(r.backoff, float64(n))
	if r.maxDelay > 0 {
		seconds = min(seconds, float64(r.maxDelay))
	}
	seconds = min(seconds, maxWhole) // and is never infinite
	if r.jitter {
		seconds *= random()
	}
	return seconds
}

// object returns what catchers put into the state's input.
func (e *Error) object() *jsonata.Object {
	o := jsonata.NewObject(2)
	for _, field := range [...]struct{ name, text string }{{"Error", e.Name}, {"Cause", e.Cause}} {
		if field.text == "" {
			o.Set(field.name, nil) // as recorded for a callback that gave neither
		} else {
			o.Set(field.name, field.text)
		}
	}
	return o
}

// caught returns the output of a state whose error a catcher matches. In JSONata, it is
// the catcher's Output, or the error if there is none; in JSONPath, it is the error at
// the catcher's ResultPath. Paths see the error as "$"; expressions see the state's
// input.
func (f *frame) caught(ctx context.Context, c *catcher, raw any, failed *Error) (any, *Error) {
	failure := failed.object()
	v := view{f: f, input: failure}
	if f.state.jsonata {
		v = view{f: f, input: raw, failure: failure}
	}
	assigned, err := f.assignments(ctx, c.assign, &v)
	if err != nil {
		return nil, err
	}
	var output any = failure
	switch {
	case c.output != nil:
		output, err = c.output.eval(ctx, &v)
	case !f.state.jsonata:
		output, err = f.place(c.resultPath, c.noResult, raw, failure)
	}
	if err == nil {
		err = f.check(output)
	}
	if err != nil {
		return nil, err
	}
	return output, f.commit(assigned)
}
