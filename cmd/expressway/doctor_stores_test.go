package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/internal/awsenv"
	"github.com/expressway-dev/expressway/internal/awsjson"
	"github.com/expressway-dev/expressway/internal/mototest"
)

// storesStack has one function of each kind, and the names of what they use in variables.
const storesStack = `{"Resources": {
	"Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}}},
	"Accepted": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "accepted", "VisibilityTimeout": 360, "RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}, "maxReceiveCount": 5}}},
	"Dead": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "dead"}},
	"Webhook": {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": "webhook", "Runtime": "provided.al2023", "Handler": "webhook", "Timeout": 29, "Role": {"Fn::GetAtt": ["Role", "Arn"]},
		"Code": {"ZipFile": "x"}, "Environment": {"Variables": {"EXPRESSWAY_DEDUPE_TABLE": "DEDUPE", "TOKEN": "development-only-token"}}}},
	"Events": {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": "events", "Runtime": "provided.al2023", "Handler": "event", "Timeout": 60, "Role": {"Fn::GetAtt": ["Role", "Arn"]},
		"Code": {"ZipFile": "x"}, "Environment": {"Variables": {"EXPRESSWAY_METRICS": "on"}}}},
	"Queue": {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": "queue", "Runtime": "provided.al2023", "Handler": "queue", "Timeout": 60, "Role": {"Fn::GetAtt": ["Role", "Arn"]},
		"Code": {"ZipFile": "x"}, "Environment": {"Variables": {"EXPRESSWAY_METRICS": "on"}}}}
	MAPPING
}}`

const acceptedMapping = `, "Mapping": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {"FunctionName": {"Ref": "Queue"}, "EventSourceArn": {"Fn::GetAtt": ["Accepted", "Arn"]}, "FunctionResponseTypes": ["ReportBatchItemFailures"]}}`

const storesRoutes = `version: 1
routes:
  - name: taken
    http: POST /taken
    verify: {token: {header: X-Api-Key}, secrets: ["env:TOKEN"]}
    start: m
    queue: https://sqs.us-east-1.amazonaws.com/123456789012/accepted
    deadLetterQueue: https://sqs.us-east-1.amazonaws.com/123456789012/dead
    offload: s3://BUCKET/large
  - name: payout
    http: POST /payout
    verify: {token: {header: X-Api-Key}, secrets: ["env:TOKEN"]}
    resume:
      lookup: {table: WAITS, key: "{% $request.body.id %}"}
      output: "{% $request.body %}"
`

// A stored is moto with the tables, buckets and destinations that a test wants.
type stored struct {
	t      *testing.T
	server *mototest.Server
	lambda *lambda.Client
	dynamo *awsjson.Client
}

func (s stored) table(name, key, kind string, ttl string) {
	s.t.Helper()
	in := map[string]any{
		"TableName": name, "BillingMode": "PAY_PER_REQUEST", "AttributeDefinitions": []any{map[string]string{"AttributeName": key, "AttributeType": kind}},
		"KeySchema": []any{map[string]string{"AttributeName": key, "KeyType": "HASH"}},
	}
	var refused *awsjson.Error // on a busy machine, of a second attempt
	if err := s.dynamo.Call(s.t.Context(), "CreateTable", in, &struct{}{}); err != nil && !(errors.As(err, &refused) && refused.Code == "ResourceInUseException") {
		s.t.Fatal(err)
	}
	if ttl == "" {
		return
	}
	in = map[string]any{"TableName": name, "TimeToLiveSpecification": map[string]any{"Enabled": true, "AttributeName": ttl}}
	if err := s.dynamo.Call(s.t.Context(), "UpdateTimeToLive", in, &struct{}{}); err != nil {
		s.t.Fatal(err)
	}
}

// bucket makes a bucket; documents are its configurations.
func (s stored) bucket(name string, documents map[string]string) {
	s.t.Helper()
	put := func(query, body string) {
		req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPut, s.server.URL+"/"+name+query, strings.NewReader(body))
		if err != nil {
			s.t.Fatal(err)
		}
		req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=testing/20261130/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=x")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			s.t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			s.t.Fatalf("PUT %s%s: got %s, want 200", name, query, resp.Status)
		}
	}
	put("", "")
	for what, body := range documents {
		put("?"+what, body)
	}
}

const (
	encrypted = `<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>`
	expires   = `<LifecycleConfiguration><Rule><ID>a</ID><Prefix></Prefix><Status>Enabled</Status><Expiration><Days>DAYS</Days></Expiration></Rule></LifecycleConfiguration>`
)

