package lambdatest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// An invocation is one event on its way through a sandbox.
type invocation struct {
	id, trace string
	event     []byte
	timeout   time.Duration
	began     time.Time   // set by the handler that sends the event
	answer    chan answer // of capacity 1; written once, by the goroutine that removes it from inflight
}

// An answer is what the function posted for an invocation.
type answer struct {
	payload []byte
	err     *Error
	took    time.Duration
}

// A sandbox is one process and the Runtime API it talks to. Each process has its own
// server, so that a call from an abandoned process cannot reach the next one.
type sandbox struct {
	opts   Options
	cmd    *exec.Cmd
	server *http.Server

	work   chan *invocation // unbuffered: a send means that a poll was waiting
	done   chan struct{}    // closed when the process has ended and exit is set
	exit   error
	cold   time.Duration
	polled chan struct{} // closed at the first poll
	began  time.Time
	once   sync.Once
	rss    atomic.Int64

	mu       sync.Mutex
	waiting  int
	inflight map[string]*invocation
	initErr  *Error
}

// boot starts a process and waits for its first poll.
func boot(ctx context.Context, o Options, logs *logBuffer) (*sandbox, error) {
	written := len(logs.String())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("serve runtime API: %w", err)
	}
	s := &sandbox{
		opts: o, work: make(chan *invocation), done: make(chan struct{}),
		polled: make(chan struct{}), inflight: map[string]*invocation{},
	}
	s.server = &http.Server{
		Handler: s.routes(), ReadHeaderTimeout: 10 * time.Second,
		// Connections of a killed process end with meaningless errors.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	// If the bootstrap is a shell, children may hold the pipe after the process has
	// ended.
	s.cmd = exec.CommandContext(ctx, o.Bootstrap)
	s.cmd.WaitDelay = time.Second
	s.cmd.Dir = o.TaskRoot
	s.cmd.Env = environment(o, listener.Addr().String())
	s.cmd.Stdout, s.cmd.Stderr = logs, logs
	s.began = time.Now()
	go func() { _ = s.server.Serve(listener) }()
	if err := s.cmd.Start(); err != nil {
		_ = s.server.Close()
		return nil, fmt.Errorf("start bootstrap: %w", err)
	}
	go s.wait()
	err = s.awaitPoll(ctx)
	if failure := (*Error)(nil); errors.As(err, &failure) {
		failure.Logs = logs.String()[written:]
	}
	return s, err
}

func (s *sandbox) wait() {
	s.exit = s.cmd.Wait()
	_ = s.server.Close()
	close(s.done)
}

func (s *sandbox) awaitPoll(ctx context.Context) error {
	timer := time.NewTimer(s.opts.InitTimeout)
	defer timer.Stop()
	var failure *Error
	select {
	case <-s.polled:
		return nil
	case <-s.done:
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		s.mu.Lock()
		failure = s.initErr
		s.mu.Unlock()
		if failure == nil {
			failure = exitError("init", s.exit)
		}
	case <-timer.C:
		s.kill()
		failure = timeoutError("init", s.opts.InitTimeout)
	}
	failure.Init = true
	return failure
}

// await waits for the answer to an invocation that the process has taken.
func (s *sandbox) await(ctx context.Context, inv *invocation) (Result, error) {
	timer := time.NewTimer(inv.timeout)
	defer timer.Stop()
	result := Result{RequestID: inv.id}
	select {
	case a := <-inv.answer:
		return result.with(a)
	case <-s.done:
		select {
		case a := <-inv.answer: // answered, then exited
			return result.with(a)
		default:
		}
		if s.cmd.ProcessState == nil {
			return result, fmt.Errorf("wait for bootstrap: %w", s.exit)
		}
		return result, exitError(inv.id, s.exit)
	case <-timer.C:
		s.kill()
		result.Duration = inv.timeout
		return result, timeoutError(inv.id, inv.timeout)
	case <-ctx.Done():
		s.kill()
		return result, context.Cause(ctx)
	}
}

func (r Result) with(a answer) (Result, error) {
	r.Payload, r.Duration = a.payload, a.took
	if a.err != nil {
		return r, a.err
	}
	return r, nil
}

// kill ends the process and waits until it has ended.
func (s *sandbox) kill() {
	if !s.ended() {
		s.sampleRSS()
		_ = s.cmd.Process.Kill() // it may just have ended
	}
	<-s.done
}

func (s *sandbox) ended() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// peakRSS returns the process's peak so far, or the last one that was seen if it has
// ended.
func (s *sandbox) peakRSS() int64 {
	if !s.ended() {
		s.sampleRSS()
	}
	return s.rss.Load()
}

func (s *sandbox) sampleRSS() {
	if n := peakRSS(s.cmd.Process.Pid); n > 0 {
		s.rss.Store(n)
	}
}

// environment returns what Lambda's OS-only runtime sets, and the caller's variables.
//
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
func environment(o Options, api string) []string {
	env := map[string]string{
		"AWS_LAMBDA_RUNTIME_API":          api,
		"AWS_LAMBDA_FUNCTION_NAME":        o.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     o.Version,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(o.Memory),
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_FORMAT":           o.LogFormat,
		"AWS_LAMBDA_LOG_GROUP_NAME":       "/aws/lambda/" + o.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME":      "1970/01/01/[" + o.Version + "]00000000000000000000000000000000",
		"AWS_REGION":                      o.Region,
		"AWS_DEFAULT_REGION":              o.Region,
		"AWS_ACCESS_KEY_ID":               "AKIDEXAMPLE",
		"AWS_SECRET_ACCESS_KEY":           "example-secret-access-key",
		"AWS_SESSION_TOKEN":               "example-session-token",
		"AWS_XRAY_CONTEXT_MISSING":        "LOG_ERROR",
		"LAMBDA_TASK_ROOT":                o.TaskRoot,
		"LAMBDA_RUNTIME_DIR":              "/var/runtime",
		"_HANDLER":                        "bootstrap",
		"PATH":                            "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
		"LD_LIBRARY_PATH":                 "/lib64:/usr/lib64",
		"LANG":                            "en_US.UTF-8",
		"TZ":                              ":UTC",
	}
	if o.Concurrency > 1 {
		env["AWS_LAMBDA_MAX_CONCURRENCY"] = strconv.Itoa(o.Concurrency)
		env["AWS_LAMBDA_INITIALIZATION_TYPE"] = "lambda-managed-instances"
	}
	maps.Copy(env, o.Env)
	list := make([]string, 0, len(env))
	for _, name := range slices.Sorted(maps.Keys(env)) {
		list = append(list, name+"="+env[name])
	}
	return list
}

// A logBuffer collects what the processes write.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// readLimited reads at most limit bytes; it returns errTooLarge if there are more.
func readLimited(r io.Reader, limit int) ([]byte, error) {
	var buf bytes.Buffer
	n, err := buf.ReadFrom(io.LimitReader(r, int64(limit)+1))
	if err != nil {
		return nil, err
	}
	if n > int64(limit) {
		return nil, errTooLarge
	}
	return buf.Bytes(), nil
}

var errTooLarge = errors.New("payload too large")
