package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/internal/shared"
)

// example returns the first code block of a language in docs/local-api.md, which asks the
// server at url.
func example(t *testing.T, language, url string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "local-api.md"))
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```" + language + "\n(.*?)```").FindStringSubmatch(string(text))
	if block == nil {
		t.Fatalf("docs/local-api.md has no example in %s", language)
	}
	const published = "http://127.0.0.1:8083"
	if !strings.Contains(block[1], published) {
		t.Fatalf("the example does not ask %s:\n%s", published, block[1])
	}
	return strings.ReplaceAll(block[1], published, url)
}

// needed skips a test whose program is not installed; in CI it fails.
func needed(t *testing.T, command *exec.Cmd) {
	t.Helper()
	if out, err := command.CombinedOutput(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("CI needs %s: %v\n%s", command, err, out)
		}
		t.Skipf("%s: %v", command, err)
	}
}

// The examples of the documentation work as somebody pastes them.
func TestClientExamples(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	here := filepath.Join(root, "cmd", "expressway")
	t.Chdir(root)
	url, stop := startDev(t, nil, "--states", "127.0.0.1:0", "--statemachines", "statemachines")
	defer stop()
	t.Chdir(here)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for name, make := range map[string]func(t *testing.T) *exec.Cmd{
		"boto3": func(t *testing.T) *exec.Cmd {
			python := shared.Program(t, "EXPRESSWAY_PYTHON")
			needed(t, exec.CommandContext(ctx, python, "-c", "import boto3"))
			return exec.CommandContext(ctx, python, "-c", example(t, "python", url))
		},
		"AWS CLI": func(t *testing.T) *exec.Cmd {
			cli := shared.Program(t, "EXPRESSWAY_AWS")
			needed(t, exec.CommandContext(ctx, cli, "--version"))
			c := exec.CommandContext(ctx, "sh", "-ec", example(t, "sh", url))
			c.Env = append(os.Environ(), "PATH="+filepath.Dir(cli)+string(os.PathListSeparator)+os.Getenv("PATH"), "AWS_PAGER=")
			return c
		},
		"JavaScript": func(t *testing.T) *exec.Cmd {
			needed(t, exec.CommandContext(ctx, "node", "--version"))
			packages := filepath.Join(root, "internal", "jsclient")
			if _, err := os.Stat(filepath.Join(packages, "node_modules")); err != nil {
				needed(t, exec.CommandContext(ctx, "npm", "--prefix", packages, "ls")) // which fails
			}
			c := exec.CommandContext(ctx, "node", "--input-type=module", "-e", example(t, "js", url))
			c.Dir = packages
			return c
		},
		"Go": func(t *testing.T) *exec.Cmd {
			file := filepath.Join(t.TempDir(), "example.go")
			if err := os.WriteFile(file, []byte(example(t, "go", url)), 0o600); err != nil {
				t.Fatal(err)
			}
			return exec.CommandContext(ctx, "go", "run", file)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(here)
			out, err := make(t).CombinedOutput()
			if err != nil || !strings.Contains(string(out), "SUCCEEDED") || !strings.Contains(string(out), "accepted") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
