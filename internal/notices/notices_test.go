package notices

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write THIRD_PARTY_NOTICES.md")

// The notices are those of what is linked now.
func TestNotices(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	modules, err := linked(root, "./cmd/...", "./functions/...")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(root, "THIRD_PARTY_NOTICES.md")
	got := document(modules)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil { //nolint:gosec // for everybody to read
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("make notices rewrites it (-want +got):\n%.2000s", diff)
	}
}
