package statesapi

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/asl/tasks"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// endedTokens is how many tokens of ended tasks are remembered: such a token is answered
// with TaskTimedOut, and one that was never issued with InvalidToken.
const endedTokens = 10_000

// pollTime is how long GetActivityTask waits for a task.
const pollTime = time.Minute

// newTaskToken returns a token that cannot be guessed.
func newTaskToken() string {
	var b [96]byte
	_, _ = rand.Read(b[:]) // it does not fail
	return base64.StdEncoding.EncodeToString(b[:])
}

// A tokens is the [tasks.TokenStore] of a service, with its activities. It is safe for
// concurrent use.
type tokens struct {
	mu         sync.Mutex
	waiting    map[string]*waitingTask
	ended      map[string]bool
	order      []string // of ended, oldest first
	quiet      func()   // called when one more task waits
	activities map[string]*activity
}

// A waitingTask is a task that ends by its token. It is registered from before its
// request is sent until it ends, because an answer may arrive before anything waits for
// it.
type waitingTask struct {
	TaskWait
	waits   bool // its request was taken
	over    bool // it was answered, or its time is up
	end     taskEnd
	journal *journal
	// Of one that is waited for: wake is called once, when it is over; unlink ends its link
	// to the context; and missed is the timer of its heartbeat, or nil.
	wake   func()
	unlink func() bool
	missed *time.Timer
}

// A TaskWait is a task that waits for its token to be answered.
type TaskWait struct {
	// ExecutionARN and State say where it is.
	ExecutionARN, State string
	// Token is a secret: whoever has it can end the task.
	Token string
	// Since is when the task began, and Heartbeat how long it goes on without one; zero is
	// forever.
	Since     time.Time
	Heartbeat time.Duration
}

// A taskEnd holds the contents of SendTaskSuccess or SendTaskFailure, or the error of a
// context.
type taskEnd struct {
	output  any
	err     *asl.Error
	stopped error
}

func newTokens(quiet func()) *tokens {
	return &tokens{quiet: quiet, waiting: map[string]*waitingTask{}, ended: map[string]bool{}, activities: map[string]*activity{}}
}

// tokensOf are the tokens of one execution.
type tokensOf struct {
	*tokens
	executionARN string
	now          func() time.Time
	journal      *journal // nil for an execution that is not kept
}

// journalOf is the journal of an execution; nil for one that is not kept.
func journalOf(x Execution) *journal {
	j, _ := x.Journal.(*journal)
	return j
}

var _ tasks.TokenStore = tokensOf{}

// Open implements [tasks.TokenStore].
func (s tokensOf) Open(t asl.Task) (forget func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting[t.Token] == nil { // else it is from before a restart, and may have been answered
		s.waiting[t.Token] = newWaitingTask(TaskWait{s.executionARN, t.State, t.Token, s.now(), t.Heartbeat}, s.journal)
	}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.waiting, t.Token)
		s.end(t.Token)
	}
}

func newWaitingTask(w TaskWait, j *journal) *waitingTask {
	return &waitingTask{TaskWait: w, journal: j}
}

// restore makes the tokens known that an execution of an earlier process has given.
func (s *tokens) restore(x *execution, u *unfinished) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range x.journal.flows {
		if !c.Waits() {
			continue
		}
		task := newWaitingTask(TaskWait{x.record.ExecutionARN, c.State, c.Token, c.Called, c.Heartbeat}, x.journal)
		if end, ok := u.answers[c.Token]; ok {
			task.over, task.end = true, end
		}
		s.waiting[c.Token] = task
		delete(u.tokens, c.Token)
	}
	for token := range u.tokens {
		s.end(token)
	}
}

// Waits returns the tasks that wait for their token, in all executions or in one, the
// first one first.
func (s *Service) Waits(executionARN string) []TaskWait {
	var list []TaskWait
	s.tokens.mu.Lock()
	for _, task := range s.tokens.waiting {
		if !task.over && (executionARN == "" || task.ExecutionARN == executionARN) {
			list = append(list, task.TaskWait)
		}
	}
	s.tokens.mu.Unlock()
	slices.SortFunc(list, func(a, b TaskWait) int {
		return cmp.Or(a.Since.Compare(b.Since), strings.Compare(a.ExecutionARN, b.ExecutionARN), strings.Compare(a.State, b.State))
	})
	return list
}

