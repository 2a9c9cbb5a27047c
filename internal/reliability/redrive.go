package reliability

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// copyAttribute numbers the messages that were put back: a message may have several dead
// letters, and each becomes a message again. Only the test uses it; everything else in a
// letter is put back as by SQS's own redrive.
const copyAttribute = "Copy"

// ourHeader marks the sends of the test, because some of the function's sends are made to
// fail.
const ourHeader = "X-Reliability"

// shareMended is the share of the dead letters that are corrected before they are put
// back.
const shareMended = 0.75

// A dead message is one that was received from a queue of dead letters.
type dead struct {
	queue   string
	message types.Message
}

// copyID is the ledger's name of a message that was put back.
func copyID(id, number string) string {
	if number == "" {
		return id
	}
	return id + "/" + number
}

// putBack sends every dead letter back to its queue once, most of them corrected.
func (r *runner) putBack(ctx context.Context) error {
	copies := map[string]int{}
	r.deadMu.Lock()
	letters := r.dead
	r.deadMu.Unlock()
	for _, d := range letters {
		original := r.ledger.message(attemptOf(d.message).ID)
		copies[original.ID]++
		number := strconv.Itoa(copies[original.ID])
		m := original
		m.ID, m.Of = copyID(original.ID, number), original.ID
		body := *d.message.Body
		if r.dice.roll("mend", attempt{ID: original.ID}) < shareMended {
			m.Kind, m.Mended = kindOK, true
			body = mend(body)
		}
		in := &sqs.SendMessageInput{MessageBody: &body, MessageAttributes: map[string]types.MessageAttributeValue{
			copyAttribute: {DataType: aws.String("Number"), StringValue: &number},
		}}
		for name, a := range d.message.MessageAttributes {
			in.MessageAttributes[name] = a
		}
		queue := "work"
		if strings.HasSuffix(d.queue, ".fifo") {
			queue = "work.fifo"
			id := *d.message.MessageId + "-" + number
			in.MessageGroupId, in.MessageDeduplicationId = &m.Group, &id
		}
		in.QueueUrl = aws.String(r.urls[queue])
		r.ledger.sent(m)
		if _, err := r.client.SendMessage(ctx, in, ours); err != nil {
			return err
		}
	}
	return nil
}

// ours marks a call as the test's own.
func ours(o *sqs.Options) {
	o.APIOptions = append(o.APIOptions, smithyhttp.AddHeaderValue(ourHeader, "1"))
}

// mend corrects a message so that it runs.
func mend(body string) string {
	var m map[string]any
	if json.Unmarshal([]byte(body), &m) != nil {
		return body
	}
	m["kind"], m["text"], m["times"] = kindOK, "x", 1
	if _, ok := m["order"]; !ok {
		m["order"] = map[string]any{"number": 0}
	}
	text, _ := json.Marshal(m) // decoded from JSON, so it cannot fail
	return string(text)
}
