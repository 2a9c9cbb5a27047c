package statesapi

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// newServer serves a service as the tools do, on the real clock.
func newServer(t *testing.T, s *Service) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	server.Config = NewServer(NewHandler(s, HandlerOptions{}))
	server.Start()
	t.Cleanup(server.Close)
	return server
}

// newClient returns an SDK client with the one setting that every custom endpoint needs.
func newClient(server *httptest.Server) *sfn.Client {
	return sfn.New(sfn.Options{
		Region: DefaultRegion, BaseEndpoint: aws.String(server.URL), HTTPClient: server.Client(),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
		RetryMaxAttempts: 1,
		APIOptions: []func(*middleware.Stack) error{func(stack *middleware.Stack) error {
			return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("NoHostPrefix",
				func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
					return next.HandleInitialize(smithyhttp.DisableEndpointHostPrefix(ctx, true), in)
				}), middleware.Before)
		}},
	})
}

// The SDK reads every answer, and finds its own error types.
func TestSDK(t *testing.T) {
	t.Parallel()
	client := newClient(newServer(t, newService(t, Options{Now: time.Now}, passDefinition)))
	ctx := t.Context()

	created, err := client.CreateStateMachine(ctx, &sfn.CreateStateMachineInput{
		Name: aws.String("sdk"), Definition: aws.String(failDefinition), RoleArn: aws.String(roleARN), Type: types.StateMachineTypeExpress,
		Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if since := time.Since(*created.CreationDate); since < -time.Second || since > time.Minute {
		t.Errorf("creation date = %v, want now", created.CreationDate)
	}
	described, err := client.DescribeStateMachine(ctx, &sfn.DescribeStateMachineInput{StateMachineArn: created.StateMachineArn})
	if err != nil {
		t.Fatal(err)
	}
	if *described.Definition != failDefinition || described.Type != types.StateMachineTypeExpress || described.Status != types.StateMachineStatusActive ||
		described.LoggingConfiguration.Level != types.LogLevelOff || described.TracingConfiguration.Enabled {
		t.Errorf("DescribeStateMachine = %+v, want the definition and the defaults", described)
	}
	listed, err := client.ListStateMachines(ctx, &sfn.ListStateMachinesInput{})
	if err != nil {
		t.Fatal(err)
	}
	if len(listed.StateMachines) != 2 || *listed.StateMachines[1].StateMachineArn != *created.StateMachineArn || listed.NextToken != nil {
		t.Errorf("list = %+v, want orders and sdk", listed.StateMachines)
	}
	tags, err := client.ListTagsForResource(ctx, &sfn.ListTagsForResourceInput{ResourceArn: created.StateMachineArn})
	if err != nil || len(tags.Tags) != 1 || *tags.Tags[0].Key != "k" {
		t.Errorf("tags = %+v, %v, want k=v", tags, err)
	}
	checked, err := client.ValidateStateMachineDefinition(ctx, &sfn.ValidateStateMachineDefinitionInput{Definition: aws.String("{}")})
	if err != nil || checked.Result != types.ValidateStateMachineDefinitionResultCodeFail || len(checked.Diagnostics) == 0 {
		t.Errorf("validated = %+v, %v, want FAIL with diagnostics", checked, err)
	}

	failed, err := client.StartSyncExecution(ctx, &sfn.StartSyncExecutionInput{StateMachineArn: created.StateMachineArn, Input: aws.String("{}")})
	if err != nil {
		t.Fatal(err)
	}
	if failed.Status != types.SyncExecutionStatusFailed || *failed.Error != "Order.Rejected" || *failed.Cause != "no stock" || failed.Output != nil {
		t.Errorf("execution = %+v, want FAILED Order.Rejected", failed)
	}
	if _, err := client.UpdateStateMachine(ctx, &sfn.UpdateStateMachineInput{StateMachineArn: created.StateMachineArn, Definition: aws.String(passDefinition)}); err != nil {
		t.Fatal(err)
	}
	succeeded, err := client.StartSyncExecution(ctx, &sfn.StartSyncExecutionInput{
		StateMachineArn: created.StateMachineArn, Name: aws.String("n"), Input: aws.String(`{"a":9007199254740993}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	if succeeded.Status != types.SyncExecutionStatusSucceeded || *succeeded.Output != `{"a":9007199254740993}` || *succeeded.Name != "n" ||
		succeeded.BillingDetails.BilledMemoryUsedInMB != 64 || !succeeded.InputDetails.Included {
		t.Errorf("execution = %+v, want the input as output", succeeded)
	}
	if _, err := client.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: created.StateMachineArn}); err != nil {
		t.Errorf("the SDK's StartExecution failed: %v", err)
	}
	if _, err := client.DeleteStateMachine(ctx, &sfn.DeleteStateMachineInput{StateMachineArn: created.StateMachineArn}); err != nil {
		t.Errorf("the SDK's DeleteStateMachine failed: %v", err)
	}
	_, err = client.DescribeStateMachine(ctx, &sfn.DescribeStateMachineInput{StateMachineArn: created.StateMachineArn})
	var missing *types.StateMachineDoesNotExist
	if !errors.As(err, &missing) || missing.ErrorMessage() != "State Machine Does Not Exist: '"+*created.StateMachineArn+"'" {
		t.Errorf("error = %v, want StateMachineDoesNotExist", err)
	}
}

// 200 concurrent clients get their own answers while machines are created and deleted.
func TestConcurrentClients(t *testing.T) {
	t.Parallel()
	s := newService(t, Options{Now: time.Now, UUID: randomUUIDs()}, passDefinition)
	server := newServer(t, s)
	client := newClient(server)
	var group sync.WaitGroup
	seen := sync.Map{}
	for i := range 200 {
		group.Go(func() {
			name := fmt.Sprint("m-", i%20)
			if err := s.Put(name, []byte(passDefinition)); err != nil {
				t.Error(err)
			}
			for j := range 3 {
				input := fmt.Sprintf(`{"client":%d,"call":%d}`, i, j)
				out, err := client.StartSyncExecution(t.Context(), &sfn.StartSyncExecutionInput{
					StateMachineArn: aws.String(machineARN), Input: &input, Name: aws.String("same"),
				})
				if err != nil {
					t.Error(err)
					return
				}
				if out.Output == nil || *out.Output != input {
					t.Errorf("output = %v, want %s", out.Output, input)
				}
				if _, twice := seen.LoadOrStore(*out.ExecutionArn, true); twice {
					t.Errorf("execution ARN %s was given twice", *out.ExecutionArn)
				}
			}
			if _, err := s.List(ListInput{}); err != nil {
				t.Error(err)
			}
			moveAlias(t, s, i%10)
			if err := s.Delete(DeleteInput{ptr(s.ARN(name))}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

// moveAlias moves an alias to the latest version and starts it, whatever others do to it.
func moveAlias(t *testing.T, s *Service, n int) {
	if _, err := s.update(updateInput{StateMachineARN: ptr(machineARN), RoleARN: ptr(fmt.Sprint(roleARN, n))}); err != nil {
		t.Error(err)
	}
	version, err := s.publishVersion(publishInput{StateMachineARN: ptr(machineARN)})
	if err != nil {
		t.Error(err)
		return
	}
	made, err := s.createAlias(createAliasInput{
		Name: ptr(fmt.Sprint("a-", n)), Routes: []routingItem{{&version.StateMachineVersionARN, ptr[int64](100)}},
	})
	var e *Error
	if errors.As(err, &e) && e.Code == ConflictException { // another client's, with another version
		return
	}
	if err != nil {
		t.Error(err)
		return
	}
	if out, err := s.StartSync(t.Context(), StartInput{StateMachineARN: &made.StateMachineAliasARN}); err != nil || out.Status != bridge.Succeeded {
		t.Errorf("a start of the alias %s returned %v %v, want SUCCEEDED", made.StateMachineAliasARN, out.Status, err)
	}
}

func BenchmarkStartSync(b *testing.B) {
	s := New(Options{})
	if err := s.Put("orders", []byte(passDefinition)); err != nil {
		b.Fatal(err)
	}
	starter := s.Starter()
	in := bridge.Start{StateMachineARN: machineARN, Name: "n", Input: []byte(`{"id":1}`)}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := starter.StartSync(b.Context(), in); err != nil {
			b.Fatal(err)
		}
	}
}

func syncInput(input string) *sfn.StartSyncExecutionInput {
	return &sfn.StartSyncExecutionInput{StateMachineArn: aws.String(machineARN), Input: &input}
}
