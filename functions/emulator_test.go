//go:build unix

package functions_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/internal/shared"
)

// The Runtime Interface Emulator is what `sam local invoke` runs. It tests what users will
// see first; internal/lambdatest tests the function itself.
func TestRuntimeInterfaceEmulator(t *testing.T) {
	t.Parallel()
	binary := shared.Program(t, "EXPRESSWAY_RIE")
	url := emulate(t, binary, "webhook")
	const name = "webhook-order-accepted.json"
	var want any
	if err := json.Unmarshal([]byte(samples[name]), &want); err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Timeout: time.Minute}
	// Sequentially, because the emulator crashes on two invocations at once.
	for n := range 3 {
		reply, err := client.Post(url, "application/json", bytes.NewReader(sample(t, name)))
		if err != nil {
			t.Fatalf("invocation %d: %v", n, err)
		}
		payload, err := io.ReadAll(reply.Body)
		_ = reply.Body.Close()
		if err != nil || reply.StatusCode != http.StatusOK {
			t.Fatalf("invocation %d: got %s, %v: %s", n, reply.Status, err, payload)
		}
		if diff := cmp.Diff(want, response(t, payload)); diff != "" {
			t.Errorf("invocation %d: response (-want +got):\n%s", n, diff)
		}
	}
}

// emulate starts the emulator with the function's bootstrap, and returns the URL to
// invoke it at.
func emulate(t *testing.T, binary, function string) string {
	t.Helper()
	return emulateIn(t, binary, function, filepath.Join(artifacts, function), bootstrap(function))
}

// emulateIn is emulate for code in one folder and a command from anywhere.
func emulateIn(t *testing.T, binary, function, taskRoot string, command ...string) string {
	t.Helper()
	front, runtimeAPI := freeAddress(t), freeAddress(t)
	cmd := exec.Command(binary, append([]string{
		"--runtime-interface-emulator-address", front,
		"--runtime-api-address", runtimeAPI,
	}, command...)...)
	cmd.Dir = taskRoot
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "LAMBDA_TASK_ROOT=" + cmd.Dir,
		// If they are not set, the emulator passes empty ones to the function.
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_SESSION_TOKEN=test",
		"AWS_REGION=us-east-1", "AWS_LAMBDA_FUNCTION_TIMEOUT=30",
	}
	for name, value := range environment(t, function, stepFunctions(t)) {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	// A separate process group, so that the bootstrap ends with the emulator.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		t.Fatalf("start the emulator: %v", err)
	}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = cmd.Wait() // by a signal of the cleanup
	}()
	t.Cleanup(func() {
		// Asked first: the emulator ends the bootstrap, wherever it has put it.
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-exited:
		case <-time.After(5 * time.Second):
		}
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-exited
		if t.Failed() {
			t.Logf("output of the emulator:\n%s", &output)
		}
	})
	awaitListener(t, front, exited)
	return fmt.Sprintf("http://%s/2015-03-31/functions/function/invocations", front)
}

// freeAddress is a loopback address without a listener. The emulator does not accept a
// listener, so another process may take the address first; then the test fails, and does
// not hang.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func awaitListener(t *testing.T, address string, exited <-chan struct{}) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		if conn, err := net.DialTimeout("tcp", address, time.Second); err == nil {
			_ = conn.Close()
			return
		}
		select {
		case <-exited:
			t.Fatal("the emulator exited")
		case <-deadline:
			t.Fatal("the emulator does not listen")
		case <-time.After(20 * time.Millisecond):
		}
	}
}
