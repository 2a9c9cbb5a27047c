package statesapi

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// Requests that are refused, each with AWS's text if that is known.
func TestHandlerRefusals(t *testing.T) {
	t.Parallel()
	const valid, model = "com.amazon.coral.validate#", "com.amazonaws.swf.service.v2.model#"
	const front = "com.amazon.coral.service#"
	one := func(s string) string { return "1 validation error detected: " + s }
	long := strings.Repeat("n", 81)
	tests := []struct {
		name, op, body, wantType, wantMessage string
	}{
		{
			"no ARN", "StartSyncExecution", `{}`, valid + "ValidationException",
			one("Value null at 'stateMachineArn' failed to satisfy constraint: Member must not be null"),
		},
		{
			"null ARN", "StartSyncExecution", `{"stateMachineArn":null}`, valid + "ValidationException",
			one("Value null at 'stateMachineArn' failed to satisfy constraint: Member must not be null"),
		},
		{
			"empty ARN", "StartSyncExecution", `{"stateMachineArn":""}`, valid + "ValidationException",
			one("Value '' at 'stateMachineArn' failed to satisfy constraint: Member must have length greater than or equal to 1"),
		},
		{
			"long ARN", "StartSyncExecution", `{"stateMachineArn":"` + strings.Repeat("a", 257) + `"}`, valid + "ValidationException",
			one("Value '" + strings.Repeat("a", 257) + "' at 'stateMachineArn' failed to satisfy constraint: Member must have length less than or equal to 256"),
		},
		{
			"no ARN at all", "StartSyncExecution", `{"stateMachineArn":"orders"}`, model + "InvalidArn",
			"Invalid Arn: 'Invalid ARN prefix: orders'",
		},
		{
			"ARN of an activity", "StartSyncExecution", `{"stateMachineArn":"arn:aws:states:us-east-1:123456789012:activity:a"}`, model + "InvalidArn",
			"Invalid Arn: 'Resource type not valid in this context: activity'",
		},
		{
			"unknown machine", "StartSyncExecution", `{"stateMachineArn":"` + machineARN + `x"}`, model + "StateMachineDoesNotExist",
			"State Machine Does Not Exist: '" + machineARN + "x'",
		},
		{
			"unknown version", "StartSyncExecution", `{"stateMachineArn":"` + machineARN + `:1"}`, model + "StateMachineDoesNotExist",
			"State Machine Does Not Exist: '" + machineARN + ":1'",
		},
		{
			"test case without mocks", "StartSyncExecution", `{"stateMachineArn":"` + machineARN + `#Happy"}`, valid + "ValidationException",
			"There is no test case 'Happy' of the state machine 'orders': there is no mock configuration",
		},
		{
			"empty name", "StartSyncExecution", `{"stateMachineArn":"` + machineARN + `","name":""}`, valid + "ValidationException",
			one("Value '' at 'name' failed to satisfy constraint: Member must have length greater than or equal to 1"),
		},
		{
			"long name", "StartSyncExecution", `{"stateMachineArn":"` + machineARN + `","name":"` + long + `"}`, valid + "ValidationException",
			one("Value '" + long + "' at 'name' failed to satisfy constraint: Member must have length less than or equal to 80"),
		},
		{
			"name with a space", "StartSyncExecution", `{"stateMachineArn":"` + machineARN + `","name":"a b"}`, model + "InvalidName",
			"Invalid Name: 'a b'",
		},
		{
			"name before existence", "StartSyncExecution", `{"stateMachineArn":"` + machineARN + `x","name":"a b"}`, model + "InvalidName",
			"Invalid Name: 'a b'",
		},
		{
			"input too long", "StartSyncExecution", `{"stateMachineArn":"` + machineARN + `","input":"` + strings.Repeat("9", maxInput+1) + `"}`,
			valid + "ValidationException",
			one("Value at 'input' failed to satisfy constraint: Member must have length less than or equal to 262144"),
		},
		{
			"input too long in bytes", "StartSyncExecution", `{"stateMachineArn":"` + machineARN + `","input":"\"` + strings.Repeat("é", maxInput/2) + `\""}`,
			valid + "ValidationException",
			one("Value at 'input' failed to satisfy constraint: Member must have length less than or equal to 262144"),
		},
		{
			"input is not JSON", "StartSyncExecution", `{"stateMachineArn":"` + machineARN + `","input":"{"}`, model + "InvalidExecutionInput", "",
		},
		{
			"input empty", "StartSyncExecution", `{"stateMachineArn":"` + machineARN + `","input":""}`, model + "InvalidExecutionInput", "",
		},
		{
			"includedData", "StartSyncExecution", `{"stateMachineArn":"` + machineARN + `","includedData":"all"}`, valid + "ValidationException",
			one("Value 'all' at 'includedData' failed to satisfy constraint: Member must satisfy enum value set: [ALL_DATA, METADATA_ONLY]"),
		},
		{
			"trace header", "StartSyncExecution", `{"stateMachineArn":"` + machineARN + `","traceHeader":"é"}`, valid + "ValidationException",
			one(`Value 'é' at 'traceHeader' failed to satisfy constraint: Member must satisfy regular expression pattern: \p{ASCII}*`),
		},
		{
			"two at once", "StartSyncExecution", `{"name":""}`, valid + "ValidationException",
			"2 validation errors detected: Value null at 'stateMachineArn' failed to satisfy constraint: Member must not be null; " +
				"Value '' at 'name' failed to satisfy constraint: Member must have length greater than or equal to 1",
		},
		{"wrong type", "StartSyncExecution", `{"stateMachineArn":5}`, front + "SerializationException", "NUMBER_VALUE can not be converted to a String"},
		{"wrong type of input", "StartSyncExecution", `{"stateMachineArn":"x","input":{}}`, front + "SerializationException", "START_OBJECT can not be converted to a String"},
		{"cut off", "StartSyncExecution", `{"stateMachineArn":"arn`, front + "SerializationException", ""},
		{"empty body", "StartSyncExecution", ``, front + "SerializationException", ""},
		{"array", "StartSyncExecution", `[]`, front + "SerializationException", ""},
		{"not UTF-8", "StartSyncExecution", "{\"name\":\"\xff\"}", front + "SerializationException", ""},
		{"too deep", "StartSyncExecution", strings.Repeat("[", 5000), front + "SerializationException", ""},
		{"unknown operation", "ListEverything", `{}`, front + "UnknownOperationException", ""},
		{"no operation", "", `{}`, front + "UnknownOperationException", ""},
		{"operation in lower case", "startSyncExecution", `{}`, front + "UnknownOperationException", ""},
		{
			"STANDARD", "StartSyncExecution", `{"stateMachineArn":"` + machineARN + `-standard"}`, model + "StateMachineTypeNotSupported",
			"This operation is not supported by this type of state machine",
		},
		{
			"create without anything", "CreateStateMachine", `{}`, valid + "ValidationException",
			"3 validation errors detected: Value null at 'name' failed to satisfy constraint: Member must not be null; " +
				"Value null at 'definition' failed to satisfy constraint: Member must not be null; " +
				"Value null at 'roleArn' failed to satisfy constraint: Member must not be null",
		},
		{
			"create with a type", "CreateStateMachine", `{"name":"a","definition":"{}","roleArn":"` + roleARN + `","type":"express"}`, valid + "ValidationException",
			one("Value 'express' at 'type' failed to satisfy constraint: Member must satisfy enum value set: [STANDARD, EXPRESS]"),
		},
		{
			"create with a role", "CreateStateMachine", `{"name":"a","definition":"{}","roleArn":"me"}`, model + "InvalidArn",
			"Invalid Role Arn: 'Invalid ARN prefix: me'",
		},
		{
			"create with a user", "CreateStateMachine", `{"name":"a","definition":"{}","roleArn":"arn:aws:iam::123456789012:user/me"}`, model + "InvalidArn",
			"Invalid Role Arn: 'arn:aws:iam::123456789012:user/me'",
		},
		{
			"create with a role without a name", "CreateStateMachine", `{"name":"a","definition":"{}","roleArn":"arn:aws:iam::123456789012:role/"}`, model + "InvalidArn",
			"Invalid Role Arn: 'arn:aws:iam::123456789012:role/'",
		},
		{
			"update with a bucket", "UpdateStateMachine", `{"stateMachineArn":"` + machineARN + `","roleArn":"arn:aws:s3:::role/b"}`, model + "InvalidArn",
			"Invalid Role Arn: 'arn:aws:s3:::role/b'",
		},
		{
			"update with a short ARN", "UpdateStateMachine", `{"stateMachineArn":"` + machineARN + `","roleArn":"arn:aws:iam"}`, model + "InvalidArn",
			"Invalid Role Arn: 'arn:aws:iam'",
		},
		{
			"describe", "DescribeStateMachine", `{"stateMachineArn":"not_a_valid_arn"}`, model + "InvalidArn",
			"Invalid Arn: 'Invalid ARN prefix: not_a_valid_arn'",
		},
		{
			"page size", "ListStateMachines", `{"maxResults":1001}`, valid + "ValidationException",
			one("Value '1001' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 1000"),
		},
		{
			"page and token", "ListStateMachines", `{"nextToken":"","maxResults":-1}`, valid + "ValidationException",
			"2 validation errors detected: Value '-1' at 'maxResults' failed to satisfy constraint: Member must have value greater than or equal to 0; " +
				"Value '' at 'nextToken' failed to satisfy constraint: Member must have length greater than or equal to 1",
		},
		{
			"token and page", "ListStateMachineVersions", `{"stateMachineArn":"` + machineARN + `","nextToken":"","maxResults":-1}`, valid + "ValidationException",
			"2 validation errors detected: Value '' at 'nextToken' failed to satisfy constraint: Member must have length greater than or equal to 1; " +
				"Value '-1' at 'maxResults' failed to satisfy constraint: Member must have value greater than or equal to 0",
		},
		{
			"everything at once", "CreateStateMachine",
			`{"name":"","definition":"","roleArn":"","type":"","loggingConfiguration":{"level":"x"},"tags":[{"key":"","value":"v"}],"versionDescription":"` + strings.Repeat("d", 257) + `","encryptionConfiguration":{}}`,
			valid + "ValidationException",
			"8 validation errors detected: Value '' at 'name' failed to satisfy constraint: Member must have length greater than or equal to 1; " +
				"Value at 'definition' failed to satisfy constraint: Member must have length greater than or equal to 1; " +
				"Value '' at 'roleArn' failed to satisfy constraint: Member must have length greater than or equal to 1; " +
				"Value '' at 'type' failed to satisfy constraint: Member must satisfy enum value set: [STANDARD, EXPRESS]; " +
				"Value 'x' at 'loggingConfiguration.level' failed to satisfy constraint: Member must satisfy enum value set: [ALL, ERROR, FATAL, OFF]; " +
				"Value '' at 'tags.1.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1; " +
				"Value at 'versionDescription' failed to satisfy constraint: Member must have length less than or equal to 256; " +
				"Value null at 'encryptionConfiguration.type' failed to satisfy constraint: Member must not be null",
		},
		{"token", "ListStateMachines", `{"nextToken":"x"}`, model + "InvalidToken", "Invalid Token: 'Invalid token'"},
		{"page size is text", "ListStateMachines", `{"maxResults":"5"}`, front + "SerializationException", "STRING_VALUE can not be converted to an Integer"},
		{
			"empty update", "UpdateStateMachine", `{"stateMachineArn":"` + machineARN + `"}`, model + "MissingRequiredParameter",
			"Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified",
		},
		{
			"update of the unknown", "UpdateStateMachine", `{"stateMachineArn":"` + machineARN + `x","roleArn":"` + roleARN + `"}`, model + "StateMachineDoesNotExist",
			"State Machine Does Not Exist: '" + machineARN + "x'",
		},
		{"delete of a version", "DeleteStateMachine", `{"stateMachineArn":"` + machineARN + `:1"}`, valid + "ValidationException", ""},
		{"tags of the unknown", "ListTagsForResource", `{"resourceArn":"` + machineARN + `x"}`, model + "ResourceNotFound", "Resource not found: '" + machineARN + "x'"},
		{
			"tag without a key", "TagResource", `{"resourceArn":"` + machineARN + `","tags":[{"value":"v"}]}`, valid + "ValidationException",
			one("Value null at 'tags.1.member.key' failed to satisfy constraint: Member must not be null"),
		},
	}
	s := newService(t, Options{}, passDefinition)
	if _, err := s.Create(CreateInput{Name: ptr("orders-standard"), Definition: ptr(passDefinition), RoleARN: ptr(roleARN)}); err != nil {
		t.Fatal(err)
	}
	h := NewHandler(s, HandlerOptions{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			status, header, body := post(t, h, tt.op, tt.body)
			if status != http.StatusBadRequest {
				t.Errorf("status = %d, want 400", status)
			}
			if got := body["__type"]; got != tt.wantType {
				t.Errorf("__type = %v, want %v", got, tt.wantType)
			}
			if got := body["message"]; tt.wantMessage != "" && got != tt.wantMessage || got == "" {
				t.Errorf("message = %v, want %v", got, tt.wantMessage)
			}
			checkError(t, tt.op, header.Get(headerErrorType))
			_, short, _ := strings.Cut(tt.wantType, "#")
			if got := header.Get("X-Amzn-Errortype"); got != short {
				t.Errorf("x-amzn-errortype = %q, want %q", got, short)
			}
			if header.Get("X-Amzn-Requestid") == "" {
				t.Error("the answer has no x-amzn-RequestId")
			}
			if got := header.Get("Content-Type"); got != contentType {
				t.Errorf("content type = %q, want %q", got, contentType)
			}
		})
	}
}

