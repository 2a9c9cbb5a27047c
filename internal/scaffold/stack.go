package scaffold

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/expressway-dev/expressway/internal/samples"
	"github.com/expressway-dev/expressway/internal/sources"
)

// newStack writes a new template, with a first state machine.
func (p *plan) newStack(c *Changes, resources string) {
	w := &writer{}
	w.f("AWSTemplateFormatVersion: \"2010-09-09\"")
	w.f("Transform: AWS::Serverless-2016-10-31")
	w.f("Description: Webhooks, queues and events run Step Functions Express Workflows.")
	parameters := p.parameters() + p.operationParameters()
	if parameters != "" {
		w.f("\nParameters:\n%s", indent(parameters))
	}
	if conditions := p.conditions(); conditions != "" {
		w.f("\nConditions:\n%s", indent(conditions))
	}
	w.f("\nResources:\n%s", indent(resources+machineResources))
	outputs := &writer{}
	switch {
	case !p.from(sources.HTTP):
	case p.Door == "http-api":
		outputs.f("WebhookUrl:")
		outputs.f("  Description: The base URL for webhooks; append a route's path.")
		outputs.f("  Value: !Sub \"https://${%s}.execute-api.${AWS::Region}.${AWS::URLSuffix}\"", idAPI)
	case p.Door == "rest":
		outputs.f("WebhookUrl:")
		outputs.f("  Description: The base URL for webhooks; append a route's path.")
		outputs.f("  Value: !Sub \"https://${%s}.execute-api.${AWS::Region}.${AWS::URLSuffix}/live\"", idAPI)
	case p.Door == "function-url":
		outputs.f("WebhookUrl:")
		outputs.f("  Description: The base URL for webhooks; append a route's path.")
		outputs.f("  Value: !GetAtt %sUrl.FunctionUrl", idWebhook)
	}
	if p.from(sources.SQS) {
		outputs.f("QueueUrl:")
		outputs.f("  Value: !Ref %s", idJobs)
	}
	if s := outputs.b.String(); s != "" {
		w.f("\nOutputs:\n%s", indent(s))
	}
	c.file("template.yaml", strings.TrimRight(w.b.String(), "\n")+"\n")
	c.file("samconfig.toml", fmt.Sprintf(samconfig, stackName(p.Dir)))
	c.file("statemachines/deliveries.asl.json", sampleMachine)
}

// indent puts a block below a section's key.
func indent(block string) string {
	lines := strings.Split(strings.TrimRight(block, "\n"), "\n")
	for i, line := range lines {
		if line != "" {
			lines[i] = "  " + line
		}
	}
	return strings.Join(lines, "\n")
}

var notOfStacks = regexp.MustCompile(`[^A-Za-z0-9]+`)

// stackName returns the folder's name in the form of a stack name.
func stackName(dir string) string {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		absolute = dir
	}
	name := strings.Trim(notOfStacks.ReplaceAllString(filepath.Base(absolute), "-"), "-")
	if name == "" || !(name[0] >= 'a' && name[0] <= 'z' || name[0] >= 'A' && name[0] <= 'Z') {
		name = "expressway-" + name
	}
	return strings.Trim(name[:min(len(name), 100)], "-")
}

const machineResources = idRole + `:
  Type: AWS::IAM::Role
  Properties:
    AssumeRolePolicyDocument:
      Version: "2012-10-17"
      Statement: [{Effect: Allow, Principal: {Service: states.amazonaws.com}, Action: "sts:AssumeRole"}]
    Policies:
      - PolicyName: logs-and-traces
        PolicyDocument:
          Version: "2012-10-17"
          Statement:
            - Effect: Allow
              Action: ["logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies", "logs:DescribeLogGroups"]
              Resource: "*"
            - Effect: Allow
              Action: ["xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets"]
              Resource: "*"
` + idLogs + `:
  Type: AWS::Logs::LogGroup
  Metadata: {checkov: {skip: [{id: CKV_AWS_158, comment: "It contains no payload, and CloudWatch Logs encrypts it."}]}}
  DeletionPolicy: Delete
  UpdateReplacePolicy: Delete
  Properties:
    LogGroupName: !Sub "/aws/vendedlogs/states/${AWS::StackName}"
    RetentionInDays: 30
` + idMachine + `:
  Type: AWS::Serverless::StateMachine
  Properties:
    Type: EXPRESS
    Role: !GetAtt ` + idRole + `.Arn
    DefinitionUri: statemachines/deliveries.asl.json
    Tracing: {Enabled: true}
    Logging:
      Level: ERROR
      IncludeExecutionData: false
      Destinations:
        - CloudWatchLogsLogGroup: {LogGroupArn: !GetAtt ` + idLogs + `.Arn}
`

const samconfig = `version = 0.1

[default.global.parameters]
stack_name = %q

[default.validate.parameters]
lint = true

[default.deploy.parameters]
capabilities = "CAPABILITY_IAM"
confirm_changeset = true
resolve_s3 = true
`

