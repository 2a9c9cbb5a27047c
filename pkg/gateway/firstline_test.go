package gateway_test

import (
	"encoding/json"
	"runtime"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/gateway"
)

// TestFirstLine holds that a cold function first says what it is, also where it then
// cannot start.
func TestFirstLine(t *testing.T) {
	t.Parallel()
	for name, yaml := range map[string]string{"starts": plain, "cannot start": "version: 2\n"} {
		log, _ := load(t, yaml, map[string]string{"AWS_LAMBDA_FUNCTION_VERSION": "17"}, gateway.Webhook)
		first, _, _ := strings.Cut(log, "\n")
		var line map[string]any
		if err := json.Unmarshal([]byte(first), &line); err != nil {
			t.Fatalf("%s: %v in %q", name, err, log)
		}
		version, _ := line["version"].(string)
		_, commit := line["commit"]
		if line["msg"] != "function starts" || version == "" || !commit || line["go"] != runtime.Version() || line["functionVersion"] != "17" {
			t.Errorf("%s: first line %s", name, first)
		}
	}
}
