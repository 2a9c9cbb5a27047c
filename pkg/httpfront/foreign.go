package httpfront

import (
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// foreign says what an event is that no door delivers, and where it belongs. Whoever
// connects a queue or a rule to the wrong function reads it in the log.
func foreign(v any) *eventError {
	if list, ok := v.([]any); ok && len(list) > 0 {
		v = list[0] // a custom event bus delivers events in a list
	}
	event, ok := v.(*jsonata.Object)
	if !ok {
		return &eventError{reason: "the event is no object"}
	}
	switch records, _ := event.Get("Records"); {
	case has(event, "methodArn"), has(event, "routeArn"):
		return &eventError{reason: "the event is an authorizer's: this function answers requests, and authorizes none"}
	case isSQS(records):
		return &eventError{
			reason:  "the event is a batch of SQS: connect the queue to the queue function",
			returns: messageIDs(records),
		}
	case has(event, "detail-type") && has(event, "source"):
		return &eventError{reason: "the event is one of EventBridge: let the rule invoke the event function"}
	}
	return &eventError{reason: "the event is no HTTP request of API Gateway, a Function URL or a load balancer"}
}

func isSQS(records any) bool {
	list, _ := records.([]any)
	if len(list) == 0 {
		return false
	}
	first, _ := list[0].(*jsonata.Object)
	return text(first, "eventSource") == "aws:sqs"
}

func messageIDs(records any) []any {
	list, _ := records.([]any)
	failures := make([]any, len(list))
	for i, item := range list {
		record, _ := item.(*jsonata.Object)
		failure := jsonata.NewObject(1)
		failure.Set("itemIdentifier", text(record, "messageId"))
		failures[i] = failure
	}
	return failures
}

// giveBack adds to a response what lets a queue keep its messages: Lambda deletes what
// a function that returns does not name.
func giveBack(response []byte, failures []any) []byte {
	if len(failures) == 0 {
		return response
	}
	list, _ := jsonata.AppendJSON(nil, failures) // texts: cannot fail
	response = append(response[:len(response)-1], `,"batchItemFailures":`...)
	return append(append(response, list...), '}')
}
