package devserver_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/expressway-dev/expressway/internal/mototest"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/console"
	"github.com/expressway-dev/expressway/pkg/devserver"
)

// acceptingLocal has one route with a queue, and counts its executions.
func acceptingLocal(t *testing.T, queue string, getenv func(string) string, recorder *console.Recorder, starter bridge.Starter) *devserver.Local {
	t.Helper()
	path := filepath.Join(t.TempDir(), "expressway.yaml")
	text := "version: 1\nroutes:\n  - {name: hook, http: POST /hook, verify: none, start: m, queue: \"" + queue + "\", input: \"{% $request.body %}\"}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	local, err := devserver.NewLocal(devserver.Options{Config: path, Getenv: getenv, Log: slog.New(slog.DiscardHandler), Starter: starter, Recorder: recorder})
	if err != nil {
		t.Fatal(err)
	}
	return local
}

const hookEvent = `{"version":"2.0","rawPath":"/hook","headers":{"content-type":"application/json"},"body":"{\"n\":1.0}",
"requestContext":{"requestId":"r-1","http":{"method":"POST","path":"/hook"}}}`

func deliverHook(t *testing.T, local *devserver.Local) {
	t.Helper()
	handler, err := local.Handler("webhook")
	if err != nil {
		t.Fatal(err)
	}
	out, err := handler.Invoke(t.Context(), []byte(hookEvent))
	if err != nil || !strings.Contains(string(out), `"statusCode":202`) {
		t.Fatalf("%s, %v", out, err)
	}
}

// Without SQS, a delivery is accepted into memory, and processed again until it succeeds;
// the console links the two.
func TestAcceptedIntoMemory(t *testing.T) {
	t.Parallel()
	var tries atomic.Int32
	recorder := console.NewRecorder(console.Options{})
	local := acceptingLocal(t, "https://sqs.eu-west-1.amazonaws.com/123456789012/hooks", noEnvironment, recorder,
		starterFunc(func(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
			if string(s.Input) != `{"n":1.0}` || s.Name != "hook-r-1" {
				t.Errorf("started %s with %s", s.Name, s.Input)
			}
			if tries.Add(1) == 1 {
				return bridge.Outcome{ExecutionARN: "arn", Status: bridge.Failed, Error: "No"}, nil
			}
			return echo(ctx, s)
		}))
	deliverHook(t, local)
	for deadline := time.Now().Add(time.Minute); tries.Load() < 2; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d tries", tries.Load())
		}
	}
	if err := local.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, d := range recorder.Deliveries(func(*console.Delivery) bool { return true }, 100) {
		for _, r := range d.Records {
			got += fmt.Sprint(d.Function, " ", r.Decision, " ", r.Linked != 0, "; ")
		}
	}
	for _, want := range []string{"webhook accepted true; ", "queue started true; "} {
		if !strings.Contains(got, want) {
			t.Errorf("the console has %s", got)
		}
	}
}

// With an endpoint of SQS, a delivery goes through its queue.
func TestAcceptedIntoSQS(t *testing.T) {
	t.Parallel()
	server := mototest.Start(t)
	client := sqs.New(sqs.Options{BaseEndpoint: aws.String(server.URL), Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")})
	if _, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("hooks")}); err != nil {
		t.Fatal(err)
	}
	started := make(chan string, 10)
	getenv := func(name string) string {
		if name == "AWS_ENDPOINT_URL_SQS" {
			return server.URL
		}
		return ""
	}
	local := acceptingLocal(t, "arn:aws:sqs:us-east-1:123456789012:hooks", getenv, nil, starterFunc(func(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
		started <- string(s.Input)
		return echo(ctx, s)
	}))
	defer func() { _ = local.Close(t.Context()) }()
	queues := local.Accepting(getenv)
	if len(queues) != 1 {
		t.Fatalf("the queues to poll are %v", queues)
	}
	deliverHook(t, local)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- local.Poll(ctx, queues[0], getenv, slog.New(slog.DiscardHandler)) }()
	select {
	case input := <-started:
		if input != `{"n":1.0}` {
			t.Errorf("started with %s", input)
		}
	case <-time.After(time.Minute):
		t.Error("nothing was started")
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
