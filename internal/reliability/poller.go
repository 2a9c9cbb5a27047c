package reliability

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/expressway-dev/expressway/internal/lambdatest"
)

// A poller does what Lambda's event source mapping does with a queue: it waits for
// messages, passes up to ten to the function, deletes those that the response does not
// list, and leaves the rest to their visibility. A function that fails leaves them all.
//
// [SQS event source mapping]: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
type poller struct {
	client   *sqs.Client
	queue    string // URL
	arn      string
	function *lambdatest.Function
	dice     dice
	ledger   *ledger
	out      *inFlight
}

// The shares of batches with faults.
const (
	shareKilled = 0.04
	shareLate   = 0.002
)

// run polls until ctx ends.
func (p *poller) run(ctx context.Context) error {
	for ctx.Err() == nil {
		messages, err := receive(ctx, p.client, p.queue)
		if err != nil {
			return err
		}
		if len(messages) == 0 {
			continue
		}
		if err := p.batch(ctx, messages); err != nil {
			return err
		}
	}
	return nil
}

// receive waits a second for messages. There are none when ctx has ended.
func receive(ctx context.Context, client *sqs.Client, queue string) ([]types.Message, error) {
	got, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &queue, MaxNumberOfMessages: 10, WaitTimeSeconds: 1, MessageAttributeNames: []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
	})
	if ctx.Err() != nil {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return got.Messages, nil
}

// batch passes messages to the function and does what its response says.
func (p *poller) batch(ctx context.Context, messages []types.Message) error {
	attempts := make([]attempt, len(messages))
	for i, m := range messages {
		attempts[i] = attemptOf(m)
		p.out.enter(attempts[i])
	}
	defer func() {
		for _, a := range attempts {
			p.out.leave(a)
		}
	}()
	began := time.Now()
	invokeCtx, cancel := p.mayKill(ctx, attempts[0])
	result, err := p.function.Invoke(invokeCtx, p.event(messages), lambdatest.InvokeOptions{})
	cancel()
	if errors.Is(err, errKill) {
		p.markAll(attempts, faultKilled)
		p.ledger.invoked("function killed: nothing deleted", len(messages))
		return nil
	}
	if ctx.Err() != nil {
		return nil
	}
	if failure := (*lambdatest.Error)(nil); errors.As(err, &failure) && failure.Type == lambdatest.ErrorTypeTimeout {
		p.markAll(attempts, faultTimeout) // on a busy machine; Lambda leaves the batch to its visibility
		p.ledger.invoked("function timed out: nothing deleted", len(messages))
		return nil
	}
	if err != nil {
		return err // the function itself never fails whole batches
	}
	if p.dice.roll("late", attempts[0]) < shareLate {
		time.Sleep(visibility + time.Second)
	}
	if time.Since(began) > visibility {
		p.markAll(attempts, faultExpired)
	}
	return p.settle(ctx, messages, attempts, result.Payload)
}

var errKill = errors.New("killed by the test")

// mayKill returns a context that kills the function in the middle of a few batches.
func (p *poller) mayKill(ctx context.Context, a attempt) (context.Context, context.CancelFunc) {
	if p.dice.roll("kill", a) >= shareKilled {
		return ctx, func() {}
	}
	after := time.Duration(1+p.dice.roll("when", a)*40) * time.Millisecond
	return context.WithTimeoutCause(ctx, after, errKill)
}

func (p *poller) markAll(attempts []attempt, fault string) {
	for _, a := range attempts {
		p.ledger.mark(a, fault)
	}
}

func (p *poller) settle(ctx context.Context, messages []types.Message, attempts []attempt, payload []byte) error {
	var response struct {
		BatchItemFailures []struct{ ItemIdentifier string }
	}
	if err := json.Unmarshal(payload, &response); err != nil {
		return err
	}
	failed := map[string]bool{}
	for _, f := range response.BatchItemFailures {
		failed[f.ItemIdentifier] = true
	}
	how := "all settled"
	if len(failed) > 0 {
		how = "some to deliver again"
	}
	p.ledger.invoked(how, len(messages))
	in := &sqs.DeleteMessageBatchInput{QueueUrl: &p.queue}
	for i, m := range messages {
		if !failed[*m.MessageId] {
			in.Entries = append(in.Entries, types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: m.ReceiptHandle})
		}
	}
	if len(in.Entries) == 0 {
		return nil
	}
	out, err := p.client.DeleteMessageBatch(ctx, in)
	if err != nil {
		return err
	}
	for _, entry := range out.Successful {
		i, _ := strconv.Atoi(*entry.Id)
		p.ledger.end(attempts[i].ID, deleted)
	}
	for _, entry := range out.Failed {
		p.ledger.count("deletes that failed: " + aws.ToString(entry.Code))
	}
	return nil
}

// event returns the event that the event source mapping makes from messages.
func (p *poller) event(messages []types.Message) []byte {
	records := make([]map[string]any, len(messages))
	for i, m := range messages {
		own := map[string]any{}
		for name, a := range m.MessageAttributes {
			v := map[string]any{"stringListValues": []any{}, "binaryListValues": []any{}, "dataType": *a.DataType}
			if strings.HasPrefix(*a.DataType, "Binary") {
				v["binaryValue"] = base64.StdEncoding.EncodeToString(a.BinaryValue)
			} else {
				v["stringValue"] = aws.ToString(a.StringValue)
			}
			own[name] = v
		}
		records[i] = map[string]any{
			"messageId": *m.MessageId, "receiptHandle": *m.ReceiptHandle, "body": *m.Body, "attributes": m.Attributes,
			"messageAttributes": own, "md5OfBody": aws.ToString(m.MD5OfBody), "eventSource": "aws:sqs", "eventSourceARN": p.arn, "awsRegion": "us-east-1",
		}
	}
	payload, _ := json.Marshal(map[string]any{"Records": records}) // texts: cannot fail
	return payload
}

// attemptOf returns which delivery of which message this is.
func attemptOf(m types.Message) attempt {
	var body struct{ ID string }
	_ = json.Unmarshal([]byte(*m.Body), &body)
	n, _ := strconv.Atoi(m.Attributes["ApproximateReceiveCount"])
	return attempt{copyID(body.ID, aws.ToString(m.MessageAttributes[copyAttribute].StringValue)), n}
}

// inFlight tracks which messages are with a function, and since when, and marks those that
// another function receives in the meantime.
type inFlight struct {
	ledger *ledger

	mu  sync.Mutex
	out map[string]map[attempt]time.Time
}

func (f *inFlight) enter(a attempt) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	for other, since := range f.out[a.ID] {
		if now.Sub(since) >= visibility-time.Second {
			f.ledger.mark(other, faultRedelivery)
		} else {
			f.ledger.mark(other, faultEarly)
		}
	}
	if f.out[a.ID] == nil {
		f.out[a.ID] = map[attempt]time.Time{}
	}
	f.out[a.ID][a] = now
}

func (f *inFlight) leave(a attempt) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if delete(f.out[a.ID], a); len(f.out[a.ID]) == 0 {
		delete(f.out, a.ID)
	}
}

func (f *inFlight) empty() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.out) == 0
}
