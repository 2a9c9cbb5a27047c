package statesapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/statesapi"
)

func request(operation, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/", strings.NewReader(body))
	r.Header.Set("X-Amz-Target", "AWSStepFunctions."+operation)
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	return r
}

func history(t *testing.T, s *statesapi.Service, arn string) (types []string) {
	t.Helper()
	out, err := s.History(statesapi.HistoryInput{ExecutionARN: &arn})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range out.Events {
		var e struct{ Type string }
		if err := json.Unmarshal(text, &e); err != nil {
			t.Fatal(err)
		}
		types = append(types, e.Type)
	}
	return types
}

// An answer races with the end of its task: either it is accepted and in the history, or it
// is refused and is not.
func TestAnswersThatRaceWithTheEnd(t *testing.T) {
	t.Parallel()
	branches := `{"StartAt":"Both","States":{"Both":{"Type":"Parallel","Branches":[` + waiting + `],"End":true}}}`
	for name, tt := range map[string]struct {
		definition string
		answer     func(*waiter, string) error
		event      string
	}{
		"success":             {waiting, func(w *waiter, token string) error { return w.SendTaskSuccess(reply(token, `1`)) }, "TaskSucceeded"},
		"failure":             {waiting, func(w *waiter, token string) error { return w.SendTaskFailure(statesapi.TaskAnswer{Token: &token}) }, "TaskFailed"},
		"success in a branch": {branches, func(w *waiter, token string) error { return w.SendTaskSuccess(reply(token, `1`)) }, "TaskSucceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWaiter(t, tt.definition)
			handler := statesapi.NewHandler(w.Service, statesapi.HandlerOptions{})
			machine, accepted := w.ARN("m"), 0
			for i := range 150 {
				x, err := w.Start(statesapi.StartInput{StateMachineARN: &machine})
				if err != nil {
					t.Fatal(err)
				}
				token, arn := receive(t, w.tokens), x.ExecutionARN
				var race sync.WaitGroup
				start := make(chan struct{})
				race.Go(func() {
					<-start
					time.Sleep(time.Duration(i%5) * 10 * time.Microsecond)
					err = tt.answer(w, token)
				})
				race.Go(func() {
					<-start
					handler.ServeHTTP(httptest.NewRecorder(), request("StopExecution", `{"executionArn":"`+arn+`"}`))
				})
				close(start)
				race.Wait()
				end := receive(t, w.ended)
				events := history(t, w.Service, arn)
				if got := slices.Contains(events, tt.event); got != (err == nil) {
					t.Fatalf("the answer: %v; the execution ended as %s with %q", err, end.Status, events)
				}
				if err == nil {
					accepted++
				} else if code(err) != "TaskTimedOut" {
					t.Fatalf("the answer: %v, want TaskTimedOut", err)
				}
			}
			t.Logf("%d of 150 answers were accepted", accepted)
		})
	}
}

// slow is a runner whose call continues until its context ends.
type slow chan string

func (s slow) RunTask(ctx context.Context, t asl.Task) (any, error) {
	s <- t.Token
	<-ctx.Done()
	return nil, ctx.Err()
}

// An answer that was accepted while the request of the task was still in progress is in the
// history, even if the execution is stopped, or the task's time is up, before the request
// ends.
func TestAnswerDuringTheCall(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		limit, want string
		stop        bool
	}{
		"stopped":  {"", "ABORTED", true},
		"time out": {`"TimeoutSeconds":1,`, "SUCCEEDED", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls, ended := make(slow, 1), make(chan statesapi.ExecutionRecord, 1)
			s := statesapi.New(statesapi.Options{Tasks: calls, OnExecution: func(r statesapi.ExecutionRecord) {
				if r.Status != "RUNNING" {
					ended <- r
				}
			}})
			t.Cleanup(func() { _ = s.Close(context.Background()) })
			kind, role, machine, definition := statesapi.Standard, "arn:aws:iam::123456789012:role/r", "m", strings.Replace(waiting, `"End"`, tt.limit+`"End"`, 1)
			if _, err := s.Create(statesapi.CreateInput{Name: &machine, Definition: &definition, RoleARN: &role, Type: &kind}); err != nil {
				t.Fatal(err)
			}
			arn := s.ARN(machine)
			x, err := s.Start(statesapi.StartInput{StateMachineARN: &arn})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.SendTaskSuccess(reply(receive(t, calls), `"done"`)); err != nil {
				t.Fatal(err)
			}
			if tt.stop {
				statesapi.NewHandler(s, statesapi.HandlerOptions{}).ServeHTTP(httptest.NewRecorder(), request("StopExecution", `{"executionArn":"`+x.ExecutionARN+`"}`))
			}
			end := receive(t, ended)
			if events := history(t, s, x.ExecutionARN); string(end.Status) != tt.want || !slices.Contains(events, "TaskSucceeded") {
				t.Errorf("ended as %s with %q, want %s, and the answer in the history", end.Status, events, tt.want)
			}
		})
	}
}

// A broken connection accepts no answer.
type broken struct{ *httptest.ResponseRecorder }

func (broken) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

