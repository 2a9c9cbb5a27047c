package lambdatest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/internal/checkout"
	"github.com/expressway-dev/expressway/internal/lambdatest"
)

var bootstrap string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "lambdatest")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		bootstrap = filepath.Join(dir, "bootstrap")
		if err := checkout.Build(context.Background(), "internal/lambdatest/testdata/bootstrap", runtime.GOOS, runtime.GOARCH, dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}())
}

func start(t *testing.T, o lambdatest.Options) *lambdatest.Function {
	t.Helper()
	o.Bootstrap = bootstrap
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	fn, err := lambdatest.Start(t.Context(), o)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	t.Cleanup(fn.Stop)
	return fn
}

type echo struct {
	Do, ID, ARN, Trace string
	PID                int
	Left               int64
	Env                []string
}

func invoke(t *testing.T, fn *lambdatest.Function, event string, o lambdatest.InvokeOptions) echo {
	t.Helper()
	res, err := fn.Invoke(t.Context(), []byte(event), o)
	if err != nil {
		t.Fatalf("invoke %s: %v\n%s", event, err, fn.Logs())
	}
	var e echo
	if err := json.Unmarshal(res.Payload, &e); err != nil {
		t.Fatalf("decode %s: %v", res.Payload, err)
	}
	return e
}

func TestInvokePassesLambdaContext(t *testing.T) {
	t.Parallel()
	fn := start(t, lambdatest.Options{Name: "orders", Env: map[string]string{"EXTRA": "1", "AWS_REGION": "eu-west-1"}})
	const trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a:0"
	got := invoke(t, fn, `{"Do":"echo"}`, lambdatest.InvokeOptions{TraceID: trace, RequestID: "r-1", Timeout: 20 * time.Second})
	if got.Left <= 10_000 || got.Left > 20_000 {
		t.Errorf("time left = %d ms, want just under 20000", got.Left)
	}
	for _, want := range []string{"EXTRA=1", "AWS_REGION=eu-west-1", "AWS_LAMBDA_FUNCTION_NAME=orders", "_HANDLER=bootstrap", "LAMBDA_TASK_ROOT=" + filepath.Dir(bootstrap), "_X_AMZN_TRACE_ID=" + trace} {
		if !slices.Contains(got.Env, want) {
			t.Errorf("environment lacks %s", want)
		}
	}
	for _, pair := range got.Env {
		if strings.HasPrefix(pair, "HOME=") || strings.HasPrefix(pair, "GOFLAGS=") {
			t.Errorf("environment of the test leaks: %s", pair)
		}
	}
	got.Left, got.Env, got.PID = 0, nil, 0
	want := echo{Do: "echo", ID: "r-1", ARN: fn.ARN(), Trace: trace}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("echo (-want +got):\n%s", diff)
	}
	if fn.ColdStart() <= 0 || fn.ColdStart() > lambdatest.InitLimit {
		t.Errorf("cold start = %v", fn.ColdStart())
	}
}

func TestDefaultTraceAndIDsDiffer(t *testing.T) {
	t.Parallel()
	fn := start(t, lambdatest.Options{})
	a := invoke(t, fn, `{}`, lambdatest.InvokeOptions{})
	b := invoke(t, fn, `{}`, lambdatest.InvokeOptions{})
	if !strings.HasPrefix(a.Trace, "Root=1-") || a.Trace == b.Trace || a.ID == b.ID {
		t.Errorf("got %q %q and %q %q, want distinct ids and traces", a.ID, a.Trace, b.ID, b.Trace)
	}
	if a.PID != b.PID || fn.Starts() != 1 {
		t.Errorf("pids = %d, %d, starts = %d, want one process", a.PID, b.PID, fn.Starts())
	}
}

func TestFunctionErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		event   string
		timeout time.Duration
		kind    string
		message string
		starts  int // after one more, good event
	}{
		{`{"Do":"error"}`, 0, "stubborn", "will not", 1},
		{`{"Do":"panic"}`, 0, "string", "lost", 2},
		{`{"Do":"exit"}`, 0, lambdatest.ErrorTypeExit, "RequestId: bad Error: Runtime exited with error: exit status 7", 2},
		{`{"Do":"wait","Wait":60000000000}`, 300 * time.Millisecond, lambdatest.ErrorTypeTimeout, "RequestId: bad Error: Task timed out after 0.30 seconds", 2},
		{fmt.Sprintf(`{"Do":"large","Size":%d}`, lambdatest.MaxResponse), 0, lambdatest.ErrorTypeResponseTooLarge, "Response payload size exceeded maximum allowed payload size (6291556 bytes).", 2},
		{`{"Do":"half"}`, 0, "stubborn", "cut", 1},
		{`"not an event"`, 0, "UnmarshalTypeError", "json: cannot unmarshal string into Go value of type main.event", 1},
	}
	for _, tt := range tests {
		t.Run(tt.event, func(t *testing.T) {
			t.Parallel()
			fn := start(t, lambdatest.Options{})
			res, err := fn.Invoke(t.Context(), []byte(tt.event), lambdatest.InvokeOptions{RequestID: "bad", Timeout: tt.timeout})
			var failure *lambdatest.Error
			if !errors.As(err, &failure) {
				t.Fatalf("error = %v, payload %.80s, want a function error", err, res.Payload)
			}
			if failure.Type != tt.kind || failure.Message != tt.message || failure.Init {
				t.Errorf("error = %q %q init %t, want %q %q", failure.Type, failure.Message, failure.Init, tt.kind, tt.message)
			}
			var doc map[string]any
			if err := json.Unmarshal(failure.Payload, &doc); err != nil || doc["errorType"] != tt.kind {
				t.Errorf("payload = %s, want an error document of type %s", failure.Payload, tt.kind)
			}
			if got := invoke(t, fn, `{"Do":"fine"}`, lambdatest.InvokeOptions{}); got.Do != "fine" {
				t.Errorf("next event = %q, want fine", got.Do)
			}
			if fn.Starts() != tt.starts {
				t.Errorf("starts = %d, want %d", fn.Starts(), tt.starts)
			}
		})
	}
}

func TestLargestResponsePasses(t *testing.T) {
	t.Parallel()
	fn := start(t, lambdatest.Options{})
	size := lambdatest.MaxResponse - 2 // and two quotes
	res, err := fn.Invoke(t.Context(), fmt.Appendf(nil, `{"Do":"large","Size":%d}`, size), lambdatest.InvokeOptions{})
	if err != nil || len(res.Payload) != lambdatest.MaxResponse {
		t.Errorf("got %d bytes and %v, want %d", len(res.Payload), err, lambdatest.MaxResponse)
	}
}

func TestRequestTooLarge(t *testing.T) {
	t.Parallel()
	fn := start(t, lambdatest.Options{})
	if _, err := fn.Invoke(t.Context(), make([]byte, lambdatest.MaxRequest+1), lambdatest.InvokeOptions{}); !errors.Is(err, lambdatest.ErrRequestTooLarge) {
		t.Errorf("error = %v, want ErrRequestTooLarge", err)
	}
}

func TestInitErrors(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ kind, message string }{
		"exit":  {lambdatest.ErrorTypeExit, "RequestId: init Error: Runtime exited with error: exit status 3"},
		"error": {"Config.Bad", "no routes"},
		"hang":  {lambdatest.ErrorTypeTimeout, "RequestId: init Error: Task timed out after 0.50 seconds"},
	}
	for mode, want := range tests {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			o := lambdatest.Options{Bootstrap: bootstrap, Env: map[string]string{"INIT": mode}}
			if mode == "hang" {
				o.InitTimeout = 500 * time.Millisecond
			}
			_, err := lambdatest.Start(t.Context(), o)
			var failure *lambdatest.Error
			if !errors.As(err, &failure) {
				t.Fatalf("error = %v, want an init error", err)
			}
			if mode == "exit" && (failure.Logs != "init says goodbye\n" || !strings.HasSuffix(err.Error(), "\ninit says goodbye")) {
				t.Errorf("logs = %q, want what the process printed, and in %q", failure.Logs, err)
			}
			if failure.Type != want.kind || failure.Message != want.message || !failure.Init {
				t.Errorf("error = %q %q init %t, want %q %q", failure.Type, failure.Message, failure.Init, want.kind, want.message)
			}
		})
	}
}

