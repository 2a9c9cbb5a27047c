package devserver

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/expressway-dev/expressway/internal/awserr"
)

// How a queue is polled: as by an event source mapping.
const (
	batchSize    = 10
	longPoll     = 5 // seconds
	pollAgain    = 2 * time.Second
	batchTime    = 60 * time.Second
	localKey     = "local"
	localAccount = "123456789012"
)

// Poll receives messages from a queue and runs the queue function on them, until ctx
// ends: messages that it does not report are deleted, and the others are delivered again.
// The queue may be at any SQS endpoint; its URL names the endpoint.
func (l *Local) Poll(ctx context.Context, queueURL string, getenv func(string) string, log *slog.Logger) error {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	at := endpoint(getenv, "SQS")
	if at != "" && strings.HasPrefix(queueURL, "arn:") {
		parts := strings.Split(queueURL, ":")
		queueURL = strings.TrimRight(at, "/") + "/" + parts[len(parts)-2] + "/" + parts[len(parts)-1]
	}
	u, err := url.Parse(queueURL)
	if err != nil || u.Host == "" {
		return fmt.Errorf("the queue must be a URL, such as http://127.0.0.1:9324/%s/orders, not %q", localAccount, queueURL)
	}
	if !strings.Contains(u.Host, ".amazonaws.") {
		at = "" // the URL names the endpoint
	}
	client := sqs.New(sqs.Options{
		BaseEndpoint: aws.String(cmp.Or(at, u.Scheme+"://"+u.Host)), Region: l.Region,
		Credentials: credentials.NewStaticCredentialsProvider(
			cmp.Or(getenv("AWS_ACCESS_KEY_ID"), localKey), cmp.Or(getenv("AWS_SECRET_ACCESS_KEY"), localKey), getenv("AWS_SESSION_TOKEN")),
	})
	p := &poller{l, client, queueURL, "", log}
	for ctx.Err() == nil {
		if err := p.batch(ctx); err != nil && ctx.Err() == nil {
			log.Warn("the queue cannot be polled; trying again", "queue", queueURL, "reason", awserr.Explain(err).Error(), "cure", awserr.Cure(err))
			select {
			case <-ctx.Done():
			case <-time.After(pollAgain):
			}
		}
	}
	return nil
}

type poller struct {
	local  *Local
	client *sqs.Client
	url    string
	arn    string
	log    *slog.Logger
}

// batch receives messages once, and settles them.
func (p *poller) batch(ctx context.Context) error {
	if p.arn == "" {
		out, err := p.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
			QueueUrl: &p.url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn},
		})
		if err != nil {
			return err
		}
		p.arn = out.Attributes[string(types.QueueAttributeNameQueueArn)]
	}
	out, err := p.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &p.url, MaxNumberOfMessages: batchSize, WaitTimeSeconds: longPoll,
		MessageAttributeNames: []string{"All"}, MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
	})
	if err != nil || len(out.Messages) == 0 {
		return err
	}
	failed, err := p.invoke(ctx, out.Messages)
	if err != nil {
		return nil // the function failed, which is recorded: all messages are delivered again
	}
	// Settled messages must be deleted, even if the program is stopped in the
	// meantime.
	ctx = context.WithoutCancel(ctx)
	for _, m := range out.Messages {
		if failed[aws.ToString(m.MessageId)] {
			continue
		}
		if _, err := p.client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &p.url, ReceiptHandle: m.ReceiptHandle}); err != nil {
			return err
		}
	}
	return nil
}

// invoke runs the queue function, and returns the messages that it reports.
func (p *poller) invoke(ctx context.Context, messages []types.Message) (failed map[string]bool, err error) {
	var event events.SQSEvent
	for _, m := range messages {
		event.Records = append(event.Records, p.record(m))
	}
	payload, err := json.Marshal(event)
	if err != nil {
		return nil, err
	}
	handler, err := p.local.Handler("queue")
	if err != nil {
		return nil, err
	}
	invocation, cancel := Invocation(context.WithoutCancel(ctx), p.local.Region, p.local.Account, rand.Text(), batchTime)
	defer cancel()
	answer, err := handler.Invoke(invocation, payload)
	if err != nil {
		return nil, err
	}
	var response events.SQSEventResponse
	if err := json.Unmarshal(answer, &response); err != nil {
		return nil, err
	}
	failed = map[string]bool{}
	for _, f := range response.BatchItemFailures {
		failed[f.ItemIdentifier] = true
	}
	return failed, nil
}

// record returns a message in the form in which Lambda delivers it.
func (p *poller) record(m types.Message) events.SQSMessage {
	r := events.SQSMessage{
		MessageId: aws.ToString(m.MessageId), ReceiptHandle: aws.ToString(m.ReceiptHandle), Body: aws.ToString(m.Body),
		Md5OfBody: aws.ToString(m.MD5OfBody), Attributes: m.Attributes, EventSource: "aws:sqs", EventSourceARN: p.arn, AWSRegion: p.local.Region,
		MessageAttributes: map[string]events.SQSMessageAttribute{},
	}
	for name, a := range m.MessageAttributes {
		r.MessageAttributes[name] = events.SQSMessageAttribute{
			DataType: aws.ToString(a.DataType), StringValue: a.StringValue, BinaryValue: a.BinaryValue,
			StringListValues: []string{}, BinaryListValues: [][]byte{},
		}
	}
	return r
}
