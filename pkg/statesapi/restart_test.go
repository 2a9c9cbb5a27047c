package statesapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/jsonata"
	"github.com/expressway-dev/expressway/pkg/statesapi"
)

// A lasting is one process that keeps its executions in a folder. Its tasks without a token
// are counted; the tokens of the others are handed out.
type lasting struct {
	*statesapi.Service
	tokens chan string
	ended  chan statesapi.ExecutionRecord
	mu     sync.Mutex
	calls  map[string]int // by state
}

func (l *lasting) RunTask(_ context.Context, t asl.Task) (any, error) {
	l.mu.Lock()
	l.calls[t.State]++
	l.mu.Unlock()
	if t.Token != "" {
		l.tokens <- t.Token
	}
	o := jsonata.NewObject(1)
	o.Set("did", t.State)
	return o, nil
}

func newLasting(t interface{ Fatal(...any) }, dir string) *lasting {
	l := &lasting{tokens: make(chan string, 100), ended: make(chan statesapi.ExecutionRecord, 100), calls: map[string]int{}}
	l.Service = statesapi.New(statesapi.Options{Tasks: l, OnExecution: func(r statesapi.ExecutionRecord) {
		if r.Status != "RUNNING" {
			l.ended <- r
		}
	}})
	if err := l.Persist(dir); err != nil {
		t.Fatal(err)
	}
	return l
}

// stop ends the process as Ctrl-C does.
func (l *lasting) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	_ = l.Close(ctx)
}

// answerAll answers tokens until the execution has ended.
func (l *lasting) answerAll(t interface{ Fatal(...any) }) statesapi.ExecutionRecord {
	for _, w := range l.Waits("") {
		l.tokens <- w.Token
	}
	limit := time.After(20 * time.Second)
	for {
		select {
		case token := <-l.tokens:
			_ = l.SendTaskSuccess(reply(token, `{"paid":true}`)) // some tokens come twice
		case r := <-l.ended:
			return r
		case <-limit:
			t.Fatal("it does not end")
			return statesapi.ExecutionRecord{}
		}
	}
}

