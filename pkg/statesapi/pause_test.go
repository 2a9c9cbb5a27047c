package statesapi

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/bridge"
)

// longTasks passes on its tokens, and fails tasks without one.
type longTasks chan string

func (l longTasks) RunTask(_ context.Context, t asl.Task) (any, error) {
	if t.Token == "" {
		return nil, &asl.Error{Name: "Busy"}
	}
	l <- t.Token
	return "taken", nil
}

const tokenTask = `{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken","Parameters":{"QueueUrl":"q","MessageBody":{"Token.$":"$$.Task.Token"}}`

// waitsOf are the kinds of long waits, and what ends them.
var waitsOf = map[string]struct{ definition, want string }{
	"Wait":    {`{"StartAt":"A","States":{"A":{"Type":"Pass","Assign":{"v":7},"Next":"W"},"W":{"Type":"Wait","Seconds":3600,"Assign":{"w.$":"$v"},"OutputPath":"$.n","Next":"P"},"P":{"Type":"Pass","Parameters":{"v.$":"$v","w.$":"$w","n.$":"$"},"End":true}}}`, `{"v":7,"w":7,"n":1}`},
	"JSONata": {`{"QueryLanguage":"JSONata","StartAt":"W","States":{"W":{"Type":"Wait","Seconds":"{% 3600 %}","Output":"{% $states.input.n %}","End":true}}}`, `1`},
	"retry": {`{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:123456789012:function:f","Retry":[{"ErrorEquals":["Busy"],"IntervalSeconds":1800,"BackoffRate":1,"MaxAttempts":2}],
		"Catch":[{"ErrorEquals":["Busy"],"ResultPath":"$.e","Next":"P"}],"End":true},"P":{"Type":"Pass","End":true}}}`, `{"n":1,"e":{"Error":"Busy","Cause":null}}`},
	"token":                       {`{"StartAt":"T","States":{"T":` + tokenTask + `,"TimeoutSeconds":3600,"Catch":[{"ErrorEquals":["States.Timeout"],"ResultPath":"$.e","Next":"P"}],"End":true},"P":{"Type":"Pass","Result":"late","End":true}}}`, `"late"`},
	"heartbeat, by its own name":  {`{"StartAt":"T","States":{"T":` + tokenTask + `,"HeartbeatSeconds":3600,"Catch":[{"ErrorEquals":["States.HeartbeatTimeout"],"ResultPath":"$.e","Next":"P"}],"End":true},"P":{"Type":"Pass","InputPath":"$.e.Error","End":true}}}`, `"States.Timeout"`},
	"no heartbeat, but a timeout": {`{"StartAt":"T","States":{"T":` + tokenTask + `,"TimeoutSeconds":3600,"Catch":[{"ErrorEquals":["States.HeartbeatTimeout"],"Next":"Z"},{"ErrorEquals":["States.Timeout"],"Next":"P"}],"End":true},"P":{"Type":"Pass","Result":"late","End":true},"Z":{"Type":"Fail"}}}`, `"late"`},
	"heartbeat":                   {`{"StartAt":"T","States":{"T":` + tokenTask + `,"HeartbeatSeconds":3600,"Catch":[{"ErrorEquals":["States.Timeout"],"ResultPath":"$.e","Next":"P"}],"End":true},"P":{"Type":"Pass","Result":"late","End":true}}}`, `"late"`},
}

// inEach runs a test of each wait, on a clock of its own, in a service where one execution
// has begun to wait.
func inEach(t *testing.T, test func(t *testing.T, s *Service, execution, want string)) {
	t.Helper()
	for name, wait := range waitsOf {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := New(Options{Tasks: make(longTasks, 1)})
				defer func() {
					ended, cancel := context.WithCancel(t.Context())
					cancel()
					_ = s.Close(ended)
				}()
				if _, err := s.Create(CreateInput{Name: ptr("m"), Definition: ptr(wait.definition), RoleARN: ptr(roleARN)}); err != nil {
					t.Fatal(err)
				}
				record, err := s.Start(StartInput{StateMachineARN: ptr(s.ARN("m")), Name: ptr("x"), Input: []byte(`{"n":1}`)})
				if err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				test(t, s, record.ExecutionARN, wait.want)
			})
		})
	}
}

func statusOf(t *testing.T, s *Service, execution string) (bridge.Status, string) {
	t.Helper()
	x, err := s.recall(execution)
	if err != nil {
		t.Fatal(err)
	}
	return x.record.Status, string(x.record.Output)
}

