package statesapi

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// suffix is what the file of a state machine is called after its name.
const suffix = ".asl.json"

// LoadDir registers the files NAME.asl.json of a directory as EXPRESS state machines
// NAME, as [Service.Put] does. It may be called again when they have changed. A
// definition that is refused leaves the last good one in place; all errors, each with
// its file, come joined. A state machine whose file is gone stays registered.
func (s *Service) LoadDir(dir string) error {
	list, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("load state machines: %w", err)
	}
	var problems []error
	for _, file := range list {
		name, ok := strings.CutSuffix(file.Name(), suffix)
		if !ok || file.IsDir() {
			continue
		}
		if err := s.loadFile(filepath.Join(dir, file.Name()), name); err != nil {
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}

func (s *Service) loadFile(path, name string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("load state machine: %w", err)
	}
	defer f.Close()
	// One byte past what Put takes of the longest characters is enough to be refused.
	definition, err := io.ReadAll(io.LimitReader(f, 4*maxDefinition+1))
	if err != nil {
		return fmt.Errorf("load state machine: %w", err)
	}
	if err := s.Put(name, definition); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