func TestStartNeedsBootstrap(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{"missing": filepath.Join(t.TempDir(), "none"), "directory": t.TempDir()} {
		if _, err := lambdatest.Start(t.Context(), lambdatest.Options{Bootstrap: path}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestCallsOutOfTurnAreRefused(t *testing.T) {
	t.Parallel()
	fn := start(t, lambdatest.Options{Env: map[string]string{"INIT": "impolite"}})
	res, err := fn.Invoke(t.Context(), []byte(`{}`), lambdatest.InvokeOptions{})
	if got, want := string(res.Payload), "[403,400,403]"; err != nil || got != want {
		t.Errorf("statuses = %s, %v, want %s", got, err, want)
	}
	deadline := time.Now().Add(10 * time.Second)
	for !strings.Contains(fn.Logs(), "second answer: 400") {
		if time.Now().After(deadline) {
			t.Fatalf("logs = %q, want the second answer refused with 400", fn.Logs())
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestConcurrency(t *testing.T) {
	t.Parallel()
	const n = 4
	for _, concurrency := range []int{1, n} {
		t.Run(fmt.Sprint(concurrency), func(t *testing.T) {
			t.Parallel()
			fn := start(t, lambdatest.Options{Concurrency: concurrency})
			const wait = 400 * time.Millisecond
			var wg sync.WaitGroup
			began := time.Now()
			for range n {
				wg.Go(func() {
					if _, err := fn.Invoke(t.Context(), fmt.Appendf(nil, `{"Do":"wait","Wait":%d}`, wait), lambdatest.InvokeOptions{}); err != nil {
						t.Errorf("invoke: %v", err)
					}
				})
			}
			wg.Wait()
			took := time.Since(began)
			if serial := concurrency == 1; serial != (took >= n*wait) {
				t.Errorf("%d events of %v took %v with concurrency %d", n, wait, took, concurrency)
			}
			if fn.Starts() != 1 {
				t.Errorf("starts = %d, want 1", fn.Starts())
			}
		})
	}
}

func TestCancelledInvoke(t *testing.T) {
	t.Parallel()
	fn := start(t, lambdatest.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := fn.Invoke(ctx, []byte(`{"Do":"wait","Wait":60000000000}`), lambdatest.InvokeOptions{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error = %v, want the context's", err)
	}
	invoke(t, fn, `{}`, lambdatest.InvokeOptions{})
	if fn.Starts() != 2 {
		t.Errorf("starts = %d, want a new process", fn.Starts())
	}
}

func TestStop(t *testing.T) {
	t.Parallel()
	fn := start(t, lambdatest.Options{})
	got := invoke(t, fn, `{}`, lambdatest.InvokeOptions{})
	fn.Stop()
	fn.Stop()
	if _, err := fn.Invoke(t.Context(), []byte(`{}`), lambdatest.InvokeOptions{}); !errors.Is(err, lambdatest.ErrStopped) {
		t.Errorf("error = %v, want ErrStopped", err)
	}
	if p, err := os.FindProcess(got.PID); err == nil && p.Signal(syscall.Signal(0)) == nil {
		t.Errorf("process %d is still there", got.PID)
	}
}

func TestMaxRSS(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux reports the peak of a running process")
	}
	fn := start(t, lambdatest.Options{})
	if _, err := fn.Invoke(t.Context(), []byte(`{}`), lambdatest.InvokeOptions{}); err != nil {
		t.Fatal(err)
	}
	before := fn.MaxRSS()
	const size = 64 << 20
	if _, err := fn.Invoke(t.Context(), fmt.Appendf(nil, `{"Do":"allocate","Size":%d}`, size), lambdatest.InvokeOptions{}); err != nil {
		t.Fatal(err)
	}
	fn.Stop()
	if before < 1<<20 || before > 64<<20 || fn.MaxRSS() < before+size*9/10 {
		t.Errorf("peak = %d, then %d, want some MiB, then %d more", before, fn.MaxRSS(), size)
	}
}
