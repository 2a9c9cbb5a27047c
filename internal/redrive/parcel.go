package redrive

import (
	"errors"
	"fmt"
	"strings"

	"github.com/expressway-dev/expressway/pkg/sqsbatch"
)

// A Place is a kind of target.
type Place string

// The places.
const (
	ToQueue    Place = "queue"
	ToFunction Place = "function"
	ToBus      Place = "bus"
)

// A Target is the destination of a letter. Its address is the URL or ARN of a queue, the
// name or ARN of a function, or the name of a bus.
type Target struct {
	Place   Place  `json:"place"`
	Address string `json:"address"`
}

func (t Target) String() string {
	name := t.Address
	if t.Place == ToQueue {
		name = queueName(name)
	}
	return string(t.Place) + " " + name
}

// fifo reports whether the target is a FIFO queue.
func (t Target) fifo() bool { return t.Place == ToQueue && strings.HasSuffix(t.Address, ".fifo") }

// queueName returns the last part of a queue's URL or ARN.
func queueName(address string) string { return address[strings.LastIndexAny(address, "/:")+1:] }

// sameQueue compares URLs and ARNs by account and name, because a queue has both forms.
func sameQueue(a, b string) bool {
	split := func(s string) (account, name string) {
		parts := strings.FieldsFunc(s, func(r rune) bool { return r == '/' || r == ':' })
		if len(parts) < 2 {
			return "", s
		}
		return parts[len(parts)-2], parts[len(parts)-1]
	}
	accountA, nameA := split(a)
	accountB, nameB := split(b)
	return nameA == nameB && (accountA == accountB || accountA == "" || accountB == "")
}

// A Parcel is sent in place of a letter: a message to a queue, or an event.
type Parcel struct {
	Target  Target
	Message *sqsbatch.Message
	Event   []byte
	// RedriveID is the same for each send of the letter, so that a FIFO queue accepts
	// only one.
	RedriveID string
	// Bare means that the sender's deduplication id is not sent with the message, because
	// the message has ten attributes of its own.
	Bare bool
}

// maxAttributes is how many attributes a message can have.
const maxAttributes = 10

// pack makes the parcel of a letter. The error explains why it cannot.
func (o *Options) pack(l *Letter, c *content) (*Parcel, error) {
	target, err := o.target(l, c)
	if err != nil {
		return nil, err
	}
	p := &Parcel{Target: target, RedriveID: "redrive-" + l.ID, Event: c.event}
	if target.Place != ToQueue {
		return p, nil
	}
	if sameQueue(target.Address, o.From) {
		return nil, errors.New("it would come back into this queue: pass --to QUEUE")
	}
	m := &sqsbatch.Message{QueueURL: target.Address, Body: l.Body, Attributes: c.own, TraceHeader: l.System[traceHeader], GroupID: l.System[messageGroup]}
	p.Message, p.Event = m, nil
	if c.event != nil {
		m.Body, m.Attributes = string(c.event), nil // a record's own attributes describe the failure
	}
	if !target.fifo() {
		return p, nil
	}
	m.DeduplicationID = p.RedriveID
	if m.GroupID == "" {
		m.GroupID = l.ID
	}
	sender := l.System[deduplicationID]
	if c.reason != nil {
		sender = c.reason.DeduplicationID
	}
	switch {
	case sender == "" || c.event != nil:
	case len(m.Attributes) == maxAttributes:
		p.Bare = true
	default:
		carrier := &sqsbatch.Reason{RedriveID: p.RedriveID, DeduplicationID: sender}
		m.Attributes[sqsbatch.AttributeExpressway] = carrier.Attribute()
	}
	return p, nil
}

// target determines the target of a letter: that of the command, or else the one that
// failed.
func (o *Options) target(l *Letter, c *content) (Target, error) {
	eventsOnly := o.To == "" && (o.ToBus || o.EventFunction != "")
	if eventsOnly && c.event == nil && c.kind == KindPlain && isEvent([]byte(l.Body)) {
		c.event = []byte(l.Body)
	}
	switch {
	case o.To != "":
		return Target{ToQueue, o.To}, nil
	case eventsOnly && c.event == nil:
		return Target{}, errors.New("it is a message and not an event: pass --to QUEUE, or neither --event-function nor --to-bus")
	case c.event == nil:
		return o.home(c)
	case o.ToBus && o.EventFunction == "":
		return o.bus(c)
	case o.EventFunction != "":
		return Target{ToFunction, o.EventFunction}, nil
	case c.source == "":
		return Target{}, errors.New("it does not name the failed target: pass --event-function NAME, --to QUEUE or --to-bus")
	case strings.HasPrefix(service(c.source), "lambda"):
		return Target{ToFunction, c.source}, nil
	case service(c.source) == "sqs":
		return Target{ToQueue, c.source}, nil
	}
	return Target{}, fmt.Errorf("the rule's target, %s, is neither a function nor a queue: pass --event-function NAME, --to QUEUE or --to-bus", c.source)
}

// home returns the queue that a message came from.
func (o *Options) home(c *content) (Target, error) {
	if c.source != "" {
		return Target{ToQueue, c.source}, nil
	}
	if c.kind == KindBridge {
		if address := o.RouteQueues[c.reason.Route]; address != "" {
			return Target{ToQueue, address}, nil
		}
		return Target{}, fmt.Errorf("it does not name its source queue, and no route %q in the configuration names one: pass --to QUEUE", c.reason.Route)
	}
	switch len(o.Sources) {
	case 0:
		return Target{}, errors.New("it does not name its source, and no queue names this one in its redrive policy: pass --to QUEUE")
	case 1:
		return Target{ToQueue, o.Sources[0]}, nil
	}
	return Target{}, fmt.Errorf("it does not name its source, and %d queues name this one in their redrive policies: pass --to QUEUE", len(o.Sources))
}

// bus returns the event bus for an event: the one in the options, or the rule's.
func (o *Options) bus(c *content) (Target, error) {
	name := o.Bus
	if name == "" {
		name = c.bus
	}
	if name == "" {
		name = "default"
	}
	if !isEvent(c.event) || strings.HasPrefix(strings.TrimSpace(string(c.event)), "[") {
		return Target{}, errors.New("it is not a single event with source and detail-type, as a bus requires")
	}
	if strings.HasPrefix(sourceOf(c.event), "aws.") {
		return Target{}, errors.New("its source begins with aws., which PutEvents refuses: pass --event-function NAME")
	}
	return Target{ToBus, name}, nil
}

// service returns the third part of an ARN.
func service(arn string) string {
	parts := strings.SplitN(arn, ":", 4)
	if len(parts) < 4 {
		return ""
	}
	return parts[2]
}
