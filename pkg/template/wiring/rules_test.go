package wiring_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/template/wiring"
)

// A kind of finding without a description has no name in the output of validate, and no rule
// in its SARIF.
func TestRules(t *testing.T) {
	t.Parallel()
	documented, err := os.ReadFile("../../../docs/own-stack.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	added := regexp.MustCompile(`(?:Error|Warning|Note|severity), "([a-z-]+)"`)
	used := map[string]bool{"template": true} // the findings of pkg/template
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range added.FindAllStringSubmatch(string(source), -1) {
			used[m[1]] = true
		}
	}
	for rule := range used {
		if wiring.Rules[rule] == "" {
			t.Errorf("%s has no description", rule)
		}
	}
	for rule := range wiring.Rules {
		if !used[rule] {
			t.Errorf("no finding is %s", rule)
		}
		if !strings.Contains(string(documented), "| `"+rule+"` |") {
			t.Errorf("docs/own-stack.md does not list %s", rule)
		}
	}
}
