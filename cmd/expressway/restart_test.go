package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/internal/shared"
)

// beforeKill starts an execution that waits for an activity's worker and one that waits for
// a token, and prints what afterKill needs.
const beforeKill = `
import boto3, json, sys, time
sfn = boto3.client("stepfunctions", endpoint_url=sys.argv[1], region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="a")
role = "arn:aws:iam::123456789012:role/r"
def machine(name, states):
    return sfn.create_state_machine(name=name, roleArn=role, definition=json.dumps({"StartAt": next(iter(states)), "States": states}))["stateMachineArn"]
activity = sfn.create_activity(name="work")["activityArn"]
child = machine("child", {"P": {"Type": "Pass", "End": True}})
work = machine("work", {"Do": {"Type": "Task", "Resource": activity, "HeartbeatSeconds": 600, "End": True}})
wait = machine("wait", {
    "First": {"Type": "Pass", "Result": {"first": 1}, "Next": "Wait"},
    "Wait": {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.waitForTaskToken", "TimeoutSeconds": 600, "ResultPath": "$.answer",
             "Parameters": {"StateMachineArn": child, "Name": "c", "Input": {"token.$": "$$.Task.Token"}}, "End": True}})
first = sfn.start_execution(stateMachineArn=work, name="w")["executionArn"]
token = sfn.get_activity_task(activityArn=activity, workerName="boto3")["taskToken"]
second = sfn.start_execution(stateMachineArn=wait, name="w")["executionArn"]
while True:
    types = [e["type"] for e in sfn.get_execution_history(executionArn=second)["events"]]
    if "TaskSubmitted" in types: break
    time.sleep(0.02)
other = json.loads(sfn.describe_execution(executionArn="arn:aws:states:us-east-1:123456789012:execution:child:c")["input"])["token"]
print(json.dumps([[first, token], [second, other]]))
`

// afterKill answers the tokens, and prints how the executions end.
const afterKill = `
import boto3, json, sys, time
sfn = boto3.client("stepfunctions", endpoint_url=sys.argv[1], region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="a")
for arn, token in json.loads(sys.argv[2]):
    assert sfn.describe_execution(executionArn=arn)["status"] == "RUNNING"
    sfn.send_task_heartbeat(taskToken=token)
    sfn.send_task_success(taskToken=token, output='{"n": 1}')
    try:
        sfn.send_task_success(taskToken=token, output='{}')
        print("a second answer was taken")
    except sfn.exceptions.TaskTimedOut:
        pass
    for _ in range(1000):
        done = sfn.describe_execution(executionArn=arn)
        if done["status"] != "RUNNING": break
        time.sleep(0.02)
    print(done["status"], done.get("output"), sfn.get_execution_history(executionArn=arn, reverseOrder=True)["events"][0]["type"])
`

// Tokens and activities survive kill -9, with boto3 as the client.
func TestTokensSurviveAKill(t *testing.T) {
	t.Parallel()
	python := shared.Program(t, "EXPRESSWAY_PYTHON")
	needed(t, exec.CommandContext(t.Context(), python, "-c", "import boto3"))
	data := t.TempDir()
	url, cmd := devProcess(t, data)
	out, err := exec.CommandContext(t.Context(), python, "-c", beforeKill, url).Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, err.(*exec.ExitError).Stderr)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	url, cmd = devProcess(t, data)
	again, err := exec.CommandContext(t.Context(), python, "-c", afterKill, url, strings.TrimSpace(string(out))).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, again)
	}
	const want = `SUCCEEDED {"n": 1} ExecutionSucceeded
SUCCEEDED {"first":1,"answer":{"n":1}} ExecutionSucceeded
`
	if strings.ReplaceAll(string(again), `{"n":1} Ex`, `{"n": 1} Ex`) != want {
		t.Errorf("after the restart:\n%swant\n%s", again, want)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(data, "*.execution.jsonl")); len(left) != 0 {
		t.Errorf("%v is left of executions that have ended", left)
	}
}

// devProcess runs dev on a folder of data, in a process of its own.
func devProcess(t *testing.T, data string) (url string, _ *exec.Cmd) {
	t.Helper()
	cmd, lines := process(t, t.TempDir(), nil, "dev", "--http", "127.0.0.1:0", "--states", "127.0.0.1:0", "--data", data)
	for lines.Scan() && lines.Text() != "Press Ctrl-C to stop" {
		if rest, ok := strings.CutPrefix(lines.Text(), "step functions"); ok {
			url = strings.TrimSpace(rest)
		}
	}
	go func() {
		for lines.Scan() {
		}
	}()
	if url == "" {
		t.Fatal("dev does not start")
	}
	return url, cmd
}
