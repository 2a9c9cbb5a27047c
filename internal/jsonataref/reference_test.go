package jsonataref

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestStartWithoutReference(t *testing.T) {
	t.Parallel()
	if _, err := Start(t.TempDir()); !errors.Is(err, errMissing) {
		t.Errorf("got %v, want %v", err, errMissing)
	}
}

// The lock file must serve any registry: no addresses in it.
func TestLockFile(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "://") {
		t.Error("package-lock.json has an address in it")
	}
	for _, version := range []string{Newest, StepFunctions} {
		if !strings.Contains(string(text), `"version": "`+version+`"`) {
			t.Errorf("package-lock.json does not have %s", version)
		}
	}
}

// A case that never ends does not affect the answers of others. Any program can replace
// Node: here it is a shell.
func TestAsk(t *testing.T) {
	t.Parallel()
	r := &Reference{command: func() *exec.Cmd {
		return exec.Command("sh", "-c", `while read -r line; do case "$line" in *hang*) exec sleep 60;; *) echo '{"value": "1"}';; esac; done`)
	}}
	if err := r.start(); err != nil {
		t.Fatal(err)
	}
	answers, err := r.Ask(context.Background(), []Request{
		{Expr: "a", Input: json.RawMessage("null")}, {Expr: "hang"}, {Expr: "b"},
	}, 300*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if len(answers) != 3 || answers[0].Value == nil || !answers[1].Hangs || answers[2].Value == nil {
		t.Errorf("got %+v, want an answer, one that hangs, and an answer", answers)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}