func (l *lasting) start(t *testing.T, definition string) statesapi.ExecutionRecord {
	t.Helper()
	name, role, kind := "m", "arn:aws:iam::123456789012:role/r", statesapi.Standard
	if _, err := l.Create(statesapi.CreateInput{Name: &name, Definition: &definition, RoleARN: &role, Type: &kind}); err != nil {
		t.Fatal(err)
	}
	arn := l.ARN(name)
	r, err := l.Start(statesapi.StartInput{StateMachineARN: &arn, Input: []byte(`{"items":[1,2,3]}`)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const pay = `{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken","Parameters":{"QueueUrl":"q","MessageBody":{"Token.$":"$$.Task.Token"}}`

// longLived has tokens alone, in branches and in iterations, calls between them, and
// variables.
const longLived = `{"StartAt":"Begin","States":{
	"Begin":{"Type":"Pass","Assign":{"v":{"a":[1,2]}},"Next":"Both"},
	"Both":{"Type":"Parallel","Branches":[
		{"StartAt":"A","States":{"A":` + pay + `,"End":true}}},
		{"StartAt":"B","States":{"B":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage","Parameters":{"QueueUrl":"q","MessageBody":"m"},"Next":"C"},"C":` + pay + `,"Assign":{"w":2},"End":true}}}],
		"ResultPath":"$.both","Next":"Each"},
	"Each":{"Type":"Map","ItemsPath":"$.items","MaxConcurrency":2,"ItemSelector":{"i.$":"$$.Map.Item.Value"},"ItemProcessor":{"StartAt":"D","States":{
		"D":` + pay + `,"ResultPath":"$.d","Next":"E"},"E":{"Type":"Pass","Parameters":{"i.$":"$.i","v.$":"$v.a[1]"},"End":true}}},"ResultPath":"$.each","Next":"Last"},
	"Last":` + pay + `,"ResultPath":"$.last","End":true}}}`

// An execution that is cut off at any byte of its file continues in another process:
// nothing is called twice, every token is still valid, and it ends as it would have.
func TestExecutionsGoOn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := newLasting(t, dir)
	started := l.start(t, longLived)
	files, err := filepath.Glob(filepath.Join(dir, "*.execution.jsonl"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v: want the file of the execution", files, err)
	}
	saved := filepath.Join(t.TempDir(), "saved")
	if err := os.Link(files[0], saved); err != nil {
		t.Fatal(err)
	}
	want := l.answerAll(t)
	if want.Status != "SUCCEEDED" {
		t.Fatalf("the uninterrupted execution ended as %s: %s %s", want.Status, want.Error, want.Cause)
	}
	l.stop()
	if left, _ := filepath.Glob(filepath.Join(dir, "*.execution.jsonl")); len(left) != 0 {
		t.Errorf("%v is left of an execution that has ended", left)
	}
	whole, err := os.ReadFile(saved)
	if err != nil {
		t.Fatal(err)
	}
	first := bytes.IndexByte(whole, '\n') + 1
	rapid.Check(t, func(rt *rapid.T) {
		cut := rapid.IntRange(first, len(whole)).Draw(rt, "cut")
		goesOn(rt, t.TempDir(), filepath.Base(files[0]), whole[:cut], started.ExecutionARN, want)
	})
}

func goesOn(rt *rapid.T, dir, file string, text []byte, arn string, want statesapi.ExecutionRecord) {
	if err := os.WriteFile(filepath.Join(dir, file), text, 0o600); err != nil {
		rt.Fatal(err)
	}
	l := newLasting(rt, dir)
	defer l.stop()
	called := strings.Count(string(text[:bytes.LastIndexByte(text, '\n')+1]), `"phase":"called"`)
	if on := l.GoOn(); len(on) != 1 || on[0] != arn {
		rt.Fatalf("%v continue, want %s", on, arn)
	}
	got := l.answerAll(rt)
	switch {
	case got.Status == "SUCCEEDED" && string(got.Output) == string(want.Output):
	case got.Status == "FAILED" && got.Error == "States.TaskFailed" && strings.Contains(got.Cause, "it is not known whether the task did its work"):
	default:
		rt.Fatalf("%s: %s %s %s; want %s", got.Status, got.Output, got.Error, got.Cause, want.Output)
	}
	const all = 7 // tasks: A, B, C, D three times, Last
	calls := 0
	for _, n := range l.calls {
		calls += n
	}
	if got.Status == "SUCCEEDED" && calls+called < all || calls > all-min(called, all) {
		rt.Fatalf("%d calls before and %d after, want %d in all", called, calls, all)
	}
	history, err := l.History(statesapi.HistoryInput{ExecutionARN: &arn, MaxResults: number(1000)})
	if err != nil {
		rt.Fatal(err)
	}
	for i, text := range history.Events {
		var e struct{ ID, PreviousEventID int64 }
		if err := json.Unmarshal(text, &e); err != nil || e.ID != int64(i+1) || e.PreviousEventID >= e.ID {
			rt.Fatalf("event %d is %s", i+1, text)
		}
	}
}

func number(n int64) *int64 { return &n }

// A token that was issued before a restart can be answered after it, even before the
// executions continue; its events are those of an execution that was not interrupted. A
// second restart changes nothing.
func TestTokensSurviveARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := newLasting(t, dir)
	r := l.start(t, `{"StartAt":"Begin","States":{"Begin":{"Type":"Pass","Next":"Pay"},"Pay":`+pay+`,"TimeoutSeconds":600,"Next":"Done"},"Done":{"Type":"Pass","End":true}}}`)
	token := receive(t, l.tokens)
	l.stop()
	for range 2 { // the second one finds what the first one left
		l = newLasting(t, dir)
		if on := l.GoOn(); len(on) != 1 {
			t.Fatalf("%v continue, want one", on)
		}
		l.stop()
	}
	l = newLasting(t, dir)
	defer l.stop()
	if err := l.SendTaskSuccess(reply(token, `{"paid":true}`)); err != nil {
		t.Fatal(err)
	}
	if got := code(l.SendTaskSuccess(reply(token, `{}`))); got != "TaskTimedOut" {
		t.Errorf("the second answer is %q, want TaskTimedOut", got)
	}
	l.GoOn()
	got := receive(t, l.ended)
	if got.Status != "SUCCEEDED" || string(got.Output) != `{"paid":true}` || got.ExecutionARN != r.ExecutionARN {
		t.Errorf("ended as %s %s %s, want SUCCEEDED with {\"paid\":true}", got.Status, got.Output, got.Cause)
	}
	history, err := l.History(statesapi.HistoryInput{ExecutionARN: &r.ExecutionARN})
	if err != nil {
		t.Fatal(err)
	}
	var types []string
	for _, text := range history.Events {
		var e struct {
			Type                    string
			StateExitedEventDetails struct{ Name string }
		}
		_ = json.Unmarshal(text, &e)
		types = append(types, e.Type)
		if e.Type == "TaskStateExited" && e.StateExitedEventDetails.Name != "Pay" {
			t.Errorf("%s, want the end of the state Pay", text)
		}
	}
	if want := "ExecutionStarted PassStateEntered PassStateExited TaskStateEntered TaskScheduled TaskStarted TaskSubmitted TaskSucceeded TaskStateExited PassStateEntered PassStateExited ExecutionSucceeded"; strings.Join(types, " ") != want {
		t.Errorf("events %v, want %s", types, want)
	}
	if len(l.calls) != 0 {
		t.Errorf("calls after the restart: %v", l.calls)
	}
}

// An answer that was acknowledged is not lost with the process, and a timeout counts from
// the beginning of the task.
func TestAnswersSurviveARestart(t *testing.T) {
	t.Parallel()
	dir, killed := t.TempDir(), t.TempDir()
	l := newLasting(t, dir)
	l.start(t, `{"StartAt":"Pay","States":{"Pay":`+pay+`,"Next":"Slow"},"Slow":{"Type":"Wait","Seconds":3600,"End":true}}}`)
	token := receive(t, l.tokens)
	if err := l.SendTaskFailure(statesapi.TaskAnswer{Token: &token}); err != nil {
		t.Fatal(err)
	}
	receive(t, l.ended)
	l.start(t, `{"StartAt":"Pay","States":{"Pay":`+pay+`,"Next":"Slow"},"Slow":{"Type":"Wait","Seconds":3600,"End":true}}}`)
	token = receive(t, l.tokens)
	var files []string
	for deadline := time.Now().Add(10 * time.Second); len(files) != 1; time.Sleep(time.Millisecond) {
		// The file of an execution is removed after its end was reported.
		if files, _ = filepath.Glob(filepath.Join(dir, "*.execution.jsonl")); time.Now().After(deadline) {
			t.Fatalf("%v, want the file of the running execution", files)
		}
	}
	if err := l.SendTaskSuccess(reply(token, `{"paid":true}`)); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(files[0]) // as kill -9 leaves it, right after the acknowledgement
	if err != nil {
		t.Fatal(err)
	}
	l.stop()
	i := bytes.Index(text, []byte(`{"answer"`)) + bytes.IndexByte(text[bytes.Index(text, []byte(`{"answer"`)):], '\n') + 1
	if err := os.WriteFile(filepath.Join(killed, filepath.Base(files[0])), text[:i], 0o600); err != nil {
		t.Fatal(err)
	}
	l = newLasting(t, killed)
	defer l.stop()
	on := l.GoOn()
	if len(on) != 1 {
		t.Fatalf("%v continue, want one", on)
	}
	for deadline := time.Now().Add(10 * time.Second); ; {
		history, err := l.History(statesapi.HistoryInput{ExecutionARN: &on[0]})
		if err == nil && strings.Contains(string(bytes.Join(raw(history.Events), nil)), "WaitStateEntered") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the acknowledged answer is lost")
		}
		time.Sleep(time.Millisecond)
	}
	if got := code(l.SendTaskSuccess(reply(token, `{}`))); got != "TaskTimedOut" {
		t.Errorf("the token of a task that is over is %q, want TaskTimedOut", got)
	}
}

func raw(events []json.RawMessage) [][]byte {
	out := make([][]byte, len(events))
	for i, e := range events {
		out[i] = e
	}
	return out
}

// nesting has three executions that wait for the end of others: in a branch, in the state
// beside it, and one within another.
const nesting = `{"StartAt":"Both","States":{"Both":{"Type":"Parallel","Branches":[
	{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"arn:aws:states:::states:startExecution.sync:2","Parameters":{"StateMachineArn":"arn:aws:states:us-east-1:123456789012:stateMachine:inner","Input":{"n":1}},"OutputPath":"$.Output","End":true}}},
	{"StartAt":"B","States":{"B":{"Type":"Task","Resource":"arn:aws:states:::states:startExecution.sync","Parameters":{"StateMachineArn":"arn:aws:states:us-east-1:123456789012:stateMachine:middle","Input":{"n":2}},"OutputPath":"$.Output","End":true}}}],"End":true}}}`

func (l *lasting) nest(t *testing.T) statesapi.ExecutionRecord {
	t.Helper()
	role, kind := "arn:aws:iam::123456789012:role/r", statesapi.Standard
	for name, definition := range map[string]string{
		"inner":  `{"StartAt":"Pay","States":{"Pay":` + pay + `,"ResultPath":"$.paid","End":true}}}`,
		"middle": `{"StartAt":"C","States":{"C":{"Type":"Task","Resource":"arn:aws:states:::states:startExecution.sync:2","Parameters":{"StateMachineArn":"arn:aws:states:us-east-1:123456789012:stateMachine:inner","Input.$":"$"},"OutputPath":"$.Output","End":true}}}`,
	} {
		if _, err := l.Create(statesapi.CreateInput{Name: &name, Definition: &definition, RoleARN: &role, Type: &kind}); err != nil {
			t.Fatal(err)
		}
	}
	return l.start(t, nesting)
}

// An execution that waits for the end of others continues waiting for them after a restart,
// and they are not started again.
func TestNestedExecutionsSurviveARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := newLasting(t, dir)
	r := l.nest(t)
	tokens := []string{receive(t, l.tokens), receive(t, l.tokens)}
	l.stop()
	for range 2 {
		l = newLasting(t, dir)
		if on := l.GoOn(); len(on) != 4 {
			t.Fatalf("%v continue, want the outer one, the middle one, and two inner ones", on)
		}
		l.stop()
	}
	l = newLasting(t, dir)
	defer l.stop()
	l.GoOn()
	for _, token := range tokens {
		if err := l.SendTaskSuccess(reply(token, `true`)); err != nil {
			t.Fatal(err)
		}
	}
	for range 4 {
		got := receive(t, l.ended)
		if got.Status != "SUCCEEDED" {
			t.Errorf("%s ended as %s: %s %s, want SUCCEEDED", got.ExecutionARN, got.Status, got.Error, got.Cause)
		}
		if want := `[{"n":1,"paid":true},"{\"n\":2,\"paid\":true}"]`; got.ExecutionARN == r.ExecutionARN && string(got.Output) != want {
			t.Errorf("output %s, want %s", got.Output, want)
		}
	}
	if len(l.calls) != 0 {
		t.Errorf("calls after the restart: %v", l.calls)
	}
}

