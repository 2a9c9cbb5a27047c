package sqsclient_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/expressway-dev/expressway/internal/awsenv"
	"github.com/expressway-dev/expressway/internal/mototest"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/sqsbatch/sqsclient"
)

// An accepted delivery is in the queue, with the trace of the invocation.
func TestAccept(t *testing.T) {
	t.Parallel()
	server := mototest.Start(t)
	cfg, err := awsenv.Config(server.Getenv, "SQS")
	if err != nil {
		t.Fatal(err)
	}
	client := sqs.NewFromConfig(cfg)
	queue, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("accepted"), Attributes: map[string]string{"MaximumMessageSize": "2048"}})
	if err != nil {
		t.Fatal(err)
	}
	const trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
	//lint:ignore SA1029 the key is aws-lambda-go's own
	ctx := context.WithValue(t.Context(), "x-amzn-trace-id", trace)
	a := sqsclient.NewAcceptor(server.Getenv)
	in := bridge.Acceptance{
		Queue: *queue.QueueUrl, FallbackTrace: "Root=1-00000000-000000000000000000000000",
		Envelope: bridge.Envelope{Version: bridge.EnvelopeVersion, Route: "r", DeliveryID: "d", Input: []byte(`{"n":1.0}`)},
	}
	id, err := a.Accept(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	got, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: queue.QueueUrl, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}})
	if err != nil || len(got.Messages) != 1 {
		t.Fatalf("%v, %v", got, err)
	}
	m := got.Messages[0]
	e, err := bridge.DecodeEnvelope(*m.Body)
	if err != nil || *m.MessageId != id || e.Trace != trace || m.Attributes["AWSTraceHeader"] != trace || string(e.Input) != `{"n":1.0}` {
		t.Errorf("message %s of %s with %v: %+v, %v", *m.MessageId, id, m.Attributes, e, err)
	}
	in.Envelope.Input = []byte(`"` + strings.Repeat("x", 3000) + `"`)
	if _, err := a.Accept(ctx, in); bridge.AsFailure(err).Name != bridge.InputTooLarge {
		t.Errorf("too large: %v", err)
	}
	in.Queue = server.URL + "/123456789012/none"
	if _, err := a.Accept(ctx, in); bridge.AsFailure(err).Name != bridge.Misconfigured {
		t.Errorf("no such queue: %v", err)
	}
}

// A message is sent once, unless the queue certainly did not accept it.
func TestAcceptOnce(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answer func(w http.ResponseWriter, n int32)
		want   string // the failure
		calls  int32
	}{
		"throttled, then taken": {func(w http.ResponseWriter, n int32) {
			if n == 1 {
				w.Header().Set("X-Amzn-Errortype", "ThrottlingException")
				w.WriteHeader(http.StatusBadRequest)
			}
			_, _ = io.WriteString(w, `{"MessageId":"m"}`)
		}, "", 2},
		"500":   {func(w http.ResponseWriter, _ int32) { w.WriteHeader(http.StatusInternalServerError) }, bridge.Unknown, 1},
		"no id": {func(w http.ResponseWriter, _ int32) { _, _ = io.WriteString(w, `{}`) }, bridge.Unknown, 1},
		"denied": {func(w http.ResponseWriter, _ int32) {
			w.Header().Set("X-Amzn-Errortype", "AccessDenied")
			w.WriteHeader(http.StatusForbidden)
		}, bridge.Misconfigured, 1},
		"reset": {func(http.ResponseWriter, int32) { panic(http.ErrAbortHandler) }, bridge.Unknown, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { test.answer(w, calls.Add(1)) }))
			defer server.Close()
			a := sqsclient.NewAcceptor(environment(server.URL))
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			_, err := a.Accept(ctx, bridge.Acceptance{Queue: server.URL + "/1/q", Envelope: bridge.Envelope{Input: []byte("1")}})
			name := ""
			if err != nil {
				name = bridge.AsFailure(err).Name
			}
			if name != test.want || calls.Load() != test.calls {
				t.Errorf("%v after %d calls, want %q after %d", err, calls.Load(), test.want, test.calls)
			}
		})
	}
	a := sqsclient.NewAcceptor(environment("http://127.0.0.1:1"))
	if _, err := a.Accept(t.Context(), bridge.Acceptance{Queue: "http://127.0.0.1:1/1/q", Envelope: bridge.Envelope{Input: []byte("1")}}); bridge.AsFailure(err).Name != bridge.Unavailable {
		t.Errorf("without a listener: %v", err)
	}
}

func environment(url string) func(string) string {
	return func(name string) string {
		return map[string]string{"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_ENDPOINT_URL": url}[name]
	}
}
