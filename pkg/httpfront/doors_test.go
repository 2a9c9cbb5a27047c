package httpfront_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/internal/shared"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/httpfront"
	"github.com/expressway-dev/expressway/pkg/secrets"
)

// Every recorded event of a door is answered with what the event says, and every other
// recorded event is refused by name: none of them is taken for what it is not.
func TestEveryRecordedEvent(t *testing.T) {
	t.Parallel()
	folders := []string{shared.Path(t, "lambda-events"), shared.Path(t, "sam-events", "rendered"), shared.Path(t, "sam-events", "captured")}
	seen := 0
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(folder, "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			payload, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var e recordedEvent
			if json.Unmarshal(payload, &e) != nil {
				continue // a response's, or no object
			}
			seen++
			t.Run(filepath.Base(file), func(t *testing.T) {
				t.Parallel()
				checkRecorded(t, payload, e)
			})
		}
	}
	if seen < 40 {
		t.Errorf("%d events, want at least 40", seen)
	}
}

type recordedEvent struct {
	Version, RawPath, Path, HTTPMethod, RawQueryString string
	MethodARN, RouteARN, Body                          string
	IsBase64Encoded                                    bool
	Headers                                            map[string]string
	MultiValueHeaders                                  map[string][]string
	QueryStringParameters                              map[string]string
	RequestContext                                     *struct {
		RequestID string
		ELB       any
		HTTP      struct{ Method, SourceIP string }
		Identity  struct{ SourceIP string }
	}
}

func (e recordedEvent) http() bool {
	return e.RequestContext != nil && e.MethodARN == "" && e.RouteARN == "" && (e.HTTPMethod != "" || e.RequestContext.HTTP.Method != "")
}

func checkRecorded(t *testing.T, payload []byte, e recordedEvent) {
	t.Helper()
	f := front(t, everything, starterFunc(echo))
	if !e.http() {
		_ = functionError(t, f, payload)
		return
	}
	got := invoke(t, f, payload)
	if got.StatusCode != 200 {
		t.Fatalf("got %d %s, want 200", got.StatusCode, got.Body)
	}
	var in struct {
		Method, Path, SourceIP, RequestID string
		Query                             map[string]string
		Headers                           map[string]string
		Body                              json.RawMessage
		BodyType                          string
	}
	if err := json.Unmarshal([]byte(got.Body), &in); err != nil {
		t.Fatal(err)
	}
	c := e.RequestContext
	if want := or(e.HTTPMethod, c.HTTP.Method); in.Method != want {
		t.Errorf("method = %q, want %q", in.Method, want)
	}
	if want := or(e.RawPath, e.Path); in.Path != want {
		t.Errorf("path = %q, want %q", in.Path, want)
	}
	if want := or(c.HTTP.SourceIP, c.Identity.SourceIP); want != "" && in.SourceIP != want {
		t.Errorf("source = %q, want %q", in.SourceIP, want)
	}
	if c.RequestID != "" && in.RequestID != c.RequestID || in.RequestID == "" {
		t.Errorf("request id = %q, want %q", in.RequestID, c.RequestID)
	}
	for name := range e.Headers {
		switch name = strings.ToLower(name); name {
		case "authorization", "cookie", "x-api-key":
		default:
			if _, ok := in.Headers[name]; !ok {
				t.Errorf("the header %s is lost", name)
			}
		}
	}
	for name := range e.QueryStringParameters {
		if _, ok := in.Query[name]; !ok {
			t.Errorf("the query's %s is lost", name)
		}
	}
	if (e.Body == "") != (in.BodyType == "empty") {
		t.Errorf("body type %q of the body %.40q", in.BodyType, e.Body)
	}
}

