package statesapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/internal/mototest"
	"github.com/expressway-dev/expressway/internal/shared"
	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/asl/tasks"
	"github.com/expressway-dev/expressway/pkg/jsonata"
	"github.com/expressway-dev/expressway/pkg/statesapi"
)

// machinesFloor is how many of the published state machines must run to their end.
const machinesFloor = 120

// longTexts finds task tokens in inputs.
var longTexts = regexp.MustCompile(`[0-9A-Za-z+/=]{100,}`)

// A published state machine, with what it needs around it.
type published struct {
	ID         string                     `json:"id"`
	Type       string                     `json:"type"`
	Definition json.RawMessage            `json:"definition"`
	Values     map[string]string          `json:"values"`
	Input      json.RawMessage            `json:"input"`
	Functions  map[string]json.RawMessage `json:"functions"`
	Callback   json.RawMessage            `json:"callback"`
	Mocks      map[string]json.RawMessage `json:"mocks"`
	Resources  struct {
		Tables []struct {
			Name    string
			Key     []keyPart
			Indexes map[string][]keyPart
			Items   []json.RawMessage
		} `json:"tables"`
		Topics, Queues, Buses, Activities []string
		Buckets                           []struct {
			Name    string
			Objects map[string]string
		}
		Machines []struct {
			Name, Type string
			Output     json.RawMessage
		}
	} `json:"resources"`
	Expect struct {
		Status    string   `json:"status"`
		Error     string   `json:"error"`
		States    []string `json:"states"`
		Unordered bool     `json:"unordered"`
	} `json:"expect"`
}

// Published state machines run to their known end, against moto and mocks.
func TestPublishedMachines(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(shared.Path(t, "machines"), "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no machines to read: %v", err)
	}
	server := mototest.Start(t)
	ran := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var m published
		if err := json.Unmarshal(text, &m); err != nil {
			t.Fatalf("read the machine of %s: %v", file, err)
		}
		if err := m.run(t, server); err != nil {
			t.Logf("%s: %v", m.ID, err)
			continue
		}
		ran++
	}
	t.Logf("published state machines that run to their end: %d/%d", ran, len(files))
	if ran < machinesFloor {
		t.Errorf("%d run, want at least %d", ran, machinesFloor)
	}
}

func (m *published) run(t *testing.T, server *mototest.Server) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	resp, err := http.Post(server.URL+"/moto-api/reset", "", nil)
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	functions := httptest.NewServer(http.HandlerFunc(m.function))
	defer functions.Close()
	runner := tasks.FromEnv(func(name string) string {
		if name == "AWS_ENDPOINT_URL_LAMBDA" {
			return functions.URL
		}
		return server.Getenv(name)
	}, "us-east-1")
	if err := m.setUp(ctx, runner); err != nil {
		return fmt.Errorf("set-up: %w", err)
	}
	mocks, err := m.mockConfig()
	if err != nil {
		return err
	}
	tokens := make(chan string, 100)
	send := func(token string) { tokens <- token }
	ended := make(chan statesapi.ExecutionRecord, 1)
	var mu sync.Mutex
	var entered []string
	own := func(r statesapi.ExecutionRecord) bool { return strings.HasSuffix(r.StateMachineARN, ":"+m.ID) }
	service := statesapi.New(statesapi.Options{
		Tasks: callingBack{runner, send}, Mocks: mocks.Runner,
		Sleep: func(ctx context.Context, d time.Duration) error {
			select {
			case <-time.After(min(d, 20*time.Millisecond)):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		},
		OnExecution: func(r statesapi.ExecutionRecord) {
			if !own(r) && r.Status == "RUNNING" { // its input may hold the token of the task that waits
				for _, token := range longTexts.FindAllString(string(r.Input), -1) {
					send(token)
				}
			}
			if own(r) && r.Status != "RUNNING" {
				ended <- r
			}
		},
		Observe: func(r statesapi.ExecutionRecord, _ string) func(asl.Event) {
			if !own(r) {
				return nil
			}
			return func(e asl.Event) {
				if strings.HasSuffix(string(e.Type), "StateEntered") {
					mu.Lock()
					entered = append(entered, e.Name)
					mu.Unlock()
				}
			}
		},
	})
	defer func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = service.Close(end)
	}()
	for _, name := range m.Resources.Activities {
		a, err := service.CreateActivity(&name, nil)
		if err != nil {
			return err
		}
		go func() {
			for ctx.Err() == nil {
				task, err := service.ActivityTask(ctx, &a.ActivityARN, nil)
				if err != nil {
					return
				}
				if task.TaskToken != nil {
					tokens <- *task.TaskToken
				}
			}
		}()
	}
	go m.answer(ctx, service, tokens)
	if err := m.start(service); err != nil {
		return err
	}
	select {
	case r := <-ended:
		mu.Lock()
		defer mu.Unlock()
		return m.judge(r, entered)
	case <-ctx.Done():
		return errors.New("it does not end")
	}
}

