package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	waitersRoutes = `version: 1
routes:
  - name: wait
    http: POST /wait
    verify: none
    resume:
      token: '{% $request.body.token %}'
      fail: '{% $request.body.outcome = "failed" %}'
      error: Failed
      cause: '{% $request.body.event %}'
      output: {event: '{% $request.body.event %}'}
`
	// waitersMachine reports to a function which event ended its wait.
	waitersMachine = `{"QueryLanguage":"JSONata","StartAt":"Wait","States":{
  "Wait":{"Type":"Task","Resource":"arn:aws:states:us-east-1:123456789012:activity:wait","Assign":{"id":"{% $states.input.id %}"},
    "Arguments":{"id":"{% $states.input.id %}"},"Output":{"event":"{% $states.result.event %}"},
    "Catch":[{"ErrorEquals":["Failed"],"Assign":{"id":"{% $states.input.id %}"},"Output":{"event":"{% $states.errorOutput.Cause %}"},"Next":"Tell"}],"Next":"Tell"},
  "Tell":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Arguments":{"FunctionName":"tell","Payload":{"id":"{% $id %}","event":"{% $states.input.event %}"}},
    "Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"MaxAttempts":9,"BackoffRate":1}],"End":true}}}`
)

// waiters are executions that wait, in a process that is killed.
type waiters struct {
	t    *testing.T
	dir  string
	tell string       // the endpoint of the function
	now  atomic.Value // the addresses of the process, as [2]string: webhooks and API

	mu   sync.Mutex
	told map[string]map[string]bool // by wait: the events that the engine says ended it
	took map[string]map[string]bool // by wait: the events whose sender got 200
	left int                        // waits that no event has reported yet
	done chan struct{}
}

// start runs dev on the folder, in a process of its own.
func (w *waiters) start() *exec.Cmd {
	w.t.Helper()
	cmd, lines := process(w.t, w.dir, []string{"LAMBDA_ENDPOINT=" + w.tell}, "dev", "--http", "127.0.0.1:0", "--states", "127.0.0.1:0",
		"--data", filepath.Join(w.dir, "data"), "--config", filepath.Join(w.dir, "expressway.yaml"), "--statemachines", w.dir, "--wait-scale", "0.1")
	var at [2]string
	for lines.Scan() && lines.Text() != "Press Ctrl-C to stop" {
		for i, name := range []string{"webhooks ", "step functions "} {
			if rest, ok := strings.CutPrefix(lines.Text(), name); ok {
				at[i] = strings.TrimSpace(rest)
			}
		}
	}
	go func() {
		for lines.Scan() {
		}
	}()
	if at[0] == "" || at[1] == "" {
		w.t.Fatal("dev does not start")
	}
	w.now.Store(at)
	return cmd
}

// ServeHTTP is the function that the workflows tell.
func (w *waiters) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	var in struct{ ID, Event string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	w.mu.Lock()
	if len(w.told[in.ID]) == 0 {
		if w.left--; w.left == 0 {
			close(w.done)
		}
	}
	add(w.told, in.ID, in.Event)
	w.mu.Unlock()
	_, _ = io.WriteString(rw, "{}")
}

func add(to map[string]map[string]bool, id, event string) {
	if to[id] == nil {
		to[id] = map[string]bool{}
	}
	to[id][event] = true
}

// call calls the Step Functions API.
func (w *waiters) call(operation, body string, answer any) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.now.Load().([2]string)[1], strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "AWSStepFunctions."+operation)
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusOK {
		w.t.Fatalf("%s: got %d %s, want 200", operation, response.StatusCode, text)
	}
	if answer != nil {
		if err := json.Unmarshal(text, answer); err != nil {
			w.t.Fatal(err)
		}
	}
}

// say sends a webhook as senders do: again, until there is an answer.
func (w *waiters) say(id, token, event, outcome string) {
	body, _ := json.Marshal(map[string]string{"token": token, "event": event, "outcome": outcome})
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		response, err := http.Post(w.now.Load().([2]string)[0]+"/wait", "application/json", bytes.NewReader(body))
		if err != nil {
			continue // the process is gone
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		if response.StatusCode == http.StatusOK {
			w.mu.Lock()
			add(w.took, id, event)
			w.mu.Unlock()
		}
		if response.StatusCode < http.StatusInternalServerError {
			return
		}
	}
	w.t.Errorf("%s: %s had no answer", id, event)
}

// A thousand executions wait, and are resumed by webhooks, some of which contradict each
// other, while the process is killed and started again: none is lost, and none ends as
// two of them say.
func TestThousandWaitersSurviveAKill(t *testing.T) {
	t.Parallel()
	const waits = 1000
	w := &waiters{t: t, dir: t.TempDir(), told: map[string]map[string]bool{}, took: map[string]map[string]bool{}, left: waits, done: make(chan struct{})}
	function := httptest.NewServer(w)
	t.Cleanup(function.Close)
	w.tell = function.URL
	for name, text := range map[string]string{"expressway.yaml": waitersRoutes, "waits.asl.json": waitersMachine} {
		if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := w.start()
	w.call("CreateActivity", `{"name":"wait"}`, nil)
	tokens := map[string]string{}
	for i := range waits {
		w.call("StartExecution", fmt.Sprintf(`{"stateMachineArn":"arn:aws:states:us-east-1:123456789012:stateMachine:waits","name":"w-%d","input":"{\"id\":\"w-%d\"}"}`, i, i), nil)
	}
	for range waits {
		var task struct{ TaskToken, Input string }
		w.call("GetActivityTask", `{"activityArn":"arn:aws:states:us-east-1:123456789012:activity:wait"}`, &task)
		var in struct{ ID string }
		if err := json.Unmarshal([]byte(task.Input), &in); err != nil || task.TaskToken == "" {
			t.Fatalf("there is no task: %v", err)
		}
		tokens[in.ID] = task.TaskToken
	}
	if len(tokens) != waits {
		t.Fatalf("%d executions wait, want %d", len(tokens), waits)
	}
	type event struct{ id, event, outcome string }
	events := make(chan event)
	middle := make(chan struct{})
	var senders sync.WaitGroup
	for range 8 {
		senders.Go(func() {
			for e := range events {
				w.say(e.id, tokens[e.id], e.event, e.outcome)
			}
		})
	}
	senders.Go(func() {
		defer close(events)
		n := 0
		for id := range tokens {
			if n++; n == waits/2 {
				close(middle)
			}
			events <- event{id, "yes-" + id, "paid"}
			if n%4 == 0 || n > waits/2-50 && n < waits/2+50 {
				events <- event{id, "no-" + id, "failed"}
			}
		}
	})
	<-middle
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	w.mu.Lock()
	left := w.left
	w.mu.Unlock()
	if left == 0 || left == waits {
		t.Fatalf("%d of %d executions had not ended when the process was killed: it was not killed midway", left, waits)
	}
	w.start()
	senders.Wait()
	select {
	case <-w.done:
	case <-time.After(2 * time.Minute):
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.left != 0 {
		t.Errorf("%d executions are lost: their end was never reported", w.left)
	}
	heard := 0
	for id, told := range w.told {
		if len(told) > 1 {
			t.Errorf("the task of %s was ended more than once, by %v", id, told)
		}
		for e := range w.took[id] {
			heard++
			if !told[e] {
				t.Errorf("%s ended by %v, and the sender of %s was told that it did", id, told, e)
			}
		}
	}
	t.Logf("%d waits, %d senders were told that they resumed one", waits, heard)
	if heard < waits*9/10 {
		t.Errorf("%d of %d were told that they resumed one", heard, waits)
	}
}
