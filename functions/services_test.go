package functions_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/expressway-dev/expressway/internal/awsenv"
	"github.com/expressway-dev/expressway/internal/lambdatest"
	"github.com/expressway-dev/expressway/internal/mototest"
)

// routesFile writes a configuration, and returns its path.
func routesFile(t *testing.T, routes string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "expressway.yaml")
	if err := os.WriteFile(path, []byte("version: 1\nroutes:\n"+routes), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// serverConfig is the SDK's configuration of a service of the moto server.
func serverConfig(t *testing.T, server *mototest.Server, service string) aws.Config {
	t.Helper()
	cfg, err := awsenv.Config(server.Getenv, service)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// newTable makes the table of dedupe records as template.yaml does.
func newTable(t *testing.T, server *mototest.Server, name string) {
	t.Helper()
	_, err := dynamodb.NewFromConfig(serverConfig(t, server, "DYNAMODB")).CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: dynamotypes.BillingModePayPerRequest,
		AttributeDefinitions: []dynamotypes.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: dynamotypes.ScalarAttributeTypeS}},
		KeySchema:            []dynamotypes.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: dynamotypes.KeyTypeHash}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// metricLines are the lines in CloudWatch's format that the function wrote.
func metricLines(t *testing.T, logs string) []map[string]any {
	t.Helper()
	var docs []map[string]any
	for line := range strings.Lines(logs) {
		var doc map[string]any
		if json.Unmarshal([]byte(line), &doc) == nil && doc["_aws"] != nil {
			docs = append(docs, doc)
		}
	}
	return docs
}

