package statesapi

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/bridge"
)

// startStandard makes a STANDARD state machine and starts one execution of it.
func startStandard(t *testing.T, s *Service, definition, input string) (execution string) {
	t.Helper()
	if _, err := s.Create(CreateInput{Name: ptr("std"), Definition: &definition, RoleARN: ptr(roleARN)}); err != nil {
		t.Fatal(err)
	}
	record, err := s.Start(StartInput{StateMachineARN: ptr(s.ARN("std")), Name: ptr("n"), Input: []byte(input)})
	if err != nil {
		t.Fatal(err)
	}
	return record.ExecutionARN
}

// waitEnded returns the description of an execution that has ended.
func waitEnded(t *testing.T, s *Service, execution string) *describeExecutionOutput {
	t.Helper()
	for range 5000 {
		out, err := s.describeExecution(executionInput{ExecutionARN: &execution})
		if err != nil {
			t.Fatal(err)
		}
		if out.Status != string(bridge.Running) {
			return out
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("the execution does not end")
	return nil
}

// eventTypes are those of the events on all pages.
func eventTypes(t *testing.T, s *Service, in HistoryInput) (names []string) {
	t.Helper()
	for pages := 0; ; pages++ {
		out, err := s.History(in)
		if err != nil || pages > 2*maxEvents {
			t.Fatalf("page %d of the history: %v", pages, err)
		}
		for _, text := range out.Events {
			var e struct{ Type string }
			if err := json.Unmarshal(text, &e); err != nil {
				t.Fatal(err)
			}
			names = append(names, e.Type)
		}
		if out.NextToken == "" {
			return names
		}
		in.NextToken = &out.NextToken
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	s := newService(t, Options{}, passDefinition)
	const definition = `{"StartAt":"A","States":{"A":{"Type":"Pass","Assign":{"v":"E"},"Next":"B"},"B":{"Type":"Fail","ErrorPath":"$v","Cause":"C"}}}`
	execution := startStandard(t, s, definition, `{"a": 1}`)
	waitEnded(t, s, execution)
	event := func(id int, kind, details string) string {
		if details != "" {
			details = "," + details
		}
		previous := id - 1
		if id == 2 { // as in AWS
			previous = 0
		}
		return fmt.Sprintf(`{"id":%d,"previousEventId":%d%s,"timestamp":%s,"type":"%s"}`, id, previous, details, stamp, kind)
	}
	const flags = `"inputDetails":{"truncated":false}`
	started := event(1, "ExecutionStarted", "")
	started = strings.Replace(started, `{"id"`, `{"executionStartedEventDetails":{"input":"{\"a\": 1}",`+flags+`,"roleArn":"`+roleARN+`"},"id"`, 1)
	failed := strings.Replace(event(5, "ExecutionFailed", ""), `{"id"`, `{"executionFailedEventDetails":{"cause":"C","error":"E"},"id"`, 1)
	entered := func(id int, kind, name string) string {
		return event(id, kind, `"stateEnteredEventDetails":{"input":"{\"a\":1}",`+flags+`,"name":"`+name+`"}`)
	}
	exited := event(3, "PassStateExited", `"stateExitedEventDetails":{"assignedVariables":{"v":"\"E\""},"assignedVariablesDetails":{"truncated":false},"name":"A","output":"{\"a\":1}","outputDetails":{"truncated":false}}`)
	all := []string{started, entered(2, "PassStateEntered", "A"), exited, entered(4, "FailStateEntered", "B"), failed}
	backwards := slices.Clone(all)
	slices.Reverse(backwards)
	ask := func(more string) string { return `{"executionArn":"` + execution + `"` + more + `}` }
	answer := func(list []string, token string) string {
		if token != "" {
			token = `,"nextToken":"` + token + `"`
		}
		return `{"events":[` + strings.Join(list, ",") + `]` + token + `}`
	}
	invalid := `InvalidToken: Invalid Token: 'Invalid token'`
	script{
		{"GetExecutionHistory", ask(``), answer(all, "")},
		{"GetExecutionHistory", ask(`,"maxResults":0,"includeExecutionData":true`), answer(all, "")},
		{"GetExecutionHistory", ask(`,"reverseOrder":true`), answer(backwards, "")},
		{"GetExecutionHistory", ask(`,"maxResults":2`), answer(all[:2], pageToken("2"))},
		{"GetExecutionHistory", ask(`,"maxResults":3,"nextToken":"` + pageToken("2") + `"`), answer(all[2:], "")},
		{"GetExecutionHistory", ask(`,"maxResults":2,"reverseOrder":true`), answer(backwards[:2], pageToken("4"))},
		{"GetExecutionHistory", ask(`,"maxResults":3,"reverseOrder":true,"nextToken":"` + pageToken("4") + `"`), answer(backwards[2:], "")},
		{"GetExecutionHistory", ask(`,"maxResults":1,"includeExecutionData":false`), answer([]string{
			strings.Replace(started, `"input":"{\"a\": 1}",`, "", 1),
		}, pageToken("1"))},
		{"GetExecutionHistory", ask(`,"includeExecutionData":"no"`), `SerializationException: STRING_VALUE can not be converted to a Boolean`},
		{"GetExecutionHistory", ask(`,"nextToken":"2"`), invalid},
		{"GetExecutionHistory", ask(`,"nextToken":"` + pageToken("0") + `"`), invalid},
		{"GetExecutionHistory", ask(`,"nextToken":"` + pageToken("6") + `"`), invalid},
		{"GetExecutionHistory", ask(`,"nextToken":"` + pageToken("x") + `"`), invalid},
		{"GetExecutionHistory", `{"maxResults":-1}`, `ValidationException: 2 validation errors detected: Value null at 'executionArn' failed to satisfy constraint: Member must not be null; Value '-1' at 'maxResults' failed to satisfy constraint: Member must have value greater than or equal to 0`},
	}.run(t, NewHandler(s, HandlerOptions{}))
	described, err := s.describeForExecution(executionInput{ExecutionARN: &execution})
	if err != nil || !slices.Equal(described.VariableReferences["B"], []string{"v"}) {
		t.Errorf("DescribeForExecution = %+v, %v, want the version that B refers to", described, err)
	}
	out, err := s.History(HistoryInput{ExecutionARN: &execution, WithoutData: true})
	if err != nil {
		t.Fatal(err)
	}
	text := must(t, out.Events)
	for _, word := range []string{`"input"`, `"output"`, `"assignedVariables"`} {
		if strings.Contains(text, word) {
			t.Errorf("%s must not be in %s", word, text)
		}
	}
}

// The history of an execution that is stopped ends with that.
func TestHistoryOfStopped(t *testing.T) {
	t.Parallel()
	s := newService(t, Options{Now: time.Now}, passDefinition)
	execution := startStandard(t, s, `{"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":60,"End":true}}}`, `{}`)
	in := HistoryInput{ExecutionARN: &execution, MaxResults: ptr[int64](1)}
	for len(eventTypes(t, s, in)) < 2 {
		time.Sleep(time.Millisecond)
	}
	if _, err := s.stopExecution(stopExecutionInput{&execution, ptr("E"), ptr("C")}); err != nil {
		t.Fatal(err)
	}
	waitEnded(t, s, execution)
	if diff := cmp.Diff([]string{"ExecutionStarted", "WaitStateEntered", "ExecutionAborted"}, eventTypes(t, s, in)); diff != "" {
		t.Error(diff)
	}
	in.ReverseOrder = true
	out, err := s.History(in)
	if err != nil || !strings.Contains(string(out.Events[0]), `"executionAbortedEventDetails":{"error":"E","cause":"C"}`) {
		t.Errorf("got %s, %v, want the error and the cause of StopExecution", out.Events, err)
	}
}

// The history of an execution that panics has an end, too.
func TestHistoryOfPanic(t *testing.T) {
	t.Parallel()
	s := newFake(t, Options{}, func(_ context.Context, x Execution) Result {
		x.Observe(asl.Event{ID: 1, Type: "ExecutionStarted"})
		panic("an engine")
	})
	execution := startStandard(t, s, passDefinition, `{}`)
	waitEnded(t, s, execution)
	if diff := cmp.Diff([]string{"ExecutionStarted", "ExecutionFailed"}, eventTypes(t, s, HistoryInput{ExecutionARN: &execution})); diff != "" {
		t.Error(diff)
	}
}

// A history has at most as many events as in AWS; an execution that needs more fails.
func TestHistoryIsFull(t *testing.T) {
	t.Parallel()
	s := newService(t, Options{Now: time.Now}, passDefinition)
	const definition = `{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Pass","Next":"C"},"C":{"Type":"Choice","Choices":[{"Variable":"$.a","IsPresent":true,"Next":"D"}],"Default":"A"},"D":{"Type":"Succeed"}}}`
	execution := startStandard(t, s, definition, `{}`)
	out := waitEnded(t, s, execution)
	if out.Status != "FAILED" || out.Error != "States.Runtime" || out.Cause != "The execution reached the maximum number of history events (25000)." {
		t.Errorf("got %s %s: %s, want the failure of a full history", out.Status, out.Error, out.Cause)
	}
	got := eventTypes(t, s, HistoryInput{ExecutionARN: &execution, MaxResults: ptr[int64](1000)})
	if len(got) != maxEvents || got[maxEvents-1] != "ExecutionFailed" {
		t.Errorf("%d events, the last one %s", len(got), got[len(got)-1])
	}
}

// Large data makes short pages, and a history for which there is no room is dropped as a
// whole.
func TestHistoryOfLargeData(t *testing.T) {
	t.Parallel()
	text := `"` + strings.Repeat("d", maxInput/2) + `"`
	steps := func(n int) scripted {
		return func(ctx context.Context, x Execution) Result {
			for i := range n {
				x.Observe(asl.Event{ID: int64(i + 1), PreviousID: int64(i), Type: "PassStateEntered", Input: text})
			}
			return echo(ctx, x)
		}
	}
	const fit = 20
	s := newFake(t, Options{}, steps(fit))
	execution := startStandard(t, s, passDefinition, `{}`)
	waitEnded(t, s, execution)
	out, err := s.History(HistoryInput{ExecutionARN: &execution})
	if err != nil || len(out.Events) == fit || len(out.Events) == 0 || out.NextToken == "" {
		t.Errorf("%d events, %v, want a part of them", len(out.Events), err)
	}
	if got := eventTypes(t, s, HistoryInput{ExecutionARN: &execution, ReverseOrder: true}); len(got) != fit {
		t.Errorf("%d events, want %d", len(got), fit)
	}

	s = newFake(t, Options{}, steps(2*maxRememberedBytes/maxInput+10))
	execution = startStandard(t, s, passDefinition, `{}`)
	waitEnded(t, s, execution)
	_, err = s.History(HistoryInput{ExecutionARN: &execution})
	wantCode(t, err, UnknownOperationException)
	s.runMu.Lock()
	defer s.runMu.Unlock()
	if s.names.bytes > maxInput {
		t.Errorf("%d bytes are kept, which exceeds the bound", s.names.bytes)
	}
}

// The events of a task name its region, as in AWS, and clients of it are understood.
func TestHistoryOfTask(t *testing.T) {
	t.Parallel()
	s := newService(t, Options{Region: "eu-west-1"}, passDefinition)
	execution := startStandard(t, s, strings.ReplaceAll(starting("states:startExecution", "orders", `{}`), "us-east-1", "eu-west-1"), `{}`)
	if out := waitEnded(t, s, execution); out.Status != "SUCCEEDED" {
		t.Fatalf("the execution ended as %s: %s %s, want SUCCEEDED", out.Status, out.Error, out.Cause)
	}
	list, err := newClient(newServer(t, s)).GetExecutionHistory(t.Context(), &sfn.GetExecutionHistoryInput{ExecutionArn: &execution})
	if err != nil || len(list.Events) != 7 {
		t.Fatalf("got %d events, %v, want 7", len(list.Events), err)
	}
	scheduled := list.Events[2].TaskScheduledEventDetails
	if scheduled == nil || *scheduled.Region != "eu-west-1" || *scheduled.ResourceType != "states" || !strings.Contains(*scheduled.Parameters, ":orders") {
		t.Errorf("scheduled = %+v, want the region, the type and the parameters of the task", scheduled)
	}
}

// Pages put together are the whole, in either order, of whatever size they are.
func TestHistoryPages(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 9).Draw(t, "events")
		x := &started{}
		want := make([]string, n)
		for i := range n {
			want[i] = strconv.Itoa(i + 1)
			size := rapid.SampledFrom([]int{0, maxHistoryPage / 3, maxHistoryPage + 1}).Draw(t, "size")
			x.history.add(asl.Event{}, []byte(want[i]+strings.Repeat(" ", size)))
		}
		in := HistoryInput{ExecutionARN: ptr("arn:aws:states:r:1:execution:m:n"), ReverseOrder: rapid.Bool().Draw(t, "reverse")}
		in.MaxResults = ptr(rapid.Int64Range(0, 10).Draw(t, "maxResults"))
		if in.ReverseOrder {
			slices.Reverse(want)
		}
		s := &Service{names: remembered{byARN: map[string]*started{*in.ExecutionARN: x}}}
		got := []string{}
		for range n + 1 {
			out, err := s.History(in)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range out.Events {
				got = append(got, strings.TrimSpace(string(e)))
			}
			if in.NextToken = &out.NextToken; out.NextToken == "" {
				break
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}
