package checkout_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/internal/checkout"
)

// Two tests that build the same function share its binary: the second does not link it again.
func TestBuildTwice(t *testing.T) {
	t.Parallel()
	const pkg = "internal/bench/loop"
	root, err := checkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	var files [2]os.FileInfo
	for i := range files {
		dir := t.TempDir()
		if err := checkout.Build(t.Context(), pkg, runtime.GOOS, runtime.GOARCH, dir); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(filepath.Join(dir, "bootstrap")); err != nil || info.Mode().Perm()&0o111 == 0 {
			t.Errorf("the bootstrap is not executable: %v, %v", info, err)
		}
		if files[i], err = os.Stat(filepath.Join(root, "bin", "bootstraps", runtime.GOOS+"_"+runtime.GOARCH, pkg, "bootstrap")); err != nil {
			t.Fatal(err)
		}
	}
	if !os.SameFile(files[0], files[1]) {
		t.Error("the second build linked the function again")
	}
}

// What does not build is named, with the compiler's own words.
func TestBuildFails(t *testing.T) {
	t.Parallel()
	err := checkout.Build(t.Context(), "functions/none", runtime.GOOS, runtime.GOARCH, t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "build functions/none") || !strings.Contains(err.Error(), "directory not found") {
		t.Errorf("got %v", err)
	}
}