// Requests that are refused before their operation is read.
func TestHandlerHTTP(t *testing.T) {
	t.Parallel()
	h := NewHandler(newService(t, Options{}, passDefinition), HandlerOptions{})
	tests := []struct {
		name, method, path, contentType string
		body                            io.Reader
		want                            int
	}{
		{"fine", "POST", "/", contentType, strings.NewReader(`{}`), 200},
		{"1.1", "POST", "/", "application/x-amz-json-1.1", strings.NewReader(`{}`), 200},
		{"with a charset", "POST", "/", contentType + "; charset=utf-8", strings.NewReader(`{}`), 200},
		{"get", "GET", "/", contentType, nil, 405},
		{"put", "PUT", "/", contentType, strings.NewReader(`{}`), 405},
		{"path", "POST", "/states", contentType, strings.NewReader(`{}`), 404},
		{"JSON", "POST", "/", "application/json", strings.NewReader(`{}`), 415},
		{"no type", "POST", "/", "", strings.NewReader(`{}`), 415},
		{"as large as may be", "POST", "/", contentType, strings.NewReader(`{}` + strings.Repeat(" ", maxRequest-2)), 200},
		{"too large, announced", "POST", "/", contentType, strings.NewReader(strings.Repeat(" ", maxRequest+1)), 413},
		{"too large, chunked", "POST", "/", contentType, io.MultiReader(strings.NewReader(strings.Repeat(" ", maxRequest+1))), 413},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(tt.method, tt.path, tt.body)
			r.Header.Set("X-Amz-Target", "AWSStepFunctions.ListStateMachines")
			r.Header.Set("Content-Type", tt.contentType)
			r.Host = "sync-states.us-east-1.amazonaws.com"
			status, header, body := serve(t, h, r)
			if status != tt.want {
				t.Errorf("status = %d, want %d: %v", status, tt.want, body)
			}
			if tt.want == 405 && header.Get("Allow") != "POST" {
				t.Errorf("Allow = %q, want POST", header.Get("Allow"))
			}
		})
	}
}

