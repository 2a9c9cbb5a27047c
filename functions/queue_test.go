package functions_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/internal/lambdatest"
)

// The queue function sends a dead letter and times a retry over SQS's own protocol,
// and reports the record that its dead-letter queue refuses.
func TestQueueOperations(t *testing.T) {
	t.Parallel()
	states := lambdatest.NewStepFunctions(lambdatest.StepFunctionsOptions{
		Respond: func(call lambdatest.StartSyncExecution) (int, any) {
			answer := succeeded("{}")
			if name := strings.Trim(call.Input, `"`); name != "ok" {
				answer["status"], answer["error"] = "FAILED", name
			}
			return http.StatusOK, answer
		},
	})
	t.Cleanup(states.Close)
	var mu sync.Mutex
	calls := map[string][]map[string]any{}
	queues := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var call map[string]any
		body, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(body, &call)
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		mu.Lock()
		calls[operation] = append(calls[operation], call)
		mu.Unlock()
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		switch {
		case strings.Contains(string(body), "refused"):
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"__type":"com.amazonaws.sqs#InvalidMessageContents","message":"no"}`)
		case operation == "SendMessage":
			_, _ = io.WriteString(w, `{"MessageId":"d-1"}`)
		default:
			_, _ = io.WriteString(w, `{"Successful":[],"Failed":[]}`)
		}
	}))
	t.Cleanup(queues.Close)

	routes := filepath.Join(t.TempDir(), "expressway.yaml")
	const source = "version: 1\nroutes:\n  - name: o\n    sqs: orders\n    start: m\n    input: '{% $message.attributes.SenderId %}'\n" +
		"    deadLetterQueue: https://sqs.us-east-1.amazonaws.com/123456789012/dead\n    retry: {delay: 7s, jitter: none}\n" +
		"    catch: [{errors: [Invalid], then: dead-letter}]\n"
	if err := os.WriteFile(routes, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	env := environment(t, "queue", states.URL)
	env["AWS_ENDPOINT_URL_SQS"], env["EXPRESSWAY_CONFIG"] = queues.URL, routes
	fn := start(t, "queue", lambdatest.Options{Env: env})
	var list []any
	for id, body := range map[string]string{"1": "ok", "2": "letter", "3": "refused", "4": "later"} {
		outcome := map[string]string{"ok": "ok", "later": "Broken"}[body]
		if outcome == "" {
			outcome = "Invalid"
		}
		list = append(list, map[string]any{
			"messageId": id, "receiptHandle": "handle-" + id, "body": body, "eventSource": "aws:sqs",
			"eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:orders", "attributes": map[string]any{"ApproximateReceiveCount": "1", "SenderId": outcome},
		})
	}
	event, _ := json.Marshal(map[string]any{"Records": list})
	result, err := fn.Invoke(t.Context(), event, lambdatest.InvokeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for id, reported := range map[string]bool{"1": false, "2": false, "3": true, "4": true} {
		if got := strings.Contains(string(result.Payload), `{"itemIdentifier":"`+id+`"}`); got != reported {
			t.Errorf("record %s: reported %t, want %t: %s", id, got, reported, result.Payload)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	sent := map[string]any{}
	for _, call := range calls["SendMessage"] {
		attributes, _ := call["MessageAttributes"].(map[string]any)
		sent[call["MessageBody"].(string)] = attributes["ErrorName"]
	}
	invalid := map[string]any{"DataType": "String", "StringValue": "Invalid"}
	if diff := cmp.Diff(map[string]any{"letter": invalid, "refused": invalid}, sent); diff != "" {
		t.Errorf("dead letters (-want +got):\n%s", diff)
	}
	waits := map[any]any{}
	for _, call := range calls["ChangeMessageVisibilityBatch"] {
		entries, _ := call["Entries"].([]any)
		for _, entry := range entries {
			e, _ := entry.(map[string]any)
			waits[e["ReceiptHandle"]] = e["VisibilityTimeout"]
		}
	}
	if diff := cmp.Diff(map[any]any{"handle-3": 7.0, "handle-4": 7.0}, waits); diff != "" {
		t.Errorf("visibilities (-want +got):\n%s", diff)
	}
}