// callingBack passes on the tokens of waiting tasks, so that they can be answered.
type callingBack struct {
	asl.TaskRunner
	send func(token string)
}

func (r callingBack) RunTask(ctx context.Context, t asl.Task) (any, error) {
	out, err := r.TaskRunner.RunTask(ctx, t)
	if err == nil && t.Token != "" {
		r.send(t.Token)
	}
	return out, err
}

// answer ends the tasks of tokens by SendTaskSuccess.
func (m *published) answer(ctx context.Context, service *statesapi.Service, tokens <-chan string) {
	output := string(m.Callback)
	if output == "" {
		output = "{}"
	}
	for {
		select {
		case token := <-tokens:
			_ = service.SendTaskSuccess(statesapi.TaskAnswer{Token: &token, Output: &output})
		case <-ctx.Done():
			return
		}
	}
}

// function answers every call of a Lambda function.
func (m *published) function(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	name := strings.Split(strings.TrimPrefix(r.URL.Path, "/2015-03-31/functions/"), "/")[0]
	name = name[strings.LastIndexByte(name, ':')+1:]
	payload, ok := m.Functions[name]
	if !ok {
		payload = json.RawMessage(`{}`)
	}
	_, _ = w.Write(payload)
}

func (m *published) mockConfig() (*tasks.MockConfig, error) {
	states, responses := map[string]string{}, map[string]any{}
	for state, response := range m.Mocks {
		states[state], responses[state] = state, response
	}
	text, err := json.Marshal(map[string]any{
		"StateMachines":   map[string]any{m.ID: map[string]any{"TestCases": map[string]any{"case": states}}},
		"MockedResponses": responses,
	})
	if err != nil {
		return nil, err
	}
	return tasks.LoadMocks(text)
}

// call makes a call of the SDK as a task would.
func call(ctx context.Context, r asl.TaskRunner, action string, arguments any) error {
	text, err := json.Marshal(arguments)
	if err != nil {
		return err
	}
	v, err := jsonata.Decode(text)
	if err != nil {
		return err
	}
	_, err = r.RunTask(ctx, asl.Task{Resource: "arn:aws:states:::aws-sdk:" + action, State: "set-up", Parameters: v})
	return err
}

