package asl_test

import (
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/asl"
)

// Services, actions and members of aws-sdk integrations are checked when the machine is
// created; for a service without a table, only the name is checked.
func TestSDKIntegrationsAreJudged(t *testing.T) {
	t.Parallel()
	const unknown, member = "is not recognized. The value is not a valid resource ARN, or the resource is not available in this region. at /States/T/Resource", " is not supported by Step Functions at /States/T/"
	for _, tt := range []struct{ resource, fields, want string }{
		{"dynamodb:getItem", `"Parameters":{"TableName":"t","Key.$":"$.k"}`, ""},
		{"dynamodb:getItem.waitForTaskToken", `"Parameters":{"TableName":"t"}`, ""},
		{"s3:getObject", `"QueryLanguage":"JSONata","Arguments":{"Bucket":"{% 'b' %}","Key":"k"}`, ""},
		{"s3:getObject", `"QueryLanguage":"JSONata","Arguments":"{% $states.input %}"`, ""},
		{"sts:getCallerIdentity", `"Parameters":{}`, ""},
		// Missing and nested members are checked when the task runs.
		{"dynamodb:getItem", `"Parameters":{}`, ""},
		{"ecs:runTask", `"Parameters":{"TaskDefinition":"t","NetworkConfiguration":{"awsvpcConfiguration":{"Nets":[]}}}`, ""},
		{"ec2:describeInstances", `"Parameters":{"Anything":1}`, ""},
		{"lexmodelbuilding:getBot", `"Parameters":{}`, ""}, // the id ends in "service"
		{"unheardof:getItem", `"Parameters":{}`, unknown},
		{"DynamoDB:getItem", `"Parameters":{}`, unknown},
		{"events:putEvents", `"Parameters":{}`, unknown},
		{"dynamodb:getItems", `"Parameters":{}`, unknown},
		{"dynamodb:GetItem", `"Parameters":{}`, unknown},
		{"ec2:DescribeInstances", `"Parameters":{}`, unknown},
		{"dynamodb:getItem", `"Parameters":{"Table":"t"}`, "The field 'Table'" + member + "Parameters"},
		{"dynamodb:getItem", `"Parameters":{"tableName":"t"}`, "The field 'tableName'" + member + "Parameters"},
		{"dynamodb:getItem", `"Parameters":{"Table.$":"$.t"}`, "The field 'Table'" + member + "Parameters"},
		{"dynamodb:getItem", `"QueryLanguage":"JSONata","Arguments":{"Table":"t"}`, "The field 'Table'" + member + "Arguments"},
		{"sts:getCallerIdentity", `"Parameters":{"X":1}`, "The field 'X'" + member + "Parameters"},
	} {
		for _, prefix := range []string{"arn:aws:states:::", "arn:aws:states:us-east-1:123456789012:"} {
			_, err := asl.Parse([]byte(`{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"` + prefix + `aws-sdk:` + tt.resource + `",` + tt.fields + `,"End":true}}}`))
			switch {
			case tt.want == "" && err != nil, tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("%s %s: %v, want %q", tt.resource, tt.fields, err, tt.want)
			}
		}
	}
}
