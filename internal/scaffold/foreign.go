package scaffold

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/expressway-dev/expressway/pkg/template"
)

// understood refuses a template with unknown functions, because the scaffold could not
// tell what the template contains or lacks.
func understood(t *template.Template) error {
	t.Resolve()
	if t.Understood() {
		return nil
	}
	var list []template.Problem
	for _, p := range t.Problems() {
		if !p.Note {
			list = append(list, p)
		}
	}
	return fmt.Errorf("the template was not understood, so nothing was added to it: %w", &template.Error{Problems: list})
}

// toolOf returns the tool that a folder uses, and the template. It is CDK if the folder
// has an app and no template; the template is then that of the app's only stack. It is
// Terraform if the folder has a Terraform configuration and no template. Otherwise it is
// SAM.
func toolOf(dir, path string) (iac, file string) {
	if path != "" || template.Find(dir) != "" {
		if synthesized(path) {
			return "cdk", path
		}
		return "sam", path
	}
	stacks, _ := filepath.Glob(filepath.Join(dir, "cdk.out", "*.template.json"))
	if _, err := os.Stat(filepath.Join(dir, "cdk.json")); err == nil || len(stacks) > 0 {
		if len(stacks) == 1 {
			path = stacks[0]
		}
		return "cdk", path
	}
	if modules, _ := filepath.Glob(filepath.Join(dir, "*.tf")); len(modules) > 0 {
		return "terraform", ""
	}
	return "sam", ""
}

// synthesized reports whether a template is CDK's output.
func synthesized(path string) bool {
	_, err := os.Stat(filepath.Join(filepath.Dir(path), "manifest.json"))
	return err == nil && strings.HasSuffix(path, ".template.json")
}