func (m *published) setUp(ctx context.Context, r asl.TaskRunner) error {
	for _, table := range m.Resources.Tables {
		err := call(ctx, r, "dynamodb:createTable", createTable(table.Name, table.Key, table.Indexes))
		for _, item := range table.Items {
			if err == nil {
				err = call(ctx, r, "dynamodb:putItem", map[string]any{"TableName": table.Name, "Item": item})
			}
		}
		if err != nil {
			return err
		}
	}
	for _, kind := range []struct {
		action, member, fifo string
		names                []string
	}{
		{"sns:createTopic", "Name", "FifoTopic", m.Resources.Topics},
		{"sqs:createQueue", "QueueName", "FifoQueue", m.Resources.Queues},
		{"eventbridge:createEventBus", "Name", "", m.Resources.Buses},
	} {
		for _, name := range kind.names {
			arguments := map[string]any{kind.member: name}
			if strings.HasSuffix(name, ".fifo") {
				arguments["Attributes"] = map[string]string{kind.fifo: "true"}
			}
			if err := call(ctx, r, kind.action, arguments); err != nil {
				return err
			}
		}
	}
	for _, bucket := range m.Resources.Buckets {
		if err := call(ctx, r, "s3:createBucket", map[string]any{"Bucket": bucket.Name}); err != nil {
			return err
		}
		for key, text := range bucket.Objects {
			if err := call(ctx, r, "s3:putObject", map[string]any{"Bucket": bucket.Name, "Key": key, "Body": text}); err != nil {
				return err
			}
		}
	}
	return nil
}

// A keyPart is one attribute of a key, the partition key first.
type keyPart struct{ Name, Type string }

// createTable makes what CreateTable takes.
func createTable(name string, key []keyPart, indexes map[string][]keyPart) map[string]any {
	attributes := map[string]string{}
	schema := func(key []keyPart) (list []map[string]string) {
		for i, part := range key {
			attributes[part.Name] = part.Type
			list = append(list, map[string]string{"AttributeName": part.Name, "KeyType": []string{"HASH", "RANGE"}[i]})
		}
		return list
	}
	out := map[string]any{"TableName": name, "KeySchema": schema(key), "BillingMode": "PAY_PER_REQUEST"}
	var global []any
	for name, key := range indexes {
		global = append(global, map[string]any{
			"IndexName": name, "KeySchema": schema(key), "Projection": map[string]string{"ProjectionType": "ALL"},
		})
	}
	if global != nil {
		out["GlobalSecondaryIndexes"] = global
	}
	var definitions []map[string]string
	for name, kind := range attributes {
		definitions = append(definitions, map[string]string{"AttributeName": name, "AttributeType": kind})
	}
	out["AttributeDefinitions"] = definitions
	return out
}

func (m *published) start(service *statesapi.Service) error {
	role := "arn:aws:iam::123456789012:role/r"
	create := func(name, kind, definition string) error {
		_, err := service.Create(statesapi.CreateInput{Name: &name, Definition: &definition, RoleARN: &role, Type: &kind})
		return err
	}
	for _, nested := range m.Resources.Machines {
		definition := `{"StartAt":"A","States":{"A":{"Type":"Pass","Result":` + string(nested.Output) + `,"End":true}}}`
		if nested.Output == nil {
			definition = `{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}`
		}
		if err := create(nested.Name, nested.Type, definition); err != nil {
			return fmt.Errorf("nested machine: %w", err)
		}
	}
	definition := string(m.Definition)
	for name, value := range m.Values {
		quoted, _ := json.Marshal(value)
		definition = strings.ReplaceAll(definition, "${"+name+"}", string(quoted[1:len(quoted)-1]))
	}
	if err := create(m.ID, m.Type, definition); err != nil {
		return fmt.Errorf("create: %w", err)
	}
	arn := service.ARN(m.ID) + "#case"
	if _, err := service.Start(statesapi.StartInput{StateMachineARN: &arn, Input: m.Input}); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	return nil
}

func (m *published) judge(r statesapi.ExecutionRecord, entered []string) error {
	want := m.Expect
	if want.Status != "" && string(r.Status) != want.Status || want.Error != "" && r.Error != want.Error {
		return fmt.Errorf("ended as %s by %s (%.300s), want %s by %q", r.Status, r.Error, r.Cause, want.Status, want.Error)
	}
	if want.States == nil || m.Type != statesapi.Standard {
		return nil
	}
	states := slices.Clone(want.States)
	if want.Unordered {
		slices.Sort(entered)
		slices.Sort(states)
	}
	if diff := cmp.Diff(states, entered); diff != "" {
		return fmt.Errorf("states (-want +got):\n%s", diff)
	}
	return nil
}
