package statesapi

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/expressway-dev/expressway/pkg/asl"
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
	definition, err := readDefinition(path)
	if err != nil {
		return fmt.Errorf("load state machine: %w", err)
	}
	if err := s.Put(name, definition); err != nil {
		var refused *Error
		if errors.As(err, &refused) && refused.Code == InvalidDefinition {
			if list := s.opts.Engine.Validate(definition, Express); len(list) > 0 {
				return &FileError{path, definition, list}
			}
		}
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// readDefinition reads as much of a file as a definition can have. Of the longest
// characters, one byte past that is enough to be refused.
func readDefinition(path string) ([]byte, error) {
	// A pipe would be waited for.
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, 4*maxDefinition+1))
}

// A FileError is why the definition in a file is refused.
type FileError struct {
	Path       string
	definition []byte
	// Diagnostics has at least one member.
	Diagnostics []Diagnostic
}

// Error has a line for each diagnostic: file:line:column: what is wrong.
func (e *FileError) Error() string {
	lines := make([]string, len(e.Diagnostics))
	for i, d := range e.Diagnostics {
		line, column := asl.Locate(e.definition, asl.Diagnostic(d))
		if d.Code == InvalidJSONDescription {
			// The API's message has the text in it, once or twice; a file has a name.
			for _, source := range []string{" (start marker at [Source", " (for ", "\n at [Source"} {
				d.Message, _, _ = strings.Cut(d.Message, source)
			}
		}
		severity := ""
		if d.Severity == severityWarning {
			severity = "warning: "
		}
		lines[i] = fmt.Sprintf("%s:%d:%d: %s%s", e.Path, line, column, severity, strings.TrimSuffix(asl.Diagnostic(d).String(), " at null"))
	}
	return strings.Join(lines, "\n")
}

// CheckDir judges the files that [Service.LoadDir] would register, and registers
// nothing. The error holds all that is wrong, and warnings what is merely odd.
func (s *Service) CheckDir(dir string) (warnings []error, _ error) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("check state machines: %w", err)
	}
	var problems []error
	for _, file := range list {
		if !strings.HasSuffix(file.Name(), suffix) || file.IsDir() {
			continue
		}
		path := filepath.Join(dir, file.Name())
		definition, err := readDefinition(path)
		if err != nil {
			problems = append(problems, fmt.Errorf("check state machine: %w", err))
			continue
		}
		wrong, odd := &FileError{Path: path, definition: definition}, &FileError{Path: path, definition: definition}
		for _, d := range s.opts.Engine.Validate(definition, Express) {
			if d.Severity == severityError {
				wrong.Diagnostics = append(wrong.Diagnostics, d)
			} else {
				odd.Diagnostics = append(odd.Diagnostics, d)
			}
		}
		if len(wrong.Diagnostics) > 0 {
			problems = append(problems, wrong)
		}
		if len(odd.Diagnostics) > 0 {
			warnings = append(warnings, odd)
		}
	}
	return warnings, errors.Join(problems...)
}
