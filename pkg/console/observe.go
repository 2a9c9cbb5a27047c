package console

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

var _ bridge.StepObserver = (*Recorder)(nil)

// Begin implements [bridge.Observer].
func (r *Recorder) Begin(ctx context.Context) (context.Context, func()) { return ctx, func() {} }

// Step implements [bridge.StepObserver].
func (r *Recorder) Step(ctx context.Context, in *bridge.Delivery, step string, value any) {
	d := deliveryOf(ctx)
	if d == nil {
		return
	}
	s := Step{Name: step, Result: "ok"}
	switch step {
	case "token":
		token, _ := value.(string)
		r.mu.Lock()
		defer r.mu.Unlock()
		if !d.dropped && len(token) >= minSecret {
			d.tokens = append(d.tokens, token)
			r.tokens = nil
			r.charge(d, len(token))
		}
		return
	case "dedupe":
		s.Detail = fmt.Sprintf("key %.200s", value)
	case "filter":
		switch v := jsonata.Force(value).(type) {
		case bool:
			s.Detail = fmt.Sprint(v)
			if !v {
				s.Result = "stopped"
			}
		default:
			s.Detail, s.Result = "neither true nor false", "failed"
			if v == jsonata.Undefined {
				s.Detail, s.Result = bridge.FilterUndefined+": the filter yields nothing, as an expression does whose path does not exist", "stopped"
			}
		}
	case "input":
		input, _ := value.(json.RawMessage)
		s.Detail = strconv.Itoa(len(input)) + " bytes"
		if len(input) <= maxStepValue {
			s.Value = input
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	d.step(in, s)
	r.charge(d, len(s.Value)+len(s.Detail))
}

// Settled implements [bridge.Observer].
func (r *Recorder) Settled(ctx context.Context, in *bridge.Delivery, result bridge.Result, s bridge.Settlement) {
	d := deliveryOf(ctx)
	if d == nil {
		return
	}
	rec := Record{ID: in.ID, Route: in.Route.Name, Decision: "started", Then: s.Then}
	r.mu.Lock()
	defer r.mu.Unlock()
	rec.Steps = d.taken(in)
	switch {
	case result.Filtered:
		rec.Decision = "filtered"
		if result.FilterUndefined {
			rec.Reason = bridge.FilterUndefined
		}
	case result.Answered:
		rec.Decision = "answered"
	case result.Resumed != "":
		rec.Decision, rec.Reason = "resumed", string(result.Resumed)
		rec.Steps = append(rec.Steps, Step{Name: "resume", Result: "ok", Detail: resumed[result.Resumed]})
	case result.Replayed:
		rec.Decision = "replayed"
		rec.Steps = append(rec.Steps, Step{Name: "dedupe", Result: "stopped", Detail: "answered before: the stored answer was given again"})
	case result.Outcome == nil && result.Failure != nil && result.Failure.Outcome == nil:
		rec.Decision = "refused"
	}
	if o := result.Outcome; o != nil {
		rec.ExecutionARN, rec.Status = o.ExecutionARN, string(o.Status)
	} else if f := result.Failure; f != nil && f.Outcome != nil {
		rec.ExecutionARN, rec.Status = f.Outcome.ExecutionARN, string(f.Outcome.Status)
	}
	if e := r.byARN[rec.ExecutionARN]; e != nil {
		rec.Execution, rec.State = e.ID, e.FailedState
		e.Delivery = d.ID
	} else if rec.ExecutionARN != "" && !d.dropped {
		r.awaited[rec.ExecutionARN] = d
	}
	if f := result.Failure; f != nil {
		rec.Error, rec.Cause = f.Name, f.Cause
		if f.Err != nil && !f.OfWorkflow() {
			rec.Cause += ": " + f.Err.Error()
		}
	}
	if rec.ExecutionARN != "" {
		start := Step{Name: "start", Result: "ok", Detail: rec.Status}
		if rec.Error != "" {
			start.Result, start.Detail = "failed", rec.Error
		}
		rec.Steps = append(rec.Steps, start)
	} else if rec.Error != "" {
		step := "start"
		if in.Route.Resume != nil {
			step = "resume"
		}
		rec.Steps = append(rec.Steps, Step{Name: step, Result: "failed", Detail: rec.Error + ": " + rec.Cause})
	}
	r.link(d, in, result, &rec)
	if s.Then != "" {
		rec.Steps = append(rec.Steps, Step{Name: "settle", Result: "ok", Detail: s.Then})
	}
	r.add(d, rec)
}

// resumed says what becomes of a task.
var resumed = map[bridge.Action]string{
	bridge.TaskSucceeds: "the task succeeds, and its execution continues", bridge.TaskFails: "the task fails",
	bridge.TaskHeartbeat: "a heartbeat: the task continues to wait",
}

// add keeps a record, up to the number that a batch can have; the caller holds mu.
func (r *Recorder) add(d *Delivery, rec Record) {
	if len(d.Records) < maxRecords {
		d.Records = append(d.Records, rec)
		r.charge(d, len(rec.Cause)+len(rec.ExecutionARN)+200)
	}
}

// Rejected implements [bridge.Observer].
func (r *Recorder) Rejected(ctx context.Context, route, _, errorName string) {
	d := deliveryOf(ctx)
	if d == nil {
		return
	}
	rec := Record{Route: route, Decision: "refused", Error: errorName}
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(d.Lines); n > 0 { // the log line of the refusal has the reason
		rec.Cause = d.Lines[n-1].attribute("reason")
		if id := d.Lines[n-1].attribute("delivery"); id != "" {
			rec.ID = id
		}
	}
	switch {
	case errorName == bridge.NoRoute:
		rec.Steps = []Step{{Name: "route", Result: "failed", Detail: rec.Cause}}
	case errorName == bridge.Unverified:
		rec.Steps = []Step{{Name: "route", Result: "ok", Detail: route}, {Name: "signature", Result: "failed", Detail: rec.Cause}}
	default:
		rec.Steps = []Step{{Name: "route", Result: "ok", Detail: route}, {Name: "request", Result: "failed", Detail: rec.Cause}}
	}
	r.add(d, rec)
}

// Log returns a handler that keeps the lines of deliveries, and passes all lines to next.
func (r *Recorder) Log(next slog.Handler) slog.Handler { return &logged{r, next, nil} }

type logged struct {
	recorder *Recorder
	next     slog.Handler
	attrs    []slog.Attr
}

func (l *logged) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelInfo || l.next.Enabled(ctx, level)
}

func (l *logged) Handle(ctx context.Context, line slog.Record) error {
	if d := deliveryOf(ctx); d != nil {
		l.recorder.mu.Lock()
		if len(d.Lines) < maxLines {
			d.Lines = append(d.Lines, Line{Time: line.Time, Level: line.Level.String(), Message: line.Message, own: line.Clone(), outer: l.attrs})
			l.recorder.charge(d, len(line.Message)+100*(line.NumAttrs()+len(l.attrs)))
		}
		l.recorder.mu.Unlock()
	}
	if !l.next.Enabled(ctx, line.Level) {
		return nil
	}
	return l.next.Handle(ctx, line)
}

func (l *logged) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &logged{l.recorder, l.next.WithAttrs(attrs), append(append([]slog.Attr{}, l.attrs...), attrs...)}
}

func (l *logged) WithGroup(name string) slog.Handler {
	return &logged{l.recorder, l.next.WithGroup(name), l.attrs}
}
