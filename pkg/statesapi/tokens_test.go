package statesapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/jsonata"
	"github.com/expressway-dev/expressway/pkg/statesapi"
)

// handOut is a runner that passes on the token of each waiting task.
type handOut chan string

func (h handOut) RunTask(_ context.Context, t asl.Task) (any, error) {
	h <- t.Token
	return jsonata.NewObject(0), nil
}

// held is a runner whose tasks without a token continue when hold is closed.
type held struct {
	handOut
	hold chan struct{}
}

func (h held) RunTask(ctx context.Context, t asl.Task) (any, error) {
	v, err := h.handOut.RunTask(ctx, t)
	if t.Token == "" {
		<-h.hold
	}
	return v, err
}

// A waiter is one STANDARD execution of a state machine.
type waiter struct {
	*statesapi.Service
	tokens handOut
	hold   chan struct{}
	ended  chan statesapi.ExecutionRecord
	mu     sync.Mutex
	events []string
}

func newWaiter(t *testing.T, definition string) *waiter {
	t.Helper()
	w := &waiter{tokens: make(handOut, 10), hold: make(chan struct{}), ended: make(chan statesapi.ExecutionRecord, 10)}
	w.Service = statesapi.New(statesapi.Options{
		Tasks: held{w.tokens, w.hold},
		OnExecution: func(r statesapi.ExecutionRecord) {
			if r.Status != "RUNNING" {
				w.ended <- r
			}
		},
		Observe: func(statesapi.ExecutionRecord, string) func(asl.Event) {
			return func(e asl.Event) {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.events = append(w.events, e.Type)
			}
		},
	})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		defer cancel()
		_ = w.Close(ctx)
	})
	name, role, kind := "m", "arn:aws:iam::123456789012:role/r", statesapi.Standard
	if _, err := w.Create(statesapi.CreateInput{Name: &name, Definition: &definition, RoleARN: &role, Type: &kind}); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *waiter) begin(t *testing.T) {
	t.Helper()
	arn := w.ARN("m")
	if _, err := w.Start(statesapi.StartInput{StateMachineARN: &arn, Input: []byte(`{"order":1}`)}); err != nil {
		t.Fatal(err)
	}
}

func receive[T any](t *testing.T, from <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-from:
	case <-time.After(10 * time.Second):
		t.Fatal("nothing came within ten seconds")
	}
	return v
}

func code(err error) string {
	if e, ok := errors.AsType[*statesapi.Error](err); ok {
		return string(e.Code)
	}
	return ""
}

func reply(token, output string) statesapi.TaskAnswer {
	return statesapi.TaskAnswer{Token: &token, Output: &output}
}

const waiting = `{"StartAt":"Pay","States":{"Pay":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken",
	"Parameters":{"QueueUrl":"q","MessageBody":{"Token.$":"$$.Task.Token"}},"End":true}}}`

// Waits lists the waiting tasks, with their place and time, until they are answered.
func TestWaits(t *testing.T) {
	t.Parallel()
	w := newWaiter(t, waiting)
	if list := w.Waits(""); len(list) != 0 {
		t.Fatalf("%v is waiting before anything has begun", list)
	}
	w.begin(t)
	token := receive(t, w.tokens)
	list := w.Waits("")
	if len(list) != 1 || list[0].Token != token || list[0].State != "Pay" || list[0].Since.IsZero() || !strings.Contains(list[0].ExecutionARN, ":execution:m:") {
		t.Fatalf("%+v waits, want the token of Pay", list)
	}
	if own, others := w.Waits(list[0].ExecutionARN), w.Waits(list[0].ExecutionARN+"x"); len(own) != 1 || len(others) != 0 {
		t.Errorf("the execution has %d waits, and another one has %d; want 1 and 0", len(own), len(others))
	}
	if err := w.SendTaskSuccess(reply(token, `{}`)); err != nil {
		t.Fatal(err)
	}
	if list := w.Waits(""); len(list) != 0 {
		t.Errorf("%v still waits after its end", list)
	}
	receive(t, w.ended)
}

