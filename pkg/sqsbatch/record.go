package sqsbatch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/expressway-dev/expressway/internal/eventkind"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A record is one message of a batch.
type record struct {
	index    int // in the event
	id       string
	queueARN string
	queue    string // the queue's name
	object   *jsonata.Object
	// body is nil if the record is not what SQS delivered: such a record cannot be sent
	// on.
	body *string
	// broken is why nothing can be started for the record, whatever its route says.
	broken *bridge.Failure
	// message is $message, once it has been made.
	message *jsonata.Object
}

// A received event is a batch of records, as the event source mapping or EventBridge
// Pipes delivers it.
type received struct {
	records []*record
	// piped says that the records came from a pipe, as a bare array.
	piped bool
}

// sourceSQS is the eventSource of a queue's records.
const sourceSQS = "aws:sqs"

// decode reads a batch. A record without an id could not be reported as failed, and would
// be deleted: such an event fails as a whole, so that all of it returns. So does an event
// of another service, whose sender takes every response for success. Any other fault of a
// record is that record's own failure.
func decode(payload []byte) (received, error) {
	v, mark, err := decodeText(payload)
	if err != nil {
		return received{}, notBatch(err.Error())
	}
	list, piped := v.([]any)
	if !piped {
		event, _ := v.(*jsonata.Object)
		var ok bool
		if list, ok = event.Value("Records").([]any); !ok {
			return received{}, foreign(v)
		}
	}
	ours := len(list) == 0
	records := make([]*record, len(list))
	for i, item := range list {
		o, _ := item.(*jsonata.Object)
		id := o.Text("messageId")
		if id == "" || mark != "" && strings.Contains(id, mark) {
			if kind := eventkind.Of(v); kind.Function != eventkind.Queue && kind != eventkind.Unknown {
				return received{}, errors.New(kind.String())
			}
			return received{}, notBatch(fmt.Sprintf("record %d has no messageId", i))
		}
		records[i] = newRecord(i, id, o, mark)
		ours = ours || o.Value("eventSource") == sourceSQS
	}
	if !ours {
		return received{}, foreign(v)
	}
	return received{records, piped}, nil
}

func notBatch(reason string) error { return errors.New("the event is not an SQS batch: " + reason) }

// foreign says what kind of event it is instead, and where it belongs.
func foreign(v any) error {
	if kind := eventkind.Of(v); kind.Function != eventkind.Queue {
		return errors.New(kind.String())
	}
	return notBatch("it has no list of Records")
}

func newRecord(i int, id string, o *jsonata.Object, mark string) *record {
	arn := o.Text("eventSourceARN")
	rec := &record{
		index: i, id: id, object: o,
		queueARN: arn, queue: arn[strings.LastIndexByte(arn, ':')+1:],
	}
	body, hasBody := o.Value("body").(string)
	source := o.Text("eventSource")
	_, hasAttributes := o.Get("attributes")
	_, readable := o.Value("attributes").(*jsonata.Object)
	_, hasOwn := o.Get("messageAttributes")
	_, ownReadable := o.Value("messageAttributes").(*jsonata.Object)
	refuse := func(cause string) *record {
		rec.broken = bridge.NewFailure(bridge.BadRequest, cause, nil)
		return rec
	}
	switch {
	case mark != "" && marked(o, mark):
		return refuse("the record is not UTF-8")
	case source != sourceSQS:
		return refuse("the record does not come from " + sourceSQS)
	case !hasBody:
		return refuse("the record has no body, or one that is not text")
	}
	rec.body = &body
	switch {
	case hasAttributes && !readable:
		return refuse("the record's attributes are not an object")
	case hasOwn && !ownReadable && o.Value("messageAttributes") != nil:
		return refuse("the record's messageAttributes are not an object")
	}
	return rec
}

// decodeText reads the event's JSON. Bytes that are not UTF-8 are replaced by a mark that
// does not occur elsewhere in the event: only the records that contain them fail, not the
// others.
func decodeText(payload []byte) (v any, mark string, err error) {
	v, err = jsonata.Decode(payload)
	if err == nil || utf8.Valid(payload) {
		return v, "", err
	}
	// Private-use characters and a noncharacter, which have no meaning.
	for _, r := range []rune{0x10FFFE, 0xF8FF, 0xE0B5, 0x10F00D} {
		if mark = string(r); !bytes.Contains(payload, []byte(mark)) {
			v, err = jsonata.Decode(bytes.ToValidUTF8(payload, []byte(mark)))
			return v, mark, err
		}
	}
	return nil, "", err
}

func marked(o *jsonata.Object, mark string) bool {
	text, err := jsonata.AppendJSON(nil, o)
	return err != nil || bytes.Contains(text, []byte(mark))
}

func (r *record) attribute(name string) string {
	return r.object.Object("attributes").Text(name)
}

func (r *record) receiveCount() int {
	n, _ := strconv.Atoi(r.attribute("ApproximateReceiveCount"))
	return n
}

func (r *record) receiptHandle() string {
	return r.object.Text("receiptHandle")
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
	content := content{body: *r.body, attributes: r.object.Value("messageAttributes")}
	if r.reason().PutBack() {
		// A message that was put back shows expressions what it showed them the first time.
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
	o := object(r.object.Value("attributes"))
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
