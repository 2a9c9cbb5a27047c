package reliability

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/expressway-dev/expressway/internal/awsenv"
	"github.com/expressway-dev/expressway/internal/lambdatest"
	"github.com/expressway-dev/expressway/pkg/statesapi"
)

// Times of a run. They are much shorter than AWS's, but in the same order: an execution,
// visibility, the function's timeout, with a slow answer in between.
const (
	visibility      = 6 * time.Second
	slowAnswer      = 7 * time.Second
	settling        = 3 * time.Second // from the last end to the last dead letter's collection
	functionTimeout = 12 * time.Second
)

// maxReceives is the redrive policy's limit. A message of a group uses up receives behind
// others that fail, so a FIFO queue needs more of them.
const (
	maxReceives     = 6
	maxReceivesFIFO = 100
)

// options say what to run.
type options struct {
	// Messages is how many messages are sent, a fifth of them to a FIFO queue.
	Messages int
	// Pollers is how many functions run concurrently.
	Pollers int
	// Seed decides which faults hit which deliveries.
	Seed uint64
	// Bootstrap is the compiled queue function, in a folder that Run may write to.
	Bootstrap string
	// Queues is the endpoint of a server that emulates SQS.
	Queues string
	// Config writes the configuration, for the URLs of the two dead-letter queues.
	Config func(dead, deadFIFO string) (file string, err error)
	// Dedupe gives the routes a dedupe key and the function a table, in DynamoDB at the
	// same endpoint.
	Dedupe bool
	// Idle ends a run in which nothing ends any more.
	Idle time.Duration
}

// routes is the configuration of a run.
func routes(dead, deadFIFO string, dedupe bool) string {
	const route = `  - name: %s
    sqs: %s
    start: work
    input:
      id: '{%% $message.body.id & ($exists($message.messageAttributes.Copy) ? "/" & $message.messageAttributes.Copy.stringValue : "") %%}'
      n: '{%% $message.receiveCount %%}'
      kind: '{%% $message.body.kind %%}'
      order: '{%% $message.body.order.number %%}'
      text: '{%% [1..$message.body.times].$message.body.text %%}'
    concurrency: 10
    deadLetterQueue: %s
    retry: {delay: 1s, rate: 2, max: 4s}
    catch:
      - {errors: [Invalid], then: dead-letter}
      - {errors: [Gone], then: discard}
`
	key := ""
	if dedupe {
		// Executions take milliseconds, so a claim need not last five minutes.
		key = "    timeout: 4s\n    dedupe: {key: '{% $message.body.id %}', for: 1h, claim: 2s}\n"
	}
	return "version: 1\nroutes:\n" + fmt.Sprintf(route, "work", "work", dead) + key + fmt.Sprintf(route, "work-fifo", "work.fifo", deadFIFO) + key
}

// workflow does what the message's kind says.
const workflow = `{"StartAt": "Kind", "States": {
  "Kind": {"Type": "Choice", "Choices": [
    {"Variable": "$.kind", "StringEquals": "invalid", "Next": "Invalid"},
    {"Variable": "$.kind", "StringEquals": "gone", "Next": "Gone"},
    {"Variable": "$.kind", "StringEquals": "broken", "Next": "Broken"},
    {"And": [{"Variable": "$.kind", "StringEquals": "flaky"}, {"Variable": "$.n", "NumericEquals": 1}], "Next": "Broken"}
  ], "Default": "Done"},
  "Invalid": {"Type": "Fail", "Error": "Invalid", "Cause": "the order has no items"},
  "Gone": {"Type": "Fail", "Error": "Gone"},
  "Broken": {"Type": "Fail", "Error": "Broken"},
  "Done": {"Type": "Pass", "End": true}
}}`

// A runner is a run under way.
type runner struct {
	opts   options
	ledger *ledger
	dice   dice
	client *sqs.Client
	urls   map[string]string
	out    *inFlight

	deadMu sync.Mutex
	dead   []dead // the letters of the messages that were sent
}

// The queues of a run.
var queueNames = []string{"dead", "dead.fifo", "redriven", "redriven.fifo", "work", "work.fifo"}