// Close does not wait for tasks that only a token can end; everything else ends first.
func TestCloseStopsWhatWaitsForTokens(t *testing.T) {
	t.Parallel()
	w := newWaiter(t, `{"StartAt":"Pay","States":{"Pay":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken",
		"Parameters":{"QueueUrl":"q","MessageBody":{"Token.$":"$$.Task.Token"}},"Next":"Ship"},
		"Ship":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage","Parameters":{"QueueUrl":"q","MessageBody":"m"},"End":true}}}`)
	w.begin(t)
	w.begin(t)
	first := receive(t, w.tokens)
	receive(t, w.tokens)
	if err := w.SendTaskSuccess(reply(first, `{}`)); err != nil {
		t.Fatal(err)
	}
	receive(t, w.tokens) // Ship's, which is held
	closed := make(chan error, 1)
	go func() { closed <- w.Close(context.Background()) }()
	select {
	case err := <-closed:
		t.Fatalf("Close returned (%v) while an execution ran that does not wait for a token", err)
	case <-time.After(20 * time.Millisecond):
	}
	close(w.hold)
	if err := receive(t, closed); err != nil {
		t.Errorf("Close = %v", err)
	}
	ended := map[string]int{}
	for range 2 {
		ended[string(receive(t, w.ended).Status)]++
	}
	if ended["SUCCEEDED"] != 1 {
		t.Errorf("ended as %v, want one success", ended)
	}
}

