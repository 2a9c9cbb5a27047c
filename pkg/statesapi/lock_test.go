package statesapi

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/pkg/asl"
)

// A folder belongs to one service at a time, and the other one gets an error that names the owner.
func TestDataIsLocked(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, second := New(Options{}), New(Options{})
	if err := first.Persist(dir); err != nil {
		t.Fatal(err)
	}
	err := second.Persist(dir)
	if want := "process " + strconv.Itoa(os.Getpid()); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), dir) {
		t.Errorf("the second service got %v, want an error that names %s and the folder", err, want)
	}
	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := second.Persist(dir); err != nil {
		t.Errorf("the folder stays locked after its service's end: %v", err)
	}
	if err := second.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// A folder whose files cannot be read is not kept locked.
func TestBrokenDataIsUnlocked(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	broken := filepath.Join(dir, "a.0"+dataSuffix)
	if err := os.WriteFile(broken, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newService(t, Options{}, passDefinition)
	if err := s.Persist(dir); err == nil {
		t.Fatal("a broken file was read")
	}
	if err := os.Remove(broken); err != nil {
		t.Fatal(err)
	}
	if err := s.Persist(dir); err != nil {
		t.Error(err)
	}
}

// Files that a killed process has left half written are removed, and nothing else.
func TestLeftoversAreSwept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{tempPrefix + "123", "notes.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := newService(t, Options{}, passDefinition).Persist(dir); err != nil {
		t.Fatal(err)
	}
	for name, kept := range map[string]bool{tempPrefix + "123": false, "notes.txt": true} {
		if _, err := os.Stat(filepath.Join(dir, name)); (err == nil) != kept {
			t.Errorf("%s: %v, want kept %v", name, err, kept)
		}
	}
}

// The error for a folder that cannot be written to says so, whatever the system's error is.
func TestReadOnlyData(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"permission":  &fs.PathError{Op: "open", Path: "d", Err: syscall.EACCES},
		"file system": &fs.PathError{Op: "mkdir", Path: "d", Err: syscall.EROFS},
	} {
		if got := unwritable("d", err); !strings.Contains(got.Error(), "the folder d is read-only") || !errors.Is(got, err) {
			t.Errorf("%s: got %v, want an error that the folder is read-only", name, got)
		}
	}
	if os.Geteuid() == 0 {
		return // whom no permission stops
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil { //nolint:gosec // a folder without write permission
		t.Fatal(err)
	}
	if err := newService(t, Options{}, passDefinition).Persist(dir); err == nil || !strings.Contains(err.Error(), "is read-only") {
		t.Errorf("got %v, want an error that says that the folder is read-only", err)
	}
}

// A synchronous execution ends with its caller if the option is set.
func TestEndWithCaller(t *testing.T) {
	t.Parallel()
	began, ended := make(chan struct{}), make(chan error, 1)
	s := newFake(t, Options{}, func(ctx context.Context, _ Execution) Result {
		close(began)
		<-ctx.Done()
		ended <- context.Cause(ctx)
		return Result{Stopped: context.Cause(ctx)}
	})
	ctx, cancel := context.WithCancel(t.Context())
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", strings.NewReader(`{"stateMachineArn":"`+machineARN+`"}`))
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("X-Amz-Target", targetPrefix+"StartSyncExecution")
	go func() {
		<-began
		cancel()
	}()
	NewHandler(s, HandlerOptions{EndWithCaller: true}).ServeHTTP(httptest.NewRecorder(), r)
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the execution was ended by %v, want %v", err, context.Canceled)
	}
}

// An observer is notified of the steps of EXPRESS and STANDARD executions, and an execution
// without a caller that waits can be ended.
func TestObserveAndEnd(t *testing.T) {
	t.Parallel()
	const loop = `{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Wait","Seconds":1,"Next":"C"},"C":{"Type":"Choice","Choices":[{"Variable":"$.n","IsPresent":true,"Next":"D"}],"Default":"A"},"D":{"Type":"Succeed"}}}`
	var mu sync.Mutex
	types := map[string][]string{}
	waiting := make(chan string, 2)
	s := newService(t, Options{Now: time.Now, UUID: randomUUIDs(), Observe: func(r ExecutionRecord, _ string) func(asl.Event) {
		return func(e asl.Event) {
			mu.Lock()
			defer mu.Unlock()
			types[r.ExecutionARN] = append(types[r.ExecutionARN], e.Type)
			if e.Type == "WaitStateEntered" && len(types[r.ExecutionARN]) == 4 {
				waiting <- r.ExecutionARN
			}
		}
	}}, passDefinition)
	arn := s.ARN("orders-loop")
	if err := s.Put("orders-loop", []byte(loop)); err != nil {
		t.Fatal(err)
	}
	record, err := s.Start(StartInput{StateMachineARN: &arn})
	if err != nil {
		t.Fatal(err)
	}
	if got := <-waiting; got != record.ExecutionARN {
		t.Errorf("was notified of %s, want %s", got, record.ExecutionARN)
	}
	if !s.EndExecution(record.ExecutionARN, "Enough", "asked") {
		t.Error("the running execution is not known")
	}
	if err := s.Close(t.Context()); err != nil { // waits for its end
		t.Fatal(err)
	}
	if s.EndExecution(record.ExecutionARN, "", "") {
		t.Error("an execution that has ended was ended again")
	}
	mu.Lock()
	defer mu.Unlock()
	if got := strings.Join(types[record.ExecutionARN][:4], " "); got != "ExecutionStarted PassStateEntered PassStateExited WaitStateEntered" {
		t.Errorf("events = %s, want those up to the Wait state", got)
	}
}

// The waits of Wait states and of retries are scaled.
func TestWaitScale(t *testing.T) {
	t.Parallel()
	const definition = `{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":3600,"Next":"T"},
	  "T":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"f"},"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1000,"MaxAttempts":2,"MaxDelaySeconds":2000}],
	       "Catch":[{"ErrorEquals":["States.ALL"],"Next":"E"}],"Next":"E"},"E":{"Type":"Succeed"}}}`
	s := newEmptyWith(t, Options{Now: time.Now, UUID: randomUUIDs(), WaitScale: 1e-6})
	if err := s.Put("slow", []byte(definition)); err != nil {
		t.Fatal(err)
	}
	arn := s.ARN("slow")
	began := time.Now()
	record, err := s.StartSync(t.Context(), StartInput{StateMachineARN: &arn})
	if took := time.Since(began); err != nil || record.Status != "SUCCEEDED" || took > time.Minute {
		t.Errorf("got %s after %s, %v, want SUCCEEDED within a minute", record.Status, took, err)
	}
}

func newEmptyWith(t *testing.T, o Options) *Service {
	t.Helper()
	s := New(o)
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	return s
}