// runMessages sends messages, polls until each has ended, puts the dead letters back, polls until
// those have ended, and returns the account.
func runMessages(ctx context.Context, o options) (*account, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r := &runner{opts: o, ledger: newLedger(o.Dedupe), dice: dice(o.Seed), urls: map[string]string{}}

	states := statesapi.New(statesapi.Options{OnExecution: observe(r.ledger), MaxExecutions: 10000})
	defer states.Close(context.Background())
	if err := states.Put("work", []byte(workflow)); err != nil {
		return nil, err
	}
	stepFunctions := httptest.NewServer(&front{next: statesapi.NewHandler(states, statesapi.HandlerOptions{}), dice: r.dice, ledger: r.ledger, calls: map[attempt]int{}})
	defer stepFunctions.Close()
	queues := httptest.NewServer(&queueFront{target: o.Queues, client: &http.Client{}, dice: r.dice, ledger: r.ledger})
	defer queues.Close()

	if err := errors.Join(r.makeQueues(ctx, queues.URL), r.makeTable(ctx, queues.URL)); err != nil {
		return nil, err
	}
	file, err := o.Config(r.urls["dead"], r.urls["dead.fifo"])
	if err != nil {
		return nil, err
	}
	var running sync.WaitGroup
	fail := func(err error) {
		if err != nil {
			cancel(err)
		}
	}
	r.out = &inFlight{ledger: r.ledger, out: map[string]map[attempt]time.Time{}}
	for i := range o.Pollers {
		function, err := lambdatest.Start(ctx, lambdatest.Options{
			Bootstrap: o.Bootstrap, Name: "queue", Timeout: functionTimeout,
			Env: map[string]string{
				"EXPRESSWAY_CONFIG": file, "EXPRESSWAY_DEDUPE_TABLE": tableName, "AWS_ENDPOINT_URL_SFN": stepFunctions.URL,
				"AWS_ENDPOINT_URL_SQS": queues.URL, "AWS_ENDPOINT_URL_DYNAMODB": queues.URL,
			},
		})
		if err != nil {
			return nil, err
		}
		defer function.Stop()
		name := "work"
		if i%3 == 2 {
			name = "work.fifo"
		}
		p := &poller{
			client: r.client, queue: r.urls[name], arn: "arn:aws:sqs:us-east-1:123456789012:" + name,
			function: function, dice: r.dice, ledger: r.ledger, out: r.out,
		}
		running.Go(func() { fail(p.run(ctx)) })
	}
	running.Go(func() { fail(r.collect(ctx)) })
	for _, step := range []func(context.Context) error{r.sendAll, r.await, r.putBack, r.await} {
		if err = step(ctx); err != nil {
			break
		}
	}
	cancel(errDone)
	running.Wait()
	if cause := context.Cause(ctx); err == nil && !errors.Is(cause, errDone) {
		err = cause
	}
	return r.ledger.account(), err
}

var errDone = errors.New("done")

// configuration is that of the SDK for a service at the endpoint.
func configuration(endpoint, service string) (aws.Config, error) {
	env := map[string]string{"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_ENDPOINT_URL": endpoint}
	return awsenv.Config(func(name string) string { return env[name] }, service)
}

// tableName is the table of dedupe records.
const tableName = "dedupe"

func (r *runner) makeTable(ctx context.Context, endpoint string) error {
	cfg, err := configuration(endpoint, "DYNAMODB")
	if err != nil || !r.opts.Dedupe {
		return err
	}
	_, err = dynamodb.NewFromConfig(cfg).CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: aws.String(tableName), BillingMode: dynamodbtypes.BillingModePayPerRequest,
		KeySchema:            []dynamodbtypes.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: dynamodbtypes.KeyTypeHash}},
		AttributeDefinitions: []dynamodbtypes.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: dynamodbtypes.ScalarAttributeTypeS}},
	})
	return err
}

func (r *runner) makeQueues(ctx context.Context, endpoint string) error {
	cfg, err := configuration(endpoint, "SQS")
	if err != nil {
		return err
	}
	r.client = sqs.NewFromConfig(cfg)
	for _, name := range queueNames {
		attributes := map[string]string{"VisibilityTimeout": strconv.Itoa(int(visibility.Seconds()))}
		receives := maxReceives
		suffix := ""
		if strings.HasSuffix(name, ".fifo") {
			attributes["FifoQueue"] = "true"
			receives, suffix = maxReceivesFIFO, ".fifo"
		}
		if strings.HasPrefix(name, "work") {
			attributes["RedrivePolicy"] = fmt.Sprintf(`{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:123456789012:redriven%s","maxReceiveCount":"%d"}`, suffix, receives)
		}
		if _, err := r.client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(name), Attributes: attributes}); err != nil {
			return err
		}
		r.urls[name] = endpoint + "/123456789012/" + name // the URL in the answer has the host behind the front
	}
	return nil
}

