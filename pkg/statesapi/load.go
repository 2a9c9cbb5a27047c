package statesapi

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/expressway-dev/expressway/pkg/asl"
)

// suffix follows the name of a state machine in the name of its file.
const suffix = ".asl.json"

// LoadDir registers the files NAME.asl.json of a directory as state machines NAME, as
// [Service.PutKind] does: as EXPRESS ones or, if the definition waits for a task token, a
// job or an activity, as STANDARD ones. It may be called again when they have changed. A
// definition that is refused leaves the last good one in place; all errors, each with its
// file, are joined. A state machine whose file is gone stays registered.
//
// Files whose paths are in except are left out.
func (s *Service) LoadDir(dir string, except ...string) error {
	list, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("load state machines: %w", err)
	}
	var problems []error
	for _, file := range list {
		name, ok := strings.CutSuffix(file.Name(), suffix)
		path := filepath.Join(dir, file.Name())
		if !ok || file.IsDir() || slices.Contains(except, path) {
			continue
		}
		if err := s.loadFile(path, name); err != nil {
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
	kind, list := s.kindOf(definition)
	if err := s.PutKind(name, kind, definition); err != nil {
		var refused *Error
		if errors.As(err, &refused) && refused.Code == InvalidDefinition {
			if len(list) > 0 {
				return &FileError{path, definition, list}
			}
		}
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// kindOf returns the type of a definition that does not specify it, and the definition's
// diagnostics for that type. The type is STANDARD if the definition is only invalid as
// EXPRESS.
func (s *Service) kindOf(definition []byte) (kind string, list []Diagnostic) {
	list = s.opts.Engine.Validate(definition, Express)
	if slices.ContainsFunc(list, isError) {
		if standard := s.opts.Engine.Validate(definition, Standard); !slices.ContainsFunc(standard, isError) {
			return Standard, standard
		}
	}
	return Express, list
}

func isError(d Diagnostic) bool { return d.Severity == severityError }

// readDefinition reads a file up to the maximum length of a definition in the longest
// characters, and one more byte, so that a longer one is refused.
func readDefinition(path string) ([]byte, error) {
	// Reading a pipe would block.
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

// A FileError explains why the definition in a file is refused.
type FileError struct {
	Path       string
	definition []byte
	// Diagnostics has at least one member.
	Diagnostics []Diagnostic
}

// Error returns a line for each diagnostic: file:line:column: message.
func (e *FileError) Error() string {
	lines := make([]string, len(e.Diagnostics))
	for i, d := range e.Located() {
		severity := ""
		if d.Warning {
			severity = "warning: "
		}
		lines[i] = fmt.Sprintf("%s:%d:%d: %s%s", e.Path, d.Line, d.Column, severity, d.Message)
	}
	return strings.Join(lines, "\n")
}

// A Located is a diagnostic with its place in the definition.
type Located struct {
	Line, Column int
	// Location is a JSON pointer, if the diagnostic has one.
	Location, Message string
	Warning           bool
}

// Located returns the diagnostics with their places.
func (e *FileError) Located() []Located { return locate(e.definition, e.Diagnostics) }

// locate finds the places of diagnostics in their definition.
func locate(definition []byte, list []Diagnostic) []Located {
	out := make([]Located, len(list))
	for i, d := range list {
		line, column := asl.Locate(definition, asl.Diagnostic(d))
		if d.Code == invalidJSON {
			// The API's message quotes the text, once or twice, which is not needed for a
			// file.
			for _, source := range []string{" (start marker at [Source", " (for ", "\n at [Source"} {
				d.Message, _, _ = strings.Cut(d.Message, source)
			}
		}
		out[i] = Located{line, column, d.Location, definitionMessage([]Diagnostic{d}), d.Severity == severityWarning}
	}
	return out
}

// CheckDir checks the files that [Service.LoadDir] would register, and registers nothing.
// The error holds all mistakes, and warnings the findings that are merely questionable.
func (s *Service) CheckDir(dir string, except ...string) (warnings []error, _ error) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("check state machines: %w", err)
	}
	var problems []error
	for _, file := range list {
		path := filepath.Join(dir, file.Name())
		if !strings.HasSuffix(file.Name(), suffix) || file.IsDir() || slices.Contains(except, path) {
			continue
		}
		definition, err := readDefinition(path)
		if err != nil {
			problems = append(problems, fmt.Errorf("check state machine: %w", err))
			continue
		}
		wrong, odd := &FileError{Path: path, definition: definition}, &FileError{Path: path, definition: definition}
		_, list := s.kindOf(definition)
		for _, d := range list {
			if isError(d) {
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

// Check returns all diagnostics of a definition for a state machine of a type, [Express]
// or [Standard], each with its place.
func (s *Service) Check(definition []byte, kind string) []Located {
	return locate(definition, s.opts.Engine.Validate(definition, kind))
}
