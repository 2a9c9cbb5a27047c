package statesapi

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/asl/tasks"
)

// endedTokens is how many tokens of ended tasks are remembered. The error for such a
// token is TaskTimedOut, and for a token that was never issued, InvalidToken.
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
	order      []string       // of ended, oldest first
	quiet      func()         // called when one more task waits
	asleep     map[string]int // how many tasks of an execution wait
	activities map[string]*activity
}

// A waitingTask is a task that ends by its token. It is registered from before its
// request is sent until it ends, because an answer may arrive before anything waits for
// it.
type waitingTask struct {
	TaskWait
	waits   bool // its request was taken
	over    bool // it was answered, or its time is up
	handing bool // a worker is being given it; what waits for it is woken afterwards
	end     taskEnd
	journal *journal
	// Set once the task is waited for: wake is called once, when the task has ended; unlink
	// ends its link to the context; missed is the timer of its heartbeat, or nil.
	wake   func()
	unlink func() bool
	missed *time.Timer
}

// A TaskWait is a task that waits for its token to be answered.
type TaskWait struct {
	// ExecutionARN and State are where the task is waiting.
	ExecutionARN, State string
	// Token is a secret: anyone who has it can end the task.
	Token string
	// Since is when the task began, and Heartbeat how long it may take between heartbeats;
	// zero is forever.
	Since     time.Time
	Heartbeat time.Duration
}

// A taskEnd holds the contents of SendTaskSuccess or SendTaskFailure, or why none came in
// time: a missed heartbeat, or the error of a context. Whichever comes first ends the task,
// under the lock of the tokens.
type taskEnd struct {
	answer *asl.Answer
	missed error
}

func newTokens(quiet func()) *tokens {
	return &tokens{
		quiet: quiet, asleep: map[string]int{}, waiting: map[string]*waitingTask{}, ended: map[string]bool{}, activities: map[string]*activity{},
	}
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
func (s tokensOf) Open(t asl.Task) (forget func() *asl.Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting[t.Token] == nil { // otherwise, it is from before a restart, and may already have been answered
		s.waiting[t.Token] = newWaitingTask(TaskWait{s.executionARN, t.State, t.Token, s.now(), t.Heartbeat}, s.journal)
	}
	task := s.waiting[t.Token]
	return func() *asl.Answer {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.waiting, t.Token)
		s.end(t.Token)
		return task.end.answer
	}
}

func newWaitingTask(w TaskWait, j *journal) *waitingTask {
	return &waitingTask{TaskWait: w, journal: j}
}

// restore registers the tokens that an execution of an earlier process has issued.
func (s *tokens) restore(x *execution, u *unfinished) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range x.journal.flows.at {
		if !c.Waits() {
			continue
		}
		task := newWaitingTask(TaskWait{x.record.ExecutionARN, c.State, c.Token, c.Called, c.Heartbeat}, x.journal)
		if answer := u.answers[c.Token]; answer != nil {
			task.over, task.end = true, taskEnd{answer: answer}
		}
		s.waiting[c.Token] = task
		delete(u.tokens, c.Token)
	}
	for token := range u.tokens {
		s.end(token)
	}
}

// Waits returns the tasks that wait for their token, in all executions or in one, the
// oldest first.
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
	if task.waits = !task.over; task.waits {
		s.asleep[task.ExecutionARN]++
	}
	s.mu.Unlock()
	s.quiet()
	return &asl.Later{
		WhenOver: func(wake func()) { s.whenOver(ctx, task, heartbeat, wake) },
		Result: func() (any, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			if task.end.answer != nil {
				return nil, task.end.answer
			}
			return nil, task.end.missed
		},
	}
}

func (s *tokens) whenOver(ctx context.Context, task *waitingTask, heartbeat time.Duration, wake func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	task.wake = wake
	if task.over {
		task.rouse()
		return
	}
	task.unlink = context.AfterFunc(ctx, func() { s.expire(task, taskEnd{missed: ctx.Err()}) })
	if heartbeat > 0 {
		task.missed = time.AfterFunc(heartbeat, func() { s.expire(task, taskEnd{missed: asl.ErrHeartbeat}) })
	}
}

// expire ends a task that was not answered in time.
func (s *tokens) expire(task *waitingTask, end taskEnd) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !task.over {
		s.finish(task, end)
	}
}

// finish ends a task, and wakes what waits for it. The caller holds the lock of the tokens.
func (s *tokens) finish(t *waitingTask, end taskEnd) {
	t.over, t.end = true, end
	if t.waits {
		if s.asleep[t.ExecutionARN]--; s.asleep[t.ExecutionARN] == 0 {
			delete(s.asleep, t.ExecutionARN)
		}
	}
	if t.wake == nil {
		return // nothing waits for it yet
	}
	t.unlink()
	if t.missed != nil {
		t.missed.Stop()
	}
	t.rouse()
}

// rouse wakes what waits for a task that is over, but not while its start is being recorded.
// The caller holds the lock of the tokens.
func (t *waitingTask) rouse() {
	if t.wake != nil && !t.handing {
		go t.wake()
	}
}

// executions returns how many executions wait for a token.
func (s *tokens) executions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asleep)
}

// answer ends the task of a token. The first answer is used; later ones get AWS's error
// for a task that has ended.
func (s *tokens) answer(token string, answer *asl.Answer) *Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	task, err := s.find(token)
	if err != nil {
		return err
	}
	if err := task.journal.answered(token, answer); err != nil {
		return err
	}
	s.finish(task, taskEnd{answer: answer})
	return nil
}

func (s *tokens) beat(token string) *Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	task, err := s.find(token)
	if err != nil {
		return err
	}
	if task.missed != nil { // otherwise, the wait has not begun yet
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
