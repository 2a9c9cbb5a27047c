package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/internal/shared"
)

// A queue whose name CloudFormation made up reaches the sample's route.
func TestGeneratedQueueName(t *testing.T) {
	var cases []struct {
		Name, Fn string
		Event    json.RawMessage
	}
	if err := json.Unmarshal(shared.Read(t, "field", "queue", "name.json"), &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatal("there are no cases")
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			code, out, errs := inProject(t, string(c.Event), "invoke", c.Fn, "-e", "-")
			if code != 0 || strings.TrimSpace(out) != `{"batchItemFailures":[]}` || !strings.Contains(errs, `"status":"SUCCEEDED"`) {
				t.Errorf("exit %d, want 0 and a settled batch: %s%s", code, out, errs)
			}
		})
	}
}
