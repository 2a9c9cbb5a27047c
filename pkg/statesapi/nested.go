package statesapi

import (
	"context"
	"errors"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/asl/tasks"
)

// nested starts an execution for the task of another one.
func (s *Service) nested(ctx context.Context, r tasks.StartRequest) (tasks.StartResult, error) {
	in := StartInput{StateMachineARN: &r.StateMachineARN, Input: r.Input}
	if r.Name != "" {
		in.Name = &r.Name
	}
	if r.TraceHeader != "" {
		in.TraceHeader = &r.TraceHeader
	}
	var record ExecutionRecord
	var err error
	switch {
	case r.Sync:
		record, err = s.startSync(ctx, in, true)
	case r.Wait && r.Resumed:
		record, err = s.awaitChild(ctx, r.Key)
	case r.Wait:
		record, err = s.startAndWait(ctx, in, true, r.Key)
	default:
		record, err = s.start(ctx, in, true)
	}
	var refused *Error
	if errors.As(err, &refused) {
		return tasks.StartResult{}, &tasks.StartError{Code: string(refused.Code), Message: refused.Message}
	}
	if err != nil {
		return tasks.StartResult{}, err
	}
	return tasks.StartResult{
		ExecutionARN: record.ExecutionARN, StateMachineARN: record.StateMachineARN, Name: record.Name,
		StartDate: record.StartDate, StopDate: record.StopDate, Status: string(record.Status), Output: record.Output,
		Error: record.Error, Cause: record.Cause, BilledDuration: record.BilledDuration(), BilledMemory: billedMemoryMB,
	}, nil
}

// startAndWait begins an execution and waits for its end. If ctx ends first, that ends
// the execution too, as in the service for an execution that a task waits for.
func (s *Service) startAndWait(ctx context.Context, in StartInput, nested bool, startedBy string) (ExecutionRecord, error) {
	x, refused := s.prepare(in, false)
	if refused != nil {
		return ExecutionRecord{}, refused
	}
	x.startedBy = startedBy
	if err := s.acquire(false, nested); err != nil {
		return ExecutionRecord{}, err
	}
	defer s.release()
	outer := ctx
	ctx, stop := s.stoppable(ctx)
	if x.target.kind == Standard {
		earlier, err := s.begin(x, stop)
		if err != nil || earlier != nil {
			stop(nil)
			if err != nil {
				return ExecutionRecord{}, err
			}
			s.runMu.Lock()
			running := s.names.byARN[earlier.ExecutionARN]
			s.runMu.Unlock()
			if running == nil { // it has ended, and its record was dropped to make room
				return *earlier, nil
			}
			return s.await(outer, running)
		}
	}
	defer s.endable(x, stop)()
	s.run(ctx, x)
	if x.started != nil {
		s.ended(x)
	}
	return x.record, nil
}

// await waits for the end of an execution that is already running. If ctx ends first, the
// execution ends too, as in [Service.startAndWait].
func (s *Service) await(ctx context.Context, x *started) (ExecutionRecord, error) {
	s.runMu.Lock()
	if !x.ended && x.over == nil {
		x.over = make(chan struct{})
	}
	over, ended := x.over, x.ended
	s.runMu.Unlock()
	if !ended {
		select {
		case <-over:
		case <-ctx.Done():
			s.runMu.Lock()
			stop := x.stop
			s.runMu.Unlock()
			stop(context.Cause(ctx))
			return ExecutionRecord{}, ctx.Err()
		}
	}
	s.runMu.Lock()
	defer s.runMu.Unlock()
	return x.record, nil
}

// awaitChild waits for an execution that a task of an earlier process started. If there is
// none, it never began, or it has ended and its result is unknown.
func (s *Service) awaitChild(ctx context.Context, startedBy string) (ExecutionRecord, error) {
	s.runMu.Lock()
	x := s.children[startedBy]
	delete(s.children, startedBy)
	s.runMu.Unlock()
	if x == nil {
		return ExecutionRecord{}, asl.Interrupted()
	}
	return s.await(ctx, x)
}
