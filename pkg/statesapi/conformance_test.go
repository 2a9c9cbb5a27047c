package statesapi

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/internal/shared"
	"github.com/expressway-dev/expressway/pkg/bridge"
)

// The account of the recordings.
const recordedAccount = "111111111111"

// A recorded case; the README of the recordings describes the format.
type recorded struct {
	ID            string
	Kind          string
	Tier          string
	MachineType   string `json:"machine_type"`
	Operation     string
	Definition    json.RawMessage
	DefinitionRaw *string `json:"definition_raw"`
	Input         json.RawMessage
	Request       map[string]any
	Tokens        []string `json:"placeholder_tokens"`
	Expect        struct {
		Response    map[string]any
		Valid       bool
		Error       string
		Message     string
		Result      string
		Diagnostics []any
		APIError    *struct {
			Code, Message string
		} `json:"api_error"`
	}
}

func (c recorded) definition() string {
	if c.DefinitionRaw != nil {
		return *c.DefinitionRaw
	}
	return string(c.Definition)
}

func recordings(t *testing.T, area string) []recorded {
	t.Helper()
	var list []recorded
	if err := json.Unmarshal(shared.Read(t, "conformance/cases/"+area+".json"), &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// A score counts what agrees with AWS; the floor is what once agreed and must continue to.
type score struct{ passed, total int }

func (s *score) count(t *testing.T, c recorded, problem string) {
	t.Helper()
	if s.add(problem); problem != "" {
		t.Logf("%s: %s", c.ID, problem)
	}
}

func (s *score) add(problem string) {
	s.total++
	if problem == "" {
		s.passed++
	}
}

func (s *score) atLeast(t *testing.T, kind string, floor int) {
	t.Helper()
	fmt.Printf("conformance: api %-17s %d/%d\n", kind, s.passed, s.total)
	if s.passed < floor {
		t.Errorf("score = %d of %d, want at least %d", s.passed, s.total, floor)
	}
}

// StartSyncExecution answers as AWS did, with every member. The recordings say how the
// run ended; what is tested is the answer around it.
func TestConformanceSync(t *testing.T) {
	t.Parallel()
	var s score
	for _, area := range []string{"express", "services"} {
		for _, c := range recordings(t, area) {
			if c.Kind == "sync" {
				s.count(t, c, runSync(t, c))
			}
		}
	}
	s.atLeast(t, "sync", 5)
}

// On the interpreter, whole runs are those of AWS.
func TestConformanceInterpreter(t *testing.T) {
	t.Parallel()
	var s score
	for _, c := range recordings(t, "express") {
		if c.Kind == "sync" && c.Tier == "pure" {
			service := newService(t, Options{Account: recordedAccount}, passDefinition)
			s.count(t, c, answerSync(t, c, service))
		}
	}
	s.atLeast(t, "sync, whole", 3)
}

// The diagnostics of definitions are those of AWS, in both operations that return them.
func TestConformanceValidation(t *testing.T) {
	t.Parallel()
	var s score
	for _, c := range recordings(t, "validation") {
		if c.Kind == "create_validation" {
			s.count(t, c, refusal(t, c))
		}
	}
	s.atLeast(t, "create_validation", 16)
}

// refusal compares what the interpreter says of a definition.
func refusal(t *testing.T, c recorded) string {
	t.Helper()
	h := NewHandler(newService(t, Options{Account: recordedAccount}, passDefinition), HandlerOptions{})
	want := map[string]any{"result": c.Expect.Result, "diagnostics": c.Expect.Diagnostics, "truncated": false}
	op := "ValidateStateMachineDefinition"
	request := map[string]any{"definition": c.definition(), "type": c.MachineType}
	if c.Expect.Error != "" {
		op, request["name"], request["roleArn"] = "CreateStateMachine", "v", roleARN
		want = map[string]any{"__type": serviceNamespace + c.Expect.Error, "message": c.Expect.Message}
	}
	if _, _, got := post(t, h, op, must(t, request)); !matches(c.Tokens, want, normal(t, got)) {
		return fmt.Sprintf("answer = %s, want %s", must(t, got), must(t, want))
	}
	return ""
}

func runSync(t *testing.T, c recorded) string {
	t.Helper()
	want := c.Expect.Response
	billing := want["billingDetails"].(map[string]any)["billedDurationInMilliseconds"].(float64)
	var now atomic.Int64
	clock := func() time.Time { return at.Add(time.Duration(now.Load())) }
	service := newFake(t, Options{Account: recordedAccount, Now: clock}, func(context.Context, Execution) Result {
		// Just inside the last tenth of a second that was charged for.
		now.Add(int64(time.Duration(billing)*time.Millisecond - time.Microsecond))
		if want["status"] != "SUCCEEDED" {
			return Result{Status: bridge.Failed, Error: want["error"].(string), Cause: want["cause"].(string)}
		}
		return Result{Status: bridge.Succeeded, Output: []byte(must(t, want["output"]))}
	})
	return answerSync(t, c, service)
}

// answerSync runs a case on a service and compares the whole answer.
func answerSync(t *testing.T, c recorded, service *Service) string {
	t.Helper()
	want := c.Expect.Response
	h := NewHandler(service, HandlerOptions{})
	_, _, created := post(t, h, "CreateStateMachine", must(t, map[string]any{
		"name": "m", "definition": c.definition(), "roleArn": roleARN, "type": Express,
	}))
	status, _, got := post(t, h, "StartSyncExecution", must(t, map[string]any{
		"stateMachineArn": created["stateMachineArn"], "input": string(c.Input),
	}))
	if status != 200 {
		return fmt.Sprintf("status = %d %v %v", status, created, got)
	}
	// The recorder parsed payloads.
	for _, name := range []string{"input", "output"} {
		if text, ok := got[name].(string); ok {
			var v any
			if err := json.Unmarshal([]byte(text), &v); err != nil {
				return fmt.Sprintf("%s = %q: %v", name, text, err)
			}
			got[name] = v
		}
	}
	if !matches(c.Tokens, want, normal(t, got)) {
		return fmt.Sprintf("answer = %s, want %s", must(t, got), must(t, want))
	}
	return ""
}

// Refused calls have AWS's error names and messages.
func TestConformanceErrors(t *testing.T) {
	t.Parallel()
	var s score
	for _, c := range recordings(t, "api_errors") {
		if c.Kind == "api_error" {
			s.count(t, c, runError(t, c))
		}
	}
	s.atLeast(t, "api_error", 40)
}

// runError sends a request to a service that has what the recording took for granted: a
// STANDARD state machine with one version, and one execution of it.
func runError(t *testing.T, c recorded) string {
	t.Helper()
	service := newFake(t, Options{Account: recordedAccount}, echo)
	create := CreateInput{Name: ptr("ArnPart_0idx"), Definition: ptr(passDefinition), RoleARN: ptr(roleARN), Publish: true}
	if _, err := service.Create(create); err != nil {
		t.Fatal(err)
	}
	first := StartInput{StateMachineARN: ptr(service.ARN("ArnPart_0idx")), Name: ptr("ExecArnPart_0idx"), Input: []byte(`{}`)}
	if _, err := service.Start(first); err != nil {
		t.Fatal(err)
	}
	if c.Operation == "CreateStateMachine" {
		c.Request["roleArn"] = roleARN
	}
	if c.Request["nextToken"] == "invalid_token_3097_chars" {
		c.Request["nextToken"] = strings.Repeat("t", 3097)
	}
	status, _, got := post(t, NewHandler(service, HandlerOptions{}), c.Operation, must(t, c.Request))
	want := c.Expect.APIError
	if kind, _ := got["__type"].(string); status != 400 || !strings.HasSuffix(kind, "#"+want.Code) {
		return fmt.Sprintf("answer = %d %v, want %s", status, got, want.Code)
	}
	tokens := c.Tokens
	if want.Code != string(InvalidName) {
		// Resource names in expectations are placeholders whether they are listed or not.
		tokens = append(regexp.MustCompile(`<[^<>]+>|ssm_nonexistent_arn`).FindAllString(want.Message, -1), tokens...)
	}
	if !matches(tokens, want.Message, got["message"]) {
		return fmt.Sprintf("message = %q, want %q", got["message"], want.Message)
	}
	return ""
}

// matches compares JSON values; tokens in the strings of want stand for anything.
func matches(tokens []string, want, got any) bool {
	switch want := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok || len(g) != len(want) {
			return false
		}
		for k, v := range want {
			if e, ok := g[k]; !ok || !matches(tokens, v, e) {
				return false
			}
		}
		return true
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(want) {
			return false
		}
		for i := range want {
			if !matches(tokens, want[i], g[i]) {
				return false
			}
		}
		return true
	case string:
		if slices.Contains(tokens, want) {
			return true
		}
		g, ok := got.(string)
		return ok && pattern(tokens, want).MatchString(g)
	}
	return reflect.DeepEqual(want, got)
}

func pattern(tokens []string, want string) *regexp.Regexp {
	long := slices.Clone(tokens)
	slices.SortFunc(long, func(a, b string) int { return len(b) - len(a) })
	text := regexp.QuoteMeta(want)
	for _, token := range long {
		text = strings.ReplaceAll(text, regexp.QuoteMeta(token), "(?s:.*)")
	}
	return regexp.MustCompile(`\A` + text + `\z`)
}

// normal makes the numbers of an answer those of encoding/json.
func normal(t *testing.T, v any) any {
	t.Helper()
	var out any
	if err := json.Unmarshal([]byte(must(t, v)), &out); err != nil {
		t.Fatal(err)
	}
	return out
}
