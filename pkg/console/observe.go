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
	i := deliveryOf(ctx)
	if i == nil {
		return
	}
	s := Step{Name: step, Result: "ok"}
	switch step {
	case "token":
		r.bring(i, value)
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
				s.Detail, s.Result = bridge.FilterUndefined+": the filter yields nothing, which is the result of a path that does not exist", "stopped"
			}
		}
	case "input":
		input, _ := value.(json.RawMessage)
		s.Detail = string(append(strconv.AppendInt(make([]byte, 0, 32), int64(len(input)), 10), " bytes"...))
		if len(input) <= maxStepValue {
			s.Value = input
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.edit(i, func(d *Delivery) { d.step(in, s) })
	r.charge(i, len(s.Value)+len(s.Detail))
}

// bring keeps the token of the task that a delivery resumes.
func (r *Recorder) bring(i *invocation, value any) {
	token, _ := value.(string)
	if len(token) < minSecret {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if t := r.tiesOf(i); t != nil {
		t.tokens = append(t.tokens, token)
		r.tokens = nil
		r.charge(i, len(token))
	}
}

// Settled implements [bridge.Observer].
func (r *Recorder) Settled(ctx context.Context, in *bridge.Delivery, result bridge.Result, s bridge.Settlement) {
	i := deliveryOf(ctx)
	if i == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.edit(i, func(d *Delivery) {
		r.add(i, d, Record{ID: in.ID, Route: in.Route.Name, Decision: "started", Then: s.Then, Steps: d.taken(in)}, func(rec *Record) {
			rec.decide(result)
			r.follow(i, rec)
			rec.start(in)
			r.link(i, in, result, rec)
			if s.Then != "" {
				rec.Steps = append(rec.Steps, Step{Name: "settle", Result: "ok", Detail: s.Then})
			}
		})
	})
}

// decide names what was decided on a delivery.
func (rec *Record) decide(result bridge.Result) {
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
		rec.Steps = append(rec.Steps, Step{Name: "dedupe", Result: "stopped", Detail: "answered before: the stored answer was returned"})
	case result.Outcome == nil && result.Failure != nil && result.Failure.Outcome == nil:
		rec.Decision = "refused"
	}
	if o := result.Outcome; o != nil {
		rec.ExecutionARN, rec.Status = o.ExecutionARN, string(o.Status)
	} else if f := result.Failure; f != nil && f.Outcome != nil {
		rec.ExecutionARN, rec.Status = f.Outcome.ExecutionARN, string(f.Outcome.Status)
	}
	if f := result.Failure; f != nil {
		rec.Error, rec.Cause = f.Name, f.Cause
		if f.Err != nil && !f.OfWorkflow() {
			rec.Cause += ": " + f.Err.Error()
		}
	}
}

// follow ties a record to its execution, now or when it begins; the caller holds mu.
func (r *Recorder) follow(i *invocation, rec *Record) {
	if rec.ExecutionARN == "" {
		return
	}
	if e := r.keptNamed(rec.ExecutionARN); e != nil {
		rec.Execution, e.delivery = e.id, i.id
		if e.failed {
			rec.State = r.snapshotExecution(e, false).FailedState
		}
	} else if t := r.tiesOf(i); t != nil {
		r.awaited[rec.ExecutionARN] = i.id
		t.awaits = append(t.awaits, rec.ExecutionARN)
	}
}

// start adds the step that starts the execution, or resumes a task, if there was one.
func (rec *Record) start(in *bridge.Delivery) {
	switch {
	case rec.ExecutionARN != "" && rec.Error != "":
		rec.Steps = append(rec.Steps, Step{Name: "start", Result: "failed", Detail: rec.Error})
	case rec.ExecutionARN != "":
		rec.Steps = append(rec.Steps, Step{Name: "start", Result: "ok", Detail: rec.Status})
	case rec.Error != "":
		step := "start"
		if in.Route.Resume != nil {
			step = "resume"
		}
		rec.Steps = append(rec.Steps, Step{Name: step, Result: "failed", Detail: rec.Error + ": " + rec.Cause})
	}
}

// resumed says what happens to a task.
var resumed = map[bridge.Action]string{
	bridge.TaskSucceeds: "the task succeeds, and its execution continues", bridge.TaskFails: "the task fails",
	bridge.TaskHeartbeat: "a heartbeat: the task continues to wait",
}

// add keeps a record, up to the number that a batch can have, and lets fill complete it;
// the caller holds mu.
func (r *Recorder) add(i *invocation, d *Delivery, rec Record, fill func(*Record)) {
	if len(d.Records) == maxRecords {
		return
	}
	d.Records = append(d.Records, rec)
	kept := &d.Records[len(d.Records)-1]
	fill(kept)
	r.charge(i, len(kept.Cause)+len(kept.ExecutionARN)+200)
}

// Rejected implements [bridge.Observer].
func (r *Recorder) Rejected(ctx context.Context, route, _, errorName string) {
	i := deliveryOf(ctx)
	if i == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.edit(i, func(d *Delivery) {
		r.add(i, d, Record{Route: route, Decision: "refused", Error: errorName}, func(rec *Record) {
			if lines := d.lines(); len(lines) > 0 { // the log line of the refusal has the reason
				last := lines[len(lines)-1]
				rec.Cause, rec.ID = last.attribute("reason"), last.attribute("delivery")
			}
			switch {
			case errorName == bridge.NoRoute:
				rec.Steps = []Step{{Name: "route", Result: "failed", Detail: rec.Cause}}
			case errorName == bridge.Unverified:
				rec.Steps = []Step{{Name: "route", Result: "ok", Detail: route}, {Name: "signature", Result: "failed", Detail: rec.Cause}}
			default:
				rec.Steps = []Step{{Name: "route", Result: "ok", Detail: route}, {Name: "request", Result: "failed", Detail: rec.Cause}}
			}
		})
	})
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
	if i := deliveryOf(ctx); i != nil {
		r := l.recorder
		r.mu.Lock()
		r.edit(i, func(d *Delivery) {
			if len(d.Lines)+d.logged.n < maxLines {
				before := len(d.logged.text)
				d.logged.add(&line, l.attrs)
				r.charge(i, len(d.logged.text)-before)
			}
		})
		r.mu.Unlock()
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
