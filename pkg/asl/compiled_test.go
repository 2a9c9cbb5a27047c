package asl

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A field that is accepted but not compiled would be ignored.
func TestEveryFieldIsCompiled(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	var code strings.Builder
	for _, file := range files {
		if strings.HasPrefix(file, "validate") || strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		code.Write(text)
	}
	for kind, fields := range fieldsOf {
		for _, field := range slices.Concat(anyState, fields.both, fields.jsonPath, fields.jsonata) {
			read := strings.Contains(code.String(), `"`+field+`"`) || strings.Contains(code.String(), `"`+strings.TrimSuffix(field, "Path")+`"`)
			if !read && field != "Comment" && field != "End" { // a state without Next ends
				t.Errorf("%s states may have %s, but compile_state.go and the files next to it do not read it", kind, field)
			}
		}
	}
}
