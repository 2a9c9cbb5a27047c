package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// Every command is shown in a document for users.
func TestCommandsAreDocumented(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	var docs strings.Builder
	for _, file := range append(files, "../../README.md") {
		if filepath.Base(file) == "architecture.md" {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		docs.Write(text)
	}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[commands]()) {
		if _, ok := field.Tag.Lookup("cmd"); ok && !strings.Contains(docs.String(), "expressway "+strings.ToLower(field.Name)) {
			t.Errorf("no document shows expressway %s", strings.ToLower(field.Name))
		}
	}
}
