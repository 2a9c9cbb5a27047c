// Package wire implements the interfaces of a redrive on AWS, or at the endpoints of
// AWS_ENDPOINT_URL: queues, functions and event buses. Only tools use it.
package wire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"github.com/expressway-dev/expressway/internal/awsenv"
	"github.com/expressway-dev/expressway/internal/awserr"
	"github.com/expressway-dev/expressway/internal/redrive"
	"github.com/expressway-dev/expressway/pkg/sqsbatch"
)

// A Wire holds the clients. It is safe for concurrent use.
type Wire struct {
	getenv func(string) string
	region string
	http   *http.Client

	mu   sync.Mutex
	sqs  map[string]*sqs.Client // by region
	urls map[string]string      // by address
}

// New returns a Wire for the environment's region and credentials.
func New(getenv func(string) string) (*Wire, error) {
	cfg, err := awsenv.Config(getenv, "SQS")
	if err != nil {
		return nil, err
	}
	return &Wire{
		getenv: getenv, region: cfg.Region, http: &http.Client{Timeout: timeout},
		sqs: map[string]*sqs.Client{}, urls: map[string]string{},
	}, nil
}

// timeout bounds a request, including long polls.
const timeout = 30 * time.Second

// Region returns the environment's region.
func (w *Wire) Region() string { return w.region }

// client returns an SQS client for the region of an address, or else for the
// environment's.
func (w *Wire) client(address string) (*sqs.Client, error) {
	region := redrive.RegionOf(address)
	if region == "" {
		region = w.region
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if c := w.sqs[region]; c != nil {
		return c, nil
	}
	cfg, err := awsenv.Config(w.getenv, "SQS")
	if err != nil {
		return nil, err
	}
	cfg.Region = region
	cfg.HTTPClient = awshttp.NewBuildableClient().WithTimeout(timeout)
	w.sqs[region] = sqs.NewFromConfig(cfg)
	return w.sqs[region], nil
}

// at returns the client for a queue and the queue's URL, given its URL, ARN or name.
func (w *Wire) at(ctx context.Context, address string) (*sqs.Client, string, error) {
	client, err := w.client(address)
	if err != nil || strings.Contains(address, "://") {
		return client, address, err
	}
	w.mu.Lock()
	known := w.urls[address]
	w.mu.Unlock()
	if known != "" {
		return client, known, nil
	}
	in := &sqs.GetQueueUrlInput{QueueName: &address}
	if parts := strings.Split(address, ":"); len(parts) == 6 {
		if parts[2] != "sqs" {
			return nil, "", errors.New("it is the ARN of something else: a queue is named by its URL, its ARN (arn:aws:sqs:…) or its name")
		}
		in.QueueName, in.QueueOwnerAWSAccountId = &parts[5], &parts[4]
	}
	out, err := client.GetQueueUrl(ctx, in)
	if err != nil {
		return client, "", err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.urls[address] = aws.ToString(out.QueueUrl)
	return client, w.urls[address], nil
}

// A Queue is a dead-letter queue.
type Queue struct {
	// URL is the queue's URL, and Account its owner.
	URL, Account string
	// Sources are the URLs of the queues whose redrive policies name this one.
	Sources []string
	// Time is the time of the queue's clock when it was opened.
	Time   time.Time
	client *sqs.Client
}

// Open finds a queue by its URL, ARN or name.
func (w *Wire) Open(ctx context.Context, address string) (*Queue, error) {
	client, queueURL, err := w.at(ctx, address)
	if err != nil {
		return nil, unfound(client, "find", address, err)
	}
	q := &Queue{URL: queueURL, client: client}
	out, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &queueURL, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn},
	})
	if err != nil {
		return nil, unfound(client, "describe", address, err)
	}
	if parts := strings.Split(out.Attributes["QueueArn"], ":"); len(parts) == 6 {
		q.Account = parts[4]
	}
	if at, ok := awsmiddleware.GetServerTime(out.ResultMetadata); ok {
		q.Time = at.Add(time.Second - time.Millisecond) // an HTTP date has no fractions
	}
	pages := sqs.NewListDeadLetterSourceQueuesPaginator(client, &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: &queueURL})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			break // not permitted, or not supported by this endpoint: letters that need it are listed
		}
		q.Sources = append(q.Sources, page.QueueUrls...)
	}
	return q, nil
}

// unfound explains why a queue cannot be opened.
func unfound(client *sqs.Client, what, address string, err error) error {
	if explained := awserr.Explain(err); errors.Is(explained, awserr.ErrNotFound) && client != nil {
		return fmt.Errorf("there is no queue %s in %s: %w", address, client.Options().Region, explained)
	}
	return fmt.Errorf("%s the queue %s: %w", what, address, awserr.Explain(err))
}

