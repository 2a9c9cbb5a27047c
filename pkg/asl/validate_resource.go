package asl

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/expressway-dev/expressway/pkg/asl/awsmodel"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// optimized lists the actions of the services with an optimised integration ([Integrating
// services]).
//
// [Integrating services]: https://docs.aws.amazon.com/step-functions/latest/dg/integrate-optimized.html
var optimized = map[string][]string{
	"apigateway": {"invoke"},
	"athena":     {"startQueryExecution", "stopQueryExecution", "getQueryExecution", "getQueryResults"},
	"batch":      {"submitJob"},
	"bedrock":    {"invokeModel", "createModelCustomizationJob"},
	"codebuild": {
		"startBuild", "stopBuild", "batchDeleteBuilds", "batchGetReports", "startBuildBatch", "stopBuildBatch",
		"retryBuildBatch", "deleteBuildBatch",
	},
	"databrew": {"startJobRun"},
	"dynamodb": {"getItem", "putItem", "updateItem", "deleteItem"},
	"ecs":      {"runTask"},
	"eks": {
		"createCluster", "deleteCluster", "createFargateProfile", "deleteFargateProfile", "createNodegroup",
		"deleteNodegroup", "runJob", "call",
	},
	"elasticmapreduce": {
		"createCluster", "setClusterTerminationProtection", "terminateCluster", "addStep", "cancelStep",
		"modifyInstanceFleetByName", "modifyInstanceGroupByName",
	},
	"emr-containers": {"createVirtualCluster", "deleteVirtualCluster", "startJobRun"},
	"emr-serverless": {"createApplication", "startApplication", "stopApplication", "deleteApplication", "startJobRun", "cancelJobRun"},
	"events":         {"putEvents"},
	"glue":           {"startJobRun"},
	"http":           {"invoke"},
	"lambda":         {"invoke"},
	"mediaconvert":   {"createJob"},
	"sagemaker": {
		"createEndpoint", "createEndpointConfig", "createHyperParameterTuningJob", "createLabelingJob", "createModel",
		"createProcessingJob", "createTrainingJob", "createTransformJob", "updateEndpoint",
	},
	"sns":    {"publish"},
	"sqs":    {"sendMessage"},
	"states": {"startExecution", "startSyncExecution"},
}

// An arguments value describes the parameters of a service's operation: which of them are
// required, and which are optional. If no optional ones are listed, any are accepted.
type arguments struct{ required, optional []string }

var argumentsOf = map[string]arguments{
	"apigateway:invoke":          {[]string{"ApiEndpoint", "Method"}, nil},
	"athena:startQueryExecution": {[]string{"QueryString"}, nil},
	"batch:submitJob":            {[]string{"JobDefinition", "JobName", "JobQueue"}, nil},
	"codebuild:startBuild":       {[]string{"ProjectName"}, nil},
	"ecs:runTask":                {[]string{"TaskDefinition"}, nil},
	"glue:startJobRun":           {[]string{"JobName"}, nil},
	"http:invoke":                {[]string{"ApiEndpoint", "Method"}, nil},
	"dynamodb:getItem": {
		[]string{"TableName", "Key"},
		[]string{"AttributesToGet", "ConsistentRead", "ReturnConsumedCapacity", "ProjectionExpression", "ExpressionAttributeNames"},
	},
	"dynamodb:putItem":    {[]string{"TableName", "Item"}, writing},
	"dynamodb:updateItem": {[]string{"TableName", "Key"}, append([]string{"AttributeUpdates", "UpdateExpression"}, writing...)},
	"dynamodb:deleteItem": {[]string{"TableName", "Key"}, writing},
	"events:putEvents":    {[]string{"Entries"}, []string{"EndpointId"}},
	"lambda:invoke": {
		[]string{"FunctionName"},
		[]string{"InvocationType", "LogType", "ClientContext", "DurableExecutionName", "Payload", "Qualifier", "TenantId"},
	},
	"sns:publish": {[]string{"Message"}, []string{
		"TopicArn", "TargetArn", "PhoneNumber", "Subject", "MessageStructure", "MessageAttributes", "MessageDeduplicationId", "MessageGroupId",
	}},
	"sqs:sendMessage": {[]string{"QueueUrl", "MessageBody"}, []string{
		"DelaySeconds", "MessageAttributes", "MessageSystemAttributes", "MessageDeduplicationId", "MessageGroupId",
	}},
	"states:startExecution":     {[]string{"StateMachineArn"}, []string{"Name", "Input", "TraceHeader"}},
	"states:startSyncExecution": {[]string{"StateMachineArn"}, []string{"Name", "Input", "TraceHeader", "IncludedData"}},
}

// writing lists the parameters that DynamoDB's write operations share.
var writing = []string{
	"Expected", "ReturnValues", "ReturnConsumedCapacity", "ReturnItemCollectionMetrics", "ConditionalOperator",
	"ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues", "ReturnValuesOnConditionCheckFailure",
}

// answersAtOnce lists the services whose tasks have no end that .sync could wait for.
var answersAtOnce = []string{"apigateway", "aws-sdk", "dynamodb", "events", "http", "lambda", "sns", "sqs"}

