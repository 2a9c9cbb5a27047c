// Package lambdatest runs a real Lambda bootstrap on this machine and feeds it events.
//
// [Start] starts the executable with Lambda's environment and serves it the [Runtime API]
// on a loopback port; [Function.Invoke] passes it one event and returns its answer. The
// package is stricter than the emulator that ships with the SAM CLI, and closer to
// Lambda: it enforces the deadline and both payload limits, refuses calls out of turn,
// passes on the trace header, distinguishes function errors from answers, and restarts
// the executable after it exited, crashed or timed out. It also measures what a budget
// needs: process start to first poll, event to response, and peak memory.
//
// It does not depend on the rest of this project. [StepFunctions] is an endpoint that a
// function under test can call.
//
// [Runtime API]: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
package lambdatest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// Limits that Lambda puts on payloads and on the init phase.
const (
	// maxRequest is the largest event of a synchronous invocation, in bytes.
	maxRequest = 6 << 20
	// maxResponse is the largest buffered response, in bytes: 6 MiB and 100 for an
	// envelope, the number in Lambda's own message.
	maxResponse = 6<<20 + 100
	// initLimit is how long an executable may take from its start to its first poll.
	initLimit = 10 * time.Second
)

// Defaults of [Options].
const (
	defaultTimeout = 3 * time.Second // what a function has when its template names none
	defaultMemory  = 512             // MB
	DefaultRegion  = "us-east-1"
	defaultAccount = "123456789012"
)

// ErrRequestTooLarge refuses an event over maxRequest, as the Invoke API does: the
// function never sees it.
var ErrRequestTooLarge = errors.New("event exceeds the 6 MiB limit of a synchronous invocation")

// ErrStopped is returned for invocations of a function after [Function.Stop].
var ErrStopped = errors.New("function is stopped")

// Options configure what to run, and as which function. Only Bootstrap is required.
type Options struct {
	// Bootstrap is the path of the executable.
	Bootstrap string
	// TaskRoot becomes LAMBDA_TASK_ROOT and the working directory; the default is the
	// directory of Bootstrap.
	TaskRoot string
	// Name, Version, Account and Region make the function's ARN and environment. The
	// defaults are "test", "$LATEST", 123456789012 and [DefaultRegion].
	Name, Version, Account, Region string
	// Memory is AWS_LAMBDA_FUNCTION_MEMORY_SIZE in MB, default 512. It is only passed on,
	// and not enforced.
	Memory int
	// Timeout bounds each invocation, default 3 s.
	Timeout time.Duration
	// InitTimeout bounds the time to the first poll, default initLimit.
	InitTimeout time.Duration
	// Concurrency is how many invocations one process takes at a time. Above 1, it is
	// passed as AWS_LAMBDA_MAX_CONCURRENCY, as managed instances do; default 1.
	Concurrency int
	// LogFormat is AWS_LAMBDA_LOG_FORMAT, "JSON" (default) or "Text".
	LogFormat string
	// Env is added to Lambda's environment and takes precedence over it. Nothing else
	// from this process's environment is passed on.
	Env map[string]string
}

// InvokeOptions are the settings of one invocation. The zero value is valid.
type InvokeOptions struct {
	// TraceID is the X-Ray trace header; the default is an unsampled trace of its own,
	// since Lambda always sends one.
	TraceID string
	// RequestID is the invocation's id; the default counts up.
	RequestID string
	// Timeout replaces [Options.Timeout].
	Timeout time.Duration
}

// A Result is the outcome of one invocation.
type Result struct {
	// Payload is the response as sent by the function; nil with an error.
	Payload []byte
	// RequestID is the id the function got.
	RequestID string
	// Duration runs from just before the event was sent until the response or error
	// had been read whole.
	Duration time.Duration
}

// A Function is one execution environment: at most one process at a time, restarted when
// the last one has ended. Its methods are safe for concurrent use.
type Function struct {
	opts  Options
	ctx   context.Context // ends every process of the function
	logs  logBuffer
	count atomic.Int64 // invocations, for ids

	mu      sync.Mutex
	current *sandbox
	stopped bool
	starts  int
	maxRSS  int64
}

// Start starts the function and waits until it polls for its first event. It returns an
// [*Error] when the executable exits, reports an init error or does not poll within
// [Options.InitTimeout]. The processes end at the latest when ctx is done.
func Start(ctx context.Context, o Options) (*Function, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	f := &Function{opts: o, ctx: ctx}
	if _, err := f.sandbox(); err != nil {
		return nil, err
	}
	return f, nil
}

