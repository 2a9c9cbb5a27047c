package statesapi

import (
	"context"
	"errors"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/internal/shared"
	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/asl/tasks"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

const (
	taskState = `{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"f","Payload.$":"$"},"End":true}`
	mapState  = `{"Type":"Map","ItemProcessor":{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}},"End":true}`
	passState = `{"Type":"Pass","End":true}`

	parallelState = `{"Type":"Parallel","Branches":[{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}},{"StartAt":"B","States":{"B":{"Type":"Pass","End":true}}}],"End":true}`
)

// Requests that are refused. Those of the recordings are tested with them.
func TestTestStateRefusals(t *testing.T) {
	t.Parallel()
	const invalid, model, front = "ValidationException", "InvalidDefinition", "SerializationException"
	mocked := map[string]any{"result": `{}`}
	type refusal struct {
		name     string
		request  map[string]any
		wantCode string
		want     string
	}
	context := func(name, text, want string) refusal {
		request := map[string]any{"definition": taskState, "mock": mocked, "context": text}
		return refusal{"a context with " + name, request, invalid, "Invalid Context object provided: " + want}
	}
	tests := []refusal{
		{"nothing", map[string]any{}, invalid, "1 validation error detected: Value null at 'definition' failed to satisfy constraint: Member must not be null"},
		{"a wrong type", map[string]any{"definition": passState, "mock": "x"}, front, "STRING_VALUE can not be converted to a Structure"},
		{"a wrong type within", map[string]any{"definition": passState, "mock": map[string]any{"errorOutput": map[string]any{"error": 1}}}, front, "NUMBER_VALUE can not be converted to a String"},
		{
			"all constraints at once", map[string]any{
				"definition": "", "roleArn": "", "inspectionLevel": "ALL", "stateName": strings.Repeat("n", 81), "input": strings.Repeat("i", maxInput+1),
				"mock":               map[string]any{"fieldValidationMode": "LAX", "errorOutput": map[string]any{"error": strings.Repeat("e", 257)}},
				"stateConfiguration": map[string]any{"retrierRetryCount": -1, "errorCausedByState": ""},
			}, invalid, "9 validation errors detected: " + strings.Join([]string{
				"Value at 'definition' failed to satisfy constraint: Member must have length greater than or equal to 1",
				"Value '' at 'roleArn' failed to satisfy constraint: Member must have length greater than or equal to 1",
				"Value at 'input' failed to satisfy constraint: Member must have length less than or equal to 262144",
				"Value 'ALL' at 'inspectionLevel' failed to satisfy constraint: Member must satisfy enum value set: [INFO, DEBUG, TRACE]",
				"Value at 'stateName' failed to satisfy constraint: Member must have length less than or equal to 80",
				"Value at 'mock.errorOutput.error' failed to satisfy constraint: Member must have length less than or equal to 256",
				"Value 'LAX' at 'mock.fieldValidationMode' failed to satisfy constraint: Member must satisfy enum value set: [STRICT, PRESENT, NONE]",
				"Value '-1' at 'stateConfiguration.retrierRetryCount' failed to satisfy constraint: Member must have value greater than or equal to 0",
				"Value at 'stateConfiguration.errorCausedByState' failed to satisfy constraint: Member must have length greater than or equal to 1",
			}, "; "),
		},
		{"an invalid ARN", map[string]any{"definition": passState, "roleArn": "role"}, "InvalidArn", "Invalid Role Arn: 'Invalid ARN prefix: role'"},
		{"a definition that is not JSON", map[string]any{"definition": " "}, model, "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: Definition must be a valid JSON object at null'"},
		{"a state machine", map[string]any{"definition": passDefinition}, model, "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: These fields are required: [Type] at /States/StateName'"},
		{"an unknown state", map[string]any{"definition": passDefinition, "stateName": "B"}, invalid, "State not found in definition"},
		{"a mock of a state that needs none", map[string]any{"definition": passState, "mock": mocked}, invalid, "State type 'Pass' is not supported when a mock is specified"},
		{"secrets of a mock", map[string]any{"definition": taskState, "mock": mocked, "revealSecrets": true}, invalid, "TestState does not support RevealSecrets when a mock is specified."},
		{"context without a mock", map[string]any{"definition": passState, "context": "{}"}, invalid, "TestState does not support Context when a mock is not specified."},
		{"a callback without a mock", map[string]any{
			"definition": strings.Replace(taskState, "lambda:invoke", "lambda:invoke.waitForTaskToken", 1), "roleArn": roleARN,
		}, model, "TestState API does not support the resource 'arn:aws:states:::lambda:invoke.waitForTaskToken' when a mock is not specified."},
		{"an empty mock", map[string]any{"definition": taskState, "mock": map[string]any{}}, invalid, "A test mock should have one of the following fields: [result, errorOutput]."},
		{"an error without a name", map[string]any{"definition": taskState, "mock": map[string]any{"errorOutput": map[string]any{"cause": "c"}}}, invalid, "A mocked errorOutput must have the field error."},
		{"a result of a Map that is not an array", map[string]any{"definition": mapState, "mock": mocked}, invalid, "Mocked result must be an array."},
		{"an error of no state within", map[string]any{
			"definition": mapState, "mock": map[string]any{"result": "[]"}, "stateConfiguration": map[string]any{"errorCausedByState": "B"},
		}, invalid, "State not found in definition"},
		{"an input that is not JSON", map[string]any{"definition": passState, "input": "{"}, "InvalidExecutionInput", "Invalid State Machine Execution Input: 'Unexpected end-of-input: expected close marker for Object (start marker at [Source: (String)\"{\"; line: 1, column: 1])'"},
		{"an input that is empty", map[string]any{"definition": passState, "input": " "}, "InvalidExecutionInput", "Invalid State Machine Execution Input: 'Invalid execution input.'"},
		{"a result for too few branches", map[string]any{"definition": parallelState, "mock": map[string]any{"result": "[1]"}}, invalid, "Mocked result must contain the same number of items as number of Parallel branches."},
		{"more failures than iterations", map[string]any{
			"definition": mapState, "input": "[1]", "mock": map[string]any{"result": "[1]"}, "stateConfiguration": map[string]any{"mapIterationFailureCount": 2},
		}, invalid, "Map iteration failure count must be less than or equal to the number of Map iterations"},
		context("an unknown field", `{"Pokedex":1}`, "Field 'Pokedex' is not allowed"),
		context("a field of the state", `{"State":{"Pokedex":1}}`, "Field 'Pokedex' is not allowed"),
		context("an id that is a number", `{"Execution":{"Id":1}}`, "Execution.Id must be a string"),
		context("a count that is text", `{"State":{"RetryCount":"1"}}`, "State.RetryCount must be a number"),
		context("a part that is text", `{"Execution":"e"}`, "Execution must be an object"),
		context("a Map", `{"Map":{}}`, "'Map' field is not supported when mocking a Context object"),
		context("a token", `{"Task":{"Token":"t"}}`, "Context object contains 'Task' when state is not a Task state with a '.sync' or '.waitForTaskToken' service integration pattern"),
		{"variables that are not an object", map[string]any{"definition": passState, "variables": "[]"}, invalid, "The member 'variables' is not valid: it is not a JSON object"},
		{"a context that is not JSON", map[string]any{"definition": taskState, "mock": mocked, "context": "{"}, invalid, "The member 'context' is not valid: invalid JSON at offset 1: expected a member name"},
	}
	for _, member := range []string{"retrierRetryCount", "mapIterationFailureCount", "errorCausedByState", "mapItemReaderData"} {
		var v any = 0
		if strings.HasPrefix(member, "error") || strings.HasSuffix(member, "Data") {
			v = "A"
		}
		tests = append(tests, refusal{
			member + " without a mock",
			map[string]any{"definition": mapState, "stateConfiguration": map[string]any{member: v}},
			invalid,
			"TestState does not support " + strings.ToUpper(member[:1]) + member[1:] + " when a mock is not specified.",
		})
	}
	h := NewHandler(newService(t, Options{}, passDefinition), HandlerOptions{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			status, _, got := post(t, h, "TestState", must(t, tt.request))
			kind, _ := got["__type"].(string)
			if status != http.StatusBadRequest || !strings.HasSuffix(kind, "#"+tt.wantCode) {
				t.Errorf("answer = %d %s, want %s", status, kind, tt.wantCode)
			}
			if diff := gocmp.Diff(tt.want, got["message"]); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A mocked result must be a possible answer of the service, as far as the mode requires.
func TestMockedResults(t *testing.T) {
	t.Parallel()
	const prefix = "Mock result schema validation error: "
	tests := []struct{ resource, mode, result, want string }{
		{"states:startExecution", "", `{"ExecutionArn":"arn"}`, "Required field 'StartDate' is missing"},
		{"states:startExecution", modePresent, `{"ExecutionArn":"arn"}`, ""},
		{"states:startExecution", "", `{"ExecutionArn":"arn","StartDate":1764000000}`, "Field 'StartDate' must be a string"},
		{"states:startExecution", "", `{"ExecutionArn":"arn","StartDate":"2026-11-30T00:00:00Z"}`, ""},
		{"aws-sdk:lambda:getFunctionConfiguration", modePresent, `{"MemorySize":127}`, "Field 'MemorySize' is less than the minimum value"},
		{"aws-sdk:lambda:getFunctionConfiguration", modePresent, `{"MemorySize":32769}`, "Field 'MemorySize' exceeds the maximum value"},
		{"aws-sdk:lambda:getFunctionConfiguration", "", `{"MemorySize":128}`, ""},
		{"states:startExecution.sync", modePresent, `{"Output":{}}`, "Field 'Output' must be a string"},
		{"states:startExecution.sync:2", modePresent, `{"Output":{},"Status":"SUCCEEDED"}`, ""},
		{"states:startExecution.sync:2", modePresent, `{"Status":"DONE"}`, "Field 'Status' is not an expected value"},
		{"aws-sdk:sfn:listTagsForResource", "", `{"Tags":[{"Key":1}]}`, "Field 'Key' must be a string"},
		{"lambda:invoke", "", `{"Payload":{"any":[1]},"StatusCode":200}`, ""},
		{"lambda:invoke", "", `{"StatusCode":"200"}`, "Field 'StatusCode' must be a number"},
		{"lambda:invoke.waitForTaskToken", "", `{"StatusCode":"200"}`, ""},
		{"aws-sdk:lambda:invoke", "", `{"Payload":{}}`, "Field 'Payload' must be a string"},
		{"aws-sdk:lambda:invoke", modeNone, `{"Payload":{}}`, ""},
		{"aws-sdk:s3:getObject", "", `{"DeleteMarker":"no"}`, "Field 'DeleteMarker' must be a boolean"},
		{"aws-sdk:s3:getObject", "", `{"LastModified":true}`, "Field 'LastModified' must be a string"},
		{"aws-sdk:s3:getObject", "", `{"Metadata":[]}`, "Field 'Metadata' must be an object"},
		{"aws-sdk:s3:getObject", "", `{"Metadata":{"a":1}}`, "Field 'Metadata' must be a string"},
		{"aws-sdk:kms:encrypt", "", `{"KeyId":"` + strings.Repeat("k", 2049) + `"}`, "Field 'KeyId' is larger than the maximum length"},
		{"aws-sdk:kms:encrypt", "", `{"CiphertextBlob":"` + strings.Repeat("AAAA", 2048) + `"}`, ""}, // 6144 bytes
		{"aws-sdk:kms:encrypt", "", `{"CiphertextBlob":"` + strings.Repeat("AAAA", 2049) + `"}`, "Field 'CiphertextBlob' is larger than the maximum length"},
		{"aws-sdk:kms:encrypt", "", `{"KeyId":null}`, ""},
		{"sqs:sendMessage", "", `{"MD5OfMessageBody":1}`, "Field 'MD5OfMessageBody' must be a string"},
		{"aws-sdk:sqs:sendMessage", "", `{"Md5OfMessageBody":1}`, "Field 'Md5OfMessageBody' must be a string"},
		{"dynamodb:getItem", "", `{"Item":{"a":{"M":{"b":{"L":[{"S":1}]}}}}}`, "Field 'S' must be a string"},
		{"dynamodb:getItem", "", `[]`, "The result must be an object"},
		{"aws-sdk:unheard:of", "", `[]`, ""},
		{"aws-sdk:kms:unheardOf", "", `[]`, ""},
		{"aws-sdk:kms:EncryptResponse", "", `[]`, ""},
		{"aws-sdk:kms\n+encrypt:x", "", `[]`, ""},
		{"aws-sdk:kms:", "", `[]`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.resource+tt.mode+tt.want, func(t *testing.T) {
			t.Parallel()
			result, err := jsonata.Decode([]byte(tt.result))
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if err := checkMocked("arn:aws:states:::"+tt.resource, tt.mode, result); err != nil {
				got = strings.TrimPrefix(err.Message, prefix)
			}
			if got != tt.want {
				t.Errorf("%s = %q, want %q", tt.result, got, tt.want)
			}
		})
	}
}

// All that the table of models refers to is in it.
func TestModels(t *testing.T) {
	t.Parallel()
	operations := 0
	for section := range strings.SplitSeq(answers, "\n@") {
		service, section, _ := strings.Cut(section, "\n")
		if strings.HasPrefix(service, "#") {
			continue
		}
		m := model{section: "\n" + section + "\n"}
		for line := range strings.Lines(section) {
			line, isOperation := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "+")
			name, rest, _ := strings.Cut(line, " ")
			kinds := strings.Fields(rest)
			if isOperation {
				operations++
			} else {
				for i, member := range kinds {
					_, kinds[i], _ = strings.Cut(member, ":")
				}
			}
			for _, kind := range kinds {
				kind = strings.TrimLeft(kind, "[{")
				if _, found := m.line(kind); !found && !slices.Contains([]byte("sxnbtae"), kind[0]) {
					t.Errorf("%s %s: there is no %s", service, name, kind)
				}
			}
		}
	}
	if operations < 500 {
		t.Errorf("operations = %d, want those of all services", operations)
	}
}

// A Task state without a mock is run by the runner for the tasks of executions.
func TestTestStateRunsTasks(t *testing.T) {
	t.Parallel()
	tasks := tasks.Funcs{"f": func(_ context.Context, payload any) (any, error) {
		if o, _ := payload.(*jsonata.Object); o.Len() > 0 {
			panic("a task")
		}
		return "done", nil
	}}
	s := newService(t, Options{Tasks: tasks}, passDefinition)
	out, err := s.testState(t.Context(), testStateInput{Definition: ptr(taskState), RoleARN: ptr(roleARN), InspectionLevel: ptr("TRACE")})
	if err != nil {
		t.Fatal(err)
	}
	if out.Status != "SUCCEEDED" || out.Output == nil || !strings.Contains(*out.Output, `"Payload":"done"`) || out.InspectionData["result"] != *out.Output {
		t.Errorf("output = %+v, want SUCCEEDED with the payload of the task", out)
	}
	_, err = s.testState(t.Context(), testStateInput{Definition: ptr(taskState), RoleARN: ptr(roleARN), Input: ptr(`{"a":1}`)})
	if e := (*Error)(nil); err == nil || errors.As(err, &e) || !strings.Contains(err.Error(), "panic: a task") {
		t.Errorf("error = %v, want the panic as an internal one", err)
	}
	out, err = newService(t, Options{}, passDefinition).testState(t.Context(), testStateInput{Definition: ptr(taskState), RoleARN: ptr(roleARN)})
	if err != nil || out.Error != "States.TaskFailed" || !strings.Contains(out.Cause, "Give the request a mock") {
		t.Errorf("output = %+v, %v, want a mention of mocks", out, err)
	}
	const start = `{"Type":"Task","Resource":"arn:aws:states:::states:startExecution","Parameters":{"StateMachineArn":"` + machineARN + `"},"End":true}`
	out, err = s.testState(t.Context(), testStateInput{Definition: ptr(start), RoleARN: ptr(roleARN)})
	if err != nil || out.Status != "SUCCEEDED" || !strings.Contains(*out.Output, ":orders:") {
		t.Errorf("output = %+v, %v, want a started execution", out, err)
	}
}

// Tests of states count towards the limit of executions, and end with the service.
func TestTestStateStops(t *testing.T) {
	t.Parallel()
	running := make(chan struct{})
	tasks := tasks.Funcs{"f": func(ctx context.Context, _ any) (any, error) {
		close(running)
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	s := newService(t, Options{MaxExecutions: 1, Tasks: tasks}, passDefinition)
	done := make(chan error)
	go func() {
		_, err := s.testState(context.Background(), testStateInput{Definition: ptr(taskState), RoleARN: ptr(roleARN)})
		done <- err
	}()
	<-running
	_, err := s.testState(t.Context(), testStateInput{Definition: ptr(passState)})
	wantCode(t, err, ThrottlingException)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Close(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("Close = %v, want context.Canceled", err)
	}
	if err := <-done; !errors.Is(err, errClosed) {
		t.Errorf("error = %v, want errClosed", err)
	}
	_, err = s.testState(t.Context(), testStateInput{Definition: ptr(passState)})
	wantCode(t, err, ServiceUnavailable)
}

// The SDK reads the whole answer, and finds its own error types.
func TestTestStateSDK(t *testing.T) {
	t.Parallel()
	client := newClient(newServer(t, newService(t, Options{Now: time.Now}, passDefinition)))
	out, err := client.TestState(t.Context(), &sfn.TestStateInput{
		Definition: aws.String(`{"Type":"Wait","Seconds":0,"Next":"After"}`), Input: aws.String(`{"a":1}`), InspectionLevel: types.InspectionLevelDebug,
	})
	if err != nil {
		t.Fatal(err)
	}
	if out.Status != types.TestExecutionStatusSucceeded || *out.Output != `{"a":1}` || *out.NextState != "After" || *out.InspectionData.AfterInputPath != `{"a":1}` {
		t.Errorf("TestState through the SDK = %+v, want {\"a\":1} and the state After", out)
	}
	_, err = client.TestState(t.Context(), &sfn.TestStateInput{Definition: aws.String(`{}`)})
	if e := (*types.InvalidDefinition)(nil); !errors.As(err, &e) {
		t.Errorf("error = %v, want InvalidDefinition", err)
	}
	_, err = client.TestState(t.Context(), &sfn.TestStateInput{Definition: aws.String(passState), Input: aws.String("x")})
	if e := (*types.InvalidExecutionInput)(nil); !errors.As(err, &e) {
		t.Errorf("error = %v, want InvalidExecutionInput", err)
	}
}

// boto3 sends and reads all of it; EXPRESSWAY_PYTHON names a python that has it.
func TestTestStateBoto3(t *testing.T) {
	t.Parallel()
	python := shared.Program(t, "EXPRESSWAY_PYTHON")
	ctx, cancel := context.WithTimeout(t.Context(), clientLimit)
	defer cancel()
	server := newServer(t, newService(t, Options{Now: time.Now, UUID: randomUUIDs()}, passDefinition))
	out, err := exec.CommandContext(ctx, python, filepath.Join("testdata", "teststate_client.py"), server.URL).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "ok" {
		t.Errorf("boto3: %v\n%s", err, out)
	}
}

// Whatever the request, the answer is a refusal or a result, in bounded time.
func FuzzTestState(f *testing.F) {
	f.Add(taskState, `{"a":1}`, "", `{"StatusCode":200}`, "", `{"State":{}}`, `{"v":1}`, "", int64(0))
	f.Add(mapState, `[1,2]`, "", `[1]`, "", "", "", `[3]`, int64(2))
	f.Add(passDefinition, `{}`, "A", "", "", "", `{"v":1}`, "", int64(0))
	f.Add(`{"Type":"Task","QueryLanguage":"JSONata","Resource":"arn:aws:states:::aws-sdk:s3:getObject","Arguments":{"Bucket":"{% $v %}","Key":"k"},"Retry":[{"ErrorEquals":["E"],"BackoffRate":9}],"Catch":[{"ErrorEquals":["States.ALL"],"Output":"{% $states %}","Next":"N"}],"End":true}`,
		`{}`, "", "", "E", "", `{"v":"b"}`, "", int64(99))
	f.Add(`{"Type":"Map","ItemReader":{"Resource":"r","ReaderConfig":{"InputType":"CSV","CSVHeaderLocation":"FIRST_ROW","MaxItems":3}},"ItemBatcher":{"MaxInputBytesPerBatch":10},"ItemSelector":{"v.$":"$$.Map.Item.Value"},"ItemProcessor":{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}},"ToleratedFailurePercentage":5,"End":true}`,
		`{}`, "", `[]`, "", "", "", "a,b\n1,2\n", int64(1))
	f.Fuzz(func(t *testing.T, definition, input, name, result, failure, testContext, variables, data string, n int64) {
		given := func(s string) *string {
			if s == "" {
				return nil
			}
			return &s
		}
		in := testStateInput{
			Definition: &definition, StateName: given(name), RoleARN: ptr(roleARN), Input: given(input), Variables: given(variables),
			Context: given(testContext), InspectionLevel: ptr("TRACE"),
		}
		if result != "" || failure != "" {
			in.Mock = &testStateMock{Result: given(result)}
			in.Configuration = &testStateConfiguration{RetrierRetryCount: &n, MapIterationFailureCount: &n, MapItemReaderData: given(data)}
			if failure != "" {
				in.Mock.ErrorOutput = &testStateError{Error: &failure}
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		out, err := newService(t, Options{}, passDefinition).testState(ctx, in)
		switch e := (*Error)(nil); {
		case ctx.Err() != nil: // a Wait state
		case err != nil && (!errors.As(err, &e) || e.Status() != http.StatusBadRequest):
			t.Fatalf("error = %v, want an API error with status 400", err)
		case err == nil && (out.InspectionData["input"] == nil || (out.Output != nil) != (out.Status == asl.Succeeded || out.Status == asl.CaughtError)):
			t.Fatalf("answer = %+v, want an input, and an output only if the state succeeded", out)
		}
	})
}

func BenchmarkCheckMocked(b *testing.B) {
	for name, text := range map[string]string{
		"small": `{"ETag":"e","ContentLength":1}`,
		"large": `{"Contents":[` + strings.Repeat(`{},`, 85_000) + `{}]}`, // of what a mock may have
	} {
		b.Run(name, func(b *testing.B) {
			result, err := jsonata.Decode([]byte(text))
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if err := checkMocked("arn:aws:states:::aws-sdk:s3:listObjectsV2", modeStrict, result); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
