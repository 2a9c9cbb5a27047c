package functions_test

import (
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/internal/lambdatest"
)

// One trace leads from the producer's message through the queue function: Step Functions
// gets it in both places, below a subsegment that the daemon gets.
func TestTraceOfAMessage(t *testing.T) {
	t.Parallel()
	const root, producer = "1-6543a1b2-0123456789abcdef01234567", "53995c3f42cd8ad8"
	daemon, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = daemon.Close() })
	calls := make(chan lambdatest.StartSyncExecution, 1)
	states := lambdatest.NewStepFunctions(lambdatest.StepFunctionsOptions{
		Respond: func(call lambdatest.StartSyncExecution) (int, any) {
			calls <- call
			return http.StatusOK, succeeded("{}")
		},
	})
	t.Cleanup(states.Close)
	env := environment(t, "queue", states.URL)
	env["AWS_XRAY_DAEMON_ADDRESS"] = "tcp:127.0.0.1:1 udp:" + daemon.LocalAddr().String()
	fn := start(t, "queue", lambdatest.Options{Env: env})

	event := `{"Records": [{
		"messageId": "m-1", "receiptHandle": "r", "body": "{\"orderId\":\"o-1\"}", "messageAttributes": {},
		"attributes": {"ApproximateReceiveCount": "1", "AWSTraceHeader": "Root=` + root + `;Parent=` + producer + `;Sampled=1;Lineage=1:a87bd80c:0"},
		"eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:orders", "awsRegion": "us-east-1"}]}`
	result, err := fn.Invoke(t.Context(), []byte(event), lambdatest.InvokeOptions{
		TraceID: "Root=1-00000000-000000000000000000000bad;Parent=0000000000000bad;Sampled=0",
	})
	if err != nil || string(result.Payload) != `{"batchItemFailures":[]}` {
		t.Fatalf("response = %s, %v, want no failures", result.Payload, err)
	}

	buffer := make([]byte, 64<<10)
	_ = daemon.SetReadDeadline(time.Now().Add(30 * time.Second))
	n, _, err := daemon.ReadFrom(buffer)
	if err != nil {
		t.Fatalf("the daemon got nothing: %v", err)
	}
	head, text, _ := strings.Cut(string(buffer[:n]), "\n")
	var segment struct {
		ID          string `json:"id"`
		TraceID     string `json:"trace_id"`
		ParentID    string `json:"parent_id"`
		Type        string `json:"type"`
		Annotations map[string]string
		Metadata    struct{ Expressway map[string]string }
	}
	if err := json.Unmarshal([]byte(text), &segment); err != nil || head != `{"format":"json","version":1}` {
		t.Fatalf("datagram = %s, %v", buffer[:n], err)
	}
	if segment.TraceID != root || segment.ParentID != producer || segment.Type != "subsegment" ||
		segment.Annotations["route"] != "orders-queue" || segment.Annotations["status"] != "SUCCEEDED" ||
		segment.Metadata.Expressway["executionArn"] == "" {
		t.Errorf("segment = %s", text)
	}
	call := <-calls
	want := "Root=" + root + ";Parent=" + segment.ID + ";Sampled=1;Lineage=1:a87bd80c:0"
	if call.TraceHeader != want || call.HTTPTraceHeader != want {
		t.Errorf("field %q and header %q, want %q in both", call.TraceHeader, call.HTTPTraceHeader, want)
	}
}

// A W3C traceparent reaches the workflow through its input. It is also the trace unless
// X-Ray has one: like Lambda, the sandbox has one, which takes precedence.
func TestTraceParentOfARequest(t *testing.T) {
	t.Parallel()
	const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	calls := make(chan lambdatest.StartSyncExecution, 2)
	states := lambdatest.NewStepFunctions(lambdatest.StepFunctionsOptions{
		Respond: func(call lambdatest.StartSyncExecution) (int, any) {
			calls <- call
			return http.StatusOK, succeeded("{}")
		},
	})
	t.Cleanup(states.Close)
	fn := start(t, "webhook", lambdatest.Options{Env: map[string]string{
		"AWS_ENDPOINT_URL_SFN": states.URL,
		"EXPRESSWAY_CONFIG": routesFile(t, `
  - name: open
    http: POST /open
    verify: none
    start: arn:aws:states:us-east-1:123456789012:stateMachine:open
    input: {traceparent: "{% $context.traceparent %}"}
`),
	}})
	event := []byte(`{"version": "2.0", "rawPath": "/open", "rawQueryString": "", "headers": {"traceparent": "` + traceparent + `"},
		"requestContext": {"requestId": "r-1", "stage": "$default", "http": {"method": "POST", "path": "/open", "sourceIp": "192.0.2.1"}},
		"isBase64Encoded": false}`)
	for invocation, want := range map[string]string{
		"Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0": "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0",
		"no trace": "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=1",
	} {
		if _, err := fn.Invoke(t.Context(), event, lambdatest.InvokeOptions{TraceID: invocation}); err != nil {
			t.Fatal(err)
		}
		call := <-calls
		if call.Input != `{"traceparent":"`+traceparent+`"}` || call.TraceHeader != want || call.HTTPTraceHeader != want {
			t.Errorf("invocation %q: input %s, field %q and header %q, want %q", invocation, call.Input, call.TraceHeader, call.HTTPTraceHeader, want)
		}
	}
}
