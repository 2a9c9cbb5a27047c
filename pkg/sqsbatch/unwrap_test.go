package sqsbatch_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/internal/shared"
)

const snsEnvelope = `{"Type":"Notification","MessageId":"95df01b4","TopicArn":"arn:aws:sns:us-east-1:123456789012:orders","Subject":"s",` +
	`"Message":MESSAGE,"Timestamp":"2019-01-02T12:45:07.000Z","SignatureVersion":"1","Signature":"x","SigningCertURL":"x","UnsubscribeURL":"x",` +
	`"MessageAttributes":{"kind":{"Type":"String","Value":"new"},"raw":{"Type":"Binary","Value":"AAE="},"tags":{"Type":"String.Array","Value":"[1]"}}}`

func TestUnwrap(t *testing.T) {
	t.Parallel()
	const event = `{"version":"0","id":"e-1","source":"shop","detail-type":"Order","detail":{"n":9007199254740993}}`
	type want struct {
		Body, BodyType string
		Attributes     string
		Envelope       string
	}
	const attributes = `{"kind":{"stringValue":"new","stringListValues":[],"binaryListValues":[],"dataType":"String"},` +
		`"raw":{"binaryValue":"AAE=","stringListValues":[],"binaryListValues":[],"dataType":"Binary"},` +
		`"tags":{"stringValue":"[1]","stringListValues":[],"binaryListValues":[],"dataType":"String.Array"}}`
	envelope := `{"Type":"Notification","MessageId":"95df01b4","TopicArn":"arn:aws:sns:us-east-1:123456789012:orders","Subject":"s",` +
		`"Timestamp":"2019-01-02T12:45:07.000Z","SignatureVersion":"1","Signature":"x","SigningCertURL":"x","UnsubscribeURL":"x"}`
	tests := map[string]struct {
		kind, body string
		want       want
	}{
		"sns, JSON":    {"sns", strings.Replace(snsEnvelope, "MESSAGE", `"{\"n\":1.0}"`, 1), want{`{"n":1.0}`, "json", attributes, envelope}},
		"sns, text":    {"sns", strings.Replace(snsEnvelope, "MESSAGE", `"hello"`, 1), want{`"hello"`, "text", attributes, envelope}},
		"sns, nothing": {"sns", strings.Replace(snsEnvelope, "MESSAGE", `""`, 1), want{`""`, "text", attributes, envelope}},
		"eventbridge":  {"eventbridge", event, want{`{"n":9007199254740993}`, "json", `{}`, `{"version":"0","id":"e-1","source":"shop","detail-type":"Order"}`}},
		"null detail":  {"eventbridge", strings.Replace(event, `{"n":9007199254740993}`, "null", 1), want{`null`, "json", `{}`, `{"version":"0","id":"e-1","source":"shop","detail-type":"Order"}`}},
		"s3":           {"s3", `{"Records":[{"s3":{"object":{"key":"a"}}}]}`, want{`[{"s3":{"object":{"key":"a"}}}]`, "json", `{}`, ``}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := &engine{}
			b := batch(t, "  - {name: o, sqs: orders, start: m, unwrap: "+test.kind+"}\n", e.start)
			if got := invoke(t.Context(), t, b, records(map[string]any{"body": test.body})); len(got) != 0 {
				t.Fatalf("batchItemFailures = %v", got)
			}
			var m struct {
				Body              json.RawMessage
				BodyType          string
				MessageAttributes json.RawMessage
				Envelope          json.RawMessage
			}
			if err := json.Unmarshal([]byte(e.inputs[0]), &m); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, want{string(m.Body), m.BodyType, string(m.MessageAttributes), string(m.Envelope)}); diff != "" {
				t.Errorf("$message (-want +got):\n%s", diff)
			}
		})
	}
}

// A record without the envelope fails alone, even if no expression reads it.
func TestUnwrapRefuses(t *testing.T) {
	t.Parallel()
	bodies := map[string][]string{
		"sns": {
			"raw", "{}", "[]", "null", strings.Replace(snsEnvelope, "MESSAGE", `{}`, 1),
			strings.Replace(strings.Replace(snsEnvelope, "MESSAGE", `"x"`, 1), "Notification", "SubscriptionConfirmation", 1),
		},
		"eventbridge": {"raw", `{"detail":{}}`, `{"source":"a","detail-type":"b"}`, `{"source":1,"detail-type":"b","detail":{}}`},
		"s3":          {"raw", `{"Records":{}}`, `{"Event":"s3:TestEvent"}`},
	}
	for kind, list := range bodies {
		for _, body := range list {
			e := &engine{}
			b := batch(t, "  - {name: o, sqs: orders, start: m, input: {}, unwrap: "+kind+"}\n", e.start)
			got := invoke(t.Context(), t, b, records(map[string]any{"body": body}))
			if len(got) != 1 || len(e.inputs) != 0 {
				t.Errorf("%s: %s: reported %v and started %v, want it reported only", kind, body, got, e.inputs)
			}
		}
	}
}

// S3 sends a test event when a notification is configured, which concerns no object.
func TestS3TestEvent(t *testing.T) {
	t.Parallel()
	const body = `{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2014-10-13T15:57:02.089Z","Bucket":"b","RequestId":"5582815E1AEA5ADF","HostId":"x"}`
	for _, batching := range []string{"", ", batch: true"} {
		e := &engine{}
		b := batch(t, "  - {name: o, sqs: orders, start: m, unwrap: s3"+batching+"}\n", e.start)
		if got := invoke(t.Context(), t, b, records(map[string]any{"body": body})); len(got)+len(e.inputs) != 0 {
			t.Errorf("reported %v, started %v, want neither", got, e.inputs)
		}
	}
}

func TestUnwrapRealEvents(t *testing.T) {
	t.Parallel()
	for kind, file := range map[string]string{"s3": "s3-event.json", "eventbridge": "codebuild-state-change.json"} {
		e := &engine{}
		b := batch(t, "  - {name: o, sqs: orders, start: m, input: '{% $message.body %}', unwrap: "+kind+"}\n", e.start)
		body := string(shared.Read(t, "lambda-events", file))
		if got := invoke(t.Context(), t, b, records(map[string]any{"body": body})); len(got) != 0 || len(e.inputs) != 1 {
			t.Errorf("%s: reported %v and started %d", kind, got, len(e.inputs))
		}
	}
}
