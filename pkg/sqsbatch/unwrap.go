package sqsbatch

import (
	"strings"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// content holds a message's body and attributes, and the envelope around them if the
// route unwraps one.
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

// unwrap removes the envelope.
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
		c.value, ok = envelope.Value("Records").([]any)
	}
	if !ok {
		return noEnvelope(kind)
	}
	return nil
}

func noEnvelope(kind config.Unwrap) *bridge.Failure {
	return bridge.NewFailure(bridge.BadRequest, "the body is not what unwrap: "+string(kind)+" takes: "+map[config.Unwrap]string{
		config.UnwrapSNS:         "an SNS notification (turn off raw message delivery)",
		config.UnwrapEventBridge: "an EventBridge event",
		config.UnwrapS3:          "an S3 event notification",
	}[kind], nil)
}

// unwrapSNS takes the notification's Message, and its MessageAttributes in the form that
// SQS uses.
//
// [SNS notification]: https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
func (c *content) unwrapSNS(envelope *jsonata.Object) bool {
	message, ok := envelope.Value("Message").(string)
	if !ok || envelope.Value("Type") != "Notification" || envelope.Text("TopicArn") == "" {
		return false
	}
	c.body = message
	attributes := jsonata.NewObject(4)
	published := envelope.Object("MessageAttributes")
	for i := range published.Len() {
		name, v := published.At(i)
		one, _ := v.(*jsonata.Object)
		kind, value := one.Text("Type"), one.Text("Value")
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
	c.envelope = envelope.Without("Message", "MessageAttributes")
	return true
}

// unwrapEvent takes the event's detail, which the producer made.
func (c *content) unwrapEvent(envelope *jsonata.Object) bool {
	detail, ok := envelope.Get("detail")
	if !ok || envelope.Text("source") == "" || envelope.Text("detail-type") == "" {
		return false
	}
	if detail == nil {
		c.body = "null"
	}
	c.value = detail
	c.envelope = envelope.Without("detail")
	return true
}

// isTestEvent reports whether a body is the message that S3 sends when a notification is
// configured, which concerns no object.
func isTestEvent(body string) bool {
	if !strings.Contains(body, `"s3:TestEvent"`) {
		return false
	}
	v, err := jsonata.Decode([]byte(body))
	event, ok := v.(*jsonata.Object)
	return err == nil && ok && event.Text("Event") == "s3:TestEvent" && event.Text("Service") == "Amazon S3"
}
