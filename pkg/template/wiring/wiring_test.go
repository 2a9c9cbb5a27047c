package wiring_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestFindings makes one change in a stack that is right, and expects one finding, or
// none where the change is right too.
func TestFindings(t *testing.T) {
	t.Parallel()
	const tpl, cfg = "template.yaml", "expressway.yaml"
	for _, tt := range []struct {
		name, file, old, new string
		// want are the file, the line, the severity and the rule of each finding.
		want []string
	}{
		{name: "nothing"},

		// Permissions.
		{
			"permission of an alias alone", tpl, `Action: "states:StartSyncExecution", Resource: !Ref Machine}
        - DynamoDB`, `Action: "states:StartSyncExecution", Resource: !Ref Machine.Alias}
        - DynamoDB`,
			[]string{"template.yaml:11 error permission-missing"},
		},
		{
			"permission of the machine and its versions", tpl, `Resource: !GetAtt Machine.Arn`, `Resource: [!GetAtt Machine.Arn, !Sub "${Machine}:*"]`, nil,
		},
		{
			"a policy template grants StartExecution only", tpl, `        - Statement:
            - {Effect: Allow, Action: ["states:StartSyncExecution"], Resource: !GetAtt Machine.Arn}`,
			`        - StepFunctionsExecutionPolicy: {StateMachineName: !GetAtt Machine.Name}`,
			[]string{"template.yaml:25 error permission-missing", "template.yaml:26 warning permission-excess"},
		},
		{"no dedupe table", tpl, `        - DynamoDBCrudPolicy: {TableName: !Ref Table}` + "\n", ``, []string{"template.yaml:11 error permission-missing", "template.yaml:11 error permission-missing", "template.yaml:11 error permission-missing"}},
		{"no secret", tpl, `{SecretArn: !Ref Secret}`, `{SecretArn: "arn:aws:secretsmanager:us-east-1:123456789012:secret:other-??????"}`, []string{"template.yaml:11 error permission-missing", "template.yaml:15 warning permission-excess"}},
		{"an imported policy", tpl, `        - DynamoDBCrudPolicy: {TableName: !Ref Table}`, `        - !ImportValue policy`, []string{"template.yaml:14 note template", "template.yaml:5 note permission-unknown"}},
		{"a managed policy of AWS", tpl, `        - DynamoDBCrudPolicy: {TableName: !Ref Table}`, `        - DynamoDBCrudPolicy: {TableName: !Ref Table}
        - AWSLambdaVPCAccessExecutionRole`, nil},
		{"denied", tpl, `            - {Effect: Allow, Action: ["states:StartSyncExecution"], Resource: !GetAtt Machine.Arn}`, `            - {Effect: Allow, Action: ["states:StartSyncExecution"], Resource: !GetAtt Machine.Arn}
            - {Effect: Deny, Action: "states:*", Resource: "*"}`, []string{"template.yaml:25 error permission-missing"}},
		{"every action", tpl, `Action: ["states:StartSyncExecution"]`, `Action: ["*"]`, []string{"template.yaml:27 warning permission-excess"}},
		{"every machine", tpl, `Resource: !GetAtt Machine.Arn`, `Resource: !Sub "arn:aws:states:${AWS::Region}:${AWS::AccountId}:stateMachine:*"`, []string{"template.yaml:27 warning permission-excess"}},
		{"another service", tpl, `Action: ["states:StartSyncExecution"], Resource: !GetAtt Machine.Arn}`, `Action: ["states:StartSyncExecution"], Resource: !GetAtt Machine.Arn}
            - {Effect: Allow, Action: ["kms:Decrypt", "ec2:CreateNetworkInterface"], Resource: "*"}`, nil},
		{"on-failure destination", tpl, `            - {Effect: Allow, Action: "states:StartSyncExecution", Resource: !Ref Machine}
      EventInvoke`, `            - {Effect: Allow, Action: "states:StartSyncExecution", Resource: !Ref Machine}
            - {Effect: Allow, Action: "sqs:SendMessage", Resource: !GetAtt Dead.Arn}
      EventInvoke`, nil},

		// Keys.
		{"a queue under a key", tpl, `{VisibilityTimeout: 120,`, `{KmsMasterKeyId: "arn:aws:kms:us-east-1:123456789012:key/1234", VisibilityTimeout: 120,`, []string{"template.yaml:25 warning permission-missing"}},
		{"a queue under a key of the template", tpl, `{VisibilityTimeout: 120,`, `{KmsMasterKeyId: !Ref Key, VisibilityTimeout: 120,`, []string{"template.yaml:25 error permission-missing"}},
		{"a queue under an alias of the template", tpl, `{VisibilityTimeout: 120,`, `{KmsMasterKeyId: !Ref Alias, VisibilityTimeout: 120,`, []string{"template.yaml:25 error permission-missing"}},
		{"a queue under an alias of the account", tpl, `{VisibilityTimeout: 120,`, `{KmsMasterKeyId: alias/ours, VisibilityTimeout: 120,`, []string{"template.yaml:25 warning permission-missing"}},
		{"a queue under AWS's key", tpl, `{VisibilityTimeout: 120,`, `{KmsMasterKeyId: alias/aws/sqs, VisibilityTimeout: 120,`, nil},
		{"a queue under an imported key", tpl, `{VisibilityTimeout: 120,`, `{KmsMasterKeyId: !ImportValue key, VisibilityTimeout: 120,`, []string{"template.yaml:51 note template"}},
		{"a table under a key", tpl, `Type: AWS::Serverless::SimpleTable}`, `Type: AWS::Serverless::SimpleTable, Properties: {SSESpecification: {SSEEnabled: true, KMSMasterKeyId: !GetAtt Key.Arn}}}`, []string{"template.yaml:11 error permission-missing"}},
		{"a secret under a key", tpl, `{Name: partners/token}`, `{Name: partners/token, KmsKeyId: !Ref Key}`, []string{"template.yaml:11 error permission-missing"}},
		{"a secret under a key that may be used", tpl, `Secret: {Type: AWS::SecretsManager::Secret, Properties: {Name: partners/token}}`, `Secret: {Type: AWS::SecretsManager::Secret, Properties: {Name: partners/token, KmsKeyId: !Ref Key}}
  Use: {Type: AWS::IAM::Policy, Properties: {Roles: [!Ref WebRole], PolicyDocument: {Statement: [{Effect: Allow, Action: "kms:*", Resource: !GetAtt Key.Arn}]}}}`, nil},
		{"a bucket under a key", cfg, "sqs: ${JOBS}\n", "sqs: ${JOBS}\n    offload: s3://inputs-of-jobs/in\n", []string{"template.yaml:25 error permission-missing", "template.yaml:25 error permission-missing", "template.yaml:64 warning bucket-lifecycle"}},

		// Doors.
		{"no GET for the handshake", tpl, `Path: "/meta", Method: ANY`, `Path: "/meta", Method: POST`, []string{"expressway.yaml:4 error door-missing"}},
		{"no such path", cfg, `POST /partners/{partner}`, `POST /partner/{partner}`, []string{"expressway.yaml:9 error door-missing"}},
		{"greedy path", tpl, `"/partners/{partner}"`, `"/{proxy+}"`, nil},
		{"another method", tpl, `Method: post`, `Method: get`, []string{"expressway.yaml:9 error door-missing"}},
		{"any path of an HTTP API", tpl, `Properties: {Path: "/meta", Method: ANY}`, `Properties: {TimeoutInMillis: 30000}`, nil},
		{"a function URL", tpl, `        Meta: {Type: HttpApi, Properties: {Path: "/meta", Method: ANY}}
        Rest: {Type: Api, Properties: {Path: "/partners/{partner}", Method: post}}`, `        Daily: {Type: Schedule, Properties: {Schedule: rate(1 day)}}
      FunctionUrlConfig: {AuthType: NONE}`, nil},
		{"base path", cfg, `version: 1`, `version: 1
basePaths: [/prod]`, nil},
		{"longer than the REST API", tpl, `Timeout: 20`, `Timeout: 30`, []string{"template.yaml:9 warning timeout-order"}},
		{"route longer than the API", cfg, `timeout: 15s`, `timeout: 1m`, []string{"expressway.yaml:11 warning timeout-order", "expressway.yaml:11 warning timeout-order", "expressway.yaml:11 warning timeout-order"}},

		// Queues.
		{"a URL for the queue", tpl, `JOBS: !GetAtt Jobs.Arn`, `JOBS: !Ref Jobs`, nil},
		{"wildcards", cfg, `sqs: ${JOBS}`, `sqs: "*Jobs*"`, nil},
		{"the logical id", cfg, `sqs: ${JOBS}`, `sqs: Jobs`, []string{"expressway.yaml:14 error generated-name"}},
		{"claim longer than the queue waits", cfg, `claim: 10m`, `claim: 11m`, []string{"template.yaml:51 warning dedupe-claim"}},
		{"visibility below the timeout", tpl, `VisibilityTimeout: 120`, `VisibilityTimeout: 9`, []string{"template.yaml:51 error visibility-timeout", "template.yaml:51 warning dedupe-claim"}},
		{"a mapping that is off", tpl, `Queue: !GetAtt Jobs.Arn, FunctionResponseTypes: [ReportBatchItemFailures]`, `Queue: !GetAtt Jobs.Arn, Enabled: false`, nil},
		{"a pipe that forgets", tpl, `REQUEST_RESPONSE`, `FIRE_AND_FORGET`, []string{"template.yaml:48 error pipe-invocation"}},
		{"a pipe to the wrong function", tpl, `Target: !GetAtt Work.Arn`, `Target: !GetAtt Web.Arn`, []string{"template.yaml:46 error pipe-invocation"}},

		// Events.
		{"another prefix", tpl, `{prefix: "parcels."}`, `{prefix: "letters."}`, []string{"expressway.yaml:18 warning event-without-rule", "template.yaml:41 error rule-without-route"}},
		{"anything-but", tpl, `{prefix: "parcels."}`, `{anything-but: letters}`, nil},
		{"another detail-type", tpl, `detail-type: [Lost]`, `detail-type: [Stolen]`, []string{"expressway.yaml:18 warning event-without-rule", "template.yaml:41 error rule-without-route"}},
		{"a wildcard", tpl, `detail-type: [Lost]`, `detail-type: [{wildcard: "F*again"}]`, nil},
		{"no destination", tpl, `      EventInvokeConfig: {DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Dead.Arn}}}` + "\n", ``, []string{"expressway.yaml:20 error dedupe-claim"}},

		// Machines.
		{"logging off", tpl, `Level: ALL`, `Level: "OFF"`, []string{"template.yaml:61 warning express-logging"}},
		{"logging by a parameter", tpl, `Level: ALL`, `Level: !ImportValue level`, []string{"template.yaml:61 note template"}},
		{"no type is STANDARD", tpl, `      Type: EXPRESS` + "\n", ``, []string{"expressway.yaml:12 error standard-synchronous", "expressway.yaml:15 error standard-synchronous", "expressway.yaml:19 error standard-synchronous", "expressway.yaml:6 error standard-synchronous"}},
		{"the logical id of a machine", cfg, "sqs: ${JOBS}\n    start: ${MACHINE}", "sqs: ${JOBS}\n    start: Machine", []string{"expressway.yaml:15 error generated-name"}},
		{"an imported machine", tpl, `Variables: {MACHINE: !Ref Machine, JOBS`, `Variables: {MACHINE: !ImportValue machine, JOBS`, []string{"expressway.yaml:15 note machine-unknown", "template.yaml:24 note template"}},

		// Environment and functions.
		{"a default", cfg, "sqs: ${JOBS}\n    start: ${MACHINE}", "sqs: ${JOBS}\n    start: ${OTHER:-Machine}", []string{"expressway.yaml:15 error generated-name"}},
		{"an empty variable", tpl, `META: secret`, `META: ""`, []string{"expressway.yaml:5 error variable-missing", "expressway.yaml:5 error variable-missing"}},
		{"no queue function", tpl, `Handler: queue`, `Handler: bootstrap`, []string{"expressway.yaml:14 error source-without-function"}},
		{"a dangling reference", tpl, `META: secret`, `META: !Ref Nothing`, []string{"template.yaml:10 error template"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for _, file := range []string{tpl, cfg} {
				source, err := os.ReadFile(filepath.Join("testdata", file))
				if err != nil {
					t.Fatal(err)
				}
				if file == tt.file {
					if strings.Count(string(source), tt.old) != 1 {
						t.Fatalf("%q is in %s %d times", tt.old, file, strings.Count(string(source), tt.old))
					}
					source = []byte(strings.Replace(string(source), tt.old, tt.new, 1))
				}
				if err := os.WriteFile(filepath.Join(dir, file), source, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var got []string
			for _, f := range check(t, dir, tpl, cfg) {
				t.Logf("%s", strings.ReplaceAll(f.String(), dir+"/", ""))
				place, _, _ := strings.Cut(strings.TrimPrefix(f.Pos.String(), dir+"/"), ":")
				got = append(got, place+":"+strings.Split(f.Pos.String(), ":")[1]+" "+string(f.Severity)+" "+f.Rule)
			}
			slices.Sort(got)
			slices.Sort(tt.want)
			if strings.Join(got, "\n") != strings.Join(tt.want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

// TestWithoutTransform reads the same of resources that SAM would make.
func TestWithoutTransform(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, old, new string
		want           []string
	}{
		{name: "nothing"},
		{"another role", `Resource: [!GetAtt Machine.Arn]`, `Resource: ["arn:aws:states:us-east-1:123456789012:stateMachine:other"]`, []string{"permission-excess", "permission-missing"}},
		{"the policy is not attached", `Roles: [!Ref WebRole]`, `Roles: [!Ref Role]`, []string{"permission-missing", "permission-excess"}},
		{"no permission to poll", `ManagedPolicyArns: [!Sub "arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole"]`, `ManagedPolicyArns: []`, []string{"permission-missing", "permission-missing", "permission-missing"}},
		{"a role of another stack", `Role: !GetAtt WebRole.Arn`, `Role: !ImportValue role`, []string{"permission-unknown", "template"}},
		{"no partial answers", `FunctionName: !Ref WorkAlias, FunctionResponseTypes: [ReportBatchItemFailures]`, `FunctionName: !Ref WorkAlias`, []string{"report-batch-item-failures"}},
		{"another path", `POST /partners/{partner}`, `POST /others/{partner}`, []string{"door-missing"}},
		{"any path", `RouteKey: "POST /partners/{partner}"`, `RouteKey: $default`, nil},
		{"another source", `source: [parcels.lost]`, `source: [letters]`, []string{"event-without-rule", "rule-without-route"}},
		{"another queue", `QueueName: jobs`, `QueueName: orders`, []string{"queue-without-mapping", "mapping-without-route"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for _, name := range []string{"plain.yaml", "plain-routes.yaml"} {
				source, err := os.ReadFile(filepath.Join("testdata", name))
				if err != nil {
					t.Fatal(err)
				}
				text := string(source)
				if tt.old != "" && name == "plain.yaml" {
					if strings.Count(text, tt.old) != 1 {
						t.Fatalf("%q occurs %d times", tt.old, strings.Count(text, tt.old))
					}
					text = strings.Replace(text, tt.old, tt.new, 1)
				}
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var got []string
			for _, f := range check(t, dir, "plain.yaml", "plain-routes.yaml") {
				t.Logf("%s", strings.ReplaceAll(f.String(), dir+"/", ""))
				if !strings.Contains(f.Message, "the import of machine-role ") { // in the right one too
					got = append(got, f.Rule)
				}
			}
			slices.Sort(got)
			slices.Sort(tt.want)
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %v, not %v", got, tt.want)
			}
		})
	}
}
