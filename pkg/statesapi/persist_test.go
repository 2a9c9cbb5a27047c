package statesapi

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// kept starts a service on a folder.
func kept(t *testing.T, dir string) *Service {
	t.Helper()
	s := newEmpty(t)
	if err := s.Persist(dir); err != nil {
		t.Fatal(err)
	}
	return s
}

// Clients see the same service after a restart.
func TestPersist(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "folder")
	s := kept(t, dir)
	before := NewHandler(s, HandlerOptions{})
	put(t, s, "file", passDefinition)
	put(t, s, "tagged", passDefinition)
	quoted := must(t, passDefinition)
	for _, step := range []struct{ op, request string }{
		{"CreateStateMachine", `{"name":"orders","roleArn":"` + roleARN + `","type":"EXPRESS","publish":true,"versionDescription":"v1","tags":[{"key":"k","value":"v"}],"tracingConfiguration":{"enabled":true},"definition":` + quoted + `}`},
		{"UpdateStateMachine", `{"stateMachineArn":"<M>","definition":` + must(t, failDefinition) + `,"publish":true}`},
		{"UpdateStateMachine", `{"stateMachineArn":"<M>","definition":` + quoted + `,"publish":true}`},
		{"DeleteStateMachineVersion", `{"stateMachineVersionArn":"<M>:2"}`},
		{"CreateStateMachineAlias", `{"name":"PROD","routingConfiguration":[{"stateMachineVersionArn":"<M>:1","weight":60},{"stateMachineVersionArn":"<M>:3","weight":40}]}`},
		{"CreateStateMachine", `{"name":"Orders","roleArn":"` + roleARN + `","definition":` + quoted + `}`},
		{"CreateStateMachine", `{"name":"gone","roleArn":"` + roleARN + `","definition":` + quoted + `}`},
		{"DeleteStateMachine", `{"stateMachineArn":"` + s.ARN("gone") + `"}`},
		{"TagResource", `{"resourceArn":"` + s.ARN("tagged") + `","tags":[{"key":"k","value":"v"}]}`},
	} {
		if status, _, got := post(t, before, step.op, strings.ReplaceAll(step.request, "<M>", machineARN)); status != 200 {
			t.Fatalf("%s was refused before the restart: %v", step.op, got)
		}
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := kept(t, dir)
	if again.get(arn{base: s.ARN("file")}) != nil {
		t.Error("a state machine came back without its file")
	}
	put(t, again, "file", passDefinition)
	put(t, again, "tagged", failDefinition) // its file changed meanwhile
	after := NewHandler(again, HandlerOptions{})
	for _, step := range []struct{ op, request string }{
		{"ListStateMachines", `{}`},
		{"DescribeStateMachine", `{"stateMachineArn":"<M>"}`},
		{"DescribeStateMachine", `{"stateMachineArn":"<M>:1"}`},
		{"DescribeStateMachine", `{"stateMachineArn":"<M>:2"}`},
		{"ListStateMachineVersions", `{"stateMachineArn":"<M>"}`},
		{"DescribeStateMachineAlias", `{"stateMachineAliasArn":"<M>:PROD"}`},
		{"ListTagsForResource", `{"resourceArn":"<M>"}`},
		{"ListTagsForResource", `{"resourceArn":"` + s.ARN("tagged") + `"}`},
		{"PublishStateMachineVersion", `{"stateMachineArn":"<M>"}`},
		{"CreateStateMachine", `{"name":"orders","roleArn":"` + roleARN + `","type":"EXPRESS","definition":` + quoted + `}`},
	} {
		request := strings.ReplaceAll(step.request, "<M>", machineARN)
		_, _, want := post(t, before, step.op, request)
		_, _, got := post(t, after, step.op, request)
		if must(t, got) != must(t, want) {
			t.Errorf("%s %s\n got %s\nwant %s", step.op, request, must(t, got), must(t, want))
		}
	}
	out, err := again.Describe(DescribeInput{StateMachineARN: ptr(s.ARN("tagged"))})
	if err != nil || out.Definition != failDefinition {
		t.Errorf("Describe = %+v, %v, want what the file holds now", out, err)
	}
}

// All files that cannot be read are named, and nothing starts.
func TestPersistBrokenFiles(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ text, want string }{
		"not JSON":   {`{`, "not a stored state machine"},
		"empty":      {``, "not a stored state machine"},
		"format":     {`{"format":2}`, "stored in format 2, but this version reads only 1"},
		"no machine": {`{"format":1}`, `the ARN "" is not one of a state machine ""`},
		"type":       {`{"format":1,"current":{"arn":"<M>","name":"orders","type":"FAST"}}`, `the type "FAST" is neither`},
		"definition": {`{"format":1,"current":{"arn":"<M>","name":"orders","type":"EXPRESS","definition":"{}"}}`, "These fields are required"},
		"version":    {`{"format":1,"versions":{"1":null},"current":{"arn":"<M>","name":"orders","type":"EXPRESS","definition":<D>}}`, "version 1 cannot exist"},
		"alias":      {`{"format":1,"aliases":[{"name":"a","routes":[{"version":1,"weight":100}]}],"current":{"arn":"<M>","name":"orders","type":"EXPRESS","definition":<D>}}`, `the alias "a" routes to version 1, which does not exist`},
		"no routes":  {`{"format":1,"aliases":[{"name":"a"}],"current":{"arn":"<M>","name":"orders","type":"EXPRESS","definition":<D>}}`, `the alias "a" routes to nothing`},
		"tag":        {`{"format":1,"tags":[{"key":"a"}],"current":{"arn":"<M>","name":"orders","type":"EXPRESS","definition":<D>}}`, "a tag has no key or no value"},
		"logging":    {`{"format":1,"current":{"arn":"<M>","name":"orders","type":"EXPRESS","logging":[],"definition":<D>}}`, "a configuration is not an object"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "orders.0"+dataSuffix)
			text := strings.NewReplacer("<M>", machineARN, "<D>", must(t, passDefinition)).Replace(tt.text)
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			s := newEmpty(t)
			err := s.Persist(dir)
			if err == nil || !strings.Contains(err.Error(), path+": ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Persist = %v, want %s: %s", err, path, tt.want)
			}
		})
	}
}

// A change that cannot be stored is not made: the caller gets an error, and nothing is half done.
func TestPersistNoRoom(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	s := kept(t, dir)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	status, _, got := post(t, NewHandler(s, HandlerOptions{}), "CreateStateMachine",
		`{"name":"orders","roleArn":"`+roleARN+`","definition":`+must(t, passDefinition)+`}`)
	if status != 500 || !strings.Contains(got["__type"].(string), "InternalFailure") {
		t.Errorf("answer = %d %v, want InternalFailure", status, got)
	}
	if s.get(arn{base: machineARN}) != nil {
		t.Error("the state machine exists, but would be lost after a restart")
	}
}
