package asl_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/internal/shared"
	"github.com/expressway-dev/expressway/pkg/asl"
)

// Machines that others have deployed are accepted, both with their template's values and
// with its placeholders.
func TestPublishedMachinesAreTaken(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(shared.Path(t, "machines"), "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("found %d machines, %v", len(files), err)
	}
	for _, file := range files {
		var m struct {
			ID, Type   string
			Definition json.RawMessage
			Values     map[string]string
		}
		if err := json.Unmarshal(shared.Read(t, "machines", filepath.Base(file)), &m); err != nil {
			t.Fatalf("read the machine of %s: %v", file, err)
		}
		text := string(m.Definition)
		definitions := map[string]string{"placeholders": text}
		for name, value := range m.Values {
			quoted, _ := json.Marshal(value)
			text = strings.ReplaceAll(text, "${"+name+"}", strings.Trim(string(quoted), `"`))
		}
		definitions["values"] = text
		for kind, definition := range definitions {
			for _, d := range asl.Validate([]byte(definition), m.Type == "EXPRESS") {
				if d.Severity == asl.SeverityError {
					t.Errorf("%s with %s: got the error %v", m.ID, kind, d)
				}
			}
		}
	}
}
