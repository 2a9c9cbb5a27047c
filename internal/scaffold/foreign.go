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
	return fmt.Errorf("the template is not understood, so nothing is added to it:\n%w", &template.Error{Problems: list})
}

// synthesized reports whether a template is CDK's output.
func synthesized(path string) bool {
	_, err := os.Stat(filepath.Join(filepath.Dir(path), "manifest.json"))
	return err == nil && strings.HasSuffix(path, ".template.json")
}
