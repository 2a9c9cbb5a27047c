package sqsbatch

import (
	"strings"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// content is what a message says: its body and attributes, and what was around them
// when the route unwraps an envelope.
type content struct {
	body       string // text, unless value is set
	value      any
	attributes any
	envelope   *jsonata.Object
}

// set writes body and bodyType into $message. A body that is not JSON is text.
func (c *content) set(o *jsonata.Object) {
	body := c.value
	if body == nil {
		raw, err := jsonata.ParseRaw([]byte(c.body))
		if err != nil {
			o.Set("body", c.body)
			o.Set("bodyType", "text")
			return
		}
		body = raw
	}
	o.Set("body", body)
	o.Set("bodyType", "json")
}

// unwrap takes the envelope off.
func (c *content) unwrap(kind config.Unwrap) *bridge.Failure {
	v, err := jsonata.Decode([]byte(c.body))
	envelope, ok := v.(*jsonata.Object)
	if err != nil || !ok {
		return noEnvelope(kind)
	}
	switch kind {
	case config.UnwrapSNS:
		ok = c.unwrapSNS(envelope)
	case config.UnwrapEventBridge:
		ok = c.unwrapEvent(envelope)
	case config.UnwrapS3:
		c.value, ok = member(envelope, "Records").([]any)
	}
	if !ok {
		return noEnvelope(kind)
	}
	return nil
}

func noEnvelope(kind config.Unwrap) *bridge.Failure {
	return bridge.NewFailure(bridge.BadRequest, "the body is not what unwrap: "+string(kind)+" takes: "+map[config.Unwrap]string{
		config.UnwrapSNS:         "an SNS notification (is raw message delivery on?)",
		config.UnwrapEventBridge: "an EventBridge event",
		config.UnwrapS3:          "an S3 event notification",
	}[kind], nil)
}

// unwrapSNS takes the notification's Message, and its MessageAttributes in the form
// that a message of SQS has them in.
//
// [SNS notification]: https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
func (c *content) unwrapSNS(envelope *jsonata.Object) bool {
	message, ok := member(envelope, "Message").(string)
	if !ok || member(envelope, "Type") != "Notification" || text(envelope, "TopicArn") == "" {
		return false
	}
	c.body = message
	attributes := jsonata.NewObject(4)
	published, _ := member(envelope, "MessageAttributes").(*jsonata.Object)
	for i := range length(published) {
		name, v := published.At(i)
		one, _ := v.(*jsonata.Object)
		kind, value := text(one, "Type"), text(one, "Value")
		if kind == "" {
			continue
		}
		a := jsonata.NewObject(4)
		if strings.HasPrefix(kind, "Binary") {
			a.Set("binaryValue", value)
		} else {
			a.Set("stringValue", value)
		}
		a.Set("stringListValues", []any{})
		a.Set("binaryListValues", []any{})
		a.Set("dataType", kind)
		attributes.Set(name, a)
	}
	c.attributes = attributes
	c.envelope = without(envelope, "Message", "MessageAttributes")
	return true
}

// unwrapEvent takes the event's detail, which is what the producer made.
func (c *content) unwrapEvent(envelope *jsonata.Object) bool {
	detail, ok := envelope.Get("detail")
	if !ok || text(envelope, "source") == "" || text(envelope, "detail-type") == "" {
		return false
	}
	if detail == nil {
		c.body = "null"
	}
	c.value = detail
	c.envelope = without(envelope, "detail")
	return true
}

// isTestEvent tells S3's message about a notification that was just configured, which
// is about no object.
func isTestEvent(body string) bool {
	if !strings.Contains(body, `"s3:TestEvent"`) {
		return false
	}
	v, err := jsonata.Decode([]byte(body))
	event, ok := v.(*jsonata.Object)
	return err == nil && ok && text(event, "Event") == "s3:TestEvent" && text(event, "Service") == "Amazon S3"
}

func without(o *jsonata.Object, names ...string) *jsonata.Object {
	o = o.Clone()
	for _, name := range names {
		o.Delete(name)
	}
	return o
}

func text(o *jsonata.Object, name string) string {
	s, _ := member(o, name).(string)
	return s
}

func length(o *jsonata.Object) int {
	if o == nil {
		return 0
	}
	return o.Len()
}
