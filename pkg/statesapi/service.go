package statesapi

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	mathrand "math/rand/v2"
	"sync"
	"time"

	"github.com/expressway-dev/expressway/pkg/asl"
)

// The account and region of state machines, unless [Options] name others.
const (
	DefaultAccount = "123456789012"
	DefaultRegion  = "us-east-1"
)

// Limits that keep a Service's memory bounded, unless [Options] set others.
const (
	defaultMaxStateMachines = 1000
	defaultMaxExecutions    = 10_000
	maxVersions             = 1000 // of one state machine; like the other quotas here, AWS's own
	maxAliases              = 100  // of one state machine
)

// Options configure a [Service]. With the zero value, it runs state machines without
// tasks.
type Options struct {
	// Engine runs the States Language; nil means pkg/asl with Tasks and Mocks.
	Engine Engine
	// Tasks runs Task states, except those that start other state machines, which the
	// service runs itself. If it is nil, they fail.
	Tasks asl.TaskRunner
	// Mocks returns the runner for the tasks of an execution with a test case, which is the
	// text after # in the ARN, as in Step Functions Local, and empty if there is none. Next
	// runs tasks that are not mocked; if it returns an error, the execution is refused. It
	// is called more than once for an execution. Nil refuses test cases.
	Mocks func(stateMachine, testCase string, next asl.TaskRunner) (asl.TaskRunner, error)
	// Account and Region are used in the ARNs of new state machines.
	Account, Region string
	// Now is the clock; nil is [time.Now].
	Now func() time.Time
	// UUID makes ids of executions, revisions and requests; nil makes random ones.
	UUID func() string
	// Sleep waits out Wait states and the intervals of retries, until ctx ends; nil waits in
	// real time.
	Sleep func(ctx context.Context, d time.Duration) error
	// Random returns a number in [0, 1), to choose between the versions of an alias; nil
	// means a real one.
	Random func() float64
	// OnExecution observes executions: once with status RUNNING, and once ended. It is
	// called from many goroutines, delays the execution while it runs, and must not
	// change the record.
	OnExecution func(ExecutionRecord)
	// WaitScale multiplies the time that Wait states and retries wait; 0 leaves it
	// unchanged.
	WaitScale float64
	// Observe, if it is set, is called when an execution of the definition begins. It
	// returns a function that is called for each step, one at a time, in order, with ids
	// from 1; or nil. It is called from many goroutines, and delays the execution while
	// it runs.
	Observe func(r ExecutionRecord, definition string) func(asl.Event)
	// MaxStateMachines and MaxExecutions (running at one time) bound memory; zero means
	// the defaults. Calls beyond them are refused, as by AWS's quotas.
	MaxStateMachines, MaxExecutions int
}

// A Service holds state machines and runs them. It is safe for concurrent use.
type Service struct {
	opts Options

	mu       sync.RWMutex
	machines map[string]*entry // by unqualified ARN
	data     string            // the folder of [Service.Persist], or ""
	folder   *folder           // the same folder, locked

	tokens *tokens // task tokens and activities

	unfinished []*unfinished // executions that [Service.GoOn] lets continue

	base   context.Context // ends every execution
	cancel context.CancelCauseFunc

	runMu   sync.Mutex
	closed  bool
	running int
	idle    chan struct{} // closed when the service is closed and has no running executions
	waiting chan struct{} // closed when all running executions wait for task tokens
	names   remembered
	// children are executions of an earlier process, by the keys of the tasks that wait for
	// their end.
	children map[string]*started
	active   map[string]context.CancelCauseFunc // EXPRESS executions that [Service.EndExecution] can end
}