// If the execution that was waited for is not there, it is unknown how it ended, and the task
// fails; if the waiting one is stopped, the other is, too.
func TestNestedExecutionsAfterARestart(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		between func(t *testing.T, dir string)
		then    func(l *lasting, outer string) error
		ends    int
		want    string // the status and the error of the outer one
	}{
		"gone": {
			func(t *testing.T, dir string) {
				files, _ := filepath.Glob(filepath.Join(dir, "*.execution.jsonl"))
				removed := 0
				for _, file := range files {
					if text, _ := os.ReadFile(file); bytes.Contains(text, []byte(`"name":"Pay"`)) && os.Remove(file) == nil {
						removed++
					}
				}
				if removed != 2 {
					t.Fatalf("%d files of %v were removed, want those of two executions", removed, files)
				}
			},
			func(*lasting, string) error { return nil }, 2, "FAILED States.TaskFailed",
		},
		"stopped": {
			func(*testing.T, string) {},
			func(l *lasting, outer string) error {
				req := httptest.NewRequest("POST", "http://127.0.0.1/", strings.NewReader(`{"executionArn":"`+outer+`"}`))
				req.Header.Set("X-Amz-Target", "AWSStepFunctions.StopExecution")
				req.Header.Set("Content-Type", "application/x-amz-json-1.0")
				w := httptest.NewRecorder()
				statesapi.NewHandler(l.Service, statesapi.HandlerOptions{}).ServeHTTP(w, req)
				if w.Code != 200 {
					return errors.New(w.Body.String())
				}
				return nil
			}, 4, "ABORTED ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			l := newLasting(t, dir)
			r := l.nest(t)
			receive(t, l.tokens)
			receive(t, l.tokens)
			l.stop()
			tt.between(t, dir)
			l = newLasting(t, dir)
			defer l.stop()
			l.GoOn()
			if err := tt.then(l, r.ExecutionARN); err != nil {
				t.Fatal(err)
			}
			for range tt.ends {
				end := receive(t, l.ended)
				if got := string(end.Status) + " " + end.Error; end.ExecutionARN == r.ExecutionARN && got != tt.want {
					t.Errorf("%s %s, want %s", got, end.Cause, tt.want)
				}
				if end.Status == "SUCCEEDED" {
					t.Errorf("%s succeeded although it should have failed", end.ExecutionARN)
				}
			}
		})
	}
}

