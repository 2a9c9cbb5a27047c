package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// startDev runs dev until stop is called, which returns what it wrote to standard error.
func startDev(t *testing.T, env map[string]string, args ...string) (states string, stop func() string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	read, write := io.Pipe()
	var errs strings.Builder
	done := make(chan int, 1)
	args = append([]string{"dev", "--http", "127.0.0.1:0", "--statemachines", t.TempDir()}, args...)
	go func() {
		done <- run(ctx, args, nil, write, &errs, func(name string) string { return env[name] })
		_ = write.Close()
	}()
	var out strings.Builder
	buffer := make([]byte, 4096)
	for !strings.Contains(out.String(), "Press Ctrl-C to stop") {
		n, err := read.Read(buffer)
		if err != nil {
			t.Fatalf("%v\n%s%s", err, out.String(), errs.String())
		}
		out.Write(buffer[:n])
	}
	go func() { _, _ = io.Copy(io.Discard, read) }()
	return regexp.MustCompile(`step functions +(http://\S+)`).FindStringSubmatch(out.String())[1], func() string {
		t.Helper()
		http.DefaultClient.CloseIdleConnections()
		cancel()
		select {
		case code := <-done:
			if code != 0 {
				t.Errorf("exit %d, want 0: %s", code, errs.String())
			}
		case <-time.After(10 * time.Second):
			t.Error("dev does not stop")
		}
		return errs.String()
	}
}

func callStates(t *testing.T, url, operation, request string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(request))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Target", "AWSStepFunctions."+operation)
	return answerTo(t, r)
}

// answerTo sends a request and returns the body of the answer.
func answerTo(t *testing.T, r *http.Request) string {
	t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What is created through the API outlives the program with --data, and only then.
func TestDevData(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	const (
		create = `{"name":"made","type":"EXPRESS","roleArn":"arn:aws:iam::1:role/r","publish":true,"definition":"{\"StartAt\":\"A\",\"States\":{\"A\":{\"Type\":\"Succeed\"}}}"}`
		start  = `{"stateMachineArn":"arn:aws:states:us-east-1:123456789012:stateMachine:made:1"}`
	)
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"kept":   {[]string{"--data", filepath.Join(t.TempDir(), "data")}, `"status":"SUCCEEDED"`},
		"memory": {nil, "StateMachineDoesNotExist"},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"--states", "127.0.0.1:0"}, tt.args...)
			url, stop := startDev(t, nil, args...)
			if got := callStates(t, url, "CreateStateMachine", create); !strings.Contains(got, "stateMachine:made:1") {
				t.Errorf("CreateStateMachine = %s, want version 1", got)
			}
			stop()
			url, stop = startDev(t, nil, args...)
			if got := callStates(t, url, "StartSyncExecution", start); !strings.Contains(got, tt.want) {
				t.Errorf("start = %s, want %s", got, tt.want)
			}
			stop()
		})
	}
}

// A broken file stops the start, and says which it is.
func TestDevBrokenData(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "orders.0.machine.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, errs := inProject(t, "", "dev", "--http", "127.0.0.1:0", "--states", "127.0.0.1:0", "--data", dir)
	if code != 1 || !strings.Contains(errs, filepath.Join(dir, "orders.0.machine.json")+": not a stored state machine") {
		t.Errorf("exit %d, want 1 and the file that is not a state machine: %s", code, errs)
	}
}

// Listening beyond this machine prints a warning; listening on loopback does not.
func TestDevWarnsOfOpenAddresses(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	for address, want := range map[string]bool{"127.0.0.1:0": false, "0.0.0.0:0": true} {
		_, stop := startDev(t, nil, "--states", address)
		if errs := stop(); strings.Contains(errs, "does not check credentials") != want {
			t.Errorf("%s: unexpected or missing warning about credentials: %s", address, errs)
		}
	}
}

// A stop lets an execution finish, and its caller gets the answer.
func TestDevFinishesWhatRuns(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	began, end := make(chan struct{}), make(chan struct{})
	function := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(began)
		<-end
		_, _ = io.WriteString(w, "{}")
	}))
	defer function.Close()
	url, stop := startDev(t, map[string]string{"LAMBDA_ENDPOINT": function.URL}, "--states", "127.0.0.1:0")
	const definition = `{\"StartAt\":\"A\",\"States\":{\"A\":{\"Type\":\"Task\",\"Resource\":\"arn:aws:lambda:us-east-1:123456789012:function:f\",\"End\":true}}}`
	callStates(t, url, "CreateStateMachine", `{"name":"slow","type":"EXPRESS","roleArn":"arn:aws:iam::1:role/r","definition":"`+definition+`"}`)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		<-began
		go func() {
			time.Sleep(100 * time.Millisecond) // the stop is under way, or comes later: the answer is the same
			close(end)
		}()
		stop()
	}()
	got := callStates(t, url, "StartSyncExecution", `{"stateMachineArn":"arn:aws:states:us-east-1:123456789012:stateMachine:slow"}`)
	if !strings.Contains(got, `"status":"SUCCEEDED"`) {
		t.Errorf("the answer of an execution that was being stopped = %s", got)
	}
	<-stopped
}
