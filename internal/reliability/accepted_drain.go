package reliability

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/expressway-dev/expressway/internal/lambdatest"
	"github.com/expressway-dev/expressway/internal/redrive"
	"github.com/expressway-dev/expressway/internal/redrive/wire"
)

// poll runs a queue function on what the queue hands out, until ctx ends.
func (r *acceptedRun) poll(ctx context.Context, f *lambdatest.Function) error {
	queue := r.urls["accepted"]
	p := &poller{arn: "arn:aws:sqs:us-east-1:123456789012:accepted"}
	for ctx.Err() == nil {
		messages, err := receive(ctx, r.client, queue)
		if err != nil {
			return err
		}
		if len(messages) == 0 {
			continue
		}
		began := time.Now()
		deliveries := make([]*acceptedDelivery, len(messages))
		for i, m := range messages {
			deliveries[i] = r.books.delivered(m)
		}
		a := attempt{deliveries[0].root, deliveries[0].nth}
		invocation, cancel := ctx, func() {}
		if r.dice.roll("kill", a) < shareKilled {
			c, stop := context.WithTimeoutCause(ctx, time.Duration(1+r.dice.roll("when", a)*40)*time.Millisecond, errKill)
			invocation, cancel = c, stop
		}
		result, err := f.Invoke(invocation, p.event(messages), lambdatest.InvokeOptions{})
		cancel()
		if ctx.Err() != nil {
			return nil
		}
		for _, d := range deliveries {
			switch {
			case errors.Is(err, errKill):
				r.books.mark(d, whyQueueKilled)
			case err != nil:
				r.books.mark(d, whyQueueFailed)
			}
		}
		if err == nil {
			if failed := r.settle(ctx, queue, messages, result.Payload, began, deliveries); failed != nil {
				return failed
			}
		}
	}
	return nil
}

// settle deletes what the function does not report.
func (r *acceptedRun) settle(ctx context.Context, queue string, messages []types.Message, payload []byte, began time.Time, deliveries []*acceptedDelivery) error {
	for i, m := range messages {
		if strings.Contains(string(payload), *m.MessageId) {
			continue
		}
		_, err := r.client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &queue, ReceiptHandle: m.ReceiptHandle})
		if time.Since(began) > nearly {
			r.books.mark(deliveries[i], whyExpired)
		}
		if err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// left is how many messages a queue has, hidden ones too.
func (r *acceptedRun) left(ctx context.Context, queue string) (string, error) {
	out, err := r.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: aws.String(r.urls[queue]), AttributeNames: []types.QueueAttributeName{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"},
	})
	if err != nil {
		return "", err
	}
	return out.Attributes["ApproximateNumberOfMessages"] + "+" + out.Attributes["ApproximateNumberOfMessagesNotVisible"], nil
}

// drain waits until the queue is empty.
func (r *acceptedRun) drain(ctx context.Context) error {
	last, since := "", time.Now()
	for ctx.Err() == nil {
		left, err := r.left(ctx, "accepted")
		if err != nil {
			return err
		}
		if left == "0+0" {
			return nil
		}
		if left != last {
			last, since = left, time.Now()
		}
		if time.Since(since) > r.o.Idle {
			return fmt.Errorf("the queue has %s messages, and nothing has changed for %v", left, r.o.Idle)
		}
		time.Sleep(200 * time.Millisecond)
	}
	return context.Cause(ctx)
}

// putBack corrects the workflow, and redrives the dead letters.
func (r *acceptedRun) putBack(ctx context.Context) error {
	r.books.puttingBack()
	if err := r.states.Put("accepted", []byte(mendedWorkflow)); err != nil {
		return err
	}
	w, err := wire.New(r.getenv)
	if err != nil {
		return err
	}
	queue, err := w.Open(ctx, "accepted-dead")
	if err != nil {
		return err
	}
	store, err := redrive.OpenFile(r.o.Config + ".journal")
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	report, err := redrive.Run(ctx, redrive.Options{From: r.urls["accepted-dead"], Queue: queue, Sender: w, Store: store, Began: queue.Time, InDoubt: redrive.Send, Workers: 4})
	if err != nil {
		return err
	}
	r.books.redriven(report.Sent())
	if n, err := r.left(ctx, "accepted-dead"); err != nil || n != "0+0" {
		return fmt.Errorf("the dead-letter queue has %s letters after it was redriven (%w)", n, err)
	}
	return nil
}
