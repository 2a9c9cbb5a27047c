package tasks_test

import (
	"os"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/internal/asltest"
	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/asl/tasks"
)

// documented returns the first JSON text below a heading.
func documented(t *testing.T, text, heading string) []byte {
	t.Helper()
	_, rest, _ := strings.Cut(text, heading)
	_, rest, _ = strings.Cut(rest, "```json\n")
	example, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatalf("there is no example below %q", heading)
	}
	return []byte(example)
}

// The connections in the documentation are a valid file.
func TestDocumentedConnections(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../docs/tasks.md")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tasks.LoadConnections("docs/tasks.md", documented(t, string(text), "## HTTP endpoints")); err != nil {
		t.Error(err)
	}
}

// The mock file in the documentation is valid.
func TestDocumentedMocks(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../docs/tasks.md")
	if err != nil {
		t.Fatal(err)
	}
	mocks, err := tasks.LoadMocks(documented(t, string(text), "## Mocks"))
	if err != nil {
		t.Fatal(err)
	}
	tasks, err := mocks.Runner("payments", "ledger-slow", nil)
	if err != nil {
		t.Fatal(err)
	}
	definition := `{"StartAt":"Book","States":{"Book":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"ledger"},
		"Retry":[{"ErrorEquals":["Ledger.Timeout"]}],"OutputPath":"$.Payload","End":true}}}`
	if r := asltest.Run(t, definition, `{}`, asl.Environment{Tasks: tasks, Sleep: asltest.NoWait}); string(r.Output) != `{"booked":true}` {
		t.Errorf("got = %s %s %s", r.Output, r.Error, r.Cause)
	}
}
