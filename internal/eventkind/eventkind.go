// Package eventkind recognises the kind of an event that invokes a Lambda function by its
// shape, and names the function to which it belongs. The adapters in pkg/httpfront,
// pkg/sqsbatch and pkg/eventbridge use it to explain an event that is not theirs, and the
// developer's tool uses it to explain what it is about to deliver.
package eventkind

import (
	"strings"

	"github.com/expressway-dev/expressway/internal/sources"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A Function is one of Expressway's functions.
type Function string

// The functions, by the names that the developer's tool and a Handler use.
const (
	Webhook Function = sources.Webhook
	Queue   Function = sources.Queue
	Event   Function = sources.Event
)

// A Kind is the kind of an event.
type Kind struct {
	// What is a noun with its article: "a batch of SQS records".
	What string
	// Function takes such events; empty if none does.
	Function Function
	// Cure is what to do if such an event reaches another function.
	Cure string
}

// String returns a sentence for logs and errors, without a full stop.
func (k Kind) String() string { return "the event is " + k.What + ": " + k.Cure }

// The kinds that a function takes, and the unknown kind.
var (
	Request = Kind{"an HTTP request", Webhook, "send it to the webhook function"}
	Batch   = Kind{"a batch of SQS records", Queue, "connect the queue to the queue function"}
	Array   = Kind{
		"an array of SQS records, as a pipe delivers them", Queue,
		"make the queue function the pipe's target, with the invocation type REQUEST_RESPONSE",
	}
	BusEvent  = Kind{"an EventBridge event", Event, "let the rule or the bus invoke the event function"}
	BusEvents = Kind{"an array of EventBridge events", Event, BusEvent.Cure}
	Unknown   = Kind{What: "of a kind that Expressway does not know", Cure: "it takes HTTP requests, batches of SQS records, and EventBridge events"}
)

const (
	throughPipe = "no function of Expressway reads it; let a pipe put its records on an event bus or into a queue"
	throughRule = "no function of Expressway takes it; let the service send to EventBridge or to a queue"
)

// records maps the eventSource of records to their kinds.
var records = map[string]Kind{
	"aws:sqs":          Batch,
	"aws:kinesis":      {What: "a batch of a Kinesis stream", Cure: throughPipe},
	"aws:dynamodb":     {What: "a batch of a DynamoDB stream", Cure: throughPipe},
	"aws:kafka":        {What: "a batch of a Kafka topic", Cure: throughPipe},
	"SelfManagedKafka": {What: "a batch of a Kafka topic", Cure: throughPipe},
	"aws:mq":           {What: "a batch of an ActiveMQ queue", Cure: throughPipe},
	"aws:amq":          {What: "a batch of an ActiveMQ queue", Cure: throughPipe},
	"aws:rmq":          {What: "a batch of RabbitMQ queues", Cure: throughPipe},
	"aws:docdb":        {What: "a batch of a DocumentDB change stream", Cure: throughPipe},
	"aws:sns": {
		What: "a notification of SNS",
		Cure: "subscribe a queue to the topic (a queue route with unwrap: sns), or the URL of an http route with verify: {provider: sns}",
	},
	"aws:s3": {
		What: "a notification of S3",
		Cure: "let the bucket send to EventBridge, or to a queue (a queue route with unwrap: s3)",
	},
	"aws:ses": {What: "a message of SES", Cure: "let SES publish to a topic that a queue is subscribed to"},
}

// Of recognises the kind of an event, a JSON value of pkg/jsonata. It returns [Unknown]
// for any other.
func Of(v any) Kind {
	switch v := jsonata.Force(v).(type) {
	case []any:
		return ofArray(v)
	case *jsonata.Object:
		return ofObject(v)
	}
	return Unknown
}

func ofArray(list []any) Kind {
	if len(list) == 0 {
		return Unknown
	}
	first, _ := jsonata.Force(list[0]).(*jsonata.Object)
	if first == nil {
		return Unknown
	}
	if first.Has("detail-type") && first.Has("source") {
		return BusEvents
	}
	if kind := ofRecord(first); kind.Function == Queue {
		return Array
	} else if kind.What != "" {
		return kind
	}
	return Unknown
}

func ofObject(event *jsonata.Object) Kind {
	context := event.Object("requestContext")
	switch {
	case event.Has("methodArn"), event.Has("routeArn"):
		return Kind{What: "a request to an authorizer", Cure: "the functions of Expressway do not authorize requests; the webhook function answers them"}
	case isRequest(event, context):
		return Request
	case context != nil && context.Has("connectionId"):
		return Kind{What: "a message of a WebSocket API", Cure: "no function of Expressway takes it"}
	case event.Has("detail-type") && event.Has("source"):
		return BusEvent
	case event.Has("requestPayload") && event.Has("responseContext"), context != nil && context.Has("approximateInvokeCount"):
		return Kind{
			What: "the record of a Lambda destination",
			Cure: "let the destination be a queue or an event bus; expressway redrive sends such records back",
		}
	case event.Has("awslogs"):
		return Kind{What: "a batch of CloudWatch Logs", Cure: "no function of Expressway takes it"}
	case event.Has("deliveryStreamArn"):
		return Kind{What: "a batch of a Firehose stream", Cure: "no function of Expressway transforms records"}
	case event.Has("alarmArn"):
		return Kind{What: "a state change of a CloudWatch alarm", Cure: "let a rule for the source aws.cloudwatch invoke the event function"}
	case event.Has("triggerSource") && event.Has("userPoolId"):
		return Kind{What: "a trigger of Cognito", Cure: "no function of Expressway takes it"}
	}
	if list, isList := event.Value("Records").([]any); isList && len(list) > 0 {
		if first, ok := jsonata.Force(list[0]).(*jsonata.Object); ok {
			if kind := ofRecord(first); kind.What != "" {
				return kind
			}
		}
	}
	if kind := ofRecord(event); kind.What != "" { // Kafka and MQ name their source once
		return kind
	}
	return Unknown
}

// isRequest reports whether one of the HTTP doors made the event.
func isRequest(event, context *jsonata.Object) bool {
	switch {
	case event.Has("raw_path") && event.Has("method"):
		return true
	case context == nil:
		return false
	case context.Has("serviceNetworkArn") && event.Has("method"):
		return true
	case context.Object("http") != nil && event.Has("rawPath"):
		return true
	}
	return event.Has("httpMethod") && event.Has("path")
}

// ofRecord returns the kind of a record's batch; What is empty if the source is not text.
func ofRecord(record *jsonata.Object) Kind {
	source := record.Text("eventSource")
	if source == "" {
		source = record.Text("EventSource") // SNS
	}
	if kind, ok := records[source]; ok {
		return kind
	}
	if service, ok := strings.CutPrefix(source, "aws:"); ok && isName(service) {
		return Kind{What: "a batch of " + service, Cure: throughRule}
	}
	return Kind{}
}

// isName reports whether a text can be the name of a service; any other text of an event
// is not repeated.
func isName(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return s != "" && len(s) <= 40
}
