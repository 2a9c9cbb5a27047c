// Package redrive puts dead letters back where they came from.
//
//	dead-letter queue ─► classify ─► parcel ─► claims ─► journal ─► send ─► journal ─► delete
//
// A letter has one of several kinds: a message that its queue's redrive policy moved, one
// that the bridge dead-lettered, the record of a Lambda destination, an event that a rule
// or a function could not deliver. Its content is unwrapped and sent to the target that
// failed.
//
// A letter is deleted only after its target has accepted it. The journal records how far
// each letter got, so that a killed run can be continued. The package reaches the queue,
// the targets and the dedupe records through interfaces; package wire implements them on
// AWS.
package redrive

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/expressway-dev/expressway/pkg/sqsbatch"
)

// A Letter is a message of a dead-letter queue.
type Letter struct {
	ID, Handle string
	Body       string
	Attributes map[string]sqsbatch.Attribute
	// System are the system attributes, such as SentTimestamp.
	System map[string]string
}

// The system attributes that the package uses.
const (
	sentTimestamp   = "SentTimestamp"
	messageGroup    = "MessageGroupId"
	deduplicationID = "MessageDeduplicationId"
	traceHeader     = "AWSTraceHeader"
	sourceARN       = "DeadLetterQueueSourceArn"
)

// sent returns when the letter arrived in the queue, according to SQS.
func (l *Letter) sent() time.Time {
	ms, err := strconv.ParseInt(l.System[sentTimestamp], 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// Kind is the kind of a letter.
type Kind string

// The kinds.
const (
	// KindPlain is a message that its queue's redrive policy moved.
	KindPlain Kind = "message"
	// KindBridge is one that the queue function dead-lettered.
	KindBridge Kind = "dead letter"
	// KindDestination is the record that Lambda sends to an on-failure destination.
	KindDestination Kind = "destination record"
	// KindRule is an event that a rule could not deliver to its target.
	KindRule Kind = "rule record"
	// KindFunction is an event that Lambda sends to a function's dead-letter queue.
	KindFunction Kind = "function record"
	// KindEarlier is a letter that an earlier run processed: its journal does not record
	// the kind.
	KindEarlier Kind = "letter of an earlier run"
)

// content is the content of a letter, according to its kind.
type content struct {
	kind Kind
	// err is the name of the failure, if the letter has it.
	err string
	// own are the message's own attributes.
	own map[string]sqsbatch.Attribute
	// reason is the bridge's reason, in a letter of the bridge or in one that was put
	// back.
	reason *sqsbatch.Reason
	// event is the event for the function or the rule; nil for a message.
	event []byte
	// source is the ARN of the failed target: a queue, a function, or a rule's target.
	source string
	// bus is the name of the event bus that the rule is on.
	bus string
}

// The attributes of an event that a [rule] could not deliver, and of one in a function's
// own dead-letter queue.
//
// [rule]: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
const (
	attrRule       = "RULE_ARN"
	attrTarget     = "TARGET_ARN"
	attrErrorCode  = "ERROR_CODE"
	attrRequest    = "RequestID"
	attrCode       = "ErrorCode"
	attrMessage    = "ErrorMessage"
	functionsError = "FunctionError"
)

// read determines the kind of a letter. A letter that looks like a record of AWS but was
// moved by a queue's redrive policy is a message, because some queues carry such records.
func read(l *Letter) content {
	c := content{kind: KindPlain, own: make(map[string]sqsbatch.Attribute, len(l.Attributes)), source: l.System[sourceARN]}
	for name, a := range l.Attributes {
		c.own[name] = a
	}
	c.reason = sqsbatch.TakeReason(c.own)
	if c.reason != nil && !c.reason.PutBack() {
		c.kind, c.err, c.source = KindBridge, c.reason.ErrorName, c.reason.SourceQueue
		return c
	}
	if c.source != "" {
		return c
	}
	has := func(name string) bool { return l.Attributes[name].Text != "" }
	switch {
	case has(attrRule) && json.Valid([]byte(l.Body)):
		c.kind, c.event, c.err = KindRule, []byte(l.Body), l.Attributes[attrErrorCode].Text
		c.source, c.bus = l.Attributes[attrTarget].Text, busOf(l.Attributes[attrRule].Text)
	case has(attrRequest) && has(attrCode) && json.Valid([]byte(l.Body)):
		c.kind, c.event, c.err = KindFunction, []byte(l.Body), functionsError
	default:
		c.readDestination(l.Body)
	}
	return c
}

// readDestination recognises the record of a [destination].
//
// [destination]: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
func (c *content) readDestination(body string) {
	var r struct {
		RequestContext *struct {
			FunctionARN string `json:"functionArn"`
			Condition   string `json:"condition"`
		} `json:"requestContext"`
		RequestPayload  json.RawMessage `json:"requestPayload"`
		ResponsePayload json.RawMessage `json:"responsePayload"`
	}
	if json.Unmarshal([]byte(body), &r) != nil || r.RequestContext == nil || r.RequestPayload == nil ||
		!strings.HasPrefix(r.RequestContext.FunctionARN, "arn:") {
		return
	}
	c.kind, c.event, c.source = KindDestination, r.RequestPayload, r.RequestContext.FunctionARN
	var failure struct {
		Type string `json:"errorType"`
	}
	_ = json.Unmarshal(r.ResponsePayload, &failure) // without an errorType, the condition is the name
	c.err = failure.Type
	if c.err == "" {
		c.err = r.RequestContext.Condition
	}
}

// busOf returns the bus in a rule's ARN: arn:…:rule/BUS/NAME, or rule/NAME on the default
// bus.
func busOf(ruleARN string) string {
	_, name, _ := strings.Cut(ruleARN, ":rule/")
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		return name[:i]
	}
	return "default"
}

// isEvent reports whether a text is an event of EventBridge, or an array of them.
func isEvent(text []byte) bool {
	type event struct {
		Source     string `json:"source"`
		DetailType string `json:"detail-type"`
	}
	var list []event
	if !bytes.HasPrefix(bytes.TrimSpace(text), []byte("[")) {
		list = make([]event, 1)
		return json.Unmarshal(text, &list[0]) == nil && list[0].Source != "" && list[0].DetailType != ""
	}
	if json.Unmarshal(text, &list) != nil || len(list) == 0 {
		return false
	}
	for _, e := range list {
		if e.Source == "" || e.DetailType == "" {
			return false
		}
	}
	return true
}

// sourceOf returns the source of an event.
func sourceOf(event []byte) string {
	var e struct {
		Source string `json:"source"`
	}
	_ = json.Unmarshal(event, &e) // a body that is not an event has no source
	return e.Source
}
