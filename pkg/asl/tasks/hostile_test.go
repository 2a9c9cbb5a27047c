package tasks_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/asl/awsmodel"
	"github.com/expressway-dev/expressway/pkg/asl/tasks"
)

const apiHost = "abc.execute-api.us-east-1.amazonaws.com"

// A callee is an integration, and how to run it at an endpoint.
type callee struct {
	resource, arguments string // %URL% is the endpoint
	// lost is the error of a call without an answer, failed that of the status 502, and
	// moved that of a redirect.
	lost, failed, moved string
	// text is set if an answer may be text, and not only JSON.
	text   bool
	runner func(t *testing.T, url string, client *http.Client) asl.TaskRunner
}

func callees() []callee {
	services := func(_ *testing.T, url string, client *http.Client) asl.TaskRunner {
		r := at(url)
		r.Client = client
		return r
	}
	return []callee{
		{"aws-sdk:dynamodb:getItem", `{"TableName":"t","Key":{}}`, "DynamoDb.SdkClientException", "DynamoDb.DynamoDbException", "DynamoDb.DynamoDbException", false, services},
		{"dynamodb:getItem", `{"TableName":"t","Key":{}}`, "DynamoDB.SdkClientException", "DynamoDB.AmazonDynamoDBException", "DynamoDB.AmazonDynamoDBException", false, services},
		{"sns:publish", `{"Message":"m"}`, "SNS.SdkClientException", "SNS.AmazonSNSException", "SNS.AmazonSNSException", false, services},
		{"aws-sdk:s3:listObjectsV2", `{"Bucket":"b"}`, "S3.SdkClientException", "S3.S3Exception", "S3.S3Exception", false, services},
		{"aws-sdk:batch:describeJobs", `{"Jobs":["j"]}`, "Batch.SdkClientException", "Batch.BatchException", "Batch.BatchException", false, services},
		{"lambda:invoke", `{"FunctionName":"f"}`, "Lambda.SdkClientException", "Lambda.ServiceException", "Lambda.AWSLambdaException", false, func(_ *testing.T, url string, client *http.Client) asl.TaskRunner {
			return &tasks.Lambda{Endpoint: url, Client: client}
		}},
		{"apigateway:invoke", `{"ApiEndpoint":"` + apiHost + `","Method":"GET","AuthType":"IAM_ROLE"}`, "ApiGateway.SdkClientException", "ApiGateway.502", "ApiGateway.307", true, func(_ *testing.T, url string, client *http.Client) asl.TaskRunner {
			return &tasks.APIGateway{Endpoint: url, Client: client}
		}},
		{"http:invoke", `{"ApiEndpoint":"%URL%","Method":"GET","Authentication":{"ConnectionArn":"` + connARN + `"}}`, "States.Http.Socket", "States.Http.StatusCode.502", "States.Http.StatusCode.307", true, func(t *testing.T, _ string, client *http.Client) asl.TaskRunner {
			c, err := tasks.LoadConnections("c.json", []byte(`{"`+connARN+`":`+apiKey+`}`))
			if err != nil {
				t.Fatal(err)
			}
			return &tasks.HTTP{Connections: c, Client: client}
		}},
	}
}

func (c callee) call(t *testing.T, url string, client *http.Client) (string, *asl.Error) {
	t.Helper()
	out, err := runTask(t.Context(), t, c.runner(t, url, client), c.resource, strings.ReplaceAll(c.arguments, "%URL%", url))
	e, ok := errors.AsType[*asl.Error](err)
	if err != nil && !ok {
		t.Errorf("%s: %v is not an error of the workflow", c.resource, err)
	}
	return out, e
}