// A message that is delivered twice, to two environments of the function, starts one
// execution, because they share the table. Metrics report both.
func TestDedupeTable(t *testing.T) {
	t.Parallel()
	server := mototest.Start(t)
	newTable(t, server, "dedupe")
	states := lambdatest.NewStepFunctions(lambdatest.StepFunctionsOptions{})
	t.Cleanup(states.Close)
	env := map[string]string{
		"AWS_ENDPOINT_URL_SFN": states.URL, "AWS_ENDPOINT_URL_DYNAMODB": server.URL, "EXPRESSWAY_DEDUPE_TABLE": "dedupe",
		"EXPRESSWAY_CONFIG": routesFile(t, `
  - name: orders
    sqs: orders
    start: arn:aws:states:us-east-1:123456789012:stateMachine:orders
    dedupe: {key: "{% $message.body.orderId %}", for: 1h}
`),
	}
	event := func(id, body string) []byte {
		return fmt.Appendf(nil, `{"Records": [{"messageId": %q, "body": %q, "attributes": {"ApproximateReceiveCount": "1"}, "messageAttributes": {},
			"eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:orders"}]}`, id, body)
	}
	first, second := start(t, "queue", lambdatest.Options{Env: env}), start(t, "queue", lambdatest.Options{Env: env})
	const order = `{"orderId":"o-1"}`
	for _, step := range []struct {
		fn       *lambdatest.Function
		id, body string
		starts   int
		failed   bool
	}{
		{first, "m-1", order, 1, false},
		{first, "m-2", order, 1, false},
		{second, "m-3", order, 1, false},
		{second, "m-4", `{"orderId":"o-1","other":true}`, 1, true}, // Expressway.DedupeMismatch
		{second, "m-5", `{"orderId":"o-2"}`, 2, false},
	} {
		result, err := step.fn.Invoke(t.Context(), event(step.id, step.body), lambdatest.InvokeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if failed := strings.Contains(string(result.Payload), step.id); failed != step.failed || states.Calls() != step.starts {
			t.Errorf("%s: response %s and %d executions, want failed %v and %d", step.id, result.Payload, states.Calls(), step.failed, step.starts)
		}
	}
	second.Stop()
	var got []string
	for _, doc := range metricLines(t, second.Logs()) {
		got = append(got, fmt.Sprint(doc["Route"], doc["Source"], doc["Received"], doc["Started"], doc["Duplicates"], doc["ColdStart"]))
	}
	want := "orderssqs1 <nil> 1 1|orderssqs1 <nil> 1 <nil>|orderssqs1 1 <nil> <nil>"
	if strings.Join(got, "|") != want {
		t.Errorf("metrics = %s, want %s", strings.Join(got, "|"), want)
	}
}

// Without the table, the function warns once, at startup, that it remembers deliveries only
// in memory.
func TestDedupeWithoutTable(t *testing.T) {
	t.Parallel()
	env := map[string]string{"EXPRESSWAY_METRICS": "off", "EXPRESSWAY_CONFIG": routesFile(t, `
  - name: orders
    sqs: orders
    start: orders
    dedupe: {key: "{% $message.body %}"}
  - name: payments
    eventbridge: {source: shop}
    start: payments
`)}
	for function, want := range map[string]int{"queue": 1, "event": 0, "webhook": 0} {
		fn := start(t, function, lambdatest.Options{Env: env})
		fn.Stop()
		if got := strings.Count(fn.Logs(), "EXPRESSWAY_DEDUPE_TABLE"); got != want {
			t.Errorf("%s warns %d times, want %d:\n%s", function, got, want, fn.Logs())
		}
	}
}

// The webhook function verifies with secrets from both services, accepts a rotated one as
// soon as it is used, and reveals none.
func TestRemoteSecrets(t *testing.T) {
	t.Parallel()
	server := mototest.Start(t)
	_, err := ssm.NewFromConfig(serverConfig(t, server, "SSM")).PutParameter(t.Context(), &ssm.PutParameterInput{
		Name: aws.String("/orders/key"), Value: aws.String("hunter2-parameter"), Type: ssmtypes.ParameterTypeSecureString,
	})
	if err != nil {
		t.Fatal(err)
	}
	vault := secretsmanager.NewFromConfig(serverConfig(t, server, "SECRETS_MANAGER"))
	_, err = vault.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{
		Name: aws.String("orders"), SecretString: aws.String(`{"key":"hunter2-secret"}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	rotate := func() {
		_, err := vault.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{
			SecretId: aws.String("orders"), SecretString: aws.String(`{"key":"hunter2-rotated"}`),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	states := lambdatest.NewStepFunctions(lambdatest.StepFunctionsOptions{})
	t.Cleanup(states.Close)
	fn := start(t, "webhook", lambdatest.Options{Env: map[string]string{
		"AWS_ENDPOINT_URL_SFN": states.URL, "AWS_ENDPOINT_URL_SSM": server.URL, "AWS_ENDPOINT_URL_SECRETS_MANAGER": server.URL,
		"EXPRESSWAY_CONFIG": routesFile(t, `
  - name: orders
    http: POST /orders
    verify: {token: {header: X-Api-Key}, secrets: ["ssm:/orders/key", "secretsmanager:orders#key", "secretsmanager:orders#key@AWSPREVIOUS"]}
    start: arn:aws:states:us-east-1:123456789012:stateMachine:orders
`),
	}})
	for _, step := range []struct {
		key    string
		status int
		before func()
	}{
		{"hunter2-parameter", http.StatusOK, func() {}},
		{"hunter2-secret", http.StatusOK, func() {}},
		{"hunter2-rotated", http.StatusOK, rotate},
		{"hunter2-secret", http.StatusOK, func() {}}, // the previous version
		{"forged", http.StatusUnauthorized, func() {}},
	} {
		step.before()
		key, want := step.key, step.status
		event := fmt.Sprintf(`{"version": "2.0", "rawPath": "/orders", "rawQueryString": "", "headers": {"x-api-key": %q, "content-type": "application/json"},
			"requestContext": {"requestId": "r-1", "stage": "$default", "http": {"method": "POST", "path": "/orders", "sourceIp": "192.0.2.1"}},
			"body": "{}", "isBase64Encoded": false}`, key)
		result, err := fn.Invoke(t.Context(), []byte(event), lambdatest.InvokeOptions{})
		var response struct{ StatusCode int }
		if err != nil || json.Unmarshal(result.Payload, &response) != nil || response.StatusCode != want {
			t.Errorf("%s: %s, %v, want %d", key, result.Payload, err, want)
		}
	}
	fn.Stop()
	if bytes.Contains([]byte(fn.Logs()), []byte("hunter2")) {
		t.Errorf("the logs show a secret:\n%s", fn.Logs())
	}
}
