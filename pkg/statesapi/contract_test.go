package statesapi_test

import (
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/expressway-dev/expressway/pkg/bridge/bridgetest"
	"github.com/expressway-dev/expressway/pkg/statesapi"
	"github.com/expressway-dev/expressway/pkg/stepfn"
)

// Both Starters of the project fulfil the bridge's contract: the one in this process, and
// the SDK's for the local endpoint.
func TestStarterContract(t *testing.T) {
	t.Parallel()
	service := statesapi.New(statesapi.Options{})
	t.Cleanup(func() { _ = service.Close(t.Context()) })
	role, express := "arn:aws:iam::123456789012:role/r", "EXPRESS"
	for name, definition := range map[string]string{
		"echo":  `{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}`,
		"fails": `{"StartAt":"A","States":{"A":{"Type":"Fail","Error":"Custom.Error","Cause":"because"}}}`,
		"hangs": `{"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":3,"End":true}}}`,
	} {
		if _, err := service.Create(statesapi.CreateInput{Name: &name, Definition: &definition, RoleARN: &role, Type: &express}); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(statesapi.NewHandler(service, statesapi.HandlerOptions{}))
	t.Cleanup(server.Close)
	for name, starter := range map[string]bridgetest.StarterContract{
		"in process": {Starter: service.Starter()},
		"by the SDK": {Starter: stepfn.New(stepfn.Options{
			Region: "us-east-1", Endpoint: server.URL, Credentials: credentials.NewStaticCredentialsProvider("x", "x", ""),
		})},
	} {
		t.Run(name, func(t *testing.T) {
			starter.Echo, starter.Fails, starter.Hangs = service.ARN("echo"), service.ARN("fails"), service.ARN("hangs")
			starter.Missing = service.ARN("missing")
			starter.Test(t)
		})
	}
}
