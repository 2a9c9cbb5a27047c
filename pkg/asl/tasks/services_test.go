package tasks_test

import (
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/internal/asltest"
	"github.com/expressway-dev/expressway/internal/mototest"
	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/asl/awsmodel"
	"github.com/expressway-dev/expressway/pkg/asl/tasks"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// runTask runs a task with arguments in JSON, and returns its result in JSON.
func runTask(ctx context.Context, t *testing.T, r asl.TaskRunner, resource, arguments string) (string, error) {
	t.Helper()
	v, err := jsonata.Decode([]byte(arguments))
	if err != nil {
		t.Fatal(err)
	}
	out, err := r.RunTask(ctx, asl.Task{Resource: "arn:aws:states:::" + resource, State: "S", Parameters: v})
	if err != nil {
		return "", err
	}
	text, err := jsonata.AppendJSON(nil, jsonata.FromGo(out))
	if err != nil {
		t.Fatal(err)
	}
	return string(text), nil
}

// at runs tasks at one endpoint.
func at(url string) *tasks.Services {
	return &tasks.Services{Endpoint: func(*awsmodel.Service) string { return url }}
}

// Requests are those of each protocol, and results have the names of Step Functions.
func TestProtocols(t *testing.T) {
	t.Parallel()
	type sent struct{ method, uri, target, body string }
	tests := map[string]struct {
		resource, arguments string
		want                sent
		answer              string
		header              map[string]string
		result              string
	}{
		"AWS JSON": {
			"aws-sdk:dynamodb:getItem", `{"TableName":"t","Key":{"id":{"S":"a"}},"ConsistentRead":"true"}`,
			sent{"POST", "/", "DynamoDB_20120810.GetItem", `{"TableName":"t","Key":{"id":{"S":"a"}},"ConsistentRead":true}`},
			`{"Item":{"id":{"S":"a"},"n":{"N":"1"},"l":{"L":[{"BOOL":true}]}},"Newer":1}`, nil,
			`{"Item":{"id":{"S":"a"},"n":{"N":"1"},"l":{"L":[{"BOOL":true}]}}}`,
		},
		"AWS JSON, names in camelCase and times": {
			"aws-sdk:cloudwatchlogs:describeLogGroups", `{"LogGroupNamePrefix":"/aws"}`,
			sent{"POST", "/", "Logs_20140328.DescribeLogGroups", `{"logGroupNamePrefix":"/aws"}`},
			`{"logGroups":[{"logGroupName":"/aws/a","creationTime":1700000000000}]}`, nil,
			`{"LogGroups":[{"LogGroupName":"/aws/a","CreationTime":1700000000000}]}`,
		},
		"an object where the API has text": {
			"aws-sdk:sfn:startExecution", `{"StateMachineArn":"arn","Input":{"a":[1]}}`,
			sent{"POST", "/", "AWSStepFunctions.StartExecution", `{"stateMachineArn":"arn","input":"{\"a\":[1]}"}`},
			`{"executionArn":"x","startDate":1700000000.123}`, nil,
			`{"ExecutionArn":"x","StartDate":"2023-11-14T22:13:20.123Z"}`,
		},
		"query": {
			"aws-sdk:sns:publish", `{"TopicArn":"arn","Message":{"a":1},"MessageAttributes":{"k":{"DataType":"String","StringValue":"v"}}}`,
			sent{"POST", "/", "", "Action=Publish&Message=%7B%22a%22%3A1%7D&MessageAttributes.entry.1.Name=k&MessageAttributes.entry.1.Value.DataType=String&MessageAttributes.entry.1.Value.StringValue=v&TopicArn=arn&Version=2010-03-31"},
			`<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>`, nil,
			`{"MessageId":"m"}`,
		},
		"query, lists": {
			"aws-sdk:cloudformation:describeStacks", `{"StackName":"s"}`,
			sent{"POST", "/", "", "Action=DescribeStacks&StackName=s&Version=2010-05-15"},
			`<R><DescribeStacksResult><Stacks><member><StackName>s</StackName><Outputs><member><OutputKey>k</OutputKey></member></Outputs><DisableRollback>false</DisableRollback></member></Stacks></DescribeStacksResult></R>`, nil,
			`{"Stacks":[{"StackName":"s","DisableRollback":false,"Outputs":[{"OutputKey":"k"}]}]}`,
		},
		"REST XML, a body that is text": {
			"aws-sdk:s3:getObject", `{"Bucket":"b","Key":"a folder/ö.txt"}`,
			sent{"GET", "/b/a%20folder/%C3%B6.txt", "", ""},
			"contents",
			map[string]string{"Content-Type": "text/plain", "ETag": `"e"`, "x-amz-meta-owner": "me", "Last-Modified": "Wed, 15 Nov 2023 00:00:00 GMT"},
			`{"Body":"contents","LastModified":"2023-11-15T00:00:00Z","ContentLength":8,"ETag":"\"e\"","ContentType":"text/plain","Metadata":{"owner":"me"}}`,
		},
		"REST XML, flat lists": {
			"aws-sdk:s3:listObjectsV2", `{"Bucket":"b","MaxKeys":2}`,
			sent{"GET", "/b?list-type=2&max-keys=2", "", ""},
			`<ListBucketResult><Name>b</Name><KeyCount>2</KeyCount><IsTruncated>false</IsTruncated><Contents><Key>1</Key><Size>5</Size></Contents><Contents><Key>2</Key></Contents></ListBucketResult>`, nil,
			`{"IsTruncated":false,"Contents":[{"Key":"1","Size":5},{"Key":"2"}],"Name":"b","KeyCount":2}`,
		},
		"REST XML, a structure as the body": {
			"aws-sdk:s3:putBucketVersioning", `{"Bucket":"b","VersioningConfiguration":{"Status":"Enabled"}}`,
			sent{"PUT", "/b?versioning=", "", `<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>Enabled</Status></VersioningConfiguration>`},
			"", nil, `{}`,
		},
		"REST JSON": {
			"aws-sdk:batch:submitJob", `{"JobName":"j","JobQueue":"q","JobDefinition":"d","ContainerOverrides":{"Vcpus":2}}`,
			sent{"POST", "/v1/submitjob", "", `{"jobName":"j","jobQueue":"q","jobDefinition":"d","containerOverrides":{"vcpus":2}}`},
			`{"jobArn":"a","jobName":"j","jobId":"i"}`, nil,
			`{"JobArn":"a","JobName":"j","JobId":"i"}`,
		},
		"REST JSON, a model's body": {
			"bedrock:invokeModel", `{"ModelId":"m/1","Body":{"prompt":"p"}}`,
			sent{"POST", "/model/m%2F1/invoke", "", `{"prompt":"p"}`},
			`{"completion":"c"}`,
			map[string]string{"Content-Type": "application/json"},
			`{"Body":{"completion":"c"},"ContentType":"application/json"}`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got sent
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				got = sent{r.Method, r.URL.RequestURI(), r.Header.Get("X-Amz-Target"), string(body)}
				if !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=local/") {
					t.Errorf("Authorization = %q, want a signature with made-up credentials", r.Header.Get("Authorization"))
				}
				for name, value := range test.header {
					w.Header().Set(name, value)
				}
				_, _ = io.WriteString(w, test.answer)
			}))
			t.Cleanup(server.Close)
			result, err := runTask(t.Context(), t, at(server.URL), test.resource, test.arguments)
			if err != nil {
				t.Fatal(err)
			}
			if got != test.want {
				t.Errorf("sent %+v, want %+v", got, test.want)
			}
			if result != test.result {
				t.Errorf("result %s, want %s", result, test.result)
			}
		})
	}
}

