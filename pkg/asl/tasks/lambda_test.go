package tasks_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/internal/jsontest"
	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/asl/tasks"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// invocation is a request to the endpoint.
type invocation struct {
	Path, Query, Body, Type, Log, Client string
}

// endpoint is a fake of Lambda's API: the function's name determines its behaviour.
func endpoint(t *testing.T, seen *invocation) *tasks.Lambda {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read the request: %v", err)
		}
		*seen = invocation{
			r.URL.Path, r.URL.RawQuery, string(body),
			r.Header.Get("X-Amz-Invocation-Type"), r.Header.Get("X-Amz-Log-Type"), r.Header.Get("X-Amz-Client-Context"),
		}
		name := strings.Split(r.URL.Path, "/")[3]
		switch name {
		case "echo":
			w.Header().Set("X-Amzn-Requestid", "id")
			w.Header()["Date"] = nil
			_, _ = w.Write(body)
		case "event":
			w.WriteHeader(http.StatusAccepted)
		case "fails":
			w.Header().Set("X-Amz-Function-Error", "Unhandled")
			fmt.Fprint(w, `{"errorMessage": "m", "errorType": "T", "stackTrace": []}`)
		case "untyped":
			w.Header().Set("X-Amz-Function-Error", "Unhandled")
			fmt.Fprint(w, `{"errorMessage": "Task timed out after 3.00 seconds"}`)
		case "text":
			fmt.Fprint(w, `Task timed out`)
		case "throttled":
			w.Header().Set("X-Amzn-Errortype", "TooManyRequestsException:http://internal")
			w.Header().Set("X-Amzn-Requestid", "id")
			w.WriteHeader(http.StatusTooManyRequests)
			fmt.Fprint(w, `{"Reason":"CallerRateLimitExceeded","message":"Rate Exceeded."}`)
		case "broken":
			w.WriteHeader(http.StatusBadGateway)
		default:
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprintf(w, `{"Type":"User","Message":"Function not found: arn:aws:lambda:us-east-1:123456789012:function:%s"}`, name)
		}
	}))
	t.Cleanup(server.Close)
	client := server.Client()
	t.Cleanup(client.CloseIdleConnections)
	return &tasks.Lambda{Endpoint: server.URL + "/", Client: client}
}

func function(name string) string { return "arn:aws:lambda:us-east-1:123456789012:function:" + name }

const (
	invoke    = "arn:aws:states:::lambda:invoke"
	sdkInvoke = "arn:aws:states:::aws-sdk:lambda:invoke"
)

