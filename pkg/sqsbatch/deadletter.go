package sqsbatch

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// Queues does what a batch asks of queues. Implementations are safe for concurrent
// use and honour the context; their errors tell no payload.
type Queues interface {
	// Send is SendMessage. It returns nil only when the queue has taken the message.
	Send(ctx context.Context, m *Message) error
	// ChangeVisibility is ChangeMessageVisibilityBatch on the queue of the ARN, of at
	// most [MaxChanges].
	ChangeVisibility(ctx context.Context, queueARN string, changes []Visibility) error
}

// A Message is a dead letter.
type Message struct {
	QueueURL string // or the queue's ARN
	Body     string
	// Attributes are the message's own, at most ten.
	Attributes map[string]Attribute
	// TraceHeader is the system attribute AWSTraceHeader; empty for none.
	TraceHeader string
	// GroupID and DeduplicationID are empty for none.
	GroupID, DeduplicationID string
}

// An Attribute is one message attribute. Binary counts where DataType begins with
// Binary, and else Text.
type Attribute struct {
	DataType string
	Text     string
	Binary   []byte
}

// The attributes that a dead letter has besides its own.
const (
	AttributeErrorName    = "ErrorName"
	AttributeErrorCause   = "ErrorCause"
	AttributeExecutionARN = "ExecutionArn"
	AttributeRoute        = "Route"
)

// Limits of SQS on a message, and ours on what we add to it.
const (
	maxAttributes = 10
	maxMessage    = 1 << 20 // body and attributes, with names and types
	maxCause      = 4096
	maxName       = 256
	sendTime      = 10 * time.Second
)

// deadLetter sends the unit's records on, each with the failure, and notes as settled
// those that the queue has taken. It reports whether that is all of them. In a group
// nothing overtakes: what follows a record that was not taken is not sent.
func (b *Batch) deadLetter(ctx context.Context, route *config.Route, u unit, f *bridge.Failure, fates []fate) bool {
	all := true
	for i, rec := range u {
		if err := b.sendOn(ctx, route, rec, f); err != nil {
			level := slog.LevelError
			if errors.Is(err, errNoQueue) {
				level = slog.LevelWarn
			}
			b.log.LogAttrs(ctx, level, "dead letter not sent: the record is retried",
				slog.String("route", route.Name), slog.String("delivery", rec.id),
				slog.String("error", f.Name), slog.String("reason", err.Error()))
			all = false
			if rec.fifo() {
				break
			}
			continue
		}
		fates[i].settled = true
	}
	return all
}

// errNoQueue is for where the configuration leaves the queue out on purpose.
var errNoQueue = errors.New("the route's deadLetterQueue is empty")

