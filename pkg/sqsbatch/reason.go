package sqsbatch

import (
	"encoding/json"
)

// The attributes that a dead letter has in addition to the message's own.
const (
	AttributeErrorName    = "ErrorName"
	AttributeErrorCause   = "ErrorCause"
	AttributeExecutionARN = "ExecutionArn"
	AttributeRoute        = "Route"
	// AttributeSourceQueue is the ARN of the queue that the message came from.
	AttributeSourceQueue = "SourceQueue"
	// AttributeDeduplicationID is the sender's own MessageDeduplicationId. The letter's own
	// id is the record's messageId, because within five minutes SQS would accept a second
	// letter with the sender's id and then drop it as a duplicate.
	AttributeDeduplicationID = "DeduplicationId"
	// AttributeExpressway holds all of these in one JSON object (see [Reason]), if the
	// message's own attributes leave no room for six more, or use one of their names.
	AttributeExpressway = "Expressway"
)

// A Reason is what a dead letter says in addition to the message: why it failed, and where
// it came from. Its JSON is the value of [AttributeExpressway].
type Reason struct {
	ErrorName       string `json:"errorName,omitempty"`
	ErrorCause      string `json:"errorCause,omitempty"`
	ExecutionARN    string `json:"executionArn,omitempty"`
	Route           string `json:"route,omitempty"`
	SourceQueue     string `json:"sourceQueue,omitempty"`
	DeduplicationID string `json:"deduplicationId,omitempty"`
	// RedriveID is the deduplication id of a message that was put back, and that
	// therefore carries the sender's id in its reason.
	RedriveID string `json:"redriveId,omitempty"`
}

// PutBack reports whether the message is not a dead letter, but one that was put back.
func (r *Reason) PutBack() bool { return r != nil && r.ErrorName == "" }

// Attribute returns the reason as the value of [AttributeExpressway].
func (r *Reason) Attribute() Attribute { return r.one()[AttributeExpressway] }

// A part is one text of a Reason and its attribute.
type part struct {
	name  string
	value *string
}

func (r *Reason) parts() []part {
	return []part{
		{AttributeErrorName, &r.ErrorName},
		{AttributeErrorCause, &r.ErrorCause},
		{AttributeExecutionARN, &r.ExecutionARN},
		{AttributeRoute, &r.Route},
		{AttributeSourceQueue, &r.SourceQueue},
		{AttributeDeduplicationID, &r.DeduplicationID},
	}
}

// attributes returns the reason as one attribute for each part. SQS does not accept empty
// values.
func (r *Reason) attributes() map[string]Attribute {
	out := map[string]Attribute{}
	for _, p := range r.parts() {
		if *p.value != "" {
			out[p.name] = Attribute{DataType: "String", Text: *p.value}
		}
	}
	return out
}

// one returns the reason as a single attribute.
func (r *Reason) one() map[string]Attribute {
	text, _ := json.Marshal(r) // texts cannot fail
	return map[string]Attribute{AttributeExpressway: {DataType: "String", Text: string(text)}}
}

// TakeReason removes from a message's attributes those that a dead letter adds, or a
// message that was put back, and returns them as a Reason. It returns nil and changes
// nothing if the message is neither: a sender may use any of the names for itself, and only
// a letter has both the name of an error and a route.
func TakeReason(attributes map[string]Attribute) *Reason {
	if a, ok := attributes[AttributeExpressway]; ok {
		r := &Reason{}
		if json.Unmarshal([]byte(a.Text), r) == nil && (r.ErrorName != "" && r.Route != "" || r.ErrorName == "" && r.RedriveID != "") {
			delete(attributes, AttributeExpressway)
			return r
		}
	}
	r := &Reason{}
	for _, p := range r.parts() {
		*p.value = attributes[p.name].Text
	}
	if r.ErrorName == "" || r.Route == "" {
		return nil
	}
	for _, p := range r.parts() {
		delete(attributes, p.name)
	}
	return r
}
