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
	k := deliveryOf(ctx)
	if k == nil {
		return
	}
	s := Step{Name: step, Result: "ok"}
	switch step {
	case "token":
		token, _ := value.(string)
		r.mu.Lock()
		defer r.mu.Unlock()
		if !k.dropped && len(token) >= minSecret {
			k.tokens = append(k.tokens, token)
			r.tokens = nil
			r.charge(k, len(token))
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
				s.Detail, s.Result = bridge.FilterUndefined+": the filter yields nothing, which is the result of a path that does not exist", "stopped"
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
	r.edit(k, func(d *Delivery) { d.step(in, s) })
	r.charge(k, len(s.Value)+len(s.Detail))
}

// Settled implements [bridge.Observer].
func (r *Recorder) Settled(ctx context.Context, in *bridge.Delivery, result bridge.Result, s bridge.Settlement) {
	k := deliveryOf(ctx)
	if k == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.edit(k, func(d *Delivery) {
		r.add(k, d, Record{ID: in.ID, Route: in.Route.Name, Decision: "started", Then: s.Then, Steps: d.taken(in)}, func(rec *Record) {
			rec.decide(result)
			r.follow(k, rec)
			rec.start(in)
			r.link(k, in, result, rec)
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
func (r *Recorder) follow(k *keptDelivery, rec *Record) {
	if rec.ExecutionARN == "" {
		return
	}
	if e := r.byARN[rec.ExecutionARN]; e != nil {
		rec.Execution, rec.State = e.id, e.failedState
		e.delivery = k.id
	} else if !k.dropped {
		r.awaited[rec.ExecutionARN] = k
		k.awaits = append(k.awaits, rec.ExecutionARN)
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
func (r *Recorder) add(k *keptDelivery, d *Delivery, rec Record, fill func(*Record)) {
	if len(d.Records) == maxRecords {
		return
	}
	d.Records = append(d.Records, rec)
	kept := &d.Records[len(d.Records)-1]
	fill(kept)
	r.charge(k, len(kept.Cause)+len(kept.ExecutionARN)+200)
}

// Rejected implements [bridge.Observer].
func (r *Recorder) Rejected(ctx context.Context, route, _, errorName string) {
	k := deliveryOf(ctx)
	if k == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.edit(k, func(d *Delivery) {
		r.add(k, d, Record{Route: route, Decision: "refused", Error: errorName}, func(rec *Record) {
			if n := len(d.Lines); n > 0 { // the log line of the refusal has the reason
				rec.Cause = d.Lines[n-1].attribute("reason")
				rec.ID = d.Lines[n-1].attribute("delivery")
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
	if k := deliveryOf(ctx); k != nil {
		r := l.recorder
		r.mu.Lock()
		r.edit(k, func(d *Delivery) {
			if len(d.Lines) < maxLines {
				d.Lines = append(d.Lines, Line{Time: line.Time, Level: line.Level.String(), Message: line.Message, own: line.Clone(), outer: l.attrs})
				r.charge(k, len(line.Message)+100*(line.NumAttrs()+len(l.attrs)))
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
