package otlp

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/expressway-dev/expressway/internal/sources"
	"github.com/expressway-dev/expressway/internal/version"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/trace"
)

// The kinds of spans, and the status of a failed one.
//
// [Numbers]: https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto
const (
	internal    = 1
	server      = 2
	client      = 3
	consumer    = 5
	statusError = 2
)

// An attribute has a text, a number or a boolean value.
type attribute struct {
	Key   string
	Value any
}

// MarshalJSON writes the attribute in OTLP's form, in which numbers are texts.
func (a attribute) MarshalJSON() ([]byte, error) {
	type value struct {
		String *string `json:"stringValue,omitempty"`
		Int    *string `json:"intValue,omitempty"`
		Bool   *bool   `json:"boolValue,omitempty"`
	}
	var v value
	switch x := a.Value.(type) {
	case string:
		v.String = &x
	case int:
		text := strconv.Itoa(x)
		v.Int = &text
	case bool:
		v.Bool = &x
	}
	return json.Marshal(struct {
		Key   string `json:"key"`
		Value value  `json:"value"`
	}{a.Key, v})
}

// A link refers to a span of another trace.
type link struct {
	TraceID string `json:"traceId"`
	SpanID  string `json:"spanId"`
}

// A spanStatus marks a span as failed, with the error's name. Without a status, a span is
// neither failed nor ok.
type spanStatus struct {
	Code    int    `json:"code"`
	Message string `json:"message,omitempty"`
}

// A span is a span of OTLP.
type span struct {
	TraceID, SpanID, ParentSpanID string
	Name                          string
	Kind                          int
	Start, End                    time.Time
	Attributes                    []attribute
	Links                         []link
	Status                        *spanStatus
}

// MarshalJSON writes the span in OTLP's form.
func (s span) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		TraceID      string      `json:"traceId"`
		SpanID       string      `json:"spanId"`
		ParentSpanID string      `json:"parentSpanId,omitempty"`
		Name         string      `json:"name"`
		Kind         int         `json:"kind"`
		Start        string      `json:"startTimeUnixNano"`
		End          string      `json:"endTimeUnixNano"`
		Attributes   []attribute `json:"attributes,omitempty"`
		Links        []link      `json:"links,omitempty"`
		Status       *spanStatus `json:"status,omitempty"`
	}{
		s.TraceID, s.SpanID, s.ParentSpanID, s.Name, s.Kind,
		strconv.FormatInt(s.Start.UnixNano(), 10), strconv.FormatInt(s.End.UnixNano(), 10), s.Attributes, s.Links, s.Status,
	})
}

// add adds an attribute with a text.
func (s *span) add(key, value string) {
	if value != "" {
		s.Attributes = append(s.Attributes, attribute{key, value})
	}
}

// set is like add for an attribute that may already exist.
func (s *span) set(key, value string) {
	for i := range s.Attributes {
		if s.Attributes[i].Key == key {
			s.Attributes[i].Value = value
			return
		}
	}
	s.add(key, value)
}

func failed(name string) *spanStatus { return &spanStatus{Code: statusError, Message: name} }

// attributes maps members of log lines that describe the origin of a delivery to the
// names of the conventions.
var attributes = map[string]string{
	"method": "http.request.method", "pattern": "http.route", "httpStatus": "http.response.status_code",
	"queue": "messaging.destination.name", "source": "expressway.event.source", "detailType": "expressway.event.detail_type",
	"gatewayRequestId": "expressway.gateway_request_id", "receiveCount": "expressway.receive_count",
	"records": "messaging.batch.message_count",
}

