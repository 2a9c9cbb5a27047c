package devserver

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/expressway-dev/expressway/internal/sources"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/sqsbatch/sqsclient"
)

// acceptor returns the acceptor for routes with a queue: SQS at the endpoint that the
// environment names, or else the memory of this process.
func (l *Local) acceptor(o Options) bridge.Acceptor {
	if endpoint(o.Getenv, "SQS") != "" {
		return sqsclient.NewAcceptor(localEnv(o.Getenv))
	}
	return l.memory
}

// Accepting returns the URLs of the queues into which routes accept deliveries, at the
// endpoint that the environment names, for [Local.Poll].
func (l *Local) Accepting(getenv func(string) string) (addresses []string) {
	if endpoint(getenv, "SQS") == "" {
		return nil
	}
	known := map[string]bool{}
	for _, r := range l.Routes() {
		if r.Queue != nil && !known[r.Queue.Address] {
			known[r.Queue.Address] = true
			addresses = append(addresses, r.Queue.Address)
		}
	}
	return addresses
}

// A memoryQueue holds accepted deliveries, and runs the queue function on them as an event
// source mapping does. A delivery that fails is delivered again, and is finally dropped,
// where a redrive policy would move it.
type memoryQueue struct {
	local *Local
	log   *slog.Logger

	mu      sync.Mutex
	closed  bool
	working sync.WaitGroup
	stop    chan struct{}
}

// How often a message of a memoryQueue is received, and the first wait between two.
const (
	memoryReceives = 5
	memoryWait     = time.Second
)

func newMemoryQueue(l *Local, log *slog.Logger) *memoryQueue {
	return &memoryQueue{local: l, log: log, stop: make(chan struct{})}
}

// Accept implements [bridge.Acceptor].
func (q *memoryQueue) Accept(ctx context.Context, a bridge.Acceptance) (string, error) {
	invocation, _ := ctx.Value("x-amzn-trace-id").(string)
	a.Envelope.Trace = cmp.Or(a.TraceHeader, invocation, a.FallbackTrace)
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return "", bridge.NewFailure(bridge.Unavailable, "the server is stopping", nil)
	}
	record := events.SQSMessage{
		MessageId: rand.Text(), ReceiptHandle: "memory", Body: a.Envelope.Encode(), EventSource: "aws:sqs", AWSRegion: q.local.Region,
		EventSourceARN:    config.QueueARN(a.Queue, q.local.Region, q.local.Account),
		MessageAttributes: map[string]events.SQSMessageAttribute{},
	}
	sent := strconv.FormatInt(time.Now().UnixMilli(), 10)
	q.working.Go(func() { q.work(record, sent) })
	return record.MessageId, nil
}

// work delivers a message until the queue function does not report it.
func (q *memoryQueue) work(record events.SQSMessage, sent string) {
	for n := 1; n <= memoryReceives; n++ {
		record.Attributes = map[string]string{"ApproximateReceiveCount": strconv.Itoa(n), "SentTimestamp": sent}
		if q.settles(record) {
			return
		}
		wait := time.NewTimer(memoryWait << (n - 1))
		select {
		case <-wait.C:
		case <-q.stop:
			wait.Stop()
			return
		}
	}
	q.log.Warn("an accepted delivery is dropped: it was received five times, and a redrive policy would now move it",
		slog.String("messageId", record.MessageId), slog.String("queue", record.EventSourceARN))
}

func (q *memoryQueue) settles(record events.SQSMessage) bool {
	payload, err := json.Marshal(events.SQSEvent{Records: []events.SQSMessage{record}})
	if err != nil {
		return false
	}
	handler, err := q.local.Handler(sources.Queue)
	if err != nil {
		return false
	}
	ctx, cancel := Invocation(context.Background(), q.local.Region, q.local.Account, rand.Text(), batchTime)
	defer cancel()
	answer, err := handler.Invoke(ctx, payload)
	var response events.SQSEventResponse
	return err == nil && json.Unmarshal(answer, &response) == nil && len(response.BatchItemFailures) == 0
}

// close waits for running deliveries, until ctx ends; those that have failed are not
// delivered again.
func (q *memoryQueue) close(ctx context.Context) {
	q.mu.Lock()
	if !q.closed {
		q.closed = true
		close(q.stop)
	}
	q.mu.Unlock()
	done := make(chan struct{})
	go func() {
		q.working.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}
