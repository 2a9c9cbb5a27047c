package functions_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/internal/checkout"
	"github.com/expressway-dev/expressway/internal/lambdatest"
	"github.com/expressway-dev/expressway/pkg/devserver"
	"github.com/expressway-dev/expressway/pkg/statesapi"
)

// artifacts has a folder for each function, with what a deployment package holds.
var artifacts string

// templateNames are the functions' logical ids, by which env.json names them.
var templateNames = map[string]string{
	"webhook": "WebhookFunction", "queue": "QueueFunction", "event": "EventFunction",
}

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "expressway-functions")
		if err == nil {
			defer os.RemoveAll(dir)
			artifacts = dir
			err = build(dir)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}())
}

// build does what the Makefile does for SAM, but for this machine.
func build(dir string) error {
	routes, err := os.ReadFile("../expressway.yaml")
	if err != nil {
		return err
	}
	for name := range templateNames {
		if err := checkout.Build(context.Background(), "functions/"+name, runtime.GOOS, runtime.GOARCH, filepath.Join(dir, name)); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name, "expressway.yaml"), routes, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func bootstrap(function string) string { return filepath.Join(artifacts, function, "bootstrap") }

// environment returns the variables of env.json for the function, with Step Functions at
// endpoint.
func environment(t *testing.T, function, endpoint string) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../env.json")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]map[string]string
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatalf("env.json: %v", err)
	}
	env := maps.Clone(all[templateNames[function]])
	if env == nil {
		t.Fatalf("env.json has no %s", templateNames[function])
	}
	env["AWS_ENDPOINT_URL_SFN"] = endpoint
	return env
}

// stepFunctions serves the sample state machines, whose tasks are mocked, and returns the
// endpoint.
func stepFunctions(t *testing.T) string {
	t.Helper()
	return statesEndpoint(t, "../statemachines", map[string]string{"SFN_MOCK_CONFIG": "../mocks.json"})
}

// statesEndpoint serves the state machines of a folder, whose tasks run according to the
// variables, and returns the endpoint.
func statesEndpoint(t *testing.T, folder string, variables map[string]string) string {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	env := environment(t, "webhook", "")
	maps.Copy(env, variables)
	local, err := devserver.NewLocal(devserver.Options{
		Config: "../expressway.yaml", StateMachines: folder,
		Getenv: func(name string) string { return env[name] }, Log: log,
	})
	if err != nil {
		t.Fatalf("local Step Functions: %v", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := statesapi.NewServer(statesapi.NewHandler(local.States, statesapi.HandlerOptions{Log: log}))
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // ErrServerClosed, by the cleanup
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := local.Close(ctx); err != nil {
			t.Errorf("close the local Step Functions: %v", err)
		}
	})
	return "http://" + listener.Addr().String()
}

// start starts the function with env, and with defaults for a busy machine.
func start(t *testing.T, function string, o lambdatest.Options) *lambdatest.Function {
	t.Helper()
	o.Bootstrap, o.Name, o.Timeout = bootstrap(function), function, 30*time.Second
	fn, err := lambdatest.Start(t.Context(), o)
	if err != nil {
		t.Fatalf("start %s: %v", function, err)
	}
	t.Cleanup(func() {
		fn.Stop()
		if t.Failed() {
			logs := fn.Logs()
			t.Logf("end of the logs of %s:\n%s", function, logs[max(0, len(logs)-4096):])
		}
	})
	return fn
}

func sample(t *testing.T, name string) []byte {
	t.Helper()
	event, err := os.ReadFile(filepath.Join("..", "events", name))
	if err != nil {
		t.Fatal(err)
	}
	return event
}