// A waiting execution occupies no goroutine, and continues where it was.
//
//nolint:paralleltest // the goroutines of the process are counted
func TestWaitingTakesNoGoroutine(t *testing.T) {
	inEach(t, func(t *testing.T, s *Service, execution, want string) {
		all := make([]byte, 1<<20)
		all = all[:runtime.Stack(all, true)]
		for _, g := range strings.Split(string(all), "\n\n") {
			if strings.Contains(g, "/pkg/asl.") {
				t.Errorf("a goroutine of an execution that waits:\n%s", g)
			}
		}
		if status, _ := statusOf(t, s, execution); status != bridge.Running {
			t.Fatalf("%s before the wait is over", status)
		}
		time.Sleep(time.Hour - time.Second)
		if status, _ := statusOf(t, s, execution); status != bridge.Running {
			t.Fatalf("%s a second before the wait is over", status)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if status, output := statusOf(t, s, execution); status != bridge.Succeeded || output != want {
			t.Errorf("%s with %s, want SUCCEEDED with %s", status, output, want)
		}
	})
}

// StopExecution and the end of the service end an execution that waits.
func TestWaitingIsStopped(t *testing.T) {
	t.Parallel()
	inEach(t, func(t *testing.T, s *Service, execution, _ string) {
		if _, err := s.stopExecution(stopExecutionInput{ExecutionARN: &execution, Error: ptr("E")}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if status, _ := statusOf(t, s, execution); status != aborted {
			t.Errorf("%s, want ABORTED", status)
		}
		history, err := s.History(HistoryInput{ExecutionARN: &execution})
		if err != nil {
			t.Fatal(err)
		}
		if last := string(history.Events[len(history.Events)-1]); !strings.Contains(last, "ExecutionAborted") {
			t.Errorf("the last event is %s", last)
		}
	})
}

func TestWaitingEndsWithTheService(t *testing.T) {
	t.Parallel()
	inEach(t, func(t *testing.T, s *Service, execution, _ string) {
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		_ = s.Close(ended)
		if status, _ := statusOf(t, s, execution); status != aborted || s.running != 0 {
			t.Errorf("%s, and %d run, want ABORTED and none", status, s.running)
		}
	})
}

// The machine times out while it waits.
func TestWaitingTimesOut(t *testing.T) {
	t.Parallel()
	for name, wait := range waitsOf {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := New(Options{Tasks: make(longTasks, 1)})
				definition := strings.Replace(wait.definition, `{`, `{"TimeoutSeconds":60,`, 1)
				if _, err := s.Create(CreateInput{Name: ptr("m"), Definition: &definition, RoleARN: ptr(roleARN)}); err != nil {
					t.Fatal(err)
				}
				record, err := s.Start(StartInput{StateMachineARN: ptr(s.ARN("m"))})
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(59 * time.Second)
				if status, _ := statusOf(t, s, record.ExecutionARN); status != bridge.Running {
					t.Errorf("status %s after 59 of 60 seconds, want RUNNING", status)
				}
				time.Sleep(2 * time.Second)
				if err := s.Close(t.Context()); err != nil {
					t.Fatal(err)
				}
				if status, _ := statusOf(t, s, record.ExecutionARN); status != bridge.TimedOut {
					t.Errorf("%s, want TIMED_OUT", status)
				}
			})
		})
	}
}

// A panic after the wait only fails its own execution.
func TestPanicAfterAWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan ExecutionRecord, 1)
		s := New(Options{
			OnExecution: func(r ExecutionRecord) {
				if r.Status != bridge.Running {
					ended <- r
				}
			},
			Tasks: onFire{},
		})
		definition := fmt.Sprintf(`{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":5,"Next":"T"},"T":{"Type":"Task","Resource":%q,"End":true}}}`, "arn:aws:lambda:us-east-1:123456789012:function:f")
		if _, err := s.Create(CreateInput{Name: ptr("m"), Definition: &definition, RoleARN: ptr(roleARN)}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Start(StartInput{StateMachineARN: ptr(s.ARN("m"))}); err != nil {
			t.Fatal(err)
		}
		if r := <-ended; r.Status != bridge.Failed || r.Err == nil || !strings.Contains(r.Err.Error(), "on fire") {
			t.Errorf("got %s %s: %v, want FAILED with the panic", r.Status, r.Cause, r.Err)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

type onFire struct{}

func (onFire) RunTask(context.Context, asl.Task) (any, error) { panic("on fire") }
