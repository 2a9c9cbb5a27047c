package tasks_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/internal/mototest"
	"github.com/expressway-dev/expressway/pkg/asl/tasks"
)

// prepare creates with boto3 what starts need; remains prints with boto3 what exists after
// a call of each service.
const (
	prepare = `
import boto3, json, sys
c = lambda name: boto3.client(name, endpoint_url=sys.argv[1], region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="a")
role = c("iam").create_role(RoleName="r", AssumeRolePolicyDocument='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}')["Role"]["Arn"]
batch = c("batch")
env = batch.create_compute_environment(computeEnvironmentName="env", type="UNMANAGED", state="ENABLED", serviceRole=role)["computeEnvironmentArn"]
batch.create_job_queue(jobQueueName="jobs", state="ENABLED", priority=1, computeEnvironmentOrder=[{"order": 1, "computeEnvironment": env}])
batch.register_job_definition(jobDefinitionName="job", type="container", containerProperties={"image": "i", "vcpus": 1, "memory": 128, "command": ["true"]})
c("ecs").create_cluster(clusterName="cluster")
instance = c("ec2").run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
c("ecs").register_container_instance(cluster="cluster", instanceIdentityDocument=json.dumps({"instanceId": instance}))
c("ecs").register_task_definition(family="task", containerDefinitions=[{"name": "n", "image": "i", "cpu": 256, "memory": 512}])
c("glue").create_job(Name="job", Role=role, Command={"Name": "glueetl"})
c("codebuild").create_project(name="project", source={"type": "S3", "location": "b/k"}, artifacts={"type": "NO_ARTIFACTS"},
    environment={"type": "LINUX_CONTAINER", "image": "i", "computeType": "BUILD_GENERAL1_SMALL"}, serviceRole=role)
`
	remains = `
import boto3, sys, json
c = lambda name: boto3.client(name, endpoint_url=sys.argv[1], region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="a")
out = {
    "dynamodb": c("dynamodb").list_tables()["TableNames"],
    "s3": [b["Name"] for b in c("s3").list_buckets()["Buckets"]],
    "sqs": [u.rsplit("/", 1)[1] for u in c("sqs").list_queues()["QueueUrls"]],
    "sns": [t["TopicArn"].rsplit(":", 1)[1] for t in c("sns").list_topics()["Topics"]],
    "eventbridge": [r["ScheduleExpression"] for r in c("events").list_rules()["Rules"]],
    "lambda": [l["LayerName"] for l in c("lambda").list_layers()["Layers"]],
    "secretsmanager": c("secretsmanager").get_secret_value(SecretId="s")["SecretString"],
    "ssm": c("ssm").get_parameter(Name="/p/a")["Parameter"]["Value"],
    "kms": [c("kms").describe_key(KeyId=k["KeyId"])["KeyMetadata"]["Description"] for k in c("kms").list_keys()["Keys"]],
    "cloudwatch": [[a["AlarmName"], a["Threshold"], a["Dimensions"]] for a in c("cloudwatch").describe_alarms()["MetricAlarms"]],
    "cloudwatchlogs": [g["logGroupName"] for g in c("logs").describe_log_groups()["logGroups"]],
    "kinesis": c("kinesis").list_streams()["StreamNames"],
    "firehose": c("firehose").list_delivery_streams()["DeliveryStreamNames"],
    "scheduler": [g["Name"] for g in c("scheduler").list_schedule_groups()["ScheduleGroups"] if g["Name"] != "default"],
    "cognitoidentityprovider": [p["Name"] for p in c("cognito-idp").list_user_pools(MaxResults=9)["UserPools"]],
    "ses": c("ses").list_identities()["Identities"],
    "apigateway": [a["name"] for a in c("apigateway").get_rest_apis()["items"]],
    "polly": [l["Name"] for l in c("polly").list_lexicons()["Lexicons"]],
    "comprehend": [r["VersionName"] for r in c("comprehend").list_entity_recognizers()["EntityRecognizerPropertiesList"]],
    "glue": [[r["JobName"], r["Arguments"]] for r in c("glue").get_job_runs(JobName="job")["JobRuns"]],
    "batch": [j["jobName"] for s in ["SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING", "SUCCEEDED"] for j in c("batch").list_jobs(jobQueue="jobs", jobStatus=s)["jobSummaryList"]],
    "ecs": [t["group"] for t in c("ecs").describe_tasks(cluster="cluster", tasks=c("ecs").list_tasks(cluster="cluster")["taskArns"])["tasks"]],
    "athena": [c("athena").get_query_execution(QueryExecutionId=q)["QueryExecution"]["Query"] for q in c("athena").list_query_executions()["QueryExecutionIds"]],
    "codebuild": [b["projectName"] for b in c("codebuild").batch_get_builds(ids=c("codebuild").list_builds()["ids"])["builds"]],
    "bedrock": [j["jobName"] for j in c("bedrock").list_model_customization_jobs()["modelCustomizationJobSummaries"]],
}
print(json.dumps(out))
`
)