// An activity's task whose worker has gone away goes to the next worker.
func TestActivityTaskThatIsNotDelivered(t *testing.T) {
	t.Parallel()
	w := newWaiter(t, `{"StartAt":"Work","States":{"Work":{"Type":"Task","Resource":"arn:aws:states:us-east-1:123456789012:activity:work","End":true}}}`)
	name := "work"
	created, err := w.CreateActivity(&name, nil)
	if err != nil {
		t.Fatal(err)
	}
	handler := statesapi.NewHandler(w.Service, statesapi.HandlerOptions{})
	poll := func() *http.Request {
		return request("GetActivityTask", `{"activityArn":"`+created.ActivityARN+`"}`)
	}
	gone, hangUp := context.WithCancel(t.Context())
	hungUp := make(chan struct{})
	go func() {
		defer close(hungUp)
		handler.ServeHTTP(httptest.NewRecorder(), poll().WithContext(gone))
	}()
	hangUp()
	receive(t, hungUp) // and not after a minute
	w.begin(t)
	handler.ServeHTTP(broken{httptest.NewRecorder()}, poll())
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, poll())
	var task struct{ TaskToken string }
	if err := json.Unmarshal(answer.Body.Bytes(), &task); err != nil || task.TaskToken == "" {
		t.Fatalf("the next worker gets %s, %v; want the task", answer.Body, err)
	}
	if err := w.SendTaskSuccess(reply(task.TaskToken, `1`)); err != nil {
		t.Error(err)
	}
	if r := receive(t, w.ended); r.Status != "SUCCEEDED" {
		t.Errorf("the execution ended as %s, want SUCCEEDED", r.Status)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := strings.Count(strings.Join(w.events, " "), "ActivityStarted"); n != 1 {
		t.Errorf("the task began %d times: %q", n, w.events)
	}
}

// A process is killed after an execution has ended and before the task that waits for it has
// recorded that: the next process knows how it ended.
func TestEndedChildSurvivesAKill(t *testing.T) {
	t.Parallel()
	dir, killed, orphaned := t.TempDir(), t.TempDir(), t.TempDir()
	var once sync.Once
	ended := make(chan statesapi.ExecutionRecord, 10)
	l := &lasting{tokens: make(chan string, 10), ended: ended, calls: map[string]int{}}
	l.Service = statesapi.New(statesapi.Options{
		Tasks: l,
		OnExecution: func(r statesapi.ExecutionRecord) {
			if r.Status != "RUNNING" {
				ended <- r
			}
		},
		Observe: func(r statesapi.ExecutionRecord, _ string) func(asl.Event) {
			return func(e asl.Event) {
				if e.Type == "TaskSucceeded" && strings.Contains(r.ExecutionARN, ":m:") {
					once.Do(func() {
						for _, to := range []string{killed, orphaned} {
							if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
								t.Error(err)
							}
						}
					})
				}
			}
		},
	})
	if err := l.Persist(dir); err != nil {
		t.Fatal(err)
	}
	name, role, kind := "inner", "arn:aws:iam::123456789012:role/r", statesapi.Standard
	definition := `{"StartAt":"B","States":{"B":{"Type":"Pass","Result":{"b":2},"End":true}}}`
	if _, err := l.Create(statesapi.CreateInput{Name: &name, Definition: &definition, RoleARN: &role, Type: &kind}); err != nil {
		t.Fatal(err)
	}
	outer := l.start(t, `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"arn:aws:states:::states:startExecution.sync:2",
		"Parameters":{"StateMachineArn":"arn:aws:states:us-east-1:123456789012:stateMachine:inner","Input":{}},"OutputPath":"$.Output","End":true}}}`)
	receive(t, ended)
	if r := receive(t, ended); string(r.Output) != `{"b":2}` {
		t.Fatalf("ended as %s with %s, want the output {\"b\":2}", r.Status, r.Output)
	}
	files := func(dir string) []string {
		found, _ := filepath.Glob(filepath.Join(dir, "*.execution.jsonl"))
		return found
	}
	gone := func(dir string) {
		t.Helper()
		for deadline := time.Now().Add(10 * time.Second); len(files(dir)) > 0; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%q are left once all have ended", files(dir))
			}
		}
	}
	gone(dir)
	l.stop()

	l = newLasting(t, killed)
	if on := l.GoOn(); len(on) != 1 || on[0] != outer.ExecutionARN {
		t.Fatalf("%v continue, want the outer one", on)
	}
	if r := receive(t, l.ended); string(r.Output) != `{"b":2}` || r.ExecutionARN != outer.ExecutionARN {
		t.Errorf("%s ended as %s with %s, %s %s, want the output {\"b\":2} of the outer execution", r.ExecutionARN, r.Status, r.Output, r.Error, r.Cause)
	}
	gone(killed)
	l.stop()

	for _, file := range files(orphaned) {
		if text, _ := os.ReadFile(file); !strings.Contains(string(text), `"end":{`) {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		}
	}
	l = newLasting(t, orphaned)
	defer l.stop()
	if left, on := files(orphaned), l.GoOn(); len(left)+len(on) > 0 {
		t.Errorf("%q are left and %q continue where nothing waits for the end", left, on)
	}
}