// Whatever an endpoint does, the task fails with the integration's own error for it.
func TestHostileEndpoints(t *testing.T) {
	t.Parallel()
	const page = "<html><body>Bad Gateway</body></html>"
	for name, hostile := range map[string]struct {
		handler http.HandlerFunc
		want    func(callee) string
	}{
		"slow": {func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done() // the client has hung up
		}, func(c callee) string { return c.lost }},
		"reset":     {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, func(c callee) string { return c.lost }},
		"garbage":   {raw("\x00\x01\x02 no HTTP\r\n\r\n"), func(c callee) string { return c.lost }},
		"cut off":   {raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\":"), func(c callee) string { return c.lost }},
		"a chunk":   {raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), func(c callee) string { return c.lost }},
		"a header":  {raw("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 12<<20) + "\r\n\r\n"), func(c callee) string { return c.lost }},
		"HTML, 502": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502); _, _ = io.WriteString(w, page) }, func(c callee) string { return c.failed }},
		"10 MB, 502": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(502)
			_, _ = io.WriteString(w, strings.Repeat("x", 10<<20))
		}, func(c callee) string { return c.failed }},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
			w.WriteHeader(307)
		}, func(c callee) string { return c.moved }},
		"HTML": {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, page) }, func(c callee) string {
			switch {
			case c.text:
				return ""
			case c.resource == "lambda:invoke":
				return "Lambda.Unknown"
			}
			return c.lost
		}},
		"20 MB": {func(w http.ResponseWriter, _ *http.Request) {
			chunk := strings.Repeat("x", 1<<20)
			for range 20 {
				_, _ = io.WriteString(w, chunk)
			}
		}, func(c callee) string {
			switch {
			case c.text:
				return "States.DataLimitExceeded"
			case c.resource == "lambda:invoke":
				return "Lambda.Unknown"
			}
			return c.lost
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(hostile.handler)
			t.Cleanup(server.Close)
			for _, c := range callees() {
				var client *http.Client
				if name == "slow" {
					client = &http.Client{Timeout: 50 * time.Millisecond}
				}
				out, e := c.call(t, server.URL, client)
				got, cause := "", ""
				if e != nil {
					got, cause = e.Name, e.Cause
				}
				if got != hostile.want(c) || len(cause) > 40_000 {
					t.Errorf("%s: %.200s %s: %.200s (%d bytes), want %q", c.resource, out, got, cause, len(cause), hostile.want(c))
				}
			}
		})
	}
	for _, c := range callees() {
		if _, e := c.call(t, gone(t), nil); e == nil || e.Name != c.lost {
			t.Errorf("%s, gone: %v, want %s", c.resource, e, c.lost)
		}
	}
}

// raw answers with these bytes, and closes the connection.
func raw(answer string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, answer)
	}
}

// Nothing is sent to a host that was not configured, whether a redirect or an argument
// names it.
func TestNothingIsSentElsewhere(t *testing.T) {
	t.Parallel()
	elsewhere, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var reached atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := elsewhere.Accept()
			if err != nil {
				return
			}
			reached.Add(1)
			_ = conn.Close()
		}
	}()
	there := elsewhere.Addr().String()
	for _, status := range []int{301, 302, 303, 307, 308} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://"+there+"/")
			w.WriteHeader(status)
		}))
		for _, c := range callees() {
			if _, e := c.call(t, server.URL, nil); e == nil {
				t.Errorf("%s succeeds with the status %d", c.resource, status)
			}
		}
		server.Close()
	}
	var here atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		here.Add(1)
		_, _ = io.WriteString(w, `{}`)
	}))
	defer server.Close()
	local := tasks.Local(tasks.Here{Getenv: func(name string) string {
		return map[string]string{"AWS_ENDPOINT_URL": server.URL, "APIGATEWAY_ENDPOINT": server.URL, "AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "secret"}[name]
	}})
	for _, task := range []struct{ resource, arguments string }{
		{"sqs:sendMessage", `{"QueueUrl":"http://%s/1/q","MessageBody":"m"}`},
		{"aws-sdk:sqs:receiveMessage", `{"QueueUrl":"http://%s/1/q"}`},
		{"aws-sdk:s3:getObject", `{"Bucket":"http://%s","Key":"k"}`},
		{"aws-sdk:s3:getObject", `{"Bucket":"@%s/","Key":"k"}`},
		{"aws-sdk:s3:getObject", `{"Bucket":"..","Key":"//%s/k"}`},
		{"aws-sdk:apigateway:getRestApi", `{"RestApiId":"/../@%s"}`},
		{"apigateway:invoke", `{"ApiEndpoint":"x@%s","Method":"GET"}`},
		{"apigateway:invoke", `{"ApiEndpoint":"%s","Method":"GET","AuthType":"IAM_ROLE"}`},
		{"apigateway:invoke", `{"ApiEndpoint":"http://%s","Method":"GET"}`},
		{"apigateway:invoke", `{"ApiEndpoint":"abc","Stage":"@%[1]s","Path":"//%[1]s/","Method":"GET"}`},
		{"apigateway:invoke", `{"ApiEndpoint":"abc","Path":"\\\\%s","Method":"GET"}`},
		{"apigateway:invoke", `{"ApiEndpoint":"abc","Path":"?x=@%s","Method":"GET"}`},
		{"lambda:invoke", `{"FunctionName":"http://%s"}`},
		{"lambda:invoke", `{"FunctionName":"f","Qualifier":"@%s/"}`},
	} {
		_, _ = runTask(t.Context(), t, local, task.resource, fmt.Sprintf(task.arguments, there))
	}
	if here.Load() == 0 {
		t.Error("nothing reached the endpoint that was named")
	}
	_ = elsewhere.Close()
	<-done
	if n := reached.Load(); n != 0 {
		t.Errorf("%d connections reached a host that was not named", n)
	}
}