// The whole answer of StartSyncExecution, with AWS's members.
func TestHandlerStartSync(t *testing.T) {
	t.Parallel()
	s := newFake(t, Options{UUID: func() string { return "u" }}, func(_ context.Context, x Execution) Result {
		if string(x.Input) == "0" {
			return Result{Status: bridge.Failed, Error: "E", Cause: "C"}
		}
		return Result{Status: bridge.Succeeded, Output: []byte(`{"a":"<&>"}`)}
	})
	h := NewHandler(s, HandlerOptions{})
	const execution = "arn:aws:states:us-east-1:123456789012:express:orders:"
	base := func(more map[string]any) map[string]any {
		m := map[string]any{
			"billingDetails": map[string]any{"billedDurationInMilliseconds": "100", "billedMemoryUsedInMB": "64"},
			"executionArn":   execution + "u:u", "name": "u", "stateMachineArn": machineARN,
			"startDate": "1795343400.250", "stopDate": "1795343400.250", "status": "SUCCEEDED",
			"inputDetails": map[string]any{"included": true}, "outputDetails": map[string]any{"included": true},
		}
		for k, v := range more {
			if v == nil {
				delete(m, k)
				continue
			}
			m[k] = v
		}
		return m
	}
	tests := []struct {
		name, members, header string
		want                  map[string]any
	}{
		{"defaults", ``, "", base(map[string]any{"input": "{}", "output": `{"a":"<&>"}`})},
		{"name and input", `,"name":"n-1","input":" 1 "`, "", base(map[string]any{
			"name": "n-1", "executionArn": execution + "n-1:u", "input": " 1 ", "output": `{"a":"<&>"}`,
		})},
		{"failed", `,"input":"0"`, "", base(map[string]any{"input": "0", "status": "FAILED", "error": "E", "cause": "C"})},
		{"trace member", `,"traceHeader":"Root=1"`, "", base(map[string]any{"input": "{}", "output": `{"a":"<&>"}`, "traceHeader": "Root=1"})},
		{"the header goes first", `,"traceHeader":"Root=1"`, "Root=2", base(map[string]any{"input": "{}", "output": `{"a":"<&>"}`, "traceHeader": "Root=2"})},
		{"a wrong header does not count", `,"traceHeader":"Root=1"`, strings.Repeat("x", 257), base(map[string]any{"input": "{}", "output": `{"a":"<&>"}`, "traceHeader": "Root=1"})},
		{"metadata only", `,"includedData":"METADATA_ONLY"`, "", base(map[string]any{
			"inputDetails": map[string]any{"included": false}, "outputDetails": map[string]any{"included": false},
		})},
		{"unknown members and null", `,"later":[1],"name":null,"input":null`, "", base(map[string]any{"input": "{}", "output": `{"a":"<&>"}`})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"stateMachineArn":"`+machineARN+`"`+tt.members+`}`))
			r.Header.Set("Content-Type", contentType)
			r.Header.Set("X-Amz-Target", targetPrefix+"StartSyncExecution")
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=nobody/20261122/us-east-1/states/aws4_request, SignedHeaders=host, Signature=00")
			if tt.header != "" {
				r.Header.Set("X-Amzn-Trace-Id", tt.header)
			}
			status, _, got := serve(t, h, r)
			if status != http.StatusOK {
				t.Errorf("status = %d, want 200", status)
			}
			if diff := cmp.Diff(tt.want, texts(got)); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

// texts makes texts of numbers, digits as they were on the wire.
func texts(v map[string]any) map[string]any {
	out := map[string]any{}
	for k, e := range v {
		switch e := e.(type) {
		case map[string]any:
			out[k] = texts(e)
		case interface{ String() string }:
			out[k] = e.String()
		default:
			out[k] = e
		}
	}
	return out
}

// A panic below the handler becomes a 500 without details, which are in the log.
func TestHandlerPanic(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s := newService(t, Options{}, passDefinition)
	h := NewHandler(s, HandlerOptions{Log: slog.New(slog.NewTextHandler(&log, nil))})
	s.opts.Engine = panicking{}
	status, _, body := post(t, h, "ValidateStateMachineDefinition", `{"definition":"{}"}`)
	if status != http.StatusInternalServerError || body["__type"] != frontNamespace+"InternalFailure" {
		t.Errorf("answer = %d %v, want 500 InternalFailure", status, body)
	}
	if strings.Contains(must(t, body), "secret") {
		t.Errorf("the answer shows the panic: %v", body)
	}
	if !strings.Contains(log.String(), "secret reason") {
		t.Errorf("log = %q, want the panic", log.String())
	}
}

type panicking struct{}

func (panicking) Parse([]byte, string) (Program, error) { panic("secret reason") }

func (panicking) Validate([]byte, string) []Diagnostic { panic("secret reason") }

// An execution continues when its caller hangs up, as in AWS.
func TestHandlerCallerGone(t *testing.T) {
	t.Parallel()
	s := newFake(t, Options{}, func(ctx context.Context, x Execution) Result {
		if ctx.Err() != nil {
			return Result{Stopped: context.Cause(ctx)}
		}
		return echo(ctx, x)
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", strings.NewReader(`{"stateMachineArn":"`+machineARN+`"}`))
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("X-Amz-Target", targetPrefix+"StartSyncExecution")
	if status, _, body := serve(t, NewHandler(s, HandlerOptions{}), r); status != http.StatusOK || body["status"] != "SUCCEEDED" {
		t.Errorf("answer = %d %v, want 200 SUCCEEDED", status, body)
	}
}

// Whatever the body, the answer is JSON with a status that SDKs understand.
func FuzzHandler(f *testing.F) {
	for _, seed := range []struct{ op, body string }{
		{"StartSyncExecution", `{"stateMachineArn":"` + machineARN + `","input":"{\"a\":1}","name":"n"}`},
		{"StartExecution", `{"stateMachineArn":"` + machineARN + `#t"}`},
		{"CreateStateMachine", `{"name":"x","definition":"{\"StartAt\":\"A\"}","roleArn":"arn:","tags":[{"key":"k","value":""}]}`},
		{"UpdateStateMachine", `{"stateMachineArn":"` + machineARN + `","publish":true,"loggingConfiguration":{"level":"ALL"}}`},
		{"DescribeStateMachine", `{"stateMachineArn":"arn:aws:states:::stateMachine:"}`},
		{"ListStateMachines", `{"maxResults":1e2,"nextToken":"YQ"}`},
		{"ValidateStateMachineDefinition", `{"definition":"\u0000"}`},
		{"TagResource", `{"resourceArn":"` + machineARN + `","tags":[null]}`},
		{"UntagResource", `{"resourceArn":"` + machineARN + `","tagKeys":["a"]}`},
		{"PublishStateMachineVersion", `{"stateMachineArn":"` + machineARN + `","revisionId":"INITIAL","description":""}`},
		{"DeleteStateMachineVersion", `{"stateMachineVersionArn":"` + machineARN + `:1"}`},
		{"ListStateMachineVersions", `{"stateMachineArn":"` + machineARN + `","nextToken":"YWZ0ZXIg"}`},
		{"CreateStateMachineAlias", `{"name":"A","routingConfiguration":[{"stateMachineVersionArn":"` + machineARN + `:1","weight":1.0E2}]}`},
		{"UpdateStateMachineAlias", `{"stateMachineAliasArn":"` + machineARN + `:A","routingConfiguration":[]}`},
		{"ListStateMachineAliases", `{"stateMachineArn":"` + machineARN + `:-1"}`},
		{"ListExecutions", `{"stateMachineArn":"` + machineARN + `","maxResults":-9223372036854775808}`},
		{"GetExecutionHistory", `{"executionArn":"arn:aws:states:::execution:a:b","reverseOrder":true,"includeExecutionData":false,"nextToken":"YWZ0ZXIgMQ"}`},
		{"GetActivityTask", `{"activityArn":"arn:aws:states:::activity:a","workerName":"w"}`},
		{"SendTaskSuccess", `{"taskToken":"t","output":"{}"}`},
		{"UpdateMapRun", `{"mapRunArn":"arn:aws:states:::mapRun:a/b:c","maxConcurrency":0}`},
		{"RedriveExecution", `{"executionArn":"arn:aws:states:::execution:a:b","clientToken":"t"}`},
		{"StopExecution", `{"executionArn":"arn:aws:states:::execution:a:b","error":"` + "\\ud800" + `"}`},
		{"CreateStateMachine", `{"name":"y","roleArn":"arn:a","loggingConfiguration":{"destinations":[null,{"cloudWatchLogsLogGroup":[]}]},"encryptionConfiguration":{"type":1},"definition":"{\"StartAt\":\"A\",\"States\":{\"A\":{\"Type\":\"Succeed\"}}}","publish":true}`},
	} {
		f.Add(seed.op, []byte(seed.body))
	}
	f.Fuzz(func(t *testing.T, op string, body []byte) {
		s := newService(t, Options{}, passDefinition)
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("X-Amz-Target", targetPrefix+op)
		status, header, answer := serve(t, NewHandler(s, HandlerOptions{}), r)
		_, isError := answer["__type"].(string)
		if isError != (status != http.StatusOK) || isError != (header.Get("X-Amzn-Errortype") != "") {
			t.Errorf("status %d, its header and the answer %v do not agree on whether it is an error", status, answer)
		}
		if isError {
			checkError(t, op, header.Get("X-Amzn-Errortype"))
		}
		if status >= 500 {
			t.Errorf("status = %d for an arbitrary request: %v", status, answer)
		}
	})
}
