package functions_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/internal/lambdatest"
)

// The spans of an invocation are sent before its response, and reach the collector. Metrics
// are written as usual.
func TestSpansOfAnInvocation(t *testing.T) {
	t.Parallel()
	documents := make(chan string, 8)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		documents <- r.URL.Path + " " + string(body)
	}))
	t.Cleanup(collector.Close)
	states := lambdatest.NewStepFunctions(lambdatest.StepFunctionsOptions{
		Respond: func(lambdatest.StartSyncExecution) (int, any) { return http.StatusOK, succeeded("{}") },
	})
	t.Cleanup(states.Close)
	env := environment(t, "queue", states.URL)
	env["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.URL
	fn := start(t, "queue", lambdatest.Options{Env: env})
	event := `{"Records": [{
		"messageId": "m-1", "receiptHandle": "r", "body": "{\"orderId\":\"secret-payload\"}", "messageAttributes": {},
		"attributes": {"ApproximateReceiveCount": "1", "AWSTraceHeader": "Root=1-6543a1b2-0123456789abcdef01234567;Parent=53995c3f42cd8ad8;Sampled=1"},
		"eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:orders", "awsRegion": "us-east-1"}]}`
	if _, err := fn.Invoke(t.Context(), []byte(event), lambdatest.InvokeOptions{
		TraceID: "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=0000000000000bad;Sampled=1",
	}); err != nil {
		t.Fatal(err)
	}
	select {
	case document := <-documents:
		for _, want := range []string{
			"/v1/traces ", `"traceId":"5759e988bd862e3fe1be46a994272793"`, `"links":[{"traceId":"6543a1b20123456789abcdef01234567","spanId":"53995c3f42cd8ad8"}]`,
			`"name":"process orders"`, `"name":"SFN/StartSyncExecution"`, `"faas.coldstart"`,
		} {
			if !strings.Contains(document, want) {
				t.Errorf("%s is not in %s", want, document)
			}
		}
		if strings.Contains(document, "secret-payload") {
			t.Errorf("payload in %s", document)
		}
	case <-t.Context().Done():
		t.Fatal("the collector got nothing")
	}
	fn.Stop()
	if !strings.Contains(fn.Logs(), `"_aws"`) {
		t.Error("no metrics in addition to the spans")
	}
}
