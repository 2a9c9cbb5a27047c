package gateway_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A program outside of the module embeds the handlers: it is built as its owner would
// build it, with the module as its one requirement.
func TestEmbed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"main.go", "expressway.yaml"} {
		copyFile(t, filepath.Join("testdata", "embed", name), filepath.Join(dir, name))
	}
	// The requirements of the module, and so what the cache of this machine has.
	copyFile(t, filepath.Join(root, "go.sum"), filepath.Join(dir, "go.sum"))
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	const module = "github.com/expressway-dev/expressway"
	text := strings.Replace(string(mod), "module "+module, "module example.com/embed", 1) +
		"\nrequire " + module + " v0.0.0\n\nreplace " + module + " => " + root + "\n"
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "embed")
	build := exec.Command("go", "build", "-mod=mod", "-ldflags", "-s -w", "-o", program, ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "GOWORK=off", "GOPROXY=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	signed := strings.Replace(request, `"headers":{`, `"headers":{"x-acme-key":"let-me-in",`, 1)
	for function, test := range map[string]struct{ event, want string }{
		"webhook": {signed, `"body":"\"POST/WEB\""`},
		"queue":   {batch, `{"batchItemFailures":[]} <nil>`},
		"event":   {event, `"output":"E"`},
	} {
		run := exec.Command(program, function)
		run.Dir = dir
		run.Env = append(os.Environ(), "ACME_KEY=let-me-in")
		run.Stdin = strings.NewReader(test.event)
		var log bytes.Buffer
		run.Stderr = &log
		out, err := run.Output()
		if err != nil || !strings.Contains(string(out), test.want) {
			t.Errorf("%s: %s, %v\n%s; want %s", function, out, err, &log, test.want)
		}
		if !strings.Contains(log.String(), "msg=") {
			t.Errorf("%s: the program's own logger has no line", function)
		}
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
