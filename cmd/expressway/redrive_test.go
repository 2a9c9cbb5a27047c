package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/expressway-dev/expressway/internal/awsenv"
	"github.com/expressway-dev/expressway/pkg/bridge"
)

// A redriveStack is what the command reaches over the wire: queues and a table in moto,
// and a server that notes what functions and buses are given.
type redriveStack struct {
	t      *testing.T
	table  *dedupeTable
	client *sqs.Client
	dir    string

	mu     sync.Mutex
	events []string // target and event
	url    string
}

const redriveConfig = `version: 1
routes:
  - name: orders
    sqs: orders
    start: orders
    dedupe: {key: '{% $message.body.order %}'}
  - name: bare
    sqs: bare
    start: orders
  - name: ordered
    sqs: ordered.fifo
    start: orders
    dedupe: {key: '{% $message.attributes.MessageDeduplicationId %}'}
  - name: paid
    eventbridge: {source: shop}
    start: orders
`

func newRedriveStack(t *testing.T) *redriveStack {
	t.Helper()
	s := &redriveStack{t: t, table: newDedupeTable(t), dir: t.TempDir()}
	cfg, err := awsenv.Config(s.table.server.Getenv, "SQS")
	if err != nil {
		t.Fatal(err)
	}
	s.client = sqs.NewFromConfig(cfg)
	for _, name := range []string{"dead", "dead.fifo", "orders", "bare", "ordered.fifo"} {
		in := &sqs.CreateQueueInput{QueueName: &name, Attributes: map[string]string{}}
		if strings.HasSuffix(name, ".fifo") {
			in.Attributes["FifoQueue"] = "true"
		}
		if name == "bare" {
			in.Attributes["RedrivePolicy"] = `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:123456789012:dead","maxReceiveCount":"3"}`
		}
		if _, err := s.client.CreateQueue(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.events = append(s.events, r.URL.Path+r.Header.Get("X-Amz-Target")+" "+r.Header.Get("X-Amz-Invocation-Type")+" "+string(body))
		s.mu.Unlock()
		if strings.Contains(r.URL.Path, "functions") {
			w.WriteHeader(http.StatusAccepted)
			return
		}
		_, _ = w.Write([]byte(`{"FailedEntryCount":0,"Entries":[{"EventId":"1"}]}`))
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	if err := os.WriteFile(filepath.Join(s.dir, "expressway.yaml"), []byte(redriveConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *redriveStack) getenv(name string) string {
	switch name {
	case "AWS_ENDPOINT_URL_LAMBDA", "AWS_ENDPOINT_URL_EVENTBRIDGE":
		return s.url
	case "EXPRESSWAY_DEDUPE_TABLE":
		return "dedupe"
	case "XDG_STATE_HOME":
		return s.dir
	}
	return s.table.server.Getenv(name)
}

func (s *redriveStack) queue(name string) string {
	return s.table.server.URL + "/123456789012/" + name
}

func (s *redriveStack) send(queue, body, group string, attributes map[string]string) {
	s.t.Helper()
	in := &sqs.SendMessageInput{QueueUrl: aws.String(s.queue(queue)), MessageBody: &body, MessageAttributes: map[string]types.MessageAttributeValue{}}
	if group != "" {
		in.MessageGroupId, in.MessageDeduplicationId = &group, aws.String(fmt.Sprint(time.Now().UnixNano(), rand.Int()))
	}
	for name, value := range attributes {
		in.MessageAttributes[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(value)}
	}
	if _, err := s.client.SendMessage(s.t.Context(), in); err != nil {
		s.t.Fatal(err)
	}
}

// drain takes all messages out of a queue.
func (s *redriveStack) drain(queue string) (out []types.Message) {
	s.t.Helper()
	for {
		got, err := s.client.ReceiveMessage(s.t.Context(), &sqs.ReceiveMessageInput{
			QueueUrl: aws.String(s.queue(queue)), MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"},
			MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
		})
		if err != nil {
			s.t.Fatal(err)
		}
		if len(got.Messages) == 0 {
			return out
		}
		for _, m := range got.Messages {
			if _, err := s.client.DeleteMessage(s.t.Context(), &sqs.DeleteMessageInput{QueueUrl: aws.String(s.queue(queue)), ReceiptHandle: m.ReceiptHandle}); err != nil {
				s.t.Fatal(err)
			}
		}
		out = append(out, got.Messages...)
	}
}

func (s *redriveStack) redrive(args ...string) (code int, out string) {
	s.t.Helper()
	var stdout, stderr bytes.Buffer
	args = append([]string{"redrive", "--config", filepath.Join(s.dir, "expressway.yaml")}, args...)
	code = run(s.t.Context(), args, strings.NewReader(""), &stdout, &stderr, s.getenv)
	return code, stdout.String() + stderr.String()
}

func (s *redriveStack) arn(queue string) string { return "arn:aws:sqs:us-east-1:123456789012:" + queue }

const ruleARN = "arn:aws:events:us-east-1:123456789012:rule/shop/paid"

func lambdaARN(name string) string { return "arn:aws:lambda:us-east-1:123456789012:function:" + name }

// Letters of every kind go back to what failed, less what was added to them.
func TestRedrive(t *testing.T) {
	t.Parallel()
	s := newRedriveStack(t)
	s.send("dead", `{"order":1}`, "", map[string]string{"ErrorName": "Invalid", "Route": "orders", "SourceQueue": s.arn("orders"), "mine": "m"})
	s.send("dead", `{"order":2}`, "", nil)
	s.send("dead", `{"version":"1.0","requestContext":{"functionArn":"`+lambdaARN("events:live")+`","condition":"RetriesExhausted"},"requestPayload":{"source":"shop",  "n":1.0},"responsePayload":{"errorType":"Declined"}}`, "", nil)
	s.send("dead", `{"source":"shop","detail-type":"Paid","detail":{"n":2}}`, "", map[string]string{"RULE_ARN": ruleARN, "TARGET_ARN": lambdaARN("events")})
	s.send("dead", `{"order":3}`, "", map[string]string{"ErrorName": "Invalid", "Route": "gone"})

	code, out := s.redrive("--from", "dead", "--dry-run")
	for _, want := range []string{
		"1        dead letter         Invalid   orders  queue orders", "1        message", "queue bare",
		"1        destination record  Declined  ", "function " + lambdaARN("events:live"), "1        rule record", "5 letters, 4 would be sent",
		"not sent: it does not name its source queue, and no route \"gone\"",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("exit %d; the dry run does not say %q:\n%s", code, want, out)
		}
	}
	if code, out = s.redrive("--from", s.queue("dead")); code != 1 || !strings.Contains(out, "5 letters, 4 sent") {
		t.Errorf("exit %d:\n%s", code, out)
	}
	orders, bare := s.drain("orders"), s.drain("bare")
	if len(orders) != 1 || aws.ToString(orders[0].Body) != `{"order":1}` || len(orders[0].MessageAttributes) != 1 || orders[0].MessageAttributes["mine"].StringValue == nil {
		t.Errorf("orders has %+v, want the letter with its own attribute", orders)
	}
	if len(bare) != 1 || aws.ToString(bare[0].Body) != `{"order":2}` {
		t.Errorf("bare has %+v, want one message {\"order\":2}", bare)
	}
	slices.Sort(s.events)
	if want := []string{
		"/2015-03-31/functions/" + lambdaARN("events") + `/invocations Event {"source":"shop","detail-type":"Paid","detail":{"n":2}}`,
		"/2015-03-31/functions/" + lambdaARN("events:live") + `/invocations Event {"source":"shop",  "n":1.0}`,
	}; !slices.Equal(s.events, want) {
		t.Errorf("functions got %q", s.events)
	}
	for _, absent := range []string{"nowhere", s.queue("dead") + "s", "arn:aws:sqs:us-east-1:123456789012:nowhere"} {
		if code, out = s.redrive("--from", absent); code != 1 || !strings.Contains(out, "there is no queue "+absent+" in us-east-1: ") || !strings.Contains(out, "Check the name, the region and the account.") {
			t.Errorf("exit %d:\n%s", code, out)
		}
	}
	if code, out = s.redrive("--from", "arn:aws:sns:us-east-1:123456789012:dead"); code != 1 || !strings.Contains(out, "it is the ARN of something else") {
		t.Errorf("exit %d:\n%s", code, out)
	}
	if code, out = s.redrive("--from", "dead", "--to", "bare"); code != 0 || len(s.drain("bare")) != 1 {
		t.Errorf("exit %d:\n%s", code, out)
	}
}

// Events go where the command says; a bus only when that is asked for.
func TestRedriveEvents(t *testing.T) {
	t.Parallel()
	s := newRedriveStack(t)
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--event-function", "other"}, "/2015-03-31/functions/other/invocations Event {"},
		{[]string{"--to-bus"}, `/AWSEvents.PutEvents  {"Entries":[{"Detail":"{\"n\":2}","DetailType":"Paid","EventBusName":"shop","Source":"shop"}]}`},
		{[]string{"--to-bus", "--bus", "mine"}, `"EventBusName":"mine"`},
	} {
		s.events = nil
		s.send("dead", `{"source":"shop","detail-type":"Paid","detail":{"n":2}}`, "", map[string]string{"RULE_ARN": ruleARN, "TARGET_ARN": "arn:aws:states:us-east-1:123456789012:stateMachine:x"})
		if code, out := s.redrive("--from", "dead"); code != 1 || !strings.Contains(out, "is neither a function nor a queue: pass --event-function") {
			t.Errorf("without a target: exit %d:\n%s", code, out)
		}
		code, out := s.redrive(append([]string{"--from", "dead"}, test.args...)...)
		if code != 0 || len(s.events) != 1 || !strings.Contains(s.events[0], test.want) {
			t.Errorf("%v: exit %d, %q:\n%s", test.args, code, s.events, out)
		}
	}
}

// A FIFO letter keeps its group, gets an id of its own, and carries its sender's, by which
// a dedupe key finds the record of its first delivery.
func TestRedriveFIFO(t *testing.T) {
	t.Parallel()
	s := newRedriveStack(t)
	for i, sender := range []string{"done", "new"} {
		s.send("dead.fifo", fmt.Sprintf(`{"order":%d}`, i), sender, map[string]string{
			"ErrorName": "Invalid", "Route": "ordered", "SourceQueue": s.arn("ordered.fifo"), "DeduplicationId": sender,
		})
	}
	claim := bridge.Claim{Key: bridge.DedupeRecord("ordered", []byte("done")), Until: time.Now().Add(time.Minute), Expires: time.Now().Add(time.Hour)}
	if _, err := s.table.store.Claim(t.Context(), claim); err != nil {
		t.Fatal(err)
	}
	code, out := s.redrive("--from", "dead.fifo")
	if code != 1 || !strings.Contains(out, "claim is live: an execution may be running") {
		t.Errorf("exit %d:\n%s", code, out)
	}
	if err := s.table.store.Complete(t.Context(), claim, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if code, out = s.redrive("--from", "dead.fifo"); code != 1 || !strings.Contains(out, "completed: a delivery with its dedupe key was completed") {
		t.Errorf("exit %d:\n%s", code, out)
	}
	got := s.drain("ordered.fifo")
	if len(got) != 1 || aws.ToString(got[0].Body) != `{"order":1}` || got[0].Attributes["MessageGroupId"] != "new" || len(got[0].MessageAttributes) != 1 {
		t.Fatalf("ordered.fifo has %+v, want the letter in its group", got)
	}
	var carried struct{ RedriveID, DeduplicationID string }
	if err := json.Unmarshal([]byte(aws.ToString(got[0].MessageAttributes["Expressway"].StringValue)), &carried); err != nil ||
		carried.DeduplicationID != "new" || carried.RedriveID != got[0].Attributes["MessageDeduplicationId"] {
		t.Errorf("it carries %+v, and its id is %s", carried, got[0].Attributes["MessageDeduplicationId"])
	}
}