// end records that the task of a token has ended. The caller holds s.mu.
func (s *tokens) end(token string) {
	if s.ended[token] {
		return
	}
	if len(s.order) >= endedTokens {
		delete(s.ended, s.order[0])
		s.order = s.order[1:]
	}
	s.ended[token] = true
	s.order = append(s.order, token)
}

// Wait implements [tasks.TokenStore].
func (s *tokens) Wait(ctx context.Context, token string, heartbeat time.Duration) *asl.Later {
	s.mu.Lock()
	task := s.waiting[token]
	task.waits = true
	s.mu.Unlock()
	s.quiet()
	return &asl.Later{
		WhenOver: func(wake func()) { s.whenOver(ctx, task, heartbeat, wake) },
		Result: func() (any, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			switch end := task.end; {
			case end.stopped != nil:
				return nil, end.stopped
			case end.err != nil:
				return nil, end.err
			default:
				return end.output, nil
			}
		},
	}
}

func (s *tokens) whenOver(ctx context.Context, task *waitingTask, heartbeat time.Duration, wake func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if task.over {
		go wake()
		return
	}
	task.wake = wake
	task.unlink = context.AfterFunc(ctx, func() { s.expire(task, taskEnd{stopped: ctx.Err()}) })
	if heartbeat > 0 {
		task.missed = time.AfterFunc(heartbeat, func() { s.expire(task, taskEnd{err: asl.ErrHeartbeat}) })
	}
}

// expire ends a task that was not answered in time.
func (s *tokens) expire(task *waitingTask, end taskEnd) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !task.over {
		task.finish(end)
	}
}

// finish ends a task, and wakes what waits for it. The caller holds the lock of the tokens.
func (t *waitingTask) finish(end taskEnd) {
	t.over, t.end = true, end
	if t.wake == nil {
		return // nothing waits for it yet
	}
	t.unlink()
	if t.missed != nil {
		t.missed.Stop()
	}
	go t.wake()
}

// executions is how many executions wait for a token.
func (s *tokens) executions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	arns := map[string]bool{}
	for _, task := range s.waiting {
		if task.waits && !task.over {
			arns[task.ExecutionARN] = true
		}
	}
	return len(arns)
}

// answer ends the task of a token. The first answer is used; later ones get AWS's error
// for a task that has ended.
func (s *tokens) answer(token string, end taskEnd) *Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	task, err := s.find(token)
	if err != nil {
		return err
	}
	if err := task.journal.answered(token, end); err != nil {
		return errorf(InternalFailure, "The answer cannot be kept: %v", err)
	}
	task.finish(end)
	return nil
}

func (s *tokens) beat(token string) *Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	task, err := s.find(token)
	if err != nil {
		return err
	}
	if task.missed != nil { // else the wait has yet to begin
		task.missed.Reset(task.Heartbeat)
	}
	return nil
}

// find returns the task of a token. The caller holds s.mu.
func (s *tokens) find(token string) (*waitingTask, *Error) {
	task := s.waiting[token]
	if task != nil && !task.over {
		return task, nil
	}
	if task != nil || s.ended[token] {
		return nil, errorf(TaskTimedOut, "Task Timed Out: 'Provided task does not exist anymore'")
	}
	return nil, errInvalidToken()
}

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
	a.offered = append(a.offered, offer{token, text, taken})
	close(a.arrived)
	a.arrived = make(chan struct{})
	return nil
}

// take returns the next task of an activity, or none when the time of a poll is up.
func (s *tokens) take(ctx context.Context, arn, worker string) (offer, *Error) {
	timer := time.NewTimer(pollTime)
	defer timer.Stop()
	for {
		if ctx.Err() != nil {
			return offer{}, nil // a worker that has hung up takes no task
		}
		s.mu.Lock()
		a := s.activities[arn]
		if a == nil {
			s.mu.Unlock()
			return offer{}, noActivity(arn)
		}
		for len(a.offered) > 0 {
			first := a.offered[0]
			a.offered = a.offered[1:]
			if s.waiting[first.token] == nil {
				continue // it has timed out in the meantime
			}
			s.mu.Unlock()
			first.taken(worker)
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