const sampleMachine = `{
  "Comment": "What a delivery starts. Replace it with your own.",
  "QueryLanguage": "JSONata",
  "StartAt": "Take the delivery",
  "TimeoutSeconds": 20,
  "States": {
    "Take the delivery": {
      "Type": "Pass",
      "Output": {"received": true},
      "End": true
    }
  }
}
`

// envFile returns env.json with the secrets for a laptop; the template sets the other
// variables.
func (p *plan) envFile() string {
	type member struct{ name, value string }
	var members []member
	for _, v := range p.variables() {
		members = append(members, member{v.name, v.local})
		if v.secret && p.IaC == "sam" && p.operated() {
			members = append(members, member{referenceName(v.name), "env:" + v.name})
		}
	}
	if p.machine == "" {
		members = append(members, member{p.variable, "arn:aws:states:us-east-1:123456789012:stateMachine:NAME"})
	}
	if p.IaC != "sam" { // no template sets the variables
		if p.machine != "" {
			members = append(members, member{p.variable, "arn:aws:states:us-east-1:123456789012:stateMachine:" + p.machine})
		}
		if p.from(sources.SQS) {
			members = append(members,
				member{p.names.queueVar, "arn:aws:sqs:us-east-1:123456789012:" + p.queueID()},
				member{p.names.deadVar, "https://sqs.us-east-1.amazonaws.com/123456789012/" + p.queueID() + "-dead"})
		}
		if p.Accept {
			members = append(members,
				member{p.acceptedVar(), "arn:aws:sqs:us-east-1:123456789012:" + idAccepted},
				member{acceptedDeadVar, "https://sqs.us-east-1.amazonaws.com/123456789012/" + idAcceptedDead})
		}
		if p.Offload {
			members = append(members, member{inputsVar, "large-inputs"})
		}
	}
	w := &writer{}
	w.f("{")
	for i, k := range p.kinds() {
		comma := ","
		if i == len(p.kinds())-1 {
			comma = ""
		}
		own := members
		if k.id != idWebhook && p.IaC == "sam" {
			own = nil
			if p.machine == "" {
				own = members[len(members)-1:]
			}
		}
		texts := make([]string, len(own))
		for j, m := range own {
			texts[j] = fmt.Sprintf("%s: %s", quote(m.name), quote(m.value))
		}
		w.f("  %s: {%s}%s", quote(k.id), strings.Join(texts, ", "), comma)
	}
	w.f("}")
	return w.b.String()
}

func quote(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		return `""`
	}
	return string(text)
}

// sampleFile returns the path of a provider's sample.
func sampleFile(provider string) string {
	s, _ := samples.Of(provider)
	extension := ".json"
	switch {
	case strings.HasSuffix(s.ContentType, "xml"):
		extension = ".xml"
	case strings.HasSuffix(s.ContentType, "form-urlencoded"):
		extension = ".form"
	}
	return "events/bodies/" + provider + extension
}

// samples writes the bodies to sign, and the events to invoke the functions with.
func (p *plan) samples(c *Changes) {
	for _, h := range p.hooks {
		s, _ := samples.Of(h.provider)
		c.file(sampleFile(h.provider), cmp.Or(s.Body, "{\"id\": \"sample-1\", \"type\": \"sample\"}")+"\n")
	}
	if p.from(sources.SQS) {
		name := p.queueID()
		if p.queue != nil {
			name = p.queue.Name().Or(p.queue.ID)
		}
		attributes := `"ApproximateReceiveCount": "1", "SentTimestamp": "1767225600000", "SenderId": "AIDAEXAMPLE", "ApproximateFirstReceiveTimestamp": "1767225600001"`
		if p.fifo {
			attributes += `, "MessageGroupId": "sample", "MessageDeduplicationId": "sample-1", "SequenceNumber": "18849496460467696128"`
		}
		c.file("events/queue-deliveries.json", fmt.Sprintf(`{
  "Records": [
    {
      "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
      "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
      "body": "{\"id\": \"sample-1\"}",
      "attributes": {%s},
      "messageAttributes": {},
      "eventSource": "aws:sqs",
      "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:%s",
      "awsRegion": "us-east-1"
    }
  ]
}
`, attributes, name))
	}
	if p.from(sources.EventBridge) {
		c.file("events/event-sample.json", fmt.Sprintf(`{
  "version": "0",
  "id": "17793124-05d4-b198-2fde-7ededc63b103",
  "detail-type": %s,
  "source": %s,
  "account": "123456789012",
  "time": "2026-01-01T00:00:00Z",
  "region": "us-east-1",
  "resources": [],
  "detail": {"id": "sample-1"}
}
`, quote(strings.ReplaceAll(p.detailType, "*", "Sample")), quote(strings.ReplaceAll(p.source, "*", "sample"))))
	}
}
