// Package sqsclient makes the calls of pkg/sqsbatch to Amazon SQS: it sends dead letters
// and changes visibility. It is a separate package so that only programs with a queue
// function link it.
package sqsclient

import (
	"context"
	"crypto/md5" //nolint:gosec // SQS's checksum of what arrived, not a signature
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/expressway-dev/expressway/internal/awsjson"
	"github.com/expressway-dev/expressway/pkg/sqsbatch"
)

// A Client implements [sqsbatch.Queues]. It reads the environment at the first call:
// most batches need none. It is safe for concurrent use.
type Client struct {
	client func() (*awsjson.Client, error)
}

var _ sqsbatch.Queues = (*Client)(nil)

// FromEnv returns the Client of Lambda's environment (see internal/awsenv), which may
// name another endpoint in AWS_ENDPOINT_URL_SQS or AWS_ENDPOINT_URL.
//
// Unlike a start, a request is repeated while its failure may be temporary: sending a
// dead letter twice leaves at worst a second copy, while not sending it runs the workflow
// again.
func FromEnv(getenv func(string) string) *Client {
	return &Client{sync.OnceValues(func() (*awsjson.Client, error) { return awsjson.New(getenv, awsjson.SQS) })}
}

// in returns the client of a region; an empty region is the function's own.
func (c *Client) in(region string) (*awsjson.Client, error) {
	client, err := c.client()
	if err != nil || region == "" {
		return client, err
	}
	return client.In(region), nil
}

// at returns the client for a queue and the queue's URL, given its URL or ARN.
func (c *Client) at(address string) (*awsjson.Client, string, error) {
	if !strings.HasPrefix(address, "arn:") {
		client, err := c.in(urlRegion(address))
		return client, address, err
	}
	q, err := parseARN(address)
	if err != nil {
		return nil, "", err
	}
	client, err := c.in(q.region)
	if err != nil {
		return nil, "", err
	}
	return client, q.url(client.Endpoint()), nil
}

// attribute is MessageAttributeValue, or MessageSystemAttributeValue.
type attribute struct {
	DataType    string
	StringValue *string `json:",omitempty"`
	BinaryValue []byte  `json:",omitempty"`
}

type sendMessage struct {
	QueueURL                string               `json:"QueueUrl"`
	MessageBody             string               `json:"MessageBody"`
	MessageGroupID          string               `json:"MessageGroupId,omitempty"`
	MessageDeduplicationID  string               `json:"MessageDeduplicationId,omitempty"`
	MessageAttributes       map[string]attribute `json:",omitempty"`
	MessageSystemAttributes map[string]attribute `json:",omitempty"`
}

// Send implements [sqsbatch.Queues] with [SendMessage].
//
// [SendMessage]: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
func (c *Client) Send(ctx context.Context, m *sqsbatch.Message) error {
	client, queueURL, err := c.at(m.QueueURL)
	if err != nil {
		return err
	}
	in := sendMessage{
		QueueURL: queueURL, MessageBody: m.Body,
		MessageGroupID: m.GroupID, MessageDeduplicationID: m.DeduplicationID,
		MessageAttributes: make(map[string]attribute, len(m.Attributes)),
	}
	for name, a := range m.Attributes {
		value := attribute{DataType: a.DataType}
		if strings.HasPrefix(a.DataType, "Binary") {
			value.BinaryValue = a.Binary
		} else {
			value.StringValue = &a.Text
		}
		in.MessageAttributes[name] = value
	}
	if m.TraceHeader != "" {
		in.MessageSystemAttributes = map[string]attribute{
			"AWSTraceHeader": {DataType: "String", StringValue: &m.TraceHeader},
		}
	}
	var out struct {
		MessageID        string `json:"MessageId"`
		MD5OfMessageBody string
	}
	if err := client.Call(ctx, "SendMessage", in, &out); err != nil {
		return describe(err)
	}
	if out.MessageID == "" {
		return errors.New("the queue's answer has no message id")
	}
	sum := md5.Sum([]byte(m.Body)) //nolint:gosec // see the import
	if out.MD5OfMessageBody != "" && out.MD5OfMessageBody != hex.EncodeToString(sum[:]) {
		return errors.New("the queue received a different body from the one sent: MD5OfMessageBody differs")
	}
	m.ID = out.MessageID
	return nil
}