// Receive implements [redrive.Queue].
func (q *Queue) Receive(ctx context.Context, most int, wait time.Duration) ([]redrive.Letter, error) {
	out, err := q.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &q.URL, MaxNumberOfMessages: int32(most), WaitTimeSeconds: int32(wait.Seconds()), VisibilityTimeout: int32(redrive.Visibility.Seconds()),
		MessageAttributeNames: []string{"All"}, MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
	})
	if err != nil {
		return nil, fmt.Errorf("receive dead letters: %w", awserr.Explain(err))
	}
	letters := make([]redrive.Letter, len(out.Messages))
	for i, m := range out.Messages {
		l := redrive.Letter{
			ID: aws.ToString(m.MessageId), Handle: aws.ToString(m.ReceiptHandle), Body: aws.ToString(m.Body),
			Attributes: make(map[string]sqsbatch.Attribute, len(m.MessageAttributes)), System: m.Attributes,
		}
		for name, a := range m.MessageAttributes {
			l.Attributes[name] = sqsbatch.Attribute{DataType: aws.ToString(a.DataType), Text: aws.ToString(a.StringValue), Binary: a.BinaryValue}
		}
		letters[i] = l
	}
	return letters, nil
}

// Hide implements [redrive.Queue].
func (q *Queue) Hide(ctx context.Context, handle string, visibility time.Duration) error {
	_, err := q.client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{
		QueueUrl: &q.URL, ReceiptHandle: &handle, VisibilityTimeout: int32(visibility.Seconds()),
	})
	return err
}

// Delete implements [redrive.Queue].
func (q *Queue) Delete(ctx context.Context, handle string) error {
	_, err := q.client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &q.URL, ReceiptHandle: &handle})
	return err
}

// Count implements [redrive.Queue].
func (q *Queue) Count(ctx context.Context) (visible, hidden int, err error) {
	out, err := q.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &q.URL, AttributeNames: []types.QueueAttributeName{
		types.QueueAttributeNameApproximateNumberOfMessages, types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
	}})
	if err != nil {
		return 0, 0, fmt.Errorf("count the dead letters: %w", awserr.Explain(err))
	}
	_, _ = fmt.Sscan(out.Attributes["ApproximateNumberOfMessages"], &visible) // a missing count is zero
	_, _ = fmt.Sscan(out.Attributes["ApproximateNumberOfMessagesNotVisible"], &hidden)
	return visible, hidden, nil
}

// Send implements [redrive.Sender].
func (w *Wire) Send(ctx context.Context, p *redrive.Parcel) error {
	switch p.Target.Place {
	case redrive.ToFunction:
		return w.invoke(ctx, p)
	case redrive.ToBus:
		return w.putEvent(ctx, p)
	}
	client, queueURL, err := w.at(ctx, p.Target.Address)
	if err != nil {
		return &redrive.Refusal{Err: err, Passes: passes(err)}
	}
	m := p.Message
	in := &sqs.SendMessageInput{QueueUrl: &queueURL, MessageBody: &m.Body, MessageAttributes: map[string]types.MessageAttributeValue{}}
	for name, a := range m.Attributes {
		value := types.MessageAttributeValue{DataType: aws.String(a.DataType)}
		if strings.HasPrefix(a.DataType, "Binary") {
			value.BinaryValue = a.Binary
		} else {
			value.StringValue = aws.String(a.Text)
		}
		in.MessageAttributes[name] = value
	}
	if m.GroupID != "" {
		in.MessageGroupId = &m.GroupID
	}
	if m.DeduplicationID != "" {
		in.MessageDeduplicationId = &m.DeduplicationID
	}
	if m.TraceHeader != "" {
		in.MessageSystemAttributes = map[string]types.MessageSystemAttributeValue{
			string(types.MessageSystemAttributeNameForSendsAWSTraceHeader): {DataType: aws.String("String"), StringValue: &m.TraceHeader},
		}
	}
	// A retry after a lost answer would send two messages.
	_, err = client.SendMessage(ctx, in, func(o *sqs.Options) { o.Retryer = aws.NopRetryer{} })
	return judge(err)
}

// judge distinguishes errors after which the message was certainly not accepted from the
// others.
func judge(err error) error {
	var answer *awshttp.ResponseError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &answer) && answer.HTTPStatusCode() >= 400 && answer.HTTPStatusCode() < 500, unsent(err):
		return &redrive.Refusal{Err: awserr.Explain(err), Passes: passes(err)}
	}
	return err
}

// unsent reports whether the request certainly did not reach the service.
func unsent(err error) bool {
	var dns *net.DNSError
	var op *net.OpError
	return errors.As(err, &dns) || errors.As(err, &op) && op.Op == "dial"
}

// passes reports whether the error is temporary.
func passes(err error) bool {
	var answer *awshttp.ResponseError
	if errors.As(err, &answer) && (answer.HTTPStatusCode() == http.StatusTooManyRequests || answer.HTTPStatusCode() >= 500) {
		return true
	}
	var named smithy.APIError
	if errors.As(err, &named) {
		code := strings.ToLower(named.ErrorCode())
		return strings.Contains(code, "throttl") || strings.Contains(code, "toomanyrequests") || strings.Contains(code, "limitexceeded")
	}
	return unsent(err)
}
