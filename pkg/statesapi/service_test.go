package statesapi

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

func TestParseARN(t *testing.T) {
	t.Parallel()
	tests := map[string]arn{
		machineARN:               {base: machineARN, name: "orders"},
		machineARN + ":1":        {base: machineARN, name: "orders", qualifier: "1"},
		machineARN + ":PROD#Sad": {base: machineARN, name: "orders", qualifier: "PROD", testCase: "Sad"},
		machineARN + "#Happy":    {base: machineARN, name: "orders", testCase: "Happy"},
		"arn:aws-cn:states:cn-north-1:123456789012:stateMachine:o": {base: "arn:aws-cn:states:cn-north-1:123456789012:stateMachine:o", name: "o"},
		"": {}, "arn": {}, "arn:": {}, "orders": {}, ":::::::": {}, machineARN + ":": {}, machineARN + ":1:2": {},
		"arn:aws:lambda:us-east-1:123456789012:stateMachine:orders": {},
		"arn:aws:states:us-east-1:123456789012:stateMachine:":       {},
		"arn:aws:states::123456789012:stateMachine:orders":          {},
		"arn:aws:states:us-east-1:123456789012:express:orders:a:b":  {},
		machineARN + "/": {}, machineARN[:len(machineARN)-len("orders")] + "/l": {}, machineARN + "/l:1:2": {},
	}
	for text, want := range tests {
		got, err := parseARN(text)
		if (err != nil) != (want == arn{}) || got != want {
			t.Errorf("parseARN(%q) = %+v, %v, want %+v", text, got, err, want)
		}
		if err != nil && err.Code != InvalidArn {
			t.Errorf("parseARN(%q) = %v, want InvalidArn", text, err)
		}
	}
}

func FuzzParseARN(f *testing.F) {
	for _, seed := range []string{machineARN, machineARN + ":1#x", machineARN + "/l", "arn:0:states:0:0:stateMachine:/", "arn:::::stateMachine:", "#", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := parseARN(text)
		if err != nil {
			if labelled := err.Reason == reasonLabel; err.Code != InvalidArn && !labelled || labelled && !strings.Contains(text, "/") {
				t.Errorf("parseARN(%q) = %v, want InvalidArn", text, err)
			}
			return
		}
		if again, err := parseARN(a.full()); err != nil || again.base != a.base || again.qualifier != a.qualifier {
			t.Errorf("parseARN(%q) = %+v, and its full form %+v, %v", text, a, again, err)
		}
	})
}

func TestValidName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a", "A-b_9", "ünïcode", "a.b", "a+b=c@d!", "(x)'"} {
		if !validName(name) {
			t.Errorf("validName(%q) = false, want true", name)
		}
	}
	for _, c := range "<>{}[]?*\"#%\\^|~`$&,;:/ \t\n\x00\x1f\x7f\u0080\u009f\u00a0\u2028\ufffe\uffff\U0010ffff" {
		if name := "a" + string(c); validName(name) {
			t.Errorf("validName(%q) = true, want false", name)
		}
	}
}

func TestCreateIsIdempotent(t *testing.T) {
	t.Parallel()
	in := CreateInput{Name: ptr("m"), Definition: ptr(passDefinition), RoleARN: ptr(roleARN), Type: ptr(Express)}
	change := func(f func(*CreateInput)) CreateInput {
		c := in
		f(&c)
		return c
	}
	tests := []struct {
		name   string
		second CreateInput
		want   Code
	}{
		{"same", in, ""},
		{"other role", change(func(c *CreateInput) { c.RoleARN = ptr(roleARN + "2") }), ""},
		{"tags", change(func(c *CreateInput) { c.Tags = []Tag{{ptr("k"), ptr("v")}} }), ""},
		{"other definition", change(func(c *CreateInput) { c.Definition = ptr(failDefinition) }), StateMachineAlreadyExists},
		{"other type", change(func(c *CreateInput) { c.Type = nil }), StateMachineAlreadyExists},
		{"tracing", change(func(c *CreateInput) { c.Tracing = withMembers(nil, "enabled", true) }), StateMachineAlreadyExists},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newService(t, Options{}, passDefinition)
			first, err := s.Create(in)
			if err != nil {
				t.Fatal(err)
			}
			second, err := s.Create(tt.second)
			wantCode(t, err, tt.want)
			if err == nil && *second != *first {
				t.Errorf("second answer = %v, want %v", second, first)
			}
		})
	}
}

