package main

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asProgram makes the test's binary the program itself, for what needs a process.
const asProgram = "EXPRESSWAY_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// The variables of the file go over those of the process, and are the same each time.
func TestEnvironment(t *testing.T) {
	t.Parallel()
	process := map[string]string{"A": "process", "B": "process"}
	tests := map[string]struct {
		file    string
		want    map[string]string
		warning string
	}{
		"the file takes precedence":    {`{"WebhookFunction":{"A":"file"}}`, map[string]string{"A": "file", "B": "process"}, ""},
		"an empty value is a value":    {`{"WebhookFunction":{"A":""}}`, map[string]string{"A": "", "B": "process"}, ""},
		"several functions, one value": {`{"WebhookFunction":{"A":"x"},"QueueFunction":{"A":"x","C":"c"}}`, map[string]string{"A": "x", "C": "c"}, ""},
		"several values":               {`{"WebhookFunction":{"A":"w"},"QueueFunction":{"A":"q"},"EventFunction":{"A":"e"}}`, map[string]string{"A": "w"}, "gives A more than one value; here, all functions share one process, which uses the value for WebhookFunction"},
		"in SAM's form":                {`{"WebhookFunction":{"A":80,"B":true,"C":null,"D":"\u0041"}}`, map[string]string{"A": "80", "B": "true", "C": "", "D": "A"}, ""},
		"Parameters go last":           {`{"Parameters":{"A":"p","C":"p"},"EventFunction":{"A":"e"}}`, map[string]string{"A": "e", "C": "p"}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "env.json")
			if err := os.WriteFile(path, []byte(test.file), 0o600); err != nil {
				t.Fatal(err)
			}
			var errs strings.Builder
			getenv, err := (&project{EnvVars: path}).environment(&program{stderr: &errs, getenv: func(n string) string { return process[n] }})
			if err != nil {
				t.Fatal(err)
			}
			for name, want := range test.want {
				if got := getenv(name); got != want {
					t.Errorf("%s = %q, want %q", name, got, want)
				}
			}
			if test.warning == "" && errs.Len() > 0 || !strings.Contains(errs.String(), test.warning) || strings.Count(errs.String(), "\n") > 1 {
				t.Errorf("got the warning %q, want %q", errs.String(), test.warning)
			}
		})
	}
}

// The error for a file of another kind says what it should be.
func TestBrokenEnvironment(t *testing.T) {
	t.Parallel()
	for _, text := range []string{``, `[]`, `{"A":"b"}`, `{"WebhookFunction":{"A":["b"]}}`, `{"WebhookFunction":{"A":{}}}`} {
		path := filepath.Join(t.TempDir(), "env.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := (&project{EnvVars: path}).environment(&program{stderr: io.Discard, getenv: func(string) string { return "" }})
		if err == nil || !strings.Contains(err.Error(), "sam local --env-vars") || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v, want an error that names the file and its form", text, err)
		}
	}
	path := filepath.Join(t.TempDir(), "env.json")
	if err := os.WriteFile(path, []byte("{\n  \"A\": oops}"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := (&project{EnvVars: path}).environment(&program{stderr: io.Discard, getenv: func(string) string { return "" }})
	if err == nil || !strings.HasPrefix(err.Error(), path+":2:8: ") {
		t.Errorf("got %v, want an error at line 2, column 8", err)
	}
}

// process starts the program in a folder, with variables in addition to those of the test,
// and returns the lines of its output. It is killed when the test ends, or after four minutes.
func process(t *testing.T, dir string, env []string, args ...string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), asProgram+"=1"), env...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := time.AfterFunc(4*time.Minute, func() { _ = cmd.Process.Kill() })
	t.Cleanup(func() { kill.Stop(); _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd, bufio.NewScanner(out)
}

// Ctrl-C, and what stops a container, end dev as a success.
func TestSignals(t *testing.T) {
	t.Parallel()
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			cmd, lines := process(t, filepath.Join("..", ".."), nil, "dev", "--http", "127.0.0.1:0", "--states", "127.0.0.1:0")
			var last string
			for lines.Scan() {
				if last = lines.Text(); last == "Press Ctrl-C to stop" {
					if err := cmd.Process.Signal(signal); err != nil {
						t.Error(err)
					}
				}
			}
			if err := cmd.Wait(); err != nil || last != "stopped" {
				t.Errorf("ended with %v, and finally said %q", err, last)
			}
		})
	}
}

// The first Ctrl-C waits for the execution that runs, and says so; the second does not.
func TestSecondInterrupt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "slow.asl.json"),
		[]byte(`{"StartAt":"Wait","States":{"Wait":{"Type":"Wait","Seconds":200,"End":true}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd, lines := process(t, dir, nil, "dev", "--http", "127.0.0.1:0", "--states", "127.0.0.1:0", "--statemachines", ".")
	var said string
	for lines.Scan() {
		switch line := lines.Text(); {
		case strings.HasPrefix(line, "step functions"):
			said = strings.TrimSpace(strings.TrimPrefix(line, "step functions"))
		case line == "Press Ctrl-C to stop":
			startSlow(t, said)
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Error(err)
			}
		case line == "Press Ctrl-C again to stop now":
			said = line
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Error(err)
			}
		}
	}
	err := cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != interrupted || said != "Press Ctrl-C again to stop now" {
		t.Errorf("ended with %v, and finally said %q; want the status %d", err, said, interrupted)
	}
}

func startSlow(t *testing.T, endpoint string) {
	t.Helper()
	body := `{"stateMachineArn":"arn:aws:states:us-east-1:123456789012:stateMachine:slow"}`
	request, err := http.NewRequest(http.MethodPost, endpoint, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Amz-Target", "AWSStepFunctions.StartExecution")
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("StartExecution answered %s, want 200", response.Status)
	}
}
