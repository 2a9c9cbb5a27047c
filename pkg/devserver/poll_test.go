package devserver_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/expressway-dev/expressway/internal/mototest"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/console"
	"github.com/expressway-dev/expressway/pkg/devserver"
)

// Messages of a queue run the queue function: what succeeds is deleted, what is reported
// is delivered again, and goes to the dead-letter queue by the queue's own redrive. The console
// shows each batch, and how often each message was received.
func TestPoll(t *testing.T) {
	t.Parallel()
	server := mototest.Start(t)
	client := sqs.New(sqs.Options{BaseEndpoint: aws.String(server.Getenv("AWS_ENDPOINT_URL")), Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")})
	create := func(name string, attributes map[string]string) string {
		out, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
		if err != nil {
			t.Fatal(err)
		}
		return *out.QueueUrl
	}
	dead := create("dead", nil)
	queue := create("work", map[string]string{
		"VisibilityTimeout": "0", "RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:123456789012:dead","maxReceiveCount":"2"}`,
	})
	for i := range 3 {
		if _, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &queue, MessageBody: aws.String(fmt.Sprintf(`{"n":%d}`, i))}); err != nil {
			t.Fatal(err)
		}
	}
	started := make(chan string, 100)
	recorder := console.NewRecorder(console.Options{})
	local := newRecorded(t, recorder, starterFunc(func(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
		started <- string(s.Input)
		if strings.Contains(string(s.Input), `"n":1`) {
			return bridge.Outcome{ExecutionARN: "arn", Status: bridge.Failed, Error: "No"}, nil
		}
		return echo(ctx, s)
	}))
	defer func() { _ = local.Close(t.Context()) }()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- local.Poll(ctx, queue, noEnvironment, slog.New(slog.NewTextHandler(t.Output(), nil))) }()
	left := func(url string) string {
		out, err := client.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"}})
		if err != nil {
			t.Fatal(err)
		}
		return out.Attributes["ApproximateNumberOfMessages"] + "+" + out.Attributes["ApproximateNumberOfMessagesNotVisible"]
	}
	for deadline := time.Now().Add(60 * time.Second); left(queue) != "0+0" || left(dead) != "1+0"; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the queue has %s, the dead-letter queue %s", left(queue), left(dead))
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if n := len(started); n != 4 { // two that succeed, and one that fails twice
		t.Errorf("%d executions, want 4", n)
	}
	served := console.New(console.ServeOptions{Recorder: recorder, Engine: local.Engine("", "")})
	received := map[string]int{}
	for _, d := range recorder.Deliveries(nil, 100) {
		w := httptest.NewRecorder()
		served.ServeHTTP(w, httptest.NewRequest(http.MethodGet, fmt.Sprintf("/_expressway/api/deliveries/%d", d.ID), nil))
		var seen struct {
			Title, Status string
			OK            bool
			Messages      []struct {
				ReceiveCount string
				Body         struct{ Text string }
			}
		}
		if err := json.Unmarshal(w.Body.Bytes(), &seen); err != nil || !strings.HasPrefix(seen.Title, "work") || seen.OK == strings.Contains(seen.Status, "to retry") {
			t.Errorf("%v %s", err, w.Body)
		}
		for _, m := range seen.Messages {
			received[m.Body.Text+" received "+m.ReceiveCount+"×"]++
		}
	}
	for _, want := range []string{`{"n":0} received 1×`, `{"n":1} received 1×`, `{"n":1} received 2×`, `{"n":2} received 1×`} {
		if received[want] != 1 {
			t.Errorf("the console shows %v, want %s once", received, want)
		}
	}
	if err := local.Poll(t.Context(), "orders", noEnvironment, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "must be a URL") {
		t.Errorf("a name: %v", err)
	}
}

// newRecorded is newLocal with a recorder.
func newRecorded(t *testing.T, recorder *console.Recorder, starter bridge.Starter) *devserver.Local {
	t.Helper()
	path := filepath.Join(t.TempDir(), "expressway.yaml")
	if err := os.WriteFile(path, []byte(routes), 0o600); err != nil {
		t.Fatal(err)
	}
	local, err := devserver.NewLocal(devserver.Options{Config: path, Getenv: noEnvironment, Log: slog.New(recorder.Log(slog.DiscardHandler)), Starter: starter, Recorder: recorder})
	if err != nil {
		t.Fatal(err)
	}
	return local
}
