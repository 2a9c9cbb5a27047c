package statesapi

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// An unfinished is an execution that an earlier process began.
type unfinished struct {
	x       *execution
	events  []asl.Event
	answers map[string]*asl.Answer
	tokens  map[string]bool // all that were issued
	end     *storedEnd      // of one that another execution waits for
	file    string
}

// readExecutions reads the executions of a folder. A file that cannot be read is an error
// that names the file; an incomplete line at the end, from a process that was killed, is
// skipped.
func (s *Service) readExecutions(dir string) ([]*unfinished, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*"+journalSuffix))
	if err != nil {
		return nil, fmt.Errorf("keep executions in %s: %w", dir, err)
	}
	var list []*unfinished
	var problems []error
	for _, file := range files {
		u, err := s.readExecution(file)
		switch {
		case err != nil:
			problems = append(problems, fmt.Errorf("%s: %w", file, err))
		case u == nil:
			_ = os.Remove(file) // the process was killed before the execution began
		default:
			list = append(list, u)
		}
	}
	slices.SortFunc(list, func(a, b *unfinished) int {
		return cmp.Or(a.x.record.StartDate.Compare(b.x.record.StartDate), cmp.Compare(a.x.record.ExecutionARN, b.x.record.ExecutionARN))
	})
	return list, errors.Join(problems...)
}

func (s *Service) readExecution(file string) (*unfinished, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	whole := bytes.LastIndexByte(text, '\n') + 1
	j := &journal{flows: newFlows()}
	u := &unfinished{file: file, answers: map[string]*asl.Answer{}, tokens: map[string]bool{}}
	n := 0
	for line := range bytes.Lines(text[:whole]) {
		n++
		var l journalLine
		if err := json.Unmarshal(line, &l); err != nil {
			return nil, fmt.Errorf("line %d is not part of a stored execution: %w", n, err)
		}
		if err := u.read(s, j, l); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}
	if u.x == nil {
		return nil, nil
	}
	if u.end != nil {
		return u, nil
	}
	u.settle(j)
	if j.file, err = os.OpenFile(file, os.O_WRONLY|os.O_APPEND, 0o600); err != nil {
		return nil, err
	}
	if err := j.file.Truncate(int64(whole)); err != nil {
		return nil, errors.Join(err, j.file.Close())
	}
	u.x.journal = j
	return u, nil
}

// read adds one line to the execution.
func (u *unfinished) read(s *Service, j *journal, l journalLine) (err error) {
	switch {
	case l.Begin != nil && u.x == nil:
		u.x, err = s.restoreExecution(l.Begin)
	case u.x == nil:
		err = errors.New("the execution has not begun")
	case l.Flow != nil:
		var c asl.Checkpoint
		c, err = l.Flow.checkpoint(j.flows.at[l.Path])
		j.flows.set(l.Path, c)
		if l.Flow.Token != "" {
			u.tokens[l.Flow.Token] = true
		}
	case l.Drop != nil:
		j.flows.drop(*l.Drop)
	case l.Event != nil:
		var e asl.Event
		e, err = l.Event.event()
		// An event that already exists happened again after a restart.
		u.events = append(u.events[:min(len(u.events), max(int(e.ID)-1, 0))], e)
	case l.Answer != nil:
		answer := &asl.Answer{}
		if l.Answer.Failed {
			answer.Err = &asl.Error{Name: l.Answer.Error, Cause: l.Answer.Cause}
		} else {
			answer.Output, err = jsonata.Decode(l.Answer.Output)
		}
		u.answers[l.Answer.Token] = answer
	case l.End != nil:
		u.end = l.End
	default:
		err = errors.New("it contains nothing that this version understands")
	}
	return err
}

// settle drops the events after the last checkpoint of an execution with only one flow,
// because the flow will produce them again. If there are several flows, none is dropped.
func (u *unfinished) settle(j *journal) {
	top, ok := j.flows.at[""]
	if !ok || len(j.flows.at) > 1 {
		return
	}
	for n := len(u.events); n > 0 && u.events[n-1].ID > top.Last; n-- {
		u.events = u.events[:n-1]
	}
}

func (s *Service) restoreExecution(b *storedExecution) (*execution, error) {
	if b.Format < 1 || b.Format > executionFormat {
		return nil, fmt.Errorf("stored in format %d, but this version reads only those up to %d", b.Format, executionFormat)
	}
	if err := checkARN(b.ExecutionARN, "execution", 8); err != nil {
		return nil, err
	}
	if err := jsonata.Valid([]byte(b.Input)); err != nil {
		return nil, err
	}
	rev, err := s.restoreRevision(b.Revision)
	if err != nil {
		return nil, err
	}
	return &execution{
		target:    target{rev, b.VersionARN, b.AliasARN},
		startedBy: b.StartedBy,
		record: ExecutionRecord{
			ExecutionARN: b.ExecutionARN, Name: b.Name, StateMachineARN: b.StateMachineARN, TestCase: b.TestCase, Input: []byte(b.Input),
			TraceHeader: b.TraceHeader, Status: bridge.Running, StartDate: b.Started,
		},
	}, nil
}