// New returns a Service without state machines. The caller must close it with
// [Service.Close].
func New(opts Options) *Service {
	if opts.Account == "" {
		opts.Account = DefaultAccount
	}
	if opts.Region == "" {
		opts.Region = DefaultRegion
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.UUID == nil {
		opts.UUID = randomUUIDs()
	}
	if opts.Random == nil {
		opts.Random = mathrand.Float64
	}
	if opts.MaxStateMachines == 0 {
		opts.MaxStateMachines = defaultMaxStateMachines
	}
	if opts.MaxExecutions == 0 {
		opts.MaxExecutions = defaultMaxExecutions
	}
	base, cancel := context.WithCancelCause(context.Background())
	s := &Service{
		opts:     opts,
		machines: map[string]*entry{},
		base:     base,
		cancel:   cancel,
		idle:     make(chan struct{}),
		waiting:  make(chan struct{}),
		names:    remembered{byARN: map[string]*started{}, listed: listing{}},
		children: map[string]*started{},
		active:   map[string]context.CancelCauseFunc{},
	}
	s.tokens = newTokens(s.quiet)
	if s.opts.Engine == nil {
		s.opts.Engine = interpreter{s.ownAPI(opts.Tasks), opts.Mocks, s.nested, opts.Now, opts.UUID, opts.Sleep, s.tokens, opts.WaitScale}
	}
	return s
}

// ARN returns the ARN of the state machine with a name, in the service's own account and
// region.
func (s *Service) ARN(name string) string {
	return "arn:aws:states:" + s.opts.Region + ":" + s.opts.Account + ":stateMachine:" + name
}

// Close refuses new executions and waits for the running ones, except those that wait for a
// task token: they are stopped once nothing else runs. When ctx ends first, all are
// stopped, and Close returns the context's error once they have. It may be called more than
// once.
func (s *Service) Close(ctx context.Context) error {
	s.runMu.Lock()
	if !s.closed {
		s.closed = true
		if s.running == 0 {
			close(s.idle)
		}
	}
	s.runMu.Unlock()
	s.quiet()

	var err error
	select {
	case <-s.idle:
	case <-s.waiting:
		s.freeze()
		s.cancel(errClosed)
		<-s.idle
	case <-ctx.Done():
		err = context.Cause(ctx)
		s.freeze()
		s.cancel(errClosed)
		<-s.idle
	}
	s.cancel(errClosed)
	s.mu.Lock()
	defer s.mu.Unlock()
	if unlocked := s.folder.close(); err == nil {
		err = unlocked
	}
	s.folder = nil
	return err
}

// freeze leaves the files of running executions to the next process.
func (s *Service) freeze() {
	s.runMu.Lock()
	defer s.runMu.Unlock()
	for _, x := range s.names.byARN {
		if !x.ended {
			x.journal.freeze()
		}
	}
}

// acquire takes the place of one running execution. A closed service still admits
// executions that another execution starts, so that it can finish.
func (s *Service) acquire(sync, nested bool) *Error {
	s.runMu.Lock()
	defer s.runMu.Unlock()
	switch {
	case s.closed && !nested:
		return errorf(ServiceUnavailable, "The service is shutting down")
	case s.running < s.opts.MaxExecutions:
		s.running++
		return nil
	case sync:
		return errorf(ThrottlingException, "Rate exceeded")
	}
	return errorf(ExecutionLimitExceeded, "The maximum number of running executions has been reached.")
}

func (s *Service) release() {
	s.runMu.Lock()
	s.running--
	closed := s.closed
	if closed && s.running == 0 {
		close(s.idle)
	}
	s.runMu.Unlock()
	if closed {
		s.quiet()
	}
}

// quiet signals a closed service that all running executions wait for task tokens.
func (s *Service) quiet() {
	s.runMu.Lock()
	defer s.runMu.Unlock()
	if !s.closed || s.running == 0 {
		return
	}
	select {
	case <-s.waiting: // each of the stopped executions calls this when it ends
	default:
		if s.running <= s.tokens.executions() {
			close(s.waiting)
		}
	}
}

// randomUUIDs returns a function that makes version 4 UUIDs (RFC 9562, section 5.4). It
// reads randomness for many of them at once, because a request takes three.
func randomUUIDs() func() string {
	var (
		mu   sync.Mutex
		pool [64 * 16]byte
		left []byte
	)
	return func() string {
		var b [16]byte
		mu.Lock()
		if len(left) == 0 {
			rand.Read(pool[:]) // never fails, according to its documentation
			left = pool[:]
		}
		left = left[copy(b[:], left):]
		mu.Unlock()
		b[6] = b[6]&0x0f | 0x40
		b[8] = b[8]&0x3f | 0x80
		var text [36]byte
		hex.Encode(text[0:8], b[0:4])
		hex.Encode(text[9:13], b[4:6])
		hex.Encode(text[14:18], b[6:8])
		hex.Encode(text[19:23], b[8:10])
		hex.Encode(text[24:36], b[10:16])
		text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
		return string(text[:])
	}
}