type visibilityEntry struct {
	ID                string `json:"Id"`
	ReceiptHandle     string
	VisibilityTimeout int // seconds
}

// ChangeVisibility implements [sqsbatch.Queues] with [ChangeMessageVisibilityBatch].
//
// [ChangeMessageVisibilityBatch]: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibilityBatch.html
func (c *Client) ChangeVisibility(ctx context.Context, queueARN string, changes []sqsbatch.Visibility) error {
	queue, err := parseARN(queueARN)
	if err != nil {
		return err
	}
	client, err := c.in(queue.region)
	if err != nil {
		return err
	}
	var in struct {
		Entries  []visibilityEntry
		QueueURL string `json:"QueueUrl"`
	}
	in.QueueURL = queue.url(client.Endpoint())
	for i, change := range changes {
		in.Entries = append(in.Entries, visibilityEntry{strconv.Itoa(i), change.ReceiptHandle, int(change.Timeout.Seconds())})
	}
	var out struct{ Failed []struct{ Code string } }
	if err := client.Call(ctx, "ChangeMessageVisibilityBatch", in, &out); err != nil {
		return describe(err)
	}
	if n := len(out.Failed); n > 0 {
		return fmt.Errorf("%d of %d: %s", n, len(changes), out.Failed[0].Code)
	}
	return nil
}

// A queue holds the parts of a queue's ARN.
type queue struct{ region, account, name string }

// parseARN reads arn:PARTITION:sqs:REGION:ACCOUNT:NAME.
func parseARN(arn string) (queue, error) {
	parts := strings.Split(arn, ":")
	if len(parts) != 6 || parts[2] != "sqs" || parts[3] == "" || parts[4] == "" || parts[5] == "" {
		return queue{}, errors.New("the ARN is not a queue's")
	}
	return queue{parts[3], parts[4], parts[5]}, nil
}

func (q queue) url(endpoint string) string {
	return strings.TrimRight(endpoint, "/") + "/" + q.account + "/" + q.name
}

// urlRegion returns the region in a queue's URL, or empty: a dead-letter queue may be in a
// different region from the function. It is the part of the host that yields the same host
// by the endpoint rules.
func urlRegion(queueURL string) string {
	u, err := url.Parse(queueURL)
	if err != nil {
		return ""
	}
	host := u.Hostname()
	if region, ok := strings.CutSuffix(host, ".queue.amazonaws.com"); ok {
		return region // the form of SQS's early years
	}
	for part := range strings.SplitSeq(host, ".") {
		for kind := range 4 {
			if awsjson.Host(awsjson.SQS, part, kind&1 != 0, kind&2 != 0) == host {
				return part
			}
		}
	}
	return ""
}

// describe explains what went wrong without showing what was sent. With many codes, SQS
// quotes attributes and characters of a message in its text, so the text is used only if
// it is about permissions, keys or the queue itself.
func describe(err error) error {
	var answer *awsjson.Error
	if !errors.As(err, &answer) || answer.Code == "" {
		return err
	}
	var doc struct {
		Message string `json:"message"` // also reads "Message": names match in any case
	}
	_ = json.Unmarshal(answer.Body, &doc) // without a text, the code must suffice
	code := answer.Code
	switch {
	case strings.Contains(doc.Message, "must be shorter than"):
		return errors.New(code + ": the message is longer than the queue's MaximumMessageSize")
	case strings.HasPrefix(code, "AccessDenied"), strings.HasPrefix(strings.ToUpper(code), "KMS"),
		strings.HasSuffix(code, "NonExistentQueue"), strings.HasPrefix(code, "QueueDoesNotExist"):
		return fmt.Errorf("%s: %s", code, doc.Message)
	}
	return err
}