func (b *Batch) sendOn(ctx context.Context, route *config.Route, rec *record, f *bridge.Failure) error {
	switch {
	case route.SQS.DeadLetterQueue == "":
		return errNoQueue
	case b.queues == nil:
		return errors.New("there is no client for queues")
	case rec.body == nil:
		return errors.New("the record cannot be read, so it cannot be sent on")
	}
	m, dropped := letter(route, rec, f)
	if len(dropped) > 0 {
		b.log.LogAttrs(ctx, slog.LevelWarn, "dead letter without some of its attributes",
			slog.String("route", route.Name), slog.String("delivery", rec.id), slog.Any("attributes", dropped))
	}
	if n := m.size(); n > maxMessage {
		return fmt.Errorf("%s: the message and its attributes have %d bytes, and a queue takes %d", bridge.InputTooLarge, n, maxMessage)
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	return b.queues.Send(ctx, m)
}

// letter makes the dead letter of a record: body, attributes and group as they were,
// and why it failed, as far as the queue takes that much. It returns the names of the
// attributes for which there was no room.
func letter(route *config.Route, rec *record, f *bridge.Failure) (m *Message, dropped []string) {
	m = &Message{
		QueueURL:    route.SQS.DeadLetterQueue,
		Body:        *rec.body,
		Attributes:  map[string]Attribute{},
		TraceHeader: rec.attribute("AWSTraceHeader"),
		GroupID:     rec.attribute("MessageGroupId"),
	}
	if strings.HasSuffix(m.QueueURL, ".fifo") {
		m.DeduplicationID = first(rec.attribute("MessageDeduplicationId"), rec.id)
		m.GroupID = first(m.GroupID, rec.id)
	}
	m.text(AttributeErrorName, clean(f.Name, maxName))
	m.text(AttributeRoute, route.Name)
	if f.Outcome != nil {
		m.text(AttributeExecutionARN, clean(f.Outcome.ExecutionARN, maxName))
	}
	cause := clean(f.Cause, maxCause)
	m.text(AttributeErrorCause, cause)
	dropped = m.addOwn(rec)
	// Better the whole message and less of the reason than neither: a message that the
	// source queue took fits without ours.
	if over := m.size() - maxMessage; over > 0 && cause != "" {
		delete(m.Attributes, AttributeErrorCause)
		m.text(AttributeErrorCause, clean(cause, len(cause)-over))
	}
	for _, name := range []string{AttributeErrorCause, AttributeExecutionARN, AttributeRoute, AttributeErrorName} {
		if _, has := m.Attributes[name]; has && m.size() > maxMessage {
			delete(m.Attributes, name)
			dropped = append(dropped, name)
		}
	}
	return m, dropped
}

func first(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}

// text adds an attribute, unless it is empty: SQS takes no empty value.
func (m *Message) text(name, value string) {
	if value != "" {
		m.Attributes[name] = Attribute{DataType: "String", Text: value}
	}
}

// addOwn adds the message's own attributes, in the order of their names, as far as
// there is room beside ours.
func (m *Message) addOwn(rec *record) (dropped []string) {
	own := object(member(rec.object, "messageAttributes"))
	names := make([]string, own.Len())
	for i := range names {
		names[i], _ = own.At(i)
	}
	slices.Sort(names)
	for _, name := range names {
		v, _ := own.Get(name)
		a, ok := ownAttribute(v)
		if _, taken := m.Attributes[name]; taken || !ok || reserved(name) || len(m.Attributes) >= maxAttributes {
			dropped = append(dropped, name)
			continue
		}
		m.Attributes[name] = a
	}
	return dropped
}

func reserved(name string) bool {
	return slices.Contains([]string{AttributeErrorName, AttributeErrorCause, AttributeExecutionARN, AttributeRoute}, name)
}

// ownAttribute reads an attribute as a Lambda event has it.
func ownAttribute(v any) (Attribute, bool) {
	o, _ := v.(*jsonata.Object)
	a := Attribute{DataType: text(o, "dataType")}
	if strings.HasPrefix(a.DataType, "Binary") {
		var err error
		a.Binary, err = base64.StdEncoding.DecodeString(text(o, "binaryValue"))
		return a, err == nil && len(a.Binary) > 0
	}
	a.Text = text(o, "stringValue")
	return a, a.Text != "" && (strings.HasPrefix(a.DataType, "String") || strings.HasPrefix(a.DataType, "Number"))
}

// size is what SQS counts: the body, and of each attribute the name, type and value.
func (m *Message) size() int {
	n := len(m.Body)
	for name, a := range m.Attributes {
		n += len(name) + len(a.DataType) + len(a.Text) + len(a.Binary)
	}
	return n
}

// clean cuts a text to n bytes, and replaces what SQS does not take in it.
//
// [Characters of a message]: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
func clean(s string, n int) string {
	if len(s) > 2*max(n, 0) {
		s = s[:2*max(n, 0)] // enough: nothing gets shorter but by the cut
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\t', r == '\n', r == '\r', r >= 0x20 && r <= 0xD7FF, r >= 0xE000 && r <= 0xFFFD, r >= 0x10000 && r <= 0x10FFFF:
			return r
		}
		return utf8.RuneError
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if len(s) <= n {
		return s
	}
	s = s[:max(n, 0)]
	for !utf8.ValidString(s) { // the beginning of a rune, three bytes at most
		s = s[:len(s)-1]
	}
	return s
}