// Activities survive, with the tasks that no worker has taken, and those that one has.
func TestActivitiesSurviveARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := newLasting(t, dir)
	name := "work"
	a, err := l.CreateActivity(&name, nil)
	if err != nil {
		t.Fatal(err)
	}
	l.start(t, `{"StartAt":"Do","States":{"Do":{"Type":"Task","Resource":"`+a.ActivityARN+`","Next":"Again"},"Again":{"Type":"Task","Resource":"`+a.ActivityARN+`","End":true}}}`)
	for len(l.Waits("")) == 0 {
		time.Sleep(time.Millisecond)
	}
	l.stop()
	l = newLasting(t, dir)
	l.GoOn()
	task, err := l.ActivityTask(t.Context(), &a.ActivityARN, &name)
	if err != nil || task.TaskToken == nil {
		t.Fatalf("%v, %v: want the task that was not taken yet", task, err)
	}
	l.stop()
	l = newLasting(t, dir)
	defer l.stop()
	l.GoOn()
	if err := l.SendTaskSuccess(reply(*task.TaskToken, `{"n":1}`)); err != nil {
		t.Fatal(err)
	}
	next, err := l.ActivityTask(t.Context(), &a.ActivityARN, nil)
	if err != nil || next.TaskToken == nil || *next.Input != `{"n":1}` {
		t.Fatalf("%v, %v: want the task of the next state", next, err)
	}
	if err := l.SendTaskSuccess(reply(*next.TaskToken, `{"n":2}`)); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, l.ended); string(got.Output) != `{"n":2}` {
		t.Errorf("ended as %s %s %s, want the output {\"n\":2}", got.Status, got.Output, got.Cause)
	}
}