// message makes the ith message. Most are valid.
func (r *runner) message(i int) (message, string) {
	m := message{ID: fmt.Sprintf("m-%05d", i), Kind: kindOK, Seq: i}
	x := r.dice.roll("kind", attempt{ID: m.ID})
	for _, p := range []struct {
		kind  kind
		share float64
	}{{kindFlaky, 0.03}, {kindInvalid, 0.02}, {kindGone, 0.015}, {kindPoison, 0.01}, {kindBroken, 0.004}, {kindLarge, 0.002}, {kindThrottled, 0.001}} {
		if x < p.share {
			m.Kind = p.kind
			break
		}
		x -= p.share
	}
	if i%5 == 0 {
		m.Group = fmt.Sprintf("g-%02d", i/5%12) // few groups, so that a batch has several messages of one
		if m.Kind == kindBroken {               // it would block its group during all of its receives
			m.Kind = kindOK
		}
	}
	body := map[string]any{"id": m.ID, "kind": m.Kind, "order": map[string]any{"number": i}, "text": "x", "times": 1}
	switch m.Kind {
	case kindPoison:
		delete(body, "order")
	case kindLarge:
		body["text"], body["times"] = strings.Repeat("x", 30000), 10
	}
	text, _ := json.Marshal(body) // texts and numbers: cannot fail
	return m, string(text)
}

// backlog bounds how far sending runs ahead, so that the server that emulates SQS need
// not search ten thousand messages for each call.
const backlog = 400

// sendAll sends the messages, ten at a time to each queue.
func (r *runner) sendAll(ctx context.Context) error {
	entries := map[string][]types.SendMessageBatchRequestEntry{}
	flush := func(name string) error {
		if len(entries[name]) == 0 {
			return nil
		}
		out, err := r.client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: aws.String(r.urls[name]), Entries: entries[name]})
		if err == nil && len(out.Failed) > 0 {
			err = fmt.Errorf("%d messages not sent: %s", len(out.Failed), aws.ToString(out.Failed[0].Message))
		}
		entries[name] = nil
		return err
	}
	for i := range r.opts.Messages {
		m, body := r.message(i)
		entry := types.SendMessageBatchRequestEntry{Id: &m.ID, MessageBody: &body}
		name := "work"
		if m.Group != "" {
			name = "work.fifo"
			entry.MessageGroupId, entry.MessageDeduplicationId = &m.Group, &m.ID
		}
		r.ledger.sent(m)
		entries[name] = append(entries[name], entry)
		if len(entries[name]) == 10 {
			if err := flush(name); err != nil {
				return err
			}
		}
		for n, _ := r.ledger.open(); n > backlog && ctx.Err() == nil; n, _ = r.ledger.open() {
			time.Sleep(20 * time.Millisecond)
		}
	}
	return errors.Join(flush("work"), flush("work.fifo"))
}

// collect empties the queues of dead letters, of both kinds, until ctx ends.
func (r *runner) collect(ctx context.Context) error {
	for {
		got := 0
		for _, name := range queueNames[:4] {
			n, err := r.collectFrom(ctx, name)
			if ctx.Err() != nil {
				return nil
			}
			if err != nil {
				return err
			}
			got += n
		}
		if got == 0 {
			time.Sleep(200 * time.Millisecond)
		}
	}
}

func (r *runner) collectFrom(ctx context.Context, name string) (int, error) {
	url := r.urls[name]
	out, err := r.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &url, MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
	})
	if err != nil {
		return 0, err
	}
	for _, m := range out.Messages {
		id := attemptOf(m).ID
		if strings.HasPrefix(name, "dead") {
			r.ledger.letter(id, aws.ToString(m.MessageAttributes["ErrorName"].StringValue))
		} else {
			r.ledger.end(id, redriven)
		}
		if !strings.Contains(id, "/") { // one that was put back is not put back again
			r.deadMu.Lock()
			r.dead = append(r.dead, dead{name, m})
			r.deadMu.Unlock()
		}
		if _, err := r.client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle}); err != nil {
			return 0, err
		}
	}
	return len(out.Messages), nil
}

// await waits until every message has ended, and the last dead letters are collected.
func (r *runner) await(ctx context.Context) error {
	for ctx.Err() == nil {
		n, last := r.ledger.open()
		if n == 0 && time.Since(last) > settling && r.out.empty() {
			return nil
		}
		if n > 0 && !last.IsZero() && time.Since(last) > r.opts.Idle {
			return fmt.Errorf("%d messages have not ended, and none has for %v", n, r.opts.Idle)
		}
		time.Sleep(100 * time.Millisecond)
	}
	return nil
}
