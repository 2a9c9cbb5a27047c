package asl

import (
	"os"
	"strings"
	"testing"
)

// docs/tasks.md says what runs each integration: it names the action, or all of the
// service as in `eks:…`.
func TestIntegrationsAreDocumented(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../docs/tasks.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for service, actions := range optimized {
		if strings.Contains(text, "`"+service+":…`") {
			continue
		}
		for _, action := range actions {
			named := strings.Contains(text, "`"+action+"`") || strings.Contains(text, ":"+action+"`")
			if !named || !strings.Contains(text, "`"+service+":") {
				t.Errorf("docs/tasks.md does not say what runs %s:%s", service, action)
			}
		}
	}
	for name := range argumentsOf {
		if _, _, known := integration("arn:aws:states:::" + name); !known {
			t.Errorf("argumentsOf has %s, which is not an integration", name)
		}
	}
}
