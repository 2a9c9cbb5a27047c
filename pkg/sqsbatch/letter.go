package sqsbatch

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"strings"
	"unicode/utf8"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// Limits that SQS sets for a message.
const (
	maxAttributes = 10
	maxMessage    = 1 << 20 // body and attributes, with names and types
)

// The longest texts of a [Reason], in bytes.
const (
	maxCause = 4096
	maxName  = 256
)

var errNoRoom = errors.New("the message's own attributes leave no room for the reason of a dead letter: a message has at most ten")

// letter makes the dead letter of a record: body, attributes and group as they were, and
// the reason in Expressway's own attributes, as far as it fits. An original attribute is
// never left out: if there is no room for the reason in addition to them, that is an
// error.
func letter(route *config.Route, rec *record, f *bridge.Failure) (*Message, error) {
	own, err := rec.ownAttributes()
	if err != nil {
		return nil, err
	}
	TakeReason(own) // why it was dead-lettered last time
	m := &Message{
		QueueURL:    route.SQS.DeadLetterQueue,
		Body:        rec.body(),
		TraceHeader: rec.attribute("AWSTraceHeader"),
		GroupID:     rec.attribute("MessageGroupId"),
	}
	if strings.HasSuffix(m.QueueURL, ".fifo") {
		m.DeduplicationID = rec.id
		m.GroupID = first(m.GroupID, rec.id)
	}
	reason := &Reason{
		ErrorName: clean(f.Name, maxName), ErrorCause: clean(f.Cause, maxCause),
		Route: route.Name, SourceQueue: clean(rec.queueARN, maxName), DeduplicationID: rec.deduplicationID(),
	}
	if f.Outcome != nil {
		reason.ExecutionARN = clean(f.Outcome.ExecutionARN, maxName)
	}
	for _, write := range []func() map[string]Attribute{reason.attributes, reason.one} {
		if m.join(own, write()) {
			return m, m.fit(own, reason, write)
		}
	}
	return nil, errNoRoom
}

// join merges the message's own attributes and ours. It returns false if there are too
// many, or if the message uses one of our names.
func (m *Message) join(own, ours map[string]Attribute) bool {
	m.Attributes = make(map[string]Attribute, len(own)+len(ours))
	maps.Copy(m.Attributes, own)
	maps.Copy(m.Attributes, ours)
	return len(m.Attributes) == len(own)+len(ours) && len(m.Attributes) <= maxAttributes
}

// fit makes the message small enough for SQS: a complete message with less of the reason
// is better than no dead letter. The cause is cut first, and the rest is dropped last: a
// letter without a reason still has the complete message. The sender's deduplication id
// always stays, because it identifies the message when it is put back.
func (m *Message) fit(own map[string]Attribute, r *Reason, write func() map[string]Attribute) error {
	over := func() int { return m.size() - maxMessage }
	for over() > 0 && r.ErrorCause != "" {
		r.ErrorCause = clean(r.ErrorCause, len(r.ErrorCause)-over())
		m.join(own, write())
	}
	for _, text := range []*string{&r.ExecutionARN, &r.SourceQueue} {
		if over() > 0 {
			*text = ""
			m.join(own, write())
		}
	}
	if over() > 0 && r.DeduplicationID == "" {
		m.join(own, nil)
	}
	if over() > 0 {
		return fmt.Errorf("%s: the message and its attributes have %d bytes, but a queue accepts at most %d", bridge.InputTooLarge, m.size(), maxMessage)
	}
	return nil
}

// size returns the size as SQS counts it: the body, and the name, type and value of each
// attribute.
func (m *Message) size() int {
	n := len(m.Body)
	for name, a := range m.Attributes {
		n += len(name) + len(a.DataType) + len(a.Text) + len(a.Binary)
	}
	return n
}

func first(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}

// ownAttributes returns the record's message attributes.
func (r *record) ownAttributes() (map[string]Attribute, error) {
	all := object(r.source().Value("messageAttributes"))
	own := make(map[string]Attribute, all.Len())
	for i := range all.Len() {
		name, v := all.At(i)
		a, ok := ownAttribute(v)
		if !ok {
			return nil, fmt.Errorf("the message attribute %q cannot be read, so the message cannot be forwarded unchanged", clean(name, maxName))
		}
		own[name] = a
	}
	return own, nil
}

// ownAttribute reads an attribute in the form of a Lambda event.
func ownAttribute(v any) (Attribute, bool) {
	o, _ := v.(*jsonata.Object)
	a := Attribute{DataType: o.Text("dataType")}
	if strings.HasPrefix(a.DataType, "Binary") {
		var err error
		a.Binary, err = base64.StdEncoding.DecodeString(o.Text("binaryValue"))
		return a, err == nil && len(a.Binary) > 0
	}
	a.Text = o.Text("stringValue")
	return a, a.Text != "" && (strings.HasPrefix(a.DataType, "String") || strings.HasPrefix(a.DataType, "Number"))
}

// deduplicationID returns the sender's MessageDeduplicationId. A dead letter that was put
// back has an id of its own; the sender's id is in the reason.
func (r *record) deduplicationID() string {
	if reason := r.reason(); reason != nil && reason.DeduplicationID != "" {
		return reason.DeduplicationID
	}
	return r.attribute("MessageDeduplicationId")
}

// reason returns the reason in a dead letter that was put back, or nil for any other
// record.
func (r *record) reason() *Reason {
	all := object(r.source().Value("messageAttributes"))
	if all.Len() == 0 {
		return nil
	}
	texts := make(map[string]Attribute, all.Len())
	for i := range all.Len() {
		name, v := all.At(i)
		o, _ := v.(*jsonata.Object)
		texts[name] = Attribute{Text: o.Text("stringValue")}
	}
	return TakeReason(texts)
}

// clean truncates a text to n bytes, and replaces characters that SQS does not accept.
//
// [Characters of a message]: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
func clean(s string, n int) string {
	if len(s) > 2*max(n, 0) {
		s = s[:2*max(n, 0)] // enough, because only truncation makes it shorter
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
