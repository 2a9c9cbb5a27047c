//go:build linux

package functions_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/internal/lambdatest"
)

// inCgroup returns a bootstrap that runs the function in a memory cgroup of a number of MB,
// without swap, as in Lambda's sandbox. The test is skipped if no cgroup can be made, which
// requires root and cgroup v1.
func inCgroup(t *testing.T, function string, megabytes int) string {
	t.Helper()
	group := filepath.Join("/sys/fs/cgroup/memory", fmt.Sprintf("expressway-%d-%s", os.Getpid(), filepath.Base(t.TempDir())))
	if err := os.Mkdir(group, 0o700); err != nil {
		t.Skipf("cannot create a memory cgroup here: %v", err)
	}
	t.Cleanup(func() {
		for range 50 { // the kernel needs a moment after the last process
			if os.Remove(group) == nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
		t.Errorf("the cgroup %s is left over", group)
	})
	limit := strconv.Itoa(megabytes << 20)
	if err := os.WriteFile(filepath.Join(group, "memory.limit_in_bytes"), []byte(limit), 0); err != nil {
		t.Skipf("cannot set the cgroup's limit: %v", err)
	}
	_ = os.WriteFile(filepath.Join(group, "memory.memsw.limit_in_bytes"), []byte(limit), 0) // absent without swap accounting
	script := filepath.Join(t.TempDir(), "bootstrap")
	text := fmt.Sprintf("#!/bin/sh\necho $$ > %s/cgroup.procs\nexec %s\n", group, bootstrap(function))
	if err := os.WriteFile(script, []byte(text), 0o700); err != nil { //nolint:gosec // it is to be run
		t.Fatal(err)
	}
	return script
}

// A function's memory suffices for what it keeps, however much garbage it makes: five
// messages of a megabyte whose expressions visit every value.
func TestMemoryOfTheFunction(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("fills the memory of a function")
	}
	root := t.TempDir()
	const routes = `version: 1
routes:
  - {name: q, sqs: q, start: m, concurrency: 3, input: {n: '{% $count($message.body.**) %}'}}
`
	if err := os.WriteFile(filepath.Join(root, "expressway.yaml"), []byte(routes), 0o600); err != nil {
		t.Fatal(err)
	}
	states := lambdatest.NewStepFunctions(lambdatest.StepFunctionsOptions{})
	t.Cleanup(states.Close)
	body := "[" + strings.Repeat("{},", 349_000) + "{}]"
	records := make([]map[string]any, 5)
	for i := range records {
		records[i] = map[string]any{
			"messageId": strconv.Itoa(i), "receiptHandle": "h", "body": body, "attributes": map[string]string{"ApproximateReceiveCount": "1"},
			"messageAttributes": map[string]any{}, "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:q",
		}
	}
	event, err := json.Marshal(map[string]any{"Records": records})
	if err != nil {
		t.Fatal(err)
	}
	const size = 256
	f, err := lambdatest.Start(t.Context(), lambdatest.Options{
		Bootstrap: inCgroup(t, "queue", size), TaskRoot: root, Memory: size, Timeout: time.Minute, Env: environment(t, "queue", states.URL),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Stop)
	for i := range 3 { // without a limit, six of eight are killed
		result, err := f.Invoke(t.Context(), event, lambdatest.InvokeOptions{})
		if err != nil || string(result.Payload) != `{"batchItemFailures":[]}` {
			t.Fatalf("invocation %d: %s, %v", i, result.Payload, err)
		}
	}
}
