package gateway_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/internal/lambdatest"
)

// A program outside of the module embeds the handlers. The test builds it as its owner
// would, with the module as its one requirement, and runs it as Lambda does.
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
	program := filepath.Join(dir, "bootstrap")
	build := exec.Command("go", "build", "-mod=mod", "-ldflags", "-s -w", "-o", program, ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "GOWORK=off", "GOPROXY=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for function, test := range map[string]struct{ event, want string }{
		"webhook": {request, `"body":"\"POST/WEB\""`},
		"queue":   {batch, `{"batchItemFailures":[]}`},
		"event":   {event, `"output":"E"`},
	} {
		fn, err := lambdatest.Start(t.Context(), lambdatest.Options{
			Bootstrap: program, Name: function, Timeout: 30 * time.Second, Env: map[string]string{"_HANDLER": function},
		})
		if err != nil {
			t.Fatalf("start %s: %v", function, err)
		}
		result, err := fn.Invoke(t.Context(), []byte(test.event), lambdatest.InvokeOptions{})
		fn.Stop()
		if err != nil || !strings.Contains(string(result.Payload), test.want) {
			t.Errorf("%s: %s, %v\n%s; want %s", function, result.Payload, err, fn.Logs(), test.want)
		}
		if !strings.Contains(fn.Logs(), "msg=") {
			t.Errorf("%s: the program's own logger has no line", function)
		}
	}
}

// The program is as short as the documents say.
func TestEmbedIsShort(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("testdata", "embed", "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(string(text), "\n"); lines > 40 {
		t.Errorf("the program has %d lines; want at most 40", lines)
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