// Errors have the names of the integration.
func TestServiceErrors(t *testing.T) {
	t.Parallel()
	reply := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Amzn-Requestid", "id")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	const getItem = `{"TableName":"t","Key":{"id":{"S":"a"}}}`
	tests := map[string]struct {
		resource, arguments string
		handler             http.HandlerFunc
		name, cause         string
	}{
		"aws-sdk": {
			"aws-sdk:dynamodb:getItem", getItem, reply(400, `{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"Requested resource not found"}`),
			"DynamoDb.ResourceNotFoundException", "Requested resource not found (Service: DynamoDb, Status Code: 400, Request ID: id) (SDK Attempt Count: 1)",
		},
		"aws-sdk, a code that is not modeled": {
			"aws-sdk:dynamodb:getItem", getItem, reply(400, `{"__type":"ValidationException","message":"m"}`),
			"DynamoDb.DynamoDbException", "m (Service: DynamoDb, Status Code: 400",
		},
		"optimised": {
			"dynamodb:getItem", getItem, reply(400, `{"__type":"ResourceNotFoundException","message":"Requested resource not found"}`),
			"DynamoDB.ResourceNotFoundException", "Requested resource not found (Service: AmazonDynamoDBv2; Status Code: 400; Error Code: ResourceNotFoundException; Request ID: id; Proxy: null)",
		},
		"optimised, a code that is not modeled": {
			"dynamodb:getItem", getItem, reply(400, `{"__type":"ValidationException","message":"m"}`),
			"DynamoDB.AmazonDynamoDBException", "m (Service: AmazonDynamoDBv2; Status Code: 400; Error Code: ValidationException;",
		},
		"query": {
			"sns:publish", `{"TopicArn":"a","Message":"m"}`, reply(404, `<ErrorResponse><Error><Type>Sender</Type><Code>NotFound</Code><Message>Topic does not exist</Message></Error><RequestId>r</RequestId></ErrorResponse>`),
			"SNS.NotFoundException", "Topic does not exist (Service: AmazonSNS; Status Code: 404; Error Code: NotFound; Request ID: r; Proxy: null)",
		},
		"S3": {
			"aws-sdk:s3:getObject", `{"Bucket":"b","Key":"k"}`, reply(404, `<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>`),
			"S3.NoSuchKeyException", "The specified key does not exist. (Service: S3, Status Code: 404",
		},
		"S3, no body": {
			"aws-sdk:s3:headObject", `{"Bucket":"b","Key":"k"}`, reply(404, ``), "S3.S3Exception", "Not Found (Service: S3, Status Code: 404",
		},
		"a failed entry": {
			"events:putEvents", `{"Entries":[{"Detail":{"a":1},"DetailType":"t","Source":"s"}]}`,
			reply(200, `{"FailedEntryCount":1,"Entries":[{"ErrorCode":"MalformedDetail","ErrorMessage":"Detail is malformed."}]}`),
			"EventBridge.FailedEntry", `"ErrorCode":"MalformedDetail"`,
		},
		"HTML": {
			"aws-sdk:dynamodb:getItem", getItem, reply(200, `<html>`), "DynamoDb.SdkClientException", "the answer is not JSON",
		},
		"HTML as an error": {
			"aws-sdk:dynamodb:getItem", getItem, reply(502, `<html>`), "DynamoDb.DynamoDbException", "Bad Gateway (Service: DynamoDb, Status Code: 502",
		},
		"HTML as an error, optimised": {
			"dynamodb:getItem", getItem, reply(502, `<html>`), "DynamoDB.AmazonDynamoDBException", "Bad Gateway (Service: AmazonDynamoDBv2; Status Code: 502; Error Code: null;",
		},
		"a redirect": {
			"aws-sdk:dynamodb:getItem", getItem, func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "http://127.0.0.1:1/elsewhere", http.StatusTemporaryRedirect)
			}, "DynamoDb.DynamoDbException", "Temporary Redirect",
		},
		"an endless answer": {
			"aws-sdk:dynamodb:getItem", getItem, func(w http.ResponseWriter, _ *http.Request) {
				chunk := strings.Repeat(" ", 1<<20)
				for range 17 {
					_, _ = io.WriteString(w, chunk)
				}
			}, "DynamoDb.SdkClientException", "more than",
		},
		"reset": {
			"sqs:sendMessage", `{"QueueUrl":"u","MessageBody":"m"}`, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
			"SQS.SdkClientException", "Unable to execute HTTP request",
		},
		"an unknown argument": {
			"aws-sdk:dynamodb:getItem", `{"TableNam":"t"}`, reply(200, `{}`), "States.Runtime", "TableNam",
		},
		"an unknown nested argument": {
			"aws-sdk:ecs:runTask", `{"TaskDefinition":"t","NetworkConfiguration":{"AwsvpcConfiguration":{"Subnets":["s"],"Nets":[]}}}`, reply(200, `{}`),
			"States.Runtime", "The argument NetworkConfiguration.AwsvpcConfiguration.Nets of",
		},
		"a nested argument that is missing": {
			"aws-sdk:ecs:runTask", `{"TaskDefinition":"t","NetworkConfiguration":{"AwsvpcConfiguration":{}}}`, reply(200, `{}`),
			"States.Runtime", "The argument NetworkConfiguration.AwsvpcConfiguration.Subnets of",
		},
		"an argument that is missing": {
			"aws-sdk:dynamodb:getItem", `{"TableName":"t"}`, reply(200, `{}`), "States.Runtime", "Key",
		},
		"a path without a name": {
			"aws-sdk:s3:deleteObject", `{"Bucket":"b","Key":""}`, reply(200, ``), "States.Runtime", "Key of arn:aws:states:::aws-sdk:s3:deleteObject must not be empty",
		},
		"a token that the action requires": {
			"aws-sdk:emrserverless:startJobRun", `{"ApplicationId":"a","ExecutionRoleArn":"r"}`, reply(200, `{}`), "States.Runtime", "ClientToken of arn:aws:states:::aws-sdk:emrserverless:startJobRun is required but was missing",
		},
		".sync": {
			"batch:submitJob.sync", `{}`, reply(200, `{}`), "States.TaskFailed", "SFN_MOCK_CONFIG",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(test.handler)
			t.Cleanup(server.Close)
			_, err := runTask(t.Context(), t, at(server.URL), test.resource, test.arguments)
			e, ok := errors.AsType[*asl.Error](err)
			if !ok || e.Name != test.name || !strings.Contains(e.Cause, test.cause) {
				t.Errorf("error = %v, want %s: …%s…", err, test.name, test.cause)
			}
		})
	}
}

