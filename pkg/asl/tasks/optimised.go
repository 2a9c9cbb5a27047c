package tasks

import (
	"cmp"
	"encoding/json"
	"net/http"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// An optimised describes how an [optimised integration] differs from a plain call of the
// SDK.
//
// [optimised integration]: https://docs.aws.amazon.com/step-functions/latest/dg/integrate-optimized.html
type optimised struct {
	// service is the name of the model.
	service string
	// prefix is the prefix of error names, and client that of errors that the service
	// does not model; long is the service's name in causes, or client if it is empty.
	prefix, client, long string
	// metadata means that results include the HTTP response in addition to the members.
	metadata bool
	// finish checks and shapes the result; nil leaves it.
	finish func(*jsonata.Object) (any, error)
}

// optimisedServices are the services whose request-response calls are plain calls, and
// SERVICE:ACTION if an action belongs to a different service from the rest. Lambda, Step
// Functions and the HTTP integrations have runners of their own.
var optimisedServices = map[string]optimised{
	"dynamodb":  {service: "dynamodb", prefix: "DynamoDB", client: "AmazonDynamoDB", long: "AmazonDynamoDBv2", metadata: true},
	"sns":       {service: "sns", prefix: "SNS", client: "AmazonSNS", metadata: true},
	"sqs":       {service: "sqs", prefix: "SQS", client: "AmazonSQS", metadata: true},
	"events":    {service: "eventbridge", prefix: "EventBridge", client: "AmazonEventBridge", finish: putEventsResult},
	"batch":     {service: "batch", prefix: "Batch", client: "AWSBatch", metadata: true},
	"ecs":       {service: "ecs", prefix: "ECS", client: "AmazonECS", metadata: true},
	"glue":      {service: "glue", prefix: "Glue", client: "AWSGlue", metadata: true},
	"athena":    {service: "athena", prefix: "Athena", client: "AmazonAthena", metadata: true},
	"codebuild": {service: "codebuild", prefix: "CodeBuild", client: "AWSCodeBuild", metadata: true},
	"s3":        {service: "s3", prefix: "S3", client: "AmazonS3", long: "Amazon S3"}, // for an ItemReader and a ResultWriter
	"bedrock":   {service: "bedrockruntime", prefix: "Bedrock", client: "AmazonBedrock", finish: invokeModelResult},

	"bedrock:createModelCustomizationJob": {service: "bedrock", prefix: "Bedrock", client: "AmazonBedrock"},
}

func (o *optimised) longName() string { return cmp.Or(o.long, o.client) }

func (o *optimised) result(result *jsonata.Object, resp *http.Response) (any, error) {
	if o.metadata {
		result.Set("SdkHttpMetadata", sdkMetadata(resp.StatusCode, resp.Header, headerNames(resp)))
		request := jsonata.NewObject(1)
		request.Set("RequestId", cmp.Or(resp.Header.Get("X-Amzn-Requestid"), resp.Header.Get("X-Amz-Request-Id"), "local"))
		result.Set("SdkResponseMetadata", request)
	}
	if o.finish == nil {
		return result, nil
	}
	return o.finish(result)
}

// putEventsResult fails the task if an entry failed, as the integration does.
func putEventsResult(result *jsonata.Object) (any, error) {
	failed, _ := result.Get("FailedEntryCount")
	if n, ok := failed.(json.Number); !ok || n == "0" {
		return result, nil
	}
	cause, err := jsonata.AppendJSON(nil, result)
	if err != nil {
		return nil, err
	}
	return nil, &asl.Error{Name: "EventBridge.FailedEntry", Cause: string(cause)}
}

// invokeModelResult returns the body as JSON, if it is JSON.
func invokeModelResult(result *jsonata.Object) (any, error) {
	if text, ok := first(result.Get("Body")).(string); ok {
		if v, err := jsonata.Decode([]byte(text)); err == nil {
			result.Set("Body", v)
		}
	}
	return result, nil
}

func first(v any, _ bool) any { return v }