// A task waits until its token is answered; the first answer is accepted, and later ones
// get the error for a task that has ended.
func TestTaskToken(t *testing.T) {
	t.Parallel()
	w := newWaiter(t, waiting)
	w.begin(t)
	token := receive(t, w.tokens)
	if len(token) < 100 {
		t.Errorf("the token %q can be guessed", token)
	}
	if err := w.SendTaskHeartbeat(statesapi.TaskAnswer{Token: &token}); err != nil {
		t.Errorf("the heartbeat was refused: %v", err)
	}
	if err := w.SendTaskSuccess(reply(token, `{"broken`)); code(err) != "InvalidOutput" {
		t.Errorf("output that is not JSON: %v, want InvalidOutput", err)
	}
	const senders = 8
	took := make(chan error, senders)
	for range senders {
		go func() { took <- w.SendTaskSuccess(reply(token, `{"paid":true}`)) }()
	}
	won := 0
	for range senders {
		switch err := receive(t, took); {
		case err == nil:
			won++
		case code(err) != "TaskTimedOut":
			t.Errorf("a later answer: %v, want TaskTimedOut", err)
		}
	}
	if won != 1 {
		t.Errorf("%d of %d answers were taken, want 1", won, senders)
	}
	if r := receive(t, w.ended); r.Status != "SUCCEEDED" || string(r.Output) != `{"paid":true}` {
		t.Errorf("ended as %s with %s, want SUCCEEDED with the answer's output", r.Status, r.Output)
	}
	if err := w.SendTaskHeartbeat(statesapi.TaskAnswer{Token: &token}); code(err) != "TaskTimedOut" {
		t.Errorf("heartbeat of a task that is over: %v, want TaskTimedOut", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	want := "ExecutionStarted TaskStateEntered TaskScheduled TaskStarted TaskSubmitted TaskSucceeded TaskStateExited ExecutionSucceeded"
	if got := strings.Join(w.events, " "); got != want {
		t.Errorf("history %s, want %s", got, want)
	}
}

// A token that was never issued has a different error from one whose task has ended.
func TestForeignToken(t *testing.T) {
	t.Parallel()
	w := newWaiter(t, waiting)
	for _, token := range []string{"guess", strings.Repeat("x", 2048)} {
		if err := w.SendTaskSuccess(reply(token, `{}`)); code(err) != "InvalidToken" {
			t.Errorf("%.10s: %v, want InvalidToken", token, err)
		}
	}
}

// answering answers each task within its own request, before anything waits for it.
type answering struct{ service *statesapi.Service }

func (a *answering) RunTask(_ context.Context, t asl.Task) (any, error) {
	return jsonata.NewObject(0), a.service.SendTaskSuccess(reply(t.Token, `"at once"`))
}

// An answer that arrives before the wait for it is accepted.
func TestAnswerBeforeTheWait(t *testing.T) {
	t.Parallel()
	runner, ended := &answering{}, make(chan statesapi.ExecutionRecord, 10)
	runner.service = statesapi.New(statesapi.Options{Tasks: runner, OnExecution: func(r statesapi.ExecutionRecord) {
		if r.Status != "RUNNING" {
			ended <- r
		}
	}})
	t.Cleanup(func() { _ = runner.service.Close(context.Background()) })
	name, role, kind, definition := "m", "arn:aws:iam::123456789012:role/r", statesapi.Standard, waiting
	if _, err := runner.service.Create(statesapi.CreateInput{Name: &name, Definition: &definition, RoleARN: &role, Type: &kind}); err != nil {
		t.Fatal(err)
	}
	arn := runner.service.ARN(name)
	if _, err := runner.service.Start(statesapi.StartInput{StateMachineARN: &arn}); err != nil {
		t.Fatal(err)
	}
	if r := receive(t, ended); string(r.Output) != `"at once"` {
		t.Errorf("ended as %s with %s by %s (%s), want the answer", r.Status, r.Output, r.Error, r.Cause)
	}
}

// The state can catch a failure by the error's own name.
func TestTaskTokenFails(t *testing.T) {
	t.Parallel()
	w := newWaiter(t, `{"StartAt":"Pay","States":{"Pay":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken",
		"Parameters":{"QueueUrl":"q","MessageBody":{"Token.$":"$$.Task.Token"}},
		"Catch":[{"ErrorEquals":["Declined"],"Next":"No"}],"End":true},"No":{"Type":"Succeed"}}}`)
	w.begin(t)
	token, name, cause := receive(t, w.tokens), "Declined", "no funds"
	if err := w.SendTaskFailure(statesapi.TaskAnswer{Token: &token, Error: &name, Cause: &cause}); err != nil {
		t.Fatal(err)
	}
	if r := receive(t, w.ended); r.Status != "SUCCEEDED" || string(r.Output) != `{"Error":"Declined","Cause":"no funds"}` {
		t.Errorf("ended as %s with %s by %s (%s), want the caught failure", r.Status, r.Output, r.Error, r.Cause)
	}
}

// Heartbeats keep a task alive beyond HeartbeatSeconds; without them it times out.
func TestHeartbeat(t *testing.T) {
	t.Parallel()
	w := newWaiter(t, strings.Replace(waiting, `"Type":"Task"`, `"Type":"Task","HeartbeatSeconds":1`, 1))
	w.begin(t)
	token := receive(t, w.tokens)
	for range 4 {
		time.Sleep(400 * time.Millisecond)
		if err := w.SendTaskHeartbeat(statesapi.TaskAnswer{Token: &token}); err != nil {
			t.Fatalf("the heartbeat was refused: %v", err)
		}
	}
	if r := receive(t, w.ended); r.Status != "FAILED" || r.Error != "States.Timeout" {
		t.Errorf("ended as %s by %s, want FAILED by States.Timeout", r.Status, r.Error)
	}
	if err := w.SendTaskSuccess(reply(token, `{}`)); code(err) != "TaskTimedOut" {
		t.Errorf("a late success: %v, want TaskTimedOut", err)
	}
}

// An activity gives each task to one of the workers that ask for it.
func TestActivity(t *testing.T) {
	t.Parallel()
	w := newWaiter(t, `{"StartAt":"Work","States":{"Work":{"Type":"Task","Resource":"arn:aws:states:us-east-1:123456789012:activity:work","End":true}}}`)
	name, worker := "work", "w-1"
	created, err := w.CreateActivity(&name, nil)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := w.CreateActivity(&name, nil); err != nil || *again != *created {
		t.Errorf("created again: %v, %v; want %v", again, err, created)
	}
	const tasks = 3
	taken := make(chan string, tasks)
	for range tasks {
		go func() {
			task, err := w.ActivityTask(t.Context(), &created.ActivityARN, &worker)
			if err == nil && task.TaskToken != nil {
				if *task.Input != `{"order":1}` {
					t.Errorf("input %s, want that of the execution", *task.Input)
				}
				taken <- *task.TaskToken
			}
		}()
	}
	seen := map[string]bool{}
	for range tasks {
		w.begin(t)
		token := receive(t, taken)
		if seen[token] {
			t.Error("a task was handed out twice")
		}
		seen[token] = true
		if err := w.SendTaskSuccess(reply(token, `"done"`)); err != nil {
			t.Error(err)
		}
		if r := receive(t, w.ended); string(r.Output) != `"done"` {
			t.Errorf("ended as %s with %s, want the worker's output", r.Status, r.Output)
		}
	}
	list, err := w.ListActivities(statesapi.ListInput{})
	if err != nil || len(list.Activities) != 1 || list.Activities[0].Name != name {
		t.Errorf("list = %+v, %v; want the one activity", list, err)
	}
	if err := w.DeleteActivity(&created.ActivityARN); err != nil {
		t.Error(err)
	}
	if _, err := w.ActivityTask(t.Context(), &created.ActivityARN, nil); code(err) != "ActivityDoesNotExist" {
		t.Errorf("a poll of a deleted activity: %v, want ActivityDoesNotExist", err)
	}
	w.begin(t)
	if r := receive(t, w.ended); r.Status != "FAILED" {
		t.Errorf("a task of a deleted activity ends as %s, want FAILED", r.Status)
	}
}

// A worker that has disconnected gets no task; the next one gets it.
func TestActivityOfACancelledWorker(t *testing.T) {
	t.Parallel()
	w := newWaiter(t, `{"StartAt":"Work","States":{"Work":{"Type":"Task","Resource":"arn:aws:states:us-east-1:123456789012:activity:work","End":true}}}`)
	name := "work"
	created, err := w.CreateActivity(&name, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, hangUp := context.WithCancel(t.Context())
	polls := make(chan *statesapi.ActivityTaskOutput, 1)
	go func() {
		task, err := w.ActivityTask(ctx, &created.ActivityARN, nil)
		if err != nil {
			t.Error(err)
		}
		polls <- task
	}()
	hangUp()
	if task := receive(t, polls); task.TaskToken != nil {
		t.Errorf("a worker that has hung up is given %s", *task.TaskToken)
	}
	w.begin(t)
	var task *statesapi.ActivityTaskOutput
	for task == nil || task.TaskToken == nil { // until the execution has got there
		if gone, err := w.ActivityTask(ctx, &created.ActivityARN, nil); err != nil || gone.TaskToken != nil {
			t.Fatalf("%v, %v for a worker that has hung up", gone, err)
		}
		if task, err = w.ActivityTask(t.Context(), &created.ActivityARN, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.SendTaskSuccess(reply(*task.TaskToken, `1`)); err != nil {
		t.Error(err)
	}
	if r := receive(t, w.ended); r.Status != "SUCCEEDED" {
		t.Errorf("the execution ended as %s, want SUCCEEDED", r.Status)
	}
}

// A start with the name of a running execution waits for the end of that execution.
func TestStartExecutionSyncOfARunningOne(t *testing.T) {
	t.Parallel()
	w := newWaiter(t, `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"arn:aws:states:::states:startExecution.sync:2","TimeoutSeconds":1,
		"Parameters":{"StateMachineArn":"arn:aws:states:us-east-1:123456789012:stateMachine:inner","Name":"one","Input":{}},"End":true}}}`)
	name, role, kind := "inner", "arn:aws:iam::123456789012:role/r", statesapi.Standard
	definition := waiting
	if _, err := w.Create(statesapi.CreateInput{Name: &name, Definition: &definition, RoleARN: &role, Type: &kind}); err != nil {
		t.Fatal(err)
	}
	arn, one := w.ARN(name), "one"
	if _, err := w.Start(statesapi.StartInput{StateMachineARN: &arn, Name: &one, Input: []byte(`{}`)}); err != nil {
		t.Fatal(err)
	}
	receive(t, w.tokens)
	w.begin(t)
	// Nobody answers: the task's time ends both, and a start that did not wait would have ended at once.
	ends := map[string]string{}
	for range 2 {
		r := receive(t, w.ended)
		ends[r.StateMachineARN[strings.LastIndexByte(r.StateMachineARN, ':')+1:]] = string(r.Status) + " " + r.Error
	}
	if ends["m"] != "FAILED States.Timeout" || ends["inner"] != "ABORTED " {
		t.Errorf("ends %q, want the task's timeout, and the execution that it waited for aborted", ends)
	}
}

// A STANDARD execution that is waited for is a task's result, by .sync:2 in JSON.
func TestStartExecutionSync(t *testing.T) {
	t.Parallel()
	w := newWaiter(t, `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"arn:aws:states:::states:startExecution.sync:2",
		"Parameters":{"StateMachineArn":"arn:aws:states:us-east-1:123456789012:stateMachine:inner","Input":{"a":1}},"End":true}}}`)
	name, role, kind := "inner", "arn:aws:iam::123456789012:role/r", statesapi.Standard
	definition := `{"StartAt":"B","States":{"B":{"Type":"Pass","Result":{"b":2},"End":true}}}`
	if _, err := w.Create(statesapi.CreateInput{Name: &name, Definition: &definition, RoleARN: &role, Type: &kind}); err != nil {
		t.Fatal(err)
	}
	w.begin(t)
	receive(t, w.ended) // the inner one
	r := receive(t, w.ended)
	var out struct {
		Input, Output map[string]int
		Status        string
	}
	if err := json.Unmarshal(r.Output, &out); err != nil || out.Status != "SUCCEEDED" || out.Input["a"] != 1 || out.Output["b"] != 2 {
		t.Errorf("output %s, %v; want the inner execution with its output as JSON", r.Output, err)
	}
}

// A task can call the local API itself.
func TestOwnAPI(t *testing.T) {
	t.Parallel()
	w := newWaiter(t, `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"arn:aws:states:::aws-sdk:sfn:listStateMachines","Parameters":{},
		"ResultSelector":{"names.$":"$.StateMachines[*].Name"},"End":true}}}`)
	w.begin(t)
	if r := receive(t, w.ended); string(r.Output) != `{"names":["m"]}` {
		t.Errorf("ended as %s with %s %s, want the name of the machine", r.Status, r.Output, r.Cause)
	}
}

// Of simultaneous answers, one is accepted; the others, and a late heartbeat, get the error
// for a task that has ended.
func TestAnswersAtOnce(t *testing.T) {
	t.Parallel()
	w := newWaiter(t, waiting)
	w.begin(t)
	token := receive(t, w.tokens)
	const senders = 8
	codes := make(chan string, senders)
	for range senders {
		go func() { codes <- code(w.SendTaskSuccess(reply(token, `{}`))) }()
	}
	taken := 0
	for range senders {
		switch c := receive(t, codes); c {
		case "":
			taken++
		case "TaskTimedOut":
		default:
			t.Errorf("an answer is refused as %s", c)
		}
	}
	if taken != 1 {
		t.Errorf("%d answers were taken, want 1", taken)
	}
	if r := receive(t, w.ended); r.Status != "SUCCEEDED" {
		t.Errorf("the execution ended as %s", r.Status)
	}
	if c := code(w.SendTaskHeartbeat(statesapi.TaskAnswer{Token: &token})); c != "TaskTimedOut" {
		t.Errorf("a late heartbeat is %q, want TaskTimedOut", c)
	}
}