// boto3 sees the effect of a call of each service, including starts whose end is not
// awaited. moto has neither translate nor bedrockruntime, and nothing that lists what
// rekognition and textract began: TestRequestsAreThoseOfBotocore has their requests.
func TestEachServiceAsBoto3SeesIt(t *testing.T) {
	t.Parallel()
	server := mototest.Start(t)
	resp, err := http.Post(server.URL+"/moto-api/config", "application/json", strings.NewReader(`{"batch":{"use_docker":false}}`))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	runPython(t, prepare, server.URL)
	runner := tasks.FromEnv(server.Getenv, mototest.Region)
	const role = "arn:aws:iam::123456789012:role/r"
	runSteps(t, runner, []step{
		{"aws-sdk:dynamodb:createTable", `{"TableName":"t","KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"BillingMode":"PAY_PER_REQUEST"}`, "TableDescription"},
		{"aws-sdk:s3:createBucket", `{"Bucket":"bucket"}`, "Location"},
		{"aws-sdk:sqs:createQueue", `{"QueueName":"q","Attributes":{"DelaySeconds":1}}`, "QueueUrl"},
		{"aws-sdk:sns:createTopic", `{"Name":"topic"}`, "TopicArn"},
		{"aws-sdk:eventbridge:putRule", `{"Name":"r","ScheduleExpression":"rate(1 day)"}`, "RuleArn"},
		{"aws-sdk:lambda:publishLayerVersion", `{"LayerName":"layer","Content":{"ZipFile":"UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="}}`, "LayerArn"},
		{"aws-sdk:secretsmanager:createSecret", `{"Name":"s","SecretString":{"a":1}}`, "ARN"},
		{"aws-sdk:ssm:putParameter", `{"Name":"/p/a","Value":"v","Type":"String"}`, "Version"},
		{"aws-sdk:kms:createKey", `{"Description":"d"}`, "KeyMetadata"},
		{"aws-sdk:cloudwatch:putMetricAlarm", `{"AlarmName":"a","MetricName":"m","Namespace":"n","Threshold":1.5,"ComparisonOperator":"GreaterThanThreshold","EvaluationPeriods":1,"Period":60,"Statistic":"Sum","Dimensions":[{"Name":"k","Value":"v"}]}`, ""},
		{"aws-sdk:cloudwatchlogs:createLogGroup", `{"LogGroupName":"/g"}`, ""},
		{"aws-sdk:kinesis:createStream", `{"StreamName":"stream","ShardCount":1}`, ""},
		{"aws-sdk:firehose:createDeliveryStream", `{"DeliveryStreamName":"hose","S3DestinationConfiguration":{"RoleARN":"` + role + `","BucketARN":"arn:aws:s3:::bucket"}}`, "DeliveryStreamARN"},
		{"aws-sdk:scheduler:createScheduleGroup", `{"Name":"group"}`, "ScheduleGroupArn"},
		{"aws-sdk:cognitoidentityprovider:createUserPool", `{"PoolName":"pool"}`, "UserPool"},
		{"aws-sdk:ses:verifyEmailIdentity", `{"EmailAddress":"a@example.com"}`, ""},
		{"aws-sdk:sts:getCallerIdentity", `{}`, "Arn"},
		{"aws-sdk:apigateway:createRestApi", `{"Name":"api"}`, "Id"},
		{"aws-sdk:polly:putLexicon", `{"Name":"lexicon","Content":"<lexicon/>"}`, ""},
		{"aws-sdk:comprehend:createEntityRecognizer", `{"RecognizerName":"r","VersionName":"v1","LanguageCode":"en","DataAccessRoleArn":"` + role + `","InputDataConfig":{"EntityTypes":[{"Type":"T"}],"Documents":{"S3Uri":"s3://bucket/d"}}}`, "EntityRecognizerArn"},
		{"aws-sdk:rekognition:startTextDetection", `{"Video":{"S3Object":{"Bucket":"bucket","Name":"v"}}}`, "JobId"},
		{"aws-sdk:textract:startDocumentTextDetection", `{"DocumentLocation":{"S3Object":{"Bucket":"bucket","Name":"d"}}}`, "JobId"},
		{"glue:startJobRun", `{"JobName":"job","Arguments":{"--a":"b"}}`, "JobRunId SdkHttpMetadata"},
		{"batch:submitJob", `{"JobName":"submitted","JobQueue":"jobs","JobDefinition":"job"}`, "JobId SdkHttpMetadata"},
		{"ecs:runTask", `{"Cluster":"cluster","TaskDefinition":"task","LaunchType":"EC2","Group":"mine"}`, "Tasks SdkHttpMetadata"},
		{"athena:startQueryExecution", `{"QueryString":"SELECT 1"}`, "QueryExecutionId SdkHttpMetadata"},
		{"codebuild:startBuild", `{"ProjectName":"project"}`, "Build SdkHttpMetadata"},
		{"bedrock:createModelCustomizationJob", `{"JobName":"tune","CustomModelName":"m","RoleArn":"` + role + `","BaseModelIdentifier":"b","TrainingDataConfig":{"S3Uri":"s3://bucket/t"},"OutputDataConfig":{"S3Uri":"s3://bucket/o"},"HyperParameters":{"epochCount":"1"}}`, "JobArn"},
	})
	var got, want any
	if err := json.Unmarshal([]byte(runPython(t, remains, server.URL)), &got); err != nil {
		t.Fatal(err)
	}
	_ = json.Unmarshal([]byte(`{"dynamodb":["t"],"s3":["bucket"],"sqs":["q"],"sns":["topic"],"eventbridge":["rate(1 day)"],"lambda":["layer"],
		"secretsmanager":"{\"a\":1}","ssm":"v","kms":["d"],"cloudwatch":[["a",1.5,[{"Name":"k","Value":"v"}]]],"cloudwatchlogs":["/g"],
		"kinesis":["stream"],"firehose":["hose"],"scheduler":["group"],"cognitoidentityprovider":["pool"],"ses":["a@example.com"],
		"apigateway":["api"],"polly":["lexicon"],"comprehend":["v1"],"glue":[["job",{"--a":"b"}]],"batch":["submitted"],"ecs":["mine"],
		"athena":["SELECT 1"],"codebuild":["project"],"bedrock":["tune"]}`), &want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what boto3 finds (-want +got):\n%s", diff)
	}
}
