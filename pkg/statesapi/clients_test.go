package statesapi

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/internal/shared"
)

// clientLimit bounds each start of another program.
const clientLimit = time.Minute

// boto3 works against the endpoint; EXPRESSWAY_PYTHON names a python that has it.
func TestBoto3(t *testing.T) {
	t.Parallel()
	python := shared.Program(t, "EXPRESSWAY_PYTHON")
	ctx, cancel := context.WithTimeout(t.Context(), clientLimit)
	defer cancel()
	server := newServer(t, newService(t, Options{Now: time.Now, UUID: randomUUIDs()}, passDefinition))
	out, err := exec.CommandContext(ctx, python, filepath.Join("testdata", "boto3_client.py"), server.URL).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "ok" {
		t.Errorf("boto3: %v\n%s", err, out)
	}
}

// The AWS CLI works against the endpoint; EXPRESSWAY_AWS names one.
func TestAWSCLI(t *testing.T) {
	t.Parallel()
	cli := shared.Program(t, "EXPRESSWAY_AWS")
	ctx, cancel := context.WithTimeout(t.Context(), clientLimit)
	defer cancel()
	server := newServer(t, newService(t, Options{Now: time.Now, UUID: randomUUIDs()}, passDefinition))
	run := func(args ...string) (string, error) {
		c := exec.CommandContext(ctx, cli, append([]string{"stepfunctions", "--output", "json"}, args...)...)
		c.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+server.URL, "AWS_DISABLE_HOST_PREFIX_INJECTION=true", "AWS_REGION=us-east-1",
			"AWS_DEFAULT_REGION=us-east-1", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_MAX_ATTEMPTS=1", "AWS_PAGER=",
			"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull)
		out, err := c.CombinedOutput()
		return string(out), err
	}
	out, err := run("start-sync-execution", "--state-machine-arn", machineARN, "--input", `{"a": 1}`)
	var answer struct{ Status, Output string }
	if err != nil || json.Unmarshal([]byte(out), &answer) != nil || answer.Status != "SUCCEEDED" || answer.Output != `{"a":1}` && answer.Output != `{"a": 1}` {
		t.Errorf("start-sync-execution = %s, %v, want SUCCEEDED", out, err)
	}
	out, err = run("list-state-machines", "--query", "stateMachines[].name")
	if err != nil || !strings.Contains(out, `"orders"`) {
		t.Errorf("list-state-machines = %s, %v, want orders", out, err)
	}
	out, err = run("publish-state-machine-version", "--state-machine-arn", machineARN, "--query", "stateMachineVersionArn")
	if err != nil || !strings.Contains(out, machineARN+":1") {
		t.Errorf("publish-state-machine-version = %s, %v, want version 1", out, err)
	}
	out, err = run("create-state-machine-alias", "--name", "PROD", "--routing-configuration", "stateMachineVersionArn="+machineARN+":1,weight=100")
	if err != nil || !strings.Contains(out, machineARN+":PROD") {
		t.Errorf("create-state-machine-alias = %s, %v, want PROD", out, err)
	}
	out, err = run("validate-state-machine-definition", "--definition", `{"StartAt": "A"}`)
	if err != nil || !strings.Contains(out, "These fields are required: [States]") {
		t.Errorf("validate-state-machine-definition = %s, %v, want what is missing", out, err)
	}
	out, err = run("describe-state-machine", "--state-machine-arn", machineARN+"x")
	if err == nil || !strings.Contains(out, "StateMachineDoesNotExist") {
		t.Errorf("describe-state-machine = %s, %v, want StateMachineDoesNotExist", out, err)
	}
}
