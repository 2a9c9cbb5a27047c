package statesapi

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// An activity is a queue of tasks for workers.
type activity struct {
	arn, name string
	created   time.Time
	tags      []Tag
	offered   []offer
	// arrived is closed and replaced when a task is offered, and when the activity is
	// deleted.
	arrived chan struct{}
}

// An offer is a task that no worker has taken yet.
type offer struct {
	token string
	input []byte
	taken func(worker string)
}

// Offer implements [tasks.TokenStore].
func (s *tokens) Offer(arn, token string, input any, taken func(worker string)) error {
	text, err := jsonata.AppendJSON(nil, input)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.activities[arn]
	if a == nil {
		return &asl.Error{Name: "States.Runtime", Cause: "The activity " + arn + " does not exist."}
	}
	a.offer(offer{token, text, taken}, len(a.offered))
	return nil
}

// take returns the next task of an activity, or none when the time of a poll is up.
func (s *tokens) take(ctx context.Context, arn, worker string) (offer, *Error) {
	timer := time.NewTimer(pollTime)
	defer timer.Stop()
	for {
		if ctx.Err() != nil {
			return offer{}, nil // do not give a task to a worker that has disconnected
		}
		s.mu.Lock()
		a := s.activities[arn]
		if a == nil {
			s.mu.Unlock()
			return offer{}, noActivity(arn)
		}
		first, task := s.next(a)
		if task != nil && ctx.Err() == nil {
			a.offered = a.offered[1:]
			task.handing = true
			s.mu.Unlock()
			first.taken(worker)
			s.handed(task)
			return first, nil
		}
		arrived := a.arrived
		s.mu.Unlock()
		select {
		case <-arrived:
		case <-timer.C:
			return offer{}, nil
		case <-ctx.Done():
			return offer{}, nil
		}
	}
}

// next returns the first task of an activity that still waits for a worker, or nil. The
// caller holds s.mu.
func (s *tokens) next(a *activity) (offer, *waitingTask) {
	for ; len(a.offered) > 0; a.offered = a.offered[1:] {
		if task := s.waiting[a.offered[0].token]; task != nil && !task.over {
			return a.offered[0], task
		}
	}
	return offer{}, nil
}

func (s *tokens) handed(task *waitingTask) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if task.handing = false; task.over {
		task.rouse()
	}
}

// putBack offers a task that did not reach its worker again, ahead of all others.
func (s *tokens) putBack(arn string, o offer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.activities[arn]; a != nil {
		a.offer(o, 0)
	}
}

// offer adds a task to the queue, and wakes the workers that wait. The caller holds the lock
// of the tokens.
func (a *activity) offer(o offer, at int) {
	a.offered = slices.Insert(a.offered, at, o)
	close(a.arrived)
	a.arrived = make(chan struct{})
}

// create adds an activity, or returns the existing one with that ARN.
func (s *tokens) create(a *activity) *activity {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.activities[a.arn]; old != nil {
		return old
	}
	a.arrived = make(chan struct{})
	s.activities[a.arn] = a
	return a
}

func (s *tokens) activity(arn string) *activity {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.activities[arn]
}

func (s *tokens) remove(arn string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.activities[arn]; a != nil {
		close(a.arrived)
		delete(s.activities, arn)
	}
}

// list returns the activities by name.
func (s *tokens) list() []*activity {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Values(s.activities), func(a, b *activity) int {
		if a.name < b.name {
			return -1
		}
		return 1
	})
}
