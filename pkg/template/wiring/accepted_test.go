package wiring_test

import "testing"

const acceptedTemplate = `Transform: AWS::Serverless-2016-10-31
Resources:
  Web:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: provided.al2023
      Handler: webhook
      CodeUri: expressway/
      Layers: ["arn:aws:lambda:us-east-1:123456789012:layer:expressway:1"]
      Environment: {Variables: {LATER: !Ref Later, MACHINE: !Ref Machine, SENDER: secret}}
      Policies:
        - Statement:
            - {Effect: Allow, Action: "sqs:SendMessage", Resource: !GetAtt Later.Arn}
            - {Effect: Allow, Action: "s3:PutObject", Resource: !Sub "${Inputs.Arn}/*"}
      Events:
        All: {Type: HttpApi, Properties: {TimeoutInMillis: 30000}}
  Work:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: provided.al2023
      Handler: queue
      CodeUri: expressway/
      Timeout: 20
      Layers: ["arn:aws:lambda:us-east-1:123456789012:layer:expressway:1"]
      Environment: {Variables: {LATER: !Ref Later, MACHINE: !Ref Machine}}
      Policies:
        - Statement:
            - {Effect: Allow, Action: "states:StartSyncExecution", Resource: !Ref Machine}
      Events:
        Later: {Type: SQS, Properties: {Queue: !GetAtt Later.Arn, FunctionResponseTypes: [ReportBatchItemFailures]}}
  Later: {Type: AWS::SQS::Queue, Properties: {VisibilityTimeout: 120, RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}}}
  Dead: {Type: AWS::SQS::Queue}
  Inputs: {Type: AWS::S3::Bucket, Properties: {BucketName: inputs-of-ours, LifecycleConfiguration: {Rules: [{Status: Enabled, ExpirationInDays: 30}]}}}
  Machine:
    Type: AWS::Serverless::StateMachine
    Properties:
      Type: EXPRESS
      Logging: {Level: ALL, Destinations: [{CloudWatchLogsLogGroup: {LogGroupArn: !GetAtt Logs.Arn}}]}
      Definition: {StartAt: A, States: {A: {Type: Pass, End: true}}}
  Logs: {Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: 7}}
`

const acceptedRoutes = `version: 1
routes:
  - name: later
    http: POST /later
    verify: {hmac: {header: X-Signature}, secrets: ["env:SENDER"]}
    queue: ${LATER}
    start: ${MACHINE}
    offload: s3://inputs-of-ours/in
`

// TestAccepted ties an http route that accepts first to its queue, to the function that
// works on it, and to the bucket of large inputs.
func TestAccepted(t *testing.T) {
	t.Parallel()
	const tpl, cfg = "template.yaml", "expressway.yaml"
	testChanges(t, map[string]string{tpl: acceptedTemplate, cfg: acceptedRoutes}, []change{
		{name: "nothing"},
		{"no permission to send", tpl, `Action: "sqs:SendMessage"`, `Action: "sqs:GetQueueUrl"`, []string{"template.yaml:11 error permission-missing"}},
		{"no permission to put inputs", tpl, `Action: "s3:PutObject"`, `Action: "s3:GetObject"`, []string{"template.yaml:11 error permission-missing", "template.yaml:14 warning permission-excess"}},
		{"another bucket", cfg, `inputs-of-ours/in`, `inputs-of-theirs/in`, []string{"template.yaml:11 error permission-missing", "template.yaml:14 warning permission-excess"}},
		{"a key of its own", cfg, `s3://inputs-of-ours/in`, `{to: "s3://inputs-of-ours/in", kmsKey: alias/inputs}`, []string{"template.yaml:11 warning permission-missing"}},
		{"no lifecycle", tpl, `, LifecycleConfiguration: {Rules: [{Status: Enabled, ExpirationInDays: 30}]}`, ``, []string{"template.yaml:33 warning bucket-lifecycle"}},
		{"a lifecycle that is off", tpl, `Status: Enabled`, `Status: Disabled`, []string{"template.yaml:33 warning bucket-lifecycle"}},
		{"a lifecycle of other things", tpl, `ExpirationInDays: 30`, `AbortIncompleteMultipartUpload: {DaysAfterInitiation: 1}`, []string{"template.yaml:33 warning bucket-lifecycle"}},
		{"a lifecycle shorter than the queues'", tpl, `ExpirationInDays: 30`, `ExpirationInDays: 7`, []string{"template.yaml:33 warning bucket-lifecycle"}},
		{"a lifecycle that is not known", tpl, `ExpirationInDays: 30`, `ExpirationInDays: !ImportValue days`, []string{"template.yaml:33 note template"}},
		{"a bucket that CloudFormation names", tpl, `, Properties: {BucketName: inputs-of-ours, LifecycleConfiguration: {Rules: [{Status: Enabled, ExpirationInDays: 30}]}}`, ``, []string{"template.yaml:11 error permission-missing", "template.yaml:14 warning permission-excess"}},
		{"a retry, and no permission to set the visibility", cfg, `    offload:`, "    retry: {delay: 1s}\n    offload:", []string{"template.yaml:26 error permission-missing"}},
		{"a claim longer than the receives", cfg, `    offload:`, "    dedupe: {key: '{% $request.body.id %}', claim: 10m}\n    offload:", []string{"template.yaml:31 warning dedupe-claim"}},
		{"too short a visibility", tpl, `VisibilityTimeout: 120`, `VisibilityTimeout: 60`, []string{"template.yaml:31 warning visibility-timeout"}},
		{"no mapping", tpl, `      Events:
        Later: {Type: SQS, Properties: {Queue: !GetAtt Later.Arn, FunctionResponseTypes: [ReportBatchItemFailures]}}
`, ``, []string{"expressway.yaml:6 error queue-without-mapping"}},
		{"another queue", tpl, `Properties: {Queue: !GetAtt Later.Arn`, `Properties: {Queue: !GetAtt Dead.Arn`, []string{"expressway.yaml:6 error queue-without-mapping", "template.yaml:30 error mapping-without-route", "template.yaml:32 warning no-redrive-policy", "template.yaml:32 warning visibility-timeout"}},
		{"no permission to start", tpl, `            - {Effect: Allow, Action: "states:StartSyncExecution", Resource: !Ref Machine}`, `            - {Effect: Allow, Action: "states:DescribeExecution", Resource: !Ref Machine}`, []string{"template.yaml:26 error permission-missing", "template.yaml:28 warning permission-excess"}},
		{"no function that works", tpl, `Handler: queue`, `Handler: bootstrap`, []string{"expressway.yaml:6 error queue-without-mapping"}},
		{"a queue of another stack", tpl, `Variables: {LATER: !Ref Later, MACHINE: !Ref Machine, SENDER`, `Variables: {LATER: "https://sqs.us-east-1.amazonaws.com/123456789012/theirs", MACHINE: !Ref Machine, SENDER`, []string{
			"expressway.yaml:6 note queue-without-mapping", "template.yaml:11 error permission-missing", "template.yaml:13 warning permission-excess", "template.yaml:30 error mapping-without-route",
		}},
		{"no report of failures", tpl, `, FunctionResponseTypes: [ReportBatchItemFailures]`, ``, []string{"template.yaml:30 error report-batch-item-failures"}},
	})
}
