package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/internal/mototest"
)

// The sample of refunds on a laptop: a person decides by a link, and the bank's signed
// webhook finds the token under its own number, after a restart too; without DynamoDB,
// where the mocked task keeps it in memory, and with it.
func TestDevResumesBySignedWebhook(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	t.Run("in memory", func(t *testing.T) { refundIsPaid(t, "env.json") })
	t.Run("in DynamoDB", func(t *testing.T) {
		server := mototest.Start(t)
		client := dynamodb.New(dynamodb.Options{
			Region: mototest.Region, BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("x", "x", ""),
		})
		_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
			TableName: aws.String("WaitsTable"), BillingMode: types.BillingModePayPerRequest,
			KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
			AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		})
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		mocks := filepath.Join(dir, "mocks.json")
		for path, text := range map[string]string{
			mocks: `{"StateMachines":{"approval":{"TestCases":{"local":{"Ask":"Sent"}}}},"MockedResponses":{"Sent":{"0":{"Return":{},"WaitForTaskToken":true}}}}`,
			filepath.Join(dir, "env.json"): strings.NewReplacer(`"mocks.json"`, `"`+mocks+`", "AWS_ENDPOINT_URL_DYNAMODB": "`+server.URL+`"`).
				Replace(read(t, "env.json")),
		} {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		refundIsPaid(t, filepath.Join(dir, "env.json"))
	})
}

// shortGrace copies the sample's routes, with less time for a task that does not wait yet, so
// that a test of one that never does is short.
func shortGrace(t *testing.T, from, to string) {
	t.Helper()
	text := read(t, from)
	short := strings.Replace(text, "grace: 5s", "grace: 200ms", 1)
	if short == text {
		t.Fatal("the sample has no grace of 5s")
	}
	if err := os.WriteFile(to, []byte(short), 0o600); err != nil {
		t.Fatal(err)
	}
}

// refundIsPaid asks for a refund, approves it and lets the bank pay it.
func refundIsPaid(t *testing.T, variables string) {
	data := t.TempDir()
	routes := filepath.Join(t.TempDir(), "expressway.yaml")
	shortGrace(t, "expressway.yaml", routes)
	base, stop := startConsole(t, "--config", routes, "--env-vars", variables, "--data", data)
	defer func() { stop() }()
	send := func(r curlRequest) (int, string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), r.method, r.target, strings.NewReader(r.body))
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range r.headers {
			request.Header.Set(name, value)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(text)
	}
	api := func(path string, into any) {
		t.Helper()
		status, text := send(curlRequest{method: http.MethodGet, target: base + "/_expressway/api/" + path})
		if err := json.Unmarshal([]byte(text), into); err != nil || status != http.StatusOK {
			t.Fatalf("GET %s: got %d %s %v, want 200 and JSON", path, status, text, err)
		}
	}
	status, text := send(curlRequest{
		method: http.MethodPost, target: base + "/refunds", body: `{"refundId":"r-1","amount":1250}`,
		headers: map[string]string{"x-api-key": "development-only-api-key", "content-type": "application/json"},
	})
	if status != http.StatusAccepted {
		t.Fatalf("refunds: got %d %s, want 202", status, text)
	}
	var list struct {
		Executions []struct {
			ID     json.Number
			Status string
		}
	}
	api("executions", &list)
	id := list.Executions[0].ID.String()
	// waits returns the token of the state that waits.
	waits := func(state string) string {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
			var in struct {
				Waits []struct{ State, Token string }
			}
			if api("executions/"+id+"/waits", &in); len(in.Waits) == 1 && in.Waits[0].State == state {
				return in.Waits[0].Token
			}
		}
		t.Fatalf("no task waits in the state %s in time", state)
		return ""
	}
	bank := func(delivery, refund, status string) int {
		t.Helper()
		body := `{"id":"` + delivery + `","refund":"` + refund + `","status":"` + status + `"}`
		var out, errs strings.Builder
		code := run(t.Context(), []string{"sign", "payouts", "-d", "-", "--url", base, "--env-vars", variables},
			strings.NewReader(body), &out, &errs, func(string) string { return "" })
		if code != 0 {
			t.Fatalf("expressway sign failed: %s", &errs)
		}
		r := curled(t, out.String())
		if status == "forged" {
			r.body += " "
		}
		got, answer := send(r)
		t.Log(delivery, refund, status, got, answer)
		return got
	}
	decided, _ := send(curlRequest{
		method: http.MethodPost, target: base + "/approvals?token=" + url.QueryEscape(waits("Ask")), body: "decision=approve",
		headers: map[string]string{"content-type": "application/x-www-form-urlencoded"},
	})
	waits("Pay")
	stop()
	base, stop = startConsole(t, "--config", routes, "--env-vars", variables, "--data", data)
	api("executions", &list)
	id = list.Executions[0].ID.String()
	waits("Pay")
	got := []int{
		decided, bank("e-0", "r-1", "forged"), bank("e-1", "r-unknown", "paid"), bank("e-2", "r-1", "processing"),
		bank("e-3", "r-1", "paid"), bank("e-3", "r-1", "paid"), bank("e-4", "r-1", "failed"),
	}
	if diff := cmp.Diff([]int{200, 401, 404, 200, 200, 200, 410}, got); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	var ended struct {
		Status       string
		Error, Cause string
		History      []struct{ Type string }
	}
	for deadline := time.Now().Add(time.Minute); ended.Status != "SUCCEEDED" && time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		api("executions/"+id, &ended)
	}
	var history []string
	for _, e := range ended.History {
		history = append(history, e.Type)
	}
	want := []string{
		"ExecutionStarted",
		"TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded", "TaskStateExited",
		"TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded", "TaskStateExited",
		"SucceedStateEntered", "SucceedStateExited", "ExecutionSucceeded",
	}
	if diff := cmp.Diff(want, history); diff != "" {
		t.Errorf("%s %s: history (-want +got):\n%s", ended.Error, ended.Cause, diff)
	}
}