// Files that cannot be read prevent the start, and are named.
func TestBrokenExecutionFiles(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"{\n":                           "line 1 is not part of a stored execution",
		"{}\n":                          "line 1: the execution has not begun",
		`{"begin":{"format":9}}` + "\n": "stored in format 9",
		`{"begin":{"format":1}}` + "\n": "Invalid",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "a.execution.jsonl"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s := statesapi.New(statesapi.Options{})
		if err := s.Persist(dir); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "a.execution.jsonl") {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
		_ = s.Close(t.Context())
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "activities.json"), []byte(`{`), 0o600); err != nil {
		t.Fatal(err)
	}
	s := statesapi.New(statesapi.Options{})
	if err := s.Persist(dir); err == nil || !strings.Contains(err.Error(), "activities.json") {
		t.Errorf("%v, want an error that names activities.json", err)
	}
	_ = s.Close(t.Context())
}

// Whatever a file of an execution contains, it is refused, or the execution continues.
func FuzzExecutionFile(f *testing.F) {
	const begin = `{"begin":{"format":1,"executionArn":"arn:aws:states:us-east-1:123456789012:execution:m:x","name":"x","stateMachineArn":"arn:aws:states:us-east-1:123456789012:stateMachine:m","input":"{}",` +
		`"started":"2026-01-01T00:00:00Z","revision":{"arn":"arn:aws:states:us-east-1:123456789012:stateMachine:m","name":"m","type":"STANDARD","definition":"{\"StartAt\":\"P\",\"States\":{\"P\":{\"Type\":\"Pass\",\"End\":true}}}"}}}` + "\n"
	f.Add(begin + `{"flow":{"state":"P","input":1,"last":2,"phase":"running"}}` + "\n")
	f.Add(begin + `{"flow":{"state":"Q","token":"t","phase":"called"}}` + "\n" + `{"answer":{"token":"t","output":1}}` + "\n")
	f.Add(begin + `{"event":{"id":-5,"type":"X"}}` + "\n" + `{"drop":"/"}` + "\n")
	f.Fuzz(func(t *testing.T, text string) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "x.execution.jsonl"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s := statesapi.New(statesapi.Options{})
		if err := s.Persist(dir); err == nil {
			s.GoOn()
		}
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		defer cancel()
		_ = s.Close(ctx)
	})
}

