package sqsbatch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/expressway-dev/expressway/internal/eventkind"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A record is one message of a batch. It stores little more than the position of its text
// in the event. Values that are made from the text exist only while the record's
// execution runs, because a batch may have ten thousand records.
type record struct {
	index    int // in the event
	id       string
	queueARN string
	queue    string // the queue's name
	text     []byte
	// readable is false if the record is not what SQS delivered: such a record has no body,
	// and cannot be sent on.
	readable bool
	// broken explains why nothing can be started for the record, whatever its route is.
	broken *bridge.Failure
	// route is the route that takes the record, and enveloped means that the record holds an
	// accepted delivery. In a queue for accepted deliveries, foreign explains why it does
	// not. All three are set once resolved is true.
	resolved  bool
	route     *config.Route
	enveloped bool
	foreign   error

	mu     sync.Mutex
	object *jsonata.Object // made from the text; nil until it is needed
	// message is $message, once it has been made. Only the record's own execution uses it.
	message *jsonata.Object
}

// source returns the original record.
func (r *record) source() *jsonata.Object {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.object == nil {
		v, _ := jsonata.Decode(r.text) // the event has been checked
		r.object, _ = v.(*jsonata.Object)
	}
	return r.object
}

// release drops the values that were made from the record's text. It is made again if
// needed.
func (r *record) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.object, r.message = nil, nil
}

// body returns the message's body; the record must be readable.
func (r *record) body() string { return r.source().Text("body") }

// A received event is a batch of records, as the event source mapping or EventBridge
// Pipes delivers it.
type received struct {
	records []*record
	// piped is set if the records came from a pipe, as a bare array.
	piped bool
}

// sourceSQS is the eventSource of a queue's records.
const sourceSQS = "aws:sqs"

// decode reads a batch. A record without an id could not be reported as failed, and would
// be deleted, so such an event fails as a whole and all of it is delivered again. So does
// an event from another service, whose sender treats every response as success. Any other
// fault of a record is that record's own failure.
func decode(payload []byte) (received, error) {
	text, mark, err := validText(payload)
	if err != nil {
		return received{}, notBatch(err.Error())
	}
	list, piped := jsonata.Items(text)
	if !piped {
		records, _ := jsonata.MemberText(text, "Records")
		var ok bool
		if list, ok = jsonata.Items(records); !ok {
			return received{}, foreign(text)
		}
	}
	ours := len(list) == 0
	all := make([]record, len(list)) // allocated together
	records := make([]*record, len(list))
	for i, item := range list {
		rec := &all[i]
		rec.index, rec.text = i, item
		o := rec.source()
		rec.id = o.Text("messageId")
		if rec.id == "" || mark != "" && strings.Contains(rec.id, mark) {
			if kind := kindOf(text); kind.Function != eventkind.Queue && kind != eventkind.Unknown {
				return received{}, errors.New(kind.String())
			}
			return received{}, notBatch(fmt.Sprintf("record %d has no messageId", i))
		}
		rec.queueARN = o.Text("eventSourceARN")
		if i > 0 && rec.queueARN == all[i-1].queueARN {
			rec.queueARN = all[i-1].queueARN // shared by all records
		}
		rec.queue = rec.queueARN[strings.LastIndexByte(rec.queueARN, ':')+1:]
		rec.check(o, mark)
		ours = ours || o.Value("eventSource") == sourceSQS
		rec.release()
		records[i] = rec
	}
	if !ours {
		return received{}, foreign(text)
	}
	return received{records, piped}, nil
}

func kindOf(text []byte) eventkind.Kind {
	v, _ := jsonata.Decode(text)
	return eventkind.Of(v)
}

func notBatch(reason string) error { return errors.New("the event is not an SQS batch: " + reason) }

// foreign explains which kind of event it is, and where it belongs.
func foreign(text []byte) error {
	if kind := kindOf(text); kind.Function != eventkind.Queue {
		return errors.New(kind.String())
	}
	return notBatch("it has no list of Records")
}