func TestLambdaRequests(t *testing.T) {
	t.Parallel()
	const path = "/2015-03-31/functions/echo/invocations"
	tests := map[string]struct {
		resource, parameters string
		want                 invocation
	}{
		"its own ARN":        {function("echo"), `"text"`, invocation{Path: path, Body: `"text"`}},
		"ARN with an alias":  {function("echo:live"), `{"a":1.0}`, invocation{Path: path, Query: "Qualifier=live", Body: `{"a":1.0}`}},
		"object":             {invoke, `{"FunctionName":"echo","Payload":{"a":1}}`, invocation{Path: path, Body: `{"a":1}`}},
		"text is JSON":       {invoke, `{"FunctionName":"echo","Payload":"[1]"}`, invocation{Path: path, Body: `[1]`}},
		"no payload":         {invoke, `{"FunctionName":"echo"}`, invocation{Path: path, Body: `{}`}},
		"null":               {invoke, `{"FunctionName":"echo","Payload":null}`, invocation{Path: path, Body: `{}`}},
		"ARN as a name":      {invoke, `{"FunctionName":"` + function("echo:7") + `"}`, invocation{Path: path, Query: "Qualifier=7", Body: `{}`}},
		"partial ARN":        {invoke, `{"FunctionName":"123456789012:function:echo"}`, invocation{Path: path, Body: `{}`}},
		"qualifier":          {invoke, `{"FunctionName":"echo","Qualifier":"$LATEST"}`, invocation{Path: path, Query: "Qualifier=%24LATEST", Body: `{}`}},
		"how it is invoked":  {invoke, `{"FunctionName":"echo","InvocationType":"RequestResponse","LogType":"Tail","ClientContext":"e30="}`, invocation{Path: path, Body: `{}`, Type: "RequestResponse", Log: "Tail", Client: "e30="}},
		"by the SDK":         {sdkInvoke, `{"FunctionName":"echo","Payload":{"a":1}}`, invocation{Path: path, Body: `{"a":1}`}},
		"payload of the SDK": {sdkInvoke, `{"FunctionName":"echo","Payload":"{\"a\":1}"}`, invocation{Path: path, Body: `{"a":1}`}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var seen invocation
			if _, err := endpoint(t, &seen).RunTask(t.Context(), asl.Task{Resource: test.resource, Parameters: jsontest.Decode(t, test.parameters)}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, seen); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLambdaAnswers(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ resource, parameters, want string }{
		"its own ARN": {function("echo"), `[1.0]`, `[1.0]`},
		"lambda:invoke": {invoke, `{"FunctionName":"echo","Payload":[1.0]}`, `{"ExecutedVersion":"$LATEST","Payload":[1.0],` +
			`"SdkHttpMetadata":{"AllHttpHeaders":{"Content-Length":["5"],"Content-Type":["text/plain; charset=utf-8"],"x-amzn-RequestId":["id"]},` +
			`"HttpHeaders":{"Content-Length":"5","Content-Type":"text/plain; charset=utf-8","x-amzn-RequestId":"id"},"HttpStatusCode":200},` +
			`"SdkResponseMetadata":{"RequestId":"id"},"StatusCode":200}`},
		"of the SDK":       {sdkInvoke, `{"FunctionName":"echo","Payload":[1.0]}`, `{"ExecutedVersion":"$LATEST","Payload":"[1.0]","StatusCode":200}`},
		"error of the SDK": {sdkInvoke, `{"FunctionName":"untyped"}`, `{"ExecutedVersion":"$LATEST","FunctionError":"Unhandled","Payload":"{\"errorMessage\": \"Task timed out after 3.00 seconds\"}","StatusCode":200}`},
		"without waiting":  {sdkInvoke, `{"FunctionName":"event","InvocationType":"Event"}`, `{"ExecutedVersion":"$LATEST","StatusCode":202}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var seen invocation
			v, err := endpoint(t, &seen).RunTask(t.Context(), asl.Task{Resource: test.resource, Parameters: jsontest.Decode(t, test.parameters)})
			if err != nil {
				t.Fatal(err)
			}
			got, err := jsonata.AppendJSON(nil, v)
			if diff := cmp.Diff(test.want, string(got)); diff != "" || err != nil {
				t.Errorf("result %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestLambdaErrors(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		resource, parameters string
		want                 asl.Error
	}{
		"of the function":  {function("fails"), `{}`, asl.Error{Name: "T", Cause: `{"errorMessage":"m","errorType":"T","stackTrace":[]}`}},
		"without a type":   {invoke, `{"FunctionName":"untyped"}`, asl.Error{Name: "Lambda.Unknown", Cause: `The cause could not be determined because Lambda did not return an error type. Returned payload: {"errorMessage":"Task timed out after 3.00 seconds"}`}},
		"not JSON":         {function("text"), `{}`, asl.Error{Name: "Lambda.Unknown", Cause: `The cause could not be determined because Lambda did not return an error type. Returned payload: Task timed out`}},
		"missing function": {invoke, `{"FunctionName":"nope"}`, asl.Error{Name: "Lambda.ResourceNotFoundException", Cause: `Function not found: arn:aws:lambda:us-east-1:123456789012:function:nope (Service: AWSLambda; Status Code: 404; Error Code: ResourceNotFoundException; Request ID: local; Proxy: null)`}},
		"by the SDK":       {sdkInvoke, `{"FunctionName":"nope"}`, asl.Error{Name: "Lambda.ResourceNotFoundException", Cause: `Function not found: arn:aws:lambda:us-east-1:123456789012:function:nope (Service: Lambda, Status Code: 404, Request ID: local) (SDK Attempt Count: 1)`}},
		"throttled":        {invoke, `{"FunctionName":"throttled"}`, asl.Error{Name: "Lambda.TooManyRequestsException", Cause: `Rate Exceeded. (Service: AWSLambda; Status Code: 429; Error Code: TooManyRequestsException; Request ID: id; Proxy: null)`}},
		"of the service":   {function("broken"), `{}`, asl.Error{Name: "Lambda.ServiceException", Cause: `The endpoint answered Bad Gateway (Service: AWSLambda; Status Code: 502; Error Code: ServiceException; Request ID: local; Proxy: null)`}},
		"text that is not JSON": {invoke, `{"FunctionName":"echo","Payload":"bar"}`, asl.Error{
			Name:  "Lambda.InvalidRequestContentException",
			Cause: `Could not parse request body into json: invalid JSON at offset 0: unexpected character 'b' (Service: AWSLambda; Status Code: 400; Error Code: InvalidRequestContentException; Request ID: local; Proxy: null)`,
		}},
		"not a function": {sdkInvoke, `{"FunctionName":"arn:aws:states:us-east-1:123456789012:stateMachine:m"}`, asl.Error{
			Name: "Lambda.LambdaException",
			Cause: `1 validation error detected: Value 'arn:aws:states:us-east-1:123456789012:stateMachine:m' at 'functionName' failed to satisfy constraint: ` +
				`Member must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))? ` +
				`(Service: Lambda, Status Code: 400, Request ID: local) (SDK Attempt Count: 1)`,
		}},
		"no name": {invoke, `{}`, asl.Error{Name: "States.Runtime", Cause: "The field 'FunctionName' is required but was missing"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var seen invocation
			v, err := endpoint(t, &seen).RunTask(t.Context(), asl.Task{Resource: test.resource, Parameters: jsontest.Decode(t, test.parameters)})
			got, ok := err.(*asl.Error)
			if !ok {
				t.Fatalf("got = %v, %v, want an *asl.Error", v, err)
			}
			if got.Name != test.want.Name || got.Cause != test.want.Cause {
				t.Errorf("error = %s\nwant    %s", got, &test.want)
			}
		})
	}
}

func TestLambdaEndpointIsDown(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	_, err := (&tasks.Lambda{Endpoint: server.URL, Client: &http.Client{Transport: &http.Transport{}}}).RunTask(t.Context(), asl.Task{Resource: function("f")})
	if e, ok := err.(*asl.Error); !ok || e.Name != "Lambda.SdkClientException" || !strings.Contains(e.Cause, "LAMBDA_ENDPOINT") {
		t.Errorf("error = %v, want Lambda.SdkClientException that names LAMBDA_ENDPOINT", err)
	}
}

// Functions in tests get the input of a Lambda function, and their results get the same
// envelope.
func TestTaskFuncsAreInvoked(t *testing.T) {
	t.Parallel()
	tasks := tasks.Funcs{"f": func(_ context.Context, v any) (any, error) { return map[string]any{"seen": v}, nil }}
	for resource, want := range map[string]string{
		function("f:live"): `{"seen":{"FunctionName":"f","Payload":"[1]"}}`,
		sdkInvoke:          `{"ExecutedVersion":"$LATEST","Payload":"{\"seen\":[1]}","StatusCode":200}`,
	} {
		v, err := tasks.RunTask(t.Context(), asl.Task{Resource: resource, Parameters: jsontest.Decode(t, `{"FunctionName":"f","Payload":"[1]"}`)})
		if err != nil {
			t.Errorf("the task %s failed: %v", resource, err)
			continue
		}
		if got, _ := json.Marshal(jsonata.FromGo(v)); string(got) != want {
			t.Errorf("%s: result = %s, want %s", resource, got, want)
		}
	}
}

// AllHttpHeaders lists the headers of the response in the order in which they came, interim
// responses apart, with AWS's spelling; also on a connection that is used again.
func TestLambdaHeaderOrder(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	answers := []struct{ head, want string }{
		{"x-amzn-remapped-content-length: 0\r\nX-Amz-Executed-Version: 3\r\ncontent-type: a/b\r\nx-amzn-requestid: id", "x-amzn-Remapped-Content-Length X-Amz-Executed-Version Content-Type x-amzn-RequestId Content-Length"},
		{"B: 1\r\nA: 1\r\nb: 2", "B A Content-Length"},
	}
	done := make(chan error, 1)
	go func() {
		done <- serveRaw(listener, []string{
			"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n" + answers[0].head + "\r\nContent-Length: 2\r\n\r\n{}",
			"HTTP/1.1 200 OK\r\n" + answers[1].head + "\r\nContent-Length: 2\r\n\r\n{}",
		})
	}()
	l := &tasks.Lambda{Endpoint: "http://" + listener.Addr().String()}
	for _, answer := range answers {
		v, err := l.RunTask(t.Context(), asl.Task{Resource: invoke, Parameters: jsontest.Decode(t, `{"FunctionName":"f"}`)})
		if err != nil {
			t.Fatal(err)
		}
		metadata, _ := v.(*jsonata.Object).Get("SdkHttpMetadata")
		headers, _ := metadata.(*jsonata.Object).Get("AllHttpHeaders")
		var names []string
		for i := range headers.(*jsonata.Object).Len() {
			name, _ := headers.(*jsonata.Object).At(i)
			names = append(names, name)
		}
		if got := strings.Join(names, " "); got != answer.want {
			t.Errorf("headers = %s, want %s", got, answer.want)
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// serveRaw answers the requests of one connection with these texts, and closes it.
func serveRaw(listener net.Listener, answers []string) error {
	defer listener.Close()
	conn, err := listener.Accept()
	if err != nil {
		return err
	}
	defer conn.Close()
	r := bufio.NewReader(conn)
	for _, answer := range answers {
		req, err := http.ReadRequest(r)
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return err
		}
		if _, err := io.WriteString(conn, answer); err != nil {
			return err
		}
	}
	return nil
}