// A host is mapped however it is spelled; otherwise, a test would send secrets to the host
// itself.
func TestMappedHosts(t *testing.T) {
	t.Parallel()
	c, err := tasks.LoadConnections("c.json", []byte(`{"`+connARN+`":`+apiKey+`}`))
	if err != nil {
		t.Fatal(err)
	}
	var hosts []string
	client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		hosts = append(hosts, r.URL.Host)
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
	})}
	mapped := map[string]string{"API.example.com": "127.0.0.1:1", "other.example.com:8443": "127.0.0.1:2"}
	names := []string{"api.example.com", "API.Example.COM", "api.example.com.", "api.example.com:443", "Other.example.com:8443"}
	for _, name := range names {
		arguments := `{"ApiEndpoint":"https://` + name + `","Method":"GET","Authentication":{"ConnectionArn":"` + connARN + `"}}`
		if _, err := runTask(t.Context(), t, &tasks.HTTP{Connections: c, Client: client, Hosts: mapped}, "http:invoke", arguments); err != nil {
			t.Error(err)
		}
		if _, err := runTask(t.Context(), t, &tasks.APIGateway{Client: client, Hosts: mapped}, "apigateway:invoke", `{"ApiEndpoint":"`+name+`","Method":"GET"}`); err != nil {
			t.Error(err)
		}
	}
	if got := strings.Join(hosts, " "); len(hosts) != 2*len(names) || strings.Contains(strings.ToLower(got), "example.com") {
		t.Errorf("sent to %s, want the mapped addresses alone", got)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Calls of one service share one connection, which is kept.
func TestOneConnection(t *testing.T) {
	t.Parallel()
	for _, c := range callees() {
		var accepted atomic.Int64
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			answer := `{}`
			if strings.HasPrefix(c.resource, "sns:") || strings.Contains(c.resource, ":s3:") {
				answer = `<a/>`
			}
			if accepted.Load() > 1 {
				w.WriteHeader(http.StatusTeapot)
			}
			_, _ = io.WriteString(w, answer)
		}))
		server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				accepted.Add(1)
			}
		}
		server.Start()
		r := c.runner(t, server.URL, nil)
		for range 20 {
			if _, err := runTask(t.Context(), t, r, c.resource, strings.ReplaceAll(c.arguments, "%URL%", server.URL)); err != nil {
				t.Errorf("the task %s failed: %v", c.resource, err)
			}
		}
		if n := accepted.Load(); n != 1 {
			t.Errorf("%s: %d connections for 20 tasks, want 1", c.resource, n)
		}
		server.Close()
	}
}

// The error for an endpoint that is not a URL names its variable.
func TestEndpointIsNoURL(t *testing.T) {
	t.Parallel()
	for _, endpoint := range []string{"localhost:5000", "127.0.0.1:5000", "http://", "ftp://x", "http://x/?a=b", "http://x:port"} {
		r := &tasks.Services{Endpoint: func(*awsmodel.Service) string { return endpoint }}
		_, err := runTask(t.Context(), t, r, "dynamodb:getItem", `{"TableName":"t","Key":{}}`)
		if e, _ := errors.AsType[*asl.Error](err); e == nil || e.Name != "States.TaskFailed" || !strings.Contains(e.Cause, "AWS_ENDPOINT_URL_DYNAMODB") {
			t.Errorf("%s: %v, want States.TaskFailed that names AWS_ENDPOINT_URL_DYNAMODB", endpoint, err)
		}
	}
}