// check finds faults of a record for which nothing can be started.
func (r *record) check(o *jsonata.Object, mark string) {
	_, hasBody := o.Value("body").(string)
	_, hasAttributes := o.Get("attributes")
	_, attributesReadable := o.Value("attributes").(*jsonata.Object)
	_, hasOwn := o.Get("messageAttributes")
	_, ownReadable := o.Value("messageAttributes").(*jsonata.Object)
	cause := ""
	switch {
	case mark != "" && strings.Contains(string(r.text), mark):
		cause = "the record is not UTF-8"
	case o.Text("eventSource") != sourceSQS:
		cause = "the record does not come from " + sourceSQS
	case !hasBody:
		cause = "the record has no body, or one that is not text"
	case hasAttributes && !attributesReadable:
		r.readable = true
		cause = "the record's attributes are not an object"
	case hasOwn && !ownReadable && o.Value("messageAttributes") != nil:
		r.readable = true
		cause = "the record's messageAttributes are not an object"
	default:
		r.readable = true
		return
	}
	r.broken = bridge.NewFailure(bridge.BadRequest, cause, nil)
}

// validText returns the event's text if it is valid JSON. Bytes that are not UTF-8 are
// replaced by a mark that does not occur elsewhere in the event: only the records that
// contain them fail, not the others.
func validText(payload []byte) (text []byte, mark string, err error) {
	err = jsonata.Valid(payload)
	if err == nil || utf8.Valid(payload) {
		return payload, "", err
	}
	// Private-use characters and a noncharacter, which have no meaning.
	for _, r := range []rune{0x10FFFE, 0xF8FF, 0xE0B5, 0x10F00D} {
		if mark = string(r); !bytes.Contains(payload, []byte(mark)) {
			text = bytes.ToValidUTF8(payload, []byte(mark))
			return text, mark, jsonata.Valid(text)
		}
	}
	return nil, "", err
}

func (r *record) attribute(name string) string {
	return r.source().Object("attributes").Text(name)
}

func (r *record) receiveCount() int {
	n, _ := strconv.Atoi(r.attribute("ApproximateReceiveCount"))
	return n
}

func (r *record) receiptHandle() string {
	return r.source().Text("receiptHandle")
}

// fifo reports whether the record belongs to a message group that keeps its order;
// records without a group id form one group. On a standard queue, a group id only names
// the message's tenant (fair queues).
func (r *record) fifo() bool { return strings.HasSuffix(r.queue, ".fifo") }

// document makes $message, once. A body that is not JSON is text.
func (r *record) document(route *config.Route) (*jsonata.Object, error) {
	if r.message != nil {
		return r.message, nil
	}
	if r.broken != nil {
		return nil, r.broken
	}
	content := content{body: r.body(), attributes: r.source().Value("messageAttributes")}
	if r.reason().PutBack() {
		// For expressions, a message that was put back looks as it did the first time.
		content.attributes = object(content.attributes).Without(AttributeExpressway)
	}
	if route.SQS.Unwrap != config.UnwrapNothing {
		if failure := content.unwrap(route.SQS.Unwrap); failure != nil {
			r.broken = failure
			return nil, failure
		}
	}
	o := jsonata.NewObject(9)
	o.Set("messageId", r.id)
	content.set(o)
	o.Set("attributes", r.systemAttributes())
	o.Set("messageAttributes", object(content.attributes))
	o.Set("queue", r.queue)
	o.Set("receiveCount", json.Number(strconv.Itoa(r.receiveCount())))
	if id := r.attribute("MessageGroupId"); id != "" {
		o.Set("groupId", id)
	} else {
		o.Set("groupId", nil)
	}
	if content.envelope != nil {
		o.Set("envelope", content.envelope)
	}
	r.message = o
	return o, nil
}

// systemAttributes makes $message.attributes. Those of a dead letter that was put back
// have the sender's deduplication id, so that a dedupe key made from it stays the same.
func (r *record) systemAttributes() *jsonata.Object {
	o := object(r.source().Value("attributes"))
	if id := r.deduplicationID(); id != "" && id != r.attribute("MessageDeduplicationId") {
		o = o.Clone()
		o.Set("MessageDeduplicationId", id)
	}
	return o
}

// object returns v if it is an object, and an empty object otherwise.
func object(v any) *jsonata.Object {
	if o, ok := v.(*jsonata.Object); ok {
		return o
	}
	return jsonata.NewObject(0)
}