// What routes keep their state in is held against how they use it: tables, buckets, queues of
// accepted webhooks, and where failed events go.
func TestDoctorStores(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		mapping  string
		make     func(s stored)
		refuse   string // an operation that is denied
		findings []string
		says     string
	}{
		"everything in order": {
			acceptedMapping, func(s stored) {
				s.table("DEDUPE", "id", "S", "expiration")
				s.table("WAITS", "id", "S", "expiration")
				s.bucket("large-inputs", map[string]string{"encryption": encrypted, "lifecycle": strings.Replace(expires, "DAYS", "30", 1)})
				s.destination("dead")
			}, "", nil, "",
		},
		"nothing there": {
			"", func(stored) {}, "", []string{
				"error dedupe-table Webhook.EXPRESSWAY_DEDUPE_TABLE", "error lookup-table route payout", "error offload-bucket route taken",
				"error queue-without-mapping route taken", "warning event-destination Events",
			}, "the table WAITS (what workflows wait for) does not exist",
		},
		"everything otherwise": {
			acceptedMapping, func(s stored) {
				s.table("DEDUPE", "id", "N", "")
				s.table("WAITS", "order", "S", "")
				s.bucket("large-inputs", map[string]string{"lifecycle": strings.Replace(expires, "DAYS", "3", 1)})
				s.destination("nowhere")
			}, "", []string{
				"error dedupe-table Webhook.EXPRESSWAY_DEDUPE_TABLE", "error event-destination Events", "error lookup-table route payout",
				"warning dedupe-table Webhook.EXPRESSWAY_DEDUPE_TABLE", "warning lookup-table route payout", "warning offload-bucket route taken",
			}, "removes objects after 3 days",
		},
		"a lifecycle that is off, and another time to live": {
			acceptedMapping, func(s stored) {
				s.table("DEDUPE", "id", "S", "expires")
				s.table("WAITS", "id", "S", "gone")
				s.bucket("large-inputs", map[string]string{"encryption": encrypted})
				s.destination("dead")
			}, "", []string{"warning dedupe-table Webhook.EXPRESSWAY_DEDUPE_TABLE", "warning offload-bucket route taken"}, "by the attribute expires",
		},
		"a permission missing": {
			acceptedMapping, func(s stored) {
				s.table("DEDUPE", "id", "N", "expiration")
				s.table("WAITS", "id", "S", "expiration")
				s.bucket("large-inputs", map[string]string{"encryption": encrypted, "lifecycle": strings.Replace(expires, "DAYS", "30", 1)})
				s.destination("dead")
			}, "DescribeTimeToLive",
			// The key is checked without the time to live.
			[]string{"error dedupe-table Webhook.EXPRESSWAY_DEDUPE_TABLE", "warning not-read Webhook.EXPRESSWAY_DEDUPE_TABLE", "warning not-read route payout"},
			"dynamodb:DescribeTimeToLive: a permission is missing",
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := mototest.Start(t)
			s := stored{t: t, server: server}
			for service, client := range map[string]func(aws.Config){
				"LAMBDA": func(cfg aws.Config) { s.lambda = lambda.NewFromConfig(cfg) },
				"CLOUDFORMATION": func(cfg aws.Config) {
					body := strings.Replace(storesStack, "MAPPING", test.mapping, 1)
					if _, err := cloudformation.NewFromConfig(cfg).CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: aws.String("s"), TemplateBody: aws.String(body)}); err != nil {
						t.Fatal(err)
					}
				},
			} {
				cfg, err := awsenv.Config(server.Getenv, service)
				if err != nil {
					t.Fatal(err)
				}
				client(cfg)
			}
			var err error
			if s.dynamo, err = awsjson.New(server.Getenv, awsjson.DynamoDB); err != nil {
				t.Fatal(err)
			}
			test.make(s)
			file := filepath.Join(t.TempDir(), "expressway.yaml")
			if err := os.WriteFile(file, []byte(strings.Replace(storesRoutes, "BUCKET", "large-inputs", 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			refuse := test.refuse
			if refuse == "" {
				refuse = "none"
			}
			getenv, calls := refusing(t, server, refuse, http.StatusBadRequest, "AccessDeniedException", "not authorized")
			var out, errs strings.Builder
			code := run(context.Background(), []string{"doctor", "--stack", "s", "--config", file, "--format", "json", "--strict"}, nil, &out, &errs, getenv)
			var report struct {
				Findings []struct{ Severity, Rule, Resource, Message, Cure string }
			}
			if err := json.Unmarshal([]byte(out.String()), &report); err != nil {
				t.Fatal(err, errs.String())
			}
			var got []string
			for _, f := range report.Findings {
				if line := f.Severity + " " + f.Rule + " " + f.Resource; !slices.Contains(got, line) {
					got = append(got, line)
				}
				if f.Cure == "" {
					t.Errorf("the finding %s has no advice", f.Rule)
				}
			}
			slices.Sort(got)
			if diff := cmp.Diff(test.findings, got); diff != "" || (code != 0) != (len(got) > 0) || !strings.Contains(out.String(), test.says) {
				t.Errorf("exit %d, findings (-want +got):\n%s%s", code, diff, out.String())
			}
			for _, call := range *calls {
				if verb, _, _ := strings.Cut(call, " "); verb != "Get" && verb != "List" && verb != "Describe" && verb != "GET" {
					t.Errorf("calls %s, which is not read-only", call)
				}
			}
		})
	}
}

// destination is where failed events go.
func (s stored) destination(queue string) {
	s.t.Helper()
	_, err := s.lambda.PutFunctionEventInvokeConfig(s.t.Context(), &lambda.PutFunctionEventInvokeConfigInput{
		FunctionName:      aws.String("events"),
		DestinationConfig: &types.DestinationConfig{OnFailure: &types.OnFailure{Destination: aws.String("arn:aws:sqs:us-east-1:123456789012:" + queue)}},
	})
	if err != nil {
		s.t.Fatal(err)
	}
}
