package eventkind_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/internal/eventkind"
	"github.com/expressway-dev/expressway/internal/shared"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// Every recorded event is known for what it is; only the others' names are listed.
func TestRecordedEvents(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"apigw-custom-auth": "a request to an authorizer", "apigw-v2-custom-authorizer": "a request to an authorizer",
		"apigateway-authorizer": "a request to an authorizer", "apigateway-request-authorizer": "a request to an authorizer",
		"apigw-": "an HTTP request", "alb-": "an HTTP request", "lambda-urls-": "an HTTP request", "apigateway-": "an HTTP request", "start-api-": "an HTTP request",
		"sqs-": "a batch of SQS records",
		"sns-": "a notification of SNS", "cloudwatch-alarm-sns-": "a notification of SNS", "ses-sns-": "a message of SES",
		"kinesis-": "a batch of a Kinesis stream", "dynamodb-": "a batch of a DynamoDB stream", "kafka-": "a batch of a Kafka topic",
		"s3-": "a notification of S3", "cloudwatch-logs-": "a batch of CloudWatch Logs",
		"autoscaling-": "an EventBridge event", "codebuild-": "an EventBridge event", "codepipeline-": "an EventBridge event", "ecr-": "an EventBridge event",
		"ecs-": "an EventBridge event", "cloudwatch-scheduled-": "an EventBridge event", "stepfunctions-": "of a kind that Expressway does not know",
		"ses-s3-": "a message of SES",
	}
	seen := 0
	for _, folder := range [][]string{{"lambda-events"}, {"sam-events", "rendered"}, {"sam-events", "captured"}} {
		files, err := filepath.Glob(filepath.Join(shared.Path(t, folder...), "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			name := filepath.Base(file)
			if strings.Contains(name, "response") { // what a function returns
				continue
			}
			payload, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			v, err := jsonata.Decode(payload)
			if err != nil {
				t.Fatal(err)
			}
			longest := ""
			for prefix := range want {
				if strings.HasPrefix(name, prefix) && len(prefix) > len(longest) {
					longest = prefix
				}
			}
			seen++
			if diff := cmp.Diff(want[longest], eventkind.Of(v).What); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	}
	if seen < 35 {
		t.Errorf("%d events, want at least 35", seen)
	}
}

// The kinds that a function takes name it; a sentence says what to do with the others.
func TestKinds(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]eventkind.Kind{
		`[{"eventSource":"aws:sqs"}]`:                                            eventkind.Array,
		`[{"source":"a","detail-type":"b"}]`:                                     eventkind.BusEvents,
		`{"raw_path":"/","method":"GET"}`:                                        eventkind.Request,
		`{"path":"/","method":"GET","requestContext":{"serviceNetworkArn":"a"}}`: eventkind.Request,
		`{"rawPath":"/","requestContext":{"http":{}}}`:                           eventkind.Request,
		`{"httpMethod":"GET","path":"/","requestContext":{}}`:                    eventkind.Request,
		`{"Records":[]}`:     eventkind.Unknown,
		`{"Records":[null]}`: eventkind.Unknown,
		`{"Records":[{"eventSource":"aws:sqs; rm"}]}`: eventkind.Unknown,
		`[]`:                    eventkind.Unknown,
		`[1]`:                   eventkind.Unknown,
		`null`:                  eventkind.Unknown,
		`{"requestContext":[]}`: eventkind.Unknown,
		`{"httpMethod":"GET","path":"/","requestContext":{"connectionId":"c"}}`:       eventkind.Request,
		`{"Records":[{"eventSource":"aws:sqs"},{"eventSource":"aws:kinesis"}],"a":1}`: eventkind.Batch,
	} {
		v, err := jsonata.Decode([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		got := eventkind.Of(v)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
		if s := got.String(); !strings.HasPrefix(s, "the event is ") || strings.HasSuffix(s, ": ") {
			t.Errorf("%s: %q", text, s)
		}
	}
}
