package sqsbatch

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
)

// Queues makes a batch's calls to queues. Implementations are safe for concurrent use and
// honour the context; their errors contain no payload.
type Queues interface {
	// Send is SendMessage. It returns nil only if the queue has accepted the message, and
	// then sets m.ID, if it knows it.
	Send(ctx context.Context, m *Message) error
	// ChangeVisibility is ChangeMessageVisibilityBatch on the queue of the ARN, of at
	// most ten.
	ChangeVisibility(ctx context.Context, queueARN string, changes []Visibility) error
}

// A Message is what [Queues.Send] sends: a dead letter.
type Message struct {
	QueueURL string // or the queue's ARN
	// ID is the MessageId that the queue gave to it; Send sets it.
	ID   string
	Body string
	// Attributes are the message's own, at most ten.
	Attributes map[string]Attribute
	// TraceHeader is the system attribute AWSTraceHeader; it may be empty.
	TraceHeader string
	// GroupID and DeduplicationID may be empty.
	GroupID, DeduplicationID string
}

// An Attribute is one message attribute. Binary is used if DataType begins with Binary,
// and Text otherwise.
type Attribute struct {
	DataType string
	Text     string
	Binary   []byte
}

// sendTime bounds how long sending a dead letter may take.
const sendTime = 10 * time.Second

// deadLetter sends the unit's records to the dead-letter queue, each with the failure,
// and marks those that the queue accepts as settled. It reports whether the queue
// accepted all of them. The order of a group is kept: after a record that was not
// accepted, no further one is sent.
func (b *Batch) deadLetter(ctx context.Context, d *bridge.Delivery, route *config.Route, u unit, f *bridge.Failure, fates []fate) bool {
	all := true
	for i, rec := range u {
		id, err := b.sendOn(ctx, route, rec, f)
		if err != nil {
			level := slog.LevelError
			if errors.Is(err, errNoQueue) {
				level = slog.LevelWarn
			}
			b.log.LogAttrs(ctx, level, "dead letter not sent: the record is retried",
				append(d.LogAttrs(), slog.String("messageId", rec.id), slog.String("error", f.Name), slog.String("reason", err.Error()))...)
			all = false
			if rec.fifo() {
				break
			}
			continue
		}
		fates[i].settled = true
		// This id is the only one that the queue's console shows, so the log must lead from
		// it to the cause.
		sent := slog.String("deadLetter", id)
		switch {
		case id == "":
		case len(u) == 1:
			d.Attrs = append(slices.Clip(d.Attrs), sent) // part of the line for the settled delivery
		default:
			attrs := append(d.LogAttrs(), slog.String("messageId", rec.id), slog.String("error", f.Name), sent)
			if f.Outcome != nil {
				attrs = append(attrs, slog.String("executionArn", f.Outcome.ExecutionARN))
			}
			b.log.LogAttrs(ctx, slog.LevelInfo, "dead letter sent", attrs...)
		}
	}
	return all
}

// errNoQueue is the error of a configuration that leaves the queue empty on purpose.
var errNoQueue = errors.New("the route's deadLetterQueue is empty")

func (b *Batch) sendOn(ctx context.Context, route *config.Route, rec *record, f *bridge.Failure) (id string, _ error) {
	switch {
	case route.SQS.DeadLetterQueue == "":
		return "", errNoQueue
	case b.queues == nil:
		return "", errors.New("there is no client for queues")
	case !rec.readable:
		return "", errors.New("the record cannot be read, so it cannot be forwarded")
	}
	m, err := letter(route, rec, f)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	if err := b.queues.Send(ctx, m); err != nil {
		return "", err
	}
	return m.ID, nil
}