// delivery makes the spans of a delivery: its own, and one for its execution if that has
// ended.
func (e *Exporter) delivery(d *bridge.Delivery, r bridge.Result, s bridge.Settlement) (ended []span) {
	span := span{SpanID: e.id(8), Kind: internal, Start: d.ReceivedAt, End: e.now()}
	for _, attrs := range [][]slog.Attr{d.Attrs, s.Attrs} {
		for _, a := range attrs {
			switch name := attributes[a.Key]; {
			case name == "":
			case a.Value.Kind() == slog.KindInt64:
				span.Attributes = append(span.Attributes, attribute{name, int(a.Value.Int64())})
			default:
				span.add(name, a.Value.String())
			}
		}
	}
	span.add("expressway.route", d.Route.Name)
	span.add("expressway.delivery", d.ID)
	span.add("expressway.then", s.Then)
	source, _ := sources.ByVariable(d.Kind)
	span.name(source.Key, d)
	for _, text := range d.TraceLinks {
		if h, ok := trace.Parse(text); ok && h.Parent() != "" && len(span.Links) < maxLinks {
			span.Links = append(span.Links, link{traceID(h), h.Parent()})
		}
	}
	if f := r.Failure; f != nil {
		span.add("error.type", f.Name)
		span.add("aws.step_functions.state_machine.arn", f.StateMachineARN)
		if status, isHTTP := span.status(); !isHTTP || status >= http.StatusInternalServerError {
			span.Status = failed(f.Name)
		}
	}
	o := r.Outcome
	if o == nil {
		return append(ended, span)
	}
	span.add("aws.step_functions.state_machine.arn", o.StateMachineARN)
	span.add("expressway.execution_arn", o.ExecutionARN)
	ended = append(ended, span)
	if !o.StopDate.IsZero() {
		ended = append(ended, e.execution(span.SpanID, o))
	}
	return ended
}

// name sets the span's name, and the attributes that the conventions require for its
// source.
func (s *span) name(source string, d *bridge.Delivery) {
	text := func(key string) string {
		for _, a := range s.Attributes {
			if a.Key == key {
				v, _ := a.Value.(string)
				return v
			}
		}
		return ""
	}
	switch source {
	case sources.HTTP:
		s.Name = strings.TrimSpace(text("http.request.method") + " " + text("http.route"))
	case sources.SQS:
		s.Kind, s.Name = consumer, "process "+text("messaging.destination.name")
		s.add("messaging.system", "aws_sqs")
		s.add("messaging.operation.type", "process")
		s.add("messaging.operation.name", "process")
		s.add("messaging.message.id", d.ID)
	case sources.EventBridge:
		s.Kind, s.Name = consumer, "process "+text("expressway.event.source")
		s.add("messaging.operation.type", "process")
		s.add("messaging.message.id", d.ID)
	}
}

func (s *span) status() (int, bool) {
	for _, a := range s.Attributes {
		if a.Key == "http.response.status_code" {
			n, _ := a.Value.(int)
			return n, true
		}
	}
	return 0, false
}

// execution makes the span of a call that waited for the end, with the times of Step
// Functions.
func (e *Exporter) execution(parent string, o *bridge.Outcome) span {
	span := span{SpanID: e.id(8), ParentSpanID: parent, Name: "SFN/StartSyncExecution", Kind: client, Start: o.StartDate, End: o.StopDate}
	span.add("rpc.system", "aws-api")
	span.add("rpc.service", "SFN")
	span.add("rpc.method", "StartSyncExecution")
	span.add("aws.step_functions.state_machine.arn", o.StateMachineARN)
	span.add("expressway.execution_arn", o.ExecutionARN)
	span.add("expressway.status", string(o.Status))
	if o.Status != bridge.Succeeded {
		span.add("error.type", o.Error)
		span.add("expressway.state", o.State)
		span.Status = failed(o.Error)
	}
	return span
}

// document returns the request's body.
func document(resource []attribute, spans []span) []byte {
	type scope struct {
		Name    string `json:"name"`
		Version string `json:"version"`
	}
	type scopeSpans struct {
		Scope scope  `json:"scope"`
		Spans []span `json:"spans"`
	}
	type attributes struct {
		Attributes []attribute `json:"attributes"`
	}
	type resourceSpans struct {
		Resource attributes   `json:"resource"`
		Scopes   []scopeSpans `json:"scopeSpans"`
	}
	text, _ := json.Marshal(struct {
		Spans []resourceSpans `json:"resourceSpans"`
	}{[]resourceSpans{{attributes{resource}, []scopeSpans{{scope{"github.com/expressway-dev/expressway", version.String()}, spans}}}}}) // texts and numbers: cannot fail
	return text
}
