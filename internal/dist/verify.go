package dist

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// verify compares the files of a release with its SHA256SUMS, as `sha256sum --check`
// does, and finds files that it does not list.
func verify(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, "SHA256SUMS"))
	if err != nil {
		return fmt.Errorf("verify release: %w", err)
	}
	listed := map[string]bool{"SHA256SUMS": true}
	var problems []error
	for line := range strings.Lines(string(text)) {
		sum, name, found := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if !found || name != filepath.Base(name) {
			problems = append(problems, fmt.Errorf("SHA256SUMS: no checksum and name: %q", line))
			continue
		}
		listed[name] = true
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			problems = append(problems, err)
		} else if fmt.Sprintf("%x", sha256.Sum256(data)) != sum {
			problems = append(problems, fmt.Errorf("%s does not match SHA256SUMS", name))
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("verify release: %w", err)
	}
	for _, f := range files {
		if !listed[f.Name()] {
			problems = append(problems, fmt.Errorf("%s is not in SHA256SUMS", f.Name()))
		}
	}
	return errors.Join(problems...)
}