// resource checks the resource of a Task. A text with a template's placeholder is not
// checked, because its value is not known before deployment.
func (s *stateCheck) resource(text string) {
	at := s.at + "/Resource"
	if strings.Contains(text, "${") || s.express && !s.expressResource(text, at) {
		return
	}
	parts := strings.SplitN(text, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" || parts[2] == "" || parts[5] == "" {
		s.schema(at, "Value is not a valid resource ARN")
		return
	}
	service, action, known := integration(text)
	input, modeled := (*awsmodel.Structure)(nil), false
	if known && service == "aws-sdk" {
		input, modeled, known = sdkAction(text)
	}
	switch {
	case !known:
		s.schema(at, "The resource provided %s is not recognized. The value is not a valid resource ARN, or the resource is not available in this region.", text)
	case modeled:
		s.members(input)
	case service != "":
		if a, known := argumentsOf[service+":"+action]; known {
			s.arguments(a)
			if service == "http" {
				s.connection()
			}
		}
	}
}

// sdkAction looks up an action of a service, and the structure of its request; modeled is
// false for services of which only the name is known.
func sdkAction(arn string) (input *awsmodel.Structure, modeled, known bool) {
	rest, _ := Integration(arn)
	name, action, _ := strings.Cut(strings.TrimPrefix(rest, "aws-sdk:"), ":")
	action, _, _ = strings.Cut(action, ".")
	service, ok := awsmodel.Lookup(name)
	if !ok {
		return nil, false, awsmodel.Exists(name) && action != "" && unicode.IsLower(rune(action[0]))
	}
	operation, ok := service.Operation(action)
	if !ok {
		return nil, false, false
	}
	return operation.Input(), true, true
}

// members checks that the request of an action has members with such names, in PascalCase.
func (s *stateCheck) members(input *awsmodel.Structure) {
	field := "Parameters"
	if s.jsonata {
		field = "Arguments"
	}
	o := s.o.Object(field)
	for i := range o.Len() {
		name, _ := o.At(i)
		if !s.jsonata {
			name = strings.TrimSuffix(name, ".$")
		}
		first, _ := utf8.DecodeRuneInString(name)
		if input.Member(name) == nil || unicode.IsLower(first) {
			s.schema(s.at+"/"+field, "The field '%s' is not supported by Step Functions", name)
		}
	}
}

// integration parses the ARN of a resource that a Task can name: a function, an activity,
// or an action of a service. It only returns a name for the last.
func integration(arn string) (service, action string, known bool) {
	rest, ok := Integration(arn)
	if !ok {
		parts := strings.SplitN(arn, ":", 6)
		return "", "", parts[2] == "lambda" || parts[2] == "states" && strings.HasPrefix(parts[5], "activity:")
	}
	service, action, _ = strings.Cut(rest, ":")
	if service == "aws-sdk" {
		_, action, _ = strings.Cut(action, ":")
	}
	action, pattern, waits := strings.Cut(action, ".")
	switch pattern {
	case "sync", "sync:2":
		known = !slices.Contains(answersAtOnce, service)
	case "waitForTaskToken", "":
		known = waits == (pattern != "")
	}
	if service == "aws-sdk" {
		return service, action, known && action != ""
	}
	return service, action, known && slices.Contains(optimized[service], action)
}

// expressResource reports whether an Express Workflow may have the resource.
func (s *stateCheck) expressResource(text, at string) bool {
	switch {
	case strings.Contains(text, ":activity:"):
		s.schema(at, "Express state machine does not support Activity ARN")
	case strings.HasSuffix(text, ".sync"), strings.HasSuffix(text, ".sync:2"):
		s.schema(at, "Express state machine does not support '.sync' service integration")
	case strings.HasSuffix(text, ".waitForTaskToken"):
		s.schema(at, "Express state machine does not support '.waitForTaskToken' service integration ") // the service's message has this space
	default:
		return true
	}
	return false
}

// given returns the arguments of a task and their place, which is the state if it has none.
// They are not written in the definition if an expression yields them.
func (s *stateCheck) given() (o *jsonata.Object, at string, written bool) {
	field := "Parameters"
	if s.jsonata {
		field = "Arguments"
	}
	value, has := s.o.Get(field)
	if !has {
		return nil, s.at, true
	}
	o, written = value.(*jsonata.Object)
	return o, s.at + "/" + field, written
}

// connection checks that an HTTP task names the connection that authorizes it.
func (s *stateCheck) connection() {
	o, at, written := s.given()
	if !written {
		return
	}
	for _, part := range []string{"Authentication", "InvocationConfig"} {
		v, has := o.Get(part)
		inner, isObject := v.(*jsonata.Object)
		switch {
		case !s.jsonata && o.Has(part+".$"), has && !isObject && s.jsonata:
			return
		case has && (inner.Has("ConnectionArn") || !s.jsonata && inner.Has("ConnectionArn.$")):
			return
		case has:
			s.schema(at+"/"+part, "The field 'ConnectionArn' is required but was missing")
			return
		}
	}
	s.schema(at, "The field 'Authentication' is required but was missing")
}

// arguments checks that a task passes everything that its service requires, and only what
// it accepts, as far as the definition shows.
func (s *stateCheck) arguments(a arguments) {
	o, at, written := s.given()
	if !written {
		return
	}
	for _, name := range a.required {
		if !o.Has(name) && (s.jsonata || !o.Has(name+".$")) {
			s.schema(at, "The field '%s' is required but was missing", name)
		}
	}
	for i := range o.Len() {
		name, _ := o.At(i)
		if !s.jsonata {
			name = strings.TrimSuffix(name, ".$")
		}
		if a.optional != nil && !slices.Contains(a.required, name) && !slices.Contains(a.optional, name) {
			s.schema(at, "The field '%s' is not supported by Step Functions", name)
		}
	}
}
