package functions_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/internal/lambdatest"
)

// waitingTasks implements as much of Step Functions and DynamoDB as a resumption needs.
type waitingTasks struct {
	mu    sync.Mutex
	waits map[string]bool
	sent  []string
}

func (w *waitingTasks) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	var in struct {
		TaskToken, Output, Error, Cause, TableName string
		Key                                        map[string]map[string]string
	}
	body, _ := io.ReadAll(r.Body)
	_ = json.Unmarshal(body, &in)
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	w.mu.Lock()
	defer w.mu.Unlock()
	if operation == "GetItem" {
		if in.TableName == "waits" && in.Key["id"]["S"] == "P-1" {
			_, _ = io.WriteString(rw, `{"Item":{"id":{"S":"P-1"},"token":{"S":"tok-table"}}}`)
			return
		}
		_, _ = io.WriteString(rw, `{}`)
		return
	}
	waiting, known := w.waits[in.TaskToken]
	switch {
	case !known:
		rw.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(rw, `{"__type":"InvalidToken"}`)
	case !waiting:
		rw.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(rw, `{"__type":"TaskTimedOut"}`)
	default:
		w.waits[in.TaskToken] = operation == "SendTaskHeartbeat"
		w.sent = append(w.sent, strings.TrimRight(fmt.Sprintf("%s %s %s%s %s", operation, in.TaskToken, in.Output, in.Error, in.Cause), " "))
		_, _ = io.WriteString(rw, `{}`)
	}
}

func hexMAC(secret, text string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = io.WriteString(mac, text)
	return hex.EncodeToString(mac.Sum(nil))
}

func unix(at time.Time) string { return fmt.Sprint(at.Unix()) }

// The three patterns of docs/resume.md, unchanged, in the compiled function.
func TestDocumentedResumptions(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/resume.md")
	if err != nil {
		t.Fatal(err)
	}
	routes := "version: 1\nroutes:\n"
	blocks := regexp.MustCompile("(?s)```yaml\nversion: 1\nroutes:\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	for _, b := range blocks {
		routes += b[1]
	}
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "expressway.yaml"), []byte(routes), 0o600); err != nil || len(blocks) != 3 {
		t.Fatalf("%d patterns, %v; want three", len(blocks), err)
	}
	tasks := &waitingTasks{waits: map[string]bool{"tok-meta": true, "tok-table": true, "tok-link": true, "tok-other": true}}
	server := httptest.NewServer(tasks)
	t.Cleanup(server.Close)
	fn := start(t, "webhook", lambdatest.Options{TaskRoot: root, Env: map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "STRIPE_WEBHOOK_SECRET": "stripe", "CARRIER_SECRET": "carrier",
	}})
	send := func(method, path, query, contentType, body string, headers map[string]string) (status int, answer string) {
		headers["content-type"] = contentType
		payload, _ := json.Marshal(map[string]any{
			"version": "2.0", "rawPath": path, "rawQueryString": query, "headers": headers, "body": body,
			"requestContext": map[string]any{"domainName": "api.example.com", "stage": "$default", "requestId": "r", "http": map[string]string{"method": method}},
		})
		result, err := fn.Invoke(t.Context(), payload, lambdatest.InvokeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var response struct {
			StatusCode int
			Body       string
		}
		if err := json.Unmarshal(result.Payload, &response); err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, response.Body
	}
	stripe := func(id, kind, token string) int {
		body := fmt.Sprintf(`{"id":%q,"type":%q,"data":{"object":{"id":"pi_1","amount_received":500,"metadata":{"token":%q},"last_payment_error":{"message":"declined"}}}}`, id, kind, token)
		at := unix(time.Now())
		status, _ := send("POST", "/stripe", "", "application/json", body, map[string]string{"stripe-signature": "t=" + at + ",v1=" + hexMAC("stripe", at+"."+body)})
		return status
	}
	const form = "application/x-www-form-urlencoded"
	parcel := `{"parcel":"P-1"}`
	statuses := []int{
		stripe("evt_1", "payment_intent.processing", "tok-meta"), // heartbeat
		stripe("evt_2", "payment_intent.payment_failed", "tok-meta"),
		stripe("evt_2", "payment_intent.payment_failed", "tok-meta"), // a duplicate
		stripe("evt_3", "payment_intent.succeeded", "tok-meta"),      // gone
		stripe("evt_4", "payment_intent.succeeded", "guess"),
	}
	carrier := func(body, secret string) int {
		status, _ := send("POST", "/carrier", "", "application/json", body, map[string]string{"x-signature": hexMAC(secret, body)})
		return status
	}
	statuses = append(statuses, carrier(parcel, "forged"), carrier(parcel, "carrier"), carrier(parcel, "carrier"))
	for _, method := range []string{"GET", "POST", "POST"} {
		body := ""
		if method == "POST" {
			body = "decision=approve"
		}
		status, page := send(method, "/approvals", "token=tok-link", form, body, map[string]string{})
		if !strings.Contains(page, "Approve the refund?") || strings.Contains(page, "tok-link") {
			t.Errorf("%s: the page is %s", method, page)
		}
		statuses = append(statuses, status)
	}
	reject, _ := send("POST", "/approvals", "token=tok-other", form, "decision=reject", map[string]string{})
	statuses = append(statuses, reject)
	if diff := cmp.Diff([]int{200, 200, 200, 410, 400, 401, 200, 410, 200, 200, 410, 200}, statuses); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	want := []string{
		"SendTaskHeartbeat tok-meta",
		"SendTaskFailure tok-meta PaymentFailed declined",
		`SendTaskSuccess tok-table {"parcel":"P-1"}`,
		`SendTaskSuccess tok-link {"decision":"approve"}`,
		"SendTaskFailure tok-other Rejected",
	}
	if diff := cmp.Diff(want, tasks.sent); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
	for _, secret := range []string{"tok-", "guess", "P-1"} {
		if strings.Contains(fn.Logs(), secret) {
			t.Errorf("the log has %q:\n%s", secret, fn.Logs())
		}
	}
}