// What the request's parts come out as, through every door that can carry them.
func TestEdgesOfRequests(t *testing.T) {
	t.Parallel()
	const rest = `{"resource":"/{p+}","path":"PATH","httpMethod":"GET","headers":HEADERS,"multiValueHeaders":MULTI,"queryStringParameters":ONE,"multiValueQueryStringParameters":MANY,"requestContext":{"stage":"prod","requestId":"r","identity":{"sourceIp":"192.0.2.1"}},"body":null}`
	const alb = `{"requestContext":{"elb":{"targetGroupArn":"a"}},"path":"PATH","httpMethod":"GET","headers":HEADERS,"multiValueHeaders":MULTI,"queryStringParameters":ONE,"multiValueQueryStringParameters":MANY,"body":""}`
	const v2 = `{"version":"2.0","rawPath":"PATH","rawQueryString":"QUERY","headers":HEADERS,"cookies":COOKIES,"requestContext":{"stage":"STAGE","domainName":"DOMAIN","http":{"method":"GET","sourceIp":"192.0.2.1"}}}`
	fill := func(form string, pairs ...string) string {
		s := strings.NewReplacer(pairs...).Replace(form)
		return strings.NewReplacer("PATH", "/x", "HEADERS", "null", "MULTI", "null", "ONE", "null", "MANY", "null", "QUERY", "", "COOKIES", "null", "STAGE", "$default", "DOMAIN", "a.execute-api.us-east-1.amazonaws.com").Replace(s)
	}
	const url = "a.lambda-url.us-east-1.on.aws"
	tests := map[string]struct {
		event  string
		member string // of the default input
		want   string
	}{
		"REST, an empty multi-value map beside headers": {fill(rest, "HEADERS", `{"X-A":"1"}`, "MULTI", `{}`), "headers", `{"x-a":"1"}`},
		"REST, an empty multi-value query":              {fill(rest, "ONE", `{"a":"1"}`, "MANY", `{}`), "query", `{"a":"1"}`},
		"REST, + and %2B":                               {fill(rest, "ONE", `{"a":"x+y z"}`, "MANY", `{"a":["x+y z"]}`), "query", `{"a":"x+y z"}`},
		"REST, names in any case":                       {fill(rest, "HEADERS", `{"CONTENT-type":"text/plain"}`), "headers", `{"content-type":"text/plain"}`},
		"HTTP API, + and %2B":                           {fill(v2, "QUERY", "a=x+y%2Bz&a=2&b"), "multiQuery", `{"a":["x y+z","2"],"b":[""]}`},
		"HTTP API, only the stage":                      {fill(v2, "PATH", "/prod", "STAGE", "prod"), "path", `"/"`},
		"HTTP API, the stage and a slash":               {fill(v2, "PATH", "/prod/", "STAGE", "prod"), "path", `"/"`},
		"HTTP API, a stage that is a part of a segment": {fill(v2, "PATH", "/production", "STAGE", "prod"), "path", `"/production"`},
		"HTTP API, a custom domain without the stage":   {fill(v2, "PATH", "/hook", "STAGE", "prod"), "path", `"/hook"`},
		"HTTP API, Unicode":                             {fill(v2, "PATH", "/é/雪"), "path", `"/é/雪"`},
		"HTTP API, a list of cookies":                   {fill(v2, "COOKIES", `["a=1","b=2"]`), "requestId", `""`},
		"Function URL, Unicode":                         {fill(v2, "PATH", "/%C3%A9", "DOMAIN", url), "path", `"/%C3%A9"`},
		"Function URL, a path like a stage":             {fill(v2, "PATH", "/prod/x", "STAGE", "prod", "DOMAIN", url), "path", `"/prod/x"`},
		"Function URL, a header with commas":            {fill(v2, "HEADERS", `{"x-a":"t=1,v1=2"}`, "DOMAIN", url), "headers", `{"x-a":"t=1,v1=2"}`},
		"ALB, + and %2B":                                {fill(alb, "ONE", `{"a%20b":"x+y%2Bz"}`), "query", `{"a b":"x y+z"}`},
		"ALB, repeated names":                           {fill(alb, "MULTI", `{"x-a":["1","2"]}`, "MANY", `{"a":["1","%32"]}`), "multiQuery", `{"a":["1","2"]}`},
		"ALB, repeated headers":                         {fill(alb, "MULTI", `{"x-a":["1","2"]}`), "headers", `{"x-a":"1, 2"}`},
		"ALB, the client's port":                        {fill(alb, "HEADERS", `{"x-forwarded-for":"6.6.6.6, 192.0.2.1:4711"}`), "sourceIp", `"192.0.2.1"`},
		"ALB, the client's port, IPv6":                  {fill(alb, "HEADERS", `{"x-forwarded-for":"[2001:db8::1]:4711"}`), "sourceIp", `"2001:db8::1"`},
		"ALB, IPv6":                                     {fill(alb, "HEADERS", `{"x-forwarded-for":"2001:db8::1"}`), "sourceIp", `"2001:db8::1"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := invoke(t, front(t, everything, starterFunc(echo)), []byte(test.event))
			if got.StatusCode != 200 {
				t.Fatalf("got %d %s, want 200", got.StatusCode, got.Body)
			}
			var in map[string]json.RawMessage
			if err := json.Unmarshal([]byte(got.Body), &in); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(in[test.member])); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.member, diff)
			}
		})
	}
	cookies := `  - {name: all, http: "/{p...}", verify: none, start: m, input: "{% $request.cookies %}"}` + "\n"
	got := invoke(t, front(t, cookies, starterFunc(echo)), []byte(fill(v2, "COOKIES", `["a=1","b=\"2\""]`)))
	if want := `{"a":"1","b":"2"}`; got.Body != want {
		t.Errorf("cookies = %s, want %s", got.Body, want)
	}
}

// An encoded slash is a part of its segment, also two in a row; encoded dots are dots.
func TestEncodedSlashes(t *testing.T) {
	t.Parallel()
	f := front(t, `  - {name: one, http: "GET /r/{id}", verify: none, start: m, input: "{% $request.params.id %}"}
  - {name: rest, http: "GET /f/{rest...}", verify: none, start: m, input: "{% $request.params.rest %}"}
`, starterFunc(echo))
	for path, want := range map[string]string{
		"/r/a%2Fb":                     `"a/b"`,
		"/r/https%3A%2F%2Fexample.com": `"https://example.com"`,
		"/f/a%2F%2Fb/c":                `"a//b/c"`,
		"/r/..%2Fetc":                  "",
		"/r/%2e%2e":                    "",
		"/r/%2E":                       "",
		"/f/a%2F..%2Fb":                "",
		"/f/a/%2e%2e/b":                "",
		"/f//b":                        "",
		"/f/./b":                       "",
		"/r/a/":                        `"a"`,
		"/r/a//":                       "",
		"/r/a/%2F":                     "",
		"/f/a/":                        `"a/"`,
	} {
		payload := []byte(strings.Replace(string(functionURL(path)), "POST", "GET", 1))
		got := invoke(t, f, payload)
		switch {
		case want == "" && (got.StatusCode != 404 || !strings.Contains(got.Body, bridge.NoRoute)):
			t.Errorf("%s: got %d %s, want 404", path, got.StatusCode, got.Body)
		case want != "" && (got.StatusCode != 200 || got.Body != want):
			t.Errorf("%s: got %d %s, want %s", path, got.StatusCode, got.Body, want)
		}
	}
}

// If a header is in both, multiValueHeaders is used, in whatever order.
func TestMultiValueHeadersGoFirst(t *testing.T) {
	t.Parallel()
	for _, output := range []string{
		`{"statusCode":200,"headers":{"x-a":"0","X-B":"b"},"multiValueHeaders":{"X-A":["1","2"]}}`,
		`{"statusCode":200,"multiValueHeaders":{"X-A":["1","2"]},"headers":{"x-a":"0","X-B":"b"}}`,
	} {
		got := ask(t, open, succeedWith(output), post(`{}`))
		if diff := cmp.Diff(map[string]string{"X-A": "1, 2", "X-B": "b"}, got.Headers); diff != "" {
			t.Errorf("%s (-want +got):\n%s", output, diff)
		}
	}
}

// A text without a type is not a page: what a sender put into it must not run in a browser.
func TestTextIsNoPage(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`<script>alert(1)</script>`: "text/plain; charset=utf-8",
		`<?xml version="1.0"?><a/>`: "text/xml; charset=utf-8",
		`plain`:                     "text/plain; charset=utf-8",
	} {
		got := ask(t, open, succeedWith(`{"statusCode":200,"body":`+quoted(body)+`}`), post(`{}`))
		if got.Headers["Content-Type"] != want {
			t.Errorf("%s is %q, want %q", body, got.Headers["Content-Type"], want)
		}
	}
	got := ask(t, open, succeedWith(`{"statusCode":200,"headers":{"content-type":"text/html"},"body":"<p>"}`), post(`{}`))
	if got.Headers["Content-Type"] != "text/html" {
		t.Errorf("a page that says so is %q", got.Headers["Content-Type"])
	}
}

// An answer that the door cannot carry is a failure with a name: Lambda would make a
// function error of it, and a load balancer a bare 502.
func TestAnswerTooLarge(t *testing.T) {
	t.Parallel()
	// Each ☃ is three bytes, each NUL six when it is escaped.
	grown := func(unit string, doublings string) string {
		return route(open + "    respond: {body: '{% $reduce([1.." + doublings + "], function($a, $i) { $a & $a }, $execution.output) %}'}\n" +
			"    dedupe: {key: '{% \"" + unit + "\" %}'}\n")
	}
	tests := map[string]struct {
		door      testDoor
		doublings string
		output    string
		status    int
	}{
		"Function URL, three megabytes":   {testDoors[2], "1", strings.Repeat("x", 1_500_000), 200},
		"Function URL, seven megabytes":   {testDoors[2], "2", strings.Repeat("x", 1_900_000), 502},
		"Function URL, escaped":           {testDoors[2], "1", strings.Repeat("\x01", 600_000), 502},
		"HTTP API, seven megabytes":       {testDoors[1], "2", strings.Repeat("x", 1_900_000), 502},
		"load balancer, half a megabyte":  {testDoors[3], "1", strings.Repeat("x", 250_000), 200},
		"load balancer, over a megabyte":  {testDoors[3], "1", strings.Repeat("x", 550_000), 502},
		"load balancer, in many headers":  {testDoors[4], "1", strings.Repeat("x", 550_000), 502},
		"REST API, nine hundred thousand": {testDoors[0], "1", strings.Repeat("x", 450_000), 200},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			f := logged(t, grown(name, test.doublings), succeedWith(quoted(test.output)), &log, bridge.Options{Dedupe: mapStore{}})
			payload, _ := json.Marshal(test.door.event("POST", "/a", map[string]string{"content-type": "application/json"}, `{}`))
			got := invoke(t, f, payload)
			if got.StatusCode != test.status {
				t.Fatalf("got %d %.200s, want %d", got.StatusCode, got.Body, test.status)
			}
			if test.status != 200 && (!strings.Contains(got.Body, bridge.BadResponse) || !strings.Contains(log.String(), "bytes")) {
				t.Errorf("got %s, and in the log %s; want %s and how large it was", got.Body, log.String(), bridge.BadResponse)
			}
		})
	}
}

func logged(t testing.TB, routes string, starter bridge.Starter, out *bytes.Buffer, parts bridge.Options) *httpfront.Front {
	t.Helper()
	cfg, err := config.Options{Getenv: getenv}.Parse("test.yaml", []byte("version: 1\nroutes:\n"+routes))
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewJSONHandler(out, nil))
	parts.Log = log
	f, err := httpfront.New(cfg.Routes, bridge.New(starter, parts), secrets.NewEnv(getenv), httpfront.Options{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// An event that is not an HTTP request fails the function: a service that gets an answer
// mistakes it for success, and drops the data. Error and log name the event and where it
// belongs.
func TestEventsOfTheOtherFunctions(t *testing.T) {
	t.Parallel()
	record := func(source string) string { return `{"Records":[{"eventSource":"` + source + `"}]}` }
	tests := map[string][]string{
		"SQS":                  {`{"Records":[{"messageId":"m-1","eventSource":"aws:sqs","body":"{}"}]}`, "SQS", "queue function"},
		"SQS by a pipe":        {`[{"messageId":"m-1","eventSource":"aws:sqs","body":"{}"}]`, "SQS", "queue function", "REQUEST_RESPONSE"},
		"EventBridge":          {`{"id":"e","source":"shop","detail-type":"Payment made","detail":{}}`, "EventBridge", "event function"},
		"EventBridge, a batch": {`[{"id":"e","source":"shop","detail-type":"Payment made","detail":{}}]`, "EventBridge", "event function"},
		"authorizer":           {`{"type":"REQUEST","methodArn":"arn","httpMethod":"GET","path":"/","requestContext":{}}`, "authorizer"},
		"Kinesis":              {record("aws:kinesis"), "Kinesis", "pipe"},
		"Kinesis by a pipe":    {`[{"eventSource":"aws:kinesis","data":"e30="}]`, "Kinesis", "pipe"},
		"DynamoDB":             {record("aws:dynamodb"), "DynamoDB", "pipe"},
		"Kafka":                {`{"eventSource":"aws:kafka","records":{"t-0":[{"value":"e30="}]}}`, "Kafka"},
		"own Kafka":            {`{"eventSource":"SelfManagedKafka","records":{"t-0":[{"value":"e30="}]}}`, "Kafka"},
		"ActiveMQ":             {`{"eventSource":"aws:mq","messages":[{"data":"e30="}]}`, "ActiveMQ"},
		"RabbitMQ":             {`{"eventSource":"aws:rmq","rmqMessagesByQueue":{"q::/":[{"data":"e30="}]}}`, "RabbitMQ"},
		"SNS":                  {`{"Records":[{"EventSource":"aws:sns","Sns":{"Message":"x"}}]}`, "SNS", "unwrap: sns"},
		"S3":                   {record("aws:s3"), "S3", "unwrap: s3"},
		"another service":      {record("aws:codecommit"), "codecommit", "queue"},
		"a forged service":     {record("aws:\u003cscript"), "of a kind that Expressway does not know"},
		"destination":          {`{"version":"1.0","requestContext":{"condition":"RetriesExhausted","approximateInvokeCount":3},"requestPayload":{},"responseContext":{}}`, "destination", "redrive"},
		"WebSocket":            {`{"requestContext":{"connectionId":"c","routeKey":"$connect"}}`, "WebSocket"},
		"logs":                 {`{"awslogs":{"data":"x"}}`, "CloudWatch Logs"},
		"nothing":              {`{}`, "of a kind that Expressway does not know"},
		"a text":               {`"x"`, "of a kind that Expressway does not know"},
		"not JSON":             {`{"version":"2.0"`, "not JSON"},
		"empty":                {``, "not JSON"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			f := logged(t, everything, starterFunc(func(context.Context, bridge.Start) (bridge.Outcome, error) {
				t.Error("something was started")
				return bridge.Outcome{}, nil
			}), &log, bridge.Options{})
			got := functionError(t, f, []byte(test[0]))
			for _, want := range test[1:] {
				if !strings.Contains(got.Message, want) || !strings.Contains(log.String(), want) {
					t.Errorf("message = %q, log = %s, want both to name %s", got.Message, log.String(), want)
				}
			}
			if !strings.Contains(log.String(), `"level":"ERROR"`) || strings.Contains(got.Message, "script") {
				t.Errorf("message = %q, log = %s, want an error", got.Message, log.String())
			}
		})
	}
}

// functionError invokes with an event that fails the function by name.
func functionError(t testing.TB, f *httpfront.Front, payload []byte) messages.InvokeResponse_Error {
	t.Helper()
	out, err := f.Invoke(context.Background(), payload)
	var failed messages.InvokeResponse_Error
	if !errors.As(err, &failed) || failed.Type != bridge.BadRequest || out != nil {
		t.Fatalf("got %s, %v, want the function error %s", out, err, bridge.BadRequest)
	}
	return failed
}

// No time left, or a caller that is gone, is still answered with an error name.
func TestNoTimeLeft(t *testing.T) {
	t.Parallel()
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	short, cancelShort := context.WithDeadline(context.Background(), time.Now().Add(time.Millisecond))
	defer cancelShort()
	starter := starterFunc(func(ctx context.Context, _ bridge.Start) (bridge.Outcome, error) {
		<-ctx.Done()
		return bridge.Outcome{}, bridge.NewFailure(bridge.Deadline, "", ctx.Err())
	})
	for name, ctx := range map[string]context.Context{"canceled": canceled, "a millisecond": short} {
		out, err := front(t, anyBody, starter).Invoke(ctx, event("POST", "/a", "application/json", `{}`))
		if err != nil || !strings.Contains(string(out), `"statusCode":50`) || !strings.Contains(string(out), `Expressway.`) {
			t.Errorf("%s: got %s, %v, want a named failure", name, out, err)
		}
	}
}

// A binary answer keeps its bytes and its cookies when it is replayed, through every door.
func TestReplayThroughEveryDoor(t *testing.T) {
	t.Parallel()
	png := base64.StdEncoding.EncodeToString([]byte{0x89, 'P', 'N', 'G', 0xff})
	for _, door := range testDoors {
		f := frontWith(t, route(open+"    dedupe: {key: '{% \"k\" %}'}\n"), succeedWith(`{"statusCode":201,"headers":{"Content-Type":"image/png"},"cookies":["a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT","b=2"],"body":"`+png+`","isBase64Encoded":true}`), bridge.Options{Dedupe: mapStore{}})
		payload, _ := json.Marshal(door.event("POST", "/a", map[string]string{"content-type": "application/json"}, `{}`))
		_ = invoke(t, f, payload)
		got, _ := f.Invoke(context.Background(), payload)
		fields := []field{{"Content-Type", "image/png"}, {"Idempotent-Replayed", "true"}}
		want := door.want(http.StatusCreated, "201 Created", fields, []string{"a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "b=2"}, png, true)
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", door.name, diff)
		}
	}
}
