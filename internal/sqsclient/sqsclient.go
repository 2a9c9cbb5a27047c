// Package sqsclient does what pkg/sqsbatch asks of queues, with the SDK's client of
// Amazon SQS. It is a package of its own so that pkg/sqsbatch knows no SDK, and only
// the functions that need queues link it.
package sqsclient

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"github.com/expressway-dev/expressway/internal/awsenv"
	"github.com/expressway-dev/expressway/pkg/sqsbatch"
)

// endpointName is what the environment calls SQS.
const endpointName = "SQS"

// A Client implements [sqsbatch.Queues]. It makes the SDK's client at the first call:
// most batches need none. It is safe for concurrent use.
type Client struct {
	client func() (*sqs.Client, error)
	custom string // endpoint
}

var _ sqsbatch.Queues = (*Client)(nil)

// FromEnv returns the Client of Lambda's environment (see internal/awsenv), with
// AWS_ENDPOINT_URL_SQS or AWS_ENDPOINT_URL as another endpoint.
//
// The SDK's retries are on, unlike those of a start: to send a dead letter a second
// time leaves at worst a second copy of it, and not to send it runs the workflow again.
func FromEnv(getenv func(string) string) *Client {
	return &Client{
		custom: awsenv.Endpoint(getenv, endpointName),
		client: sync.OnceValues(func() (*sqs.Client, error) {
			cfg, err := awsenv.Config(getenv, endpointName)
			if err != nil {
				return nil, err
			}
			return sqs.NewFromConfig(cfg, func(o *sqs.Options) {
				if awsenv.FIPS(getenv) {
					o.EndpointOptions.UseFIPSEndpoint = aws.FIPSEndpointStateEnabled
				}
				if awsenv.DualStack(getenv) {
					o.EndpointOptions.UseDualStackEndpoint = aws.DualStackEndpointStateEnabled
				}
			}), nil
		}),
	}
}

// Send implements [sqsbatch.Queues] with SendMessage.
//
// [SendMessage]: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
func (c *Client) Send(ctx context.Context, m *sqsbatch.Message) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	in := &sqs.SendMessageInput{
		QueueUrl:               &m.QueueURL,
		MessageBody:            &m.Body,
		MessageGroupId:         optional(m.GroupID),
		MessageDeduplicationId: optional(m.DeduplicationID),
		MessageAttributes:      make(map[string]types.MessageAttributeValue, len(m.Attributes)),
	}
	for name, a := range m.Attributes {
		value := types.MessageAttributeValue{DataType: aws.String(a.DataType)}
		if strings.HasPrefix(a.DataType, "Binary") {
			value.BinaryValue = a.Binary
		} else {
			value.StringValue = aws.String(a.Text)
		}
		in.MessageAttributes[name] = value
	}
	if m.TraceHeader != "" {
		in.MessageSystemAttributes = map[string]types.MessageSystemAttributeValue{
			string(types.MessageSystemAttributeNameForSendsAWSTraceHeader): {
				DataType: aws.String("String"), StringValue: &m.TraceHeader,
			},
		}
	}
	out, err := client.SendMessage(ctx, in, inRegion(urlRegion(ctx, m.QueueURL)))
	if err != nil {
		return describe(err)
	}
	if aws.ToString(out.MessageId) == "" {
		return errors.New("the queue's answer has no message id")
	}
	return nil
}

// ChangeVisibility implements [sqsbatch.Queues] with ChangeMessageVisibilityBatch.
//
// [ChangeMessageVisibilityBatch]: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibilityBatch.html
func (c *Client) ChangeVisibility(ctx context.Context, queueARN string, changes []sqsbatch.Visibility) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	queue, region, err := c.queueURL(ctx, queueARN)
	if err != nil {
		return err
	}
	in := &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &queue}
	for i, change := range changes {
		in.Entries = append(in.Entries, types.ChangeMessageVisibilityBatchRequestEntry{
			Id:                aws.String(strconv.Itoa(i)),
			ReceiptHandle:     aws.String(change.ReceiptHandle),
			VisibilityTimeout: int32(change.Timeout.Seconds()),
		})
	}
	out, err := client.ChangeMessageVisibilityBatch(ctx, in, inRegion(region))
	if err != nil {
		return describe(err)
	}
	if n := len(out.Failed); n > 0 {
		return fmt.Errorf("%d of %d: %s", n, len(changes), aws.ToString(out.Failed[0].Code))
	}
	return nil
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// queueURL makes the URL of a queue from its ARN, arn:PARTITION:sqs:REGION:ACCOUNT:NAME.
func (c *Client) queueURL(ctx context.Context, arn string) (queue, region string, err error) {
	parts := strings.Split(arn, ":")
	if len(parts) != 6 || parts[2] != "sqs" || parts[3] == "" || parts[4] == "" || parts[5] == "" {
		return "", "", errors.New("the record's eventSourceARN is no queue's")
	}
	region = parts[3]
	base := c.custom
	if base == "" {
		if base = endpoint(ctx, region, false, false); base == "" {
			return "", "", errors.New("the region of the record's eventSourceARN has no endpoint")
		}
	}
	return strings.TrimRight(base, "/") + "/" + parts[4] + "/" + parts[5], region, nil
}

// endpoint is SQS's in a region by the SDK's rules, which know the partitions; empty
// where there is none.
func endpoint(ctx context.Context, region string, fips, dualStack bool) string {
	e, err := sqs.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx,
		sqs.EndpointParameters{Region: &region, UseFIPS: &fips, UseDualStack: &dualStack})
	if err != nil {
		return ""
	}
	return e.URI.String()
}

// urlRegion is the region of a queue's URL, or empty: a dead-letter queue may be in
// another region than the function. It is the part of the host of which the SDK's rules
// make that host again.
func urlRegion(ctx context.Context, queue string) string {
	u, err := url.Parse(queue)
	if err != nil {
		return ""
	}
	host := u.Hostname()
	if region, ok := strings.CutSuffix(host, ".queue.amazonaws.com"); ok {
		return region // as SQS named them once
	}
	for part := range strings.SplitSeq(host, ".") {
		for kind := range 4 {
			if endpoint(ctx, part, kind&1 != 0, kind&2 != 0) == "https://"+host {
				return part
			}
		}
	}
	return ""
}

func inRegion(region string) func(*sqs.Options) {
	return func(o *sqs.Options) {
		if region != "" {
			o.Region = region
		}
	}
}

// describe says what went wrong without what was sent. SQS quotes attributes and
// characters of a message in its words on many a code; only where those are about
// permissions, keys or the queue itself do they tell more than the code.
func describe(err error) error {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return err
	}
	code := api.ErrorCode()
	switch {
	case strings.Contains(api.ErrorMessage(), "must be shorter than"):
		return errors.New(code + ": the message is longer than the queue's MaximumMessageSize")
	case strings.HasPrefix(code, "AccessDenied"), strings.HasPrefix(strings.ToUpper(code), "KMS"),
		strings.HasSuffix(code, "NonExistentQueue"), strings.HasPrefix(code, "QueueDoesNotExist"):
		return fmt.Errorf("%s: %s", code, api.ErrorMessage())
	}
	return errors.New(code)
}