// A missing endpoint is an error that the machine can retry, and that contains no
// arguments.
func TestServiceUnreachable(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + listener.Addr().String()
	_ = listener.Close()
	_, err = runTask(t.Context(), t, at(url), "aws-sdk:s3:getObject", `{"Bucket":"secret-bucket","Key":"k"}`)
	e, ok := errors.AsType[*asl.Error](err)
	if !ok || e.Name != "S3.SdkClientException" || strings.Contains(e.Cause, "secret-bucket") {
		t.Errorf("error = %v, want S3.SdkClientException without the URL", err)
	}
}

// Without an endpoint, nothing is sent, especially not to AWS.
func TestNoEndpoint(t *testing.T) {
	t.Parallel()
	runner := tasks.FromEnv(func(name string) string {
		return map[string]string{"AWS_ACCESS_KEY_ID": "real", "AWS_SECRET_ACCESS_KEY": "real", "AWS_REGION": "us-east-1"}[name]
	}, "us-east-1")
	_, err := runTask(t.Context(), t, runner, "aws-sdk:s3:getObject", `{"Bucket":"b","Key":"k"}`)
	if e, ok := errors.AsType[*asl.Error](err); !ok || e.Name != "States.TaskFailed" || !strings.Contains(e.Cause, "AWS_ENDPOINT_URL") {
		t.Errorf("error = %v, want States.TaskFailed that names AWS_ENDPOINT_URL", err)
	}
}

