package tasks_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/internal/mototest"
	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/asl/tasks"
)

// setUp creates with boto3 what the tasks need; judge prints with boto3 what they did.
const (
	setUp = `
import boto3, sys, json
c = lambda name: boto3.client(name, endpoint_url=sys.argv[1], region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="a")
c("dynamodb").create_table(TableName="t", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}], BillingMode="PAY_PER_REQUEST")
c("dynamodb").put_item(TableName="t", Item={"id": {"S": "gone"}})
sqs, sns, events = c("sqs"), c("sns"), c("events")
for name in ["q", "fromtopic", "frombus"]:
    sqs.create_queue(QueueName=name)
arn = lambda name: "arn:aws:sqs:us-east-1:123456789012:" + name
topic = sns.create_topic(Name="topic")["TopicArn"]
sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn("fromtopic"), Attributes={"RawMessageDelivery": "true"})
events.put_rule(Name="r", EventPattern=json.dumps({"source": ["shop"]}))
events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": arn("frombus")}])
c("s3").create_bucket(Bucket="bucket")
`
	judge = `
import boto3, sys, json
c = lambda name: boto3.client(name, endpoint_url=sys.argv[1], region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="a")
sqs = c("sqs")
def receive(name):
    return sqs.receive_message(QueueUrl=sys.argv[1] + "/123456789012/" + name, MessageAttributeNames=["All"]).get("Messages", [{}])[0]
out = {"items": sorted(c("dynamodb").scan(TableName="t")["Items"], key=lambda i: i["id"]["S"])}
m = receive("q")
out["sqs"] = [m.get("Body"), m.get("MessageAttributes", {}).get("k", {}).get("StringValue")]
out["sns"] = receive("fromtopic").get("Body")
e = json.loads(receive("frombus").get("Body", "{}"))
out["event"] = [e.get("source"), e.get("detail-type"), e.get("detail")]
out["object"] = c("s3").get_object(Bucket="bucket", Key="k")["Body"].read().decode()
print(json.dumps(out))
`
)

func runPython(t *testing.T, script, url string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Getenv("EXPRESSWAY_PYTHON"), "-c", script, url)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, errs.String())
	}
	return string(out)
}

// A step is a task that succeeds, and the members of its result.
type step struct{ resource, arguments, members string }

func runSteps(t *testing.T, runner asl.TaskRunner, steps []step) {
	t.Helper()
	for _, step := range steps {
		got, err := runTask(t.Context(), t, runner, step.resource, step.arguments)
		if err != nil {
			t.Errorf("the task %s failed: %v", step.resource, err)
			continue
		}
		var members map[string]json.RawMessage
		if err := json.Unmarshal([]byte(got), &members); err != nil {
			t.Fatal(err)
		}
		for name := range strings.FieldsSeq(step.members) {
			if members[name] == nil {
				t.Errorf("%s: the result %s has no member %s", step.resource, got, name)
			}
		}
	}
}

