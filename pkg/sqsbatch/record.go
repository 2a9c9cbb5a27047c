package sqsbatch

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A record is one message of a batch.
type record struct {
	index    int // in the event
	id       string
	queueARN string
	queue    string // the queue's name
	object   *jsonata.Object
}

// decode reads a batch. A record without an id could not be reported as failed,
// and would be deleted: such an event fails as a whole, so that all of it returns.
func decode(payload []byte) ([]*record, error) {
	v, err := jsonata.Decode(payload)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoBatch, err)
	}
	event, _ := v.(*jsonata.Object)
	list, ok := member(event, "Records").([]any)
	if !ok {
		return nil, fmt.Errorf("%w: it has no list of Records", ErrNoBatch)
	}
	records := make([]*record, len(list))
	for i, item := range list {
		o, _ := item.(*jsonata.Object)
		id, _ := member(o, "messageId").(string)
		if id == "" {
			return nil, fmt.Errorf("%w: record %d has no messageId", ErrNoBatch, i)
		}
		if source, _ := member(o, "eventSource").(string); source != "aws:sqs" {
			return nil, fmt.Errorf("%w: record %d does not come from aws:sqs", ErrNoBatch, i)
		}
		arn, _ := member(o, "eventSourceARN").(string)
		records[i] = &record{
			index: i, id: id, object: o,
			queueARN: arn, queue: arn[strings.LastIndexByte(arn, ':')+1:],
		}
	}
	return records, nil
}

// groups returns the records that must run one after the other, in the event's
// order: the message groups of a FIFO queue. On a standard queue every record is
// a group of its own, also where a group id says whose it is (fair queues).
func groups(records []*record) [][]*record {
	type key struct{ queue, group string }
	at := map[key]int{}
	var out [][]*record
	for _, rec := range records {
		group := rec.attribute("MessageGroupId")
		if group == "" || !strings.HasSuffix(rec.queue, ".fifo") {
			out = append(out, []*record{rec})
			continue
		}
		k := key{rec.queueARN, group}
		i, ok := at[k]
		if !ok {
			i = len(out)
			at[k] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], rec)
	}
	return out
}

func (r *record) attribute(name string) string {
	attributes, _ := member(r.object, "attributes").(*jsonata.Object)
	s, _ := member(attributes, name).(string)
	return s
}

func (r *record) receiveCount() int {
	n, _ := strconv.Atoi(r.attribute("ApproximateReceiveCount"))
	return n
}

// document makes $message. A body that is not JSON is text.
func (r *record) document() (any, error) {
	o := jsonata.NewObject(8)
	o.Set("messageId", r.id)
	body, _ := member(r.object, "body").(string)
	if jsonata.Valid([]byte(body)) == nil {
		o.Set("body", jsonata.NewRaw([]byte(body)))
		o.Set("bodyType", "json")
	} else {
		o.Set("body", body)
		o.Set("bodyType", "text")
	}
	for _, name := range []string{"attributes", "messageAttributes"} {
		v, ok := member(r.object, name).(*jsonata.Object)
		if !ok {
			v = jsonata.NewObject(0)
		}
		o.Set(name, v)
	}
	o.Set("queue", r.queue)
	o.Set("receiveCount", json.Number(strconv.Itoa(r.receiveCount())))
	if id := r.attribute("MessageGroupId"); id != "" {
		o.Set("groupId", id)
	} else {
		o.Set("groupId", nil)
	}
	return o, nil
}

func member(o *jsonata.Object, name string) any {
	v, _ := o.Get(name)
	return v
}