// An update leaves unnamed members unchanged; a version never changes.
func TestUpdateAndVersions(t *testing.T) {
	t.Parallel()
	s := newService(t, Options{}, passDefinition)
	created, err := s.Create(CreateInput{
		Name: ptr("m"), Definition: ptr(passDefinition), RoleARN: ptr(roleARN), Type: ptr(Express),
		Publish: true, VersionDescription: ptr("first"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := s.ARN("m") + ":1"; created.StateMachineVersionARN != want {
		t.Errorf("version = %q, want %q", created.StateMachineVersionARN, want)
	}
	_, err = s.update(updateInput{StateMachineARN: ptr(s.ARN("m")), Definition: ptr(`{"StartAt": 1}`)})
	wantCode(t, err, InvalidDefinition)
	updated, err := s.update(updateInput{StateMachineARN: ptr(s.ARN("m")), Definition: ptr(failDefinition), Publish: true})
	if err != nil {
		t.Fatal(err)
	}
	if want := s.ARN("m") + ":2"; updated.StateMachineVersionARN != want || updated.RevisionID == "" {
		t.Errorf("update = %+v, want version %q and a revision", updated, want)
	}
	again, err := s.update(updateInput{StateMachineARN: ptr(s.ARN("m")), Definition: ptr(failDefinition), Publish: true})
	if err != nil || again.StateMachineVersionARN != updated.StateMachineVersionARN || again.RevisionID != updated.RevisionID {
		t.Errorf("the same update = %+v, %v, want %+v", again, err, updated)
	}

	for arn, want := range map[string]string{s.ARN("m"): failDefinition, s.ARN("m") + ":1": passDefinition, s.ARN("m") + ":2": failDefinition} {
		got, err := s.Describe(DescribeInput{StateMachineARN: &arn})
		if err != nil {
			t.Fatal(err)
		}
		if got.Definition != want || got.StateMachineARN != arn || got.RoleARN != roleARN {
			t.Errorf("Describe(%s) = %+v, want definition %s", arn, got, want)
		}
	}
	first, err := s.Describe(DescribeInput{StateMachineARN: ptr(s.ARN("m") + ":1")})
	if err != nil || first.Description != "first" {
		t.Errorf("version 1 = %+v, %v, want its description", first, err)
	}
	for arn, want := range map[string]bridge.Status{s.ARN("m"): bridge.Failed, s.ARN("m") + ":1": bridge.Succeeded} {
		got, err := s.StartSync(t.Context(), StartInput{StateMachineARN: &arn})
		if err != nil || got.Status != want || got.StateMachineARN != arn {
			t.Errorf("StartSync(%s) = %+v, %v, want %s", arn, got, err, want)
		}
	}
	metadata, err := s.Describe(DescribeInput{StateMachineARN: ptr(s.ARN("m")), IncludedData: ptr(metadataOnly)})
	if err != nil || metadata.Definition != "{}" {
		t.Errorf("metadata = %+v, %v, want the definition {}", metadata, err)
	}
	if err := s.Delete(DeleteInput{ptr(s.ARN("m"))}); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(DeleteInput{ptr(s.ARN("m"))}); err != nil {
		t.Errorf("the second Delete failed: %v", err)
	}
	_, err = s.Describe(DescribeInput{StateMachineARN: ptr(s.ARN("m") + ":1")})
	wantCode(t, err, StateMachineDoesNotExist)
}

func TestListPages(t *testing.T) {
	t.Parallel()
	s := newService(t, Options{}, passDefinition)
	want := []string{"orders"}
	for i := range 250 {
		name := fmt.Sprintf("m-%03d", i)
		if err := s.Put(name, []byte(passDefinition)); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	var sizes []int
	in := ListInput{}
	for {
		page, err := s.List(in)
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(page.StateMachines))
		for _, m := range page.StateMachines {
			got = append(got, m.Name)
		}
		if page.NextToken == "" {
			break
		}
		// The token stays valid although the machine that it names has been deleted.
		if err := s.Delete(DeleteInput{ptr(page.StateMachines[len(page.StateMachines)-1].StateMachineARN)}); err != nil {
			t.Fatal(err)
		}
		in.NextToken = &page.NextToken
	}
	for i := 249; i >= 0; i-- {
		want = append([]string{fmt.Sprintf("m-%03d", i)}, want...)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{100, 100, 51}, sizes); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
}

func TestTagKeys(t *testing.T) {
	t.Parallel()
	arned(script{
		{"UntagResource", `{"resourceArn":"<M>","tagKeys":["a",""]}`, `ValidationException: 1 validation error detected: Value '[a, ]' at 'tagKeys' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater than or equal to 1]`},
		{"UntagResource", `{"resourceArn":"<M>","tagKeys":[]}`, `{}`},
		{"ListTagsForResource", `{"resourceArn":"arn:aws:states:us-east-1:1:activity:a"}`, `ResourceNotFound: Resource not found: 'arn:aws:states:us-east-1:1:activity:a'`},
	}).run(t, NewHandler(newService(t, Options{}, passDefinition), HandlerOptions{}))
}

func TestTags(t *testing.T) {
	t.Parallel()
	s := newService(t, Options{}, passDefinition)
	tags := func(kv ...string) []Tag {
		list := []Tag{}
		for i := 0; i < len(kv); i += 2 {
			list = append(list, Tag{&kv[i], &kv[i+1]})
		}
		return list
	}
	if err := s.Tag(TagInput{ptr(machineARN), tags("a", "1", "b", "2")}); err != nil {
		t.Fatal(err)
	}
	if err := s.Tag(TagInput{ptr(machineARN), tags("b", "3", "c", "")}); err != nil {
		t.Fatal(err)
	}
	if err := s.untag(untagInput{ptr(machineARN), []string{"a", "z"}}); err != nil {
		t.Fatal(err)
	}
	got, err := s.listTags(listTagsInput{ptr(machineARN)})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(tags("b", "3", "c", ""), got.Tags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	many := []string{}
	for i := range 49 {
		many = append(many, fmt.Sprint("k", i), "v")
	}
	wantCode(t, s.Tag(TagInput{ptr(machineARN), tags(many...)}), TooManyTags)
}

func TestLimits(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	s := newFake(t, Options{MaxExecutions: 1, MaxStateMachines: 2}, func(ctx context.Context, x Execution) Result {
		<-release
		return echo(ctx, x)
	})
	if _, err := s.Start(StartInput{StateMachineARN: ptr(machineARN)}); err != nil {
		t.Fatal(err)
	}
	_, err := s.Start(StartInput{StateMachineARN: ptr(machineARN)})
	wantCode(t, err, ExecutionLimitExceeded)
	_, err = s.StartSync(t.Context(), StartInput{StateMachineARN: ptr(machineARN)})
	wantCode(t, err, ThrottlingException)
	close(release)

	if err := s.Put("second", []byte(passDefinition)); err != nil {
		t.Fatal(err)
	}
	wantCode(t, s.Put("third", []byte(passDefinition)), StateMachineLimitExceeded)
	if err := s.Put("second", []byte(failDefinition)); err != nil {
		t.Errorf("Put of one that exists: %v", err)
	}
}

// The names of STANDARD executions are unique, as in AWS.
func TestStandardExecutions(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	ended := make(chan struct{})
	s := newFake(t, Options{OnExecution: func(r ExecutionRecord) {
		if r.Status != bridge.Running {
			close(ended)
		}
	}}, func(ctx context.Context, x Execution) Result {
		<-release
		return echo(ctx, x)
	})
	if _, err := s.Create(CreateInput{Name: ptr("std"), Definition: ptr(passDefinition), RoleARN: ptr(roleARN)}); err != nil {
		t.Fatal(err)
	}
	in := StartInput{StateMachineARN: ptr(s.ARN("std")), Name: ptr("n"), Input: []byte("1")}
	first, err := s.Start(in)
	if err != nil {
		t.Fatal(err)
	}
	if want := "arn:aws:states:us-east-1:123456789012:execution:std:n"; first.ExecutionARN != want {
		t.Errorf("ARN = %q, want %q", first.ExecutionARN, want)
	}
	again, err := s.Start(in)
	if err != nil || again.ExecutionARN != first.ExecutionARN || !again.StartDate.Equal(first.StartDate) {
		t.Errorf("same name and input while running = %+v, %v, want the first one", again, err)
	}
	other := in
	other.Input = []byte("2")
	_, err = s.Start(other)
	wantCode(t, err, ExecutionAlreadyExists)
	close(release)
	<-ended
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.names.byARN[first.ExecutionARN]; got == nil || !got.ended {
		t.Errorf("record after the end = %+v, want it to have ended", got)
	}
}

// Close waits for running executions, and stops them when its own context ends.
func TestClose(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var ends []bridge.Status
	s := newFake(t, Options{OnExecution: func(r ExecutionRecord) {
		mu.Lock()
		defer mu.Unlock()
		if r.Status != bridge.Running {
			ends = append(ends, r.Status)
		}
	}}, untilStopped)
	if _, err := s.Start(StartInput{StateMachineARN: ptr(machineARN)}); err != nil {
		t.Fatal(err)
	}
	stopped := make(chan error)
	go func() {
		_, err := s.StartSync(context.Background(), StartInput{StateMachineARN: ptr(machineARN)})
		stopped <- err
	}()
	waitRunning(t, s, 2)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	closed := make(chan error)
	go func() { closed <- s.Close(ctx) }()
	var stop *Stopped
	if err := <-stopped; !errors.As(err, &stop) || !errors.Is(err, errClosed) {
		t.Errorf("StartSync while closing = %v, want Stopped", err)
	}
	if err := <-closed; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Close = %v, want deadline exceeded", err)
	}
	if diff := cmp.Diff([]bridge.Status{aborted, aborted}, ends); diff != "" {
		t.Errorf("ends (-want +got):\n%s", diff)
	}
	_, err := s.Start(StartInput{StateMachineARN: ptr(machineARN)})
	wantCode(t, err, ServiceUnavailable)
	if err := s.Close(t.Context()); err != nil {
		t.Errorf("the second Close returned %v", err)
	}
}

func waitRunning(t *testing.T, s *Service, n int) {
	t.Helper()
	for range 5000 {
		s.runMu.Lock()
		running := s.running
		s.runMu.Unlock()
		if running == n {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("never had %d executions running", n)
}

// A panic only ends its own execution.
func TestExecutionPanic(t *testing.T) {
	t.Parallel()
	s := newFake(t, Options{}, func(context.Context, Execution) Result { panic("boom") })
	got, err := s.StartSync(t.Context(), StartInput{StateMachineARN: ptr(machineARN)})
	if err != nil {
		t.Fatal(err)
	}
	if got.Status != bridge.Failed || got.Error != "States.Runtime" || strings.Contains(got.Cause, "boom") {
		t.Errorf("record = %+v, want FAILED States.Runtime without the panic", got)
	}
	if got.Err == nil || !strings.Contains(got.Err.Error(), "boom") {
		t.Errorf("Err = %v, want the panic", got.Err)
	}
}

func TestBilledDuration(t *testing.T) {
	t.Parallel()
	for took, want := range map[time.Duration]time.Duration{
		0: 100 * time.Millisecond, 1: 100 * time.Millisecond, 100 * time.Millisecond: 100 * time.Millisecond,
		101 * time.Millisecond: 200 * time.Millisecond, 7560 * time.Millisecond: 7600 * time.Millisecond,
	} {
		if got := (ExecutionRecord{StartDate: at, StopDate: at.Add(took)}).BilledDuration(); got != want {
			t.Errorf("BilledDuration after %v = %v, want %v", took, got, want)
		}
	}
}

// An invalid file leaves the last good definition in place, and the error names the file.
func TestLoadDir(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("first.asl.json", passDefinition)
	write("second.asl.json", failDefinition)
	write("README.md", "no state machine")
	s := newService(t, Options{}, passDefinition)
	if err := s.LoadDir(dir); err != nil {
		t.Fatal(err)
	}
	write("first.asl.json", "{")
	write("second.asl.json", passDefinition)
	write("a b.asl.json", passDefinition)
	err := s.LoadDir(dir)
	if err == nil || !strings.Contains(err.Error(), "first.asl.json:1:2: INVALID_JSON_DESCRIPTION") || !strings.Contains(err.Error(), "a b.asl.json: InvalidName") {
		t.Errorf("LoadDir = %v, want both files named", err)
	}
	for _, name := range []string{"first", "second"} {
		got, err := s.Describe(DescribeInput{StateMachineARN: ptr(s.ARN(name))})
		if err != nil || got.Definition != passDefinition || got.Type != Express {
			t.Errorf("Describe(%s) = %+v, %v, want the last good definition", name, got, err)
		}
	}
	if err := os.Symlink(t.TempDir(), filepath.Join(dir, "folder.asl.json")); err != nil {
		t.Fatal(err)
	}
	if err := s.LoadDir(dir); err == nil || !strings.Contains(err.Error(), "folder.asl.json is not a file") {
		t.Errorf("LoadDir = %v, want the folder named", err)
	}
	if _, err := s.CheckDir(dir); err == nil || !strings.Contains(err.Error(), "folder.asl.json is not a file") || !strings.Contains(err.Error(), "first.asl.json:1:2") {
		t.Errorf("CheckDir = %v, want both named", err)
	}
	if err := s.LoadDir(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("LoadDir(none) = %v, want not exist", err)
	}
}

// A definition that waits for a token or a job is a STANDARD state machine: an EXPRESS one
// cannot run it.
func TestLoadDirKnowsTheType(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "m.asl.json")
	s := newService(t, Options{}, passDefinition)
	task := func(resource string) string {
		return `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"` + resource + `","Parameters":{"QueueUrl":"q","MessageBody":"m"},"End":true}}}`
	}
	for _, tt := range []struct{ definition, want string }{
		{passDefinition, Express},
		{task("arn:aws:states:::sqs:sendMessage.waitForTaskToken"), Standard},
		{task("arn:aws:states:::sqs:sendMessage"), Express},
		{task("arn:aws:states:us-east-1:123456789012:activity:a"), Standard},
		{task("arn:aws:states:::sqs:sendMessage.waitForEver"), ""}, // wrong for either
		{passDefinition, Express},
	} {
		if err := os.WriteFile(path, []byte(tt.definition), 0o600); err != nil {
			t.Fatal(err)
		}
		loaded := s.LoadDir(dir)
		_, checked := s.CheckDir(dir)
		if (loaded == nil) != (tt.want != "") || (checked == nil) != (tt.want != "") {
			t.Errorf("%s: LoadDir = %v, CheckDir = %v, want errors from both or neither", tt.definition, loaded, checked)
		}
		if tt.want == "" {
			if !strings.Contains(loaded.Error(), "m.asl.json:1:") {
				t.Errorf("LoadDir = %v, want the place", loaded)
			}
			continue
		}
		if got, err := s.Describe(DescribeInput{StateMachineARN: ptr(s.ARN("m"))}); err != nil || got.Type != tt.want {
			t.Errorf("%s: got %+v, %v, want %s", tt.definition, got, err, tt.want)
		}
	}
}