// boto3 finds the effects of the optimised integrations, whose errors have the
// integrations' names.
func TestIntegrationsAsBoto3SeesThem(t *testing.T) {
	t.Parallel()
	server := mototest.Start(t)
	runPython(t, setUp, server.URL)
	runner := tasks.FromEnv(server.Getenv, mototest.Region)
	queue, topic := server.URL+"/123456789012/q", "arn:aws:sns:us-east-1:123456789012:topic"
	runSteps(t, runner, []step{
		{"dynamodb:putItem", `{"TableName":"t","Item":{"id":{"S":"a"},"n":{"N":"1"},"l":{"L":[{"BOOL":true},{"NULL":true}]},"b":{"B":"aGk="}}}`, "SdkHttpMetadata SdkResponseMetadata"},
		{"dynamodb:updateItem", `{"TableName":"t","Key":{"id":{"S":"a"}},"UpdateExpression":"SET n = n + :one","ExpressionAttributeValues":{":one":{"N":"1"}},"ReturnValues":"UPDATED_NEW"}`, "Attributes SdkHttpMetadata SdkResponseMetadata"},
		{"dynamodb:deleteItem", `{"TableName":"t","Key":{"id":{"S":"gone"}}}`, "SdkHttpMetadata SdkResponseMetadata"},
		{"dynamodb:getItem", `{"TableName":"t","Key":{"id":{"S":"a"}}}`, "Item SdkHttpMetadata SdkResponseMetadata"},
		{"sqs:sendMessage", `{"QueueUrl":"` + queue + `","MessageBody":{"a":1},"MessageAttributes":{"k":{"DataType":"String","StringValue":"v"}}}`, "MD5OfMessageAttributes MD5OfMessageBody MessageId SdkHttpMetadata SdkResponseMetadata"},
		{"sns:publish", `{"TopicArn":"` + topic + `","Message":{"b":2}}`, "MessageId SdkHttpMetadata SdkResponseMetadata"},
		{"events:putEvents", `{"Entries":[{"Detail":{"c":3},"DetailType":"placed","Source":"shop"}]}`, "Entries FailedEntryCount"},
		{"aws-sdk:s3:putObject", `{"Bucket":"bucket","Key":"k","Body":{"d":4}}`, "ETag"},
	})
	var got, want any
	if err := json.Unmarshal([]byte(runPython(t, strings.Replace(judge, "print(json.dumps(out))", "print(json.dumps(out, default=lambda b: b.decode()))", 1), server.URL)), &got); err != nil {
		t.Fatal(err)
	}
	_ = json.Unmarshal([]byte(`{"items":[{"id":{"S":"a"},"n":{"N":"2"},"l":{"L":[{"BOOL":true},{"NULL":true}]},"b":{"B":"hi"}}],
		"sqs":["{\"a\":1}","v"],"sns":"{\"b\":2}","event":["shop","placed",{"c":3}],"object":"{\"d\":4}"}`), &want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what boto3 finds (-want +got):\n%s", diff)
	}
	for _, refused := range []struct{ resource, arguments, name, cause string }{
		{"dynamodb:putItem", `{"TableName":"t","Item":{"id":{"S":"a"}},"ConditionExpression":"attribute_not_exists(id)"}`, "DynamoDB.ConditionalCheckFailedException", "Service: AmazonDynamoDBv2; Status Code: 400; Error Code: ConditionalCheckFailedException"},
		{"aws-sdk:dynamodb:putItem", `{"TableName":"t","Item":{"id":{"S":"a"}},"ConditionExpression":"attribute_not_exists(id)"}`, "DynamoDb.ConditionalCheckFailedException", "Service: DynamoDb, Status Code: 400"},
		{"dynamodb:getItem", `{"TableName":"none","Key":{"id":{"S":"a"}}}`, "DynamoDB.ResourceNotFoundException", "Error Code: ResourceNotFoundException"},
		{"sns:publish", `{"TopicArn":"` + topic + `x","Message":"m"}`, "SNS.NotFoundException", "Service: AmazonSNS; Status Code: 404"},
		{"aws-sdk:s3:getObject", `{"Bucket":"bucket","Key":"none"}`, "S3.NoSuchKeyException", "The specified key does not exist. (Service: S3, Status Code: 404"},
		{"batch:submitJob.sync", `{"JobName":"j","JobQueue":"q","JobDefinition":"d"}`, "States.TaskFailed", "mock the state 'S'"},
		{"ecs:runTask.sync", `{"TaskDefinition":"d"}`, "States.TaskFailed", "mock the state 'S'"},
		{"glue:startJobRun.sync", `{"JobName":"j"}`, "States.TaskFailed", "mock the state 'S'"},
		{"athena:startQueryExecution.sync", `{"QueryString":"q"}`, "States.TaskFailed", "mock the state 'S'"},
		{"codebuild:startBuild.sync", `{"ProjectName":"p"}`, "States.TaskFailed", "mock the state 'S'"},
	} {
		_, err := runTask(t.Context(), t, runner, refused.resource, refused.arguments)
		e, ok := errors.AsType[*asl.Error](err)
		if !ok || e.Name != refused.name || !strings.Contains(e.Cause, refused.cause) {
			t.Errorf("%s: %v, want %s: …%s…", refused.resource, err, refused.name, refused.cause)
		}
	}
}