// The endpoints of an environment, the most specific first.
func TestEndpoints(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		env     map[string]string
		service string
		want    string
	}{
		"of the service":                   {map[string]string{"AWS_ENDPOINT_URL_SECRETS_MANAGER": "http://a", "AWS_ENDPOINT_URL": "http://b"}, "secretsmanager", "http://a"},
		"of all":                           {map[string]string{"AWS_ENDPOINT_URL": "http://b", "SQS_ENDPOINT": "http://c"}, "sqs", "http://b"},
		"Step Functions Local":             {map[string]string{"DYNAMODB_ENDPOINT": "http://c"}, "dynamodb", "http://c"},
		"switched off":                     {map[string]string{"AWS_ENDPOINT_URL": "http://b", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, "sqs", ""},
		"its own service":                  {map[string]string{"AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": "http://l"}, "cloudwatchlogs", "http://l"},
		"of a service with a similar name": {map[string]string{"AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": "http://l"}, "cloudwatch", ""},
	} {
		s, ok := awsmodel.Lookup(test.service)
		if !ok {
			t.Fatalf("awsmodel has no service %s", test.service)
		}
		if got := tasks.Endpoints(func(v string) string { return test.env[v] })(s); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// The actions that machines use most, over the wire of each protocol.
func TestServicesOverTheWire(t *testing.T) {
	t.Parallel()
	server := mototest.Start(t)
	runner := tasks.FromEnv(server.Getenv, mototest.Region)
	for _, step := range []struct{ resource, arguments, want string }{
		{"aws-sdk:dynamodb:createTable", `{"TableName":"t","KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"BillingMode":"PAY_PER_REQUEST"}`, `"TableStatus":"ACTIVE"`},
		{"dynamodb:putItem", `{"TableName":"t","Item":{"id":{"S":"a"},"n":{"N":"1"}}}`, `"HttpStatusCode":200`},
		{"dynamodb:updateItem", `{"TableName":"t","Key":{"id":{"S":"a"}},"UpdateExpression":"SET n = :n","ExpressionAttributeValues":{":n":{"N":"2"}}}`, `"SdkHttpMetadata"`},
		{"dynamodb:getItem", `{"TableName":"t","Key":{"id":{"S":"a"}}}`, `"n":{"N":"2"}`},
		{"aws-sdk:dynamodb:query", `{"TableName":"t","KeyConditionExpression":"id = :id","ExpressionAttributeValues":{":id":{"S":"a"}}}`, `"Count":1`},
		{"dynamodb:deleteItem", `{"TableName":"t","Key":{"id":{"S":"a"}},"ReturnValues":"ALL_OLD"}`, `"Attributes":{`},
		{"aws-sdk:sns:createTopic", `{"Name":"topic"}`, `"TopicArn":"arn:aws:sns:us-east-1:123456789012:topic"`},
		{"sns:publish", `{"TopicArn":"arn:aws:sns:us-east-1:123456789012:topic","Message":{"a":1}}`, `"MessageId":"`},
		{"aws-sdk:sqs:createQueue", `{"QueueName":"q"}`, `"QueueUrl":"`},
		{"sqs:sendMessage", `{"QueueUrl":"` + server.URL + `/123456789012/q","MessageBody":{"a":1}}`, `"MD5OfMessageBody":"bb6cb5c68df4652941caf652a366f2d8"`},
		{"aws-sdk:sqs:receiveMessage", `{"QueueUrl":"` + server.URL + `/123456789012/q"}`, `"Body":"{\"a\":1}"`},
		{"events:putEvents", `{"Entries":[{"Detail":{"a":1},"DetailType":"t","Source":"s"}]}`, `"FailedEntryCount":0`},
		{"aws-sdk:s3:createBucket", `{"Bucket":"bucket"}`, `"Location":"/bucket"`},
		{"aws-sdk:s3:putObject", `{"Bucket":"bucket","Key":"k","Body":{"a":1}}`, `"ETag":"`},
		{"aws-sdk:s3:getObject", `{"Bucket":"bucket","Key":"k"}`, `"Body":"{\"a\":1}"`},
		{"aws-sdk:s3:listObjectsV2", `{"Bucket":"bucket"}`, `"Key":"k"`},
		{"aws-sdk:secretsmanager:createSecret", `{"Name":"s","SecretString":"v"}`, `"Name":"s"`},
		{"aws-sdk:secretsmanager:getSecretValue", `{"SecretId":"s"}`, `"SecretString":"v"`},
		{"aws-sdk:ssm:putParameter", `{"Name":"/p","Value":"v","Type":"String"}`, `"Version":1`},
		{"aws-sdk:ssm:getParameter", `{"Name":"/p"}`, `"Value":"v"`},
		{"aws-sdk:kms:createKey", `{}`, `"KeyState":"Enabled"`},
		{"aws-sdk:sts:getCallerIdentity", `{}`, `"Account":"123456789012"`},
		{"aws-sdk:cloudwatch:putMetricData", `{"Namespace":"N","MetricData":[{"MetricName":"m","Value":1}]}`, `{}`},
		{"aws-sdk:cloudwatchlogs:createLogGroup", `{"LogGroupName":"/g"}`, `{}`},
		{"aws-sdk:kinesis:createStream", `{"StreamName":"s","ShardCount":1}`, `{}`},
		{"aws-sdk:scheduler:listSchedules", `{}`, `"Schedules":[]`},
		{"aws-sdk:lambda:listFunctions", `{}`, `"Functions":[]`},
	} {
		got, err := runTask(t.Context(), t, runner, step.resource, step.arguments)
		if err != nil || !strings.Contains(got, step.want) {
			t.Errorf("%s: %s, %v; want it to have %s", step.resource, got, err, step.want)
		}
	}
}

// Whatever an endpoint answers, the result is an error of the workflow, or JSON.
func FuzzServiceAnswer(f *testing.F) {
	f.Add(200, `{"Item":{}}`)
	f.Add(400, `{"__type":"X","message":1}`)
	f.Add(200, `<a><b></b></a>`)
	f.Add(404, `<Error><Code>`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 100 || status > 599 {
			t.Skip()
		}
		client := &http.Client{Transport: answerer{status, body}}
		for resource, arguments := range map[string]string{
			"aws-sdk:dynamodb:getItem": `{"TableName":"t","Key":{}}`, "aws-sdk:sns:publish": `{"Message":"m"}`,
			"aws-sdk:s3:listObjectsV2": `{"Bucket":"b"}`, "aws-sdk:batch:describeJobs": `{"Jobs":["j"]}`, "bedrock:invokeModel": `{"ModelId":"m"}`,
		} {
			r := at("http://x")
			r.Client = client
			out, err := runTask(t.Context(), t, r, resource, arguments)
			if _, ok := errors.AsType[*asl.Error](err); err != nil && !ok {
				t.Errorf("%s: %v is not an error of the workflow", resource, err)
			}
			if err == nil && !json.Valid([]byte(out)) {
				t.Errorf("%s: the result %s is not JSON", resource, out)
			}
		}
	})
}

type answerer struct {
	status int
	body   string
}

func (a answerer) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: a.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(a.body)), Request: r}, nil
}

