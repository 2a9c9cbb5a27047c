package sqsclient_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/internal/awsenv"
	"github.com/expressway-dev/expressway/internal/mototest"
	"github.com/expressway-dev/expressway/pkg/sqsbatch"
	"github.com/expressway-dev/expressway/pkg/sqsbatch/sqsclient"
)

// queues makes queues in a moto server, and returns a client of their owner's.
func queues(t *testing.T, server *mototest.Server, names ...string) (*sqs.Client, []string) {
	t.Helper()
	cfg, err := awsenv.Config(server.Getenv, "SQS")
	if err != nil {
		t.Fatal(err)
	}
	client := sqs.NewFromConfig(cfg)
	var urls []string
	for _, name := range names {
		in := &sqs.CreateQueueInput{QueueName: aws.String(name), Attributes: map[string]string{"VisibilityTimeout": "300"}}
		if strings.HasSuffix(name, ".fifo") {
			in.Attributes["FifoQueue"] = "true"
		}
		out, err := client.CreateQueue(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		urls = append(urls, *out.QueueUrl)
	}
	return client, urls
}

func receive(t *testing.T, client *sqs.Client, url string) []types.Message {
	t.Helper()
	out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{
		QueueUrl: &url, MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Messages
}

func TestSend(t *testing.T) {
	t.Parallel()
	server := mototest.Start(t)
	client, urls := queues(t, server, "dead", "dead.fifo")
	const trace = "Root=1-67890abc-0123456789abcdef01234567;Sampled=1"
	for _, url := range urls {
		m := &sqsbatch.Message{
			QueueURL: url, Body: `{"a": "é"}`, TraceHeader: trace,
			Attributes: map[string]sqsbatch.Attribute{
				"ErrorName": {DataType: "String", Text: "Invalid"}, "n": {DataType: "Number.int", Text: "3"},
				"bin": {DataType: "Binary.png", Binary: []byte{0, 1, 2}},
			},
		}
		fifo := strings.HasSuffix(url, ".fifo")
		if fifo {
			m.GroupID, m.DeduplicationID = "g", "d"
			// What !GetAtt gives for a queue, in place of what !Ref gives.
			m.QueueURL = "arn:aws:sqs:" + server.Getenv("AWS_REGION") + ":123456789012:dead.fifo"
		}
		c := sqsclient.FromEnv(server.Getenv)
		for range 2 { // of two sends with one deduplication id, one arrives
			if err := c.Send(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			if !fifo {
				break
			}
		}
		messages := receive(t, client, url)
		if len(messages) != 1 {
			t.Fatalf("%s: %d messages, want 1", url, len(messages))
		}
		got := messages[0]
		if *got.Body != m.Body || got.Attributes["AWSTraceHeader"] != trace {
			t.Errorf("body %s, attributes %v", *got.Body, got.Attributes)
		}
		if fifo && (got.Attributes["MessageGroupId"] != "g" || got.Attributes["MessageDeduplicationId"] != "d") {
			t.Errorf("attributes %v, want the group and deduplication ids", got.Attributes)
		}
		kinds := map[string]string{}
		for name, a := range got.MessageAttributes {
			kinds[name] = *a.DataType + " " + aws.ToString(a.StringValue) + string(a.BinaryValue)
		}
		want := map[string]string{"ErrorName": "String Invalid", "n": "Number.int 3", "bin": "Binary.png \x00\x01\x02"}
		if diff := cmp.Diff(want, kinds); diff != "" {
			t.Errorf("message attributes (-want +got):\n%s", diff)
		}
	}
	err := sqsclient.FromEnv(server.Getenv).Send(t.Context(), &sqsbatch.Message{QueueURL: server.URL + "/123456789012/none", Body: "x"})
	if err == nil || !strings.Contains(err.Error(), "NonExistentQueue") && !strings.Contains(err.Error(), "QueueDoesNotExist") {
		t.Errorf("error = %v, want one that says that there is no such queue", err)
	}
}

func TestChangeVisibility(t *testing.T) {
	t.Parallel()
	server := mototest.Start(t)
	client, urls := queues(t, server, "orders")
	for _, body := range []string{"now", "later"} {
		if _, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &urls[0], MessageBody: aws.String(body)}); err != nil {
			t.Fatal(err)
		}
	}
	var changes []sqsbatch.Visibility
	for len(changes) < 2 {
		for _, m := range receive(t, client, urls[0]) {
			wait := time.Duration(0)
			if *m.Body == "later" {
				wait = time.Hour
			}
			changes = append(changes, sqsbatch.Visibility{ReceiptHandle: *m.ReceiptHandle, Timeout: wait})
		}
	}
	c := sqsclient.FromEnv(server.Getenv)
	const arn = "arn:aws:sqs:us-east-1:123456789012:orders"
	if err := c.ChangeVisibility(t.Context(), arn, changes); err != nil {
		t.Fatal(err)
	}
	messages := receive(t, client, urls[0])
	if len(messages) != 1 || *messages[0].Body != "now" {
		t.Errorf("%d messages are back, want only the one without a wait", len(messages))
	}
	changes[0].ReceiptHandle = "nothing"
	if err := c.ChangeVisibility(t.Context(), arn, changes); err == nil {
		t.Error("no error for an unknown receipt handle")
	}
	if err := c.ChangeVisibility(t.Context(), "orders", changes); err == nil {
		t.Error("no error for an invalid ARN")
	}
}

// An answer that is not an acceptance is an error, which reveals nothing of the message.
func TestSendFailures(t *testing.T) {
	t.Parallel()
	const secret = "payload"
	answer := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	tests := map[string]struct {
		handler http.HandlerFunc
		want    string
	}{
		"refused":    {answer(400, `{"__type":"com.amazonaws.sqs#InvalidMessageContents","message":"`+secret+`"}`), "InvalidMessageContents"},
		"too long":   {answer(400, `{"__type":"com.amazon.coral.service#InvalidParameterValueException","message":"Reason: Message must be shorter than 262144 bytes."}`), "InvalidParameterValue"},
		"denied":     {answer(403, `{"__type":"AccessDeniedException","message":"not allowed to sqs:SendMessage"}`), "sqs:SendMessage"},
		"KMS":        {answer(400, `{"__type":"com.amazonaws.sqs#KmsAccessDenied","message":"not allowed to kms:Decrypt"}`), "kms:Decrypt"},
		"a new code": {answer(400, `{"__type":"BrandNewException","message":"`+secret+`"}`), "BrandNewException"},
		"empty":      {answer(200, `{}`), "no message id"},
		"not JSON":   {answer(200, `<html>`), "cannot be read"},
		"altered":    {answer(200, `{"MessageId":"m","MD5OfMessageBody":"00000000000000000000000000000000"}`), "MD5OfMessageBody"},
		"broken off": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "closed without an answer"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(test.handler)
			t.Cleanup(server.Close)
			c := sqsclient.FromEnv((&mototest.Server{URL: server.URL}).Getenv)
			err := c.Send(t.Context(), &sqsbatch.Message{QueueURL: server.URL + "/123456789012/dead", Body: secret})
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), secret) {
				t.Errorf("error = %v, want it to contain %q, and no payload", err, test.want)
			}
		})
	}
}

// A send that was refused because of load is retried.
func TestSendThrottled(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		if requests.Add(1) == 1 {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"__type":"com.amazonaws.sqs#RequestThrottled","message":"x"}`))
			return
		}
		_, _ = w.Write([]byte(`{"MessageId":"m-1"}`))
	}))
	t.Cleanup(server.Close)
	c := sqsclient.FromEnv((&mototest.Server{URL: server.URL}).Getenv)
	if err := c.Send(t.Context(), &sqsbatch.Message{QueueURL: server.URL + "/123456789012/dead", Body: "x"}); err != nil || requests.Load() != 2 {
		t.Errorf("error = %v after %d requests, want none after 2", err, requests.Load())
	}
}

func TestNoEnvironment(t *testing.T) {
	t.Parallel()
	c := sqsclient.FromEnv(func(string) string { return "" })
	if err := c.Send(t.Context(), &sqsbatch.Message{}); !errors.Is(err, awsenv.ErrNone) {
		t.Errorf("error = %v, want awsenv.ErrNone", err)
	}
}