func (o Options) withDefaults() (Options, error) {
	path, err := filepath.Abs(o.Bootstrap)
	if err != nil {
		return o, fmt.Errorf("find bootstrap: %w", err)
	}
	if info, err := os.Stat(path); err != nil {
		return o, fmt.Errorf("find bootstrap: %w", err)
	} else if info.IsDir() {
		return o, fmt.Errorf("find bootstrap: %s is a directory", path)
	}
	o.Bootstrap = path
	setDefault(&o.TaskRoot, filepath.Dir(path))
	setDefault(&o.Name, "test")
	setDefault(&o.Version, "$LATEST")
	setDefault(&o.Account, defaultAccount)
	setDefault(&o.Region, DefaultRegion)
	setDefault(&o.Memory, defaultMemory)
	setDefault(&o.Timeout, defaultTimeout)
	setDefault(&o.InitTimeout, initLimit)
	setDefault(&o.Concurrency, 1)
	setDefault(&o.LogFormat, "JSON")
	return o, nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// ARN returns the function's ARN, as in Lambda-Runtime-Invoked-Function-Arn.
func (f *Function) ARN() string { return f.opts.arn() }

func (o Options) arn() string {
	return "arn:aws:lambda:" + o.Region + ":" + o.Account + ":function:" + o.Name
}

// Invoke passes the event to the function and waits for its answer. A failure of the
// function is an [*Error]; other errors are the caller's (ctx, [ErrRequestTooLarge],
// [ErrStopped]) or the machine's. Calls beyond [Options.Concurrency] wait their turn. If
// ctx ends while the event is being processed, the process is killed, because its end
// would not be known.
func (f *Function) Invoke(ctx context.Context, event []byte, o InvokeOptions) (Result, error) {
	if len(event) > maxRequest {
		return Result{}, ErrRequestTooLarge
	}
	inv := f.newInvocation(event, o)
	for {
		s, err := f.sandbox()
		if err != nil {
			return Result{RequestID: inv.id}, err
		}
		select {
		case s.work <- inv:
			return s.await(ctx, inv)
		case <-s.done: // ended between two events, which is not the fault of this one
		case <-ctx.Done():
			return Result{RequestID: inv.id}, context.Cause(ctx)
		}
	}
}

func (f *Function) newInvocation(event []byte, o InvokeOptions) *invocation {
	n := f.count.Add(1)
	setDefault(&o.RequestID, fmt.Sprintf("00000000-0000-4000-8000-%012x", n))
	setDefault(&o.TraceID, fmt.Sprintf("Root=1-00000000-%024x;Parent=%016x;Sampled=0", n, n))
	setDefault(&o.Timeout, f.opts.Timeout)
	return &invocation{
		id: o.RequestID, event: event, trace: o.TraceID, timeout: o.Timeout,
		answer: make(chan answer, 1),
	}
}

// sandbox returns the running process, or starts one.
func (f *Function) sandbox() (*sandbox, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopped {
		return nil, ErrStopped
	}
	if f.current != nil {
		if !f.current.ended() {
			return f.current, nil
		}
		f.retire()
	}
	s, err := boot(f.ctx, f.opts, &f.logs)
	if err != nil {
		return nil, err
	}
	f.current = s
	f.starts++
	return s, nil
}

// retire ends the current process and keeps its figures. The caller holds f.mu.
func (f *Function) retire() {
	f.current.kill()
	f.maxRSS = max(f.maxRSS, f.current.peakRSS())
}

// Stop kills the process, as Lambda ends an environment without extensions, and waits for
// it. It may be called more than once; the measurements and logs stay readable.
func (f *Function) Stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopped {
		return
	}
	f.stopped = true
	if f.current != nil {
		f.retire()
	}
}

// ColdStart returns the time from the start of the latest process to its first poll.
func (f *Function) ColdStart() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.current.cold
}

// Starts returns the number of processes that reached their first poll.
func (f *Function) Starts() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.starts
}

// MaxRSS returns the largest resident memory of any process of the function so far, in
// bytes, or 0 if the platform does not report it. For a process that ended by itself, it
// is the last value that was seen while it ran.
func (f *Function) MaxRSS() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return max(f.maxRSS, f.current.peakRSS())
}

// CPU returns the total processor time of the latest process, user and system: the
// process must have ended, as after [Function.Stop].
func (f *Function) CPU() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.current == nil || f.current.cmd.ProcessState == nil {
		return 0
	}
	state := f.current.cmd.ProcessState
	return state.UserTime() + state.SystemTime()
}

// CPUTime returns the processor time that the current process has used so far, or 0 if the
// platform does not report it.
func (f *Function) CPUTime() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return cpuTime(f.current.cmd.Process.Pid)
}

// Logs returns everything that the processes have written to stdout and stderr, in order.
// The latest output of a running process may be missing; after [Function.Stop], nothing
// is missing.
func (f *Function) Logs() string { return f.logs.String() }
