package sqsbatch_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/expressway-dev/expressway/pkg/sqsbatch"
)

// A fakeQueues remembers what was sent and changed.
type fakeQueues struct {
	SendFn   func(ctx context.Context, m *sqsbatch.Message) error
	ChangeFn func(queueARN string, changes []sqsbatch.Visibility) error

	mu      sync.Mutex
	sent    []*sqsbatch.Message
	calls   int
	changed map[string]time.Duration // by receipt handle
}

var _ sqsbatch.Queues = (*fakeQueues)(nil)

func (f *fakeQueues) Send(ctx context.Context, m *sqsbatch.Message) error {
	if f.SendFn != nil {
		if err := f.SendFn(ctx, m); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent = append(f.sent, m)
	return nil
}

func (f *fakeQueues) ChangeVisibility(_ context.Context, queueARN string, changes []sqsbatch.Visibility) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	if len(changes) == 0 || len(changes) > sqsbatch.MaxChanges {
		return fmt.Errorf("%d changes in one call", len(changes))
	}
	if f.ChangeFn != nil {
		if err := f.ChangeFn(queueARN, changes); err != nil {
			return err
		}
	}
	if f.changed == nil {
		f.changed = map[string]time.Duration{}
	}
	for _, c := range changes {
		f.changed[c.ReceiptHandle] = c.Timeout
	}
	return nil
}

// records makes an event of whole records; what a record leaves out has a default.
func records(list ...map[string]any) []byte {
	for i, rec := range list {
		for key, value := range map[string]any{
			"messageId": fmt.Sprint("m-", i+1), "body": "{}", "receiptHandle": fmt.Sprint("handle-", i+1),
			"attributes": map[string]any{"ApproximateReceiveCount": "1"}, "messageAttributes": map[string]any{},
			"eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:orders",
		} {
			if _, ok := rec[key]; !ok {
				rec[key] = value
			}
		}
	}
	payload, _ := json.Marshal(map[string]any{"Records": list})
	return payload
}

func attributes(pairs ...string) map[string]any {
	m := map[string]any{"ApproximateReceiveCount": "1"}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}

const fifoARN = "arn:aws:sqs:us-east-1:123456789012:orders.fifo"