// down fails every task.
type down struct{}

func (down) RunTask(context.Context, asl.Task) (any, error) { return nil, &asl.Error{Name: "Down"} }

// A wait before a retry that a restart interrupts lasts as long as it would have, in a
// machine's own flow and in a branch.
func TestRetriesWaitOnAfterARestart(t *testing.T) {
	t.Parallel()
	const call = `"T":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage","Parameters":{"QueueUrl":"q","MessageBody":"m"},
	  "Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":3600,"MaxAttempts":1}],"Catch":[{"ErrorEquals":["States.ALL"],"Next":"Z"}],"End":true},"Z":{"Type":"Pass","End":true}`
	for name, definition := range map[string]string{
		"own flow": `{"StartAt":"T","States":{` + call + `}}`,
		"branch":   `{"StartAt":"P","States":{"P":{"Type":"Parallel","Branches":[{"StartAt":"T","States":{` + call + `}}],"End":true}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			process := func(at time.Duration, sleep func(context.Context, time.Duration) error) *lasting {
				l := &lasting{ended: make(chan statesapi.ExecutionRecord, 1)}
				l.Service = statesapi.New(statesapi.Options{
					Now: func() time.Time { return began.Add(at) }, Sleep: sleep,
					Tasks: down{},
					OnExecution: func(r statesapi.ExecutionRecord) {
						if r.Status != "RUNNING" {
							l.ended <- r
						}
					},
				})
				if err := l.Persist(dir); err != nil {
					t.Fatal(err)
				}
				return l
			}
			waits := make(chan time.Duration, 2)
			first := process(0, func(ctx context.Context, d time.Duration) error { waits <- d; <-ctx.Done(); return ctx.Err() })
			first.start(t, definition)
			if d := <-waits; d != time.Hour {
				t.Errorf("it waits for %v, want an hour", d)
			}
			first.stop()
			second := process(10*time.Minute, func(_ context.Context, d time.Duration) error { waits <- d; return nil })
			defer second.stop()
			second.GoOn()
			if r := <-second.ended; r.Status != "SUCCEEDED" || len(waits) != 1 {
				t.Fatalf("%s %s after %d waits, want SUCCEEDED after one", r.Status, r.Cause, len(waits))
			}
			if d := <-waits; d != 50*time.Minute {
				t.Errorf("after the restart it waits for %v, want the 50m that are left", d)
			}
		})
	}
}
