package asl

import (
	"slices"
	"strings"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// optimized are the actions of the services that Step Functions integrates in an
// optimised way ([Integrating services]).
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
		"createCluster", "createCluster.sync", "setClusterTerminationProtection", "terminateCluster", "addStep", "cancelStep",
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

// argumentsOf are the arguments that a task cannot do without.
var argumentsOf = map[string][]string{
	"dynamodb:getItem":          {"TableName", "Key"},
	"dynamodb:putItem":          {"TableName", "Item"},
	"dynamodb:updateItem":       {"TableName", "Key"},
	"dynamodb:deleteItem":       {"TableName", "Key"},
	"events:putEvents":          {"Entries"},
	"lambda:invoke":             {"FunctionName"},
	"sns:publish":               {"Message"},
	"sqs:sendMessage":           {"QueueUrl", "MessageBody"},
	"states:startExecution":     {"StateMachineArn"},
	"states:startSyncExecution": {"StateMachineArn"},
}

// resource checks what a Task names. Text with a placeholder of a template in it is
// left alone: nothing is known of it before the deployment.
func (s *stateCheck) resource(text string) {
	at := s.at + "/Resource"
	if strings.Contains(text, "${") {
		return
	}
	if s.express {
		s.expressResource(text, at)
	}
	parts := strings.SplitN(text, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" || parts[2] == "" || parts[5] == "" {
		s.schema(at, "Value is not a valid resource ARN")
		return
	}
	_, integration, ok := strings.Cut(text, ":states:::")
	if !ok {
		return
	}
	service, action, _ := strings.Cut(integration, ":")
	if service == "aws-sdk" {
		_, action, _ = strings.Cut(action, ":")
		if action != "" {
			return
		}
	}
	name, _, _ := strings.Cut(action, ".")
	if !slices.Contains(optimized[service], name) {
		s.schema(at, "The resource provided %s is not recognized. The value is not a valid resource ARN, or the resource is not available in this region.", text)
		return
	}
	s.arguments(argumentsOf[service+":"+name])
}

func (s *stateCheck) expressResource(text, at string) {
	switch {
	case strings.Contains(text, ":activity:"):
		s.schema(at, "Express state machine does not support Activity ARN")
	case strings.HasSuffix(text, ".sync"), strings.HasSuffix(text, ".sync:2"):
		s.schema(at, "Express state machine does not support '.sync' service integration")
	case strings.HasSuffix(text, ".waitForTaskToken"):
		s.schema(at, "Express state machine does not support '.waitForTaskToken' service integration ") // the space is the service's
	}
}

// arguments checks that a task gets what its service needs, as far as the definition
// says what it gets.
func (s *stateCheck) arguments(names []string) {
	field := "Parameters"
	if s.jsonata {
		field = "Arguments"
	}
	value, has := s.o.Get(field)
	o, ok := value.(*jsonata.Object)
	if has && !ok {
		return // an expression makes them
	}
	if !has {
		o = &jsonata.Object{}
	}
	for _, name := range names {
		if !hasKey(o, name) && (s.jsonata || !hasKey(o, name+".$")) {
			at := s.at + "/" + field
			if !has {
				at = s.at
			}
			s.schema(at, "The field '%s' is required but was missing", name)
		}
	}
}
