package tasks_test

import (
	"os"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/asl/tasks"
)

// The mock file of the documentation is one.
func TestDocumentedMocks(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../docs/tasks.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```json\n")
	example, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("there is no example")
	}
	mocks, err := tasks.LoadMocks([]byte(example))
	if err != nil {
		t.Fatal(err)
	}
	tasks, err := mocks.Runner("payments", "ledger-slow", nil)
	if err != nil {
		t.Fatal(err)
	}
	definition := `{"StartAt":"Book","States":{"Book":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"ledger"},
		"Retry":[{"ErrorEquals":["Ledger.Timeout"]}],"OutputPath":"$.Payload","End":true}}}`
	if r := run(t, definition, `{}`, asl.Environment{Tasks: tasks, Sleep: noWait}); string(r.Output) != `{"booked":true}` {
		t.Errorf("got = %s %s %s", r.Output, r.Error, r.Cause)
	}
}