// A slow endpoint ends with the state's timeout; one that takes longer than the SDK waits
// is an error that the machine's Retry can match by its name.
func TestServiceIsSlow(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	calls := make(chan struct{}, 10)
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		calls <- struct{}{}
		<-release
	}))
	t.Cleanup(server.Close)
	defer close(release)
	r := at(server.URL)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := runTask(ctx, t, r, "dynamodb:getItem", `{"TableName":"t","Key":{}}`); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error = %v, want that of the context", err)
	}
	<-calls
	r.Client = &http.Client{Timeout: 50 * time.Millisecond}
	const definition = `{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:states:::dynamodb:getItem","Parameters":{"TableName":"t","Key":{}},
		"Retry":[{"ErrorEquals":["DynamoDB.SdkClientException"],"MaxAttempts":2}],"End":true}}}`
	got := asltest.Run(t, definition, `{}`, asl.Environment{Tasks: r, Sleep: asltest.NoWait})
	if got.Error != "DynamoDB.SdkClientException" || len(calls) != 3 {
		t.Errorf("%s: %s after %d calls, want DynamoDB.SdkClientException after 3", got.Error, got.Cause, len(calls))
	}
}

// A call that may be repeated gets a token, unless the state has one.
func TestCallsAreIdempotent(t *testing.T) {
	t.Parallel()
	var seen []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct{ ClientRequestToken string }
		_ = json.NewDecoder(r.Body).Decode(&body)
		seen = append(seen, body.ClientRequestToken)
		_, _ = io.WriteString(w, `{}`)
	}))
	t.Cleanup(server.Close)
	for _, resource := range []string{"aws-sdk:athena:startQueryExecution", "athena:startQueryExecution"} {
		seen = nil
		for _, arguments := range []string{`{"QueryString":"q"}`, `{"QueryString":"q","ClientRequestToken":null}`, `{"QueryString":"q","ClientRequestToken":"mine"}`} {
			if _, err := runTask(t.Context(), t, at(server.URL), resource, arguments); err != nil {
				t.Fatal(err)
			}
		}
		if len(seen) != 3 || len(seen[0]) != 36 || len(seen[1]) != 36 || seen[0] == seen[1] || seen[2] != "mine" {
			t.Errorf("%s: tokens %q, want two UUIDs and that of the state", resource, seen)
		}
	}
}

// S3 requests with a document have its checksum, without which objects are not deleted.
func TestContentMD5(t *testing.T) {
	t.Parallel()
	sums := map[string]string{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sum := md5.Sum(body)
		sums[r.Method] = r.Header.Get("Content-Md5")
		if want := base64.StdEncoding.EncodeToString(sum[:]); r.Method == "POST" && sums["POST"] != want {
			t.Errorf("Content-MD5 = %q, want %q", sums["POST"], want)
		}
	}))
	t.Cleanup(server.Close)
	for resource, arguments := range map[string]string{
		"aws-sdk:s3:deleteObjects": `{"Bucket":"b","Delete":{"Objects":[{"Key":"<k>"}]}}`, "aws-sdk:s3:putObject": `{"Bucket":"b","Key":"k","Body":"text"}`,
	} {
		if _, err := runTask(t.Context(), t, at(server.URL), resource, arguments); err != nil {
			t.Fatal(err)
		}
	}
	if sums["POST"] == "" || sums["PUT"] != "" {
		t.Errorf("sums %q, want that of deleteObjects alone", sums)
	}
}