// checkpoint returns the checkpoint of the line, completed with what it leaves out because
// the flow's previous line has it.
func (f *storedFlow) checkpoint(before asl.Checkpoint) (asl.Checkpoint, error) {
	c := asl.Checkpoint{
		State: f.State, Before: f.Before, Entered: f.Entered, Last: f.Last, Since: f.Since, Called: f.Called, RetryAt: f.RetryAt, Visits: f.Visits,
		Retries: f.Retries, Counts: f.Counts, Phase: f.Phase, Token: f.Token, Heartbeat: f.Heartbeat, Ended: f.Ended, Failed: f.Failed, Final: f.Final,
	}
	var err error
	c.Input, c.Output, c.Assigned, err = decodeData(f.Input, f.Output, f.Variables)
	if f.Input == nil && !c.Ended {
		c.Input = before.Input
	}
	if c.Variables = before.Variables; c.Variables == nil {
		c.Variables = c.Assigned
	} else {
		for i := range c.Assigned.Len() {
			c.Variables.Set(c.Assigned.At(i))
		}
	}
	return c, err
}

func (s *storedEvent) event() (asl.Event, error) {
	e := asl.Event{
		ID: s.ID, PreviousID: s.PreviousID, Type: s.Type, Time: s.Time, Name: s.Name, Index: s.Index, Length: s.Length, Resource: s.Resource,
		ResourceType: s.ResourceType, TimeoutSeconds: s.Timeout, HeartbeatSeconds: s.Heartbeat, RoleARN: s.RoleARN, Region: s.Region,
		Worker: s.Worker, Location: s.Location, Error: s.Error, Cause: s.Cause,
	}
	if s.Type == "" {
		return e, errors.New("an event has no type")
	}
	var err error
	e.Input, e.Output, e.Assigned, err = decodeData(s.Input, s.Output, s.Assigned)
	return e, err
}

// decodeData reads an input, an output and variables, each of which may be missing.
func decodeData(input, output, variables json.RawMessage) (in, out any, vars *jsonata.Object, err error) {
	in, err = decodeStored(input)
	out, failed := decodeStored(output)
	err = errors.Join(err, failed)
	v, failed := decodeStored(variables)
	vars, _ = jsonata.Force(v).(*jsonata.Object)
	return in, out, vars, errors.Join(err, failed)
}

// decodeStored reads a value that may be missing.
func decodeStored(text json.RawMessage) (any, error) {
	if len(text) == 0 {
		return nil, nil
	}
	return jsonata.Decode(text)
}

// takeOver registers the executions of an earlier process, with their tokens, so that
// those can be answered before [Service.GoOn].
func (s *Service) takeOver(list []*unfinished) {
	byARN := map[string]*unfinished{}
	for _, u := range list {
		byARN[u.x.record.ExecutionARN] = u
	}
	list = slices.DeleteFunc(list, func(u *unfinished) bool {
		if u.end != nil {
			outer, path := taskOf(u.x.startedBy)
			s.restoreEnd(u, byARN[outer], path)
		}
		return u.end != nil
	})
	for _, u := range list {
		x := u.x
		var stop func(error)
		x.ctx, stop = s.stoppable(s.base)
		x.stop = stop
		_, _ = s.remember(x, stop) // the names are unique within a folder
		s.tokens.restore(x, u)
	}
	for _, u := range list {
		if u.x.startedBy == "" {
			continue
		}
		s.runMu.Lock()
		s.children[u.x.startedBy] = u.x.started
		s.runMu.Unlock()
		arn, _ := taskOf(u.x.startedBy)
		if outer := byARN[arn]; outer != nil && outer.end == nil { // the end of outer also ends the inner one, even before outer waits for it
			ctx := outer.x.ctx
			context.AfterFunc(ctx, func() { u.x.stop(context.Cause(ctx)) })
		}
	}
	s.unfinished = append(s.unfinished, list...)
}

// GoOn lets the executions that [Service.Persist] found continue, and returns their ARNs.
// It is called once everything that they need is ready.
func (s *Service) GoOn() []string {
	s.mu.Lock()
	list := s.unfinished
	s.unfinished = nil
	s.mu.Unlock()
	arns := make([]string, 0, len(list))
	for _, u := range list {
		x := u.x
		if err := s.acquire(false, false); err != nil {
			continue // the service has closed: the next process continues the execution
		}
		arns = append(arns, x.record.ExecutionARN)
		x.events = u.events
		end := s.endable(x, x.stop)
		go s.runApart(x.ctx, x, end)
	}
	return arns
}
